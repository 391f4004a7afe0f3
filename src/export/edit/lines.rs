//! Edits of whole lines of YAML in block notation.

use super::super::text::{Out, yaml};
use super::document::{Child, Document, out};
use super::meaning::{Op, Step};
use super::splice::{is_block, is_flow};
use crate::description::{Format, Node, NodeValue};

/// Takes out the lines of a member or item that has lines of its own and is not the last one left.
pub(super) fn removed(doc: &Document<'_>, op: &Op) -> Option<String> {
    let (Op::Remove(at), Format::Yaml) = (op, doc.format) else { return None };
    let (last, holder_at) = at.split_last()?;
    let holder = doc.at(holder_at).filter(|node| !is_flow(doc, node))?;
    let children = Document::children(holder);
    let child = doc.chain(at).pop()?;
    if children.len() < 2 {
        return None;
    }
    let start = child.range().start;
    let index = match last {
        Step::Index(index) => *index,
        Step::Key(_) => children.iter().position(|other| other.range().start == start)?,
    };
    let is_unwritten = child.value.locus.start == child.value.locus.end;
    let end = child.key.filter(|_| is_unwritten).map_or(child.value.locus.end, |key| key.end);
    let line_end = doc.text.get(end..)?.find('\n').map(|n| end + n + 1);
    let begin = match last {
        Step::Index(_) => begin(doc, at, start),
        Step::Key(_) => doc.text.get(..start)?.rfind('\n').map_or(0, |n| n + 1),
    };
    let before = doc.slice(begin..start).trim_start_matches('\u{feff}');
    let is_alone = match last {
        Step::Index(_) => before.trim_start().starts_with('-') && before.matches('-').count() == 1,
        Step::Key(_) => before.trim().is_empty(),
    };
    if !is_alone {
        // The next one takes its place behind the dash.
        let next = children.get(index + 1)?.range().start;
        return matches!(last, Step::Key(_)).then(|| doc.with(start..next, ""))?;
    }
    let begin = if doc.slice(begin..start).starts_with('\u{feff}') { begin + '\u{feff}'.len_utf8() } else { begin };
    match line_end {
        Some(line_end) => doc.with(begin..line_end, ""),
        // The file has no line break at its end, and still has none.
        None => {
            let kept = doc.text.get(..begin)?;
            let kept = kept.strip_suffix('\n').map_or(kept, |kept| kept.strip_suffix('\r').unwrap_or(kept));
            Some(kept.to_owned())
        }
    }
}

/// Adds lines behind those of the last member or item: written anew, in the column of the first.
pub(super) fn added(doc: &Document<'_>, op: &Op) -> Option<String> {
    let (Op::Add(at, key, value), Format::Yaml) = (op, doc.format) else { return None };
    let holder = doc.at(at).filter(|node| is_block(doc, node))?;
    let children = Document::children(holder);
    let (first, last) = (children.first()?, children.last()?);
    let text = match (&holder.value, key) {
        (NodeValue::Object(_), Some(key)) => yaml(&Out::Object(vec![(key.clone(), out(value))])),
        (NodeValue::Array(_), None) => yaml(&Out::List(vec![out(value)])),
        _ => return None,
    };
    let start = match key {
        Some(_) => first.range().start,
        None => dash(doc, at, first)?,
    };
    let column = column(doc, start)?;
    let end = end_of(doc, last.key.map(|key| key.end), last.value);
    Some(inserted(doc, end, &indented(&text, column, doc.newline())))
}

/// Writes a value anew where a list or object in block notation stood, or nothing, or a text of one line.
pub(super) fn replaced(doc: &Document<'_>, op: &Op) -> Option<String> {
    let (Op::Set(at, value), Format::Yaml) = (op, doc.format) else { return None };
    let child = doc.chain(at).pop().filter(|_| !at.is_empty())?;
    let start = match child.key {
        Some(key) => key.start,
        None => dash(doc, at.split_last()?.1, &child)?,
    };
    let column = column(doc, start)?;
    let head = match child.key {
        Some(key) => key.end + doc.text.get(key.end..)?.find(':')? + 1,
        None => start + 1,
    };
    let line = doc.text.get(head..)?;
    let line_end = head + line.find('\n').unwrap_or(line.len());
    let header = doc.slice(head..line_end).trim_end_matches('\r');
    let (value_text, comment) = match header.find(" #") {
        Some(at) if !header.get(..at)?.contains(['"', '\'']) => header.split_at_checked(at)?,
        _ => (header, ""),
    };
    if value_text.contains(['&', '!', '*']) {
        return None;
    }
    let end = end_of(doc, child.key.map(|key| key.end), child.value).max(head + header.len());
    let written = match child.key {
        Some(_) => yaml(&Out::Object(vec![("k".to_owned(), out(value))])).strip_prefix("k:")?.to_owned(),
        None => yaml(&Out::List(vec![out(value)])).strip_prefix('-')?.to_owned(),
    };
    let (first, rest) = written.split_once('\n')?;
    let rest = indented(rest, column, doc.newline());
    let rest = rest.strip_suffix(doc.newline()).unwrap_or(&rest);
    let gap = if rest.is_empty() { "" } else { doc.newline() };
    // An item's own members begin on its line: a comment has no place behind them.
    let comment =
        if child.key.is_none() && !rest.is_empty() && !first.trim_start().starts_with('|') && !comment.is_empty() {
            return None;
        } else {
            comment
        };
    let ends = if rest.is_empty() || doc.text.get(end..)?.contains('\n') { "" } else { doc.newline() };
    doc.with(head..end, &format!("{}{comment}{gap}{rest}{ends}", first.trim_end()))
}

