//! What to know of a restore besides its plan, what became of ids, and what a rehearsal showed.

use std::collections::BTreeMap;

use super::human::list;
use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::text::clean;
use super::view::Options;
use crate::apply::{Outcome, Report};
use crate::change::Plan;
use crate::model::Address;
use crate::restore::{LeftOut, Mention, Mentioned, NewId};

/// Ids listed for people; the rest is counted.
const MOST: usize = 40;

/// What to know of a restore besides its plan.
#[derive(Debug, Clone, Copy)]
pub struct RestoreView<'a> {
    /// Domain of the tenant that the archive was taken of.
    pub from: &'a str,
    /// Domain of the tenant that it is restored onto.
    pub to: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// Where described texts name the other tenant.
    pub mentions: &'a [Mention],
    /// References that were left out.
    pub left_out: &'a [LeftOut],
    /// Resources in which the identifier of the Management API was replaced.
    pub management_api: &'a [Address],
    /// Users in the archive, where they are to be imported.
    pub users: Option<usize>,
}

/// Returns the secrets that a plan has to send and nobody has: name to the resources that need it.
pub fn missing_secrets(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in &plan.changes {
        for name in change.missing_secrets.iter().flat_map(|source| source.split(", ")) {
            let Some(name) = name.strip_prefix("secrets.") else { continue };
            let places = out.entry(name.to_owned()).or_default();
            let address = change.address.to_string();
            if !places.contains(&address) {
                places.push(address);
            }
        }
    }
    out
}

/// Shows what to know before it is applied.
pub fn before(view: &RestoreView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let missing = missing_secrets(view.plan);
    let rows: Vec<[String; 2]> = missing.iter().map(|(name, places)| [name.clone(), places.join(", ")]).collect();
    list(&mut lines, "Secrets that have to be sent and nobody has", &rows, usize::MAX, options);
    if !missing.is_empty() {
        let words =
            "  give each as TENANTRY_SECRET_NAME, under `secrets` of the environment, or in a file: --secrets FILE";
        lines.push(Line::new(options.colour).add(Style::Muted, words));
    }
    let api: Vec<[String; 2]> = view
        .management_api
        .iter()
        .map(|address| [address.to_string(), format!("https://{}/api/v2/", view.to)])
        .collect();
    list(&mut lines, "The Management API is this tenant's from now on", &api, usize::MAX, options);
    let left: Vec<[String; 2]> = view
        .left_out
        .iter()
        .map(|left| [left.address.to_string(), format!("{}: {} is not restored", left.path, left.to)])
        .collect();
    list(&mut lines, "References left out, because what they lead to is not restored", &left, usize::MAX, options);
    let named: Vec<[String; 2]> = view.mentions.iter().map(|mention| mention_row(mention, &BTreeMap::new())).collect();
    list(&mut lines, "Names the tenant the archive was taken of: look at these", &named, MOST, options);
    if let Some(users) = view.users {
        lines.gap();
        let words = format!("{} of the archive are imported when all of this is done", count(users, "user"));
        lines.push(Line::new(options.colour).plain(&words));
    }
    apart(lines)
}

