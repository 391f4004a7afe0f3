//! Users, as far as a deployment looks at them: created, counted by connection, changed, deleted.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::parts::{children, conflict, merge, overlay, remove_where, rows, store, text, texts};
use super::{permissions, roles};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page::{OffsetOrder, offset, selected, visible, window};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on users.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/users", list),
    route(Method::Post, "/users", create),
    route(Method::Get, "/users-by-email", list_by_email),
    route(Method::Get, "/users/{id}", read),
    route(Method::Patch, "/users/{id}", update),
    route(Method::Delete, "/users/{id}", delete),
    route(Method::Get, "/users/{id}/roles", list_roles),
    route(Method::Post, "/users/{id}/roles", add_roles),
    route(Method::Delete, "/users/{id}/roles", remove_roles),
];

pub(super) const USERS: &str = "users";
/// A search shows no row behind this one (API description, GET /users).
const SEARCH_LIMIT: usize = 1000;
/// Members of a body that say how to write, or must never be read.
const WRITE_ONLY: [&str; 5] = ["connection", "password", "verify_email", "verify_phone_number", "client_id"];

/// Returns a user.
///
/// # Errors
/// 404 `inexistent_user`.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Value, ApiError> {
    state.object(USERS, id).ok_or_else(|| ApiError::new(404, "inexistent_user", "The user does not exist."))
}

/// Returns what lists of members and of role users show of a user.
pub(super) fn card(state: &State, id: &str) -> Option<Value> {
    let user = state.object(USERS, id)?;
    Some(json!({
        "user_id": id, "email": user.get("email").cloned().unwrap_or_default(),
        "name": text(user, "name"), "picture": text(user, "picture"),
    }))
}

/// Puts in the place of each link of a page what is shown of its user, finished by `more`.
pub(super) fn show_cards(state: &State, reply: &mut Reply, key: &str, more: impl Fn(&str, Value) -> Value) {
    let rows = match &mut reply.body {
        Some(Value::Array(rows)) => Some(rows),
        Some(body) => body.get_mut(key).and_then(Value::as_array_mut),
        None => None,
    };
    for row in rows.into_iter().flatten() {
        let id = text(row, "user_id").to_owned();
        if let Some(card) = card(state, &id) {
            *row = more(&id, card);
        }
    }
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let mut found = Vec::new();
    let q = call.query("q").unwrap_or_default();
    for user in rows(state, USERS) {
        let is_of_connection = call.query("connection").is_none_or(|name| has(&user, "identities.connection", name));
        if is_of_connection && matches_query(&user, q)? {
            found.push(user);
        }
    }
    let page = window(call, found);
    if page.start + page.limit > SEARCH_LIMIT && page.start > 0 {
        let message = format!("You can only page through the first {SEARCH_LIMIT} records.");
        return Err(ApiError::new(400, "invalid_paging", message));
    }
    if !call.flag("include_totals") {
        return Ok(Reply::ok(Value::Array(page.rows)));
    }
    let body = json!({
        "start": page.start, "limit": page.limit, "length": page.rows.len(), "users": page.rows, "total": page.total,
    });
    Ok(Reply::ok(body))
}

fn list_by_email(state: &mut State, call: &Call) -> Outcome {
    let email = call.query("email").unwrap_or_default();
    let found = rows(state, USERS).into_iter().filter(|user| has(user, "email", email));
    Ok(Reply::ok(found.map(|user| selected(call, visible(&user))).collect()))
}

/// Says whether a user matches `FIELD:VALUE` terms joined by AND; `*` alone and an empty query match all.
fn matches_query(user: &Value, q: &str) -> Result<bool, ApiError> {
    if q.trim().is_empty() || q.trim() == "*" {
        return Ok(true);
    }
    for term in q.split(" AND ") {
        let Some((field, value)) = term.trim().split_once(':') else {
            let message = format!("Query validation error: unsupported term '{term}' on property q.");
            return Err(ApiError::new(400, "invalid_query_string", message));
        };
        if !has(user, field, value.trim_matches('"')) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares the member at a dotted path, through lists, ignoring case; `*` asks whether it is there.
pub(super) fn has(value: &Value, path: &str, wanted: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has(item, path, wanted)),
        Value::Object(members) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            members.get(first).is_some_and(|member| has(member, rest, wanted))
        }
        Value::String(text) => path.is_empty() && (wanted == "*" || text.eq_ignore_ascii_case(wanted)),
        Value::Null => false,
        other => path.is_empty() && (wanted == "*" || other.to_string().as_str() == wanted),
    }
}

