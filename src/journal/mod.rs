//! The write-ahead record of one deployment: what was about to be sent, and what came of it.
//!
//! [`Journal`] writes: the intent of a request is on the disk before the request leaves, its outcome follows. [`read`] gives
//! back [`Entries`], also from a file that a crash cut off, and refuses one that was edited or damaged. [`settle`] compares
//! what was left open with what is live now, and [`half`] finds what a deployment that did not end had done.
//!
//! The file has one line per entry, `{"sum": …, "entry": …}`. A sum covers its entry and all lines before it, so that a line
//! can be neither changed nor taken out unnoticed. Secrets are fingerprints. What a resource was before stands in the
//! deployment's record, under the same address.

mod entry;
mod file;
mod half;
mod line;
mod read;
mod settle;
mod stored;

pub use entry::{Answer, Header, Intent};
pub use file::Journal;
pub use half::{Half, done_before, half};
pub use read::{Entries, Entry, parse, read};
pub use settle::{Found, Settled, settle};
pub use stored::{remembered, remembered_leaf};
