//! An apply as it happens, and what came of it.

use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
use crate::apply::{ApplyEvent, Outcome, Report};
use crate::problem::Problem;

/// Shows an event in one line without its end; `None` for one that says nothing new on paper.
pub fn event(event: &ApplyEvent, options: &Options) -> Option<String> {
    let ApplyEvent::Ended { address, action, outcome } = event else { return None };
    let (style, word) = word(outcome);
    let line = Line::new(options.colour).add(style, word).to(12).plain(action.as_str()).to(21);
    Some(line.add(Style::Address, &address.to_string()).finish())
}

fn word(outcome: &Outcome) -> (Style, &'static str) {
    match outcome {
        Outcome::Done => (Style::Good, "done"),
        Outcome::Failed(_) => (Style::Bad, "failed"),
        Outcome::InDoubt(_) => (Style::Irreversible, "in doubt"),
        Outcome::NotStarted => (Style::Muted, "not started"),
    }
}

/// Shows what came of an apply: every change that was not done with the reason, then the numbers.
pub fn report(report: &Report, options: &Options) -> String {
    let mut lines = Lines::default();
    for (address, action, outcome) in report.changes.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done) {
        let (style, word) = word(outcome);
        let line = Line::new(options.colour).add(style, word).to(14).plain(action.as_str()).to(23);
        lines.push(line.add(Style::Address, &address.to_string()));
        if let Outcome::Failed(problem) | Outcome::InDoubt(problem) = outcome {
            words(&mut lines, problem, options);
        }
    }
    lines.gap();
    let of = |wanted: &str| report.changes.iter().filter(|(_, _, outcome)| word(outcome).1 == wanted).count();
    let mut line = Line::new(options.colour);
    for (name, style) in [
        ("done", Style::Good),
        ("failed", Style::Bad),
        ("in doubt", Style::Irreversible),
        ("not started", Style::Plain),
    ] {
        let n = of(name);
        if n > 0 {
            line = if line.width() > 0 { line.plain(", ") } else { line };
            line = line.add(style, &format!("{n} {name}"));
        }
    }
    if line.width() == 0 {
        line = line.plain("nothing to do");
    }
    lines.push(line.add(Style::Muted, &format!(" · {}", count(report.requests, "request"))));
    if report.interrupted {
        let words = "Interrupted: what was in flight is finished; run the command again to go on.";
        lines.push(Line::new(options.colour).add(Style::Warning, words));
    }
    lines.finish()
}

fn words(lines: &mut Lines, problem: &Problem, options: &Options) {
    let start = || Line::new(options.colour).plain("              ");
    let mut title = start().plain(&problem.title);
    if let Some(label) = problem.labels.first() {
        title = title.add(Style::Muted, &format!(" ({}:{})", label.locus.file, label.locus.line));
    }
    lines.push(title);
    for note in &problem.notes {
        lines.push(start().add(Style::Muted, note));
    }
    for help in &problem.help {
        lines.push(start().add(Style::Help, &format!("→ {help}")));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::change::Action;
    use crate::model::Address;

    fn failed() -> Outcome {
        Outcome::Failed(
            Problem::error("api-refused", "Auth0 refused it (400 invalid_body): \u{1b}[2Jno such scope")
                .note("request 3 of 4; the first two are done")
                .help("fix the scope and run `tenantry apply` again"),
        )
    }

    #[test]
    fn says_what_became_of_every_change() {
        let doubt = Outcome::InDoubt(Problem::error("in-doubt", "the answer to POST /roles was lost"));
        let report = Report {
            changes: vec![
                (Address::new("roles", "Admin"), Action::Create, Outcome::Done),
                (Address::new("clientGrants", "Shop orders"), Action::Update, failed()),
                (Address::new("roles", "Bad \u{1b}[31mname"), Action::Create, doubt),
                (Address::new("clients", "Old"), Action::Delete, Outcome::NotStarted),
            ],
            requests: 3,
            interrupted: true,
            ..Report::default()
        };
        let text = super::report(&report, &Options::default());
        assert!(!text.contains('\u{1b}'));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_full_success_is_short() {
        let report = Report {
            changes: vec![(Address::single("tenant"), Action::Update, Outcome::Done)],
            requests: 1,
            ..Report::default()
        };
        assert_eq!(super::report(&report, &Options::default()), "1 done · 1 request\n");
    }

    #[test]
    fn only_ends_are_lines() {
        let address = Address::new("roles", "Admin");
        let started = ApplyEvent::Started { address: address.clone(), action: Action::Create };
        assert_eq!(event(&started, &Options::default()), None);
        let ended = ApplyEvent::Ended { address, action: Action::Create, outcome: failed() };
        assert_eq!(event(&ended, &Options::default()).unwrap(), "failed      create   roles/Admin");
    }
}
