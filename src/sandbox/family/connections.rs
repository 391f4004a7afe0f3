//! `/connections`: identity providers and databases, with the clients that may use them.

use serde_json::{Value, json};

use super::parts::{assign, children, fill_object, is_true, items, set, text, unset};
use super::{databases, directories, scim, strategies};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page::{self, OffsetOrder};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/connections", list),
    route(Post, "/connections", create),
    route(Get, "/connections/{id}", read),
    route(Patch, "/connections/{id}", update),
    route(Delete, "/connections/{id}", delete),
    route(Get, "/connections/{id}/status", status),
    route(Get, "/connections/{id}/clients", list_clients),
    route(Patch, "/connections/{id}/clients", update_clients),
    route(Delete, "/connections/{id}/users", delete_user),
];

const CONNECTIONS: &str = "connections";
/// Connections whose deletion still runs, by id.
const DELETING: &str = "connections_deleting";
/// How long a deletion takes.
const DELETION_MS: i64 = 2_000;
/// A deletion also ends after this many calls that look at connections or at it.
const DELETION_ASKS: u64 = 2;

/// Adds the connections of a fresh tenant.
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    for (name, strategy, options) in [
        ("Username-Password-Authentication", "auth0", json!({"disable_self_service_change_password": false})),
        ("google-oauth2", "google-oauth2", json!({"email": true, "scope": ["email", "profile"], "profile": true})),
    ] {
        let connection = json!({"options": options, "strategy": strategy, "name": name});
        insert(state, connection);
    }
}

/// Clients that may use a connection, by client id.
fn clients_of(connection: &str) -> String {
    format!("connection_clients/{connection}")
}

fn enable(state: &mut State, connection: &str, client: &str) {
    state
        .collection_mut(&clients_of(connection))
        .entry(client.to_owned())
        .or_insert_with(|| json!({"client_id": client}));
}

/// Says whether a client may use a connection.
pub(super) fn is_enabled(state: &State, connection: &str, client: &str) -> bool {
    state.object(&clients_of(connection), client).is_some()
}

/// Takes a client out of every connection.
pub(super) fn forget_client(state: &mut State, client: &str) {
    for collection in children(state, "connection_clients/") {
        state.remove(&collection, client);
    }
}

/// The answer to a path that names no connection (recorded traffic).
pub(super) fn missing() -> ApiError {
    ApiError::new(404, "inexistent_connection", "The connection does not exist")
}

/// Returns what a caller sees: `options` only with its own scope (API description, GET /connections).
fn shown(state: &State, call: &Call, connection: &Value) -> Value {
    let mut seen = page::visible(connection);
    let clients: Vec<&str> = state.collection(&clients_of(text(connection, "id"))).map(|(id, _)| id.as_str()).collect();
    set(&mut seen, "enabled_clients", clients);
    if !call.caller.scopes.iter().any(|scope| scope == "read:connections_options") {
        unset(&mut seen, "options");
    }
    seen
}

/// Looking at connections lets running deletions proceed: with requests in between, a stopped clock ends them too.
fn tick(state: &mut State, now_ms: i64) {
    let ids: Vec<String> = state.collection(DELETING).map(|(id, _)| id.clone()).collect();
    for id in ids {
        still_deleting(state, &id, now_ms);
    }
}

fn list(state: &mut State, call: &Call) -> Outcome {
    tick(state, call.now_ms);
    let strategies: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "strategy").map(|(_, value)| value.as_str()).collect();
    let name = call.query("name");
    let mut rows: Vec<Value> = state
        .collection(CONNECTIONS)
        .map(|(_, connection)| connection)
        .filter(|connection| strategies.is_empty() || strategies.contains(&text(connection, "strategy")))
        .filter(|connection| name.is_none_or(|name| text(connection, "name") == name))
        .map(|connection| shown(state, call, connection))
        .collect();
    rows.sort_by_key(|row| text(row, "name").to_lowercase());
    page::either(call, "connections", rows, OffsetOrder::TotalsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    tick(state, call.now_ms);
    let connection = state.object(CONNECTIONS, call.param(0)).ok_or_else(missing)?;
    Ok(Reply::ok(page::selected(call, shown(state, call, connection))))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let mut connection = Value::Object(call.fields());
    let name = text(&connection, "name").to_owned();
    refuse_taken_name(state, &name, call.now_ms)?;
    let realms = match connection.get("realms") {
        Some(_) => items(&connection, "realms").to_vec(),
        None => vec![Value::String(name.clone())],
    };
    check_common(state, &connection, &realms, None)?;
    if !connection.get("options").is_some_and(Value::is_object) {
        set(&mut connection, "options", json!({}));
    }
    let strategy = text(&connection, "strategy").to_owned();
    check_options(state, &name, &strategy, connection.get("options").unwrap_or(&Value::Null), None)?;
    if let Some(options) = connection.get_mut("options").filter(|_| strategy == "auth0") {
        databases::encrypt(state, options);
    }
    let connection = insert(state, connection);
    Ok(Reply::created(shown(state, call, &connection)))
}

