//! All edits of a description: each goes to its file, and each file is changed once.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::super::resource::strip_value;
use super::find::{Behind, Files, Found, Place};
use super::meaning::{Meaning, Step};
use super::pending::{Pending, put};
use super::variable::Own;
use super::{Edit, EditOptions, Edited, Existing, Why, side};
use crate::description::layout::Layout;
use crate::model::{Described, Locus, Path, Segment, Value};
use crate::problem::Problem;
use crate::schema::{Directory, FieldSpec, KindShape, KindSpec};

/// What becomes of one edit.
type Verdict = Result<Option<Locus>, Why>;

/// A marker, and the edits of what it gives.
struct Group<'a> {
    place: Place,
    value: &'a Value,
    changes: Vec<(usize, Vec<Segment>, Option<Value>)>,
}

/// Edits under way.
struct Writer<'a> {
    existing: &'a Existing<'a>,
    options: EditOptions,
    files: Files<'a>,
    verdicts: Vec<Verdict>,
    pending: BTreeMap<String, Vec<Pending>>,
    groups: Vec<Group<'a>>,
    sides: BTreeMap<String, Vec<u8>>,
    removed: BTreeSet<String>,
}

/// Edits a description.
pub(super) fn edit(existing: &Existing<'_>, edits: &[Edit], options: EditOptions) -> Result<Edited, Vec<Problem>> {
    let known = existing.variables.known_names();
    let paths = existing.description.files.iter().chain(existing.side_files);
    let shown: Vec<(String, String)> = paths.map(|path| (path.clone(), existing.tree.shown(path))).collect();
    let mut writer = Writer {
        existing,
        options,
        files: Files::new(existing, &known, &shown),
        verdicts: edits.iter().map(|_| Err(Why::NoPlace)).collect(),
        pending: BTreeMap::new(),
        groups: Vec::new(),
        sides: BTreeMap::new(),
        removed: BTreeSet::new(),
    };
    for (number, edit) in edits.iter().enumerate() {
        let verdict = writer.one(number, edit)?;
        writer.judge(number, verdict);
    }
    let variables = writer.markers()?;
    writer.finish(edits, variables)
}

impl<'a> Writer<'a> {
    fn judge(&mut self, number: usize, verdict: Verdict) {
        if let Some(place) = self.verdicts.get_mut(number) {
            *place = verdict;
        }
    }

    fn refuse(&mut self, numbers: &[usize], why: &Why) {
        numbers.iter().for_each(|number| self.judge(*number, Err(why.clone())));
    }

    /// Finds the file of one edit, and notes what is to be done there.
    fn one(&mut self, number: usize, edit: &Edit) -> Result<Verdict, Vec<Problem>> {
        let existing = self.existing;
        let Some(spec) = existing.registry.kind(&edit.address.kind) else { return Ok(Err(Why::NoPlace)) };
        let described = existing.desired.kinds.get(&edit.address.kind);
        let resource = described.and_then(|kind| kind.resources.iter().find(|r| r.address == edit.address));
        let Some(resource) = resource else { return Ok(Err(Why::NoPlace)) };
        if edit.path.is_root() {
            return if edit.value.is_some() { Ok(Err(Why::NoPlace)) } else { self.resource(number, spec, resource) };
        }
        let found = self.files.find(spec, resource, &edit.path)?;
        if found.is_secret || edit.value.as_ref().is_some_and(|value| holds_secret(found.field, value)) {
            return Ok(Err(Why::Secret));
        }
        // What a secret fills here is one in the tenant too.
        let of_secret = found.behind.as_ref().map_or(found.value, |behind| behind.value);
        let is_filled = found.rest.is_empty() || found.behind.is_some();
        if edit.value.is_some() && is_filled && holds_secret(None, of_secret) {
            return Ok(Err(Why::Secret));
        }
        let mut new = edit.value.clone();
        if let (Some(field), Some(value)) = (found.field, &mut new) {
            strip_value(field, value);
        }
        let locus = found.locus.clone();
        if let Some(path) = found.side.clone().filter(|_| found.rest.is_empty()) {
            return Ok(self.side(number, &path, &found, new.as_ref()).map(|()| locus));
        }
        if let Some(Behind { place, value, path }) = found.behind {
            let change = (number, path, new);
            match self
                .groups
                .iter_mut()
                .find(|group| group.place.file == place.file && group.place.steps == place.steps)
            {
                Some(group) => group.changes.push(change),
                None => self.groups.push(Group { place, value, changes: vec![change] }),
            }
            return Ok(Ok(locus));
        }
        let Some(place) = found.place else { return Ok(Err(Why::NoPlace)) };
        let places = std::iter::once(place).chain(found.also);
        if found.rest.is_empty() && !self.options.replace_markers {
            let mut names = Vec::new();
            for node in places.clone().filter_map(|place| self.files.node(&place)) {
                Meaning::of(node).filled(&mut names);
            }
            if !names.is_empty() {
                return Ok(Err(Why::Marker(names)));
            }
        }
        if new.is_some() && needs_file(existing, found.field) && !found.rest.is_empty() {
            return Ok(Err(Why::NoPlace));
        }
        for place in places {
            let (rest, value) = (found.rest.clone(), new.clone());
            let pending = Pending { edits: vec![number], steps: place.steps, rest, value };
            self.pending.entry(place.file).or_default().push(pending);
        }
        Ok(Ok(locus))
    }

