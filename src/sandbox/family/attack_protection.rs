//! `/attack-protection`: one document per part.

use serde_json::{Value, json};

use super::parts::{assign, fill_object, merge, set, unset};
use crate::sandbox::call::Method::{Get, Patch};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/attack-protection/bot-detection", |state, _| read(state, BOTS)),
    route(Patch, "/attack-protection/bot-detection", |state, call| update(state, call, BOTS)),
    route(Get, "/attack-protection/breached-password-detection", |state, _| read(state, BREACHES)),
    route(Patch, "/attack-protection/breached-password-detection", |state, call| update(state, call, BREACHES)),
    route(Get, "/attack-protection/brute-force-protection", |state, _| read(state, BRUTE_FORCE)),
    route(Patch, "/attack-protection/brute-force-protection", |state, call| update(state, call, BRUTE_FORCE)),
    route(Get, "/attack-protection/captcha", |state, _| read(state, CAPTCHA)),
    route(Patch, "/attack-protection/captcha", update_captcha),
    route(Get, "/attack-protection/phone-provider-protection", |state, _| read(state, PHONE)),
    route(Patch, "/attack-protection/phone-provider-protection", |state, call| update(state, call, PHONE)),
    route(Get, "/attack-protection/suspicious-ip-throttling", |state, _| read(state, THROTTLING)),
    route(Patch, "/attack-protection/suspicious-ip-throttling", |state, call| update(state, call, THROTTLING)),
];

const BOTS: &str = "attack_protection/bot-detection";
const BREACHES: &str = "attack_protection/breached-password-detection";
const BRUTE_FORCE: &str = "attack_protection/brute-force-protection";
const CAPTCHA: &str = "attack_protection/captcha";
const PHONE: &str = "attack_protection/phone-provider-protection";
const THROTTLING: &str = "attack_protection/suspicious-ip-throttling";

/// Members of captcha providers that no read shows.
const CAPTCHA_SECRETS: [&str; 2] = ["secret", "api_key"];

/// Adds the settings of a fresh tenant (recorded traffic).
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    for (name, settings) in [
        (
            BOTS,
            json!({
                "challenge_password_policy": "never", "challenge_passwordless_policy": "never",
                "challenge_password_reset_policy": "never", "allowlist": [], "bot_detection_level": "medium",
                "monitoring_mode_enabled": false,
            }),
        ),
        (
            BREACHES,
            json!({
                "enabled": false, "shields": [], "admin_notification_frequency": [], "method": "standard",
                "stage": {"pre-user-registration": {"shields": []}, "pre-change-password": {"shields": []}},
            }),
        ),
        (
            BRUTE_FORCE,
            json!({
                "enabled": true, "shields": ["block", "user_notification"], "mode": "count_per_identifier_and_ip",
                "allowlist": [], "max_attempts": 10,
            }),
        ),
        (CAPTCHA, fresh_captcha()),
        (PHONE, json!({"type": "none"})),
        (
            THROTTLING,
            json!({
                "enabled": true, "shields": ["admin_notification", "block"], "allowlist": [],
                "stage": {
                    "pre-login": {"max_attempts": 100, "rate": 864_000},
                    "pre-user-registration": {"max_attempts": 50, "rate": 1200},
                    "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600_000},
                },
            }),
        ),
    ] {
        state.documents.insert(name.to_owned(), settings);
    }
}

/// Reads show a block for every provider, used or not (recorded traffic).
fn fresh_captcha() -> Value {
    json!({
        "active_provider_id": "auth_challenge",
        "simple_captcha": {},
        "auth_challenge": {"fail_open": false},
        "recaptcha_v2": {"site_key": ""},
        "recaptcha_enterprise": {"site_key": "", "project_id": ""},
        "hcaptcha": {"site_key": ""},
        "friendly_captcha": {"site_key": ""},
        "arkose": {
            "site_key": "", "client_subdomain": "client-api", "verify_subdomain": "verify-api", "fail_open": false,
        },
    })
}

/// Two parts need a subscription, for reads too (recorded traffic).
fn allowed(state: &State, part: &str) -> Result<(), ApiError> {
    let feature = match part {
        BOTS => "bot_detection",
        CAPTCHA => "captcha",
        _ => return Ok(()),
    };
    if state.has_feature(feature) {
        return Ok(());
    }
    let message = "Please upgrade your subscription to use bot detection";
    Err(ApiError::new(403, "insufficient_entitlement", message))
}

fn stored(state: &State, part: &str) -> Value {
    state.documents.get(part).cloned().unwrap_or_else(|| json!({}))
}

