//! Makes the plan: pairs, compares, decides what may be done, turns it into requests and orders them.

use std::collections::BTreeSet;

use super::deletion::{addresses, cascades};
use super::diff::Comparison;
use super::known::Known;
use super::normalize::foreign;
use super::options::Options;
use super::order::{Node, forecast, order};
use super::pair::{Partner, pair};
use super::problems::left_hanging;
use super::questions::questions;
use super::{renamed, replaced, suggest};
use crate::change::{Action, Change, FieldChange, How, Kept, Left, Origin, Plan};
use crate::model::{
    Address, Base, Described, Desired, Diff, Live, LiveKind, LiveResource, Path, Unavailable, Unresolved, Value,
};
use crate::quirk;
use crate::schema::{KindSpec, Registry, Risk};

/// Compares and plans. `desired` is in canonical form ([`super::complete`]); `base` is what the last deployments left, `None` where
/// none is known.
pub fn make(registry: &Registry, desired: &Desired, live: &Live, base: Option<&Base>, options: &Options) -> Plan {
    let followed = renamed::follow(registry, desired, live, base, &options.moved);
    let (live, base) = match &followed {
        Some((live, followed)) => (live, followed.as_ref()),
        None => (live, base),
    };
    let known = Known::new(base, &options.moved);
    let sides = Sides { registry, desired, options, known: &known };
    let (mut plan, mut nodes) = compare(sides, live, None);
    let is_replaced = |node: &&Node| node.change.action == Action::Replace;
    let replaced: BTreeSet<Address> =
        nodes.iter().filter(is_replaced).flat_map(|n| addresses(live, &n.change)).collect();
    if !replaced.is_empty() {
        // Everything that refers to what is made anew is planned anew.
        let after = replaced::without(registry, live, &replaced);
        (plan, nodes) = compare(sides, &after, Some(live));
        for node in nodes.iter_mut().filter(|node| node.change.action == Action::Replace) {
            cascades(registry, live, &mut node.change);
        }
    }
    for spec in registry.kinds() {
        let mut changes: Vec<&mut Change> =
            nodes.iter_mut().map(|n| &mut n.change).filter(|c| c.address.kind == spec.name).collect();
        if !changes.is_empty() {
            quirk::of(spec).arrange(&mut changes, live);
        }
    }
    plan.has_base = known.any();
    plan.changes = order(registry, nodes);
    plan.forecast = forecast(&plan.changes);
    plan.unchanged.sort();
    plan.already.sort();
    plan.released.sort();
    plan.questions = questions(&plan);
    plan.notes.extend(left_hanging(registry, desired, &plan, options.leave_refused));
    if !options.leave_removals && !options.delete_undescribed {
        plan.notes.extend(suggest::renamed(registry, &plan, desired, live));
    }
    debug_assert_eq!(plan.valid(), Ok(()));
    plan
}

/// Returns what was deployed of kinds that a description no longer speaks of: git keeps no folder whose last file is gone, and what
/// was to be deleted is then not managed any more.
pub fn let_go(desired: &Desired, base: Option<&Base>, options: &Options) -> Vec<Address> {
    let gone = base.into_iter().flat_map(|base| &base.resources).filter(|(address, left)| {
        let managed = options.filters.covers(address, &left.live) && options.covers(address);
        managed && !desired.kinds.contains_key(&address.kind)
    });
    gone.map(|(address, _)| address.clone()).collect()
}

/// What a plan is made from, besides what is live.
#[derive(Clone, Copy)]
struct Sides<'a> {
    registry: &'a Registry,
    desired: &'a Desired,
    options: &'a Options,
    known: &'a Known<'a>,
}

fn compare(sides: Sides<'_>, live: &Live, original: Option<&Live>) -> (Plan, Vec<Node>) {
    let Sides { registry, desired, options, known } = sides;
    let plan = Plan { environment: options.environment.clone(), domain: live.domain.clone(), ..Plan::default() };
    let mut maker = Maker { registry, desired, live, original, options, known, plan, nodes: Vec::new() };
    for spec in registry.kinds() {
        match (desired.kinds.get(&spec.name), live.kinds.get(&spec.name)) {
            (Some(described), Some(LiveKind::Read(found))) => maker.kind(spec, &described.resources, found),
            (Some(described), Some(LiveKind::Unavailable(Unavailable::Feature(words)))) => {
                maker.plan.skipped.insert(spec.name.clone(), (words.clone(), described.resources.len()));
            }
            (Some(_), Some(LiveKind::Unavailable(why))) => maker.plan.unreadable.push((spec.name.clone(), why.clone())),
            (Some(_), None) => {}
            (None, _) => maker.plan.unmanaged.kinds.push(spec.name.clone()),
        }
    }
    (maker.plan, maker.nodes)
}

