//! Deployments: all of a tenant in a list, and one in full.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::human::{column, first};
use super::line::{Line, Lines};
use super::moment::{ago, took, when};
use super::plural::count;
use super::style::Style;
use super::text::{clean, shorten, width};
use super::value::brief;
use super::view::Options;
use super::who::commit;
use crate::deployment::{Deployment, History, Outcome, Purpose, Tally};
use crate::guard::short_id;
use crate::model::Value;

/// Fields shown of one change of a stored plan.
const MOST: usize = 24;

/// Deployments of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct HistoryView<'a> {
    /// Canonical tenant domain.
    pub domain: &'a str,
    /// Its deployments.
    pub history: &'a History,
    /// What time it is.
    pub now: Timestamp,
}

/// Lists deployments, newest first.
pub fn history(view: &HistoryView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    first(&mut lines, &[view.domain.to_owned()], options);
    lines.gap();
    let rows: Vec<[(Style, String); 7]> = view.history.iter().rev().map(|one| row(view, one)).collect();
    if rows.is_empty() {
        lines.push(Line::new(options.colour).plain("No deployment of this tenant is recorded."));
        return lines.finish();
    }
    let widest = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|(_, text)| width(&clean(text))).max();
    let widths: Vec<usize> = (0..7).map(|n| widest(n).unwrap_or(0)).collect();
    let all: usize = widths.iter().filter(|width| **width > 0).map(|width| width + 3).sum();
    // Where the numbers do not fit beside the rest they stand below it.
    let wraps = all > options.width + 3;
    for [cells @ .., tally] in rows {
        let mut line = Line::new(options.colour);
        let mut at = 0;
        for ((style, text), width) in cells.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line = if at > 0 { line.to(at) } else { line };
            line = line.add(*style, text);
            at += width + 3;
        }
        if wraps && !tally.1.is_empty() {
            lines.push(line);
            line = Line::new(options.colour);
            at = widths.first().unwrap_or(&0) + 3;
        }
        lines.push(if tally.1.is_empty() { line } else { line.to(at).add(tally.0, &tally.1) });
    }
    lines.finish()
}

fn row(view: &HistoryView<'_>, one: &Deployment) -> [(Style, String); 7] {
    let (outcome_style, outcome) = outcome(one);
    [
        (Style::Heading, short_id(view.history, &one.id).to_owned()),
        (Style::Plain, when(one.started, view.now)),
        (Style::Plain, one.actor.clone()),
        (Style::Plain, one.commit.as_ref().map(commit).unwrap_or_default()),
        (Style::Plain, purpose(view.history, one)),
        (outcome_style, outcome),
        (Style::Muted, tally(one)),
    ]
}

/// Says what a deployment was for: `apply`, `revert of 01JD7QK3`.
pub(super) fn purpose(history: &History, one: &Deployment) -> String {
    match &one.purpose {
        Purpose::Apply => "apply".to_owned(),
        Purpose::Baseline => "baseline".to_owned(),
        Purpose::Restore(archive) => format!("restore of {}", clean(archive)),
        Purpose::Revert(ids) => {
            let ids: Vec<&str> = ids.iter().map(|id| short_id(history, id)).collect();
            format!("revert of {}", ids.join(", "))
        }
    }
}

/// Says how a deployment ended.
fn outcome(one: &Deployment) -> (Style, String) {
    match one.outcome {
        Some(Outcome::Done) => (Style::Good, "done".to_owned()),
        Some(Outcome::Partial) => (Style::Warning, "done in part".to_owned()),
        Some(Outcome::Failed) => (Style::Bad, "failed".to_owned()),
        None => (Style::Bad, "not ended".to_owned()),
    }
}

