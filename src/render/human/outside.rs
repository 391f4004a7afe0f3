//! What was changed outside, by whom, and what becomes of it.

use super::change::text_rows;
use super::rows::{Context, Table, rows};
use super::sections::column;
use crate::change::Facts;
use crate::render::line::{Line, Lines};
use crate::render::outside::{Drifted, Fate, Happened, drifted};
use crate::render::plural::count;
use crate::render::style::Style;
use crate::render::text::{clean, width};
use crate::render::view::{Options, PlanView};
use crate::render::who::blame;

/// Fields shown of one resource.
const MOST: usize = 24;

/// Adds the section of a plan.
pub(super) fn section(lines: &mut Lines, view: &PlanView<'_>, options: &Options) {
    let drifted = drifted(view.plan, view.refusals);
    if drifted.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Changed outside since the last deployment"));
    drifts(lines, &drifted, view.head.now, options);
}

/// Adds what was changed outside, resource by resource.
pub(in crate::render) fn drifts(lines: &mut Lines, all: &[Drifted], now: jiff::Timestamp, options: &Options) {
    let column = column(all.iter().map(|one| one.address.to_string())).max(24);
    let facts = Facts::default();
    for one in all {
        let (style, words) = fate_words(one);
        let line = Line::new(options.colour).add(Style::Address, &one.address.to_string()).to(column);
        let line = line.add(style, &words);
        match one.one_blame() {
            Some(by) => {
                let words = blame(by, now);
                if line.width() + 3 + width(&clean(&words)) <= options.width {
                    lines.push(line.plain("   ").add(Style::Muted, &words));
                } else {
                    lines.push(line);
                    lines.push(Line::new(options.colour).plain("  ").add(Style::Muted, &words));
                }
            }
            None => lines.push(line),
        }
        let rows = rows(one.fields.iter());
        let context = Context { facts: &facts, address: &one.address, now };
        let table = Table::new(&rows, options, None, context).theirs(one);
        text_rows(lines, rows.iter().take(MOST), &table, options, usize::MAX);
        if rows.len() > MOST {
            let more = format!("  … and {}; --json has all", count(rows.len() - MOST, "more field"));
            lines.push(Line::new(options.colour).add(Style::Muted, &more));
        }
    }
}

/// Says what was done to a resource outside, and what the plan does about it.
pub(in crate::render) fn fate_words(one: &Drifted) -> (Style, String) {
    let what = one.happened.as_str();
    match (one.fate, one.happened) {
        (None, _) => (Style::Warning, what.to_owned()),
        (Some(Fate::Refused), Happened::Deleted) => (Style::Bad, format!("{what}; making it anew is refused")),
        (Some(Fate::Refused), _) => (Style::Bad, format!("{what}; writing over it is refused")),
        (Some(Fate::Overwritten), Happened::Deleted) => (Style::Updated, format!("{what}; this plan makes it anew")),
        (Some(Fate::Overwritten), _) => (Style::Updated, format!("{what}; this plan puts it back")),
        (Some(Fate::Kept), Happened::Deleted) => (Style::Muted, format!("{what}; it is not made anew")),
        (Some(Fate::Kept), _) => (Style::Muted, format!("{what}; it stays so")),
    }
}
