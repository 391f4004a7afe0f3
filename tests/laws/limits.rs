//! Limits of numbers in schemas are those of the official API description.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tenantry::schema::Registry;

const WORDS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];

/// Where they differ, with the reason.
const DIFFERENT: [(&str, &str); 2] = [
    ("tenant.ephemeral_session_lifetime minimum", "less than an hour is read as a part of one, and written in minutes"),
    (
        "tenant.idle_ephemeral_session_lifetime minimum",
        "less than an hour is read as a part of one, and written in minutes",
    ),
];

pub(crate) fn shared() -> Option<PathBuf> {
    let given = std::env::var_os("TENANTRY_SHARED").map(PathBuf::from);
    let shared = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let required = std::env::var("REQUIRE").unwrap_or_default().split(',').any(|need| need == "shared");
    assert!(shared.is_dir() || !required, "no reference material, and REQUIRE names `shared`");
    shared.is_dir().then_some(shared)
}

/// Follows references and takes alternatives apart.
fn flat<'a>(json: &'a Json, root: &'a Json, out: &mut Vec<&'a Json>) {
    out.push(json);
    if let Some(target) = json.get("$ref").and_then(Json::as_str).and_then(|at| root.pointer(&at[1..])) {
        flat(target, root, out);
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        json.get(word).and_then(Json::as_array).into_iter().flatten().for_each(|inner| flat(inner, root, out));
    }
}

pub(crate) fn all<'a>(nodes: &[&'a Json], root: &'a Json) -> Vec<&'a Json> {
    let mut out = Vec::new();
    nodes.iter().for_each(|node| flat(node, root, &mut out));
    out
}

/// Members of all alternatives that have one name.
pub(crate) fn member<'a>(nodes: &[&'a Json], name: &str) -> Vec<&'a Json> {
    nodes.iter().filter_map(|node| node.get("properties")?.get(name)).collect()
}

fn compare(ours: (&[&Json], &Json), theirs: (&[&Json], &Json), at: &str, depth: usize, out: &mut BTreeSet<String>) {
    let (mine, yours) = (all(ours.0, ours.1), all(theirs.0, theirs.1));
    for word in WORDS {
        let found = |nodes: &[&Json]| -> BTreeSet<String> {
            nodes.iter().filter_map(|n| n.get(word)?.as_f64()).map(|n| n.to_string()).collect()
        };
        if found(&mine) != found(&yours) {
            out.insert(format!("{at} {word}"));
        }
    }
    if depth == 0 {
        return;
    }
    let names: BTreeSet<&String> =
        yours.iter().filter_map(|n| n.get("properties")?.as_object()).flat_map(|members| members.keys()).collect();
    for name in names {
        let inner = member(&mine, name);
        if !inner.is_empty() {
            let at = format!("{at}.{name}");
            compare((&inner, ours.1), (&member(&yours, name), theirs.1), &at, depth - 1, out);
        }
    }
    let items = |nodes: &[&'_ Json]| nodes.iter().filter_map(|n| n.get("items")).cloned().collect::<Vec<Json>>();
    let (mine, yours) = (items(&mine), items(&yours));
    if !mine.is_empty() && !yours.is_empty() {
        let (mine, yours): (Vec<&Json>, Vec<&Json>) = (mine.iter().collect(), yours.iter().collect());
        compare((&mine, ours.1), (&yours, theirs.1), &format!("{at}[]"), depth - 1, out);
    }
}

/// The schema of what an operation takes.
pub(crate) fn body<'a>(api: &'a Json, method: &str, path: &str) -> Option<&'a Json> {
    let is_same = |(one, other): (&str, &str)| one == other || (one.starts_with('{') && other.starts_with('{'));
    let segments = |path: &'a str| path.trim_matches('/').split('/').collect::<Vec<_>>();
    let wanted: Vec<String> = path.trim_matches('/').split('/').map(str::to_owned).collect();
    let paths = api["paths"].as_object()?;
    let found = paths.iter().find(|(path, operations)| {
        let segments = segments(path);
        segments.len() == wanted.len()
            && segments.iter().zip(&wanted).all(|(one, other)| is_same((one, other)))
            && operations.get(method.to_lowercase()).is_some()
    })?;
    found.1[method.to_lowercase()].pointer("/requestBody/content/application~1json/schema")
}

#[test]
fn limits_are_those_of_the_api() {
    let Some(shared) = shared() else {
        println!("skipped: no reference material");
        return;
    };
    let text = std::fs::read_to_string(shared.join("reference/management-api.json")).unwrap();
    let api: Json = serde_json::from_str(&text).unwrap();
    let mut different = BTreeSet::new();
    let mut compared = 0;
    for spec in Registry::get().kinds() {
        for endpoint in [&spec.create, &spec.update].into_iter().flatten() {
            if let Some(theirs) = body(&api, endpoint.method.as_str(), &endpoint.path) {
                compare((&[&spec.json], &spec.json), (&[theirs], &api), &spec.name, 12, &mut different);
                compared += 1;
            }
        }
        for part in &spec.parts {
            let [tenantry::schema::PartStep::Key(name)] = part.at.as_slice() else { continue };
            let ours = member(&all(&[&spec.json], &spec.json), name);
            if let Some(theirs) = body(&api, part.update.method.as_str(), &part.update.path) {
                let at = format!("{}.{name}", spec.name);
                compare((&ours, &spec.json), (&[theirs], &api), &at, 12, &mut different);
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "{compared}");
    let known: BTreeSet<String> = DIFFERENT.iter().map(|(at, _)| (*at).to_owned()).collect();
    assert_eq!(different, known);
}
