//! `tenantry validate`

use super::ui::Ui;
use super::{Ended, Global, failed, flow, found};

/// Check the description without a tenant
///
/// Reads the files, fills in the values of the environment and checks everything that can be checked offline: syntax,
/// fields, types, references, repeated names. Needs neither credentials nor secrets.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: &Args, global: &Global, ui: &Ui) -> Ended {
    match flow::validate(&global.common()).await {
        Ok(findings) => found(ui, &findings),
        Err(failure) => failed(ui, &failure),
    }
}
