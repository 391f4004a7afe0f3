//! API objects without what must not be seen.

use serde_json::{Map, Value as Json};

use super::rows::sub_rows_mut;
use crate::schema::{FieldSpec, KindSpec, Shape};

/// What stands in place of a secret.
const MASK: &str = "(secret)";

/// Words in the name of a member of which no schema says what it is: it is taken for a secret.
const WORDS: [&str; 9] =
    ["secret", "password", "passwd", "token", "private", "credential", "apikey", "api_key", "_key"];

/// Returns an API object in which secrets are masked: those of the schema, and what looks like one where the schema does not know
/// a member.
pub fn masked(spec: &KindSpec, raw: &Json) -> Json {
    let mut out = raw.clone();
    field(&spec.fields, &mut out);
    for (path, sub) in spec.subs() {
        let (Some(rows), Shape::List(item)) = (sub_rows_mut(&mut out, &path.to_string()), &sub.shape) else { continue };
        let member = sub.sub.as_ref().and_then(|sub| sub.item.as_ref());
        for row in rows {
            match member.and_then(|member| row.get_mut(member)) {
                Some(inner) => field(item, inner),
                None => field(item, row),
            }
        }
    }
    out
}

fn field(spec: &FieldSpec, value: &mut Json) {
    if spec.secret {
        return hide(value);
    }
    match (&spec.shape, value) {
        (Shape::Record { members, rest, .. }, Json::Object(object)) => {
            let of = |key: &String| {
                let by_api = || members.values().find(|member| member.api.as_ref() == Some(key));
                members.get(key).or_else(by_api).or(rest.as_deref())
            };
            for (key, value) in object.iter_mut() {
                match of(key) {
                    Some(member) => field(member, value),
                    None => unknown(key, value),
                }
            }
        }
        (Shape::Map(values), Json::Object(object)) => object.values_mut().for_each(|value| field(values, value)),
        (Shape::List(items), Json::Array(list)) => list.iter_mut().for_each(|value| field(items, value)),
        (Shape::Any, Json::Object(object)) => unknowns(object),
        (_, Json::Array(list)) => {
            list.iter_mut().filter_map(Json::as_object_mut).for_each(unknowns);
        }
        _ => {}
    }
}

fn unknowns(object: &mut Map<String, Json>) {
    for (key, value) in object.iter_mut() {
        unknown(key, value);
    }
}

/// Masks a member no schema knows, by its name, and what is in it.
fn unknown(key: &str, value: &mut Json) {
    let key = key.to_ascii_lowercase();
    // Rows of lists behind endpoints of their own are masked by their own schema.
    if key == "$sub" {
        return;
    }
    if key == "key" || WORDS.iter().any(|word| key.contains(word)) {
        return hide(value);
    }
    match value {
        Json::Object(inner) => unknowns(inner),
        Json::Array(list) => list.iter_mut().filter_map(Json::as_object_mut).for_each(unknowns),
        _ => {}
    }
}

/// Masks every text and number.
fn hide(value: &mut Json) {
    match value {
        Json::String(text) if text.is_empty() => {}
        Json::String(_) | Json::Number(_) => *value = Json::String(MASK.to_owned()),
        Json::Array(list) => list.iter_mut().for_each(hide),
        Json::Object(object) => object.values_mut().for_each(hide),
        Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let text = "type: object\nproperties:\n  name: {}\n  s: {x-secret: true, x-api: S}\n  list: {items: {properties: {s: \
                    {x-secret: true}, n: {}}}}\n  map: {additionalProperties: {x-secret: true}}\n  any: {}\n  deep: \
                    {properties: {s: {x-secret: true}}}\n";
        let registry = Registry::of(&[("things", text)]);
        let raw = json!({
            "name": "n", "S": "x", "list": [{"s": "x", "n": "n"}, "odd"], "map": {"a": "x", "b": {"c": ["x", 1]}},
            "any": {"client_secret": "x", "size": 3, "inner": [{"access_token": "x", "id": "i"}]},
            "deep": {"s": null}, "newer_api_key": {"value": "x"}, "newer": {"key": "x", "enabled": true}, "empty_secret": "",
        });
        let found = masked(registry.kind("things").unwrap(), &raw);
        let expected = json!({
            "name": "n", "S": MASK, "list": [{"s": MASK, "n": "n"}, "odd"], "map": {"a": MASK, "b": {"c": [MASK, MASK]}},
            "any": {"client_secret": MASK, "size": 3, "inner": [{"access_token": MASK, "id": "i"}]},
            "deep": {"s": null}, "newer_api_key": {"value": MASK}, "newer": {"key": MASK, "enabled": true}, "empty_secret": "",
        });
        assert_eq!(found, expected);
    }
}
