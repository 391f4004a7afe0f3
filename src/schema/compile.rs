//! Compiles the JSON of a schema file into a [`KindSpec`], strictly: an annotation nobody reads is an error.

use std::cell::RefCell;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::spec::*;

/// JSON Schema keywords the engine leaves to the validator.
const STANDARD: &[&str] = &[
    "$schema",
    "$comment",
    "title",
    "required",
    "const",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "patternProperties",
    "dependentRequired",
    "not",
    "if",
    "then",
    "else",
    "examples",
    "multipleOf",
    "allOf",
    "dependentSchemas",
    "contains",
    "x-canonical",
];

/// Compiles one schema file.
///
/// # Errors
///
/// Returns every mistake found, each with its place inside the file.
pub(super) fn compile(name: &str, json: Json) -> Result<KindSpec, Vec<String>> {
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
    for known in ["risk", "reveal", "source"] {
        let _ = x.take(known);
    }
    x.finish();
    drop(x);
    let errors = errors.into_inner();
    if errors.is_empty() { Ok(spec) } else { Err(errors) }
}

/// Reads members of an object and remembers which, so that leftovers can be named.
struct Reader<'a> {
    json: &'a Json,
    place: String,
    seen: RefCell<BTreeSet<String>>,
    errors: &'a RefCell<Vec<String>>,
}

impl<'a> Reader<'a> {
    fn new(json: &'a Json, place: &str, errors: &'a RefCell<Vec<String>>) -> Self {
        Reader { json, place: place.to_owned(), seen: RefCell::default(), errors }
    }

    fn error(&self, message: &str) {
        self.errors.borrow_mut().push(format!("{}: {message}", self.place));
    }

    fn take(&self, key: &str) -> Option<&'a Json> {
        self.seen.borrow_mut().insert(key.to_owned());
        self.json.get(key)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.take(key).map(|v| match v {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn need(&self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.error(&format!("`{key}` is missing"));
            String::new()
        })
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.take(key).and_then(Json::as_bool).unwrap_or(default)
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn numbers(&self, key: &str) -> Vec<u16> {
        self.take(key)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|n| n.as_u64().and_then(|n| u16::try_from(n).ok()))
            .collect()
    }

    fn object(&self, key: &str) -> Option<Reader<'a>> {
        self.take(key).map(|json| Reader::new(json, &format!("{}/{key}", self.place), self.errors))
    }

    fn objects(&self, key: &str) -> Vec<Reader<'a>> {
        let items = self.take(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(n, json)| Reader::new(json, &format!("{}/{key}/{n}", self.place), self.errors))
            .collect()
    }

    fn map<T>(&self, key: &str, read: impl Fn(&Reader<'a>) -> T) -> IndexMap<String, T> {
        let members = self.take(key).and_then(Json::as_object);
        members
            .into_iter()
            .flatten()
            .map(|(name, json)| {
                (name.clone(), read(&Reader::new(json, &format!("{}/{key}/{name}", self.place), self.errors)))
            })
            .collect()
    }

    fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let members = self.take(key).and_then(Json::as_object);
        members
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect()
    }

    fn finish(&self) {
        for key in self.json.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !self.seen.borrow().contains(key) {
                self.error(&format!("`{key}` is not an annotation"));
            }
        }
    }
}

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

fn write(r: &Reader<'_>) -> Create {
    let _ = r.take("whole");
    let out = Create { method: verb(r), path: r.need("path"), wrap: r.text("wrap") };
    r.finish();
    out
}

