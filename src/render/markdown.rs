//! The plan as Markdown, for a comment on a pull request.

use super::human::{DELETES, cleared, fate_words, forecast, item, numbers, pieces, texts};
use super::outside::{blame_of, drifted, is_drift_alone};
use super::plural::count;
use super::refusals::groups;
use super::section::{self, Section};
use super::text::{clean, shorten};
use super::value::{brief, secret};
use super::view::PlanView;
use super::who::{author, blame};
use crate::change::{Action, Change, Facts, FieldChange, How, Origin, Plan};
use crate::model::{Path, Value};
use crate::schema::Risk;

/// Characters a comment may have: GitHub takes 65,536, and something is written around it.
const MOST: usize = 60_000;

/// Rows of one change, and entries of one list.
pub(super) const ROWS: usize = 60;

/// Writes a plan as Markdown. Too long for a comment, it ends with the changes that did not fit, named.
pub fn plan(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let mut out = head(view);
    let mut left_out = Vec::new();
    for change in plan.changes.iter().filter(|change| !is_drift_alone(change)) {
        let text = changed(change, view);
        if left_out.is_empty() && out.len() + text.len() < MOST {
            out.push_str(&text);
        } else {
            left_out.push(change);
        }
    }
    if !left_out.is_empty() {
        out.push_str(&format!("\n**{} did not fit here:**\n\n", count(left_out.len(), "change")));
        for change in left_out.iter().take(ROWS) {
            out.push_str(&format!("- {} {}\n", change.action.as_str(), code(&change.address.to_string())));
        }
        if left_out.len() > ROWS {
            out.push_str(&format!("- … and {} more\n", left_out.len() - ROWS));
        }
    }
    out.push_str(&outside(view));
    out.push_str(&sections(plan, view.head.reverting.is_some()));
    if plan.has_changes() {
        out.push_str(&format!("\n{}\n", forecast(view)));
    }
    out
}

fn head(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let title: Vec<String> =
        pieces(&plan.environment, &plan.domain, view.head).iter().map(|piece| prose(piece)).collect();
    let mut out = format!("### Plan for {}\n\n", title.join(" · "));
    if view.head.deletes_undescribed {
        out.push_str(&format!("> **{}**\n\n", prose(DELETES)));
    }
    if let Some(reverting) = &view.head.reverting {
        out.push_str(&format!("**{}**\n\n", prose(&reverting.what)));
        if !reverting.lost.is_empty() {
            out.push_str("Cannot come back:\n\n");
            for lost in &reverting.lost {
                out.push_str(&format!("- {}\n", prose(lost)));
            }
            out.push('\n');
        }
    }
    for remark in &view.head.remarks {
        out.push_str(&format!("> {}\n\n", prose(remark)));
    }
    if !plan.has_changes() {
        out.push_str("**No changes.** ");
    }
    let words: Vec<String> = numbers(view).into_iter().map(|(_, words)| words).collect();
    out.push_str(&words.join(", "));
    out.push('\n');
    if !view.refusals.is_empty() {
        out.push_str(&format!("\n**Refused for {}:**\n\n", count(view.refusals.len(), "reason")));
        for group in groups(view.refusals) {
            let help: Vec<String> = group.help.iter().map(|help| prose(help)).collect();
            let help = if help.is_empty() { String::new() } else { format!(" → {}", help.join("; ")) };
            for (n, refusal) in group.refusals.iter().enumerate().take(ROWS) {
                let address =
                    refusal.address.as_ref().map(|a| format!(" {}", code(&a.to_string()))).unwrap_or_default();
                // What all of them ask for stands behind the last.
                let help = if n + 1 == group.refusals.len().min(ROWS) { help.as_str() } else { "" };
                let title = prose(&refusal.problem.title);
                out.push_str(&format!("- `{}`{address}: {title}{help}\n", group.guard));
            }
        }
    }
    out
}

