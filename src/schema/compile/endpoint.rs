//! Endpoints: lists, reads, writes, and lists behind endpoints of their own.

use serde_json::{Map, Value as Json};

use super::reader::Reader;
use crate::schema::endpoint::{Batch, Create, Endpoint, ListEndpoint, ListPaging, Scopes, SubEndpoint, SubSpec, Verb};

fn verb(r: &Reader<'_>) -> Verb {
    match r.need("method").as_str() {
        "POST" => Verb::Post,
        "PATCH" => Verb::Patch,
        "PUT" => Verb::Put,
        "DELETE" => Verb::Delete,
        other => {
            r.error(&format!("method `{other}`"));
            Verb::Patch
        }
    }
}

pub(super) fn write(r: &Reader<'_>) -> Create {
    let _ = r.take("whole");
    let out = Create { method: verb(r), path: r.need("path"), wrap: r.text("wrap") };
    r.finish();
    out
}

pub(super) fn endpoint(r: &Reader<'_>) -> Endpoint {
    for list_only in ["style", "max", "pick"] {
        let _ = r.take(list_only);
    }
    let out = Endpoint {
        path: r.need("path"),
        query: r.pairs("query"),
        wrap: r.text("wrap"),
        absent: r.numbers("absent"),
        rows: r.text("rows"),
    };
    r.finish();
    out
}

pub(super) fn list(r: &Reader<'_>) -> ListEndpoint {
    for elsewhere in ["member", "where", "match"] {
        let _ = r.take(elsewhere);
    }
    let out = ListEndpoint {
        path: r.need("path"),
        query: r.pairs("query"),
        paging: match r.text("style").unwrap_or_else(|| "wrapped".to_owned()).as_str() {
            "page" => ListPaging::Page,
            "checkpoint" => ListPaging::Checkpoint,
            "page_checkpoint" => ListPaging::PageCheckpoint,
            "envelope" => ListPaging::Envelope,
            "wrapped" => ListPaging::Wrapped,
            "array" => ListPaging::Array,
            other => {
                r.error(&format!("style `{other}`"));
                ListPaging::Array
            }
        },
        rows: r.text("rows").unwrap_or_default(),
        max: r.take("max").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(100),
        exclude: r
            .take("exclude")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.as_array().cloned().unwrap_or_else(|| vec![v.clone()])))
            .collect(),
    };
    r.finish();
    out
}

pub(super) fn scopes(r: &Reader<'_>) -> Scopes {
    let write = r.texts("write");
    let or_write = |scopes: Vec<String>| if scopes.is_empty() { write.clone() } else { scopes };
    let out = Scopes {
        read: r.texts("read"),
        create: or_write(r.texts("create")),
        update: or_write(r.texts("update")),
        delete: or_write(r.texts("delete")),
        extra: r.map("extra", |why| why.json.as_str().unwrap_or_default().to_owned()),
    };
    r.finish();
    out
}

pub(super) fn sub(r: &Reader<'_>) -> SubSpec {
    let add = r.object("add").map(|r| sub_endpoint(&r));
    let remove = r.object("remove").map(|r| sub_endpoint(&r));
    let nothing = || SubEndpoint {
        method: Verb::Post,
        path: String::new(),
        batch: Batch::Each,
        wrap: None,
        bare: None,
        with: Map::new(),
        only: Vec::new(),
        without: Vec::new(),
        body: false,
    };
    let replace = r.object("replace").map(|r| sub_endpoint(&r));
    if replace.is_none() && (add.is_none() || remove.is_none()) {
        r.error("`add` and `remove` are needed, or `replace`");
    }
    let listed = r.object("list").map(|r| list(&r));
    if listed.is_none() {
        r.error("`list` is needed");
    }
    let out = SubSpec {
        list: listed.unwrap_or(ListEndpoint {
            path: String::new(),
            query: Vec::new(),
            paging: ListPaging::Array,
            rows: String::new(),
            max: 0,
            exclude: Vec::new(),
        }),
        item: r.text("item"),
        add: add.unwrap_or_else(nothing),
        change: r.object("change").map(|r| sub_endpoint(&r)),
        replace,
        remove: remove.unwrap_or_else(nothing),
        scopes: r.object("scopes").map(|r| scopes(&r)).unwrap_or_default(),
        optional: r.flag("optional", false),
    };
    r.finish();
    out
}

fn sub_endpoint(r: &Reader<'_>) -> SubEndpoint {
    let batch = r.take("batch").and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
    let each = r.flag("each", false);
    if each && batch.is_some() {
        r.error("either `each: true` or `batch`");
    }
    // A request that replaces the list takes all of it.
    let batch = if each { None } else { Some(batch.unwrap_or(usize::MAX)) };
    let wrap_item = r.text("wrap_item");
    let out = SubEndpoint {
        method: verb(r),
        path: r.need("path"),
        batch: batch.map_or(Batch::Each, Batch::Of),
        wrap: r.text("wrap"),
        bare: wrap_item,
        only: r.texts("only"),
        without: r.texts("without"),
        with: r.take("with").and_then(Json::as_object).cloned().unwrap_or_default(),
        body: r.flag("remove_body", true),
    };
    r.finish();
    out
}
