//! The end of the screen: numbers, forecast, refusals.

use std::collections::BTreeSet;

use super::sections::column;
use crate::change::{Action, Change, Counts, Kept, Refusal};
use crate::render::line::{Line, Lines};
use crate::render::outside::{self, OutsideCounts, is_drift_alone};
use crate::render::plural::{count, number};
use crate::render::refusals::groups;
use crate::render::style::Style;
use crate::render::view::{Options, PlanView, duration};

pub(super) fn totals(lines: &mut Lines, view: &PlanView<'_>, options: &Options) {
    let plan = view.plan;
    if !plan.has_changes() {
        lines.push(Line::new(options.colour).add(Style::Good, "No changes."));
    }
    let mut line = Line::new(options.colour);
    for (style, words) in numbers(view) {
        if line.width() > 0 {
            line = line.plain(", ");
        }
        line = line.add(style, &words);
    }
    if line.width() > 0 {
        lines.push(line);
    }
    if plan.has_changes() {
        lines.push(Line::new(options.colour).add(Style::Muted, &forecast(view)));
    }
    refusals(lines, view.refusals, options);
}

/// Says what applying costs: `9 requests, about 1 s at 16/s`.
pub(in crate::render) fn forecast(view: &PlanView<'_>) -> String {
    let time = duration(&view.plan.forecast, view.head);
    let words = match (time.seconds / 60, time.seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    };
    format!("{}, about {words} at {}/s", count(view.plan.forecast.requests, "request"), time.rate)
}

/// The numbers of a plan in words, the dangerous first.
pub(in crate::render) fn numbers(view: &PlanView<'_>) -> Vec<(Style, String)> {
    let plan = view.plan;
    let Counts { unchanged, secrets, .. } = plan.counts();
    let OutsideCounts { drifted, conflicts } = outside::counts(plan);
    // What nobody may put back is no update.
    let refused = |change: &Change| {
        let says = |r: &Refusal| r.guard == "drift" && r.address.as_ref() == Some(&change.address);
        is_drift_alone(change) && view.refusals.iter().any(says)
    };
    let of = |action: Action| plan.changes.iter().filter(|c| c.action == action && !refused(c)).count();
    let left = plan.left.iter().filter(|left| left.why != Kept::Drift).count();
    let mut out = Vec::new();
    for (action, style) in [
        (Action::Delete, Style::Deleted),
        (Action::Replace, Style::Replaced),
        (Action::Create, Style::Created),
        (Action::Update, Style::Updated),
    ] {
        let n = of(action);
        if n > 0 {
            out.push((style, format!("{} to {}", number(n), action.as_str())));
        }
    }
    let mut some = |n: usize, style: Style, words: String| {
        if n > 0 {
            out.push((style, words));
        }
    };
    some(conflicts, Style::Bad, format!("{} in conflict", number(conflicts)));
    some(drifted, Style::Warning, format!("{} drifted", number(drifted)));
    some(left, Style::Warning, format!("{} left as they are", number(left)));
    some(unchanged, Style::Plain, format!("{} unchanged", number(unchanged)));
    let (kinds, resources) = (plan.unmanaged.kinds.len(), plan.unmanaged.resources.len());
    some(resources, Style::Plain, format!("{} not managed", count(resources, "resource")));
    some(kinds, Style::Plain, format!("{} not managed", count(kinds, "kind")));
    some(secrets, Style::Plain, format!("{} not comparable", count(secrets, "secret")));
    some(plan.unreadable.len(), Style::Bad, format!("{} not readable", number(plan.unreadable.len())));
    some(plan.skipped.len(), Style::Warning, format!("{} skipped", count(plan.skipped.len(), "kind")));
    out
}

fn refusals(lines: &mut Lines, refusals: &[Refusal], options: &Options) {
    if refusals.is_empty() {
        return;
    }
    let guards: BTreeSet<&str> = refusals.iter().map(|refusal| refusal.guard).collect();
    let mut words = format!("refused by {}", count(guards.len(), "guard"));
    if refusals.len() > guards.len() {
        words.push_str(&format!(", {} times", number(refusals.len())));
    }
    lines.push(Line::new(options.colour).add(Style::Bad, &format!("{words}:")));
    let guard_column = column(refusals.iter().map(|refusal| refusal.guard.to_owned())) + 2;
    let address = |refusal: &Refusal| refusal.address.as_ref().map(ToString::to_string).unwrap_or_default();
    let addressed = refusals.iter().any(|refusal| refusal.address.is_some());
    let word_column = guard_column + if addressed { column(refusals.iter().map(address)) } else { 0 };
    for group in groups(refusals) {
        let mut guard = group.guard;
        for refusal in group.refusals {
            let mut line = Line::new(options.colour).plain("  ").add(Style::Bad, guard).to(guard_column);
            guard = "";
            line = line.add(Style::Address, &address(refusal));
            line = if addressed { line.to(word_column) } else { line }.plain(&refusal.problem.title);
            if let Some(label) = refusal.problem.labels.first() {
                line = line.add(Style::Muted, &format!(" ({}:{})", label.locus.file, label.locus.line));
            }
            lines.push(line);
            for note in &refusal.problem.notes {
                lines.push(Line::new(options.colour).plain(&" ".repeat(guard_column)).add(Style::Muted, note));
            }
        }
        for help in &group.help {
            let words = format!("→ {help}");
            lines.push(Line::new(options.colour).plain(&" ".repeat(guard_column)).add(Style::Help, &words));
        }
    }
}
