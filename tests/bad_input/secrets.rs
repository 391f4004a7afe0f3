//! A secret is printed nowhere, whatever goes right or wrong.

use base64::Engine;

use crate::common::{Output, Place};
use crate::support::Recorder;

/// No part of it means anything, and JSON has to escape it.
const CANARY: &str = "c4n4ry\"\\\u{e9}-8f1d7b2e";

/// Every form in which somebody could read it.
fn forms() -> Vec<String> {
    let json = serde_json::to_string(CANARY).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(CANARY);
    let twice = serde_json::to_string(json.trim_matches('"')).unwrap();
    vec![
        CANARY.to_owned(),
        json.trim_matches('"').to_owned(),
        twice.trim_matches('"').to_owned(),
        base64.trim_end_matches('=').to_owned(),
        "8f1d7b2e".to_owned(),
    ]
}

fn clean(what: &str, text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{what} holds {form:?}:\n{text}");
    }
}

fn quiet(output: &Output) {
    clean("stdout", &output.stdout);
    clean("stderr", &output.stderr);
}

/// The files a place holds after a run, but for those of the test.
fn files(folder: &std::path::Path, own: &[&str]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, own);
        } else if !own.iter().any(|name| path.ends_with(name)) {
            clean(&path.display().to_string(), &String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
}

fn describe(place: &Place) {
    place.write("clients/shop.yaml", "name: Shop\n");
    place.write(
        "connections/google.yaml",
        "name: google\nstrategy: google-oauth2\noptions:\n  client_id: id\n  client_secret: ${{ secrets.google }}\n",
    );
    place.write(
        "emails/provider.yaml",
        "name: smtp\nenabled: true\ndefault_from_address: a@example.com\ncredentials:\n  smtp_host: h\n  smtp_port: 25\n  smtp_user: u\n  smtp_pass: ${{ secrets.google }}\n",
    );
    place.write("actions/a.js", "exports.onExecutePostLogin = async () => {};\n");
    place.write(
        "actions/a.yaml",
        "name: A\ncode: actions/a.js\nsupported_triggers: [{id: post-login, version: v3}]\nsecrets:\n  - name: KEY\n    value: ${{ secrets.google }}\n",
    );
}

#[test]
fn a_secret_of_a_project_is_printed_nowhere() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project().env("TENANTRY_SECRET_GOOGLE", CANARY);
    describe(&place);
    for arguments in [
        &["validate"][..],
        &["doctor"],
        &["-vv", "plan"],
        &["plan", "--format", "markdown"],
        &["--json", "plan"],
        &["-vv", "apply", "--yes"],
        &["--json", "apply", "--yes"],
        &["plan", "--send-secrets"],
        &["--json", "plan", "--send-secrets"],
        &["export", "-o", "out"],
    ] {
        let output = place.run(arguments);
        quiet(&output);
        assert!(matches!(output.code, Some(0 | 5)), "{arguments:?}\n{output}");
    }
    files(&place.path(), &[]);
    let sent = recorder.exchanges().iter().filter(|(.., body)| body.to_string().contains("8f1d7b2e")).count();
    assert_eq!(sent, 3, "it arrived where it belongs");
}

/// Also where the API, or the description, says no, and has the secret in its mouth.
#[test]
fn a_secret_in_a_refusal_is_printed_nowhere() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project().env("TENANTRY_SECRET_GOOGLE", CANARY);
    describe(&place);
    // Where no secret belongs, and of the wrong type, and too long for it.
    for (name, text) in [
        ("clients/shop.yaml", "name: Shop\napp_type: ${{ secrets.google }}\n"),
        ("clients/shop.yaml", "name: Shop\ncallbacks: ${{ secrets.google }}\n"),
        ("clients/shop.yaml", "name: Shop\njwt_configuration: {alg: \"${{ secrets.google }}\"}\n"),
        ("clients/shop.yaml", "name: Shop\ninitiate_login_uri: ${{ secrets.google }}\n"),
        ("clients/shop.yaml", "name: Shop\n${{ secrets.google }}: 1\n"),
        ("clients/shop.yaml", "name: ${{ secrets.google }}\n"),
        ("clients/shop.yaml", "name: Shop\nclient_metadata: {k: \"${{ secrets.google }}\"}\n"),
        ("clients/shop.yaml", "name: Shop\nlogo_uri: ${{ lower secrets.google }}\n"),
    ] {
        place.write(name, text);
        for arguments in [&["plan"][..], &["--json", "plan"], &["apply", "--yes"], &["--json", "apply", "--yes"]] {
            quiet(&place.run(arguments));
        }
    }
    files(&place.path(), &[]);
}

/// Mappings of auth0-deploy-cli are no declared secrets, but where they fill a secret field they are never shown.
#[test]
fn a_mapping_in_a_secret_field_is_printed_nowhere() {
    let recorder = Recorder::start(&[]);
    let place = recorder.compatibility();
    let mappings = serde_json::json!({"AUTH0_KEYWORD_REPLACE_MAPPINGS": {"GOOGLE": CANARY}});
    place.write("config.json", &mappings.to_string());
    describe(&place);
    for name in ["connections/google.yaml", "emails/provider.yaml", "actions/a.yaml"] {
        let text = place.read(name).replace("${{ secrets.google }}", "@@GOOGLE@@");
        place.write(name, &text);
    }
    for arguments in
        [&["validate"][..], &["-vv", "plan"], &["--json", "plan"], &["-vv", "apply", "--yes"], &["--json", "plan"]]
    {
        let output = place.run(&[&["-c", "config.json", "-i", "."], arguments].concat());
        quiet(&output);
        assert_eq!(output.code, Some(0), "{arguments:?}\n{output}");
    }
    files(&place.path(), &["config.json"]);
}

/// What the credentials are is nobody's to read either.
#[test]
fn credentials_are_printed_nowhere() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    describe(&place);
    let place = place.env("TENANTRY_SECRET_GOOGLE", "x");
    for arguments in [&["-vvv", "plan"][..], &["-vvv", "apply", "--yes"], &["-vvv", "doctor"]] {
        let output = place.run(arguments);
        let secret = &recorder.sandbox.client_secret;
        assert!(!output.stdout.contains(secret) && !output.stderr.contains(secret), "{output}");
        assert!(!output.stderr.contains("Bearer ") && !output.stderr.contains("eyJ"), "{output}");
    }
}
