//! Backups in a folder.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::sink::{Sink, Upload};
use crate::files::shown;
use crate::problem::Problem;

/// A folder of backups.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The working directory, for showing paths.
    directory: PathBuf,
}

impl Folder {
    pub(super) fn new(path: PathBuf, directory: &Path) -> Self {
        Folder { path, directory: directory.to_path_buf() }
    }

    pub(super) fn shown(&self, file: &str) -> String {
        shown(&self.path.join(file), &self.directory)
    }

    /// Begins a file; `None` where the name is taken. The folder is made, but not those around it: a disk that is not mounted is
    /// no place for backups.
    pub(super) fn begin(&self, file: &str) -> Result<Option<(Sink, Upload)>, Problem> {
        self.make().map_err(|error| unwritable(&self.shown(""), &error))?;
        let target = self.path.join(file);
        if fs::symlink_metadata(&target).is_ok() {
            return Ok(None);
        }
        // New files of `tempfile` are 0600; without random letters the name is this one, and new.
        let partial = format!("{file}{}", crate::archive::PARTIAL);
        match tempfile::Builder::new().prefix(&partial).rand_bytes(0).tempfile_in(&self.path) {
            Ok(file) => Ok(Some(Sink::folder(file, target.clone(), shown(&target, &self.directory)))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(unwritable(&self.shown(""), &error)),
        }
    }

    fn make(&self) -> io::Result<()> {
        if self.path.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.path) {
            // Another backup made it meanwhile.
            Err(_) if self.path.is_dir() => Ok(()),
            made => made,
        }
    }

    pub(super) fn list(&self) -> Result<Vec<(String, u64)>, Problem> {
        let entries = fs::read_dir(&self.path).map_err(|error| {
            let problem = unreadable(&self.shown(""), &error);
            match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    problem.help("give the folder that `backup -o` wrote into")
                }
                _ => problem,
            }
        })?;
        let mut out = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&self.shown(""), &error))?;
            // A name that is no text is none of ours, and neither is a folder.
            let Ok(name) = entry.file_name().into_string() else { continue };
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() => out.push((name, metadata.len())),
                _ => {}
            }
        }
        Ok(out)
    }

    pub(super) fn open(&self, file: &str) -> Result<Box<dyn Read + Send>, Problem> {
        let path = self.path.join(file);
        let name = self.shown(file);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Problem::error("backup-missing", format!("there is no backup {name}"))
                    .help("`tenantry backup list PLACE` shows which there are"));
            }
            Err(error) => return Err(unreadable(&name, &error)),
            // A pipe would be waited for.
            Ok(metadata) if !metadata.is_file() => {
                return Err(Problem::error("backup-unreadable", format!("{name} is not an ordinary file"))
                    .help("give one file: DOMAIN-TIME.tar.zst or .tar.zst.age"));
            }
            Ok(_) => {}
        }
        let file = fs::File::open(&path).map_err(|error| unreadable(&name, &error))?;
        Ok(Box::new(file))
    }

    pub(super) fn remove(&self, file: &str) -> Result<(), Problem> {
        match fs::remove_file(self.path.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let title = format!("{} cannot be removed: {}", self.shown(file), said(&error));
                Err(Problem::error("backup-unremovable", title))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn unwritable(name: &str, error: &io::Error) -> Problem {
    let problem = Problem::error("backup-unwritable", format!("{name} cannot be written: {}", said(error)));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            problem.help("make room there, or write into another folder")
        }
        io::ErrorKind::NotFound => problem.help("make the folder that it is to be in, or mount the disk"),
        _ => problem.help("make it writable for this user, or write into another folder"),
    }
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    Problem::error("backup-unreadable", format!("{name} cannot be read: {}", said(error)))
}

/// Says what is wrong without the number the system has for it.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
