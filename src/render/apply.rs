//! An apply as it happens, and what came of it.

use super::human::{leaves, list};
use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
use crate::apply::{ApplyEvent, Outcome, Report};
use crate::problem::Problem;

/// What came of an apply.
#[derive(Debug, Clone, Copy)]
pub struct Applied<'a> {
    /// Id of the deployment, as short as it is unique; `None` where nothing was written.
    pub deployment: Option<&'a str>,
    /// What was done.
    pub report: &'a Report,
    /// What went wrong around it: the ledger, the lock, the tenant's memory.
    pub problems: &'a [Problem],
    /// The command that carries it on where it was done in part; `None` for `tenantry apply --resume`.
    pub again: Option<&'a str>,
}

impl Applied<'_> {
    /// Commands that go on from here; none after a full success.
    pub fn next(&self) -> Vec<String> {
        let Some(id) = self.deployment.filter(|_| self.report.wrote() && !self.report.complete()) else {
            return Vec::new();
        };
        vec![self.again.unwrap_or("tenantry apply --resume").to_owned(), format!("tenantry revert {id}")]
    }
}

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

/// Shows what came of an apply: every change that was not done with the reason, then the numbers and the next steps.
pub fn report(applied: &Applied<'_>, options: &Options) -> String {
    let report = applied.report;
    let mut lines = Lines::default();
    for (address, action, outcome) in report.changes.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done) {
        let (style, word) = word(outcome);
        let line = Line::new(options.colour).add(style, word).to(14).plain(action.as_str()).to(23);
        lines.push(line.add(Style::Address, &address.to_string()));
        if let Outcome::Failed(problem) | Outcome::InDoubt(problem) = outcome {
            words(&mut lines, problem, options);
        }
    }
    for (address, problem) in &report.notes {
        let line = Line::new(options.colour).add(Style::Warning, "note").to(23);
        lines.push(line.add(Style::Address, &address.to_string()));
        words(&mut lines, problem, options);
    }
    let along = leaves(&report.side_effects);
    list(&mut lines, "Changed along by Auth0, though nobody described it", &along, usize::MAX, options);
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
    let failed = if report.failed > 0 { format!(", {} of them failed", report.failed) } else { String::new() };
    line = line.add(Style::Muted, &format!(" · {} sent{failed}", count(report.requests, "request")));
    if let Some(id) = applied.deployment {
        line = line.add(Style::Muted, &format!(" · deployment {id}"));
    }
    lines.push(line);
    if report.interrupted {
        let words = if report.wrote() {
            "Interrupted: what was in flight is finished."
        } else {
            "Interrupted before anything was written: run the command again."
        };
        lines.push(Line::new(options.colour).add(Style::Warning, words));
    }
    if report.changes.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::InDoubt(_))) {
        let words = "In doubt: whether the last request of these changes arrived is not known; it is not sent again.";
        lines.push(Line::new(options.colour).add(Style::Warning, words));
    }
    for (n, command) in applied.next().iter().enumerate() {
        let what = if n == 0 { "goes on with what is left" } else { "takes back what was done" };
        lines.push(Line::new(options.colour).add(Style::Help, &format!("→ `{command}` {what}")));
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
    use crate::model::{Address, Path};

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
            made: Vec::new(),
            requests: 4,
            failed: 1,
            interrupted: true,
            notes: vec![(
                Address::new("roles", "Admin"),
                Problem::warning("answer-differs", "Auth0 answered another `description` than it was asked for"),
            )],
            side_effects: vec![(Address::new("clients", "Shop"), Path::root().key("jwt_configuration"))],
        };
        let applied = Applied { deployment: Some("01JD7QK3"), report: &report, problems: &[], again: None };
        let text = super::report(&applied, &Options::default());
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
        let applied = Applied { deployment: Some("01JD7QK3"), report: &report, problems: &[], again: None };
        let text = super::report(&applied, &Options::default());
        assert_eq!(text, "1 done · 1 request sent · deployment 01JD7QK3\n");
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
