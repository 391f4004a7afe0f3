//! One file that is edited: after each change it is read again, and has to say what was meant and nothing else.

use std::ops::Range;

use super::super::text::Out;
use super::append::as_expression;
use super::meaning::{Meaning, Op, Step};
use super::{Why, block, comment, lines, splice};
use crate::description::{Format, KnownNames, Member, Node, NodeValue, load, read_json, read_yaml};
use crate::model::{Locus, Value};
use crate::problem::Problem;

/// A file with what it says.
#[derive(Clone)]
pub(super) struct Document<'a> {
    /// Its name, as shown to people.
    shown: &'a str,
    pub(super) format: Format,
    /// Names that markers have values for; `None` for a file in which nothing is filled.
    names: Option<&'a KnownNames>,
    pub(super) text: String,
    pub(super) node: Node,
    /// The bytes of each marker and expression.
    pub(super) filled: Vec<Range<usize>>,
}

/// A member or item, where it stands.
pub(super) struct Child<'n> {
    /// Key of a member.
    pub(super) key: Option<&'n Locus>,
    pub(super) value: &'n Node,
}

impl Child<'_> {
    /// Returns the bytes of key and value.
    pub(super) fn range(&self) -> Range<usize> {
        self.key.map_or(self.value.locus.start, |key| key.start)..self.value.locus.end
    }
}

impl<'a> Document<'a> {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Those of [`load`].
    pub(super) fn read(
        shown: &'a str,
        bytes: &[u8],
        format: Format,
        names: Option<&'a KnownNames>,
    ) -> Result<Self, Vec<Problem>> {
        let loaded = match (names, format) {
            (Some(names), format) => load(shown, bytes, format, names)?,
            (None, Format::Yaml) => read_yaml(shown, bytes)?,
            (None, Format::Json) => read_json(shown, bytes)?,
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok(Document { shown, format, names, text, node: loaded.node, filled: loaded.filled })
    }

    /// Makes a change.
    ///
    /// # Errors
    ///
    /// Why it is left; the file is as it was then.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), Why> {
        let before = Meaning::of(&self.node);
        let mut wanted = before.clone();
        wanted.change(op).ok_or(Why::NoPlace)?;
        if wanted.same(&before) {
            return Ok(());
        }
        let mut ways = self.direct(op, &wanted)?;
        if let Op::Remove(at) = op {
            // Where nothing is left, something has to say so.
            let holder = at.get(..at.len().saturating_sub(1)).unwrap_or_default();
            ways.extend(
                wanted
                    .at(holder)
                    .filter(|left| left.is_empty())
                    .and_then(Meaning::to_value)
                    .map(|empty| Op::Set(holder.to_vec(), empty)),
            );
        }
        for direct in ways {
            for way in [splice::styled, lines::removed, lines::added, block::edited, lines::replaced, splice::quoted] {
                if let Some(next) = way(self, &direct).and_then(|text| self.again(text))
                    && Meaning::of(&next.node).same(&wanted)
                    && comment::kept(self, &next, &[&direct, op])
                {
                    *self = next;
                    return Ok(());
                }
            }
        }
        Err(if self.is_anchored(op.at()) { Why::Shared } else { Why::Refused })
    }

    fn again(&self, text: String) -> Option<Self> {
        Document::read(self.shown, text.as_bytes(), self.format, self.names).ok()
    }

