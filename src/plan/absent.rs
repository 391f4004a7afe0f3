//! What is on one side only: described and not live, live and not described, left by a deployment and gone.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::deletion::{deletion, leaves};
use super::diff::{Comparison, diff};
use super::existing::sides_of;
use super::make::{Maker, missing, sent_secret};
use super::order::Node;
use super::sides::Sides;
use super::write::steps;
use crate::change::{Action, Kept, Left, Origin};
use crate::codec::sub_rows;
use crate::model::{Address, BaseResource, Described, Diff, LiveResource, Loci, Map, Path, Segment, ThreeWay, Value};
use crate::problem::Problem;
use crate::quirk;
use crate::schema::{KindShape, KindSpec, PartStep, Risk, SystemRule};

/// Cuts down to what was read: endpoints of their own are asked only for what is described, and this is not any more.
fn seen(spec: &KindSpec, described: &Value, live: &Value) -> Value {
    let mut out = described.clone();
    let behind_others = spec.subs().into_iter().map(|(path, _)| path);
    let parts = spec.parts.iter().filter_map(|part| match part.at.as_slice() {
        [PartStep::Key(member), ..] => Some(Path::root().key(member)),
        _ => None,
    });
    let mut unread: Vec<Path> = behind_others.chain(parts).collect();
    if spec.detail {
        unread.extend(
            described.as_object().into_iter().flat_map(|members| members.keys()).map(|name| Path::root().key(name)),
        );
    }
    for path in unread {
        let keys: Vec<&str> = path
            .0
            .iter()
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) | Segment::Item(_) => None,
            })
            .collect();
        if keys.iter().try_fold(live, |value, key| value.get(key)).is_none() {
            forget(&mut out, &keys);
        }
    }
    out
}

fn forget(value: &mut Value, keys: &[&str]) {
    match (keys, value.as_object_mut()) {
        ([last], Some(members)) => {
            members.shift_remove(*last);
        }
        ([first, rest @ ..], Some(members)) => {
            if let Some(inner) = members.get_mut(*first) {
                forget(inner, rest);
            }
        }
        _ => {}
    }
}

