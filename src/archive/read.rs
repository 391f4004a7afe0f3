//! Reads an archive that may be anything.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::format::{Entry, Format, Header, Manifest, check_path};
use super::seal::{MAGIC, Unseal};
use super::tar_block::{BLOCK_BYTES, Head, head};
use super::trailer::Checking;
use super::write::hex;
use super::{HEADER, LONGEST_PATH_BYTES, MANIFEST, MOST_ENTRIES, MOST_ENTRY_BYTES};
use crate::problem::Problem;

/// Largest window of the decoder, as a power of two: 16 MiB of memory.
const LARGEST_WINDOW: u32 = 24;
/// How much may be unpacked whatever the archive's own size.
const FREE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Beyond that, how many times its own size an archive may unpack to.
const MOST_EXPANSION: u64 = 2_000;

type Source = Checking<Box<dyn BufRead + Send>>;

/// Reads an archive: the header, then entry by entry.
///
/// Nothing that was read counts before [`Reader::next_entry`] has returned `None` or [`Reader::finish`] has returned: only then
/// the digests are known to fit and the archive to be whole.
pub struct Reader {
    zstd: zstd::Decoder<'static, Source>,
    watched: Watched,
    header: Header,
    entries: Vec<Entry>,
    paths: HashSet<String>,
    manifest: Option<Manifest>,
    unpacked: u64,
}

/// What every format has at the top of its header.
#[derive(Deserialize)]
struct AnyHeader {
    format: Format,
    tool: Option<String>,
}

impl Reader {
    /// Opens an archive and reads its header.
    ///
    /// # Errors
    ///
    /// `not-an-archive`, `archive-encrypted`, `archive-key`, `archive-newer`, `archive-damaged`, `archive-refused`,
    /// `archive-unreadable`.
    pub fn open(source: impl Read + Send + 'static, key: &Unseal) -> Result<Reader, Problem> {
        let watched = Watched::default();
        let source = Watching { inner: source, seen: watched.clone() };
        let opened = Self::begin(Box::new(BufReader::with_capacity(64 * 1024, source)), key, watched.clone());
        opened.map_err(|problem| watched.or(problem))
    }

    fn begin(mut source: Box<dyn BufRead + Send>, key: &Unseal, watched: Watched) -> Result<Reader, Problem> {
        let mut source = if starts_with(&mut source, MAGIC)? { key.unwrap(source)? } else { source };
        // A frame of zstd (RFC 8878, section 3.1.1).
        if !starts_with(&mut source, &[0x28, 0xb5, 0x2f, 0xfd])? {
            return Err(Problem::error("not-an-archive", "this is no backup of Tenantry")
                .help("give a file that `tenantry backup` wrote: DOMAIN-TIME.tar.zst or .tar.zst.age"));
        }
        let mut zstd =
            zstd::Decoder::with_buffer(Checking::new(source)).map_err(|error| broken(&error))?.single_frame();
        zstd.window_log_max(LARGEST_WINDOW).map_err(|error| broken(&error))?;
        let header = Header {
            format: Format::CURRENT,
            tool: String::new(),
            domain: String::new(),
            environment: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            encrypted: false,
        };
        let (entries, paths) = (Vec::new(), HashSet::new());
        let mut reader = Reader { zstd, watched, header, entries, paths, manifest: None, unpacked: 0 };
        let first = reader.entry()?;
        let Some((path, bytes)) = first.filter(|(path, _)| path == HEADER) else {
            return Err(damaged("it does not begin with its header"));
        };
        let any: AnyHeader = parsed(&path, &bytes)?;
        if any.format != Format::CURRENT {
            return Err(newer(&any));
        }
        reader.header = parsed(&path, &bytes)?;
        Ok(reader)
    }

    /// Returns what the archive says of itself. It is not yet known to be true.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next entry: its path and what is in it. `None` when the manifest has been read, and everything fits.
    ///
    /// # Errors
    ///
    /// `archive-damaged`, `archive-refused`, `archive-unreadable`.
    pub fn next_entry(&mut self) -> Result<Option<(String, Vec<u8>)>, Problem> {
        if self.manifest.is_some() {
            return Ok(None);
        }
        let found = self.entry().map_err(|problem| self.watched.or(problem))?;
        let Some((path, bytes)) = found else { return Err(damaged("it has no manifest: it was never finished")) };
        if path != MANIFEST {
            return Ok(Some((path, bytes)));
        }
        self.end().map_err(|problem| self.watched.or(problem))?;
        let manifest: Manifest = parsed(&path, &bytes)?;
        self.entries.pop();
        if manifest.entries != self.entries {
            return Err(damaged("its entries are not those that its manifest lists"));
        }
        self.manifest = Some(manifest);
        Ok(None)
    }

    /// Reads on to the end and returns the manifest: everything was there, and as it was written.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::next_entry`].
    pub fn finish(mut self) -> Result<Manifest, Problem> {
        while self.next_entry()?.is_some() {}
        self.manifest.ok_or_else(|| damaged("it has no manifest: it was never finished"))
    }

