//! Writes of several files: all of them, or none.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::{Access, set_access, shown, sync_folder, why};
use crate::model::Locus;
use crate::problem::Problem;

/// What becomes of the files of a folder.
#[derive(Debug, Clone, Default)]
pub struct Together {
    /// New content by path; links are followed, folders are made.
    pub written: Vec<(PathBuf, Vec<u8>)>,
    /// Files that go.
    pub removed: Vec<PathBuf>,
}

/// Writes and removes files. All content is on the disk before the first file changes: what a full disk or a missing permission
/// stops, it stops before anything has happened. `directory` is the working directory, for showing paths.
///
/// # Errors
///
/// `unwritable-file`. Where something fails between two renames all the same, the problem names what was written and what was not.
pub fn write_together(files: &Together, directory: &Path) -> Result<(), Problem> {
    let mut made = Vec::new();
    let staged = stage(files, &mut made, directory);
    let staged = match staged {
        Ok(staged) => staged,
        Err(problem) => {
            // Folders that this run made are empty again.
            made.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
            return Err(problem);
        }
    };
    let mut done: Vec<String> = Vec::new();
    let mut folders = BTreeSet::new();
    let all = staged.len() + files.removed.len();
    let half = |path: &Path, error: &io::Error, done: &[String], verb: &str| {
        let name = shown(path, directory);
        let problem = Problem::error("unwritable-file", format!("{name} cannot be {verb}: {}", why(error)));
        let problem = problem.at(&Locus::file(&name));
        if done.is_empty() {
            return problem.note("nothing was written");
        }
        let title = format!("{} of {all} files are as they should be: {}", done.len(), done.join(", "));
        problem.note(title).help("run the same command again, or restore the files")
    };
    for (path, target, staged) in staged {
        if let Some(folder) = target.parent() {
            folders.insert(folder.to_path_buf());
        }
        staged.persist(&target).map_err(|error| half(&path, &error.error, &done, "written"))?;
        done.push(shown(&path, directory));
    }
    for path in &files.removed {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(half(path, &error, &done, "removed")),
            _ => done.push(shown(path, directory)),
        }
    }
    folders.iter().for_each(|folder| sync_folder(folder));
    Ok(())
}

/// A file that waits beside its place: the path asked for, where it goes, and what is there meanwhile.
type Staged = (PathBuf, PathBuf, TempPath);

fn stage(files: &Together, made: &mut Vec<PathBuf>, directory: &Path) -> Result<Vec<Staged>, Problem> {
    let mut out = Vec::with_capacity(files.written.len());
    let failed = |path: &Path, error: &io::Error, verb: &str| {
        let name = shown(path, directory);
        Problem::error("unwritable-file", format!("{name} cannot be {verb}: {}", why(error)))
            .at(&Locus::file(&name))
            .note("nothing was written")
    };
    for path in &files.removed {
        if is_protected(path) {
            return Err(failed(path, &read_only(), "removed"));
        }
    }
    for (path, bytes) in &files.written {
        let run = |made: &mut Vec<PathBuf>| -> io::Result<Staged> {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            make_folders(folder, made)?;
            // A link stays one: what it points at is replaced.
            let target = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            if is_protected(&target) {
                return Err(read_only());
            }
            if target.is_dir() {
                return Err(io::Error::other("a folder has this name"));
            }
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::Builder::new().prefix(".tenantry-").tempfile_in(folder)?;
            file.write_all(bytes)?;
            set_access(file.as_file(), &target, Access::Usual)?;
            file.as_file().sync_all()?;
            Ok((path.clone(), target, file.into_temp_path()))
        };
        out.push(run(made).map_err(|error| failed(path, &error, "written"))?);
    }
    Ok(out)
}

/// A rename would replace a file all the same, although its owner has said that it is not to be written.
fn is_protected(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

fn read_only() -> io::Error {
    io::Error::other("it is read-only")
}

fn make_folders(folder: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folders(parent, made)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => made.push(folder.to_path_buf()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn together(root: &Path, written: &[(&str, &str)], removed: &[&str]) -> Together {
        Together {
            written: written.iter().map(|(path, text)| (root.join(path), text.as_bytes().to_vec())).collect(),
            removed: removed.iter().map(|path| root.join(path)).collect(),
        }
    }

    #[test]
    fn all_files_are_written_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("old"), "x").unwrap();
        write_together(&together(root, &[("a/b/c", "1"), ("d", "2")], &["old", "never"]), root).unwrap();
        assert_eq!(fs::read_to_string(root.join("a/b/c")).unwrap(), "1");
        assert!(!root.join("old").exists());
    }

    #[test]
    fn nothing_is_written_where_one_file_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("file"), "x").unwrap();
        let problem = write_together(&together(root, &[("new/a", "1"), ("file/b", "2")], &[]), root).unwrap_err();
        assert_eq!(
            (problem.id, problem.notes.as_slice()),
            ("unwritable-file", &["nothing was written".to_owned()][..])
        );
        let left: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["file"], "neither folders nor temporary files are left");
    }

    #[test]
    fn a_read_only_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("kept"), "x").unwrap();
        let mut permissions = fs::metadata(root.join("kept")).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(root.join("kept"), permissions).unwrap();
        for files in [together(root, &[("a", "1"), ("kept", "2")], &[]), together(root, &[("a", "1")], &["kept"])] {
            let problem = write_together(&files, root).unwrap_err();
            assert!(problem.title.ends_with("it is read-only"), "{problem}");
            assert_eq!(fs::read_dir(root).unwrap().count(), 1);
        }
    }
}
