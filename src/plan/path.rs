//! Fills the variables of a path.

use serde_json::Value as Json;

use crate::codec::encode_segment;
use crate::model::{Map, Value};
use crate::schema::FieldSpec;

/// Fills `{item.id}` and `{member}` of a sub-resource path; references become `{ref:KINDS:NAME}`.
pub(super) fn item_path(spec: &FieldSpec, path: &str, item: &Value, row: Option<&Json>) -> String {
    let mut out = path.to_owned();
    for id in ["id", "client_id", "connection_id"] {
        if let Some(text) = row.and_then(|r| r.get(id)).and_then(Json::as_str) {
            out = out.replace(&format!("{{item.{id}}}"), &encode_segment(text));
        }
    }
    if let Value::Object(members) = item {
        for (name, member) in spec.members() {
            let api = member.api.as_ref().unwrap_or(name);
            if let Some(Value::String(text)) = members.get(name) {
                let filled = match member.reference.as_slice() {
                    [] => encode_segment(text),
                    kinds => reference(kinds, text),
                };
                out = out.replace(&format!("{{{api}}}"), &filled).replace(&format!("{{{name}}}"), &filled);
            }
        }
    }
    out
}

/// A place in a path for a server id that is known when the request is sent.
fn reference(kinds: &[String], name: &str) -> String {
    format!("{{ref:{}:{}}}", kinds.join("|"), encode_segment(name))
}

/// Fills `{member}` of a path with the resource's members; `{id}` and references stay.
pub fn fill_path(spec: &FieldSpec, path: &str, members: &Map) -> String {
    let mut out = path.to_owned();
    for (name, value) in members {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        let filled = match spec.member(name) {
            Some(member) if !member.reference.is_empty() => reference(&member.reference, &text),
            _ => encode_segment(&text),
        };
        if name != "id" {
            out = out.replace(&format!("{{{name}}}"), &filled);
        }
    }
    out
}
