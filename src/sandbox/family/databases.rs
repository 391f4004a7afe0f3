//! What is particular about the `options` of database connections (strategy `auth0`).

use serde_json::{Value, json};

use super::parts::{fill_object, is_true, items, set, text, unset};
use crate::sandbox::call::ApiError;
use crate::sandbox::state::State;

/// Password settings that `password_options` supersedes; a body holds one or the other.
const LEGACY: [&str; 5] = [
    "passwordPolicy",
    "password_complexity_options",
    "password_history",
    "password_no_personal_info",
    "password_dictionary",
];

const IDENTIFIERS: [&str; 3] = ["email", "phone_number", "username"];

/// Members that a write without them leaves as they were (recorded traffic).
pub(super) const KEPT: [&str; 2] = ["authentication_methods", "passkey_options"];

/// Adds what a create adds (recorded traffic, POST /connections).
pub(super) fn complete(options: &mut Value) {
    let flexible = options.get("password_options").is_some();
    fill_object(options, json!({"mfa": {"active": true, "return_enroll_settings": true}}));
    if !flexible {
        fill_object(options, json!({"passwordPolicy": "good"}));
    }
    fill_object(
        options,
        json!({
            "strategy_version": 2,
            "brute_force_protection": true,
            "password_options": {
                "complexity": {
                    "character_type_rule": "all", "identical_characters": "allow", "sequential_characters": "allow",
                    "max_length_exceeded": "error", "min_length": 15, "character_types": [],
                },
                "profile_data": {
                    "active": false,
                    "blocked_fields": ["name", "username", "nickname", "email", "phone_number",
                        "user_metadata.name", "user_metadata.first", "user_metadata.last"],
                },
                "history": {"active": false, "size": 3},
                "dictionary": {"active": false, "custom": [], "default": "en_100k"},
            },
        }),
    );
    complete_methods(options);
}

/// Completes the blocks that the service manages and that may be sent in part.
pub(super) fn complete_methods(options: &mut Value) {
    let defaults = json!({
        "authentication_methods": {
            "password": {"enabled": true, "api_behavior": "required", "signup_behavior": "allow"},
            "passkey": {"enabled": false},
        },
        "passkey_options": {
            "challenge_ui": "both", "progressive_enrollment_enabled": true, "local_enrollment_enabled": true,
        },
    });
    fill_object(options, defaults.clone());
    for name in KEPT {
        if let (Some(block), Some(default)) = (options.get_mut(name), defaults.get(name)) {
            fill_object(block, default.clone());
        }
    }
}

/// Replaces the values of `configuration` by what reads show: long Base64, different for every write (recorded
/// traffic). A null removes its key.
pub(super) fn encrypt(state: &mut State, options: &mut Value) {
    let Some(Value::Object(pairs)) = options.get("configuration") else {
        if options.get("configuration") == Some(&Value::Null) {
            unset(options, "configuration");
        }
        return;
    };
    let keys: Vec<String> = pairs.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.clone()).collect();
    let mut sealed = json!({});
    for key in keys {
        set(&mut sealed, &key, format!("2.0${}==", state.alphanumeric(118)));
    }
    set(options, "configuration", sealed);
}

/// Checks the rules across members of what was sent; `old` is what a PATCH replaces.
///
/// # Errors
/// 400 `invalid_body`; the sentences are those of recorded traffic where one was recorded.
pub(super) fn check(state: &State, name: &str, options: &Value, old: Option<&Value>) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::invalid_body(message));
    if let Some(attributes) = options.get("attributes").filter(|value| value.is_object()) {
        for other in ["requires_username", "validation"] {
            if options.get(other).is_some_and(|value| !value.is_null()) {
                return refuse(&format!("Cannot set both options.attributes and options.{other}"));
            }
        }
        check_attributes(attributes)?;
    }
    // Reads answer both sides; what is sent back as it was read changes nothing (auth0-deploy-cli 8.43 source does so).
    let as_read = |member: &str| old.is_some_and(|old| old.get(member) == options.get(member));
    let both = options.get("password_options").is_some() && LEGACY.iter().any(|member| options.get(member).is_some());
    if both && !(as_read("password_options") && LEGACY.iter().all(|member| as_read(member))) {
        return refuse("Cannot set both options.password_options and the older password settings");
    }
    if let Some(old) = old {
        let unique =
            |options: &Value| options.pointer("/attributes/email/unique").and_then(Value::as_bool) != Some(false);
        if old.pointer("/attributes/email").is_some()
            && options.pointer("/attributes/email").is_some()
            && unique(old) != unique(options)
        {
            return refuse("Cannot change the value of options.attributes.email.unique");
        }
        if is_true(old, "enabledDatabaseCustomization") != is_true(options, "enabledDatabaseCustomization")
            && has_users(state, name)
        {
            return refuse(
                "This database contains users. You cannot change \"options.enabledDatabaseCustomization\" setting.",
            );
        }
    }
    let password = options.pointer("/authentication_methods/password").unwrap_or(&Value::Null);
    if text(password, "signup_behavior") == "block" && text(password, "api_behavior") != "optional" {
        return refuse("authentication_methods.password.signup_behavior can be block only if api_behavior is optional");
    }
    let complexity = options.pointer("/password_options/complexity").unwrap_or(&Value::Null);
    if text(complexity, "character_type_rule") == "three_of_four" && items(complexity, "character_types").len() != 4 {
        return refuse("password_options.complexity: three_of_four requires all four character_types");
    }
    check_password_hash(state, options)
}

