//! Which resources and leaves of two sides differ.

use std::collections::{BTreeMap, BTreeSet};

use super::side::{Held, HeldKind, Side, Standing};
use crate::change::{FieldChange, How};
use crate::model::{Address, Described, LiveResource, Loci, Locus, Path, Unavailable};
use crate::plan::{Differences, Partner, diff, diff_evenly, partners};
use crate::schema::{KindSpec, Registry};

/// Two resources that are the same one.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    /// Its address on the first side.
    pub(super) one: Address,
    /// Its address on the second.
    pub(super) other: Address,
    /// Leaves that differ: before is the first side, after the second.
    pub(super) fields: Vec<FieldChange>,
    /// Where the second side's leaves stand; the first side's are in the fields.
    pub(super) loci: BTreeMap<Path, Locus>,
}

/// Something that could not be compared.
#[derive(Debug, Clone)]
pub struct Uncompared {
    /// A kind, or an address with a member.
    pub what: String,
    /// It is the second side that could not be read.
    pub second: bool,
    /// Why.
    pub why: Unavailable,
    /// Resources that the other side holds of it.
    pub held: usize,
}

/// What differs between two sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// Resources that only the first side has.
    pub(super) only_one: Vec<Held>,
    /// Resources that only the second side has.
    pub(super) only_other: Vec<Held>,
    /// Resources that both have, those that are the same among them.
    pub(super) pairs: Vec<Pair>,
    /// Secrets that cannot be compared, with where they come from.
    pub(super) secrets: Vec<(Address, Path, String)>,
    /// What could not be read.
    pub(super) uncompared: Vec<Uncompared>,
    /// Resources whose name several on the other side have.
    pub(super) ambiguous: Vec<(Address, Vec<String>)>,
    /// Kinds of the live side that the description does not speak of.
    pub(super) unspoken: Vec<String>,
}

/// How resources are paired.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    /// Both sides are of one tenant: ids tell resources apart before names do.
    pub by_id: bool,
    /// Renames, from what to what.
    pub moved: &'a [(Address, Address)],
}

/// Compares two sides.
pub(super) fn differences(registry: &Registry, one: &Side, other: &Side, pairs: Pairs<'_>) -> Found {
    let mut found = Found::default();
    for spec in registry.kinds() {
        let unread = |side: &Side| match side.kinds.get(&spec.name) {
            Some(HeldKind::Unavailable(why)) => Some(why.clone()),
            _ => None,
        };
        let unspoken = |side: &Side, live: &Side| {
            side.standing == Standing::Described
                && live.standing == Standing::Live
                && !side.kinds.contains_key(&spec.name)
        };
        if unspoken(one, other) || unspoken(other, one) {
            found.unspoken.push(spec.name.clone());
            continue;
        }
        let why = [unread(one), unread(other)];
        if why.iter().any(Option::is_some) {
            let held = [other.resources(&spec.name).len(), one.resources(&spec.name).len()];
            for (second, (why, held)) in why.into_iter().zip(held).enumerate() {
                let what = spec.name.clone();
                found.uncompared.extend(why.map(|why| Uncompared { what, second: second == 1, why, held }));
            }
            continue;
        }
        kind(spec, one, other, pairs, &mut found);
    }
    found
}

fn kind(spec: &KindSpec, one: &Side, other: &Side, pairs: Pairs<'_>, found: &mut Found) {
    let (ours, theirs) = (one.resources(&spec.name), other.resources(&spec.name));
    let described: Vec<Described> = ours.iter().map(|held| as_described(held, pairs.by_id)).collect();
    let lived: Vec<LiveResource> = theirs.iter().map(|held| as_live(held, pairs.by_id)).collect();
    let mut taken = BTreeSet::new();
    for (held, partner) in ours.iter().zip(partners(spec, &described, &lived, pairs.moved)) {
        match partner {
            Partner::Live(at) => {
                taken.insert(at);
                if let Some(their) = theirs.get(at)
                    && !(held.system && their.system)
                {
                    pair(spec, (one.standing, held), (other.standing, their), found);
                }
            }
            Partner::Ambiguous(ids) => {
                let is_one = |at: &usize| {
                    lived.get(*at).is_some_and(|l| l.address.name == held.address.name && !taken.contains(at))
                };
                let all: Vec<usize> = (0..lived.len()).filter(is_one).collect();
                taken.extend(all);
                found.ambiguous.push((held.address.clone(), ids));
            }
            Partner::Nothing if held.system => {}
            Partner::Nothing => found.only_one.push(held.clone()),
        }
    }
    let rest = theirs.iter().enumerate().filter(|(at, held)| !taken.contains(at) && !held.system);
    found.only_other.extend(rest.map(|(_, held)| held.clone()));
}

