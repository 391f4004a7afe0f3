//! `tenantry doctor`

use super::ui::Ui;
use super::{Ended, Global, failed, flow, found};

/// Say whether a deployment would find what it needs
///
/// Checks the credentials, the scopes this description needs, the clock and what the subscription offers. Writes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args, global: &Global, ui: &Ui) -> Ended {
    match flow::doctor(&global.common()).await {
        Ok(findings) => found(ui, &findings),
        Err(failure) => failed(ui, &failure),
    }
}
