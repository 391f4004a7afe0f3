//! What a deployment is going to touch, and what it left.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::diff::{Comparison, holds_secret, names};
use super::existing::{sides_of, with_sides};
use super::known::Known;
use super::leaf::{lookup, set};
use super::pair::{Partner, pair};
use super::renamed;
use crate::change::{Action, Change, FieldChange, Origin, Plan};
use crate::deployment::{BaseEntry, Image};
use crate::model::{
    Address, Base, BaseResource, Described, Desired, FingerprintKey, Live, LiveKind, LiveResource, Path, Seal, Secret,
    Value,
};
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// What a deployment is looked at from: before it for [`images`](Aftermath::images), after it for [`base`](Aftermath::base).
#[derive(Debug, Clone, Copy)]
pub struct Aftermath<'a> {
    /// Kinds.
    pub registry: &'a Registry,
    /// What was planned.
    pub plan: &'a Plan,
    /// The description, in canonical form.
    pub desired: &'a Desired,
    /// The tenant: as it was for images, as read back for the base.
    pub live: &'a Live,
    /// What the deployments before left; `None` where none is known.
    pub before: Option<&'a Base>,
    /// Renames: from what, to what.
    pub moved: &'a [(Address, Address)],
    /// What secrets are fingerprinted with.
    pub key: Option<&'a FingerprintKey>,
    /// What secrets are sealed with.
    pub seal: Option<&'a Seal>,
}

