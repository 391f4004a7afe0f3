//! The files a sandbox keeps: its state, and the record of its exchanges.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::state::State;

/// Version of the state that this program writes and reads.
const VERSION: u32 = 1;

/// Reads a state file; `None` where there is none yet.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(super) fn load(path: &Path) -> Result<Option<State>, String> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    parse(&text).map(Some)
}

/// Reads a state from its JSON text.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(super) fn parse(text: &str) -> Result<State, String> {
    let state: State = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if state.version == VERSION {
        Ok(state)
    } else {
        Err(format!("it has version {}, this program knows version {VERSION}", state.version))
    }
}

/// Puts a state in the place of the file, whole or not at all, readable by its owner only.
///
/// # Errors
/// As the file system answers.
pub(super) fn save(path: &Path, state: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(state)?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Saves the state after each write; writes that arrive while a save runs share the next one.
pub(super) struct Store {
    path: PathBuf,
    /// Number of the last write on disk.
    saved: tokio::sync::Mutex<u64>,
}

impl Store {
    pub(super) fn new(path: PathBuf) -> Store {
        Store { path, saved: tokio::sync::Mutex::new(0) }
    }

    /// Returns when a write is on disk. `snapshot` gives the state and the number of its last write.
    ///
    /// # Errors
    /// As the file system answers.
    pub(super) async fn reach(&self, write: u64, snapshot: impl Fn() -> (Vec<u8>, u64)) -> io::Result<()> {
        let mut saved = self.saved.lock().await;
        if *saved >= write {
            return Ok(());
        }
        let (state, number) = snapshot();
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || save(&path, &state)).await.map_err(io::Error::other)??;
        *saved = number;
        Ok(())
    }
}

/// Writes exchanges as JSON lines.
pub(super) struct Recorder(Mutex<File>);

impl Recorder {
    /// Opens the file, new or to go on with.
    ///
    /// # Errors
    /// As the file system answers.
    pub(super) fn open(path: &Path) -> io::Result<Recorder> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Recorder(Mutex::new(options.open(path)?)))
    }

    /// Writes one exchange; it has left the process when this returns.
    ///
    /// # Errors
    /// As the file system answers.
    pub(super) fn write(
        &self,
        method: &str,
        path: &str,
        status: u16,
        request: &Value,
        response: Option<&Value>,
    ) -> io::Result<()> {
        let line = json!({
            "method": method, "path": path, "status": status, "request_body": request, "response_body": response,
        });
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_state_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.json");
        assert_eq!(load(&path), Ok(None));
        let mut state = State { version: 1, domain: "a.b".to_owned(), ..State::default() };
        state.collection_mut("z").insert("1".to_owned(), json!({"b": 1, "a": 2}));
        save(&path, &serde_json::to_vec(&state).unwrap()).unwrap();
        assert_eq!(load(&path), Ok(Some(state)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_foreign_file_is_refused() {
        assert!(parse("[]").is_err());
        let newer = State { version: 2, ..State::default() };
        let refused = parse(&serde_json::to_string(&newer).unwrap()).unwrap_err();
        assert!(refused.contains("version 2"), "{refused}");
    }
}
