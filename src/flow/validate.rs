//! `validate`: offline; load, render, schema, references.

use super::{Failed, Request};
use crate::description::has_errors;
use crate::model::Sources;
use crate::problem::Problem;
use crate::project::{Secrets, load_description, load_settings};

/// A description that holds.
#[derive(Debug)]
pub struct Validated {
    /// Name of the environment.
    pub environment: String,
    /// Described resources per kind.
    pub kinds: Vec<(String, usize)>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Checks a description without secrets, credentials or network.
///
/// # Errors
///
/// Every error of the files, at once.
pub async fn validate(request: &Request) -> Result<Validated, Failed> {
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
    Ok(Validated { environment: loaded.settings.environment, kinds, problems, sources })
}
