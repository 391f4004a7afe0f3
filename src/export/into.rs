//! An export into a description that is there: what of the tenant goes where, and what stays as it is.
//!
//! [`differences`] reads a plan the other way round: what the tenant has wins, but for changes that were never deployed. Fields go
//! through [`edit`](super::edit), resources that nobody has described get files of their own, or a place in the list of their kind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::adopt::{gone, is_drift, leaf};
use super::edit::{Edit, Existing, Extra, Why, append};
use super::lay::{Added, additions};
use super::resource::without_blank_parts;
use super::text::Out;
use super::{Additions, ExportOptions, FileFormat};
use crate::change::{Action, Change, FieldChange, How, Kept, Origin, Plan};
use crate::description::layout::{Layout, split_extension};
use crate::description::{Filters, Node, NodeValue, Part};
use crate::model::{Address, Desired, Live, LiveKind, Path, Value};
use crate::problem::Problem;
use crate::schema::{Directory, KindShape, Registry};

/// How a tenant differs from a description.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    /// Fields in which the tenant's value counts.
    pub edits: Vec<Edit>,
    /// Fields that both sides changed since the last deployment; they are among the edits.
    pub conflicts: Vec<(Address, Path)>,
    /// Fields and resources that were changed in the files and never deployed: they stay. A resource as a whole has the root path.
    pub pending: Vec<(Address, Path)>,
    /// Described resources that the tenant does not have.
    pub gone: Vec<Address>,
    /// Live resources that nobody has described: address and server id.
    pub new: BTreeSet<(Address, String)>,
    /// What cannot be told apart or belongs to Auth0: the resource, and why it is left.
    pub left: Vec<(Address, Path, String)>,
}

/// Returns a tenant without the texts and settings of pages that nobody has changed. Reading all of a tenant brings them along as
/// empty objects; to a plan these would be members that the files have lost.
pub fn lean(registry: &Registry, live: &Live) -> Live {
    let mut out = live.clone();
    for spec in registry.kinds() {
        let Some(LiveKind::Read(found)) = out.kinds.get_mut(&spec.name) else { continue };
        for resource in found {
            if let Value::Object(members) = &mut resource.value {
                without_blank_parts(spec, members);
            }
        }
    }
    out
}

/// Reads a plan of a description for a tenant the other way round.
pub fn differences(registry: &Registry, plan: &Plan, live: &Live, desired: &Desired, filters: &Filters) -> Differences {
    let mut out = Differences::default();
    for change in &plan.changes {
        let is_absent = change.id.is_none() && live.resources(&change.address.kind).is_empty();
        match change.action {
            // Somebody took it out of the files, and that was not deployed yet.
            Action::Delete => out.pending.push((change.address.clone(), Path::root())),
            Action::Create => out.missing(plan, change),
            Action::Update if is_absent => out.missing(plan, change),
            Action::Update | Action::Replace => {
                change.fields.iter().for_each(|field| out.field(change, field));
            }
        }
    }
    for left in &plan.left {
        for field in &left.fields {
            // What can be set on create only is often not returned at all.
            let is_told = left.why != Kept::CreateOnly || field.diff.before.is_some();
            let wins = matches!(field.origin, Origin::Drift | Origin::Conflict)
                || field.origin == Origin::Unknown && !plan.has_base;
            if is_told && wins {
                out.edits.extend(taken(&left.address, field));
            }
        }
        if let Kept::Ambiguous(ids) = &left.why {
            let why = format!("several resources of the tenant have this name ({})", ids.join(", "));
            out.left.push((left.address.clone(), Path::root(), why));
        }
    }
    out.new = new(registry, plan, live, desired, filters);
    let mut seen = BTreeSet::new();
    out.edits.retain(|edit| seen.insert((edit.address.clone(), edit.path.clone())));
    out
}

impl Differences {
    fn missing(&mut self, plan: &Plan, change: &Change) {
        let is_ours = change.origin == Origin::Change || (plan.has_base && change.origin == Origin::Unknown);
        if is_ours {
            self.pending.push((change.address.clone(), Path::root()));
        } else {
            self.gone.push(change.address.clone());
        }
    }

    fn field(&mut self, change: &Change, field: &FieldChange) {
        if field.origin == Origin::Change && !is_drift(change, field) {
            self.pending.push((change.address.clone(), field.path.clone()));
            return;
        }
        let Some(edit) = taken(&change.address, field) else { return };
        if field.origin == Origin::Conflict {
            self.conflicts.push((change.address.clone(), field.path.clone()));
        }
        self.edits.push(edit);
    }
}

/// The edit that takes over the tenant's side of a field; none for a secret that only goes along with something else.
fn taken(address: &Address, field: &FieldChange) -> Option<Edit> {
    (field.how != How::Secret || field.diff.before.is_some()).then(|| leaf(address, field))
}

