//! Client grants: what a client may ask of an API.

use serde_json::{Map, Value, json};

use super::parts::{children, conflict, is_set, matches_flag, overlay, remove_where, rows, store, text, texts};
use super::resource_servers::{self, management_identifier, scope_of};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, either, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on client grants.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/client-grants", list),
    route(Method::Post, "/client-grants", create),
    route(Method::Get, "/client-grants/{id}", read),
    route(Method::Patch, "/client-grants/{id}", update),
    route(Method::Delete, "/client-grants/{id}", delete),
    route(Method::Get, "/client-grants/{id}/organizations", organizations),
];

const GRANTS: &str = "client_grants";

/// Removes grants together with their links to organizations.
pub(super) fn remove(state: &mut State, gone: impl Fn(&Value) -> bool) {
    let ids = remove_where(state, GRANTS, gone);
    for collection in children(state, "organization_client_grants/") {
        for id in &ids {
            state.remove(&collection, id);
        }
    }
}

/// Returns a grant.
///
/// # Errors
/// 404 `inexistent_client_grant`.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Value, ApiError> {
    state.object(GRANTS, id).ok_or_else(|| ApiError::new(404, "inexistent_client_grant", "The grant does not exist."))
}

/// Says whether a grant passes the filters of a list that grants share.
pub(super) fn is_wanted(call: &Call, grant: &Value) -> bool {
    ["audience", "client_id"].iter().all(|member| call.query(member).is_none_or(|wanted| text(grant, member) == wanted))
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let mut found: Vec<Value> = rows(state, GRANTS)
        .into_iter()
        .filter(|grant| {
            is_wanted(call, grant)
                && ["subject_type", "default_for"]
                    .iter()
                    .all(|member| call.query(member).is_none_or(|wanted| text(grant, member) == wanted))
                && matches_flag(call.query("allow_any_organization"), grant, "allow_any_organization")
        })
        .collect();
    found.sort_by(|a, b| text(a, "id").cmp(text(b, "id")));
    either(call, "client_grants", found, OffsetOrder::TotalsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(visible(find(state, call.param(0))?)))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let body = call.fields();
    let named = |member: &str| body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (client_id, default_for, audience) = (named("client_id"), named("default_for"), named("audience"));
    if client_id.is_empty() == default_for.is_empty() {
        return Err(ApiError::invalid_body("Exactly one of client_id and default_for is required."));
    }
    let Some(api) = resource_servers::by_identifier(state, &audience).cloned() else {
        return Err(ApiError::new(404, "inexistent_resource_server", format!("Resource server not found: {audience}")));
    };
    let is_first_party = if client_id.is_empty() {
        false
    } else {
        let client = state
            .object("clients", &client_id)
            .ok_or_else(|| ApiError::new(404, "inexistent_client", format!("Client not found: {client_id}")))?;
        if client.get("global") == Some(&Value::Bool(true)) {
            return Err(ApiError::new(400, "validation_error", "A client of this type cannot have client grants."));
        }
        client.get("is_first_party") != Some(&Value::Bool(false))
    };
    if !is_first_party && audience == management_identifier(state) {
        let message = "Client grants for this API cannot be created for third-party clients.";
        return Err(ApiError::new(400, "validation_error", message));
    }
    let subject = if is_set(&body, "subject_type") { named("subject_type") } else { "client".to_owned() };
    let is_taken = state.collection(GRANTS).any(|(_, grant)| {
        text(grant, "client_id") == client_id
            && text(grant, "default_for") == default_for
            && text(grant, "audience") == audience
            && text(grant, "subject_type") == subject
    });
    if is_taken {
        return Err(conflict("client_grant_conflict", "A client grant for this client and audience already exists."));
    }
    let mut grant = Map::new();
    grant.insert("id".to_owned(), json!(state.id16("cgr")));
    overlay(&mut grant, body);
    grant.insert("subject_type".to_owned(), json!(subject));
    complete(&mut grant, &api)?;
    let grant = Value::Object(grant);
    let id = text(&grant, "id").to_owned();
    store(state, GRANTS, &id, grant.clone());
    Ok(Reply::created(visible(&grant)))
}

