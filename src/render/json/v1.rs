//! Version 1 of the JSON outputs: structs of their own, so that a change inside Tenantry never changes an output.
//!
//! Secrets appear as where they come from. Numbers of an enum never appear; words do.

mod backups;
mod compare;
mod convert;
mod deployments;
mod outside;
mod restore;

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value as Json, json};

pub use backups::{Archive, Backup, BackupLine, Backups, NotRestorable, UnreadPart, VerifiedBackup};
pub use compare::{
    Compare, ComparedAmbiguous, ComparedCounts, ComparedField, ComparedResource, ComparedSide, ComparedUnreadable,
    ComparedVariable, Expected,
};
pub use convert::problems_of;
pub use deployments::{CommitOf, Deployed, Deployment, DeploymentLine, History, Tally};
pub use outside::{
    AddedResource, Adopt, AdoptedFile, AdoptedLeft, Blame, Drift, DriftCounts, Drifted, DriftedField, MovedEnvironment,
    Updated,
};
pub use restore::{
    ArchiveOf, Assignments, ConnectionUsers, Given, LeftOut, Mention, MissingSecret, NewId, NotImported, RefusedUser,
    Rehearsal, Restore, Users,
};

/// Writes a document as pretty JSON with a line end.
pub fn text<T: Serialize>(document: &T) -> String {
    // These structs hold nothing that JSON cannot say.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// A plan: `tenantry.plan/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Plan {
    /// Name and version of this format.
    pub format: &'static str,
    /// Environment; empty without a project file.
    pub environment: String,
    /// Domain of the tenant.
    pub domain: String,
    /// Commit of the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the work tree had changes that are not committed; missing where no commit is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// The last deployment; missing where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// Whether a deployment of this tenant is known, so that change can be told from drift.
    pub has_base: bool,
    /// Whether a write is due.
    pub has_changes: bool,
    /// For a revert, what cannot come back, in sentences; else empty.
    pub cannot_come_back: Vec<String>,
    /// What would be done, in order.
    pub changes: Vec<Change>,
    /// Differences left as they are.
    pub left: Vec<Left>,
    /// What is live and not described.
    pub unmanaged: Unmanaged,
    /// Secrets that cannot be compared.
    pub secrets: Vec<Secret>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Described kinds that this tenant lacks.
    pub skipped: Vec<Skipped>,
    /// Addresses of described resources that are as they should be.
    pub unchanged: Vec<String>,
    /// What was changed outside since the last deployment, read their way, and what this plan does about it.
    pub drifted: Vec<Drifted>,
    /// Fields that somebody already set outside as the description now has them.
    pub already: Vec<Leaf>,
    /// Fields that were described at the last deployment and no longer are: live stays as it is.
    pub released: Vec<Leaf>,
    /// Why the plan may not be applied; empty where it may.
    pub refusals: Vec<Refusal>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Numbers.
    pub counts: Counts,
    /// What applying costs.
    pub forecast: Forecast,
}

/// What happens to one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Change {
    /// Its address.
    pub address: String,
    /// Its kind.
    pub kind: String,
    /// Its name; null for a kind with one resource.
    pub name: Option<String>,
    /// Its id, where it exists.
    pub id: Option<String>,
    /// `create`, `update`, `replace` or `delete`.
    pub action: &'static str,
    /// Whose a create, replace or delete is: `change`, `drift`, `conflict` or `unknown`; an update is told by its fields,
    /// but for a resource that was deleted and made anew outside (`conflict`).
    pub origin: &'static str,
    /// `safe`, `caution`, `destructive` or `irreversible`.
    pub risk: &'static str,
    /// Why, for people.
    pub reasons: Vec<String>,
    /// How many it hits.
    pub effects: Vec<Effect>,
    /// Who changed the resource as a whole outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Blame>,
    /// Who wrote where it is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Addresses of what is deleted along.
    pub cascades: Vec<String>,
    /// Where it is described.
    pub place: Option<Place>,
    /// Field by field.
    pub fields: Vec<Field>,
    /// Requests, in order.
    pub requests: Vec<Request>,
    /// Addresses of the changes that come first.
    pub after: Vec<String>,
    /// Secrets that have to be sent and are not known.
    pub missing_secrets: Vec<String>,
}

