//! A ledger in a folder: `DIR/DOMAIN/deployments/ID.json`, `DIR/DOMAIN/journals/ID.jsonl`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::records::{DEPLOYMENTS, File, JOURNALS, history, is_record, journal_name, record_name};
use crate::deployment::{Deployment, History, stored};
use crate::files::{Access, shown, write_atomically};
use crate::model::Locus;
use crate::problem::Problem;

#[derive(Debug)]
pub(super) struct FolderLedger {
    folder: PathBuf,
    root: PathBuf,
    domain: String,
}

impl FolderLedger {
    pub(super) fn new(folder: PathBuf, root: &Path, domain: String) -> Self {
        FolderLedger { folder, root: root.to_path_buf(), domain }
    }

    pub(super) fn describe(&self) -> String {
        format!("the folder {}", shown(&self.folder, &self.root))
    }

    pub(super) fn read(&self) -> Result<(History, Vec<Problem>), Problem> {
        let folder = self.own().join(DEPLOYMENTS);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((History::none(), Vec::new())),
            Err(error) => return Err(self.unreadable(&folder, &error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(&folder, &error))?;
            let Some(name) = entry.file_name().to_str().filter(|name| is_record(name)).map(str::to_owned) else {
                continue;
            };
            let path = entry.path();
            let bytes = fs::read(&path).map_err(|error| self.unreadable(&path, &error))?;
            files.push(File { name, shown: shown(&path, &self.root), bytes });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        history(files, &self.domain)
    }

    pub(super) fn write(&self, record: &Deployment) -> Result<(), Problem> {
        let write = || -> Result<(), Problem> {
            self.ignore_itself()?;
            let journals = self.own().join(JOURNALS);
            fs::create_dir_all(&journals).map_err(|error| self.unwritable(&journals, &error))?;
            let path = self.own().join(DEPLOYMENTS).join(record_name(&record.id));
            write_atomically(&path, stored::write(record).as_bytes(), Access::Owner)
        };
        write().map_err(|problem| {
            let name = shown(&self.folder, &self.root);
            Problem::error("ledger-unwritable", format!("the deployment cannot be recorded: {}", problem.title))
                .at(&Locus::file(&name))
                .help(format!("make {name} writable, or name another place with `ledger: dir:PATH`"))
        })
    }

    pub(super) fn journal(&self, deployment: &str) -> PathBuf {
        self.own().join(JOURNALS).join(journal_name(deployment))
    }

    /// The tenant's part of the folder. A domain with a port has a sign that not every system takes for a name.
    fn own(&self) -> PathBuf {
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
        let name: String = self.domain.chars().map(safe).collect();
        self.folder.join(if name.trim_matches('.').is_empty() { "_" } else { &name })
    }

    /// Has git ignore the folder, once: who takes the file away wants it committed.
    fn ignore_itself(&self) -> Result<(), Problem> {
        let used = fs::read_dir(&self.folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|e| e.path().join(DEPLOYMENTS).is_dir())));
        let path = self.folder.join(".gitignore");
        if used || path.exists() {
            return Ok(());
        }
        write_atomically(&path, b"*\n", Access::Usual)
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> Problem {
        let name = shown(path, &self.root);
        Problem::error("ledger-unreadable", format!("{name} cannot be read: {}", said(error))).at(&Locus::file(&name))
    }

    fn unwritable(&self, path: &Path, error: &io::Error) -> Problem {
        let name = shown(path, &self.root);
        Problem::error("ledger-unwritable", format!("{name} cannot be made: {}", said(error))).at(&Locus::file(&name))
    }
}

/// Says what is wrong without the number the system has for it.
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
