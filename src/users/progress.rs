//! What an import has done so far, on the disk: a killed one goes on where it was.
//!
//! The file holds digests, job ids and counts, nothing of users, and is readable by its owner alone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{Access, write_atomically};
use crate::model::Locus;
use crate::problem::Problem;

/// Version of the file that this program writes and reads.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    /// Domain of the tenant that is imported to.
    domain: String,
    /// Chunks by digest.
    chunks: BTreeMap<String, Sent>,
}

/// What became of a chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    /// The import job; `None` while nobody knows whether there is one.
    pub(super) job: Option<String>,
    /// How it ended; `None` while it is under way.
    pub(super) result: Option<Counted>,
}

/// What a job counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) failed: u64,
}

/// The file and what it says.
pub(super) struct Progress {
    path: PathBuf,
    stored: Stored,
}

impl Progress {
    /// Reads the file, where there is one.
    ///
    /// # Errors
    ///
    /// `bad-import-progress` for a file that is none, is newer, or belongs to an import to another tenant.
    pub(super) fn open(path: &Path, domain: &str) -> Result<Progress, Problem> {
        let fresh = Stored { format: FORMAT, domain: domain.to_owned(), chunks: BTreeMap::new() };
        let bad = |why: String| {
            Problem::error("bad-import-progress", "the progress of an earlier import cannot be used")
                .at(&Locus::file(&path.display().to_string()))
                .note(why)
                .help("remove the file to begin anew: users that are there already are not imported twice")
        };
        let stored = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fresh,
            Err(error) => return Err(bad(error.to_string())),
            Ok(bytes) => {
                let format: Option<u32> = serde_json::from_slice::<serde_json::Value>(&bytes)
                    .ok()
                    .and_then(|value| value.get("format")?.as_u64()?.try_into().ok());
                match format {
                    Some(FORMAT) => {}
                    Some(newer) => return Err(bad(format!("it has format {newer}, this program knows {FORMAT}"))),
                    None => return Err(bad("it is no such file".to_owned())),
                }
                serde_json::from_slice::<Stored>(&bytes).map_err(|error| bad(error.to_string()))?
            }
        };
        if stored.domain != domain {
            return Err(bad(format!("it belongs to an import to {}, not to {domain}", stored.domain)));
        }
        Ok(Progress { path: path.to_path_buf(), stored })
    }

    /// Returns what is known of a chunk.
    pub(super) fn of(&self, digest: &str) -> Option<&Sent> {
        self.stored.chunks.get(digest)
    }

    /// Remembers what became of a chunk. It is on the disk afterwards.
    pub(super) fn set(&mut self, digest: &str, sent: Sent) -> Result<(), Problem> {
        self.stored.chunks.insert(digest.to_owned(), sent);
        let text = serde_json::to_vec_pretty(&self.stored).unwrap_or_default();
        write_atomically(&self.path, &text, Access::Owner)
    }

    /// Forgets everything: the import has ended.
    pub(super) fn end(self) {
        // A file that stays is settled by the next import: what is there is not imported twice.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_sent_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/progress.json");
        let mut progress = Progress::open(&path, "acme.eu.auth0.com").unwrap();
        assert_eq!(progress.of("d"), None);
        let sent = Sent { job: Some("job_1".to_owned()), result: None };
        progress.set("d", sent.clone()).unwrap();
        let again = Progress::open(&path, "acme.eu.auth0.com").unwrap();
        assert_eq!(again.of("d"), Some(&sent));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        again.end();
        assert!(!path.exists());
    }

    #[test]
    fn files_that_do_not_belong_here_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress.json");
        for (text, word) in [
            ("{", "no such file"),
            ("{\"format\": 2}", "format 2"),
            ("{\"format\": 1, \"domain\": \"other\", \"chunks\": {}}", "other"),
            ("{\"format\": 1, \"domain\": \"acme\", \"chunks\": {}, \"x\": 1}", "unknown field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let problem = Progress::open(&path, "acme").err().unwrap();
            assert_eq!(problem.id, "bad-import-progress");
            assert!(problem.notes[0].contains(word), "{:?}", problem.notes);
        }
    }
}
