//! `tenantry completions`

use clap_complete::Shell;

use super::exit_code::ExitCode;
use super::ui::Ui;
use super::{Ended, definition};

/// Print the completion script of a shell
///
/// For bash: `source <(tenantry completions bash)`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Shell to complete in
    shell: Shell,
}

pub(super) fn run(args: &Args, ui: &Ui) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "tenantry", &mut script);
    ui.answer(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}
