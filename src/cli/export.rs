//! `tenantry export`

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::export::{self, ExportOptions, FileFormat, Format};
use crate::flow;
use crate::problem::{Problem, Severity};
use crate::render::json::v1;
use crate::render::{clean, count};
use crate::schema::Registry;

/// Write the live tenant as a description
///
/// What is written loads back without loss: a plan right after finds nothing to do. Secrets that the API does not return
/// become expressions over `secrets`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write into; made where it is missing, else it has to be empty
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,
    /// Layout of the description
    #[arg(long, value_enum, default_value_t = Layout::Directory)]
    format: Layout,
    /// Format of the files of a directory
    #[arg(long, value_enum, default_value_t = Files::Yaml)]
    files: Files,
}

/// Layout of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// A folder per kind, a file per resource
    Directory,
    /// One file, tenant.yaml
    Single,
}

/// Format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Files {
    /// YAML
    Yaml,
    /// JSON, as auth0-deploy-cli writes
    Json,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = global.request(&interrupt.token)?;
    let read = match flow::read_tenant(&request).await {
        Ok(read) => read,
        Err(failure) => return failed(ui, &failure),
    };
    if read.settings.export.preserve_keywords {
        let problem = Problem::error("unsupported-option", "AUTH0_PRESERVE_KEYWORDS is not supported yet")
            .note("an export goes into an empty folder; nothing there holds markers to keep")
            .help("unset it, export elsewhere, and bring over what changed");
        return refused(ui, problem);
    }
    let options = ExportOptions {
        format: if args.format == Layout::Single { Format::Single } else { Format::Directory },
        files: if args.files == Files::Json { FileFormat::Json } else { FileFormat::Yaml },
        ids: read.settings.export.identifiers,
        without: read.settings.export.excluded_props.clone(),
        with: read.settings.export.included_props.clone(),
        bare: read.settings.export.excluded_defaults.clone(),
        secrets: read.settings.export.secrets,
        filters: read.settings.filters.clone(),
    };
    let export = export::files(Registry::get(), &read.live, &options);
    let folder = request.around.directory.join(&args.output);
    if let Err(problem) = export::write(&export, &folder, &request.around.directory) {
        return refused(ui, problem);
    }
    let mut problems = read.problems;
    problems.extend(export.report.iter().cloned());
    if ui.json {
        ui.answer(&v1::text(&v1::Export::new(&export, &problems)))?;
    } else {
        ui.problems(&problems, &read.sources);
        let folder = args.output.display().to_string();
        ui.answer(&format!("wrote {} to {}\n", count(export.files.len(), "file"), clean(&folder)))?;
    }
    // What could not be read is missing from the files.
    let partial = problems.iter().any(|p| p.id == "export-unreadable" && p.severity != Severity::Note);
    Ok(if partial { ExitCode::Partial } else { ExitCode::Done })
}
