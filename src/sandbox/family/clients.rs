//! Clients (applications).

use serde_json::{Map, Value, json};

use super::client_rules::{self, View, shown, tenant_name};
use super::parts::{children, conflict, matches_flag, rows, store, text, texts};
use super::{client_grants, connections, credentials};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, checkpoint, either, selected, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on clients.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/clients", list),
    route(Method::Post, "/clients", create),
    route(Method::Post, "/clients/cimd/register", register_document),
    route(Method::Get, "/clients/{id}", read),
    route(Method::Patch, "/clients/{id}", update),
    route(Method::Delete, "/clients/{id}", delete),
    route(Method::Post, "/clients/{id}/rotate-secret", rotate),
    route(Method::Get, "/clients/{id}/connections", list_connections),
];

/// Blocks of a client that hold credentials, as path from the top, with the type of credential each takes.
const CREDENTIAL_BLOCKS: [(&[&str], &str); 5] = [
    (&["client_authentication_methods", "private_key_jwt"], "public_key"),
    (&["client_authentication_methods", "tls_client_auth"], "cert_subject_dn"),
    (&["client_authentication_methods", "self_signed_tls_client_auth"], "x509_cert"),
    (&["signed_request_object"], "public_key"),
    (&["token_vault_privileged_access"], "public_key"),
];

/// Adds the global client and the Default App of a fresh tenant (recorded traffic).
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    let (global, app) = (state.alphanumeric(32), state.alphanumeric(32));
    let tokens = json!({
        "expiration_type": "non-expiring", "leeway": 0, "infinite_token_lifetime": true,
        "infinite_idle_token_lifetime": true, "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000,
        "rotation_type": "non-rotating",
    });
    let all = json!({
        "tenant": tenant_name(state), "global": true, "callbacks": [], "is_first_party": true,
        "name": "All Applications", "refresh_token": tokens, "owners": ["mr|auth0|owner"],
        "custom_login_page": "<html></html>", "cross_origin_authentication": true, "client_id": global,
        "client_secret": state.alphanumeric(64), "custom_login_page_on": true,
    });
    let default = json!({
        "tenant": tenant_name(state), "global": false, "is_token_endpoint_ip_header_trusted": false,
        "name": "Default App", "callbacks": [], "cross_origin_authentication": false, "is_first_party": true,
        "oidc_conformant": true, "refresh_token": tokens, "sso_disabled": false, "cross_origin_auth": false,
        "client_id": app, "callback_url_template": false, "client_secret": state.alphanumeric(64),
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false},
        "grant_types": ["authorization_code", "implicit", "refresh_token", "client_credentials"],
        "custom_login_page_on": true,
    });
    store(state, "clients", &global, all);
    store(state, "clients", &app, default);
}

/// Returns a client.
///
/// # Errors
/// 404 `inexistent_client`.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Value, ApiError> {
    state.object("clients", id).ok_or_else(|| ApiError::new(404, "inexistent_client", "The client does not exist"))
}

/// Returns type and id of every credential that a client's blocks name.
pub(super) fn used_credentials(client: &Value) -> Vec<(&'static str, String)> {
    let mut used = Vec::new();
    for (path, kind) in CREDENTIAL_BLOCKS {
        let block = path.iter().try_fold(client, |value, member| value.get(member));
        let named = block.and_then(|block| block.get("credentials")).and_then(Value::as_array);
        used.extend(named.into_iter().flatten().map(|credential| (kind, text(credential, "id").to_owned())));
    }
    used
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let app_types: Vec<&str> =
        call.query("app_type").map(|types| types.split(',').map(str::trim).collect()).unwrap_or_default();
    let mut found = Vec::new();
    for client in rows(state, "clients") {
        let is_wanted = matches_flag(call.query("is_global"), &client, "global")
            && matches_flag(call.query("is_first_party"), &client, "is_first_party")
            && (app_types.is_empty() || app_types.contains(&text(&client, "app_type")))
            && call.query("external_client_id").is_none_or(|id| text(&client, "external_client_id") == id);
        let is_matched = match call.query("q").filter(|q| !q.trim().is_empty()) {
            Some(q) => client_rules::matches_query(state, &client, q)?,
            None => true,
        };
        if is_wanted && is_matched {
            found.push(shown(state, call, &client, View::Read));
        }
    }
    either(call, "clients", found, OffsetOrder::TotalsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let client = find(state, call.param(0))?;
    Ok(Reply::ok(selected(call, shown(state, call, client, View::Read))))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let mut body = call.fields();
    let aliases = texts(body.get("client_aliases"));
    let is_alias_taken = state
        .collection("clients")
        .any(|(_, client)| texts(client.get("client_aliases")).iter().any(|alias| aliases.contains(alias)));
    if is_alias_taken {
        return Err(conflict("client_alias_conflict", "Another client exists with the same alias."));
    }
    client_rules::check_method(&body)?;
    client_rules::check_organizations(&body)?;
    client_rules::check_references(state, &body)?;
    let blocks = take_credentials(&mut body);
    let mut client = client_rules::new_client(state, body)?;
    let id = client.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut whole = client.clone();
    if let Err(error) = register(state, &id, blocks, &mut client, &mut whole, call.now_ms) {
        state.collections.shift_remove(&credentials::collection(&id));
        return Err(error);
    }
    store(state, "clients", &id, Value::Object(client));
    Ok(Reply::created(shown(state, call, &Value::Object(whole), View::Created)))
}

/// Registers a client by the address of its metadata document, or finds it registered (API description, POST
/// /clients/cimd/register). The document is not fetched: the client is named like the host it would lie on.
fn register_document(state: &mut State, call: &Call) -> Outcome {
    let body = call.fields();
    let address = body.get("external_client_id").and_then(Value::as_str).unwrap_or_default();
    let Some(host) = url::Url::parse(address)
        .ok()
        .filter(|url| url.scheme() == "https")
        .and_then(|url| url.host_str().map(str::to_owned))
    else {
        return Err(ApiError::invalid_body("Invalid request body. external_client_id must be an absolute HTTPS URI."));
    };
    let known = state.collection("clients").find(|(_, client)| text(client, "external_client_id") == address);
    let (status, client) = match known {
        Some((_, client)) => (200, client.clone()),
        None => {
            let given = json!({
                "name": host, "external_client_id": address, "external_metadata_type": "cimd",
                "external_metadata_created_by": "admin", "is_first_party": false, "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"],
            });
            let client = client_rules::new_client(state, given.as_object().cloned().unwrap_or_default())?;
            let client = Value::Object(client);
            store(state, "clients", text(&client, "client_id"), client.clone());
            (201, client)
        }
    };
    let mapped = ["external_client_id", "name", "grant_types", "token_endpoint_auth_method"];
    let mapped: Map<String, Value> =
        mapped.iter().filter_map(|member| Some(((*member).to_owned(), client.get(*member)?.clone()))).collect();
    let answer = json!({
        "client_id": client["client_id"], "mapped_fields": mapped,
        "validation": {"valid": true, "violations": [], "warnings": []},
    });
    Ok(if status == 201 { Reply::created(answer) } else { Reply::ok(answer) })
}

