//! Requests on lists behind endpoints of their own.

use serde_json::Value as Json;

use super::diff::{item_name, key_of};
use super::path::item_path;
use super::sides::Sides;
use crate::change::{FieldChange, Step};
use crate::codec::{Body, encode_field, encode_members, sub_rows};
use crate::model::{Map, Path, Segment, Value};
use crate::schema::{Batch, FieldSpec, KindSpec, SubEndpoint, SubSpec, Verb};

pub(super) fn sub_steps(spec: &KindSpec, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (path, field) in spec.subs() {
        let (Some(sub), Some(Value::Array(wanted))) = (&field.sub, member_at(sides.desired, &path)) else { continue };
        let found = member_at(sides.live, &path).and_then(Value::as_array).unwrap_or_default();
        let rows = sub_rows(sides.raw, &path.to_string()).unwrap_or_default();
        steps.extend(sub_list_steps(field, sub, wanted, found, rows));
    }
    steps
}

fn member_at<'a>(members: &'a Map, path: &Path) -> Option<&'a Value> {
    let mut keys = path.0.iter().filter_map(|s| if let Segment::Key(key) = s { Some(key) } else { None });
    let first = members.get(keys.next()?)?;
    keys.try_fold(first, |here, key| here.get(key))
}

/// Returns the requests that make a sub-resource list what is wanted: removals, changes, additions.
fn sub_list_steps(field: &FieldSpec, sub: &SubSpec, wanted: &[Value], found: &[Value], rows: &[Json]) -> Vec<Step> {
    let name_of = |item: &Value| if field.key.is_empty() { item_name(item) } else { key_of(field, item) };
    let item_spec = field.item().cloned().unwrap_or_default();
    let mut removed = Vec::new();
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for (n, item) in found.iter().enumerate() {
        if !wanted.iter().any(|w| name_of(w) == name_of(item)) {
            removed.push((item, rows.get(n)));
        }
    }
    for item in wanted {
        match found.iter().position(|f| name_of(f) == name_of(item)) {
            None => added.push((item, None)),
            Some(at) => {
                let before = found.get(at).unwrap_or(item);
                let differs = !super::diff::diff(&item_spec, item, before, &Default::default()).fields.is_empty();
                match (differs, &sub.change) {
                    (true, Some(_)) => changed.push((item, rows.get(at))),
                    (true, None) => {
                        removed.push((before, rows.get(at)));
                        added.push((item, None));
                    }
                    (false, _) => {}
                }
            }
        }
    }
    if let Some(replace) = &sub.replace {
        if removed.is_empty() && added.is_empty() && changed.is_empty() {
            return Vec::new();
        }
        let all: Vec<(&Value, Option<&Json>)> = wanted.iter().map(|item| (item, None)).collect();
        let steps = sub_requests(&item_spec, sub, replace, &all, false);
        let emptied = || {
            Step::new(
                replace.method,
                replace.path.clone(),
                Some(Body::Array(Vec::new()).wrapped(replace.wrap.as_deref())),
            )
        };
        return if steps.is_empty() { vec![emptied()] } else { steps };
    }
    let mut steps = sub_requests(&item_spec, sub, &sub.remove, &removed, true);
    if let Some(change) = &sub.change {
        steps.extend(sub_requests(&item_spec, sub, change, &changed, false));
    }
    steps.extend(sub_requests(&item_spec, sub, &sub.add, &added, false));
    steps
}

fn sub_requests(
    spec: &FieldSpec,
    sub: &SubSpec,
    to: &SubEndpoint,
    items: &[(&Value, Option<&Json>)],
    removes: bool,
) -> Vec<Step> {
    let body_of = |item: &Value, creates: bool| -> Body {
        let encoded = match (item, &sub.item) {
            (Value::Object(members), _) => {
                let whole = encode_members(spec, members, &|_, f| creates || !f.create_only);
                match (&to.bare, whole) {
                    (Some(member), Body::Object(mut encoded)) => {
                        encoded.shift_remove(member).unwrap_or(Body::Value(Value::Null))
                    }
                    (_, whole) => whole,
                }
            }
            (scalar, Some(member)) if to.bare.is_none() => encode_field(spec, scalar).wrapped(Some(member)),
            (scalar, _) => encode_field(spec, scalar),
        };
        match encoded {
            Body::Object(mut members) => {
                members.retain(|key, _| (to.only.is_empty() || to.only.contains(key)) && !to.without.contains(key));
                for (key, value) in &to.with {
                    members.insert(key.clone(), Body::Value(Value::from_json(value)));
                }
                Body::Object(members)
            }
            other => other,
        }
    };
    let creates = to.method == Verb::Post;
    match to.batch {
        Batch::Each => items
            .iter()
            .map(|(item, row)| {
                let path = item_path(spec, &to.path, item, *row);
                let body = body_of(item, creates);
                let sends = to.body && !(removes && to.method == Verb::Delete);
                let mut step = Step::new(to.method, path, sends.then(|| body.wrapped(to.wrap.as_deref())));
                step.creates = creates;
                step
            })
            .collect(),
        Batch::Of(most) => items
            .chunks(most.max(1))
            .map(|chunk| {
                let bodies = chunk.iter().map(|(item, _)| body_of(item, creates)).collect();
                Step::new(to.method, to.path.clone(), Some(Body::Array(bodies).wrapped(to.wrap.as_deref())))
            })
            .collect(),
    }
}

