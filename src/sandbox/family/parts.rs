//! Small steps that several families share.

use serde_json::{Map, Value};

use crate::sandbox::call::ApiError;
use crate::sandbox::state::State;

/// Returns a text member, or the empty string.
pub(super) fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Says whether a member is there and not null.
pub(super) fn is_set(object: &Map<String, Value>, member: &str) -> bool {
    object.get(member).is_some_and(|value| !value.is_null())
}

/// Returns the objects of a collection in creation order.
pub(super) fn rows(state: &State, collection: &str) -> Vec<Value> {
    state.collection(collection).map(|(_, object)| object.clone()).collect()
}

/// Writes the named members of a PATCH over an object: null removes, anything else replaces.
pub(super) fn overlay(object: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (member, value) in patch {
        if value.is_null() {
            object.shift_remove(&member);
        } else {
            object.insert(member, value);
        }
    }
}

/// Says whether a member is `true`.
pub(super) fn is_true(object: &Value, member: &str) -> bool {
    object.get(member) == Some(&Value::Bool(true))
}

/// Sets one member; does nothing to what is not an object.
pub(super) fn set(object: &mut Value, member: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(member.to_owned(), value.into());
    }
}

/// Removes one member and keeps the order of the others.
pub(super) fn unset(object: &mut Value, member: &str) -> Option<Value> {
    object.as_object_mut()?.shift_remove(member)
}

/// Does as [`overlay`] to a value; nothing to what is not an object.
pub(super) fn assign(object: &mut Value, changes: &Map<String, Value>) {
    if let Value::Object(members) = object {
        overlay(members, changes.clone());
    }
}

/// Returns the elements of a list member; none where it is no list.
pub(super) fn items<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    object.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Merges a PATCH into a value at every depth: members not named survive, null removes, lists are replaced.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Does as [`fill`] to a value; nothing to what is not an object.
pub(super) fn fill_object(object: &mut Value, defaults: Value) {
    if let Value::Object(members) = object {
        fill(members, defaults);
    }
}

/// Inserts members that are not there yet.
pub(super) fn fill(object: &mut Map<String, Value>, defaults: Value) {
    if let Value::Object(defaults) = defaults {
        for (member, value) in defaults {
            object.entry(member).or_insert(value);
        }
    }
}

/// Stores an object under its id; an object that is there keeps its place.
pub(super) fn store(state: &mut State, collection: &str, id: &str, object: Value) {
    state.collection_mut(collection).insert(id.to_owned(), object);
}

/// Removes every object for which `gone` holds, and returns the ids removed.
pub(super) fn remove_where(state: &mut State, collection: &str, gone: impl Fn(&Value) -> bool) -> Vec<String> {
    let ids: Vec<String> =
        state.collection(collection).filter(|(_, object)| gone(object)).map(|(id, _)| id.clone()).collect();
    for id in &ids {
        state.remove(collection, id);
    }
    ids
}

/// Names the collections that hang on a parent: `organization_clients/…`.
pub(super) fn children(state: &State, prefix: &str) -> Vec<String> {
    state.collections.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
}

/// 409 with an error code.
pub(super) fn conflict(code: &str, message: &str) -> ApiError {
    ApiError::new(409, code, message)
}

/// Returns the texts of an array member.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

/// Compares a boolean filter of the query with a member; a missing member counts as false.
pub(super) fn matches_flag(filter: Option<&str>, object: &Value, member: &str) -> bool {
    let is = object.get(member).and_then(Value::as_bool).unwrap_or(false);
    filter.is_none_or(|wanted| (wanted == "true") == is)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use serde_json::json;

    #[test]
    fn merge_keeps_removes_and_replaces() {
        let mut value = json!({"a": {"x": 1, "y": 2}, "list": [1, 2], "gone": 1});
        merge(&mut value, &json!({"a": {"y": 3}, "list": [9], "gone": null, "new": {"z": 1, "none": null}}));
        assert_eq!(value, json!({"a": {"x": 1, "y": 3}, "list": [9], "new": {"z": 1}}));
    }

    #[test]
    fn merge_replaces_what_was_no_object() {
        let mut value = json!({"a": 1});
        merge(&mut value, &json!({"a": {"x": {"y": 1}}}));
        assert_eq!(value, json!({"a": {"x": {"y": 1}}}));
    }

    #[test]
    fn fill_overwrites_nothing_and_needs_an_object() {
        let mut value = json!({"a": 1});
        fill_object(&mut value, json!({"a": 2, "b": 3}));
        assert_eq!(value, json!({"a": 1, "b": 3}));
        let mut text = json!("a");
        fill_object(&mut text, json!({"a": 2}));
        assign(&mut text, &Map::new());
        set(&mut text, "a", 1);
        assert_eq!((text.clone(), unset(&mut text, "a")), (json!("a"), None));
    }

    #[test]
    fn overlay_replaces_objects_whole() {
        let mut object = json!({"a": {"x": 1}, "b": 1}).as_object().unwrap().clone();
        overlay(&mut object, json!({"a": {"y": 1}, "b": null, "c": null}).as_object().unwrap().clone());
        assert_eq!(Value::Object(object), json!({"a": {"y": 1}}));
    }

    #[test]
    fn a_missing_flag_counts_as_false() {
        assert!(matches_flag(Some("false"), &json!({}), "global"));
        assert!(!matches_flag(Some("true"), &json!({}), "global"));
        assert!(matches_flag(None, &json!({"global": true}), "global"));
    }
}