impl Aftermath<'_> {
    /// Returns every resource that the plan touches or takes along, as it is now, secrets as fingerprints.
    pub fn images(&self) -> Vec<Image> {
        let described: HashMap<&Address, &Described> =
            self.desired.kinds.values().flat_map(|kind| &kind.resources).map(|r| (&r.address, r)).collect();
        let mut out: BTreeMap<Address, Image> = BTreeMap::new();
        for change in &self.plan.changes {
            let live = self.live_of(change);
            let paths = match (change.action, live) {
                (Action::Update, Some(_)) => change.fields.iter().map(|field| field.path.clone()).collect(),
                _ => Vec::new(),
            };
            out.insert(change.address.clone(), self.image(&change.address, live, &described, paths));
        }
        for address in self.plan.changes.iter().flat_map(|change| &change.cascades) {
            let live = self.live.resources(&address.kind).iter().find(|live| live.address == *address);
            out.entry(address.clone()).or_insert_with(|| self.image(address, live, &described, Vec::new()));
        }
        out.into_values().collect()
    }

    fn live_of(&self, change: &Change) -> Option<&LiveResource> {
        let id = change.id.as_ref()?;
        let mut found = self.live.resources(&change.address.kind).iter();
        if id.is_empty() {
            found.find(|live| live.address == change.address)
        } else {
            found.find(|live| live.id == *id)
        }
    }

    fn image(
        &self,
        address: &Address,
        live: Option<&LiveResource>,
        described: &HashMap<&Address, &Described>,
        paths: Vec<Path>,
    ) -> Image {
        let value = live.map(|live| {
            let known = self.before.and_then(|base| base.resources.get(address));
            let likes = [described.get(address).map(|resource| &resource.value), known.map(|left| &left.desired)];
            let fields = self.registry.kind(&address.kind).map(|spec| &spec.fields);
            let mut value = tainted(fields, &live.value, likes).remembered(self.key, self.seal);
            if let (Some(fields), Some(left)) = (fields, known) {
                recall(fields, &mut value, &left.live, &left.desired);
            }
            value
        });
        Image { address: address.clone(), id: live.map(|live| live.id.clone()).unwrap_or_default(), value, paths }
    }

    /// Returns how the deployment moves the base: of every described resource that is `done` (applied, or found as described)
    /// what was left, and nothing of what is gone. Only what differs from before is told.
    pub fn base(&self, done: &dyn Fn(&Address) -> bool) -> Vec<BaseEntry> {
        let followed = renamed::follow(self.registry, self.desired, self.live, self.before, self.moved);
        let (live, before) = match &followed {
            Some((live, before)) => (live, before.as_ref()),
            None => (self.live, self.before),
        };
        let known = Known::new(before, self.moved);
        let unsent: BTreeSet<(&Address, &Path)> = self.plan.secrets.iter().map(|(a, path, _)| (a, path)).collect();
        let mut out: BTreeMap<Address, Option<BaseResource>> = BTreeMap::new();
        for (kind, described) in &self.desired.kinds {
            let (Some(spec), Some(LiveKind::Read(found))) = (self.registry.kind(kind), live.kinds.get(kind)) else {
                continue;
            };
            let mut claimed: BTreeSet<&Address> = BTreeSet::new();
            for (resource, partner) in described.resources.iter().zip(pair(spec, &described.resources, found, &known)) {
                let earlier = known.of(resource);
                claimed.extend(earlier.map(|(address, _)| address));
                let live = if let Partner::Live(at) = partner { found.get(at) } else { None };
                let Some(live) = live.filter(|_| done(&resource.address)) else { continue };
                if let Some((address, _)) = earlier.filter(|(address, _)| **address != resource.address) {
                    out.insert(address.clone(), None);
                }
                let left = self.left(spec, resource, live, earlier.map(|(_, left)| left), &unsent);
                out.insert(resource.address.clone(), Some(left));
            }
            if spec.is_open_set() {
                let lives = |address: &Address, left: &BaseResource| {
                    found.iter().any(|l| l.address == *address || (!left.id.is_empty() && l.id == left.id))
                };
                let gone = known.rest(kind, &claimed).filter(|(address, left)| !lives(address, left));
                out.extend(gone.map(|(address, _)| (address.clone(), None)));
            }
        }
        self.forget_renamed(before, &mut out);
        let same = |address: &Address, left: &Option<BaseResource>| {
            self.before.and_then(|base| base.resources.get(address)) == left.as_ref()
        };
        let moves = out.into_iter().filter(|(address, left)| !same(address, left));
        moves.map(|(address, left)| BaseEntry { address, left }).collect()
    }

    /// What is named after others has another address since one of them was renamed: the old one is forgotten.
    fn forget_renamed(&self, followed: Option<&Base>, out: &mut BTreeMap<Address, Option<BaseResource>>) {
        let (Some(before), Some(followed)) = (self.before, followed) else { return };
        let lost = before.resources.iter().filter(|(address, _)| !followed.resources.contains_key(*address));
        for (address, left) in lost {
            let is_now = |(now, new): (&Address, &Option<BaseResource>)| {
                now.kind == address.kind && new.as_ref().is_some_and(|new| !new.id.is_empty() && new.id == left.id)
            };
            if out.iter().any(is_now) {
                out.insert(address.clone(), None);
            }
        }
    }

    fn left(
        &self,
        spec: &KindSpec,
        resource: &Described,
        live: &LiveResource,
        earlier: Option<&BaseResource>,
        unsent: &BTreeSet<(&Address, &Path)>,
    ) -> BaseResource {
        let fields = &spec.fields;
        let comparison = Comparison { key: self.key, kind: Some(spec), ..Comparison::of(fields, &resource.loci) };
        let found = comparison.sides(sides_of(resource, Some(&live.value), earlier));
        let likes = [Some(&resource.value), earlier.map(|left| &left.desired)];
        let mut read_back = tainted(Some(fields), &live.value, likes).fingerprinted(self.key);
        let mut desired = resource.value.remembered(self.key, self.seal);
        // Of a secret that was not sent, what is known stays what was known.
        let not_sent = found.secrets.iter().map(|(path, _)| path);
        let not_sent = not_sent.filter(|path| {
            let nobody_has = lookup(fields, &resource.value, path).is_some_and(|v| matches!(v, Value::Unresolved(_)));
            nobody_has || unsent.contains(&(&resource.address, *path))
        });
        for path in not_sent {
            let was = earlier.and_then(|left| lookup(fields, &left.desired, path)).filter(|was| holds_secret(was));
            let nothing = || {
                let hidden = lookup(fields, &desired, path).cloned().unwrap_or_default();
                Some(unmarked(&hidden))
            };
            let leaf = was.cloned().or_else(nothing);
            set(fields, &mut desired, &path.0, leaf);
        }
        if let Some(earlier) = earlier {
            // What was changed outside and stays is still reported.
            let (stays, others): (Vec<FieldChange>, Vec<FieldChange>) =
                found.fields.into_iter().partition(|field| field.origin == Origin::Drift);
            read_back = with_sides(spec, &read_back, &earlier.live, &stays, &others);
            for (member, _) in &live.unreadable {
                let was = earlier.live.get(member).cloned();
                set(fields, &mut read_back, &Path::root().key(member).0, was);
            }
        }
        BaseResource { id: live.id.clone(), desired, live: read_back }
    }
}

