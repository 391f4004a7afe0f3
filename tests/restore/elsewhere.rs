//! Onto another tenant: ids change, names repeat, the deployer is another, texts name the tenant of then.

use serde_json::{Value as Json, json};

use crate::archive::How;
use crate::chain::Tenant;
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, project, restore, tenant};

const OTHER: &str = "travel0-copy.eu.auth0.com";

fn text(value: &Json, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("{member}: {value}")).to_owned()
}

fn clients(tenant: &Tenant) -> Vec<Json> {
    tenant.ask("GET", "clients?per_page=100", &Json::Null).as_array().unwrap().clone()
}

/// Two clients called Shop, told apart by their description, with a grant and an organization's link each.
fn twins(tenant: &Tenant) {
    for n in ["one", "two"] {
        let api = format!("https://{n}.example");
        let _ = tenant.ask(
            "POST",
            "resource-servers",
            &json!({"name": n, "identifier": api, "scopes": [{"value": "read:x"}]}),
        );
        let client = tenant.ask(
            "POST",
            "clients",
            &json!({"name": "Shop", "description": n, "app_type": "non_interactive", "grant_types": ["client_credentials"],
                "organization_usage": "allow", "callbacks": [format!("https://{n}.example/cb")]}),
        );
        let grant = json!({"client_id": text(&client, "client_id"), "audience": api, "scope": ["read:x"],
            "organization_usage": "allow"});
        let grant = tenant.ask("POST", "client-grants", &grant);
        let org = tenant.ask("POST", "organizations", &json!({"name": format!("org-{n}")}));
        let link = json!({"grant_id": text(&grant, "id")});
        let _ = tenant.ask("POST", &format!("organizations/{}/client-grants", text(&org, "id")), &link);
    }
}

/// Whose grants are on which API and organization, by the clients' descriptions.
fn grants(tenant: &Tenant) -> Vec<(String, String, usize)> {
    let clients = clients(tenant);
    let mut out = Vec::new();
    let orgs = tenant.ask("GET", "organizations", &Json::Null);
    for grant in tenant.ask("GET", "client-grants", &Json::Null).as_array().unwrap() {
        let client = clients.iter().find(|client| client["client_id"] == grant["client_id"]);
        let Some(description) = client.and_then(|client| client["description"].as_str()) else { continue };
        let linked = orgs.as_array().unwrap().iter().filter(|org| {
            let links = tenant.ask("GET", &format!("organizations/{}/client-grants", text(org, "id")), &Json::Null);
            text(org, "name") == format!("org-{description}")
                && links.as_array().unwrap().iter().any(|link| link["id"] == grant["id"])
        });
        out.push((description.to_owned(), text(grant, "audience"), linked.count()));
    }
    out.sort();
    out
}

#[test]
fn two_clients_of_one_name_both_come_back_with_what_is_theirs() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    twins(&from);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", "archive", &["--yes"]).code(0);
    let expected = ["one", "two"].map(|n| (n.to_owned(), format!("https://{n}.example"), 1));
    assert_eq!(grants(&from), expected);
    assert_eq!(grants(&to), expected, "{said}");
    let writes = to.writes().len();
    let again = restore(&place, "new", "archive", &["--yes"]).code(0);
    assert_eq!(to.writes().split_off(writes), Vec::<String>::new(), "the second restore wrote:\n{again}");
    // And without the ledger, which remembers which is which.
    std::fs::remove_dir_all(place.path().join("new/.tenantry")).unwrap();
    let _ = place.run(&["-C", "new", "-e", "t", "init", "--baseline"]);
    let again = restore(&place, "new", "archive", &["--yes", "--json"]).code(0);
    assert_eq!(to.writes().split_off(writes), Vec::<String>::new(), "it wrote without a ledger:\n{again}");
    let shops = clients(&to).into_iter().filter(|client| client["name"] == "Shop").count();
    assert_eq!(shops, 2);
}

