//! Connections of an organization, by the current route and the older one.

use serde_json::{Map, Value, json};

use super::organizations::find;
use super::parts::{conflict, fill, matches_flag, overlay, rows, store, text};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, offset};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on the connections of an organization.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations/{id}/connections", list),
    route(Method::Post, "/organizations/{id}/connections", add),
    route(Method::Get, "/organizations/{id}/connections/{connection_id}", read),
    route(Method::Patch, "/organizations/{id}/connections/{connection_id}", update),
    route(Method::Delete, "/organizations/{id}/connections/{connection_id}", remove),
    route(Method::Get, "/organizations/{id}/enabled_connections", list_older),
    route(Method::Post, "/organizations/{id}/enabled_connections", add_older),
    route(Method::Get, "/organizations/{id}/enabled_connections/{connectionId}", read_older),
    route(Method::Patch, "/organizations/{id}/enabled_connections/{connectionId}", update_older),
    route(Method::Delete, "/organizations/{id}/enabled_connections/{connectionId}", remove),
];

/// Connections of one organization (published entity limits).
const LIMIT: usize = 10;

/// Members that the older route knows (API description, GET /organizations/{id}/enabled_connections).
const OLDER: [&str; 5] =
    ["connection_id", "assign_membership_on_login", "show_as_button", "is_signup_enabled", "connection"];

/// Names the collection of one organization's connections.
pub(super) fn collection(id: &str) -> String {
    format!("organization_connections/{id}")
}

fn missing() -> ApiError {
    ApiError::bare(404, "No connection found by that id")
}

/// Builds the link to a connection from what a create says of it.
///
/// # Errors
/// 400 `invalid_body` for a connection that is not there, or sign-up without membership.
pub(super) fn link(state: &State, given: Map<String, Value>) -> Result<Value, ApiError> {
    let id = given.get("connection_id").and_then(Value::as_str).unwrap_or_default();
    if state.object("connections", id).is_none() {
        return Err(ApiError::invalid_body(format!("The connection {id} does not exist.")));
    }
    let mut link = Map::new();
    overlay(&mut link, given);
    complete(link)
}

fn complete(mut link: Map<String, Value>) -> Result<Value, ApiError> {
    fill(
        &mut link,
        json!({
            "assign_membership_on_login": false, "show_as_button": true, "is_signup_enabled": false,
            "organization_access_level": "none",
        }),
    );
    let is_on = |member: &str| link.get(member) == Some(&Value::Bool(true));
    if is_on("is_signup_enabled") && !is_on("assign_membership_on_login") {
        return Err(ApiError::invalid_body(
            "is_signup_enabled can only be true when assign_membership_on_login is true.",
        ));
    }
    Ok(Value::Object(link))
}

/// Adds what is known of the connection itself; `None` where it was deleted meanwhile.
fn shown(state: &State, link: &Value) -> Option<Value> {
    let connection = state.object("connections", text(link, "connection_id"))?;
    let mut out = link.clone();
    let about = json!({"name": text(connection, "name"), "strategy": text(connection, "strategy")});
    out.as_object_mut()?.insert("connection".to_owned(), about);
    Some(out)
}

fn older(mut link: Value) -> Value {
    if let Some(members) = link.as_object_mut() {
        members.retain(|name, _| OLDER.contains(&name.as_str()));
    }
    link
}

fn linked(state: &State, call: &Call) -> Result<Vec<Value>, ApiError> {
    find(state, call.param(0))?;
    Ok(rows(state, &collection(call.param(0))).iter().filter_map(|link| shown(state, link)).collect())
}

fn one(state: &State, call: &Call) -> Result<Value, ApiError> {
    find(state, call.param(0))?;
    let link = state.object(&collection(call.param(0)), call.param(1)).ok_or_else(missing)?;
    shown(state, link).ok_or_else(missing)
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let mut found = linked(state, call)?;
    if let Some(wanted) = call.query("is_enabled") {
        // A link that says nothing of it is enabled.
        found.retain(|link| match link.get("is_enabled") {
            Some(_) => matches_flag(Some(wanted), link, "is_enabled"),
            None => wanted == "true",
        });
    }
    offset(call, "connections", found, OffsetOrder::RowsFirst)
}

fn list_older(state: &mut State, call: &Call) -> Outcome {
    let found = linked(state, call)?.into_iter().map(older).collect();
    offset(call, "enabled_connections", found, OffsetOrder::RowsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(one(state, call)?))
}

fn read_older(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(older(one(state, call)?)))
}

fn insert(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    find(state, call.param(0))?;
    let link = link(state, call.fields())?;
    let (held, id) = (collection(call.param(0)), text(&link, "connection_id").to_owned());
    if state.object(&held, &id).is_some() {
        return Err(conflict("organization_connection_conflict", "The organization connection already exists."));
    }
    if linked(state, call)?.len() >= LIMIT {
        let message = format!("Quota exceeded; cannot add more than {LIMIT} connections to a single organization");
        return Err(conflict("quota_exceeded", &message));
    }
    store(state, &held, &id, link.clone());
    shown(state, &link).ok_or_else(missing)
}

