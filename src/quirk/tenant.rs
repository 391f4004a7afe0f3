//! Tenant settings: session lifetimes may be written in hours or in minutes.

use serde_json::Number;

use super::Quirk;
use crate::model::{Map, Value};

/// See the module.
pub(super) struct Tenant;

const SUFFIX: &str = "_in_minutes";

impl Quirk for Tenant {
    /// Minutes win over hours, as the API has it; reads answer hours only (recorded traffic).
    fn canonical(&self, members: &mut Map) {
        let written: Vec<String> = members.keys().filter(|name| name.ends_with(SUFFIX)).cloned().collect();
        for name in written {
            if let Some(Value::Number(minutes)) = members.shift_remove(&name)
                && let Some(hours) = minutes.as_f64().and_then(|m| Number::from_f64(m / 60.0))
            {
                members.insert(name.trim_end_matches(SUFFIX).to_owned(), Value::Number(hours));
            }
        }
    }
}
