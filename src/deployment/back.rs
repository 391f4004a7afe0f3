//! Going back to files of then: what those files do not say, because nobody had described it yet.
//!
//! A field or a resource that was taken under management since then stands in no file of then. A plan of those files alone would leave
//! the field as it is, and delete the resource though it was there long before. The records know how both were before.

use std::collections::BTreeSet;

use super::history::History;
use super::record::{Deployment, Image, Outcome};
use super::undo::{had_none, put, revealed, touched};
use crate::codec::cleared;
use crate::model::{
    Address, Base, BaseResource, Described, Desired, Fingerprint, Loci, Map, Path, Secret, Segment, Value,
};
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// What going back means beside the files of then.
#[derive(Debug, Clone, Default)]
pub struct Back {
    /// What deployments since then made, with its server id.
    pub made: Vec<(Address, String)>,
    /// What is asked for only to take it back: nobody describes it then. The root stands for a whole resource.
    pub beside: Vec<(Address, Path)>,
    /// What was there before anybody described it: it is left alone.
    pub released: BTreeSet<Address>,
    /// What cannot come back, in sentences.
    pub lost: Vec<String>,
}

/// Adds to the description of then what takes back what was added since. `to` is the deployment that left what is gone back to;
/// without one nobody knows what was there then, and only fields are taken back. `base` is what all deployments left.
pub fn back(
    registry: &Registry,
    history: &History,
    to: Option<&str>,
    desired: &mut Desired,
    base: &Base,
    secret: &dyn Fn(&Fingerprint) -> Option<Secret>,
) -> Back {
    let mut out = Back::default();
    let managed = desired.kinds.keys().cloned().collect();
    let past = Past { history, to, managed, secret };
    for (address, left) in &base.resources {
        let Some(spec) = registry.kind(&address.kind) else { continue };
        let known = desired.kinds.get_mut(&address.kind);
        let found = known.and_then(|kind| {
            let same =
                |r: &&mut Described| r.address == *address || (r.id.is_some() && r.id.as_deref() == Some(&left.id));
            kind.resources.iter_mut().find(same)
        });
        match found {
            Some(resource) => past.fields(spec, address, resource, &left.desired, &mut out),
            None => past.resource(spec, address, left, desired, &mut out),
        }
    }
    out
}

struct Past<'a> {
    history: &'a History,
    to: Option<&'a str>,
    /// Kinds that the files of then speak of.
    managed: BTreeSet<String>,
    secret: &'a dyn Fn(&Fingerprint) -> Option<Secret>,
}

