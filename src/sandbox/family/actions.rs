//! `/actions/actions`: code that is drafted, built, deployed and bound.

use serde_json::{Map, Value, json};

use super::action_versions::{self, DRAFT};
use super::parts::{assign, fill_object, is_true, items, set, text, unset};
use super::triggers;
use crate::sandbox::call::Method::{Delete, Get, Patch, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ns;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/actions/actions", list),
    route(Post, "/actions/actions", create),
    route(Get, "/actions/actions/{id}", read),
    route(Patch, "/actions/actions/{id}", update),
    route(Delete, "/actions/actions/{id}", delete),
    route(Post, "/actions/actions/{id}/deploy", deploy),
    route(Get, "/actions/modules", no_modules),
];

pub(super) const ACTIONS: &str = "actions";

/// Limits of the service's entity-limit policy.
const MOST_ACTIONS: usize = 100;
const MOST_SECRETS: usize = 30;
const MOST_DEPENDENCIES: usize = 10;
const MOST_CODE_BYTES: usize = 100_000;

pub(super) fn missing() -> ApiError {
    ApiError::bare(404, "That action does not exist.")
}

pub(super) fn refuse(message: impl Into<String>) -> ApiError {
    ApiError::invalid_body(message)
}

/// Wraps the rows of one page: `total` is left out of an empty page, `page` where it is zero (recorded traffic).
pub(super) fn envelope(call: &Call, key: &str, rows: Vec<Value>) -> Value {
    let number = |name: &str| call.query(name).and_then(|text| text.parse::<usize>().ok());
    let (page, size) = (number("page").unwrap_or(0), number("per_page").unwrap_or(20));
    let total = rows.len();
    let rows: Vec<Value> = rows.iter().skip(page.saturating_mul(size)).take(size).map(page::visible).collect();
    let is_empty = rows.is_empty();
    let mut body = json!({key: rows});
    if !is_empty {
        set(&mut body, "total", total);
    }
    if page > 0 {
        set(&mut body, "page", page);
    }
    set(&mut body, "per_page", size);
    body
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let ids: Vec<String> = state.collection(ACTIONS).map(|(id, _)| id.clone()).collect();
    for id in ids {
        advance(state, &id);
    }
    let fits = |action: &Value| {
        let trigger = call
            .query("triggerId")
            .is_none_or(|id| items(action, "supported_triggers").iter().any(|trigger| text(trigger, "id") == id));
        let name = call.query("actionName").is_none_or(|name| text(action, "name") == name);
        let deployed =
            call.query("deployed").is_none_or(|wanted| action.get("deployed_version").is_some() == (wanted == "true"));
        // Nothing here comes from the marketplace.
        trigger && name && deployed && !call.flag("installed")
    };
    let rows = state.collection(ACTIONS).map(|(_, action)| action.clone()).filter(fits).collect();
    Ok(Reply::ok(envelope(call, "actions", rows)))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    advance(state, call.param(0));
    Ok(Reply::ok(page::visible(state.object(ACTIONS, call.param(0)).ok_or_else(missing)?)))
}

/// Moves a build on: a read shows it built at once or after one or two that show it building (recorded traffic).
fn advance(state: &mut State, id: &str) {
    let Some(action) = state.object_mut(ACTIONS, id) else {
        return;
    };
    if text(action, "status") == "built" {
        return;
    }
    let left = action.get("$reads_left").and_then(Value::as_u64).unwrap_or(0);
    if left > 0 {
        set(action, "status", "building");
        set(action, "$reads_left", left - 1);
    } else {
        set(action, "status", "built");
        unset(action, "$reads_left");
    }
}

fn start_build(state: &mut State, action: &mut Value) {
    let left = match state.hex(1).as_str() {
        "0" | "1" => 2,
        "2" | "3" | "4" => 1,
        _ => 0,
    };
    set(action, "status", "pending");
    set(action, "$reads_left", left);
}

/// Checks and completes what was sent: triggers, limits, secrets, modules.
fn checked(call: &Call, old: Option<&Value>) -> Result<Map<String, Value>, ApiError> {
    let mut sent = Value::Object(call.fields());
    let mut triggers = Vec::new();
    for trigger in items(&sent, "supported_triggers") {
        let (id, version) = (text(trigger, "id"), text(trigger, "version"));
        let Some(version) = triggers::version(id, version) else {
            return Err(refuse(format!("The trigger {id} has no version {version}.")));
        };
        triggers.push(json!({"id": id, "version": version}));
    }
    let first = |triggers: &[Value]| triggers.first().map(|trigger| text(trigger, "id").to_owned());
    if let Some(old) = old
        && !triggers.is_empty()
        && first(&triggers) != first(items(old, "supported_triggers"))
    {
        return Err(refuse("The trigger of an action cannot be changed."));
    }
    if !triggers.is_empty() {
        set(&mut sent, "supported_triggers", triggers);
    }
    let runtime = text(&sent, "runtime");
    if !runtime.is_empty() && !triggers::is_runtime(runtime) {
        return Err(refuse(format!("The runtime {runtime} is not available.")));
    }
    if text(&sent, "code").len() > MOST_CODE_BYTES {
        return Err(refuse(format!("The code is longer than {MOST_CODE_BYTES} bytes.")));
    }
    if items(&sent, "dependencies").len() > MOST_DEPENDENCIES {
        return Err(refuse(format!("An action has at most {MOST_DEPENDENCIES} dependencies.")));
    }
    if let Some(module) = items(&sent, "modules").first() {
        return Err(refuse(format!("The action module {} does not exist.", text(module, "module_name"))));
    }
    if sent.get("secrets").is_some() {
        let secrets = sealed(items(&sent, "secrets"), &timestamp_ns(call.now_ms))?;
        set(&mut sent, "secrets", secrets);
    }
    Ok(sent.as_object().cloned().unwrap_or_default())
}

