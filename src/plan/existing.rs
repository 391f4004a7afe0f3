//! What is described and live: which fields are written, which stay.

use std::collections::BTreeSet;

use super::deletion::deletion;
use super::diff::{Differences, names};
use super::leaf::{lookup, lookup_mut, reorder, set, spec_at};
use super::make::{Maker, missing, sent_secret};
use super::normalize::foreign_in;
use super::order::Node;
use super::sides::Sides;
use super::sub::removes_from_sub;
use super::write::steps;
use crate::change::{Action, FieldChange, Kept, Origin};
use crate::model::{Address, BaseResource, Described, Diff, LiveResource, Map, Path, Segment, ThreeWay, Value};
use crate::problem::Problem;
use crate::schema::{FieldSpec, KindSpec};

impl Maker<'_> {
    /// Plans a described resource that is live; `recreated`: under another id than the one that was left.
    pub(super) fn existing(
        &mut self,
        spec: &KindSpec,
        resource: &Described,
        live: &LiveResource,
        recreated: Option<&BaseResource>,
    ) {
        let address = &resource.address;
        let mut found = self.compared(spec, resource, live);
        if recreated.is_some() {
            for field in found.fields.iter_mut().filter(|field| field.origin == Origin::Drift) {
                field.origin = Origin::Conflict;
            }
        }
        let empty = Map::new();
        let described = resource.value.as_object().unwrap_or(&empty);
        self.unreadable(resource, live, described, &mut found);
        self.plan.already.extend(found.already.drain(..).map(|path| (address.clone(), path)));
        self.plan.released.extend(found.released.drain(..).map(|path| (address.clone(), path)));
        let removals = self.options.leave_removals;
        let (left, mut fields): (Vec<FieldChange>, Vec<FieldChange>) =
            found.fields.into_iter().partition(|f| removals && removes_from_sub(spec, f));
        self.leave(address, left, Kept::DeleteNotAllowed);
        self.leave(address, std::mem::take(&mut found.create_only), Kept::CreateOnly);
        let secrets: Vec<(Path, String)> = found.secrets;
        if let Some(why) = &live.system {
            let why = if why == "own" { Kept::Own } else { Kept::System(why.clone()) };
            let (writable, others): (Vec<_>, Vec<_>) =
                fields.into_iter().partition(|f| why != Kept::Own && writable_on_system(spec, live, f));
            self.leave(address, others, why);
            fields = writable;
            if fields.is_empty() {
                self.plan.unchanged.push(address.clone());
                return;
            }
        }
        let mut kept = Vec::new();
        if self.options.keeps_drift(address) {
            (kept, fields) = fields.into_iter().partition(|field| field.origin == Origin::Drift);
        }
        let members = with_live(spec, described, live, &kept, &fields);
        let drifts = !kept.is_empty();
        self.leave(address, kept, Kept::Drift);
        let fixed: Vec<FieldChange> = fields.iter().filter(|f| is_fixed(&spec.fields, &f.path)).cloned().collect();
        if !fixed.is_empty() {
            self.leave(address, fixed, Kept::Fixed);
            return;
        }
        let forced = self.forced(&members, &secrets);
        if fields.is_empty() && forced.is_empty() {
            if let Some(before) = recreated {
                self.plan.notes.push(told_recreated(resource, live, before));
            }
            self.settled(address, secrets, drifts);
            return;
        }
        let sent = secrets.iter().filter(|(path, _)| forced.contains(path));
        fields.extend(sent.map(|(path, source)| sent_secret(resource, path, source)));
        fields.sort_by(|a, b| a.path.cmp(&b.path));
        let replace = fields.iter().any(|f| f.forces_replace) && spec.delete.is_some();
        let action = if replace { Action::Replace } else { Action::Update };
        let mut change = self.change(address, action, fields);
        change.id = Some(live.id.clone());
        change.locus = resource.loci.at(&Path::root()).cloned();
        if replace {
            deletion(self.registry, spec, self.live, &mut change);
            change.origin = origin_of(change.fields.iter().filter(|f| f.forces_replace));
            for field in change.fields.iter().filter(|f| f.forces_replace) {
                change.reasons.push(format!("`{}` cannot be changed in place", field.path));
            }
        }
        if let Some(before) = recreated {
            change.origin = Origin::Conflict;
            change.reasons.push(format!("recreated outside: its id was `{}` and is `{}`", before.id, live.id));
        }
        let wanted = without_left(&members, live, removals, spec);
        let live_members = live.value.as_object().unwrap_or(&empty);
        let sides = Sides { desired: &wanted, live: live_members, raw: &live.raw, forced: &forced, tenant: self.live };
        change.steps = steps(spec, &change, &sides);
        // Keys that no read returns are not sent again: a new one is a new credential.
        if change.steps.is_empty() && change.fields.is_empty() {
            self.settled(address, secrets, drifts);
            return;
        }
        change.missing_secrets = missing(&change);
        if !replace {
            let unsent = secrets.into_iter().filter(|(p, _)| !forced.contains(p)).collect();
            self.count_secrets(address, unsent);
        }
        self.nodes.push(Node { change, desired: Some(Value::Object(wanted)), live: Some(live.value.clone()) });
    }

    /// Compares with live and base. What a replace of another resource takes away was not changed outside.
    fn compared(&self, spec: &KindSpec, resource: &Described, live: &LiveResource) -> Differences {
        let base = self.known.of(resource).map(|(_, left)| left);
        let comparison = self.comparison(spec, resource);
        let against = |live: &LiveResource| comparison.sides(sides_of(resource, Some(&live.value), base));
        let mut found = against(live);
        let before = self.original.and_then(|original| {
            let mut all = original.resources(&spec.name).iter();
            all.find(|other| other.id == live.id && other.address == live.address)
        });
        if let Some(before) = before.filter(|before| base.is_some() && before.value != live.value) {
            let outside: BTreeSet<Path> = against(before).fields.into_iter().map(|field| field.path).collect();
            for field in found.fields.iter_mut().filter(|field| !outside.contains(&field.path)) {
                field.origin = Origin::Change;
            }
        }
        found
    }

    /// Notes members that could not be read, and drops what seemed to differ there.
    fn unreadable(&mut self, resource: &Described, live: &LiveResource, described: &Map, found: &mut Differences) {
        for (member, why) in live.unreadable.iter().filter(|(member, _)| described.contains_key(member)) {
            let whole = Path::root().key(member);
            found.fields.retain(|f| !f.path.starts_with(&whole));
            found.already.retain(|path| !path.starts_with(&whole));
            self.plan.unreadable.push((format!("{} {member}", resource.address), why.clone()));
        }
    }

    /// Notes a resource that is not written.
    fn settled(&mut self, address: &Address, secrets: Vec<(Path, String)>, drifts: bool) {
        self.count_secrets(address, secrets);
        if !drifts {
            self.plan.unchanged.push(address.clone());
        }
    }

    /// Secrets to send although they cannot be compared.
    fn forced(&self, members: &Map, secrets: &[(Path, String)]) -> Vec<Path> {
        if !self.options.send_secrets {
            return Vec::new();
        }
        let known =
            |path: &Path| path.first_key().and_then(|key| members.get(key)).is_some_and(|v| v.to_json().is_ok());
        secrets.iter().map(|(path, _)| path.clone()).filter(known).collect()
    }

    /// Says whether a resource that refers to a kind without a schema differs in nothing that can be compared.
    pub(super) fn same_but_foreign(&self, spec: &KindSpec, resource: &Described, live: &LiveResource) -> bool {
        let found = self.comparison(spec, resource).sides(sides_of(resource, Some(&live.value), None));
        found.fields.iter().all(|field| {
            let sides = [&field.diff.before, &field.diff.after];
            let field_spec = spec_at(&spec.fields, &field.path);
            sides.into_iter().flatten().all(|value| foreign_in(self.registry, field_spec, value).is_some())
        })
    }
}

