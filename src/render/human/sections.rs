//! What the plan does not do: left, unreadable, skipped, unmanaged, not comparable.

use jiff::Timestamp;

use super::rows::{Context, Table, rows};
use crate::change::{Kept, Left, Origin, Plan};
use crate::model::{Address, Path, Unavailable};
use crate::render::line::{Line, Lines};
use crate::render::plural::count;
use crate::render::style::Style;
use crate::render::text::{clean, width};
use crate::render::view::Options;

/// Entries shown of a list that only informs.
const MOST: usize = 10;

pub(super) fn sections(lines: &mut Lines, plan: &Plan, options: &Options, uniform: Option<Origin>, is_revert: bool) {
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
    let already = leaves(&plan.already);
    list(lines, "Already so in the tenant: nothing to write", &already, MOST, options);
    // A revert describes only what it takes back.
    if !is_revert {
        list(lines, "No longer described: left as it is", &leaves(&plan.released), MOST, options);
    }
    let notes: Vec<[String; 2]> =
        plan.facts.notes.iter().map(|note| [note.title.clone(), note.notes.join("; ")]).collect();
    list(lines, "Could not be found out", &notes, MOST, options);
}

/// Names fields by resource: its address, and its paths.
pub(in crate::render) fn leaves(leaves: &[(Address, Path)]) -> Vec<[String; 2]> {
    let mut out: Vec<(&Address, Vec<String>)> = Vec::new();
    for (address, path) in leaves {
        let path = path.to_string();
        match out.iter_mut().find(|(known, _)| *known == address) {
            Some((_, paths)) => paths.push(path),
            None => out.push((address, vec![path])),
        }
    }
    let words = |mut paths: Vec<String>| {
        let more = paths.len().saturating_sub(MOST);
        paths.truncate(MOST);
        if more > 0 {
            paths.push(format!("{more} more"));
        }
        paths.retain(|path| !path.is_empty());
        paths.join(", ")
    };
    out.into_iter().map(|(address, paths)| [address.to_string(), words(paths)]).collect()
}

fn left(lines: &mut Lines, plan: &Plan, options: &Options, uniform: Option<Origin>) {
    // Drift that is kept is told with all other drift.
    let all: Vec<&Left> = plan.left.iter().filter(|left| left.why != Kept::Drift).collect();
    if all.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Differences left as they are"));
    let column = column(all.iter().map(|left| left.address.to_string()));
    for left in all {
        let line = Line::new(options.colour).add(Style::Address, &left.address.to_string()).to(column);
        lines.push(line.add(Style::Muted, &kept(&left.why, left.fields.is_empty())));
        let rows = rows(left.fields.iter());
        let context = Context { facts: &plan.facts, address: &left.address, now: Timestamp::UNIX_EPOCH };
        let table = Table::new(&rows, options, uniform.or(Some(Origin::Unknown)), context);
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

pub(in crate::render) fn list(lines: &mut Lines, title: &str, entries: &[[String; 2]], most: usize, options: &Options) {
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
pub(in crate::render) fn column(names: impl Iterator<Item = String>) -> usize {
    names.map(|name| width(&clean(&name))).filter(|w| *w <= 44).max().unwrap_or(0) + 3
}