/// Finds the live resources that nobody has described.
fn new(
    registry: &Registry,
    plan: &Plan,
    live: &Live,
    desired: &Desired,
    filters: &Filters,
) -> BTreeSet<(Address, String)> {
    let unmanaged: BTreeSet<&Address> = plan.unmanaged.resources.iter().collect();
    let mut out = BTreeSet::new();
    for spec in registry.kinds() {
        let Some(LiveKind::Read(found)) = live.kinds.get(&spec.name) else { continue };
        let described = desired.kinds.get(&spec.name);
        let is_closed = spec.delete.is_none() || !spec.is_open_set();
        for resource in found.iter().filter(|resource| resource.system.is_none()) {
            let is_new = match described {
                None => true,
                // Of a fixed set, such as pages, a plan does not speak: nothing can be done about what is not described.
                Some(described) if is_closed && spec.shape == KindShape::Collection => {
                    described.resources.iter().all(|known| known.address.name != resource.address.name)
                }
                Some(_) => unmanaged.contains(&resource.address),
            };
            if is_new && filters.covers(&resource.address, &resource.value) {
                out.insert((resource.address.clone(), resource.id.clone()));
            }
        }
    }
    out
}

/// Returns the edits that take described resources out of the files.
pub fn removals(addresses: &[Address]) -> Vec<Edit> {
    addresses.iter().map(gone).collect()
}

/// What new resources gave.
#[derive(Default)]
pub struct Placed {
    /// New and changed files by their path in the tree.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The resources, with the path of their file in the tree.
    pub placed: Vec<(Address, String)>,
    /// Resources that found no place, and why.
    pub left: Vec<(Address, String)>,
    /// Names of the secrets that the new texts ask for.
    pub secrets: Vec<String>,
    /// What was left out and why.
    pub report: Vec<Problem>,
}

/// Puts resources that nobody has described into a description: files of their own in a directory, in the format of their
/// neighbours; in the single file at the end of the list of their kind.
///
/// # Errors
///
/// Those of [`load`](crate::description::load), where a file cannot be read again.
pub fn place(
    existing: &Existing<'_>,
    live: &Live,
    new: &BTreeSet<(Address, String)>,
    options: &ExportOptions,
) -> Result<Placed, Vec<Problem>> {
    let mut out = Placed::default();
    let taken = |address: &Address| {
        let described = existing.desired.kinds.get(&address.kind);
        described.is_some_and(|kind| {
            kind.resources.iter().any(|other| other.address.name == address.name && other.id.is_none())
        })
    };
    let (clashing, resources): (BTreeSet<_>, BTreeSet<_>) =
        new.iter().cloned().partition(|(address, _)| taken(address));
    for (address, _) in clashing {
        out.left.push((address, "a resource of the same name is described without an id".to_owned()));
    }
    let description = existing.description;
    let mut secrets = BTreeSet::new();
    for resource in description.kinds.values().flat_map(|kind| &kind.resources) {
        secret_names(&resource.node, &mut secrets);
    }
    let adding = Additions {
        resources,
        described: description.kinds.keys().cloned().collect(),
        paths: existing.tree.paths().map(str::to_owned).collect(),
        formats: formats(existing, options.files),
        secrets,
    };
    let added = additions(existing.registry, live, options, &adding);
    out.secrets.clone_from(&added.export.secrets);
    out.report.clone_from(&added.export.report);
    let folders = folders(existing);
    let renamed = |path: &str| -> String {
        let found = folders.iter().find_map(|(folder, other)| Some((other, path.strip_prefix(&format!("{folder}/"))?)));
        found.map_or_else(|| path.to_owned(), |(other, rest)| format!("{other}/{rest}"))
    };
    for (path, text) in &added.export.files {
        let path = renamed(&path.to_string_lossy().replace('\\', "/"));
        out.files.insert(path, text.as_bytes().to_vec());
    }
    own_files(&mut out, &added, &renamed);
    in_lists(existing, &mut out, added)?;
    out.placed.sort();
    Ok(out)
}

/// Notes the resources that have files of their own.
fn own_files(out: &mut Placed, added: &Added, renamed: &dyn Fn(&str) -> String) {
    for (address, path) in &added.placed {
        let Some(path) = path else { continue };
        let path = renamed(path);
        let beside = |file: &&String| split_extension(file).0 == path && !file.ends_with(".html");
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let file = out.files.keys().find(beside).cloned();
        // One object may be spread over a folder.
        let file = file.or_else(|| out.files.keys().find(|file| file.starts_with(&format!("{folder}/"))).cloned());
        out.placed.push((address.clone(), file.unwrap_or(path)));
    }
}

