//! `adopt`: writes drift back into the description.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use indexmap::IndexMap;

use super::plan::{PlanRequest, plan};
use super::{Failed, Request};
use crate::description::Format;
use crate::export::adopt::edits;
use crate::export::edit::{EditOptions, Edited, Existing, OwnVariables, edit};
use crate::files::{DescriptionFiles, Together, read_settings_file, write_together};
use crate::model::{Address, AddressPattern, Path, Sources};
use crate::problem::Problem;
use crate::project::{
    Mode, Secrets, Settings, Surroundings, VariableSource, find_project_file, load_description, load_project_file,
    load_settings,
};
use crate::render::AdoptedFile;
use crate::schema::Registry;

/// What is adopted, and how.
#[derive(Debug, Clone)]
pub struct AdoptRequest {
    /// What every story is told.
    pub base: Request,
    /// Only drift of these resources, where any are named.
    pub targets: Vec<AddressPattern>,
    /// How values behind markers are treated.
    pub options: EditOptions,
}

/// What was adopted.
pub struct Adopted {
    /// Files that were written or removed.
    pub files: Vec<AdoptedFile>,
    /// Fields that were taken over; the root for a resource as a whole.
    pub done: Vec<(Address, Path)>,
    /// Fields that were left, and why.
    pub left: Vec<(Address, Path, String)>,
    /// Other environments that render the same files, and the resources whose desired state moves along.
    pub moves_along: Vec<(String, Vec<Address>)>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files as they were.
    pub sources: Sources,
}

/// Finds drift, and writes it into the files.
///
/// # Errors
///
/// Those of [`plan`], `unwritable-file`; then the message says what was written, if anything was.
pub async fn adopt(request: &AdoptRequest) -> Result<Adopted, Failed> {
    let wanted = PlanRequest {
        base: request.base.clone(),
        at: None,
        resume: false,
        targets: request.targets.clone(),
        prune: Vec::new(),
        send_secrets: false,
        overwrite: Vec::new(),
        approved: Default::default(),
    };
    let planned = plan(&wanted).await?;
    let (settings, sources, problems) = (planned.settings, planned.sources, planned.problems);
    planned.session.close().await;
    let fail = |problem: Problem| Failed::one(problem, sources.clone());
    if planned.past.base.is_none() {
        let problem =
            Problem::error("no-deployment", "no deployment of this tenant is recorded: nothing can be called drift");
        return Err(fail(
            problem.help("`tenantry export` writes the tenant as it is; `tenantry init --baseline` records it"),
        ));
    }
    let around = &request.base.around;
    let description = load_description(&settings, around, Secrets::Leave).await.map_err(fail)?;
    let own = own_variables(&settings, around).map_err(fail)?;
    let existing = Existing {
        registry: Registry::get(),
        tree: &description.files.tree,
        description: &description.description,
        variables: &description.variables,
        desired: &description.outcome.desired,
        side_files: &description.outcome.files,
        own_variables: own.as_ref().map(|own| OwnVariables {
            shown: &own.shown,
            bytes: &own.bytes,
            format: own.format,
            at: &[],
        }),
    };
    let edits = edits(&planned.plan, &request.targets);
    let edited = edit(&existing, &edits, request.options).map_err(|problems| Failed::new(problems, sources.clone()))?;
    let before = others(&request.base, &settings.environment).await;
    let files = write(&edited, &description.files, own.as_ref(), around).map_err(fail)?;
    let after = others(&request.base, &settings.environment).await;
    Ok(Adopted {
        files,
        done: edited.done.into_iter().map(|(address, path, _)| (address, path)).collect(),
        left: edited.left.into_iter().map(|(address, path, why)| (address, path, why.to_string())).collect(),
        moves_along: moved(&before, &after),
        problems,
        sources,
    })
}

/// The file that holds the environment's own variables.
pub(super) struct OwnFile {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    pub(super) bytes: Vec<u8>,
    pub(super) format: Format,
}

pub(super) fn own_variables(settings: &Settings, around: &Surroundings) -> Result<Option<OwnFile>, Problem> {
    let Some(project) = find_project_file(&around.directory).filter(|_| settings.mode == Mode::Project) else {
        return Ok(None);
    };
    let Ok(file) = load_project_file(&project, around) else { return Ok(None) };
    let Some(VariableSource::File(name, _)) =
        file.environments.get(&settings.environment).map(|environment| &environment.variables)
    else {
        return Ok(None);
    };
    let path = settings.root.join(name);
    let (shown, bytes) = read_settings_file(&path, &around.directory)?;
    let format = if path.extension().is_some_and(|e| e == "json") { Format::Json } else { Format::Yaml };
    Ok(Some(OwnFile { path, shown, bytes, format }))
}

/// Writes every file that changed, and removes those that go.
fn write(
    edited: &Edited,
    files: &DescriptionFiles,
    own: Option<&OwnFile>,
    around: &Surroundings,
) -> Result<Vec<AdoptedFile>, Problem> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let was = |name: &str| files.tree.read(name).map(text).unwrap_or_default();
    let (mut out, mut together) = (Vec::new(), Together::default());
    for (name, bytes) in &edited.files {
        together.written.push((files.folder().join(name), bytes.clone()));
        out.push(AdoptedFile::new(files.tree.shown(name), &was(name), Some(&text(bytes))));
    }
    if let (Some(bytes), Some(own)) = (&edited.variables, own) {
        together.written.push((own.path.clone(), bytes.clone()));
        out.push(AdoptedFile::new(own.shown.clone(), &text(&own.bytes), Some(&text(bytes))));
    }
    for name in &edited.removed_files {
        together.removed.push(files.folder().join(name));
        out.push(AdoptedFile::new(files.tree.shown(name), &was(name), None));
    }
    write_together(&together, &around.directory)?;
    Ok(out)
}

/// What every other environment asks for: digests by environment and address. One that cannot be rendered has none.
pub(super) type Others = IndexMap<String, BTreeMap<Address, String>>;

pub(super) async fn others(request: &Request, own: &str) -> Others {
    let around = &request.around;
    let mut out = Others::new();
    let Some(path) = find_project_file(&around.directory) else { return out };
    let Ok(file) = load_project_file(&path, around) else { return out };
    for name in file.environments.keys().filter(|name| *name != own) {
        let mut flags = request.flags.clone();
        flags.environment = Some(name.clone());
        let Ok(loaded) = load_settings(&flags, around) else { continue };
        let Ok(description) = load_description(&loaded.settings, around, Secrets::Leave).await else { continue };
        let resources = description.outcome.desired.kinds.values().flat_map(|kind| &kind.resources);
        let digests = resources.map(|resource| (resource.address.clone(), resource.value.redacted().to_string()));
        out.insert(name.clone(), digests.collect());
    }
    out
}

pub(super) fn moved(before: &Others, after: &Others) -> Vec<(String, Vec<Address>)> {
    let mut out = Vec::new();
    for (name, after) in after {
        let Some(before) = before.get(name) else { continue };
        let all: BTreeSet<&Address> = before.keys().chain(after.keys()).collect();
        let differ: Vec<Address> =
            all.into_iter().filter(|address| before.get(*address) != after.get(*address)).cloned().collect();
        if !differ.is_empty() {
            out.push((name.clone(), differ));
        }
    }
    out
}
