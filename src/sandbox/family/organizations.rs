//! Organizations.

use serde_json::{Map, Value, json};

use super::organization_connections;
use super::parts::{conflict, overlay, rows, store, text};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, either, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on organizations themselves.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations", list),
    route(Method::Post, "/organizations", create),
    route(Method::Get, "/organizations/name/{name}", read_by_name),
    route(Method::Get, "/organizations/{id}", read),
    route(Method::Patch, "/organizations/{id}", update),
    route(Method::Delete, "/organizations/{id}", delete),
];

const ORGANIZATIONS: &str = "organizations";

/// What hangs on an organization, each under `NAME/ORGANIZATION_ID`.
const PARTS: [&str; 6] = [
    "organization_connections",
    "organization_client_grants",
    "organization_clients",
    "organization_domains",
    "organization_members",
    "organization_member_roles",
];

fn missing() -> ApiError {
    ApiError::bare(404, "No organization found by that id or name")
}

/// Refuses where the subscription has no organizations.
fn check_feature(state: &State) -> Result<(), ApiError> {
    if state.has_feature("organizations") {
        return Ok(());
    }
    let message = "Please upgrade your subscription to use organizations.";
    Err(ApiError::new(403, "feature_not_enabled", message))
}

/// Returns an organization.
///
/// # Errors
/// 404 without an error code; 403 where the subscription has no organizations.
pub(super) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Value, ApiError> {
    check_feature(state)?;
    state.object(ORGANIZATIONS, id).ok_or_else(missing)
}

fn list(state: &mut State, call: &Call) -> Outcome {
    check_feature(state)?;
    let mut found = rows(state, ORGANIZATIONS);
    if let Some(sort) = call.query("sort") {
        let refused = || {
            let message = "Query validation error: 'sort' has to be FIELD:1 or FIELD:-1.";
            ApiError::new(400, "invalid_query_string", message)
        };
        let (field, direction) = sort.split_once(':').ok_or_else(refused)?;
        found.sort_by(|a, b| text(a, field).cmp(text(b, field)));
        match direction {
            "1" => {}
            "-1" => found.reverse(),
            _ => return Err(refused()),
        }
    }
    either(call, "organizations", found, OffsetOrder::RowsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(visible(find(state, call.param(0))?)))
}

fn read_by_name(state: &mut State, call: &Call) -> Outcome {
    check_feature(state)?;
    let (_, found) = state.find_by(ORGANIZATIONS, "name", &json!(call.param(0))).ok_or_else(missing)?;
    Ok(Reply::ok(visible(found)))
}

