//! What is about to be deleted is read as far as it was described: only so can anybody tell whether somebody changed it.

use crate::model::{Address, Base, BaseResource, Described, Desired, Loci};

/// Adds to what is described what a deployment left of the same kinds, and by which id or earlier name the tenant may still know a
/// resource: one that was renamed is read as far as it is described, too. `moved` is from what to what.
pub(super) fn with_left(desired: &Desired, base: Option<&Base>, moved: &[(Address, Address)]) -> Desired {
    let mut out = desired.clone();
    let left = |address: &Address| base.and_then(|base| base.resources.get(address));
    let id = |address: &Address| left(address).map(|left| left.id.clone()).filter(|id| !id.is_empty());
    for resource in out.kinds.values_mut().flat_map(|kind| &mut kind.resources).filter(|r| r.id.is_none()) {
        resource.id = id(&resource.address);
    }
    for (from, to) in moved {
        let Some(kind) = out.kinds.get_mut(&to.kind) else { continue };
        let of = |address: &Address| kind.resources.iter().find(|r| r.address == *address);
        if let (None, Some(now)) = (of(from), of(to)) {
            let before = Described { address: from.clone(), id: id(from), ..now.clone() };
            kind.resources.push(before);
        }
    }
    for (address, left) in base.into_iter().flat_map(|base| &base.resources) {
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
