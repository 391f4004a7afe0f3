//! One live resource in the form people write: what the server sets goes, members come in a fixed order, secrets become
//! expressions.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::text::Out;
use crate::model::{LiveResource, Map, Value};
use crate::schema::{FieldSpec, FileSpec, KindSpec, Null, PartStep};

/// Where a resource's values go that do not stand in its own file.
pub(super) trait Elsewhere {
    /// Names a secret and returns what stands in its place.
    fn secret(&mut self, path: &str) -> Out;

    /// Says whether a secret that was read is written as it is.
    fn reveals(&self) -> bool;

    /// Takes the text of a member that has a file of its own and returns its path; `None` leaves the text where it is.
    fn side_file(&mut self, field: &FieldSpec, file: &FileSpec, inside: &[&Map], path: &str, text: &str)
    -> Option<Out>;
}

/// Converts a resource. `ids`: its server id is written even where its name is enough.
pub(super) fn written(
    spec: &KindSpec,
    live: &LiveResource,
    members: &Map,
    ids: bool,
    elsewhere: &mut dyn Elsewhere,
) -> Vec<(String, Out)> {
    let lean = without_defaults(spec, members);
    let mut out = record(&spec.fields, &lean, &[&lean], "", false, elsewhere);
    let rank = |key: &str| spec.identity.iter().position(|member| member == key).unwrap_or(spec.identity.len());
    out.sort_by_key(|(key, _)| rank(key));
    if let Some(id) = spec.id.as_ref().filter(|_| (ids || live.address.id.is_some()) && !live.id.is_empty())
        && !out.iter().any(|(key, _)| key == id)
    {
        out.insert(spec.identity.len().min(out.len()), (id.clone(), Out::Text(live.id.clone())));
    }
    out
}

/// Takes out of a resource what is never written: what the server sets or owns, other spellings, blank nulls, and the paths
/// that are not wanted.
pub(super) fn stripped(spec: &KindSpec, members: &mut Map, without: &[String], with: &[String]) {
    for path in without {
        remove(members, path);
    }
    let kept: Vec<String> = spec.identity.iter().chain(with).cloned().collect();
    strip(&spec.fields, members, &kept);
    without_blank_parts(spec, members);
}

/// Takes out what nobody has changed of what is kept behind endpoints of its own.
pub(super) fn without_blank_parts(spec: &KindSpec, members: &mut Map) {
    for part in &spec.parts {
        if part.at.iter().any(|step| matches!(step, PartStep::Capture(_))) {
            without_blanks(members, &part.at);
        }
    }
}

/// Takes out the objects of a part that nothing is in: texts of a page that nobody has changed. An empty list says something: that
/// a trigger runs no action.
fn without_blanks(members: &mut Map, at: &[PartStep]) {
    let Some((step, rest)) = at.split_first() else { return };
    let is_empty = |value: &Value| matches!(value, Value::Object(inner) if inner.is_empty());
    members.retain(|name, value| {
        let is_meant = match step {
            PartStep::Key(key) => key == name,
            PartStep::Capture(_) => true,
            PartStep::Item(_) => false,
        };
        if is_meant && let Value::Object(inner) = value {
            without_blanks(inner, rest);
        }
        !is_meant || !is_empty(value)
    });
}

fn remove(members: &mut Map, path: &str) {
    match path.split_once('.') {
        None => {
            members.shift_remove(path);
        }
        Some((key, rest)) => {
            if let Some(Value::Object(inner)) = members.get_mut(key) {
                remove(inner, rest);
            }
        }
    }
}

