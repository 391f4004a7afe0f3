//! Members of an organization.

use serde_json::{Value, json};

use super::organizations::find;
use super::parts::{remove_where, rows, set, store, text, texts};
use super::{roles, users};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, either, offset, selected};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on members.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations/{id}/members", list),
    route(Method::Post, "/organizations/{id}/members", add),
    route(Method::Delete, "/organizations/{id}/members", remove),
    route(Method::Get, "/organizations/{id}/members/{user_id}/roles", list_roles),
    route(Method::Post, "/organizations/{id}/members/{user_id}/roles", add_roles),
    route(Method::Delete, "/organizations/{id}/members/{user_id}/roles", remove_roles),
    route(Method::Get, "/users/{id}/organizations", list_of_user),
];

fn members_of(id: &str) -> String {
    format!("organization_members/{id}")
}

fn roles_of(id: &str) -> String {
    format!("organization_member_roles/{id}")
}

fn list(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let organization = call.param(0);
    // Roles are shown to those who ask for them, and may read them (Auth0 documentation, GET /organizations/{id}/members).
    let with_roles = call.query("fields").is_some_and(|fields| fields.split(',').any(|field| field.trim() == "roles"))
        && call.query("include_fields") != Some("false");
    if with_roles && !call.caller.scopes.iter().any(|scope| scope == "read:organization_member_roles") {
        let message = "Insufficient scope, expected any of: read:organization_member_roles";
        return Err(ApiError::new(403, "insufficient_scope", message));
    }
    // The links are paged, and only what a page shows is looked up: an organization may have very many members.
    let mut plain = call.clone();
    plain.query.retain(|(name, _)| name != "fields");
    let mut reply = either(&plain, "members", rows(state, &members_of(organization)), OffsetOrder::RowsFirst)?;
    let held = state.collections.get(&roles_of(organization));
    users::show_cards(state, &mut reply, "members", |id, mut card| {
        if with_roles {
            let links = held.into_iter().flat_map(|links| links.values());
            let roles = links.filter(|link| text(link, "user_id") == id).filter_map(|link| {
                let role = state.object("roles", text(link, "role_id"))?;
                Some(json!({"id": role["id"], "name": role["name"]}))
            });
            set(&mut card, "roles", roles.collect::<Vec<_>>());
        }
        selected(call, card)
    });
    Ok(reply)
}

fn add(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let named = texts(call.body.get("members"));
    if named.iter().any(|user| state.object("users", user).is_none()) {
        return Err(ApiError::invalid_body("One or more of the members do not exist."));
    }
    for user in named {
        store(state, &members_of(call.param(0)), &user, json!({"user_id": user}));
    }
    Ok(Reply::no_content())
}

fn remove(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    for user in texts(call.body.get("members")) {
        state.remove(&members_of(call.param(0)), &user);
        remove_where(state, &roles_of(call.param(0)), |link| text(link, "user_id") == user);
    }
    Ok(Reply::no_content())
}

fn find_member(state: &State, call: &Call) -> Result<(), ApiError> {
    find(state, call.param(0))?;
    users::find(state, call.param(1))?;
    if state.object(&members_of(call.param(0)), call.param(1)).is_none() {
        return Err(ApiError::invalid_body("The user is not a member of the organization."));
    }
    Ok(())
}

fn list_roles(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    users::find(state, call.param(1))?;
    let found = rows(state, &roles_of(call.param(0)))
        .iter()
        .filter(|link| text(link, "user_id") == call.param(1))
        .filter_map(|link| state.object("roles", text(link, "role_id")).map(roles::shown))
        .collect();
    offset(call, "roles", found, OffsetOrder::RowsFirst)
}