/// Adds what no read returns, as it was sent last: `was` is what was live then. Of an item that is another one now nothing is known.
fn recall(field: &FieldSpec, value: &mut Value, was: &Value, sent: &Value) {
    match (value, was, sent) {
        (Value::Object(now), Value::Object(was), Value::Object(sent)) => {
            for (name, sent) in sent {
                let Some(member) = field.member(name) else { continue };
                match (now.get_mut(name), was.get(name)) {
                    (None, _) if member.write_only => drop(now.insert(name.clone(), sent.clone())),
                    (Some(now), Some(was)) => recall(member, now, was, sent),
                    _ => {}
                }
            }
        }
        (Value::Array(now), Value::Array(was), Value::Array(sent)) if !field.key.is_empty() => {
            let Some(item) = field.item() else { return };
            let (own, then, said) = (names(field, now), names(field, was), names(field, sent));
            for (name, now) in own.iter().zip(now.iter_mut()) {
                let at = |names: &[String], items: &[Value]| {
                    names.iter().position(|known| known == name).and_then(|at| items.get(at).cloned())
                };
                if let (Some(was), Some(sent)) = (at(&then, was), at(&said, sent))
                    && was == *now
                {
                    recall(item, now, &was, &sent);
                }
            }
        }
        _ => {}
    }
}

/// Takes the digests out: nothing of it was sent, so nothing is known of what is there.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::Fingerprint(print) => Value::Fingerprint(crate::model::Fingerprint::unknown(print.source.clone())),
        Value::Array(items) => Value::Array(items.iter().map(unmarked).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(name, v)| (name.clone(), unmarked(v))).collect()),
        other => other.clone(),
    }
}

/// Hides what is live where a description has, or had, a secret.
fn tainted(spec: Option<&FieldSpec>, live: &Value, likes: [Option<&Value>; 2]) -> Value {
    let any = FieldSpec::default();
    let mut out = live.clone();
    for like in likes.into_iter().flatten().filter(|like| holds_secret(like)) {
        taint(spec.unwrap_or(&any), &mut out, like);
    }
    out
}

fn taint(spec: &FieldSpec, value: &mut Value, like: &Value) {
    let any = FieldSpec::default();
    match (value, like) {
        (value, Value::Secret(_) | Value::Fingerprint(_) | Value::Unresolved(_)) => hide(value),
        (Value::Object(members), Value::Object(likes)) => {
            for (name, value) in members.iter_mut() {
                if let Some(like) = likes.get(name) {
                    taint(spec.member(name).unwrap_or(&any), value, like);
                }
            }
        }
        (Value::Array(items), Value::Array(likes)) if holds_secret(like) => {
            let item = match &spec.shape {
                Shape::List(item) if !spec.key.is_empty() => item,
                _ => return items.iter_mut().for_each(hide),
            };
            let (own, theirs) = (names(spec, items), names(spec, likes));
            for (name, value) in own.iter().zip(items.iter_mut()) {
                match theirs.iter().position(|known| known == name).and_then(|at| likes.get(at)) {
                    Some(like) => taint(item, value, like),
                    None => hide(value),
                }
            }
        }
        _ => {}
    }
}

/// Makes a secret of every text, number and truth value inside.
fn hide(value: &mut Value) {
    match value {
        Value::String(text) => *value = Value::Secret(Secret::new(std::mem::take(text), "live")),
        Value::Number(number) => *value = Value::Secret(Secret::new(number.to_string(), "live")),
        Value::Bool(truth) => *value = Value::Secret(Secret::new(truth.to_string(), "live")),
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(members) => members.values_mut().for_each(hide),
        _ => {}
    }
}