/// Returns the fields of a change that lie in a sub-resource list and take something away.
pub(super) fn removes_from_sub(spec: &KindSpec, field: &FieldChange) -> bool {
    let in_sub = field.path.first_key().and_then(|key| spec.field(key)).is_some_and(|f| f.sub.is_some());
    in_sub && field.diff.after.is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    fn told(sub: &str, items: &str, wanted: &Json, found: &Json, rows: &Json) -> Vec<String> {
        let text = format!("properties: {{f: {{type: array, {items}, x-sub: {{list: {{path: /l}}, {sub}}}}}}}");
        let registry = Registry::of(&[("things", &text)]);
        let field = registry.kind("things").unwrap().field("f").unwrap();
        let list = |json: &Json| Value::from_json(json).as_array().unwrap_or_default().to_vec();
        let rows = rows.as_array().cloned().unwrap_or_default();
        let steps = sub_list_steps(field, field.sub.as_ref().unwrap(), &list(wanted), &list(found), &rows);
        let body = |s: &Step| match &s.body {
            Some(body) => format!(" {}", body.to_json(&|_, name| Some(format!("id of {name}"))).unwrap()),
            None => String::new(),
        };
        steps
            .iter()
            .map(|s| format!("{} {}{}{}", s.method.as_str(), s.path, body(s), if s.creates { " +" } else { "" }))
            .collect()
    }

    const NONE: &[&str] = &[];
    const SET: &str = "x-set: true, items: {x-ref: users}";
    const BATCHED: &str =
        "add: {method: PATCH, path: /a, wrap: u, batch: 2}, remove: {method: DELETE, path: /a, wrap: u, batch: 2}";

    #[test]
    fn items_go_and_come_in_batches() {
        let wanted = json!(["a", "b", "c", "d"]);
        let told_now = told(BATCHED, SET, &wanted, &json!(["d", "e"]), &json!([]));
        assert_eq!(
            told_now,
            [
                r#"DELETE /a {"u":["id of e"]}"#,
                r#"PATCH /a {"u":["id of a","id of b"]}"#,
                r#"PATCH /a {"u":["id of c"]}"#
            ]
        );
        assert_eq!(told(BATCHED, SET, &wanted, &json!(["d", "c", "b", "a"]), &json!([])), NONE);
        assert_eq!(told(BATCHED, SET, &json!([]), &json!([]), &json!([])), NONE);
    }

    #[test]
    fn items_may_be_requests_of_their_own() {
        let each = "item: id, add: {method: POST, path: /a, each: true, with: {x: 1}}, remove: {method: DELETE, path: '/a/{item.id}', each: true}";
        let told_now = told(each, "x-set: true, items: {}", &json!(["n"]), &json!(["o"]), &json!([{"id": "r/1"}]));
        assert_eq!(told_now, ["DELETE /a/r%2F1", r#"POST /a {"id":"n","x":1} +"#]);
    }

    const KEYED: &str = "x-key: k, items: {properties: {k: {}, v: {}, c: {x-create-only: true}}}";

    #[test]
    fn an_item_that_differs_is_changed_where_that_can_be_done() {
        let change = "add: {method: POST, path: /a, each: true}, remove: {method: DELETE, path: '/a/{k}', each: true}, change: {method: PATCH, path: '/a/{item.id}', each: true, without: [k]}";
        let (wanted, found) = (json!([{"k": "x", "v": 2, "c": 1}]), json!([{"k": "y", "v": 0}, {"k": "x", "v": 1}]));
        let rows = json!([{"id": "ry"}, {"id": "rx"}]);
        assert_eq!(told(change, KEYED, &wanted, &found, &rows), ["DELETE /a/y", r#"PATCH /a/rx {"v":2}"#]);
        let anew =
            "add: {method: POST, path: /a, each: true}, remove: {method: DELETE, path: '/a/{item.id}', each: true}";
        assert_eq!(
            told(anew, KEYED, &json!([{"k": "x", "v": 2}]), &json!([{"k": "x", "v": 1}]), &json!([{"id": "rx"}])),
            ["DELETE /a/rx", r#"POST /a {"k":"x","v":2} +"#]
        );
        assert_eq!(told(anew, KEYED, &json!([{"k": "x"}]), &json!([{"k": "x", "v": 1}]), &json!([])), NONE);
    }

    #[test]
    fn a_list_that_is_replaced_is_sent_whole_or_emptied() {
        let replace = "replace: {method: PUT, path: /a, wrap: all, wrap_item: k}";
        let found = json!([{"k": "x"}]);
        let two = json!([{"k": "x"}, {"k": "y"}]);
        assert_eq!(told(replace, KEYED, &two, &found, &json!([])), [r#"PUT /a {"all":["x","y"]}"#]);
        assert_eq!(told(replace, KEYED, &json!([]), &found, &json!([])), [r#"PUT /a {"all":[]}"#]);
        assert_eq!(told(replace, KEYED, &found, &found, &json!([])), NONE);
    }

    #[test]
    fn only_what_an_endpoint_takes_is_sent() {
        let only = "add: {method: POST, path: /a, each: true, only: [k]}, remove: {method: POST, path: /r, each: true, remove_body: false}";
        let told_now = told(only, KEYED, &json!([{"k": "x", "v": 1}]), &json!([{"k": "y"}]), &json!([]));
        assert_eq!(told_now, ["POST /r +", r#"POST /a {"k":"x"} +"#]);
    }
}
