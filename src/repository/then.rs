//! The description as it was at a commit.

use std::path::Path;

use super::Repository;
use crate::description::MAX_FILE_BYTES;
use crate::description::layout::{FileState, Tree};
use crate::files::{Behind, DescriptionFiles, may_describe, shown};
use crate::model::Locus;
use crate::problem::Problem;

/// Most links that are followed before a file counts as one that leads nowhere.
const MOST_LINKS: usize = 8;

const FILE_MODE_LINK: i32 = 0o120_000;

impl Repository {
    /// Returns the full id of a commit that is named by an id, the start of one, a tag or a branch.
    ///
    /// # Errors
    ///
    /// `commit-missing`.
    pub fn commit(&self, name: &str) -> Result<String, Problem> {
        let git = self.git().map_err(|error| super::unreadable(&self.git_dir, error.message()))?;
        Ok(find(&git, name)?.id().to_string())
    }

    /// Writes what stood at or below `paths` (of the work tree) at a commit into a folder, each file where it is in the repository.
    ///
    /// # Errors
    ///
    /// `commit-missing`; `unwritable-file` where there is no room.
    pub fn check_out(&self, commit: &str, paths: &[&Path], folder: &Path) -> Result<(), Problem> {
        let git = self.git().map_err(|error| super::unreadable(&self.git_dir, error.message()))?;
        let tree = tree(&git, commit)?;
        let mut wanted = git2::build::CheckoutBuilder::new();
        wanted.target_dir(folder).force().update_index(false).disable_pathspec_match(true);
        let inside: Vec<String> = paths.iter().filter_map(|path| self.inside(path)).collect();
        // The top has no name; without paths all of it is written.
        if !inside.iter().any(String::is_empty) {
            inside.iter().for_each(|path| _ = wanted.path(path));
        }
        git.checkout_tree(tree.as_object(), Some(&mut wanted)).map_err(|error| {
            Problem::error(
                "unwritable-file",
                format!("the files of commit `{commit}` cannot be written: {}", error.message()),
            )
            .help("make room in the folder for temporary files (TMPDIR)")
        })
    }

    /// Returns a file of the work tree as it was at a commit; `None` where it was not there.
    ///
    /// # Errors
    ///
    /// `commit-missing`, `unreadable-file`; `outside-repository` where no commit can hold the file.
    pub fn file_at(&self, commit: &str, path: &Path, directory: &Path) -> Result<Option<Vec<u8>>, Problem> {
        let git = self.git().map_err(|error| super::unreadable(&self.git_dir, error.message()))?;
        let tree = tree(&git, commit)?;
        let inside = self.inside(path).ok_or_else(|| outside(path, directory))?;
        match blob(&git, &tree, &inside, "", 0) {
            FileState::Read(bytes) => Ok(Some(bytes.to_vec())),
            FileState::Absent => Ok(None),
            other => {
                let why =
                    if let FileState::Unreadable(why) = other { why } else { "it is too large, or a link".to_owned() };
                let name = shown(path, directory);
                let title = format!("{name} of commit {commit} cannot be read: {why}");
                Err(Problem::error("unreadable-file", title).at(&Locus::file(&name)))
            }
        }
    }

    /// Returns the description at `path` (a folder or a YAML file of the work tree) as it was at a commit. `base` is what paths in
    /// that file are relative to, where it is not its folder; `directory` the working directory, for showing paths.
    ///
    /// # Errors
    ///
    /// `commit-missing`, `missing-description`, `outside-repository`.
    pub fn description_at(
        &self,
        commit: &str,
        path: &Path,
        base: Option<&Path>,
        directory: &Path,
    ) -> Result<DescriptionFiles, Problem> {
        let git = self.git().map_err(|error| super::unreadable(&self.git_dir, error.message()))?;
        let found = find(&git, commit)?;
        let top = tree(&git, commit)?;
        let inside = self.inside(path).ok_or_else(|| outside(path, directory))?;
        let missing = || {
            let short: String = found.id().to_string().chars().take(7).collect();
            let title = format!("the description {} is not in commit {short}", shown(path, directory));
            Problem::error("missing-description", title).help(format!("git show --stat {short}"))
        };
        let is_folder = inside.is_empty()
            || top.get_path(Path::new(&inside)).map_err(|_| missing())?.kind() == Some(git2::ObjectType::Tree);
        let (root, single) = match (is_folder, base) {
            (true, _) => (inside.clone(), None),
            (false, Some(base)) => {
                let root = self.inside(base).ok_or_else(|| outside(base, directory))?;
                let single = relative(&inside, &root);
                (root, Some(single))
            }
            (false, None) => match inside.rsplit_once('/') {
                Some((folder, name)) => (folder.to_owned(), Some(name.to_owned())),
                None => (String::new(), Some(inside.clone())),
            },
        };
        let work_tree = self.work_tree.clone().unwrap_or_default();
        let prefix = shown(&work_tree.join(&root), directory);
        let mut tree = Tree::new(if prefix == "." { "" } else { &prefix });
        fill(&git, &top, &root, &mut tree);
        let behind = AtCommit { repository: self.clone(), commit: found.id(), root: root.clone() };
        Ok(DescriptionFiles::from_elsewhere(tree, single, work_tree.join(&root), Box::new(behind)))
    }
}

/// Reads what a description wants and the tree does not hold yet.
#[derive(Debug, Clone)]
struct AtCommit {
    repository: Repository,
    commit: git2::Oid,
    root: String,
}

