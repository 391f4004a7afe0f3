//! From a place in a resource to a place in a file.

use std::collections::{BTreeMap, HashMap};

use super::Existing;
use super::document::Document;
use super::meaning::Step;
use crate::description::layout::{file_name, split_extension};
use crate::description::{Format, KnownNames, Node, NodeValue};
use crate::model::{Described, Locus, Path, Segment, Value};
use crate::plan::{item_name, key_of};
use crate::problem::Problem;
use crate::schema::{FieldSpec, KindSpec};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Path of the file in the tree.
    pub(super) file: String,
    /// The way to it.
    pub(super) steps: Vec<Step>,
}

/// A value that a marker or an expression gives.
pub(super) struct Behind<'a> {
    /// Where the marker stands.
    pub(super) place: Place,
    /// What it gives.
    pub(super) value: &'a Value,
    /// The way on, inside what it gives.
    pub(super) path: Vec<Segment>,
}

/// What was found of a place in a resource.
pub(super) struct Found<'a> {
    /// The deepest value that is there.
    pub(super) value: &'a Value,
    /// Where it is written; `None` where no file says it.
    pub(super) place: Option<Place>,
    /// Where it is written a second time, in another spelling.
    pub(super) also: Option<Place>,
    /// The side file that it is the text of.
    pub(super) side: Option<String>,
    /// Where the side file is named, where a file says so.
    pub(super) named: Option<Place>,
    /// The marker or expression that it, or what holds it, comes from.
    pub(super) behind: Option<Behind<'a>>,
    /// What of the path is not there.
    pub(super) rest: Vec<Segment>,
    /// What it stands at.
    pub(super) locus: Option<Locus>,
    /// The field that the whole path leads to, where the schema knows it.
    pub(super) field: Option<&'a FieldSpec>,
    /// It is a secret by the schema.
    pub(super) is_secret: bool,
}

/// The files that were opened, by path.
pub(super) struct Files<'a> {
    existing: &'a Existing<'a>,
    known: &'a KnownNames,
    /// Paths in the tree by what people see.
    paths: HashMap<String, String>,
    open: BTreeMap<String, Document<'a>>,
    names: BTreeMap<String, &'a str>,
}

impl<'a> Files<'a> {
    /// Knows the files of a description; none is open. `shown` are their names, as shown to people.
    pub(super) fn new(existing: &'a Existing<'a>, known: &'a KnownNames, shown: &'a [(String, String)]) -> Self {
        Files {
            existing,
            known,
            paths: shown.iter().map(|(path, shown)| (shown.clone(), path.clone())).collect(),
            open: BTreeMap::new(),
            names: shown.iter().map(|(path, shown)| (path.clone(), shown.as_str())).collect(),
        }
    }

