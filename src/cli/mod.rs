//! The command line. One file per command; the only modules that know clap and the process.

mod adopt;
mod apply;
mod backup;
mod compare;
mod completions;
mod crash;
mod doctor;
mod drift;
mod exit_code;
mod export;
mod help;
mod history;
mod init;
mod interrupt;
mod plan;
mod progress;
mod restore;
mod revert;
mod sandbox;
mod schema;
mod trace;
mod ui;
mod validate;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use crash::tell_of_failures;
pub use exit_code::ExitCode;

use crate::files;
use crate::flow::{Failed, Request};
use crate::model::Sources;
use crate::problem::Problem;
use crate::project::{Flags, Surroundings};
use interrupt::Interrupt;
use tokio_util::sync::CancellationToken;
use ui::Ui;

/// Deploy Auth0 tenants from version control
///
/// Tenantry compares a description of a tenant (its files) with the live tenant, shows a plan, and applies it.
/// Descriptions of auth0-deploy-cli work as they are: `tenantry -c config.json -i tenant.yaml plan`.
#[derive(Debug, Parser)]
#[command(name = "tenantry", version, disable_help_subcommand = true, infer_subcommands = false, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', global = true, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Environment of tenantry.yaml to work on
    #[arg(short = 'e', long, global = true, value_name = "ENV")]
    environment: Option<String>,
    /// Configuration of auth0-deploy-cli (config.json), instead of a tenantry.yaml
    #[arg(short = 'c', long = "config", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Description: a folder, or one YAML file
    #[arg(short = 'i', long = "input", global = true, value_name = "PATH")]
    input: Option<PathBuf>,
    /// Use the simulator inside tenantry instead of the tenant
    #[arg(long, global = true)]
    sandbox: bool,
    /// Set a variable; wins over every other source
    #[arg(long = "var", global = true, value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Let unknown fields pass with a warning
    #[arg(long, global = true)]
    lenient: bool,
    /// Share of the tenant's rate limit to use: 60%
    #[arg(long, global = true, value_name = "SHARE", default_value = "100%", value_parser = share)]
    api_budget: f64,
    /// Say more: every field of what a plan creates; stages on stderr, with -vv every request
    #[arg(short = 'v', long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Print without colours
    #[arg(long, global = true)]
    no_color: bool,
}

impl Global {
    /// What every story is told. The environment is read here, once.
    fn request(&self, cancel: &CancellationToken) -> io::Result<Request> {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Ok(Request {
            flags: Flags {
                environment: self.environment.clone(),
                config: self.config.clone(),
                input: self.input.clone(),
                sandbox: self.sandbox,
                lenient: self.lenient,
                variables: self.variables.clone(),
            },
            around: Surroundings {
                directory: std::env::current_dir()?,
                env: std::env::vars_os().filter_map(text).collect(),
            },
            budget: self.api_budget,
            cancel: cancel.clone(),
        })
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Doctor(doctor::Args),
    Validate(validate::Args),
    #[command(visible_alias = "diff")]
    Plan(plan::Args),
    Apply(apply::Args),
    Revert(revert::Args),
    Drift(drift::Args),
    Adopt(adopt::Args),
    Export(export::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Compare(compare::Args),
    History(history::Args),
    Sandbox(sandbox::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Help(help::Args),
}

fn variable(text: &str) -> Result<(String, String), String> {
    Flags::variable(text).map_err(|problem| problem.title)
}

/// Reads `60%`.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    match number.filter(|number| *number > 0.0 && *number <= 100.0) {
        Some(number) => Ok(number / 100.0),
        None => Err("expected a share above 0% and up to 100%".to_owned()),
    }
}

/// What a command ends with. An I/O error is one of its output.
type Ended = io::Result<ExitCode>;

/// Runs the program: reads the command line, runs one command.
pub fn main() -> std::process::ExitCode {
    tell_of_failures();
    let run = std::panic::AssertUnwindSafe(|| run(std::env::args_os()));
    std::panic::catch_unwind(run).unwrap_or(ExitCode::Error).into()
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let ui = Ui::detect(cli.global.json, cli.global.no_color, cli.global.verbose > 0);
    trace::start(cli.global.verbose, ui.err.colour);
    if let Some(directory) = &cli.global.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        let problem = Problem::error("usage", format!("cannot start in {}: {error}", directory.display()));
        return end(&ui, ui.failed(&[problem], &Sources::default()).map(|()| ExitCode::Usage));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let problem = Problem::error("system", format!("the system gives no threads: {error}"));
            return end(&ui, ui.failed(&[problem], &Sources::default()).map(|()| ExitCode::Error));
        }
    };
    let ended = runtime.block_on(command(cli, &ui));
    // What still runs then was left behind by an interruption and must not hold the process.
    runtime.shutdown_background();
    end(&ui, ended)
}

