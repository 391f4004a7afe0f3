//! The environment's own file of variables, where a value may be written instead of at its marker.

use serde_json::Value as Json;

use super::document::Document;
use super::meaning::{Meaning, Op, Step};
use super::{Existing, Why, side};
use crate::description::layout::Description;
use crate::description::{Node, NodeValue, Part, Text, Variables, render};
use crate::model::Value;
use crate::problem::Problem;

/// The file, and the values as they become.
pub(super) struct Own<'a> {
    document: Document<'a>,
    description: &'a Description,
    /// The markers in side files.
    in_texts: Vec<String>,
    at: Vec<Step>,
    variables: Variables,
    /// Names that were given a value.
    given: Vec<String>,
    changed: bool,
}

impl<'a> Own<'a> {
    /// Reads the file; `None` where the environment has none.
    ///
    /// # Errors
    ///
    /// Those of [`read_yaml`](crate::description::read_yaml).
    pub(super) fn read(existing: &Existing<'a>) -> Result<Option<Self>, Vec<Problem>> {
        let Some(own) = &existing.own_variables else { return Ok(None) };
        let document = Document::read(own.shown, own.bytes, own.format, None)?;
        let at = own.at.iter().map(|key| Step::Key((*key).to_owned())).collect();
        let texts = existing.side_files.iter().filter_map(|path| Some((path, existing.tree.read(path).ok()?)));
        let in_texts = texts.flat_map(|(path, bytes)| side::markers(existing, path, bytes)).collect();
        Ok(Some(Own {
            document,
            description: existing.description,
            in_texts,
            at,
            variables: existing.variables.clone(),
            given: Vec::new(),
            changed: false,
        }))
    }

    /// Counts the places of the description, its side files and other values that use a variable.
    fn uses(&self, name: &str) -> usize {
        let nodes = self.description.kinds.values().flat_map(|kind| &kind.resources).map(|resource| &resource.node);
        let in_texts = self.in_texts.iter().filter(|marker| marker.get(2..marker.len() - 2) == Some(name)).count();
        let (hashes, ats) = (format!("##{name}##"), format!("@@{name}@@"));
        let in_values = self.variables.values.values().map(Json::to_string);
        let in_values = in_values.filter(|text| text.contains(&hashes) || text.contains(&ats)).count();
        nodes.map(|node| uses(node, name)).sum::<usize>() + in_texts + in_values
    }

    /// Gives the variable that a node consists of the value that makes the node what is wanted. `places` counts the nodes of which
    /// the same is wanted.
    ///
    /// # Errors
    ///
    /// Why it is left; for what is no variable of this file, [`Why::Marker`].
    pub(super) fn give(&mut self, node: &Node, wanted: &Value, names: &[String], places: usize) -> Result<(), Why> {
        let behind = || Why::Marker(names.to_vec());
        let name = lone(node).ok_or_else(behind)?;
        if self.uses(&name) != places {
            // What else it stands for would move along.
            return Err(Why::Shared);
        }
        let mut at = self.at.clone();
        at.push(Step::Key(name.clone()));
        let file = Meaning::of(&self.document.node);
        let written = file.at(&at).ok_or_else(behind)?;
        // A flag or another source may win over the file.
        let is_source =
            self.variables.values.get(&name).is_some_and(|json| {
                self.given.contains(&name) || Meaning::of_value(&Value::from_json(json)).same(written)
            });
        let json = wanted.to_json().map_err(|_| Why::Secret)?;
        if !is_source {
            return Err(behind());
        }
        if self.given.contains(&name) && !written.same(&Meaning::of_value(wanted)) {
            return Err(behind());
        }
        let mut variables = self.variables.clone();
        variables.values.insert(name.clone(), json);
        let rendered = render(&holder(node), &variables).map_err(|_| behind())?;
        let same = rendered
            .value
            .as_array()
            .is_some_and(|items| matches!(items, [item] if Meaning::of_value(item).same(&Meaning::of_value(wanted))));
        if !same {
            return Err(behind());
        }
        let mut document = self.document.clone();
        for op in changes(written, &Meaning::of_value(wanted), wanted, &at) {
            document.apply(&op)?;
        }
        if !Meaning::of(&document.node).at(&at).is_some_and(|now| now.same(&Meaning::of_value(wanted))) {
            document = self.document.clone();
            document.apply(&Op::Set(at, wanted.clone()))?;
        }
        self.changed |= document.text != self.document.text;
        self.document = document;
        self.variables = variables;
        self.given.push(name);
        Ok(())
    }

    /// Returns the new content, where there is one.
    pub(super) fn into_changed(self) -> Option<Vec<u8>> {
        self.changed.then(|| self.document.text.into_bytes())
    }
}

/// Changes that make one list the other by taking out and adding items, so that what stays keeps its place; else the whole value.
fn changes(old: &Meaning, new: &Meaning, value: &Value, at: &[Step]) -> Vec<Op> {
    let (Meaning::List(old), Meaning::List(new), Value::Array(values)) = (old, new, value) else {
        return vec![Op::Set(at.to_vec(), value.clone())];
    };
    let holds = |list: &[Meaning], item: &Meaning| list.iter().any(|other| other.same(item));
    let mut out: Vec<Op> = Vec::new();
    for (_, value) in new.iter().zip(values).filter(|(item, _)| !holds(old, item)) {
        out.push(Op::Add(at.to_vec(), None, value.clone()));
    }
    for (index, _) in old.iter().enumerate().rev().filter(|(_, item)| !holds(new, item)) {
        out.push(Op::Remove(at.iter().cloned().chain([Step::Index(index)]).collect()));
    }
    out
}

/// Returns the name of the variable that a value consists of.
fn lone(node: &Node) -> Option<String> {
    let NodeValue::Text(text) = &node.value else { return None };
    match text.parts.as_slice() {
        [Part::Marker(marker)] => Some(marker.name.clone()),
        [Part::Expression(expression)] => {
            let name = expression.source.trim().strip_prefix("vars.")?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_owned())
        }
        _ => None,
    }
}

/// A node as the only item of a list, where a marker that stands for several shows.
fn holder(node: &Node) -> Node {
    Node { locus: node.locus.clone(), value: NodeValue::Array(vec![node.clone()]) }
}

/// Returns the names in an expression.
fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
}

/// Counts the places in a tree that use a variable.
fn uses(node: &Node, name: &str) -> usize {
    let in_text = |text: &Text| {
        let uses = |part: &&Part| match part {
            Part::Plain(_) => false,
            Part::Marker(marker) => marker.name == name,
            Part::Expression(expression) => words(&expression.source).any(|word| word == name),
        };
        text.parts.iter().filter(uses).count()
    };
    match &node.value {
        NodeValue::Text(text) => in_text(text),
        NodeValue::Array(items) => items.iter().map(|item| uses(item, name)).sum(),
        NodeValue::Object(map) => map.iter().map(|member| in_text(&member.key) + uses(&member.value, name)).sum(),
        _ => 0,
    }
}
