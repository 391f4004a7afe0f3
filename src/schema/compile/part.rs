//! Parts of a resource behind endpoints of their own, and places inside other objects.

use serde_json::Value as Json;

use super::endpoint::{endpoint, list, write};
use super::reader::Reader;
use crate::schema::endpoint::{AllValues, Create, Endpoint, Needed, Part, PartStep, Place, Verb};

pub(super) fn part(r: &Reader<'_>) -> Part {
    let out = Part {
        at: steps(&r.need("at")),
        get: r.object("get").map(|r| endpoint(&r)),
        update: r.object("update").map_or_else(
            || {
                r.error("`update` is missing");
                Create { method: Verb::Patch, path: String::new(), wrap: None }
            },
            |r| write(&r),
        ),
        bulk: r.object("bulk").map(|r| {
            let id = r.json.pointer("/match/id").and_then(Json::as_str).unwrap_or("id").to_owned();
            (list(&r), id)
        }),
        only: r
            .take("only")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.as_array().cloned().unwrap_or_else(|| vec![v.clone()])))
            .collect(),
        create: r.object("create").map(|r| write(&r)),
        delete: r.object("delete").map(|r| write(&r)),
        item: r.text("item"),
        needs: r.object("needs").map(|r| needed(&r)),
        unavailable: r.numbers("unavailable"),
        whole: r.json.pointer("/update/whole").and_then(Json::as_bool).unwrap_or(false),
        optional: r.flag("optional", false),
        replaces: r.flag("replaces", false),
        all: r.map("all", |r| match r.json {
            Json::Array(items) => AllValues::Fixed(items.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
            Json::String(text) => match text.split_once(':') {
                Some((kind, member)) => AllValues::Member(kind.to_owned(), member.to_owned()),
                None => AllValues::Fixed(vec![text.clone()]),
            },
            _ => {
                let member = r.text("member").unwrap_or_else(|| "id".to_owned());
                let conditions = r.take("where").and_then(Json::as_object).into_iter().flatten();
                let conditions = conditions.map(|(k, v)| (k.clone(), v.clone())).collect();
                AllValues::Listed(list(r), member, conditions)
            }
        }),
    };
    let _ = r.take("scopes");
    let _ = r.take("answer");
    r.finish();
    out
}

fn needed(r: &Reader<'_>) -> Needed {
    let out = Needed { path: r.need("path"), what: r.need("what") };
    r.finish();
    out
}

/// Reads `customText.{language}.{prompt}` and `templates[universal_login]`.
fn steps(at: &str) -> Vec<PartStep> {
    let mut out = Vec::new();
    for piece in at.split('.').filter(|piece| !piece.is_empty()) {
        let (key, item) = match piece.split_once('[') {
            Some((key, item)) => (key, Some(item.trim_end_matches(']'))),
            None => (piece, None),
        };
        match key.strip_prefix('{').and_then(|key| key.strip_suffix('}')) {
            Some(capture) => out.push(PartStep::Capture(capture.to_owned())),
            None if key.is_empty() => {}
            None => out.push(PartStep::Key(key.to_owned())),
        }
        out.extend(item.map(|item| PartStep::Item(item.to_owned())));
    }
    out
}

pub(super) fn place(r: &Reader<'_>) -> Place {
    let none = Endpoint { path: String::new(), query: Vec::new(), wrap: None, absent: Vec::new(), rows: None };
    let out = Place {
        get: r.object("get").map_or(none, |r| endpoint(&r)),
        pick_first: r.json.pointer("/get/pick").is_some(),
        merged: r.flag("merged", false),
        at: r.text("at"),
        update: r
            .object("update")
            .map_or(Create { method: Verb::Patch, path: String::new(), wrap: None }, |r| write(&r)),
        members: r.map("members", |r| r.json.as_str().unwrap_or_default().to_owned()),
    };
    let _ = r.take("scopes");
    r.finish();
    out
}
