//! The helpers of expressions: pure functions of JSON values.
//!
//! | helper | value |
//! | --- | --- |
//! | `lower TEXT`, `upper TEXT`, `trim TEXT` | the text, changed |
//! | `replace TEXT FROM TO` | the text with every FROM replaced |
//! | `concat A B …` | the texts, or the lists, one behind the other |
//! | `join LIST SEPARATOR` | the items as one text |
//! | `split TEXT SEPARATOR` | the parts as a list |
//! | `json VALUE` | the value as JSON text |
//! | `default A B …` | the first that is set and not empty |

use serde_json::Value as Json;

use super::variables::{json_text, text_form};

/// Names of all helpers.
pub(crate) const NAMES: [&str; 9] = ["concat", "default", "join", "json", "lower", "replace", "split", "trim", "upper"];

/// A helper; the error goes behind its name: "takes one text".
pub(crate) type Helper = fn(&[&Json]) -> Result<Json, &'static str>;

/// Returns a helper by name. `default` is none of these: it must see what is not set.
pub(crate) fn find(name: &str) -> Option<Helper> {
    Some(match name {
        "lower" => |args| one_text(args).map(|text| text.to_lowercase().into()),
        "upper" => |args| one_text(args).map(|text| text.to_uppercase().into()),
        "trim" => |args| one_text(args).map(|text| text.trim().into()),
        "replace" => replace,
        "concat" => concat,
        "join" => join,
        "split" => split,
        "json" => |args| match args {
            [value] => Ok(json_text(value).into()),
            _ => Err("takes one value"),
        },
        _ => return None,
    })
}

/// Returns the names for a message.
pub(crate) fn list() -> String {
    format!("`{}`", NAMES.join("`, `"))
}

fn scalar(value: &Json) -> Option<String> {
    if value.is_array() || value.is_object() || value.is_null() { None } else { text_form(value) }
}

fn one_text(args: &[&Json]) -> Result<String, &'static str> {
    match args {
        [value] => scalar(value).ok_or("takes one text"),
        _ => Err("takes one text"),
    }
}

fn replace(args: &[&Json]) -> Result<Json, &'static str> {
    let texts: Option<Vec<String>> = args.iter().map(|value| scalar(value)).collect();
    match texts.as_deref() {
        Some([text, from, to]) if !from.is_empty() => Ok(text.replace(from.as_str(), to).into()),
        _ => Err("takes a text, what to replace in it, and by what"),
    }
}

fn concat(args: &[&Json]) -> Result<Json, &'static str> {
    if args.iter().any(|value| value.is_array()) {
        let mut items = Vec::new();
        for value in args {
            match value {
                Json::Array(more) => items.extend(more.iter().cloned()),
                Json::Object(_) | Json::Null => return Err("takes texts, or lists"),
                single => items.push((*single).clone()),
            }
        }
        return Ok(Json::Array(items));
    }
    args.iter().map(|value| scalar(value)).collect::<Option<String>>().map(Json::from).ok_or("takes texts, or lists")
}

fn join(args: &[&Json]) -> Result<Json, &'static str> {
    const WHAT: &str = "takes a list of texts and a separator";
    match args {
        [Json::Array(items), Json::String(separator)] => {
            let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
            Ok(texts.ok_or(WHAT)?.join(separator).into())
        }
        _ => Err(WHAT),
    }
}

fn split(args: &[&Json]) -> Result<Json, &'static str> {
    match args {
        [Json::String(text), Json::String(separator)] if !separator.is_empty() => {
            Ok(text.split(separator.as_str()).map(str::trim).filter(|part| !part.is_empty()).collect())
        }
        _ => Err("takes a text and a separator"),
    }
}
