//! Edits of YAML in block notation, by a syntax tree that keeps all it does not touch.

use std::str::FromStr;

use yaml_edit::{Mapping, YamlFile, YamlNode};

use super::super::text::{Out, yaml};
use super::document::{Document, out};
use super::meaning::{Op, Step};
use super::token::Swapped;
use crate::description::Format;

/// Makes a change in the syntax tree.
pub(super) fn edited(doc: &Document<'_>, op: &Op) -> Option<String> {
    if doc.format != Format::Yaml {
        return None;
    }
    let swapped = Swapped::of(doc);
    let file = YamlFile::from_str(&swapped.text).ok()?;
    let root = root(&file)?;
    match op {
        Op::Set(at, value) => {
            let (last, holder_at) = at.split_last()?;
            let value = node_of(&out(value))?;
            match (go(doc, &root, holder_at, swapped.shift)?, last) {
                (YamlNode::Mapping(map), Step::Key(_)) => entry(doc, &map, at, swapped.shift)?.set_value(&value, false),
                (YamlNode::Sequence(list), Step::Index(index)) => {
                    list.set(*index, &value).then_some(())?;
                }
                _ => return None,
            }
        }
        Op::Add(at, key, value) => {
            let value = node_of(&out(value))?;
            match (go(doc, &root, at, swapped.shift)?, key) {
                (YamlNode::Mapping(map), Some(key)) => map.set(&node_of(&Out::Text(key.clone()))?, &value),
                (YamlNode::Sequence(list), None) => list.push(&value),
                _ => return None,
            }
        }
        Op::Remove(at) => {
            let (last, holder_at) = at.split_last()?;
            match (go(doc, &root, holder_at, swapped.shift)?, last) {
                (YamlNode::Mapping(map), Step::Key(_)) => entry(doc, &map, at, swapped.shift)?.remove(),
                (YamlNode::Sequence(list), Step::Index(index)) => {
                    list.remove(*index)?;
                }
                _ => return None,
            }
        }
        Op::Spread(..) => return None,
    }
    let mark = if swapped.shift > 0 { "\u{feff}" } else { "" };
    Some(format!("{mark}{}", swapped.restored(&file.to_string())))
}

fn root(file: &YamlFile) -> Option<YamlNode> {
    let document = file.document()?;
    let mapping = document.as_mapping().map(YamlNode::Mapping);
    mapping
        .or_else(|| document.as_sequence().map(YamlNode::Sequence))
        .or_else(|| document.as_scalar().map(YamlNode::Scalar))
}

/// Makes a node of a value.
fn node_of(value: &Out) -> Option<YamlNode> {
    let mut text = yaml(value);
    if matches!(value, Out::Text(_)) {
        // Its last line ends where it is put.
        text.truncate(text.trim_end_matches('\n').len());
    }
    root(&YamlFile::from_str(&text).ok()?)
}

/// Walks to a place by what [`Document`] knows of it.
fn go(doc: &Document<'_>, root: &YamlNode, at: &[Step], shift: usize) -> Option<YamlNode> {
    let mut here = root.clone();
    for (depth, step) in at.iter().enumerate() {
        here = match (&here, step) {
            (YamlNode::Mapping(map), Step::Key(_)) => entry(doc, map, at.get(..=depth)?, shift)?.value_node()?,
            (YamlNode::Sequence(list), Step::Index(index)) => list.get(*index)?,
            _ => return None,
        };
    }
    Some(here)
}

/// Finds the entry of a member by where its key stands.
fn entry(doc: &Document<'_>, map: &Mapping, at: &[Step], shift: usize) -> Option<yaml_edit::MappingEntry> {
    let chain = doc.chain(at);
    let start = chain.get(at.len().checked_sub(1)?)?.key?.start.checked_sub(shift)?;
    map.entries().find(|entry| {
        entry.key_node().is_some_and(|key| {
            let range = key.byte_range();
            (range.start as usize..(range.end as usize).max(range.start as usize + 1)).contains(&start)
        })
    })
}
