//! Laying what is desired over what is live, for members that a write replaces whole.

use serde_json::Value as Json;

use super::encode::{Body, encode_field};
use crate::model::{Unresolved, Value};
use crate::schema::{FieldSpec, Null, Shape};

/// What the API shows in place of a secret; never sent back.
const MASKS: &[&str] = &["_VALUE_NOT_SHOWN_", "[REDACTED]", "******"];

/// Returns the body for one member that the API replaces whole: what is desired, and of what is live everything the
/// description does not speak of. Members the server sets are left out; those that Auth0 writes inside are carried over.
pub fn overlay(field: &FieldSpec, desired: &Value, live: Option<&Json>) -> Body {
    if let (Value::Unresolved(_), false, Some(Json::String(text))) = (desired, field.write_only, live)
        && !text.is_empty()
        && !MASKS.contains(&text.as_str())
    {
        // Nobody gave the secret, and reads return it: the live one stays.
        return Body::Value(Value::from(text.as_str()));
    }
    let (Shape::Record { members: specs, .. }, Value::Object(desired), Some(Json::Object(live))) =
        (&field.shape, desired, live)
    else {
        return encode_field(field, desired);
    };
    let mut out = Body::object();
    for (api_name, value) in live {
        let spec = spec_of(specs, api_name);
        let spoken_of = spec.map_or_else(|| desired.contains_key(api_name), |(name, _)| desired.contains_key(name));
        let kept = spec.is_none_or(|(_, member)| !member.read_only && !member.skip && member.alias.is_none());
        if !spoken_of && kept && !is_masked(value) && !value.is_null() {
            let hidden = spec.is_some_and(|(_, member)| member.write_only);
            out.set(api_name, Body::Value(if hidden { unknown(api_name, value) } else { Value::from_json(value) }));
        }
    }
    for (name, value) in desired {
        match specs.get(name) {
            Some(member) if member.read_only || member.skip || member.alias.is_some() || member.sub.is_some() => {}
            // Leaving it out of what is written whole clears it.
            Some(member) if *value == Value::Null && matches!(member.null, Null::Refused | Null::Unknown) => {}
            Some(member) => {
                let api_name = member.api.as_ref().unwrap_or(name);
                let mut inner = overlay(member, value, live.get(api_name));
                hold_needed(name, member, &mut inner);
                out.set(api_name, inner);
            }
            None if *value == Value::Null => {}
            None => out.set(name, Body::Value(value.clone())),
        }
    }
    out
}

/// Adds a hole for every secret without which the API refuses an object that is written whole, and that nobody describes: no read returns it.
/// `name` is what the object is called.
pub fn hold_needed(name: &str, field: &FieldSpec, body: &mut Body) {
    let Body::Object(sent) = body else { return };
    for needed in &field.required_on_create {
        let Some(member) = field.member(needed).filter(|member| member.write_only) else { continue };
        let hole = || Body::Value(Value::Unresolved(Unresolved { source: format!("{name}.{needed}") }));
        sent.entry(member.api.clone().unwrap_or_else(|| needed.clone())).or_insert_with(hole);
    }
}

/// What is live of a value that reads answer changed (encrypted): sending it back would spoil it, leaving it out lose it.
fn unknown(name: &str, value: &Json) -> Value {
    match value {
        Json::Object(members) => Value::Object(
            members
                .keys()
                .map(|key| (key.clone(), Value::Unresolved(Unresolved { source: format!("{name}.{key}") })))
                .collect(),
        ),
        _ => Value::Unresolved(Unresolved { source: name.to_owned() }),
    }
}

fn spec_of<'a>(
    specs: &'a indexmap::IndexMap<String, FieldSpec>,
    api_name: &str,
) -> Option<(&'a String, &'a FieldSpec)> {
    specs.iter().find(|(name, spec)| spec.api.as_deref().unwrap_or(name) == api_name)
}