/// Secrets are read as name and time; their values stay inside.
fn sealed(secrets: &[Value], now: &str) -> Result<Vec<Value>, ApiError> {
    if secrets.len() > MOST_SECRETS {
        return Err(refuse(format!("An action has at most {MOST_SECRETS} secrets.")));
    }
    let mut sealed: Vec<Value> = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let name = text(secret, "name");
        if name.is_empty() || sealed.iter().any(|other| text(other, "name") == name) {
            return Err(refuse(format!("The secret name `{name}` is empty or repeated.")));
        }
        sealed.push(json!({"name": name, "updated_at": now, "$value": text(secret, "value")}));
    }
    Ok(sealed)
}

fn create(state: &mut State, call: &Call) -> Outcome {
    if state.collection(ACTIONS).count() >= MOST_ACTIONS {
        return Err(ApiError::bare(403, "You reached the limit of entities of this type for this tenant."));
    }
    let mut sent = Value::Object(checked(call, None)?);
    let deploys = unset(&mut sent, "deploy") == Some(Value::Bool(true));
    let id = state.uuid();
    let now = timestamp_ns(call.now_ms);
    let triggers = sent.get("supported_triggers").cloned().unwrap_or_else(|| json!([]));
    let runtime = items(&sent, "supported_triggers")
        .first()
        .map_or("node22", |trigger| triggers::default_runtime(text(trigger, "id"), text(trigger, "version")));
    let mut action = json!({
        "id": id, "name": text(&sent, "name"), "supported_triggers": triggers, "created_at": now, "updated_at": now,
    });
    for (member, default) in [
        ("code", json!("module.exports = () => {}")),
        ("dependencies", json!([])),
        ("runtime", json!(runtime)),
        ("status", Value::Null),
        ("secrets", json!([])),
    ] {
        set(&mut action, member, sent.get(member).cloned().unwrap_or(default));
    }
    fill_object(&mut action, sent);
    set(&mut action, "all_changes_deployed", false);
    start_build(state, &mut action);
    state.collection_mut(ACTIONS).insert(id.clone(), action);
    if deploys {
        action_versions::deploy_draft(state, &id, call.now_ms)?;
    }
    Ok(Reply::created(page::visible(state.object(ACTIONS, &id).ok_or_else(missing)?)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let old = state.object(ACTIONS, call.param(0)).ok_or_else(missing)?.clone();
    let mut changes = checked(call, Some(&old))?;
    changes.shift_remove("deploy");
    let rebuilds = DRAFT.iter().any(|member| changes.contains_key(*member));
    let mut action = old;
    assign(&mut action, &changes);
    set(&mut action, "updated_at", timestamp_ns(call.now_ms));
    if rebuilds {
        start_build(state, &mut action);
    }
    let deployed = action_versions::is_deployed(&action);
    set(&mut action, "all_changes_deployed", deployed);
    state.collection_mut(ACTIONS).insert(call.param(0).to_owned(), action.clone());
    Ok(Reply::ok(page::visible(&action)))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    state.object(ACTIONS, id).ok_or_else(missing)?;
    if triggers::is_bound(state, id) && !call.flag("force") {
        return Err(ApiError::bare(
            400,
            "The action is bound to a trigger. Remove its bindings first, or delete it with force=true.",
        ));
    }
    triggers::unbind(state, id);
    state.collections.shift_remove(&action_versions::collection(id));
    state.remove(ACTIONS, id);
    Ok(Reply::no_content())
}

fn deploy(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let action = state.object(ACTIONS, id).ok_or_else(missing)?;
    if text(action, "status") != "built" {
        // Counts as a look at the build, for clients that only try again.
        advance(state, id);
        return Err(ApiError::bare(400, "A draft must be in the 'built' state before it can be deployed."));
    }
    Ok(Reply::ok(action_versions::deploy_draft(state, id, call.now_ms)?))
}

/// Modules are not simulated; their list always names its page (recorded traffic).
fn no_modules(_state: &mut State, call: &Call) -> Outcome {
    let number = |name: &str, default: u64| call.query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    Ok(Reply::ok(json!({"modules": [], "total": 0, "page": number("page", 0), "per_page": number("per_page", 50)})))
}

/// Returns an action without what the embedded form lacks: its versions carry the code.
pub(super) fn embedded(action: &Value) -> Value {
    let mut seen = page::visible(action);
    for member in ["current_version", "status"] {
        unset(&mut seen, member);
    }
    seen
}

/// Says whether an action has a deployed version.
pub(super) fn has_deployed(action: &Value) -> bool {
    action.get("deployed_version").is_some_and(|version| is_true(version, "deployed"))
}

#[cfg(test)]
#[path = "actions_tests.rs"]
mod tests;
