//! `tenantry export`

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed};
use crate::export::edit::EditOptions;
use crate::export::{FileFormat, Format};
use crate::flow::{self, ExportRequest, Exported, Updated, Wrote};
use crate::problem::Severity;
use crate::render::json::v1;
use crate::render::{ExportView, clean, count, export_human};

/// Write the live tenant as a description
///
/// Into a new folder: what is written loads back without loss, a plan right after finds nothing to do. Into a folder
/// that holds a description, or onto its single file: what differs is changed there, where it stands; comments, order
/// and markers stay. Changes of yours that were never deployed stay too, and are named. Secrets that the API does not
/// return become expressions over `secrets`. Exits with 2 if fields were left behind markers.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write into, made where it is missing; or a description to bring up to date
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,
    /// Layout of a new description; a directory by default
    #[arg(long, value_enum)]
    format: Option<Layout>,
    /// Format of the files of a directory; YAML by default, or as the files that are there
    #[arg(long, value_enum)]
    files: Option<Files>,
    /// Write values in the place of markers and expressions
    #[arg(long)]
    replace_markers: bool,
    /// Where a marker stands alone, change its variable in this environment's own file
    #[arg(long)]
    into_variables: bool,
    /// Take resources that the tenant does not have out of the files
    #[arg(long)]
    remove_files: bool,
    /// Replace names, addresses, ids and texts by made-up ones, for showing to strangers
    #[arg(long, conflicts_with_all = ["replace_markers", "into_variables", "remove_files"])]
    sanitize: bool,
}

/// Layout of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Layout {
    /// A folder per kind, a file per resource
    Directory,
    /// One file, tenant.yaml
    Single,
}

/// Format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Files {
    /// YAML
    Yaml,
    /// JSON, as auth0-deploy-cli writes
    Json,
}

impl From<Layout> for Format {
    fn from(layout: Layout) -> Self {
        match layout {
            Layout::Directory => Format::Directory,
            Layout::Single => Format::Single,
        }
    }
}

impl From<Files> for FileFormat {
    fn from(files: Files) -> Self {
        match files {
            Files::Yaml => FileFormat::Yaml,
            Files::Json => FileFormat::Json,
        }
    }
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let request = ExportRequest {
        base: global.request(&interrupt.token)?,
        output: args.output.clone(),
        format: args.format.map(Format::from),
        files: args.files.map(FileFormat::from),
        edit: EditOptions { replace_markers: args.replace_markers, into_variables: args.into_variables },
        remove_files: args.remove_files,
        sanitize: args.sanitize,
    };
    let Exported { wrote, problems, sources, settings } = match flow::export(&request).await {
        Ok(exported) => exported,
        Err(failure) => return failed(ui, &failure),
    };
    let left = match &wrote {
        Wrote::New(export) if ui.json => {
            ui.answer(&v1::text(&v1::Export::new(export, &problems)))?;
            0
        }
        Wrote::New(export) => {
            ui.problems(&problems, &sources);
            let folder = args.output.display().to_string();
            ui.answer(&format!("wrote {} to {}\n", count(export.files.len(), "file"), clean(&folder)))?;
            0
        }
        Wrote::Into(updated) => {
            if ui.json {
                ui.answer(&v1::text(&v1::Export::updated(&view(updated), &problems)))?;
            } else {
                ui.problems(&problems, &sources);
                ui.answer(&export_human(&view(updated), &ui.out))?;
            }
            // Whoever asks for markers to be kept has what was asked for.
            let asked = if settings.export.preserve_keywords { updated.behind_markers } else { 0 };
            updated.left.len().saturating_sub(asked)
        }
    };
    // What could not be read is missing from the files, or was not compared.
    let partial = problems.iter().any(|p| p.id == "export-unreadable" && p.severity != Severity::Note);
    Ok(match (partial, left) {
        (true, _) => ExitCode::Partial,
        (false, 0) => ExitCode::Done,
        (false, _) => ExitCode::Differences,
    })
}

fn view(updated: &Updated) -> ExportView<'_> {
    ExportView {
        files: &updated.files,
        done: &updated.done,
        left: &updated.left,
        conflicts: &updated.conflicts,
        pending: &updated.pending,
        added: &updated.added,
        gone: &updated.gone,
        removed: updated.removed,
        moved: &updated.moves_along,
        secrets: &updated.secrets,
    }
}