/// The numbers of a deployment in words: `1 created, 2 updated, 9 requests, 12 s`.
fn tally(one: &Deployment) -> String {
    let Tally { created, updated, replaced, deleted, failed, in_doubt, not_started, requests } = one.tally;
    let mut words: Vec<String> = [
        (created, "created"),
        (updated, "updated"),
        (replaced, "replaced"),
        (deleted, "deleted"),
        (failed, "failed"),
        (in_doubt, "in doubt"),
        (not_started, "not started"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", super::number(n)))
    .collect();
    if requests > 0 {
        words.push(count(requests, "request"));
        words.extend(one.ended.map(|ended| took(one.started, ended)));
    }
    words.join(", ")
}

/// Shows one deployment: who, when, what for, and the plan as it was shown.
pub fn deployment(view: &HistoryView<'_>, one: &Deployment, options: &Options) -> String {
    let mut lines = Lines::default();
    first(&mut lines, &[one.environment.clone(), one.domain.clone(), format!("deployment {}", one.id)], options);
    lines.gap();
    let (style, how) = outcome(one);
    let mut facts = vec![
        ("purpose", Style::Plain, purpose(view.history, one)),
        ("by", Style::Plain, format!("{}, with tenantry {}", one.actor, one.tool)),
        ("began", Style::Plain, format!("{} ({})", when(one.started, view.now), ago(one.started, view.now))),
        ("outcome", style, how),
    ];
    facts.push(("did", Style::Plain, tally(one)));
    facts.push(("commit", Style::Plain, one.commit.as_ref().map(in_full).unwrap_or_default()));
    let before = one.images.len();
    if before > 0 {
        let words = if before == 1 { "1 resource as it was before" } else { "resources as they were before" };
        let words = if before == 1 { words.to_owned() } else { format!("{} {words}", super::number(before)) };
        facts.push(("images", Style::Plain, words));
    }
    for (name, style, words) in facts.iter().filter(|(_, _, words)| !words.is_empty()) {
        lines.push(Line::new(options.colour).add(Style::Muted, name).to(10).add(*style, words));
    }
    plan(&mut lines, &one.plan, options);
    if one.outcome.is_none() {
        lines.gap();
        let words = "It has not ended: it runs now, or it crashed.";
        lines.push(Line::new(options.colour).add(Style::Warning, words));
        let help = "→ `tenantry apply --resume` goes on where it stopped; `tenantry revert` takes back what it did";
        lines.push(Line::new(options.colour).add(Style::Help, help));
    }
    lines.finish()
}

fn in_full(commit: &crate::deployment::Commit) -> String {
    format!("{}{}", commit.id, if commit.dirty { ", with changes that were not committed" } else { "" })
}

/// Shows the essential of a stored plan (`plan --json`). What an older version did not store is left out.
fn plan(lines: &mut Lines, plan: &Json, options: &Options) {
    let changes = plan.get("changes").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let column = column(changes.iter().map(|change| text(change, "address"))).max(24);
    for change in changes {
        lines.gap();
        let style = match text(change, "action").as_str() {
            "create" => Style::Created,
            "delete" => Style::Deleted,
            "replace" => Style::Replaced,
            _ => Style::Updated,
        };
        let line = Line::new(options.colour).add(Style::Address, &text(change, "address")).to(column);
        let risk = Some(text(change, "risk")).filter(|risk| !risk.is_empty() && risk != "safe");
        let line = line.add(style, &text(change, "action"));
        lines.push(match risk {
            Some(risk) => line.plain("   ").add(Style::Caution, &risk),
            None => line,
        });
        let fields = change.get("fields").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let wide = fields.iter().map(|field| width(&clean(stored_path(field)))).filter(|w| *w <= 40).max();
        let mut set = None;
        for field in fields.iter().take(MOST) {
            let named = stored_set(field).filter(|named| set == Some(*named));
            lines.push(stored_field(field, named.is_some(), 4 + wide.unwrap_or(0) + 3, options));
            set = stored_set(field);
        }
        if fields.len() > MOST {
            let more = format!("  … and {}; --json has all", count(fields.len() - MOST, "more field"));
            lines.push(Line::new(options.colour).add(Style::Muted, &more));
        }
    }
}

/// Shows a stored field; `again`: one more item of the set that the line above names.
fn stored_field(field: &Json, again: bool, column: usize, options: &Options) -> Line {
    let side = |name: &str| field.get(name).map(|json| word(json, options.width.saturating_sub(column) / 2));
    let (before, after) = (side("before"), side("after"));
    let (sign, style) = match (&before, &after) {
        (None, Some(_)) => ("+", Style::Created),
        (Some(_), None) => ("-", Style::Deleted),
        _ => ("~", Style::Updated),
    };
    let line = Line::new(options.colour).plain("  ");
    let line = if again { line.plain(" ") } else { line.add(style, sign).plain(" ").plain(stored_path(field)) };
    let line = if stored_set(field).is_some() { line.to(column).add(style, sign).plain(" ") } else { line.to(column) };
    match (before, after) {
        (Some(before), Some(after)) => {
            line.add(Style::Removed, &before).add(Style::Muted, " → ").add(Style::Added, &after)
        }
        (Some(before), None) => line.add(Style::Removed, &before),
        (None, Some(after)) => line.add(Style::Added, &after),
        (None, None) => line,
    }
}

/// Where a stored field stands: an item of a set in the set, because the item itself is its value.
fn stored_path(field: &Json) -> &str {
    let path = field.get("path").and_then(Json::as_str).unwrap_or_default();
    stored_set(field).unwrap_or(path)
}

/// The set that a stored field is an item of.
fn stored_set(field: &Json) -> Option<&str> {
    let path = field.get("path").and_then(Json::as_str)?;
    let item = field.get("after").or_else(|| field.get("before")).and_then(Json::as_str)?;
    path.strip_suffix(']')?.strip_suffix(item)?.strip_suffix('[')
}

fn word(json: &Json, room: usize) -> String {
    match json {
        Json::String(text) if text.starts_with('(') && text.ends_with(')') => text.clone(),
        Json::String(text) if text.trim_end().contains('\n') => format!("({})", count(text.lines().count(), "line")),
        other => shorten(&brief(&Value::from_json(other)), room.max(20)).into_owned(),
    }
}
