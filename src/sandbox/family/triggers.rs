//! `/actions/triggers`: where actions run, and in which order.

use serde_json::{Value, json};

use super::actions::{ACTIONS, embedded, envelope, has_deployed, refuse};
use super::parts::{items, set, text};
use crate::sandbox::call::Method::{Get, Patch};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ns;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/actions/triggers", list),
    route(Get, "/actions/triggers/{triggerId}/bindings", list_bindings),
    route(Patch, "/actions/triggers/{triggerId}/bindings", update_bindings),
];

/// Most actions one trigger runs (entity-limit policy).
const MOST_BINDINGS: usize = 20;

/// One version of a trigger.
struct Row {
    id: &'static str,
    version: &'static str,
    current: bool,
    runtimes: &'static [&'static str],
    default_runtime: &'static str,
    entity_bound: bool,
}

const NEW: &[&str] = &["node18-actions", "node22"];
const ONLY: &[&str] = &["node22"];

const fn row(id: &'static str, version: &'static str, current: bool, default_runtime: &'static str) -> Row {
    let runtimes = if current { NEW } else { ONLY };
    Row { id, version, current, runtimes, default_runtime, entity_bound: false }
}

const fn entity(id: &'static str, runtimes: &'static [&'static str]) -> Row {
    Row { id, version: "v1", current: true, runtimes, default_runtime: "node22", entity_bound: true }
}

/// The rows in the order of recorded traffic.
const ROWS: [Row; 20] = [
    row("post-login", "v3", true, "node22"),
    row("post-login", "v1", false, "node12"),
    Row { runtimes: &["node18", "node22"], ..row("post-login", "v2", false, "node16") },
    row("credentials-exchange", "v2", true, "node22"),
    row("credentials-exchange", "v1", false, "node12"),
    row("pre-user-registration", "v2", true, "node22"),
    row("pre-user-registration", "v1", false, "node12"),
    row("post-user-registration", "v1", false, "node12"),
    row("post-user-registration", "v2", true, "node22"),
    row("post-change-password", "v1", false, "node12"),
    row("post-change-password", "v2", true, "node22"),
    row("send-phone-message", "v2", true, "node22"),
    row("send-phone-message", "v1", false, "node12"),
    row("password-reset-post-challenge", "v1", true, "node22"),
    row("custom-phone-provider", "v1", true, "node22"),
    row("custom-email-provider", "v1", true, "node22"),
    entity("custom-token-exchange", &["node18", "node22"]),
    entity("event-stream", ONLY),
    entity("password-hash-migration", ONLY),
    entity("mcp-tool", ONLY),
];

/// Triggers that only newer tenants list; an action may name them.
const UNLISTED: [&str; 2] = ["login-post-identifier", "signup-post-identifier"];

/// Returns the version an action gets: the one it names, or the current one where it names none.
pub(super) fn version(id: &str, named: &str) -> Option<&'static str> {
    if UNLISTED.contains(&id) && (named.is_empty() || named == "v1") {
        return Some("v1");
    }
    let fits = |row: &&Row| row.id == id && if named.is_empty() { row.current } else { row.version == named };
    ROWS.iter().find(fits).map(|row| row.version)
}

/// Returns the runtime of an action that names none.
pub(super) fn default_runtime(id: &str, version: &str) -> &'static str {
    ROWS.iter().find(|row| row.id == id && row.version == version).map_or("node22", |row| row.default_runtime)
}

/// Says whether any version of any trigger runs on a runtime.
pub(super) fn is_runtime(name: &str) -> bool {
    ROWS.iter().any(|row| row.default_runtime == name || row.runtimes.contains(&name))
}

fn list(_state: &mut State, _call: &Call) -> Outcome {
    let rows = ROWS.iter().map(|row| {
        let compatible = match (row.id, row.version) {
            ("post-login", "v3") => json!([{"id": "post-login", "version": "v2"}]),
            _ => json!([]),
        };
        json!({
            "id": row.id, "version": row.version,
            "status": if row.current { "CURRENT" } else { "DEPRECATED" },
            "runtimes": row.runtimes, "default_runtime": row.default_runtime,
            "binding_policy": if row.entity_bound { "entity-bound" } else { "trigger-bound" },
            "compatible_triggers": compatible,
        })
    });
    Ok(Reply::ok(json!({"triggers": rows.collect::<Value>()})))
}

fn collection(trigger: &str) -> String {
    format!("trigger_bindings/{trigger}")
}

/// Says whether any trigger runs an action.
pub(super) fn is_bound(state: &State, action: &str) -> bool {
    state
        .collections
        .iter()
        .filter(|(name, _)| name.starts_with("trigger_bindings/"))
        .any(|(_, bindings)| bindings.values().any(|binding| text(binding, "$action") == action))
}

