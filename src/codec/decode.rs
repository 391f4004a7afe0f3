//! API objects → resources as people write them.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::model::{Map, Secret, Value};
use crate::schema::{FieldSpec, KindSpec, Shape, names_secret};

/// Names of live resources by kind and server id: what references are shown as.
///
/// Where two resources of a kind share a name, neither has an entry: their references stay ids.
#[derive(Debug, Clone, Default)]
pub struct Names {
    by_id: HashMap<(String, String), String>,
    by_name: HashMap<(String, String), Vec<String>>,
}

impl Names {
    /// Notes a live resource.
    pub fn insert(&mut self, kind: &str, id: &str, name: &str) {
        self.by_id.insert((kind.to_owned(), id.to_owned()), name.to_owned());
        let ids = self.by_name.entry((kind.to_owned(), name.to_owned())).or_default();
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }

    /// Returns the name of a resource of one of the kinds, unless it is ambiguous.
    pub fn name(&self, kinds: &[String], id: &str) -> Option<&str> {
        kinds.iter().find_map(|kind| {
            let name = self.by_id.get(&(kind.clone(), id.to_owned()))?;
            (self.by_name.get(&(kind.clone(), name.clone())).map_or(0, Vec::len) == 1).then_some(name.as_str())
        })
    }

    /// Returns the server ids of all resources of a name, over the kinds.
    pub fn ids(&self, kinds: &[String], name: &str) -> Vec<&str> {
        let of = |kind: &String| self.by_name.get(&(kind.clone(), name.to_owned()));
        kinds.iter().filter_map(of).flatten().map(String::as_str).collect()
    }

    /// Says whether a server id is one of the kinds'.
    pub fn has_id(&self, kinds: &[String], id: &str) -> bool {
        kinds.iter().any(|kind| self.by_id.contains_key(&(kind.clone(), id.to_owned())))
    }

    /// Returns every name of the kinds, for suggestions.
    pub fn all<'a>(&'a self, kinds: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.by_name.keys().filter(|(kind, _)| kinds.contains(kind)).map(|(_, name)| name.as_str())
    }
}

/// Converts an API object: known members only, without what the server sets, owns or never returns; references as names.
pub fn decode(spec: &KindSpec, raw: &Json, names: &Names) -> Value {
    decode_field(&spec.fields, raw, names)
}

/// Converts one value by its field's schema.
pub fn decode_field(field: &FieldSpec, raw: &Json, names: &Names) -> Value {
    match (&field.shape, raw) {
        (Shape::Record { members, open, rest }, Json::Object(object)) => {
            let mut out = Map::new();
            for (name, member) in members {
                if member.read_only || member.skip || member.alias.is_some() || member.owned || member.sub.is_some() {
                    continue;
                }
                if let Some(value) = object.get(member.api.as_ref().unwrap_or(name)) {
                    out.insert(name.clone(), decode_field(member, value, names));
                }
            }
            if *open {
                let known =
                    |key: &String| members.contains_key(key) || members.values().any(|m| m.api.as_ref() == Some(key));
                for (key, value) in object.iter().filter(|(key, _)| !known(key) && !key.starts_with('$')) {
                    let value = match rest {
                        Some(rest) => decode_field(rest, value, names),
                        None => unknown(key, value),
                    };
                    out.insert(key.clone(), value);
                }
            }
            Value::Object(out)
        }
        (Shape::Map(values), Json::Object(object)) => {
            Value::Object(object.iter().map(|(k, v)| (k.clone(), decode_field(values, v, names))).collect())
        }
        (Shape::List(items), Json::Array(list)) => {
            Value::Array(list.iter().map(|item| decode_field(items, item, names)).collect())
        }
        (_, Json::String(text)) if !field.reference.is_empty() => {
            Value::String(names.name(&field.reference, text).unwrap_or(text).to_owned())
        }
        (_, Json::String(text)) if field.secret => Value::Secret(Secret::new(text.clone(), "live")),
        (_, Json::Number(_) | Json::Bool(_)) if field.secret => Value::Secret(Secret::new(raw.to_string(), "live")),
        (Shape::Any, Json::Object(_) | Json::Array(_)) => unknown("", raw),
        _ => Value::from_json(raw),
    }
}

