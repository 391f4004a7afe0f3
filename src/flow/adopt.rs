//! `adopt`: writes drift back into the description.

use indexmap::IndexMap;

use super::plan::{PlanRequest, plan};
use super::{Failed, Request};
use crate::export::adopt::edits;
use crate::export::edit::{EditOptions, Edited, edit};
use crate::files::{Access, write_atomically};
use crate::model::{AddressPattern, Sources};
use crate::problem::Problem;
use crate::project::{Secrets, find_project_file, load_description, load_project_file, load_settings};
use crate::receipt::description_digest;

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
/// Those of [`plan`], `unwritable-file`; then no file or not all of them was written, and the message says which.
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
        return Err(fail(
            Problem::error("no-deployment", "no deployment of this tenant is recorded: nothing can be called drift")
                .help("`tenantry export` writes the tenant as it is; `tenantry init --baseline` records it"),
        ));
    }
    let description = load_description(&settings, &request.base.around, Secrets::Leave).await.map_err(&fail)?;
    let edited = edit(&description, &edits(&planned.plan, &request.targets), &request.options)
        .map_err(|problems| Failed::new(problems, sources.clone()))?;
    let before = others(request, &settings.environment).await;
    let root = description.files.folder();
    for (name, bytes) in &edited.files {
        write_atomically(&root.join(name), bytes, Access::Usual).map_err(&fail)?;
    }
    for name in &edited.removed_files {
        std::fs::remove_file(root.join(name)).map_err(|error| {
            fail(Problem::error("unwritable-file", format!("{name} cannot be removed: {error}")).help("remove it by hand"))
        })?;
    }
    let after = others(request, &settings.environment).await;
    let moved = after.iter().filter(|(name, digest)| before.get(*name) != Some(*digest));
    let moves_along = moved.map(|(name, _)| name.clone()).collect();
    Ok(Adopted { edited, moves_along, problems, sources })
}

/// Digests of what every other environment asks for; one that cannot be rendered has none.
async fn others(request: &AdoptRequest, own: &str) -> IndexMap<String, String> {
    let around = &request.base.around;
    let mut out = IndexMap::new();
    let Some(path) = find_project_file(&around.directory) else { return out };
    let Ok(file) = load_project_file(&path, around) else { return out };
    for name in file.environments.keys().filter(|name| *name != own) {
        let mut flags = request.base.flags.clone();
        flags.environment = Some(name.clone());
        let Ok(loaded) = load_settings(&flags, around) else { continue };
        let Ok(description) = load_description(&loaded.settings, around, Secrets::Leave).await else { continue };
        out.insert(name.clone(), description_digest(&description.outcome.desired));
    }
    out
}
