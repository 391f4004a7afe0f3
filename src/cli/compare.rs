//! `tenantry compare`

use std::sync::Arc;

use super::backup::Key;
use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::flow::{self, CompareRequest};
use crate::render::json::v1;
use crate::render::{CompareView, compare_human};

/// Compare two environments, commits, backups, descriptions or live tenants
///
/// What the variables of the environments explain is expected, the rest is suspect. Exits with 2 if anything is suspect. Writes
/// nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = SIDES)]
pub(super) struct Args {
    /// The first side: ENV, ENV@COMMIT, live:ENV or a path
    #[arg(value_name = "A")]
    one: String,
    /// The second side
    #[arg(value_name = "B")]
    other: String,
    /// Show every difference that is expected, not only what explains them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    key: Key,
}

/// What a side may be, for help.
const SIDES: &str = "\
A side is one of
  prod                the description with the variables of an environment
  prod@v1.2           the same as it was at a commit, a tag or a branch
  live:prod           the tenant of an environment
  live, @v1.2         the same of the environment that -e names, or the only one
  ../other/tenant     a description: a folder or a file; with -e ENV with its variables
  prod.tar.zst        a backup: a file, or the URL of one in a bucket";

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    let key = match args.key.unseal(&base.around, ui) {
        Ok(key) => Arc::new(key),
        Err(problem) => return refused(ui, problem),
    };
    let request = CompareRequest { base, one: args.one.clone(), other: args.other.clone(), key };
    let found = match flow::compare(&request).await {
        Ok(found) => found,
        Err(failure) => return failed(ui, &failure),
    };
    let view = CompareView {
        one: &found.one,
        other: &found.other,
        compared: &found.compared,
        missing: &found.missing,
        all: args.all,
    };
    if ui.json {
        ui.answer(&v1::text(&v1::Compare::from(&view)))?;
    } else {
        ui.problems(&found.problems, &found.sources);
        ui.answer(&compare_human(&view, &ui.out))?;
    }
    Ok(if found.compared.suspect() == 0 { ExitCode::Done } else { ExitCode::Differences })
}
