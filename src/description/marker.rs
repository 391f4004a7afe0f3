//! Finds `##NAME##`, `@@NAME@@` and `${{ … }}` in raw text.

use std::collections::HashSet;
use std::ops::Range;

use super::node::{Expression, Format, Marker, Node, NodeValue, Part, Sigil};
use super::place::Places;
use crate::model::Locus;
use crate::problem::Problem;

/// Longest expression, in bytes.
pub(crate) const MAX_EXPRESSION_BYTES: usize = 4096;

/// Names that have a value in some environment: where YAML could also see a comment, only these are markers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames(HashSet<String>);

impl KnownNames {
    /// Says whether a name has a value somewhere.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl<S: Into<String>> FromIterator<S> for KnownNames {
    fn from_iter<T: IntoIterator<Item = S>>(names: T) -> Self {
        KnownNames(names.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<String>> Extend<S> for KnownNames {
    fn extend<T: IntoIterator<Item = S>>(&mut self, names: T) {
        self.0.extend(names.into_iter().map(Into::into));
    }
}

/// A marker or expression in a text.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its bytes, with the quotes a `@@` marker takes with it.
    pub(crate) range: Range<usize>,
    /// What it is.
    pub(crate) part: Part,
    /// In YAML this may be a comment.
    pub(crate) may_be_comment: bool,
}

/// Finds all markers, in order and apart.
pub(crate) fn find_markers(text: &str, names: &dyn Fn(&str) -> bool, places: &Places<'_>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['#', '@'])) {
        let start = at + next;
        at = start + 1;
        let Some((sigil, name)) = marker_at(text, start) else { continue };
        let end = start + name.len() + 4;
        let is_known = names(name);
        // `##A##B##` with only B known is a marker behind `##A`.
        let closing_opens = || marker_at(text, end - 2).is_some_and(|(s, other)| s == sigil && names(other));
        if !is_known && (!looks_like_a_name(name) || closing_opens()) {
            continue;
        }
        let outer = match sigil {
            Sigil::Json => with_quotes(text, start..end, found.last().map_or(0, |last| last.range.end)),
            Sigil::Text => start..end,
        };
        let may_be_comment = sigil == Sigil::Text && !is_known && may_be_comment(text, start);
        let written = text.get(outer.clone()).unwrap_or_default().to_owned();
        let marker = Marker { sigil, name: name.to_owned(), written, locus: places.locus(start..end) };
        found.push(Found { range: outer, part: Part::Marker(marker), may_be_comment });
        at = end;
    }
    found
}

/// Finds what a YAML or JSON file has to be filled with.
pub(crate) fn find_all(text: &str, names: &KnownNames, places: &Places<'_>) -> Vec<Found> {
    let mut found = find_markers(text, &|name| names.contains(name), places);
    found.extend(find_expressions(text, places));
    found.sort_by_key(|f| f.range.start);
    let mut done = 0;
    found.retain(|f| {
        let is_free = f.range.start >= done;
        if is_free {
            done = f.range.end;
        }
        is_free
    });
    found
}

/// Reads a marker that starts here.
fn marker_at(text: &str, start: usize) -> Option<(Sigil, &str)> {
    let rest = text.get(start..)?;
    let (sigil, sign) = if rest.starts_with("##") {
        (Sigil::Text, "##")
    } else if rest.starts_with("@@") {
        (Sigil::Json, "@@")
    } else {
        return None;
    };
    let rest = rest.get(2..)?;
    let end = rest.find(sign)?;
    let name = rest.get(..end)?;
    (!name.is_empty() && name.len() <= 256 && !name.contains(['\n', '\r'])).then_some((sigil, name))
}

/// A name somebody may have meant as one, though it has no value.
fn looks_like_a_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && name.bytes().any(|b| b.is_ascii_alphabetic())
        && !name.starts_with('-')
}

/// `'@@X@@'` and `"@@X@@"` are `@@X@@`.
fn with_quotes(text: &str, inner: Range<usize>, done: usize) -> Range<usize> {
    let before = text.get(..inner.start).and_then(|t| t.bytes().last());
    let after = text.as_bytes().get(inner.end).copied();
    match (before, after) {
        (Some(b), Some(a)) if b == a && matches!(b, b'"' | b'\'') && inner.start > done => {
            inner.start - 1..inner.end + 1
        }
        _ => inner,
    }
}

/// Says whether YAML could see a comment here: `#` at the start of a line, or behind a space that no value is missing before.
fn may_be_comment(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let trimmed = before.trim_end_matches([' ', '\t']);
    if trimmed.is_empty() || trimmed.ends_with(['\n', '\r', '\u{feff}']) {
        return true;
    }
    trimmed.len() < before.len() && !trimmed.ends_with([':', '-', ',', '[', '{', '?'])
}

