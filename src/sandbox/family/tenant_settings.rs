//! `/tenants/settings`: one document, whose GET and PATCH answers differ.

use serde_json::{Map, Value, json};

use super::parts::{assign, merge, set, text, unset};
use crate::sandbox::call::Method::{Get, Patch};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[route(Get, "/tenants/settings", read), route(Patch, "/tenants/settings", update)];

const SETTINGS: &str = "tenant_settings";

/// Members whose own members survive a PATCH that does not name them (recorded traffic).
const MERGED: [&str; 4] = ["flags", "universal_login", "change_password", "guardian_mfa_page"];

/// Times that are read in hours and may be written in minutes.
const LIFETIMES: [&str; 4] =
    ["session_lifetime", "idle_session_lifetime", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime"];

/// Flags that only PATCH answers show (recorded traffic).
const PATCH_FLAGS: [&str; 2] = [
    "cannot_change_enforce_client_authentication_on_passwordless_start",
    "enforce_client_authentication_on_passwordless_start",
];

const SANDBOX_VERSIONS: [&str; 3] = ["22", "18", "12"];
/// Versions that older tenants run, which are no longer offered (the documented example of auth0-deploy-cli has one).
const OLDER_VERSIONS: [&str; 3] = ["4", "8", "16"];

/// Adds the settings of a fresh tenant (members that recorded tenants have).
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    let settings = json!({
        "enabled_locales": ["en"],
        "flags": {
            "allow_changing_enable_sso": false,
            "allow_legacy_delegation_grant_types": false,
            "allow_legacy_ro_grant_types": false,
            "cannot_change_enforce_client_authentication_on_passwordless_start": true,
            "change_pwd_flow_v1": false,
            "disable_impersonation": true,
            "enable_apis_section": false,
            "enable_client_connections": false,
            "enable_custom_domain_in_emails": false,
            "enable_dynamic_client_registration": false,
            "enable_legacy_logs_search_v2": false,
            "enable_public_signup_user_exists_error": true,
            "enable_sso": true,
            "enforce_client_authentication_on_passwordless_start": true,
            "new_universal_login_experience_enabled": true,
            "universal_login": true,
            "use_scope_descriptions_for_consent": false,
            "revoke_refresh_token_grant": false,
            "disable_clickjack_protection_headers": false,
            "enable_pipeline2": false,
        },
        "sandbox_version": "22",
        "universal_login": {},
        "resource_parameter_profile": "audience",
        "client_id_metadata_document_supported": false,
    });
    state.documents.insert(SETTINGS.to_owned(), settings);
}