fn read(state: &State, part: &str) -> Outcome {
    allowed(state, part)?;
    Ok(Reply::ok(page::visible(&stored(state, part))))
}

/// Members are replaced, but stages keep what is not named (recorded traffic).
fn update(state: &mut State, call: &Call, part: &str) -> Outcome {
    allowed(state, part)?;
    let mut changes = call.fields();
    let mut settings = stored(state, part);
    if let Some(stage @ Value::Object(_)) = changes.shift_remove("stage") {
        merge(&mut settings, &json!({"stage": stage}));
    }
    assign(&mut settings, &changes);
    state.documents.insert(part.to_owned(), settings.clone());
    Ok(Reply::ok(page::visible(&settings)))
}

/// A provider's block is replaced, completed by the defaults; its secrets are kept inside.
fn update_captcha(state: &mut State, call: &Call) -> Outcome {
    allowed(state, CAPTCHA)?;
    let fresh = fresh_captcha();
    let mut settings = stored(state, CAPTCHA);
    for (name, value) in call.fields() {
        let mut value = value;
        for secret in CAPTCHA_SECRETS {
            if let Some(sent) = unset(&mut value, secret) {
                set(&mut value, &format!("${secret}"), sent);
            }
        }
        if let Some(default) = fresh.get(&name) {
            fill_object(&mut value, default.clone());
        }
        set(&mut settings, &name, value);
    }
    state.documents.insert(CAPTCHA.to_owned(), settings.clone());
    Ok(Reply::ok(page::visible(&settings)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, refusal, tenant};
    use super::*;

    fn fresh() -> State {
        let mut state = tenant();
        bootstrap(&mut state, 0);
        state
    }

    #[test]
    fn stages_keep_what_is_not_named() {
        let mut state = fresh();
        let body = json!({"shields": ["block"], "stage": {"pre-login": {"max_attempts": 66}}});
        let written = answer(update(&mut state, &call(&[], body), THROTTLING), 200);
        assert_eq!(written["stage"]["pre-login"], json!({"max_attempts": 66, "rate": 864_000}));
        assert_eq!(written["stage"]["pre-custom-token-exchange"]["rate"], 600_000);
        assert_eq!((&written["shields"], &written["enabled"]), (&json!(["block"]), &json!(true)));
        assert_eq!(answer(read(&state, THROTTLING), 200), written);
        let body = json!({"stage": {"pre-change-password": {"shields": ["block"]}}});
        let written = answer(update(&mut state, &call(&[], body), BREACHES), 200);
        assert_eq!(written["stage"]["pre-user-registration"], json!({"shields": []}));
    }

    #[test]
    fn a_captcha_provider_is_replaced_and_its_secret_kept_inside() {
        let mut state = fresh();
        let arkose = json!({"site_key": "k", "secret": "hunter2", "client_subdomain": "x"});
        let body = json!({"active_provider_id": "arkose", "arkose": arkose});
        let written = answer(update_captcha(&mut state, &call(&[], body)), 200);
        assert_eq!(
            written["arkose"],
            json!({"site_key": "k", "client_subdomain": "x", "verify_subdomain": "verify-api", "fail_open": false})
        );
        assert_eq!(written["recaptcha_enterprise"], json!({"site_key": "", "project_id": ""}));
        assert_eq!(state.documents[CAPTCHA]["arkose"]["$secret"], "hunter2");
        let body = json!({"arkose": {"site_key": "l", "secret": "s"}});
        assert_eq!(
            answer(update_captcha(&mut state, &call(&[], body)), 200)["arkose"]["client_subdomain"],
            "client-api"
        );
    }

    #[test]
    fn two_parts_need_a_subscription() {
        let mut state = fresh();
        state.documents.insert("$features".to_owned(), json!({"bot_detection": false, "captcha": false}));
        for error in [refusal(read(&state, BOTS), 403), refusal(read(&state, CAPTCHA), 403)] {
            assert_eq!(error.code.as_deref(), Some("insufficient_entitlement"));
        }
        refusal(update_captcha(&mut state, &call(&[], json!({}))), 403);
        refusal(update(&mut state, &call(&[], json!({})), BOTS), 403);
        answer(read(&state, BRUTE_FORCE), 200);
    }

    #[test]
    fn every_part_of_a_fresh_tenant_is_set() {
        let state = fresh();
        for part in [BOTS, BREACHES, BRUTE_FORCE, CAPTCHA, PHONE, THROTTLING] {
            assert_ne!(answer(read(&state, part), 200), json!({}), "{part}");
        }
    }
}
