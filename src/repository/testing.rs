//! Real repositories in temporary folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder with whatever repositories a test needs.
pub(crate) struct Repos {
    pub(crate) folder: TempDir,
}

impl Repos {
    pub(crate) fn new() -> Self {
        Repos { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        // Where the folder of temporary files is a link, git shows where it leads.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// A repository with one commit.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        put(&path, "README.md", "x\n");
        commit(&path, "Ana", "first");
        path
    }

    /// A bare repository.
    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "--quiet", "--bare", "--initial-branch=main"]);
        path
    }

    /// A clone; `options` go to `git clone`.
    pub(crate) fn clone_of(&self, from: &Path, name: &str, options: &[&str]) -> PathBuf {
        let (url, to) = (format!("file://{}", from.display()), self.path(name));
        let mut args = vec!["clone", "--quiet"];
        args.extend(options);
        args.extend([url.as_str(), to.to_str().unwrap()]);
        git(self.folder.path(), &args);
        to
    }

    /// A bare remote with one commit on `main`, and a clone of it.
    pub(crate) fn pair(&self) -> (PathBuf, PathBuf) {
        let (remote, seed) = (self.bare("remote.git"), self.repository("seed"));
        git(&seed, &["remote", "add", "origin", remote.to_str().unwrap()]);
        git(&seed, &["push", "--quiet", "origin", "main"]);
        let clone = self.clone_of(&remote, "one", &[]);
        (remote, clone)
    }
}

pub(crate) fn put(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Commits everything; returns the id.
pub(crate) fn commit(folder: &Path, author: &str, message: &str) -> String {
    git(folder, &["add", "--all"]);
    let name = format!("user.name={author}");
    git(folder, &["-c", &name, "-c", "user.email=x@acme.test", "commit", "--quiet", "--allow-empty", "-m", message]);
    git(folder, &["rev-parse", "HEAD"])
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
