//! What deleting a resource means: what goes along, and what it was.

use std::collections::BTreeSet;

use super::order::references;
use crate::change::{Change, FieldChange, How, Origin};
use crate::model::{Address, Diff, Live, Path, Value};
use crate::schema::{KindSpec, Registry, Risk};

/// Adds to a change what deleting the live resource means.
pub(super) fn deletion(registry: &Registry, spec: &KindSpec, live: &Live, change: &mut Change) {
    change.risk = change.risk.max(spec.delete_risk);
    change.reasons.extend(spec.delete_why.clone());
    cascades(registry, live, change);
}

/// Returns the address of a change and, where it differs, that of the live resource.
pub(super) fn addresses(live: &Live, change: &Change) -> BTreeSet<Address> {
    let found = live.resources(&change.address.kind).iter().filter(|l| Some(&l.id) == change.id.as_ref());
    found.map(|l| l.address.clone()).chain([change.address.clone()]).collect()
}

/// Finds what the API deletes along with a resource, and what loses it from a list.
pub(super) fn cascades(registry: &Registry, live: &Live, change: &mut Change) {
    let Some(spec) = registry.kind(&change.address.kind) else { return };
    let own = addresses(live, change);
    for cascade in &spec.cascades {
        let Some(kind) = registry.kind(&cascade.kind) else { continue };
        let Some(member) = cascade.items.as_ref().or(cascade.member.as_ref()) else { continue };
        let Some(field) = kind.field(member) else { continue };
        for other in live.resources(&cascade.kind).iter().filter(|o| !own.contains(&o.address)) {
            let named =
                |text: &str| own.iter().any(|a| Some(text) == a.name.as_deref()) || Some(text) == change.id.as_deref();
            let refers = other
                .value
                .get(member)
                .is_some_and(|value| !references(field, value).is_disjoint(&own) || value.as_str().is_some_and(named));
            if refers && cascade.items.is_none() {
                change.cascades.push(other.address.clone());
            } else if refers {
                change.reasons.push(format!("`{}` loses it from its `{member}`", other.address));
            }
        }
    }
    change.cascades.dedup();
    let mut seen = BTreeSet::new();
    change.reasons.retain(|reason| seen.insert(reason.clone()));
}

/// Returns every top-level member as something that goes.
pub(super) fn leaves(value: &Value, origin: Origin) -> Vec<FieldChange> {
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(_, v)| !v.is_blank())
        .map(|(name, v)| FieldChange {
            path: Path::root().key(name),
            diff: Diff { before: Some(v.clone()), after: None },
            how: if matches!(v, Value::Secret(_)) { How::Secret } else { How::Value },
            origin,
            risk: Risk::Safe,
            why: None,
            locus: None,
            forces_replace: false,
        })
        .collect()
}