/// One difference inside a resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Field {
    /// Where: `options.attributes.email`, `scopes[read:orders].description`.
    pub path: String,
    /// `value`, `item`, `text` or `secret`.
    pub how: &'static str,
    /// What is live. Missing where there is nothing; `(live)` for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    /// What will be. Missing where there will be nothing; `(SOURCE)` for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
    /// `change`, `drift`, `conflict` or `unknown`.
    pub origin: &'static str,
    /// How dangerous.
    pub risk: &'static str,
    /// Why it is dangerous, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where the description says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Who changed it outside, for drift and conflicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Blame>,
    /// Who wrote the line that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// Whether the resource has to be made anew for it.
    pub forces_replace: bool,
}

/// A field of a resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Leaf {
    /// Which resource.
    pub address: String,
    /// Which field; empty for the whole.
    pub path: String,
}

/// Who wrote a line of the description.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Commit; missing where the line is not committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// How many a change hits.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Effect {
    /// How many; null where the API cannot tell.
    pub count: Option<u64>,
    /// Whether there are at least so many.
    pub at_least: bool,
    /// The whole sentence.
    pub text: String,
}

/// A place in a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Place {
    /// File.
    pub file: String,
    /// Line, 1-based.
    pub line: u32,
    /// Column, 1-based.
    pub column: u32,
}

/// One request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Request {
    /// Verb.
    pub method: &'static str,
    /// Path below `/api/v2`.
    pub path: String,
}

/// A difference left as it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Left {
    /// Which resource.
    pub address: String,
    /// `delete-not-allowed`, `system`, `own`, `ambiguous`, `create-only`, `immutable`, `refers-to-unsupported-kind`,
    /// `would-be-refused` or `drift-kept`.
    pub reason: &'static str,
    /// The reason for people.
    pub words: String,
    /// Field by field; empty for a delete.
    pub fields: Vec<Field>,
}

/// What is live and not described.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Unmanaged {
    /// Kinds nobody describes.
    pub kinds: Vec<String>,
    /// Addresses of resources nobody describes.
    pub resources: Vec<String>,
}

/// A secret that cannot be compared.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Secret {
    /// Of which resource.
    pub address: String,
    /// Which field.
    pub path: String,
    /// Where its value would come from.
    pub source: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Unreadable {
    /// A kind, or a member of a resource.
    pub what: String,
    /// Scopes any of which would do; empty where the feature is lacking.
    pub scopes: Vec<String>,
    /// Why, for people.
    pub words: String,
}

/// A described kind that the tenant lacks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Skipped {
    /// Kind.
    pub kind: String,
    /// Described resources.
    pub resources: usize,
    /// The API's words.
    pub words: String,
}

/// Why a plan may not be applied.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refusal {
    /// Stable id of the guard.
    pub guard: &'static str,
    /// What it is about.
    pub address: Option<String>,
    /// What is wrong, and the way through.
    pub problem: Problem,
}

/// Something wrong, or worth knowing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    /// Stable id.
    pub id: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// What happened.
    pub title: String,
    /// Where, with what is there.
    pub labels: Vec<Label>,
    /// Facts.
    pub notes: Vec<String>,
    /// Next steps.
    pub help: Vec<String>,
}

/// A place with what is to be said of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Label {
    /// The place.
    #[serde(flatten)]
    pub place: Place,
    /// What is there; may be empty.
    pub text: String,
}

/// Numbers of a plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Counts {
    /// Changes by action; actions without any are missing.
    pub actions: BTreeMap<&'static str, usize>,
    /// Described resources that are as they should be.
    pub unchanged: usize,
    /// Secrets that cannot be compared.
    pub secrets_not_comparable: usize,
    /// Resources with drift, kept drift among them.
    pub drifted: usize,
    /// Resources with a conflict.
    pub conflicts: usize,
    /// Differences left as they are.
    pub left: usize,
    /// Kinds nobody describes.
    pub unmanaged_kinds: usize,
    /// Resources of described kinds that nobody describes.
    pub unmanaged_resources: usize,
}

/// What applying costs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Forecast {
    /// Requests that write.
    pub requests: usize,
    /// Longest chain of requests that wait for each other.
    pub depth: usize,
    /// Estimated seconds.
    pub seconds: u64,
}

/// Problems alone: `tenantry.problems/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problems {
    /// Name and version of this format.
    pub format: &'static str,
    /// Sorted by place.
    pub problems: Vec<Problem>,
}

