#![allow(clippy::unwrap_used)]
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::*;
use crate::deployment::{BaseEntry, Purpose, Rules, Tally};
use crate::model::BaseResource;

const THINGS: &str = "x-tenantry: {identity: [name], id: id}\nproperties: {name: {}, id: {readOnly: true}, a: {}, b: {}, \
                      fixed: {type: boolean}}";

fn registry() -> Registry {
    Registry::of(&[("things", THINGS)])
}

fn thing(name: &str) -> Address {
    Address::new("things", name)
}

fn deployment(id: &str, images: Vec<Image>, base: Vec<(&str, Json, Json)>) -> Deployment {
    let entry = |(name, desired, live): (&str, Json, Json)| BaseEntry {
        address: thing(name),
        left: Some(BaseResource {
            id: format!("id of {name}"),
            desired: Value::from_json(&desired),
            live: Value::from_json(&live),
        }),
    };
    Deployment {
        id: id.to_owned(),
        domain: String::new(),
        environment: String::new(),
        purpose: Purpose::Apply,
        tool: String::new(),
        actor: String::new(),
        commit: None,
        digest: String::new(),
        fingerprint_key: None,
        started: Timestamp::UNIX_EPOCH,
        ended: Some(Timestamp::UNIX_EPOCH),
        outcome: Some(Outcome::Done),
        tally: Tally::default(),
        rules: Rules::default(),
        plan: Json::Null,
        images,
        base: base.into_iter().map(entry).collect(),
        taken_back: Vec::new(),
    }
}

fn image(name: &str, value: Option<Json>, paths: &[&str]) -> Image {
    Image {
        address: thing(name),
        id: if value.is_some() { format!("id of {name}") } else { String::new() },
        value: value.map(|json| Value::from_json(&json)),
        paths: paths.iter().map(|path| Path::root().key(path)).collect(),
    }
}

fn files(resources: &[(&str, Json)]) -> Desired {
    let mut desired = Desired::default();
    for (name, value) in resources {
        let described =
            Described { address: thing(name), id: None, value: Value::from_json(value), loci: Loci::default() };
        desired.kinds.entry("things".to_owned()).or_default().resources.push(described);
    }
    desired
}

/// What is asked for in the end, and what is said of it.
fn told(history: Vec<Deployment>, to: Option<&str>, mut desired: Desired) -> (Json, Back) {
    let history = History::new(history);
    let base = history.base().unwrap();
    let found = back(&registry(), &history, to, &mut desired, &base, &|_| None);
    let all = desired.kinds.get("things").into_iter().flat_map(|kind| &kind.resources);
    (all.map(|r| json!([r.address.to_string(), r.value.redacted()])).collect(), found)
}

fn first() -> Deployment {
    deployment("01", Vec::new(), vec![("x", json!({"name": "x"}), json!({"name": "x", "a": 1}))])
}

#[test]
fn a_field_that_was_described_since_gets_its_value_of_then() {
    let second = deployment(
        "02",
        vec![image("x", Some(json!({"name": "x", "a": 1})), &["a", "b", "fixed"])],
        vec![("x", json!({"name": "x", "a": 2, "b": 3, "fixed": true}), json!({"name": "x", "a": 2, "b": 3}))],
    );
    for to in [Some("01"), None] {
        let (asked, found) = told(vec![first(), second.clone()], to, files(&[("x", json!({"name": "x"}))]));
        assert_eq!(asked, json!([["things/x", {"name": "x", "a": 1, "b": null}]]), "{to:?}");
        assert_eq!(found.lost, ["`things/x`: `fixed` had no value, and the API takes none back"]);
        assert_eq!(found.beside.len(), 2);
    }
    let (asked, _) = told(vec![first(), second], Some("02"), files(&[("x", json!({"name": "x"}))]));
    assert_eq!(asked, json!([["things/x", {"name": "x"}]]), "it was described then");
}

#[test]
fn what_was_made_since_goes_and_what_was_only_described_since_stays() {
    let second = deployment(
        "02",
        vec![image("new", None, &[]), image("old", Some(json!({"name": "old", "a": 1})), &["a"])],
        vec![
            ("new", json!({"name": "new"}), json!({"name": "new"})),
            ("old", json!({"name": "old", "a": 2}), json!({"name": "old", "a": 2})),
            ("found", json!({"name": "found"}), json!({"name": "found"})),
        ],
    );
    let (asked, found) = told(vec![first(), second], Some("01"), files(&[("x", json!({"name": "x"}))]));
    assert_eq!(asked, json!([["things/x", {"name": "x"}], ["things/old", {"a": 1}]]));
    assert_eq!(found.made, [(thing("new"), "id of new".to_owned())]);
    assert_eq!(found.released, [thing("found"), thing("old")].into());
    assert_eq!(found.beside, [(thing("old"), Path::root())]);
}

#[test]
fn a_kind_that_no_file_of_then_speaks_of_is_gone_back_with_too() {
    let second = deployment("02", vec![image("new", None, &[])], vec![("new", json!({}), json!({}))]);
    let mut desired = Desired::default();
    let history = History::new(vec![first(), second]);
    let found = back(&registry(), &history, Some("01"), &mut desired, &history.base().unwrap(), &|_| None);
    assert!(desired.kinds.get("things").unwrap().resources.is_empty());
    assert_eq!(found.made.len(), 1);
    assert_eq!(found.released, [thing("x")].into(), "it was there then");
}
