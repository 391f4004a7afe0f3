//! [`Objects`]: the archive's own ids.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

use crate::codec::{Names, address_of, decode};
use crate::model::{Address, Desired, Live};
use crate::schema::{KindShape, Registry};

/// A resource of the tenant that an archive was taken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// How people name it; without an id, also where names repeat.
    pub address: Address,
    /// Its server id in that tenant.
    pub id: String,
}

/// The server ids of an archive, by the names they stood for.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    all: Vec<Object>,
    by_address: HashMap<Address, Vec<usize>>,
}

/// A resource that has another server id than in the archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewId {
    /// Its address in the description of the archive; with the archive's id where names repeat.
    pub address: Address,
    /// Its id in the archive.
    pub old: String,
    /// Its id now.
    pub new: String,
}

impl Objects {
    /// Finds names and ids in the API's own objects, by kind. What has no id is left out.
    pub fn read(registry: &Registry, rows: &BTreeMap<String, Vec<Json>>) -> Self {
        let mut names = Names::default();
        let mut all = Vec::new();
        // Twice: identities may hold references themselves (a grant is named after its client).
        for _ in 0..2 {
            let mut next = Names::default();
            all.clear();
            for (kind, rows) in rows {
                let Some(spec) = registry.kind(kind).filter(|spec| spec.shape == KindShape::Collection) else {
                    continue;
                };
                let Some(member) = spec.id.as_ref().filter(|id| !spec.identity.contains(id)) else { continue };
                for row in rows {
                    let Some(id) = row.get(member).and_then(Json::as_str) else { continue };
                    let value = decode(spec, row, &names);
                    let Some(address) = value.as_object().and_then(|members| address_of(spec, members)) else {
                        continue;
                    };
                    next.insert(kind, id, address.name.as_deref().unwrap_or_default());
                    all.push(Object { address, id: id.to_owned() });
                }
            }
            names = next;
        }
        let mut by_address: HashMap<Address, Vec<usize>> = HashMap::new();
        for (at, object) in all.iter().enumerate() {
            by_address.entry(object.address.clone()).or_default().push(at);
        }
        Objects { all, by_address }
    }

    /// Returns every resource.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.all.iter()
    }

    /// Gives described resources the id they had: so one that was renamed since is found again on the same tenant.
    pub fn identify(&self, desired: &mut Desired) {
        for resource in desired.kinds.values_mut().flat_map(|kind| &mut kind.resources) {
            if resource.id.is_none()
                && let Some([one]) = self.by_address.get(&resource.address).map(Vec::as_slice)
            {
                resource.id = self.all.get(*one).map(|object| object.id.clone());
            }
        }
    }

    /// Returns the resources that the description of the archive does not hold: the deployer's own, and Auth0's. `kinds` are those
    /// that it describes, `described` what it describes of them.
    pub(super) fn left_out(&self, kinds: &BTreeSet<&str>, described: &BTreeSet<Address>) -> Vec<&Object> {
        let mut out: Vec<&Object> = self.all.iter().collect();
        out.retain(|object| kinds.contains(object.address.kind.as_str()) && !described.contains(&object.address));
        out
    }

    /// Returns what has another id than in the archive: among what was just made, else by name among what is live.
    ///
    /// `settled` are ids that were found for names that repeat: kind and old id to the new one.
    pub fn new_ids(
        &self,
        live: &Live,
        made: &[(Address, String)],
        settled: &BTreeMap<(String, String), String>,
    ) -> Vec<NewId> {
        let made: HashMap<&Address, &String> = made.iter().map(|(address, id)| (address, id)).collect();
        let mut by_name: HashMap<&Address, Vec<&str>> = HashMap::new();
        let mut ids: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (kind, _) in &live.kinds {
            for resource in live.resources(kind).iter().filter(|resource| !resource.id.is_empty()) {
                by_name.entry(&resource.address).or_default().push(&resource.id);
                ids.insert((kind, &resource.id));
            }
        }
        let mut out = Vec::new();
        for object in &self.all {
            let kind = object.address.kind.as_str();
            let twins = self.by_address.get(&object.address).map_or(0, Vec::len) > 1;
            let address = if twins { object.address.clone().with_id(&object.id) } else { object.address.clone() };
            let named = || match by_name.get(&address).map(Vec::as_slice) {
                Some([one]) => Some((*one).to_owned()),
                _ => None,
            };
            let new = match made.get(&address) {
                Some(id) => Some((*id).clone()),
                None if ids.contains(&(kind, object.id.as_str())) => None,
                None => settled.get(&(kind.to_owned(), object.id.clone())).cloned().or_else(named),
            };
            if let Some(new) = new.filter(|new| *new != object.id) {
                out.push(NewId { address, old: object.id.clone(), new });
            }
        }
        out.sort();
        out
    }
}
