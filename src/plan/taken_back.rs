//! What a revert takes back, leaf by leaf.

use crate::change::{Action, Origin, Plan};
use crate::deployment::TakenBack;
use crate::model::{Desired, FingerprintKey, Map, Path, Segment, Value};

/// Lists what a plan takes back when it is a revert: what had been deployed where it writes now.
pub fn taken_back(plan: &Plan, key: Option<&FingerprintKey>) -> Vec<TakenBack> {
    let mut out = Vec::new();
    for change in &plan.changes {
        let entry = |path: Path, value: Option<&Value>| TakenBack {
            address: change.address.clone(),
            path,
            value: value.map(|value| value.fingerprinted(key)),
        };
        match change.action {
            Action::Create => out.push(entry(Path::root(), None)),
            Action::Delete => {
                // What goes is told member by member.
                let members = change.fields.iter().filter_map(|field| match field.path.0.as_slice() {
                    [Segment::Key(name)] => Some((name.clone(), field.diff.before.clone()?)),
                    _ => None,
                });
                out.push(entry(Path::root(), Some(&Value::Object(members.collect::<Map>()))));
            }
            Action::Update | Action::Replace => {
                out.extend(change.fields.iter().map(|field| entry(field.path.clone(), field.diff.before.as_ref())));
            }
        }
    }
    out
}

/// Lists what deploying a plan would set: the other side of [`taken_back`], where only the files of then are known. What was changed
/// outside is not among it.
pub fn would_deploy(plan: &Plan, desired: &Desired, key: Option<&FingerprintKey>) -> Vec<TakenBack> {
    let mut out = Vec::new();
    for change in &plan.changes {
        let entry = |path: Path, value: Option<&Value>| TakenBack {
            address: change.address.clone(),
            path,
            value: value.map(|value| value.fingerprinted(key)),
        };
        if change.origin == Origin::Drift {
            continue;
        }
        let mut described = desired.kinds.get(&change.address.kind).into_iter().flat_map(|kind| &kind.resources);
        match change.action {
            Action::Delete => out.push(entry(Path::root(), None)),
            Action::Create => {
                let found = described.find(|resource| resource.address == change.address);
                out.extend(found.map(|resource| entry(Path::root(), Some(&resource.value))));
            }
            Action::Update | Action::Replace => {
                let fields = change.fields.iter().filter(|field| field.origin != Origin::Drift);
                out.extend(fields.map(|field| entry(field.path.clone(), field.diff.after.as_ref())));
            }
        }
    }
    out
}