/// Checks the scopes of a grant against its API; with all scopes allowed the list reads empty.
fn complete(grant: &mut Map<String, Value>, api: &Value) -> Result<(), ApiError> {
    let scopes = texts(grant.get("scope"));
    if grant.get("allow_all_scopes") == Some(&Value::Bool(true)) {
        if !scopes.is_empty() {
            return Err(ApiError::invalid_body("scope cannot be given together with allow_all_scopes."));
        }
    } else {
        let unknown: Vec<&str> =
            scopes.iter().map(String::as_str).filter(|scope| scope_of(api, scope).is_none()).collect();
        if !unknown.is_empty() {
            return Err(ApiError::invalid_body(format!(
                "The following scopes are not defined on the resource server: {}",
                unknown.join(", ")
            )));
        }
    }
    grant.insert("scope".to_owned(), json!(scopes));
    Ok(())
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let mut grant = find(state, id)?.as_object().cloned().unwrap_or_default();
    refuse_system(&grant)?;
    let body = call.fields();
    if body.get("allow_all_scopes") == Some(&Value::Bool(true)) && !is_set(&body, "scope") {
        grant.shift_remove("scope");
    }
    overlay(&mut grant, body);
    let audience = grant.get("audience").and_then(Value::as_str).unwrap_or_default();
    let api = resource_servers::by_identifier(state, audience).cloned().unwrap_or_default();
    complete(&mut grant, &api)?;
    let grant = Value::Object(grant);
    store(state, GRANTS, id, grant.clone());
    Ok(Reply::ok(visible(&grant)))
}

/// A grant that Auth0 made itself cannot be changed or deleted directly (API description, GET /client-grants).
fn refuse_system(grant: &Map<String, Value>) -> Result<(), ApiError> {
    if grant.get("is_system") == Some(&Value::Bool(true)) {
        let message = "System client grants cannot be modified or deleted.";
        return Err(ApiError::new(400, "operation_not_supported", message));
    }
    Ok(())
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    if let Some(grant) = state.object(GRANTS, id).and_then(Value::as_object) {
        refuse_system(grant)?;
        remove(state, |grant| text(grant, "id") == id);
    }
    Ok(Reply::no_content())
}

