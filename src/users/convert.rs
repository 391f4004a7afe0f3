//! From a line of an export to a user of an import.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::class::Class;

/// What the schema of imports knows; anything else is refused (Auth0 documentation, schema of bulk imports).
pub(super) const SCHEMA: [&str; 17] = [
    "email",
    "email_verified",
    "user_id",
    "username",
    "phone_number",
    "phone_verified",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "blocked",
    "app_metadata",
    "user_metadata",
    "password_hash",
    "custom_password_hash",
    "mfa_factors",
];

/// Of those, what no export tells.
const NEVER_EXPORTED: [&str; 3] = ["password_hash", "custom_password_hash", "mfa_factors"];

/// Names that `app_metadata` of an import cannot hold (Auth0 documentation, schema of bulk imports).
pub(super) const RESERVED: [&str; 18] = [
    "__tenant",
    "_id",
    "blocked",
    "clientID",
    "created_at",
    "email",
    "email_verified",
    "globalClientID",
    "global_client_id",
    "identities",
    "lastIP",
    "lastLogin",
    "loginsCount",
    "metadata",
    "multifactor",
    "multifactor_last_modified",
    "updated_at",
    "user_id",
];

/// Returns the e-mail address of a user, where there is one.
pub(super) fn email(user: &Value) -> Option<&str> {
    user.get("email").and_then(Value::as_str).filter(|email| !email.is_empty())
}

/// A user ready for an import.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Importable {
    /// The user as JSON.
    pub(super) json: String,
    /// `auth0|…`; empty where the line had none.
    pub(super) id: String,
    /// The e-mail address as a key.
    pub(super) email: u64,
    /// What the rest of it says, as a key.
    pub(super) content: u64,
    /// Whether a second factor gets lost.
    pub(super) has_factor: bool,
    /// Whether other identities are linked to this one.
    pub(super) is_linked: bool,
}

/// Converts a user of an export.
///
/// The prefix of the id goes, because the import puts one in front; null and empty texts go, because the schema has neither;
/// `email_verified` is always said, because the import takes everybody for unverified else.
///
/// # Errors
///
/// The class that the user belongs to.
pub(super) fn convert(user: &Value) -> Result<Importable, Class> {
    let members = user.as_object().ok_or(Class::Unreadable)?;
    let address = email(user).ok_or(Class::WithoutEmail)?;
    let mut out = Map::new();
    for name in SCHEMA {
        let Some(value) = members.get(name) else { continue };
        let value = match (name, value) {
            (_, Value::Null) => continue,
            (_, Value::String(text)) if text.is_empty() => continue,
            ("user_id", Value::String(id)) => Value::from(own_id(id)),
            ("app_metadata", Value::Object(data)) => {
                let kept = data.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
                Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            (_, other) => other.clone(),
        };
        out.insert(name.to_owned(), value);
    }
    out.entry("email_verified").or_insert(Value::Bool(false));
    let id = members.get("user_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let content = content(&out);
    let length = |name: &str| members.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let (has_factor, is_linked) = (length("multifactor") > 0, length("identities") > 1);
    Ok(Importable {
        json: Value::Object(out).to_string(),
        id,
        email: email_key(address),
        content,
        has_factor,
        is_linked,
    })
}

fn own_id(id: &str) -> &str {
    id.strip_prefix("auth0|").unwrap_or(id)
}

/// Makes a key of an e-mail address; case does not count in one.
pub(super) fn email_key(email: &str) -> u64 {
    key(&email.to_lowercase())
}

/// Makes a key of a text, for maps of very many users.
pub(super) fn key(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// Makes a key of all that an import could set, so that two tenants' users can be compared without keeping either.
fn content(user: &Map<String, Value>) -> u64 {
    let mut text = String::new();
    for name in SCHEMA.iter().filter(|name| !NEVER_EXPORTED.contains(name) && **name != "user_id") {
        match user.get(*name) {
            // What is false or empty is as good as absent.
            None | Some(Value::Null | Value::Bool(false)) => {}
            Some(Value::Object(data)) if data.is_empty() => {}
            Some(Value::String(address)) if *name == "email" => {
                canonical(&Value::from(address.to_lowercase()), &mut text)
            }
            Some(value) => {
                text.push_str(name);
                canonical(value, &mut text);
            }
        }
    }
    key(&text)
}

/// Writes a value with the members of objects sorted.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            out.push('{');
            for name in names {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(members.get(name).unwrap_or(&Value::Null), out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}
