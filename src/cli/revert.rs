//! `tenantry revert`

use super::apply::{Going, Telling, carry};
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::flow::{self, Back, PlanRequest};
use crate::model::AddressPattern;
use crate::render::json::v1;

/// Take a deployment back
///
/// Without an id the last one. What was changed since by somebody else is a conflict, what a deployment did not touch stays. Says
/// first what cannot come back, then shows, asks and applies as `apply` does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The deployment: its id, or the beginning of it
    #[arg(value_name = "ID", conflicts_with = "to")]
    deployment: Option<String>,
    /// Back to the files of this commit, or of this deployment, with the policy and secrets of now
    #[arg(long, value_name = "COMMIT|ID")]
    to: Option<String>,
    /// Only this: an address, a kind, or a pattern; repeatable
    #[arg(long = "target", value_name = "ADDRESS", value_parser = super::plan::pattern)]
    targets: Vec<AddressPattern>,
    /// Settle a conflict for what was before; repeatable
    #[arg(long, value_name = "ADDRESS", value_parser = super::plan::pattern)]
    overwrite: Vec<AddressPattern>,
    #[command(flatten)]
    going: Going,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = PlanRequest {
        base: global.request(&interrupt.token)?,
        at: None,
        resume: false,
        targets: args.targets.clone(),
        prune: Vec::new(),
        send_secrets: false,
        overwrite: args.overwrite.clone(),
        approved: args.going.approved(),
    };
    let back = match (&args.deployment, &args.to) {
        (Some(id), _) => Back::Deployment(id.clone()),
        (None, Some(to)) => Back::To(to.clone()),
        (None, None) => Back::Last,
    };
    let planned = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        planned = flow::revert(&request, &back) => planned,
    };
    match planned {
        Ok(planned) => {
            let again = args.to.as_ref().map(|to| format!("tenantry revert --to {to}"));
            let telling = Telling { again, ..Telling::default() };
            let carried = carry(planned, &args.going, false, &request.base, telling, ui, interrupt).await?;
            if let Some(document) = &carried.document {
                ui.answer(&v1::text(document))?;
            }
            Ok(carried.code)
        }
        Err(failure) => failed(ui, &failure),
    }
}