type Block = (&'static [&'static str], Vec<Value>);

/// Takes the credentials out of a create body, block by block.
fn take_credentials(body: &mut Map<String, Value>) -> Vec<Block> {
    let mut taken = Vec::new();
    for (path, _) in CREDENTIAL_BLOCKS {
        if let Some(Value::Array(list)) = credentials_of(body, path).map(Value::take) {
            taken.push((path, list));
        }
    }
    taken
}

fn credentials_of<'a>(client: &'a mut Map<String, Value>, path: &[&str]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    let block = rest.iter().try_fold(client.get_mut(*first)?, |value, member| value.get_mut(member))?;
    block.get_mut("credentials")
}

/// Registers the credentials of a create. The stored client names their ids, the answer repeats them whole.
fn register(
    state: &mut State,
    id: &str,
    blocks: Vec<Block>,
    client: &mut Map<String, Value>,
    whole: &mut Map<String, Value>,
    now_ms: i64,
) -> Result<(), ApiError> {
    for (path, given) in blocks {
        let mut made = Vec::new();
        for credential in given {
            let fields = credential.as_object().cloned().unwrap_or_default();
            made.push(credentials::register(state, id, &fields, now_ms)?);
        }
        if let Some(slot) = credentials_of(client, path) {
            *slot = made.iter().map(|credential| json!({"id": credential["id"]})).collect();
        }
        if let Some(slot) = credentials_of(whole, path) {
            *slot = made.iter().map(visible).collect();
        }
    }
    Ok(())
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let Value::Object(mut client) = find(state, id)?.clone() else {
        return Err(find_failed());
    };
    let body = call.fields();
    let touches_keys = body.contains_key("client_secret") || body.contains_key("encryption_key");
    if touches_keys && !call.caller.scopes.iter().any(|scope| scope == "update:client_keys") {
        let message = "Insufficient scope, expected any of: update:client_keys";
        return Err(ApiError::new(403, "insufficient_scope", message));
    }
    client_rules::check_references(state, &body)?;
    credentials::check_used(state, id, &Value::Object(body.clone()))?;
    client_rules::change(&mut client, body)?;
    client_rules::check_method(&client)?;
    client_rules::check_organizations(&client)?;
    let client = Value::Object(client);
    let answer = shown(state, call, &client, View::Written);
    store(state, "clients", id, client);
    Ok(Reply::ok(answer))
}

/// Says that the stored client is no object, which only a state set from outside can bring about.
fn find_failed() -> ApiError {
    ApiError::bare(500, "The stored client is not an object")
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    if state.object("clients", id).is_some_and(|client| client.get("global") == Some(&Value::Bool(true))) {
        return Err(ApiError::new(400, "operation_not_supported", "Global client cannot be deleted."));
    }
    if state.remove("clients", id).is_none() {
        return Ok(Reply::no_content());
    }
    client_grants::remove(state, |grant| text(grant, "client_id") == id);
    state.collections.shift_remove(&credentials::collection(id));
    for collection in children(state, "organization_clients/") {
        state.remove(&collection, id);
    }
    connections::forget_client(state, id);
    Ok(Reply::no_content())
}

fn rotate(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    let secret = state.alphanumeric(64);
    let Some(client) = state.object_mut("clients", id).and_then(Value::as_object_mut) else {
        return Err(find_failed());
    };
    client.insert("client_secret".to_owned(), json!(secret));
    let client = Value::Object(client.clone());
    Ok(Reply::ok(shown(state, call, &client, View::Written)))
}

fn list_connections(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    let wanted: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "strategy").map(|(_, value)| value.as_str()).collect();
    let mut found = Vec::new();
    let may_see_options = call.caller.scopes.iter().any(|scope| scope == "read:connections_options");
    for connection in rows(state, "connections") {
        let is_enabled = connections::is_enabled(state, text(&connection, "id"), id);
        if !is_enabled || !(wanted.is_empty() || wanted.contains(&text(&connection, "strategy"))) {
            continue;
        }
        let mut connection = visible(&connection);
        if let Some(members) = connection.as_object_mut().filter(|_| !may_see_options) {
            members.shift_remove("options");
        }
        found.push(connection);
    }
    checkpoint(call, "connections", found)
}

#[cfg(test)]
#[path = "clients_tests.rs"]
mod tests;
