//! `tenantry schema`

use super::exit_code::ExitCode;
use super::ui::Ui;
use super::{Ended, refused};
use crate::problem::{Problem, closest};
use crate::render::schema::{description, kinds_page, resource};
use crate::schema::Registry;

/// Print the JSON Schema of a description, for editors
///
/// Of the single file by default; with a KIND, of one resource of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Kind whose resources to describe: clients
    kind: Option<String>,
    /// Print the reference of all kinds as Markdown
    #[arg(long, conflicts_with = "kind")]
    docs: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> Ended {
    let registry = Registry::get();
    let text = match &args.kind {
        None if args.docs => kinds_page(registry),
        None => description(registry),
        Some(name) => match registry.kind(name) {
            Some(kind) => resource(kind),
            None => {
                let mut problem = Problem::error("usage", format!("there is no kind `{name}`"));
                if let Some(near) = closest(name, registry.names()) {
                    problem = problem.help(format!("did you mean `tenantry schema {near}`?"));
                }
                return refused(ui, problem);
            }
        },
    };
    ui.answer(&text)?;
    Ok(ExitCode::Done)
}
