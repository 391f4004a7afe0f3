//! Values that a schema allows.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value as Json, json};
use tenantry::schema::Shape;

use super::shape::{Node, is_written};

/// Server ids by kind: what a reference may be set to.
pub(crate) type Ids = BTreeMap<String, Vec<String>>;

/// How much of an object is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// What is required.
    Least,
    /// Everything.
    All,
}

/// Returns a value in the API's form; another `salt` gives another value where there is one.
pub(crate) fn value(node: &Node<'_>, name: &str, salt: usize, reach: Reach, ids: &Ids) -> Json {
    let field = node.field;
    let references = if field.reference.is_empty() { &field.literal_reference } else { &field.reference };
    let known: Vec<&String> = references.iter().flat_map(|kind| ids.get(kind).into_iter().flatten()).collect();
    if let Some(id) = (!known.is_empty()).then(|| known[salt % known.len()]) {
        return json!(id);
    }
    let choices: Vec<&Json> = node
        .json
        .iter()
        .filter_map(|j| j.get("enum")?.as_array())
        .flatten()
        .chain(node.json.iter().filter_map(|j| j.get("const")))
        .filter(|v| !v.is_null())
        .collect();
    if !choices.is_empty() {
        return choices[salt % choices.len()].clone();
    }
    match &field.shape {
        Shape::Record { members, .. } => {
            let required = node.required();
            let mut out = serde_json::Map::new();
            for (name, member) in members {
                let wanted = required.contains(&name.as_str()) || reach == Reach::All;
                if let Some(inner) = node.member(name)
                    && wanted
                    && is_written(member)
                {
                    out.insert(member.api.as_ref().unwrap_or(name).clone(), value(&inner, name, salt, reach, ids));
                }
            }
            Json::Object(out)
        }
        Shape::Map(_) => match node.values() {
            Some(values) => json!({"law": value(&values, name, salt, reach, ids)}),
            None => json!({}),
        },
        Shape::List(_) => {
            let least = node.keyword("minItems").and_then(Json::as_u64).unwrap_or(1).max(1) as usize;
            let items = node.item();
            (0..least).filter_map(|n| Some(value(items.as_ref()?, name, salt + n, reach, ids))).collect()
        }
        Shape::Scalar | Shape::Any => scalar(node, name, salt),
    }
}

fn scalar(node: &Node<'_>, name: &str, salt: usize) -> Json {
    let types: Vec<&str> = node
        .json
        .iter()
        .filter_map(|j| j.get("type"))
        .flat_map(|t| match t {
            Json::Array(types) => types.iter().filter_map(Json::as_str).collect(),
            other => other.as_str().into_iter().collect::<Vec<_>>(),
        })
        .filter(|t| *t != "null")
        .collect();
    let types = if types.is_empty() { vec!["string"] } else { types };
    match types[salt % types.len()] {
        "boolean" => json!(salt % 2 == 0),
        "integer" | "number" => number(node, salt),
        "object" => json!({"law": format!("value {salt}")}),
        "array" => json!([format!("law-{salt}")]),
        _ => text(node, name, salt),
    }
}

fn number(node: &Node<'_>, salt: usize) -> Json {
    let bound = |word: &str| node.keyword(word).and_then(Json::as_f64);
    let least = bound("minimum").or(bound("exclusiveMinimum").map(|m| m + 1.0)).unwrap_or(1.0);
    let most = bound("maximum").unwrap_or(least + 1000.0);
    let step = bound("multipleOf").unwrap_or(1.0);
    // From both ends and the middle, for limits that depend on other members.
    let middle = ((least + most) / 2.0).floor();
    let found = match salt % 4 {
        0 => least + step * (salt / 4 + 1) as f64,
        1 => most - step * (salt / 4 + 1) as f64,
        2 => middle + step * (salt / 4) as f64,
        _ => least + step * (salt / 4) as f64,
    };
    json!(found.clamp(least, most) as i64)
}

fn text(node: &Node<'_>, name: &str, salt: usize) -> Json {
    if let Some(pattern) = node.keyword("pattern").and_then(Json::as_str)
        && let Some(found) = matching(pattern, salt)
    {
        return json!(found);
    }
    let format = node.keyword("format").and_then(Json::as_str).unwrap_or_default();
    let lower = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let forms: Vec<String> =
        if format.contains("uri") || has(&["url", "uri", "callback", "endpoint", "origin", "issuer"]) {
            vec![format!("https://law{salt}.example/path"), format!("https://law{salt}.example")]
        } else if format == "email" || has(&["email", "from", "mail"]) {
            vec![format!("law{salt}@example.com")]
        } else if has(&["domain", "host"]) {
            vec![format!("law{salt}.example.com")]
        } else if lower == "body" || lower == "html" {
            vec![format!("<html>{{%- auth0:head -%}}{{%- auth0:widget -%}}law {salt}</html>")]
        } else if has(&["allowlist"]) {
            vec![format!("192.0.2.{salt}")]
        } else if has(&["color", "primary", "background"]) {
            vec![format!("#{:06x}", 0x00ab_cd00 + salt)]
        } else if has(&["date", "expires"]) {
            vec![format!("2099-01-{:02}T00:00:00.000Z", salt % 27 + 1)]
        } else {
            vec![format!("law {salt}"), format!("law{salt}"), format!("https://law{salt}.example/")]
        };
    let most = node.keyword("maxLength").and_then(Json::as_u64).unwrap_or(200) as usize;
    let least = node.keyword("minLength").and_then(Json::as_u64).unwrap_or(0) as usize;
    let mut found: String = forms[salt % forms.len()].chars().take(most).collect();
    while found.chars().count() < least {
        found.push('x');
    }
    json!(found)
}

/// Makes a text of a pattern; `None` where the pattern has what the generator lacks.
fn matching(pattern: &str, salt: usize) -> Option<String> {
    type Known = BTreeMap<(String, usize), Option<String>>;
    static KNOWN: Mutex<Known> = Mutex::new(Known::new());
    let key = (pattern.to_owned(), salt);
    if let Some(found) = KNOWN.lock().unwrap().get(&key) {
        return found.clone();
    }
    let found = made(pattern, salt);
    KNOWN.lock().unwrap().insert(key, found.clone());
    found
}

fn made(pattern: &str, salt: usize) -> Option<String> {
    let bare = pattern.trim_start_matches('^').trim_end_matches('$');
    let strategy = proptest::string::string_regex(bare).ok()?;
    let mut seed = [7_u8; 32];
    seed[0] = u8::try_from(salt % 256).ok()?;
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let whole = regex::Regex::new(pattern).ok()?;
    (0..20)
        .filter_map(|_| Some(strategy.new_tree(&mut runner).ok()?.current()))
        .find(|t| whole.is_match(t) && t.is_ascii())
}
