//! References between resources of a description, and those it leaves open.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Address, Desired, Loci, Locus, Path, Value};
use crate::problem::{Problem, closest};
use crate::schema::{FieldSpec, KindSpec, Registry};

/// A reference that the files do not hold. Live may; a plan makes it an error where it does not either.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenReference {
    /// Kinds the name may be of.
    pub kinds: Vec<String>,
    /// The name, as written.
    pub name: String,
    /// The resource that refers.
    pub address: Address,
    /// Where in it.
    pub path: Path,
    /// Where in the files.
    pub locus: Option<Locus>,
    /// The value is the same in files and API: an API identifier.
    pub literal: bool,
    /// A described name close to it.
    pub suggestion: Option<String>,
}

/// What a reference may mean: names and ids of described resources, by kind.
struct Known<'a> {
    names: BTreeMap<&'a str, BTreeSet<&'a str>>,
    ids: BTreeSet<&'a str>,
}

/// Finds the references that neither the description nor what it leaves alone holds, with a note for each.
pub(super) fn open_references(
    desired: &Desired,
    left_alone: &[Address],
    registry: &Registry,
) -> (Vec<OpenReference>, Vec<Problem>) {
    let mut known = Known { names: BTreeMap::new(), ids: BTreeSet::new() };
    for (kind, described) in &desired.kinds {
        let names = known.names.entry(kind.as_str()).or_default();
        for resource in &described.resources {
            names.extend(resource.address.name.as_deref());
            known.ids.extend(resource.id.as_deref());
        }
    }
    for address in left_alone {
        known.names.entry(address.kind.as_str()).or_default().extend(address.name.as_deref());
    }
    let mut finder = Finder { known: &known, open: Vec::new() };
    for (kind, described) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &described.resources {
            finder.resource(spec, &resource.address, &resource.value, &resource.loci);
        }
    }
    let notes = finder.open.iter().map(note).collect();
    (finder.open, notes)
}

fn note(open: &OpenReference) -> Problem {
    let kinds: Vec<String> = open.kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let problem = Problem::remark(
        "reference-not-described",
        format!("{} `{}` is not in these files", kinds.join(" or "), open.name),
    )
    .at_maybe(open.locus.as_ref())
    .note("a plan looks for it in the tenant");
    match &open.suggestion {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

struct Finder<'a> {
    known: &'a Known<'a>,
    open: Vec<OpenReference>,
}

impl Finder<'_> {
    fn resource(&mut self, spec: &KindSpec, address: &Address, value: &Value, loci: &Loci) {
        self.walk(&spec.fields, address, value, &Path::root(), loci);
    }

    fn walk(&mut self, field: &FieldSpec, address: &Address, value: &Value, path: &Path, loci: &Loci) {
        match value {
            Value::String(name) if !name.is_empty() => {
                self.name(&field.reference, false, name, address, path, loci);
                self.name(&field.literal_reference, true, name, address, path, loci);
            }
            Value::Array(items) => {
                let Some(item) = field.item() else { return };
                for (n, value) in items.iter().enumerate() {
                    self.walk(item, address, value, &path.index(n), loci);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    if let Some(member) = field.member(key) {
                        self.walk(member, address, value, &path.key(key), loci);
                    }
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, kinds: &[String], literal: bool, name: &str, address: &Address, path: &Path, loci: &Loci) {
        if kinds.is_empty() || (!literal && self.known.ids.contains(name)) {
            return;
        }
        let names = || kinds.iter().filter_map(|kind| self.known.names.get(kind.as_str())).flatten().copied();
        if names().any(|known| known == name) {
            return;
        }
        let suggestion = closest(name, names()).map(str::to_owned);
        self.open.push(OpenReference {
            kinds: kinds.to_vec(),
            name: name.to_owned(),
            address: address.clone(),
            path: path.clone(),
            locus: loci.at(path).cloned(),
            literal,
            suggestion,
        });
    }
}
