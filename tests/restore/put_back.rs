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
    let colors = json!({"primary": "#112233", "page_background": "#ffffff"});
    patch(
        &org,
        json!({"metadata": {"set": "outside"}, "branding": {"logo_url": "https://evil.example/l.png", "colors": colors}}),
    );
    patch(
        "tenants/settings",
        json!({"allowed_logout_urls": ["https://evil.example"], "support_email": "x@evil.example",
            "default_audience": "https://law.example/one", "default_redirection_uri": "https://evil.example",
            "session_cookie": {"mode": "non-persistent"}, "error_page": {"html": "<b>x</b>", "show_log_link": true}}),
    );
    let api = one(tenant, "resource-servers?per_page=50", "name", "Law one", "id");
    patch(&api, json!({"allow_offline_access": true, "token_lifetime": 60}));
    let role = one(tenant, "roles", "name", "Undescribed", "id");
    patch(&role, json!({"description": "set outside"}));
    let machine = one(tenant, "clients?per_page=50", "name", "Law machine", "client_id");
    patch(
        &machine,
        json!({"mobile": {"ios": {"team_id": "A1", "app_bundle_identifier": "evil.example"}},
            "addons": {"samlp": {"audience": "urn:evil"}}, "initiate_login_uri": "https://evil.example/login",
            "allowed_logout_urls": ["https://evil.example"], "oidc_conformant": false}),
    );
    let google = one(tenant, "connections?per_page=50", "name", "law-google", "id");
    let options = tenant.ask("GET", &google, &Json::Null)["options"].clone();
    let more = json!({"icon_url": "https://evil.example/i.png", "email": true});
    patch(&google, json!({"options": laid(options, &more), "show_as_button": true, "metadata": {"set": "outside"}}));
    let old = one(tenant, "connections?per_page=50", "name", "Law-old", "id");
    patch(&old, json!({"metadata": {"set": "outside"}, "realms": ["Law-old", "elsewhere"]}));
    let template = json!({"resultUrl": "https://evil.example", "urlLifetimeInSeconds": 60});
    patch("email-templates/verify_email", template);
    patch("attack-protection/brute-force-protection", json!({"allowlist": ["10.0.0.0/8"], "max_attempts": 99}));
    patch("attack-protection/suspicious-ip-throttling", json!({"allowlist": ["10.0.0.0/8"]}));
    patch(
        "attack-protection/breached-password-detection",
        json!({"shields": ["block"], "admin_notification_frequency": ["daily"]}),
    );
    let other = one(tenant, "roles", "name", "Law other", "id");
    let permission = json!({"resource_server_identifier": "https://law.example/one", "permission_name": "write:x"});
    let _ = tenant.ask("POST", &format!("{other}/permissions"), &json!({"permissions": [permission]}));
}

/// Takes out empty texts: where the API takes no null, they are what clears.
fn without_empty_texts(answers: &mut Json) {
    match answers {
        Json::Object(members) => {
            members.retain(|_, member| *member != json!(""));
            members.values_mut().for_each(without_empty_texts);
        }
        Json::Array(items) => items.iter_mut().for_each(without_empty_texts),
        _ => {}
    }
}

/// Lays members over an object.
fn laid(mut below: Json, above: &Json) -> Json {
    below.as_object_mut().unwrap().extend(above.as_object().unwrap().clone());
    below
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
    let mut before = from.answers();
    without_empty_texts(&mut before);
    set_outside(&from);
    let said = restore(&place, "from", "archive", &["--yes", "--approve", "policy"]).code(0);
    let mut after = from.answers();
    without_empty_texts(&mut after);
    same(&before, &after);
    assert!(!said.stdout.contains("Already as described"), "{said}");
    let writes = from.writes().len();
    let again = restore(&place, "from", "archive", &["--yes", "--approve", "policy"]).code(0);
    assert_eq!(from.writes().split_off(writes), Vec::<String>::new(), "the second restore wrote:\n{again}\n{said}");
}

#[test]
fn what_cannot_be_cleared_is_told_and_nothing_else_is_held_up() {
    let (place, from) = world();
    let _ = from.ask("PATCH", "tenants/settings", &json!({"flags": {"remove_alg_from_jwks": true}}));
    let said = restore(&place, "from", "archive", &["--yes"]).code(0);
    assert!(said.stdout.contains("`flags.remove_alg_from_jwks` had no value, and the API takes none back"), "{said}");
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
    let typo =
        restore(&place, "from", "archive", &["--yes", "--approve", "policy", "--target", "roles/Law othr"]).code(0);
    assert!(typo.stderr.contains("[nothing-matches]") && typo.stderr.contains("`roles/Law other`"), "{typo}");
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

#[test]
fn a_revert_clears_what_had_no_value_as_the_api_takes_it() {
    let place = Place::new();
    let tenant = tenant(&place, "tenant", DOMAIN);
    let place = project(place, "site", &tenant, EVERYTHING_ALLOWED);
    let run = |words: &[&str]| place.run(&[&["-C", "site", "-e", "t"], words].concat());
    let write = |role: &str, org: &str, settings: &str| {
        place.write("site/roles/clerk.yaml", &format!("name: Clerk\n{role}"));
        place.write("site/organizations/acme.yaml", &format!("name: acme\n{org}"));
        place.write("site/tenant.json", settings);
    };
    write("", "", "{\"enabled_locales\": [\"en\"]}");
    let _ = run(&["apply", "--yes"]).code(0);
    let mut before = tenant.answers();
    without_empty_texts(&mut before);
    write(
        "description: Serves\n",
        "branding: {logo_url: 'https://a.example/l.png', colors: {primary: '#112233', page_background: '#ffffff'}}\n",
        "{\"enabled_locales\": [\"en\"], \"support_url\": \"https://a.example\", \"flags\": {\"remove_alg_from_jwks\": true}}",
    );
    let _ = run(&["apply", "--yes"]).code(0);
    let said = run(&["revert", "--yes"]).code(0);
    assert!(said.stdout.contains("`flags.remove_alg_from_jwks` had no value, and the API takes none back"), "{said}");
    let mut after = tenant.answers();
    let flags = after["tenants/settings"]["flags"].as_object_mut().unwrap();
    assert_eq!(flags.remove("remove_alg_from_jwks"), Some(json!(true)));
    without_empty_texts(&mut after);
    same(&before, &after);
    // The files ask for it again, and nothing else is left of the revert.
    assert!(run(&["plan"]).stdout.contains("3 to update"), "a null or an empty text is no difference of its own");
}