    /// Returns the children that lead to a place; shorter where it is not there.
    pub(super) fn chain(&self, at: &[Step]) -> Vec<Child<'_>> {
        let mut here = &self.node;
        let mut out = Vec::new();
        for step in at {
            let child = match (step, &here.value) {
                (Step::Key(key), NodeValue::Object(map)) => map
                    .iter()
                    .find(|member| member.key.as_written() == *key)
                    .map(|member: &Member| Child { key: Some(&member.key_locus), value: &member.value }),
                (Step::Index(index), NodeValue::Array(items)) => {
                    items.get(*index).map(|value| Child { key: None, value })
                }
                _ => None,
            };
            let Some(child) = child else { break };
            here = child.value;
            out.push(child);
        }
        out
    }

    /// Returns the node at a place.
    pub(super) fn at(&self, at: &[Step]) -> Option<&Node> {
        match at {
            [] => Some(&self.node),
            at => self.chain(at).get(at.len() - 1).map(|child| child.value),
        }
    }

    /// Returns the children of a node.
    pub(super) fn children(node: &Node) -> Vec<Child<'_>> {
        match &node.value {
            NodeValue::Array(items) => items.iter().map(|value| Child { key: None, value }).collect(),
            NodeValue::Object(map) => map.iter().map(|m| Child { key: Some(&m.key_locus), value: &m.value }).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the text of a range.
    pub(super) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Returns a text in which a range is replaced.
    pub(super) fn with(&self, range: Range<usize>, new: &str) -> Option<String> {
        Some(format!("{}{new}{}", self.text.get(..range.start)?, self.text.get(range.end..)?))
    }

    /// Returns how lines end.
    pub(super) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Returns the changes that do the same without touching what aliases and merges bring in from elsewhere.
    fn direct(&self, op: &Op, wanted: &Meaning) -> Result<Vec<Op>, Why> {
        if self.format == Format::Json {
            return Ok(vec![op.clone()]);
        }
        let at = op.at();
        let mut holder = &self.node;
        for (depth, child) in self.chain(at).iter().enumerate() {
            let inside = holder.locus.start..holder.locus.end;
            if !inside.contains(&child.range().start) && !is_null_at_end(child, &inside) {
                let (holder_at, rest) = at.split_at(depth);
                return self.spelled_out(op, wanted, holder_at, rest, holder);
            }
            holder = child.value;
        }
        let is_alias = self.slice(holder.locus.start..holder.locus.end).starts_with('*');
        match op {
            Op::Add(..) if is_alias => self.spelled_out(op, wanted, at, &[], holder),
            _ => Ok(vec![op.clone()]),
        }
    }

    /// Writes at the place itself what an alias or a merge brings there.
    fn spelled_out(
        &self,
        op: &Op,
        wanted: &Meaning,
        holder_at: &[Step],
        rest: &[Step],
        holder: &Node,
    ) -> Result<Vec<Op>, Why> {
        let value_at = |steps: &[Step]| -> Result<Value, Why> {
            let meaning = wanted.at(steps).ok_or(Why::Shared)?;
            meaning.to_value().ok_or_else(|| {
                let mut names = Vec::new();
                meaning.filled(&mut names);
                Why::Marker(names)
            })
        };
        let written = self.slice(holder.locus.start..holder.locus.end);
        if written.starts_with('*') {
            let own = match (op, rest.first()) {
                (Op::Add(_, key, _), None) => key.clone(),
                (Op::Remove(_), Some(_)) if rest.len() == 1 => None,
                (_, Some(Step::Key(key))) => Some(key.clone()),
                _ => None,
            };
            let mut out = Vec::new();
            if let (Some(key), NodeValue::Object(_)) = (own, &holder.value) {
                let steps: Vec<Step> = holder_at.iter().cloned().chain([Step::Key(key.clone())]).collect();
                out.push(Op::Spread(holder_at.to_vec(), key, value_at(&steps)?));
            }
            match value_at(holder_at) {
                Ok(whole) => out.push(Op::Set(holder_at.to_vec(), whole)),
                Err(why) if out.is_empty() => return Err(why),
                Err(_) => {}
            }
            return Ok(out);
        }
        let Some(Step::Key(key)) = rest.first() else { return Err(Why::Shared) };
        let steps: Vec<Step> = holder_at.iter().cloned().chain([Step::Key(key.clone())]).collect();
        Ok(vec![Op::Add(holder_at.to_vec(), Some(key.clone()), value_at(&steps)?)])
    }

    /// Says whether a place, or what holds it, has an anchor: others use it too.
    fn is_anchored(&self, at: &[Step]) -> bool {
        let is_anchor = |text: &str| {
            let code = text.split(" #").next().unwrap_or_default();
            code.split_whitespace().any(|word| word.starts_with('&'))
        };
        let anchored = |child: &Child<'_>| {
            let node = child.value;
            let before = self.text.get(..node.locus.start).unwrap_or_default();
            let from = child.key.map_or_else(|| before.rfind('\n').map_or(0, |n| n + 1), |key| key.end);
            // A comment may stand behind the anchor, and the value on the next line.
            from <= node.locus.start && self.slice(from..node.locus.start).lines().any(is_anchor)
                || self.slice(node.locus.start..node.locus.end).starts_with('&')
        };
        self.format == Format::Yaml && self.chain(at).iter().any(anchored)
    }
}

/// A value that is not written may stand behind all of its holder.
fn is_null_at_end(child: &Child<'_>, inside: &Range<usize>) -> bool {
    child.key.is_none() && child.value.is_null() && child.value.locus.start == inside.end
}

/// Converts a value without secrets; those that are to be read from elsewhere are expressions.
pub(super) fn out(value: &Value) -> Out {
    match value {
        Value::Unresolved(_) => as_expression(value).map_or(Out::Null, |written| Out::Expression(written.to_owned())),
        Value::Null | Value::Secret(_) | Value::Fingerprint(_) => Out::Null,
        Value::Bool(b) => Out::Bool(*b),
        Value::Number(number) => Out::Number(number.clone()),
        Value::String(text) => Out::Text(text.clone()),
        Value::Array(items) => Out::List(items.iter().map(out).collect()),
        Value::Object(map) => Out::Object(map.iter().map(|(key, value)| (key.clone(), out(value))).collect()),
    }
}
