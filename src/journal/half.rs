//! What a deployment that did not end had done until then, told by its journal and by what is live.

use std::collections::{BTreeMap, BTreeSet};

use super::read::Entries;
use super::settle::{Found, View, settle};
use crate::change::Action;
use crate::deployment::{Image, Tally};
use crate::model::{Address, Base, FingerprintKey, Live, Path, Value};
use crate::plan::set_leaf;
use crate::schema::Registry;

/// What a deployment had done when it stopped: nobody else's doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Half {
    written: BTreeMap<Address, Written>,
}

/// What it had done to one resource.
#[derive(Debug, Clone, PartialEq)]
enum Written {
    /// It made it: the server id.
    Made { id: String, replaces: bool, live: Value },
    /// It set these leaves, and they are still so: what is live there, secrets as fingerprints.
    Set(Vec<(Path, Option<Value>)>),
    /// It deleted it.
    Deleted,
}

/// Finds what was done: of a request whose end nobody wrote down, what is live tells.
pub fn half(
    registry: &Registry,
    entries: &Entries,
    images: &[Image],
    live: &Live,
    key: Option<&FingerprintKey>,
) -> Half {
    let settled = settle(registry, entries, images, live, key);
    let found: BTreeMap<u32, Found> = settled.requests.iter().copied().collect();
    let view = View { registry, entries, images, live, key };
    let mut out = Half::default();
    for entry in &entries.entries {
        let done = match &entry.outcome {
            Some(answer) if answer.is_settled() => answer.is_done(),
            _ => found.get(&entry.n) == Some(&Found::Done),
        };
        let address = &entry.intent.address;
        if !done || out.written.contains_key(address) {
            continue;
        }
        let Some(spec) = registry.kind(&address.kind) else { continue };
        let there = settled.made.get(address).and_then(|id| live.resources(&address.kind).iter().find(|l| l.id == *id));
        let written = match (entry.intent.action, there) {
            (Action::Create | Action::Replace, Some(there)) => Some(Written::Made {
                id: there.id.clone(),
                replaces: entry.intent.action == Action::Replace,
                live: there.value.fingerprinted(key),
            }),
            (Action::Delete | Action::Replace, None) if view.resource(address).is_none() => Some(Written::Deleted),
            (Action::Update, _) => view.resource(address).map(|now| {
                let before = view.image(address).and_then(|image| image.value.as_ref());
                let asked = view.leaves(address).filter(|(path, asked)| {
                    let was = before.and_then(|before| view.leaf(spec, before, path));
                    view.same(spec, &now.value, path, asked.as_ref()) == Some(true)
                        && view.same(spec, &now.value, path, was) != Some(true)
                });
                let leaf = |path: &Path| view.leaf(spec, &now.value, path).map(|value| value.fingerprinted(key));
                Written::Set(asked.map(|(path, _)| (path.clone(), leaf(path))).collect())
            }),
            _ => None,
        };
        if let Some(written) = written.filter(|written| *written != Written::Set(Vec::new())) {
            out.written.insert(address.clone(), written);
        }
    }
    let deletes = out.written.values().any(|written| *written == Written::Deleted);
    let asked: BTreeSet<&Address> = entries.entries.iter().map(|entry| &entry.intent.address).collect();
    // What the API deleted along.
    for image in images.iter().filter(|image| deletes && image.value.is_some() && !asked.contains(&image.address)) {
        if view.resource(&image.address).is_none() && live.kinds.contains_key(&image.address.kind) {
            out.written.insert(image.address.clone(), Written::Deleted);
        }
    }
    out
}

impl Half {
    /// Returns the resources that were written.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.written.keys()
    }

    /// Says whether it wrote this leaf; the root is the resource as a whole.
    pub fn wrote(&self, address: &Address, path: &Path) -> bool {
        match self.written.get(address) {
            None => false,
            Some(Written::Set(leaves)) => {
                leaves.iter().any(|(known, _)| known.starts_with(path) || path.starts_with(known))
            }
            Some(Written::Made { .. } | Written::Deleted) => true,
        }
    }

    /// Returns a base in which what was done counts as left by a deployment.
    pub fn onto(&self, registry: &Registry, base: &Base) -> Base {
        let mut base = base.clone();
        for (address, written) in &self.written {
            match written {
                Written::Deleted => drop(base.resources.remove(address)),
                Written::Made { id, replaces, live } => {
                    if let Some(left) = base.resources.get_mut(address).filter(|_| *replaces) {
                        left.id.clone_from(id);
                        left.live.clone_from(live);
                    }
                }
                Written::Set(leaves) => {
                    let (Some(spec), Some(left)) = (registry.kind(&address.kind), base.resources.get_mut(address))
                    else {
                        continue;
                    };
                    for (path, value) in leaves {
                        set_leaf(&spec.fields, &mut left.live, &path.0, value.clone());
                    }
                }
            }
        }
        base
    }
}

/// Counts the changes of a journal that were done and that `again` does not hold: those are counted where they end.
pub fn done_before(entries: &Entries, half: &Half, again: &BTreeSet<&Address>) -> Tally {
    let mut all: BTreeMap<&Address, (Action, bool)> = BTreeMap::new();
    for entry in &entries.entries {
        let done = entry.outcome.as_ref().is_some_and(super::Answer::is_done);
        let known = all.entry(&entry.intent.address).or_insert((entry.intent.action, true));
        known.1 &= done;
    }
    let mut tally = Tally::default();
    for (address, (action, done)) in all {
        if (done || half.written.contains_key(address)) && !again.contains(address) {
            tally.count(action);
        }
    }
    tally
}
