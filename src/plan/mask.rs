//! Cuts one value down to what another speaks of.

use crate::model::{Map, Value};
use crate::schema::{FieldSpec, Shape};

/// Returns of `value` what `described` speaks of: of records the members that stand there, of everything else all of it. What
/// `value` lacks is what the server takes it for: its default, else null.
pub fn mask(spec: &FieldSpec, described: &Value, value: &Value) -> Value {
    let known = match (described, value) {
        (Value::Object(wanted), Value::Object(found)) => {
            found.iter().filter(|(name, _)| wanted.contains_key(*name)).map(|(n, v)| (n.clone(), v.clone())).collect()
        }
        _ => Map::new(),
    };
    masked(spec, described, value, &known)
}

/// `known` is the resource that is left, for defaults that hang on other members.
fn masked(spec: &FieldSpec, described: &Value, value: &Value, known: &Map) -> Value {
    let (Shape::Record { .. }, Value::Object(wanted)) = (&spec.shape, described) else {
        return if *value == Value::Null { left_out(spec, known) } else { value.clone() };
    };
    if !matches!(value, Value::Object(_) | Value::Null) {
        return value.clone();
    }
    let any = FieldSpec::default();
    let member = |(name, described): (&String, &Value)| {
        let found = value.get(name).unwrap_or(&Value::Null);
        (name.clone(), masked(spec.member(name).unwrap_or(&any), described, found, known))
    };
    Value::Object(wanted.iter().map(member).collect::<Map>())
}

/// What a field stands at that a read leaves out. Of what no read returns nothing is known.
fn left_out(spec: &FieldSpec, resource: &Map) -> Value {
    let default = spec.default_in(resource).filter(|_| !spec.write_only && !spec.secret);
    default.map_or(Value::Null, Value::from_json)
}

/// Adds what every member of a record that `live` has and `value` lacks stood at, its default or null: so that it is compared too.
pub fn with_absent(spec: &FieldSpec, value: &Value, live: &Value) -> Value {
    let empty = Map::new();
    absent(spec, value, live, value.as_object().unwrap_or(&empty))
}

fn absent(spec: &FieldSpec, value: &Value, live: &Value, resource: &Map) -> Value {
    let (Shape::Record { .. }, Value::Object(known), Value::Object(found)) = (&spec.shape, value, live) else {
        return value.clone();
    };
    let any = FieldSpec::default();
    let mut out = known.clone();
    for (name, live) in found {
        let member = spec.member(name).unwrap_or(&any);
        let filled = match known.get(name) {
            Some(known) => absent(member, known, live, resource),
            None => left_out(member, resource),
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

    #[test]
    fn what_a_read_leaves_out_stands_at_its_default() {
        let text = "x-tenantry: {identity: [name]}\nproperties: {name: {}, a: {default: 3}, o: {type: object, properties: \
                    {b: {default: true}, c: {}}}, k: {x-default-when: [{when: {name: other}, default: 1}]}, s: {writeOnly: true, default: 1}}";
        let registry = Registry::of(&[("things", text)]);
        let fields = &registry.kind("things").unwrap().fields;
        let described = json!({"name": "x", "a": 4, "o": {"b": false, "c": 1}, "k": 2, "s": 2});
        let left = mask(fields, &Value::from_json(&described), &Value::from_json(&json!({"name": "other"})));
        let stood = json!({"name": "other", "a": 3, "o": {"b": true, "c": null}, "k": 1, "s": null});
        assert_eq!(left.redacted(), stood);
        let live = Value::from_json(&json!({"name": "other"}));
        let found = super::super::diff::diff(fields, &left, &live, &crate::model::Loci::default());
        assert!(found.fields.is_empty(), "{:?}", found.fields);
        let all = with_absent(fields, &live, &Value::from_json(&json!({"name": "other", "a": 9, "z": 1})));
        assert_eq!(all.redacted(), json!({"name": "other", "a": 3, "z": null}));
    }
}
