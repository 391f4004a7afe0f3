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