/// Finds `${{ … }}`; each ends on its own line.
fn find_expressions(text: &str, places: &Places<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("${{")).map(|n| at + n) {
        let inner = text.get(start + 3..).unwrap_or_default();
        // Bounded, so that many openings without an end cost no more than few.
        let window = inner.get(..inner.floor_char_boundary(MAX_EXPRESSION_BYTES)).unwrap_or_default();
        let line = window.get(..window.find(['\n', '\r']).unwrap_or(window.len())).unwrap_or_default();
        let Some(length) = closing_braces(line).or_else(|| line.find("}}")) else {
            // No `}}` up to there: none behind a second `${{` either.
            at = start + 3 + line.len();
            continue;
        };
        let range = start..start + 3 + length + 2;
        let expression = Expression {
            source: line.get(..length).unwrap_or_default().to_owned(),
            written: text.get(range.clone()).unwrap_or_default().to_owned(),
            locus: places.locus(range.clone()),
        };
        at = range.end;
        found.push(Found { range, part: Part::Expression(expression), may_be_comment: false });
    }
    found
}

/// Finds `}}` outside of quoted text.
fn closing_braces(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut bytes = line.bytes().enumerate().peekable();
    while let Some((n, byte)) = bytes.next() {
        match (quote, byte) {
            (None, b'}') if bytes.peek().is_some_and(|(_, b)| *b == b'}') => return Some(n),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Reports every `${{` without its `}}`.
pub(crate) fn unfinished_expressions(node: &Node, text: &str, places: &Places<'_>, problems: &mut Vec<Problem>) {
    let mut check = |parts: &[Part], locus: &Locus| {
        if parts.iter().any(|part| matches!(part, Part::Plain(plain) if plain.contains("${{"))) {
            let at = text.get(locus.start..locus.end).and_then(|t| t.find("${{"));
            let locus = at.map_or_else(|| locus.clone(), |n| places.locus(locus.start + n..locus.start + n + 3));
            problems.push(
                Problem::error("expression-syntax", "an expression has no `}}`")
                    .label(&locus, "it starts here, and has to end on this line")
                    .help("write `${{ concat \"$\" \"{{\" }}` if these characters were meant"),
            );
        }
    };
    match &node.value {
        NodeValue::Text(text) => check(&text.parts, &node.locus),
        NodeValue::Array(items) => items.iter().for_each(|item| unfinished_expressions(item, text, places, problems)),
        NodeValue::Object(map) => {
            for member in map.iter() {
                check(&member.key.parts, &member.key_locus);
            }
            for member in map.iter() {
                unfinished_expressions(&member.value, text, places, problems);
            }
        }
        _ => {}
    }
}

/// Keeps what stands inside a scalar, or where a list or object in brackets misses a value: no comment starts there.
pub(crate) fn not_comments(maybe: Vec<Found>, node: &Node, text: &str) -> Vec<Found> {
    let mut covered = Covered::default();
    covered.add(node, text);
    let (scalars, brackets) = (merged(covered.scalars), merged(covered.brackets));
    maybe
        .into_iter()
        .filter(|found| {
            let at = found.range.start;
            holds(&scalars, at) || (holds(&brackets, at) && misses_a_value(text, at))
        })
        .collect()
}

#[derive(Default)]
struct Covered {
    scalars: Vec<Range<usize>>,
    brackets: Vec<Range<usize>>,
}

impl Covered {
    fn add(&mut self, node: &Node, text: &str) {
        let range = node.locus.start..node.locus.end;
        if matches!(node.value, NodeValue::Array(_) | NodeValue::Object(_))
            && text.get(range.start..).is_some_and(|t| t.starts_with(['[', '{']))
        {
            self.brackets.push(range.clone());
        }
        match &node.value {
            NodeValue::Array(items) => items.iter().for_each(|item| self.add(item, text)),
            NodeValue::Object(map) => {
                for member in map.iter() {
                    self.scalars.push(member.key_locus.start..member.key_locus.end);
                    self.add(&member.value, text);
                }
            }
            _ => self.scalars.push(range),
        }
    }
}

/// Sorts ranges and joins those that overlap.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

fn holds(ranges: &[Range<usize>], at: usize) -> bool {
    let after = ranges.partition_point(|range| range.start <= at);
    after.checked_sub(1).and_then(|n| ranges.get(n)).is_some_and(|range| range.contains(&at))
}

/// Says whether the item before a place is still missing its value: `[`, `,`, `{` or `:` stands before it.
fn misses_a_value(text: &str, start: usize) -> bool {
    text.get(..start).is_some_and(|before| before.trim_end().ends_with(['[', ',', '{', ':']))
}

/// Says whether a file of this format can hold comments.
pub(crate) fn has_comments(format: Format) -> bool {
    format == Format::Yaml
}