fn read(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(selected(call, visible(find(state, call.param(0))?))))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let body = call.fields();
    let given = |member: &str| body.get(member).and_then(Value::as_str);
    let connection = given("connection").unwrap_or_default().to_owned();
    let Some((_, found)) = state.find_by("connections", "name", &json!(connection)) else {
        return Err(ApiError::new(400, "inexistent_connection", "The connection does not exist."));
    };
    let provider = text(found, "strategy").to_owned();
    let identifier = match provider.as_str() {
        "auth0" | "email" => "email",
        "sms" => "phone_number",
        _ => {
            let message = "Connection does not support user creation through the API. \
                           It must either be a database or passwordless connection.";
            return Err(ApiError::invalid_body(message));
        }
    };
    if provider == "auth0" && given("password").is_none() {
        return Err(ApiError::invalid_body("Payload validation error: 'Missing required property: password'."));
    }
    let is_named = given(identifier).is_some() || given("username").is_some() || given("phone_number").is_some();
    if !is_named {
        let message = format!("Payload validation error: 'Missing required property: {identifier}'.");
        return Err(ApiError::invalid_body(message));
    }
    let own_id = given("user_id").filter(|id| !id.is_empty()).map_or_else(|| state.hex(24), str::to_owned);
    let user_id = format!("{provider}|{own_id}");
    let is_taken = state.collection(USERS).any(|(id, user)| {
        *id == user_id
            || has(user, "identities.connection", &connection)
                && ["email", "username", "phone_number"]
                    .iter()
                    .any(|member| given(member).is_some_and(|value| has(user, member, value)))
    });
    if is_taken {
        return Err(conflict("auth0_idp_error", "The user already exists."));
    }
    let mut user = Map::new();
    let identity = json!({"connection": connection, "user_id": own_id, "provider": provider, "isSocial": false});
    user.insert("user_id".to_owned(), json!(user_id));
    user.insert("identities".to_owned(), json!([identity]));
    for (member, value) in &body {
        if !WRITE_ONLY.contains(&member.as_str()) && member != "user_id" && !value.is_null() {
            user.insert(member.clone(), value.clone());
        }
    }
    complete(&mut user, call.now_ms);
    let user = Value::Object(user);
    store(state, USERS, &user_id, user.clone());
    Ok(Reply::created(visible(&user)))
}

/// Fills in what the API gives every user that brings none of his own.
pub(super) fn complete(user: &mut Map<String, Value>, now_ms: i64) {
    let given = |member: &str| user.get(member).and_then(Value::as_str);
    let label = given("email").or(given("username")).or(given("phone_number")).unwrap_or_default().to_owned();
    let nickname = label.split('@').next().unwrap_or_default().to_owned();
    let now = timestamp_ms(now_ms);
    super::parts::fill(
        user,
        json!({
            "email_verified": false, "name": label, "nickname": nickname, "picture": picture(&label),
            "created_at": now, "updated_at": now,
        }),
    );
}

