//! What stands against applying, as far as the plan alone tells.

use std::collections::BTreeSet;

use super::order::collect;
use crate::change::{Action, Kept, Plan};
use crate::model::{Address, Desired, Path};
use crate::problem::{Problem, Severity};
use crate::schema::Registry;

/// Finds described resources that refer to what the plan deletes: what refers would be left with nothing.
pub(super) fn left_hanging(registry: &Registry, desired: &Desired, plan: &Plan, compatible: bool) -> Vec<Problem> {
    let deleted: BTreeSet<&Address> =
        plan.changes.iter().filter(|change| change.action == Action::Delete).map(|change| &change.address).collect();
    if deleted.is_empty() {
        return Vec::new();
    }
    let described: BTreeSet<&Address> =
        desired.kinds.values().flat_map(|kind| &kind.resources).map(|resource| &resource.address).collect();
    let mut out = Vec::new();
    for (kind, wanted) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &wanted.resources {
            collect(&spec.fields, &resource.value, &mut |field, name| {
                let kinds = field.reference.iter().chain(&field.literal_reference);
                let meant: Vec<Address> = kinds.map(|kind| Address::new(kind, name)).collect();
                if meant.iter().any(|address| described.contains(address)) {
                    return;
                }
                let Some(gone) = meant.iter().find(|address| deleted.contains(address)) else { return };
                let title = format!("`{}` refers to `{gone}`, which this plan deletes", resource.address);
                let mut problem = Problem::error("refers-to-deleted", title)
                    .at_maybe(resource.loci.at(&Path::root()))
                    .help(format!("take the reference out, or describe `{gone}` again"));
                if compatible {
                    problem.severity = Severity::Warning;
                }
                out.push(problem);
            });
        }
    }
    out
}

/// Says what stands against applying, as far as the plan alone tells.
pub fn problems(plan: &Plan) -> Vec<Problem> {
    let left = plan.left.iter().filter_map(|left| match &left.why {
        Kept::Ambiguous(ids) => Some(
            Problem::error("ambiguous-resource", format!("several live resources are `{}`", left.address))
                .note(format!("ids: {}", ids.join(", ")))
                .help("give the id of the one that is meant"),
        ),
        Kept::Fixed => {
            let field = left.fields.first();
            let path = field.map(|f| f.path.to_string()).unwrap_or_default();
            Some(
                Problem::error("immutable-field", format!("`{path}` of `{}` can never change", left.address))
                    .at_maybe(field.and_then(|f| f.locus.as_ref()))
                    .help("put the live value back, or describe a new resource under another name"),
            )
        }
        _ => None,
    });
    left.chain(plan.notes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::change::Change;
    use crate::model::{Described, Loci, Value};

    #[test]
    fn what_refers_to_something_deleted_is_named() {
        let registry = Registry::of(&[
            ("things", "x-tenantry: {identity: [name]}\nproperties: {name: {}}"),
            ("users", "x-tenantry: {identity: [name]}\nproperties: {name: {}, thing: {type: string, x-ref: things}}"),
        ]);
        let user = |thing: &str| Described {
            address: Address::new("users", "u"),
            id: None,
            value: Value::from_json(&json!({"name": "u", "thing": thing})),
            loci: Loci::default(),
        };
        let mut desired = Desired::default();
        desired.kinds.entry("users".to_owned()).or_default().resources.push(user("gone"));
        let deleted = |name: &str| Plan {
            changes: vec![Change::new(Address::new("things", name), Action::Delete)],
            ..Plan::default()
        };
        let found = left_hanging(&registry, &desired, &deleted("gone"), false);
        assert_eq!(found[0].title, "`users/u` refers to `things/gone`, which this plan deletes");
        assert!(found[0].is_error());
        assert!(!left_hanging(&registry, &desired, &deleted("gone"), true)[0].is_error());
        assert!(left_hanging(&registry, &desired, &deleted("other"), false).is_empty());
    }
}
