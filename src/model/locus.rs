//! [`Locus`]: a place in a file.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::path::Path;

/// A place in a file of the description.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locus {
    /// File, as shown to people: relative to the working directory where it lies below it.
    pub file: Arc<str>,
    /// Line, 1-based.
    pub line: u32,
    /// Column in characters, 1-based.
    pub column: u32,
    /// Byte offset of the first byte.
    pub start: usize,
    /// Byte offset behind the last byte.
    pub end: usize,
}

impl Locus {
    /// The start of a file.
    pub fn file(file: &str) -> Self {
        Locus { file: Arc::from(file), line: 1, column: 1, start: 0, end: 0 }
    }
}

impl fmt::Display for Locus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Where the values of one resource stand. A path without an entry stands where its nearest ancestor does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loci(BTreeMap<Path, Locus>);

impl Loci {
    /// Notes where a value stands.
    pub fn insert(&mut self, path: Path, locus: Locus) {
        self.0.insert(path, locus);
    }

    /// Returns where a value stands, or its nearest ancestor. Item steps fall back to their list.
    pub fn at(&self, path: &Path) -> Option<&Locus> {
        let mut here = path.clone();
        loop {
            if let Some(locus) = self.0.get(&here) {
                return Some(locus);
            }
            here = here.parent()?;
        }
    }

    /// Returns every entry, in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Locus)> {
        self.0.iter()
    }
}

/// Texts of the files that were read, for showing lines of them in messages.
#[derive(Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, Arc<str>>);

impl fmt::Debug for Sources {
    /// Names only: a file may hold a secret that somebody wrote into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sources").field(&self.0.keys()).finish()
    }
}

impl Sources {
    /// Keeps a file's text.
    pub fn insert(&mut self, file: &str, text: &str) {
        self.0.insert(Arc::from(file), Arc::from(text));
    }

    /// Returns a file's text.
    pub fn get(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(AsRef::as_ref)
    }

    /// Adds all files of another collection.
    pub fn merge(&mut self, other: Sources) {
        self.0.extend(other.0);
    }
}
