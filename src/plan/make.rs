//! Makes the plan: pairs, compares, decides what may be done, turns it into requests and orders them.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::diff::{Differences, diff};
use super::normalize::foreign;
use super::order::{Node, forecast, order, references};
use super::pair::{Partner, pair};
use super::sides::Sides;
use super::sub::removes_from_sub;
use super::write::steps;
use super::{renamed, replaced};
use crate::change::{Action, Change, FieldChange, How, Kept, Left, Origin, Plan};
use crate::description::Filters;
use crate::model::{
    Address, AddressPattern, Base, Described, Desired, Diff, Live, LiveKind, LiveResource, Map, Path, Segment,
    Unavailable, Unresolved, Value,
};
use crate::problem::Problem;
use crate::quirk;
use crate::schema::{FieldSpec, KindShape, KindSpec, Registry, Risk, SystemRule};

/// What the user allows and asks for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Environment's name, for the plan's head.
    pub environment: String,
    /// Live resources of described kinds that are not described are deleted, where deletes are allowed.
    pub delete_undescribed: bool,
    /// Kinds whose undescribed live resources are to be deleted.
    pub prune: Vec<String>,
    /// Deletes and removals that are not asked for are left and listed instead of refused.
    pub leave_removals: bool,
    /// What the API is sure to refuse is left and listed instead of tried.
    pub leave_refused: bool,
    /// Secrets that cannot be compared are sent.
    pub send_secrets: bool,
    /// Only these, where any.
    pub targets: Vec<AddressPattern>,
    /// What is managed.
    pub filters: Filters,
    /// Renames: from what, to what.
    pub moved: Vec<(Address, Address)>,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: Vec<AddressPattern>,
    /// What was changed outside stays, where it is not in [`Options::overwrite`].
    pub keep_drift: bool,
}

impl Options {
    fn covers(&self, address: &Address) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|p| p.matches(address))
    }
}