/// Adds resources to the lists that are there, and members to the single file.
fn in_lists(existing: &Existing<'_>, out: &mut Placed, added: Added) -> Result<(), Vec<Problem>> {
    let mut by_file: BTreeMap<String, Vec<(Option<Address>, Extra)>> = BTreeMap::new();
    let single = match &existing.description.layout {
        Layout::Single(file) => Some(file.clone()),
        Layout::Directory => None,
    };
    for (kind, address, item) in added.items {
        let nodes = existing.description.kinds.get(&kind);
        let file = single.clone().or_else(|| nodes?.resources.first().map(|resource| resource.file.clone()));
        let Some(file) = file else {
            out.left.push((address, Why::NoPlace.to_string()));
            continue;
        };
        let at = if single.is_some() { vec![kind] } else { Vec::new() };
        by_file.entry(file).or_default().push((Some(address), Extra { at, key: None, value: value_of(&item) }));
    }
    let placed_without: Vec<Address> =
        added.placed.into_iter().filter(|(_, path)| path.is_none()).map(|(address, _)| address).collect();
    for (kind, value) in added.members {
        let Some(file) = single.clone() else { continue };
        let extra = Extra { at: Vec::new(), key: Some(kind), value: value_of(&value) };
        by_file.entry(file).or_default().push((None, extra));
    }
    for (file, extras) in by_file {
        let (addresses, extras): (Vec<Option<Address>>, Vec<Extra>) = extras.into_iter().unzip();
        let (bytes, refused) = append(existing, &file, &extras)?;
        out.files.insert(file.clone(), bytes);
        for (address, (extra, refused)) in addresses.into_iter().zip(extras.iter().zip(refused)) {
            let of_member = placed_without.iter().filter(|address| Some(&address.kind) == extra.key.as_ref());
            let all: Vec<Address> = address.into_iter().chain(of_member.cloned()).collect();
            match refused {
                None => out.placed.extend(all.into_iter().map(|address| (address, file.clone()))),
                Some(why) => out.left.extend(all.into_iter().map(|address| (address, why.to_string()))),
            }
        }
    }
    Ok(())
}

/// Returns what the files of each kind are written in, by those that are there; of other kinds, what most files are written in.
fn formats(existing: &Existing<'_>, usual: FileFormat) -> HashMap<String, FileFormat> {
    let is_json = |file: &str| split_extension(file).1.eq_ignore_ascii_case("json");
    let of = |files: &mut dyn Iterator<Item = &str>| {
        let (mut json, mut all) = (0, 0);
        for file in files {
            all += 1;
            json += usize::from(is_json(file));
        }
        (all > 0).then_some(if json * 2 > all { FileFormat::Json } else { FileFormat::Yaml })
    };
    let description = existing.description;
    // The tenant's settings are JSON in every directory.
    let described = description.kinds.iter().filter(|(kind, _)| {
        let spec = existing.registry.kind(kind);
        spec.is_none_or(|spec| !matches!(&spec.directory, Directory::File { path } if !path.contains('/')))
    });
    let mut all = described.flat_map(|(_, kind)| &kind.resources).map(|resource| resource.file.as_str());
    let most = of(&mut all).unwrap_or(usual);
    let mut out: HashMap<String, FileFormat> = existing.registry.names().map(|kind| (kind.to_owned(), most)).collect();
    for (name, kind) in &description.kinds {
        if let Some(format) = of(&mut kind.resources.iter().map(|resource| resource.file.as_str())) {
            out.insert(name.clone(), format);
        }
    }
    out
}

/// Returns the folders of kinds that have another name here.
fn folders(existing: &Existing<'_>) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, kind) in &existing.description.kinds {
        let Some(spec) = existing.registry.kind(name) else { continue };
        let Directory::Files { folder, file } = &spec.directory else { continue };
        if file.contains('/') || existing.description.layout != Layout::Directory {
            continue;
        }
        let mut there =
            kind.resources.iter().map(|resource| resource.file.rsplit_once('/').map_or("", |(folder, _)| folder));
        if let Some(first) = there.next()
            && first != folder
            && !first.starts_with(&format!("{folder}/"))
            && there.all(|other| other == first)
        {
            out.push((folder.clone(), first.to_owned()));
        }
    }
    out
}

/// Collects the names that expressions use after `secrets.`.
fn secret_names(node: &Node, into: &mut BTreeSet<String>) {
    match &node.value {
        NodeValue::Text(text) => {
            for part in &text.parts {
                let Part::Expression(expression) = part else { continue };
                for rest in expression.source.split("secrets.").skip(1) {
                    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
                    into.insert(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default().to_owned());
                }
            }
        }
        NodeValue::Array(items) => items.iter().for_each(|item| secret_names(item, into)),
        NodeValue::Object(map) => map.iter().for_each(|member| secret_names(&member.value, into)),
        _ => {}
    }
}

/// Converts what an export writes into a value of an edit.
fn value_of(out: &Out) -> Value {
    match out {
        Out::Null => Value::Null,
        Out::Bool(value) => Value::Bool(*value),
        Out::Number(number) => Value::Number(number.clone()),
        Out::Text(text) => Value::String(text.clone()),
        Out::Expression(expression) => super::edit::expression(expression),
        Out::List(items) => Value::Array(items.iter().map(value_of).collect()),
        Out::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), value_of(value))).collect())
        }
    }
}
