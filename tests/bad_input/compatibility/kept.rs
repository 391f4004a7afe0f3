//! Data that must not be lost.

use serde_json::{Value, json};

use super::{Repository, SHOP};
use crate::common::Place;
use crate::support::stable;

/// A folder of a database whose JSON cannot be read would make the live database look removed: deleted with its users.
#[test]
fn a_database_that_cannot_be_read_is_not_deleted() {
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[SHOP, ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}")],
    );
    repository.apply();
    let before = repository.recorder.writes();
    repository.place.write("tenant/database-connections/Users/database.json", "{\"name\": \"Users\", ");
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let output = repository.run(arguments).code(1);
        assert!(output.stderr.contains("json-syntax"), "{output}");
    }
    insta::assert_snapshot!(stable(&repository.run(&["plan"])));
    std::fs::remove_file(repository.place.path().join("tenant/database-connections/Users/database.json")).unwrap();
    std::fs::create_dir_all(repository.place.path().join("tenant/database-connections/Users")).unwrap();
    let output = repository.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(1), "{output}");
    insta::assert_snapshot!("a_database_folder_without_its_file", stable(&output));
    assert_eq!(repository.recorder.writes(), before);
    assert_eq!(repository.one("/connections?strategy=auth0", "Users")["name"], "Users");
}

/// An export masks the client secret of a connection; importing it erases the secret, because options are replaced whole.
#[test]
fn a_secret_that_is_not_in_the_files_survives() {
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.recorder.api(
        "POST",
        "/connections",
        &json!({"name": "google", "strategy": "google-oauth2",
            "options": {"client_id": "id", "client_secret": "kept-secret", "email": true}}),
    );
    repository.place.write(
        "tenant/connections/google.json",
        "{\"name\": \"google\", \"strategy\": \"google-oauth2\", \"options\": {\"client_id\": \"other\", \"email\": true}}",
    );
    repository.apply();
    let sent = repository.bodies("PATCH", "/connections/");
    assert_eq!(sent.len(), 1, "{sent:?}");
    let live = repository.one("/connections", "google");
    assert_eq!(
        (&live["options"]["client_id"], &live["options"]["client_secret"]),
        (&json!("other"), &json!("kept-secret"))
    );
}

