//! [`Side`]: what one of the two compared holds.

use indexmap::IndexMap;

use crate::description::Filters;
use crate::model::{Address, Described, Desired, Live, LiveKind, LiveResource, Loci, Unavailable, Value};
use crate::schema::Registry;

/// What a side was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Files: a field that is not there is not spoken of.
    Described,
    /// The Management API: a field that is not there has no value.
    Live,
}

/// What one of the two compared holds.
#[derive(Debug, Clone)]
pub struct Side {
    /// What it was read from.
    pub standing: Standing,
    /// Its kinds. Of a described side a kind that is absent is not spoken of.
    pub kinds: IndexMap<String, HeldKind>,
    /// What its environment manages.
    filters: Filters,
    /// Resources that its environment leaves alone.
    left_alone: Vec<Address>,
}

/// What is held of one kind.
#[derive(Debug, Clone)]
pub enum HeldKind {
    /// Its resources.
    Read(Vec<Held>),
    /// It could not be read.
    Unavailable(Unavailable),
}

/// One resource of a side.
#[derive(Debug, Clone)]
pub struct Held {
    /// How people name it.
    pub address: Address,
    /// Server id, where it is known.
    pub id: Option<String>,
    /// Its members in canonical form.
    pub value: Value,
    /// Where they stand.
    pub loci: Loci,
    /// It belongs to Auth0 or to the deployer.
    pub system: bool,
    /// Members that could not be read.
    pub unreadable: Vec<(String, Unavailable)>,
}

impl Side {
    /// A description. `desired` is in canonical form; `left_alone` are the resources that its environment does not manage.
    pub fn described(desired: &Desired, filters: Filters, left_alone: Vec<Address>) -> Self {
        let kinds = desired.kinds.iter().map(|(name, kind)| {
            let held = kind.resources.iter().map(|resource| Held {
                address: resource.address.clone(),
                id: resource.id.clone(),
                value: resource.value.clone(),
                loci: resource.loci.clone(),
                system: false,
                unreadable: Vec::new(),
            });
            (name.clone(), HeldKind::Read(held.collect()))
        });
        Side { standing: Standing::Described, kinds: kinds.collect(), filters, left_alone }
    }

    /// A tenant: `live` as it was read, `desired` the same resources in canonical form, in the same order. What the environment does
    /// not manage is left out.
    pub fn live(registry: &Registry, live: &Live, desired: Desired, filters: Filters) -> Self {
        let mut side = Side { standing: Standing::Live, kinds: IndexMap::new(), filters, left_alone: Vec::new() };
        for (name, kind) in &live.kinds {
            let kind = match kind {
                LiveKind::Unavailable(why) => HeldKind::Unavailable(why.clone()),
                LiveKind::Read(found) => {
                    let canonical = desired.kinds.get(name).map(|kind| kind.resources.as_slice()).unwrap_or_default();
                    HeldKind::Read(found.iter().zip(canonical).map(|(live, described)| held(live, described)).collect())
                }
            };
            side.kinds.insert(name.clone(), kind);
        }
        side.leave_alone(registry);
        side
    }

    /// A tenant as it was kept in a backup: `desired` in canonical form, `unread` what could not be read then and why.
    pub fn kept(registry: &Registry, desired: &Desired, unread: &[(String, String)], filters: Filters) -> Self {
        let mut side = Side { standing: Standing::Live, ..Side::described(desired, filters, Vec::new()) };
        for (what, why) in unread {
            if registry.kind(what).is_some() {
                let why = Unavailable::Feature(why.clone());
                side.kinds.insert(what.clone(), HeldKind::Unavailable(why));
                continue;
            }
            // Else an address with a member.
            for held in side.kinds.values_mut().flat_map(|kind| match kind {
                HeldKind::Read(resources) => resources.as_mut_slice(),
                HeldKind::Unavailable(_) => &mut [],
            }) {
                let address = held.address.to_string();
                if let Some(member) = what.strip_prefix(&address).and_then(|rest| rest.strip_prefix(' ')) {
                    held.unreadable.push((member.to_owned(), Unavailable::Feature(why.clone())));
                }
            }
        }
        side.leave_alone(registry);
        side
    }

    /// Takes out what the environment does not manage; what stands and falls with it goes too.
    fn leave_alone(&mut self, registry: &Registry) {
        loop {
            let known = self.left_alone.clone();
            for (name, kind) in &mut self.kinds {
                let (Some(spec), HeldKind::Read(resources)) = (registry.kind(name), kind) else { continue };
                resources.retain(|held| {
                    let managed = self.filters.covers_with(spec, &held.address, &held.value, &known);
                    if !managed {
                        self.left_alone.push(held.address.clone());
                    }
                    managed
                });
            }
            if self.left_alone.len() == known.len() {
                return;
            }
        }
    }

    /// Says whether the environment of this side leaves a resource of the other alone.
    pub(super) fn leaves(&self, registry: &Registry, held: &Held) -> bool {
        let Some(spec) = registry.kind(&held.address.kind) else { return false };
        self.left_alone.contains(&held.address)
            || !self.filters.covers_with(spec, &held.address, &held.value, &self.left_alone)
    }

    /// Returns the resources of a kind; none where it could not be read.
    pub(super) fn resources(&self, kind: &str) -> &[Held] {
        match self.kinds.get(kind) {
            Some(HeldKind::Read(resources)) => resources,
            _ => &[],
        }
    }
}

fn held(live: &LiveResource, described: &Described) -> Held {
    Held {
        address: live.address.clone(),
        id: (!live.id.is_empty()).then(|| live.id.clone()),
        value: described.value.clone(),
        loci: Loci::default(),
        system: live.system.is_some(),
        unreadable: live.unreadable.clone(),
    }
}

/// Returns live resources as if they were described, to be brought into canonical form.
pub fn as_described(live: &Live) -> Desired {
    let mut out = Desired::default();
    for (name, kind) in &live.kinds {
        let LiveKind::Read(found) = kind else { continue };
        let resources = found.iter().map(|live| Described {
            address: live.address.clone(),
            id: None,
            value: live.value.clone(),
            loci: Loci::default(),
        });
        out.kinds.entry(name.clone()).or_default().resources = resources.collect();
    }
    out
}