fn add_roles(state: &mut State, call: &Call) -> Outcome {
    find_member(state, call)?;
    let named = texts(call.body.get("roles"));
    if named.iter().any(|role| roles::find(state, role).is_err()) {
        return Err(ApiError::invalid_body("One or more of the roles do not exist."));
    }
    for role in named {
        let link = json!({"user_id": call.param(1), "role_id": role});
        store(state, &roles_of(call.param(0)), &format!("{} {role}", call.param(1)), link);
    }
    Ok(Reply::no_content())
}

fn remove_roles(state: &mut State, call: &Call) -> Outcome {
    find_member(state, call)?;
    for role in texts(call.body.get("roles")) {
        state.remove(&roles_of(call.param(0)), &format!("{} {role}", call.param(1)));
    }
    Ok(Reply::no_content())
}

fn list_of_user(state: &mut State, call: &Call) -> Outcome {
    let user = call.param(0);
    users::find(state, user)?;
    let found: Vec<Value> = rows(state, "organizations")
        .into_iter()
        .filter(|organization| state.object(&members_of(text(organization, "id")), user).is_some())
        .collect();
    offset(call, "organizations", found, OffsetOrder::RowsFirst)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, members, post, refused, tenant};
    use super::*;

    #[test]
    fn members_come_and_go_with_their_user() {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        let body = json!({"connection": "db", "email": "ana@acme.com", "password": "p"});
        let user = text(&create(&mut state, "/users", body), "user_id").to_owned();
        let made = create(&mut state, "/organizations", json!({"name": "acme"}));
        let at = format!("/organizations/{}/members", text(&made, "id"));
        assert_eq!(get(&mut state, &at), json!([]));
        assert_eq!(post(&mut state, &at, json!({"members": [user]})), Reply::no_content());
        assert_eq!(members(&get(&mut state, &at)[0]), ["email", "name", "picture", "user_id"]);
        assert_eq!(get(&mut state, &format!("/users/{user}/organizations"))[0]["name"], "acme");
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"members": ["auth0|x"]})).status, 400);
        assert_eq!(delete(&mut state, &at, json!({"members": [user]})).status, 204);
        assert_eq!(get(&mut state, &at), json!([]));
        post(&mut state, &at, json!({"members": [user]}));
        delete(&mut state, &format!("/users/{user}"), Value::Null);
        assert_eq!(get(&mut state, &at), json!([]));
    }

    #[test]
    fn a_member_holds_roles_while_member_role_and_user_are_there() {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        let body = json!({"connection": "db", "email": "ana@acme.com", "password": "p"});
        let user = text(&create(&mut state, "/users", body), "user_id").to_owned();
        let role = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let made = create(&mut state, "/organizations", json!({"name": "acme"}));
        let list = format!("/organizations/{}/members", text(&made, "id"));
        let at = format!("{list}/{user}/roles");
        let body = json!({"roles": [role["id"]]});
        assert_eq!(refused(&mut state, Method::Post, &at, body.clone()).status, 400);
        post(&mut state, &list, json!({"members": [user]}));
        assert_eq!(post(&mut state, &at, body.clone()), Reply::no_content());
        assert_eq!(get(&mut state, &at)[0]["name"], "Clerk");
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"roles": ["rol_x"]})).status, 400);
        assert_eq!(delete(&mut state, &at, body.clone()).status, 204);
        assert_eq!(get(&mut state, &at), json!([]));
        post(&mut state, &at, body.clone());
        delete(&mut state, &list, json!({"members": [user]}));
        assert_eq!(get(&mut state, &at), json!([]));
        post(&mut state, &list, json!({"members": [user]}));
        post(&mut state, &at, body);
        delete(&mut state, &format!("/roles/{}", text(&role, "id")), Value::Null);
        assert_eq!(get(&mut state, &at), json!([]));
    }

    #[test]
    fn unknown_organizations_and_users_answer_404() {
        let mut state = tenant();
        for at in ["/organizations/org_x/members", "/users/auth0|x/organizations"] {
            assert_eq!(refused(&mut state, Method::Get, at, Value::Null).status, 404, "{at}");
        }
    }
}
