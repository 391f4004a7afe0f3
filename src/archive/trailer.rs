//! The digest behind the compressed data: the last bytes of an archive, inside the seal.
//!
//! It stands in a frame that readers of zstd skip (RFC 8878, section 3.1.2). So every bit of an archive is covered, those too
//! that a decoder ignores.

use std::io::{self, BufRead, Read, Write};

use sha2::{Digest, Sha256};

/// Marks the frame as one to skip.
const MAGIC: u32 = 0x184D_2A5E;
/// What the frame begins with, before the digest.
const MARK: &[u8; 8] = b"tenantry";
/// Size of the digest.
const DIGEST_BYTES: usize = 32;
/// Size of what is inside the frame.
const INNER_BYTES: u32 = 40;

/// Digests what is written.
pub(super) struct Digesting<W> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Digesting<W> {
    pub(super) fn new(inner: W) -> Self {
        Digesting { inner, digest: Sha256::new() }
    }

    /// Writes the digest and gives the inner one back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let mut frame = Vec::with_capacity(8 + MARK.len() + DIGEST_BYTES);
        frame.extend(MAGIC.to_le_bytes());
        frame.extend(INNER_BYTES.to_le_bytes());
        frame.extend(MARK);
        frame.extend(self.digest.finalize());
        self.inner.write_all(&frame)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Digests what is read, and no byte more than is consumed.
pub(super) struct Checking<R> {
    inner: R,
    digest: Sha256,
}

impl<R: BufRead> Checking<R> {
    pub(super) fn new(inner: R) -> Self {
        Checking { inner, digest: Sha256::new() }
    }

    /// Reads the digest that follows and says whether it fits, and whether nothing comes behind it.
    pub(super) fn check(&mut self) -> io::Result<Result<(), &'static str>> {
        let mut frame = Vec::new();
        (&mut self.inner).take(8 + u64::from(INNER_BYTES)).read_to_end(&mut frame)?;
        let mut expected = Vec::with_capacity(frame.len());
        expected.extend(MAGIC.to_le_bytes());
        expected.extend(INNER_BYTES.to_le_bytes());
        expected.extend(MARK);
        expected.extend(self.digest.clone().finalize());
        if frame.len() < expected.len() {
            return Ok(Err("it ends early"));
        }
        if frame != expected {
            return Ok(Err("its digest does not fit"));
        }
        if !self.inner.fill_buf()?.is_empty() {
            return Ok(Err("something follows behind its end"));
        }
        Ok(Ok(()))
    }
}

impl<R: BufRead> Read for Checking<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.digest.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Checking<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed was filled, so this reads nothing.
        if let Ok(buffer) = self.inner.fill_buf() {
            self.digest.update(buffer.get(..amount).unwrap_or_default());
        }
        self.inner.consume(amount);
    }
}
