//! What was read of a large tenant, packed until it is asked for.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::assemble::{Kept, RawKind, RawResource, Token, named, names_of, resource, told_apart};
use crate::codec::Names;
use crate::model::{Address, LiveResource, Unavailable};
use crate::schema::{KindSpec, Registry};

/// What was read of a tenant. Its objects are kept as text, an eighth of what they take as values, and are decoded one by one.
pub struct Found {
    raw: IndexMap<String, RawKind<Packed>>,
    names: Names,
    token: Token,
}

/// One resource as it was read.
pub(super) struct Packed {
    raw: PackedJson,
    /// Place and members that could not be read, of the few that have any.
    rest: Option<Box<Rest>>,
}

/// Place, and members that could not be read.
type Rest = (Option<String>, Vec<(String, Unavailable)>);

enum PackedJson {
    /// As text, which was read again.
    Text(Box<[u8]>),
    /// As it was: it is nested deeper than what is read.
    Open(Json),
}

impl Kept for Packed {
    fn keep(resource: RawResource) -> Self {
        let RawResource { raw, place, unreadable } = resource;
        let rest = (place.is_some() || !unreadable.is_empty()).then(|| Box::new((place, unreadable)));
        let raw = match serde_json::to_vec(&raw) {
            Ok(text) if serde_json::from_slice::<Json>(&text).is_ok() => PackedJson::Text(text.into_boxed_slice()),
            _ => PackedJson::Open(raw),
        };
        Packed { raw, rest }
    }

    fn open(&self) -> Cow<'_, RawResource> {
        let (place, unreadable) = self.rest.as_deref().cloned().unwrap_or_default();
        let raw = match &self.raw {
            PackedJson::Text(text) => serde_json::from_slice(text).unwrap_or(Json::Null),
            PackedJson::Open(raw) => raw.clone(),
        };
        Cow::Owned(RawResource { raw, place, unreadable })
    }

    fn into_raw(self) -> RawResource {
        self.open().into_owned()
    }
}

impl Found {
    pub(super) fn new(registry: &Registry, raw: IndexMap<String, RawKind<Packed>>, token: Token) -> Self {
        let names = names_of(registry, &raw);
        Found { raw, names, token }
    }

    /// Returns what was read of a kind, or why nothing was; `None` for a kind that was not asked for.
    pub fn kind<'f>(&'f self, spec: &'f KindSpec) -> Option<Result<FoundKind<'f>, &'f Unavailable>> {
        Some(self.raw.get(&spec.name)?.as_ref().map(|packed| {
            let mut named: Vec<Option<(Address, String)>> =
                packed.iter().map(|one| named(spec, &one.open(), &self.names)).collect();
            told_apart(named.iter_mut().flatten().map(|(address, id)| (address, &*id)).collect());
            let resources = named.into_iter().zip(packed).filter_map(|(named, packed)| Some((named?.0, packed)));
            FoundKind { spec, found: self, resources: resources.collect() }
        }))
    }

    /// Lets go of what was read of a kind.
    pub fn forget(&mut self, spec: &KindSpec) {
        self.raw.shift_remove(&spec.name);
    }
}

/// The resources of a kind, each decoded when it is asked for.
pub struct FoundKind<'f> {
    spec: &'f KindSpec,
    found: &'f Found,
    resources: Vec<(Address, &'f Packed)>,
}

impl FoundKind<'_> {
    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.resources.len()
    }

    /// Decodes the one at a place, in the API's order.
    pub fn resource(&self, place: usize) -> Option<LiveResource> {
        let (address, packed) = self.resources.get(place)?;
        let decoded = resource(self.spec, packed.open().into_owned(), &self.found.names, &self.found.token)?;
        Some(LiveResource { address: address.clone(), ..decoded })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        let raw = json!({"z": 1, "a": [0.1, 1e300, -0.0, u64::MAX, "\u{0}\"ü"], "$sub": {"b": []}, "n": null});
        let unreadable = vec![("options".to_owned(), Unavailable::Scope(vec!["read:it".to_owned()]))];
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!([deep]);
        }
        for raw in [raw, deep] {
            for (place, unreadable) in [(None, Vec::new()), (Some("login".to_owned()), unreadable.clone())] {
                let resource = RawResource { raw: raw.clone(), place: place.clone(), unreadable: unreadable.clone() };
                let found = Packed::keep(resource).open().into_owned();
                assert_eq!(found.raw.to_string(), raw.to_string(), "members keep their order");
                assert_eq!((found.place, found.unreadable), (place, unreadable));
            }
        }
    }
}
