//! Text and code as a diff with line numbers, the changed words marked.

use similar::{ChangeTag, TextDiff};

use crate::change::{FieldChange, How};
use crate::model::Value;
use crate::render::line::{Line, Lines};
use crate::render::plural::count;
use crate::render::style::Style;
use crate::render::text::{shorten, width};
use crate::render::view::Options;

/// Unchanged lines shown around a change.
const CONTEXT: usize = 2;

/// Lines shown of one field.
const MOST: usize = 80;

/// The two texts of a field that is best read line by line; `None` where it is not.
pub(in crate::render) fn texts(field: &FieldChange, columns: usize) -> Option<(String, String)> {
    let (before, after) = (field.diff.before.as_ref()?, field.diff.after.as_ref()?);
    match (field.how, before, after) {
        (How::Secret, ..) => None,
        (_, Value::String(before), Value::String(after)) => {
            let lines = |text: &str| text.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
            let (before, after) = (lines(before), lines(after));
            (before.contains('\n') || after.contains('\n')).then_some((before, after))
        }
        (_, Value::Array(before), Value::Array(after)) if is_list_of_objects(before) && is_list_of_objects(after) => {
            let lines = |items: &[Value]| items.iter().map(crate::render::value::brief).collect::<Vec<_>>();
            let (before, after) = (lines(before), lines(after));
            // An item that does not fit into a line is read better member by member.
            if before.iter().chain(&after).any(|line| width(line) + 10 > columns) {
                let (before, after) = (pretty(field.diff.before.as_ref()?), pretty(field.diff.after.as_ref()?));
                return Some((before, after));
            }
            Some((before.join("\n"), after.join("\n")))
        }
        (_, Value::Array(_) | Value::Object(_), Value::Array(_) | Value::Object(_)) => {
            let one_line = crate::render::value::brief(before).len() + crate::render::value::brief(after).len();
            (one_line + 30 > columns).then(|| (pretty(before), pretty(after)))
        }
        _ => None,
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&value.redacted()).unwrap_or_default()
}

/// A list whose order counts and whose items have members: shown item by item.
fn is_list_of_objects(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|item| matches!(item, Value::Object(_)))
}

/// Counts lines added and removed: `+1 -1`.
pub(super) fn stat(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    diff.iter_all_changes().fold((0, 0), |(added, removed), change| match change.tag() {
        ChangeTag::Insert => (added + 1, removed),
        ChangeTag::Delete => (added, removed + 1),
        ChangeTag::Equal => (added, removed),
    })
}

/// Adds the lines that changed, with a little around them.
pub(super) fn code(lines: &mut Lines, before: &str, after: &str, options: &Options) {
    let (before, after) = (format!("{before}\n"), format!("{after}\n"));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let digits = before.matches('\n').count().max(after.matches('\n').count()).to_string().len();
    let room = options.width.saturating_sub(digits + 8).max(20);
    let (mut shown, mut hidden) = (0, 0);
    for (n, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if n > 0 && shown < MOST {
            lines.push(Line::new(options.colour).plain(&" ".repeat(digits + 5)).add(Style::Muted, "…"));
        }
        // No deadline: the same plan always looks the same.
        for change in group.iter().flat_map(|op| diff.iter_inline_changes_deadline(op, None)) {
            if shown == MOST {
                hidden += 1;
                continue;
            }
            shown += 1;
            let (sign, style, word, number) = match change.tag() {
                ChangeTag::Delete => ("-", Style::Removed, Style::RemovedWord, change.old_index()),
                ChangeTag::Insert => ("+", Style::Added, Style::AddedWord, change.new_index()),
                ChangeTag::Equal => (" ", Style::Muted, Style::Muted, change.new_index()),
            };
            let number = number.map(|n| (n + 1).to_string()).unwrap_or_default();
            let head = format!("    {sign}{number:>digits$} ");
            let mut line = Line::new(options.colour).add(style, &head).plain(" ");
            let mut left = room;
            for (marked, piece) in change.iter_strings_lossy() {
                let piece = piece.trim_end_matches(['\r', '\n']).replace('\t', "    ");
                let piece = shorten(&piece, left);
                left = left.saturating_sub(width(&piece));
                line = line.add(if marked { word } else { style }, &piece);
                if left == 0 {
                    break;
                }
            }
            lines.push(line);
        }
    }
    if hidden > 0 {
        let more = format!("… {}; --json has all", count(hidden, "more line"));
        lines.push(Line::new(options.colour).plain(&" ".repeat(digits + 5)).add(Style::Muted, &more));
    }
}