fn strip(field: &FieldSpec, members: &mut Map, keep: &[String]) {
    members.retain(|name, value| {
        let Some(member) = field.member(name) else { return true };
        let is_ours =
            !member.read_only && !member.owned && !member.server_made && !member.skip && member.alias.is_none();
        let takes_null = matches!(member.null, Null::Taken | Null::Unknown);
        // A null that only the server may have means that there is nothing; so does an empty text that stands for it.
        let is_nothing =
            (*value == Value::Null && !takes_null) || (value.as_str() == Some("") && member.null == Null::Empty);
        (is_ours || keep.contains(name)) && !is_nothing
    });
    for (name, value) in members.iter_mut() {
        if let Some(member) = field.member(name) {
            strip_value(member, value);
        }
    }
}

/// Takes out of a value what [`stripped`] takes out of a resource.
pub(super) fn strip_value(field: &FieldSpec, value: &mut Value) {
    match value {
        Value::Object(inner) => strip(field, inner, &[]),
        Value::Array(items) => {
            if let Some(item) = field.item() {
                items.iter_mut().for_each(|value| strip_value(item, value));
            }
        }
        _ => {}
    }
}

/// Leaves out what a create would fill in all the same.
///
/// Only where a create exists, only members of the resource itself, and only as long as what is left still leads to the same
/// defaults: a default may depend on other members.
fn without_defaults(spec: &KindSpec, members: &Map) -> Map {
    let mut lean = members.clone();
    lean.retain(|name, value| {
        let nothing = spec.field(name).is_some_and(|field| field.default.is_none() && field.default_when.is_empty());
        !(matches!(value, Value::Null) && nothing)
    });
    if !spec.is_open_set() {
        return lean;
    }
    let spoken_of = spoken_of(spec);
    let is_default = |field: &FieldSpec, value: &Value, among: &Map| {
        field.default_in(among).is_some_and(|default| Value::from_json(default) == *value)
    };
    let mut left_out: Vec<String> = Vec::new();
    for (name, value) in members {
        let Some(field) = spec.field(name) else { continue };
        let is_plain = field.file.is_none() && field.sub.is_none() && !field.secret && !field.immutable;
        if is_plain && !spoken_of.contains(name) && is_default(field, value, members) {
            lean.shift_remove(name);
            left_out.push(name.clone());
        }
    }
    loop {
        let wrong: Vec<String> = left_out
            .iter()
            .filter(|name| {
                let (Some(field), Some(value)) = (spec.field(name), members.get(*name)) else { return false };
                !is_default(field, value, &lean)
            })
            .cloned()
            .collect();
        if wrong.is_empty() {
            return lean;
        }
        for name in &wrong {
            if let Some(value) = members.get(name) {
                lean.insert(name.clone(), value.clone());
            }
        }
        left_out.retain(|name| !wrong.contains(name));
    }
}

/// Returns the members that something else depends on: identity, required ones, conditions.
fn spoken_of(spec: &KindSpec) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = spec.identity.iter().chain(&spec.also).cloned().collect();
    for keyword in [
        "required",
        "x-required-on-create",
        "if",
        "allOf",
        "anyOf",
        "oneOf",
        "dependentRequired",
        "dependentSchemas",
        "not",
    ] {
        if let Some(json) = spec.json.get(keyword) {
            words(json, &mut out);
        }
    }
    for (_, field) in spec.fields.members() {
        out.extend(
            field.default_when.iter().flat_map(|(conditions, _)| conditions.iter().map(|(member, _)| member.clone())),
        );
    }
    out
}

fn words(json: &Json, out: &mut BTreeSet<String>) {
    match json {
        Json::String(text) => {
            out.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| words(item, out)),
        Json::Object(map) => {
            for (key, value) in map {
                out.insert(key.clone());
                words(value, out);
            }
        }
        _ => {}
    }
}

