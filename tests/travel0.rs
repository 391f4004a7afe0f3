//! The worked example of this repository, through the whole chain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod common;

use std::path::Path;

use serde_json::json;

use chain::Tenant;
use common::Place;

/// A place that holds a copy of the project.
fn project() -> Place {
    let place = Place::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
    for (path, text) in chain::files(&source) {
        let name = path.strip_prefix(&source).unwrap();
        if !name.starts_with(".tenantry") {
            place.write(&format!("project/{}", name.display()), &text);
        }
    }
    place
}

#[test]
fn every_environment_validates_without_secrets() {
    let place = project();
    for environment in ["sandbox", "dev", "staging", "prod"] {
        let _ = place.run(&["-C", "project", "-e", environment, "validate"]).code(0);
    }
}

#[test]
fn every_difference_between_two_environments_is_explained_by_a_variable_that_is_named() {
    let place = project();
    let compared = place.run(&["-C", "project", "--json", "compare", "staging", "prod"]).code(0).json();
    let mut unnamed = Vec::new();
    for resource in compared["resources"].as_array().unwrap() {
        let fields = resource["fields"].as_array().into_iter().flatten();
        for place in fields.chain([resource]) {
            let expected = &place["expected"];
            if expected["by"] == "variables" && expected["variables"].as_array().is_none_or(Vec::is_empty) {
                unnamed.push(format!("{} {}", resource["address"], place["path"]));
            }
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn an_unknown_environment_is_refused() {
    let place = project();
    let said = place.run(&["-C", "project", "-e", "production", "validate"]).code(64);
    assert!(said.stderr.contains("prod"), "{said}");
}

#[test]
fn the_sandbox_environment_deploys_to_nothing_left() {
    let place = project();
    let words = ["-C", "project", "-e", "sandbox"];
    let _ = place.run(&[&words[..], &["apply", "--yes"]].concat()).code(0);
    let _ = place.run(&[&words[..], &["plan", "--detailed-exitcode"]].concat()).code(0);
}

#[test]
fn deployed_exported_and_deployed_elsewhere() {
    let place = project();
    let tenant = Tenant::start(&place, "tenant", "travel0.eu.auth0.com");
    // The sandbox's environment, but with a server that can be asked.
    let text = place.read("project/tenantry.yaml");
    let there = format!("  there:\n    domain: {}\n    policy: {{ delete: all }}\n", tenant.sandbox.url);
    place.write("project/tenantry.yaml", &text.replacen("  sandbox:\n    sandbox: {}\n", &there, 1));
    let place = tenant.sandbox.point(place);
    let _ = chain::deploy(&place, &tenant, &["-C", "project", "-e", "there"]);
    let config = tenant.config(&place, "config", &json!({}));
    let _ = chain::round_trip(place, &tenant, &config, "export");
}
