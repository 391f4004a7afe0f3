//! What a change is made from, and the body that a PATCH of it takes.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::codec::{Body, encode_member, overlay};
use crate::model::{Live, Map, Path, Segment, Value};
use crate::schema::{FieldSpec, Shape};

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
            (Some(Value::Object(wanted)), Some(found @ Json::Object(_)))
                if member.merged && matches!(member.shape, Shape::Record { .. } | Shape::Map(_)) =>
            {
                patch(member, wanted, found, touched, &here)
            }
            (Some(wanted), live) => overlay(member, wanted, live),
        };
        out.set(api_name, body);
    }
    out
}
