//! `validate`: offline; load, render, schema, references.

use super::{Failed, Request};
use crate::description::has_errors;
use crate::model::Sources;
use crate::problem::{Problem, sorted};
use crate::project::{Secrets, find_project_file, load_description, load_project_file, load_settings};

/// A description that holds in one environment.
#[derive(Debug)]
pub struct Validated {
    /// Name of the environment.
    pub environment: String,
    /// Described resources per kind.
    pub kinds: Vec<(String, usize)>,
}

/// A description that holds.
#[derive(Debug, Default)]
pub struct ValidatedAll {
    /// Per environment, in the project file's order.
    pub environments: Vec<Validated>,
    /// Warnings and notes; what several environments share is said once.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Checks a description without secrets, credentials or network: for the environment that is named, else for all.
///
/// # Errors
///
/// Every error of the files in any of them, at once.
pub async fn validate(request: &Request) -> Result<ValidatedAll, Failed> {
    let mut out = ValidatedAll::default();
    for environment in environments(request)? {
        let mut request = request.clone();
        request.flags.environment = environment;
        let one = one(&request).await;
        let (problems, sources) = match one {
            Ok((validated, problems, sources)) => {
                out.environments.push(validated);
                (problems, sources)
            }
            Err(failed) => (failed.problems, failed.sources),
        };
        out.problems.extend(problems);
        out.sources.merge(sources);
    }
    out.problems = sorted(out.problems);
    if has_errors(&out.problems) { Err(Failed::new(out.problems, out.sources)) } else { Ok(out) }
}

/// Names the environments to look at; `None` stands for the only one there is.
fn environments(request: &Request) -> Result<Vec<Option<String>>, Failed> {
    let file = find_project_file(&request.around.directory).filter(|_| request.flags.config.is_none());
    match (&request.flags.environment, file) {
        (None, Some(path)) => {
            let file = load_project_file(&path, &request.around)?;
            Ok(file.environments.into_keys().map(Some).collect())
        }
        (named, _) => Ok(vec![named.clone()]),
    }
}

async fn one(request: &Request) -> Result<(Validated, Vec<Problem>, Sources), Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let mut sources = loaded.sources;
    let description = load_description(&loaded.settings, &request.around, Secrets::Leave)
        .await
        .map_err(|problem| Failed::one(problem, sources.clone()))?;
    sources.merge(description.sources);
    let mut problems = loaded.warnings;
    problems.extend(description.problems);
    if has_errors(&problems) {
        return Err(Failed::new(problems, sources));
    }
    let kinds = description.outcome.desired.kinds.iter();
    let kinds = kinds.map(|(name, kind)| (name.clone(), kind.resources.len())).collect();
    Ok((Validated { environment: loaded.settings.environment, kinds }, problems, sources))
}
