//! What is read of the git repository that holds the description: commits, authors of lines, files of then.
//!
//! Nothing here writes or talks to a server.

mod blame;
mod then;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::deployment::Commit;
use crate::files;
use crate::model::Locus;
use crate::problem::Problem;

/// A git repository. It holds no handle: each question opens it anew, so it can be passed between threads.
#[derive(Debug, Clone)]
pub struct Repository {
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_tree: Option<PathBuf>,
}

impl Repository {
    /// Finds the repository that a folder or file lies in. `None` too where there is one that cannot be opened.
    pub fn find(at: &Path) -> Option<Repository> {
        Self::open(at).ok().flatten()
    }

    /// Finds the repository that a folder or file lies in; `None` where there is none.
    ///
    /// # Errors
    ///
    /// `repository-unreadable` where there is one that cannot be opened.
    pub fn open(at: &Path) -> Result<Option<Repository>, Problem> {
        // A file does not lead to its repository; a folder that is yet to be made lies in that of the one above it.
        let folder = at.ancestors().find(|folder| folder.is_dir()).unwrap_or(at);
        match git2::Repository::discover(folder) {
            Ok(git) => Ok(Some(Repository {
                git_dir: git.path().to_path_buf(),
                common_dir: git.commondir().to_path_buf(),
                work_tree: git.workdir().map(Path::to_path_buf),
            })),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) if error.code() == git2::ErrorCode::Owner => Err(unreadable(at, "it belongs to another user")
                .help(format!("git config --global --add safe.directory {}", owner_path(folder).display()))),
            Err(error) => Err(unreadable(at, error.message())),
        }
    }

    /// Returns the folder that all work trees of the repository share: `.git`, or a bare repository itself.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the top of the work tree; `None` for a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// Says whether older commits are missing: who wrote a line is then not known for all.
    pub fn is_shallow(&self) -> bool {
        self.git().is_ok_and(|git| git.is_shallow())
    }

    /// Returns the commit that is checked out; `None` before the first, and where none of `paths` is in the repository. It counts as
    /// dirty where a file at or below them is not as committed, or one that may be part of a description was never added.
    pub fn head(&self, paths: &[&Path]) -> Option<Commit> {
        let inside: Vec<String> = paths.iter().filter_map(|path| self.inside(path)).collect();
        if inside.is_empty() {
            return None;
        }
        let git = self.git().ok()?;
        let commit = git.head().ok()?.peel_to_commit().ok()?;
        Some(Commit { id: commit.id().to_string(), dirty: is_dirty(&git, &inside) })
    }

    /// Returns who works here: git's `user.name`.
    pub fn actor(&self) -> Option<String> {
        let name = self.git().ok()?.config().ok()?.snapshot().ok()?.get_string("user.name").ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    pub(crate) fn git(&self) -> Result<git2::Repository, git2::Error> {
        git2::Repository::open(&self.git_dir)
    }

    /// Returns a path below the top of the work tree, with `/` between its parts; `None` outside.
    pub fn inside(&self, path: &Path) -> Option<String> {
        let top = self.work_tree.as_deref()?;
        let top = std::fs::canonicalize(top).unwrap_or_else(|_| top.to_path_buf());
        // What is not there any more, or was never, is found by the nearest folder that is.
        let (there, rest) = path
            .ancestors()
            .find_map(|above| Some((std::fs::canonicalize(above).ok()?, path.strip_prefix(above).ok()?)))?;
        let below = there.join(rest).strip_prefix(&top).ok()?.to_string_lossy().replace('\\', "/");
        Some(below.trim_end_matches('/').to_owned())
    }
}

fn is_dirty(git: &git2::Repository, paths: &[String]) -> bool {
    let mut options = git2::StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true).disable_pathspec_match(true);
    // The top has no name; without paths all of it is looked at.
    if !paths.iter().any(String::is_empty) {
        paths.iter().for_each(|path| _ = options.pathspec(path));
    }
    let untracked = |path: &str| files::may_describe(path) && !is_saved_plan(&git.workdir(), path);
    match git.statuses(Some(&mut options)) {
        Ok(statuses) => statuses.iter().any(|entry| match entry.status() {
            status if status.is_ignored() || status.is_empty() => false,
            status if status.is_wt_new() => entry.path().is_ok_and(untracked),
            _ => true,
        }),
        // The library cannot read every index, a sparse one for example. Where nobody can tell, the commit alone is not what is
        // deployed, for all anybody knows.
        Err(_) => git.workdir().and_then(|top| changed(top, paths)).is_none_or(|changed| {
            changed
                .split('\0')
                .filter(|entry| !entry.is_empty())
                .any(|entry| entry.strip_prefix("?? ").is_none_or(untracked))
        }),
    }
}

/// Says whether a file is a plan that `plan -o` saved: it describes nothing, and lies where people need it.
fn is_saved_plan(top: &Option<&Path>, path: &str) -> bool {
    let Some(top) = top.filter(|_| path.ends_with(".json")) else { return false };
    let read = || serde_json::from_slice::<serde_json::Value>(&std::fs::read(top.join(path)).ok()?).ok();
    read().is_some_and(|json| ["tool", "asked", "rests_on", "plan"].iter().all(|key| json.get(key).is_some()))
}

/// Returns what the `git` program says of changed files.
fn changed(top: &Path, paths: &[String]) -> Option<String> {
    let mut git = program(top);
    git.args(["--no-optional-locks", "--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames"]);
    git.args(["--untracked-files=all", "--ignore-submodules=all", "--"]);
    git.args(paths.iter().map(|path| if path.is_empty() { "." } else { path }));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The `git` program in a folder: it asks nobody anything, and what a hook around Tenantry set does not lead it elsewhere.
pub(crate) fn program(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder).stdin(Stdio::null());
    git.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never").env("LC_ALL", "C");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git
}

fn unreadable(at: &Path, why: &str) -> Problem {
    let name = at.display().to_string();
    Problem::error("repository-unreadable", format!("the git repository of {name} cannot be read: {why}"))
        .at(&Locus::file(&name))
}

/// Returns the folder git wants to be told is safe.
fn owner_path(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
