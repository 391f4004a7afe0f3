//! Files and markers.

use serde_json::json;

use super::{Repository, SHOP};
use crate::common::Place;
use crate::support::{refused, stable};

/// Values with quotes, line ends or colons break or inject YAML there.
#[test]
fn values_do_not_break_the_file() {
    let value = "a\"b: c\n  - name: injected\n#d";
    let repository = Repository::new(
        json!({"AUTH0_KEYWORD_REPLACE_MAPPINGS": {"BRAND": value, "A(": "x"}}),
        &[(
            "tenant.yaml",
            "roles:\n  - name: clerk\n    description: \"##BRAND##\"\n  - name: second\n    description: ##BRAND##\n  - name: third\n    description: @@BRAND@@\n",
        )],
    );
    let writes = repository.apply();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert_eq!(repository.one("/roles", "clerk")["description"], value);
    assert_eq!(repository.one("/roles", "third")["description"], value);
}

/// A bare marker without a value is a comment in YAML: null there, and an error here.
#[test]
fn a_bare_marker_is_no_comment() {
    let repository =
        Repository::new(json!({}), &[("tenant.yaml", "roles:\n  - name: clerk\n    description: ##NOBODY##\n")]);
    insta::assert_snapshot!(repository.refused(1));
}

/// A client that does not exist is passed on as its name, an unknown connection is dropped.
#[test]
fn unknown_references_stop_before_the_first_write() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            (
                "connections/google.json",
                "{\n  \"name\": \"google\",\n  \"strategy\": \"google-oauth2\",\n  \"enabled_clients\": [\"Shop\", \"Shopp\"]\n}\n",
            ),
            ("grants/a.json", "{\"client_id\": \"Nobody\", \"audience\": \"https://nowhere\", \"scope\": []}"),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// An export that overwrites the first of two clients of one name, and references by name to them.
#[test]
fn clients_of_one_name_are_told_apart() {
    let repository = Repository::new(json!({}), &[]);
    for _ in 0..2 {
        repository.recorder.api("POST", "/clients", &json!({"name": "Twin"}));
    }
    let _ = repository.run(&["export", "-o", "out"]);
    let twins: Vec<_> = std::fs::read_dir(repository.place.path().join("out/clients"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("Twin"))
        .collect();
    assert_eq!(twins.len(), 2, "{twins:?}");
    let output = repository.place.run(&["-i", "out", "plan", "--detailed-exitcode"]);
    assert_eq!(output.code, Some(0), "{output}");
    // One of that name in the files means neither of them: it is not guessed.
    let repository = Repository { place: repository.recorder.compatibility(), recorder: repository.recorder };
    repository.place.write("config.json", "{}");
    repository.place.write("tenant/clients/twin.json", "{\"name\": \"Twin\", \"description\": \"x\"}");
    let before = repository.recorder.writes();
    let output = repository.run(&["apply", "--yes"]).code(1);
    let text = regex::Regex::new("[A-Za-z0-9]{32}").unwrap().replace_all(&stable(&output), "ID").into_owned();
    insta::assert_snapshot!(text);
    assert_eq!(repository.recorder.writes(), before);
}

/// Ids that an export with AUTH0_EXPORT_IDENTIFIERS writes can be read again.
#[test]
fn an_export_with_ids_loads_back() {
    let repository = Repository::new(
        json!({"AUTH0_EXPORT_IDENTIFIERS": true}),
        &[SHOP, ("roles/clerk.json", "{\"name\": \"clerk\"}")],
    );
    repository.apply();
    let _ = repository.run(&["export", "-o", "out", "--files", "json"]);
    let output = repository.place.run(&["-c", "config.json", "-i", "out", "plan", "--detailed-exitcode"]);
    assert_eq!(output.code, Some(0), "{output}");
}

/// One of three files is enough for attack protection.
#[test]
fn a_part_of_attack_protection_is_enough() {
    let repository = Repository::new(
        json!({}),
        &[("attack-protection/brute-force-protection.json", "{\"enabled\": true, \"max_attempts\": 7}")],
    );
    let writes = repository.apply();
    assert_eq!(writes, ["PATCH /api/v2/attack-protection/brute-force-protection"]);
}

/// An empty folder of triggers describes nothing.
#[test]
fn an_empty_folder_of_triggers() {
    let repository = Repository::new(json!({}), &[SHOP]);
    std::fs::create_dir(repository.place.path().join("tenant/triggers")).unwrap();
    assert_eq!(repository.apply().len(), 1);
}

/// Side files of a YAML file named by a relative path in a sub-folder are looked up twice below it there.
#[test]
fn a_relative_path_in_a_folder_works() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("local/tenant.yaml", "clients:\n  - name: Shop\n    custom_login_page: ./login.html\nconnections:\n  - name: email\n    strategy: email\n    options: {email: {body: ./mail.html, from: a@example.com, subject: Hi, syntax: liquid}, name: email}\nroles: []\n");
    repository.place.write("local/clients/login.html", "<html>the login page</html>");
    repository.place.write("local/connections/mail.html", "<html>the mail</html>");
    for path in ["local/tenant.yaml", "./local/tenant.yaml"] {
        let output = repository.place.run(&["-c", "config.json", "-i", path, "plan"]).code(0);
        assert!(output.stdout.contains("the mail") && output.stdout.contains("the login page"), "{output}");
    }
    let absolute = repository.place.path().join("local/tenant.yaml").display().to_string();
    let output = repository.place.run(&["-c", "config.json", "-i", &absolute, "plan"]).code(0);
    assert!(output.stdout.contains("the mail"), "{output}");
}

/// Flags of the tenant that nobody listed are dropped there, on write and on read.
#[test]
fn flags_of_tomorrow_are_not_dropped() {
    let repository = Repository::new(
        json!({}),
        &[("tenant.json", "{\n  \"flags\": {\n    \"remove_alg_from_jwks\": true\n  }\n}\n")],
    );
    repository.apply();
    let sent = repository.bodies("PATCH", "/tenants/settings");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["flags"]["remove_alg_from_jwks"], true);
}

/// A token is not needed to validate files.
#[test]
fn files_are_checked_without_credentials() {
    let place = Place::new();
    place.write("config.json", "{\"AUTH0_DOMAIN\": \"acme.eu.auth0.com\"}");
    place.write("tenant/clients/shop.json", "{\"name\": \"Shop\"}");
    let _ = place.run(&["-c", "config.json", "-i", "tenant", "validate"]).code(0);
    insta::assert_snapshot!(stable(&refused(&place, &["-c", "config.json", "-i", "tenant", "plan"], 1)));
}
