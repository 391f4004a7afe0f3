//! `tenantry history`

use clap::Subcommand;
use jiff::Timestamp;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::flow;
use crate::problem::Problem;
use crate::render::json::v1;
use crate::render::{HistoryView, deployment_human, history_human};

/// List the deployments of a tenant
///
/// Who deployed what, when, and how it ended. Reads the ledger; the tenant is not asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

/// What is shown.
#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Show one deployment, with the plan that was applied
    Show {
        /// Its id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
    },
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let found = match flow::history(&global.request(&interrupt.token)?).await {
        Ok(found) => found,
        Err(failure) => return failed(ui, &failure),
    };
    let view = HistoryView { domain: &found.domain, history: &found.history, now: Timestamp::now() };
    let Some(What::Show { id }) = &args.what else {
        if ui.json {
            ui.answer(&v1::text(&v1::History::from(&view)))?;
        } else {
            ui.problems(&found.problems, &found.sources);
            ui.answer(&history_human(&view, &ui.out))?;
        }
        return Ok(ExitCode::Done);
    };
    let one = match found.history.find(id) {
        Ok(one) => one,
        Err(several) => {
            let problem = match several.len() {
                0 => Problem::error("unknown-deployment", format!("there is no deployment `{id}`"))
                    .help("`tenantry history` lists those that are known"),
                _ => Problem::error("unknown-deployment", format!("several deployments begin with `{id}`"))
                    .note(several.join(", "))
                    .help("give more of the id"),
            };
            return refused(ui, problem.note(format!("they are kept in {}", found.place)));
        }
    };
    if ui.json {
        ui.answer(&v1::text(&v1::Deployment::from(one)))?;
    } else {
        ui.problems(&found.problems, &found.sources);
        ui.answer(&deployment_human(&view, one, &ui.out))?;
    }
    Ok(ExitCode::Done)
}
