//! Backups: one that was written, one that holds, all of a place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Problem, problems_of};
use crate::archive;
use crate::problem;
use crate::render::backup::{BackupView, VerifiedView};
use crate::storage;

/// A backup that was written: `tenantry.backup/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Backup {
    /// Name and version of this format.
    pub format: &'static str,
    /// The file: a path, or a URL.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it was read again and is what was written.
    pub read_back: bool,
    /// Files of older backups that were removed.
    pub removed: Vec<String>,
    /// What it says of itself.
    pub archive: Archive,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
}

/// A backup that holds: `tenantry.backup-verified/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct VerifiedBackup {
    /// Name and version of this format.
    pub format: &'static str,
    /// The file: a path, or a URL.
    pub file: String,
    /// Files of its description.
    pub description_files: usize,
    /// Resources that its description describes.
    pub described: usize,
    /// What it says of itself.
    pub archive: Archive,
    /// Warnings and notes of the description.
    pub problems: Vec<Problem>,
}

/// Backups of a place: `tenantry.backups/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Backups {
    /// Name and version of this format.
    pub format: &'static str,
    /// Newest first.
    pub backups: Vec<BackupLine>,
}

/// One backup of a list, as its name tells.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BackupLine {
    /// Name of the file.
    pub file: String,
    /// The tenant: its domain, with `_` for what not every system takes in a name.
    pub tenant: String,
    /// When it was begun: RFC 3339, UTC.
    pub started: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether it was finished.
    pub finished: bool,
}

/// What an archive says of itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Archive {
    /// Version of the archive's own format.
    pub format: u32,
    /// Version of Tenantry that wrote it.
    pub tool: String,
    /// Domain of the tenant.
    pub domain: String,
    /// The environment it was read through.
    pub environment: String,
    /// When reading began: RFC 3339, UTC.
    pub started: String,
    /// When it ended: RFC 3339, UTC.
    pub ended: String,
    /// Whether it was encrypted when it was written.
    pub encrypted: bool,
    /// Objects by kind.
    pub objects: BTreeMap<String, u64>,
    /// Users by connection; empty where they were not asked for.
    pub users: BTreeMap<String, u64>,
    /// What could not be read.
    pub unread: Vec<UnreadPart>,
    /// What cannot be put back.
    pub not_restorable: Vec<NotRestorable>,
    /// Names of the secrets that the description asks for.
    pub secrets: Vec<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UnreadPart {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// Something that cannot be put back.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotRestorable {
    /// What it is.
    pub class: String,
    /// How many there are; null where nobody can count.
    pub count: Option<u64>,
    /// Why not.
    pub why: String,
}

impl Backup {
    /// Converts what was written.
    pub fn new(view: &BackupView<'_>, problems: &[problem::Problem]) -> Self {
        Backup {
            format: "tenantry.backup/1",
            file: view.file.to_owned(),
            bytes: view.bytes,
            read_back: view.read_back,
            removed: view.removed.to_vec(),
            archive: Archive::new(view.header, view.manifest),
            problems: problems_of(problems),
        }
    }
}

impl VerifiedBackup {
    /// Converts what holds.
    pub fn new(view: &VerifiedView<'_>, problems: &[problem::Problem]) -> Self {
        VerifiedBackup {
            format: "tenantry.backup-verified/1",
            file: view.file.to_owned(),
            description_files: view.files,
            described: view.resources,
            archive: Archive::new(view.header, view.manifest),
            problems: problems_of(problems),
        }
    }
}

impl From<&[storage::Stored]> for Backups {
    fn from(found: &[storage::Stored]) -> Self {
        let line = |stored: &storage::Stored| BackupLine {
            file: stored.file.clone(),
            tenant: stored.name.tenant.clone(),
            started: stored.name.started.to_string(),
            bytes: stored.bytes,
            encrypted: stored.name.encrypted,
            finished: stored.name.finished,
        };
        Backups { format: "tenantry.backups/1", backups: found.iter().map(line).collect() }
    }
}

impl Archive {
    fn new(header: &archive::Header, manifest: &archive::Manifest) -> Self {
        let inside = &manifest.contents;
        let sorted = |counts: &indexmap::IndexMap<String, u64>| counts.iter().map(|(k, n)| (k.clone(), *n)).collect();
        let unread = |one: &archive::Unread| UnreadPart { what: one.what.clone(), why: one.why.clone() };
        let lost = |one: &archive::NotRestorable| NotRestorable {
            class: one.class.clone(),
            count: one.count,
            why: one.why.clone(),
        };
        Archive {
            format: header.format.0,
            tool: header.tool.clone(),
            domain: header.domain.clone(),
            environment: header.environment.clone(),
            started: header.started.to_string(),
            ended: manifest.ended.to_string(),
            encrypted: header.encrypted,
            objects: sorted(&inside.counts),
            users: sorted(&inside.users),
            unread: inside.unread.iter().map(unread).collect(),
            not_restorable: inside.not_restorable.iter().map(lost).collect(),
            secrets: inside.secrets.clone(),
        }
    }
}
