//! Triggers: a binding refers to its action by a `ref` object and answers with the action embedded.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Quirk;
use crate::codec::{Body, Names};
use crate::model::{Map, Value};

/// See the module.
pub(super) struct Triggers;

impl Quirk for Triggers {
    /// A binding without a display name shows its action's.
    fn canonical(&self, members: &mut Map) {
        for binding in
            members.values_mut().filter_map(|v| if let Value::Array(items) = v { Some(items) } else { None }).flatten()
        {
            if let Value::Object(binding) = binding
                && !binding.contains_key("display_name")
                && let Some(name) = binding.get("action_name").cloned()
            {
                binding.insert("display_name".to_owned(), name);
            }
        }
    }

    fn decode(&self, raw: &Json, members: &mut Map, _names: &Names) {
        for (trigger, rows) in raw.as_object().into_iter().flatten() {
            let Some(rows) = rows.as_array() else { continue };
            let bindings = rows.iter().filter_map(|row| {
                let action = row.pointer("/action/name").and_then(Json::as_str)?;
                let shown = row.get("display_name").and_then(Json::as_str).unwrap_or(action);
                Some(Value::Object(Map::from_iter([
                    ("action_name".to_owned(), Value::from(action)),
                    ("display_name".to_owned(), Value::from(shown)),
                ])))
            });
            members.insert(trigger.clone(), Value::Array(bindings.collect()));
        }
    }

    fn body(&self, body: &mut Body, _creates: bool) {
        let Body::Array(bindings) = body else { return };
        for binding in bindings {
            let Body::Object(members) = binding else { continue };
            if let Some(name) = members.shift_remove("action_name") {
                let target = Body::Object(IndexMap::from_iter([
                    ("type".to_owned(), Body::Value(Value::from("action_name"))),
                    ("value".to_owned(), name),
                ]));
                members.shift_insert(0, "ref".to_owned(), target);
            }
        }
    }
}
