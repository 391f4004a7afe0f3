//! One backup in one file: tar, compressed with zstd, sealed with age where somebody is to be kept out.
//!
//! ```text
//! header.json            which tenant, when, by which version
//! description/…          the tenant as a description: a directory, in YAML
//! objects/KIND.ndjson    the API's own objects, one a line; KIND.2.ndjson and so on where there are many
//! keys/signing.json      public parts of the tenant's signing keys
//! users/…                users, where they were asked for
//! manifest.json          digests of all of these, and what is missing
//! ```
//!
//! The manifest is the last entry and the digest of all compressed bytes stands behind it, in a frame that `zstd` itself skips: so
//! `tar --zstd -xf` opens an archive that is not sealed, and one that was cut short or changed is told from a whole one. [`Reader`]
//! trusts nothing it reads; what it gave counts only when it came to the end without a problem.

mod format;
mod name;
mod read;
mod seal;
mod tar_block;
mod trailer;
mod unpack;
mod write;

#[cfg(test)]
mod tests;

pub use format::{Contents, Entry, Format, Header, Manifest, NotRestorable, Unread, kind_of_objects};
pub use name::ArchiveName;
pub(crate) use name::PARTIAL;
pub use read::Reader;
pub use seal::{Seal, Unseal};
pub use unpack::UnpackedDescription;
pub use write::Writer;

/// Name of the first entry.
pub const HEADER: &str = "header.json";
/// Folder of the description.
pub const DESCRIPTION: &str = "description/";
/// Folder of the API's own objects.
pub const OBJECTS: &str = "objects/";
/// Public parts of the tenant's signing keys: the answer of `GET /keys/signing`.
pub const SIGNING_KEYS: &str = "keys/signing.json";
/// Folder of the users.
pub const USERS: &str = "users/";
/// Name of the last entry.
pub const MANIFEST: &str = "manifest.json";

/// Largest entry, in bytes: what a reader holds in memory at once.
pub const MOST_ENTRY_BYTES: u64 = 256 * 1024 * 1024;
/// Most entries.
pub const MOST_ENTRIES: usize = 1_000_000;
/// Longest path of an entry, in bytes.
pub const LONGEST_PATH_BYTES: usize = 1024;
