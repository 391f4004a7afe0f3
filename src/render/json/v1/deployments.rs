//! Deployments: the last one in a plan, all of a tenant, and one in full.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use crate::deployment::{self, Outcome, Purpose};
use crate::render::history::HistoryView;
use crate::render::view;

/// The last deployment, in a few words.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Deployed {
    /// The beginning of its id that no other has.
    pub id: String,
    /// When it began: RFC 3339, UTC.
    pub at: String,
    /// Commit of what it deployed.
    pub commit: Option<CommitOf>,
    /// Who ran it.
    pub actor: String,
}

/// A commit of the description.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CommitOf {
    /// Its id.
    pub id: String,
    /// Whether the work tree had changes that were not committed.
    pub dirty: bool,
}

impl From<&deployment::Commit> for CommitOf {
    fn from(commit: &deployment::Commit) -> Self {
        CommitOf { id: commit.id.clone(), dirty: commit.dirty }
    }
}

impl From<&view::Deployed> for Deployed {
    fn from(deployed: &view::Deployed) -> Self {
        Deployed {
            id: deployed.id.clone(),
            at: deployed.at.to_string(),
            commit: deployed.commit.as_ref().map(CommitOf::from),
            actor: deployed.actor.clone(),
        }
    }
}

/// Deployments of a tenant: `tenantry.history/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct History {
    /// Name and version of this format.
    pub format: &'static str,
    /// Domain of the tenant.
    pub domain: String,
    /// Newest first.
    pub deployments: Vec<DeploymentLine>,
}

/// One deployment without its plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeploymentLine {
    /// Its id: a ULID.
    pub id: String,
    /// Environment.
    pub environment: String,
    /// `apply`, `revert`, `restore` or `baseline`.
    pub purpose: &'static str,
    /// For a revert, ids of the deployments it took back; else empty.
    pub took_back: Vec<String>,
    /// For a restore, the archive: the tenant it was taken of and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// Who ran it.
    pub actor: String,
    /// Commit of the description.
    pub commit: Option<CommitOf>,
    /// Version of Tenantry.
    pub tool: String,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// When it ended; null where it has not.
    pub ended: Option<String>,
    /// `done`, `partial` or `failed`; null where it has not ended.
    pub outcome: Option<&'static str>,
    /// What it did.
    pub tally: Tally,
}

/// Numbers of a deployment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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

/// One deployment in full: `tenantry.deployment/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Deployment {
    /// Name and version of this format.
    pub format: &'static str,
    /// Domain of the tenant.
    pub domain: String,
    /// What it was.
    pub deployment: DeploymentLine,
    /// Digest of the rendered description.
    pub digest: String,
    /// Addresses of the resources of which it is known how they were before.
    pub images: Vec<String>,
    /// The plan as it was shown: `tenantry.plan/1` of the version that made it.
    pub plan: Json,
}

impl From<&deployment::Deployment> for DeploymentLine {
    fn from(one: &deployment::Deployment) -> Self {
        let (purpose, took_back) = match &one.purpose {
            Purpose::Apply => ("apply", Vec::new()),
            Purpose::Revert(ids) => ("revert", ids.clone()),
            Purpose::Baseline => ("baseline", Vec::new()),
            Purpose::Restore(_) => ("restore", Vec::new()),
        };
        DeploymentLine {
            id: one.id.clone(),
            environment: one.environment.clone(),
            purpose,
            took_back,
            restored: match &one.purpose {
                Purpose::Restore(archive) => Some(archive.clone()),
                _ => None,
            },
            actor: one.actor.clone(),
            commit: one.commit.as_ref().map(CommitOf::from),
            tool: one.tool.clone(),
            started: one.started.to_string(),
            ended: one.ended.map(|ended| ended.to_string()),
            outcome: one.outcome.map(|outcome| match outcome {
                Outcome::Done => "done",
                Outcome::Partial => "partial",
                Outcome::Failed => "failed",
            }),
            tally: Tally {
                created: one.tally.created,
                updated: one.tally.updated,
                replaced: one.tally.replaced,
                deleted: one.tally.deleted,
                failed: one.tally.failed,
                in_doubt: one.tally.in_doubt,
                not_started: one.tally.not_started,
                requests: one.tally.requests,
            },
        }
    }
}

impl From<&HistoryView<'_>> for History {
    fn from(view: &HistoryView<'_>) -> Self {
        History {
            format: "tenantry.history/1",
            domain: view.domain.to_owned(),
            deployments: view.history.iter().rev().map(DeploymentLine::from).collect(),
        }
    }
}

impl From<&deployment::Deployment> for Deployment {
    fn from(one: &deployment::Deployment) -> Self {
        Deployment {
            format: "tenantry.deployment/1",
            domain: one.domain.clone(),
            deployment: DeploymentLine::from(one),
            digest: one.digest.clone(),
            images: one.images.iter().map(|image| image.address.to_string()).collect(),
            plan: one.plan.clone(),
        }
    }
}
