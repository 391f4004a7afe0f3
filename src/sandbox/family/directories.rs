//! Directory provisioning of connections: a sub-resource with its groups, and a list over all connections.

use serde_json::{Value, json};

use super::parts::{assign, fill_object, items, text};
use super::scim::{connection, owner, rows};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post, Put};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/connections-directory-provisionings", list),
    route(Get, "/connections/{id}/directory-provisioning", read),
    route(Post, "/connections/{id}/directory-provisioning", create),
    route(Patch, "/connections/{id}/directory-provisioning", update),
    route(Delete, "/connections/{id}/directory-provisioning", delete),
    route(Get, "/connections/{id}/directory-provisioning/default-mapping", default_mapping),
    route(Post, "/connections/{id}/directory-provisioning/synchronizations", synchronize),
    route(Get, "/connections/{id}/directory-provisioning/synchronized-groups", list_groups),
    route(Put, "/connections/{id}/directory-provisioning/synchronized-groups", replace_groups),
    route(Post, "/connections/{id}/directory-provisioning/synchronized-groups", add_groups),
    route(Delete, "/connections/{id}/directory-provisioning/synchronized-groups", remove_groups),
];

/// Directory provisionings by connection id.
const DIRECTORY: &str = "directory_provisionings";

/// Forgets what a deleted connection had.
pub(super) fn forget(state: &mut State, connection: &str) {
    state.remove(DIRECTORY, connection);
    state.documents.shift_remove(&groups(connection));
}

/// Refuses options that exclude what is provisioned (API description, PATCH /connections/{id}, 400).
pub(super) fn check_options(state: &State, connection: &str, options: &Value) -> Result<(), ApiError> {
    let off = |member: &str| options.get(member) == Some(&Value::Bool(false));
    if off("api_enable_users") && state.object(DIRECTORY, connection).is_some() {
        return Err(ApiError::invalid_body(
            "The Google Workspace Users API (options.api_enable_users) cannot be disabled for this connection when \
             inbound directory provisioning is enabled.",
        ));
    }
    Ok(())
}

fn list(state: &mut State, call: &Call) -> Outcome {
    page::checkpoint(call, "directory_provisionings", rows(state, DIRECTORY))
}

fn absent() -> ApiError {
    ApiError::bare(404, "Directory provisioning configuration not found")
}

/// Only Google Workspace has a directory to read (recorded traffic: `operation_not_supported` elsewhere).
fn directory_connection<'a>(state: &'a State, call: &Call) -> Result<&'a Value, ApiError> {
    let connection = connection(state, call)?;
    if text(connection, "strategy") != "google-apps" {
        return Err(ApiError::new(
            400,
            "operation_not_supported",
            "The connection strategy does not support inbound directory provisioning",
        ));
    }
    Ok(connection)
}

fn mapping() -> Value {
    json!([
        {"auth0": "email", "idp": "primaryEmail"},
        {"auth0": "external_id", "idp": "id"},
        {"auth0": "family_name", "idp": "name.familyName"},
        {"auth0": "given_name", "idp": "name.givenName"},
        {"auth0": "name", "idp": "name.fullName"},
    ])
}

fn read(state: &mut State, call: &Call) -> Outcome {
    directory_connection(state, call)?;
    state.object(DIRECTORY, call.param(0)).map(|found| Reply::ok(found.clone())).ok_or_else(absent)
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let connection = directory_connection(state, call)?;
    if connection.pointer("/options/api_enable_users") == Some(&Value::Bool(false)) {
        return Err(ApiError::bare(
            400,
            "The Google Workspace Users API is not enabled on the connection. Select the Enable Users API option and \
             go through the setup again.",
        ));
    }
    if state.object(DIRECTORY, call.param(0)).is_some() {
        return Err(ApiError::bare(409, "Directory provisioning is already enabled on the specified connection"));
    }
    let mut created = owner(connection);
    assign(&mut created, &call.fields());
    let now = timestamp_ms(call.now_ms);
    fill_object(
        &mut created,
        json!({
            "mapping": mapping(), "synchronize_automatically": false, "synchronize_groups": "off",
            "created_at": now, "updated_at": now,
        }),
    );
    state.collection_mut(DIRECTORY).insert(call.param(0).to_owned(), created.clone());
    Ok(Reply::created(created))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    directory_connection(state, call)?;
    let found = state.object_mut(DIRECTORY, call.param(0)).ok_or_else(absent)?;
    assign(found, &call.fields());
    super::parts::set(found, "updated_at", timestamp_ms(call.now_ms));
    Ok(Reply::ok(found.clone()))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    state.remove(DIRECTORY, call.param(0));
    state.documents.shift_remove(&groups(call.param(0)));
    Ok(Reply::no_content())
}

