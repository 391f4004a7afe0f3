//! `tenantry apply`

use std::io::{self, BufRead};

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::plan::{Selection, Shown};
use super::progress::Progress;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::apply::{Outcome, Report};
use crate::change::Plan;
use crate::flow::{self, Applied, ApplyRequest};
use crate::guard::Approved;
use crate::problem::Problem;
use crate::render::json::v1;
use crate::render::{self, plan_human};
use crate::schema::Risk;

/// Make the tenant what the description says
///
/// Shows the plan, asks, and applies it. Ctrl-C finishes what is in flight and stops.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
    /// Approve changes of this risk (caution, destructive or irreversible), a looser `policy`, or `reverted` changes; repeatable
    #[arg(long, value_name = "RISK", value_parser = approval)]
    approve: Vec<Approval>,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    keep_going: bool,
}

/// One thing that is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Approval {
    Risk(Risk),
    Policy,
    Reverted,
}

fn approval(text: &str) -> Result<Approval, String> {
    match (text, Risk::parse(text)) {
        ("policy", _) => Ok(Approval::Policy),
        ("reverted", _) => Ok(Approval::Reverted),
        (_, Some(risk)) if risk > Risk::Safe => Ok(Approval::Risk(risk)),
        _ => Err("expected caution, destructive, irreversible, policy or reverted".to_owned()),
    }
}

impl Args {
    fn approved(&self) -> Approved {
        let risk = |approval: &Approval| match approval {
            Approval::Risk(risk) => Some(*risk),
            Approval::Policy | Approval::Reverted => None,
        };
        Approved {
            risks: self.approve.iter().filter_map(risk).collect(),
            policy: self.approve.contains(&Approval::Policy),
            reverted: self.approve.contains(&Approval::Reverted),
        }
    }
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = args.selection.request(global.request(&interrupt.token)?, args.approved());
    let planned = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        planned = flow::plan(&request) => planned,
    };
    let planned = match planned {
        Ok(planned) => planned,
        Err(failure) => return failed(ui, &failure),
    };
    let mut shown = Shown::new(&planned);
    if !ui.json {
        ui.problems(&planned.problems, &planned.sources);
        ui.answer(&plan_human(&shown.view(), &ui.out))?;
    }
    if planned.settings.preview_only && shown.plan.has_changes() {
        planned.session.close().await;
        let problem = Problem::error("preview-only", "AUTH0_DRY_RUN asks for a preview, and apply would write");
        return refused(ui, problem.help("run `tenantry plan`, or unset AUTH0_DRY_RUN"));
    }
    if !shown.refusals.is_empty() || !shown.plan.has_changes() {
        planned.session.close().await;
        return unapplied(&shown, ui);
    }
    if !args.yes {
        let answer = ask(&shown.plan, ui, interrupt).await;
        if answer != Answer::Yes {
            planned.session.close().await;
            return declined(&answer, ui, interrupt);
        }
    }
    let progress = Progress::start(&shown.plan, ui);
    let request = ApplyRequest {
        approved: args.approved(),
        overwrite: args.selection.overwrite.clone(),
        keep_going: args.keep_going,
        cancel: interrupt.token.clone(),
    };
    let applied = flow::apply(planned, &request, &|event| progress.event(&event)).await;
    progress.end();
    let (deployment, report) = match applied {
        Applied::Ran { deployment, report } => (deployment, report),
        Applied::Refused(refusals) => {
            shown.refusals = refusals;
            return unapplied(&shown, ui);
        }
    };
    let applied = render::apply::Applied { deployment: Some(&deployment), report: &report };
    if ui.json {
        ui.answer(&v1::text(&v1::Apply::new(&shown.view(), &applied)))?;
    } else {
        ui.answer(&format!("\n{}", render::apply::report(&applied, &ui.out)))?;
    }
    Ok(code(&report, interrupt))
}

/// Ends where there is nothing to do, or guards refuse.
fn unapplied(shown: &Shown, ui: &Ui) -> Ended {
    if ui.json {
        let changes = shown.plan.changes.iter();
        let changes = changes.map(|change| (change.address.clone(), change.action, Outcome::NotStarted)).collect();
        let report = Report { changes, ..Report::default() };
        let applied = render::apply::Applied { deployment: None, report: &report };
        ui.answer(&v1::text(&v1::Apply::new(&shown.view(), &applied)))?;
    }
    Ok(if shown.refusals.is_empty() { ExitCode::Done } else { ExitCode::Refused })
}

/// Ends where the answer was not yes.
fn declined(answer: &Answer, ui: &Ui, interrupt: &Interrupt) -> Ended {
    match answer {
        Answer::Yes | Answer::No => {
            ui.tell("Nothing was changed.\n");
            Ok(ExitCode::Error)
        }
        Answer::Interrupted => Ok(interrupt.code()),
        Answer::Nobody => {
            let problem = Problem::error("usage", "there is no terminal to ask whether to apply this plan");
            refused(ui, problem.help("add `--yes` to apply without asking"))
        }
    }
}

fn code(report: &Report, interrupt: &Interrupt) -> ExitCode {
    match (report.complete(), report.wrote(), report.interrupted) {
        (true, ..) => ExitCode::Done,
        (false, true, _) => ExitCode::Partial,
        (false, false, true) => interrupt.code(),
        (false, false, false) => ExitCode::Error,
    }
}

/// What people said.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Interrupted,
    Nobody,
}

/// Asks at the terminal. Only `yes`, in full, is a yes.
async fn ask(plan: &Plan, ui: &Ui, interrupt: &Interrupt) -> Answer {
    if !ui.can_ask || ui.json {
        return Answer::Nobody;
    }
    let place = if plan.environment.is_empty() { &plan.domain } else { &plan.environment };
    let changes = render::count(plan.changes.len(), "change");
    ui.tell(&format!("\nApply {changes} to {}? Only `yes` applies: ", render::clean(place)));
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        line = read => match line {
            Ok(Ok(line)) if line.trim() == "yes" => Answer::Yes,
            _ => Answer::No,
        },
        () = interrupt.token.cancelled() => Answer::Interrupted,
    }
}
