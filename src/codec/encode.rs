//! Resources as people write them → request bodies.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::model::{Map, Secret, Unresolved, Value};
use crate::schema::{FieldSpec, Null, Shape};

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
            Some(member) if *value == Value::Null && member.null == Null::Refused => {}
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
    (field.api.clone().unwrap_or_else(|| name.to_owned()), encode_field(field, value))
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

/// Converts one value by its field's schema; what clears it as the API takes it, null or an empty text.
pub fn encode_field(field: &FieldSpec, value: &Value) -> Body {
    match (&field.shape, value) {
        (Shape::Record { .. }, Value::Object(members)) => encode_members(field, members, &|_, _| true),
        (Shape::Map(values), Value::Object(members)) => {
            Body::Object(members.iter().map(|(k, v)| (k.clone(), encode_field(values, v))).collect())
        }
        (Shape::List(items), Value::Array(list)) => {
            Body::Array(list.iter().map(|item| encode_field(items, item)).collect())
        }
        (_, Value::Null) if field.null == Null::Empty => Body::Value(Value::from("")),
        (_, Value::String(text)) if field.empty_is_null && text.is_empty() => Body::Value(Value::Null),
        (_, Value::String(name)) if !field.reference.is_empty() => {
            Body::Ref { kinds: field.reference.clone(), name: name.clone() }
        }
        _ => Body::Value(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn spec(members: &str) -> FieldSpec {
        let text = format!("type: object\nproperties:\n{members}");
        Registry::of(&[("things", &text)]).kind("things").unwrap().fields.clone()
    }

    fn encoded(members: &str, value: &Json) -> Result<Json, Unresolved> {
        let id_of =
            |kinds: &[String], name: &str| (name != "nobody").then(|| format!("id of {}/{name}", kinds.join("|")));
        encode_field(&spec(members), &Value::from_json(value)).to_json(&id_of)
    }

    #[test]
    fn what_the_server_sets_is_not_sent() {
        let members = "  a: {}\n  ro: {readOnly: true}\n  sk: {x-skip: true}\n  ow: {x-owned: service}\n  al: {x-alias: a}\n  pa: {x-path: true}\n  st: {x-step: s}\n";
        let value = json!({"a": 1, "ro": 1, "sk": 1, "ow": 1, "al": 1, "pa": 1, "st": 1, "newer": 1});
        assert_eq!(encoded(members, &value).unwrap(), json!({"a": 1, "newer": 1}));
    }

    #[test]
    fn a_reference_is_an_id_or_stops_the_request() {
        let members = "  r: {x-ref: [roles, users]}\n  l: {items: {x-ref: roles}}\n  lit: {x-literal-ref: roles}\n";
        let sent = encoded(members, &json!({"r": "admin", "l": ["b"], "lit": "c"})).unwrap();
        assert_eq!(sent, json!({"r": "id of roles|users/admin", "l": ["id of roles/b"], "lit": "c"}));
        let hole = encoded(members, &json!({"l": ["nobody"]})).unwrap_err();
        assert_eq!(hole.source, "roles/nobody");
        assert_eq!(encoded(members, &json!({"r": null})).unwrap(), json!({"r": null}), "null clears");
    }

    #[test]
    fn an_unresolved_value_stops_the_request() {
        let hole = Unresolved { source: "secrets.x".to_owned() };
        let members = Map::from_iter([("a".to_owned(), Value::Array(vec![Value::Unresolved(hole.clone())]))]);
        let body = encode_members(&spec("  a: {items: {}}\n"), &members, &|_, _| true);
        assert_eq!(body.to_json(&|_, _| None), Err(hole));
        let mut seen = 0;
        body.each_unresolved(&mut |_| seen += 1);
        assert_eq!(seen, 1);
    }

    #[test]
    fn hours_are_sent_in_whole_minutes() {
        let spec = spec("  h: {x-hours: h_in_minutes}\n");
        let field = spec.member("h").unwrap();
        let sent = |json: Json| encode_member("h", field, &Value::from_json(&json));
        assert_eq!(sent(json!(0.333)), ("h_in_minutes".to_owned(), Body::Value(Value::from_json(&json!(20)))));
        assert_eq!(sent(json!(null)), ("h".to_owned(), Body::Value(Value::Null)), "null is no number of minutes");
    }

    #[test]
    fn members_have_the_name_of_the_api() {
        assert_eq!(encoded("  a: {x-api: A}\n", &json!({"a": 1})).unwrap(), json!({"A": 1}));
        assert_eq!(encoded("  a: {x-empty-is-null: true}\n", &json!({"a": ""})).unwrap(), json!({"a": null}));
        assert_eq!(encoded("  a: {}\n", &json!({"a": ""})).unwrap(), json!({"a": ""}));
    }

    #[test]
    fn a_null_is_what_the_api_takes() {
        let sent = |spec: &str| encoded(&format!("  a: {{{spec}}}\n"), &json!({"a": null})).unwrap();
        assert_eq!(sent("type: [string, 'null']"), json!({"a": null}));
        assert_eq!(sent(""), json!({"a": null}), "nobody knows");
        assert_eq!(sent("type: [string, 'null'], x-null: empty"), json!({"a": ""}));
        assert_eq!(sent("type: [string, 'null'], x-null: absent"), json!({}));
        let items = encoded("  l: {items: {properties: {a: {type: string}}}}\n", &json!({"l": [{"a": null}]})).unwrap();
        assert_eq!(items, json!({"l": [{}]}), "in lists too");
    }

    #[test]
    fn a_choice_is_made_among_what_can_be_written() {
        let members = Map::from_iter(["a", "b", "ro"].map(|name| (name.to_owned(), Value::Bool(true))));
        let spec = spec("  a: {}\n  b: {x-create-only: true}\n  ro: {readOnly: true}\n");
        let body = encode_members(&spec, &members, &|_, f| !f.create_only);
        assert_eq!(body.to_json(&|_, _| None).unwrap(), json!({"a": true}));
    }

    #[test]
    fn a_body_is_built_and_searched() {
        let mut body = Body::object();
        body.set("a", Body::Ref { kinds: vec!["roles".to_owned()], name: "x".to_owned() });
        body.set("b", Body::Array(vec![Body::Value(Value::Null)]));
        body.remove("b");
        let wrapped = body.clone().wrapped(Some("w")).wrapped(None);
        let mut seen = Vec::new();
        wrapped.each_ref(&mut |kinds, name| seen.push(format!("{}/{name}", kinds.join("|"))));
        assert_eq!(seen, ["roles/x"]);
        assert_eq!(wrapped.to_json(&|_, _| Some("i".to_owned())).unwrap(), json!({"w": {"a": "i"}}));
        let mut list = Body::Array(Vec::new());
        list.set("a", Body::object());
        list.remove("a");
        assert_eq!(list, Body::Array(Vec::new()), "a list has no members");
    }
}
