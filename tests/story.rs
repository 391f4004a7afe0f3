//! The way of a description from the files into a tenant, through the real program and the embedded sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Place;

#[test]
fn a_starter_project_is_deployed_and_then_at_rest() {
    let place = Place::new();
    let _ = place.run(&["init", "--name", "acme"]).code(0);
    let _ = place.run(&["init", "--name", "acme"]).code(1);
    let _ = place.run(&["-e", "sandbox", "validate"]).code(0);
    let _ = place.run(&["-e", "sandbox", "plan"]).code(0);
    let _ = place.run(&["-e", "sandbox", "plan", "--detailed-exitcode"]).code(2);
    let asked = place.run(&["-e", "sandbox", "apply"]).code(64);
    assert!(asked.stderr.contains("--yes"), "{asked}");
    let applied = place.run(&["-e", "sandbox", "apply", "--yes", "--json"]).code(0);
    assert_eq!(applied.json()["complete"], true, "{applied}");
    let again = place.run(&["-e", "sandbox", "plan", "--detailed-exitcode"]).code(0);
    assert!(again.stdout.contains("\nNo changes.\n") && again.stderr.is_empty(), "{again}");
    let nothing = place.run(&["-e", "sandbox", "apply"]).code(0);
    assert!(nothing.stdout.contains("No changes."), "{nothing}");
}

#[test]
fn a_problem_in_a_file_is_shown_with_its_line() {
    let place = Place::new();
    let _ = place.run(&["init", "--name", "acme"]).code(0);
    place.write("clients/second.yaml", "name: Second\ncallback:\n  - https://x.example\n");
    insta::assert_snapshot!(place.run(&["-e", "sandbox", "validate"]).code(1));
}

#[test]
fn what_is_exported_plans_to_nothing() {
    let place = Place::with("tenants/travel0");
    let applied = place.run(&["-e", "sandbox", "apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let _ = place.run(&["-e", "sandbox", "plan", "--detailed-exitcode"]).code(0);
    // Everything that was deployed is remembered.
    let plan = place.run(&["-e", "sandbox", "plan", "--json"]).code(0).json();
    let drift = place.run(&["-e", "sandbox", "drift", "--json"]).code(0).json();
    assert_eq!(drift["counts"]["unchanged"], plan["counts"]["unchanged"], "{:#}", drift["counts"]);
    // A client without a secret reads like one whose secret is hidden, so the export says that it is partial.
    let exported = place.run(&["-e", "sandbox", "export", "-o", "exported"]);
    assert!(matches!(exported.code, Some(0 | 5)), "{exported}");
    let plan = place.run(&["-e", "sandbox", "-i", "exported", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}

#[test]
fn doctor_looks_at_the_ledger_the_lock_and_the_log() {
    let place = Place::new();
    let _ = place.run(&["init", "--name", "acme"]).code(0);
    let before = place.run(&["-e", "sandbox", "doctor"]).code(0);
    assert!(before.stdout.contains("no deployment yet"), "{before}");
    assert!(before.stdout.contains("lock          free"), "{before}");
    assert!(before.stdout.contains("tells who changes the tenant outside"), "{before}");
    let _ = place.run(&["-e", "sandbox", "apply", "--yes"]).code(0);
    let after = place.run(&["-e", "sandbox", "doctor", "--json"]).code(0).json();
    let check = after["checks"].as_array().unwrap().iter().find(|check| check["name"] == "ledger").unwrap();
    assert_eq!(check["verdict"], "ready", "{after:#}");
    assert!(check["found"][0].as_str().unwrap().ends_with(": 1 deployment"), "{check:#}");
    assert!(check["found"][1].as_str().unwrap().ends_with(": done"), "{check:#}");
}

#[test]
fn a_saved_plan_beside_the_files_does_not_count_as_a_change_of_them() {
    let place = Place::new();
    let _ = place.run(&["init", "--name", "acme"]).code(0);
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "one"]] {
        let mut git = std::process::Command::new("git");
        git.current_dir(place.path()).args(["-c", "user.name=ana", "-c", "user.email=ana@example.com"]);
        assert!(git.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success());
    }
    let _ = place.run(&["-e", "sandbox", "plan", "-o", "saved.json"]).code(0);
    let plan = place.run(&["-e", "sandbox", "plan", "--json"]).code(0).json();
    assert_eq!(plan["dirty"], false, "{}", plan["dirty"]);
    place.write("other.json", "{}");
    let plan = place.run(&["-e", "sandbox", "plan", "--json"]).code(0).json();
    assert_eq!(plan["dirty"], true, "another file may describe something");
}
