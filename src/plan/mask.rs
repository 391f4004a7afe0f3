//! Cuts one value down to what another speaks of.

use crate::model::{Map, Value};
use crate::schema::{FieldSpec, Shape};

/// Returns of `value` what `described` speaks of: of records the members that stand there, of everything else all of it. What
/// `value` lacks is null.
pub fn mask(spec: &FieldSpec, described: &Value, value: &Value) -> Value {
    let (Shape::Record { .. }, Value::Object(wanted)) = (&spec.shape, described) else { return value.clone() };
    if !matches!(value, Value::Object(_) | Value::Null) {
        return value.clone();
    }
    let any = FieldSpec::default();
    let member = |(name, described): (&String, &Value)| {
        let found = value.get(name).unwrap_or(&Value::Null);
        (name.clone(), mask(spec.member(name).unwrap_or(&any), described, found))
    };
    Value::Object(wanted.iter().map(member).collect::<Map>())
}

/// Adds null for every member of a record that `live` has and `value` lacks: so that it is compared too.
pub fn with_absent(spec: &FieldSpec, value: &Value, live: &Value) -> Value {
    let (Shape::Record { .. }, Value::Object(known), Value::Object(found)) = (&spec.shape, value, live) else {
        return value.clone();
    };
    let any = FieldSpec::default();
    let mut out = known.clone();
    for (name, live) in found {
        let filled = match known.get(name) {
            Some(known) => with_absent(spec.member(name).unwrap_or(&any), known, live),
            None => Value::Null,
        };
        out.insert(name.clone(), filled);
    }
    Value::Object(out)
}

/// Lays one value over another: records member by member, everything else whole.
pub fn over(spec: &FieldSpec, below: &Value, above: &Value) -> Value {
    let (Shape::Record { .. }, Value::Object(under), Value::Object(upper)) = (&spec.shape, below, above) else {
        return above.clone();
    };
    let any = FieldSpec::default();
    let mut out = under.clone();
    for (name, value) in upper {
        let laid = match under.get(name) {
            Some(known) => over(spec.member(name).unwrap_or(&any), known, value),
            None => value.clone(),
        };
        out.insert(name.clone(), laid);
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    #[test]
    fn records_are_cut_and_maps_are_not() {
        let text = "x-tenantry: {identity: [name]}\nproperties: {name: {}, meta: {type: object, additionalProperties: {}}, \
                    options: {type: object, properties: {a: {}, b: {}}}}";
        let registry = Registry::of(&[("things", text)]);
        let described = json!({"name": "x", "meta": {"k": 1}, "options": {"a": 1, "b": 2}});
        let value = json!({"name": "y", "meta": {"l": 2, "m": 3}, "options": {"a": 5, "c": 6}, "more": true});
        let found =
            mask(&registry.kind("things").unwrap().fields, &Value::from_json(&described), &Value::from_json(&value));
        assert_eq!(found.redacted(), json!({"name": "y", "meta": {"l": 2, "m": 3}, "options": {"a": 5, "b": null}}));
    }
}
