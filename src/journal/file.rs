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
use crate::files::{self, Access, write_atomically};
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
        files::survive_limits();
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
        files::survive_limits();
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
    tokio::task::spawn_blocking(run).await.unwrap_or_else(|_| {
        Err(Problem::error("journal-unwritable", "the journal cannot be written: writing broke off"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::fs;

    use super::*;
    use crate::change::Action;
    use crate::journal::read;
    use crate::model::{Address, Value};
    use crate::schema::Verb;

    fn header() -> Header {
        Header {
            deployment: "01JD7".to_owned(),
            domain: "acme.eu.auth0.com".to_owned(),
            environment: "prod".to_owned(),
            digest: "0".repeat(64),
            tool: "0.1.0".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            fingerprint_key: None,
        }
    }

    fn intent(name: &str) -> Intent {
        Intent {
            address: Address::new("roles", name),
            action: Action::Create,
            method: Verb::Post,
            path: "/roles".to_owned(),
            body: Some(Value::from_json(&serde_json::json!({ "name": name }))),
            creates: true,
            makes: Some(Address::new("roles", name)),
            asked: vec![(crate::model::Path::root().key("name"), Some(Value::from(name)))],
        }
    }

    async fn written(path: &Path) -> Vec<u8> {
        let journal = Journal::create(path, header()).await.unwrap();
        for name in ["a", "b\n/ü"] {
            let n = journal.intent(intent(name)).await.unwrap();
            journal.outcome(n, Answer::Done { status: 200, id: Some(format!("id of {n}")) }).await.unwrap();
        }
        assert_eq!(journal.intent(intent("c")).await.unwrap(), 3);
        journal.flush().await.unwrap();
        fs::read(path).unwrap()
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/journal.jsonl");
        let _ = written(&path).await;
        let (journal, entries) = Journal::reopen(&path).await.unwrap();
        assert_eq!((entries.header.clone(), entries.entries.len(), entries.torn.clone()), (header(), 3, None));
        assert_eq!(entries.entries[1].intent, intent("b\n/ü"));
        assert_eq!(entries.unsettled().map(|entry| entry.n).collect::<Vec<_>>(), [3]);
        assert_eq!(entries.made()[&Address::new("roles", "a")], "id of 1");
        journal.outcome(3, Answer::InDoubt { why: "cut".to_owned() }).await.unwrap();
        journal.outcome(3, Answer::Found { id: None }).await.unwrap();
        assert_eq!(journal.intent(intent("d")).await.unwrap(), 4);
        let entries = read(&path).unwrap();
        assert_eq!(entries.entries[2].outcome, Some(Answer::Found { id: None }));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn one_process_writes_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::create(&path, header()).await.unwrap();
        assert_eq!(Journal::reopen(&path).await.unwrap_err().id, "journal-in-use");
        drop(journal);
        assert!(Journal::reopen(&path).await.is_ok());
        assert_eq!(Journal::reopen(&folder.path().join("none")).await.unwrap_err().id, "journal-missing");
    }

    #[tokio::test]
    async fn cut_off_at_any_byte_it_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let whole = written(&folder.path().join("journal")).await;
        let all = parse("journal", &whole).unwrap().entries;
        let path = folder.path().join("cut");
        for length in 0..whole.len() {
            let cut = &whole[..length];
            match parse("cut", cut) {
                Ok(parsed) => {
                    let found = &parsed.entries.entries;
                    assert_eq!(parsed.entries.torn.is_some(), cut.last() != Some(&b'\n'));
                    for (entry, of) in found.iter().zip(&all.entries) {
                        assert_eq!(entry.intent, of.intent);
                        assert!(entry.outcome.is_none() || entry.outcome == of.outcome);
                    }
                }
                Err(problem) => {
                    assert!(problem.id == "journal-damaged" && !cut.contains(&b'\n'), "{length}: {problem:?}");
                }
            }
            if length % 97 == 0 && cut.contains(&b'\n') {
                fs::write(&path, cut).unwrap();
                let (journal, before) = Journal::reopen(&path).await.unwrap();
                let n = journal.intent(intent("next")).await.unwrap();
                assert_eq!(n as usize, before.entries.len() + 1);
                assert_eq!(read(&path).unwrap().torn, None, "what was cut off is gone");
            }
        }
    }

    #[tokio::test]
    async fn what_was_edited_is_refused_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let whole = written(&folder.path().join("journal")).await;
        let mut refused = 0;
        for at in 0..whole.len() {
            let mut edited = whole.clone();
            edited[at] ^= 1;
            let cuts_end = at == whole.len() - 1;
            match parse("journal", &edited) {
                // Without its end the last line counts as cut off.
                Ok(parsed) => assert!(cuts_end && parsed.entries.torn.is_some(), "byte {at}"),
                Err(problem) => {
                    refused += 1;
                    assert_eq!(problem.id, "journal-damaged", "byte {at}: {problem:?}");
                    let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
                    let said = problem.title.contains(&format!("line {line} "))
                        || problem.title.contains(&format!("line {} ", line + 1));
                    assert!(said || whole[at] == b'\n', "byte {at}: {problem:?}");
                }
            }
        }
        assert!(refused > whole.len() - 2);
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        for out in 0..lines.len() - 1 {
            let kept: Vec<u8> =
                lines.iter().enumerate().filter(|(n, _)| *n != out).flat_map(|(_, l)| l.to_vec()).collect();
            assert_eq!(parse("journal", &kept).unwrap_err().id, "journal-damaged", "without line {}", out + 1);
        }
    }

    #[tokio::test]
    async fn a_newer_format_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let line = r#"{"sum":"whatever","entry":{"journal":2,"tool":"9.1.0","new":true}}"#;
        fs::write(&path, format!("{line}\nmore\n")).unwrap();
        let problem = Journal::reopen(&path).await.unwrap_err();
        assert_eq!(problem.id, "journal-too-new");
        assert!(problem.help[0].contains("9.1.0"), "{problem:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{line}\nmore\n"), "it is left as it is");
    }
}
