//! What takes a member's value away, by schema alone.

use crate::model::{Map, Path, Value};
use crate::schema::{FieldSpec, KindSpec, Null, Part, PartStep, Shape, Verb};

/// Returns what is described so that a member has no value again; `None` where nothing does that, or it is at its default anyway.
///
/// `keys` lead to the member through records; `now` is what it has, in the form people write it. Inside a record that is merged some
/// members may stay while others go: every path that stays is told to `stays`, the member's own where nothing can be done at all.
pub fn cleared(spec: &KindSpec, keys: &[&str], now: Option<&Value>, stays: &mut dyn FnMut(&Path)) -> Option<Value> {
    let Some(field) = keys.iter().try_fold(&spec.fields, |field, key| field.member(key)) else {
        return Some(Value::Null);
    };
    if matches!(field.null, Null::Taken | Null::Empty) || is_written_whole(spec, keys) {
        return Some(Value::Null);
    }
    if part_at(spec, keys).is_some_and(|part| part.delete.is_some() || part.replaces) {
        return Some(Value::Null);
    }
    if let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) {
        let default = Value::from_json(default);
        return (now != Some(&default)).then_some(default);
    }
    match (&field.shape, now) {
        (Shape::List(_), _) if !field.never_empty => return Some(Value::Array(Vec::new())),
        (Shape::Map(_), _) if !field.never_empty && field.null != Null::Unknown => return Some(Value::object()),
        (Shape::Record { .. }, Some(Value::Object(now))) if is_patched(spec, keys, field) => {
            return members(spec, keys, now, stays);
        }
        // Written whole without any of its members.
        (Shape::Record { .. }, Some(Value::Object(now))) if !field.never_empty => {
            let gone = now.keys().filter(|name| field.member(name).is_none_or(is_written));
            return Some(Value::Object(gone.map(|name| (name.clone(), Value::Null)).collect()));
        }
        _ if field.null == Null::Unknown => return Some(Value::Null),
        _ => {}
    }
    stays(&keys.iter().fold(Path::root(), |path, key| path.key(key)));
    None
}

