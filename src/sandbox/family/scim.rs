//! SCIM of connections: a sub-resource with tokens, and a list over all connections.

use serde_json::{Value, json};

use super::connections::missing;
use super::parts::{assign, fill_object, is_true, items, text};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/connections-scim-configurations", list),
    route(Get, "/connections/{id}/scim-configuration", read),
    route(Post, "/connections/{id}/scim-configuration", create),
    route(Patch, "/connections/{id}/scim-configuration", update),
    route(Delete, "/connections/{id}/scim-configuration", delete),
    route(Get, "/connections/{id}/scim-configuration/default-mapping", default_mapping),
    route(Get, "/connections/{id}/scim-configuration/tokens", list_tokens),
    route(Post, "/connections/{id}/scim-configuration/tokens", create_token),
    route(Delete, "/connections/{id}/scim-configuration/tokens/{tokenId}", delete_token),
];

/// SCIM configurations by connection id.
const SCIM: &str = "scim_configurations";

const SCIM_STRATEGIES: [&str; 4] = ["samlp", "oidc", "okta", "waad"];

/// Forgets what a deleted connection had.
pub(super) fn forget(state: &mut State, connection: &str) {
    state.remove(SCIM, connection);
    state.collections.shift_remove(&tokens(connection));
}

/// Refuses options that exclude what is provisioned (API description, PATCH /connections/{id}, 400).
pub(super) fn check_options(state: &State, connection: &str, options: &Value) -> Result<(), ApiError> {
    let common = is_true(options, "useCommonEndpoint") || is_true(options, "waad_common_endpoint");
    if common && state.object(SCIM, connection).is_some() {
        return Err(ApiError::invalid_body(
            "The Azure AD common endpoint cannot be enabled for this connection when SCIM is enabled.",
        ));
    }
    Ok(())
}

pub(super) fn connection<'a>(state: &'a State, call: &Call) -> Result<&'a Value, ApiError> {
    state.object("connections", call.param(0)).ok_or_else(missing)
}

/// The members that name the connection, as both sub-resources show them.
pub(super) fn owner(connection: &Value) -> Value {
    json!({
        "connection_id": text(connection, "id"),
        "connection_name": text(connection, "name"),
        "strategy": text(connection, "strategy"),
    })
}

pub(super) fn rows(state: &State, collection: &str) -> Vec<Value> {
    state.collection(collection).map(|(_, row)| row.clone()).collect()
}

fn list(state: &mut State, call: &Call) -> Outcome {
    page::checkpoint(call, "scim_configurations", rows(state, SCIM))
}

fn absent() -> ApiError {
    ApiError::bare(404, "Not Found")
}

fn read(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    state.object(SCIM, call.param(0)).map(|found| Reply::ok(found.clone())).ok_or_else(absent)
}

fn mapping(strategy: &str) -> Value {
    let user_id = if strategy == "samlp" { "app_metadata.external_id" } else { "external_id" };
    json!([
        {"scim": "userName", "auth0": "username"},
        {"scim": "active", "auth0": "blocked"},
        {"scim": "displayName", "auth0": "name"},
        {"scim": "externalId", "auth0": user_id},
        {"scim": "name.givenName", "auth0": "given_name"},
        {"scim": "name.familyName", "auth0": "family_name"},
        {"scim": "emails[primary eq true].value", "auth0": "email"},
    ])
}

fn check_mapping(body: &Value) -> Result<(), ApiError> {
    let whole = |pair: &Value| !text(pair, "scim").is_empty() && !text(pair, "auth0").is_empty();
    if body.get("mapping").is_some() && !items(body, "mapping").iter().all(whole) {
        return Err(ApiError::invalid_body("Invalid mapping provided"));
    }
    Ok(())
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let connection = connection(state, call)?;
    let strategy = text(connection, "strategy");
    if !SCIM_STRATEGIES.contains(&strategy) {
        return Err(ApiError::bare(404, format!("This connection type ({strategy}) does not support SCIM.")));
    }
    if state.object(SCIM, call.param(0)).is_some() {
        return Err(ApiError::bare(400, "SCIM configuration already exists for connection"));
    }
    let options = connection.get("options").unwrap_or(&Value::Null);
    if is_true(options, "useCommonEndpoint") || is_true(options, "waad_common_endpoint") {
        return Err(ApiError::bare(
            400,
            "SCIM cannot be enabled for this connection when the Azure AD common endpoint is used.",
        ));
    }
    check_mapping(&call.body)?;
    let mut created = owner(connection);
    let tenant = state.domain.split('.').next().unwrap_or_default();
    fill_object(&mut created, json!({"tenant_name": tenant}));
    assign(&mut created, &call.fields());
    let now = timestamp_ms(call.now_ms);
    fill_object(
        &mut created,
        json!({"user_id_attribute": "externalId", "mapping": mapping(strategy), "created_at": now, "updated_on": now}),
    );
    state.collection_mut(SCIM).insert(call.param(0).to_owned(), created.clone());
    Ok(Reply::created(created))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    let found = state.object_mut(SCIM, call.param(0)).ok_or_else(absent)?;
    check_mapping(&call.body)?;
    assign(found, &call.fields());
    super::parts::set(found, "updated_on", timestamp_ms(call.now_ms));
    Ok(Reply::ok(found.clone()))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    state.remove(SCIM, call.param(0));
    state.collections.shift_remove(&tokens(call.param(0)));
    Ok(Reply::no_content())
}

