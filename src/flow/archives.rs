//! `backup list` and `backup verify`: what there is, and whether it holds.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use indexmap::IndexMap;
use tokio_util::sync::CancellationToken;

use super::{Failed, Request, validate};
use crate::archive::{Header, Manifest, Reader, USERS, UnpackedDescription, Unseal, kind_of_objects};
use crate::files::{Access, write_atomically};
use crate::model::{Locus, Sources};
use crate::problem::Problem;
use crate::project::{Flags, PROJECT_FILE, Surroundings};
use crate::storage::{Place, Stored};

/// Lists the backups of a place, newest first.
///
/// # Errors
///
/// `bad-place`, `backup-unreadable`.
pub async fn backups(place: &str, around: &Surroundings) -> Result<Vec<Stored>, Failed> {
    let listed = async { Place::parse(place, around)?.list().await }.await;
    let mut found = listed.map_err(|problem| Failed::one(problem, Sources::default()))?;
    found.sort_by(|a, b| (b.name.order(), &a.name.tenant).cmp(&(a.name.order(), &b.name.tenant)));
    Ok(found)
}

/// A backup that holds.
#[derive(Debug)]
pub struct Verified {
    /// What it says of itself.
    pub header: Header,
    /// What is in it.
    pub manifest: Manifest,
    /// Its description, in a folder that goes with this value.
    pub description: UnpackedDescription,
    /// Resources that the description describes, by kind.
    pub described: Vec<(String, usize)>,
    /// Warnings and notes of the description.
    pub problems: Vec<Problem>,
    /// Texts of the description's files.
    pub sources: Sources,
}

/// Reads a backup from its first to its last byte and loads the description in it.
///
/// # Errors
///
/// Problems of [`Reader`], `archive-contents` where the entries do not add up to what the manifest says, and every error of
/// the description.
pub async fn verify(file: &str, key: Unseal, request: &Request) -> Result<Verified, Failed> {
    let at = |problem: Problem| {
        let problem = if problem.labels.is_empty() { problem.at(&Locus::file(file)) } else { problem };
        Failed::one(problem, Sources::default())
    };
    let source = crate::storage::open(file, &request.around).await.map_err(at)?;
    let cancel = request.cancel.clone();
    // It is waited for when it is interrupted too: what it unpacked has to go before the program does.
    let read = tokio::task::spawn_blocking(move || read_through(source, &key, &cancel)).await;
    let read = read.unwrap_or_else(|_| Err(Problem::error("archive-unreadable", "reading broke off")));
    let (header, manifest, description) = read.map_err(at)?;
    let loaded = load(&description, &header, request).await?;
    let described = loaded.environments.into_iter().flat_map(|one| one.kinds).collect();
    Ok(Verified { header, manifest, description, described, problems: loaded.problems, sources: loaded.sources })
}

fn read_through(
    source: Box<dyn Read + Send>,
    key: &Unseal,
    cancel: &CancellationToken,
) -> Result<(Header, Manifest, UnpackedDescription), Problem> {
    let mut reader = Reader::open(source, key)?;
    let header = reader.header().clone();
    let mut description = UnpackedDescription::new()?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut odd = None;
    while let Some((path, bytes)) = reader.next_entry()? {
        if cancel.is_cancelled() {
            return Err(Problem::error("interrupted", "interrupted before everything was read"));
        }
        if description.take(&path, &bytes)? {
            continue;
        }
        let lines = if path.ends_with(".ndjson") { lines(&bytes) } else { json(&bytes).then_some(1) };
        match (lines, kind_of_objects(&path)) {
            (Some(lines), Some(kind)) => *counts.entry(kind.to_owned()).or_default() += lines,
            (Some(_), None) => {}
            (None, _) => odd = odd.or(Some(path)),
        }
    }
    let manifest = reader.finish()?;
    if let Some(path) = odd {
        return Err(contents(format!("`{path}` in the archive does not hold JSON")));
    }
    let said: BTreeMap<&String, &u64> = manifest.contents.counts.iter().collect();
    if said != counts.iter().collect() {
        return Err(contents("the objects in the archive are not as many as its manifest says".to_owned()));
    }
    let users: IndexMap<_, _> = manifest.contents.users.iter().filter(|(_, count)| **count > 0).collect();
    if !users.is_empty() && !manifest.entries.iter().any(|entry| entry.path.starts_with(USERS)) {
        return Err(contents("the manifest speaks of users, and none are in the archive".to_owned()));
    }
    Ok((header, manifest, description))
}

fn contents(title: String) -> Problem {
    Problem::error("archive-contents", title)
        .note("every byte is as it was written: the version that wrote it made a mistake")
        .help("make a new backup with this version, and please report it")
}

/// Counts lines, each of which has to be JSON.
fn lines(bytes: &[u8]) -> Option<u64> {
    let mut count = 0;
    for line in bytes.lines() {
        if !json(line.ok()?.as_bytes()) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

fn json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Loads the description as `validate` does, in a project of its own: nothing of this machine's project or environment counts.
async fn load(
    description: &UnpackedDescription,
    header: &Header,
    request: &Request,
) -> Result<super::ValidatedAll, Failed> {
    let domain = serde_json::Value::from(header.domain.as_str());
    let project = format!("description: description\nenvironments:\n  backup:\n    domain: {domain}\n");
    let file = description.outer().join(PROJECT_FILE);
    write_atomically(&file, project.as_bytes(), Access::Owner)
        .map_err(|problem| Failed::one(problem, Sources::default()))?;
    let request = Request {
        flags: Flags { lenient: true, ..Flags::default() },
        around: Surroundings { directory: description.outer().to_path_buf(), ..Surroundings::default() },
        ..request.clone()
    };
    validate(&request).await
}
