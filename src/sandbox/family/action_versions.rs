//! Versions of actions: what a deploy freezes, and how an older one is deployed again.

use serde_json::{Value, json};

use super::actions::{ACTIONS, envelope, missing};
use super::parts::{fill_object, is_true, set, unset};
use crate::sandbox::call::Method::{Get, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ns;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/actions/actions/{actionId}/versions", list),
    route(Get, "/actions/actions/{actionId}/versions/{id}", read),
    route(Post, "/actions/actions/{actionId}/versions/{id}/deploy", deploy),
];

/// Members of an action that are built and frozen into a version.
pub(super) const DRAFT: [&str; 6] = ["code", "dependencies", "secrets", "runtime", "supported_triggers", "modules"];

/// Name of the collection of an action's versions, by version id.
pub(super) fn collection(action: &str) -> String {
    format!("action_versions/{action}")
}

fn absent() -> ApiError {
    ApiError::bare(404, "The action version does not exist.")
}

/// Says whether the draft is what is deployed; secrets count by their values.
pub(super) fn is_deployed(action: &Value) -> bool {
    let Some(version) = action.get("deployed_version") else {
        return false;
    };
    let without_times = |object: &Value, member: &str| {
        let mut value = object.get(member).cloned().unwrap_or_else(|| json!([]));
        for secret in value.as_array_mut().into_iter().flatten() {
            unset(secret, "updated_at");
        }
        value
    };
    DRAFT.iter().all(|member| without_times(action, member) == without_times(version, member))
}

/// Freezes the draft into a new version and deploys it; returns the version as the deploy answers it.
///
/// # Errors
/// 404 for an action that does not exist.
pub(super) fn deploy_draft(state: &mut State, id: &str, now_ms: i64) -> Result<Value, ApiError> {
    let source = state.object(ACTIONS, id).ok_or_else(missing)?.clone();
    publish(state, id, &source, now_ms)
}

/// Deploys the frozen members of `source` as the action's next version.
fn publish(state: &mut State, id: &str, source: &Value, now_ms: i64) -> Result<Value, ApiError> {
    let now = timestamp_ns(now_ms);
    let version_id = state.uuid();
    let number = state.collection(&collection(id)).count() + 1;
    let action = state.object(ACTIONS, id).ok_or_else(missing)?.clone();
    let frozen = |member: &str| source.get(member).cloned();
    let mut version = json!({
        "code": frozen("code"), "dependencies": frozen("dependencies"), "id": version_id, "deployed": true,
        "number": number, "built_at": now, "secrets": frozen("secrets"), "status": "built", "created_at": now,
        "updated_at": now, "runtime": frozen("runtime"), "supported_triggers": frozen("supported_triggers"),
    });
    if let Some(modules) = frozen("modules") {
        set(&mut version, "modules", modules);
    }
    for other in state.collection_mut(&collection(id)).values_mut() {
        set(other, "deployed", false);
    }
    state.collection_mut(&collection(id)).insert(version_id.clone(), version.clone());
    if let Some(stored) = state.object_mut(ACTIONS, id) {
        let current = json!({
            "id": version_id, "code": frozen("code"), "runtime": frozen("runtime"), "status": "BUILT",
            "number": number, "build_time": now, "created_at": now, "updated_at": now,
        });
        set(stored, "current_version", current);
        set(stored, "deployed_version", version.clone());
        let deployed = is_deployed(stored);
        set(stored, "all_changes_deployed", deployed);
    }
    // The answer shows the moment before: nothing deployed yet (recorded traffic).
    set(&mut version, "deployed", false);
    unset(&mut version, "built_at");
    set(&mut version, "action", summary(&action));
    Ok(page::visible(&version))
}