impl Maker<'_> {
    /// Plans a described resource that is not live.
    pub(super) fn missing(&mut self, spec: &KindSpec, resource: &Described) {
        let matching = |rule: &&SystemRule| {
            let text = resource.value.get(&rule.member).and_then(Value::as_str);
            text.is_some_and(|text| rule.matches.as_ref().is_some_and(|pattern| pattern.is_match(text)))
        };
        if let Some(rule) = spec.system.iter().find(matching) {
            // A description from another tenant may hold that tenant's own resources.
            self.leave_why(&resource.address, Kept::System(rule.why.clone()));
            return;
        }
        let origin = self.origin_of_missing(spec, resource);
        if origin == Origin::Drift && self.options.keeps_drift(&resource.address) {
            self.leave_why(&resource.address, Kept::Drift);
            return;
        }
        let found = diff(&spec.fields, &resource.value, &Value::object(), &resource.loci);
        let mut all = found.fields;
        all.extend(found.create_only);
        all.extend(found.secrets.iter().map(|(path, source)| sent_secret(resource, path, source)));
        all.sort_by(|a, b| a.path.cmp(&b.path));
        for field in &mut all {
            field.origin = origin;
            field.risk = Risk::Safe;
            field.why = None;
            field.forces_replace = false;
        }
        let empty = Map::new();
        let members = resource.value.as_object().unwrap_or(&empty);
        let lacks = |needed: &&String| {
            !members.contains_key(*needed) && spec.field(needed).is_none_or(|f| f.default_in(members).is_none())
        };
        let needed: Vec<String> = spec.fields.required_on_create.iter().filter(lacks).cloned().collect();
        if !needed.is_empty() {
            let title = format!("`{}` cannot be created without `{}`", resource.address, needed.join("`, `"));
            let problem = Problem::error("missing-field", title).at_maybe(resource.loci.at(&Path::root()));
            self.plan.notes.push(problem.help(format!("add `{}`", needed.join("`, `"))));
            return;
        }
        let singleton = spec.shape == KindShape::Single && spec.create.is_none();
        let action = if singleton { Action::Update } else { Action::Create };
        let mut change = self.change(&resource.address, action, all);
        change.origin = origin;
        change.risk = change.risk.max(spec.create_risk);
        change.locus = resource.loci.at(&Path::root()).cloned();
        if matches!(origin, Origin::Drift | Origin::Conflict) {
            change.reasons.push("deleted outside since the last deployment".to_owned());
        }
        let nothing = Map::new();
        let sides = Sides { desired: members, live: &nothing, raw: &Json::Null, forced: &[], tenant: self.live };
        change.steps = steps(spec, &change, &sides);
        change.missing_secrets = missing(&change);
        if change.steps.is_empty() {
            self.plan.unchanged.push(resource.address.clone());
            return;
        }
        self.note_lost_id(resource);
        self.nodes.push(Node { change, desired: Some(resource.value.clone()), live: None });
    }

    fn origin_of_missing(&self, spec: &KindSpec, resource: &Described) -> Origin {
        let Some((_, left)) = self.known.of(resource) else { return Origin::Unknown };
        let taken_along =
            self.original.is_some_and(|live| live.resources(&spec.name).iter().any(|l| l.address == resource.address));
        if taken_along {
            return Origin::Change;
        }
        let nothing = Value::object();
        let found = self.comparison(spec, resource).sides(sides_of(resource, Some(&nothing), Some(left)));
        if found.ours { Origin::Conflict } else { Origin::Drift }
    }

    /// A described id that nobody has would be another one after the create.
    fn note_lost_id(&mut self, resource: &Described) {
        let Some(id) = &resource.id else { return };
        let title = format!("`{}` is described with the id `{id}`, which is not live", resource.address);
        let problem = Problem::warning("id-not-live", title)
            .at_maybe(resource.loci.at(&Path::root()))
            .note("it would be created, and the API gives it another id")
            .help("write the id of the resource that is meant, or leave the id out");
        self.plan.notes.push(problem);
    }

    /// Plans a live resource that is not described; `claimed` are the addresses that described ones were left under.
    pub(super) fn undescribed(&mut self, spec: &KindSpec, live: &LiveResource, claimed: &BTreeSet<&Address>) {
        if live.system.is_some() || spec.delete.is_none() || !spec.is_open_set() {
            return;
        }
        let left = self.known.remembers(live).filter(|(address, _)| !claimed.contains(address)).map(|(_, left)| left);
        let pruned = self.options.prune.contains(&spec.name);
        if self.options.leave_removals && !pruned {
            self.leave_why(&live.address, Kept::DeleteNotAllowed);
            return;
        }
        if left.is_none() && !pruned && !self.options.delete_undescribed {
            self.plan.unmanaged.resources.push(live.address.clone());
            return;
        }
        let origin = match left {
            None => Origin::Unknown,
            Some(left) if self.drifted(spec, left, live) => Origin::Conflict,
            Some(_) => Origin::Change,
        };
        let mut change = self.change(&live.address, Action::Delete, leaves(&live.value, origin));
        change.origin = origin;
        change.id = Some(live.id.clone());
        deletion(self.registry, spec, self.live, &mut change);
        if origin == Origin::Conflict {
            change.reasons.push("changed outside since the last deployment".to_owned());
        }
        let empty = Map::new();
        let sides = Sides {
            desired: &empty,
            live: live.value.as_object().unwrap_or(&empty),
            raw: &live.raw,
            forced: &[],
            tenant: self.live,
        };
        change.steps = steps(spec, &change, &sides);
        self.nodes.push(Node { change, desired: None, live: Some(live.value.clone()) });
    }

    /// Says whether a live resource was changed outside, in what was described of it.
    fn drifted(&self, spec: &KindSpec, left: &BaseResource, live: &LiveResource) -> bool {
        let live = self
            .original
            .and_then(|o| o.resources(&spec.name).iter().find(|l| l.address == live.address))
            .unwrap_or(live);
        let unread = |(list, _): &(&'static str, String)| sub_rows(&live.raw, list).is_none();
        if quirk::of(spec).further_reads(&live.raw).iter().any(unread) {
            // What stands behind those reads was not asked for, and cannot be told from what is gone.
            return false;
        }
        let desired = seen(spec, &left.desired, &live.value);
        let loci = Loci::default();
        let comparison = Comparison {
            key: self.options.fingerprint_key.as_ref(),
            kind: Some(spec),
            ..Comparison::of(&spec.fields, &loci)
        };
        let base = Some(Diff { before: Some(&desired), after: Some(&left.live) });
        comparison.sides(ThreeWay { desired: Some(&desired), live: Some(&live.value), base }).theirs
    }

    /// Notes what was deleted on both sides: the base forgets it at the next apply.
    pub(super) fn gone(&mut self, spec: &KindSpec, claimed: &BTreeSet<&Address>) {
        if !spec.is_open_set() {
            return;
        }
        let live = self.original.unwrap_or(self.live).resources(&spec.name);
        let ids: BTreeSet<&str> = live.iter().map(|l| l.id.as_str()).filter(|id| !id.is_empty()).collect();
        let addresses: BTreeSet<&Address> = live.iter().map(|l| &l.address).collect();
        for (address, left) in self.known.rest(&spec.name, claimed) {
            let lives = ids.contains(left.id.as_str()) || addresses.contains(address);
            let managed = self.options.filters.covers(address, &left.live) && self.options.covers(address);
            if !lives && managed {
                self.plan.already.push((address.clone(), Path::root()));
            }
        }
    }

    pub(super) fn leave_why(&mut self, address: &Address, why: Kept) {
        self.plan.left.push(Left { address: address.clone(), fields: Vec::new(), why });
    }
}
