//! `tenantry help`

use super::exit_code::ExitCode;
use super::ui::Ui;
use super::{Ended, definition, refused};
use crate::problem::{Problem, closest};

/// Print help about a command, or about exit-codes
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A command, or `exit-codes`
    topic: Option<String>,
}

pub(super) fn run(args: &Args, ui: &Ui) -> Ended {
    let mut program = definition();
    program.build();
    let text = match args.topic.as_deref() {
        None => rendered(program, ui),
        Some("exit-codes") => exit_codes(),
        Some(topic) => match program.find_subcommand(topic) {
            Some(command) => rendered(command.clone(), ui),
            None => {
                let names = program.get_subcommands().map(|command| command.get_name()).chain(["exit-codes"]);
                let mut problem = Problem::error("usage", format!("there is no help about `{topic}`"));
                if let Some(near) = closest(topic, names) {
                    problem = problem.help(format!("did you mean `tenantry help {near}`?"));
                }
                return refused(ui, problem);
            }
        },
    };
    ui.answer(&text)?;
    Ok(ExitCode::Done)
}

fn rendered(mut command: clap::Command, ui: &Ui) -> String {
    let help = command.render_long_help();
    if ui.out.colour { help.ansi().to_string() } else { help.to_string() }
}

fn exit_codes() -> String {
    ExitCode::ALL.iter().map(|code| format!("{:>5}  {}\n", code.number(), code.meaning())).collect()
}
