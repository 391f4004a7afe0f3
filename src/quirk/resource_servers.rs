//! APIs: those of Auth0 itself cannot be created.

use super::{Quirk, Write};
use crate::change::{Action, Step};
use crate::model::Value;

/// See the module.
pub(super) struct ResourceServers;

impl Quirk for ResourceServers {
    /// A description from another tenant may hold that tenant's system APIs; their identifiers hold its domain.
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let identifier = write.desired.get("identifier").and_then(Value::as_str).unwrap_or_default();
        let system = write.spec.system.iter().any(|rule| rule.matches.as_ref().is_some_and(|m| m.is_match(identifier)));
        if system && write.change.action == Action::Create {
            steps.clear();
        }
    }
}
