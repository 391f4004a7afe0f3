//! Which updates take null is what the official API description says, or recorded traffic.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use tenantry::schema::{Batch, FieldSpec, KindSpec, Null, PartStep, Registry};

use crate::limits::{all, body, member, shared};

/// Where they differ, with the reason; a final `*` stands for the rest.
const DIFFERENT: [(&str, &str); 1] =
    [("clients.* refused", "null clears a setting of a client, whatever its type (recorded traffic)")];

struct Walk<'a> {
    api: &'a Json,
    different: BTreeSet<String>,
    compared: usize,
}

impl<'a> Walk<'a> {
    fn members(&mut self, ours: &FieldSpec, theirs: &[&'a Json], at: &str, depth: usize) {
        let theirs = all(theirs, self.api);
        for (name, field) in ours.members() {
            let found = member(&theirs, field.api.as_deref().unwrap_or(name));
            let of_the_server = field.read_only || field.owned || field.skip || field.alias.is_some();
            if found.is_empty() || of_the_server || field.sub.is_some() || field.create_only {
                continue;
            }
            let at = format!("{at}.{name}");
            self.one(field, &found, &at);
            if depth > 0 {
                self.members(field, &found, &at, depth - 1);
            }
        }
        let items: Vec<&Json> = theirs.iter().filter_map(|node| node.get("items")).collect();
        if let (Some(item), false, true) = (ours.item(), items.is_empty(), depth > 0) {
            self.members(item, &items, &format!("{at}[]"), depth - 1);
        }
    }

    fn one(&mut self, field: &FieldSpec, theirs: &[&'a Json], at: &str) {
        let theirs = all(theirs, self.api);
        self.compared += 1;
        let word = match (takes_null(&theirs), field.null) {
            (Some(true), Null::Taken) | (None, _) => None,
            (Some(true), _) => Some("taken"),
            (Some(false), Null::Taken | Null::Unknown) => Some("refused"),
            (Some(false), Null::Empty) if !takes_empty_text(&theirs) => Some("refused, and an empty text too"),
            (Some(false), _) => None,
        };
        self.different.extend(word.map(|word| format!("{at} {word}")));
    }

    fn update(&mut self, ours: &FieldSpec, method: &str, path: &str, at: &str) {
        if let Some(theirs) = body(self.api, method, path) {
            self.members(ours, &[theirs], at, 12);
        }
    }

    fn kind(&mut self, spec: &KindSpec) {
        if let Some(update) = &spec.update {
            self.update(&spec.fields, update.method.as_str(), &update.path, &spec.name);
        }
        for part in &spec.parts {
            let [PartStep::Key(name)] = part.at.as_slice() else { continue };
            let Some(field) = spec.field(name) else { continue };
            self.update(field, part.update.method.as_str(), &part.update.path, &format!("{}.{name}", spec.name));
        }
        for (name, field) in spec.fields.members() {
            let (Some(sub), Some(item)) = (&field.sub, field.item()) else { continue };
            if let Some(change) = sub.change.as_ref().filter(|change| matches!(change.batch, Batch::Each)) {
                let at = format!("{}.{name}[]", spec.name);
                self.update(item, change.method.as_str(), &change.path, &at);
            }
        }
    }
}

/// Says whether a schema takes null, by its alternatives; `None` where it takes anything.
fn takes_null(nodes: &[&Json]) -> Option<bool> {
    let words = |node: &Json| -> Vec<Json> {
        let listed = |word: &str| match node.get(word) {
            Some(Json::Array(several)) => several.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        [listed("type"), listed("enum"), listed("const")].concat()
    };
    if nodes.iter().any(|node| words(node).iter().any(|word| word.is_null() || word == "null")) {
        return Some(true);
    }
    let says_nothing = |node: &&Json| {
        let structure = ["$ref", "oneOf", "anyOf", "allOf", "properties", "items", "additionalProperties"];
        words(node).is_empty() && structure.iter().all(|word| node.get(*word).is_none())
    };
    (!nodes.iter().any(says_nothing)).then_some(false)
}

/// Says whether a text may be empty.
fn takes_empty_text(nodes: &[&Json]) -> bool {
    nodes.iter().all(|node| {
        let format = node.get("format").and_then(Json::as_str);
        let fits = node.get("minLength").and_then(Json::as_u64).unwrap_or(0) == 0;
        fits && format.is_none_or(|format| format.ends_with("-or-empty")) && node.get("enum").is_none()
    })
}

#[test]
fn updates_take_null_where_the_api_does() {
    let Some(shared) = shared() else {
        println!("skipped: no reference material");
        return;
    };
    let text = std::fs::read_to_string(shared.join("reference/management-api.json")).unwrap();
    let api: Json = serde_json::from_str(&text).unwrap();
    let mut walk = Walk { api: &api, different: BTreeSet::new(), compared: 0 };
    for spec in Registry::get().kinds() {
        walk.kind(spec);
    }
    assert!(walk.compared > 500, "{}", walk.compared);
    let fits = |pattern: &str, found: &str| match pattern.split_once('*') {
        Some((start, end)) => found.starts_with(start) && found.ends_with(end),
        None => found == pattern,
    };
    let unknown: Vec<&String> =
        walk.different.iter().filter(|found| !DIFFERENT.iter().any(|(known, _)| fits(known, found))).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let unused = DIFFERENT.iter().filter(|(known, _)| !walk.different.iter().any(|found| fits(known, found)));
    assert_eq!(unused.count(), 0);
}