fn organizations(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    let found = rows(state, "organizations")
        .into_iter()
        .filter(|organization| {
            let linked = format!("organization_client_grants/{}", text(organization, "id"));
            state.object(&linked, id).is_some()
        })
        .collect();
    either(call, "organizations", found, OffsetOrder::RowsFirst)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{create, delete, get, patch, post, refused, tenant};
    use super::*;

    const ORDERS: &str = "https://orders.acme.com";
    const MANAGEMENT: &str = "https://acme.eu.auth0.com/api/v2/";

    fn shop(state: &mut State) -> String {
        let scopes = json!([{"value": "read:orders"}, {"value": "write:orders"}]);
        post(state, "/resource-servers", json!({"name": "Orders", "identifier": ORDERS, "scopes": scopes}));
        text(&create(state, "/clients", json!({"name": "Shop"})), "client_id").to_owned()
    }

    #[test]
    fn a_create_adds_id_and_subject() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        let body = json!({"client_id": client_id, "audience": ORDERS, "scope": ["read:orders"]});
        let made = create(&mut state, "/client-grants", body);
        let want = json!({
            "id": made["id"], "client_id": client_id, "audience": ORDERS, "scope": ["read:orders"],
            "subject_type": "client",
        });
        assert_eq!(made, want);
        assert!(text(&made, "id").starts_with("cgr_"));
        assert_eq!(get(&mut state, &format!("/client-grants/{}", text(&made, "id"))), made);
    }

    #[test]
    fn client_audience_and_subject_are_unique_together() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        let body = json!({"client_id": client_id, "audience": ORDERS, "scope": []});
        post(&mut state, "/client-grants", body.clone());
        assert_eq!(refused(&mut state, Method::Post, "/client-grants", body).status, 409);
        let user = json!({"client_id": client_id, "audience": ORDERS, "scope": [], "subject_type": "user"});
        assert_eq!(post(&mut state, "/client-grants", user).status, 201);
        let other = json!({"client_id": client_id, "audience": MANAGEMENT, "scope": ["read:users"]});
        assert_eq!(post(&mut state, "/client-grants", other).status, 201);
    }

    #[test]
    fn dangling_and_contradictory_creates_are_refused() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        let third = create(&mut state, "/clients", json!({"name": "Guest", "is_first_party": false}));
        for (body, status, code) in [
            (json!({"client_id": "x", "audience": ORDERS}), 404, "inexistent_client"),
            (json!({"client_id": client_id, "audience": "urn:x"}), 404, "inexistent_resource_server"),
            (json!({"audience": ORDERS}), 400, "invalid_body"),
            (
                json!({"client_id": client_id, "default_for": "third_party_clients", "audience": ORDERS}),
                400,
                "invalid_body",
            ),
            (json!({"client_id": client_id, "audience": ORDERS, "scope": ["read:order"]}), 400, "invalid_body"),
            (
                json!({"client_id": client_id, "audience": ORDERS, "scope": ["read:orders"], "allow_all_scopes": true}),
                400,
                "invalid_body",
            ),
            (json!({"client_id": third["client_id"], "audience": MANAGEMENT}), 400, "validation_error"),
        ] {
            let error = refused(&mut state, Method::Post, "/client-grants", body.clone());
            assert_eq!((error.status, error.code.as_deref()), (status, Some(code)), "{body}");
        }
    }

    #[test]
    fn a_patch_replaces_scopes_and_switches_to_all() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        let body = json!({"client_id": client_id, "audience": ORDERS, "scope": ["read:orders"]});
        let made = create(&mut state, "/client-grants", body);
        let at = format!("/client-grants/{}", text(&made, "id"));
        assert_eq!(patch(&mut state, &at, json!({"scope": ["write:orders"]}))["scope"], json!(["write:orders"]));
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"scope": ["nope"]})).status, 400);
        let all = patch(&mut state, &at, json!({"allow_all_scopes": true}));
        assert_eq!((&all["allow_all_scopes"], &all["scope"]), (&json!(true), &json!([])));
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"scope": ["read:orders"]})).status, 400);
        let back = patch(&mut state, &at, json!({"allow_all_scopes": null, "scope": ["read:orders"]}));
        assert_eq!(back["scope"], json!(["read:orders"]));
        let error = refused(&mut state, Method::Patch, "/client-grants/cgr_x", json!({"scope": []}));
        assert_eq!(error.message, "The grant does not exist.");
    }

    #[test]
    fn lists_filter_and_come_in_both_styles() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        for (audience, any) in [(ORDERS, true), (MANAGEMENT, false)] {
            let body =
                json!({"client_id": client_id, "audience": audience, "scope": [], "allow_any_organization": any});
            post(&mut state, "/client-grants", body);
        }
        let count = |list: &Value| list.as_array().unwrap().len();
        assert_eq!(count(&get(&mut state, "/client-grants")), 2);
        assert_eq!(count(&get(&mut state, &format!("/client-grants?audience={ORDERS}"))), 1);
        assert_eq!(count(&get(&mut state, &format!("/client-grants?client_id={client_id}"))), 2);
        assert_eq!(count(&get(&mut state, "/client-grants?client_id=x")), 0);
        assert_eq!(count(&get(&mut state, "/client-grants?subject_type=user")), 0);
        assert_eq!(count(&get(&mut state, "/client-grants?allow_any_organization=true")), 1);
        let checkpoint = get(&mut state, "/client-grants?include_totals=true&take=50");
        assert_eq!(checkpoint.as_object().unwrap().len(), 1);
        assert_eq!(get(&mut state, "/client-grants?include_totals=true")["total"], 2);
    }

    #[test]
    fn a_delete_may_repeat_but_system_grants_stay() {
        let mut state = tenant();
        let client_id = shop(&mut state);
        let made = create(&mut state, "/client-grants", json!({"client_id": client_id, "audience": ORDERS}));
        let at = format!("/client-grants/{}", text(&made, "id"));
        assert_eq!(get(&mut state, &format!("{at}/organizations")), json!([]));
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        store(&mut state, GRANTS, "cgr_s", json!({"id": "cgr_s", "is_system": true}));
        assert_eq!(refused(&mut state, Method::Delete, "/client-grants/cgr_s", Value::Null).status, 400);
        assert_eq!(refused(&mut state, Method::Patch, "/client-grants/cgr_s", json!({"scope": []})).status, 400);
    }
}
