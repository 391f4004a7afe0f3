//! What is expected and what is suspect, with two sides made up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value as Json, json};

use super::*;
use crate::description::Filters;
use crate::model::{
    Address, AddressPattern, Described, DescribedKind, Desired, Live, LiveKind, LiveResource, Loci, Unavailable, Value,
};
use crate::schema::Registry;

const THINGS: &str = "x-tenantry: {identity: [name]}\nproperties: {name: {}, a: {}, b: {}, d: {default: 5}, \
                      set: {type: array, x-set: true, items: {}}, key: {x-secret: true, writeOnly: true}}";

fn registry() -> Registry {
    Registry::of(&[("things", THINGS), ("others", THINGS)])
}

fn desired(things: &[Json]) -> Desired {
    let resource = |json: &Json| Described {
        address: Address::new("things", json["name"].as_str().unwrap()),
        id: None,
        value: Value::from_json(json),
        loci: Loci::default(),
    };
    let kind = DescribedKind { locus: None, resources: things.iter().map(resource).collect() };
    Desired { kinds: [("things".to_owned(), kind)].into_iter().collect() }
}

fn files(things: &[Json]) -> Side {
    Side::described(&desired(things), Filters::default(), Vec::new())
}

fn without(pattern: &str, things: &[Json]) -> Side {
    let filters = Filters { exclude: vec![AddressPattern::new(pattern).unwrap()], ..Filters::default() };
    Side::described(&desired(things), filters, Vec::new())
}

fn tenant(things: &[Json]) -> Side {
    let resource = |json: &Json| LiveResource {
        address: Address::new("things", json["name"].as_str().unwrap()),
        id: format!("id_{}", json["name"].as_str().unwrap()),
        value: Value::from_json(json),
        raw: json.clone().into(),
        system: json["system"].as_bool().map(|_| "Auth0's".to_owned()),
        unreadable: Vec::new(),
    };
    let found = things.iter().map(resource).collect();
    let live =
        Live { kinds: [("things".to_owned(), LiveKind::Read(found))].into_iter().collect(), domain: String::new() };
    Side::live(&registry(), &live, as_described(&live), Filters::default())
}

fn judged(one: &Side, other: &Side, reference: Option<(&Side, &Side)>) -> Compared {
    let places = Places::default();
    let reference = reference.map(|(one, other)| Reference { one, other, places: &places });
    let pairs = Pairs { by_id: false, moved: &[] };
    compare(&registry(), one, other, pairs, reference.as_slice())
}

/// `things/x: a! b`: what is suspect has a mark.
fn told(compared: &Compared) -> Vec<String> {
    let of = |(address, resource): &(Address, Resource)| match resource {
        Resource::Only(which, why) => format!("{address}: {which:?}{}", if why.is_some() { "" } else { "!" }),
        Resource::Both(leaves) => {
            let leaf = |leaf: &Leaf| format!(" {}{}", leaf.field.path, if leaf.expected.is_some() { "" } else { "!" });
            format!("{address}:{}", leaves.iter().map(leaf).collect::<String>())
        }
    };
    compared.resources.iter().map(of).collect()
}

#[test]
fn equals_are_compared_both_ways_round() {
    let one = files(&[json!({"name": "x", "a": 1, "set": [1, 2]}), json!({"name": "y"})]);
    let other = files(&[json!({"name": "x", "b": 2, "set": [2, 3]}), json!({"name": "z"})]);
    let found = judged(&one, &other, None);
    assert_eq!(told(&found), ["things/x: a! b! set[1]! set[3]!", "things/y: One!", "things/z: Other!"]);
    assert_eq!((found.suspect(), found.expected(), found.same), (6, 0, 0));
    let same = judged(&one, &one, None);
    assert_eq!((same.suspect(), same.same), (0, 2));
}

#[test]
fn a_default_is_no_difference_and_files_speak_only_of_what_they_hold() {
    let one = files(&[json!({"name": "x", "d": 5})]);
    let other = files(&[json!({"name": "x"})]);
    assert_eq!(judged(&one, &other, None).suspect(), 0);
    assert_eq!(judged(&other, &one, None).suspect(), 0);
    let live = tenant(&[json!({"name": "x", "d": 5, "a": 1})]);
    assert_eq!(judged(&one, &live, None).suspect(), 0);
    assert_eq!(judged(&live, &other, None).suspect(), 0);
    assert_eq!(told(&judged(&live, &tenant(&[json!({"name": "x", "d": 5})]), None)), ["things/x: a!"]);
}

