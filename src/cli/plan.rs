//! `tenantry plan`

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use ulid::Ulid;

use super::apply::{Approval, approval, approved};
use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::change::{Kept, Plan, Refusal};
use crate::deployment::{Commit, Purpose};
use crate::files::{Access, write_atomically};
use crate::flow::{self, Past, PlanRequest, Planned, Request};
use crate::guard::{Approved, short_id};
use crate::model::AddressPattern;
use crate::problem::closest;
use crate::render::json::v1;
use crate::render::{Deployed, Head, PlanView, Reverting, plan_html, plan_human, plan_markdown};
use crate::schema::Registry;

/// Show what apply would do
///
/// Compares the description with the live tenant. Writes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) selection: Selection,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Judge as if this were approved: a risk, a looser `policy`, or `reverted` changes; repeatable
    #[arg(long, value_name = "RISK", value_parser = approval)]
    approve: Vec<Approval>,
    /// Exit with 2 if a write is due, or drift stands
    #[arg(long)]
    detailed_exitcode: bool,
    /// Save the plan: `apply FILE` applies it, unless anything it rests on moved
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a plan covers; plan and apply share it.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Only this: an address such as `clients/My App`, a kind, or a pattern; repeatable
    #[arg(long = "target", value_name = "ADDRESS", value_parser = pattern)]
    targets: Vec<AddressPattern>,
    /// Delete live resources of KIND that are not described, whoever made them, where policy allows it; repeatable
    #[arg(long, value_name = "KIND", value_parser = kind)]
    prune: Vec<String>,
    /// Write the files over what was changed outside here, drift and conflicts alike: an address, a kind, or a pattern; repeatable
    #[arg(long, value_name = "ADDRESS", value_parser = pattern)]
    pub(super) overwrite: Vec<AddressPattern>,
    /// Send secrets that cannot be compared
    #[arg(long)]
    send_secrets: bool,
}

impl Selection {
    pub(super) fn request(&self, base: Request, approved: Approved) -> PlanRequest {
        PlanRequest {
            base,
            at: None,
            resume: false,
            targets: self.targets.clone(),
            prune: self.prune.clone(),
            overwrite: self.overwrite.clone(),
            send_secrets: self.send_secrets,
            approved,
        }
    }
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people at a terminal
    Text,
    /// For a comment on a pull request
    Markdown,
    /// One file for a browser: an artifact of a pipeline
    Html,
}

/// Checks an address pattern.
pub(super) fn pattern(text: &str) -> Result<AddressPattern, String> {
    let pattern = AddressPattern::new(text)?;
    let kind = text.split('/').next().unwrap_or_default();
    if !kind.contains(['*', '?', '[', '{']) {
        self::kind(kind)?;
    }
    Ok(pattern)
}

/// Checks the name of a kind.
fn kind(text: &str) -> Result<String, String> {
    let registry = Registry::get();
    if registry.kind(text).is_some() {
        return Ok(text.to_owned());
    }
    let near = closest(text, registry.names()).map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
    Err(format!("no such kind{near}"))
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = args.selection.request(global.request(&interrupt.token)?, approved(&args.approve));
    let planned = match flow::plan(&request).await {
        Ok(planned) => planned,
        Err(failure) => return failed(ui, &failure),
    };
    let shown = Shown::new(&planned);
    if let Some(file) = &args.out {
        let receipt = planned.receipt(shown.document());
        let path = request.base.around.directory.join(file);
        let bytes = serde_json::to_vec_pretty(&receipt)?;
        if let Err(problem) = write_atomically(&path, &bytes, Access::Owner) {
            planned.session.close().await;
            return refused(ui, problem);
        }
    }
    planned.session.close().await;
    if ui.json {
        ui.answer(&v1::text(&v1::Plan::from(&shown.view())))?;
    } else {
        ui.problems(&planned.problems, &planned.sources);
        match args.format {
            Format::Text => ui.answer(&plan_human(&shown.view(), &ui.out))?,
            Format::Markdown => ui.answer(&plan_markdown(&shown.view()))?,
            Format::Html => match plan_html(&shown.view()) {
                Ok(text) => ui.answer(&text)?,
                Err(problem) => return refused(ui, problem),
            },
        }
    }
    Ok(shown.code(args.detailed_exitcode))
}

