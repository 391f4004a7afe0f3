//! What an import of users does: checks each, stores the good, tells of the bad.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::parts::{is_true, store, text};
use super::users::{self, USERS};
use crate::sandbox::call::ApiError;
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::state::State;

/// Names that `app_metadata` cannot hold (Auth0 documentation, schema of bulk imports).
const RESERVED: [&str; 18] = [
    "__tenant",
    "_id",
    "blocked",
    "clientID",
    "created_at",
    "email_verified",
    "email",
    "globalClientID",
    "global_client_id",
    "identities",
    "lastIP",
    "lastLogin",
    "loginsCount",
    "metadata",
    "multifactor_last_modified",
    "multifactor",
    "updated_at",
    "user_id",
];

/// Members that an update of a known user changes (Auth0 documentation, bulk imports with upsert).
const UPDATED: [&str; 8] =
    ["email_verified", "given_name", "family_name", "name", "nickname", "picture", "app_metadata", "user_metadata"];

/// Members that are checked and kept nowhere.
const HIDDEN: [&str; 3] = ["password_hash", "custom_password_hash", "mfa_factors"];

/// Refuses connections that take no import.
///
/// # Errors
/// 400, as the API describes for POST /jobs/users-imports.
pub(super) fn check_target(state: &State, id: &str, missing: fn() -> ApiError) -> Result<(), ApiError> {
    let connection = state.object("connections", id).ok_or_else(missing)?;
    if text(connection, "strategy") != "auth0" {
        return Err(ApiError::invalid_body("Connection must be a database connection."));
    }
    if state.collection(&format!("connection_clients/{id}")).next().is_none() {
        return Err(ApiError::invalid_body("Connection must be enabled."));
    }
    let options = connection.get("options").unwrap_or(&Value::Null);
    if is_true(options, "enabledDatabaseCustomization") && !is_true(options, "import_mode") {
        return Err(ApiError::invalid_body("Custom Database Connections without import mode are not allowed."));
    }
    Ok(())
}

/// Who is there: users of a connection by what has to be unique in it.
struct Index {
    by_email: HashMap<String, String>,
    by_name: HashMap<String, String>,
}

impl Index {
    fn of(state: &State, connection: &str) -> Index {
        let mut index = Index { by_email: HashMap::new(), by_name: HashMap::new() };
        for (id, user) in state.collection(USERS) {
            if users::has(user, "identities.connection", connection) {
                index.add(id, user);
            }
        }
        index
    }

    fn add(&mut self, id: &str, user: &Value) {
        for (map, member) in [(&mut self.by_email, "email"), (&mut self.by_name, "username")] {
            let value = text(user, member).to_lowercase();
            if !value.is_empty() {
                map.insert(value, id.to_owned());
            }
        }
    }
}

/// Imports the users of a file. Returns the summary and the list of errors.
///
/// # Errors
/// Why the job fails as a whole.
pub(super) fn run(state: &mut State, job: &Value, file: &str, now_ms: i64) -> Result<(Value, Value), &'static str> {
    let unreadable = "Failed to parse users file JSON when importing users. Make sure it is valid JSON.";
    let Ok(Value::Array(sent)) = serde_json::from_str(file) else {
        return Err(unreadable);
    };
    let (connection, upsert) = (text(job, "connection").to_owned(), is_true(job, "$upsert"));
    let mut index = Index::of(state, &connection);
    let (mut inserted, mut updated, mut errors) = (0, 0, Vec::new());
    for user in &sent {
        let mut wrong = checked(user);
        if wrong.is_empty() {
            match put(state, &mut index, &connection, user, upsert, now_ms) {
                Ok(true) => inserted += 1,
                Ok(false) => updated += 1,
                Err(error) => wrong.push(error),
            }
        }
        if !wrong.is_empty() {
            errors.push(json!({"user": shown(user), "errors": wrong}));
        }
    }
    let summary = json!({"failed": errors.len(), "updated": updated, "inserted": inserted, "total": sent.len()});
    Ok((summary, Value::Array(errors)))
}

/// The user as provided; hashes are masked.
fn shown(user: &Value) -> Value {
    let mut shown = user.clone();
    if let Some(members) = shown.as_object_mut() {
        for (name, member) in members {
            if HIDDEN.contains(&name.as_str()) {
                *member = json!("*****");
            }
        }
    }
    shown
}

