//! A rehearsal needs no tenant, touches none, and says whether everything came back.

use serde_json::json;

use crate::archive::How;
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, full, project, restore, tenant, travel0};

#[test]
fn a_rehearsal_needs_nothing_but_the_archive() {
    let (place, from) = travel0(Place::new(), DOMAIN);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let alone = Place::new();
    std::fs::copy(place.path().join("archive"), alone.path().join("archive")).unwrap();
    let said = alone.run(&["restore", "archive", "--rehearse"]).code(0);
    insta::assert_snapshot!(said.stdout);
    assert_eq!(std::fs::read_dir(alone.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn a_rehearsal_of_every_kind_finds_nothing_left_to_do() {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let document = place.run(&["restore", "archive", "--rehearse", "--json"]).code(0).json();
    assert_eq!(document["format"], "tenantry.rehearsal/1");
    assert_eq!(document["good"], json!(true), "{document:#}");
    assert_eq!(document["resources"]["clients"], json!(5), "{document:#}");
    assert_eq!(document["failed"], json!([]));
}

#[test]
fn a_backup_is_rehearsed_and_restored_by_the_commands() {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let place = project(place, "from", &from, EVERYTHING_ALLOWED).env("TENANTRY_BACKUP_PASSPHRASE", "correct horse");
    let _ = place.run(&["-C", "from", "-e", "t", "backup", "-o", "backup.tar.zst.age"]).code(0);
    let file = "from/backup.tar.zst.age";
    let said = place.run(&["backup", "verify", file, "--rehearse"]).code(0);
    assert!(said.stdout.contains("rehearsed"), "{said}");
    let said = restore(&place, "from", file, &["--yes"]).code(0);
    assert!(said.stdout.contains("unchanged"), "nothing changed since:\n{said}");
    let to = tenant(&place, "to", "elsewhere.eu.auth0.com");
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", file, &["--yes"]).code(3);
    assert!(said.stdout.contains("signing keys"), "{said}");
    let place = place.env("TENANTRY_SECRET_EMAIL_PROVIDER_CREDENTIALS_SMTP_PASS", "a");
    let place = place.env("TENANTRY_SECRET_RULES_CONFIGS_LAW_VALUE", "b");
    let _ = restore(&place, "new", file, &["--yes"]).code(0);
}

#[test]
fn two_clients_of_one_name_come_back_in_a_rehearsal() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    for _ in 0..2 {
        let _ = from.ask("POST", "clients", &json!({"name": "Shop"}));
    }
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let _ = place.run(&["restore", "archive", "--rehearse"]).code(0);
}
