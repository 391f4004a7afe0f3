//! [`Places`]: which variables stand at which places of a description.

use std::collections::BTreeMap;

use crate::description::layout::Description;
use crate::description::{Node, NodeValue, Part, Text};
use crate::model::Locus;

/// Which variables stand where.
#[derive(Debug, Clone, Default)]
pub struct Places {
    at: BTreeMap<Locus, Vec<String>>,
    in_files: BTreeMap<String, Vec<String>>,
}

impl Places {
    /// Collects them from a description.
    pub fn of(description: &Description) -> Self {
        let mut out = Places::default();
        for resource in description.kinds.values().flat_map(|kind| &kind.resources) {
            out.node(&resource.node);
        }
        out
    }

    /// Adds the markers of a side file, by the name that messages show; as written: `##BRAND##`.
    pub fn side_file(&mut self, shown: &str, markers: Vec<String>) {
        let mut names: Vec<String> = markers.iter().map(|marker| marker.trim_matches(['#', '@']).to_owned()).collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            self.in_files.insert(shown.to_owned(), names);
        }
    }

    /// Returns the variables at a place, or inside it, as people write them: `BRAND`, `vars.brand`, `secrets.google`.
    pub fn names(&self, locus: &Locus) -> Vec<String> {
        let whole_file = || self.in_files.get(&*locus.file).filter(|_| locus.start == locus.end);
        if let Some(names) = self.at.get(locus).or_else(whole_file) {
            return names.clone();
        }
        let first = Locus { line: 0, column: 0, start: 0, end: 0, ..locus.clone() };
        let of_file = self.at.range(first..).take_while(|(other, _)| other.file == locus.file);
        let inside = of_file.filter(|(other, _)| locus.start <= other.start && other.end <= locus.end);
        inside.flat_map(|(_, names)| names).cloned().collect()
    }

    fn node(&mut self, node: &Node) {
        match &node.value {
            NodeValue::Text(text) => self.text(text, &node.locus),
            NodeValue::Array(items) => items.iter().for_each(|item| self.node(item)),
            NodeValue::Object(map) => {
                for member in map.iter() {
                    self.text(&member.key, &member.value.locus);
                    self.node(&member.value);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &Text, locus: &Locus) {
        let mut names = Vec::new();
        for part in &text.parts {
            match part {
                Part::Marker(marker) => names.push(marker.name.clone()),
                Part::Expression(expression) => names.extend(in_expression(&expression.source)),
                Part::Plain(_) => {}
            }
        }
        if !names.is_empty() {
            let known = self.at.entry(locus.clone()).or_default();
            known.extend(names);
            known.sort();
            known.dedup();
        }
    }
}

/// Returns what an expression names: `vars.brand`, `env.HOME`, `secrets.google`.
fn in_expression(source: &str) -> impl Iterator<Item = String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let words = source.split(move |c| !is_name(c));
    words.filter(|word| ["vars.", "env.", "secrets."].iter().any(|kind| word.starts_with(kind))).map(str::to_owned)
}
