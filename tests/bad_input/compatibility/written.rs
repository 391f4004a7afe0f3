//! What is compared, and in which order it is written.

use serde_json::{Value, json};

use super::{Repository, SHOP};
use crate::support::stable;

/// The dry run hides differences inside arrays of objects, and fields that are gone from them.
#[test]
fn a_plan_shows_what_a_dry_run_hides() {
    let api = |scopes: Value| json!({"name": "Orders", "identifier": "https://orders", "scopes": scopes}).to_string();
    let before = api(json!([{"value": "read", "description": "Read"}, {"value": "write", "description": "Write"}]));
    let repository = Repository::new(json!({}), &[("resource-servers/orders.json", &before)]);
    repository.apply();
    repository
        .place
        .write("tenant/resource-servers/orders.json", &api(json!([{"value": "read", "description": "Read all"}])));
    let output = repository.run(&["plan", "--detailed-exitcode"]).code(2);
    insta::assert_snapshot!(stable(&output));
    repository.apply();
    assert_eq!(
        repository.one("/resource-servers", "Orders")["scopes"],
        json!([{"value": "read", "description": "Read all"}])
    );
}

/// AUTH0_DRY_RUN alone ends with `Import Successful` although nothing was done; with _APPLY the run writes.
#[test]
fn a_dry_run_from_the_environment_does_not_apply() {
    let repository = Repository::new(json!({"AUTH0_DRY_RUN": "preview"}), &[SHOP]);
    let output = repository.run(&["apply", "--yes"]).code(1);
    insta::assert_snapshot!(stable(&output));
    repository.recorder.untouched();
    let told = repository.run(&["--json", "apply", "--yes"]).code(1);
    assert_eq!(told.json()["problems"][0]["id"], "preview-only", "{told}");
    repository.place.write("config.json", "{\"AUTH0_DRY_RUN\": true, \"AUTH0_DRY_RUN_APPLY\": true}");
    assert_eq!(repository.apply().len(), 1);
    let again = Repository::new(json!({"AUTH0_DRY_RUN": "perhaps"}), &[SHOP]);
    insta::assert_snapshot!("a_dry_run_of_no_known_sort", again.refused(1));
}

/// References of the first run are found whatever the order of kinds, and deletes run in reverse.
#[test]
fn order_follows_references() {
    let files = [
        (
            "actions/a.json",
            "{\"name\": \"A\", \"code\": \"actions/a.js\", \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}], \"deployed\": true}",
        ),
        ("actions/a.js", "exports.onExecutePostLogin = async () => {};\n"),
        ("triggers/triggers.json", "{\"post-login\": [{\"action_name\": \"A\", \"display_name\": \"A\"}]}"),
        (
            "resource-servers/orders.json",
            "{\"name\": \"Orders\", \"identifier\": \"https://orders\", \"scopes\": [{\"value\": \"read\"}]}",
        ),
        ("clients/worker.json", "{\"name\": \"Worker\", \"app_type\": \"non_interactive\"}"),
        ("grants/worker.json", "{\"client_id\": \"Worker\", \"audience\": \"https://orders\", \"scope\": [\"read\"]}"),
    ];
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &files);
    repository.apply();
    for (name, _) in files {
        std::fs::remove_file(repository.place.path().join("tenant").join(name)).unwrap();
    }
    repository.place.write("tenant/triggers/triggers.json", "{\"post-login\": []}");
    let writes = repository.apply();
    let at = |text: &str| {
        writes.iter().position(|write| write.contains(text)).unwrap_or_else(|| panic!("{text}: {writes:?}"))
    };
    assert!(
        at("PATCH /api/v2/actions/triggers/post-login/bindings") < at("DELETE /api/v2/actions/actions/"),
        "{writes:?}"
    );
    // A grant goes with its client or its API, or before them; never after.
    if let Some(grant) = writes.iter().position(|write| write.contains("DELETE /api/v2/client-grants")) {
        assert!(grant < at("DELETE /api/v2/clients/") && grant < at("DELETE /api/v2/resource-servers/"), "{writes:?}");
    }
}

/// Lists that reach further than one page are read to their end.
#[test]
fn lists_are_read_to_their_end() {
    let organization = |n: usize| json!({"name": format!("org-{n}"), "display_name": format!("Org {n}")}).to_string();
    let names: Vec<(String, String)> = (0..60).map(|n| (format!("organizations/{n}.json"), organization(n))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let repository = Repository::new(json!({}), &files);
    assert_eq!(repository.apply().len(), 60);
}

/// An empty list of enabled clients is ignored there, so that nothing can switch all of them off.
#[test]
fn no_enabled_clients_are_no_enabled_clients() {
    let database =
        |clients: Value| json!({"name": "Users", "strategy": "auth0", "enabled_clients": clients}).to_string();
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[SHOP, ("database-connections/Users/database.json", &database(json!(["Shop"])))],
    );
    repository.apply();
    let id = repository.one("/connections?strategy=auth0", "Users")["id"].as_str().unwrap().to_owned();
    let enabled = |repository: &Repository| {
        repository.get(&format!("/connections/{id}/clients"))["clients"].as_array().unwrap().len()
    };
    assert_eq!(enabled(&repository), 1);
    repository.place.write("tenant/database-connections/Users/database.json", &database(json!([])));
    repository.apply();
    assert_eq!(enabled(&repository), 0);
}

/// Defaults of the validator get into what is sent, although the author wrote nothing.
#[test]
fn nothing_is_sent_that_nobody_wrote() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}"),
            ("organizations/acme.json", "{\"name\": \"acme\", \"display_name\": \"Acme\"}"),
        ],
    );
    repository.apply();
    let keys = |bodies: Vec<Value>| {
        bodies.iter().flat_map(|body| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let mut client = keys(repository.bodies("POST", "/clients"));
    client.sort();
    assert_eq!(client, ["app_type", "name"]);
    let mut database = keys(repository.bodies("POST", "/connections"));
    database.sort();
    assert_eq!(database, ["name", "strategy"]);
    let mut organization = keys(repository.bodies("POST", "/organizations"));
    organization.sort();
    assert_eq!(organization, ["display_name", "name"]);
}
