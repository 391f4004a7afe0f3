//! Which differences the environments themselves ask for, and which nobody does.

use std::collections::{BTreeMap, BTreeSet};

use super::differ::{Found, Pair, Pairs, Uncompared, differences, overlap, secret_sources};
use super::names::Places;
use super::side::{Held, Side};
use crate::change::FieldChange;
use crate::model::{Address, Locus, Path, Value};
use crate::schema::Registry;

/// One description, rendered for the environment of each side: what differs between the two is what variables explain.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// For the first side.
    pub one: &'a Side,
    /// For the second side.
    pub other: &'a Side,
    /// Which variables stand where in that description.
    pub places: &'a Places,
}

/// Why a difference is expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Explanation {
    /// Variables of the environments; empty where no name can be told.
    Variables(Vec<String>),
    /// The environment of the side without it leaves it alone (`include`, `exclude`).
    LeftAlone,
}

/// What was found of one resource.
#[derive(Debug, Clone)]
pub enum Resource {
    /// Both sides have it.
    Both(Vec<Leaf>),
    /// Only one has it.
    Only(Only, Option<Explanation>),
}

/// Which side alone has a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// The first.
    One,
    /// The second.
    Other,
}

/// A leaf that differs.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Before is the first side, after the second.
    pub field: FieldChange,
    /// Why that is expected; `None` where it is suspect.
    pub expected: Option<Explanation>,
    /// Where it stands in the first side's files.
    pub one: Option<Locus>,
    /// Where it stands in the second side's files.
    pub other: Option<Locus>,
}

/// What comparing found.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// Resources with differences, by address; the first side's where both have one.
    pub resources: Vec<(Address, Resource)>,
    /// Resources that are the same.
    pub same: usize,
    /// Secrets that cannot be compared: address, path and source.
    pub secrets: Vec<(Address, Path, String)>,
    /// What could not be read.
    pub uncompared: Vec<Uncompared>,
    /// Resources whose name several on the other side have: their ids.
    pub ambiguous: Vec<(Address, Vec<String>)>,
    /// Kinds that the description of one side does not speak of.
    pub unspoken: Vec<String>,
}

impl Compared {
    /// Counts the differences that are expected.
    pub fn expected(&self) -> usize {
        self.leaves(true)
    }

    /// Counts the differences that nothing explains; what one side holds and the other could not read is one too, for nobody knows
    /// that it is the same.
    pub fn suspect(&self) -> usize {
        let unread = self.uncompared.iter().filter(|one| one.held > 0).count();
        self.leaves(false) + unread + self.ambiguous.len()
    }

    fn leaves(&self, expected: bool) -> usize {
        let of = |resource: &Resource| match resource {
            Resource::Both(leaves) => leaves.iter().filter(|leaf| leaf.expected.is_some() == expected).count(),
            Resource::Only(_, why) => usize::from(why.is_some() == expected),
        };
        self.resources.iter().map(|(_, resource)| of(resource)).sum()
    }
}

/// How both sides stand to one reference.
struct Measure<'a> {
    places: &'a Places,
    /// Between what the two environments ask for.
    between: Found,
    /// Between what the first environment asks for and what the first side holds.
    one: Found,
    /// The same of the second.
    other: Found,
}

/// The same, by address.
struct Measured<'a> {
    places: &'a Places,
    between: &'a Found,
    /// What the two environments ask for, by the first one's address.
    asked: BTreeMap<&'a Address, &'a Pair>,
    /// By the address on the first side.
    one: BTreeMap<&'a Address, &'a Pair>,
    /// By the address on the second.
    other: BTreeMap<&'a Address, &'a Pair>,
}