impl<'a> Past<'a> {
    fn deployments(&self) -> impl Iterator<Item = &'a Deployment> {
        self.history.iter().filter(|d| matches!(d.outcome, Some(Outcome::Done | Outcome::Partial)))
    }

    /// Returns the deployment since which something is described; `None` where that was so at the time that is gone back to.
    fn since(&self, address: &Address, is: &dyn Fn(&Value) -> bool) -> Option<&'a Deployment> {
        let mut since = None;
        for deployment in self.deployments() {
            let Some(entry) = deployment.base.iter().find(|entry| entry.address == *address) else { continue };
            since = match entry.left.as_ref().is_some_and(|left| is(&left.desired)) {
                true => since.or(Some(deployment)),
                false => None,
            };
        }
        since.filter(|deployment| self.to.is_none_or(|to| deployment.id.as_str() > to))
    }

    /// Returns the images of what deployments from this one on changed of a resource, the oldest first.
    fn images(&self, from: &Deployment, address: &Address) -> Vec<&'a Image> {
        let from = self.deployments().filter(|d| d.id >= from.id);
        let done = from.filter(|d| d.base.iter().any(|entry| entry.address == *address));
        done.filter_map(|d| d.images.iter().find(|image| image.address == *address)).collect()
    }

    /// Takes back the fields of a described resource that were described since.
    fn fields(&self, spec: &KindSpec, address: &Address, resource: &mut Described, now: &Value, out: &mut Back) {
        let mut added = Vec::new();
        beside(&spec.fields, &Path::root(), now, &resource.value, &mut added);
        for path in added {
            let keys: Vec<&str> = keys(&path);
            let is = |desired: &Value| keys.iter().try_fold(desired, |value, key| value.get(key)).is_some();
            let Some(since) = self.since(address, &is) else { continue };
            // Nobody wrote it since: it is as it was.
            let images = self.images(since, address);
            let Some(image) = images.first() else { continue };
            let was = image.value.as_ref();
            let was = was.and_then(|value| keys.iter().try_fold(value, |value, key| value.get(key))).cloned();
            let field = keys.iter().try_fold(&spec.fields, |field, key| field.member(key));
            let any = FieldSpec::default();
            let field = field.unwrap_or(&any);
            let now = keys.iter().try_fold(now, |value, key| value.get(key));
            let was = was.filter(|was| *was != Value::Null);
            let stays = &mut |path: &Path| out.lost.push(had_none(address, path));
            let Some(was) = was.or_else(|| cleared(spec, &keys, now, stays)) else { continue };
            let mut gone = Vec::new();
            let was = revealed(field, &was, &path, self.secret, &mut gone);
            out.lost.extend(gone.iter().map(|gone| super::undo::unreadable(address, gone)));
            if let (Some(was), Some(members)) = (was, resource.value.as_object_mut()) {
                put(members, &keys, was);
                out.beside.push((address.clone(), path));
            }
        }
    }

    /// Decides about a resource that is described now and was not then.
    fn resource(&self, spec: &KindSpec, address: &Address, left: &BaseResource, desired: &mut Desired, out: &mut Back) {
        let (id, now) = (left.id.as_str(), Some(&left.live));
        let is_managed = self.managed.contains(&spec.name);
        let Some(since) = self.since(address, &|_| true) else {
            // It was described then, but by no file that is left; or there is no record of it.
            if !is_managed {
                out.released.insert(address.clone());
            }
            return;
        };
        let images = self.images(since, address);
        let made = images.first().is_some_and(|image| image.value.is_none());
        match (made, self.to.is_some()) {
            // What the deployment made goes; where nobody knows what was there then, as the files of then ask.
            (true, true) => {
                out.made.push((address.clone(), id.to_owned()));
                desired.kinds.entry(spec.name.clone()).or_default();
                return;
            }
            (true, false) if is_managed => return,
            (true, false) => {
                out.released.insert(address.clone());
                return;
            }
            (false, _) => {}
        }
        // It was there before: what was changed of it goes back, and it stays.
        out.released.insert(address.clone());
        let mut value = Map::new();
        for image in images.iter().rev() {
            let Some(before) = &image.value else { continue };
            let lost = &mut |path: &Path| out.lost.push(had_none(address, path));
            let before = touched(spec, before, now, &image.paths, lost);
            let mut gone = Vec::new();
            let before = revealed(&spec.fields, &before, &Path::root(), self.secret, &mut gone);
            out.lost.extend(gone.iter().map(|gone| super::undo::unreadable(address, gone)));
            lay(&mut value, before.as_ref().and_then(Value::as_object));
        }
        if !value.is_empty() {
            let id = (!id.is_empty()).then(|| id.to_owned());
            let value = Value::Object(value);
            let described = Described { address: address.clone(), id, value, loci: Loci::default() };
            desired.kinds.entry(spec.name.clone()).or_default().resources.push(described);
            out.beside.push((address.clone(), Path::root()));
        }
    }
}

/// Lays older values over newer ones, member by member.
fn lay(below: &mut Map, above: Option<&Map>) {
    for (name, value) in above.into_iter().flatten() {
        match (below.get_mut(name).and_then(Value::as_object_mut), value) {
            (Some(inner), Value::Object(above)) => lay(inner, Some(above)),
            _ => drop(below.insert(name.clone(), value.clone())),
        }
    }
}

fn keys(path: &Path) -> Vec<&str> {
    path.0.iter().filter_map(Segment::as_key).collect()
}

/// Finds members of records that one description has and another lacks.
fn beside(spec: &FieldSpec, at: &Path, now: &Value, then: &Value, out: &mut Vec<Path>) {
    let (Shape::Record { .. }, Value::Object(now), Value::Object(then)) = (&spec.shape, now, then) else { return };
    let any = FieldSpec::default();
    for (name, value) in now {
        let member = spec.member(name).unwrap_or(&any);
        if member.read_only || member.skip || member.owned || member.alias.is_some() {
            continue;
        }
        match then.get(name) {
            Some(then) => beside(member, &at.key(name), value, then, out),
            None if !value.is_blank() => out.push(at.key(name)),
            None => {}
        }
    }
}

#[cfg(test)]
#[path = "back_tests.rs"]
mod tests;
