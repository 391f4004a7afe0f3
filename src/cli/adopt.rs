//! `tenantry adopt`

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::export::edit::EditOptions;
use crate::flow::{self, AdoptRequest};
use crate::model::AddressPattern;
use crate::render::json::v1;
use crate::render::{AdoptView, adopt_human};

/// Write what was changed outside into the description
///
/// Comments, order and markers stay. Exits with 2 if anything was left. Writes nothing to the tenant.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this: an address, a kind, or a pattern
    #[arg(value_name = "ADDRESS", value_parser = super::plan::pattern)]
    targets: Vec<AddressPattern>,
    /// Write values in the place of markers and expressions
    #[arg(long)]
    replace_markers: bool,
    /// Where a marker stands alone, change its variable in this environment's own file
    #[arg(long)]
    into_variables: bool,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = AdoptRequest {
        base: global.request(&interrupt.token)?,
        targets: args.targets.clone(),
        options: EditOptions { replace_markers: args.replace_markers, into_variables: args.into_variables },
    };
    let adopted = match flow::adopt(&request).await {
        Ok(adopted) => adopted,
        Err(failure) => return failed(ui, &failure),
    };
    let view =
        AdoptView { files: &adopted.files, adopted: &adopted.done, left: &adopted.left, moved: &adopted.moves_along };
    if ui.json {
        ui.answer(&v1::text(&v1::Adopt::from(&view)))?;
    } else {
        ui.problems(&adopted.problems, &adopted.sources);
        ui.answer(&adopt_human(&view, &ui.out))?;
    }
    Ok(if adopted.left.is_empty() { ExitCode::Done } else { ExitCode::Differences })
}
