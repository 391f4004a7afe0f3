//! Whether two values of a field are the same, and what items of lists are called.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Fingerprint, FingerprintKey, Value, sorted_json};
use crate::schema::{FieldSpec, Null, TextKind};

static ANY: std::sync::OnceLock<FieldSpec> = std::sync::OnceLock::new();

/// Returns the spec of a value nothing is known of.
pub(in crate::plan) fn any() -> &'static FieldSpec {
    ANY.get_or_init(FieldSpec::default)
}

/// Compares two values of a field: null, missing and empty are equal; so are 1 and 1.0, and texts but for line ends.
///
/// `None` where it cannot be told: a value nobody has, a fingerprint under another key.
pub(super) fn same(
    spec: &FieldSpec,
    a: Option<&Value>,
    b: Option<&Value>,
    key: Option<&FingerprintKey>,
) -> Option<bool> {
    let (a, b) = match (a, b) {
        (None, None) => return Some(true),
        (Some(one), None) | (None, Some(one)) => {
            let empty_text = (spec.text.is_some() || empty_is_none(spec)) && is_empty_text(one);
            return match one {
                Value::Unresolved(_) => None,
                one => Some(one.is_blank() || empty_text),
            };
        }
        (Some(a), Some(b)) => (a, b),
    };
    match (a, b) {
        (x, y) if x.is_blank() && y.is_blank() => Some(true),
        (x, y) if empty_is_none(spec) && (x.is_blank() || is_empty_text(x)) && (y.is_blank() || is_empty_text(y)) => {
            Some(true)
        }
        (Value::Unresolved(_), _) | (_, Value::Unresolved(_)) => None,
        (Value::Number(x), Value::Number(y)) if spec.hours.is_some() => {
            let minutes = |n: &serde_json::Number| (n.as_f64().unwrap_or_default() * 60.0).round();
            Some((minutes(x) - minutes(y)).abs() < 0.5)
        }
        (Value::Number(x), Value::Number(y)) => Some(x == y || x.as_f64() == y.as_f64()),
        (Value::String(x), Value::String(y)) => Some(match spec.text {
            Some(TextKind::Pem) => pem_body(x) == pem_body(y),
            Some(_) => text_body(x) == text_body(y),
            None => x == y,
        }),
        (Value::Secret(x), Value::String(y)) | (Value::String(y), Value::Secret(x)) => Some(x.expose() == y),
        (Value::Fingerprint(x), Value::Fingerprint(y)) => x.same_as(y),
        (Value::Fingerprint(print), Value::Secret(secret)) | (Value::Secret(secret), Value::Fingerprint(print)) => {
            is_of(print, secret.expose(), key)
        }
        (Value::Fingerprint(print), Value::String(text)) | (Value::String(text), Value::Fingerprint(print)) => {
            is_of(print, text, key)
        }
        (Value::Array(x), Value::Array(y)) => {
            let item = spec.item().unwrap_or(any());
            if spec.set || (!spec.key.is_empty() && !spec.ordered) {
                same_items(item, x, y, key)
            } else if x.len() == y.len() {
                all(x.iter().zip(y).map(|(a, b)| same(item, Some(a), Some(b), key)))
            } else {
                Some(false)
            }
        }
        (Value::Object(x), Value::Object(y)) => {
            let names: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            all(names.into_iter().map(|name| {
                let member = spec.member(name).unwrap_or(any());
                if member.read_only || member.owned { Some(true) } else { same(member, x.get(name), y.get(name), key) }
            }))
        }
        (x, y) => Some(x == y),
    }
}

/// Says whether a fingerprint is one of this text; `None` under another key, or none.
fn is_of(print: &Fingerprint, text: &str, key: Option<&FingerprintKey>) -> Option<bool> {
    let key = key?;
    print.same_as(&Fingerprint { source: String::new(), mark: Some(key.mark(text)), sealed: None })
}

/// One difference is a difference; without any, one doubt is a doubt.
fn all(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut doubt = false;
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => doubt = true,
        }
    }
    (!doubt).then_some(true)
}

/// Compares two lists whose order means nothing.
fn same_items(item: &FieldSpec, a: &[Value], b: &[Value], key: Option<&FingerprintKey>) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    let mut free: Vec<&Value> = b.iter().collect();
    let mut doubt = false;
    for one in a {
        let told: Vec<Option<bool>> = free.iter().map(|other| same(item, Some(one), Some(other), key)).collect();
        let partner = told.iter().position(|t| *t == Some(true)).or_else(|| told.iter().position(Option::is_none));
        let Some(partner) = partner else { return Some(false) };
        doubt |= told.get(partner) == Some(&None);
        free.swap_remove(partner);
    }
    (!doubt).then_some(true)
}

/// Says whether an empty text stands for no value.
fn empty_is_none(spec: &FieldSpec) -> bool {
    spec.empty_is_null || spec.null == Null::Empty
}

fn is_empty_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text_body(text).is_empty())
}

fn text_body(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

/// The Base64 body of a PEM block, also of one that is Base64 as a whole, without white space.
fn pem_body(text: &str) -> String {
    let bare = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    };
    let body = bare(text);
    if text.contains("-----") {
        return body;
    }
    match STANDARD.decode(&body).map(String::from_utf8) {
        Ok(Ok(inner)) if inner.contains("-----BEGIN") => bare(&inner),
        _ => body,
    }
}

/// Says whether a secret, or what stands for one, is inside.
pub(in crate::plan) fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => true,
        Value::Array(items) => items.iter().any(holds_secret),
        Value::Object(map) => map.values().any(holds_secret),
        _ => false,
    }
}

/// Names an item of a set: its text, or its canonical JSON.
pub fn item_name(item: &Value) -> String {
    match item {
        Value::String(text) => text.clone(),
        other => sorted_json(&other.redacted()).to_string(),
    }
}

/// Names an item of a keyed list.
pub fn key_of(spec: &FieldSpec, item: &Value) -> String {
    let part = |member: &String| match item.get(member) {
        Some(value) => item_name(value),
        None => {
            let default = spec.item().and_then(|i| i.member(member)).and_then(|m| m.default.as_ref());
            default.map(|d| item_name(&Value::from_json(d))).unwrap_or_default()
        }
    };
    spec.key.iter().map(part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Names the items of a set or keyed list, as paths name them; where order counts, what stands twice is numbered.
pub(in crate::plan) fn names(spec: &FieldSpec, items: &[Value]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(items.len());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        if spec.key.is_empty() {
            out.push(item_name(item));
            continue;
        }
        let name = key_of(spec, item);
        if !spec.ordered {
            out.push(name);
            continue;
        }
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        out.push(if *count == 1 { name } else { format!("{name} ({count})") });
    }
    out
}
