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
    // A client without a secret reads like one whose secret is hidden, so the export says that it is partial.
    let exported = place.run(&["-e", "sandbox", "export", "-o", "exported"]);
    assert!(matches!(exported.code, Some(0 | 5)), "{exported}");
    let plan = place.run(&["-e", "sandbox", "-i", "exported", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{plan}");
}