/// Takes an action out of every trigger.
pub(super) fn unbind(state: &mut State, action: &str) {
    for (name, bindings) in &mut state.collections {
        if name.starts_with("trigger_bindings/") {
            bindings.retain(|_, binding| text(binding, "$action") != action);
        }
    }
}

fn known(trigger: &str) -> Result<(), ApiError> {
    if UNLISTED.contains(&trigger) || ROWS.iter().any(|row| row.id == trigger) {
        return Ok(());
    }
    Err(ApiError::bare(404, "That trigger does not exist."))
}

/// Returns the bindings of a trigger in their order, each with its action.
fn bindings(state: &State, trigger: &str) -> Vec<Value> {
    let with_action = |binding: &Value| {
        let mut seen = json!({"id": text(binding, "id"), "trigger_id": trigger});
        if let Some(action) = state.object(ACTIONS, text(binding, "$action")) {
            set(&mut seen, "action", embedded(action));
        }
        for member in ["created_at", "updated_at", "display_name"] {
            set(&mut seen, member, text(binding, member));
        }
        seen
    };
    state.collection(&collection(trigger)).map(|(_, binding)| with_action(binding)).collect()
}

fn list_bindings(state: &mut State, call: &Call) -> Outcome {
    known(call.param(0))?;
    let rows = bindings(state, call.param(0));
    Ok(Reply::ok(envelope(call, "bindings", rows)))
}

/// Finds what a reference names: the action's id, and the binding it had.
fn resolve(state: &State, trigger: &str, reference: &Value) -> Result<String, ApiError> {
    let value = text(reference, "value");
    let found = match text(reference, "type") {
        "action_id" => state.object(ACTIONS, value).map(|_| value.to_owned()),
        "binding_id" => state.object(&collection(trigger), value).map(|binding| text(binding, "$action").to_owned()),
        _ => state.find_by(ACTIONS, "name", &json!(value)).map(|(id, _)| id.clone()),
    };
    found.ok_or_else(|| refuse(format!("There is no action or binding {value}.")))
}

fn update_bindings(state: &mut State, call: &Call) -> Outcome {
    let trigger = call.param(0);
    known(trigger)?;
    if ROWS.iter().any(|row| row.id == trigger && row.entity_bound) {
        return Err(refuse(format!("Actions of the trigger {trigger} are bound by the entities that use them.")));
    }
    let sent = items(&call.body, "bindings");
    if sent.len() > MOST_BINDINGS {
        return Err(refuse(format!("A trigger runs at most {MOST_BINDINGS} actions.")));
    }
    let now = timestamp_ns(call.now_ms);
    let mut wanted: Vec<(String, String)> = Vec::with_capacity(sent.len());
    for binding in sent {
        let id = resolve(state, trigger, binding.get("ref").unwrap_or(&Value::Null))?;
        let action = state.object(ACTIONS, &id).unwrap_or(&Value::Null);
        let name = text(action, "name");
        if !items(action, "supported_triggers").iter().any(|supported| text(supported, "id") == trigger) {
            return Err(refuse(format!("The action {name} does not support the trigger {trigger}.")));
        }
        if !has_deployed(action) {
            return Err(refuse(format!("The action {name} must be deployed before it can be bound.")));
        }
        let display = Some(text(binding, "display_name")).filter(|text| !text.is_empty()).unwrap_or(name);
        wanted.push((id.clone(), display.to_owned()));
    }
    if call.body.get("bindings").is_some() {
        store(state, trigger, &wanted, &now);
    }
    Ok(Reply::ok(json!({"bindings": bindings(state, trigger)})))
}

