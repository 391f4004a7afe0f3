//! Which address a resource has.

use crate::model::{Address, Map, Value};
use crate::schema::{KindShape, KindSpec};

/// Joins identity members in a name.
const JOINT: &str = " → ";

/// Returns the address of a resource from its identity members; those equal to their default are left out.
///
/// `None` where a member that tells resources apart is missing.
pub fn address_of(spec: &KindSpec, members: &Map) -> Option<Address> {
    if spec.shape == KindShape::Single {
        return Some(Address::single(&spec.name));
    }
    let mut parts = Vec::new();
    for member in &spec.identity {
        let default = spec.field(member).and_then(|f| f.default.as_ref()).map(Value::from_json);
        match members.get(member) {
            Some(value) if Some(value) == default.as_ref() => {}
            Some(Value::String(text)) => parts.push(text.clone()),
            Some(Value::Number(number)) => parts.push(number.to_string()),
            _ => {}
        }
    }
    (!parts.is_empty()).then(|| Address::new(&spec.name, &parts.join(JOINT)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn address(annotations: &str, members: &serde_json::Value) -> Option<String> {
        let text = format!("x-tenantry: {{{annotations}}}\nproperties: {{a: {{}}, b: {{default: z}}}}");
        let registry = Registry::of(&[("things", &text)]);
        let value = Value::from_json(members);
        address_of(registry.kind("things").unwrap(), value.as_object().unwrap()).map(|a| a.to_string())
    }

    #[test]
    fn members_are_joined_and_defaults_left_out() {
        assert_eq!(address("identity: [a]", &json!({"a": "x/y"})).as_deref(), Some("things/x%2Fy"));
        assert_eq!(address("identity: [a, b]", &json!({"a": "x", "b": "y"})).as_deref(), Some("things/x → y"));
        assert_eq!(address("identity: [a, b]", &json!({"a": "x", "b": "z"})).as_deref(), Some("things/x"));
        assert_eq!(address("identity: [a]", &json!({"a": 3})).as_deref(), Some("things/3"));
        assert_eq!(address("shape: single", &json!({})).as_deref(), Some("things"));
    }

    #[test]
    fn without_an_identity_there_is_no_address() {
        assert_eq!(address("identity: [a]", &json!({"b": "x"})), None);
        assert_eq!(address("identity: [a]", &json!({"a": null})), None);
        assert_eq!(address("identity: [a]", &json!({"a": {"b": "x"}})), None);
        assert_eq!(address("identity: [a, b]", &json!({"b": "z"})), None, "a default tells nobody apart");
    }
}
