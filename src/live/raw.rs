//! Puts answers together into one raw object.

use serde_json::{Value as Json, json};

use crate::codec::encode_segment;
use crate::schema::PartStep;

/// Fills `{id}` and `{member}` of a path from a raw object.
pub(super) fn fill(path: &str, id: &str, raw: &Json) -> String {
    let mut out = path.replace("{id}", &encode_segment(id));
    for (member, value) in raw.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            out = out.replace(&format!("{{{member}}}"), &encode_segment(text));
        }
    }
    out
}

/// Puts a part's value where it belongs inside the raw object.
pub(super) fn put(raw: &mut Json, steps: &[(PartStep, String)], value: Json) {
    let Some(((step, name), rest)) = steps.split_first() else {
        *raw = value;
        return;
    };
    match step {
        PartStep::Key(_) | PartStep::Capture(_) => {
            if !raw.is_object() {
                *raw = json!({});
            }
            if let Json::Object(members) = raw {
                put(members.entry(name.clone()).or_insert(Json::Null), rest, value);
            }
        }
        PartStep::Item(_) => {
            if !raw.is_array() {
                *raw = json!([]);
            }
            if let Json::Array(items) = raw {
                let mut item = Json::Null;
                put(&mut item, rest, value);
                items.push(item);
            }
        }
    }
}
