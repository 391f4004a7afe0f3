//! Database connections: old and new settings that exclude each other.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Quirk, Write};
use crate::change::Step;
use crate::codec::Body;
use crate::model::{Map, Unresolved, Value};

/// See the module.
pub(super) struct Databases;

/// Pairs of settings of which the API takes one side (API description, PATCH /connections/{id}).
const RIVALS: [(&[&str], &[&str]); 2] = [
    (
        &["password_options"],
        &[
            "passwordPolicy",
            "password_complexity_options",
            "password_history",
            "password_no_personal_info",
            "password_dictionary",
        ],
    ),
    (&["attributes"], &["requires_username", "validation"]),
];

impl Quirk for Databases {
    /// Beside attributes the API takes no older form of asking for a user name, not even a no, which is the default.
    fn canonical(&self, members: &mut Map) {
        let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) else { return };
        let has_attributes = options.get("attributes").is_some_and(|attributes| *attributes != Value::Null);
        if has_attributes && options.get("requires_username").and_then(Value::as_bool) == Some(false) {
            options.shift_remove("requires_username");
        }
    }

    /// A create takes one side. Where older password settings are live they were chosen: beside new ones the API adds none, beside
    /// older ones it adds the new (recorded traffic, POST /connections).
    fn written(&self, members: &mut Map) {
        let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) else { return };
        let [(new_password, old_password), (attributes, old_attributes)] = RIVALS;
        if old_password.iter().any(|name| options.contains_key(*name)) {
            options.retain(|name, _| !new_password.contains(&name.as_str()));
        }
        if attributes.iter().any(|name| options.contains_key(*name)) {
            options.retain(|name, _| !old_attributes.contains(&name.as_str()));
        }
    }

    /// What is live of the side that the description does not use is not carried over.
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let Some(described) = write.desired.get("options").and_then(Value::as_object) else { return };
        for step in steps.iter_mut().filter(|s| s.path.starts_with("/connections")) {
            let Some(Body::Object(members)) = &mut step.body else { continue };
            let Some(Body::Object(options)) = members.get_mut("options") else { continue };
            for (new, old) in RIVALS {
                let uses = |side: &[&str]| side.iter().any(|name| described.contains_key(*name));
                let loser = match (uses(new), uses(old)) {
                    (true, false) => old,
                    (false, true) => new,
                    _ => continue,
                };
                options.retain(|name, _| !loser.contains(&name.as_str()));
            }
            if let Some(Body::Object(configuration)) = options.get_mut("configuration") {
                keep_configuration(write.raw, configuration);
            }
        }
    }
}

/// What is not in the configuration when it is written is deleted, and no read tells the values: a value that the description does
/// not speak of needs to be known, or to be null there.
fn keep_configuration(raw: &Json, configuration: &mut IndexMap<String, Body>) {
    let live = raw.pointer("/options/configuration").and_then(Json::as_object);
    for name in live.into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, _)| name) {
        if !configuration.contains_key(name) {
            let hole = Unresolved { source: format!("options.configuration.{name}") };
            configuration.insert(name.clone(), Body::Value(Value::Unresolved(hole)));
        }
    }
}
