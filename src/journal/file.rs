//! [`Journal`]: the file while it is written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::entry::{Answer, Header, Intent};
use super::line::Chain;
use super::read::{Entries, bytes, parse};
use super::stored::{answer_to_json, header_to_json, intent_to_json};
use crate::files::{Access, write_atomically};
use crate::model::Locus;
use crate::problem::Problem;

/// A journal that is being written. Clones write the same file.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    chain: Chain,
    /// Bytes of whole lines.
    length: u64,
    /// Number of the last intent.
    last: u32,
    /// Something could not be written: no request may be sent any more.
    broken: Option<Problem>,
    /// Not even what was half written could be taken back.
    torn: bool,
}

impl Journal {
    /// Begins a journal; it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// `unwritable-file`, `journal-unwritable`, `journal-in-use`.
    pub async fn create(path: &Path, header: Header) -> Result<Journal, Problem> {
        survive_limits();
        let path = path.to_path_buf();
        blocking(move || {
            let (line, chain) = Chain::start().line(&header_to_json(&header));
            write_atomically(&path, line.as_bytes(), Access::Owner)?;
            Journal::open(path, chain, line.len() as u64, 0)
        })
        .await
    }

    /// Goes on with a journal that was begun; what was cut off at its end is removed.
    ///
    /// # Errors
    ///
    /// Those of [`read`](super::read), `journal-unwritable`, `journal-in-use`.
    pub async fn reopen(path: &Path) -> Result<(Journal, Entries), Problem> {
        survive_limits();
        let path = path.to_path_buf();
        blocking(move || {
            let parsed = parse(&path.display().to_string(), &bytes(&path)?)?;
            let last = parsed.entries.entries.last().map_or(0, |entry| entry.n);
            let journal = Journal::open(path, parsed.chain, parsed.length, last)?;
            Ok((journal, parsed.entries))
        })
        .await
    }

    fn open(path: PathBuf, chain: Chain, length: u64, last: u32) -> Result<Journal, Problem> {
        let unwritable = |error: &io::Error| unwritable(&path, error);
        let file = OpenOptions::new().append(true).open(&path).map_err(|error| unwritable(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let title = "another process writes this journal: its deployment is still running";
                return Err(Problem::error("journal-in-use", title)
                    .at(&Locus::file(&path.display().to_string()))
                    .help("wait until it ends, or stop it"));
            }
            // A file system without locks: the lock on the tenant is what counts.
            Err(TryLockError::Error(_)) => {}
        }
        file.set_len(length).map_err(|error| unwritable(&error))?;
        let inner = Inner { path, file, chain, length, last, broken: None, torn: false };
        Ok(Journal { inner: Arc::new(Mutex::new(inner)) })
    }

    /// Writes down what is about to be sent and returns its number, 1-based and never used twice in a deployment. It is on the disk
    /// when this returns.
    ///
    /// # Errors
    ///
    /// `journal-unwritable`: the request must not be sent, nor any other.
    pub async fn intent(&self, intent: Intent) -> Result<u32, Problem> {
        self.with(move |inner| {
            if let Some(problem) = &inner.broken {
                return Err(problem.clone());
            }
            let n = inner.last + 1;
            inner.append(&intent_to_json(n, &intent), true)?;
            inner.last = n;
            Ok(n)
        })
        .await
    }

    /// Writes down what came of a request. A power cut may lose it until the next intent or [`Journal::flush`]: then the request
    /// counts as in doubt, and reading settles it.
    ///
    /// # Errors
    ///
    /// `journal-unwritable`: no further request may be sent.
    pub async fn outcome(&self, n: u32, outcome: Answer) -> Result<(), Problem> {
        self.with(move |inner| inner.append(&answer_to_json(n, &outcome), false)).await
    }

    /// Puts everything on the disk.
    ///
    /// # Errors
    ///
    /// `journal-unwritable`.
    pub async fn flush(&self) -> Result<(), Problem> {
        self.with(|inner| inner.file.sync_data().map_err(|error| unwritable(&inner.path, &error))).await
    }

    async fn with<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Inner) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = Arc::clone(&self.inner);
        blocking(move || run(&mut inner.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Inner {
    fn append(&mut self, entry: &Json, sync: bool) -> Result<(), Problem> {
        if let (true, Some(problem)) = (self.torn, &self.broken) {
            return Err(problem.clone());
        }
        let (line, next) = self.chain.line(entry);
        let written =
            self.file.write_all(line.as_bytes()).and_then(|()| if sync { self.file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            let problem = unwritable(&self.path, &error);
            self.torn = self.file.set_len(self.length).is_err();
            self.broken = Some(problem.clone());
            return Err(problem);
        }
        self.chain = next;
        self.length += line.len() as u64;
        Ok(())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Problem {
    let name = path.display().to_string();
    Problem::error("journal-unwritable", format!("the journal {name} cannot be written: {error}"))
        .at(&Locus::file(&name))
        .note("no request is sent that the journal does not hold")
        .help("make room for it, then run `tenantry apply --resume`")
}

async fn blocking<T: Send + 'static>(run: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|error| {
        Err(Problem::error("journal-unwritable", format!("the journal cannot be written: {error}")))
    })
}

/// A write beyond the limit on a file's size (`ulimit -f`) ends a process by a signal, unless somebody listens to it; then the
/// write fails, and can be reported.
#[cfg(unix)]
fn survive_limits() {
    use tokio::signal::unix::{SignalKind, signal};
    /// `SIGXFSZ` on Linux and macOS.
    const FILE_SIZE: i32 = 25;
    // Without it the signal ends the process as it always did, and the journal shows where.
    let _ = signal(SignalKind::from_raw(FILE_SIZE));
}

#[cfg(not(unix))]
fn survive_limits() {}