/// The marker that stands for the secret has no value: nothing is sent, neither the marker's text nor options without the secret.
#[test]
fn markers_never_reach_the_tenant() {
    let repository = Repository::new(
        json!({}),
        &[
            (
                "connections/google.json",
                "{\"name\": \"google\", \"strategy\": \"google-oauth2\", \"options\": {\"client_id\": \"a\", \"client_secret\": \"##CONNECTIONS_GOOGLE_SECRET##\"}}",
            ),
            (
                "emails/provider.json",
                "{\"name\": \"smtp\", \"enabled\": true, \"credentials\": {\"smtp_host\": \"h\", \"smtp_port\": 25, \"smtp_user\": \"##SMTP_USER##\", \"smtp_pass\": \"##SMTP_PASS##\"}}",
            ),
            (
                "actions/a.json",
                "{\"name\": \"A\", \"code\": \"actions/a.js\", \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}], \"secrets\": [{\"name\": \"KEY\", \"value\": \"##ACTION_KEY##\"}]}",
            ),
            ("actions/a.js", "exports.onExecutePostLogin = async () => {};\n"),
            (
                "attack-protection/captcha.json",
                "{\"active_provider_id\": \"hcaptcha\", \"hcaptcha\": {\"site_key\": \"a\", \"secret\": \"##CAPTCHA##\"}}",
            ),
            ("clients/shop.json", "{\"name\": \"Shop\", \"client_metadata\": {\"a.b\": \"##DOTTED##\"}}"),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// Connections and client grants of an organization go without AUTH0_ALLOW_DELETE where the list is missing or empty.
#[test]
fn links_of_an_organization_need_the_permission_to_delete() {
    let database = ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}");
    let with = "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": [{\"name\": \"Users\", \"assign_membership_on_login\": true}]}";
    let repository = Repository::new(json!({}), &[SHOP, database, ("organizations/acme.json", with)]);
    repository.apply();
    for without in [
        "{\"name\": \"acme\", \"display_name\": \"Acme\"}",
        "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": []}",
    ] {
        repository.place.write("tenant/organizations/acme.json", without);
        let before = repository.recorder.writes();
        let output = repository.run(&["plan", "--detailed-exitcode"]).code(0);
        let _ = repository.run(&["apply", "--yes"]).code(0);
        assert_eq!(repository.recorder.writes(), before, "{output}");
    }
    insta::assert_snapshot!(stable(&repository.run(&["plan"])));
    // With the permission the empty list empties it; the missing one never does.
    repository.place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": \"true\"}");
    repository.place.write("tenant/organizations/acme.json", "{\"name\": \"acme\", \"display_name\": \"Acme\"}");
    let targeted = ["plan", "--detailed-exitcode", "--target", "organizations"];
    let _ = repository.run(&targeted).code(0);
    repository.place.write(
        "tenant/organizations/acme.json",
        "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": []}",
    );
    let _ = repository.run(&targeted).code(2);
}

/// A misspelt connection of an organization empties its list.
#[test]
fn a_misspelt_link_is_an_error() {
    let repository = Repository::new(
        json!({}),
        &[
            ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}"),
            (
                "organizations/acme.json",
                "{\n  \"name\": \"acme\",\n  \"display_name\": \"Acme\",\n  \"connections\": [\n    {\"name\": \"Usres\", \"assign_membership_on_login\": true}\n  ]\n}\n",
            ),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// All permissions of a role are revoked and granted anew in every run.
#[test]
fn permissions_change_one_by_one() {
    let api = (
        "resource-servers/orders.json",
        "{\"name\": \"Orders\", \"identifier\": \"https://orders\", \"scopes\": [{\"value\": \"read\"}, {\"value\": \"write\"}, {\"value\": \"list\"}]}",
    );
    let role = |permissions: &[&str]| {
        let list: Vec<Value> = permissions
            .iter()
            .map(|name| json!({"permission_name": name, "resource_server_identifier": "https://orders"}))
            .collect();
        json!({"name": "clerk", "permissions": list}).to_string()
    };
    let repository =
        Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[api, ("roles/clerk.json", &role(&["read", "write"]))]);
    repository.apply();
    repository.place.write("tenant/roles/clerk.json", &role(&["read", "list"]));
    let writes = repository.apply();
    assert_eq!(writes.len(), 2, "{writes:?}");
    let (added, removed) = (repository.bodies("POST", "/permissions"), repository.bodies("DELETE", "/permissions"));
    let names = |body: &Value| {
        body["permissions"].as_array().unwrap().iter().map(|p| p["permission_name"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(added.last().unwrap()), ["\"list\""]);
    assert_eq!(names(removed.last().unwrap()), ["\"write\""]);
    // A role without the key keeps what it has.
    repository.place.write("tenant/roles/clerk.json", "{\"name\": \"clerk\"}");
    assert!(repository.apply().is_empty());
}

/// AUTH0_ALLOW_DELETE=false in the environment deletes what that tool guards loosely, and nulls keys of client_metadata.
#[test]
fn false_is_false() {
    let client = |metadata: Value| json!({"name": "Shop", "client_metadata": metadata}).to_string();
    let repository = Repository::new(json!({}), &[("clients/shop.json", &client(json!({"a": "1", "b": "2"})))]);
    repository.apply();
    let place = repository.recorder.compatibility().env("AUTH0_ALLOW_DELETE", "false").env("AUTH0_INPUT_FILE", ".");
    place.write("clients/none.txt", "an empty list of clients");
    let before = repository.recorder.writes();
    let _ = place.run(&["apply", "--yes"]).code(0);
    assert_eq!(repository.recorder.writes(), before);
    for other in ["TRUE", "1", "yes"] {
        let place = repository.recorder.compatibility().env("AUTH0_ALLOW_DELETE", other).env("AUTH0_INPUT_FILE", ".");
        place.write("clients/none.txt", "an empty list of clients");
        let output = place.run(&["apply", "--yes"]);
        assert_eq!(repository.recorder.writes(), before, "{other}: {output}");
    }
}

/// With a token alone, that tool does not know which client is its own, and deletes it.
#[test]
fn ones_own_client_stays_whatever_the_credentials() {
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[SHOP, ("grants/none.txt", "")]);
    repository.apply();
    let id = &repository.recorder.sandbox.client_id;
    assert_eq!(repository.get(&format!("/clients/{id}"))["client_id"], json!(id));
    // As a token of its own.
    let body = json!({"client_id": id, "client_secret": repository.recorder.sandbox.client_secret,
        "audience": format!("{}/api/v2/", repository.recorder.sandbox.url), "grant_type": "client_credentials"});
    let token = crate::support::token(&repository.recorder.sandbox.url, &body);
    let place = Place::new().env("AUTH0_DOMAIN", &repository.recorder.sandbox.url).env("AUTH0_ACCESS_TOKEN", &token);
    place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": true}");
    place.write("tenant/clients/none.txt", "");
    std::fs::create_dir(place.path().join("tenant/grants")).unwrap();
    let before = repository.recorder.writes().len();
    let output = place.run(&["-c", "config.json", "-i", "tenant", "apply", "--yes"]).code(0);
    let deleted: Vec<String> = repository.recorder.writes().split_off(before);
    assert!(
        deleted.iter().any(|write| write.starts_with("DELETE") && write.contains("/clients/")),
        "Shop goes: {output}"
    );
    assert_eq!(repository.get(&format!("/clients/{id}"))["client_id"], json!(id), "{output}");
    let grants = repository.get(&format!("/client-grants?client_id={id}")).to_string();
    assert!(grants.contains(id), "{grants}");
}

/// Without AUTH0_ALLOW_DELETE nothing is deleted, and what would go is listed and no difference.
#[test]
fn deletes_are_left_and_listed() {
    let repository = Repository::new(json!({}), &[SHOP, ("clients/second.json", "{\"name\": \"Second\"}")]);
    repository.apply();
    std::fs::remove_file(repository.place.path().join("tenant/clients/second.json")).unwrap();
    let before = repository.recorder.writes();
    let output = repository.run(&["plan", "--detailed-exitcode"]).code(0);
    insta::assert_snapshot!(stable(&output));
    let _ = repository.run(&["apply", "--yes"]).code(0);
    assert_eq!(repository.recorder.writes(), before);
    repository.place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": true}");
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!("deletes_that_are_allowed_are_said_first", stable(&output));
}

/// The APIs that belong to Auth0 are not described, and not deleted for that.
#[test]
fn what_belongs_to_auth0_is_not_deleted() {
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[("resource-servers/orders.json", "{\"name\": \"Orders\", \"identifier\": \"https://orders\"}")],
    );
    let writes = repository.apply();
    assert!(writes.iter().all(|write| write.starts_with("POST")), "{writes:?}");
}

/// `{}` for the e-mail provider sends the live one again there; here nothing is sent.
#[test]
fn an_empty_object_is_not_a_provider() {
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[SHOP, ("emails/provider.json", "{}")]);
    let output = repository.run(&["apply", "--yes"]);
    let writes = repository.recorder.writes();
    assert!(writes.iter().all(|write| !write.contains("emails")), "{writes:?}");
    insta::assert_snapshot!(stable(&output));
}

/// Files that hold `{}` are left out, with a word about it.
#[test]
fn empty_files_are_left_out() {
    let repository =
        Repository::new(json!({}), &[SHOP, ("clients/empty.json", "{}"), ("connections/empty.json", "{}")]);
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(output.stderr);
    let writes = repository.apply();
    assert_eq!(writes.len(), 1, "{writes:?}");
    let strict = Repository::new(json!({}), &[SHOP, ("roles/empty.json", "{}")]);
    insta::assert_snapshot!("an_empty_file_of_a_kind_that_needs_a_name", strict.refused(1));
}
