//! `tenantry apply`

use std::io::{self, BufRead};

use super::exit_code::ExitCode;
use super::flow::{self, ApplyRequest, Failure, Planned};
use super::interrupt::Interrupt;
use super::plan::{Selection, view};
use super::progress::Progress;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::apply::Report;
use crate::model::Sources;
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
    /// Approve changes of this risk: caution, destructive or irreversible; repeatable
    #[arg(long, value_name = "RISK", value_parser = risk)]
    approve: Vec<Risk>,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    keep_going: bool,
}

fn risk(text: &str) -> Result<Risk, String> {
    Risk::parse(text)
        .filter(|risk| *risk > Risk::Safe)
        .ok_or("expected caution, destructive or irreversible".to_owned())
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = args.selection.request(global, args.approve.clone());
    let planned = tokio::select! {
        planned = flow::plan(&request) => planned,
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
    };
    let planned = match planned {
        Ok(planned) => planned,
        Err(failure) => return failed(ui, &failure),
    };
    if !ui.json {
        ui.problems(&planned.problems, &planned.sources);
        ui.answer(&plan_human(&view(&planned), &ui.out))?;
    }
    if !planned.refusals.is_empty() || !planned.plan.has_changes() {
        if ui.json {
            ui.answer(&v1::text(&v1::Apply::new(&view(&planned), &nothing(&planned), None)))?;
        }
        return Ok(if planned.refusals.is_empty() { ExitCode::Done } else { ExitCode::Refused });
    }
    if !args.yes {
        match ask(&planned, ui, interrupt).await {
            Answer::Yes => {}
            Answer::No => {
                ui.tell("Nothing was changed.\n");
                return Ok(ExitCode::Error);
            }
            Answer::Interrupted => return Ok(interrupt.code()),
            Answer::Nobody => {
                let problem = Problem::error("usage", "there is no terminal to ask whether to apply this plan")
                    .help("add `--yes` to apply without asking");
                return failed(ui, &Failure { problems: vec![problem], sources: Sources::default() });
            }
        }
    }
    let request = ApplyRequest { keep_going: args.keep_going, cancel: interrupt.token.clone() };
    let progress = Progress::start(&planned.plan, ui);
    let applied = flow::apply(planned, &request, &|event| progress.event(&event)).await;
    progress.end();
    let applied = match applied {
        Ok(applied) => applied,
        Err(failure) => return failed(ui, &failure),
    };
    if ui.json {
        let document = v1::Apply::new(&view(&applied.planned), &applied.report, applied.deployment.as_deref());
        ui.answer(&v1::text(&document))?;
    } else {
        ui.answer(&format!("\n{}", render::apply::report(&applied.report, &ui.out)))?;
    }
    Ok(code(&applied.report, interrupt))
}

/// Nothing was tried.
fn nothing(planned: &Planned) -> Report {
    let changes = planned.plan.changes.iter();
    let changes = changes.map(|change| (change.address.clone(), change.action, crate::apply::Outcome::NotStarted));
    Report { changes: changes.collect(), requests: 0, interrupted: false }
}

fn code(report: &Report, interrupt: &Interrupt) -> ExitCode {
    match (report.complete(), report.wrote(), report.interrupted) {
        (true, ..) => ExitCode::Done,
        (false, true, _) => ExitCode::Partial,
        (false, false, true) => interrupt.code(),
        (false, false, false) => ExitCode::Error,
    }
}

enum Answer {
    Yes,
    No,
    Interrupted,
    Nobody,
}

/// Asks at the terminal. Only `yes`, in full, is a yes.
async fn ask(planned: &Planned, ui: &Ui, interrupt: &Interrupt) -> Answer {
    if !ui.can_ask || ui.json {
        return Answer::Nobody;
    }
    let plan = &planned.plan;
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