    /// Changes the text of a side file, or lets it go with its member.
    fn side(&mut self, number: usize, path: &str, found: &Found<'_>, value: Option<&Value>) -> Result<(), Why> {
        let old = self.existing.tree.read(path).map_err(|_| Why::NoPlace)?;
        match value {
            Some(Value::String(text)) => {
                let new = side::edited(self.existing, path, old, found.field, text, self.options)?;
                if self.sides.get(path).is_some_and(|other| *other != new) || self.users_of(path) > 1 {
                    return Err(Why::Shared);
                }
                self.sides.insert(path.to_owned(), new);
                Ok(())
            }
            Some(_) => Err(Why::Refused),
            None => {
                let names = side::markers(self.existing, path, old);
                if !names.is_empty() && !self.options.replace_markers {
                    return Err(Why::Marker(names));
                }
                // The member that names the file goes, where one does.
                if let Some(place) = &found.named {
                    let pending =
                        Pending { edits: vec![number], steps: place.steps.clone(), rest: Vec::new(), value: None };
                    self.pending.entry(place.file.clone()).or_default().push(pending);
                }
                if self.users_of(path) == 1 {
                    self.removed.insert(path.to_owned());
                }
                Ok(())
            }
        }
    }

    /// Counts the values that stand in a side file.
    fn users_of(&self, path: &str) -> usize {
        let shown = self.existing.tree.shown(path);
        let resources = self.existing.desired.kinds.values().flat_map(|kind| &kind.resources);
        let loci = resources.flat_map(|resource| resource.loci.iter());
        loci.filter(|(_, locus)| *locus.file == *shown && locus.start == 0 && locus.end == 0).count()
    }

    /// Takes out a whole resource.
    fn resource(
        &mut self,
        number: usize,
        spec: &'a KindSpec,
        resource: &'a Described,
    ) -> Result<Verdict, Vec<Problem>> {
        let found = self.files.find(spec, resource, &Path::root())?;
        let Some(place) = found.place else { return Ok(Err(Why::NoPlace)) };
        let shown = self.existing.tree.shown(&place.file);
        let is_whole = match spec.shape {
            KindShape::Collection => matches!(spec.directory, Directory::Files { .. }),
            // It may be spread over several files.
            KindShape::Single => resource.loci.iter().all(|(_, locus)| {
                let path = self.files.path(&locus.file);
                *locus.file == *shown || path.is_none_or(|path| self.existing.side_files.contains(path))
            }),
        };
        let is_own_file = place.steps.is_empty() && self.existing.description.layout == Layout::Directory && is_whole;
        for (_, locus) in resource.loci.iter() {
            let Some(path) = self.files.path(&locus.file).map(str::to_owned) else { continue };
            if self.existing.side_files.contains(&path) && self.is_only_user(resource, &locus.file) {
                self.removed.insert(path);
            }
        }
        if is_own_file {
            self.removed.insert(place.file);
            return Ok(Ok(found.locus));
        }
        if place.steps.is_empty() {
            return Ok(Err(Why::NoPlace));
        }
        let pending = Pending { edits: vec![number], steps: place.steps, rest: Vec::new(), value: None };
        self.pending.entry(place.file).or_default().push(pending);
        Ok(Ok(found.locus))
    }

    fn is_only_user(&self, resource: &Described, shown: &str) -> bool {
        let resources = self.existing.desired.kinds.values().flat_map(|kind| &kind.resources);
        let others = resources.filter(|other| other.address != resource.address);
        !others.flat_map(|other| other.loci.iter()).any(|(_, locus)| *locus.file == *shown)
    }