fn put(
    state: &mut State,
    index: &mut Index,
    connection: &str,
    sent: &Value,
    upsert: bool,
    now_ms: i64,
) -> Result<bool, Value> {
    let members = sent.as_object().cloned().unwrap_or_default();
    let email = text(sent, "email").to_lowercase();
    if let Some(id) = index.by_email.get(&email).cloned() {
        if !upsert {
            return Err(error("DUPLICATED_USER", "The user already exists.", "user_id"));
        }
        let mut user = state.object(USERS, &id).and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, value) in members {
            if UPDATED.contains(&name.as_str()) {
                user.insert(name, value);
            }
        }
        user.insert("updated_at".to_owned(), json!(timestamp_ms(now_ms)));
        store(state, USERS, &id, Value::Object(user));
        return Ok(false);
    }
    let own_id = Some(text(sent, "user_id")).filter(|id| !id.is_empty()).map(str::to_owned);
    let own_id = own_id.unwrap_or_else(|| state.hex(24));
    let id = format!("auth0|{own_id}");
    if state.object(USERS, &id).is_some() {
        return Err(error("DUPLICATED_USER", "The user already exists.", "user_id"));
    }
    if index.by_name.contains_key(&text(sent, "username").to_lowercase()) {
        return Err(error("CONFLICT_USERNAME", "The username is taken.", "username"));
    }
    let mut user = Map::new();
    let identity = json!({"connection": connection, "user_id": own_id, "provider": "auth0", "isSocial": false});
    user.insert("user_id".to_owned(), json!(id));
    user.insert("identities".to_owned(), json!([identity]));
    for (name, value) in members {
        if name != "user_id" && !HIDDEN.contains(&name.as_str()) {
            user.insert(name, value);
        }
    }
    users::complete(&mut user, now_ms);
    let user = Value::Object(user);
    index.add(&id, &user);
    store(state, USERS, &id, user);
    Ok(true)
}

fn error(code: &str, message: &str, path: &str) -> Value {
    json!({"code": code, "message": message, "path": path})
}

/// Checks a user against the closed schema of imports.
fn checked(user: &Value) -> Vec<Value> {
    let Value::Object(members) = user else {
        return vec![error("INVALID_TYPE", "Expected type object", "")];
    };
    let mut wrong = Vec::new();
    if !members.contains_key("email") {
        wrong.push(error("OBJECT_REQUIRED", "Missing required property: email", "email"));
    }
    if members.contains_key("password_hash") && members.contains_key("custom_password_hash") {
        wrong.push(error("NOT_PASSED", "password_hash and custom_password_hash exclude each other", "password_hash"));
    }
    for (name, value) in members {
        wrong.extend(checked_member(name, value));
    }
    wrong
}

fn checked_member(name: &str, value: &Value) -> Option<Value> {
    let kind = match name {
        "email" | "phone_number" | "user_id" | "username" | "given_name" | "family_name" | "name" | "nickname"
        | "picture" | "password_hash" => Value::is_string,
        "email_verified" | "phone_verified" | "blocked" => Value::is_boolean,
        "app_metadata" | "user_metadata" | "custom_password_hash" => Value::is_object,
        "mfa_factors" => Value::is_array,
        _ => {
            let message = format!("Additional properties not allowed: {name}");
            return Some(error("OBJECT_ADDITIONAL_PROPERTIES", &message, name));
        }
    };
    if !kind(value) {
        return Some(error("INVALID_TYPE", "Invalid type", name));
    }
    let written = value.as_str().unwrap_or_default();
    match name {
        "email" if !is_email(written) => Some(error("FORMAT", "Object didn't pass validation for format email", name)),
        "phone_number" if !is_phone(written) => Some(error("PATTERN", "String does not match pattern", name)),
        "user_id" if written.chars().count() > 255 => Some(error("MAX_LENGTH", "String is too long", name)),
        "username" if written.chars().count() > 128 => Some(error("MAX_LENGTH", "String is too long", name)),
        "given_name" | "family_name" if written.chars().count() > 150 => {
            Some(error("MAX_LENGTH", "String is too long", name))
        }
        "name" | "nickname" if written.chars().count() > 300 => Some(error("MAX_LENGTH", "String is too long", name)),
        "given_name" | "family_name" | "name" | "nickname" | "username" if written.is_empty() => {
            Some(error("MIN_LENGTH", "String is too short", name))
        }
        "password_hash" if !["$2a$10$", "$2b$10$"].iter().any(|start| written.starts_with(start)) => {
            Some(error("PATTERN", "String does not match pattern", name))
        }
        "app_metadata" if RESERVED.iter().any(|reserved| value.get(reserved).is_some()) => {
            Some(error("NOT_PASSED", "app_metadata holds a reserved name", name))
        }
        "mfa_factors" if value.as_array().is_some_and(|factors| factors.len() > 10) => {
            Some(error("ARRAY_LENGTH_LONG", "Array is too long", name))
        }
        "mfa_factors" if value.as_array().is_some_and(Vec::is_empty) => {
            Some(error("ARRAY_LENGTH_SHORT", "Array is too short", name))
        }
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !text.contains(char::is_whitespace)
    })
}

fn is_phone(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