fn default_mapping(state: &mut State, call: &Call) -> Outcome {
    directory_connection(state, call)?;
    Ok(Reply::ok(json!({"mapping": mapping()})))
}

fn synchronize(state: &mut State, call: &Call) -> Outcome {
    directory_connection(state, call)?;
    state.object(DIRECTORY, call.param(0)).ok_or_else(absent)?;
    let id = state.id22("sync");
    Ok(Reply::created(json!({"connection_id": call.param(0), "synchronization_id": id, "status": "pending"})))
}

fn groups(connection: &str) -> String {
    format!("synchronized_groups/{connection}")
}

/// Returns the groups that are synchronized.
fn selected_groups(state: &State, call: &Call) -> Result<Vec<Value>, ApiError> {
    directory_connection(state, call)?;
    state.object(DIRECTORY, call.param(0)).ok_or_else(absent)?;
    let stored = state.documents.get(&groups(call.param(0))).and_then(Value::as_array);
    Ok(stored.cloned().unwrap_or_default())
}

fn list_groups(state: &mut State, call: &Call) -> Outcome {
    let mut rows = selected_groups(state, call)?;
    rows.sort_by(|a, b| text(a, "id").cmp(text(b, "id")));
    page::checkpoint(call, "groups", rows)
}

fn replace_groups(state: &mut State, call: &Call) -> Outcome {
    selected_groups(state, call)?;
    store_groups(state, call, items(&call.body, "groups").to_vec())
}

/// Adds groups; one that is there already is written anew.
fn add_groups(state: &mut State, call: &Call) -> Outcome {
    let mut rows = without(selected_groups(state, call)?, items(&call.body, "groups"));
    rows.extend_from_slice(items(&call.body, "groups"));
    store_groups(state, call, rows)
}

fn remove_groups(state: &mut State, call: &Call) -> Outcome {
    let rows = without(selected_groups(state, call)?, items(&call.body, "groups"));
    store_groups(state, call, rows)
}

fn without(rows: Vec<Value>, others: &[Value]) -> Vec<Value> {
    rows.into_iter().filter(|row| !others.iter().any(|other| text(other, "id") == text(row, "id"))).collect()
}

fn store_groups(state: &mut State, call: &Call, rows: Vec<Value>) -> Outcome {
    state.documents.insert(groups(call.param(0)), Value::Array(rows));
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, refusal, tenant};
    use super::*;

    fn with(strategy: &str) -> State {
        let mut state = tenant();
        let connection = json!({"id": "con_1", "name": "corp", "strategy": strategy, "options": {}});
        state.collection_mut("connections").insert("con_1".to_owned(), connection);
        state
    }

    #[test]
    fn directories_are_for_google_workspace() {
        let error = refusal(create(&mut with("okta"), &get(&["con_1"])), 400);
        assert_eq!(error.code.as_deref(), Some("operation_not_supported"));
        let mut state = with("google-apps");
        refusal(read(&mut state, &get(&["con_1"])), 404);
        let made = answer(create(&mut state, &get(&["con_1"])), 201);
        assert_eq!((&made["synchronize_groups"], &made["synchronize_automatically"]), (&json!("off"), &json!(false)));
        refusal(create(&mut state, &get(&["con_1"])), 409);
        let body = json!({"synchronize_groups": "selected"});
        assert_eq!(answer(update(&mut state, &call(&["con_1"], body)), 200)["synchronize_groups"], "selected");
        assert_eq!(answer(list(&mut state, &get(&[])), 200)["directory_provisionings"][0]["connection_id"], "con_1");
        answer(delete(&mut state, &get(&["con_1"])), 204);
        refusal(update(&mut state, &get(&["con_1"])), 404);
    }

    #[test]
    fn groups_are_replaced_as_a_whole() {
        let mut state = with("google-apps");
        refusal(replace_groups(&mut state, &call(&["con_1"], json!({"groups": []}))), 404);
        answer(create(&mut state, &get(&["con_1"])), 201);
        answer(replace_groups(&mut state, &call(&["con_1"], json!({"groups": [{"id": "b"}, {"id": "a"}]}))), 204);
        assert_eq!(answer(list_groups(&mut state, &get(&["con_1"])), 200)["groups"], json!([{"id": "a"}, {"id": "b"}]));
        let change = |ids: &[&str]| {
            call(&["con_1"], json!({"groups": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()}))
        };
        answer(add_groups(&mut state, &change(&["b", "c"])), 204);
        answer(remove_groups(&mut state, &change(&["a", "x"])), 204);
        assert_eq!(answer(list_groups(&mut state, &get(&["con_1"])), 200)["groups"], json!([{"id": "b"}, {"id": "c"}]));
        answer(synchronize(&mut state, &get(&["con_1"])), 201);
        forget(&mut state, "con_1");
        refusal(list_groups(&mut state, &get(&["con_1"])), 404);
    }
}