    /// Makes the edits of what stands behind markers: in the variables, or in place of the marker, or not at all.
    fn markers(&mut self) -> Result<Option<Vec<u8>>, Vec<Problem>> {
        let mut own = if self.options.into_variables { Own::read(self.existing)? } else { None };
        let mut groups = std::mem::take(&mut self.groups);
        let wanted: Vec<Option<Value>> = groups.iter_mut().map(Group::wanted).collect();
        for (group, value) in groups.iter().zip(&wanted) {
            let numbers: Vec<usize> = group.changes.iter().map(|(number, ..)| *number).collect();
            let Some(node) = self.files.node(&group.place) else {
                self.refuse(&numbers, &Why::NoPlace);
                continue;
            };
            let mut names = Vec::new();
            Meaning::of(node).filled(&mut names);
            let mut why = Why::Marker(names.clone());
            if let (Some(own), Some(value)) = (&mut own, value) {
                // Other markers of which the same is wanted.
                let same = groups.iter().zip(&wanted).filter(|(other, wanted)| {
                    let is_same_value = wanted.as_ref().is_some_and(|wanted| wanted == value);
                    let mut others = Vec::new();
                    if let Some(node) = self.files.node(&other.place) {
                        Meaning::of(node).filled(&mut others);
                    }
                    is_same_value && others == names
                });
                match own.give(node, value, &names, same.count()) {
                    Ok(()) => continue,
                    Err(other) => why = other,
                }
            }
            if self.options.replace_markers && !self.stands_for_several(&group.place) {
                let pending = Pending {
                    edits: numbers,
                    steps: group.place.steps.clone(),
                    rest: Vec::new(),
                    value: value.clone(),
                };
                self.pending.entry(group.place.file.clone()).or_default().push(pending);
            } else {
                self.refuse(&numbers, &why);
            }
        }
        Ok(own.and_then(Own::into_changed))
    }

    /// Says whether a marker in a list stands for several of its items.
    fn stands_for_several(&self, place: &Place) -> bool {
        let (Some(node), Some(Step::Index(_))) = (self.files.node(place), place.steps.last()) else { return false };
        let is_item =
            |(path, locus): &(&Path, &Locus)| **locus == node.locus && matches!(path.0.last(), Some(Segment::Index(_)));
        let resources = self.existing.desired.kinds.values().flat_map(|kind| &kind.resources);
        resources.into_iter().any(|resource| resource.loci.iter().filter(is_item).count() > 1)
    }

    fn finish(mut self, edits: &[Edit], variables: Option<Vec<u8>>) -> Result<Edited, Vec<Problem>> {
        let mut files = BTreeMap::new();
        for (path, mut pending) in std::mem::take(&mut self.pending) {
            if self.removed.contains(&path) {
                continue;
            }
            pending.sort_by(|a, b| a.turn().cmp(&b.turn()));
            for change in pending {
                let document = self.files.open(&path)?;
                let op = change.op(&Meaning::of(&document.node));
                if let Err(why) = op.and_then(|op| document.apply(&op)) {
                    self.refuse(&change.edits, &why);
                }
            }
        }
        files.extend(self.sides);
        for (path, document) in self.files.into_open() {
            let bytes = document.text.into_bytes();
            if !self.removed.contains(&path) && self.existing.tree.read(&path).is_ok_and(|old| *old != *bytes) {
                files.insert(path, bytes);
            }
        }
        let mut out =
            Edited { files, removed_files: self.removed.into_iter().collect(), variables, ..Edited::default() };
        for (edit, verdict) in edits.iter().zip(self.verdicts) {
            let (address, path) = (edit.address.clone(), edit.path.clone());
            match verdict {
                Ok(locus) => out.done.push((address, path, locus.unwrap_or_else(|| Locus::file("")))),
                Err(why) => out.left.push((address, path, why)),
            }
        }
        Ok(out)
    }
}

impl Group<'_> {
    /// Returns what the marker would have to give; `None` where it would have to give nothing.
    fn wanted(&mut self) -> Option<Value> {
        // Removals come last and from the end: numbers of items stay true.
        self.changes.sort_by(|(_, a, new_a), (_, b, new_b)| {
            let order = new_a.is_none().cmp(&new_b.is_none());
            order.then_with(|| if new_a.is_none() { b.cmp(a) } else { Ordering::Equal })
        });
        let mut value = self.value.clone();
        for (_, path, new) in &self.changes {
            value = put(&value, path, new.as_ref())?;
        }
        Some(value)
    }
}

/// Says whether a value, or what the schema says of a part of it, is a secret.
fn holds_secret(field: Option<&FieldSpec>, value: &Value) -> bool {
    if field.is_some_and(|field| field.secret) && !value.is_blank() {
        return true;
    }
    match value {
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => true,
        Value::Array(items) => items.iter().any(|item| holds_secret(field.and_then(FieldSpec::item), item)),
        Value::Object(map) => {
            map.iter().any(|(name, value)| holds_secret(field.and_then(|field| field.member(name)), value))
        }
        _ => false,
    }
}

/// Says whether a text of a field has to stand in a file of its own.
fn needs_file(existing: &Existing<'_>, field: Option<&FieldSpec>) -> bool {
    let Some(file) = field.and_then(|field| field.file.as_ref()) else { return false };
    let base = match existing.description.layout {
        Layout::Directory => &file.directory,
        Layout::Single(_) => &file.single,
    };
    *base != crate::schema::FileBase::Inline && !file.optional
}
