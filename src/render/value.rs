//! Values in one line, as people read them. Secrets are shown by where they come from.

use serde_json::Value as Json;

use crate::model::Value;

/// Writes a value in one line: `36000`, `[a, b]`, `{name: x}`; text in quotes only where it could be taken for something else.
pub(super) fn brief(value: &Value) -> String {
    match value {
        Value::String(text) if stands_alone(text) => text.clone(),
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => secret(value),
        other => inline(&other.redacted()),
    }
}

/// Writes where a secret comes from, and nothing else of it.
pub(super) fn secret(value: &Value) -> String {
    let mut sources = Vec::new();
    collect(value, &mut sources);
    match sources.as_slice() {
        [] => "(secret)".to_owned(),
        sources => format!("(secret: {})", sources.join(", ")),
    }
}

fn collect(value: &Value, out: &mut Vec<String>) {
    let mut note = |source: &str| {
        if !out.iter().any(|known| known == source) {
            out.push(source.to_owned());
        }
    };
    match value {
        Value::Secret(secret) => note(secret.source()),
        Value::Unresolved(unresolved) => note(&unresolved.source),
        Value::Fingerprint(fingerprint) => note(&fingerprint.source),
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(members) => members.values().for_each(|item| collect(item, out)),
        _ => {}
    }
}

/// Says whether a text can stand without quotes: it is not empty, has no space at its ends and reads as nothing else.
fn stands_alone(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && !text.starts_with(['"', '[', '{', '('])
        && serde_json::from_str::<Json>(text).is_err()
        && !text.contains(|c: char| c.is_control())
}

fn inline(json: &Json) -> String {
    match json {
        Json::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<String> = members.iter().map(|(k, v)| format!("{}: {}", word(k), inline(v))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Json::String(text) => word(text),
        other => other.to_string(),
    }
}

/// A text inside a list or object: bare where it holds nothing that separates.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./@+*$#%?&=~:".contains(c);
    if stands_alone(text) && text.chars().all(plain) && !text.ends_with(':') {
        text.to_owned()
    } else {
        Json::String(text.to_owned()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Secret, Unresolved};

    fn of(json: Json) -> String {
        brief(&Value::from_json(&json))
    }

    #[test]
    fn text_is_told_from_numbers() {
        assert_eq!(of(serde_json::json!("36000")), "\"36000\"");
        assert_eq!(of(serde_json::json!(36000)), "36000");
        assert_eq!(of(serde_json::json!("null")), "\"null\"");
        assert_eq!(of(serde_json::json!("")), "\"\"");
        assert_eq!(of(serde_json::json!(" x")), "\" x\"");
        assert_eq!(of(serde_json::json!("My App")), "My App");
        assert_eq!(of(serde_json::json!("(secret)")), "\"(secret)\"");
    }

    #[test]
    fn lists_and_objects_stay_in_one_line() {
        assert_eq!(
            of(serde_json::json!({"a": [1, "x y", "https://x"], "b,c": null})),
            "{a: [1, \"x y\", https://x], \"b,c\": null}"
        );
    }

    #[test]
    fn secrets_are_named_by_their_source() {
        let value = Value::Array(vec![
            Value::Secret(Secret::new("hunter2", "secrets.a")),
            Value::Unresolved(Unresolved { source: "secrets.b".to_owned() }),
            Value::Secret(Secret::new("hunter3", "secrets.a")),
        ]);
        assert_eq!(secret(&value), "(secret: secrets.a, secrets.b)");
        assert!(!brief(&value).contains("hunter"));
        assert_eq!(secret(&Value::from("hunter2")), "(secret)");
    }
}
