//! What is about to be deleted is read as far as it was described: only so can anybody tell whether somebody changed it.

use crate::model::{Address, Base, BaseResource, Described, Desired, Loci};

/// Adds to what is described what a deployment left of the same kinds; `moved` are earlier names of what is described.
pub(super) fn with_left(desired: &Desired, base: Option<&Base>, moved: &[&Address]) -> Desired {
    let mut out = desired.clone();
    for (address, left) in base.into_iter().flat_map(|base| &base.resources).filter(|(a, _)| !moved.contains(a)) {
        let Some(kind) = out.kinds.get_mut(&address.kind) else { continue };
        let is_it = |r: &Described| r.address == *address || (r.id.is_some() && r.id.as_deref() == Some(&left.id));
        if !kind.resources.iter().any(is_it) {
            kind.resources.push(as_left(address, left));
        }
    }
    out
}

/// What a deployment left of a resource, as if it were described.
pub(super) fn as_left(address: &Address, left: &BaseResource) -> Described {
    let id = (!left.id.is_empty()).then(|| left.id.clone());
    Described { address: address.clone(), id, value: left.desired.clone(), loci: Loci::default() }
}
