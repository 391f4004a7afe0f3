//! Laying what is desired over what is live, for members that a write replaces whole.

use serde_json::Value as Json;

use super::encode::{Body, encode_field};
use crate::model::{Unresolved, Value};
use crate::schema::{FieldSpec, Shape};

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
            Some(member) => {
                let api_name = member.api.as_ref().unwrap_or(name);
                out.set(api_name, overlay(member, value, live.get(api_name)));
            }
            None => out.set(name, Body::Value(value.clone())),
        }
    }
    out
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