/// Completes and stores a new connection.
fn insert(state: &mut State, mut sent: Value) -> Value {
    let id = state.id16("con");
    let strategy = text(&sent, "strategy").to_owned();
    if let Some(options) = sent.get_mut("options") {
        strategies::complete_options(&strategy, options);
    }
    drop_null_metadata(&mut sent);
    for client in items(&sent, "enabled_clients").iter().filter_map(Value::as_str) {
        enable(state, &id, client);
    }
    unset(&mut sent, "enabled_clients");
    let mut connection = json!({"id": id});
    for member in ["options", "strategy", "name"] {
        if let Some(value) = sent.get(member) {
            set(&mut connection, member, value.clone());
        }
    }
    fill_object(&mut connection, sent);
    strategies::complete(state, &mut connection);
    state.collection_mut(CONNECTIONS).insert(id, connection.clone());
    connection
}

fn drop_null_metadata(connection: &mut Value) {
    if let Some(metadata) = connection.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|_, value| !value.is_null());
    }
}

/// A name stays taken while its connection is being deleted (API description, POST /connections, 409).
fn refuse_taken_name(state: &mut State, name: &str, now_ms: i64) -> Result<(), ApiError> {
    if state.find_by(CONNECTIONS, "name", &json!(name)).is_some() {
        return Err(ApiError::bare(409, "A connection with the same name already exists"));
    }
    let id = state.find_by(DELETING, "name", &json!(name)).map(|(id, _)| id.clone());
    if let Some(id) = id
        && still_deleting(state, &id, now_ms).is_some()
    {
        return Err(ApiError::bare(409, "A connection with the same name is being deleted, try again later"));
    }
    Ok(())
}

/// Returns the record of a running deletion and counts the question; forgets a deletion that has ended.
fn still_deleting(state: &mut State, id: &str, now_ms: i64) -> Option<Value> {
    let record = state.object_mut(DELETING, id)?;
    let asked = record.get("$asked").and_then(Value::as_u64).unwrap_or(0);
    let ends = record.get("$ends_ms").and_then(Value::as_i64).unwrap_or(0);
    if asked >= DELETION_ASKS || now_ms >= ends {
        state.remove(DELETING, id);
        return None;
    }
    set(record, "$asked", asked + 1);
    Some(record.clone())
}

/// Checks the rules that do not depend on the strategy; `own` is the id of the connection a PATCH changes.
fn check_common(state: &State, sent: &Value, realms: &[Value], own: Option<&str>) -> Result<(), ApiError> {
    let others = || state.collection(CONNECTIONS).filter(|(id, _)| Some(id.as_str()) != own).map(|(_, other)| other);
    if others().any(|other| items(other, "realms").iter().any(|realm| realms.contains(realm))) {
        return Err(ApiError::bare(
            409,
            "There is already another connection with some realms from \"realms\" parameter",
        ));
    }
    let strategy = text(sent, "strategy");
    if is_true(sent, "is_domain_connection")
        && others().any(|other| text(other, "strategy") == strategy && is_true(other, "is_domain_connection"))
    {
        return Err(ApiError::bare(
            409,
            format!("There is already a domain connection enabled for strategy {strategy}"),
        ));
    }
    for client in items(sent, "enabled_clients") {
        if client.as_str().is_none_or(|id| state.object("clients", id).is_none()) {
            return Err(ApiError::invalid_body(
                "Payload validation error: 'enabled_clients' names a client that does not exist.",
            ));
        }
    }
    Ok(())
}