/// Converts the members of an object: known ones in the schema's order, then the others by name.
fn record(
    field: &FieldSpec,
    members: &Map,
    inside: &[&Map],
    path: &str,
    secret: bool,
    elsewhere: &mut dyn Elsewhere,
) -> Vec<(String, Out)> {
    let known: Vec<&String> =
        field.members().map(|(name, _)| name).filter(|name| members.contains_key(*name)).collect();
    let mut others: Vec<&String> = members.keys().filter(|name| !known.contains(name)).collect();
    others.sort();
    let mut out = Vec::new();
    for name in known.into_iter().chain(others) {
        let Some(value) = members.get(name) else { continue };
        let here = join(path, name);
        out.push((name.clone(), convert(field.member(name), value, inside, &here, secret, elsewhere)));
    }
    // What no read returns but has to be written is asked for.
    for (name, member) in field.members() {
        // An object that says nothing is not set up.
        let is_set_up = || members.values().any(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        let needed =
            field.required_on_create.contains(name) && is_set_up() || member.secret && is_expected(path, name, field);
        if member.write_only && needed && !members.contains_key(name) {
            out.push((name.clone(), elsewhere.secret(&join(path, name))));
        }
    }
    out
}

/// Says whether a secret belongs to every object of this shape: there is nothing but what names the object, and its value.
fn is_expected(path: &str, name: &str, field: &FieldSpec) -> bool {
    let is_item = path.ends_with(']');
    let mut others = field.members().filter(|(other, member)| *other != name && !member.read_only);
    match (others.next(), others.next()) {
        (Some((other, member)), None) => (is_item && other == "name") || (path.is_empty() && member.in_path),
        _ => false,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn convert(
    field: Option<&FieldSpec>,
    value: &Value,
    inside: &[&Map],
    path: &str,
    secret: bool,
    elsewhere: &mut dyn Elsewhere,
) -> Out {
    let secret = secret || field.is_some_and(|field| field.secret);
    match value {
        Value::Null => Out::Null,
        Value::Bool(value) => Out::Bool(*value),
        Value::Number(number) => Out::Number(number.clone()),
        Value::Secret(secret) if elsewhere.reveals() => Out::Text(secret.expose().to_owned()),
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => elsewhere.secret(path),
        Value::String(text) if text.is_empty() => Out::Text(String::new()),
        Value::String(_) if secret && !elsewhere.reveals() => elsewhere.secret(path),
        Value::String(text) => {
            let file = field.and_then(|field| Some((field, field.file.as_ref()?)));
            file.and_then(|(field, file)| elsewhere.side_file(field, file, inside, path, text))
                .unwrap_or_else(|| Out::Text(text.clone()))
        }
        Value::Array(items) => list(field, items, inside, path, secret, elsewhere),
        Value::Object(members) => {
            let anything = FieldSpec::default();
            let mut chain: Vec<&Map> = vec![members];
            chain.extend_from_slice(inside);
            Out::Object(record(field.unwrap_or(&anything), members, &chain, path, secret, elsewhere))
        }
    }
}

fn list(
    field: Option<&FieldSpec>,
    items: &[Value],
    inside: &[&Map],
    path: &str,
    secret: bool,
    elsewhere: &mut dyn Elsewhere,
) -> Out {
    let mut sorted: Vec<&Value> = items.iter().collect();
    // The API may tell such lists in another order each time.
    let is_unordered = field.is_some_and(|field| field.set || (!field.key.is_empty() && !field.ordered));
    if is_unordered {
        sorted.sort_by_cached_key(|item| (keys_of(field, item), item.redacted().to_string()));
    }
    let item_field = field.and_then(FieldSpec::item);
    let converted = sorted.iter().enumerate().map(|(n, item)| {
        let key = keys_of(field, item);
        let here = if key.is_empty() { format!("{path}[{n}]") } else { format!("{path}[{}]", key.join(" ")) };
        convert(item_field, item, inside, &here, secret, elsewhere)
    });
    Out::List(converted.collect())
}

fn keys_of(field: Option<&FieldSpec>, item: &Value) -> Vec<String> {
    let members = field.into_iter().flat_map(|field| &field.key);
    members.filter_map(|member| item.get(member)?.as_str().map(str::to_owned)).collect()
}