#[test]
fn a_difference_is_expected_where_each_side_holds_what_its_environment_asks_for() {
    let (dev, prod) = (files(&[json!({"name": "x", "a": "dev"})]), files(&[json!({"name": "x", "a": "prod"})]));
    let asked = Some((&dev, &prod));
    assert_eq!(told(&judged(&dev, &prod, asked)), ["things/x: a"]);
    let live = tenant(&[json!({"name": "x", "a": "dev", "b": 1})]);
    assert_eq!(told(&judged(&live, &prod, asked)), ["things/x: a"]);
    let drifted = tenant(&[json!({"name": "x", "a": "by hand", "b": 1})]);
    assert_eq!(told(&judged(&drifted, &prod, asked)), ["things/x: a!"]);
    let other = tenant(&[json!({"name": "x", "a": "prod", "b": 2})]);
    assert_eq!(told(&judged(&live, &other, asked)), ["things/x: a b!"], "nobody describes it");
    assert_eq!(told(&judged(&dev, &prod, None)), ["things/x: a!"], "a side has no environment");
}

#[test]
fn one_more_item_of_a_set_that_differs_as_expected_is_suspect() {
    let dev = files(&[json!({"name": "x", "set": ["d", "both"]})]);
    let prod = files(&[json!({"name": "x", "set": ["p", "both"]})]);
    let live = tenant(&[json!({"name": "x", "set": ["p", "both", "more"]})]);
    assert_eq!(told(&judged(&dev, &live, Some((&dev, &prod)))), ["things/x: set[d] set[more]! set[p]"]);
}

#[test]
fn what_an_environment_leaves_alone_explains_whole_resources() {
    let dev = files(&[json!({"name": "x"}), json!({"name": "y"})]);
    let prod = without("things/y", &[json!({"name": "x"})]);
    assert_eq!(told(&judged(&dev, &prod, None)), ["things/y: One"]);
    let asked = files(&[json!({"name": "x"})]);
    assert_eq!(told(&judged(&dev, &asked, Some((&dev, &asked)))), ["things/y: One"], "a variable leaves it out");
    assert_eq!(told(&judged(&dev, &asked, Some((&dev, &dev)))), ["things/y: One!"]);
}

#[test]
fn what_belongs_to_auth0_is_no_difference_between_tenants() {
    let one = tenant(&[json!({"name": "x", "system": true, "a": 1}), json!({"name": "mine"})]);
    let other = tenant(&[json!({"name": "y", "system": true}), json!({"name": "mine"})]);
    assert_eq!((judged(&one, &other, None).suspect(), judged(&one, &other, None).same), (0, 1));
    let again = tenant(&[json!({"name": "x", "system": true, "a": 2})]);
    assert!(told(&judged(&one, &again, None)) == ["things/mine: One!"]);
}

#[test]
fn what_could_not_be_read_is_suspect_where_the_other_side_has_any() {
    let why = Unavailable::Scope(vec!["read:things".to_owned()]);
    let kinds = || [("things".to_owned(), LiveKind::Unavailable(why.clone()))].into_iter().collect();
    let live = Live { kinds: kinds(), domain: String::new() };
    let unread = Side::live(&registry(), &live, as_described(&live), Filters::default());
    let found = judged(&files(&[json!({"name": "x"})]), &unread, None);
    assert_eq!((found.uncompared.len(), found.suspect(), found.same), (1, 1, 0));
    assert_eq!(judged(&files(&[]), &unread, None).suspect(), 0);
    let both = judged(&unread, &unread, None);
    assert_eq!((both.uncompared.len(), both.suspect()), (2, 0));
}

#[test]
fn kinds_that_files_do_not_speak_of_are_named_and_not_compared() {
    let mut live = tenant(&[]);
    live.kinds.insert("others".to_owned(), HeldKind::Read(Vec::new()));
    let found = judged(&files(&[]), &live, None);
    assert_eq!((found.unspoken, found.resources.len()), (vec!["others".to_owned()], 0));
}

#[test]
fn names_that_repeat_are_not_compared_and_not_called_the_same() {
    let one = tenant(&[json!({"name": "x"})]);
    let other = tenant(&[json!({"name": "x"}), json!({"name": "x"})]);
    let found = judged(&one, &other, None);
    assert_eq!((found.ambiguous.len(), found.suspect(), found.resources.len()), (1, 1, 0));
}

#[test]
fn secrets_are_compared_by_value_or_not_at_all() {
    let with = |text: &str| {
        let mut desired = desired(&[json!({"name": "x"})]);
        let value = &mut desired.kinds["things"].resources[0].value;
        let secret = match text {
            "" => Value::Unresolved(crate::model::Unresolved { source: "secrets.k".to_owned() }),
            text => Value::Secret(crate::model::Secret::new(text, "secrets.k")),
        };
        value.as_object_mut().unwrap().insert("key".to_owned(), secret);
        Side::described(&desired, Filters::default(), Vec::new())
    };
    assert_eq!(judged(&with("s"), &with("s"), None).same, 1);
    assert_eq!(told(&judged(&with("s"), &with("t"), None)), ["things/x: key!"]);
    let unknown = judged(&with("s"), &with(""), None);
    assert_eq!((unknown.secrets.len(), unknown.suspect(), unknown.same), (1, 0, 0));
    let live = judged(&with("s"), &tenant(&[json!({"name": "x"})]), None);
    assert_eq!((live.secrets.len(), live.suspect()), (1, 0), "no read returns it");
}
