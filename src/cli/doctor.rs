//! `tenantry doctor`

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::flow::{self, Verdict};
use crate::render::doctor_human;
use crate::render::json::v1;

/// Say whether a deployment would find what it needs
///
/// Checks the credentials, the scopes this description needs, the clock, what the subscription offers, the ledger, the lock and
/// whether the log can be read. Writes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let doctor = match flow::doctor(&global.request(&interrupt.token)?).await {
        Ok(doctor) => doctor,
        Err(failure) => return failed(ui, &failure),
    };
    if interrupt.token.is_cancelled() {
        // A check that was cut off says nothing about the tenant.
        return Ok(interrupt.code());
    }
    let document = document(&doctor);
    if ui.json {
        ui.answer(&v1::text(&document))?;
    } else {
        ui.problems(&doctor.problems, &doctor.sources);
        ui.answer(&doctor_human(&document, &ui.out))?;
    }
    Ok(if doctor.ready() { ExitCode::Done } else { ExitCode::Error })
}

fn document(doctor: &flow::Doctor) -> v1::Doctor {
    let checks = doctor.checks.iter().map(|check| v1::Check {
        name: check.name,
        verdict: match check.verdict {
            Verdict::Ready => "ready",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
        },
        found: check.found.clone(),
        help: check.help.clone(),
    });
    v1::Doctor {
        format: "tenantry.doctor/1",
        environment: doctor.environment.clone(),
        ready: doctor.ready(),
        checks: checks.collect(),
        problems: v1::problems_of(&doctor.problems),
    }
}
