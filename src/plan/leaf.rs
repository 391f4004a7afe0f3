//! Leaves by path: finding one, and setting it.

use super::diff::{any, names};
use crate::model::{Path, Segment, Value};
use crate::schema::FieldSpec;

/// Returns what stands at a path: members by key, items of sets and keyed lists by name.
pub fn lookup<'v>(spec: &FieldSpec, value: &'v Value, path: &Path) -> Option<&'v Value> {
    let mut here = (spec, value);
    for segment in &path.0 {
        here = match segment {
            Segment::Key(key) => (here.0.member(key).unwrap_or(any()), here.1.get(key)?),
            Segment::Index(at) => (here.0.item().unwrap_or(any()), here.1.as_array()?.get(*at)?),
            Segment::Item(name) => {
                let items = here.1.as_array()?;
                let at = names(here.0, items).iter().position(|known| known == name)?;
                (here.0.item().unwrap_or(any()), items.get(at)?)
            }
        };
    }
    Some(here.1)
}

/// Returns the member at a path of keys, for writing.
pub(super) fn lookup_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.0.iter().try_fold(value, |here, segment| match segment {
        Segment::Key(key) => here.as_object_mut()?.get_mut(key),
        Segment::Index(_) | Segment::Item(_) => None,
    })
}

/// Puts a leaf where a path says, or takes it away; what holds it is made where it is missing.
pub fn set(spec: &FieldSpec, value: &mut Value, path: &[Segment], leaf: Option<Value>) {
    let Some((first, rest)) = path.split_first() else {
        *value = leaf.unwrap_or(Value::Null);
        return;
    };
    match first {
        Segment::Key(key) => {
            if !matches!(value, Value::Object(_)) {
                if leaf.is_none() {
                    return;
                }
                *value = Value::object();
            }
            let Some(members) = value.as_object_mut() else { return };
            if rest.is_empty() && leaf.is_none() {
                members.shift_remove(key);
            } else if members.contains_key(key) || leaf.is_some() {
                set(spec.member(key).unwrap_or(any()), members.entry(key.clone()).or_default(), rest, leaf);
            }
        }
        Segment::Index(_) => {}
        Segment::Item(name) => {
            if !matches!(value, Value::Array(_)) {
                if leaf.is_none() {
                    return;
                }
                *value = Value::Array(Vec::new());
            }
            let Value::Array(items) = value else { return };
            let at = names(spec, items).iter().position(|known| known == name);
            match (at, rest.is_empty(), leaf) {
                (Some(at), true, None) => drop(items.remove(at)),
                (Some(at), _, leaf) => {
                    if let Some(item) = items.get_mut(at) {
                        set(spec.item().unwrap_or(any()), item, rest, leaf);
                    }
                }
                (None, true, Some(leaf)) => items.push(leaf),
                (None, ..) => {}
            }
        }
    }
}

/// Takes those items out of the list at a path of keys that `now`, the same resource later, lacks there.
pub fn lose(spec: &FieldSpec, value: &mut Value, path: &Path, now: &Value) {
    let list = spec_at(spec, path);
    let left = path.0.iter().try_fold(now, |here, segment| match segment {
        Segment::Key(key) => here.get(key),
        Segment::Index(_) | Segment::Item(_) => None,
    });
    let left = names(list, left.and_then(|left| left.as_array()).map_or(&[][..], |items| items));
    let Some(Value::Array(items)) = lookup_mut(value, path) else { return };
    let mut named = names(list, items).into_iter();
    items.retain(|_| named.next().is_none_or(|name| left.contains(&name)));
}

/// Brings the items of an ordered list into an order, given by their names; items it does not name keep their place.
pub(super) fn reorder(spec: &FieldSpec, items: &mut [Value], order: &[String]) {
    let names = names(spec, items);
    let place = |name: &String| order.iter().position(|known| known == name);
    let slots: Vec<usize> = (0..items.len()).filter(|at| names.get(*at).and_then(place).is_some()).collect();
    let mut moving: Vec<(usize, Value)> =
        slots.iter().filter_map(|at| Some((names.get(*at).and_then(place)?, items.get(*at)?.clone()))).collect();
    moving.sort_by_key(|(place, _)| *place);
    for (slot, (_, item)) in slots.into_iter().zip(moving) {
        if let Some(target) = items.get_mut(slot) {
            *target = item;
        }
    }
}

