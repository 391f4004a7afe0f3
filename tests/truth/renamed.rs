//! A resource that is called otherwise in the tenant than in the files is read with its rows all the same.

use serde_json::{Value as Json, json};

use crate::world::Site;

fn description(name: &str, permissions: &str, member: bool) -> String {
    format!(
        "resourceServers:\n  - {{identifier: urn:orders, name: Orders, scopes: [{{value: r}}, {{value: w}}]}}\n\
         connections:\n  - {{name: hub, strategy: github, options: {{client_id: x}}}}\n\
         organizations:\n  - {{name: {name}, connections: [{{name: hub, assign_membership_on_login: {member}}}]}}\n\
         roles:\n  - {{name: {name}, permissions: [{permissions}]}}\n"
    )
}

fn permission(name: &str) -> String {
    format!("{{resource_server_identifier: urn:orders, permission_name: {name}}}")
}

/// Changes of a plan: address and paths.
fn changes(plan: &Json) -> Vec<String> {
    let line = |change: &Json| {
        let paths = change["fields"].as_array().unwrap().iter().map(|field| field["path"].as_str().unwrap().to_owned());
        format!(
            "{} {}: {}",
            change["action"].as_str().unwrap(),
            change["address"].as_str().unwrap(),
            paths.collect::<Vec<_>>().join(", ")
        )
    };
    plan["changes"].as_array().unwrap().iter().map(line).collect()
}

fn moved(site: &Site) {
    let entries: String = ["organizations", "roles"]
        .iter()
        .map(|kind| format!("  - {{from: {kind}/acme, to: {kind}/globex}}\n"))
        .collect();
    let project = site.place.read("tenantry.yaml");
    site.place.write("tenantry.yaml", &format!("{project}moved:\n{entries}"));
}

#[tokio::test]
async fn what_is_renamed_in_the_files_loses_the_rows_that_are_no_longer_described() {
    let site = Site::start("policy: { approve: [] }", "");
    site.deploy(&description("acme", &[permission("r"), permission("w")].join(", "), false));
    moved(&site);
    site.place.write("tenant.yaml", &description("globex", &permission("r"), true));
    let said = site.run(&["--json", "plan"]).json();
    let found = changes(&said);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().any(|line| line.starts_with("update roles/globex: name, permissions[")), "{found:#?}");
    let organization = "update organizations/globex: connections[hub].assign_membership_on_login, name";
    assert!(found.iter().any(|line| line == organization), "{found:#?}");
    let _ = site.run(&["apply", "--yes"]).code(0);
    let said = site.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(said.stdout.contains("No changes."), "{said}");
    let id = site.id("roles", "globex").await;
    let left = site.outside("GET", &format!("/roles/{id}/permissions"), &Json::Null).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
}

#[tokio::test]
async fn what_is_renamed_outside_is_not_given_its_rows_again() {
    let site = Site::start("policy: { approve: [], drift: overwrite }", "");
    let described = description("acme", &permission("r"), false);
    site.deploy(&described);
    for (collection, path) in [("organizations", "/organizations"), ("roles", "/roles")] {
        let id = site.id(collection, "acme").await;
        let _ = site.outside("PATCH", &format!("{path}/{id}"), &json!({"name": "theirs"})).await;
    }
    let said = site.run(&["--json", "plan"]).json();
    let mut found = changes(&said);
    found.sort();
    assert_eq!(found, ["update organizations/acme: name", "update roles/acme: name"]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    let said = site.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(said.stdout.contains("No changes."), "{said}");
}
