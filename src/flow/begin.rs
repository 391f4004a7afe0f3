//! `init --from`: the tenant of an environment becomes the description of the project, and a plan proves it.

use std::path::PathBuf;

use super::export::options;
use super::plan::{PlanRequest, Planned, plan};
use super::read::whole;
use super::{Failed, Request, Session};
use crate::description::layout::{LayoutOptions, read_layout};
use crate::export::{self, Export, FileFormat, Format};
use crate::files::{Together, find_description, shown, write_together};
use crate::model::{Locus, Sources};
use crate::problem::Problem;
use crate::project::{Mode, Settings, find_project_file, load_settings};
use crate::schema::Registry;

/// What a project begins with.
#[derive(Debug, Clone)]
pub struct BeginRequest {
    /// What every story is told; the environment is none of the flags.
    pub base: Request,
    /// Folder of the project; absolute.
    pub folder: PathBuf,
    /// The environment whose tenant is written down.
    pub environment: String,
    /// Domain of its tenant, where a new project file has to name it and nothing else does.
    pub domain: Option<String>,
    /// Layout of the description.
    pub format: Format,
    /// What the files of a directory are written in.
    pub files: FileFormat,
}

/// What a project began with.
pub struct Begun {
    /// The description.
    pub export: Export,
    /// Files that were written, as shown to people.
    pub files: Vec<String>,
    /// The plan of what was written, which ought to be empty.
    pub planned: Planned,
    /// Warnings and notes of the export.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Writes an export as the description of a project, and plans it.
///
/// # Errors
///
/// `description-exists`, `file-exists`, `no-tenant`, `unwritable-file`, those of the settings and the network: nothing is written
/// then. Those of [`plan`] of what was written.
pub async fn begin(request: &BeginRequest) -> Result<Begun, Failed> {
    let mut around = request.base.around.clone();
    let project = find_project_file(&request.folder);
    // What is not there yet holds no project, but lies in one or not.
    around.directory.clone_from(&request.folder);
    let mut flags = request.base.flags.clone();
    flags.environment = project.is_some().then(|| request.environment.clone());
    if project.is_none()
        && let Some(domain) = &request.domain
    {
        around.env.insert("AUTH0_DOMAIN".to_owned(), domain.clone());
    }
    let loaded = load_settings(&flags, &around)?;
    let (settings, sources, mut problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let fail = |problem: Problem| Failed::one(problem, sources.clone());
    let directory = &request.base.around.directory;
    let (root, file) = match settings.mode {
        Mode::Project => (settings.description.clone().unwrap_or_else(|| request.folder.clone()), None),
        Mode::Compatibility => {
            let text = project_file(&request.environment, &settings).map_err(fail)?;
            (request.folder.clone(), Some((request.folder.join("tenantry.yaml"), text)))
        }
    };
    nothing_described(&root, request).map_err(fail)?;
    let session = Session::open(&settings, &request.base).await.map_err(fail)?;
    problems.extend(session.client.warnings());
    let found = whole(&session, &settings).await;
    session.close().await;
    let (live, _) = found.map_err(fail)?;
    let export = export::files(Registry::get(), &live, &options(&settings, request.format, request.files));
    problems.extend(export.report.iter().cloned());
    let described = export.files.iter().map(|(path, text)| (root.join(path), text.as_bytes().to_vec()));
    let written: Vec<(PathBuf, Vec<u8>)> =
        file.into_iter().map(|(path, text)| (path, text.into_bytes())).chain(described).collect();
    let taken: Vec<Problem> = written
        .iter()
        .filter(|(path, _)| path.symlink_metadata().is_ok())
        .map(|(path, _)| {
            Problem::error("file-exists", "this file is there already, and init overwrites nothing")
                .at(&Locus::file(&shown(path, directory)))
        })
        .collect();
    if !taken.is_empty() {
        return Err(Failed::new(taken, sources));
    }
    let files = written.iter().map(|(path, _)| shown(path, directory)).collect();
    write_together(&Together { written, removed: Vec::new() }, directory).map_err(fail)?;
    flags.environment = Some(request.environment.clone());
    let base = Request { flags, around, ..request.base.clone() };
    let planned = plan(&PlanRequest {
        base,
        at: None,
        resume: false,
        targets: Vec::new(),
        prune: Vec::new(),
        send_secrets: false,
        overwrite: Vec::new(),
        approved: Default::default(),
    })
    .await?;
    Ok(Begun { export, files, planned, problems, sources })
}

/// Writes the project file of a tenant.
fn project_file(environment: &str, settings: &Settings) -> Result<String, Problem> {
    let is_name = !environment.is_empty()
        && environment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_name {
        return Err(Problem::error("usage", format!("`{environment}` cannot be the name of an environment"))
            .help("use lower-case letters, digits and hyphens: --from dev"));
    }
    let tenant = match (&settings.target, &settings.sandbox) {
        (Some(target), _) => format!("    domain: {}\n", serde_json::Value::from(target.domain.clone())),
        (None, Some(_)) => "    sandbox: {}\n".to_owned(),
        (None, None) => {
            return Err(Problem::error("no-tenant", "nothing says which tenant this is")
                .help("give its domain: --domain my-tenant.eu.auth0.com (or AUTH0_DOMAIN)"));
        }
    };
    Ok(format!(
        "# Which tenants this description is for, and what is allowed there.\n\
         #\n\
         #   tenantry -e {environment} plan      what would change in the tenant, and why\n\
         #   tenantry -e {environment} apply     change it\n\
         \n\
         description: .\n\
         \n\
         environments:\n\
         \x20 {environment}:\n\
         {tenant}\
         \x20   # Who deploys: AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET of a machine-to-machine application.\n\
         \x20   policy:\n\
         \x20     delete: []              # kinds that may be deleted. Nothing, until you say so\n\
         \x20     drift: fail             # stop when somebody changed the tenant elsewhere; or overwrite, or keep\n"
    ))
}

/// Demands that the project has no description yet.
fn nothing_described(root: &std::path::Path, request: &BeginRequest) -> Result<(), Problem> {
    let directory = &request.base.around.directory;
    if !root.exists() {
        return Ok(());
    }
    let files = find_description(root, None, directory)?;
    let options = LayoutOptions {
        registry: Registry::get(),
        names: &Default::default(),
        filters: &Default::default(),
        compatibility: false,
        single: files.single.clone(),
        connections_directory: None,
    };
    let found = read_layout(&files.tree, &options);
    if found.problems.iter().any(|problem| problem.id == "empty-description") {
        return Ok(());
    }
    let name = shown(root, directory);
    Err(Problem::error("description-exists", format!("{name} holds a description already"))
        .help(format!("bring it up to date with `tenantry -e {} export -o {name}`", request.environment)))
}
