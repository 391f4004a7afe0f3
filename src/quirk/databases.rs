//! Database connections: old and new settings that exclude each other.

use super::{Quirk, Write};
use crate::change::Step;
use crate::codec::Body;
use crate::model::Value;

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
        }
    }
}
