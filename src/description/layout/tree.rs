//! [`Tree`]: the files of a description, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::model::Locus;
use crate::problem::Problem;

/// The files and folders a description may be made of, by path.
///
/// Paths are relative to the description's root, with `/` between their parts, without `.`; a file outside starts with `../` or is
/// absolute. Made by [`crate::files`] from a disk, or by tests from nothing.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    shown: String,
    files: BTreeMap<String, FileState>,
    folders: BTreeSet<String>,
}

/// What is known of one file.
#[derive(Clone, PartialEq, Eq)]
pub enum FileState {
    /// Its content.
    Read(Arc<[u8]>),
    /// It is there, nobody has read it.
    Unread,
    /// It is larger than what is read; its size in bytes.
    TooLarge(u64),
    /// It could not be read; why.
    Unreadable(String),
    /// It is a link that leaves the description's folder.
    Outside,
    /// It was looked for and is not there.
    Absent,
}

impl fmt::Debug for FileState {
    /// Without the content: somebody may have written a secret into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileState::Read(bytes) => write!(f, "Read({} bytes)", bytes.len()),
            FileState::Unread => f.write_str("Unread"),
            FileState::TooLarge(bytes) => write!(f, "TooLarge({bytes} bytes)"),
            FileState::Unreadable(why) => f.debug_tuple("Unreadable").field(why).finish(),
            FileState::Outside => f.write_str("Outside"),
            FileState::Absent => f.write_str("Absent"),
        }
    }
}

impl Tree {
    /// An empty tree. `shown` is what people see before each path: `tenants/acme/`, or nothing.
    pub fn new(shown: &str) -> Self {
        let shown = if shown.is_empty() || shown.ends_with('/') { shown.to_owned() } else { format!("{shown}/") };
        Tree { shown, ..Tree::default() }
    }

    /// A tree of texts, by path.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Tree::new("");
        for (path, text) in files {
            tree.insert(path, FileState::Read(Arc::from(text.as_bytes())));
        }
        tree
    }

    /// Adds a file, and the folders it lies in.
    pub fn insert(&mut self, path: &str, state: FileState) {
        if state != FileState::Absent {
            let mut folder = parent(path);
            while !folder.is_empty() && folder != ".." {
                self.folders.insert(folder.to_owned());
                folder = parent(folder);
            }
        }
        self.files.insert(path.to_owned(), state);
    }

    /// Adds a folder.
    pub fn insert_folder(&mut self, path: &str) {
        self.folders.insert(path.to_owned());
    }

    /// Returns what is known of a file; `None` where nobody has looked outside the folder, or it is not inside.
    pub fn get(&self, path: &str) -> Option<&FileState> {
        self.files.get(path)
    }

    /// Says whether a file is there.
    pub fn has_file(&self, path: &str) -> bool {
        self.files.get(path).is_some_and(|state| *state != FileState::Absent)
    }

    /// Says whether a folder is there.
    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// Returns the paths of all files that are there, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|(_, state)| **state != FileState::Absent).map(|(path, _)| path.as_str())
    }

    /// Returns the names of the files that lie directly in a folder, sorted. `""` is the root.
    pub fn files_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .iter()
            .filter(|(_, state)| **state != FileState::Absent)
            .filter(move |(path, _)| parent(path) == folder)
            .map(|(path, _)| file_name(path))
    }

    /// Returns the names of the folders that lie directly in a folder, sorted.
    pub fn folders_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.folders.iter().filter(move |path| parent(path) == folder).map(|path| file_name(path))
    }

    /// Returns the path as people see it.
    pub fn shown(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        match clean(&format!("{}{path}", self.shown)) {
            root if root.is_empty() => ".".to_owned(),
            shown => shown,
        }
    }

    /// Returns the start of a file as a place.
    pub fn locus(&self, path: &str) -> Locus {
        Locus::file(&self.shown(path))
    }

    /// Returns a file's content.
    ///
    /// # Errors
    ///
    /// `Err(None)` where it has yet to be read; otherwise `missing-file`, `file-too-large`, `unreadable-file`, `outside-folder`.
    pub fn read(&self, path: &str) -> Result<&[u8], Option<Problem>> {
        let problem = match self.files.get(path) {
            Some(FileState::Read(bytes)) => return Ok(bytes),
            Some(FileState::Unread) => return Err(None),
            None if leaves(path) => return Err(None),
            None | Some(FileState::Absent) => {
                Problem::error("missing-file", format!("{} is missing", self.shown(path)))
            }
            Some(FileState::TooLarge(bytes)) => Problem::error(
                "file-too-large",
                format!("this file has {} MiB, the limit is 16 MiB", bytes / (1024 * 1024)),
            )
            .help("leave it out of the description, or split it"),
            Some(FileState::Unreadable(why)) => {
                Problem::error("unreadable-file", format!("this file cannot be read: {why}"))
                    .note("what cannot be read is never taken for absent")
            }
            Some(FileState::Outside) => {
                Problem::error("outside-folder", "this file is a link that leaves the description's folder")
                    .help("put a copy of the file into the folder")
            }
        };
        Err(Some(problem.at(&self.locus(path))))
    }
}

/// Says whether a clean path leaves the root.
pub(crate) fn leaves(path: &str) -> bool {
    path == ".." || path.starts_with("../") || path.starts_with('/') || path.get(1..2) == Some(":")
}

/// Returns the folder a path lies in; `""` for the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Splits a file name into stem and extension.
pub(crate) fn split_extension(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    }
}

/// Joins a path to a folder.
pub(crate) fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Takes `.`, `..`, repeated and backward slashes out of a path.
pub(crate) fn clean(path: &str) -> String {
    let path = path.replace('\\', "/");
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (from, to) in [
            ("./a//b/../c.js", "a/c.js"),
            ("..\\shared\\x.js", "../shared/x.js"),
            ("a/../../x", "../x"),
            ("/../x", "/x"),
            (".", ""),
        ] {
            assert_eq!(clean(from), to, "{from}");
        }
        assert!(leaves("../x") && leaves("/x") && leaves("C:/x") && !leaves("..x/y"));
        assert_eq!(split_extension("a.b.json"), ("a.b", "json"));
        assert_eq!(split_extension(".gitkeep"), (".gitkeep", ""));
    }

    #[test]
    fn folders_come_with_their_files() {
        let tree = Tree::of([("clients/a.json", "{}"), ("database-connections/x/database.json", "{}")]);
        assert!(tree.has_folder("database-connections/x") && tree.has_folder("clients") && !tree.has_folder("roles"));
        assert_eq!(tree.files_in("clients").collect::<Vec<_>>(), ["a.json"]);
        assert_eq!(tree.folders_in("").collect::<Vec<_>>(), ["clients", "database-connections"]);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let mut tree = Tree::new("t");
        tree.insert("big", FileState::TooLarge(20 << 20));
        tree.insert("locked", FileState::Unreadable("permission denied".to_owned()));
        tree.insert("link", FileState::Outside);
        tree.insert("later", FileState::Unread);
        let id = |path| tree.read(path).map_err(|problem| problem.map(|p| p.id));
        assert_eq!(id("big"), Err(Some("file-too-large")));
        assert_eq!(id("locked"), Err(Some("unreadable-file")));
        assert_eq!(id("link"), Err(Some("outside-folder")));
        assert_eq!(id("none"), Err(Some("missing-file")));
        assert_eq!(id("later"), Err(None));
        assert_eq!(id("../x"), Err(None));
    }
}
