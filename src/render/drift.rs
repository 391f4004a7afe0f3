//! What was changed outside since the last deployment: the answer of `drift`.

use super::human::{drifts, first, list, pieces, unavailable};
use super::line::{Line, Lines};
use super::outside::Drifted;
use super::plural::count;
use super::style::Style;
use super::view::{Head, Options};
use crate::model::{Address, Path, Unavailable};
use crate::problem::Problem;

/// What was changed outside.
#[derive(Debug, Clone, Copy)]
pub struct DriftView<'a> {
    /// Environment; empty in compatibility mode.
    pub environment: &'a str,
    /// Canonical tenant domain.
    pub domain: &'a str,
    /// The last deployment, and what time it is.
    pub head: &'a Head,
    /// Resource by resource.
    pub resources: &'a [Drifted],
    /// Resources that were compared and are as the last deployment left them.
    pub unchanged: usize,
    /// Live resources that no deployment made; only where everything was asked for.
    pub strangers: &'a [Address],
    /// Secrets that cannot be compared.
    pub secrets: &'a [(Address, Path, String)],
    /// What could not be read.
    pub unreadable: &'a [(String, Unavailable)],
    /// What could not be found out.
    pub notes: &'a [Problem],
}

impl DriftView<'_> {
    /// Fields that were changed, over all resources.
    pub fn fields(&self) -> usize {
        self.resources.iter().map(|one| one.fields.len()).sum()
    }
}

/// Shows what was changed outside, by whom, when and from where.
pub fn drift(view: &DriftView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    first(&mut lines, &pieces(view.environment, view.domain, view.head), options);
    for remark in &view.head.remarks {
        lines.push(Line::new(options.colour).add(Style::Warning, remark));
    }
    lines.gap();
    drifts(&mut lines, view.resources, view.head.now, options);
    let strangers: Vec<[String; 2]> =
        view.strangers.iter().map(|address| [address.to_string(), String::new()]).collect();
    list(&mut lines, "Live, and made by no deployment", &strangers, usize::MAX, options);
    let unreadable: Vec<[String; 2]> =
        view.unreadable.iter().map(|(what, why)| [what.clone(), unavailable(why)]).collect();
    list(&mut lines, "Could not be read, so not compared", &unreadable, usize::MAX, options);
    let notes: Vec<[String; 2]> = view.notes.iter().map(|note| [note.title.clone(), note.notes.join("; ")]).collect();
    list(&mut lines, "Could not be found out", &notes, usize::MAX, options);
    lines.gap();
    totals(&mut lines, view, options);
    lines.finish()
}

fn totals(lines: &mut Lines, view: &DriftView<'_>, options: &Options) {
    if view.head.deployed.is_none() {
        let words = "No deployment of this tenant is recorded: there is nothing to compare with.";
        lines.push(Line::new(options.colour).add(Style::Warning, words));
        let help = "→ deploy once, or record the tenant as it is: `tenantry init --baseline`";
        lines.push(Line::new(options.colour).add(Style::Help, help));
        return;
    }
    let mut line = Line::new(options.colour);
    line = if view.resources.is_empty() {
        line.add(Style::Good, "No drift")
    } else {
        let words = format!("{} drifted", count(view.resources.len(), "resource"));
        let fields = view.fields();
        let words = if fields > 0 { format!("{words} ({})", count(fields, "field")) } else { words };
        line.add(Style::Warning, &words)
    };
    line = line.plain(&format!(", {} unchanged", super::number(view.unchanged)));
    if !view.secrets.is_empty() {
        line = line.plain(&format!(", {} not comparable", count(view.secrets.len(), "secret")));
    }
    if !view.unreadable.is_empty() {
        line = line.add(Style::Bad, &format!(", {} not readable", super::number(view.unreadable.len())));
    }
    lines.push(line);
    if !view.resources.is_empty() {
        for help in [
            "→ keep it: `tenantry adopt` writes it into the description",
            "→ put it back: `tenantry apply --overwrite ADDRESS`",
        ] {
            lines.push(Line::new(options.colour).add(Style::Help, help));
        }
    }
}
