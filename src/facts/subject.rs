//! The resource a question is about, and which writes of the log are about it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Asking;
use super::entry::Entry;
use super::route::{Found, Target};
use crate::change::Plan;
use crate::codec::{address_of, decode};
use crate::model::{Address, LiveResource};
use crate::schema::{KindShape, KindSpec};

/// A resource, and every id it goes or went by.
pub(super) struct Subject<'a> {
    pub(super) address: &'a Address,
    pub(super) spec: &'a KindSpec,
    pub(super) live: Option<&'a LiveResource>,
    pub(super) ids: BTreeSet<String>,
}

impl<'a> Subject<'a> {
    /// Finds out what is known of a resource; `None` for an unknown kind.
    pub(super) fn new(address: &'a Address, plan: &Plan, asking: &Asking<'a>) -> Option<Self> {
        let spec = asking.registry.kind(&address.kind)?;
        let change = plan.changes.iter().find(|change| change.address == *address);
        let planned = change.and_then(|change| change.id.as_deref());
        let remembered = asking.base.and_then(|base| base.resources.get(address)).map(|resource| resource.id.as_str());
        let mut ids: BTreeSet<String> =
            [planned, remembered, address.id.as_deref()].into_iter().flatten().map(str::to_owned).collect();
        let resources = asking.live.resources(&address.kind);
        // A resource that was renamed outside is found by its id.
        let live = resources
            .iter()
            .find(|r| r.address == *address)
            .or_else(|| resources.iter().find(|r| !r.id.is_empty() && ids.contains(&r.id)));
        ids.extend(live.map(|r| r.id.clone()));
        ids.remove("");
        Some(Subject { address, spec, live, ids })
    }

    /// Says whether a write is about this resource.
    pub(super) fn is_about(&self, entry: &Entry, found: &Found<'_>) -> bool {
        if found.spec.name != self.spec.name {
            return false;
        }
        match found.target {
            Target::Place(name, _) => {
                let raw = |member: &str| self.live.and_then(|live| live.raw.get(member)).and_then(Json::as_str);
                let holds = |(member, value): &(String, String)| raw(member).is_none_or(|known| known == value);
                self.address.name.as_deref() == Some(name) && found.captures.iter().all(holds)
            }
            Target::Make => self.is_made_by(entry),
            Target::Whole | Target::Part(_) | Target::Sub(_) | Target::Below => {
                if let Some(id) = found.capture("id") {
                    return self.ids.contains(id);
                }
                match self.spec.identity.first().and_then(|member| found.capture(member)) {
                    Some(name) => self.address.name.as_deref() == Some(name),
                    None => self.spec.shape == KindShape::Single,
                }
            }
        }
    }

    /// Says whether a POST made this resource: by the id it was answered, else by what it asked for.
    fn is_made_by(&self, entry: &Entry) -> bool {
        let answered = self.spec.id.as_ref().and_then(|id| entry.answer.get(id)).and_then(Json::as_str);
        match answered {
            Some(id) if !self.ids.is_empty() => self.ids.contains(id),
            _ => self.is_named(&entry.answer) || self.is_named(&entry.body),
        }
    }

    /// Says whether an object of the API has this resource's address.
    pub(super) fn is_named(&self, object: &Json) -> bool {
        let value = decode(self.spec, object, &crate::codec::Names::default());
        value.as_object().and_then(|members| address_of(self.spec, members)).as_ref() == Some(self.address)
    }

    /// Learns ids from answers that name this resource; for one that is gone and that no deployment remembers.
    pub(super) fn learn(&mut self, entries: &[Entry]) {
        let Some(id) = self.spec.id.as_ref().filter(|_| self.ids.is_empty()) else { return };
        let known = entries.iter().filter(|entry| self.is_named(&entry.answer));
        self.ids = known.filter_map(|entry| entry.answer.get(id)?.as_str()).map(str::to_owned).collect();
    }
}