fn check_options(
    state: &State,
    name: &str,
    strategy: &str,
    options: &Value,
    old: Option<&Value>,
) -> Result<(), ApiError> {
    let has_own_users = strategy == "auth0" && !is_true(options, "enabledDatabaseCustomization");
    if options.get("set_user_root_attributes").is_some_and(|value| !value.is_null())
        && (has_own_users || ["email", "sms"].contains(&strategy))
    {
        // API description, POST /connections, 400.
        return Err(ApiError::invalid_body(
            "options.set_user_root_attributes can be set only for enterprise connections, social connections or \
             custom database connections (using external users store)",
        ));
    }
    if strategy == "auth0" {
        return databases::check(state, name, options, old);
    }
    if options.get("custom_password_hash").is_some_and(|value| !value.is_null()) {
        return Err(ApiError::invalid_body(
            "The custom_password_hash option is only available for database connections",
        ));
    }
    Ok(())
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let old = state.object(CONNECTIONS, id).ok_or_else(missing)?.clone();
    let mut changes = call.fields();
    for fixed in ["name", "strategy"] {
        if changes.contains_key(fixed) {
            return Err(ApiError::invalid_body(format!("Payload validation error: '{fixed}' cannot be changed.")));
        }
    }
    let (name, strategy) = (text(&old, "name").to_owned(), text(&old, "strategy").to_owned());
    if let Some(options) = changes.get_mut("options") {
        let before = old.get("options").cloned().unwrap_or_default();
        check_options(state, &name, &strategy, options, Some(&before))?;
        scim::check_options(state, id, options)?;
        directories::check_options(state, id, options)?;
        if strategy == "auth0" {
            databases::encrypt(state, options);
        }
        *options = strategies::replace_options(&strategy, &before, options.take());
    }
    let mut checked = Value::Object(changes.clone());
    set(&mut checked, "strategy", strategy);
    check_common(state, &checked, items(&checked, "realms"), Some(id))?;
    if changes.shift_remove("enabled_clients").is_some() {
        state.collections.shift_remove(&clients_of(id));
        for client in items(&checked, "enabled_clients").iter().filter_map(Value::as_str) {
            enable(state, id, client);
        }
    }
    let mut connection = old;
    assign(&mut connection, &changes);
    drop_null_metadata(&mut connection);
    state.collection_mut(CONNECTIONS).insert(id.to_owned(), connection.clone());
    Ok(Reply::ok(shown(state, call, &connection)))
}

/// Deletes asynchronously: unreadable at once, the name free later (recorded traffic).
fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let Some(connection) = state.remove(CONNECTIONS, id) else {
        return Ok(match still_deleting(state, id, call.now_ms) {
            Some(record) => accepted(&record),
            None => Reply::no_content(),
        });
    };
    let name = text(&connection, "name");
    scim::forget(state, id);
    directories::forget(state, id);
    state.collections.shift_remove(&clients_of(id));
    for (collection, rows) in &mut state.collections {
        if collection.starts_with("organization_connections/") {
            rows.shift_remove(id);
        }
    }
    state.collection_mut("users").retain(|_, user| !databases::belongs(user, name));
    let record = json!({
        "name": name,
        "deleted_at": timestamp_ms(call.now_ms),
        "$ends_ms": call.now_ms.saturating_add(DELETION_MS),
        "$asked": 0,
    });
    let reply = accepted(&record);
    state.collection_mut(DELETING).insert(id.to_owned(), record);
    Ok(reply)
}

fn accepted(record: &Value) -> Reply {
    Reply { status: 202, body: Some(json!({"deleted_at": text(record, "deleted_at")})) }
}

/// Directory connectors never run here, so theirs is the only strategy that is offline.
fn status(state: &mut State, call: &Call) -> Outcome {
    let connection = state.object(CONNECTIONS, call.param(0)).ok_or_else(missing)?;
    if ["ad", "auth0-adldap"].contains(&text(connection, "strategy")) {
        return Err(ApiError::bare(404, "not connected to any node"));
    }
    Ok(Reply { status: 200, body: None })
}

fn list_clients(state: &mut State, call: &Call) -> Outcome {
    state.object(CONNECTIONS, call.param(0)).ok_or_else(missing)?;
    let mut rows: Vec<Value> =
        state.collection(&clients_of(call.param(0))).map(|(id, _)| json!({"client_id": id})).collect();
    rows.sort_by_key(|row| text(row, "client_id").to_lowercase());
    page::checkpoint(call, "clients", rows)
}

fn update_clients(state: &mut State, call: &Call) -> Outcome {
    let changes = call.body.as_array().map_or(&[][..], Vec::as_slice);
    let id = call.param(0);
    state.object(CONNECTIONS, id).ok_or_else(missing)?;
    if changes.len() > 50 {
        return Err(ApiError::invalid_body(format!(
            "Payload validation error: 'Array is too long ({}), maximum 50'.",
            changes.len()
        )));
    }
    if changes.iter().any(|change| state.object("clients", text(change, "client_id")).is_none()) {
        return Err(ApiError::new(404, "inexistent_client", "The client does not exist"));
    }
    for change in changes {
        let client = text(change, "client_id");
        if is_true(change, "status") {
            enable(state, id, client);
        } else {
            state.remove(&clients_of(id), client);
        }
    }
    Ok(Reply::no_content())
}

fn delete_user(state: &mut State, call: &Call) -> Outcome {
    let connection = state.object(CONNECTIONS, call.param(0)).ok_or_else(missing)?;
    if text(connection, "strategy") != "auth0" {
        return Err(ApiError::bare(400, "Connection must be a database connection"));
    }
    let name = text(connection, "name").to_owned();
    let email = call.query("email").unwrap_or_default();
    state.collection_mut("users").retain(|_, user| text(user, "email") != email || !databases::belongs(user, &name));
    Ok(Reply::no_content())
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
