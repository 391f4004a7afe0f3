#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Descriptions as people have them: every leaf of them is changed.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::tests::{Case, whys};
use super::*;
use crate::description::layout::FileState;
use crate::schema::FieldSpec;

/// Another value for every leaf that a plan could name, items of sets included.
fn changed(field: Option<&FieldSpec>, value: &Value, here: &Path, into: &mut Vec<(Path, Option<Value>)>) {
    if field.is_some_and(|field| field.secret || field.read_only) {
        return;
    }
    match value {
        Value::String(text) => into.push((here.clone(), Some(Value::String(format!("{text} x: y"))))),
        Value::Number(number) => {
            let next = number.as_i64().map_or(Json::from(7), |number| Json::from(number + 1));
            into.push((here.clone(), Some(Value::from_json(&next))));
        }
        Value::Bool(b) => into.push((here.clone(), Some(Value::Bool(!b)))),
        Value::Object(map) => {
            for (name, value) in map {
                changed(field.and_then(|field| field.member(name)), value, &here.key(name), into);
            }
        }
        Value::Array(items)
            if field.is_some_and(|field| field.set) && items.iter().all(|item| item.as_str().is_some()) =>
        {
            into.push((here.item("new item"), Some(Value::from("new item"))));
            if let Some(Value::String(first)) = items.first() {
                into.push((here.item(first), None));
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                changed(field.and_then(FieldSpec::item), value, &here.index(n), into);
            }
        }
        _ => {}
    }
}

/// Reads a folder of the disk; `None` where it is not there.
fn folder(root: &std::path::Path) -> Option<Tree> {
    fn walk(root: &std::path::Path, at: &std::path::Path, tree: &mut Tree) {
        for entry in std::fs::read_dir(at).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                walk(root, &entry.path(), tree);
            } else {
                let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                tree.insert(&path, FileState::Read(Arc::from(std::fs::read(entry.path()).unwrap())));
            }
        }
    }
    root.is_dir().then(|| {
        let mut tree = Tree::new("");
        walk(root, root, &mut tree);
        tree
    })
}

/// Changes every leaf of a description on the disk, one after the other in one run; returns why leaves were left.
fn every_leaf(
    root: &std::path::Path,
    single: Option<&str>,
    variables: &[(&str, Json)],
) -> Option<(usize, Vec<(String, Why)>)> {
    let mut case =
        Case { tree: folder(root)?, single: single.map(str::to_owned), variables: Variables::default(), own: None };
    for (name, value) in variables {
        case.variables.values.insert((*name).to_owned(), value.clone());
    }
    let read = case.describe();
    let mut edits = Vec::new();
    for (kind, described) in &read.described.desired.kinds {
        let spec = Registry::get().kind(kind).unwrap();
        for resource in &described.resources {
            let mut leaves = Vec::new();
            changed(Some(&spec.fields), &resource.value, &Path::root(), &mut leaves);
            leaves.retain(|(path, _)| !spec.identity.iter().any(|member| path.first_key() == Some(member)));
            edits.extend(leaves.into_iter().map(|(path, value)| Edit {
                address: resource.address.clone(),
                path,
                value,
            }));
        }
    }
    assert!(edits.len() > 50, "{}", edits.len());
    let edited = case.edit_all(&read, &edits, EditOptions::default());
    case.compare(&read, &edits, &edited);
    Some((edited.done.len(), whys(&edited)))
}

#[test]
fn every_leaf_of_the_example() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/travel0");
    let read = |file: &str| {
        let loaded = crate::description::read_yaml(file, &std::fs::read(format!("{root}/{file}")).unwrap()).unwrap();
        crate::description::render(&loaded.node, &Variables::default()).unwrap().value.to_json().unwrap()
    };
    let (project, own) = (read("tenantry.yaml"), read("environments/dev.yaml"));
    let sources = [&project["variables"], &own];
    let variables: Vec<(&str, Json)> = sources
        .into_iter()
        .flat_map(|values| values.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone())))
        .collect();
    let (done, left) = every_leaf(std::path::Path::new(root), None, &variables).unwrap();
    assert!(done > 200, "{done} {left:?}");
    let odd = left.iter().filter(|(_, why)| !matches!(why, Why::Marker(_) | Why::Secret));
    assert_eq!(odd.collect::<Vec<_>>(), Vec::<&(String, Why)>::new());
}

#[test]
fn every_leaf_of_other_peoples_descriptions() {
    let variables =
        ["ENV", "AUTH0_TENANT_NAME", "AUTH0_DOMAIN", "MY_SECRET", "MANDRILL_API_KEY"].map(|name| (name, json!("v")));
    let examples = [("deploy-cli-directory", None, 270), ("deploy-cli-yaml", Some("tenant.yaml"), 200)];
    // They are no part of the repository.
    let given = std::env::var_os("TENANTRY_SHARED").map(std::path::PathBuf::from);
    let shared = given.unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    for (example, single, least) in examples {
        let root = shared.join("examples").join(example);
        let Some((done, left)) = every_leaf(&root, single, &variables) else { continue };
        let odd: Vec<_> = left.iter().filter(|(_, why)| !matches!(why, Why::Marker(_) | Why::Secret)).collect();
        assert!(odd.is_empty() && done > least, "{done} {odd:?}");
    }
}