/// Sets the whole order; an action that was bound before keeps its binding.
fn store(state: &mut State, trigger: &str, wanted: &[(String, String)], now: &str) {
    let mut old = state.collections.shift_remove(&collection(trigger)).unwrap_or_default();
    for (action, display) in wanted {
        let kept = old.iter().find(|(_, binding)| text(binding, "$action") == action).map(|(id, _)| id.clone());
        let mut binding = match kept.and_then(|id| old.shift_remove(&id)) {
            Some(binding) => binding,
            None => json!({"id": state.uuid(), "$action": action, "created_at": now}),
        };
        set(&mut binding, "updated_at", now);
        set(&mut binding, "display_name", display.as_str());
        let id = text(&binding, "id").to_owned();
        state.collection_mut(&collection(trigger)).insert(id, binding);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    fn action(state: &mut State, id: &str, trigger: &str, deployed: bool) {
        let mut action = json!({"id": id, "name": format!("N{id}"), "status": "built",
            "supported_triggers": [{"id": trigger, "version": "v3"}], "secrets": [{"name": "K", "$value": "hunter2"}]});
        if deployed {
            set(&mut action, "deployed_version", json!({"deployed": true}));
        }
        state.collection_mut(ACTIONS).insert(id.to_owned(), action);
    }

    fn refs(refs: &[(&str, &str)]) -> Value {
        let bindings: Vec<_> =
            refs.iter().map(|(kind, value)| json!({"ref": {"type": kind, "value": value}})).collect();
        json!({"bindings": bindings})
    }

    fn two() -> State {
        let mut state = tenant();
        action(&mut state, "1", "post-login", true);
        action(&mut state, "2", "post-login", true);
        state
    }

    #[test]
    fn triggers_stand_in_their_fixed_order() {
        let body = answer(list(&mut tenant(), &get(&[])), 200);
        let rows = body["triggers"].as_array().unwrap();
        assert_eq!((rows.len(), &rows[0]["version"], &rows[19]["id"]), (20, &json!("v3"), &json!("mcp-tool")));
        assert_eq!(
            rows[2],
            json!({"id": "post-login", "version": "v2", "status": "DEPRECATED", "runtimes": ["node18", "node22"],
            "default_runtime": "node16", "binding_policy": "trigger-bound", "compatible_triggers": []})
        );
        assert_eq!(rows[16]["binding_policy"], "entity-bound");
    }

    #[test]
    fn a_patch_sets_the_whole_order() {
        let mut state = two();
        let at = ["post-login"];
        assert_eq!(
            answer(list_bindings(&mut state, &query(&at, &[("page", "0"), ("per_page", "50")])), 200),
            json!({"bindings": [], "per_page": 50})
        );
        let body =
            answer(update_bindings(&mut state, &call(&at, refs(&[("action_name", "N1"), ("action_id", "2")]))), 200);
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["bindings"]);
        assert_eq!(body["bindings"][0]["display_name"], "N1");
        assert!(!body.to_string().contains("hunter2"));
        let first = body["bindings"][0]["id"].as_str().unwrap().to_owned();
        let swapped = answer(
            update_bindings(&mut state, &call(&at, refs(&[("action_name", "N2"), ("binding_id", &first)]))),
            200,
        );
        assert_eq!(swapped["bindings"][1]["id"], first.as_str());
        let listed = answer(list_bindings(&mut state, &get(&at)), 200);
        assert_eq!((&listed["total"], &listed["bindings"][0]["action"]["id"]), (&json!(2), &json!("2")));
        assert_eq!(
            answer(update_bindings(&mut state, &call(&at, json!({"bindings": []}))), 200),
            json!({"bindings": []})
        );
    }

    #[test]
    fn only_deployed_actions_of_the_trigger_are_bound() {
        let mut state = two();
        action(&mut state, "draft", "post-login", false);
        action(&mut state, "other", "credentials-exchange", true);
        for (kind, value, part) in [
            ("action_id", "draft", "must be deployed"),
            ("action_id", "other", "does not support"),
            ("action_name", "nobody", "no action or binding"),
            ("binding_id", "x", "no action or binding"),
        ] {
            let body = refs(&[("action_id", "1"), (kind, value)]);
            assert!(refusal(update_bindings(&mut state, &call(&["post-login"], body)), 400).message.contains(part));
        }
        assert!(!is_bound(&state, "1"));
        refusal(update_bindings(&mut state, &call(&["event-stream"], refs(&[]))), 400);
        refusal(update_bindings(&mut state, &call(&["nowhere"], refs(&[]))), 404);
        refusal(list_bindings(&mut state, &get(&["nowhere"])), 404);
        let many = refs(&[("action_id", "1"); MOST_BINDINGS + 1]);
        refusal(update_bindings(&mut state, &call(&["post-login"], many)), 400);
    }

    #[test]
    fn a_bound_action_is_deleted_only_by_force() {
        let mut state = two();
        answer(
            update_bindings(&mut state, &call(&["post-login"], refs(&[("action_id", "1"), ("action_id", "2")]))),
            200,
        );
        let delete = super::super::actions::ROUTES
            .iter()
            .find(|route| route.method == crate::sandbox::call::Method::Delete)
            .unwrap()
            .handler;
        assert!(refusal(delete(&mut state, &get(&["1"])), 400).message.contains("bound"));
        answer(delete(&mut state, &query(&["1"], &[("force", "true")])), 204);
        assert!(!is_bound(&state, "1") && is_bound(&state, "2"));
        assert_eq!(answer(list_bindings(&mut state, &get(&["post-login"])), 200)["total"], 1);
    }
}
