//! Everything comes back, as the tenant itself answers.

use serde_json::{Value as Json, json};

use crate::archive::How;
use crate::chain::{Tenant, raw};
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, exported, full, project, restore, tenant, travel0};

/// Demands that two tenants answer the same.
pub fn same(left: &Json, right: &Json) {
    let mut lines = Vec::new();
    raw::differences("", left, right, &mut lines);
    // Which deployment it runs is what a tenant remembers for itself; tickets are as good as ids.
    lines.retain(|line| !line.contains("/client_metadata/tenantry: ") && !line.contains("/provisioning_ticket_url: "));
    assert!(lines.is_empty(), "the restored tenant answers otherwise:\n{}", lines.join("\n"));
}

/// Restores onto an empty tenant of the same domain, twice, and compares.
fn comes_back(place: Place, from: &Tenant, how: &How) -> (Place, String) {
    let (path, secrets) = archive(&place, from, DOMAIN, "archive", how);
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let secrets = place.path().join(secrets);
    let to = tenant(&place, "empty", DOMAIN);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let more = ["--yes", "--secrets", secrets.to_str().unwrap()];
    let said = restore(&place, "new", &name, &more).code(0);
    let writes = to.writes().len();
    let again = restore(&place, "new", &name, &more).code(0);
    assert_eq!(to.writes().split_off(writes), Vec::<String>::new(), "the second restore wrote:\n{again}");
    same(&from.answers(), &to.answers());
    let back = exported(&place, "new", "exported");
    let place = project(place, "old", from, EVERYTHING_ALLOWED);
    assert_eq!(exported(&place, "old", "exported"), back);
    (place, said.stdout)
}

#[test]
fn every_kind_comes_back_to_an_empty_tenant_and_a_second_restore_has_nothing_to_do() {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let place = place.env("TENANTRY_BACKUP_PASSPHRASE", "correct horse");
    let _ = comes_back(place, &from, &How { passphrase: Some("correct horse"), ..How::default() });
}

#[test]
fn the_worked_example_comes_back_from_an_archive_without_secrets() {
    let (place, from) = travel0(Place::new(), DOMAIN);
    let (_, said) = comes_back(place, &from, &How::default());
    assert!(said.contains("New ids: what uses the old ones has to be told"), "{said}");
}

#[test]
fn what_was_renamed_or_deleted_since_is_put_back_on_the_same_tenant() {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let before = from.answers();
    let clients = from.ask("GET", "clients?per_page=50", &Json::Null);
    let id = |name: &str| {
        let found = clients.as_array().unwrap().iter().find(|client| client["name"] == name).unwrap();
        found["client_id"].as_str().unwrap().to_owned()
    };
    let web = id("Law web");
    let _ = from.ask("PATCH", &format!("clients/{web}"), &json!({"name": "Renamed"}));
    let _ = from.ask("DELETE", &format!("clients/{}", id("Law third")), &Json::Null);
    let _ = from.ask("POST", "clients", &json!({"name": "Made since"}));
    // The ledger of the deployment that made it is there. Secrets that are live need no value.
    let place = project(place, "from", &from, EVERYTHING_ALLOWED);
    let said = restore(&place, "from", "archive", &["--yes", "--approve", "policy"]).code(0);
    assert!(said.stdout.contains("Not described, left alone") && said.stdout.contains("clients/Made since"), "{said}");
    let after = from.ask("GET", &format!("clients/{web}"), &Json::Null);
    assert_eq!(after["name"], "Law web", "it was renamed back, not made anew");
    // What was made since was not ours to delete.
    let mut after = from.answers();
    assert!(after["clients"].as_object_mut().unwrap().remove("Made since").is_some());
    same(&before, &after);
}
