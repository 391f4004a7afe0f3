//! `tenantry validate`

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::flow;
use crate::render::json::v1;
use crate::render::{clean, count};

/// Check the description without a tenant
///
/// Reads the files, fills in the values of the environment (of each one, without -e) and checks everything that can be
/// checked offline: syntax, fields, types, references, repeated names. Needs neither credentials nor secrets.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let validated = match flow::validate(&global.request(&interrupt.token)?).await {
        Ok(validated) => validated,
        Err(failure) => return failed(ui, &failure),
    };
    if ui.json {
        let environments = validated.environments.into_iter();
        ui.answer(&v1::text(&v1::Validated {
            format: "tenantry.validate/1",
            environments: environments.map(|one| (one.environment, one.kinds.into_iter().collect())).collect(),
            problems: v1::problems_of(&validated.problems),
        }))?;
        return Ok(ExitCode::Done);
    }
    ui.problems(&validated.problems, &validated.sources);
    for one in &validated.environments {
        let resources = one.kinds.iter().map(|(_, n)| n).sum();
        let (resources, kinds) = (count(resources, "resource"), count(one.kinds.len(), "kind"));
        ui.answer(&format!("The description of {} holds: {resources} of {kinds}.\n", clean(&one.environment)))?;
    }
    Ok(ExitCode::Done)
}