fn add(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::created(insert(state, call)?))
}

fn add_older(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::created(older(insert(state, call)?)))
}

fn change(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    find(state, call.param(0))?;
    let held = collection(call.param(0));
    let mut link = state.object(&held, call.param(1)).and_then(Value::as_object).ok_or_else(missing)?.clone();
    overlay(&mut link, call.fields());
    let link = complete(link)?;
    let answer = shown(state, &link).ok_or_else(missing)?;
    store(state, &held, call.param(1), link);
    Ok(answer)
}

fn update(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(change(state, call)?))
}

fn update_older(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(older(change(state, call)?)))
}

fn remove(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    state.remove(&collection(call.param(0)), call.param(1));
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, members, patch, post, refused, tenant};
    use super::*;

    fn acme(state: &mut State) -> String {
        connection(state, "con_1", "db", "auth0");
        let made = create(state, "/organizations", json!({"name": "acme"}));
        format!("/organizations/{}", text(&made, "id"))
    }

    #[test]
    fn a_link_gets_the_recorded_defaults() {
        let mut state = tenant();
        let at = format!("{}/connections", acme(&mut state));
        let made = create(&mut state, &at, json!({"connection_id": "con_1"}));
        let want = json!({
            "connection_id": "con_1", "assign_membership_on_login": false, "show_as_button": true,
            "is_signup_enabled": false, "organization_access_level": "none",
            "connection": {"name": "db", "strategy": "auth0"},
        });
        assert_eq!(made, want);
        assert_eq!(get(&mut state, &format!("{at}/con_1")), want);
        let list = get(&mut state, &format!("{at}?page=0&per_page=50&include_totals=true"));
        assert_eq!(list, json!({"connections": [want], "start": 0, "limit": 50, "total": 1}));
        assert_eq!(get(&mut state, &format!("{at}?is_enabled=false")), json!([]));
    }

    #[test]
    fn the_older_route_shows_less_of_the_same() {
        let mut state = tenant();
        let org = acme(&mut state);
        let older = format!("{org}/enabled_connections");
        let made = create(&mut state, &older, json!({"connection_id": "con_1", "show_as_button": false}));
        assert_eq!(
            members(&made),
            ["assign_membership_on_login", "connection", "connection_id", "is_signup_enabled", "show_as_button"]
        );
        assert_eq!(get(&mut state, &format!("{org}/connections"))[0]["show_as_button"], false);
        let changed = patch(&mut state, &format!("{older}/con_1"), json!({"show_as_button": true}));
        assert_eq!(changed["show_as_button"], true);
        assert_eq!(get(&mut state, &older), json!([changed]));
        delete(&mut state, &format!("{older}/con_1"), Value::Null);
        let error = refused(&mut state, Method::Get, &format!("{older}/con_1"), Value::Null);
        assert_eq!((error.status, error.message.as_str()), (404, "No connection found by that id"));
    }

    #[test]
    fn sign_up_needs_membership() {
        let mut state = tenant();
        let at = format!("{}/connections", acme(&mut state));
        let body = json!({"connection_id": "con_1", "is_signup_enabled": true});
        assert_eq!(refused(&mut state, Method::Post, &at, body).status, 400);
        let body = json!({"connection_id": "con_1", "is_signup_enabled": true, "assign_membership_on_login": true});
        post(&mut state, &at, body);
        let drop = json!({"assign_membership_on_login": false});
        assert_eq!(refused(&mut state, Method::Patch, &format!("{at}/con_1"), drop).status, 400);
    }

    #[test]
    fn dangling_repeated_and_too_many_are_refused() {
        let mut state = tenant();
        let at = format!("{}/connections", acme(&mut state));
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"connection_id": "con_x"})).status, 400);
        post(&mut state, &at, json!({"connection_id": "con_1"}));
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"connection_id": "con_1"})).status, 409);
        let nowhere = "/organizations/org_x/connections";
        assert_eq!(refused(&mut state, Method::Post, nowhere, json!({"connection_id": "con_1"})).status, 404);
        for n in 2..=10 {
            let id = format!("con_{n}");
            connection(&mut state, &id, &id, "oidc");
            post(&mut state, &at, json!({"connection_id": id}));
        }
        connection(&mut state, "con_11", "con_11", "oidc");
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"connection_id": "con_11"})).status, 409);
    }

    #[test]
    fn a_deleted_connection_is_no_longer_listed_and_removal_may_repeat() {
        let mut state = tenant();
        let at = format!("{}/connections", acme(&mut state));
        post(&mut state, &at, json!({"connection_id": "con_1"}));
        state.remove("connections", "con_1");
        assert_eq!(get(&mut state, &at), json!([]));
        assert_eq!(delete(&mut state, &format!("{at}/con_1"), Value::Null).status, 204);
        assert_eq!(delete(&mut state, &format!("{at}/con_1"), Value::Null).status, 204);
    }
}
