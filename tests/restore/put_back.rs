//! Onto the same tenant: what had no value when the archive was taken is put back too.

use serde_json::{Value as Json, json};

use crate::archive::How;
use crate::chain::Tenant;
use crate::comes_back::same;
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, full, project, restore, tenant};

/// Path of the one resource of a list that has this value in a member.
fn one(tenant: &Tenant, list: &str, member: &str, value: &str, id: &str) -> String {
    let all = tenant.ask("GET", list, &Json::Null);
    let found = all.as_array().unwrap().iter().find(|one| one[member] == value).unwrap_or_else(|| panic!("{value}"));
    let path = list.split('?').next().unwrap();
    format!("{path}/{}", found[id].as_str().unwrap())
}

/// Sets what was empty, on every sort of resource.
fn set_outside(tenant: &Tenant) {
    let patch = |path: &str, body: Json| drop(tenant.ask("PATCH", path, &body));
    let client = one(tenant, "clients?per_page=50", "name", "Law web", "client_id");
    patch(&client, json!({"description": "set outside", "logo_uri": "https://evil.example/logo.png"}));
    patch(&client, json!({"callbacks": ["https://evil.example/cb"], "client_metadata": {"set": "outside"}}));
    patch(
        &client,
        json!({"web_origins": ["https://evil.example"], "sso_disabled": true, "cross_origin_authentication": true}),
    );
    patch(
        "branding",
        json!({"logo_url": "https://evil.example/logo.png", "favicon_url": "https://evil.example/i.png"}),
    );
    let org = one(tenant, "organizations", "name", "law-two", "id");
    patch(&org, json!({"metadata": {"set": "outside"}}));
    patch("tenants/settings", json!({"allowed_logout_urls": ["https://evil.example"]}));
    let api = one(tenant, "resource-servers?per_page=50", "name", "Law one", "id");
    patch(&api, json!({"allow_offline_access": true, "token_lifetime": 60}));
    let role = one(tenant, "roles", "name", "Undescribed", "id");
    patch(&role, json!({"description": "set outside"}));
}

fn world() -> (Place, Tenant) {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let _ = from.ask("POST", "roles", &json!({"name": "Undescribed"}));
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    (project(place, "from", &from, EVERYTHING_ALLOWED), from)
}

#[test]
fn what_was_empty_or_at_its_default_is_put_back_on_the_same_tenant() {
    let (place, from) = world();
    let before = from.answers();
    set_outside(&from);
    let said = restore(&place, "from", "archive", &["--yes", "--approve", "policy"]).code(0);
    same(&before, &from.answers());
    let writes = from.writes().len();
    let again = restore(&place, "from", "archive", &["--yes", "--approve", "policy"]).code(0);
    assert_eq!(from.writes().split_off(writes), Vec::<String>::new(), "the second restore wrote:\n{again}\n{said}");
}

#[test]
fn what_cannot_be_cleared_is_told_and_nothing_else_is_held_up() {
    let (place, from) = world();
    let _ = from.ask("PATCH", "tenants/settings", &json!({"support_email": "x@evil.example"}));
    let said = restore(&place, "from", "archive", &["--yes"]).code(0);
    assert!(said.stdout.contains("`support_email` had no value, and the API takes none back"), "{said}");
}

#[test]
fn a_restore_of_a_part_leaves_the_rest() {
    let (place, from) = world();
    let role = one(&from, "roles", "name", "Undescribed", "id");
    let other = one(&from, "roles", "name", "Law other", "id");
    for path in [&role, &other] {
        let _ = from.ask("PATCH", path, &json!({"description": "set outside"}));
    }
    let _ =
        restore(&place, "from", "archive", &["--yes", "--approve", "policy", "--target", "roles/Law other"]).code(0);
    assert_eq!(from.ask("GET", &other, &Json::Null)["description"], "Two");
    assert_eq!(from.ask("GET", &role, &Json::Null)["description"], "set outside");
    let _ = restore(&place, "from", "archive", &["--yes", "--approve", "policy", "--target", "roles"]).code(0);
    assert_ne!(from.ask("GET", &role, &Json::Null)["description"], "set outside");
}

#[test]
fn a_create_on_an_empty_tenant_carries_no_member_that_had_no_value() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let _ = from.ask("POST", "clients", &json!({"name": "Shop"}));
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let to = tenant(&place, "to", "elsewhere.eu.auth0.com");
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let _ = restore(&place, "new", "archive", &["--yes"]).code(0);
    let record = place.read("to.ndjson");
    let sent: Vec<Json> = record
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .filter(|exchange| exchange["method"] == "POST" && exchange["path"] == "/api/v2/clients")
        .map(|exchange| exchange["request_body"].clone())
        .collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(!sent[0].to_string().contains("null"), "{}", sent[0]);
}