async fn command(cli: Cli, ui: &Ui) -> Ended {
    let interrupt = Interrupt::listen();
    files::survive_limits();
    let graceful = matches!(
        cli.command,
        Command::Apply(_) | Command::Backup(_) | Command::Restore(_) | Command::Revert(_) | Command::Sandbox(_)
    );
    let work = async {
        match &cli.command {
            Command::Init(args) => init::run(args, &cli.global, ui, &interrupt).await,
            Command::Doctor(args) => doctor::run(args, &cli.global, ui, &interrupt).await,
            Command::Validate(args) => validate::run(args, &cli.global, ui, &interrupt).await,
            Command::Plan(args) => plan::run(args, &cli.global, ui, &interrupt).await,
            Command::Apply(args) => apply::run(args, &cli.global, ui, &interrupt).await,
            Command::Revert(args) => revert::run(args, &cli.global, ui, &interrupt).await,
            Command::Drift(args) => drift::run(args, &cli.global, ui, &interrupt).await,
            Command::Adopt(args) => adopt::run(args, &cli.global, ui, &interrupt).await,
            Command::History(args) => history::run(args, &cli.global, ui, &interrupt).await,
            Command::Backup(args) => backup::run(args, &cli.global, ui, &interrupt).await,
            Command::Compare(args) => compare::run(args, &cli.global, ui, &interrupt).await,
            Command::Export(args) => export::run(args, &cli.global, ui, &interrupt).await,
            Command::Restore(args) => restore::run(args, &cli.global, ui, &interrupt).await,
            Command::Sandbox(args) => sandbox::run(args, ui, &interrupt).await,
            Command::Schema(args) => schema::run(args, ui),
            Command::Completions(args) => completions::run(args, ui),
            Command::Help(args) => help::run(args, ui),
        }
    };
    let stop = async { if graceful { interrupt.again().await } else { interrupt.token.cancelled().await } };
    // The signal also cancels requests: that it came counts, not the error it makes.
    let ended = tokio::select! {
        biased;
        () = stop => Ok(interrupt.code()),
        ended = work => ended,
    };
    ended.map(|code| if code == ExitCode::Interrupted { interrupt.code() } else { code })
}

/// Maps the error of an output to a code: the answer did not arrive.
fn end(ui: &Ui, ended: Ended) -> ExitCode {
    ended.unwrap_or_else(|error| {
        ui.tell(&format!("error[output]: the answer cannot be written: {error}\n"));
        ExitCode::Error
    })
}

/// Ends where the command line asks for help, or is wrong.
fn misused(error: &clap::Error) -> ExitCode {
    // As with every output: when nobody reads, nothing is lost.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Done,
        _ => ExitCode::Usage,
    }
}

/// The command line as clap knows it, for help and completions.
fn definition() -> clap::Command {
    Cli::command()
}

/// Ends a command that failed.
fn failed(ui: &Ui, failure: &Failed) -> Ended {
    ui.failed(&failure.problems, &failure.sources)?;
    Ok(ExitCode::of(&failure.problems))
}

/// Ends a command that was called wrongly, or cannot begin.
fn refused(ui: &Ui, problem: Problem) -> Ended {
    failed(ui, &Failed { problems: vec![problem], sources: Sources::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(share("60%"), Ok(0.6));
        for text in ["0%", "101%", "60", "x%", "NaN%", "-5%", ""] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