fn check_attributes(attributes: &Value) -> Result<(), ApiError> {
    let active = |name: &str| {
        attributes.pointer(&format!("/{name}/identifier/active")).and_then(Value::as_bool).unwrap_or(false)
    };
    if !IDENTIFIERS.iter().any(|name| active(name)) {
        return Err(ApiError::invalid_body("attributes must contain one active identifier"));
    }
    for name in IDENTIFIERS {
        let Some(attribute) = attributes.get(name) else {
            continue;
        };
        let status = attribute.pointer("/signup/status").and_then(Value::as_str).unwrap_or("required");
        if is_true(attribute, "profile_required") && status != "required" {
            return Err(ApiError::invalid_body(format!("attribute {name} must also be required on signup")));
        }
    }
    if active("email") && attributes.pointer("/email/unique") == Some(&Value::Bool(false)) {
        return Err(ApiError::invalid_body("attribute email cannot be an identifier and not unique"));
    }
    Ok(())
}

/// Checks the action that hashes passwords (API description, POST /connections, 400).
fn check_password_hash(state: &State, options: &Value) -> Result<(), ApiError> {
    let Some(hash) = options.get("custom_password_hash").filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let id = text(hash, "action_id");
    if id.is_empty() {
        return Err(ApiError::invalid_body("The action_id field value cannot be empty, null or undefined"));
    }
    let Some(action) = state.object("actions", id) else {
        return Err(ApiError::invalid_body("The provided custom password hash action id does not exist"));
    };
    if !items(action, "supported_triggers").iter().any(|trigger| text(trigger, "id") == "password-hash-migration") {
        return Err(ApiError::invalid_body("The provided action does not support the password hash migration trigger"));
    }
    if action.get("deployed_version").is_none() {
        return Err(ApiError::invalid_body(
            "The provided action must be deployed to be used for password hash migration",
        ));
    }
    Ok(())
}

/// Says whether any user has an identity in a connection.
pub(super) fn has_users(state: &State, connection: &str) -> bool {
    state.collection("users").any(|(_, user)| belongs(user, connection))
}

