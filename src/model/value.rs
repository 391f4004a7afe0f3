//! [`Value`]: JSON, plus secrets that cannot be printed and values that are not known.

use std::fmt;

use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Number;

use super::fingerprint::{Fingerprint, FingerprintKey, Seal};

/// Members of an object, in the order written.
pub type Map = IndexMap<String, Value>;

/// A value of a description or of the live tenant.
///
/// There is no `Serialize`: [`Value::to_json`] is the one way to the wire and refuses what is unresolved,
/// [`Value::redacted`] the one way to an output and hides what is secret.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`; in a description it clears a field.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as JSON has it.
    Number(Number),
    /// Text that may be shown.
    String(String),
    /// Text that must not be shown: it came from a secret, or its field is one.
    Secret(Secret),
    /// A value nobody has: it cannot be compared and cannot be sent.
    Unresolved(Unresolved),
    /// What is remembered of a secret, in what the ledger keeps: it can be compared with a secret and cannot be sent.
    Fingerprint(Fingerprint),
    /// A list.
    Array(Vec<Value>),
    /// An object.
    Object(Map),
}

/// Text that is never printed: `Debug` and `Display` show where it came from.
#[derive(Clone)]
pub struct Secret {
    text: SecretString,
    source: String,
}

/// A value that nobody has, named by what would give it: `secrets.google_secret`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unresolved {
    /// Name of what is missing, as written: `secrets.google_secret`.
    pub source: String,
}

impl Secret {
    /// Wraps a text; `source` says where it came from and may be shown: `secrets.smtp_password`.
    pub fn new(text: impl Into<String>, source: impl Into<String>) -> Self {
        Secret { text: SecretString::from(text.into()), source: source.into() }
    }

    /// Returns the text. Callers send it or fingerprint it; nothing else.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Returns where the text came from.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.source)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.source)
    }
}

impl Value {
    /// An object without members.
    pub fn object() -> Self {
        Value::Object(Map::new())
    }

    /// Converts JSON; nothing of it is secret yet.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Number(n.clone()),
            serde_json::Value::String(s) => Value::String(s.clone()),
            serde_json::Value::Array(items) => Value::Array(items.iter().map(Value::from_json).collect()),
            serde_json::Value::Object(map) => {
                Value::Object(map.iter().map(|(k, v)| (k.clone(), Value::from_json(v))).collect())
            }
        }
    }

    /// Converts to JSON for the wire, secrets in clear.
    ///
    /// # Errors
    ///
    /// Returns the first value inside that is unresolved: no placeholder can reach the wire.
    pub fn to_json(&self) -> Result<serde_json::Value, Unresolved> {
        self.convert(&|secret| serde_json::Value::String(secret.expose().to_owned()), &|u| Err(u.clone()))
    }

    /// Converts to JSON for an output: a secret and an unresolved value become `(their source)`.
    pub fn redacted(&self) -> serde_json::Value {
        self.convert(&|secret| serde_json::Value::String(secret.to_string()), &|u| {
            Ok(serde_json::Value::String(format!("({})", u.source)))
        })
        .unwrap_or(serde_json::Value::Null)
    }

    fn convert(
        &self,
        secret: &dyn Fn(&Secret) -> serde_json::Value,
        unresolved: &dyn Fn(&Unresolved) -> Result<serde_json::Value, Unresolved>,
    ) -> Result<serde_json::Value, Unresolved> {
        Ok(match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => serde_json::Value::Bool(*b),
            Value::Number(n) => serde_json::Value::Number(n.clone()),
            Value::String(s) => serde_json::Value::String(s.clone()),
            Value::Secret(s) => secret(s),
            Value::Unresolved(u) => unresolved(u)?,
            Value::Fingerprint(f) => unresolved(&Unresolved { source: f.source.clone() })?,
            Value::Array(items) => serde_json::Value::Array(
                items.iter().map(|item| item.convert(secret, unresolved)).collect::<Result<_, _>>()?,
            ),
            Value::Object(map) => serde_json::Value::Object(
                map.iter()
                    .map(|(k, v)| Ok((k.clone(), v.convert(secret, unresolved)?)))
                    .collect::<Result<_, Unresolved>>()?,
            ),
        })
    }

    /// Replaces every secret inside, and every value nobody has, by what may be remembered of it.
    #[must_use]
    pub fn fingerprinted(&self, key: Option<&FingerprintKey>) -> Value {
        self.remembered(key, None)
    }

    /// As [`fingerprinted`](Value::fingerprinted), with the secrets themselves sealed where there is something to seal them with.
    #[must_use]
    pub fn remembered(&self, key: Option<&FingerprintKey>, seal: Option<&Seal>) -> Value {
        match self {
            Value::Secret(secret) => Value::Fingerprint(Fingerprint {
                source: secret.source().to_owned(),
                mark: key.map(|key| key.mark(secret.expose())),
                sealed: seal.and_then(|seal| seal.seal(secret.expose())),
            }),
            Value::Unresolved(hole) => Value::Fingerprint(Fingerprint::unknown(hole.source.clone())),
            Value::Array(items) => Value::Array(items.iter().map(|item| item.remembered(key, seal)).collect()),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(name, value)| (name.clone(), value.remembered(key, seal))).collect())
            }
            other => other.clone(),
        }
    }

    /// Returns a member of an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// Returns the members of an object.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the members of an object for writing.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns text that is not secret.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// Returns a truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Says whether this is null, an empty list or an empty object: what the API does not tell from absent.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        }
    }

    /// Calls `visit` with every secret inside.
    pub fn each_secret<'a>(&'a self, visit: &mut dyn FnMut(&'a Secret)) {
        match self {
            Value::Secret(secret) => visit(secret),
            Value::Array(items) => items.iter().for_each(|item| item.each_secret(visit)),
            Value::Object(map) => map.values().for_each(|item| item.each_secret(visit)),
            _ => {}
        }
    }

    /// Calls `visit` with every fingerprint inside.
    pub fn each_fingerprint<'a>(&'a self, visit: &mut dyn FnMut(&'a Fingerprint)) {
        match self {
            Value::Fingerprint(fingerprint) => visit(fingerprint),
            Value::Array(items) => items.iter().for_each(|item| item.each_fingerprint(visit)),
            Value::Object(map) => map.values().for_each(|item| item.each_fingerprint(visit)),
            _ => {}
        }
    }

    /// Calls `visit` with every unresolved value inside.
    pub fn each_unresolved<'a>(&'a self, visit: &mut dyn FnMut(&'a Unresolved)) {
        match self {
            Value::Unresolved(u) => visit(u),
            Value::Array(items) => items.iter().for_each(|item| item.each_unresolved(visit)),
            Value::Object(map) => map.values().for_each(|item| item.each_unresolved(visit)),
            _ => {}
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let value = Value::Array(vec![Value::Secret(Secret::new("hunter2", "secrets.smtp"))]);
        assert!(!format!("{value:?}").contains("hunter2"));
        assert_eq!(value.redacted().to_string(), r#"["(secrets.smtp)"]"#);
        assert_eq!(value.to_json().unwrap().to_string(), r#"["hunter2"]"#);
    }

    #[test]
    fn an_unresolved_value_cannot_reach_the_wire() {
        let hole = Unresolved { source: "##SMTP_USER##".to_owned() };
        let value = Value::Object(Map::from_iter([("user".to_owned(), Value::Unresolved(hole.clone()))]));
        assert_eq!(value.to_json(), Err(hole));
    }
}
