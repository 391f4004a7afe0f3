//! `tenantry export`

use std::path::PathBuf;

use clap::ValueEnum;

use super::flow::{self, ExportRequest};
use super::ui::Ui;
use super::{Ended, Global, failed, found};

/// Write the live tenant as a description
///
/// What is written loads back without loss: a plan right after finds nothing to do. Secrets that the API does not return
/// become expressions over `secrets`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write into; updated in place where it holds a description
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
    /// With comments
    Yaml,
    /// As auth0-deploy-cli writes them
    Json,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui) -> Ended {
    let request = ExportRequest {
        common: global.common(),
        output: args.output.clone(),
        single: args.format == Layout::Single,
        json: args.files == Files::Json,
    };
    match flow::export(&request).await {
        Ok(findings) => found(ui, &findings),
        Err(failure) => failed(ui, &failure),
    }
}
