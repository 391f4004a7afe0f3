//! Permissions given to a role or straight to a user.

use serde_json::{Value, json};

use super::parts::{rows, store, text};
use super::resource_servers::{by_identifier, scope_of};
use super::users;
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, offset};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on a user's own permissions.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/users/{id}/permissions", list_of_user),
    route(Method::Post, "/users/{id}/permissions", add_to_user),
    route(Method::Delete, "/users/{id}/permissions", remove_from_user),
];

/// Permissions of one role or user (published entity limits).
const LIMIT: usize = 1000;

/// Prefixes of the collections that hold permissions, each followed by its holder's id.
pub(super) const HOLDERS: [&str; 2] = ["role_permissions/", "user_permissions/"];

/// Names the collection of one user's permissions.
pub(super) fn of_user(id: &str) -> String {
    format!("user_permissions/{id}")
}

/// Answers the permissions of a collection by name, with what their APIs say of them; `sources` is added to each row.
pub(super) fn list(state: &State, call: &Call, collection: &str, sources: Option<Value>) -> Outcome {
    let mut found = Vec::new();
    for permission in rows(state, collection) {
        let (identifier, name) =
            (text(&permission, "resource_server_identifier"), text(&permission, "permission_name"));
        let Some(api) = by_identifier(state, identifier) else { continue };
        let mut row = json!({
            "permission_name": name, "description": scope_of(api, name).unwrap_or_default(),
            "resource_server_name": text(api, "name"), "resource_server_identifier": identifier,
        });
        if let (Some(sources), Some(members)) = (&sources, row.as_object_mut()) {
            members.insert("sources".to_owned(), sources.clone());
        }
        found.push(row);
    }
    found.sort_by(|a, b| text(a, "permission_name").cmp(text(b, "permission_name")));
    offset(call, "permissions", found, OffsetOrder::RowsFirst)
}

fn key(permission: &Value) -> String {
    format!("{} {}", text(permission, "resource_server_identifier"), text(permission, "permission_name"))
}

fn named(call: &Call) -> Vec<Value> {
    call.body.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Adds the permissions that a body names; those that are there already stay as they are.
///
/// # Errors
/// 404 for an unknown API, 400 for a permission that it does not define, or too many.
pub(super) fn add(state: &mut State, call: &Call, collection: &str) -> Outcome {
    let named = named(call);
    for permission in &named {
        let (identifier, name) = (text(permission, "resource_server_identifier"), text(permission, "permission_name"));
        let api = by_identifier(state, identifier).ok_or_else(|| {
            let message = format!("The resource server {identifier} does not exist.");
            ApiError::new(404, "inexistent_resource_server", message)
        })?;
        if scope_of(api, name).is_none() {
            let message = format!("The permission {name} is not defined on the resource server {identifier}.");
            return Err(ApiError::invalid_body(message));
        }
    }
    let fresh: Vec<&Value> =
        named.iter().filter(|permission| state.object(collection, &key(permission)).is_none()).collect();
    if state.collection(collection).count() + fresh.len() > LIMIT {
        return Err(ApiError::invalid_body(format!("No more than {LIMIT} permissions can be assigned.")));
    }
    for permission in fresh {
        store(state, collection, &key(permission), permission.clone());
    }
    Ok(Reply::created(json!({})))
}

/// Removes the permissions that a body names, as far as they are there.
pub(super) fn remove(state: &mut State, call: &Call, collection: &str) -> Outcome {
    for permission in named(call) {
        state.remove(collection, &key(&permission));
    }
    Ok(Reply::no_content())
}

fn list_of_user(state: &mut State, call: &Call) -> Outcome {
    users::find(state, call.param(0))?;
    let sources = json!([{"source_id": "", "source_name": "", "source_type": "DIRECT"}]);
    list(state, call, &of_user(call.param(0)), Some(sources))
}

fn add_to_user(state: &mut State, call: &Call) -> Outcome {
    users::find(state, call.param(0))?;
    add(state, call, &of_user(call.param(0)))
}

fn remove_from_user(state: &mut State, call: &Call) -> Outcome {
    users::find(state, call.param(0))?;
    remove(state, call, &of_user(call.param(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, members, post, refused, tenant};
    use super::*;

    #[test]
    fn a_user_holds_permissions_of_its_own() {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        let user = create(&mut state, "/users", json!({"connection": "db", "email": "a@acme.com", "password": "p"}));
        let at = format!("/users/{}/permissions", text(&user, "user_id"));
        let permission = json!({
            "resource_server_identifier": "https://acme.eu.auth0.com/api/v2/", "permission_name": "read:users",
        });
        let body = json!({"permissions": [permission]});
        assert_eq!(post(&mut state, &at, body.clone()), Reply::created(json!({})));
        let list = get(&mut state, &at);
        assert_eq!(
            members(&list[0]),
            ["description", "permission_name", "resource_server_identifier", "resource_server_name", "sources"]
        );
        assert_eq!(delete(&mut state, &at, body.clone()).status, 204);
        assert_eq!(get(&mut state, &at), json!([]));
        post(&mut state, &at, body);
        delete(&mut state, &format!("/users/{}", text(&user, "user_id")), Value::Null);
        assert_eq!(refused(&mut state, Method::Get, &at, Value::Null).status, 404);
        assert!(!state.collections.contains_key(&of_user(text(&user, "user_id"))));
    }

    #[test]
    fn a_user_that_is_not_there_answers_404() {
        let mut state = tenant();
        for method in [Method::Get, Method::Post, Method::Delete] {
            let body = json!({"permissions": []});
            assert_eq!(refused(&mut state, method, "/users/auth0|x/permissions", body).status, 404, "{method:?}");
        }
    }
}
