//! Patterns, domains, warnings and renames, told truly.

use serde_json::{Value as Json, json};

use crate::world::{CLERK, Site};

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_said() {
    let site = Site::start("", CLERK);
    site.deploy(CLERK);
    let said = site.run(&["drift", "roles/Clrek"]).code(0);
    assert!(said.stderr.contains("[nothing-matches]") && said.stderr.contains("`roles/Clerk`"), "{said}");
    let said = site.run(&["plan", "--target", "roles/Nobody*"]).code(0);
    assert!(said.stderr.contains("[nothing-matches]"), "{said}");
}

#[tokio::test]
async fn a_domain_that_is_none_has_its_place() {
    let site = Site::start("", CLERK);
    site.place
        .write("tenantry.yaml", "description: tenant.yaml\nenvironments:\n  t:\n    domain: acme.eu.auth0.com:x\n");
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("tenantry.yaml:4:13"), "{said}");
}

#[tokio::test]
async fn warnings_around_an_apply_are_part_of_its_json() {
    let site = Site::start("ledger: git", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        assert!(command.args(words).current_dir(site.place.path()).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    let grants = site.outside("GET", "/client-grants?per_page=100", &Json::Null).await;
    let own = grants.as_array().unwrap().iter().find(|g| g["client_id"] == site.sandbox.client_id.as_str()).unwrap();
    let scopes: Vec<&Json> = own["scope"].as_array().unwrap().iter().filter(|s| *s != "delete:roles").collect();
    site.outside("PATCH", &format!("/client-grants/{}", own["id"].as_str().unwrap()), &json!({"scope": scopes})).await;
    let said = site.run(&["apply", "--yes", "--json"]).code(0).json();
    assert!(said["problems"].to_string().contains("\"unlocked\""), "{said}");
}

#[tokio::test]
async fn what_was_renamed_in_the_files_is_suggested_as_moved() {
    let shop =
        "clients:\n  - {name: Shop, app_type: spa, callbacks: [https://a.example/cb], grant_types: [implicit]}\n";
    let site = Site::start("policy: { delete: [clients] }", shop);
    site.deploy(shop);
    site.place.write("tenant.yaml", &shop.replace("Shop", "Storefront"));
    let entry = "- { from: \"clients/Shop\", to: \"clients/Storefront\" }";
    let said = site.run(&["plan"]).code(0);
    assert!(said.stderr.contains(entry), "{said}");
    let said = site.run(&["plan", "--json"]).code(0);
    assert!(said.json()["problems"].to_string().contains("clients/Storefront"), "{said}");
    let said = site.run(&["plan", "--format", "markdown"]).code(0);
    assert!(said.stdout.contains("`renamed`"), "{said}");
    let project = site.place.read("tenantry.yaml");
    site.place.write("tenantry.yaml", &format!("moved:\n  {entry}\n{project}"));
    let said = site.run(&["plan", "--json"]).code(0).json();
    assert_eq!(said["changes"][0]["action"], "update", "{said}");
}