/// Returns where the dash of an item stands.
fn dash(doc: &Document<'_>, at: &[Step], item: &Child<'_>) -> Option<usize> {
    let holder = doc.at(at)?;
    let start = item.range().start;
    let index = Document::children(holder).iter().position(|other| other.range().start == start)?;
    let before = match index.checked_sub(1) {
        Some(before) => {
            let children = Document::children(holder);
            let child = children.get(before)?;
            end_of(doc, None, child.value)
        }
        None => holder.locus.start.min(start),
    };
    // Comments may stand between the dash and its value.
    let mut here = before;
    for line in doc.slice(before..start).split_inclusive('\n') {
        let code = line.trim_start_matches('\u{feff}').trim_start();
        if code.starts_with('-') {
            return Some(here + line.len() - code.len());
        }
        here += line.len();
    }
    None
}

/// Returns how many characters stand before a place on its line.
fn column(doc: &Document<'_>, at: usize) -> Option<usize> {
    let line = doc.text.get(..at)?.rfind('\n').map_or(0, |n| n + 1);
    let before = doc.slice(line..at).trim_start_matches('\u{feff}');
    before.chars().all(|c| matches!(c, ' ' | '-')).then(|| before.chars().count())
}

/// Returns where a value ends, without what follows on its line.
fn end_of(doc: &Document<'_>, key_end: Option<usize>, node: &Node) -> usize {
    if is_block(doc, node)
        && let Some(last) = Document::children(node).last()
    {
        return end_of(doc, last.key.map(|key| key.end), last.value);
    }
    let end = node.locus.end;
    match key_end {
        Some(key_end) if node.locus.start == end => key_end + usize::from(doc.slice(key_end..key_end + 1) == ":"),
        _ => end,
    }
}

fn indented(text: &str, column: usize, newline: &str) -> String {
    let pad = " ".repeat(column);
    let line = |line: &str| if line.is_empty() { newline.to_owned() } else { format!("{pad}{line}{newline}") };
    text.lines().map(line).collect()
}

/// Puts lines behind the line that ends at a place, or that the place stands on.
fn inserted(doc: &Document<'_>, end: usize, lines: &str) -> String {
    let at_line_start = doc.text.get(..end).is_some_and(|before| before.ends_with('\n'));
    let rest = doc.text.get(end..).unwrap_or_default();
    let at = match (at_line_start, rest.find('\n')) {
        (true, _) => Some(end),
        (false, Some(next)) => Some(end + next + 1),
        (false, None) => None,
    };
    match at {
        Some(at) => {
            let (before, behind) = doc.text.split_at_checked(at).unwrap_or((&doc.text, ""));
            let lines = if behind.is_empty() && !doc.text.ends_with('\n') { lines.trim_end() } else { lines };
            format!("{before}{lines}{behind}")
        }
        // The file has no line break at its end, and still has none.
        None => format!("{}{}{}", doc.text, doc.newline(), lines.trim_end_matches(['\r', '\n'])),
    }
}

/// Returns where the line of an item's dash begins; for a member, where it begins itself.
pub(super) fn begin(doc: &Document<'_>, at: &[Step], start: usize) -> usize {
    let Some((Step::Index(index), holder_at)) = at.split_last() else { return start };
    let Some(holder) = doc.at(holder_at) else { return start };
    let children = Document::children(holder);
    let before = match index.checked_sub(1).and_then(|n| children.get(n)) {
        Some(child) => child.range().end,
        None => doc.text.get(..holder.locus.start).and_then(|text| text.rfind('\n')).map_or(0, |n| n + 1),
    };
    let mut line = start;
    for text in doc.slice(before..start).split_inclusive('\n').rev() {
        line -= text.len();
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('-') {
            return line;
        }
    }
    start
}