/// Compares and plans. `desired` is in canonical form ([`super::complete`]); `base` is what the last deployments left, `None` where
/// none is known.
pub fn make(registry: &Registry, desired: &Desired, live: &Live, _base: Option<&Base>, options: &Options) -> Plan {
    let followed = renamed::follow(registry, desired, live, &options.moved);
    let live = followed.as_ref().unwrap_or(live);
    let (mut plan, mut nodes) = compare(registry, desired, live, options);
    let is_replaced = |node: &&Node| node.change.action == Action::Replace;
    let replaced: BTreeSet<Address> =
        nodes.iter().filter(is_replaced).flat_map(|n| addresses(live, &n.change)).collect();
    if !replaced.is_empty() {
        // Everything that refers to what is made anew is planned anew.
        let after = replaced::without(registry, live, &replaced);
        (plan, nodes) = compare(registry, desired, &after, options);
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
    plan.changes = order(registry, nodes);
    plan.forecast = forecast(&plan.changes);
    plan.unchanged.sort();
    debug_assert_eq!(plan.valid(), Ok(()));
    plan
}

fn compare(registry: &Registry, desired: &Desired, live: &Live, options: &Options) -> (Plan, Vec<Node>) {
    let mut maker = Maker {
        registry,
        desired,
        live,
        options,
        plan: Plan { environment: options.environment.clone(), domain: live.domain.clone(), ..Plan::default() },
        nodes: Vec::new(),
    };
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

struct Maker<'a> {
    registry: &'a Registry,
    desired: &'a Desired,
    live: &'a Live,
    options: &'a Options,
    plan: Plan,
    nodes: Vec<Node>,
}

impl Maker<'_> {
    fn kind(&mut self, spec: &KindSpec, described: &[Described], found: &[LiveResource]) {
        let partners = pair(spec, described, found, &self.options.moved);
        let mut paired = BTreeSet::new();
        for (resource, partner) in described.iter().zip(partners) {
            if let Some((kind, name)) = foreign(self.registry, spec, resource) {
                if let Partner::Live(at) = partner {
                    paired.insert(at);
                }
                self.leave_why(&resource.address, Kept::Foreign(kind, name));
                continue;
            }
            if self.options.leave_refused
                && let Some(why) = quirk::of(spec).refused(resource, self.desired, self.live)
            {
                if let Partner::Live(at) = partner {
                    paired.insert(at);
                }
                self.leave_why(&resource.address, Kept::Refused(why));
                continue;
            }
            match partner {
                Partner::Live(at) => {
                    paired.insert(at);
                    if let Some(live) = found.get(at)
                        && self.options.covers(&resource.address)
                    {
                        self.existing(spec, resource, live);
                    }
                }
                Partner::Nothing if self.options.covers(&resource.address) => self.missing(spec, resource),
                Partner::Nothing => {}
                Partner::Ambiguous(ids) => {
                    paired.extend(found.iter().enumerate().filter(|(_, l)| ids.contains(&l.id)).map(|(at, _)| at));
                    self.plan.left.push(Left {
                        address: resource.address.clone(),
                        fields: Vec::new(),
                        why: Kept::Ambiguous(ids),
                    });
                }
            }
        }
        for (_, live) in found.iter().enumerate().filter(|(at, _)| !paired.contains(at)) {
            let managed = self.options.filters.covers(&live.address, &live.value);
            if managed && self.options.covers(&live.address) {
                self.undescribed(spec, live);
            }
        }
    }

    fn existing(&mut self, spec: &KindSpec, resource: &Described, live: &LiveResource) {
        let mut found = diff(&spec.fields, &resource.value, &live.value, &resource.loci);
        let empty = Map::new();
        let members = resource.value.as_object().unwrap_or(&empty);
        for (member, why) in &live.unreadable {
            if members.contains_key(member) {
                let whole = Path::root().key(member);
                found.fields.retain(|f| !f.path.starts_with(&whole));
                self.plan.unreadable.push((format!("{} {member}", resource.address), why.clone()));
            }
        }
        let removals = self.options.leave_removals;
        let (left, mut fields): (Vec<FieldChange>, Vec<FieldChange>) =
            found.fields.into_iter().partition(|f| removals && removes_from_sub(spec, f));
        self.leave(&resource.address, left, Kept::DeleteNotAllowed);
        self.leave(&resource.address, std::mem::take(&mut found.create_only), Kept::CreateOnly);
        let secrets: Vec<(Path, String)> = found.secrets;
        let forced = self.forced(spec, members, &secrets);
        if let Some(why) = &live.system {
            let why = if why == "own" { Kept::Own } else { Kept::System(why.clone()) };
            let (writable, others): (Vec<_>, Vec<_>) =
                fields.into_iter().partition(|f| why != Kept::Own && writable_on_system(spec, live, f));
            self.leave(&resource.address, others, why);
            fields = writable;
            if fields.is_empty() {
                self.plan.unchanged.push(resource.address.clone());
                return;
            }
        }
        let fixed: Vec<FieldChange> = fields.iter().filter(|f| is_fixed(&spec.fields, &f.path)).cloned().collect();
        if !fixed.is_empty() {
            self.leave(&resource.address, fixed, Kept::Fixed);
            return;
        }
        if fields.is_empty() && forced.is_empty() {
            self.count_secrets(&resource.address, secrets);
            self.plan.unchanged.push(resource.address.clone());
            return;
        }
        let sent = secrets.iter().filter(|(path, _)| forced.contains(path));
        fields.extend(sent.map(|(path, source)| sent_secret(resource, path, source)));
        fields.sort_by(|a, b| a.path.cmp(&b.path));
        let replace = fields.iter().any(|f| f.forces_replace) && spec.delete.is_some();
        let action = if replace { Action::Replace } else { Action::Update };
        let mut change = self.change(spec, &resource.address, action, fields);
        change.id = Some(live.id.clone());
        change.locus = resource.loci.at(&Path::root()).cloned();
        if replace {
            deletion(self.registry, spec, self.live, &mut change);
            for field in change.fields.iter().filter(|f| f.forces_replace) {
                change.reasons.push(format!("`{}` cannot be changed in place", field.path));
            }
        }
        let kept = without_left(members, live, removals, spec);
        let empty = Map::new();
        let live_members = live.value.as_object().unwrap_or(&empty);
        let sides = Sides { desired: &kept, live: live_members, raw: &live.raw, forced: &forced, tenant: self.live };
        change.steps = steps(spec, &change, &sides);
        // Keys that no read returns are not sent again: a new one is a new credential.
        if change.steps.is_empty() && change.fields.is_empty() {
            self.count_secrets(&resource.address, secrets);
            self.plan.unchanged.push(resource.address.clone());
            return;
        }
        let rewritten: Vec<(Path, String)> = missing(&change);
        change.missing_secrets = rewritten.into_iter().map(|(_, source)| source).collect();
        if !replace {
            let unsent = secrets.into_iter().filter(|(p, _)| !forced.contains(p)).collect();
            self.count_secrets(&resource.address, unsent);
        }
        self.nodes.push(Node { change, desired: Some(Value::Object(kept)), live: Some(live.value.clone()) });
    }

    /// Secrets to send although they cannot be compared.
    fn forced(&self, _spec: &KindSpec, members: &Map, secrets: &[(Path, String)]) -> Vec<Path> {
        if !self.options.send_secrets {
            return Vec::new();
        }
        let known =
            |path: &Path| path.first_key().and_then(|key| members.get(key)).is_some_and(|v| v.to_json().is_ok());
        secrets.iter().map(|(path, _)| path.clone()).filter(known).collect()
    }

    fn missing(&mut self, spec: &KindSpec, resource: &Described) {
        let matching = |rule: &&SystemRule| {
            let text = resource.value.get(&rule.member).and_then(Value::as_str);
            text.is_some_and(|text| rule.matches.as_ref().is_some_and(|pattern| pattern.is_match(text)))
        };
        if let Some(rule) = spec.system.iter().find(matching) {
            // A description from another tenant may hold that tenant's own resources.
            self.leave_why(&resource.address, Kept::System(rule.why.clone()));
            return;
        }
        let Differences { fields, create_only, secrets } =
            diff(&spec.fields, &resource.value, &Value::object(), &resource.loci);
        let mut all = fields;
        all.extend(create_only);
        all.extend(secrets.iter().map(|(path, source)| sent_secret(resource, path, source)));
        all.sort_by(|a, b| a.path.cmp(&b.path));
        for field in &mut all {
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
        let mut change = self.change(spec, &resource.address, action, all);
        change.risk = change.risk.max(spec.create_risk);
        change.locus = resource.loci.at(&Path::root()).cloned();
        let nothing = Map::new();
        let sides = Sides { desired: members, live: &nothing, raw: &Json::Null, forced: &[], tenant: self.live };
        change.steps = steps(spec, &change, &sides);
        change.missing_secrets = missing(&change).into_iter().map(|(_, source)| source).collect();
        if change.steps.is_empty() {
            self.plan.unchanged.push(resource.address.clone());
            return;
        }
        self.nodes.push(Node { change, desired: Some(resource.value.clone()), live: None });
    }

    fn undescribed(&mut self, spec: &KindSpec, live: &LiveResource) {
        if live.system.is_some() || spec.delete.is_none() || !spec.is_open_set() {
            return;
        }
        let pruned = self.options.prune.contains(&spec.name);
        if !pruned && !self.options.delete_undescribed {
            if self.options.leave_removals {
                self.leave_whole(&live.address);
            } else {
                self.plan.unmanaged.resources.push(live.address.clone());
            }
            return;
        }
        let fields = leaves(&live.value);
        let mut change = self.change(spec, &live.address, Action::Delete, fields);
        change.id = Some(live.id.clone());
        deletion(self.registry, spec, self.live, &mut change);
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

    fn change(&self, _spec: &KindSpec, address: &Address, action: Action, fields: Vec<FieldChange>) -> Change {
        let risk = fields.iter().map(|f| f.risk).max().unwrap_or_default();
        Change { fields, risk, ..Change::new(address.clone(), action) }
    }

    fn leave(&mut self, address: &Address, fields: Vec<FieldChange>, why: Kept) {
        if !fields.is_empty() {
            self.plan.left.push(Left { address: address.clone(), fields, why });
        }
    }

    fn leave_whole(&mut self, address: &Address) {
        self.leave_why(address, Kept::DeleteNotAllowed);
    }

    fn leave_why(&mut self, address: &Address, why: Kept) {
        self.plan.left.push(Left { address: address.clone(), fields: Vec::new(), why });
    }

    fn count_secrets(&mut self, address: &Address, secrets: Vec<(Path, String)>) {
        self.plan.secrets.extend(secrets.into_iter().map(|(path, source)| (address.clone(), path, source)));
    }
}

/// Adds to a change what deleting the live resource means.
fn deletion(registry: &Registry, spec: &KindSpec, live: &Live, change: &mut Change) {
    change.risk = change.risk.max(spec.delete_risk);
    change.reasons.extend(spec.delete_why.clone());
    cascades(registry, live, change);
}

/// Returns the address of a change and, where it differs, that of the live resource.
fn addresses(live: &Live, change: &Change) -> BTreeSet<Address> {
    let found = live.resources(&change.address.kind).iter().filter(|l| Some(&l.id) == change.id.as_ref());
    found.map(|l| l.address.clone()).chain([change.address.clone()]).collect()
}

/// Finds what the API deletes along with a resource, and what loses it from a list.
fn cascades(registry: &Registry, live: &Live, change: &mut Change) {
    let Some(spec) = registry.kind(&change.address.kind) else { return };
    let own = addresses(live, change);
    for cascade in &spec.cascades {
        let Some(kind) = registry.kind(&cascade.kind) else { continue };
        let Some(member) = cascade.items.as_ref().or(cascade.member.as_ref()) else { continue };
        let Some(field) = kind.field(member) else { continue };
        for other in live.resources(&cascade.kind).iter().filter(|o| !own.contains(&o.address)) {
            let named =
                |text: &str| own.iter().any(|a| Some(text) == a.name.as_deref()) || Some(text) == change.id.as_deref();
            let refers = other
                .value
                .get(member)
                .is_some_and(|value| !references(field, value).is_disjoint(&own) || value.as_str().is_some_and(named));
            if refers && cascade.items.is_none() {
                change.cascades.push(other.address.clone());
            } else if refers {
                change.reasons.push(format!("`{}` loses it from its `{member}`", other.address));
            }
        }
    }
    change.cascades.dedup();
    let mut seen = BTreeSet::new();
    change.reasons.retain(|reason| seen.insert(reason.clone()));
}

/// Says whether a change at a path makes no sense at all, not even as a replace.
fn is_fixed(spec: &FieldSpec, path: &Path) -> bool {
    let mut here = spec;
    path.0.iter().any(|segment| {
        let next = match segment {
            Segment::Key(key) => here.member(key),
            Segment::Index(_) | Segment::Item(_) => here.item(),
        };
        let Some(next) = next else { return false };
        here = next;
        here.fixed
    })
}

fn writable_on_system(spec: &KindSpec, live: &LiveResource, field: &FieldChange) -> bool {
    let path = field.path.to_string();
    let below = |allowed: &String| path == *allowed || path.starts_with(&format!("{allowed}."));
    let rule = spec.system.iter().find(|rule| Some(&rule.why) == live.system.as_ref());
    rule.is_some_and(|rule| rule.writable.iter().any(below))
}

/// Adds live items back to sub-resource lists whose removals are left undone.
fn without_left(members: &Map, live: &LiveResource, leave: bool, spec: &KindSpec) -> Map {
    let mut out = members.clone();
    if !leave {
        return out;
    }
    for (path, field) in spec.subs() {
        let Some(name) = path.first_key().filter(|_| path.0.len() == 1) else { continue };
        let (Some(Value::Array(wanted)), Some(Value::Array(found))) = (out.get_mut(name), live.value.get(name)) else {
            continue;
        };
        let name_of = |item: &Value| {
            if field.key.is_empty() { super::diff::item_name(item) } else { super::diff::key_of(field, item) }
        };
        let have: BTreeSet<String> = wanted.iter().map(name_of).collect();
        wanted.extend(found.iter().filter(|item| !have.contains(&name_of(item))).cloned());
    }
    out
}

/// A secret that is sent although what is live of it cannot be told.
fn sent_secret(resource: &Described, path: &Path, source: &str) -> FieldChange {
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
fn missing(change: &Change) -> Vec<(Path, String)> {
    let mut out = Vec::new();
    for body in change.steps.iter().filter_map(|s| s.body.as_ref()) {
        body.each_unresolved(&mut |u| {
            if !out.iter().any(|(_, source)| source == &u.source) {
                out.push((Path::root(), u.source.clone()));
            }
        });
    }
    out
}

/// Returns every top-level member as something that goes.
fn leaves(value: &Value) -> Vec<FieldChange> {
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(_, v)| !v.is_blank())
        .map(|(name, v)| FieldChange {
            path: Path::root().key(name),
            diff: Diff { before: Some(v.clone()), after: None },
            how: if matches!(v, Value::Secret(_)) { How::Secret } else { How::Value },
            origin: Origin::Unknown,
            risk: Risk::Safe,
            why: None,
            locus: None,
            forces_replace: false,
        })
        .collect()
}

/// Says what stands against applying, as far as the plan alone tells.
pub fn problems(plan: &Plan) -> Vec<Problem> {
    let left = plan.left.iter().filter_map(|left| match &left.why {
        Kept::Ambiguous(ids) => Some(
            Problem::error("ambiguous-resource", format!("several live resources are `{}`", left.address))
                .note(format!("ids: {}", ids.join(", ")))
                .help("give the id of the one that is meant"),
        ),
        Kept::Fixed => {
            let field = left.fields.first();
            let path = field.map(|f| f.path.to_string()).unwrap_or_default();
            Some(
                Problem::error("immutable-field", format!("`{path}` of `{}` can never change", left.address))
                    .at_maybe(field.and_then(|f| f.locus.as_ref()))
                    .help("put the live value back, or describe a new resource under another name"),
            )
        }
        _ => None,
    });
    left.chain(plan.notes.iter().cloned()).collect()
}
