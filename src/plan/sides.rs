//! What a change is made from, and the body that a PATCH of it takes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::codec::{Body, encode_member, hold_needed, overlay};
use crate::model::{Live, Map, Path, Segment, Value};
use crate::schema::{FieldSpec, Null, Shape};

/// What a change is made from.
pub(super) struct Sides<'a> {
    /// Described members; empty for a delete.
    pub(super) desired: &'a Map,
    /// Live members; empty for a create.
    pub(super) live: &'a Map,
    /// The API's object; null for a create.
    pub(super) raw: &'a Json,
    /// Members to send although no difference was seen (secrets that cannot be compared).
    pub(super) forced: &'a [Path],
    /// All that was read of the tenant.
    pub(super) tenant: &'a Live,
}

/// Returns the body of a PATCH: of each changed member the whole new value, laid over the live one where the API replaces
/// it whole, member by member where it merges.
pub(super) fn patch(spec: &FieldSpec, desired: &Map, raw: &Json, touched: &BTreeSet<Path>, at: &Path) -> Body {
    let mut out = Body::object();
    let depth = at.0.len();
    let mut names: Vec<&str> = Vec::new();
    for path in touched.iter().filter(|p| p.starts_with(at)) {
        if let Some(Segment::Key(name)) = path.0.get(depth)
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    let any = FieldSpec::default();
    for name in names {
        let member = spec.member(name).unwrap_or(&any);
        let unsent =
            member.create_only || member.read_only || member.in_path || member.step.is_some() || member.sub.is_some();
        if unsent {
            continue;
        }
        if let (Some(_), Some(hours @ Value::Number(_))) = (&member.hours, desired.get(name)) {
            let (minutes, body) = encode_member(name, member, hours);
            out.set(&minutes, body);
            continue;
        }
        let api_name = member.api.as_deref().unwrap_or(name);
        let live = raw.get(api_name);
        let here = at.key(name);
        let body = match (desired.get(name), live) {
            (None, _) => Body::Value(Value::Null),
            // Nothing is merged with a null that the API refuses.
            (Some(Value::Null), _) if member.null == Null::Refused => continue,
            (Some(Value::Object(wanted)), Some(found @ Json::Object(_)))
                if member.merged && matches!(member.shape, Shape::Record { .. } | Shape::Map(_)) =>
            {
                patch(member, wanted, found, touched, &here)
            }
            (Some(wanted), live) => {
                let mut body = overlay(member, wanted, live);
                hold_needed(name, member, &mut body);
                body
            }
        };
        out.set(api_name, body);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn sent(members: &str, desired: &Json, raw: &Json, touched: &[&str]) -> Json {
        let text = format!("type: object\nproperties:\n{members}");
        let registry = Registry::of(&[("things", &text)]);
        let path = |text: &&str| text.split('.').fold(Path::root(), |path, key| path.key(key));
        let touched = touched.iter().map(path).collect();
        let desired = Value::from_json(desired);
        let fields = &registry.kind("things").unwrap().fields;
        patch(fields, desired.as_object().unwrap(), raw, &touched, &Path::root()).to_json(&|_, _| None).unwrap()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let members = "  a: {}\n  b: {x-api: B}\n";
        let desired = json!({"a": 1, "b": 2});
        assert_eq!(sent(members, &desired, &json!({"a": 0, "B": 0}), &["b"]), json!({"B": 2}));
        assert_eq!(sent(members, &desired, &json!({}), &[]), json!({}));
        assert_eq!(sent(members, &json!({}), &json!({"a": 1}), &["a"]), json!({"a": null}), "what goes is cleared");
        assert_eq!(sent(members, &json!({"new": 1}), &json!({}), &["new"]), json!({"new": 1}), "unknown fields pass");
    }

    #[test]
    fn what_is_replaced_whole_is_overlaid_and_what_is_merged_is_not() {
        let whole = "  o: {properties: {x: {}, y: {}}}\n";
        let (desired, raw) = (json!({"o": {"x": 1}}), json!({"o": {"x": 0, "y": 5}}));
        assert_eq!(sent(whole, &desired, &raw, &["o.x"]), json!({"o": {"y": 5, "x": 1}}));
        let merged = "  o: {x-merged: true, properties: {x: {}, y: {}}}\n";
        assert_eq!(sent(merged, &desired, &raw, &["o.x"]), json!({"o": {"x": 1}}));
        assert_eq!(
            sent(merged, &desired, &json!({"o": null}), &["o.x"]),
            json!({"o": {"x": 1}}),
            "nothing to merge with"
        );
        let map = "  m: {x-merged: true, additionalProperties: {}}\n";
        let gone = sent(map, &json!({"m": {"a": 1}}), &json!({"m": {"a": 1, "b": 2}}), &["m.b"]);
        assert_eq!(gone, json!({"m": {"b": null}}));
    }

    #[test]
    fn what_no_body_carries_is_not_sent() {
        let members = "  c: {x-create-only: true}\n  r: {readOnly: true}\n  p: {x-path: true}\n  s: {x-step: deploy}\n  u: {type: array, x-sub: {list: {path: /l}, replace: {method: PUT, path: /l}}}\n";
        let desired = json!({"c": 1, "r": 1, "p": 1, "s": 1, "u": [1]});
        assert_eq!(sent(members, &desired, &json!({}), &["c", "r", "p", "s", "u"]), json!({}));
    }

    #[test]
    fn hours_are_sent_as_minutes() {
        let members = "  h: {x-hours: m}\n";
        assert_eq!(sent(members, &json!({"h": 1.5}), &json!({"h": 1}), &["h"]), json!({"m": 90}));
        assert_eq!(sent(members, &json!({"h": null}), &json!({"h": 1}), &["h"]), json!({"h": null}));
    }
}
