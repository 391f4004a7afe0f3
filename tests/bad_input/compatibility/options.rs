//! Options and kinds.

use serde_json::json;

use super::{Repository, SHOP};
use crate::support::{Recorder, refused, stable};

// Options.

/// Lists in the environment are text for that tool in places: "rulesConfigs" also hits "rules".
#[test]
fn kinds_are_left_out_by_their_whole_name() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            ("roles/clerk.json", "{\"name\": \"clerk\"}"),
            ("rules/r.json", "{\"name\": \"r\", \"script\": \"./r.js\", \"enabled\": false}"),
            ("rules/r.js", "function r(user, context, callback) { callback(null, user, context); }\n"),
        ],
    );
    let place = repository.recorder.compatibility().env("AUTH0_EXCLUDED", "[\"rulesConfigs\", \"roles\"]");
    let tenant = repository.place.path().join("tenant").display().to_string();
    let output = place.run(&["-i", &tenant, "plan"]).code(0);
    assert!(output.stdout.contains("rules/r") && !output.stdout.contains("roles/clerk"), "{output}");
}

/// `-i` loses to the environment there.
#[test]
fn the_command_line_wins() {
    let repository = Repository::new(json!({"AUTH0_INPUT_FILE": "nowhere"}), &[SHOP]);
    assert_eq!(repository.apply().len(), 1);
}

/// Options that are unknown, refused, or contradict each other are named, with their place.
#[test]
fn options_that_do_not_work() {
    let repository = Repository::new(json!({"AUTH0_EXCLUDD": ["roles"], "AUTH0_FOO": 1}), &[SHOP]);
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!("options_that_are_unknown", output.stderr);
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.place.write(
        "config.json",
        "{\n  \"AUTH0_DRY_RUN_INTERACTIVE\": true,\n  \"AUTH0_IGNORE_DRY_RUN_FIELDS\": {\"clients\": [\"name\"]},\n  \"AUTH0_RETRY_MAX_DELAY_MS\": 5,\n  \"EXTENSION_SECRET\": \"hunter2\",\n  \"AUTH0_EXCLUDED\": [\"roles\"],\n  \"AUTH0_INCLUDED_ONLY\": [\"clients\"],\n  \"AUTH0_ALLOW_DELETE\": \"maybe\",\n  \"AUTH0_EXCLUDED_CLIENTS\": 5\n}\n",
    );
    let output = repository.refused(1);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.place.write("config.json", "{\n  \"AUTH0_CLIENT_SECRET\": \"hunter2\",\n  AUTH0_DOMAIN: \"x\"\n}\n");
    let output = repository.refused(1);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
    let output = refused(&repository.place, &["-c", "nowhere.json", "plan"], 1);
    insta::assert_snapshot!("a_configuration_that_is_missing", stable(&output));
}

// Kinds.

#[test]
fn kinds_of_a_later_release() {
    let files = [
        SHOP,
        ("guardian/factors/sms.json", "{\"name\": \"sms\", \"enabled\": true}"),
        ("log-streams/a.json", "{\"name\": \"a\", \"type\": \"http\"}"),
    ];
    let repository = Repository::new(json!({}), &files);
    insta::assert_snapshot!(repository.refused(1));
    repository.place.write("config.json", "{\"AUTH0_EXCLUDED\": [\"guardianFactors\", \"logStreams\"]}");
    assert_eq!(repository.apply().len(), 1);
}

#[test]
fn kinds_that_are_gone() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("tenant/tenant.yaml", "migrations:\n  a: true\nroles:\n  - name: clerk\n");
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(stable(&output));
    assert_eq!(repository.apply().len(), 1);
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write("tenant.yaml", "migrations:\n  a: true\nroles:\n  - name: clerk\n");
    insta::assert_snapshot!("kinds_that_are_gone_in_a_project", stable(&refused(&place, &["plan"], 1)));
}

#[test]
fn folders_that_are_nearly_right() {
    let repository = Repository::new(
        json!({}),
        &[SHOP, ("client/b.json", "{\"name\": \"B\"}"), ("resource-server/a.json", "{}"), ("docs/a.json", "{}")],
    );
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(output.stderr);
}

#[test]
fn unknown_fields_warn_and_pass() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("tenant/clients/shop.json", "{\n  \"name\": \"Shop\",\n  \"callback\": []\n}\n");
    let output = repository.run(&["validate"]).code(0);
    insta::assert_snapshot!(output.stderr);
}
