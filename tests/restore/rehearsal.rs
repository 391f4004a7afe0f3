//! A rehearsal needs no tenant, touches none, and says whether everything came back.

use serde_json::json;

use crate::archive::How;
use crate::common::Place;
use crate::world::{DOMAIN, archive, full, tenant, travel0};

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
    assert_eq!(document["resources"]["clients"], json!(4), "{document:#}");
    assert_eq!(document["failed"], json!([]));
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