/// Returns the shape of what stands at a path.
pub(super) fn spec_at<'s>(spec: &'s FieldSpec, path: &Path) -> &'s FieldSpec {
    path.0.iter().fold(spec, |here, segment| {
        match segment {
            Segment::Key(key) => here.member(key),
            Segment::Index(_) | Segment::Item(_) => here.item(),
        }
        .unwrap_or(any())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    #[test]
    fn a_list_loses_what_is_no_longer_there() {
        let spec = spec();
        let was = json!({"a": 1, "s": ["p", "q"], "k": [{"id": "i", "v": 1}, {"id": "j", "v": 1}]});
        let lost = |path: &str, now: serde_json::Value| {
            let mut value = Value::from_json(&was);
            lose(&spec, &mut value, &Path::root().key(path), &Value::from_json(&now));
            value.get(path).unwrap().redacted()
        };
        assert_eq!(lost("s", json!({"s": ["q", "r"]})), json!(["q"]));
        assert_eq!(lost("k", json!({"k": [{"id": "j", "v": 2}]})), json!([{"id": "j", "v": 1}]));
        assert_eq!(lost("s", json!({})), json!([]));
    }

    const FIELDS: &str = "properties:
  a: {}
  m: {type: object, additionalProperties: {}}
  s: {type: array, x-set: true, items: {}}
  k: {type: array, x-ordered-key: id, items: {properties: {id: {}, v: {}}}}
";

    fn spec() -> FieldSpec {
        Registry::of(&[("things", FIELDS)]).kind("things").unwrap().fields.clone()
    }

    #[test]
    fn leaves_are_found_and_set_by_path() {
        let spec = spec();
        let mut value = Value::from_json(&json!({"a": 1, "m": {"x": 1}, "s": ["p", "q"], "k": [{"id": "i", "v": 1}]}));
        let root = Path::root();
        let item = root.key("k").item("i").key("v");
        assert_eq!(lookup(&spec, &value, &item).unwrap().redacted(), json!(1));
        assert_eq!(lookup(&spec, &value, &root.key("s").item("q")).unwrap().redacted(), json!("q"));
        assert_eq!(lookup(&spec, &value, &root.key("k").item("j")), None);
        let mut put = |path: &Path, leaf: Option<serde_json::Value>| {
            set(&spec, &mut value, &path.0, leaf.map(|leaf| Value::from_json(&leaf)));
        };
        put(&item, Some(json!(2)));
        put(&root.key("s").item("p"), None);
        put(&root.key("s").item("r"), Some(json!("r")));
        put(&root.key("m").key("x"), None);
        put(&root.key("m").key("y"), Some(json!(3)));
        put(&root.key("new").key("deep"), Some(json!(4)));
        put(&root.key("none").key("deep"), None);
        put(&root.key("k").item("nobody").key("v"), Some(json!(5)));
        put(&root.key("a"), None);
        let expected = json!({"m": {"y": 3}, "s": ["q", "r"], "k": [{"id": "i", "v": 2}], "new": {"deep": 4}});
        assert_eq!(value.redacted(), expected);
    }

    #[test]
    fn items_take_an_order_and_what_it_does_not_name_stays() {
        let spec = spec();
        let list = spec.member("k").unwrap();
        let item = |id: &str| Value::from_json(&json!({"id": id}));
        let mut items = vec![item("a"), item("new"), item("b"), item("b")];
        reorder(list, &mut items, &["b".to_owned(), "a".to_owned(), "b (2)".to_owned()]);
        assert_eq!(names(list, &items), ["b", "new", "a", "b (2)"]);
    }
}
