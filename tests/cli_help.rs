//! What the program says of itself, and how it ends where it is called wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Place, Sandbox};

const COMMANDS: [&str; 17] = [
    "init",
    "doctor",
    "validate",
    "plan",
    "apply",
    "revert",
    "drift",
    "adopt",
    "export",
    "backup",
    "restore",
    "compare",
    "history",
    "sandbox",
    "schema",
    "completions",
    "help",
];

#[test]
fn help_of_the_program() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["--help"]).code(0));
    assert_eq!(place.run(&["help"]).code(0).stdout, place.run(&["--help"]).stdout);
    let bare = place.run(&[]).code(64);
    assert!(bare.stdout.is_empty() && bare.stderr.contains("Usage:"), "{bare}");
}

#[test]
fn help_of_every_command() {
    let place = Place::new();
    for command in COMMANDS {
        let output = place.run(&[command, "--help"]).code(0);
        // The options of every command are shown once, with the program.
        let own = output.stdout.split("Options of every command:").next().unwrap();
        insta::assert_snapshot!(format!("help_{command}"), own);
        assert!(output.stderr.is_empty(), "{output}");
    }
}

#[test]
fn every_command_is_in_the_list() {
    let output = Place::new().run(&["--help"]).code(0);
    let list = output.stdout.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, COMMANDS);
}

#[test]
fn exit_codes_are_printed() {
    insta::assert_snapshot!(Place::new().run(&["help", "exit-codes"]).code(0));
}

#[test]
fn wrong_calls_end_with_64() {
    let place = Place::new();
    for arguments in [
        &["plan", "--dry_run"][..],
        &["frobnicate"],
        &["revert", "01JD7", "--to", "main"],
        &["plan", "--target", "cleints/x"],
        &["plan", "--prune", "zebra"],
        &["plan", "--var", "novalue"],
        &["plan", "--api-budget", "0%"],
        &["plan", "--format", "pdf"],
        &["plan", "-o"],
        &["apply", "plan.json", "--target", "clients"],
        &["apply", "--on-failure", "shrug"],
        &["history", "hide"],
        &["apply", "--approve", "safe"],
        &["export"],
        &["sandbox", "--rate", "fast"],
        &["sandbox", "--latency", "5"],
        &["completions", "cmd"],
        &["help", "aply"],
        &["schema", "client"],
        &["-C", "nowhere", "validate"],
    ] {
        let output = place.run(arguments).code(64);
        assert!(output.stdout.is_empty(), "{arguments:?}\n{output}");
        assert!(output.stderr.starts_with("error"), "{arguments:?}\n{output}");
    }
}

#[test]
fn suggestions_are_made() {
    let place = Place::new();
    insta::assert_snapshot!("suggest_help", place.run(&["help", "aply"]).code(64));
    insta::assert_snapshot!("suggest_kind", place.run(&["plan", "--target", "cleints/x"]).code(64));
}

#[test]
fn nothing_configured_is_said() {
    let output = Place::new().run(&["plan"]);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(output.stderr.starts_with("error"), "{output}");
    let json = Place::new().run(&["plan", "--json"]);
    assert_eq!(json.json()["format"], "tenantry.problems/1");
    assert_eq!(json.code, output.code);
}

#[test]
fn completions_exist_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.run(&["completions", shell]).code(0).stdout.contains("detailed-exitcode"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["schema"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = place.waited(child);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_sandbox_says_where_it_is() {
    let place = Place::new();
    let sandbox = Sandbox::start(&place, &["--tenant-domain", "acme.eu.auth0.com"]);
    assert!(sandbox.url.starts_with("http://127.0.0.1:"), "{}", sandbox.url);
    assert!(!sandbox.client_id.is_empty() && !sandbox.client_secret.is_empty());
}