/// What is shown of a plan; it outlives the apply that takes the plan.
pub(super) struct Shown {
    pub(super) plan: Plan,
    pub(super) refusals: Vec<Refusal>,
    head: Head,
}

impl Shown {
    pub(super) fn new(planned: &Planned) -> Self {
        let mut plan = planned.plan.clone();
        plan.notes.extend(planned.problems.iter().cloned());
        let mut remarks = Vec::new();
        if planned.settings.sandbox.is_some() {
            remarks.push("the sandbox stands in for the tenant".to_owned());
        }
        let head = Head {
            commit: planned.past.commit.clone(),
            deployed: deployed(&planned.past),
            deletes_undescribed: planned.settings.deletes_everything(),
            remarks,
            reverting: reverting(planned),
            rate: None,
            now: planned.session.client.server_now(),
        };
        Shown { plan, refusals: planned.refusals.clone(), head }
    }

    pub(super) fn view(&self) -> PlanView<'_> {
        PlanView { plan: &self.plan, refusals: &self.refusals, head: &self.head }
    }

    /// The plan as `plan --json` prints it.
    pub(super) fn document(&self) -> serde_json::Value {
        serde_json::to_value(v1::Plan::from(&self.view())).unwrap_or_default()
    }

    /// A refusal wins over differences.
    fn code(&self, detailed: bool) -> ExitCode {
        let drift_stands = self.plan.left.iter().any(|left| left.why == Kept::Drift);
        match (self.refusals.is_empty(), self.plan.has_changes() || drift_stands) {
            (false, _) => ExitCode::Refused,
            (true, true) if detailed => ExitCode::Differences,
            _ => ExitCode::Done,
        }
    }
}

/// The last deployment: of the ledger, else the one the tenant says it runs.
pub(super) fn deployed(past: &Past) -> Option<Deployed> {
    let remembered = || {
        let remembered = past.remembered.as_ref()?;
        let began = Ulid::from_string(&remembered.deployment).ok()?.timestamp_ms();
        Some(Deployed {
            id: remembered.deployment.clone(),
            at: Timestamp::from_millisecond(i64::try_from(began).ok()?).ok()?,
            commit: remembered.commit.clone().map(|id| Commit { id, dirty: false }),
            actor: "as the tenant remembers".to_owned(),
        })
    };
    remembered().or_else(|| Deployed::last(&past.history))
}

/// Says what a revert takes back, or a restore brings back.
fn reverting(planned: &Planned) -> Option<Reverting> {
    let taken = match &planned.purpose {
        Purpose::Revert(taken) => taken,
        Purpose::Restore(archive) => {
            return Some(Reverting { what: format!("restores {archive}"), lost: planned.lost.clone() });
        }
        Purpose::Apply | Purpose::Baseline => return None,
    };
    let history = &planned.past.history;
    let short: Vec<&str> = taken.iter().map(|id| short_id(history, id)).collect();
    let what = match (&planned.back_to, short.as_slice()) {
        (Some(to), _) => format!("goes back to {to}"),
        (None, [one]) => format!("takes back deployment {one}"),
        (None, several) => format!("takes back deployments {}", several.join(", ")),
    };
    Some(Reverting { what, lost: planned.lost.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_name_known_kinds() {
        assert!(pattern("clients/My App").is_ok());
        assert!(pattern("clients").is_ok());
        assert!(pattern("*/x").is_ok());
        assert_eq!(pattern("cleints/x").unwrap_err(), "no such kind: did you mean `clients`?");
        assert!(pattern("clients/[").is_err());
        assert_eq!(kind("zebra").unwrap_err(), "no such kind");
    }
}
