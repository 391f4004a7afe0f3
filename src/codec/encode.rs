//! Resources as people write them → request bodies.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::model::{Map, Secret, Unresolved, Value};
use crate::schema::{FieldSpec, Shape};

/// A request body whose references are not ids yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A value without references inside.
    Value(Value),
    /// The server id of a resource of one of the kinds, by name.
    Ref {
        /// Kinds it may be of.
        kinds: Vec<String>,
        /// Its name; an id that no name covers stands for itself.
        name: String,
    },
    /// A list.
    Array(Vec<Body>),
    /// An object.
    Object(IndexMap<String, Body>),
}

impl Body {
    /// An object without members.
    pub fn object() -> Self {
        Body::Object(IndexMap::new())
    }

    /// Sets a member, where this is an object.
    pub fn set(&mut self, key: &str, value: Body) {
        if let Body::Object(members) = self {
            members.insert(key.to_owned(), value);
        }
    }

    /// Removes a member, where this is an object.
    pub fn remove(&mut self, key: &str) {
        if let Body::Object(members) = self {
            members.shift_remove(key);
        }
    }

    /// Wraps a body into an object with one member.
    #[must_use]
    pub fn wrapped(self, member: Option<&str>) -> Self {
        match member {
            Some(member) => Body::Object(IndexMap::from_iter([(member.to_owned(), self)])),
            None => self,
        }
    }

    /// Converts to JSON for the wire; `id_of` finds the id of a reference.
    ///
    /// # Errors
    ///
    /// Returns the first unresolved value inside, or the reference `id_of` does not know.
    pub fn to_json(&self, id_of: &dyn Fn(&[String], &str) -> Option<String>) -> Result<Json, Unresolved> {
        Ok(match self {
            Body::Value(value) => value.to_json()?,
            Body::Ref { kinds, name } => match id_of(kinds, name) {
                Some(id) => Json::String(id),
                None => return Err(Unresolved { source: format!("{}/{name}", kinds.join("|")) }),
            },
            Body::Array(items) => Json::Array(items.iter().map(|i| i.to_json(id_of)).collect::<Result<_, _>>()?),
            Body::Object(members) => Json::Object(
                members.iter().map(|(k, v)| Ok((k.clone(), v.to_json(id_of)?))).collect::<Result<_, Unresolved>>()?,
            ),
        })
    }

    /// Calls `visit` with every reference inside.
    pub fn each_ref(&self, visit: &mut dyn FnMut(&[String], &str)) {
        match self {
            Body::Value(_) => {}
            Body::Ref { kinds, name } => visit(kinds, name),
            Body::Array(items) => items.iter().for_each(|item| item.each_ref(visit)),
            Body::Object(members) => members.values().for_each(|item| item.each_ref(visit)),
        }
    }

    /// Calls `visit` with every secret inside.
    pub fn each_secret<'a>(&'a self, visit: &mut dyn FnMut(&'a Secret)) {
        match self {
            Body::Value(value) => value.each_secret(visit),
            Body::Ref { .. } => {}
            Body::Array(items) => items.iter().for_each(|item| item.each_secret(visit)),
            Body::Object(members) => members.values().for_each(|item| item.each_secret(visit)),
        }
    }

    /// Calls `visit` with every unresolved value inside.
    pub fn each_unresolved<'a>(&'a self, visit: &mut dyn FnMut(&'a Unresolved)) {
        match self {
            Body::Value(value) => value.each_unresolved(visit),
            Body::Ref { .. } => {}
            Body::Array(items) => items.iter().for_each(|item| item.each_unresolved(visit)),
            Body::Object(members) => members.values().for_each(|item| item.each_unresolved(visit)),
        }
    }
}

/// Converts members of a record for a write. `include` chooses among the members that can be written at all.
pub fn encode_members(field: &FieldSpec, members: &Map, include: &dyn Fn(&str, &FieldSpec) -> bool) -> Body {
    let mut out = IndexMap::new();
    for (name, value) in members {
        match field.member(name) {
            Some(member) if unwritable(member) || !include(name, member) => {}
            Some(member) => {
                let (name, body) = encode_member(name, member, value);
                out.insert(name, body);
            }
            None => {
                out.insert(name.clone(), Body::Value(value.clone()));
            }
        }
    }
    Body::Object(out)
}

/// Returns the API's name and value of a member; hours become whole minutes.
pub fn encode_member(name: &str, field: &FieldSpec, value: &Value) -> (String, Body) {
    if let (Some(minutes), Value::Number(hours)) = (&field.hours, value) {
        #[allow(clippy::cast_possible_truncation)]
        let whole = (hours.as_f64().unwrap_or_default() * 60.0).round() as i64;
        return (minutes.clone(), Body::Value(Value::Number(whole.into())));
    }
    let cleared = field.empty_is_null && value.as_str() == Some("");
    let body = if cleared { Body::Value(Value::Null) } else { encode_field(field, value) };
    (field.api.clone().unwrap_or_else(|| name.to_owned()), body)
}

/// Says whether a member is never part of its parent's body.
fn unwritable(member: &FieldSpec) -> bool {
    member.read_only
        || member.skip
        || member.alias.is_some()
        || member.sub.is_some()
        || member.in_path
        || member.step.is_some()
        || member.owned
}

/// Converts one value by its field's schema.
pub fn encode_field(field: &FieldSpec, value: &Value) -> Body {
    match (&field.shape, value) {
        (Shape::Record { .. }, Value::Object(members)) => encode_members(field, members, &|_, _| true),
        (Shape::Map(values), Value::Object(members)) => {
            Body::Object(members.iter().map(|(k, v)| (k.clone(), encode_field(values, v))).collect())
        }
        (Shape::List(items), Value::Array(list)) => {
            Body::Array(list.iter().map(|item| encode_field(items, item)).collect())
        }
        (_, Value::String(name)) if !field.reference.is_empty() => {
            Body::Ref { kinds: field.reference.clone(), name: name.clone() }
        }
        _ => Body::Value(value.clone()),
    }
}
