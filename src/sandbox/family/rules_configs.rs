//! `/rules-configs`: values that rules read, by key.

use serde_json::json;

use super::parts::text;
use crate::sandbox::call::Method::{Delete, Get, Put};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/rules-configs", list),
    route(Put, "/rules-configs/{key}", write),
    route(Delete, "/rules-configs/{key}", delete),
];

/// Values by key; only a PUT answer shows one.
const CONFIGS: &str = "rules_configs";

fn list(state: &mut State, _call: &Call) -> Outcome {
    let keys = state.collection(CONFIGS).map(|(key, _)| json!({"key": key}));
    Ok(Reply::ok(keys.collect()))
}

fn write(state: &mut State, call: &Call) -> Outcome {
    let key = call.param(0);
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-@*+:".contains(c);
    if key.is_empty() || key.len() > 127 || !key.chars().all(fits) {
        return Err(ApiError::new(
            400,
            "invalid_uri",
            "Path validation error: 'String does not match pattern ^[A-Za-z0-9_\\-@*+:]*$' on property key.",
        ));
    }
    let value = text(&call.body, "value");
    state.collection_mut(CONFIGS).insert(key.to_owned(), json!({"$value": value}));
    Ok(Reply::ok(json!({"key": key, "value": value})))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    state.remove(CONFIGS, call.param(0));
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, refusal, tenant};
    use super::*;

    #[test]
    fn configs_show_their_keys_only() {
        let mut state = tenant();
        let put = call(&["KEY"], json!({"value": "hunter2"}));
        assert_eq!(answer(write(&mut state, &put), 200), json!({"key": "KEY", "value": "hunter2"}));
        answer(write(&mut state, &put), 200);
        assert_eq!(answer(list(&mut state, &get(&[])), 200), json!([{"key": "KEY"}]));
        refusal(write(&mut state, &call(&["a b"], json!({"value": "v"}))), 400);
        answer(delete(&mut state, &get(&["KEY"])), 204);
        answer(delete(&mut state, &get(&["KEY"])), 204);
        assert_eq!(answer(list(&mut state, &get(&[])), 200), json!([]));
    }
}