/// Clears what can be cleared of a record that no write replaces.
fn members(spec: &KindSpec, keys: &[&str], now: &Map, stays: &mut dyn FnMut(&Path)) -> Option<Value> {
    let mut out = Map::new();
    let field = keys.iter().try_fold(&spec.fields, |field, key| field.member(key));
    let ours = |name: &str| field.and_then(|field| field.member(name)).is_none_or(is_written);
    for (name, value) in now.iter().filter(|(name, value)| !value.is_blank() && ours(name)) {
        let inner: Vec<&str> = keys.iter().copied().chain([name.as_str()]).collect();
        if let Some(value) = cleared(spec, &inner, Some(value), stays) {
            out.insert(name.clone(), value);
        }
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// Says whether a write says anything of a member.
fn is_written(member: &FieldSpec) -> bool {
    !member.read_only && !member.owned && !member.skip && member.alias.is_none()
}

/// Says whether a write of a member replaces the object around it, so that leaving the member out clears it.
pub fn is_written_whole(spec: &KindSpec, keys: &[&str]) -> bool {
    let Some((_, around)) = keys.split_last() else { return false };
    let mut whole = false;
    let mut field = &spec.fields;
    for (depth, key) in around.iter().enumerate() {
        let Some(member) = field.member(key) else { return true };
        let here = keys.get(..=depth).unwrap_or_default();
        whole = match part_at(spec, here) {
            Some(part) => part.replaces || part.update.method == Verb::Put,
            None => whole || !member.merged,
        };
        field = member;
    }
    whole
}

/// Says whether a write changes only those members of a record that it names.
fn is_patched(spec: &KindSpec, keys: &[&str], field: &FieldSpec) -> bool {
    match part_at(spec, keys) {
        Some(part) => !part.replaces && part.update.method == Verb::Patch,
        None => field.merged,
    }
}

/// Returns the part that begins at this place.
fn part_at<'a>(spec: &'a KindSpec, keys: &[&str]) -> Option<&'a Part> {
    let is_here = |part: &&Part| {
        part.at.len() == keys.len()
            && part.at.iter().zip(keys).all(|(step, key)| match step {
                PartStep::Key(name) => name == key,
                PartStep::Capture(_) => true,
                PartStep::Item(_) => false,
            })
    };
    spec.parts.iter().find(is_here)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::schema::Registry;

    const THINGS: &str = "x-tenantry:\n  parts:\n    \
        - {at: part, get: {path: /p}, update: {method: PATCH, path: /p}}\n    \
        - {at: gone, get: {path: /g}, update: {method: PATCH, path: /g}, delete: {method: DELETE, path: /g}}\n\
        properties:\n  nullable: {type: [string, 'null']}\n  text: {type: string}\n  unknown: {}\n  \
        emptied: {type: [string, 'null'], x-null: empty}\n  absent: {type: [string, 'null'], x-null: absent}\n  \
        on: {type: boolean, default: true}\n  set: {type: array, items: {type: string}}\n  \
        some: {type: array, minItems: 1, items: {type: string}}\n  map: {type: object, additionalProperties: {}}\n  \
        whole: {type: object, properties: {a: {type: string}, b: {type: object, properties: {c: {type: string}}}}}\n  \
        full: {type: object, required: [a], properties: {a: {type: string}}}\n  \
        merged: {type: object, x-merged: true, properties: {a: {type: string}, b: {type: boolean, default: false}}}\n  \
        part: {type: object, properties: {a: {type: string}, b: {type: [string, 'null']}}}\n  \
        gone: {type: object, properties: {a: {type: string}}}\n";

    fn told(path: &str, now: &Json) -> (Option<Json>, Vec<String>) {
        let registry = Registry::of(&[("things", THINGS)]);
        let keys: Vec<&str> = path.split('.').collect();
        let mut stays = Vec::new();
        let value = cleared(registry.kind("things").unwrap(), &keys, Some(&Value::from_json(now)), &mut |path| {
            stays.push(path.to_string());
        });
        (value.map(|value| value.redacted()), stays)
    }

    #[test]
    fn a_value_goes_the_way_the_api_takes_it() {
        let clears = |path: &str, now: Json| {
            let (value, stays) = told(path, &now);
            assert_eq!(stays, Vec::<String>::new(), "{path}");
            value.unwrap()
        };
        for path in ["nullable", "emptied", "unknown"] {
            assert_eq!(clears(path, json!("x")), json!(null), "{path}");
        }
        assert_eq!(clears("on", json!(false)), json!(true), "the server's own");
        assert_eq!(told("on", &json!(true)), (None, vec![]), "it has that");
        assert_eq!(clears("set", json!(["x"])), json!([]));
        assert_eq!(clears("map", json!({"k": "v"})), json!({}));
        assert_eq!(clears("gone", json!({"a": "x"})), json!(null), "it is deleted");
    }

    #[test]
    fn what_is_written_whole_is_cleared_by_leaving_it_out() {
        for path in ["whole.a", "whole.b", "whole.b.c", "full.a"] {
            assert_eq!(told(path, &json!("x")), (Some(json!(null)), vec![]), "{path}");
        }
        let now = json!({"a": "x", "b": {"c": "y"}});
        assert_eq!(told("whole", &now), (Some(json!({"a": null, "b": null})), vec![]));
    }

    #[test]
    fn what_nothing_clears_stays() {
        for path in ["text", "absent", "some", "merged.a", "part.a"] {
            assert_eq!(told(path, &json!("x")), (None, vec![path.to_owned()]));
        }
        assert_eq!(told("full", &json!({"a": "x"})), (None, vec!["full".to_owned()]), "it cannot be empty");
    }

    #[test]
    fn of_what_is_merged_goes_what_can() {
        let (value, stays) = told("merged", &json!({"a": "x", "b": true}));
        assert_eq!((value, stays), (Some(json!({"b": false})), vec!["merged.a".to_owned()]));
        let (value, stays) = told("part", &json!({"a": "x", "b": "y"}));
        assert_eq!((value, stays), (Some(json!({"b": null})), vec!["part.a".to_owned()]));
    }
}
