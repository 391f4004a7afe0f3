//! Where backups are kept: a folder, or a bucket of S3, Google Cloud Storage or Azure.
//!
//! What is written has its name only when it is whole. In a folder it is a file that ends with `.partial` until it is renamed; in a
//! bucket it is parts of an upload that nobody sees until it is completed.

mod bucket;
mod config;
mod folder;
mod sink;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::archive::ArchiveName;
use crate::problem::Problem;
use crate::project::Surroundings;

pub use sink::{Sink, Upload, Written};

/// Schemes of places that are no folders.
const SCHEMES: [&str; 3] = ["s3", "gs", "az"];

/// Where backups are kept.
#[derive(Debug)]
pub enum Place {
    /// A folder.
    Folder(folder::Folder),
    /// Below a prefix of a bucket.
    Bucket(bucket::Bucket),
}

/// One file of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name in the place.
    pub file: String,
    /// What the name says.
    pub name: ArchiveName,
    /// Its size.
    pub bytes: u64,
}

impl Place {
    /// Reads a place: a path, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// `bad-place`.
    pub fn parse(text: &str, around: &Surroundings) -> Result<Self, Problem> {
        match text.split_once("://") {
            Some((scheme, _)) => match SCHEMES.into_iter().find(|known| *known == scheme) {
                Some(scheme) => Ok(Place::Bucket(bucket::Bucket::parse(scheme, text, around)?)),
                None => Err(Problem::error("bad-place", "this is no place for backups that tenantry knows")
                    .help("give a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX")),
            },
            None => Ok(Place::Folder(folder::Folder::new(around.directory.join(text), &around.directory))),
        }
    }

    /// Reads a place and a file in it: the last segment of a path or URL.
    ///
    /// # Errors
    ///
    /// `bad-place`.
    pub fn parse_file(text: &str, around: &Surroundings) -> Result<(Self, String), Problem> {
        let none = || Problem::error("bad-place", format!("`{text}` names no file"));
        if text.contains("://") {
            let (place, file) = text.rsplit_once('/').filter(|(place, _)| !place.ends_with('/')).ok_or_else(none)?;
            if file.is_empty() {
                return Err(none());
            }
            return Ok((Place::parse(place, around)?, file.to_owned()));
        }
        let path = PathBuf::from(text);
        let file = path.file_name().and_then(|name| name.to_str()).ok_or_else(none)?.to_owned();
        let folder = around.directory.join(path.parent().unwrap_or(&PathBuf::new()));
        Ok((Place::Folder(folder::Folder::new(folder, &around.directory)), file))
    }

    /// Shows a file of this place, or the place itself where the name is empty.
    pub fn shown(&self, file: &str) -> String {
        match self {
            Place::Folder(folder) => folder.shown(file),
            Place::Bucket(bucket) => bucket.shown(file),
        }
    }

    /// Begins to write a file that nothing is read from until it is published. Where `others` is set, a name that is taken gives
    /// way to the next of its second; else it is refused.
    ///
    /// # Errors
    ///
    /// `backup-exists`, `backup-unwritable`.
    pub async fn begin(&self, file: NewFile, cancel: &CancellationToken) -> Result<(Sink, Upload), Problem> {
        let (mut name, is_fixed) = match file {
            NewFile::Named(file) => (Err(file), true),
            NewFile::Numbered(name) => (Ok(name), false),
        };
        loop {
            let file = match &name {
                Ok(name) => name.to_string(),
                Err(file) => file.clone(),
            };
            let begun = match self {
                Place::Folder(folder) => folder.begin(&file)?,
                Place::Bucket(bucket) => bucket.begin(&file, cancel).await?,
            };
            match (begun, &name) {
                (Some(begun), _) => return Ok(begun),
                (None, Ok(taken)) if !is_fixed => name = Ok(taken.next()),
                (None, _) => {
                    return Err(Problem::error("backup-exists", format!("{} exists already", self.shown(&file)))
                        .note("a backup is never written over another")
                        .help("give a folder, where each backup gets a name of its own, or another file"));
                }
            }
        }
    }

    /// Lists what is an archive by its name, finished or not; others are no business of ours.
    ///
    /// # Errors
    ///
    /// `backup-unreadable`.
    pub async fn list(&self) -> Result<Vec<Stored>, Problem> {
        let files = match self {
            Place::Folder(folder) => folder.list()?,
            Place::Bucket(bucket) => bucket.list().await?,
        };
        let stored = |(file, bytes): (String, u64)| Some(Stored { name: ArchiveName::parse(&file)?, file, bytes });
        Ok(files.into_iter().filter_map(stored).collect())
    }

    /// Opens a file. What is returned blocks while it reads: from a bucket, bytes come from tasks of the runtime.
    ///
    /// # Errors
    ///
    /// `backup-missing`, `backup-unreadable`.
    pub async fn open(&self, file: &str) -> Result<Box<dyn Read + Send>, Problem> {
        match self {
            Place::Folder(folder) => folder.open(file),
            Place::Bucket(bucket) => bucket.open(file).await,
        }
    }

    /// Removes a file. One that is gone already is removed.
    ///
    /// # Errors
    ///
    /// `backup-unremovable`.
    pub async fn remove(&self, file: &str) -> Result<(), Problem> {
        match self {
            Place::Folder(folder) => folder.remove(file),
            Place::Bucket(bucket) => bucket.remove(file).await,
        }
    }
}

/// What a file that is written is called.
#[derive(Debug, Clone)]
pub enum NewFile {
    /// Exactly so.
    Named(String),
    /// So, or with the next number of its second.
    Numbered(ArchiveName),
}

/// Opens an archive by its path or URL.
///
/// # Errors
///
/// `bad-place`, `backup-missing`, `backup-unreadable`.
pub async fn open(text: &str, around: &Surroundings) -> Result<Box<dyn Read + Send>, Problem> {
    let (place, file) = Place::parse_file(text, around)?;
    place.open(&file).await
}
