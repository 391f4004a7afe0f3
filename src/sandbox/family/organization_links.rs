//! Client grants and clients of an organization.

use serde_json::{Value, json};

use super::parts::{conflict, rows, store, text, texts};
use super::{client_grants, organizations::find};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, checkpoint, offset, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on what an organization is linked with.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations/{id}/client-grants", list_grants),
    route(Method::Post, "/organizations/{id}/client-grants", add_grant),
    route(Method::Delete, "/organizations/{id}/client-grants/{grant_id}", remove_grant),
    route(Method::Get, "/organizations/{id}/clients", list_clients),
    route(Method::Post, "/organizations/{id}/clients", add_clients),
    route(Method::Delete, "/organizations/{id}/clients", remove_clients),
    route(Method::Get, "/organizations/{id}/clients/{client_id}", read_client),
    route(Method::Patch, "/organizations/{id}/clients/{client_id}", update_client),
    route(Method::Delete, "/organizations/{id}/clients/{client_id}", remove_client),
];

/// Client grants, and likewise clients, of one organization (API description, POST /organizations/{id}/client-grants).
const LIMIT: usize = 100;

/// The one thing said of an associated client (API reference, POST /organizations/{id}/clients).
const MEMBER_ACCESS: &str = "use_for_member_access";

fn grants_of(id: &str) -> String {
    format!("organization_client_grants/{id}")
}

fn clients_of(id: &str) -> String {
    format!("organization_clients/{id}")
}

fn list_grants(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let wanted: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "grant_ids").flat_map(|(_, ids)| ids.split(',')).collect();
    let found = rows(state, &grants_of(call.param(0)))
        .iter()
        .filter_map(|link| state.object("client_grants", text(link, "grant_id")).cloned())
        .filter(|grant| client_grants::is_wanted(call, grant))
        .filter(|grant| wanted.is_empty() || wanted.contains(&text(grant, "id")))
        .collect();
    offset(call, "client_grants", found, OffsetOrder::RowsFirst)
}

fn add_grant(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    let grant_id = text(&call.body, "grant_id").to_owned();
    let mut grant = visible(client_grants::find(state, &grant_id)?);
    let held = grants_of(id);
    if state.object(&held, &grant_id).is_some() {
        let message = "The client grant has already been added to this organization.";
        return Err(conflict("organization_client_grant_conflict", message));
    }
    if state.collection(&held).count() >= LIMIT {
        let message = format!("Quota exceeded; cannot add more than {LIMIT} client grants to a single organization");
        return Err(conflict("quota_exceeded", &message));
    }
    store(state, &held, &grant_id, json!({"grant_id": grant_id}));
    if let Some(members) = grant.as_object_mut() {
        members.insert("grant_id".to_owned(), json!(grant_id));
    }
    Ok(Reply::created(grant))
}

fn remove_grant(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    state.remove(&grants_of(call.param(0)), call.param(1));
    Ok(Reply::no_content())
}

/// Checks the organization and the feature that the association of clients needs.
fn open_clients(state: &State, call: &Call) -> Result<(), ApiError> {
    if !state.has_feature("organization_clients") {
        let message = "Please upgrade your subscription to associate clients with organizations.";
        return Err(ApiError::new(403, "insufficient_scope", message));
    }
    find(state, call.param(0)).map(|_| ())
}

fn missing() -> ApiError {
    ApiError::bare(404, "No organization client found by that id")
}

/// Adds what is known of the client itself (API reference, POST /organizations/{id}/clients).
fn shown(state: &State, link: &Value) -> Option<Value> {
    let client = state.object("clients", text(link, "client_id"))?.as_object()?;
    let mut about = client.clone();
    about.retain(|name, _| matches!(name.as_str(), "name" | "app_type" | "logo_uri"));
    let mut out = link.clone();
    out.as_object_mut()?.insert("client".to_owned(), Value::Object(about));
    Some(out)
}

fn list_clients(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    let mut found: Vec<Value> =
        rows(state, &clients_of(call.param(0))).iter().filter_map(|link| shown(state, link)).collect();
    found.sort_by_key(|link| text(link, "client_id").to_lowercase());
    checkpoint(call, "clients", found)
}

fn read_client(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    let link = state.object(&clients_of(call.param(0)), call.param(1)).ok_or_else(missing)?;
    Ok(Reply::ok(shown(state, link).ok_or_else(missing)?))
}

fn add_clients(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    let held = clients_of(call.param(0));
    let given = call.body.get("clients").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut made: Vec<Value> = Vec::new();
    for item in given {
        let id = text(&item, "client_id").to_owned();
        let Some(is_used) = item.get(MEMBER_ACCESS).and_then(Value::as_bool) else {
            return Err(ApiError::invalid_body(format!(
                "Payload validation error: 'Missing required property: {MEMBER_ACCESS}' on property clients."
            )));
        };
        let link = json!({"client_id": id, MEMBER_ACCESS: is_used});
        let Some(answer) = shown(state, &link) else {
            return Err(ApiError::invalid_body(format!("The client {id} does not exist.")));
        };
        if state.object(&held, &id).is_some() || made.iter().any(|other| text(other, "client_id") == id) {
            let message = format!("The client {id} is already associated with this organization.");
            return Err(conflict("organization_client_conflict", &message));
        }
        made.push(answer);
    }
    if state.collection(&held).count() + made.len() > LIMIT {
        let message = format!("Quota exceeded; cannot add more than {LIMIT} clients to a single organization");
        return Err(conflict("quota_exceeded", &message));
    }
    for answer in &made {
        let id = text(answer, "client_id").to_owned();
        let is_used = answer.get(MEMBER_ACCESS).cloned().unwrap_or_default();
        store(state, &held, &id, json!({"client_id": id, MEMBER_ACCESS: is_used}));
    }
    Ok(Reply::created(Value::Array(made)))
}

