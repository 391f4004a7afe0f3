//! Roles, their permissions and the users that hold them.

use serde_json::{Map, Value, json};

use super::parts::{children, conflict, overlay, remove_where, rows, store, text, texts};
use super::{permissions, users};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, either, offset, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on roles.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/roles", list),
    route(Method::Post, "/roles", create),
    route(Method::Get, "/roles/{id}", read),
    route(Method::Patch, "/roles/{id}", update),
    route(Method::Delete, "/roles/{id}", delete),
    route(Method::Get, "/roles/{id}/permissions", list_permissions),
    route(Method::Post, "/roles/{id}/permissions", add_permissions),
    route(Method::Delete, "/roles/{id}/permissions", remove_permissions),
    route(Method::Get, "/roles/{id}/users", list_users),
    route(Method::Post, "/roles/{id}/users", add_users),
];

const ROLES: &str = "roles";

/// Names the collection of a role's permissions.
fn permissions_of(id: &str) -> String {
    format!("role_permissions/{id}")
}

/// Names the collection of a role's users.
pub(super) fn users_of(id: &str) -> String {
    format!("role_users/{id}")
}

fn missing() -> ApiError {
    ApiError::bare(404, "The role does not exist.")
}

/// Returns a role.
///
/// # Errors
/// 404 without an error code.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Value, ApiError> {
    state.object(ROLES, id).ok_or_else(missing)
}

/// Reads show an empty description where none was ever given (recorded traffic).
pub(super) fn shown(role: &Value) -> Value {
    let mut out = visible(role);
    if let Some(members) = out.as_object_mut() {
        let is_described = members.get("description").is_some_and(|description| !description.is_null());
        if !is_described {
            members.insert("description".to_owned(), json!(""));
        }
    }
    out
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let filter = call.query("name_filter").unwrap_or_default().to_lowercase();
    let mut found: Vec<Value> = rows(state, ROLES)
        .iter()
        .filter(|role| {
            text(role, "name").to_lowercase().contains(&filter)
                && ["type", "owner_id"]
                    .iter()
                    .all(|member| call.query(member).is_none_or(|wanted| text(role, member) == wanted))
        })
        .map(shown)
        .collect();
    found.sort_by(|a, b| text(a, "name").cmp(text(b, "name")));
    offset(call, "roles", found, OffsetOrder::RowsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(shown(find(state, call.param(0))?)))
}