fn changed(change: &Change, view: &PlanView<'_>) -> String {
    let (facts, now) = (&view.plan.facts, view.head.now);
    let risk = if change.risk > Risk::Safe { format!(" · <b>{}</b>", change.risk.as_str()) } else { String::new() };
    let unknown = view.plan.has_base
        && change.action != Action::Create
        && !change.fields.is_empty()
        && change.fields.iter().all(|field| field.origin == Origin::Unknown);
    let risk = if unknown { format!("{risk} · {}", Origin::Unknown.as_str()) } else { risk };
    let sign = match change.action {
        Action::Create => "➕",
        Action::Update => "✏️",
        Action::Replace => "♻️",
        Action::Delete => "🗑️",
    };
    let summary = format!("{sign} {} <code>{}</code>{risk}", change.action.as_str(), html(&change.address.to_string()));
    // What is dangerous is seen without a click.
    let open = if change.risk > Risk::Caution { " open" } else { "" };
    let mut out = format!("\n<details{open}><summary>{summary}</summary>\n");
    let effects = facts.effects.get(&change.address).map(Vec::as_slice).unwrap_or_default();
    let whole = if change.origin == Origin::Conflict { "conflict" } else { "" };
    if !whole.is_empty()
        || !effects.is_empty()
        || !change.reasons.is_empty()
        || !change.cascades.is_empty()
        || !change.missing_secrets.is_empty()
    {
        out.push('\n');
    }
    if !whole.is_empty() {
        let by = blame_of(facts, &change.address, &Path::root()).map(|by| format!(": {}", prose(&blame(by, now))));
        out.push_str(&format!("- **{whole}**{}\n", by.unwrap_or_default()));
    }
    for reason in effects.iter().map(|effect| &effect.text).chain(&change.reasons) {
        out.push_str(&format!("- {}\n", prose(reason)));
    }
    for cascade in change.cascades.iter().take(ROWS) {
        out.push_str(&format!("- {} is deleted with it\n", code(&cascade.to_string())));
    }
    if !change.missing_secrets.is_empty() {
        out.push_str(&format!("- has to send secrets nobody gave: {}\n", prose(&change.missing_secrets.join(", "))));
    }
    let mut diff = String::new();
    let whole = matches!(change.action, Action::Create | Action::Delete);
    let fields: Vec<&FieldChange> = change.fields.iter().filter(|f| whole || f.origin != Origin::Drift).collect();
    for field in fields.iter().take(ROWS) {
        diff.push_str(&changed_field(field, &notes(field, change, facts, now)));
    }
    if fields.len() > ROWS {
        diff.push_str(&format!("  … and {}\n", count(fields.len() - ROWS, "more field")));
    }
    fenced(&mut out, &diff);
    out.push_str("\n</details>\n");
    out
}

fn fenced(out: &mut String, diff: &str) {
    if !diff.is_empty() {
        let fence = fence(diff);
        out.push_str(&format!("\n{fence}diff\n{diff}{fence}\n"));
    }
}

/// What is to be known of a field.
pub(super) fn notes(field: &FieldChange, change: &Change, facts: &Facts, now: jiff::Timestamp) -> String {
    let mut notes = risk(field);
    if field.origin == Origin::Conflict && change.origin != Origin::Conflict {
        let by =
            blame_of(facts, &change.address, &field.path).map(|by| format!(", outside: {}", clean(&blame(by, now))));
        notes.push_str(&format!("  # conflict{}", by.unwrap_or_default()));
    }
    let own = field.locus.as_ref().filter(|locus| Some(*locus) != change.locus.as_ref());
    let by = own.and_then(|locus| facts.ours.get(&(locus.file.clone(), locus.line)));
    notes.extend(by.map(|by| format!("  # {}", clean(&author(by)))));
    notes
}

fn risk(field: &FieldChange) -> String {
    if field.risk == Risk::Safe {
        return String::new();
    }
    let why = field.why.as_ref().map(|why| format!(": {}", clean(why))).unwrap_or_default();
    format!("  # {}{why}", field.risk.as_str())
}