/// Compares two sides.
pub fn compare(
    registry: &Registry,
    one: &Side,
    other: &Side,
    pairs: Pairs<'_>,
    references: &[Reference<'_>],
) -> Compared {
    let found = differences(registry, one, other, pairs);
    let own = Pairs { by_id: true, ..pairs };
    let measures: Vec<Measure<'_>> = references
        .iter()
        .map(|reference| Measure {
            places: reference.places,
            between: differences(registry, reference.one, reference.other, own),
            one: differences(registry, reference.one, one, own),
            other: differences(registry, reference.other, other, own),
        })
        .collect();
    let measured: Vec<Measured<'_>> = measures
        .iter()
        .map(|measure| Measured {
            places: measure.places,
            between: &measure.between,
            asked: measure.between.pairs.iter().map(|pair| (&pair.one, pair)).collect(),
            one: measure.one.pairs.iter().map(|pair| (&pair.other, pair)).collect(),
            other: measure.other.pairs.iter().map(|pair| (&pair.other, pair)).collect(),
        })
        .collect();
    let doubtful: BTreeSet<Address> = found.secrets.iter().map(|(address, ..)| address.clone()).collect();
    let mut out = Compared {
        secrets: found.secrets,
        uncompared: found.uncompared,
        ambiguous: found.ambiguous,
        unspoken: found.unspoken,
        ..Compared::default()
    };
    for pair in found.pairs {
        if pair.fields.is_empty() {
            // A resource with a secret that nobody can compare is not called the same.
            out.same += usize::from(!doubtful.contains(&pair.one));
            continue;
        }
        let leaf = |field: FieldChange| Leaf {
            expected: measured.iter().find_map(|by| by.explains(&pair.one, &pair.other, &field)),
            one: field.locus.clone().filter(|_| field.diff.before.is_some()),
            other: pair.loci.get(&field.path).cloned().filter(|_| field.diff.after.is_some()),
            field,
        };
        out.resources.push((pair.one.clone(), Resource::Both(pair.fields.into_iter().map(leaf).collect())));
    }
    let mut only = |held: Held, which: Only, lacks: &Side| {
        let left = lacks.leaves(registry, &held).then_some(Explanation::LeftAlone);
        let why = left.or_else(|| measured.iter().find_map(|by| by.explains_whole(&held.address, which)));
        out.resources.push((held.address, Resource::Only(which, why)));
    };
    found.only_one.into_iter().for_each(|held| only(held, Only::One, other));
    found.only_other.into_iter().for_each(|held| only(held, Only::Other, one));
    out.resources.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Collects every text inside a value.
fn each_text<'a>(value: &'a Value, out: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => {
            out.insert(text);
        }
        Value::Array(items) => items.iter().for_each(|item| each_text(item, out)),
        Value::Object(map) => map.values().for_each(|member| each_text(member, out)),
        _ => {}
    }
}

impl Measured<'_> {
    /// Explains a leaf: the environments ask for a difference there, and each side holds what its environment asks for.
    fn explains(&self, one: &Address, other: &Address, field: &FieldChange) -> Option<Explanation> {
        let departs = |held: &BTreeMap<&Address, &Pair>, address: &Address| {
            let pair = held.get(address);
            pair.is_none_or(|pair| pair.fields.iter().any(|f| overlap(&f.path, &field.path)))
        };
        if departs(&self.one, one) || departs(&self.other, other) {
            return None;
        }
        let asked = self.one.get(one).map(|pair| &pair.one)?;
        let between = self.asked.get(asked)?;
        let asks: Vec<&FieldChange> = between.fields.iter().filter(|f| overlap(&f.path, &field.path)).collect();
        if asks.is_empty() {
            return None;
        }
        let mut names: Vec<String> = Vec::new();
        for ask in asks {
            let loci = ask.locus.iter().chain(between.loci.get(&ask.path));
            names.extend(loci.flat_map(|locus| self.places.names(locus)));
            if names.is_empty() {
                names.extend(secret_sources(ask));
            }
        }
        if names.is_empty() {
            names.extend(between.fields.iter().filter(|f| overlap(&f.path, &field.path)).flat_map(|f| self.named(f)));
        }
        names.sort();
        names.dedup();
        Some(Explanation::Variables(names))
    }

    /// Returns the variables in the name of what a leaf refers to: it differs because that is called otherwise.
    fn named(&self, field: &FieldChange) -> Vec<String> {
        let mut texts = BTreeSet::new();
        [&field.diff.before, &field.diff.after].into_iter().flatten().for_each(|value| each_text(value, &mut texts));
        let alone = self.between.only_one.iter().chain(&self.between.only_other);
        let named = alone.filter(|held| held.address.key().is_some_and(|key| texts.contains(key)));
        let places = named.flat_map(|held| {
            let at = |path: &Path| path.first_key().and_then(|key| held.value.get(key)).and_then(Value::as_str);
            held.loci.iter().filter(move |(path, _)| at(path) == held.address.key())
        });
        places.flat_map(|(_, locus)| self.places.names(locus)).collect()
    }

    /// Explains a resource that one side lacks: its environment does not ask for it, and the other's does.
    fn explains_whole(&self, address: &Address, which: Only) -> Option<Explanation> {
        let asked = match which {
            Only::One => &self.between.only_one,
            Only::Other => &self.between.only_other,
        };
        let held = asked.iter().find(|held| held.address == *address)?;
        let mut names: Vec<String> = held.loci.iter().flat_map(|(_, locus)| self.places.names(locus)).collect();
        names.sort();
        names.dedup();
        Some(Explanation::Variables(names))
    }
}