/// Says whether a user has an identity in a connection.
pub(super) fn belongs(user: &Value, connection: &str) -> bool {
    items(user, "identities").iter().any(|identity| text(identity, "connection") == connection)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::tenant;
    use super::*;

    fn refused(options: &Value) -> String {
        check(&tenant(), "db", options, None).unwrap_err().message
    }

    #[test]
    fn a_create_adds_what_was_recorded() {
        let mut options = json!({"passwordPolicy": "low", "authentication_methods": {"passkey": {"enabled": true}}});
        complete(&mut options);
        assert_eq!(options["passwordPolicy"], "low");
        assert_eq!(options["mfa"], json!({"active": true, "return_enroll_settings": true}));
        assert_eq!(options["strategy_version"], 2);
        assert_eq!(options["password_options"]["complexity"]["min_length"], 15);
        assert_eq!(options["authentication_methods"]["passkey"]["enabled"], true);
        assert_eq!(options["authentication_methods"]["password"]["api_behavior"], "required");
        assert_eq!(options["passkey_options"]["challenge_ui"], "both");
    }

    #[test]
    fn no_password_policy_is_added_beside_password_options() {
        let mut options = json!({"password_options": {"history": {"active": true, "size": 5}}});
        complete(&mut options);
        assert!(options.get("passwordPolicy").is_none());
        assert_eq!(options["password_options"], json!({"history": {"active": true, "size": 5}}));
    }

    #[test]
    fn attributes_exclude_the_older_members() {
        let attributes = json!({"email": {"identifier": {"active": true}}});
        let message = refused(&json!({"attributes": attributes, "requires_username": true}));
        assert_eq!(message, "Cannot set both options.attributes and options.requires_username");
        let message = refused(&json!({"attributes": attributes, "validation": {"username": {"min": 1, "max": 5}}}));
        assert_eq!(message, "Cannot set both options.attributes and options.validation");
        check(&tenant(), "db", &json!({"attributes": attributes, "validation": null}), None).unwrap();
    }

    #[test]
    fn one_identifier_must_be_active() {
        let message = refused(&json!({"attributes": {"email": {"identifier": {"active": false}}}}));
        assert_eq!(message, "attributes must contain one active identifier");
    }

    #[test]
    fn a_required_attribute_must_be_required_on_signup() {
        let phone = |status: &str| {
            json!({"attributes": {"phone_number": {
                "identifier": {"active": true}, "profile_required": true, "signup": {"status": status}}}})
        };
        assert_eq!(refused(&phone("inactive")), "attribute phone_number must also be required on signup");
        check(&tenant(), "db", &phone("required"), None).unwrap();
    }

    #[test]
    fn email_uniqueness_is_fixed_at_creation() {
        let email = |unique: bool| {
            json!({"attributes": {
                "email": {"identifier": {"active": false}, "unique": unique},
                "username": {"identifier": {"active": true}}}})
        };
        check(&tenant(), "db", &email(false), None).unwrap();
        let error = check(&tenant(), "db", &email(false), Some(&email(true))).unwrap_err();
        assert!(error.message.contains("email.unique"));
        check(&tenant(), "db", &email(true), Some(&email(true))).unwrap();
        assert!(
            refused(&json!({"attributes": {"email": {"identifier": {"active": true}, "unique": false}}}))
                .contains("unique")
        );
    }

    #[test]
    fn the_user_store_is_fixed_while_there_are_users() {
        let mut state = tenant();
        let (old, new) = (json!({}), json!({"enabledDatabaseCustomization": true}));
        check(&state, "db", &new, Some(&old)).unwrap();
        state.collection_mut("users").insert("u".to_owned(), json!({"identities": [{"connection": "db"}]}));
        let error = check(&state, "db", &new, Some(&old)).unwrap_err();
        assert!(error.message.contains("enabledDatabaseCustomization"));
        check(&state, "other", &new, Some(&old)).unwrap();
    }

    #[test]
    fn a_password_hash_action_must_exist_fit_and_be_deployed() {
        let mut state = tenant();
        let options = json!({"custom_password_hash": {"action_id": "a"}});
        let mut message = |action: Option<Value>| {
            if let Some(action) = action {
                state.collection_mut("actions").insert("a".to_owned(), action);
            }
            check(&state, "db", &options, None).err().map(|error| error.message).unwrap_or_default()
        };
        assert!(message(None).contains("does not exist"));
        assert!(message(Some(json!({"supported_triggers": [{"id": "post-login"}]}))).contains("does not support"));
        let fits = json!({"supported_triggers": [{"id": "password-hash-migration"}]});
        assert!(message(Some(fits.clone())).contains("must be deployed"));
        let mut deployed = fits;
        set(&mut deployed, "deployed_version", json!({"number": 1}));
        assert_eq!(message(Some(deployed)), "");
        assert!(refused(&json!({"custom_password_hash": {"action_id": ""}})).contains("cannot be empty"));
    }

    #[test]
    fn configuration_never_shows_what_was_sent_and_differs_each_time() {
        let mut state = tenant();
        let sent = json!({"configuration": {"KEY": "hunter2", "GONE": null}});
        let mut first = sent.clone();
        encrypt(&mut state, &mut first);
        let mut second = sent;
        encrypt(&mut state, &mut second);
        assert!(!first.to_string().contains("hunter2"));
        assert_ne!(first, second);
        assert_eq!(first["configuration"].as_object().unwrap().keys().collect::<Vec<_>>(), ["KEY"]);
        let mut none = json!({"configuration": null});
        encrypt(&mut state, &mut none);
        assert_eq!(none, json!({}));
    }

    #[test]
    fn blocking_sign_up_needs_optional_passwords() {
        let methods = |api: &str| json!({"authentication_methods": {"password": {"signup_behavior": "block", "api_behavior": api}}});
        assert!(refused(&methods("required")).contains("signup_behavior"));
        check(&tenant(), "db", &methods("optional"), None).unwrap();
        let both = json!({"passwordPolicy": "good", "password_options": {}});
        assert!(refused(&both).contains("password_options"));
        let rule = json!({"password_options": {"complexity": {"character_type_rule": "three_of_four", "character_types": ["lowercase"]}}});
        assert!(refused(&rule).contains("three_of_four"));
    }
}