fn remove_clients(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    for id in texts(call.body.get("clients")) {
        state.remove(&clients_of(call.param(0)), &id);
    }
    Ok(Reply::no_content())
}

fn remove_client(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    state.remove(&clients_of(call.param(0)), call.param(1));
    Ok(Reply::no_content())
}

fn update_client(state: &mut State, call: &Call) -> Outcome {
    open_clients(state, call)?;
    let held = clients_of(call.param(0));
    let Some(link) = state.object_mut(&held, call.param(1)) else {
        return Err(missing());
    };
    super::parts::merge(link, &call.body);
    let link = link.clone();
    Ok(Reply::ok(shown(state, &link).ok_or_else(missing)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{create, delete, get, patch, post, refused, tenant};
    use super::*;

    const MANAGEMENT: &str = "https://acme.eu.auth0.com/api/v2/";

    fn acme(state: &mut State) -> String {
        format!("/organizations/{}", text(&create(state, "/organizations", json!({"name": "acme"})), "id"))
    }

    fn client(state: &mut State, name: &str) -> String {
        text(&create(state, "/clients", json!({"name": name, "app_type": "spa"})), "client_id").to_owned()
    }

    #[test]
    fn grants_are_linked_once() {
        let mut state = tenant();
        let org = acme(&mut state);
        let id = client(&mut state, "Shop");
        let body = json!({"client_id": id, "audience": MANAGEMENT, "scope": ["read:users"]});
        let grant = create(&mut state, "/client-grants", body);
        let at = format!("{org}/client-grants");
        let link = json!({"grant_id": grant["id"]});
        let reply = post(&mut state, &at, link.clone());
        assert_eq!((reply.status, &reply.body.unwrap()["grant_id"]), (201, &grant["id"]));
        assert_eq!(refused(&mut state, Method::Post, &at, link).status, 409);
        let list = get(&mut state, &format!("{at}?page=0&per_page=50&include_totals=true"));
        assert_eq!(list, json!({"client_grants": [grant], "start": 0, "limit": 50, "total": 1}));
        assert_eq!(get(&mut state, &format!("{at}?client_id=x")), json!([]));
        assert_eq!(get(&mut state, &format!("{at}?grant_ids=cgr_x")), json!([]));
        let on_grant = format!("/client-grants/{}/organizations", text(&grant, "id"));
        assert_eq!(get(&mut state, &on_grant)[0]["name"], "acme");
        assert_eq!(delete(&mut state, &format!("{at}/{}", text(&grant, "id")), Value::Null).status, 204);
        assert_eq!(get(&mut state, &at), json!([]));
    }

    #[test]
    fn a_dangling_grant_is_refused() {
        let mut state = tenant();
        let at = format!("{}/client-grants", acme(&mut state));
        let error = refused(&mut state, Method::Post, &at, json!({"grant_id": "cgr_x"}));
        assert_eq!((error.status, error.message.as_str()), (404, "The grant does not exist."));
        let nowhere = "/organizations/org_x/client-grants";
        assert_eq!(refused(&mut state, Method::Get, nowhere, Value::Null).status, 404);
    }

    #[test]
    fn clients_are_added_in_batches_or_not_at_all() {
        let mut state = tenant();
        let at = format!("{}/clients", acme(&mut state));
        let (first, second) = (client(&mut state, "A"), client(&mut state, "B"));
        let made = create(&mut state, &at, json!({"clients": [{"client_id": first, "use_for_member_access": true}]}));
        let about = json!({"name": "A", "app_type": "spa"});
        assert_eq!(made, json!([{"client_id": first, "use_for_member_access": true, "client": about}]));
        let batch = json!({"clients": [
            {"client_id": second, "use_for_member_access": false}, {"client_id": first, "use_for_member_access": false},
        ]});
        assert_eq!(refused(&mut state, Method::Post, &at, batch).status, 409);
        let silent = json!({"clients": [{"client_id": second}]});
        assert_eq!(refused(&mut state, Method::Post, &at, silent).status, 400);
        let dangling = json!({"clients": [{"client_id": "x", "use_for_member_access": false}]});
        assert_eq!(refused(&mut state, Method::Post, &at, dangling).status, 400);
        let changed = patch(&mut state, &format!("{at}/{first}"), json!({"use_for_member_access": false}));
        assert_eq!(get(&mut state, &format!("{at}/{first}")), changed);
        assert_eq!(get(&mut state, &format!("{at}?take=50")), json!({"clients": [changed]}));
        assert_eq!(delete(&mut state, &at, json!({"clients": [first, "x"]})).status, 204);
        let missing = format!("{at}/{first}");
        assert_eq!(refused(&mut state, Method::Get, &missing, Value::Null).status, 404);
    }

    #[test]
    fn clients_need_the_feature() {
        let mut state = tenant();
        let at = format!("{}/clients", acme(&mut state));
        state.documents.insert("$features".to_owned(), json!({"organization_clients": false}));
        let error = refused(&mut state, Method::Get, &at, Value::Null);
        assert_eq!((error.status, error.code.as_deref()), (403, Some("insufficient_scope")));
    }
}
