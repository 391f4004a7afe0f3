//! The live tenant becomes a description that loads back without loss.
//!
//! [`files`] is pure: it gives the texts of all files and says what was left out and why. [`write()`] puts them on a disk. A tenant that is too large to be
//! held is written kind by kind: a [`Survey`], then [`Gradual`].
//! Two exports of an unchanged tenant are the same to the byte: kinds, resources, members and lists without an order are
//! sorted, and file names depend on nothing but the resource and what collides with it.

pub mod adopt;
pub mod edit;
mod gradual;
pub mod into;
mod lay;
mod name;
mod pieces;
mod resource;
pub mod sanitize;
mod sink;
mod text;
mod words;
mod write;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::description::Filters;
use crate::model::{Address, Live, LiveResource};
use crate::problem::Problem;
use crate::schema::Registry;

pub use gradual::{Gradual, Survey};
pub use lay::{Found, Resources};
pub use words::unreadable_here;
pub use write::{is_empty, stays_inside, write};

/// How an export is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A folder per kind.
    #[default]
    Directory,
    /// One YAML file, `tenant.yaml`, with code and pages beside it.
    Single,
}

/// What the files of a directory are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFormat {
    /// YAML, but for `tenant.json`.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

/// What is exported and how.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// How it is laid out.
    pub format: Format,
    /// What the files of a directory are written in; the single file is YAML.
    pub files: FileFormat,
    /// Server ids are written too. They always are where names repeat.
    pub ids: bool,
    /// Members that are left out, by kind, as paths: `options.client_secret`.
    pub without: IndexMap<String, Vec<String>>,
    /// Members that are written although the server sets or makes them, by kind, as paths.
    pub with: IndexMap<String, Vec<String>>,
    /// Kinds for which nothing stands in place of a secret that no read returns.
    pub bare: Vec<String>,
    /// Secrets that a read returns are written as they are.
    pub secrets: bool,
    /// What is managed; the rest is left out.
    pub filters: Filters,
}

/// A description, as files.
#[derive(Clone, Default)]
pub struct Export {
    /// Texts by path, relative to the description's folder; sorted.
    pub files: IndexMap<PathBuf, String>,
    /// Names of the secrets that the files ask for.
    pub secrets: Vec<String>,
    /// What was left out and why.
    pub report: Vec<Problem>,
}

impl fmt::Debug for Export {
    /// Names of the files without their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Export { files, secrets, report } = self;
        let mut out = f.debug_struct("Export");
        out.field("files", &files.keys()).field("secrets", secrets).field("report", report).finish()
    }
}

/// What a description lacks, and what new files have to fit in with.
#[derive(Debug, Clone, Default)]
struct Additions {
    /// The resources: address and server id.
    resources: BTreeSet<(Address, String)>,
    /// Kinds that the files speak of.
    described: BTreeSet<String>,
    /// Paths of the files that are there.
    paths: Vec<String>,
    /// What the files of a kind are written in, where there are any.
    formats: HashMap<String, FileFormat>,
    /// Names of secrets that the files use.
    secrets: BTreeSet<String>,
}

impl Additions {
    fn covers(&self, resource: &LiveResource) -> bool {
        self.resources.contains(&(resource.address.clone(), resource.id.clone()))
    }
}

/// Writes a tenant as a description.
///
/// What was left out is in [`Export::report`]. Warnings: `export-unreadable`, `export-marker` (a text of which a part is read as
/// a marker, or not at all), `export-trimmed`. Notes: `export-system`, `export-unavailable`, `export-empty-kind`,
/// `export-secrets`.
pub fn files(registry: &Registry, live: &Live, options: &ExportOptions) -> Export {
    lay::export(registry, live, options)
}

#[cfg(test)]
mod sandbox_tests;
#[cfg(test)]
mod tests;
