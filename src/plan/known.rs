//! [`Known`]: what the last deployments left, found by address, by id and by earlier name.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Address, Base, BaseResource, Described, LiveResource};

/// The base, indexed.
pub(super) struct Known<'a> {
    base: Option<&'a Base>,
    /// By kind and server id.
    by_id: HashMap<(&'a str, &'a str), &'a Address>,
    /// What an address was called before.
    before: HashMap<&'a Address, Vec<&'a Address>>,
}

impl<'a> Known<'a> {
    /// Indexes a base; `moved` says from what to what addresses were renamed.
    pub(super) fn new(base: Option<&'a Base>, moved: &'a [(Address, Address)]) -> Self {
        let entries = base.iter().flat_map(|base| &base.resources);
        let by_id = entries
            .filter(|(_, left)| !left.id.is_empty())
            .map(|(address, left)| ((address.kind.as_str(), left.id.as_str()), address))
            .collect();
        let mut before: HashMap<&Address, Vec<&Address>> = HashMap::new();
        for (from, to) in moved {
            before.entry(to).or_default().push(from);
        }
        Known { base, by_id, before }
    }

    /// Says whether any deployment is known.
    pub(super) fn any(&self) -> bool {
        self.base.is_some()
    }

    /// Returns what an address was called before.
    pub(super) fn before(&self, address: &Address) -> &[&'a Address] {
        self.before.get(address).map_or(&[], Vec::as_slice)
    }

    /// Returns what was left of a described resource: under its address, an earlier one, or its id.
    pub(super) fn of(&self, resource: &Described) -> Option<(&'a Address, &'a BaseResource)> {
        let base = self.base?;
        let earlier = || self.before(&resource.address).iter().find_map(|from| base.resources.get_key_value(*from));
        let by_id = || {
            let address = self.by_id.get(&(resource.address.kind.as_str(), resource.id.as_deref()?))?;
            base.resources.get_key_value(*address)
        };
        base.resources.get_key_value(&resource.address).or_else(earlier).or_else(by_id)
    }

    /// Returns what was left of a live resource: of its id, or of its address where no id was known then.
    pub(super) fn remembers(&self, live: &LiveResource) -> Option<(&'a Address, &'a BaseResource)> {
        let base = self.base?;
        if let Some(address) = self.by_id.get(&(live.address.kind.as_str(), live.id.as_str())) {
            return base.resources.get_key_value(*address);
        }
        base.resources.get_key_value(&live.address).filter(|(_, left)| left.id.is_empty())
    }

    /// Returns all that was left of a kind, except what the description still speaks of.
    pub(super) fn rest<'s>(
        &'s self,
        kind: &'s str,
        claimed: &'s BTreeSet<&'a Address>,
    ) -> impl Iterator<Item = (&'a Address, &'a BaseResource)> + 's {
        let start = Address::single(kind);
        let entries = self.base.into_iter().flat_map(move |base| base.resources.range(start.clone()..));
        entries.take_while(move |(address, _)| address.kind == kind).filter(|(address, _)| !claimed.contains(address))
    }
}
