//! Edits of whole lines of YAML in block notation.

use super::document::Document;
use super::meaning::{Op, Step};
use super::splice::is_flow;
use crate::description::Format;

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
