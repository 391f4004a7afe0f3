//! `export`: writes the live tenant as a description, into a new folder or into a description that is there.

use std::path::{Path as FsPath, PathBuf};

use super::read::whole;
use super::update::update;
use super::{Failed, Request, Session};
use crate::description::Filters;
use crate::description::layout::{Layout, LayoutOptions, read_layout};
use crate::export::edit::EditOptions;
use crate::export::sanitize;
use crate::export::{self, Export, ExportOptions, FileFormat, Format};
use crate::files::{find_description, shown};
use crate::model::{Address, Path, Sources};
use crate::problem::Problem;
use crate::project::{Mode, Settings, load_settings};
use crate::render::AdoptedFile;
use crate::schema::Registry;

/// What is exported, and how.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// What every story is told.
    pub base: Request,
    /// Where to: a folder that is empty or not there yet, a folder that holds a description, or its single file.
    pub output: PathBuf,
    /// The layout of a new description.
    pub format: Option<Format>,
    /// What the files of a directory are written in, where none are there that say it.
    pub files: Option<FileFormat>,
    /// How values behind markers are treated.
    pub edit: EditOptions,
    /// Resources that the tenant does not have go from the files.
    pub remove_files: bool,
    /// Names, addresses and texts are replaced.
    pub sanitize: bool,
}

/// What was exported.
pub struct Exported {
    /// What was written.
    pub wrote: Wrote,
    /// Warnings and notes, with what was left out and why.
    pub problems: Vec<Problem>,
    /// Texts of the files as they were.
    pub sources: Sources,
    /// The settings.
    pub settings: Settings,
}

/// What an export wrote.
pub enum Wrote {
    /// A new description.
    New(Export),
    /// Into one that was there.
    Into(Box<Updated>),
}

/// What became of a description that was there.
#[derive(Debug, Clone, Default)]
pub struct Updated {
    /// Files that were written or removed.
    pub files: Vec<AdoptedFile>,
    /// Fields that were taken over; the root for a resource as a whole.
    pub done: Vec<(Address, Path)>,
    /// Fields, or whole resources, that were left, and why.
    pub left: Vec<(Address, Path, String)>,
    /// How many of them stand behind markers.
    pub behind_markers: usize,
    /// Fields that both sides changed since the last deployment: the tenant's value was taken over.
    pub conflicts: Vec<(Address, Path)>,
    /// What was changed in the files and never deployed: it stays.
    pub pending: Vec<(Address, Path)>,
    /// Resources that nobody had described, with their file.
    pub added: Vec<(Address, String)>,
    /// Resources that the tenant does not have, with their file.
    pub gone: Vec<(Address, String)>,
    /// Whether they went from the files.
    pub removed: bool,
    /// Other environments that render the same files, and the resources whose desired state moves along.
    pub moves_along: Vec<(String, Vec<Address>)>,
    /// Names of the secrets that new files ask for.
    pub secrets: Vec<String>,
}

/// Reads the tenant and writes it down.
///
/// # Errors
///
/// Those of the settings and the network; `export-not-empty`, `export-layout`, `export-sanitized`, `export-outside`,
/// `unwritable-file`; where a description is there, all its errors. Nothing is written then.
pub async fn export(request: &ExportRequest) -> Result<Exported, Failed> {
    let around = &request.base.around;
    let loaded = load_settings(&request.base.flags, around)?;
    let (settings, sources, problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let folder = around.directory.join(&request.output);
    let fail = |problem: Problem| Failed::one(problem, sources.clone());
    let is_new = !folder.is_file() && export::is_empty(&folder, &around.directory).map_err(fail)?;
    if !is_new {
        let there = there(&settings, &folder, request).map_err(fail)?;
        return update(request, there, sources, problems).await;
    }
    if folder.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json") {
        let name = shown(&folder, &around.directory);
        return Err(fail(
            Problem::error("export-layout", format!("{name} is not there yet, and an export begins with a folder"))
                .help("name a folder; with --format single it gets a tenant.yaml"),
        ));
    }
    let session = Session::open(&settings, &request.base).await.map_err(fail)?;
    let mut problems = problems;
    problems.extend(session.client.warnings());
    let found = whole(&session, &settings).await;
    session.close().await;
    let (mut live, _) = found.map_err(fail)?;
    let mut options = options(&settings, request.format.unwrap_or_default(), request.files.unwrap_or_default());
    if request.sanitize {
        live = sanitize::sanitized(
            Registry::get(),
            &sanitize::filtered(&live, &options.filters),
            &sanitize::Key::random(),
        );
        // Names are not what filters know, and what is not exported has to stay away.
        options.filters = Filters { only_kinds: Some(live.kinds.keys().cloned().collect()), ..Filters::default() };
        (options.secrets, options.with) = (false, Default::default());
    }
    let made = export::files(Registry::get(), &live, &options);
    export::write(&made, &folder, &around.directory).map_err(fail)?;
    problems.extend(made.report.iter().cloned());
    Ok(Exported { wrote: Wrote::New(made), problems, sources, settings })
}

/// What the settings say of exports.
pub(super) fn options(settings: &Settings, format: Format, files: FileFormat) -> ExportOptions {
    ExportOptions {
        format,
        files,
        ids: settings.export.identifiers,
        without: settings.export.excluded_props.clone(),
        with: settings.export.included_props.clone(),
        bare: settings.export.excluded_defaults.clone(),
        secrets: settings.export.secrets,
        filters: settings.filters.clone(),
    }
}

/// Returns the settings with the description that is there instead of the project's own.
fn there(settings: &Settings, path: &FsPath, request: &ExportRequest) -> Result<Settings, Problem> {
    let around = &request.base.around;
    let name = shown(path, &around.directory);
    let same = |a: &FsPath, b: &FsPath| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    let mut out = settings.clone();
    let is_own = settings.description.as_ref().is_some_and(|own| {
        same(own, path) || own.file_name().is_some_and(|file| path.is_dir() && same(own, &path.join(file)))
    });
    if !is_own {
        out.description = Some(path.to_path_buf());
        out.base_path = None;
    }
    let own = out.description.clone().unwrap_or_else(|| path.to_path_buf());
    let files = find_description(&own, out.base_path.as_deref(), &around.directory)?;
    let options = LayoutOptions {
        registry: Registry::get(),
        names: &Default::default(),
        filters: &Filters::default(),
        compatibility: settings.mode == Mode::Compatibility,
        single: files.single.clone(),
        connections_directory: settings.connections_directory.clone(),
    };
    let found = read_layout(&files.tree, &options);
    if found.problems.iter().any(|problem| problem.id == "empty-description") {
        let problem = Problem::error("export-not-empty", format!("{name} is not empty, and holds no description"));
        let own = settings.description.as_deref().filter(|own| !same(own, path));
        return Err(match own {
            Some(own) => problem.note(format!("the project's description is {}", shown(own, &around.directory))),
            None => problem,
        }
        .help("name a folder that is empty or not there yet, or one that holds a description to be updated"));
    }
    if request.sanitize {
        return Err(Problem::error(
            "export-sanitized",
            format!("{name} holds a description, and what is made up has no place in it"),
        )
        .help("name a folder that is empty or not there yet"));
    }
    let layout = match found.description.layout {
        Layout::Single(_) => Format::Single,
        Layout::Directory => Format::Directory,
    };
    if request.format.is_some_and(|format| format != layout) {
        let words = if layout == Format::Single { "a single file" } else { "a directory" };
        return Err(Problem::error("export-layout", format!("the description in {name} is {words}"))
            .help("leave --format out to update it as it is, or name another folder"));
    }
    Ok(out)
}
