//! [`Deployment`]: the record of one apply.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::change::Action;
use crate::model::{Address, BaseResource, Path, Value};

/// The record of one apply that wrote. Secrets inside are fingerprints.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// A ULID: sorts by time.
    pub id: String,
    /// Canonical domain of the tenant.
    pub domain: String,
    /// Environment's name; in compatibility mode the domain or `sandbox`.
    pub environment: String,
    /// What it was for.
    pub purpose: Purpose,
    /// Version of Tenantry that made it.
    pub tool: String,
    /// Who ran it: a name for people.
    pub actor: String,
    /// Commit of the description; `None` outside a repository.
    pub commit: Option<Commit>,
    /// Digest of the rendered description: 64 hex digits.
    pub digest: String,
    /// Id of the key its secrets are fingerprinted with; `None` where there was no key.
    pub fingerprint_key: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; `None` while it runs, and for ever where it crashed.
    pub ended: Option<Timestamp>,
    /// How it ended; `None` likewise.
    pub outcome: Option<Outcome>,
    /// What it did.
    pub tally: Tally,
    /// The policy it was judged by.
    pub rules: Rules,
    /// The plan as shown, in the form of `plan --json`.
    pub plan: Json,
    /// Every resource it was going to touch, as it was before.
    pub images: Vec<Image>,
    /// What it left: how the base moves.
    pub base: Vec<BaseEntry>,
    /// For a revert: what it took back.
    pub taken_back: Vec<TakenBack>,
}

/// What a deployment was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// `apply`.
    Apply,
    /// `revert`: ids of the deployments it took back, newest first.
    Revert(Vec<String>),
    /// `init --baseline`: nothing was written.
    Baseline,
    /// `restore`: the archive, by the tenant it was taken of and when: `travel0.eu.auth0.com-20261122T101500Z`.
    Restore(String),
}

/// A commit of the repository that holds the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id, hexadecimal.
    pub id: String,
    /// The work tree had changes that were not committed.
    pub dirty: bool,
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was done.
    Done,
    /// Some of it was done.
    Partial,
    /// Nothing was done.
    Failed,
}

/// Numbers of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Resources created.
    pub created: usize,
    /// Resources updated.
    pub updated: usize,
    /// Resources replaced.
    pub replaced: usize,
    /// Resources deleted.
    pub deleted: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes nobody knows the end of.
    pub in_doubt: usize,
    /// Changes that were not tried.
    pub not_started: usize,
    /// Requests that wrote.
    pub requests: usize,
}

impl Tally {
    /// Counts a change that was done.
    pub fn count(&mut self, action: Action) {
        let slot = match action {
            Action::Create => &mut self.created,
            Action::Update => &mut self.updated,
            Action::Replace => &mut self.replaced,
            Action::Delete => &mut self.deleted,
        };
        *slot += 1;
    }

    /// Adds what was done before.
    pub fn add(&mut self, before: &Tally) {
        self.created += before.created;
        self.updated += before.updated;
        self.replaced += before.replaced;
        self.deleted += before.deleted;
        self.requests += before.requests;
    }
}

/// A policy as it was, in the words of the project file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Kinds that may be deleted; `all` for all.
    pub delete: Vec<String>,
    /// `fail`, `overwrite` or `keep`.
    pub drift: String,
    /// `5` or `10%`; `None` for no limit.
    pub max_deletes: Option<String>,
    /// Patterns of protected addresses.
    pub protect: Vec<String>,
    /// Risks that need approval.
    pub approve: Vec<String>,
    /// Times when nothing is applied.
    pub freeze: Vec<String>,
}

/// A resource before a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Which.
    pub address: Address,
    /// Its server id; empty for singletons and for what was not there.
    pub id: String,
    /// As it was, in the form people write it; `None` where it was not there.
    pub value: Option<Value>,
    /// The leaves the deployment was going to change: what a revert takes back. Empty for create, replace and delete.
    pub paths: Vec<Path>,
}

/// How a deployment moves the base of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseEntry {
    /// Which.
    pub address: Address,
    /// What was left of it; `None` where it is not ours any more: deleted, or gone.
    pub left: Option<BaseResource>,
}

/// Something a revert took back: applying it again is refused until somebody touches it.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenBack {
    /// Which resource.
    pub address: Address,
    /// The leaf; the root for a resource that was made, replaced or deleted.
    pub path: Path,
    /// What had been deployed there; `None` where it had been removed or deleted.
    pub value: Option<Value>,
}