/// A plan in the making.
pub(super) struct Maker<'a> {
    pub(super) registry: &'a Registry,
    pub(super) desired: &'a Desired,
    pub(super) live: &'a Live,
    /// The tenant as it is, where `live` is what a replace will leave of it.
    pub(super) original: Option<&'a Live>,
    pub(super) options: &'a Options,
    pub(super) known: &'a Known<'a>,
    pub(super) plan: Plan,
    pub(super) nodes: Vec<Node>,
}

impl Maker<'_> {
    fn kind(&mut self, spec: &KindSpec, described: &[Described], found: &[LiveResource]) {
        let partners = pair(spec, described, found, self.known);
        let claimed: BTreeSet<&Address> =
            described.iter().filter_map(|r| self.known.of(r)).map(|(address, _)| address).collect();
        let mut paired = BTreeSet::new();
        for (resource, partner) in described.iter().zip(partners) {
            let address = &resource.address;
            if let Partner::Live(at) = partner {
                paired.insert(at);
            }
            let live = if let Partner::Live(at) = partner { found.get(at) } else { None };
            if let Some((kind, name)) = foreign(self.registry, spec, resource) {
                if live.is_some_and(|live| self.same_but_foreign(spec, resource, live)) {
                    self.plan.unchanged.push(address.clone());
                } else {
                    self.leave_why(address, Kept::Foreign(kind, name));
                }
                continue;
            }
            if self.options.leave_refused
                && let Some(why) = quirk::of(spec).refused(resource, self.desired, self.live)
            {
                self.leave_why(address, Kept::Refused(why));
                continue;
            }
            if let Partner::Ambiguous(ids) = partner {
                paired.extend(found.iter().enumerate().filter(|(_, l)| ids.contains(&l.id)).map(|(at, _)| at));
                self.leave_why(address, Kept::Ambiguous(ids));
            } else if !self.options.covers(address) {
                continue;
            } else if let Some(live) = live {
                let left = self.known.of(resource).map(|(_, left)| left);
                // By identity, while the id that was left is gone.
                let recreated = left.filter(|left| {
                    let other = !left.id.is_empty() && left.id != live.id && resource.id.as_deref() != Some(&live.id);
                    other && found.iter().all(|l| l.id != left.id)
                });
                self.existing(spec, resource, live, recreated);
            } else {
                self.missing(spec, resource);
            }
        }
        for (_, live) in found.iter().enumerate().filter(|(at, _)| !paired.contains(at)) {
            let managed = self.options.filters.covers(&live.address, &live.value);
            if managed && self.options.covers(&live.address) {
                self.undescribed(spec, live, &claimed);
            }
        }
        self.gone(spec, &claimed);
    }

    /// How a described resource is compared.
    pub(super) fn comparison<'s>(&'s self, spec: &'s KindSpec, resource: &'s Described) -> Comparison<'s> {
        let key = self.options.fingerprint_key.as_ref();
        Comparison { key, kind: Some(spec), ..Comparison::of(&spec.fields, &resource.loci) }
    }

    pub(super) fn change(&self, address: &Address, action: Action, fields: Vec<FieldChange>) -> Change {
        let risk = fields.iter().map(|f| f.risk).max().unwrap_or_default();
        Change { fields, risk, ..Change::new(address.clone(), action) }
    }

    pub(super) fn leave(&mut self, address: &Address, fields: Vec<FieldChange>, why: Kept) {
        if !fields.is_empty() {
            self.plan.left.push(Left { address: address.clone(), fields, why });
        }
    }

    pub(super) fn count_secrets(&mut self, address: &Address, secrets: Vec<(Path, String)>) {
        self.plan.secrets.extend(secrets.into_iter().map(|(path, source)| (address.clone(), path, source)));
    }
}

/// A secret that is sent although what is live of it cannot be told.
pub(super) fn sent_secret(resource: &Described, path: &Path, source: &str) -> FieldChange {
    FieldChange {
        path: path.clone(),
        diff: Diff { before: None, after: Some(Value::Unresolved(Unresolved { source: source.to_owned() })) },
        how: How::Secret,
        origin: Origin::Unknown,
        risk: Risk::Safe,
        why: None,
        locus: resource.loci.at(path).cloned(),
        forces_replace: false,
    }
}

/// Secrets that the requests of a change need and nobody has.
pub(super) fn missing(change: &Change) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for body in change.steps.iter().filter_map(|s| s.body.as_ref()) {
        body.each_unresolved(&mut |u| {
            if !out.contains(&u.source) {
                out.push(u.source.clone());
            }
        });
    }
    out
}