fn endpoint(r: &Reader<'_>) -> Endpoint {
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

fn list(r: &Reader<'_>) -> ListEndpoint {
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

fn scopes(r: &Reader<'_>) -> Scopes {
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

fn part(r: &Reader<'_>) -> Part {
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
        needs: r.text("needs"),
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

fn place(r: &Reader<'_>) -> Place {
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

struct Compiler<'a> {
    root: &'a Json,
    errors: &'a RefCell<Vec<String>>,
}

impl Compiler<'_> {
    fn field(&self, json: &Json, place: &str, depth: usize) -> FieldSpec {
        if depth > 24 {
            self.errors.borrow_mut().push(format!("{place}: nested too deep"));
            return FieldSpec::default();
        }
        let json = &self.merged(json, place, depth);
        let r = Reader::new(json, place, self.errors);
        for key in STANDARD {
            let _ = r.take(key);
        }
        let types: Vec<String> = r.texts("type");
        let mut spec = FieldSpec {
            shape: self.shape(&r, &types, place, depth),
            types,
            description: r.text("description").unwrap_or_default(),
            read_only: r.flag("readOnly", false),
            write_only: r.flag("writeOnly", false),
            secret: r.flag("x-secret", false),
            set: r.flag("x-set", false),
            key: r.texts("x-key"),
            ordered: false,
            immutable: r.flag("x-immutable", false),
            fixed: r.json.get("x-immutable").and_then(Json::as_str) == Some("refuse"),
            in_path: r.flag("x-path", false),
            limit: r.take("x-limit").and_then(Json::as_u64),
            step: r.text("x-step"),
            empty_is_null: r.flag("x-empty-is-null", false),
            listed: match (r.json.get("x-canonical"), r.json.get("items")) {
                (Some(_), Some(items)) => Some(Box::new(self.field(items, &format!("{place}[]"), depth + 1))),
                _ => None,
            },
            required_on_create: r.texts("x-required-on-create"),
            hours: r.text("x-hours"),
            server_made: r.flag("x-server-made", false),
            create_only: r.flag("x-create-only", false),
            update_only: r.flag("x-update-only", false),
            merged: r.flag("x-merged", false),
            owned: r.text("x-owned").is_some(),
            skip: r.flag("x-skip", false),
            deprecated: r.flag("deprecated", false),
            default: r.take("default").cloned(),
            default_when: r.objects("x-default-when").iter().map(default_when).collect(),
            reference: r.texts("x-ref"),
            literal_reference: r.texts("x-literal-ref"),
            values: r.take("enum").and_then(Json::as_array).cloned().unwrap_or_default(),
            risk: risk(&r),
            why: r.text("x-why"),
            api: r.text("x-api"),
            alias: r.text("x-alias"),
            file: r.object("x-file").map(|r| file(&r)),
            text: match r.text("x-text").as_deref() {
                Some("js") => Some(TextKind::Js),
                Some("html") => Some(TextKind::Html),
                Some("liquid") => Some(TextKind::Liquid),
                Some("pem") => Some(TextKind::Pem),
                Some(other) => {
                    r.error(&format!("x-text `{other}`"));
                    None
                }
                None => None,
            },
            sub: r.object("x-sub").map(|r| Box::new(sub(&r))),
        };
        if let Some(key) = r.text("x-ordered-key") {
            spec.key = vec![key];
            spec.ordered = true;
        }
        r.finish();
        spec
    }

    /// Follows `$ref` and folds unions into one: what a walker over values needs.
    fn merged(&self, json: &Json, place: &str, depth: usize) -> Json {
        let mut out = Map::new();
        if let Some(name) = json.get("$ref").and_then(Json::as_str) {
            match self.root.pointer(name.trim_start_matches('#')) {
                Some(target) if depth <= 24 => {
                    if let Json::Object(map) = self.merged(target, place, depth + 1) {
                        out = map;
                    }
                }
                _ => self.errors.borrow_mut().push(format!("{place}: `{name}` leads nowhere")),
            }
        }
        for (key, value) in json.as_object().into_iter().flatten() {
            if !matches!(key.as_str(), "$ref" | "oneOf" | "anyOf" | "$defs") {
                out.insert(key.clone(), value.clone());
            }
        }
        for union in ["oneOf", "anyOf"] {
            for branch in json.get(union).and_then(Json::as_array).into_iter().flatten() {
                if let Json::Object(branch) = self.merged(branch, place, depth + 1) {
                    fold(&mut out, branch);
                }
            }
        }
        Json::Object(out)
    }

    fn shape(&self, r: &Reader<'_>, types: &[String], place: &str, depth: usize) -> Shape {
        let properties = r.take("properties").and_then(Json::as_object);
        let additional = r.take("additionalProperties");
        let items = r.take("items");
        let is_canonical_map = r.json.get("x-canonical").is_some() && additional.is_some_and(Json::is_object);
        if let Some(items) = items.filter(|_| !is_canonical_map) {
            return Shape::List(Box::new(self.field(items, &format!("{place}[]"), depth + 1)));
        }
        if let Some(properties) = properties {
            let members = properties
                .iter()
                .map(|(name, json)| (name.clone(), self.field(json, &format!("{place}/{name}"), depth + 1)))
                .collect();
            let open = additional.is_none_or(|a| a != &Json::Bool(false));
            let rest = additional
                .filter(|a| a.is_object())
                .map(|json| Box::new(self.field(json, &format!("{place}/*"), depth + 1)));
            return Shape::Record { members, open, rest };
        }
        match additional {
            Some(json @ Json::Object(_)) => Shape::Map(Box::new(self.field(json, &format!("{place}/*"), depth + 1))),
            Some(Json::Bool(true)) => Shape::Map(Box::default()),
            Some(_) => Shape::Record { members: IndexMap::new(), open: false, rest: None },
            None if types.iter().any(|t| t == "array") => Shape::List(Box::default()),
            None if types.iter().any(|t| t == "object") => Shape::Map(Box::default()),
            None if types.is_empty() && r.json.get("enum").is_none() && r.json.get("const").is_none() => Shape::Any,
            None => Shape::Scalar,
        }
    }
}

/// Adds a union's branch: types and members are united, the first word on anything else stands.
fn fold(into: &mut Map<String, Json>, branch: Map<String, Json>) {
    for (key, value) in branch {
        match (key.as_str(), into.get_mut(&key)) {
            ("type", Some(have)) => {
                let mut types: Vec<Json> = have.as_array().cloned().unwrap_or_else(|| vec![have.clone()]);
                for t in value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]) {
                    if !types.contains(&t) {
                        types.push(t);
                    }
                }
                *have = Json::Array(types);
            }
            ("properties", Some(Json::Object(have))) => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    have.entry(name.clone()).or_insert_with(|| member.clone());
                }
            }
            ("enum", Some(Json::Array(have))) => {
                have.extend(value.as_array().into_iter().flatten().cloned());
            }
            ("required" | "additionalProperties" | "const", Some(_)) => {}
            (_, Some(_)) => {}
            (_, None) => {
                into.insert(key, value);
            }
        }
    }
}