/// A gravatar address, with the image named after the first two letters behind it.
fn picture(label: &str) -> String {
    let digest: String = Sha256::digest(label.to_lowercase()).iter().map(|byte| format!("{byte:02x}")).collect();
    let letters: String = label.chars().filter(char::is_ascii_alphanumeric).take(2).collect();
    format!(
        "https://s.gravatar.com/avatar/{digest}?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com%2Favatars%2F{}.png",
        letters.to_lowercase()
    )
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let mut user = find(state, id)?.as_object().cloned().unwrap_or_default();
    let mut body = call.fields();
    let names = |member: &str| body.contains_key(member);
    for (first, second) in
        [("password", "email"), ("password", "email_verified"), ("username", "email"), ("username", "password")]
    {
        if names(first) && names(second) {
            return Err(ApiError::invalid_body(format!("Cannot update {first} and {second} simultaneously.")));
        }
    }
    // Metadata is merged by its first level; an empty object clears it.
    for member in ["user_metadata", "app_metadata"] {
        let given = match body.shift_remove(member) {
            Some(Value::Object(given)) => given,
            Some(other) => {
                body.insert(member.to_owned(), other);
                continue;
            }
            None => continue,
        };
        let is_cleared = given.is_empty();
        let mut stored = match user.shift_remove(member) {
            Some(stored) if !is_cleared => stored,
            _ => json!({}),
        };
        merge(&mut stored, &Value::Object(given));
        if !is_cleared || member == "user_metadata" {
            user.insert(member.to_owned(), stored);
        }
    }
    body.retain(|member, _| !WRITE_ONLY.contains(&member.as_str()));
    overlay(&mut user, body);
    user.insert("updated_at".to_owned(), json!(timestamp_ms(call.now_ms)));
    let user = Value::Object(user);
    store(state, USERS, id, user.clone());
    Ok(Reply::ok(visible(&user)))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    state.remove(USERS, id);
    for prefix in ["role_users/", "organization_members/"] {
        for collection in children(state, prefix) {
            state.remove(&collection, id);
        }
    }
    state.collections.shift_remove(&permissions::of_user(id));
    for collection in children(state, "organization_member_roles/") {
        remove_where(state, &collection, |link| text(link, "user_id") == id);
    }
    Ok(Reply::no_content())
}

fn list_roles(state: &mut State, call: &Call) -> Outcome {
    let user = call.param(0);
    find(state, user)?;
    let mut found: Vec<Value> = rows(state, "roles")
        .iter()
        .filter(|role| state.object(&roles::users_of(text(role, "id")), user).is_some())
        .map(roles::shown)
        .collect();
    found.sort_by(|a, b| text(a, "name").cmp(text(b, "name")));
    offset(call, "roles", found, OffsetOrder::RowsFirst)
}

fn add_roles(state: &mut State, call: &Call) -> Outcome {
    let user = call.param(0);
    find(state, user)?;
    let named = texts(call.body.get("roles"));
    for role in &named {
        roles::find(state, role)?;
    }
    for role in named {
        store(state, &roles::users_of(&role), user, json!({"user_id": user}));
    }
    Ok(Reply::no_content())
}

