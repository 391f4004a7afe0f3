//! A sign that a deployment runs on this machine, from before it takes the lock of the tenant until it ends.
//!
//! A program that is killed right after it took the lock leaves nothing else behind. The operating system lets go of the file's lock with
//! the process, so that the next one here can tell that it is dead.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The sign; it goes when this is dropped.
#[derive(Debug)]
pub struct Presence {
    path: PathBuf,
    _file: File,
}

impl Presence {
    /// Sets the sign; `None` where the file system cannot: then nobody can tell.
    pub(super) fn set(path: PathBuf) -> Option<Presence> {
        fs::create_dir_all(path.parent()?).ok()?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(&path).ok()?;
        file.try_lock().ok()?;
        Some(Presence { path, _file: file })
    }

    /// Says whether a sign was left by a process that is gone; `false` where there is none, or nobody can tell.
    pub(super) fn is_left(path: &Path) -> bool {
        let Ok(file) = OpenOptions::new().write(true).open(path) else { return false };
        match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Left behind it says no more than that nobody holds it.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_nobody_holds_any_more_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/01.lock");
        assert!(!Presence::is_left(&path));
        let held = Presence::set(path.clone()).unwrap();
        assert!(!Presence::is_left(&path));
        drop(held);
        assert!(!path.exists());
        fs::write(&path, "").unwrap();
        assert!(Presence::is_left(&path));
    }
}
