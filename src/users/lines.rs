//! Streams of lines: out of a file that may be compressed, and into entries of a limited size.

use std::io::Write as _;

use flate2::write::MultiGzDecoder;

use crate::problem::Problem;

/// The longest line that is read; the data of a user are far smaller.
const LONGEST: usize = 16 << 20;

/// Bytes that are decompressed at once: a file made to be large grows about a thousandfold.
const AT_ONCE: usize = 4096;

/// The largest entry, unless one line alone is larger.
pub(super) const ENTRY: usize = 1_000_000;

/// Undoes the compression of a file, where there is one.
pub(super) enum Plain {
    /// The first byte came, or none yet.
    Unknown(Vec<u8>),
    Text,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Plain {
    pub(super) fn new() -> Plain {
        Plain::Unknown(Vec::new())
    }

    /// Takes a piece of the file and hands on what it says.
    pub(super) fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        if let Plain::Unknown(first) = self {
            first.extend_from_slice(piece);
            let Some(start) = first.get(..2) else { return Ok(()) };
            let is_gzip = start == [0x1f, 0x8b];
            let held = std::mem::take(first);
            *self = if is_gzip { Plain::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))) } else { Plain::Text };
            return self.push(&held, take);
        }
        match self {
            Plain::Gzip(decoder) => {
                for part in piece.chunks(AT_ONCE) {
                    decoder.write_all(part).map_err(|_| Stop::Broken)?;
                    let out = std::mem::take(decoder.get_mut());
                    take(&out)?;
                }
                Ok(())
            }
            _ => take(piece),
        }
    }

    /// Says that the file ends here.
    pub(super) fn finish(self, take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        match self {
            Plain::Unknown(first) => take(&first),
            Plain::Text => Ok(()),
            Plain::Gzip(decoder) => take(&decoder.finish().map_err(|_| Stop::Broken)?),
        }
    }
}

/// Why a stream is not read on.
pub(super) enum Stop {
    /// It is not what it should be, or broke off.
    Broken,
    /// Whoever takes the lines cannot.
    Taker(Problem),
}

/// Puts pieces together to lines.
#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// Hands on every line that a piece ends; empty ones are no lines.
    pub(super) fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.held.is_empty() {
                Self::give(line, take)?;
            } else {
                self.held.extend_from_slice(line);
                let held = std::mem::take(&mut self.held);
                Self::give(&held, take)?;
            }
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > LONGEST {
            return Err(Stop::Broken);
        }
        Ok(())
    }

    /// Hands on the last line, which may lack its end.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.held);
        Self::give(&held, take)
    }

    fn give(line: &[u8], take: &mut dyn FnMut(&[u8]) -> Result<(), Stop>) -> Result<(), Stop> {
        let line = line.trim_ascii();
        if line.is_empty() { Ok(()) } else { take(line) }
    }
}

/// Writes lines into numbered entries of a folder.
pub(super) struct Entries {
    folder: String,
    number: u32,
    held: Vec<u8>,
}

/// Takes the entries of a backup: path and content.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&str, &[u8]) -> Result<(), Problem>;

impl Entries {
    pub(super) fn new(folder: impl Into<String>) -> Entries {
        Entries { folder: folder.into(), number: 0, held: Vec::new() }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: &[u8], sink: Sink<'_>) -> Result<(), Problem> {
        if !self.held.is_empty() && self.held.len() + line.len() + 1 > ENTRY {
            self.finish(sink)?;
        }
        self.held.extend_from_slice(line);
        self.held.push(b'\n');
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self, sink: Sink<'_>) -> Result<(), Problem> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.number += 1;
        let held = std::mem::take(&mut self.held);
        sink(&format!("{}/{:05}.ndjson", self.folder, self.number), &held)
    }
}