fn refuse_taken(state: &State, name: Option<&Value>, own: &str) -> Result<(), ApiError> {
    let is_taken = name.is_some() && state.collection(ROLES).any(|(id, role)| id != own && role.get("name") == name);
    if is_taken { Err(conflict("role_conflict", "The role already exists.")) } else { Ok(()) }
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let body = call.fields();
    refuse_taken(state, body.get("name"), "")?;
    let id = state.id16("rol");
    let mut role = Map::new();
    role.insert("id".to_owned(), json!(id));
    role.extend(body);
    role.entry("type").or_insert_with(|| json!("tenant"));
    let role = Value::Object(role);
    store(state, ROLES, &id, role.clone());
    Ok(Reply::ok(visible(&role)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let mut role = find(state, id)?.as_object().cloned().unwrap_or_default();
    let body = call.fields();
    refuse_taken(state, body.get("name"), id)?;
    overlay(&mut role, body);
    let role = Value::Object(role);
    store(state, ROLES, id, role.clone());
    Ok(Reply::ok(shown(&role)))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    state.remove(ROLES, id).ok_or_else(missing)?;
    for collection in [permissions_of(id), users_of(id)] {
        state.collections.shift_remove(&collection);
    }
    for collection in children(state, "organization_member_roles/") {
        remove_where(state, &collection, |link| text(link, "role_id") == id);
    }
    Ok(Reply::ok(json!({})))
}

fn list_permissions(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    permissions::list(state, call, &permissions_of(call.param(0)), None)
}

fn add_permissions(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    permissions::add(state, call, &permissions_of(call.param(0)))
}

fn remove_permissions(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    permissions::remove(state, call, &permissions_of(call.param(0)))
}

fn list_users(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    // The links are paged, and only what a page shows is looked up: a role may have very many users.
    let mut reply = either(call, "users", rows(state, &users_of(call.param(0))), OffsetOrder::RowsFirst)?;
    users::show_cards(state, &mut reply, "users", |_, card| card);
    Ok(reply)
}

fn add_users(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    let named = texts(call.body.get("users"));
    if named.iter().any(|user| state.object("users", user).is_none()) {
        return Err(ApiError::new(404, "inexistent_user", "One or more of the users do not exist."));
    }
    for user in named {
        store(state, &users_of(id), &user, json!({"user_id": user}));
    }
    Ok(Reply::ok(json!({})))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, patch, post, refused, tenant};
    use super::*;

    const MANAGEMENT: &str = "https://acme.eu.auth0.com/api/v2/";

    fn permission(name: &str) -> Value {
        json!({"resource_server_identifier": MANAGEMENT, "permission_name": name})
    }

    #[test]
    fn a_create_answers_200_and_reads_fill_the_description() {
        let mut state = tenant();
        let reply = post(&mut state, "/roles", json!({"name": "Clerk"}));
        let made = reply.body.unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(made, json!({"id": made["id"], "name": "Clerk", "type": "tenant"}));
        assert_eq!(get(&mut state, &format!("/roles/{}", text(&made, "id")))["description"], "");
    }

    #[test]
    fn a_repeated_name_answers_409() {
        let mut state = tenant();
        let made = create(&mut state, "/roles", json!({"name": "Clerk"}));
        create(&mut state, "/roles", json!({"name": "Boss"}));
        assert_eq!(refused(&mut state, Method::Post, "/roles", json!({"name": "Clerk"})).status, 409);
        let at = format!("/roles/{}", text(&made, "id"));
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"name": "Boss"})).status, 409);
        assert_eq!(patch(&mut state, &at, json!({"name": "Clerk", "description": "d"}))["description"], "d");
    }

    #[test]
    fn a_deleted_role_frees_its_name_and_answers_404_after() {
        let mut state = tenant();
        let made = create(&mut state, "/roles", json!({"name": "tenantry-lock"}));
        let at = format!("/roles/{}", text(&made, "id"));
        assert_eq!(delete(&mut state, &at, Value::Null), Reply::ok(json!({})));
        for method in [Method::Get, Method::Delete] {
            let error = refused(&mut state, method, &at, Value::Null);
            assert_eq!((error.status, error.code, error.message.as_str()), (404, None, "The role does not exist."));
        }
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"name": "x"})).status, 404);
        let again = create(&mut state, "/roles", json!({"name": "tenantry-lock"}));
        assert_ne!(again["id"], made["id"]);
    }

    #[test]
    fn lists_are_sorted_by_name_upper_case_first() {
        let mut state = tenant();
        for name in ["read_only", "Reader", "Admin"] {
            create(&mut state, "/roles", json!({"name": name}));
        }
        let list = get(&mut state, "/roles?per_page=2&page=0&include_totals=true&type=tenant");
        let names: Vec<&str> = list["roles"].as_array().unwrap().iter().map(|role| text(role, "name")).collect();
        assert_eq!(names, ["Admin", "Reader"]);
        assert_eq!((&list["total"], &list["limit"]), (&json!(3), &json!(2)));
        assert_eq!(get(&mut state, "/roles?name_filter=READ").as_array().unwrap().len(), 2);
        assert_eq!(get(&mut state, "/roles?type=organization"), json!([]));
    }

    #[test]
    fn permissions_come_and_go() {
        let mut state = tenant();
        let made = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let at = format!("/roles/{}/permissions", text(&made, "id"));
        let body = json!({"permissions": [permission("update:users"), permission("read:users")]});
        assert_eq!(post(&mut state, &at, body.clone()), Reply::created(json!({})));
        post(&mut state, &at, body);
        let list = get(&mut state, &format!("{at}?include_totals=true"));
        assert_eq!(list["total"], 2);
        assert_eq!(
            list["permissions"][0],
            json!({
                "permission_name": "read:users", "description": "Read Users",
                "resource_server_name": "Auth0 Management API", "resource_server_identifier": MANAGEMENT,
            })
        );
        let gone = json!({"permissions": [permission("read:users"), permission("never:there")]});
        assert_eq!(delete(&mut state, &at, gone).status, 204);
        assert_eq!(get(&mut state, &at).as_array().unwrap().len(), 1);
    }

    #[test]
    fn permissions_have_to_exist() {
        let mut state = tenant();
        let made = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let at = format!("/roles/{}/permissions", text(&made, "id"));
        let unknown = json!({"permissions": [permission("read:users"), permission("no:such")]});
        assert_eq!(refused(&mut state, Method::Post, &at, unknown).status, 400);
        let api = json!({"permissions": [{"resource_server_identifier": "urn:x", "permission_name": "a"}]});
        assert_eq!(refused(&mut state, Method::Post, &at, api).status, 404);
        let body = json!({"permissions": [permission("read:users")]});
        assert_eq!(refused(&mut state, Method::Post, "/roles/rol_x/permissions", body).status, 404);
    }

    #[test]
    fn users_hold_roles() {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        let user = create(&mut state, "/users", json!({"connection": "db", "email": "ana@acme.com", "password": "p"}));
        let made = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let at = format!("/roles/{}/users", text(&made, "id"));
        assert_eq!(get(&mut state, &at), json!([]));
        assert_eq!(post(&mut state, &at, json!({"users": [user["user_id"]]})), Reply::ok(json!({})));
        assert_eq!(get(&mut state, &at)[0]["email"], "ana@acme.com");
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"users": ["auth0|x"]})).status, 404);
    }
}
