//! `compare`, through the real program: every pairing of environments, commits, files and live tenants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod support;

use common::Output;
use support::{Project, TENANT};

/// What is the machine's is replaced.
fn shown(output: &Output) -> String {
    let text = output.to_string();
    let places = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    let commits = regex::Regex::new(r"commit [0-9a-f]{7}\b").unwrap();
    commits.replace_all(&places.replace_all(&text, "TENANT"), "commit COMMIT").into_owned()
}

/// Without the numbers that depend on the secrets that two tenants made for themselves.
fn without_counts(text: &str) -> String {
    let counts = regex::Regex::new(r"\d+ resources the same(, \d+ secrets? not comparable)?").unwrap();
    counts.replace_all(text, "N resources the same").into_owned()
}

#[test]
fn what_the_variables_of_two_environments_explain_is_expected() {
    let project = Project::new();
    let output = project.run(&["compare", "dev", "prod"]).code(0);
    insta::assert_snapshot!("dev_prod", shown(&output));
    let output = project.run(&["compare", "dev", "prod", "--all"]).code(0);
    insta::assert_snapshot!("dev_prod_all", shown(&output));
    let json = project.run(&["compare", "dev", "prod", "--json"]).code(0).json();
    insta::assert_json_snapshot!("dev_prod_json", json);
}

#[test]
fn the_same_on_both_sides_is_no_difference() {
    let project = Project::new();
    for pair in [["dev", "dev"], ["env:prod", "prod"]] {
        let output = project.run(&["compare", pair[0], pair[1]]).code(0);
        assert!(output.stdout.contains("No differences, "), "{output}");
    }
}

#[test]
fn a_secret_nobody_has_is_not_comparable_and_a_known_one_is_never_shown() {
    let project = Project::without_secrets();
    let output = project.run(&["compare", "dev", "prod"]).code(0);
    assert!(output.stdout.contains("1 secret not comparable"), "{output}");
    let project = Project::new();
    for arguments in [&["compare", "dev", "prod", "--all"][..], &["compare", "dev", "prod", "--json"]] {
        let output = project.run(arguments).code(0);
        assert!(output.stdout.contains("google"), "{output}");
        assert!(!output.to_string().contains("hunter"), "{output}");
    }
}

#[test]
fn what_changed_in_the_files_between_commits_is_suspect_and_the_variables_still_explain_theirs() {
    let project = Project::new();
    project.commit("v1");
    project.replace("tenant.yaml", "https://fixed.example/cb", "https://moved.example/cb");
    project.replace("tenant.yaml", "description: bosses", "description: people who decide");
    let output = project.run(&["compare", "prod@v1", "prod"]).code(2);
    insta::assert_snapshot!("then_and_now", shown(&output));
    let output = project.run(&["compare", "dev@v1", "prod"]).code(2);
    insta::assert_snapshot!("then_and_now_of_two_environments", shown(&output));
    project.commit("v2");
    let output = project.run(&["compare", "prod@v2", "prod"]).code(0);
    assert!(output.stdout.contains("No differences"), "{output}");
    let output = project.run(&["compare", "prod@v1", "prod@v2"]).code(2);
    assert!(output.stdout.contains("3 suspect differences"), "{output}");
}

#[test]
fn a_variable_that_changed_between_commits_explains_what_it_moves() {
    let project = Project::new();
    project.commit("v1");
    project.replace("tenantry.yaml", "https://shop.example", "https://store.example");
    let output = project.run(&["compare", "prod@v1", "prod"]).code(0);
    assert!(output.stdout.contains("SHOP_URL") && output.stdout.contains("none suspect"), "{output}");
}

#[test]
fn a_value_written_out_on_one_side_is_suspect_although_a_variable_stands_on_the_other() {
    let project = Project::new();
    project.replace("tenant.yaml", "\"##LOGO##\"", "https://by-hand.example/logo");
    project.commit("v1");
    project.replace("tenant.yaml", "https://by-hand.example/logo", "\"##LOGO##\"");
    let output = project.run(&["compare", "dev@v1", "prod"]).code(2);
    assert!(output.stdout.contains("picture_url"), "{output}");
    assert!(output.stdout.contains("1 suspect difference,"), "{output}");
}

#[test]
fn a_deployed_tenant_is_what_its_environment_describes_and_another_tenant_differs_as_expected() {
    let project = Project::deployed();
    for pair in [["dev", "live:dev"], ["live:prod", "prod"]] {
        let output = project.run(&["compare", pair[0], pair[1]]).code(0);
        assert!(output.stdout.contains("No differences"), "{output}");
    }
    insta::assert_snapshot!("files_and_another_tenant", shown(&project.run(&["compare", "dev", "live:prod"]).code(0)));
    let output = project.run(&["compare", "live:dev", "live:prod"]).code(0);
    insta::assert_snapshot!("two_tenants", without_counts(&shown(&output)));
}

#[test]
fn what_somebody_changed_in_one_tenant_is_suspect() {
    let project = Project::deployed();
    project.write("changed.yaml", &TENANT.replace("https://fixed.example/cb", "https://sneaky.example/cb"));
    let _ = project.run(&["-e", "prod", "-i", "changed.yaml", "apply", "--yes"]).code(0);
    for (pair, file) in [
        (["live:dev", "live:prod"], "two_tenants_one_changed"),
        (["prod", "live:prod"], "files_and_their_changed_tenant"),
        (["live:prod", "prod"], "a_changed_tenant_and_its_files"),
    ] {
        let output = project.run(&["compare", pair[0], pair[1]]).code(2);
        assert!(output.stdout.contains("sneaky"), "{output}");
        let text = shown(&output);
        let are_live = pair.iter().all(|side| side.starts_with("live:"));
        insta::assert_snapshot!(file, if are_live { without_counts(&text) } else { text });
    }
    let json = project.run(&["compare", "live:dev", "live:prod", "--json"]).code(2).json();
    assert_eq!(json["counts"]["suspect"], 2, "{json:#}");
}