/// Converts what no schema knows. A text whose name says that it is a secret is one: nothing prints it.
fn unknown(name: &str, raw: &Json) -> Value {
    match raw {
        Json::String(text) if names_secret(name) && !text.is_empty() => {
            Value::Secret(Secret::new(text.clone(), "live"))
        }
        Json::Object(members) => Value::Object(members.iter().map(|(k, v)| (k.clone(), unknown(k, v))).collect()),
        Json::Array(items) => Value::Array(items.iter().map(|item| unknown("", item)).collect()),
        _ => Value::from_json(raw),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn decoded(members: &str, raw: &Json) -> Value {
        let text = format!("type: object\nproperties:\n{members}");
        let mut names = Names::default();
        names.insert("roles", "r1", "admin");
        names.insert("roles", "r2", "twin");
        names.insert("roles", "r3", "twin");
        decode(Registry::of(&[("things", &text)]).kind("things").unwrap(), raw, &names)
    }

    #[test]
    fn what_people_do_not_write_is_dropped() {
        let members =
            "  a: {}\n  ro: {readOnly: true}\n  sk: {x-skip: true}\n  ow: {x-owned: service}\n  al: {x-alias: a}\n";
        let raw = json!({"a": 1, "ro": 1, "sk": 1, "ow": 1, "al": 1, "$sub": {}, "newer": 1});
        assert_eq!(decoded(members, &raw).redacted(), json!({"a": 1, "newer": 1}));
        let closed = format!("{members}additionalProperties: false\n");
        assert_eq!(decoded(&closed, &raw).redacted(), json!({"a": 1}));
    }

    #[test]
    fn members_have_the_name_of_the_files() {
        assert_eq!(decoded("  a: {x-api: A}\n", &json!({"A": 1})).redacted(), json!({"a": 1}));
        let rest = "  a: {}\nadditionalProperties: {properties: {s: {x-secret: true}}}\n";
        assert_eq!(decoded(rest, &json!({"o": {"s": "x"}})).redacted(), json!({"o": {"s": "(live)"}}));
    }

    #[test]
    fn an_id_becomes_a_name_unless_two_share_it() {
        let members = "  one: {x-ref: roles}\n  all: {items: {x-ref: [users, roles]}}\n  m: {additionalProperties: {x-ref: roles}}\n  plain: {type: string}\n";
        let raw = json!({"one": "r1", "all": ["r1", "r2", "gone"], "m": {"k": "r1"}, "plain": "r1"});
        let expected = json!({"one": "admin", "all": ["admin", "r2", "gone"], "m": {"k": "admin"}, "plain": "r1"});
        assert_eq!(decoded(members, &raw).redacted(), expected);
    }

    #[test]
    fn a_secret_is_hidden_as_soon_as_it_is_read() {
        let value = decoded("  s: {x-secret: true}\n", &json!({"s": "hunter2"}));
        assert!(!format!("{value:?}").contains("hunter2"));
    }

    #[test]
    fn what_no_schema_knows_is_hidden_where_its_name_says_that_it_is_a_secret() {
        let raw = json!({"o": {"newer_api_key": "hunter2", "clientSecret": "hunter2", "token_url": "https://a", "on": true,
                               "list": [{"password": "hunter2", "user": "u"}]}, "access-token": "hunter2"});
        let expected = json!({"o": {"newer_api_key": "(live)", "clientSecret": "(live)", "token_url": "https://a", "on": true,
                               "list": [{"password": "(live)", "user": "u"}]}, "access-token": "(live)"});
        assert_eq!(decoded("  o: {}\n", &raw).redacted(), expected);
        assert_eq!(decoded("  o: {type: object, additionalProperties: true}\n", &raw).redacted(), expected);
    }

    #[test]
    fn a_value_of_another_shape_is_kept_as_it_is() {
        let members = "  l: {items: {x-ref: roles}}\n  o: {properties: {a: {readOnly: true}}}\n  r: {x-ref: roles}\n";
        let raw = json!({"l": "r1", "o": [1], "r": {"id": "r1"}});
        assert_eq!(decoded(members, &raw).redacted(), raw);
        assert_eq!(decoded(members, &json!(null)), Value::Null);
    }

    #[test]
    fn names_tell_what_they_know() {
        let mut names = Names::default();
        let (roles, both) = (["roles".to_owned()], ["users".to_owned(), "roles".to_owned()]);
        names.insert("roles", "r1", "admin");
        names.insert("roles", "r1", "admin");
        assert_eq!(names.name(&both, "r1"), Some("admin"), "told twice is no second one");
        assert_eq!((names.ids(&both, "admin"), names.ids(&roles, "nobody")), (vec!["r1"], Vec::new()));
        assert!(names.has_id(&roles, "r1") && !names.has_id(&roles, "admin"));
        assert_eq!(names.all(&["users".to_owned()]).count(), 0);
    }
}
