//! JSON and bytes in the one form that digests are made of.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Sorts the members of every object inside.
pub fn sorted_json(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let sorted: BTreeMap<&String, Json> = map.iter().map(|(name, value)| (name, sorted_json(value))).collect();
            Json::Object(sorted.into_iter().map(|(name, value)| (name.clone(), value)).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted_json).collect()),
        other => other.clone(),
    }
}

/// Writes bytes as hexadecimal digits, lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter() {
        let sorted = sorted_json(&json!({"b": [{"d": 1, "c": 2}], "a": null}));
        assert_eq!(sorted.to_string(), r#"{"a":null,"b":[{"c":2,"d":1}]}"#);
        assert_eq!(hex(&[0, 15, 255]), "000fff");
    }
}
