//! API objects → resources as people write them.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::model::{Map, Secret, Value};
use crate::schema::{FieldSpec, KindSpec, Shape};

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
                        None => Value::from_json(value),
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
        _ => Value::from_json(raw),
    }
}