/// What an apply did: `tenantry.apply/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Apply {
    /// Name and version of this format.
    pub format: &'static str,
    /// Id of the deployment; missing where nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Whether every change was done.
    pub complete: bool,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Requests that wrote and were sent.
    pub requests: usize,
    /// Those of them that failed: they changed nothing.
    pub failed_requests: usize,
    /// Fields nobody described that the API changed along.
    pub side_effects: Vec<Leaf>,
    /// What is worth knowing of changes though they were done.
    pub notes: Vec<ApplyNote>,
    /// What went wrong around it: the ledger, the lock, what the tenant remembers.
    pub problems: Vec<Problem>,
    /// Commands that go on from here; none after a full success.
    pub next: Vec<String>,
    /// Every change of the plan, in its order.
    pub changes: Vec<Applied>,
    /// The plan that was applied.
    pub plan: Plan,
}

/// Something worth knowing of a change though it was done.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ApplyNote {
    /// Which resource.
    pub address: String,
    /// What.
    pub problem: Problem,
}

/// How one change ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Applied {
    /// Which.
    pub address: String,
    /// What.
    pub action: &'static str,
    /// `done`, `failed`, `in-doubt` or `not-started`.
    pub outcome: &'static str,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// A description that holds: `tenantry.validate/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Validated {
    /// `tenantry.validate/1`.
    pub format: &'static str,
    /// Per environment the described resources per kind.
    pub environments: BTreeMap<String, BTreeMap<String, usize>>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
}

/// What `doctor` found: `tenantry.doctor/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Doctor {
    /// Name and version of this format.
    pub format: &'static str,
    /// Environment.
    pub environment: String,
    /// Whether a deployment can begin.
    pub ready: bool,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
    /// Warnings of the files.
    pub problems: Vec<Problem>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// `ready`, `warning` or `failed`.
    pub verdict: &'static str,
    /// What was found.
    pub found: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

/// What an export wrote: `tenantry.export/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Export {
    /// Name and version of this format.
    pub format: &'static str,
    /// Files that were written: of a new description relative to its folder, with `/`.
    pub files: Vec<String>,
    /// Names of the secrets that the files ask for.
    pub secrets: Vec<String>,
    /// What became of a description that was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Updated>,
    /// What was left out and why.
    pub problems: Vec<Problem>,
}

/// Returns the JSON Schema (draft 2020-12) of every document that `--json` prints, told apart by their `format`.
pub fn schema() -> Json {
    type Of = fn(&mut SchemaGenerator) -> Schema;
    let documents: &[(&str, Of)] = &[
        ("tenantry.plan/1", |g| g.subschema_for::<Plan>()),
        ("tenantry.apply/1", |g| g.subschema_for::<Apply>()),
        ("tenantry.problems/1", |g| g.subschema_for::<Problems>()),
        ("tenantry.validate/1", |g| g.subschema_for::<Validated>()),
        ("tenantry.doctor/1", |g| g.subschema_for::<Doctor>()),
        ("tenantry.export/1", |g| g.subschema_for::<Export>()),
        ("tenantry.drift/1", |g| g.subschema_for::<Drift>()),
        ("tenantry.adopt/1", |g| g.subschema_for::<Adopt>()),
        ("tenantry.compare/1", |g| g.subschema_for::<Compare>()),
        ("tenantry.history/1", |g| g.subschema_for::<History>()),
        ("tenantry.deployment/1", |g| g.subschema_for::<Deployment>()),
        ("tenantry.backup/1", |g| g.subschema_for::<Backup>()),
        ("tenantry.backup-verified/1", |g| g.subschema_for::<VerifiedBackup>()),
        ("tenantry.backups/1", |g| g.subschema_for::<Backups>()),
        ("tenantry.restore/1", |g| g.subschema_for::<Restore>()),
        ("tenantry.rehearsal/1", |g| g.subschema_for::<Rehearsal>()),
    ];
    let mut generator = SchemaGenerator::default();
    let mut alternatives = Vec::new();
    for (format, of) in documents {
        let mut alternative = json!({"properties": {"format": {"const": format}}, "required": ["format"]});
        if let (Json::Object(into), Json::Object(from)) = (&mut alternative, of(&mut generator).to_value()) {
            into.extend(from);
        }
        alternatives.push(alternative);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What tenantry --json prints",
        "oneOf": alternatives,
        "$defs": generator.take_definitions(true),
    })
}
