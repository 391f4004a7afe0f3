//! Values: shapes, annotations, side files.

use std::cell::RefCell;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::endpoint::sub;
use super::reader::Reader;
use crate::schema::field::{
    FieldSpec, FileBase, FileSpec, MissingFile, Null, Risk, RiskSpec, ScopeOf, Shape, TextKind,
};

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

pub(super) struct Compiler<'a> {
    pub(super) root: &'a Json,
    pub(super) errors: &'a RefCell<Vec<String>>,
}

impl Compiler<'_> {
    pub(super) fn field(&self, json: &Json, place: &str, depth: usize) -> FieldSpec {
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
        let null = null(&r, &types);
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
            null,
            never_empty: ["minItems", "minProperties"].iter().any(|limit| r.json.get(*limit).is_some_and(|n| *n != 0))
                || r.json.get("required").and_then(Json::as_array).is_some_and(|names| !names.is_empty()),
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
            scope_of: r.object("x-scope-of").map(|r| ScopeOf {
                member: r.need("member"),
                list: r.need("list"),
                key: r.need("key"),
            }),
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

/// Reads what a write makes of a null: `type` says whether one may stand there, `x-null` what is sent where the API takes none.
fn null(r: &Reader<'_>, types: &[String]) -> Null {
    let values = r.json.get("enum").and_then(Json::as_array);
    let is_allowed = match (types, values) {
        ([], None) => None,
        ([], Some(values)) => Some(values.contains(&Json::Null)),
        (types, _) => Some(types.iter().any(|one| one == "null")),
    };
    let word = r.text("x-null");
    match (word.as_deref(), is_allowed) {
        (None, None) => Null::Unknown,
        (None, Some(true)) => Null::Taken,
        (None, Some(false)) => Null::Refused,
        (Some("empty"), Some(true)) => Null::Empty,
        (Some("absent"), Some(true)) => Null::Refused,
        (Some(word), _) => {
            r.error(&format!("x-null `{word}`: it is `empty` or `absent`, where the type allows null"));
            Null::Unknown
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