#[test]
fn the_deployer_of_the_other_tenant_is_not_restored() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let pipeline = from.ask(
        "POST",
        "clients",
        &json!({"name": "Pipeline", "app_type": "non_interactive", "grant_types": ["client_credentials"]}),
    );
    let api = format!("https://{DOMAIN}/api/v2/");
    let own = from.ask("GET", "client-grants", &Json::Null);
    let own = own.as_array().unwrap().iter().find(|grant| grant["audience"] == json!(api)).unwrap().clone();
    let grant = |client: &Json| json!({"client_id": client["client_id"], "audience": api, "scope": own["scope"]});
    let _ = from.ask("POST", "client-grants", &grant(&pipeline));
    let robot = from.ask("POST", "clients", &json!({"name": "Robot", "app_type": "non_interactive"}));
    let mut robots = grant(&robot);
    robots["scope"] = json!(["read:clients"]);
    let _ = from.ask("POST", "client-grants", &robots);
    let connection = from.ask(
        "POST",
        "connections",
        &json!({"name": "staff", "strategy": "auth0", "enabled_clients": [robot["client_id"], pipeline["client_id"]]}),
    );
    let deployer = Some((text(&pipeline, "client_id"), text(&pipeline, "client_secret")));
    let _ = archive(&place, &from, DOMAIN, "archive", &How { deployer, ..How::default() });
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", "archive", &["--yes"]).code(0);
    assert!(said.stdout.contains("clients/Pipeline is not restored"), "{said}");
    assert!(said.stdout.contains("The Management API is this tenant's from now on"), "{said}");
    let all = clients(&to);
    assert!(all.iter().all(|client| client["name"] != "Pipeline"), "{all:?}");
    let robot = all.iter().find(|client| client["name"] == "Robot").unwrap();
    let granted = to.ask("GET", "client-grants", &Json::Null);
    let granted = granted.as_array().unwrap().iter().find(|grant| grant["client_id"] == robot["client_id"]).unwrap();
    assert_eq!(granted["audience"], json!(format!("https://{OTHER}/api/v2/")));
    assert_eq!(connection["name"], "staff");
    let writes = to.writes().len();
    let again = restore(&place, "new", "archive", &["--yes"]).code(0);
    assert_eq!(to.writes().split_off(writes), Vec::<String>::new(), "the second restore wrote:\n{again}");
}

#[test]
fn what_names_the_other_tenant_is_listed_before_and_after() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let shop = from.ask(
        "POST",
        "clients",
        &json!({"name": "Shop", "callbacks": [format!("https://{DOMAIN}/login/callback")]}),
    );
    let id = text(&shop, "client_id");
    let code = format!(
        "exports.onExecutePostLogin = async (event) => {{\n  if (event.client.client_id === '{id}') return;\n  await fetch('https://{DOMAIN}/userinfo');\n}};"
    );
    let action = json!({"name": "Check", "code": code, "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    let _ = from.ask("POST", "actions/actions", &action);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", "archive", &["--yes"]).code(0);
    let new = clients(&to).into_iter().find(|client| client["name"] == "Shop").unwrap();
    let new = text(&new, "client_id");
    let plain = |text: &str| {
        let text = text.replace(&id, "OLD-ID").replace(&new, "NEW-ID");
        let deployment = regex::Regex::new("deployment 01[0-9A-Z]+").unwrap();
        deployment.replace_all(&text, "deployment ID").into_owned()
    };
    insta::assert_snapshot!(plain(&said.stdout));
    // The same for machines.
    let place = project(place, "json", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "json", "archive", &["--yes", "--json", "--overwrite", "*/**"]);
    let document = said.json();
    assert_eq!(document["format"], "tenantry.restore/1", "{said}");
    assert_eq!(document["archive"]["domain"], DOMAIN);
    let mentions = document["mentions"].as_array().unwrap();
    assert!(mentions.iter().any(|m| m["names"] == "id" && m["value"] == json!(id) && m["line"] == 2), "{said}");
    assert!(mentions.iter().any(|m| m["names"] == "domain" && m["address"] == "clients/Shop"), "{said}");
}
