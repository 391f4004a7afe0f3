//! What became of a deployment that ended without saying so, told by what is live.

use std::collections::BTreeMap;

use super::read::{Entries, Entry};
use crate::change::Action;
use crate::deployment::Image;
use crate::model::{Address, FingerprintKey, Live, LiveKind, LiveResource, Path, Value};
use crate::plan::lookup;
use crate::schema::{KindSpec, Registry, Verb};

/// What reading told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// What became of each request nobody knew the outcome of, by number.
    pub requests: Vec<(u32, Found)>,
    /// Server ids of what was made, told or found.
    pub made: BTreeMap<Address, String>,
    /// Leaves that are neither what they were nor what was asked: somebody else touched them.
    pub conflicts: Vec<(Address, Path)>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was done.
    Done,
    /// What it asks for is not there. A create may still be on its way: look twice before it is sent again.
    NotDone,
    /// What is live cannot tell.
    Unknown,
}

/// Compares what a journal left open with what is live. `images` are the resources as they were before the deployment; `key` is the
/// one the journal's secrets are fingerprinted with.
pub fn settle(
    registry: &Registry,
    entries: &Entries,
    images: &[Image],
    live: &Live,
    key: Option<&FingerprintKey>,
) -> Settled {
    let view = View { registry, entries, images, live, key };
    let mut out = Settled { made: entries.made(), ..Settled::default() };
    for entry in entries.unsettled() {
        let found = view.request(entry);
        if let (Found::Done, Some(makes)) = (found, &entry.intent.makes)
            && let Some(resource) = view.made(makes)
        {
            out.made.insert(makes.clone(), resource.id.clone());
        }
        out.requests.push((entry.n, found));
    }
    for entry in entries.entries.iter().filter(|entry| entry.intent.action == Action::Update) {
        view.conflicts(entry, &mut out.conflicts);
    }
    out
}

/// A journal beside what was and what is live.
pub(super) struct View<'a> {
    pub(super) registry: &'a Registry,
    pub(super) entries: &'a Entries,
    pub(super) images: &'a [Image],
    pub(super) live: &'a Live,
    pub(super) key: Option<&'a FingerprintKey>,
}

