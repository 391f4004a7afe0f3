//! Comments of YAML: an edit keeps every one that does not stand on what goes.

use std::ops::Range;

use granit_parser::{Event, Options, Parser};

use super::document::Document;
use super::meaning::Op;
use super::token::Swapped;
use super::{lines, splice};
use crate::description::Format;

/// Says whether all comments are still there, but those on the lines of what changes take away.
pub(super) fn kept(before: &Document<'_>, after: &Document<'_>, ops: &[&Op]) -> bool {
    if before.format == Format::Json {
        return true;
    }
    let (Some(old), Some(new)) = (comments(before), comments(after)) else { return false };
    let mut new: Vec<&str> = new.iter().map(|(text, _)| text.as_str()).collect();
    let goes: Vec<Range<usize>> = ops.iter().map(|op| gone(before, op)).collect();
    old.iter().all(|(text, range)| match new.iter().position(|other| other == text) {
        Some(at) => {
            new.swap_remove(at);
            true
        }
        None => goes.iter().any(|goes| goes.contains(&range.start)),
    })
}

/// Returns the bytes whose comments may go.
fn gone(doc: &Document<'_>, op: &Op) -> Range<usize> {
    let Some(child) = doc.chain(op.at()).pop() else {
        return if let Op::Set(..) = op { doc.node.locus.start..doc.node.locus.end } else { 0..0 };
    };
    let range = child.range();
    let to_line_end = |end: usize| end + doc.text.get(end..).and_then(|rest| rest.find('\n')).unwrap_or_default();
    match op {
        Op::Remove(_) => lines::begin(doc, op.at(), range.start)..to_line_end(range.end),
        Op::Set(..) if splice::is_block(doc, child.value) => child.value.locus.start..to_line_end(range.end),
        Op::Set(..) => child.value.locus.start..child.value.locus.end,
        Op::Add(..) | Op::Spread(..) => 0..0,
    }
}

fn comments(doc: &Document<'_>) -> Option<Vec<(String, Range<usize>)>> {
    let swapped = Swapped::of(doc);
    let mut options = Options::default();
    options.set_emit_comments(true);
    options.emit_unresolved_aliases = true;
    let mut out = Vec::new();
    for next in Parser::new_from_str_with_options(&swapped.text, options) {
        let (event, span) = next.ok()?;
        if let Event::Comment(text, _) = event {
            let range = span.byte_range()?;
            out.push((swapped.restored(&text), range.start + swapped.shift..range.end + swapped.shift));
        }
    }
    Some(out)
}
