//! Members of an organization.

use serde_json::{Value, json};

use super::organizations::find;
use super::parts::{rows, store, text, texts};
use super::users;
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, either, offset};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on members.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations/{id}/members", list),
    route(Method::Post, "/organizations/{id}/members", add),
    route(Method::Delete, "/organizations/{id}/members", remove),
    route(Method::Get, "/users/{id}/organizations", list_of_user),
];

fn members_of(id: &str) -> String {
    format!("organization_members/{id}")
}

fn list(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let found = rows(state, &members_of(call.param(0)))
        .iter()
        .filter_map(|link| users::card(state, text(link, "user_id")))
        .collect();
    either(call, "members", found, OffsetOrder::RowsFirst)
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
    fn unknown_organizations_and_users_answer_404() {
        let mut state = tenant();
        for at in ["/organizations/org_x/members", "/users/auth0|x/organizations"] {
            assert_eq!(refused(&mut state, Method::Get, at, Value::Null).status, 404, "{at}");
        }
    }
}
