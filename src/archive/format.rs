//! The first and the last entry: what an archive says of itself.

use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LONGEST_PATH_BYTES, OBJECTS};
use crate::problem::Problem;

/// Version of the format of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Format(pub u32);

impl Format {
    /// The format this version writes, and the newest it reads.
    pub const CURRENT: Format = Format(1);
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The first entry. Later formats keep `format` and `tool`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    pub format: Format,
    /// Version of Tenantry that wrote it: `0.1.0`.
    pub tool: String,
    /// Canonical domain of the tenant.
    pub domain: String,
    /// The environment it was read through.
    pub environment: String,
    /// When reading began.
    pub started: Timestamp,
    /// The archive was sealed when it was written, and so holds the secrets that the API returns.
    pub encrypted: bool,
}

/// The last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format: Format,
    /// When the last answer had been read.
    pub ended: Timestamp,
    /// Every entry before this one, in order.
    pub entries: Vec<Entry>,
    /// What is in them, and what is not.
    #[serde(flatten)]
    pub contents: Contents,
}

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path, with `/`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 over it: 64 hexadecimal digits.
    pub sha256: String,
}

/// What is in an archive, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Objects by kind.
    #[serde(default)]
    pub counts: IndexMap<String, u64>,
    /// Users by the name of their connection; empty where they were not asked for.
    #[serde(default)]
    pub users: IndexMap<String, u64>,
    /// What could not be read.
    #[serde(default)]
    pub unread: Vec<Unread>,
    /// What is there, or was seen, and cannot be put back.
    #[serde(default)]
    pub not_restorable: Vec<NotRestorable>,
    /// Names of the secrets that the description asks for.
    #[serde(default)]
    pub secrets: Vec<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// A kind, an address with a member, or a part such as `users of CONNECTION`.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// Something that cannot be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRestorable {
    /// What it is: `secrets`, `password`.
    pub class: String,
    /// How many there are; `None` where nobody can count.
    pub count: Option<u64>,
    /// Why not.
    pub why: String,
}

/// Returns the kind whose objects an entry holds: of `objects/clients.ndjson` and `objects/clients.2.ndjson` it is `clients`.
pub fn kind_of_objects(path: &str) -> Option<&str> {
    let name = path.strip_prefix(OBJECTS)?.strip_suffix(".ndjson")?;
    match name.split_once('.') {
        None => Some(name),
        Some((kind, number)) => number.bytes().all(|b| b.is_ascii_digit()).then_some(kind),
    }
}

/// Checks a path of an entry: relative, below the archive's folder on every system, and readable.
pub(super) fn check_path(path: &str) -> Result<(), Problem> {
    let refuse = |why: &str| {
        Err(Problem::error("archive-refused", format!("an entry of the archive has a path that {why}"))
            .note("no archive that Tenantry wrote holds such an entry: somebody else made or changed it"))
    };
    if path.is_empty() || path.len() > LONGEST_PATH_BYTES {
        return refuse("is empty or too long");
    }
    if path.chars().any(|c| c.is_control() || c == '\\' || c == ':') {
        return refuse("holds a sign that no file name of an archive has");
    }
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return refuse("would leave the folder of the archive");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_say_their_kind() {
        assert_eq!(kind_of_objects("objects/clients.ndjson"), Some("clients"));
        assert_eq!(kind_of_objects("objects/clients.12.ndjson"), Some("clients"));
        for other in ["clients.ndjson", "objects/clients.json", "objects/a.b.ndjson", "users/x.ndjson"] {
            assert_eq!(kind_of_objects(other), None, "{other}");
        }
    }

    #[test]
    fn paths_stay_below_the_archive() {
        for good in ["header.json", "description/clients/My App (1).yaml", "users/a/ü.ndjson", "a/.tenantry"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in ["", "/etc/passwd", "a/../../b", "..", "a//b", "a/", "./a", "C:/x", "a\\b", "a\nb", "a\0"] {
            assert_eq!(check_path(bad).map_err(|p| p.id), Err("archive-refused"), "{bad:?}");
        }
        assert!(check_path(&"a".repeat(LONGEST_PATH_BYTES + 1)).is_err());
    }
}