/// What was changed outside: never behind a click.
fn outside(view: &PlanView<'_>) -> String {
    let all = drifted(view.plan, view.refusals);
    if all.is_empty() {
        return String::new();
    }
    let mut out = "\n#### Changed outside since the last deployment\n".to_owned();
    for one in all.iter().take(ROWS) {
        let by = one.one_blame().map(|by| format!(" · {}", prose(&blame(by, view.head.now)))).unwrap_or_default();
        out.push_str(&format!("\n{}: {}{by}\n", code(&one.address.to_string()), fate_words(one).1));
        let mut diff = String::new();
        for field in one.fields.iter().take(ROWS) {
            let by = one.blame_of(&field.path).filter(|_| one.one_blame().is_none());
            let note = by.map(|by| format!("  # {}", clean(&blame(by, view.head.now)))).unwrap_or_default();
            diff.push_str(&changed_field(field, &note));
        }
        fenced(&mut out, &diff);
    }
    if all.len() > ROWS {
        out.push_str(&format!("\n… and {}\n", count(all.len() - ROWS, "more resource")));
    }
    out
}

/// One field as lines of a diff.
pub(super) fn changed_field(field: &FieldChange, notes: &str) -> String {
    let path = match field.path.parent() {
        Some(set) if field.how == How::Item => set,
        _ => field.path.clone(),
    };
    let path = clean(&path.to_string()).into_owned();
    if let Some((before, after)) = texts(field, 190) {
        let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
        let body = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
        let lines: Vec<String> = body.split('\n').take(ROWS).map(|line| clean(line).into_owned()).collect();
        return format!("# {path}{notes}\n{}\n", lines.join("\n").trim_end());
    }
    let word = |value: &Value| {
        let text = match (field.how, value) {
            (How::Item, _) => item(field),
            (How::Secret, _) if matches!(field.path.0.last(), Some(crate::model::Segment::Item(_))) => item(field),
            (How::Secret, _) => secret(value),
            (_, Value::String(text)) if text.trim_end().contains('\n') => {
                format!("({})", count(text.lines().count(), "line"))
            }
            _ => brief(value),
        };
        shorten(&clean(&text), 300).into_owned()
    };
    let mut out = String::new();
    // Who wrote it wrote what comes.
    let after = field.diff.after.as_ref().filter(|_| !cleared(field));
    if let Some(before) = &field.diff.before {
        let null = if cleared(field) { " → null" } else { "" };
        let notes = if after.is_none() { notes } else { "" };
        out.push_str(&format!("- {path}: {}{null}{notes}\n", word(before)));
    }
    if let Some(after) = after {
        out.push_str(&format!("+ {path}: {}{notes}\n", word(after)));
    }
    out
}

fn sections(plan: &Plan, is_revert: bool) -> String {
    let mut out = String::new();
    for Section { title, entries } in section::sections(plan, is_revert) {
        out.push_str(&format!("\n<details><summary>{title} ({})</summary>\n\n", entries.len()));
        for entry in entries.iter().take(ROWS) {
            let words = if entry.words.is_empty() { String::new() } else { format!(": {}", prose(&entry.words)) };
            out.push_str(&format!("- {}{words}\n", code(&entry.name)));
        }
        if entries.len() > ROWS {
            out.push_str(&format!("- … and {} more\n", entries.len() - ROWS));
        }
        out.push_str("\n</details>\n");
    }
    out
}

/// Text that means nothing to Markdown or HTML, and notifies nobody; what stands between back ticks is code.
fn prose(text: &str) -> String {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(&text);
    }
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        match (n % 2, part.is_empty()) {
            (0, _) => out.push_str(&escaped(part)),
            (_, true) => out.push_str("\\`\\`"),
            _ => out.push_str(&code(part)),
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Behind it a mark without width, so that no account is called.
            '@' => out.push_str("@\u{200b}"),
            c => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as code, whatever back ticks are in it.
fn code(text: &str) -> String {
    let text = clean(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A fence no line of the text can close.
fn fence(text: &str) -> String {
    "`".repeat(longest_run(text).max(2) + 1)
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
