//! One block of tar at the head of an entry, read strictly: what this project writes, and nothing else.

use tar::{EntryType, Header};

use super::read::damaged;
use crate::problem::Problem;

/// Size of a block.
pub(super) const BLOCK_BYTES: usize = 512;

/// What the head of an entry says.
pub(super) enum Head {
    /// An ordinary file.
    File {
        /// Its path, unless a longer one came before.
        path: Vec<u8>,
        /// Its size.
        bytes: u64,
    },
    /// The path of the file that follows.
    LongPath {
        /// Its length and a zero.
        bytes: u64,
    },
    /// A block of zeros: the end.
    End,
}

/// Reads a head.
pub(super) fn head(block: &[u8; BLOCK_BYTES]) -> Result<Head, Problem> {
    if block.iter().all(|byte| *byte == 0) {
        return Ok(Head::End);
    }
    let header = Header::from_byte_slice(block);
    if header.as_gnu().is_none() && header.as_ustar().is_none() {
        return Err(damaged("an entry has no head"));
    }
    // The sum is taken with spaces where it stands.
    let sum = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { u32::from(b' ') } else { u32::from(*byte) };
    let summed: u32 = block.iter().enumerate().map(sum).sum();
    if header.cksum().ok() != Some(summed) {
        return Err(damaged("the head of an entry was changed"));
    }
    let bytes = header.entry_size().map_err(|_| damaged("an entry has no size"))?;
    match header.entry_type() {
        EntryType::Regular => Ok(Head::File { path: header.path_bytes().into_owned(), bytes }),
        EntryType::GNULongName => Ok(Head::LongPath { bytes }),
        other => Err(Problem::error("archive-refused", format!("the archive holds {}", word(other)))
            .note("no archive that Tenantry wrote holds such an entry: somebody else made or changed it")),
    }
}

fn word(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link | EntryType::Symlink => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::Directory => "a folder as an entry of its own",
        _ => "an entry that is no file",
    }
}
