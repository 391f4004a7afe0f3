//! What of users can be restored, and what cannot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::NotRestorable;

/// A connection, as far as its users are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Id on its tenant.
    pub id: String,
    /// Name; what a restore finds it by.
    pub name: String,
    /// `auth0` for databases, else the identity provider.
    pub strategy: String,
    /// Whether the users stand in a database of the tenant's owner; `None` where the options may not be read.
    pub custom: Option<bool>,
    /// Whether users of a custom database are copied to Auth0; `None` where the options may not be read.
    pub import_mode: Option<bool>,
}

impl Connection {
    /// Reads a connection of the API.
    pub(super) fn read(row: &Value) -> Option<Connection> {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let options = row.get("options").filter(|options| options.is_object());
        let flag = |name: &str| options.map(|options| options.get(name) == Some(&Value::Bool(true)));
        Some(Connection {
            id: text("id")?,
            name: text("name")?,
            strategy: text("strategy")?,
            custom: flag("enabledDatabaseCustomization"),
            import_mode: flag("import_mode"),
        })
    }

    /// Says why no import reaches this connection; `None` where one does, as far as is known.
    ///
    /// Imports go to databases, and to custom ones with import mode alone (Auth0 documentation, bulk user imports).
    pub fn refuses(&self) -> Option<Class> {
        match self.strategy.as_str() {
            "auth0" if self.custom == Some(true) && self.import_mode != Some(true) => Some(Class::CustomDatabase),
            "auth0" => None,
            "email" | "sms" => Some(Class::Passwordless),
            _ => Some(Class::OtherProvider),
        }
    }
}

/// What an import cannot bring back (Auth0 documentation, bulk user imports and exports, read November 2026).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Users whose passwords are not in the export.
    Password,
    /// Users with second factors, which are not in the export.
    SecondFactor,
    /// Users of social and enterprise connections.
    OtherProvider,
    /// Users of passwordless connections.
    Passwordless,
    /// Users of custom databases without import mode.
    CustomDatabase,
    /// Users without an e-mail address, which an import demands.
    WithoutEmail,
    /// Users whose data are larger than an import can be.
    TooLarge,
    /// Users with more than one identity: the others have to be linked anew.
    LinkedIdentity,
    /// Users whose connection the tenant does not have.
    ConnectionMissing,
    /// Users whose connection refused the import.
    ConnectionRefused,
    /// Lines that are no user.
    Unreadable,
    /// Sessions, tokens, grants, devices.
    Session,
    /// When users were made, and signed in.
    History,
}

impl Class {
    /// Why it cannot be restored, and what helps, in a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Class::Password => "Auth0 exports no password hashes: these users reset their password at the next sign-in",
            Class::SecondFactor => "Auth0 exports no second factors: these users enroll again",
            Class::OtherProvider => {
                "social and enterprise users cannot be imported: they come back at their next sign-in, without metadata"
            }
            Class::Passwordless => "passwordless users cannot be imported: they come back at their next sign-in",
            Class::CustomDatabase => "they stand in a custom database without import mode, which takes no import",
            Class::WithoutEmail => "an import demands an e-mail address",
            Class::TooLarge => "the data of one user are larger than an import may be (512,000 bytes)",
            Class::LinkedIdentity => "linked identities have to be linked anew, when both accounts are there",
            Class::ConnectionMissing => "the tenant has no connection of that name",
            Class::ConnectionRefused => "the connection takes no import",
            Class::Unreadable => "the line is no user",
            Class::Session => "sessions, refresh tokens, grants and device credentials cannot be read",
            Class::History => "Auth0 sets the times of creation and of sign-ins itself",
        }
    }

    /// Says whether users of this class are not restored at all (of others a part is missing).
    pub fn is_whole_user(self) -> bool {
        matches!(
            self,
            Class::OtherProvider
                | Class::Passwordless
                | Class::CustomDatabase
                | Class::WithoutEmail
                | Class::TooLarge
                | Class::ConnectionMissing
                | Class::ConnectionRefused
                | Class::Unreadable
        )
    }
}

/// Counts by class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts(BTreeMap<Class, u64>);

impl Counts {
    pub(super) fn add(&mut self, class: Class, users: u64) {
        if users > 0 {
            *self.0.entry(class).or_default() += users;
        }
    }

    /// Lists what was counted; `always` names classes that nobody can count.
    pub(super) fn list(&self, always: &[Class]) -> Vec<NotRestorable> {
        let counted = self.0.iter().map(|(class, count)| (*class, Some(*count)));
        let uncounted = always.iter().map(|class| (*class, None));
        counted.chain(uncounted).map(|(class, count)| NotRestorable { class, count, why: class.why() }).collect()
    }
}

/// Returns the connection a user belongs to: that of the identity its id is made of, else of the first.
pub(super) fn home(user: &Value) -> Option<&str> {
    let identities = user.get("identities")?.as_array()?;
    let id = user.get("user_id").and_then(Value::as_str).unwrap_or_default();
    let is_primary = |identity: &&Value| {
        let part = |name: &str| match identity.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        id == format!("{}|{}", part("provider"), part("user_id"))
    };
    identities.iter().find(is_primary).or_else(|| identities.first())?.get("connection")?.as_str()
}

/// Counts what of a user of a connection a restore cannot bring back.
pub(super) fn count(counts: &mut Counts, refused: Option<Class>, user: &Value) {
    let is_filled = |name: &str| user.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let linked = user.get("identities").and_then(Value::as_array).map_or(0, Vec::len);
    if linked > 1 {
        counts.add(Class::LinkedIdentity, 1);
    }
    match refused {
        Some(class) => counts.add(class, 1),
        None if super::convert::email(user).is_none() => counts.add(Class::WithoutEmail, 1),
        None => {
            counts.add(Class::Password, 1);
            if is_filled("multifactor") {
                counts.add(Class::SecondFactor, 1);
            }
        }
    }
}