/// Checks a name: unique, and of lower-case letters, digits, dashes and underscores, no mark first
/// (API description, format `organization-name`).
fn check_name(state: &State, name: Option<&Value>, own: &str) -> Result<(), ApiError> {
    let Some(name) = name.and_then(Value::as_str) else {
        return Ok(());
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_valid = name.starts_with(is_plain) && name.chars().all(|c| is_plain(c) || matches!(c, '-' | '_'));
    if !is_valid {
        let message = "Payload validation error: 'Object didn't pass validation for format organization-name: \
                       NAME' on property name.";
        return Err(ApiError::invalid_body(message.replace("NAME", name)));
    }
    if state.collection(ORGANIZATIONS).any(|(id, organization)| id != own && text(organization, "name") == name) {
        return Err(conflict("organization_conflict", "An organization with this name already exists."));
    }
    Ok(())
}

/// Metadata is replaced whole; keys set to null and an empty map vanish.
fn tidy(organization: &mut Map<String, Value>) {
    if let Some(Value::Object(metadata)) = organization.get_mut("metadata") {
        metadata.retain(|_, value| !value.is_null());
        if metadata.is_empty() {
            organization.shift_remove("metadata");
        }
    }
}

fn create(state: &mut State, call: &Call) -> Outcome {
    check_feature(state)?;
    let mut body = call.fields();
    check_name(state, body.get("name"), "")?;
    let enabled = match body.shift_remove("enabled_connections") {
        Some(Value::Array(enabled)) => enabled,
        _ => Vec::new(),
    };
    let mut links = Vec::new();
    for given in enabled {
        links.push(organization_connections::link(state, given.as_object().cloned().unwrap_or_default())?);
    }
    let id = state.id16("org");
    let mut organization = Map::new();
    organization.insert("id".to_owned(), json!(id));
    overlay(&mut organization, body);
    organization.entry("third_party_client_access").or_insert_with(|| json!("block"));
    organization.entry("is_app_entitlement_active").or_insert_with(|| json!(false));
    tidy(&mut organization);
    let organization = Value::Object(organization);
    store(state, ORGANIZATIONS, &id, organization.clone());
    for link in links {
        store(state, &organization_connections::collection(&id), text(&link, "connection_id"), link.clone());
    }
    Ok(Reply::created(visible(&organization)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    let mut organization = find(state, id)?.as_object().cloned().unwrap_or_default();
    let body = call.fields();
    check_name(state, body.get("name"), id)?;
    overlay(&mut organization, body);
    tidy(&mut organization);
    let organization = Value::Object(organization);
    store(state, ORGANIZATIONS, id, organization.clone());
    Ok(Reply::ok(visible(&organization)))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    find(state, id)?;
    state.remove(ORGANIZATIONS, id);
    for part in PARTS {
        state.collections.shift_remove(&format!("{part}/{id}"));
    }
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{connection, create, delete, get, patch, post, refused, tenant};
    use super::*;

    fn acme(state: &mut State) -> String {
        text(&create(state, "/organizations", json!({"name": "acme", "display_name": "Acme"})), "id").to_owned()
    }

    #[test]
    fn a_create_adds_the_recorded_members() {
        let mut state = tenant();
        let made = create(&mut state, "/organizations", json!({"name": "acme", "display_name": "Acme"}));
        let want = json!({
            "id": made["id"], "name": "acme", "display_name": "Acme", "third_party_client_access": "block",
            "is_app_entitlement_active": false,
        });
        assert_eq!(made, want);
        assert_eq!(get(&mut state, "/organizations/name/acme"), made);
        assert_eq!(get(&mut state, &format!("/organizations/{}", text(&made, "id"))), made);
        assert_eq!(refused(&mut state, Method::Get, "/organizations/name/none", Value::Null).status, 404);
    }

    #[test]
    fn names_are_unique_and_plain() {
        let mut state = tenant();
        let id = acme(&mut state);
        assert_eq!(refused(&mut state, Method::Post, "/organizations", json!({"name": "acme"})).status, 409);
        for name in ["Acme", "-acme", "ac me", "ácme"] {
            let error = refused(&mut state, Method::Post, "/organizations", json!({"name": name}));
            assert_eq!((error.status, error.code.as_deref()), (400, Some("invalid_body")), "{name}");
        }
        post(&mut state, "/organizations", json!({"name": "beta"}));
        let at = format!("/organizations/{id}");
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"name": "beta"})).status, 409);
        assert_eq!(patch(&mut state, &at, json!({"name": "acme"}))["name"], "acme");
    }

    #[test]
    fn metadata_is_replaced_and_branding_stays() {
        let mut state = tenant();
        let id = acme(&mut state);
        let at = format!("/organizations/{id}");
        let colors = json!({"colors": {"primary": "#57ddff", "page_background": "#fff5f5"}});
        patch(&mut state, &at, json!({"metadata": {"a": "1", "b": "2"}, "branding": colors}));
        let changed = patch(&mut state, &at, json!({"metadata": {"c": "3", "d": null}}));
        assert_eq!((&changed["metadata"], &changed["branding"]), (&json!({"c": "3"}), &colors));
        assert!(patch(&mut state, &at, json!({"metadata": {}})).get("metadata").is_none());
    }

    #[test]
    fn connections_can_come_with_the_create() {
        let mut state = tenant();
        connection(&mut state, "con_1", "db", "auth0");
        let body = json!({"name": "acme", "enabled_connections": [{"connection_id": "con_1"}]});
        let made = create(&mut state, "/organizations", body);
        assert!(made.get("enabled_connections").is_none());
        let list = get(&mut state, &format!("/organizations/{}/connections", text(&made, "id")));
        assert_eq!(list[0]["connection"]["name"], "db");
        let dangling = json!({"name": "beta", "enabled_connections": [{"connection_id": "con_x"}]});
        assert_eq!(refused(&mut state, Method::Post, "/organizations", dangling).status, 400);
    }

    #[test]
    fn lists_come_in_both_styles_and_sorted_on_request() {
        let mut state = tenant();
        for name in ["org2", "org1"] {
            post(&mut state, "/organizations", json!({"name": name}));
        }
        let first = get(&mut state, "/organizations?include_totals=true&take=1");
        assert_eq!(first["organizations"][0]["name"], "org2");
        assert_eq!(first.as_object().unwrap().keys().collect::<Vec<_>>(), ["organizations", "next"]);
        let rest = get(&mut state, &format!("/organizations?take=1&from={}", text(&first, "next")));
        assert_eq!(rest["organizations"][0]["name"], "org1");
        assert!(rest.get("next").is_none());
        assert_eq!(get(&mut state, "/organizations?sort=name:1")[0]["name"], "org1");
        assert_eq!(get(&mut state, "/organizations?sort=name:-1")[0]["name"], "org2");
        assert_eq!(refused(&mut state, Method::Get, "/organizations?sort=name", Value::Null).status, 400);
    }

    #[test]
    fn organizations_need_the_feature() {
        let mut state = tenant();
        let id = acme(&mut state);
        state.documents.insert("$features".to_owned(), json!({"organizations": false}));
        for at in ["/organizations".to_owned(), "/organizations/name/acme".to_owned(), format!("/organizations/{id}")] {
            assert_eq!(refused(&mut state, Method::Get, &at, Value::Null).status, 403, "{at}");
        }
        assert_eq!(refused(&mut state, Method::Post, "/organizations", json!({"name": "beta"})).status, 403);
        assert_eq!(refused(&mut state, Method::Delete, &format!("/organizations/{id}"), Value::Null).status, 403);
    }

    #[test]
    fn a_delete_takes_its_parts_and_answers_404_after() {
        let mut state = tenant();
        let id = acme(&mut state);
        let at = format!("/organizations/{id}");
        post(&mut state, &format!("{at}/discovery-domains"), json!({"domain": "acme.com"}));
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert!(state.collections.keys().all(|name| !name.ends_with(&id)));
        let error = refused(&mut state, Method::Delete, &at, Value::Null);
        assert_eq!((error.status, error.message.as_str()), (404, "No organization found by that id or name"));
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"display_name": "x"})).status, 404);
    }
}
