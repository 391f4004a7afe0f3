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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn spec() -> FieldSpec {
        let text = "properties: {name: {}, n: {}, who: {x-ref: [users, roles], x-api: user_id}}";
        Registry::of(&[("things", text)]).kind("things").unwrap().fields.clone()
    }

    fn members(json: &Json) -> Map {
        Value::from_json(json).as_object().cloned().unwrap()
    }

    #[test]
    fn members_fill_a_path_and_ids_wait() {
        let filled = |path: &str, json: Json| fill_path(&spec(), path, &members(&json));
        assert_eq!(filled("/x/{name}/{n}", json!({"name": "a/b", "n": 3})), "/x/a%2Fb/3");
        assert_eq!(filled("/x/{who}", json!({"who": "a:b}"})), "/x/{ref:users|roles:a%3Ab%7D}");
        assert_eq!(filled("/x/{id}", json!({"id": "mine"})), "/x/{id}", "the server says which id it is");
        assert_eq!(filled("/x/{name}", json!({"name": null, "other": "o"})), "/x/{name}");
        assert_eq!(filled("/x/{name}", json!({"name": "{n}", "n": 1})), "/x/%7Bn%7D", "a value fills no further");
    }

    #[test]
    fn rows_and_items_fill_the_path_of_one_item() {
        let item = Value::from_json(&json!({"name": "a b", "who": "me"}));
        let row = json!({"id": "r/1", "client_id": 5});
        let path = |path: &str| item_path(&spec(), path, &item, Some(&row));
        assert_eq!(path("/{id}/x/{item.id}"), "/{id}/x/r%2F1");
        assert_eq!(path("/{name}/{user_id}"), "/a%20b/{ref:users|roles:me}");
        assert_eq!(path("/{item.client_id}"), "/{item.client_id}", "an id is a text");
        assert_eq!(item_path(&spec(), "/{item.id}/{name}", &Value::from("a"), None), "/{item.id}/{name}");
    }
}
