//! Writes an archive, entry by entry.

use std::collections::HashSet;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::format::{Contents, Entry, Format, Header, Manifest, check_path};
use super::seal::{Seal, Sealing};
use super::trailer::Digesting;
use super::{HEADER, MANIFEST, MOST_ENTRIES, MOST_ENTRY_BYTES};
use crate::problem::Problem;

/// Compression: what `zstd` itself takes by default.
const LEVEL: i32 = 3;

type Compressing<W> = zstd::Encoder<'static, Digesting<Sealing<W>>>;

/// Writes an archive into anything. Until [`Writer::finish`] has returned it is not whole.
pub struct Writer<W: Write> {
    tar: tar::Builder<Compressing<W>>,
    entries: Vec<Entry>,
    paths: HashSet<String>,
    started: u64,
}

impl<W: Write> Writer<W> {
    /// Begins an archive: its head, then the header.
    ///
    /// # Errors
    ///
    /// `backup-unwritable`, or the problem that an error of the sink carries.
    pub fn start(sink: W, header: &Header, seal: &Seal) -> Result<Self, Problem> {
        let begin = || -> io::Result<Compressing<W>> {
            let mut zstd = zstd::Encoder::new(Digesting::new(seal.wrap(sink)?), LEVEL)?;
            zstd.include_checksum(true)?;
            Ok(zstd)
        };
        let tar = tar::Builder::new(begin().map_err(unwritable)?);
        let started = u64::try_from(header.started.as_second()).unwrap_or(0);
        let mut writer = Writer { tar, entries: Vec::new(), paths: HashSet::new(), started };
        writer.add(HEADER, &json(header)?)?;
        Ok(writer)
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// `archive-refused` for an entry that no reader would take, else those of [`Writer::start`].
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        check_path(path)?;
        let refuse = |why: &str| Err(Problem::error("archive-refused", format!("`{path}` cannot be archived: {why}")));
        if bytes.len() as u64 > MOST_ENTRY_BYTES || self.entries.len() >= MOST_ENTRIES {
            return refuse("it is too large, or one too many");
        }
        if !self.paths.insert(path.to_owned()) {
            return refuse("another entry has this path");
        }
        self.put(path, bytes)?;
        let sha256 = hex(&Sha256::digest(bytes));
        self.entries.push(Entry { path: path.to_owned(), bytes: bytes.len() as u64, sha256 });
        Ok(())
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        let mut head = tar::Header::new_gnu();
        head.set_size(bytes.len() as u64);
        head.set_mode(0o600);
        head.set_mtime(self.started);
        head.set_entry_type(tar::EntryType::Regular);
        self.tar.append_data(&mut head, path, bytes).map_err(unwritable)
    }

    /// Writes the manifest and ends the archive. The sink is given back: what it still holds is its owner's to flush.
    ///
    /// # Errors
    ///
    /// Those of [`Writer::start`].
    pub fn finish(mut self, ended: Timestamp, contents: Contents) -> Result<(W, Manifest), Problem> {
        let entries = std::mem::take(&mut self.entries);
        let manifest = Manifest { format: Format::CURRENT, ended, entries, contents };
        self.put(MANIFEST, &json(&manifest)?)?;
        let end = || -> io::Result<W> { self.tar.into_inner()?.finish()?.finish()?.finish() };
        Ok((end().map_err(unwritable)?, manifest))
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Problem::error("backup-unwritable", format!("an entry cannot be written: {error}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Returns the problem that an error of the sink carries, or one made of it.
fn unwritable(error: io::Error) -> Problem {
    match error.downcast::<Problem>() {
        Ok(problem) => problem,
        Err(error) => Problem::error("backup-unwritable", format!("the archive cannot be written: {error}")),
    }
}

/// Writes bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