fn default_when(r: &Reader<'_>) -> (Vec<(String, Json)>, Json) {
    let conditions = r.take("when").and_then(Json::as_object).into_iter().flatten();
    let out =
        (conditions.map(|(k, v)| (k.clone(), v.clone())).collect(), r.take("default").cloned().unwrap_or(Json::Null));
    r.finish();
    out
}

fn risk(r: &Reader<'_>) -> RiskSpec {
    let level = |text: Option<&str>| match text.map(|t| (t, Risk::parse(t))) {
        Some((_, Some(risk))) => risk,
        Some((text, None)) => {
            r.error(&format!("risk `{text}`"));
            Risk::Safe
        }
        None => Risk::Safe,
    };
    match r.take("x-risk") {
        Some(Json::String(text)) => {
            let risk = level(Some(text));
            RiskSpec { add: Risk::Safe, remove: risk, change: risk }
        }
        Some(Json::Object(map)) => {
            let of = |key: &str| level(map.get(key).and_then(Json::as_str));
            RiskSpec { add: of("add"), remove: of("remove"), change: of("change") }
        }
        _ => RiskSpec::default(),
    }
}

fn missing(word: Option<&str>) -> MissingFile {
    match word {
        Some("warn") => MissingFile::Warn,
        Some("empty") => MissingFile::Empty,
        Some("text") => MissingFile::Text,
        _ => MissingFile::Error,
    }
}

fn file(r: &Reader<'_>) -> FileSpec {
    let base = |key: &str| match r.text(key).as_deref() {
        Some("root") | None => FileBase::Root,
        Some("kind") => FileBase::Kind,
        Some("file") => FileBase::File,
        Some("inline") => FileBase::Inline,
        Some(folder) => FileBase::Folder(folder.to_owned()),
    };
    let out = FileSpec {
        directory: base("directory"),
        single: base("single"),
        missing: missing(r.text("missing").as_deref()),
        missing_for: r.map("missing_for", |r| missing(r.json.as_str())),
        json: r.flag("json", false),
        optional: r.flag("optional", false),
        or_default: r.flag("or_default", false),
        trim: r.flag("trim", false),
        default_directory: r.text("default_directory"),
        default_single: r.text("default_single"),
    };
    r.finish();
    out
}

fn sub(r: &Reader<'_>) -> SubSpec {
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