#[test]
fn descriptions_in_files_are_compared_with_or_without_an_environment() {
    let project = Project::new();
    project.write("other/tenant.yaml", "roles:\n  - name: Boss\n    description: bosses\n  - name: Clerk\n");
    project.write("one.yaml", "roles:\n  - name: Boss\n    description: bosses\n");
    let output = project.run(&["compare", "one.yaml", "./other"]).code(2);
    insta::assert_snapshot!("two_files", shown(&output));
    // Without an environment there is no value for the markers.
    let output = project.run(&["compare", "tenant.yaml", "prod"]).code(1);
    assert!(output.stderr.contains("add `-e ENV`"), "{output}");
    let output = project.run(&["-e", "dev", "compare", "./tenant.yaml", "prod"]).code(0);
    assert!(output.stdout.contains("none suspect"), "{output}");
}

#[test]
fn a_kind_that_cannot_be_read_is_named_and_not_called_the_same() {
    let project = Project::deployed();
    project.prod.lose(&["read:roles"]);
    let output = project.run(&["compare", "prod", "live:prod"]).code(2);
    insta::assert_snapshot!("a_kind_unread", shown(&output));
    let json = project.run(&["compare", "live:dev", "live:prod", "--json"]).code(2).json();
    assert_eq!(json["unreadable"][0]["what"], "roles", "{json:#}");
    assert_eq!(json["unreadable"][0]["side"], "other", "{json:#}");
}

#[test]
fn a_backup_is_compared_with_the_tenant_of_now_another_one_and_the_files() {
    let project = Project::deployed();
    let _ = project.run(&["-e", "prod", "backup", "-o", "kept"]);
    let kept = std::fs::read_dir(project.path().join("kept")).unwrap().next().unwrap().unwrap();
    std::fs::rename(kept.path(), project.path().join("prod.tar.zst")).unwrap();
    for other in ["live:prod", "prod"] {
        let output = project.run(&["compare", "prod.tar.zst", other]).code(0);
        assert!(output.stdout.contains("No differences"), "{output}");
    }
    let output = project.run(&["compare", "live:dev", "prod.tar.zst"]).code(0);
    assert!(output.stdout.contains("SHOP_URL") && output.stdout.contains("none suspect"), "{output}");
    project.write("changed.yaml", &TENANT.replace("https://fixed.example/cb", "https://sneaky.example/cb"));
    let _ = project.run(&["-e", "prod", "-i", "changed.yaml", "apply", "--yes"]).code(0);
    let times = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d").unwrap();
    let output = project.run(&["compare", "prod.tar.zst", "live:prod"]).code(2);
    insta::assert_snapshot!("a_backup_and_the_tenant_of_now", times.replace_all(&shown(&output), "TIME"));
    project.write("broken.tar.zst", "no archive");
    let output = project.run(&["compare", "broken.tar.zst", "live:prod"]).code(1);
    assert!(output.stderr.contains("broken.tar.zst"), "{output}");
}

#[test]
fn sides_that_are_not_there_are_errors_that_list_what_is() {
    let project = Project::new();
    project.write("dev", "roles: []\n");
    let output = project.run(&["compare", "prd", "./nothing"]).code(64);
    insta::assert_snapshot!("unknown_sides", shown(&output));
    insta::assert_snapshot!("a_side_that_means_two_things", shown(&project.run(&["compare", "dev", "prod"]).code(64)));
    let output = project.run(&["compare", "env:dev", "live:prd"]).code(64);
    assert!(output.stderr.contains("did you mean `live:prod`?"), "{output}");
    let output = project.run(&["compare", "prod@nothing", "prod"]).code(1);
    assert!(output.stderr.contains("no-repository"), "{output}");
    project.commit("v1");
    let output = project.run(&["compare", "prod@nothing", "prod"]).code(1);
    assert!(output.stderr.contains("nothing"), "{output}");
    let _ = project.run(&["compare", "prod"]).code(64);
}

#[test]
fn a_description_that_does_not_hold_on_one_side_is_an_error_with_its_place() {
    let project = Project::new();
    project.replace("tenantry.yaml", "LOGO: https://prod.example/logo", "LOGOS: https://prod.example/logo");
    let output = project.run(&["compare", "dev", "prod"]).code(1);
    insta::assert_snapshot!("broken_on_one_side", shown(&output));
    let json = project.run(&["compare", "dev", "prod", "--json"]).code(1).json();
    assert_eq!(json["problems"][0]["id"], "unset-variable", "{json:#}");
}

#[test]
fn a_repository_of_the_other_tool_is_compared_with_its_tenant_and_its_past() {
    let project = Project::for_the_other_tool();
    project.commit("v1");
    let output = project.run(&["-c", "config.json", "compare", "tenant.yaml", "@v1"]).code(0);
    assert!(output.stdout.contains("No differences"), "{output}");
    let output = project.run(&["-c", "config.json", "compare", "live", "tenant.yaml"]).code(2);
    assert!(output.stdout.contains("roles/Boss   "), "{output}");
}