    /// Reads one entry; `None` at the end of the tar.
    fn entry(&mut self) -> Result<Option<(String, Vec<u8>)>, Problem> {
        let mut long: Option<Vec<u8>> = None;
        loop {
            let mut block = [0; BLOCK_BYTES];
            self.fill(&mut block)?;
            match head(&block)? {
                Head::End if long.is_none() => return Ok(None),
                Head::End => return Err(damaged("a path belongs to no entry")),
                Head::LongPath { bytes } => {
                    if long.is_some() || bytes > LONGEST_PATH_BYTES as u64 + 1 {
                        return Err(damaged("the path of an entry is too long"));
                    }
                    let mut path = self.contents(bytes)?;
                    while path.last() == Some(&0) {
                        path.pop();
                    }
                    long = Some(path);
                }
                Head::File { path, bytes } => {
                    let path = long.take().unwrap_or(path);
                    let path = String::from_utf8(path).map_err(|_| damaged("a path is no text"))?;
                    check_path(&path)?;
                    self.note(&path, bytes)?;
                    let contents = self.contents(bytes)?;
                    let sha256 = hex(&Sha256::digest(&contents));
                    self.entries.push(Entry { path: path.clone(), bytes, sha256 });
                    return Ok(Some((path, contents)));
                }
            }
        }
    }

    fn note(&mut self, path: &str, bytes: u64) -> Result<(), Problem> {
        let refuse = |title: String| Err(Problem::error("archive-refused", title));
        if bytes > MOST_ENTRY_BYTES {
            return refuse(format!("an entry of the archive is larger than {} MiB", MOST_ENTRY_BYTES >> 20));
        }
        // The manifest is no entry of itself.
        if self.entries.len() > MOST_ENTRIES {
            return refuse(format!("the archive has more than {MOST_ENTRIES} entries"));
        }
        if !self.paths.insert(path.to_owned()) {
            return refuse("two entries of the archive have one path".to_owned());
        }
        Ok(())
    }

    /// Reads what is in an entry, and the zeros up to the next block.
    fn contents(&mut self, bytes: u64) -> Result<Vec<u8>, Problem> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        let most = FREE_BYTES.max(self.watched.read().saturating_mul(MOST_EXPANSION));
        if self.unpacked > most {
            return Err(Problem::error("archive-refused", "the archive unpacks to far more than its own size")
                .note("no tenant compresses that well: it was made to fill a machine"));
        }
        let mut out = Vec::new();
        let read = (&mut self.zstd).take(bytes).read_to_end(&mut out).map_err(|error| broken(&error))?;
        if read as u64 != bytes {
            return Err(damaged("it ends early"));
        }
        let over = usize::try_from(bytes % BLOCK_BYTES as u64).unwrap_or(0);
        if over > 0 {
            let mut rest = vec![0; BLOCK_BYTES - over];
            self.fill(&mut rest)?;
            if rest.iter().any(|byte| *byte != 0) {
                return Err(damaged("something stands between its entries"));
            }
        }
        Ok(out)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), Problem> {
        self.zstd.read_exact(into).map_err(|error| broken(&error))
    }

    /// Reads what comes behind the manifest: two blocks of zeros, the digest, nothing.
    fn end(&mut self) -> Result<(), Problem> {
        let mut blocks = [0; 2 * BLOCK_BYTES];
        self.fill(&mut blocks)?;
        let mut one = [0];
        let more = self.zstd.read(&mut one).map_err(|error| broken(&error))?;
        if more != 0 || blocks.iter().any(|byte| *byte != 0) {
            return Err(damaged("something follows behind its manifest"));
        }
        match self.zstd.get_mut().check() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(damaged(why)),
            Err(error) => Err(broken(&error)),
        }
    }
}

/// Says whether a stream begins with these bytes, without reading them.
fn starts_with(source: &mut Box<dyn BufRead + Send>, bytes: &[u8]) -> Result<bool, Problem> {
    let mut head = Vec::new();
    source.by_ref().take(bytes.len() as u64).read_to_end(&mut head).map_err(|error| broken(&error))?;
    let found = head == bytes;
    let rest = std::mem::replace(source, Box::new(io::empty()));
    *source = Box::new(io::Cursor::new(head).chain(rest));
    Ok(found)
}

fn parsed<'a, T: Deserialize<'a>>(path: &str, bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|_| damaged(&format!("its `{path}` is not what it should be")))
}

fn newer(found: &AnyHeader) -> Problem {
    let by = found.tool.as_deref().unwrap_or("an unknown version");
    let title =
        format!("the archive has format {}, and this version of tenantry reads {}", found.format, Format::CURRENT);
    Problem::error("archive-newer", title)
        .note(format!("it was written by tenantry {by}"))
        .help(format!("use tenantry {by} or later"))
}

/// An archive that is not what was written.
pub(super) fn damaged(why: &str) -> Problem {
    Problem::error("archive-damaged", format!("the archive is damaged: {why}"))
        .note("nothing of it can be relied on")
        .help("use another backup: `tenantry backup list PLACE` shows which there are")
}

/// What an error of the streams says about the archive.
pub(super) fn broken(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it ends early"),
        _ => damaged("it cannot be decoded"),
    }
}

/// What is known of the stream an archive is read from.
#[derive(Clone, Default)]
struct Watched {
    bytes: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<Problem>>>,
}

impl Watched {
    fn read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns why the stream itself failed, where it did: then the archive is not to blame.
    fn or(&self, problem: Problem) -> Problem {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failed.unwrap_or(problem)
    }
}

/// Counts what is read and remembers what went wrong.
struct Watching<R> {
    inner: R,
    seen: Watched,
}

impl<R: Read> Read for Watching<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(into) {
                Ok(read) => {
                    self.seen.bytes.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let problem = match error.downcast::<Problem>() {
                        Ok(problem) => problem,
                        Err(error) => {
                            Problem::error("archive-unreadable", format!("the archive cannot be read: {error}"))
                        }
                    };
                    *self.seen.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
                    return Err(io::Error::other("the source failed"));
                }
            }
        }
    }
}