fn pair(spec: &KindSpec, one: (Standing, &Held), other: (Standing, &Held), found: &mut Found) {
    let ((first, ours), (second, theirs)) = (one, other);
    let mut made =
        Pair { one: ours.address.clone(), other: theirs.address.clone(), fields: Vec::new(), loci: BTreeMap::new() };
    let mut secrets = Vec::new();
    // What is described is compared with what is live as a plan does it; equals are compared both ways round.
    if first == second {
        let forward = diff_evenly(spec, &ours.value, &theirs.value, &ours.loci);
        let back = diff_evenly(spec, &theirs.value, &ours.value, &theirs.loci);
        made.loci = places(&back);
        let known: BTreeSet<Path> = forward.fields.iter().chain(&forward.create_only).map(|f| f.path.clone()).collect();
        secrets.extend(forward.secrets.iter().chain(&back.secrets).cloned());
        let only_theirs = |field: &FieldChange| {
            forward.released.iter().any(|p| field.path.starts_with(p)) && !known.contains(&field.path)
        };
        made.fields.extend(back.fields.into_iter().chain(back.create_only).filter(only_theirs));
        made.fields.extend(forward.fields.into_iter().chain(forward.create_only).map(turned));
    } else if first == Standing::Described {
        let differ = diff(&spec.fields, &ours.value, &theirs.value, &ours.loci);
        secrets.extend(differ.secrets);
        made.fields.extend(differ.fields.into_iter().chain(differ.create_only).map(turned));
    } else {
        let differ = diff(&spec.fields, &theirs.value, &ours.value, &theirs.loci);
        made.loci = places(&differ);
        secrets.extend(differ.secrets);
        made.fields.extend(differ.fields.into_iter().chain(differ.create_only));
    }
    if first == Standing::Live && second == Standing::Live {
        // A tenant makes secrets of its own: that they differ says nothing of either.
        let all = std::mem::take(&mut made.fields);
        let (hidden, told): (Vec<FieldChange>, Vec<FieldChange>) =
            all.into_iter().partition(|field| field.how == How::Secret);
        made.fields = told;
        secrets.extend(hidden.into_iter().map(|field| (field.path, "live".to_owned())));
    }
    for (second, held, against) in [(false, ours, theirs), (true, theirs, ours)] {
        for (member, why) in held.unreadable.iter().filter(|(member, _)| against.value.get(member).is_some()) {
            let whole = Path::root().key(member);
            made.fields.retain(|field| !field.path.starts_with(&whole));
            let what = format!("{} {member}", held.address);
            found.uncompared.push(Uncompared { what, second, why: why.clone(), held: 1 });
        }
    }
    made.fields.sort_by(|a, b| a.path.cmp(&b.path));
    secrets.sort();
    secrets.dedup_by(|a, b| a.0 == b.0);
    found.secrets.extend(secrets.into_iter().map(|(path, source)| (ours.address.clone(), path, source)));
    found.pairs.push(made);
}

fn places(differences: &Differences) -> BTreeMap<Path, Locus> {
    let fields = differences.fields.iter().chain(&differences.create_only);
    fields.filter_map(|field| Some((field.path.clone(), field.locus.clone()?))).collect()
}

/// A difference that leads to the first side leads away from it.
fn turned(field: FieldChange) -> FieldChange {
    FieldChange { diff: field.diff.clone().reversed(), ..field }
}

fn as_described(held: &Held, by_id: bool) -> Described {
    Described {
        address: held.address.clone(),
        id: held.id.clone().filter(|_| by_id),
        value: held.value.clone(),
        loci: Loci::default(),
    }
}

fn as_live(held: &Held, by_id: bool) -> LiveResource {
    LiveResource {
        address: held.address.clone(),
        id: held.id.clone().filter(|_| by_id).unwrap_or_default(),
        value: held.value.clone(),
        raw: serde_json::Value::Null.into(),
        system: None,
        unreadable: Vec::new(),
    }
}

/// Says whether one of two places lies in the other.
pub(super) fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// Names where a secret that differs comes from.
pub(super) fn secret_sources(field: &FieldChange) -> Vec<String> {
    let mut out = Vec::new();
    if field.how == How::Secret {
        for value in [&field.diff.before, &field.diff.after].into_iter().flatten() {
            value.each_secret(&mut |secret| out.push(secret.source().to_owned()));
        }
    }
    out.retain(|source| source.starts_with("secrets."));
    out.dedup();
    out
}