fn default_mapping(state: &mut State, call: &Call) -> Outcome {
    let strategy = text(connection(state, call)?, "strategy");
    if !SCIM_STRATEGIES.contains(&strategy) {
        return Err(absent());
    }
    Ok(Reply::ok(json!({"mapping": mapping(strategy)})))
}

fn tokens(connection: &str) -> String {
    format!("scim_tokens/{connection}")
}

fn list_tokens(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    Ok(Reply::ok(Value::Array(rows(state, &tokens(call.param(0))))))
}

fn create_token(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    if state.object(SCIM, call.param(0)).is_none() {
        return Err(absent());
    }
    let collection = tokens(call.param(0));
    if state.collection(&collection).count() >= 2 {
        return Err(ApiError::bare(409, "Maximum of 2 tokens already issued for this connection"));
    }
    let lifetime = call.body.get("token_lifetime").and_then(Value::as_i64);
    if lifetime.is_some_and(|seconds| seconds <= 900) {
        return Err(ApiError::invalid_body("Payload validation error: 'token_lifetime' must be greater than 900."));
    }
    let id = state.id16("tok");
    let mut row = json!({"token_id": id, "created_at": timestamp_ms(call.now_ms)});
    if let Some(scopes) = call.body.get("scopes") {
        fill_object(&mut row, json!({"scopes": scopes}));
    }
    if let Some(seconds) = lifetime {
        let until = call.now_ms.saturating_add(seconds.saturating_mul(1000));
        fill_object(&mut row, json!({"valid_until": timestamp_ms(until)}));
    }
    state.collection_mut(&collection).insert(id.clone(), row.clone());
    fill_object(&mut row, json!({"token": format!("{id}.{}", state.hex(64))}));
    Ok(Reply::created(row))
}

fn delete_token(state: &mut State, call: &Call) -> Outcome {
    connection(state, call)?;
    state.remove(&tokens(call.param(0)), call.param(1));
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
    fn scim_is_created_with_defaults_read_listed_and_deleted() {
        let mut state = with("okta");
        assert_eq!(refusal(read(&mut state, &get(&["con_1"])), 404).message, "Not Found");
        let made = answer(create(&mut state, &get(&["con_1"])), 201);
        assert_eq!((&made["user_id_attribute"], &made["tenant_name"]), (&json!("externalId"), &json!("travel0")));
        assert_eq!(made["connection_name"], "corp");
        assert_eq!(answer(read(&mut state, &get(&["con_1"])), 200), made);
        assert_eq!(answer(list(&mut state, &get(&[])), 200)["scim_configurations"][0], made);
        refusal(create(&mut state, &get(&["con_1"])), 400);
        let body = json!({"user_id_attribute": "id", "mapping": []});
        assert_eq!(answer(update(&mut state, &call(&["con_1"], body)), 200)["user_id_attribute"], "id");
        answer(delete(&mut state, &get(&["con_1"])), 204);
        answer(delete(&mut state, &get(&["con_1"])), 204);
        refusal(update(&mut state, &get(&["con_1"])), 404);
    }

    #[test]
    fn scim_is_refused_where_it_cannot_be() {
        assert!(refusal(create(&mut with("auth0"), &get(&["con_1"])), 404).message.contains("does not support"));
        let missing = refusal(create(&mut with("okta"), &get(&["con_2"])), 404);
        assert_eq!(missing.code.as_deref(), Some("inexistent_connection"));
        let bad = json!({"mapping": [{"scim": "x"}]});
        assert_eq!(refusal(create(&mut with("okta"), &call(&["con_1"], bad)), 400).message, "Invalid mapping provided");
        let mut state = with("waad");
        answer(create(&mut state, &get(&["con_1"])), 201);
        check_options(&state, "con_1", &json!({"useCommonEndpoint": true})).unwrap_err();
        check_options(&state, "con_1", &json!({"useCommonEndpoint": false})).unwrap();
    }

    #[test]
    fn a_token_is_shown_once_and_there_are_at_most_two() {
        let mut state = with("okta");
        refusal(create_token(&mut state, &get(&["con_1"])), 404);
        answer(create(&mut state, &get(&["con_1"])), 201);
        refusal(create_token(&mut state, &call(&["con_1"], json!({"token_lifetime": 900}))), 400);
        let made = answer(create_token(&mut state, &call(&["con_1"], json!({"token_lifetime": 901}))), 201);
        assert!(made["token"].as_str().unwrap().starts_with("tok_"));
        let listed = answer(list_tokens(&mut state, &get(&["con_1"])), 200);
        assert!(listed[0].get("token").is_none() && listed[0]["valid_until"].is_string());
        answer(create_token(&mut state, &get(&["con_1"])), 201);
        refusal(create_token(&mut state, &get(&["con_1"])), 409);
        answer(delete_token(&mut state, &get(&["con_1", made["token_id"].as_str().unwrap()])), 204);
        answer(create_token(&mut state, &get(&["con_1"])), 201);
    }
}
