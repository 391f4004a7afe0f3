//! The description of an archive as a folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::DESCRIPTION;
use super::format::check_path;
use crate::problem::Problem;

/// Most bytes of a description that are unpacked.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// A folder for the description of an archive, which only its owner may enter; it goes when this is dropped.
#[derive(Debug)]
pub struct UnpackedDescription {
    /// The outer one is entered by its owner alone; the description stands in a folder inside.
    outer: tempfile::TempDir,
    folder: PathBuf,
    left: u64,
    files: usize,
}

impl UnpackedDescription {
    /// Makes an empty one.
    ///
    /// # Errors
    ///
    /// `unwritable-file`.
    pub fn new() -> Result<Self, Problem> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("tenantry-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let make = || -> io::Result<Self> {
            let outer = builder.tempdir()?;
            let folder = outer.path().join("description");
            fs::create_dir(&folder)?;
            Ok(UnpackedDescription { outer, folder, left: MOST_BYTES, files: 0 })
        };
        make().map_err(|error| {
            Problem::error("unwritable-file", format!("no folder for the description can be made: {error}"))
                .help("make room in the system's folder for temporary files, or set TMPDIR")
        })
    }

    /// Writes an entry if it belongs to the description, and says so.
    ///
    /// # Errors
    ///
    /// `archive-refused` for a path that would leave the folder or too much of it, `unwritable-file`.
    pub fn take(&mut self, path: &str, bytes: &[u8]) -> Result<bool, Problem> {
        let Some(inner) = path.strip_prefix(DESCRIPTION) else { return Ok(false) };
        check_path(inner)?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            Problem::error("archive-refused", "the description in the archive is larger than any description")
        })?;
        let write = || -> io::Result<()> {
            let file = self.folder.join(inner);
            fs::create_dir_all(file.parent().unwrap_or(&self.folder))?;
            // Two paths that this disk takes for one are told, and not mixed.
            fs::File::create_new(&file)?.write_all(bytes)
        };
        write().map_err(|error| {
            Problem::error("unwritable-file", format!("a file of the description cannot be unpacked: {error}"))
                .help("make room in the system's folder for temporary files, or set TMPDIR")
        })?;
        self.files += 1;
        Ok(true)
    }

    /// Returns the folder that holds the description.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder around it, where a project file may be put.
    pub fn outer(&self) -> &Path {
        self.outer.path()
    }

    /// Returns how many files it has.
    pub fn files(&self) -> usize {
        self.files
    }
}
