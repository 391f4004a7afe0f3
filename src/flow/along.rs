//! What a deployment that stopped half-way did along with what it asked for: what its deletes took from lists of others, though it
//! never got to those others, and what its writes changed beside what they were for.

use std::collections::BTreeSet;

use crate::change::{Action, Origin, Plan};
use crate::deployment::{BaseEntry, Deployment, Image};
use crate::journal::{Answer, Entries};
use crate::model::{Address, Base, BaseResource, FingerprintKey, Live, Path};
use crate::plan;
use crate::quirk;
use crate::schema::{KindSpec, Registry, Verb};

/// Returns the lists that lose what was deleted: connections and grants of organizations, clients of connections.
pub(super) fn lists(entries: &Entries, images: &[Image]) -> Vec<(Address, Path)> {
    let registry = Registry::get();
    let sent = entries.entries.iter().filter(|entry| !matches!(entry.outcome, Some(Answer::NotSent { .. })));
    let deletes = sent
        .map(|entry| &entry.intent)
        .filter(|intent| intent.method == Verb::Delete && matches!(intent.action, Action::Delete | Action::Replace));
    let kinds: BTreeSet<&str> = deletes.map(|intent| intent.address.kind.as_str()).collect();
    let cascades = kinds.into_iter().filter_map(|kind| registry.kind(kind)).flat_map(|spec| &spec.cascades);
    let mut out = Vec::new();
    for (kind, list) in cascades.filter_map(|cascade| Some((&cascade.kind, cascade.items.as_ref()?))) {
        for image in images.iter().filter(|image| image.address.kind == *kind) {
            let held = image.value.as_ref().and_then(|value| value.get(list)).is_some_and(|list| !list.is_blank());
            let place = (image.address.clone(), Path::root().key(list));
            if held && !out.contains(&place) {
                out.push(place);
            }
        }
    }
    out
}

/// Takes what such lists lost out of a base: it was a deployment that took it.
pub(super) fn lose(registry: &Registry, base: &mut Base, lists: &[(Address, Path)], live: &Live) {
    for (address, path) in lists {
        let (Some(spec), Some(left)) = (registry.kind(&address.kind), base.resources.get_mut(address)) else {
            continue;
        };
        let mut found = live.resources(&address.kind).iter();
        if let Some(now) = found.find(|now| now.id == left.id || now.address == *address) {
            plan::lose(&spec.fields, &mut left.live, path, &now.value);
        }
    }
}

/// Takes what a write of ours brings with it from what somebody else is said to have changed.
pub(super) fn disown(plan: &mut Plan, touched: &BTreeSet<Address>) {
    for change in &mut plan.changes {
        let spec = Registry::get().kind(&change.address.kind).filter(|_| touched.contains(&change.address));
        for field in &mut change.fields {
            let beside = spec.is_some_and(|spec| is_beside(spec, &field.path));
            if beside && matches!(field.origin, Origin::Drift | Origin::Conflict) {
                field.origin = Origin::Change;
            }
        }
    }
}

/// Says whether a write of ours changes this although no request carries it: whether the code of an action is deployed, a key that
/// is to be swapped.
fn is_beside(spec: &KindSpec, path: &Path) -> bool {
    let field = path.first_key().filter(|_| path.0.len() == 1).and_then(|key| spec.field(key));
    field.is_some_and(|field| field.step.is_some()) || quirk::of(spec).is_left_over(path)
}

/// Lets taking the deployment back restore such a list, and nothing else of what it never got to.
pub(super) fn restore(of: &mut Deployment, entries: &Entries, live: &Live, key: Option<&FingerprintKey>) {
    for (address, path) in lists(entries, &of.images) {
        let Some(image) = of.images.iter_mut().find(|image| image.address == address) else { continue };
        let known = of.base.iter().any(|entry| entry.address == address);
        if known && image.paths.is_empty() {
            // All of it comes back.
            continue;
        }
        if !known {
            let mut found = live.resources(&address.kind).iter();
            let Some(found) = found.find(|l| l.id == image.id && l.address == address) else { continue };
            let value = found.value.fingerprinted(key);
            let left = BaseResource { id: found.id.clone(), desired: value.clone(), live: value };
            of.base.push(BaseEntry { address, left: Some(left) });
            image.paths.clear();
        }
        image.paths.push(path);
    }
}