    /// Returns the path of a file that people see so.
    pub(super) fn path(&self, shown: &str) -> Option<&str> {
        self.paths.get(shown).map(String::as_str)
    }

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub(super) fn open(&mut self, path: &str) -> Result<&mut Document<'a>, Vec<Problem>> {
        if !self.open.contains_key(path) {
            let bytes = self.existing.tree.read(path).map_err(Vec::from_iter)?;
            let (_, extension) = split_extension(file_name(path));
            let format = if extension.eq_ignore_ascii_case("json") { Format::Json } else { Format::Yaml };
            let shown = self.names.get(path).copied().unwrap_or_default();
            let document = Document::read(shown, bytes, format, Some(self.known))?;
            self.open.insert(path.to_owned(), document);
        }
        self.open.get_mut(path).ok_or_else(Vec::new)
    }

    /// Finds a place in a resource.
    ///
    /// # Errors
    ///
    /// Why a file cannot be read.
    pub(super) fn find(
        &mut self,
        spec: &'a KindSpec,
        resource: &'a Described,
        path: &Path,
    ) -> Result<Found<'a>, Vec<Problem>> {
        let loci: HashMap<&Path, &Locus> = resource.loci.iter().collect();
        let mut here = Path::root();
        let mut found = Found {
            value: &resource.value,
            place: None,
            also: None,
            side: None,
            named: None,
            behind: None,
            rest: Vec::new(),
            locus: loci.get(&here).map(|locus| (*locus).clone()),
            field: Some(&spec.fields),
            is_secret: false,
        };
        self.settle(&mut found, None, None)?;
        for segment in &path.0 {
            let field = found.field;
            found.field = match segment {
                Segment::Key(name) => field.and_then(|field| field.member(name)),
                Segment::Index(_) | Segment::Item(_) => field.and_then(|field| {
                    field.item().or(match segment {
                        Segment::Item(name) => field.member(name),
                        _ => None,
                    })
                }),
            };
            found.is_secret |= found.field.is_some_and(|field| field.secret);
            let inside = if found.rest.is_empty() { step_into(field, found.value, segment) } else { None };
            let further = inside.as_ref().map_or(segment, |(step, _)| step).clone();
            if let Some(behind) = &mut found.behind {
                behind.path.push(further);
            }
            let Some((step, value)) = inside else {
                found.rest.push(segment.clone());
                continue;
            };
            here.0.push(step.clone());
            found.value = value;
            let holder = found.place.take();
            let child = holder.clone().and_then(|holder| self.child(holder, &step));
            let holder_side = found.side.take();
            match loci.get(&here) {
                Some(locus) => {
                    found.locus = Some((*locus).clone());
                    self.settle(&mut found, Some(&step), holder.as_ref())?;
                }
                None => {
                    found.side = holder_side;
                    found.place = child.clone();
                }
            }
            let further = found.also.take().and_then(|also| self.child(also, &step));
            let differs =
                |child: &&Place| matches!((&step, &found.place), (Segment::Key(_), Some(place)) if place != *child);
            found.also = further.or_else(|| child.as_ref().filter(differs).cloned());
            found.named = child.filter(|_| found.side.is_some());
            if let (None, Some(place)) = (&found.behind, &found.place)
                && self.is_filled(place)
            {
                found.behind = Some(Behind { place: place.clone(), value, path: Vec::new() });
            }
        }
        Ok(found)
    }

    /// Finds the file and the node that a locus names.
    fn settle(
        &mut self,
        found: &mut Found<'_>,
        step: Option<&Segment>,
        holder: Option<&Place>,
    ) -> Result<(), Vec<Problem>> {
        let Some(locus) = found.locus.clone() else { return Ok(()) };
        let Some(path) = self.path(&locus.file).map(str::to_owned) else { return Ok(()) };
        let is_side = self.existing.side_files.contains(&path);
        if is_side && locus.start == 0 && locus.end == 0 {
            found.side = Some(path);
            return Ok(());
        }
        let holder = holder.filter(|holder| holder.file == path);
        let document = self.open(&path)?;
        let mut nodes = Vec::new();
        standing_at(&document.node, &locus, &mut Vec::new(), &mut nodes);
        let below = |steps: &&Vec<Step>| holder.is_none_or(|holder| steps.starts_with(&holder.steps));
        let ends_so = |steps: &&Vec<Step>| match (step, steps.last()) {
            (Some(Segment::Key(key)), Some(Step::Key(last))) => key == last,
            _ => true,
        };
        let best = nodes
            .iter()
            .filter(below)
            .filter(ends_so)
            .min_by_key(|steps| steps.len())
            .or_else(|| nodes.iter().filter(below).min_by_key(|steps| steps.len()))
            .or_else(|| nodes.iter().min_by_key(|steps| steps.len()));
        found.place = best.map(|steps| Place { file: path.clone(), steps: steps.clone() });
        Ok(())
    }

    /// Says whether a marker or an expression stands in the text at a place.
    fn is_filled(&self, place: &Place) -> bool {
        let node = self.open.get(&place.file).and_then(|document| document.at(&place.steps));
        matches!(node, Some(Node { value: NodeValue::Text(text), .. }) if text.as_str().is_none())
    }

    fn child(&self, holder: Place, step: &Segment) -> Option<Place> {
        let mut steps = holder.steps;
        steps.push(match step {
            Segment::Key(key) => Step::Key(key.clone()),
            Segment::Index(index) => Step::Index(*index),
            Segment::Item(_) => return None,
        });
        self.open.get(&holder.file)?.at(&steps)?;
        Some(Place { file: holder.file, steps })
    }

    /// Returns the open files.
    pub(super) fn into_open(self) -> BTreeMap<String, Document<'a>> {
        self.open
    }

    /// Returns the node at a place of a file that is open.
    pub(super) fn node(&self, place: &Place) -> Option<&Node> {
        self.open.get(&place.file)?.at(&place.steps)
    }
}

/// Goes a step into a described value; items are told by name.
fn step_into<'v>(field: Option<&FieldSpec>, value: &'v Value, segment: &Segment) -> Option<(Segment, &'v Value)> {
    match (segment, value) {
        (Segment::Key(key), Value::Object(map)) => Some((segment.clone(), map.get(key)?)),
        (Segment::Index(index), Value::Array(items)) => Some((segment.clone(), items.get(*index)?)),
        (Segment::Item(name), Value::Array(items)) => {
            let named = |item: &Value| match field {
                Some(field) if !field.key.is_empty() => key_of(field, item) == *name,
                _ => item_name(item) == *name,
            };
            let index = items.iter().position(named)?;
            Some((Segment::Index(index), items.get(index)?))
        }
        // Some lists may be written as a map.
        (Segment::Item(name), Value::Object(map)) => Some((Segment::Key(name.clone()), map.get(name)?)),
        _ => None,
    }
}

/// Collects the ways to every node that stands at a place.
fn standing_at(node: &Node, locus: &Locus, steps: &mut Vec<Step>, into: &mut Vec<Vec<Step>>) {
    if node.locus.start == locus.start && node.locus.end == locus.end {
        into.push(steps.clone());
    }
    let mut inner = |step: Step, node: &Node| {
        steps.push(step);
        standing_at(node, locus, steps, into);
        steps.pop();
    };
    match &node.value {
        NodeValue::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| inner(Step::Index(index), item));
        }
        NodeValue::Object(map) => {
            map.iter().for_each(|member| inner(Step::Key(member.key.as_written()), &member.value));
        }
        _ => {}
    }
}
