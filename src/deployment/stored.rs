//! The format of one record: JSON for machines that people can read with `git log -p`.
//!
//! A file holds one deployment. Its first line names the format, its second a digest over all that follows it, so that a file
//! that was cut short or edited is told from one that was written. Later formats keep `format` and `tool` at the top.

mod value;

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use self::value::{StoredAddress, StoredMaybe, StoredPath, StoredValue};
use super::record::{BaseEntry, Commit, Deployment, Image, Outcome, Purpose, Rules, TakenBack, Tally};
use crate::model::{BaseResource, Locus, Value, hex};
use crate::problem::Problem;

/// Version of the format a record is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Format(pub u32);

impl Format {
    /// The format this version writes, and the only one it reads.
    pub const CURRENT: Format = Format(1);
}

/// What every format has at the top.
#[derive(Deserialize)]
struct Header {
    format: Format,
    tool: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    tool: String,
    id: String,
    domain: String,
    environment: String,
    purpose: StoredPurpose,
    actor: String,
    commit: Option<StoredCommit>,
    description_digest: String,
    fingerprint_key: Option<String>,
    started: Timestamp,
    ended: Option<Timestamp>,
    outcome: Option<StoredOutcome>,
    tally: StoredTally,
    rules: StoredRules,
    plan: StoredValue,
    images: Vec<StoredImage>,
    base: Vec<StoredBase>,
    taken_back: Vec<StoredTakenBack>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum StoredPurpose {
    Apply,
    Revert(Vec<String>),
    Baseline,
    Restore(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCommit {
    id: String,
    dirty: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredOutcome {
    Done,
    Partial,
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTally {
    created: usize,
    updated: usize,
    replaced: usize,
    deleted: usize,
    failed: usize,
    in_doubt: usize,
    not_started: usize,
    requests: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRules {
    delete: Vec<String>,
    drift: String,
    max_deletes: Option<String>,
    protect: Vec<String>,
    approve: Vec<String>,
    freeze: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredImage {
    address: StoredAddress,
    id: String,
    value: StoredMaybe,
    paths: Vec<StoredPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBase {
    address: StoredAddress,
    left: Option<StoredLeft>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLeft {
    id: String,
    desired: StoredValue,
    live: StoredValue,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTakenBack {
    address: StoredAddress,
    path: StoredPath,
    value: StoredMaybe,
}

/// Writes a record. A secret inside that nobody fingerprinted becomes a fingerprint that tells nothing.
pub fn write(record: &Deployment) -> String {
    // A struct of texts, numbers and JSON has nothing that could fail to serialise.
    let body = serde_json::to_string_pretty(&stored(record)).unwrap_or_default();
    let body = body.strip_prefix("{\n").unwrap_or(&body);
    format!("{}{body}\n", head(body))
}

/// Reads a record; `name` is its file, for showing.
///
/// # Errors
///
/// `ledger-too-new` where a later version wrote it, `ledger-damaged` where it is not what was written.
pub fn read(name: &str, bytes: &[u8]) -> Result<Deployment, Problem> {
    let whole = std::str::from_utf8(bytes).ok().and_then(|text| {
        let body = text.splitn(4, '\n').nth(3)?;
        let body = body.strip_suffix('\n')?;
        text.starts_with(&head(body)).then_some(body)
    });
    let Some(body) = whole else {
        return Err(match serde_json::from_slice::<Header>(bytes) {
            Ok(header) if header.format > Format::CURRENT => too_new(name, &header),
            _ => damaged(name),
        });
    };
    let stored: Stored = serde_json::from_str(&format!("{{\n{body}")).map_err(|_| damaged(name))?;
    if Ulid::from_string(&stored.id).is_err() {
        return Err(damaged(name));
    }
    record(stored).ok_or_else(|| damaged(name))
}

/// Says which of two copies of one record is to be kept: greater is better. The one that ended wins over the same unfinished;
/// beyond that the order only has to be the same everywhere.
pub fn preference(one: &Deployment, two: &Deployment) -> Ordering {
    one.ended.cmp(&two.ended).then_with(|| if one == two { Ordering::Equal } else { write(one).cmp(&write(two)) })
}

fn head(body: &str) -> String {
    let digest = hex(&Sha256::digest(body.as_bytes()));
    format!("{{\n  \"format\": {},\n  \"digest\": \"{digest}\",\n", Format::CURRENT.0)
}

fn too_new(name: &str, header: &Header) -> Problem {
    let writer = match &header.tool {
        Some(tool) => format!("Tenantry {tool}"),
        None => "a later version of Tenantry".to_owned(),
    };
    let title = format!("{name} was written by {writer}, in format {}", header.format.0);
    Problem::error("ledger-too-new", title)
        .at(&Locus::file(name))
        .note(format!("this is {}, which reads format {}", env!("CARGO_PKG_VERSION"), Format::CURRENT.0))
        .help(format!("install {writer}, or a later one"))
}

fn damaged(name: &str) -> Problem {
    Problem::error("ledger-damaged", format!("{name} is not as Tenantry wrote it: it was cut short or edited"))
        .at(&Locus::file(name))
        .help("put back a copy of the file; if there is none, remove it: what that deployment left is then not known")
}

fn stored(record: &Deployment) -> Stored {
    let Deployment { tally, rules, .. } = record;
    Stored {
        tool: record.tool.clone(),
        id: record.id.clone(),
        domain: record.domain.clone(),
        environment: record.environment.clone(),
        purpose: match &record.purpose {
            Purpose::Apply => StoredPurpose::Apply,
            Purpose::Revert(ids) => StoredPurpose::Revert(ids.clone()),
            Purpose::Baseline => StoredPurpose::Baseline,
            Purpose::Restore(archive) => StoredPurpose::Restore(archive.clone()),
        },
        actor: record.actor.clone(),
        commit: record.commit.as_ref().map(|commit| StoredCommit { id: commit.id.clone(), dirty: commit.dirty }),
        description_digest: record.digest.clone(),
        fingerprint_key: record.fingerprint_key.clone(),
        started: record.started,
        ended: record.ended,
        outcome: record.outcome.map(|outcome| match outcome {
            Outcome::Done => StoredOutcome::Done,
            Outcome::Partial => StoredOutcome::Partial,
            Outcome::Failed => StoredOutcome::Failed,
        }),
        tally: StoredTally {
            created: tally.created,
            updated: tally.updated,
            replaced: tally.replaced,
            deleted: tally.deleted,
            failed: tally.failed,
            in_doubt: tally.in_doubt,
            not_started: tally.not_started,
            requests: tally.requests,
        },
        rules: StoredRules {
            delete: rules.delete.clone(),
            drift: rules.drift.clone(),
            max_deletes: rules.max_deletes.clone(),
            protect: rules.protect.clone(),
            approve: rules.approve.clone(),
            freeze: rules.freeze.clone(),
        },
        plan: StoredValue(Value::from_json(&record.plan)),
        images: record.images.iter().map(stored_image).collect(),
        base: record.base.iter().map(stored_base).collect(),
        taken_back: record.taken_back.iter().map(stored_taken_back).collect(),
    }
}

fn stored_image(image: &Image) -> StoredImage {
    StoredImage {
        address: StoredAddress(image.address.clone()),
        id: image.id.clone(),
        value: StoredMaybe(image.value.clone()),
        paths: image.paths.iter().cloned().map(StoredPath).collect(),
    }
}

fn stored_base(entry: &BaseEntry) -> StoredBase {
    let left = entry.left.as_ref().map(|left| StoredLeft {
        id: left.id.clone(),
        desired: StoredValue(left.desired.clone()),
        live: StoredValue(left.live.clone()),
    });
    StoredBase { address: StoredAddress(entry.address.clone()), left }
}

fn stored_taken_back(taken: &TakenBack) -> StoredTakenBack {
    StoredTakenBack {
        address: StoredAddress(taken.address.clone()),
        path: StoredPath(taken.path.clone()),
        value: StoredMaybe(taken.value.clone()),
    }
}

fn record(stored: Stored) -> Option<Deployment> {
    let Stored { tally, rules, .. } = stored;
    Some(Deployment {
        id: stored.id,
        domain: stored.domain,
        environment: stored.environment,
        purpose: match stored.purpose {
            StoredPurpose::Apply => Purpose::Apply,
            StoredPurpose::Revert(ids) => Purpose::Revert(ids),
            StoredPurpose::Baseline => Purpose::Baseline,
            StoredPurpose::Restore(archive) => Purpose::Restore(archive),
        },
        tool: stored.tool,
        actor: stored.actor,
        commit: stored.commit.map(|commit| Commit { id: commit.id, dirty: commit.dirty }),
        digest: stored.description_digest,
        fingerprint_key: stored.fingerprint_key,
        started: stored.started,
        ended: stored.ended,
        outcome: stored.outcome.map(|outcome| match outcome {
            StoredOutcome::Done => Outcome::Done,
            StoredOutcome::Partial => Outcome::Partial,
            StoredOutcome::Failed => Outcome::Failed,
        }),
        tally: Tally {
            created: tally.created,
            updated: tally.updated,
            replaced: tally.replaced,
            deleted: tally.deleted,
            failed: tally.failed,
            in_doubt: tally.in_doubt,
            not_started: tally.not_started,
            requests: tally.requests,
        },
        rules: Rules {
            delete: rules.delete,
            drift: rules.drift,
            max_deletes: rules.max_deletes,
            protect: rules.protect,
            approve: rules.approve,
            freeze: rules.freeze,
        },
        // A plan is JSON: no fingerprint stands in it as a value.
        plan: stored.plan.0.to_json().unwrap_or(Json::Null),
        images: stored
            .images
            .into_iter()
            .map(|image| Image {
                address: image.address.0,
                id: image.id,
                value: image.value.0,
                paths: image.paths.into_iter().map(|path| path.0).collect(),
            })
            .collect(),
        base: stored
            .base
            .into_iter()
            .map(|entry| BaseEntry {
                address: entry.address.0,
                left: entry.left.map(|left| BaseResource { id: left.id, desired: left.desired.0, live: left.live.0 }),
            })
            .collect(),
        taken_back: stored
            .taken_back
            .into_iter()
            .map(|taken| TakenBack { address: taken.address.0, path: taken.path.0, value: taken.value.0 })
            .collect(),
    })
}

#[cfg(test)]
pub(crate) mod tests;