/// What follows other lines stands apart from them.
fn apart(lines: Lines) -> String {
    let text = lines.finish();
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn mention_row(mention: &Mention, now: &BTreeMap<String, String>) -> [String; 2] {
    let line = mention.line.map(|line| format!(" line {line}")).unwrap_or_default();
    let what = match &mention.what {
        Mentioned::Domain(domain) => domain.clone(),
        Mentioned::Id(object) => {
            let now = now.get(&object.id).map(|new| format!(", which is `{new}` now")).unwrap_or_default();
            format!("`{}`, the id of {}{now}", object.id, object.address)
        }
    };
    let place = mention.locus.as_ref().map(|locus| format!(" ({})", locus.file)).unwrap_or_default();
    [mention.address.to_string(), format!("{}{line}: {what}{place}", mention.path)]
}

/// Shows what has another id than in the archive, and where texts still say the old ones. `listed` says which kinds' ids people
/// configure elsewhere: they are listed, the others counted.
pub fn after(ids: &[NewId], mentions: &[Mention], listed: &dyn Fn(&str) -> bool, options: &Options) -> String {
    let mut lines = Lines::default();
    let rows: Vec<[String; 2]> = ids
        .iter()
        .filter(|id| listed(&id.address.kind))
        .map(|id| [Address { id: None, ..id.address.clone() }.to_string(), format!("{} → {}", id.old, id.new)])
        .collect();
    let others = ids.len() - rows.len();
    list(&mut lines, "New ids: what uses the old ones has to be told", &rows, usize::MAX, options);
    if others > 0 {
        let others = count(others, if rows.is_empty() { "new id" } else { "other new id" });
        let words = format!("{others} that nothing outside the tenant should know (--json lists them)");
        lines.push(Line::new(options.colour).add(Style::Muted, &words));
    }
    let now: BTreeMap<String, String> = ids.iter().map(|id| (id.old.clone(), id.new.clone())).collect();
    let named: Vec<[String; 2]> = mentions
        .iter()
        .filter(|mention| matches!(&mention.what, Mentioned::Id(object) if now.contains_key(&object.id)))
        .map(|mention| mention_row(mention, &now))
        .collect();
    list(&mut lines, "Texts that still say an old id", &named, usize::MAX, options);
    apart(lines)
}

/// What a rehearsal showed.
#[derive(Debug, Clone, Copy)]
pub struct RehearsalView<'a> {
    /// The archive, by tenant and time.
    pub archive: &'a str,
    /// Described resources by kind.
    pub resources: &'a BTreeMap<String, usize>,
    /// Secrets that were made up.
    pub made_up: usize,
    /// What was done.
    pub report: &'a Report,
    /// Files of the description that an export afterwards does not write as they are in the archive.
    pub differs: &'a [String],
    /// Whether everything came back.
    pub good: bool,
}

/// Shows what a rehearsal showed; what was left to do is shown as a plan by others.
pub fn rehearsal(view: &RehearsalView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    for (address, action, outcome) in view.report.changes.iter().filter(|(_, _, outcome)| *outcome != Outcome::Done) {
        let word = match outcome {
            Outcome::NotStarted => "not started",
            _ => "failed",
        };
        let line = Line::new(options.colour).add(Style::Bad, word).to(14).plain(action.as_str()).to(23);
        lines.push(line.add(Style::Address, &address.to_string()));
        if let Outcome::Failed(problem) | Outcome::InDoubt(problem) = outcome {
            for words in std::iter::once(&problem.title).chain(&problem.notes) {
                lines.push(Line::new(options.colour).plain("    ").plain(words));
            }
        }
    }
    for path in view.differs {
        let line = Line::new(options.colour).add(Style::Bad, "differs").to(14).plain(&clean(path));
        lines.push(line.plain(" is not written afterwards as it is in the archive"));
    }
    let total: usize = view.resources.values().sum();
    let what =
        format!("{} of {} in {}", count(total, "resource"), clean(view.archive), count(view.resources.len(), "kind"),);
    let line = Line::new(options.colour);
    lines.gap();
    lines.push(if view.good {
        line.add(Style::Good, "rehearsed")
            .plain(&format!(": {what} came back, and a plan afterwards finds nothing to do"))
    } else {
        line.add(Style::Bad, "not all came back").plain(&format!(": {what} were restored into a fresh sandbox"))
    });
    let mut limits = "A sandbox stands in for the tenant".to_owned();
    if view.made_up > 0 {
        let words =
            format!("; {} were made up: a real restore asks for those it has to send", count(view.made_up, "secret"));
        limits.push_str(&words);
    }
    lines.push(Line::new(options.colour).add(Style::Muted, &limits));
    lines.finish()
}