fn stored(state: &State) -> Value {
    state.documents.get(SETTINGS).cloned().unwrap_or_else(|| json!({}))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let mut settings = page::visible(&stored(state));
    if let Some(flags) = settings.get_mut("flags") {
        for name in PATCH_FLAGS {
            unset(flags, name);
        }
    }
    set(&mut settings, "sandbox_versions_available", SANDBOX_VERSIONS.to_vec());
    Ok(Reply::ok(page::selected(call, settings)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let mut changes = call.fields();
    hours(&mut changes)?;
    check(state, &mut changes)?;
    let mut settings = stored(state);
    for name in MERGED {
        if changes.get(name).is_some_and(Value::is_object)
            && let Some(inner) = changes.shift_remove(name)
        {
            merge(&mut settings, &json!({name: inner}));
        }
    }
    assign(&mut settings, &changes);
    state.documents.insert(SETTINGS.to_owned(), settings.clone());
    let mut answer = page::visible(&settings);
    let identifier_first = state.documents.get("prompts").and_then(|prompts| prompts.get("identifier_first"));
    if let (Some(first), Some(login)) = (identifier_first, answer.get_mut("universal_login")) {
        set(login, "identifier_first", first.clone());
    }
    Ok(Reply::ok(answer))
}

/// Turns `…_in_minutes` into hours, which may be fractions (recorded traffic: 181 minutes read 3.0166666666666666).
fn hours(changes: &mut Map<String, Value>) -> Result<(), ApiError> {
    for name in LIFETIMES {
        let minutes_name = format!("{name}_in_minutes");
        let Some(minutes) = changes.shift_remove(&minutes_name) else {
            continue;
        };
        if changes.contains_key(name) {
            return Err(ApiError::invalid_body(format!("{minutes_name} cannot be specified together with {name}")));
        }
        let value = match minutes.as_i64() {
            Some(whole) if whole % 60 == 0 => json!(whole / 60),
            _ => minutes.as_f64().map_or(Value::Null, |minutes| json!(minutes / 60.0)),
        };
        changes.insert(name.to_owned(), value);
    }
    Ok(())
}

fn check(state: &State, changes: &mut Map<String, Value>) -> Result<(), ApiError> {
    // An empty name clears the default.
    if changes.get("default_directory").and_then(Value::as_str) == Some("") {
        changes.insert("default_directory".to_owned(), Value::Null);
    }
    let directory = changes.get("default_directory").filter(|value| !value.is_null());
    if let Some(name) = directory
        && state.find_by("connections", "name", name).is_none()
    {
        return Err(ApiError::invalid_body(format!(
            "The connection {} does not exist and cannot be the default directory.",
            name.as_str().unwrap_or_default()
        )));
    }
    let sent = Value::Object(changes.clone());
    let version = text(&sent, "sandbox_version");
    let available = SANDBOX_VERSIONS.contains(&version) || OLDER_VERSIONS.contains(&version);
    if !version.is_empty() && !available {
        return Err(ApiError::invalid_body(format!("The sandbox version {version} is not available.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    fn fresh() -> State {
        let mut state = tenant();
        bootstrap(&mut state, 0);
        state
    }

    fn patch(state: &mut State, body: Value) -> Value {
        answer(update(state, &call(&[], body)), 200)
    }

    #[test]
    fn get_and_patch_show_different_members() {
        let mut state = fresh();
        state.documents.insert("prompts".to_owned(), json!({"identifier_first": true}));
        let written = patch(&mut state, json!({"friendly_name": "Travel0"}));
        assert!(written.get("sandbox_versions_available").is_none());
        assert_eq!(written["universal_login"], json!({"identifier_first": true}));
        assert_eq!(written["flags"]["enforce_client_authentication_on_passwordless_start"], true);
        let seen = answer(read(&mut state, &get(&[])), 200);
        assert_eq!(seen["sandbox_versions_available"], json!(["22", "18", "12"]));
        assert_eq!(seen["universal_login"], json!({}));
        for name in PATCH_FLAGS {
            assert!(seen["flags"].get(name).is_none());
        }
        assert_eq!(seen["friendly_name"], "Travel0");
    }

    #[test]
    fn blocks_merge_others_are_replaced_and_null_removes() {
        let mut state = fresh();
        patch(
            &mut state,
            json!({
                "flags": {"enable_sso": false}, "change_password": {"enabled": true, "html": "a"},
                "error_page": {"html": "e", "url": "https://e"}, "session_cookie": {"mode": "persistent"},
            }),
        );
        let body = patch(
            &mut state,
            json!({
                "flags": {"revoke_refresh_token_grant": true}, "change_password": {"html": "b"},
                "error_page": {"html": "f"}, "session_cookie": null,
            }),
        );
        assert_eq!(
            (&body["flags"]["enable_sso"], &body["flags"]["revoke_refresh_token_grant"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(body["change_password"], json!({"enabled": true, "html": "b"}));
        assert_eq!(body["error_page"], json!({"html": "f"}));
        assert!(body.get("session_cookie").is_none());
    }

    #[test]
    fn minutes_come_back_as_hours() {
        let mut state = fresh();
        let body =
            patch(&mut state, json!({"session_lifetime_in_minutes": 181, "idle_session_lifetime_in_minutes": 60}));
        assert_eq!(body["session_lifetime"].as_f64(), Some(3.016_666_666_666_666_6));
        assert_eq!(body["idle_session_lifetime"], json!(1));
        assert!(body.get("session_lifetime_in_minutes").is_none());
        let both = json!({"session_lifetime_in_minutes": 60, "session_lifetime": 1});
        refusal(update(&mut state, &call(&[], both)), 400);
    }

    #[test]
    fn the_default_directory_must_exist() {
        let mut state = fresh();
        let body = json!({"default_directory": "db"});
        assert_eq!(refusal(update(&mut state, &call(&[], body.clone())), 400).code.as_deref(), Some("invalid_body"));
        state.collection_mut("connections").insert("con_1".to_owned(), json!({"name": "db"}));
        assert_eq!(patch(&mut state, body)["default_directory"], "db");
        assert!(patch(&mut state, json!({"default_directory": ""})).get("default_directory").is_none());
    }

    #[test]
    fn only_available_sandbox_versions_are_taken() {
        let mut state = fresh();
        refusal(update(&mut state, &call(&[], json!({"sandbox_version": "6"}))), 400);
        assert_eq!(patch(&mut state, json!({"sandbox_version": "18"}))["sandbox_version"], "18");
    }

    #[test]
    fn fields_select_members() {
        let mut state = fresh();
        let body = answer(read(&mut state, &query(&[], &[("fields", "sandbox_version")])), 200);
        assert_eq!(body, json!({"sandbox_version": "22"}));
    }
}
