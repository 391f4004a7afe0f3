//! The plan as Markdown, for a comment on a pull request.

use super::human::{forecast, item, kept, numbers, texts, unavailable};
use super::plural::count;
use super::text::{clean, shorten};
use super::value::{brief, secret};
use super::view::PlanView;
use crate::change::{Action, Change, FieldChange, How, Origin, Plan};
use crate::model::Value;
use crate::schema::Risk;

/// Characters a comment may have: GitHub takes 65,536, and something is written around it.
const MOST: usize = 60_000;

/// Rows of one change, and entries of one list.
const ROWS: usize = 60;

/// Writes a plan as Markdown. Too long for a comment, it ends with the changes that did not fit, named.
pub fn plan(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let mut out = head(view);
    let mut left_out = Vec::new();
    for change in &plan.changes {
        let text = changed(change);
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
    out.push_str(&sections(plan));
    if plan.has_changes() {
        out.push_str(&format!("\n{}\n", forecast(view)));
    }
    out
}

fn head(view: &PlanView<'_>) -> String {
    let plan = view.plan;
    let title: Vec<String> = [&plan.environment, &plan.domain]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| prose(text))
        .chain(view.head.commit.as_ref().map(|commit| format!("commit {}", code(commit))))
        .chain(view.head.deployed.as_ref().map(|deployed| format!("last deployed {}", prose(deployed))))
        .collect();
    let mut out = format!("### Plan for {}\n\n", title.join(" · "));
    for remark in &view.head.remarks {
        out.push_str(&format!("> {}\n\n", prose(remark)));
    }
    if !plan.has_changes() {
        out.push_str("**No changes.** ");
    }
    let words: Vec<String> = numbers(plan).into_iter().map(|(_, words)| words).collect();
    out.push_str(&words.join(", "));
    out.push('\n');
    if !view.refusals.is_empty() {
        out.push_str(&format!("\n**Refused for {}:**\n\n", count(view.refusals.len(), "reason")));
        for refusal in view.refusals.iter().take(ROWS) {
            let address = refusal.address.as_ref().map(|a| format!(" {}", code(&a.to_string()))).unwrap_or_default();
            let help: Vec<String> = refusal.problem.help.iter().map(|help| prose(help)).collect();
            let help = if help.is_empty() { String::new() } else { format!(" → {}", help.join("; ")) };
            let title = prose(&refusal.problem.title);
            out.push_str(&format!("- `{}`{address}: {title}{help}\n", refusal.guard));
        }
    }
    out
}

fn changed(change: &Change) -> String {
    let risk = if change.risk > Risk::Safe { format!(" · <b>{}</b>", change.risk.as_str()) } else { String::new() };
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
    if !change.reasons.is_empty() || !change.cascades.is_empty() || !change.missing_secrets.is_empty() {
        out.push('\n');
    }
    for reason in &change.reasons {
        out.push_str(&format!("- {}\n", prose(reason)));
    }
    for cascade in change.cascades.iter().take(ROWS) {
        out.push_str(&format!("- {} is deleted with it\n", code(&cascade.to_string())));
    }
    if !change.missing_secrets.is_empty() {
        out.push_str(&format!("- has to send secrets nobody gave: {}\n", prose(&change.missing_secrets.join(", "))));
    }
    let mut diff = String::new();
    for field in change.fields.iter().take(ROWS) {
        diff.push_str(&changed_field(field));
    }
    if change.fields.len() > ROWS {
        diff.push_str(&format!("  … and {}\n", count(change.fields.len() - ROWS, "more field")));
    }
    if !diff.is_empty() {
        let fence = fence(&diff);
        out.push_str(&format!("\n{fence}diff\n{diff}{fence}\n"));
    }
    out.push_str("\n</details>\n");
    out
}

/// One field as lines of a diff.
fn changed_field(field: &FieldChange) -> String {
    let path = match field.path.parent() {
        Some(set) if field.how == How::Item => set,
        _ => field.path.clone(),
    };
    let path = clean(&path.to_string()).into_owned();
    let mut notes = String::new();
    if field.risk > Risk::Safe {
        notes.push_str(&format!("  # {}", field.risk.as_str()));
        notes.extend(field.why.as_ref().map(|why| format!(": {}", clean(why))));
    }
    if matches!(field.origin, Origin::Drift | Origin::Conflict) {
        notes.push_str(&format!("  # {}", field.origin.as_str()));
    }
    if let Some((before, after)) = texts(field, 160) {
        let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
        let body = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
        let lines: Vec<String> = body.split('\n').take(ROWS).map(|line| clean(line).into_owned()).collect();
        return format!("# {path}{notes}\n{}\n", lines.join("\n").trim_end());
    }
    let word = |value: &Value| {
        let text = match (field.how, value) {
            (How::Secret, _) => secret(value),
            (How::Item, _) => item(field),
            (_, Value::String(text)) if text.trim_end().contains('\n') => {
                format!("({})", count(text.lines().count(), "line"))
            }
            _ => brief(value),
        };
        shorten(&clean(&text), 300).into_owned()
    };
    let mut out = String::new();
    if let Some(before) = &field.diff.before {
        out.push_str(&format!("- {path}: {}{notes}\n", word(before)));
        notes.clear();
    }
    if let Some(after) = &field.diff.after {
        out.push_str(&format!("+ {path}: {}{notes}\n", word(after)));
    }
    out
}

fn sections(plan: &Plan) -> String {
    let mut out = String::new();
    let left = plan
        .left
        .iter()
        .map(|l| format!("{}: {}", code(&l.address.to_string()), prose(&kept(&l.why, l.fields.is_empty()))));
    section(&mut out, "Differences left as they are", left.collect());
    let unreadable = plan.unreadable.iter().map(|(what, why)| format!("{}: {}", code(what), prose(&unavailable(why))));
    section(&mut out, "Could not be read, so neither compared nor written", unreadable.collect());
    let skipped = plan.skipped.iter().map(|(kind, (words, _))| format!("{}: {}", code(kind), prose(words)));
    section(&mut out, "Skipped, because this tenant lacks the feature", skipped.collect());
    let secrets = plan.secrets.iter().map(|(a, path, source)| code(&format!("{a} {path} ({source})")));
    section(&mut out, "Secrets that cannot be compared", secrets.collect());
    let notes = plan.notes.iter().map(|note| {
        let place = note.labels.first().map(|label| format!("{}:{}", label.locus.file, label.locus.line));
        let place = place.map(|place| format!(" ({})", code(&place))).unwrap_or_default();
        format!("`{}` {}{place}", note.id, prose(&note.title))
    });
    section(&mut out, "Notes", notes.collect());
    out
}

fn section(out: &mut String, title: &str, entries: Vec<String>) {
    if entries.is_empty() {
        return;
    }
    out.push_str(&format!("\n<details><summary>{title} ({})</summary>\n\n", entries.len()));
    for entry in entries.iter().take(ROWS) {
        out.push_str(&format!("- {entry}\n"));
    }
    if entries.len() > ROWS {
        out.push_str(&format!("- … and {} more\n", entries.len() - ROWS));
    }
    out.push_str("\n</details>\n");
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
