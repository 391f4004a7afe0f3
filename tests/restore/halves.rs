//! A revert that failed half-way says what goes on from there, and that does.

use serde_json::{Value as Json, json};

use crate::common::Place;
use crate::refuses::control;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, project, tenant};

#[test]
fn a_revert_that_failed_half_way_is_finished_by_the_command_it_names() {
    let place = Place::new();
    let tenant = tenant(&place, "tenant", DOMAIN);
    let place = project(place, "site", &tenant, EVERYTHING_ALLOWED);
    place.write("site/roles/one.yaml", "name: One\n");
    place.write("site/clients/two.yaml", "name: Two\n");
    let run = |words: &[&str]| place.run(&[&["-C", "site", "-e", "t"], words].concat());
    let _ = run(&["apply", "--yes"]).code(0);
    let fault = json!({"faults": [{"status": 400, "share": 1.0, "method": "DELETE", "path": "/clients/"}]});
    let _ = control(&tenant, "POST", "faults", &fault);
    let said = run(&["revert", "--yes", "--approve", "policy", "--approve", "irreversible", "--keep-going"]).code(5);
    assert!(!said.stdout.contains("apply --resume"), "that refuses reverts:\n{said}");
    let named = said.stdout.split('`').chain(said.stdout.split('\n')).map(str::trim);
    let named = named.filter_map(|part| part.split_once("tenantry revert ")).map(|(_, id)| id).next();
    let id = named.unwrap_or_else(|| panic!("{said}")).split([' ', '`', '\n']).next().unwrap().to_owned();
    let _ = control(&tenant, "POST", "faults", &json!({"faults": []}));
    let _ = run(&["apply", "--resume", "--yes"]).code(1);
    let _ = run(&["revert", &id, "--yes", "--approve", "policy", "--approve", "irreversible"]).code(0);
    let clients = tenant.ask("GET", "clients?per_page=50", &Json::Null).to_string();
    let roles = tenant.ask("GET", "roles", &Json::Null).to_string();
    assert!(!clients.contains("\"Two\"") && !roles.contains("\"One\""), "{clients} {roles}");
}
