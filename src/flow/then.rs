//! The description as it was at a commit, rendered with the secrets and the policy of now.

use std::path::{Path, PathBuf};

use super::Request;
use crate::description::{DescribeOutcome, has_errors};
use crate::model::Sources;
use crate::problem::Problem;
use crate::project::{Flags, LoadedDescription, Secrets, Settings, Surroundings, load_description, load_settings};
use crate::repository::Repository;

/// A description of then.
pub(super) struct Then {
    /// What it asked for.
    pub(super) outcome: DescribeOutcome,
    /// Texts of its files.
    pub(super) sources: Sources,
}

/// The files of a commit, in a folder that goes when this does.
pub(super) struct CheckedOut {
    /// The same flags, their paths in that folder.
    pub(super) flags: Flags,
    /// The same surroundings, the working directory in that folder.
    pub(super) around: Surroundings,
    _folder: tempfile::TempDir,
}

/// Writes the files that a description of a commit may be made of into a folder of their own.
///
/// # Errors
///
/// Those of the repository; `unwritable-file`.
pub(super) fn check_out(
    repository: &Repository,
    commit: &str,
    settings: &Settings,
    request: &Request,
) -> Result<CheckedOut, Problem> {
    let folder = tempfile::tempdir().map_err(|error| {
        Problem::error("unwritable-file", format!("there is no room to look at commit {commit}: {error}"))
            .help("make room in the folder for temporary files (TMPDIR)")
    })?;
    let description = settings.description.as_deref().unwrap_or(&settings.root);
    repository.check_out(commit, &[&settings.root, description, &request.around.directory], folder.path())?;
    let there = |path: &Path| -> PathBuf {
        let inside = repository.inside(path);
        inside.map_or_else(|| path.to_path_buf(), |inside| folder.path().join(inside))
    };
    let around = Surroundings { directory: there(&request.around.directory), env: request.around.env.clone() };
    let mut flags = request.flags.clone();
    flags.config = flags.config.map(|path| there(&request.around.directory.join(path)));
    flags.input = flags.input.map(|path| there(&request.around.directory.join(path)));
    Ok(CheckedOut { flags, around, _folder: folder })
}

/// Renders the description of a commit: its files and variables, with the secrets of now.
///
/// # Errors
///
/// Those of the repository; `commit-broken` where the description of then does not hold.
pub(super) async fn at_commit(
    repository: &Repository,
    commit: &str,
    settings: &Settings,
    request: &Request,
) -> Result<Then, Problem> {
    let (_folder, _, description) = described_at(repository, commit, settings, request).await?;
    Ok(Then { outcome: description.outcome, sources: description.sources })
}

/// As [`at_commit`], with the files and the settings of then.
pub(super) async fn described_at(
    repository: &Repository,
    commit: &str,
    settings: &Settings,
    request: &Request,
) -> Result<(CheckedOut, Settings, LoadedDescription), Problem> {
    let files = check_out(repository, commit, settings, request)?;
    let broken = |why: String| {
        Problem::error("commit-broken", format!("the description of commit {commit} cannot be read any more"))
            .note(why)
            .help("name another commit")
    };
    let first = |problems: &[Problem]| {
        problems.iter().find(|problem| problem.is_error()).map(|problem| problem.title.clone()).unwrap_or_default()
    };
    let loaded = load_settings(&files.flags, &files.around).map_err(|failed| broken(first(&failed.problems)))?;
    let mut then = loaded.settings;
    // What a secret is has no history.
    then.secrets = settings.secrets.clone();
    let description =
        load_description(&then, &files.around, Secrets::Ask).await.map_err(|problem| broken(problem.title))?;
    if has_errors(&description.problems) {
        return Err(broken(first(&description.problems)));
    }
    Ok((files, then, description))
}
