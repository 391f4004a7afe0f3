//! Which of the changes that come first a change cannot do without.

use crate::change::{Action, Change};
use crate::codec::{Body, decode_segment};
use crate::model::{Address, Value};
use crate::schema::{FieldSpec, Registry, Shape};

/// Says whether `change` depends on `before`, or merely comes after it because of its kind.
///
/// A delete waits for those that refer to what goes: all of them have to be done.
pub(super) fn depends(registry: &Registry, change: &Change, before: &Change) -> bool {
    if change.action == Action::Delete || change.waits_for.contains(&before.address) {
        return true;
    }
    let Some(spec) = registry.kind(&change.address.kind) else { return true };
    if !spec.after.contains(&before.address.kind) {
        return true;
    }
    refers(change, &before.address)
        || (names_literally(&spec.fields, &before.address.kind) && holds_name(change, &before.address))
}

fn refers(change: &Change, to: &Address) -> bool {
    let Some(name) = to.key() else { return false };
    change.steps.iter().any(|step| {
        let mut found = false;
        if let Some(body) = &step.body {
            body.each_ref(&mut |kinds, named| found |= named == name && kinds.contains(&to.kind));
        }
        found || path_refers(&step.path, &to.kind, name)
    })
}

fn path_refers(path: &str, kind: &str, name: &str) -> bool {
    path.split("{ref:").skip(1).any(|rest| {
        let inner = rest.split('}').next().unwrap_or_default();
        let (kinds, named) = inner.split_once(':').unwrap_or((inner, ""));
        decode_segment(named) == name && kinds.split('|').any(|one| one == kind)
    })
}

/// Says whether a kind can name resources of another without their ids.
fn names_literally(field: &FieldSpec, kind: &str) -> bool {
    let inner = match &field.shape {
        Shape::Record { rest: Some(inner), .. } | Shape::Map(inner) | Shape::List(inner) => {
            names_literally(inner, kind)
        }
        _ => false,
    };
    inner
        || field.literal_reference.iter().any(|one| one == kind)
        || field.members().any(|(_, member)| names_literally(member, kind))
}

fn holds_name(change: &Change, of: &Address) -> bool {
    let Some(name) = &of.name else { return false };
    change.steps.iter().filter_map(|step| step.body.as_ref()).any(|body| body_holds(body, name))
}

fn body_holds(body: &Body, name: &str) -> bool {
    match body {
        Body::Value(value) => value_holds(value, name),
        Body::Ref { .. } => false,
        Body::Array(items) => items.iter().any(|item| body_holds(item, name)),
        Body::Object(members) => members.values().any(|item| body_holds(item, name)),
    }
}

fn value_holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| value_holds(item, name)),
        Value::Object(members) => members.values().any(|item| value_holds(item, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::change::Step;
    use crate::schema::Verb;

    const A: &str = "x-tenantry: {identity: [name], after: [b, c]}\nproperties: {name: {}, to: {x-ref: b}, lit: {x-literal-ref: c}}";

    fn depends_on(change: &Change, kind: &str) -> bool {
        let plain = "x-tenantry: {identity: [name]}";
        let registry = Registry::of(&[("a", A), ("b", plain), ("c", plain), ("d", plain)]);
        depends(&registry, change, &Change::new(Address::new(kind, "x"), Action::Create))
    }

    fn sending(body: Body) -> Change {
        let steps = vec![Step::new(Verb::Post, "/a", Some(body))];
        Change { steps, ..Change::new(Address::new("a", "1"), Action::Create) }
    }

    #[test]
    fn a_kind_that_merely_comes_first_is_not_needed() {
        let change = sending(Body::Value(Value::from_json(&json!({"name": "1"}))));
        assert!(!depends_on(&change, "b") && !depends_on(&change, "c"));
        assert!(depends_on(&change, "d"), "nothing but a reference can have put it there");
    }

    #[test]
    fn what_a_request_names_is_needed() {
        let mut body = Body::object();
        body.set("to", Body::Ref { kinds: vec!["b".to_owned()], name: "x".to_owned() });
        assert!(depends_on(&sending(body), "b"));
        assert!(depends_on(&sending(Body::Value(Value::from_json(&json!({"lit": ["x"]})))), "c"));
        let mut by_path = sending(Body::object());
        by_path.steps[0].path = "/a/{ref:z|b:x}/y".to_owned();
        assert!(depends_on(&by_path, "b") && !depends_on(&by_path, "c"));
    }

    #[test]
    fn a_delete_needs_all_that_let_go_of_it() {
        let change = Change::new(Address::new("a", "1"), Action::Delete);
        assert!(depends_on(&change, "b"));
        let waits_for = vec![Address::new("c", "x")];
        assert!(depends_on(&Change { waits_for, ..sending(Body::object()) }, "c"));
    }
}