fn is_masked(value: &Json) -> bool {
    value.as_str().is_some_and(|text| MASKS.contains(&text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn sent(members: &str, desired: &Json, live: Option<&Json>) -> Result<Json, Unresolved> {
        let text = format!("type: object\nproperties:\n{members}");
        let registry = Registry::of(&[("things", &text)]);
        let field = &registry.kind("things").unwrap().fields;
        overlay(field, &Value::from_json(desired), live).to_json(&|_, name| Some(format!("id of {name}")))
    }

    #[test]
    fn what_the_description_does_not_speak_of_is_carried_over() {
        let members = "  a: {}\n  o: {properties: {x: {}, y: {}}}\n  ow: {x-owned: service}\n";
        let live = json!({"a": 1, "o": {"x": 1, "y": 1}, "ow": "z", "newer": [1], "blank": null});
        let expected = json!({"ow": "z", "newer": [1], "a": 2, "o": {"y": 1, "x": 2}});
        assert_eq!(sent(members, &json!({"a": 2, "o": {"x": 2}}), Some(&live)).unwrap(), expected);
    }

    #[test]
    fn a_member_that_takes_no_null_is_cleared_by_leaving_it_out() {
        let members = "  o: {properties: {x: {type: string}, y: {type: [string, 'null']}, z: {type: string}}}\n";
        let live = json!({"o": {"x": "1", "y": "1", "z": "1"}});
        let desired = json!({"o": {"x": null, "y": null}});
        assert_eq!(sent(members, &desired, Some(&live)).unwrap(), json!({"o": {"z": "1", "y": null}}));
    }

    #[test]
    fn what_the_server_sets_and_what_it_masks_is_not_sent_back() {
        let members = "  ro: {readOnly: true}\n  sk: {x-skip: true}\n  al: {x-alias: a}\n  a: {}\n";
        let live = json!({"ro": 1, "sk": 1, "al": 1, "m1": "_VALUE_NOT_SHOWN_", "m2": "[REDACTED]", "m3": "******"});
        assert_eq!(sent(members, &json!({"a": 1, "ro": 2}), Some(&live)).unwrap(), json!({"a": 1}));
    }

    #[test]
    fn what_no_read_returns_as_it_is_would_be_lost() {
        let members = "  w: {writeOnly: true}\n  a: {}\n";
        let lost = |live: Json| sent(members, &json!({"a": 1}), Some(&live)).unwrap_err().source;
        assert_eq!(lost(json!({"w": "encrypted"})), "w");
        assert_eq!(lost(json!({"w": {"key": "encrypted"}})), "w.key");
        assert_eq!(sent(members, &json!({"w": "new"}), Some(&json!({"w": "old"}))).unwrap(), json!({"w": "new"}));
    }

    #[test]
    fn an_object_that_needs_a_secret_nobody_describes_has_a_hole() {
        let members = "  p: {x-required-on-create: [secret], properties: {key: {}, secret: {writeOnly: true}}}\n";
        let live = json!({"p": {"key": "a"}});
        let lost = sent(members, &json!({"p": {"key": "b"}}), Some(&live)).unwrap_err();
        assert_eq!(lost.source, "p.secret");
        let whole = json!({"p": {"key": "b", "secret": "s"}});
        assert_eq!(sent(members, &whole, Some(&live)).unwrap(), whole);
    }

    #[test]
    fn lists_and_maps_are_what_the_description_says() {
        let members = "  l: {items: {x-ref: roles}}\n  m: {additionalProperties: {}}\n";
        let live = json!({"l": ["a", "b"], "m": {"x": 1, "y": 1}});
        let expected = json!({"l": ["id of c"], "m": {"x": 2}});
        assert_eq!(sent(members, &json!({"l": ["c"], "m": {"x": 2}}), Some(&live)).unwrap(), expected);
    }

    #[test]
    fn without_anything_live_the_description_is_the_body() {
        let members = "  a: {x-api: A}\n";
        for live in [None, Some(&json!(null)), Some(&json!([1]))] {
            assert_eq!(sent(members, &json!({"a": 1}), live).unwrap(), json!({"A": 1}));
        }
        let live = json!({"A": 2, "B": 3});
        assert_eq!(sent(members, &json!({"a": 1}), Some(&live)).unwrap(), json!({"B": 3, "A": 1}));
    }
}
