//! `/prompts`: the login experience, its texts, its partials and how its screens are rendered.

use serde_json::{Value, json};

use super::custom_domains;
use super::parts::assign;
use crate::sandbox::call::Method::{Get, Patch, Put};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/prompts", read),
    route(Patch, "/prompts", update),
    route(Get, "/prompts/{prompt}/custom-text/{language}", read_text),
    route(Put, "/prompts/{prompt}/custom-text/{language}", write_text),
    route(Get, "/prompts/{prompt}/partials", read_partials),
    route(Put, "/prompts/{prompt}/partials", write_partials),
];

const PROMPTS: &str = "prompts";

/// Prompts of the API description.
const NAMES: [&str; 37] = [
    "login",
    "login-id",
    "login-password",
    "login-passwordless",
    "login-email-verification",
    "signup",
    "signup-id",
    "signup-password",
    "phone-identifier-enrollment",
    "phone-identifier-challenge",
    "email-identifier-challenge",
    "reset-password",
    "custom-form",
    "consent",
    "customized-consent",
    "logout",
    "mfa-push",
    "mfa-otp",
    "mfa-voice",
    "mfa-phone",
    "mfa-webauthn",
    "mfa-sms",
    "mfa-email",
    "mfa-recovery-code",
    "mfa",
    "status",
    "device-flow",
    "email-verification",
    "email-otp-challenge",
    "organizations",
    "invitation",
    "common",
    "passkeys",
    "captcha",
    "brute-force-protection",
    "async-approval-flow",
    "confirmation",
];

/// Prompts that take partials, with their screens.
const PARTIALS: [(&str, &[&str]); 9] = [
    ("login", &["login"]),
    ("login-id", &["login-id"]),
    ("login-password", &["login-password"]),
    ("login-passwordless", &["login-passwordless-sms-otp", "login-passwordless-email-code"]),
    ("signup", &["signup"]),
    ("signup-id", &["signup-id"]),
    ("signup-password", &["signup-password"]),
    ("customized-consent", &["customized-consent"]),
    ("passkeys", &["passkey-enrollment", "passkey-enrollment-local"]),
];

const INSERTION_POINTS: [&str; 6] = [
    "form-content-start",
    "form-content-end",
    "form-footer-start",
    "form-footer-end",
    "secondary-actions-start",
    "secondary-actions-end",
];

/// Adds the settings of a fresh tenant.
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    state.documents.insert(PROMPTS.to_owned(), json!({"universal_login_experience": "new", "identifier_first": true}));
}

