//! Puts an export on a disk.

use std::fs;
use std::io;
use std::path::{Component, Path};

use super::Export;
use crate::files::{Together, shown, write_together};
use crate::problem::Problem;

/// Writes the files of an export into a folder, which is made if it is missing. `directory` is the working directory, for
/// showing paths.
///
/// # Errors
///
/// `export-not-empty`, `unwritable-file`; `export-outside` for a path that would leave the folder. Nothing is written then,
/// unless the disk itself failed between two renames.
pub fn write(export: &Export, folder: &Path, directory: &Path) -> Result<(), Problem> {
    let name = shown(folder, directory);
    if !is_empty(folder, directory)? {
        return Err(Problem::error("export-not-empty", format!("{name} is not empty, and holds no description"))
            .help("name a folder that is empty or not there yet, or one that holds a description to be updated"));
    }
    if let Some(path) = export.files.keys().find(|path| !stays_inside(path)) {
        return Err(Problem::error("export-outside", format!("{} would lie outside of {name}", path.display())));
    }
    let files = export.files.iter().map(|(path, text)| (folder.join(path), text.as_bytes().to_vec()));
    write_together(&Together { written: files.collect(), removed: Vec::new() }, directory)
}

/// Says whether nothing but files whose name begins with a dot is in a folder; one that is not there is empty.
///
/// # Errors
///
/// `unwritable-file`.
pub fn is_empty(folder: &Path, directory: &Path) -> Result<bool, Problem> {
    let failed = |error: io::Error| {
        Problem::error("unwritable-file", format!("{} cannot be written into: {error}", shown(folder, directory)))
    };
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                if !entry.map_err(failed)?.file_name().to_string_lossy().starts_with('.') {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed(error)),
    }
}

/// Says whether a path can only lead to somewhere inside a folder.
pub fn stays_inside(path: &Path) -> bool {
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn export(path: &str) -> Export {
        let files = [(path.into(), "name: A\n".to_owned()), ("clients/a.yaml".into(), "name: A\n".to_owned())];
        Export { files: files.into_iter().collect(), ..Export::default() }
    }

    #[test]
    fn files_come_into_a_new_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        write(&export("roles/b.yaml"), &folder, outer.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.join("roles/b.yaml")).unwrap(), "name: A\n");
        let again = write(&export("roles/b.yaml"), &folder, outer.path()).unwrap_err();
        assert_eq!(again.to_string(), "[export-not-empty]: a/b is not empty, and holds no description");
    }

    #[test]
    fn nothing_is_written_outside() {
        for path in ["../x", "a/../../x", "/tmp/tenantry-x", ""] {
            let outer = tempfile::tempdir().unwrap();
            let folder = outer.path().join("out");
            let problem = write(&export(path), &folder, outer.path()).unwrap_err();
            assert_eq!(problem.id, "export-outside", "{path}");
            assert!(!folder.exists());
        }
    }

    #[test]
    fn a_file_is_no_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("out");
        fs::write(&folder, "x").unwrap();
        assert_eq!(write(&export("a"), &folder, outer.path()).unwrap_err().id, "unwritable-file");
    }
}