fn remove_roles(state: &mut State, call: &Call) -> Outcome {
    let user = call.param(0);
    find(state, user)?;
    for role in texts(call.body.get("roles")) {
        state.remove(&roles::users_of(&role), user);
    }
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, members, patch, post, refused, tenant};
    use super::*;

    fn database() -> State {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        connection(&mut state, "con_2", "Other-DB", "auth0");
        connection(&mut state, "con_3", "google", "google-oauth2");
        state
    }

    fn ana(connection: &str) -> Value {
        json!({"connection": connection, "email": "ana@acme.com", "password": "secret", "verify_email": false})
    }

    #[test]
    fn a_create_adds_the_recorded_members_and_hides_the_password() {
        let mut state = database();
        let made = create(&mut state, "/users", ana("db"));
        assert_eq!(
            members(&made),
            [
                "created_at",
                "email",
                "email_verified",
                "identities",
                "name",
                "nickname",
                "picture",
                "updated_at",
                "user_id",
            ]
        );
        assert_eq!((&made["name"], &made["nickname"]), (&json!("ana@acme.com"), &json!("ana")));
        let own_id = text(&made, "user_id").strip_prefix("auth0|").unwrap();
        let identity = json!({"connection": "db", "user_id": own_id, "provider": "auth0", "isSocial": false});
        assert_eq!(made["identities"], json!([identity]));
        assert!(!serde_json::to_string(&state).unwrap().contains("\"secret\""));
        let mut named = ana("Other-DB");
        named["user_id"] = json!("42");
        assert_eq!(create(&mut state, "/users", named)["user_id"], "auth0|42");
    }

    #[test]
    fn a_user_stands_once_in_a_connection() {
        let mut state = database();
        post(&mut state, "/users", ana("db"));
        assert_eq!(refused(&mut state, Method::Post, "/users", ana("db")).status, 409);
        assert_eq!(post(&mut state, "/users", ana("Other-DB")).status, 201);
    }

    #[test]
    fn creates_need_a_connection_that_takes_them() {
        let mut state = database();
        for body in [
            ana("nowhere"),
            ana("google"),
            json!({"connection": "db", "email": "ana@acme.com"}),
            json!({"connection": "db", "password": "p"}),
        ] {
            assert_eq!(refused(&mut state, Method::Post, "/users", body.clone()).status, 400, "{body}");
        }
    }

    #[test]
    fn users_are_counted_by_connection() {
        let mut state = database();
        for n in 0..3 {
            let body = json!({"connection": "db", "email": format!("u{n}@acme.com"), "password": "p"});
            post(&mut state, "/users", body);
        }
        post(&mut state, "/users", ana("Other-DB"));
        let count = "/users?q=identities.connection:\"db\"&search_engine=v3&per_page=1&include_totals=true";
        let list = get(&mut state, count);
        assert_eq!(
            list.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["start", "limit", "length", "users", "total"]
        );
        assert_eq!((&list["total"], &list["length"]), (&json!(3), &json!(1)));
        assert_eq!(get(&mut state, "/users?q=email:ana@acme.com&fields=email"), json!([{"email": "ana@acme.com"}]));
        assert_eq!(get(&mut state, "/users").as_array().unwrap().len(), 4);
        assert_eq!(
            get(&mut state, "/users-by-email?email=ana@acme.com&fields=name"),
            json!([{"name": "ana@acme.com"}])
        );
        assert_eq!(get(&mut state, "/users-by-email?email=nobody@acme.com"), json!([]));
        assert_eq!(refused(&mut state, Method::Get, "/users?q=ana", Value::Null).status, 400);
        assert_eq!(refused(&mut state, Method::Get, "/users?page=10&per_page=100", Value::Null).status, 400);
    }

    #[test]
    fn a_patch_merges_metadata_and_null_removes() {
        let mut state = database();
        let made = create(&mut state, "/users", ana("db"));
        let at = format!("/users/{}", text(&made, "user_id"));
        patch(
            &mut state,
            &at,
            json!({"user_metadata": {"a": 1, "b": 2}, "app_metadata": {"r": 1}, "given_name": "Ana"}),
        );
        let changed = patch(&mut state, &at, json!({"user_metadata": {"a": null, "c": 3}, "given_name": null}));
        assert_eq!((&changed["user_metadata"], &changed["app_metadata"]), (&json!({"b": 2, "c": 3}), &json!({"r": 1})));
        assert!(changed.get("given_name").is_none());
        let cleared = patch(&mut state, &at, json!({"user_metadata": {}, "app_metadata": {}}));
        assert_eq!(cleared["user_metadata"], json!({}));
        assert!(cleared.get("app_metadata").is_none());
        let both = json!({"password": "p", "email": "b@acme.com"});
        assert_eq!(refused(&mut state, Method::Patch, &at, both).status, 400);
        assert!(patch(&mut state, &at, json!({"password": "p"})).get("password").is_none());
    }

    #[test]
    fn roles_of_a_user_and_a_delete_that_may_repeat() {
        let mut state = database();
        let made = create(&mut state, "/users", ana("db"));
        let role = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let at = format!("/users/{}", text(&made, "user_id"));
        let held = format!("{at}/roles");
        assert_eq!(post(&mut state, &held, json!({"roles": [role["id"]]})).status, 204);
        assert_eq!(get(&mut state, &held)[0]["name"], "Clerk");
        assert_eq!(refused(&mut state, Method::Post, &held, json!({"roles": ["rol_x"]})).status, 404);
        assert_eq!(delete(&mut state, &held, json!({"roles": [role["id"]]})).status, 204);
        assert_eq!(get(&mut state, &held), json!([]));
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        let error = refused(&mut state, Method::Get, &at, Value::Null);
        assert_eq!((error.status, error.code.as_deref()), (404, Some("inexistent_user")));
    }
}