/// The sides of a described resource.
pub(super) fn sides_of<'v>(
    resource: &'v Described,
    live: Option<&'v Value>,
    base: Option<&'v BaseResource>,
) -> ThreeWay<&'v Value> {
    let base = base.map(|left| Diff { before: Some(&left.desired), after: Some(&left.live) });
    ThreeWay { desired: Some(&resource.value), live, base }
}

/// Edits what is described so that it asks for what was changed outside and stays.
fn with_live(
    spec: &KindSpec,
    described: &Map,
    live: &LiveResource,
    kept: &[FieldChange],
    written: &[FieldChange],
) -> Map {
    if kept.is_empty() {
        return described.clone();
    }
    match with_sides(spec, &Value::Object(described.clone()), &live.value, kept, written) {
        Value::Object(members) => members,
        _ => described.clone(),
    }
}

/// Returns a value with the leaves of some fields taken from another; `others` differ too and stay as they are.
pub(super) fn with_sides(
    spec: &KindSpec,
    value: &Value,
    from: &Value,
    fields: &[FieldChange],
    others: &[FieldChange],
) -> Value {
    let mut value = value.clone();
    let mut ordered: BTreeSet<&[Segment]> = BTreeSet::new();
    for field in fields {
        let list = match field.path.0.split_last() {
            Some((Segment::Item(_), list)) => list,
            _ => &field.path.0,
        };
        let is_ordered = spec_at(&spec.fields, &Path(list.to_vec())).ordered;
        if is_ordered {
            ordered.insert(list);
        }
        // Only the order of a list stands at the list itself.
        if !is_ordered || list.len() != field.path.0.len() {
            set(&spec.fields, &mut value, &field.path.0, lookup(&spec.fields, from, &field.path).cloned());
        }
    }
    for list in ordered.into_iter().filter(|list| others.iter().all(|field| field.path.0 != **list)) {
        let path = Path(list.to_vec());
        let list = spec_at(&spec.fields, &path);
        let order = lookup(&spec.fields, from, &path).and_then(Value::as_array).map(|items| names(list, items));
        if let (Some(order), Some(Value::Array(items))) = (order, lookup_mut(&mut value, &path)) {
            reorder(list, items, &order);
        }
    }
    value
}

/// The origin of a change that several fields make: the one that needs most attention.
fn origin_of<'f>(fields: impl Iterator<Item = &'f FieldChange>) -> Origin {
    let weight = |origin: &Origin| match origin {
        Origin::Unknown => 0,
        Origin::Change => 1,
        Origin::Drift => 2,
        Origin::Conflict => 3,
    };
    fields.map(|field| field.origin).max_by_key(weight).unwrap_or(Origin::Unknown)
}

fn told_recreated(resource: &Described, live: &LiveResource, before: &BaseResource) -> Problem {
    Problem::warning("recreated-outside", format!("`{}` was recreated outside", resource.address))
        .at_maybe(resource.loci.at(&Path::root()))
        .note(format!("its id was `{}` at the last deployment and is `{}`; nothing else differs", before.id, live.id))
        .help(format!(
            "look at who made it: `tenantry drift` (what used the old id of `{}` no longer works)",
            resource.address
        ))
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
