//! `tenantry drift`

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::flow::{self, DriftRequest};
use crate::model::AddressPattern;
use crate::problem::Problem;
use crate::render::json::v1;
use crate::render::{DriftView, Head, drift_human, drifted};

/// Show what was changed outside since the last deployment, and who did it
///
/// Compares the tenant with what the last deployment left. Exits with 2 if anything was changed. Writes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this: an address, a kind, or a pattern
    #[arg(value_name = "ADDRESS", value_parser = super::plan::pattern)]
    targets: Vec<AddressPattern>,
    /// Everything that can be read, not only what is described; and resources nobody described
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request =
        DriftRequest { base: global.request(&interrupt.token)?, targets: args.targets.clone(), all: args.all };
    let found = match flow::drift(&request).await {
        Ok(found) => found,
        Err(failure) => return failed(ui, &failure),
    };
    let mut resources = drifted(&found.plan, &[]);
    for resource in &mut resources {
        // Nobody is going to do anything about it here.
        resource.fate = None;
    }
    // The text has them on stderr; the JSON document is all there is.
    let beside = if ui.json { found.problems.as_slice() } else { &[] };
    let notes: Vec<Problem> = beside.iter().chain(&found.plan.facts.notes).cloned().collect();
    let head = Head { deployed: super::plan::deployed(&found.past), now: found.now, ..Head::default() };
    let view = DriftView {
        environment: &found.plan.environment,
        domain: &found.plan.domain,
        head: &head,
        resources: &resources,
        strangers: &found.strangers,
        unchanged: found.plan.unchanged.len(),
        secrets: &found.plan.secrets,
        unreadable: &found.plan.unreadable,
        notes: &notes,
    };
    if ui.json {
        ui.answer(&v1::text(&v1::Drift::from(&view)))?;
    } else {
        ui.problems(&found.problems, &found.sources);
        ui.answer(&drift_human(&view, &ui.out))?;
    }
    Ok(if resources.is_empty() { ExitCode::Done } else { ExitCode::Differences })
}
