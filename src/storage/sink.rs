//! What a backup is written into.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::task::JoinHandle;

use super::folder;
use crate::problem::Problem;

/// Size of the parts of an upload: all but the last are as large, as some services demand.
pub(super) const PART_BYTES: usize = 8 * 1024 * 1024;

/// What is sent to an upload.
pub(super) enum Message {
    /// The next part.
    Part(Vec<u8>),
    /// Everything was sent.
    End,
}

/// Takes the bytes of a file that has no name yet. Errors carry a [`Problem`].
pub struct Sink {
    inner: Inner,
    digest: Sha256,
    bytes: u64,
}

enum Inner {
    File(BufWriter<fs::File>, String),
    Bucket(SyncSender<Message>, Vec<u8>),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its size.
    pub bytes: u64,
    /// SHA-256 over all of it.
    pub sha256: [u8; 32],
}

/// A file that has no name yet.
pub struct Upload {
    inner: Target,
    /// How it will be shown.
    shown: String,
    /// The name it will have.
    file: String,
}

enum Target {
    File(TempPath, PathBuf),
    Bucket(JoinHandle<Result<(), Problem>>),
}

impl Sink {
    pub(super) fn folder(file: NamedTempFile, target: PathBuf, shown: String) -> (Sink, Upload) {
        let (file, path) = file.into_parts();
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let inner = Inner::File(BufWriter::with_capacity(256 * 1024, file), shown.clone());
        (Sink::new(inner), Upload { inner: Target::File(path, target), shown, file: name })
    }

    pub(super) fn bucket(
        sender: SyncSender<Message>,
        task: JoinHandle<Result<(), Problem>>,
        file: &str,
        shown: String,
    ) -> (Sink, Upload) {
        let inner = Inner::Bucket(sender, Vec::with_capacity(PART_BYTES));
        (Sink::new(inner), Upload { inner: Target::Bucket(task), shown, file: file.to_owned() })
    }

    fn new(inner: Inner) -> Self {
        Sink { inner, digest: Sha256::new(), bytes: 0 }
    }

    /// Hands the last bytes on.
    ///
    /// # Errors
    ///
    /// `backup-unwritable`.
    pub fn end(self) -> Result<Written, Problem> {
        match self.inner {
            Inner::File(file, shown) => {
                let end = || -> io::Result<()> { file.into_inner().map_err(|error| error.into_error())?.sync_all() };
                end().map_err(|error| folder::unwritable(&shown, &error))?;
            }
            Inner::Bucket(sender, last) => {
                // Where the other side has gone, it says why when it is asked.
                let rest = if last.is_empty() { Ok(()) } else { sender.send(Message::Part(last)) };
                let _ = rest.and_then(|()| sender.send(Message::End));
            }
        }
        Ok(Written { bytes: self.bytes, sha256: self.digest.finalize().into() })
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::File(file, shown) => {
                file.write(bytes).map_err(|error| io::Error::other(folder::unwritable(shown, &error)))
            }
            Inner::Bucket(sender, part) => {
                let room = (PART_BYTES - part.len()).min(bytes.len());
                part.extend_from_slice(bytes.get(..room).unwrap_or_default());
                if part.len() == PART_BYTES {
                    let full = std::mem::replace(part, Vec::with_capacity(PART_BYTES));
                    sender.send(Message::Part(full)).map_err(|_| io::Error::other(gone()))?;
                }
                Ok(room)
            }
        }
    }
}

/// The upload ended while parts of it were still written; [`Upload::abandon`] knows why.
fn gone() -> Problem {
    Problem::error("backup-unwritable", "the upload broke off")
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.take(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A part is handed on when it is full; the last one at the end.
        Ok(())
    }
}

impl Upload {
    /// Returns how the file is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the name the file will have in its place.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Gives the file its name. Everything has to have been handed on.
    ///
    /// # Errors
    ///
    /// `backup-unwritable`, `backup-exists` where somebody took the name meanwhile.
    pub async fn publish(self) -> Result<(), Problem> {
        match self.inner {
            Target::File(partial, target) => {
                partial.persist_noclobber(&target).map_err(|error| match error.error.kind() {
                    io::ErrorKind::AlreadyExists => {
                        Problem::error("backup-exists", format!("{} exists already", self.shown))
                    }
                    _ => folder::unwritable(&self.shown, &error.error),
                })?;
                if let Some(folder) = target.parent().and_then(|folder| fs::File::open(folder).ok()) {
                    // Makes the name last over a power cut, where the system can.
                    let _ = folder.sync_all();
                }
                Ok(())
            }
            Target::Bucket(task) => ended(task).await,
        }
    }

    /// Leaves nothing behind. The sink has to be gone. Returns why the upload failed, where it did by itself.
    pub async fn abandon(self) -> Option<Problem> {
        match self.inner {
            // Removed when dropped.
            Target::File(partial, _) => {
                drop(partial);
                None
            }
            Target::Bucket(task) => ended(task).await.err(),
        }
    }
}

async fn ended(task: JoinHandle<Result<(), Problem>>) -> Result<(), Problem> {
    task.await.unwrap_or_else(|_| Err(gone()))
}
