//! A slow and simple comparison checks the real one on random shapes and values.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tenantry::model::{Loci, Value};
use tenantry::plan::diff;
use tenantry::schema::{FieldSpec, Shape};

/// A shape with two values of it.
#[derive(Debug, Clone)]
enum Case {
    Scalar(Option<u8>, Option<u8>),
    Set(BTreeSet<u8>, BTreeSet<u8>),
    List(Vec<u8>, Vec<u8>),
    Map(BTreeMap<String, u8>, BTreeMap<String, u8>),
    Keyed(BTreeMap<String, u8>, BTreeMap<String, u8>),
    Record(Vec<(String, Case)>),
}

fn case() -> impl Strategy<Value = Case> {
    let byte = || 0_u8..4;
    let keyed = || prop::collection::btree_map("[a-c]", 0_u8..3, 0..3);
    let leaf = prop_oneof![
        (prop::option::of(byte()), prop::option::of(byte())).prop_map(|(a, b)| Case::Scalar(a, b)),
        (prop::collection::btree_set(byte(), 0..4), prop::collection::btree_set(byte(), 0..4))
            .prop_map(|(a, b)| Case::Set(a, b)),
        (prop::collection::vec(byte(), 0..3), prop::collection::vec(byte(), 0..3)).prop_map(|(a, b)| Case::List(a, b)),
        (keyed(), keyed()).prop_map(|(a, b)| Case::Map(a, b)),
        (keyed(), keyed()).prop_map(|(a, b)| Case::Keyed(a, b)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop::collection::btree_map("[m-p]", inner, 1..4)
            .prop_map(|members| Case::Record(members.into_iter().collect()))
    })
}

fn scalar() -> FieldSpec {
    FieldSpec { shape: Shape::Scalar, ..FieldSpec::default() }
}

/// Returns the shape, what is described, what is live, and the places that differ.
fn laid_out(case: &Case, at: &str) -> (FieldSpec, Option<Json>, Option<Json>, BTreeSet<String>) {
    let mut out = BTreeSet::new();
    match case {
        Case::Scalar(a, b) => {
            // What is left out of the description is not compared.
            if a.is_some() && a != b {
                out.insert(at.to_owned());
            }
            (scalar(), a.map(|n| json!(n)), b.map(|n| json!(n)), out)
        }
        Case::Set(a, b) => {
            let spec = FieldSpec { shape: Shape::List(Box::new(scalar())), set: true, ..FieldSpec::default() };
            out.extend(a.symmetric_difference(b).map(|n| format!("{at}[{n}]")));
            (spec, Some(json!(a)), Some(json!(b.iter().rev().collect::<Vec<_>>())), out)
        }
        Case::List(a, b) => {
            if a != b {
                out.insert(at.to_owned());
            }
            let spec = FieldSpec { shape: Shape::List(Box::new(scalar())), ..FieldSpec::default() };
            (spec, Some(json!(a)), Some(json!(b)), out)
        }
        Case::Map(a, b) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            out.extend(keys.into_iter().filter(|k| a.get(*k) != b.get(*k)).map(|k| format!("{at}.{k}")));
            let spec = FieldSpec { shape: Shape::Map(Box::new(scalar())), ..FieldSpec::default() };
            (spec, Some(json!(a)), Some(json!(b)), out)
        }
        Case::Keyed(a, b) => {
            for key in a.keys().chain(b.keys()) {
                match (a.get(key), b.get(key)) {
                    (Some(x), Some(y)) if x != y => out.insert(format!("{at}[{key}].n")),
                    (Some(_), Some(_)) => false,
                    _ => out.insert(format!("{at}[{key}]")),
                };
            }
            let members = IndexMap::from([("k".to_owned(), scalar()), ("n".to_owned(), scalar())]);
            let item = FieldSpec { shape: Shape::Record { members, open: false, rest: None }, ..FieldSpec::default() };
            let shape = Shape::List(Box::new(item));
            let spec = FieldSpec { shape, key: vec!["k".to_owned()], ..FieldSpec::default() };
            let items = |m: &BTreeMap<String, u8>| m.iter().map(|(k, n)| json!({"n": n, "k": k})).collect::<Vec<_>>();
            let live: Vec<Json> = items(b).into_iter().rev().collect();
            (spec, Some(json!(items(a))), Some(json!(live)), out)
        }
        Case::Record(inner) => {
            let mut members = IndexMap::new();
            let (mut a, mut b) = (serde_json::Map::new(), serde_json::Map::new());
            for (name, case) in inner {
                let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                let (spec, x, y, found) = laid_out(case, &below);
                members.insert(name.clone(), spec);
                a.extend(x.map(|x| (name.clone(), x)));
                b.extend(y.map(|y| (name.clone(), y)));
                out.extend(found);
            }
            let shape = Shape::Record { members, open: false, rest: None };
            (FieldSpec { shape, ..FieldSpec::default() }, Some(Json::Object(a)), Some(Json::Object(b)), out)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn differences_are_those_a_simple_comparison_finds(inner in prop::collection::btree_map("[q-t]", case(), 1..4)) {
        let case = Case::Record(inner.into_iter().collect());
        let (spec, a, b, wanted) = laid_out(&case, "");
        let (a, b) = (Value::from_json(&a.unwrap()), Value::from_json(&b.unwrap()));
        let found = diff(&spec, &a, &b, &Loci::default());
        let found: BTreeSet<String> = found.fields.iter().map(|f| f.path.to_string()).collect();
        prop_assert_eq!(found, wanted);
        prop_assert!(diff(&spec, &a, &a, &Loci::default()).fields.is_empty());
    }
}
