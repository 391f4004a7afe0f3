//! What the plan does not do: left, unreadable, skipped, unmanaged, not comparable.

use super::rows::{Table, rows};
use crate::change::{Kept, Origin, Plan};
use crate::model::Unavailable;
use crate::render::line::{Line, Lines};
use crate::render::plural::count;
use crate::render::style::Style;
use crate::render::text::{clean, width};
use crate::render::view::Options;

/// Entries shown of a list that only informs.
const MOST: usize = 10;

pub(super) fn sections(lines: &mut Lines, plan: &Plan, options: &Options, uniform: Option<Origin>) {
    left(lines, plan, options, uniform);
    unreadable(lines, plan, options);
    let skipped: Vec<[String; 2]> = plan
        .skipped
        .iter()
        .map(|(kind, (words, n))| [kind.clone(), format!("{}: {words}", count(*n, "described resource"))])
        .collect();
    list(lines, "Skipped, because this tenant lacks the feature", &skipped, usize::MAX, options);
    let unmanaged: Vec<[String; 2]> =
        plan.unmanaged.resources.iter().map(|address| [address.to_string(), String::new()]).collect();
    list(lines, "Not described, left alone", &unmanaged, MOST, options);
    let secrets: Vec<[String; 2]> = plan
        .secrets
        .iter()
        .map(|(address, path, source)| [address.to_string(), format!("{path} ({source})")])
        .collect();
    list(lines, "Secrets that cannot be compared (--send-secrets sends them)", &secrets, MOST, options);
}

fn left(lines: &mut Lines, plan: &Plan, options: &Options, uniform: Option<Origin>) {
    if plan.left.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Differences left as they are"));
    let column = column(plan.left.iter().map(|left| left.address.to_string()));
    for left in &plan.left {
        let line = Line::new(options.colour).add(Style::Address, &left.address.to_string()).to(column);
        lines.push(line.add(Style::Muted, &kept(&left.why, left.fields.is_empty())));
        let rows = rows(&left.fields);
        let table = Table::new(&rows, options, uniform.or(Some(Origin::Unknown)));
        for row in rows.iter().take(MOST) {
            table.row(lines, row, MOST);
        }
        if rows.len() > MOST {
            let more = format!("  … and {}", count(rows.len() - MOST, "more field"));
            lines.push(Line::new(options.colour).add(Style::Muted, &more));
        }
    }
}

/// Says why a difference is left.
pub(in crate::render) fn kept(why: &Kept, whole: bool) -> String {
    match why {
        Kept::DeleteNotAllowed if whole => "not described, not deleted: deletes are not allowed".to_owned(),
        Kept::DeleteNotAllowed => "not removed: deletes are not allowed".to_owned(),
        Kept::System(why) => format!("never changed: {why}"),
        Kept::Own => "never changed: this deployment's own access depends on it".to_owned(),
        Kept::Fixed => "never changed: Auth0 cannot, and a replace would lose data".to_owned(),
        Kept::Foreign(kind, name) => {
            format!("left alone: it refers to {kind}/{name}, a kind that Tenantry does not support yet")
        }
        Kept::Refused(why) => format!("left alone: Auth0 would refuse it, {why}"),
        Kept::Drift => "changed outside, and left so by policy".to_owned(),
        Kept::Ambiguous(ids) => format!("not touched: several live resources have this name ({})", ids.join(", ")),
        Kept::CreateOnly => "can be set only when the resource is created".to_owned(),
    }
}

fn unreadable(lines: &mut Lines, plan: &Plan, options: &Options) {
    let entries: Vec<[String; 2]> =
        plan.unreadable.iter().map(|(what, why)| [what.clone(), unavailable(why)]).collect();
    list(lines, "Could not be read, so neither compared nor written", &entries, usize::MAX, options);
}

/// Says why something could not be read.
pub(in crate::render) fn unavailable(why: &Unavailable) -> String {
    match why {
        Unavailable::Scope(scopes) => format!("the token lacks the scope {}", scopes.join(" or ")),
        Unavailable::Feature(words) => words.clone(),
    }
}

fn list(lines: &mut Lines, title: &str, entries: &[[String; 2]], most: usize, options: &Options) {
    if entries.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, title));
    let column = column(entries.iter().map(|[name, _]| name.clone()));
    for [name, words] in entries.iter().take(most) {
        let line = Line::new(options.colour).plain("  ").plain(name);
        lines.push(if words.is_empty() { line } else { line.to(column + 2).add(Style::Muted, words) });
    }
    if entries.len() > most {
        let more = format!("  … and {} more", entries.len() - most);
        lines.push(Line::new(options.colour).add(Style::Muted, &more));
    }
}

/// The column behind names, but for very long ones.
pub(super) fn column(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| width(&clean(&name))).filter(|w| *w <= 44).max().unwrap_or(0) + 3
}
