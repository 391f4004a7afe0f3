//! Small operations on stored objects that several families share.

use serde_json::{Map, Value};

/// Returns a text member, or the empty string.
pub(super) fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
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

/// Writes the sent members over an object; a null removes its member.
pub(super) fn assign(object: &mut Value, changes: &Map<String, Value>) {
    let Value::Object(members) = object else {
        return;
    };
    for (name, value) in changes {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

/// Writes the sent members over an object, objects inside member by member; a null removes its member.
pub(super) fn merge(object: &mut Value, changes: &Map<String, Value>) {
    let Value::Object(members) = object else {
        return;
    };
    for (name, value) in changes {
        match value {
            Value::Null => {
                members.shift_remove(name);
            }
            Value::Object(inner) => {
                let target = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
                if !target.is_object() {
                    *target = Value::Object(Map::new());
                }
                merge(target, inner);
            }
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

/// Adds the members of `defaults` that an object lacks.
pub(super) fn fill(object: &mut Value, defaults: Value) {
    if let (Value::Object(members), Value::Object(defaults)) = (object, defaults) {
        for (name, value) in defaults {
            members.entry(name).or_insert(value);
        }
    }
}

/// Returns the elements of a list member; none where it is no list.
pub(super) fn items<'a>(object: &'a Value, member: &str) -> &'a [Value] {
    object.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What the tests of the families share.
#[cfg(test)]
pub(super) mod testing {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::Value;

    use crate::sandbox::call::{ApiError, Call, Caller, Method, Outcome};
    use crate::sandbox::state::State;

    /// The time at which every test happens.
    pub(crate) const NOW_MS: i64 = 1_790_000_000_000;

    /// Returns a call that holds the scopes some handlers look at.
    pub(crate) fn call(params: &[&str], body: Value) -> Call {
        Call {
            method: Method::Get,
            segments: Vec::new(),
            params: params.iter().map(|param| (*param).to_owned()).collect(),
            query: Vec::new(),
            body,
            caller: Caller { scopes: vec!["read:connections_options".to_owned()], ..Caller::default() },
            now_ms: NOW_MS,
        }
    }

    /// Returns a call without body.
    pub(crate) fn get(params: &[&str]) -> Call {
        call(params, Value::Null)
    }

    /// Returns a call with query parameters.
    pub(crate) fn query(params: &[&str], query: &[(&str, &str)]) -> Call {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Call { query, ..get(params) }
    }

    /// Returns a tenant without any object.
    pub(crate) fn tenant() -> State {
        State { domain: "travel0.eu.auth0.com".to_owned(), seed: 7, ..State::default() }
    }

    /// Returns the body of an answer with that status.
    pub(crate) fn answer(outcome: Outcome, status: u16) -> Value {
        let reply = outcome.unwrap();
        assert_eq!(reply.status, status, "{:?}", reply.body);
        reply.body.unwrap_or_default()
    }

    /// Returns the refusal, which must have that status.
    pub(crate) fn refusal(outcome: Outcome, status: u16) -> ApiError {
        let error = outcome.unwrap_err();
        assert_eq!(error.status, status, "{}", error.message);
        error
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    #[test]
    fn assign_replaces_objects_and_merge_keeps_their_other_members() {
        let start = json!({"a": {"x": 1, "y": 2}, "b": 1});
        let changes = json!({"a": {"x": 3}, "b": null});
        let changes = changes.as_object().unwrap();
        let mut assigned = start.clone();
        assign(&mut assigned, changes);
        assert_eq!(assigned, json!({"a": {"x": 3}}));
        let mut merged = start;
        merge(&mut merged, changes);
        assert_eq!(merged, json!({"a": {"x": 3, "y": 2}}));
    }

    #[test]
    fn merge_replaces_what_was_no_object() {
        let mut value = json!({"a": 1});
        merge(&mut value, json!({"a": {"x": {"y": 1}}}).as_object().unwrap());
        assert_eq!(value, json!({"a": {"x": {"y": 1}}}));
    }

    #[test]
    fn fill_overwrites_nothing() {
        let mut value = json!({"a": 1});
        fill(&mut value, json!({"a": 2, "b": 3}));
        assert_eq!(value, json!({"a": 1, "b": 3}));
    }
}