fn summary(action: &Value) -> Value {
    let mut summary = json!({});
    for member in ["id", "name", "supported_triggers", "created_at", "updated_at"] {
        set(&mut summary, member, action.get(member).cloned().unwrap_or_default());
    }
    set(&mut summary, "all_changes_deployed", false);
    summary
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let action = summary(state.object(ACTIONS, id).ok_or_else(missing)?);
    let rows = state.collection(&collection(id)).map(|(_, version)| with_action(version, &action)).rev().collect();
    Ok(Reply::ok(envelope(call, "versions", rows)))
}

fn with_action(version: &Value, action: &Value) -> Value {
    let mut seen = version.clone();
    fill_object(&mut seen, json!({"action": action}));
    seen
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let action = summary(state.object(ACTIONS, call.param(0)).ok_or_else(missing)?);
    let version = state.object(&collection(call.param(0)), call.param(1)).ok_or_else(absent)?;
    Ok(Reply::ok(page::visible(&with_action(version, &action))))
}

/// Deploys an older version again, as a new one; the draft follows only where the body says so.
fn deploy(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    state.object(ACTIONS, id).ok_or_else(missing)?;
    let source = state.object(&collection(id), call.param(1)).ok_or_else(absent)?.clone();
    if is_true(&call.body, "update_draft")
        && let Some(action) = state.object_mut(ACTIONS, id)
    {
        for member in DRAFT {
            if let Some(value) = source.get(member) {
                set(action, member, value.clone());
            }
        }
    }
    Ok(Reply::ok(publish(state, id, &source, call.now_ms)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{NOW_MS, answer, call, get, query, refusal, tenant};
    use super::*;

    fn with_two_versions() -> State {
        let mut state = tenant();
        let action = json!({"id": "a", "name": "A", "code": "one", "dependencies": [], "secrets": [], "runtime": "node22",
            "supported_triggers": [{"id": "post-login", "version": "v3"}], "status": "built"});
        state.collection_mut(ACTIONS).insert("a".to_owned(), action);
        deploy_draft(&mut state, "a", NOW_MS).unwrap();
        set(state.object_mut(ACTIONS, "a").unwrap(), "code", "two");
        deploy_draft(&mut state, "a", NOW_MS).unwrap();
        state
    }

    #[test]
    fn versions_are_listed_newest_first_and_one_is_deployed() {
        let mut state = with_two_versions();
        let listed = answer(list(&mut state, &get(&["a"])), 200);
        assert_eq!((&listed["total"], &listed["per_page"]), (&json!(2), &json!(20)));
        let flags: Vec<_> = listed["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| (v["number"].as_u64(), v["deployed"].as_bool()))
            .collect();
        assert_eq!(flags, [(Some(2), Some(true)), (Some(1), Some(false))]);
        let id = listed["versions"][1]["id"].as_str().unwrap().to_owned();
        assert_eq!(answer(read(&mut state, &get(&["a", &id])), 200)["code"], "one");
        assert_eq!(answer(list(&mut state, &query(&["a"], &[("page", "1"), ("per_page", "1")])), 200)["page"], 1);
        refusal(read(&mut state, &get(&["a", "x"])), 404);
        refusal(list(&mut state, &get(&["x"])), 404);
    }

    #[test]
    fn an_older_version_is_deployed_as_a_new_one() {
        let mut state = with_two_versions();
        let id = answer(list(&mut state, &get(&["a"])), 200)["versions"][1]["id"].as_str().unwrap().to_owned();
        let version = answer(deploy(&mut state, &get(&["a", &id])), 200);
        assert_eq!((&version["number"], &version["code"]), (&json!(3), &json!("one")));
        let action = state.object(ACTIONS, "a").unwrap();
        assert_eq!((&action["code"], &action["all_changes_deployed"]), (&json!("two"), &json!(false)));
        answer(deploy(&mut state, &call(&["a", &id], json!({"update_draft": true}))), 200);
        let action = state.object(ACTIONS, "a").unwrap();
        assert_eq!((&action["code"], &action["all_changes_deployed"]), (&json!("one"), &json!(true)));
        refusal(deploy(&mut state, &get(&["a", "x"])), 404);
    }
}