impl View<'_> {
    fn request(&self, entry: &Entry) -> Found {
        let intent = &entry.intent;
        let address = &intent.address;
        let Some(spec) = self.registry.kind(&address.kind) else { return Found::Unknown };
        if !matches!(self.live.kinds.get(&address.kind), Some(LiveKind::Read(_))) {
            return Found::Unknown;
        }
        if let Some(makes) = &intent.makes {
            return match (makes == address, self.made(makes)) {
                (true, Some(_)) => Found::Done,
                (true, None) => Found::NotDone,
                // Something inside the resource, a credential say: not told apart here.
                (false, _) => Found::Unknown,
            };
        }
        let image = self.image(address);
        if matches!(intent.action, Action::Delete | Action::Replace)
            && intent.method == Verb::Delete
            && let Some(before) = image
            && intent.path.contains(&crate::codec::encode_segment(&before.id))
        {
            let is_there = self.live.resources(&address.kind).iter().any(|found| found.id == before.id);
            return if is_there { Found::NotDone } else { Found::Done };
        }
        let Some(found) = self.resource(address) else { return Found::NotDone };
        let leaves = self.asked(entry, spec);
        let mut all = None;
        for (path, asked) in leaves {
            match self.same(spec, &found.value, path, asked.as_ref()) {
                Some(true) => all = all.or(Some(true)),
                Some(false) => return Found::NotDone,
                None => return Found::Unknown,
            }
        }
        if all == Some(true) { Found::Done } else { Found::Unknown }
    }

    /// Returns the leaves of a change that this request may carry: those its body names, else all of them.
    fn asked(&self, entry: &Entry, spec: &KindSpec) -> Vec<&(Path, Option<Value>)> {
        let all: Vec<&(Path, Option<Value>)> = self.leaves(&entry.intent.address).collect();
        let body = entry.intent.body.as_ref();
        let named = |path: &Path| {
            let Some(member) = path.first_key() else { return false };
            let api = spec.field(member).and_then(|field| field.api.as_deref()).unwrap_or(member);
            body.is_some_and(|body| body.get(api).is_some() || body.get(member).is_some())
        };
        let some: Vec<_> = all.iter().filter(|(path, _)| named(path)).copied().collect();
        if some.is_empty() { all } else { some }
    }

    pub(super) fn leaves(&self, address: &Address) -> impl Iterator<Item = &(Path, Option<Value>)> {
        let of = |entry: &&Entry| entry.intent.address == *address;
        self.entries.entries.iter().filter(of).flat_map(|entry| entry.intent.asked.iter())
    }

    fn conflicts(&self, entry: &Entry, out: &mut Vec<(Address, Path)>) {
        let address = &entry.intent.address;
        let (Some(spec), Some(found)) = (self.registry.kind(&address.kind), self.resource(address)) else { return };
        let Some(before) = self.image(address).and_then(|image| image.value.as_ref()) else { return };
        for (path, asked) in &entry.intent.asked {
            let is_asked = self.same(spec, &found.value, path, asked.as_ref());
            let was = self.leaf(spec, before, path);
            let is_before = self.same(spec, &found.value, path, was);
            if is_asked == Some(false) && is_before == Some(false) {
                out.push((address.clone(), path.clone()));
            }
        }
    }

    pub(super) fn image(&self, address: &Address) -> Option<&Image> {
        self.images.iter().find(|image| image.address == *address)
    }

    pub(super) fn resource(&self, address: &Address) -> Option<&LiveResource> {
        let found = self.live.resources(&address.kind);
        let id = self.image(address).map(|image| image.id.as_str()).filter(|id| !id.is_empty());
        let by_id = id.and_then(|id| found.iter().find(|resource| resource.id == id));
        by_id.or_else(|| found.iter().find(|resource| resource.address == *address))
    }

    /// Returns the resource of an address that was not there before.
    fn made(&self, address: &Address) -> Option<&LiveResource> {
        let known = |id: &str| self.images.iter().any(|i| i.address.kind == address.kind && i.id == id);
        let named = |found: &&LiveResource| found.address.name == address.name && !known(&found.id);
        let mut found = self.live.resources(&address.kind).iter().filter(named);
        let first = found.next();
        // Several of one name: nobody can tell which is ours.
        first.filter(|_| found.next().is_none())
    }

    /// Returns what stands at a path.
    pub(super) fn leaf<'v>(&self, spec: &KindSpec, value: &'v Value, path: &Path) -> Option<&'v Value> {
        lookup(&spec.fields, value, path)
    }

    /// Says whether a leaf is what it is compared to; `None` where that cannot be told.
    pub(super) fn same(&self, spec: &KindSpec, live: &Value, path: &Path, other: Option<&Value>) -> Option<bool> {
        let now = self.leaf(spec, live, path).map(|value| value.fingerprinted(self.key));
        same(now.as_ref(), other)
    }
}

/// Compares a leaf with what was asked: what the server adds to an item is no difference.
fn same(one: Option<&Value>, two: Option<&Value>) -> Option<bool> {
    let blank = |value: Option<&Value>| value.is_none_or(Value::is_blank);
    match (one, two) {
        (Some(Value::Fingerprint(one)), Some(Value::Fingerprint(two))) => one.same_as(two),
        (Some(Value::Fingerprint(_)), _) | (_, Some(Value::Fingerprint(_))) => None,
        _ if blank(one) || blank(two) => Some(blank(one) && blank(two)),
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            // What the server adds to an item is no difference.
            let pairs = two.iter().map(|(name, value)| same(one.get(name), Some(value)));
            all(pairs)
        }
        (Some(Value::Array(one)), Some(Value::Array(two))) => {
            if one.len() != two.len() {
                return Some(false);
            }
            all(one.iter().zip(two).map(|(one, two)| same(Some(one), Some(two))))
        }
        (Some(Value::Number(one)), Some(Value::Number(two))) => Some(one.as_f64() == two.as_f64()),
        (Some(Value::String(one)), Some(Value::String(two))) => {
            Some(one.replace("\r\n", "\n") == two.replace("\r\n", "\n"))
        }
        (one, two) => Some(one == two),
    }
}

fn all(found: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut out = Some(true);
    for one in found {
        match one {
            Some(false) => return Some(false),
            None => out = None,
            Some(true) => {}
        }
    }
    out
}
