//! Kinds: everything under `x-tenantry`.

use std::cell::RefCell;

use regex::Regex;
use serde_json::{Map, Value as Json};

use super::endpoint::{endpoint, list, scopes, write};
use super::field::Compiler;
use super::part::{part, place};
use super::reader::Reader;
use crate::schema::field::Risk;
use crate::schema::spec::{Cascade, Directory, KindShape, KindSpec, MemberFile, SystemRule};

/// Compiles one schema file.
///
/// # Errors
///
/// Returns every mistake found, each with its place inside the file.
pub(in crate::schema) fn compile(name: &str, json: Json) -> Result<KindSpec, Vec<String>> {
    let errors = RefCell::new(Vec::new());
    let empty = Json::Object(Map::new());
    let compiler = Compiler { root: &json, errors: &errors };
    let root = Reader::new(&json, "", &errors);
    let title = root.text("title").unwrap_or_default();
    let description = root.text("description").unwrap_or_default();
    let x_json = root.take("x-tenantry").cloned().unwrap_or(empty);
    let mut stripped = json.clone();
    if let Some(object) = stripped.as_object_mut() {
        object.remove("x-tenantry");
        object.remove("$defs");
    }
    let fields = compiler.field(&stripped, "", 0);
    let x = Reader::new(&x_json, "x-tenantry", &errors);
    let spec = KindSpec {
        name: name.to_owned(),
        title,
        description,
        shape: match x.text("shape").as_deref() {
            Some("single") => KindShape::Single,
            Some("collection") | None => KindShape::Collection,
            Some(other) => {
                x.error(&format!("shape `{other}`"));
                KindShape::Collection
            }
        },
        identity: x.texts("identity"),
        also: x.texts("also"),
        unique: x.flag("unique", true),
        shares: x.text("shares"),
        empty_is_unmanaged: x.text("empty").as_deref() == Some("unmanaged"),
        elsewhere: x.map("elsewhere", |r| r.json.as_str().unwrap_or_default().to_owned()),
        unavailable: x.map("unavailable", |r| statuses(r.json)),
        gated: x.map("unreadable", |r| r.json.as_str().unwrap_or_default().to_owned()),
        names: x.texts("names"),
        id: x.text("id"),
        after: x.texts("after"),
        directory: directory(&x, name),
        member_files: x.object("directory").map(|r| r.map("members", member_file)).unwrap_or_default(),
        foreign_files: x.object("directory").map(|r| r.texts("except")).unwrap_or_default(),
        paired: x.object("directory").and_then(|r| r.text("pair")),
        list: x.object("list").map(|r| list(&r)),
        get: x.object("get").map(|r| {
            let _ = r.take("detail");
            endpoint(&r)
        }),
        detail: x.take("detail").and_then(Json::as_bool).unwrap_or(false)
            || x_json.pointer("/get/detail").and_then(Json::as_bool).unwrap_or(false),
        create: x.object("create").map(|r| write(&r)),
        update: x.object("update").map(|r| write(&r)),
        delete: x.object("delete").map(|r| {
            let _ = r.take("asynchronous");
            write(&r)
        }),
        asynchronous_delete: x_json.pointer("/delete/asynchronous").and_then(Json::as_bool).unwrap_or(false),
        absent: x.numbers("absent"),
        answers_whole: x.text("answer").is_none_or(|a| a == "whole"),
        parts: x.objects("parts").iter().map(part).collect(),
        places: x.map("places", place),
        system: x.objects("system").iter().map(system).collect(),
        own: x.text("own"),
        optional: x.flag("optional", false),
        scopes: x.object("scopes").map(|r| scopes(&r)).unwrap_or_default(),
        create_risk: x.object("risk").and_then(|r| r.text("create")).and_then(|t| Risk::parse(&t)).unwrap_or_default(),
        delete_risk: x_json
            .pointer("/risk/delete")
            .and_then(Json::as_str)
            .and_then(Risk::parse)
            .unwrap_or(Risk::Destructive),
        delete_why: x_json.pointer("/risk/why").and_then(Json::as_str).map(str::to_owned),
        cascades: x
            .objects("cascades")
            .iter()
            .map(|r| Cascade { kind: r.need("kind"), member: r.text("member"), items: r.text("items") })
            .collect(),
        quirk: x.text("quirk"),
        limit: x.take("limit").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()),
        fields,
        json: json.clone(),
    };
    for known in ["risk", "source"] {
        let _ = x.take(known);
    }
    x.finish();
    drop(x);
    let errors = errors.into_inner();
    if errors.is_empty() { Ok(spec) } else { Err(errors) }
}

fn directory(x: &Reader<'_>, name: &str) -> Directory {
    let Some(r) = x.object("directory") else {
        return Directory::File { path: name.to_owned() };
    };
    for elsewhere in ["members", "except", "pair"] {
        let _ = r.take(elsewhere);
    }
    // Read whatever it is called, written under the folder's name.
    let alone = r.text("single").is_some();
    let out = match (r.text("path"), r.text("folder"), r.text("array")) {
        (None, Some(folder), None) if alone => Directory::File { path: format!("{folder}/{folder}") },
        (Some(path), _, _) => Directory::File { path: without_extension(&path) },
        (None, Some(folder), Some(array)) => {
            Directory::Array { path: format!("{folder}/{}", without_extension(&array)) }
        }
        (None, Some(folder), None) => {
            Directory::Files { folder, file: without_extension(&r.text("file").unwrap_or_else(|| "{name}".to_owned())) }
        }
        (None, None, _) => {
            r.error("neither `path` nor `folder`");
            Directory::File { path: name.to_owned() }
        }
    };
    r.finish();
    out
}

fn member_file(r: &Reader<'_>) -> MemberFile {
    match r.json {
        Json::String(path) => MemberFile::File(without_extension(path)),
        _ => {
            MemberFile::Folder { folder: r.need("folder"), file: r.text("file").unwrap_or_else(|| "{name}".to_owned()) }
        }
    }
}

fn statuses(json: &Json) -> Vec<u16> {
    json.as_array().into_iter().flatten().filter_map(|n| n.as_u64().and_then(|n| u16::try_from(n).ok())).collect()
}

fn without_extension(path: &str) -> String {
    path.trim_end_matches(".json").trim_end_matches(".yaml").to_owned()
}

fn system(r: &Reader<'_>) -> SystemRule {
    let _ = r.take("present");
    let matches = r.text("matches").and_then(|pattern| match Regex::new(&pattern) {
        Ok(regex) => Some(regex),
        Err(error) => {
            r.error(&error.to_string());
            None
        }
    });
    let out = SystemRule {
        matches,
        member: r.need("member"),
        equals: r.take("equals").cloned(),
        why: r.need("why"),
        writable: r.texts("writable"),
    };
    r.finish();
    out
}