impl Behind for AtCommit {
    fn read(&self, path: &str) -> FileState {
        let inside = if path.starts_with('/') {
            match self.repository.inside(Path::new(path)) {
                Some(inside) => inside,
                None => return FileState::Unreadable("it is not in the repository, so no commit holds it".to_owned()),
            }
        } else {
            match join(&self.root, path) {
                Some(inside) => inside,
                None => return FileState::Unreadable("it is not in the repository, so no commit holds it".to_owned()),
            }
        };
        let read = || -> Result<FileState, git2::Error> {
            let git = self.repository.git()?;
            let tree = git.find_commit(self.commit)?.tree()?;
            Ok(blob(&git, &tree, &inside, "", 0))
        };
        read().unwrap_or_else(|error| FileState::Unreadable(error.message().to_owned()))
    }
}

fn find<'a>(git: &'a git2::Repository, name: &str) -> Result<git2::Commit<'a>, Problem> {
    let error = match git.revparse_single(name).and_then(|object| object.peel_to_commit()) {
        Ok(commit) => return Ok(commit),
        Err(error) => error,
    };
    let missing = Problem::error("commit-missing", format!("this repository has no commit `{name}`"));
    Err(if error.code() == git2::ErrorCode::Ambiguous {
        Problem::error("commit-missing", format!("more than one commit begins with `{name}`"))
            .help("give more of its id")
    } else if git.is_shallow() {
        missing.note("it is a shallow clone: older commits are missing").help("git fetch --unshallow")
    } else {
        missing.help("git fetch --all --tags")
    })
}

fn tree<'a>(git: &'a git2::Repository, commit: &str) -> Result<git2::Tree<'a>, Problem> {
    find(git, commit)?.tree().map_err(|error| {
        // A partial clone holds commits without their files.
        Problem::error("commit-missing", format!("the files of commit `{commit}` are missing: {}", error.message()))
            .help("git fetch --refetch --no-filter")
    })
}

/// Puts all files below `root` into a tree, as `files` does with a folder.
fn fill(git: &git2::Repository, top: &git2::Tree<'_>, root: &str, tree: &mut Tree) {
    let below = match root {
        "" => Some(top.clone()),
        _ => top.get_path(Path::new(root)).ok().and_then(|entry| git.find_tree(entry.id()).ok()),
    };
    let Some(below) = below else { return };
    // A walk that is never stopped ends without an error.
    let _ = below.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
        // A name that is not Unicode can be named by no file of a description.
        let Ok(name) = entry.name() else { return git2::TreeWalkResult::Skip };
        let path = format!("{folder}{name}");
        match entry.kind() {
            Some(git2::ObjectType::Tree) => {
                if !crate::files::is_looked_into(name) {
                    return git2::TreeWalkResult::Skip;
                }
                tree.insert_folder(&path);
            }
            Some(git2::ObjectType::Blob) => {
                let state = if may_describe(&path) || entry.filemode() == FILE_MODE_LINK {
                    let inside = join(root, &path).unwrap_or_default();
                    blob(git, top, &inside, root, 0)
                } else {
                    FileState::Unread
                };
                // A link to a folder is not followed.
                if state != FileState::Absent {
                    tree.insert(&path, state);
                }
            }
            _ => {}
        }
        git2::TreeWalkResult::Ok
    });
}

/// Reads a file of a commit. A link is followed, as long as it does not leave `within`; one to a folder counts as absent.
fn blob(git: &git2::Repository, top: &git2::Tree<'_>, path: &str, within: &str, links: usize) -> FileState {
    let Ok(entry) = top.get_path(Path::new(path)) else { return FileState::Absent };
    let object = match git.find_blob(entry.id()) {
        Ok(object) => object,
        Err(_) if entry.kind() == Some(git2::ObjectType::Tree) => return FileState::Absent,
        Err(error) => return FileState::Unreadable(error.message().to_owned()),
    };
    if entry.filemode() == FILE_MODE_LINK {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let target = std::str::from_utf8(object.content()).ok().and_then(|target| join(folder, target));
        let stays = |target: &str| within.is_empty() || target.strip_prefix(within).is_some_and(|t| t.starts_with('/'));
        let Some(target) = target else { return FileState::Outside };
        return match top.get_path(Path::new(&target)) {
            _ if target.is_empty() => FileState::Absent,
            Ok(found) if found.kind() == Some(git2::ObjectType::Tree) => FileState::Absent,
            _ if !stays(&target) => FileState::Outside,
            Ok(_) if links < MOST_LINKS => blob(git, top, &target, within, links + 1),
            _ => FileState::Unreadable("the link leads nowhere".to_owned()),
        };
    }
    if object.size() > MAX_FILE_BYTES {
        return FileState::TooLarge(object.size() as u64);
    }
    FileState::Read(object.content().into())
}

/// Joins a relative path to a folder and takes `.` and `..` out; `None` where it leaves the repository.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Returns a path relative to a folder, with `../` where it has to be.
fn relative(path: &str, folder: &str) -> String {
    let (path, folder): (Vec<&str>, Vec<&str>) =
        (path.split('/').collect(), folder.split('/').filter(|part| !part.is_empty()).collect());
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", folder.len() - shared);
    up.chain(path[shared..].iter().copied()).collect::<Vec<_>>().join("/")
}

fn outside(path: &Path, directory: &Path) -> Problem {
    let name = shown(path, directory);
    Problem::error("outside-repository", format!("{name} is not in the repository, so no commit holds it"))
        .at(&Locus::file(&name))
}
