//! How the screens of prompts are rendered.

use serde_json::{Map, Value, json};

use super::parts::{assign, items, text};
use super::prompts::known;
use crate::sandbox::call::Method::{Get, Patch};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page::{self, OffsetOrder};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/prompts/rendering", list),
    route(Patch, "/prompts/rendering", update_all),
    route(Get, "/prompts/{prompt}/screen/{screen}/rendering", read),
    route(Patch, "/prompts/{prompt}/screen/{screen}/rendering", update),
];

/// Rendering settings by `PROMPT/SCREEN`.
const RENDERING: &str = "prompt_rendering";

fn allowed(state: &State) -> Result<(), ApiError> {
    if state.has_feature("prompts_partials") {
        return Ok(());
    }
    Err(ApiError::bare(402, "A paid subscription is required to use Advanced Customizations."))
}

/// Says whether a screen belongs to a prompt. Most screens begin with the name of theirs.
fn has_screen(prompt: &str, screen: &str) -> bool {
    let starts =
        |prefix: &str| screen.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    match prompt {
        "login" | "signup" | "consent" | "status" | "confirmation" | "custom-form" => screen == prompt,
        "mfa" => {
            ["mfa-detect-browser-capabilities", "mfa-enroll-result", "mfa-login-options", "mfa-begin-enroll-options"]
                .contains(&screen)
        }
        "mfa-sms" => starts("mfa-sms") || screen == "mfa-country-codes",
        "mfa-phone" => starts("mfa-phone"),
        "device-flow" => starts("device-code"),
        "organizations" => starts("organization") || screen == "pre-login-organization-picker",
        "invitation" => screen == "accept-invitation",
        "common" => screen == "redeem-ticket",
        "passkeys" => starts("passkey"),
        "captcha" => screen == "interstitial-captcha",
        "async-approval-flow" => starts("async-approval"),
        _ => starts(prompt),
    }
}

fn key_of(prompt: &str, screen: &str) -> Result<String, ApiError> {
    known(prompt)?;
    if !has_screen(prompt, screen) {
        return Err(ApiError::bare(403, "This screen is not available in Advanced Customizations"));
    }
    Ok(format!("{prompt}/{screen}"))
}

fn list(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let fits = |row: &Value| {
        ["prompt", "screen", "rendering_mode"]
            .iter()
            .all(|member| call.query(member).is_none_or(|wanted| text(row, member) == wanted))
    };
    let rows = state.collection(RENDERING).map(|(_, row)| row.clone()).filter(fits).collect();
    page::offset(call, "configs", rows, OffsetOrder::RowsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let key = key_of(call.param(0), call.param(1))?;
    Ok(Reply::ok(
        state.object(RENDERING, &key).cloned().unwrap_or_else(|| unwritten(state, call.param(0), call.param(1))),
    ))
}

/// What reads show of a screen before the first write.
fn unwritten(state: &State, prompt: &str, screen: &str) -> Value {
    let tenant = state.domain.split('.').next().unwrap_or_default();
    json!({
        "tenant": tenant, "prompt": prompt, "screen": screen, "rendering_mode": "standard",
        "context_configuration": [], "default_head_tags_disabled": false, "head_tags": [],
    })
}

fn store(state: &mut State, key: String, prompt: &str, screen: &str, changes: &Map<String, Value>) {
    let start = unwritten(state, prompt, screen);
    let row = state.collection_mut(RENDERING).entry(key).or_insert(start);
    assign(row, changes);
}

/// Answers only the members that were written (recorded traffic).
fn update(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let key = key_of(call.param(0), call.param(1))?;
    let changes = call.fields();
    store(state, key, call.param(0), call.param(1), &changes);
    Ok(Reply::ok(Value::Object(changes)))
}

fn update_all(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let configs = items(&call.body, "configs");
    let mut keyed = Vec::with_capacity(configs.len());
    for config in configs {
        keyed.push((key_of(text(config, "prompt"), text(config, "screen"))?, config));
    }
    for (key, config) in keyed {
        let members = config.as_object().cloned().unwrap_or_default();
        store(state, key, text(config, "prompt"), text(config, "screen"), &members);
    }
    Ok(Reply::ok(json!({"configs": configs})))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    #[test]
    fn rendering_is_listed_once_written() {
        let mut state = tenant();
        let empty = answer(list(&mut state, &query(&[], &[("include_totals", "true"), ("per_page", "100")])), 200);
        assert_eq!(empty, json!({"configs": [], "start": 0, "limit": 100, "total": 0}));
        assert_eq!(answer(read(&mut state, &get(&["login", "login"])), 200)["rendering_mode"], "standard");
        let body = json!({"rendering_mode": "advanced"});
        assert_eq!(answer(update(&mut state, &call(&["login", "login"], body.clone())), 200), body);
        let listed = answer(list(&mut state, &query(&[], &[("rendering_mode", "advanced")])), 200);
        assert_eq!((&listed[0]["screen"], &listed[0]["tenant"]), (&json!("login"), &json!("travel0")));
        let none = answer(list(&mut state, &query(&[], &[("prompt", "signup")])), 200);
        assert_eq!(none, json!([]));
    }

    #[test]
    fn a_screen_must_belong_to_its_prompt() {
        for (prompt, screen) in
            [("login", "login-id"), ("mfa", "mfa-sms-list"), ("login", "nowhere"), ("captcha", "captcha")]
        {
            refusal(read(&mut tenant(), &get(&[prompt, screen])), 403);
        }
        for (prompt, screen) in [
            ("mfa", "mfa-login-options"),
            ("reset-password", "reset-password-email"),
            ("organizations", "organization-picker"),
            ("brute-force-protection", "brute-force-protection-unblock"),
            ("device-flow", "device-code-confirmation"),
        ] {
            answer(read(&mut tenant(), &get(&[prompt, screen])), 200);
        }
        refusal(read(&mut tenant(), &get(&["nowhere", "login"])), 404);
    }

    #[test]
    fn many_screens_change_all_or_not_at_all() {
        let mut state = tenant();
        let good = json!({"prompt": "login", "screen": "login", "rendering_mode": "advanced"});
        let bad = json!({"prompt": "login", "screen": "signup"});
        refusal(update_all(&mut state, &call(&[], json!({"configs": [good, bad]}))), 403);
        assert_eq!(state.collection(RENDERING).count(), 0);
        let body = json!({"configs": [good]});
        assert_eq!(answer(update_all(&mut state, &call(&[], body.clone())), 200), body);
        assert_eq!(state.collection(RENDERING).count(), 1);
        state.documents.insert("$features".to_owned(), json!({"prompts_partials": false}));
        refusal(update_all(&mut state, &call(&[], body)), 402);
    }
}