fn read(state: &mut State, _call: &Call) -> Outcome {
    Ok(Reply::ok(state.documents.get(PROMPTS).map_or_else(|| json!({}), page::visible)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let prompts = state.documents.entry(PROMPTS.to_owned()).or_insert_with(|| json!({}));
    assign(prompts, &call.fields());
    Ok(Reply::ok(page::visible(prompts)))
}

pub(super) fn known(prompt: &str) -> Result<(), ApiError> {
    if NAMES.contains(&prompt) {
        return Ok(());
    }
    Err(ApiError::bare(404, "The prompt does not exist."))
}

// --- texts

fn text_key(call: &Call) -> String {
    format!("prompts/custom_text/{}/{}", call.param(0), call.param(1))
}

fn read_text(state: &mut State, call: &Call) -> Outcome {
    known(call.param(0))?;
    Ok(Reply::ok(state.documents.get(&text_key(call)).cloned().unwrap_or_else(|| json!({}))))
}

/// A write replaces all texts of the prompt in that language; an empty object clears them. The tenant need not have the
/// language enabled: auth0-deploy-cli writes texts before it enables languages.
fn write_text(state: &mut State, call: &Call) -> Outcome {
    known(call.param(0))?;
    for (screen, texts) in call.fields() {
        if !texts.as_object().is_some_and(|texts| texts.values().all(Value::is_string)) {
            return Err(ApiError::invalid_body(format!(
                "Payload validation error: 'Expected texts by key' on property {screen}."
            )));
        }
    }
    replace(state, text_key(call), call)
}

fn replace(state: &mut State, key: String, call: &Call) -> Outcome {
    let body = Value::Object(call.fields());
    if call.fields().is_empty() {
        state.documents.shift_remove(&key);
    } else {
        state.documents.insert(key, body.clone());
    }
    Ok(Reply::ok(body))
}

// --- partials

fn partial_screens(state: &State, prompt: &str) -> Result<&'static [&'static str], ApiError> {
    if !state.has_feature("prompts_partials") {
        return Err(ApiError::bare(403, "Permission Denied. This feature is not available on this plan."));
    }
    let found = PARTIALS.iter().find(|(name, _)| *name == prompt);
    found.map(|(_, screens)| *screens).ok_or_else(|| ApiError::bare(404, "The prompt does not exist."))
}

fn partials_key(call: &Call) -> String {
    format!("prompts/partials/{}", call.param(0))
}

fn read_partials(state: &mut State, call: &Call) -> Outcome {
    partial_screens(state, call.param(0))?;
    Ok(Reply::ok(state.documents.get(&partials_key(call)).cloned().unwrap_or_else(|| json!({}))))
}

fn write_partials(state: &mut State, call: &Call) -> Outcome {
    let screens = partial_screens(state, call.param(0))?;
    // The sentence that clients recognise (auth0-deploy-cli 8.43 source).
    if !custom_domains::any_ready(state) {
        return Err(ApiError::bare(
            400,
            "This feature requires at least one custom domain to be configured for the tenant.",
        ));
    }
    for (screen, points) in call.fields() {
        if !screens.contains(&screen.as_str()) {
            return Err(ApiError::invalid_body(format!(
                "Payload validation error: 'Additional properties not allowed: {screen}'."
            )));
        }
        let Some(points) = points.as_object() else {
            return Err(ApiError::invalid_body(format!(
                "Payload validation error: 'Expected type object' on property {screen}."
            )));
        };
        for (point, code) in points {
            if !INSERTION_POINTS.contains(&point.as_str()) || !code.is_string() {
                return Err(ApiError::invalid_body(format!(
                    "Payload validation error: 'Additional properties not allowed: {point}' on property {screen}."
                )));
            }
        }
    }
    replace(state, partials_key(call), call)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, refusal, tenant};
    use super::*;

    fn fresh() -> State {
        let mut state = tenant();
        bootstrap(&mut state, 0);
        crate::sandbox::family::tenant_settings::bootstrap(&mut state, 0);
        state
    }

    fn with_domain() -> State {
        let mut state = fresh();
        state.collection_mut("custom_domains").insert("cd_1".to_owned(), json!({"status": "ready"}));
        state
    }

    #[test]
    fn settings_are_changed_in_part() {
        let mut state = fresh();
        let body = json!({"universal_login_experience": "classic"});
        let written = answer(update(&mut state, &call(&[], body)), 200);
        assert_eq!(written, json!({"universal_login_experience": "classic", "identifier_first": true}));
        assert_eq!(answer(read(&mut state, &get(&[])), 200), written);
    }

    #[test]
    fn texts_are_replaced_per_prompt_and_language() {
        let mut state = fresh();
        assert_eq!(answer(read_text(&mut state, &get(&["login", "en"])), 200), json!({}));
        let first = json!({"login": {"title": "Hi"}});
        answer(write_text(&mut state, &call(&["login", "en"], first)), 200);
        let second = json!({"login": {"description": "there"}});
        assert_eq!(answer(write_text(&mut state, &call(&["login", "en"], second.clone())), 200), second);
        assert_eq!(answer(read_text(&mut state, &get(&["login", "en"])), 200), second);
        assert_eq!(answer(read_text(&mut state, &get(&["login-id", "en"])), 200), json!({}));
        answer(write_text(&mut state, &call(&["login", "en"], json!({}))), 200);
        assert_eq!(answer(read_text(&mut state, &get(&["login", "en"])), 200), json!({}));
    }

    #[test]
    fn texts_need_a_known_prompt_and_may_be_of_any_language() {
        let mut state = fresh();
        answer(write_text(&mut state, &call(&["login", "de"], json!({"login": {"title": "Hallo"}}))), 200);
        refusal(write_text(&mut state, &call(&["nowhere", "en"], json!({}))), 404);
        refusal(write_text(&mut state, &call(&["login", "en"], json!({"login": "Hi"}))), 400);
        refusal(write_text(&mut state, &call(&["login", "en"], json!({"login": {"title": 1}}))), 400);
    }

    #[test]
    fn partials_can_be_read_but_not_written_without_a_domain() {
        let mut state = fresh();
        assert_eq!(answer(read_partials(&mut state, &get(&["login"])), 200), json!({}));
        let error = refusal(write_partials(&mut state, &call(&["login"], json!({}))), 400);
        assert!(error.message.contains("feature requires at least one custom domain"));
        state.documents.insert("$features".to_owned(), json!({"prompts_partials": false}));
        refusal(read_partials(&mut state, &get(&["login"])), 403);
    }

    #[test]
    fn partials_know_their_screens_and_insertion_points() {
        let mut state = with_domain();
        let body = json!({"login-passwordless-sms-otp": {"form-content-end": "<p/>"}});
        assert_eq!(answer(write_partials(&mut state, &call(&["login-passwordless"], body.clone())), 200), body);
        assert_eq!(answer(read_partials(&mut state, &get(&["login-passwordless"])), 200), body);
        refusal(write_partials(&mut state, &call(&["login"], json!({"signup": {}}))), 400);
        refusal(write_partials(&mut state, &call(&["login"], json!({"login": {"footer": "x"}}))), 400);
        refusal(write_partials(&mut state, &call(&["mfa"], json!({}))), 404);
    }
}
