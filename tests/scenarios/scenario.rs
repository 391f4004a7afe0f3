//! The form of `scenario.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A scenario: how its sandbox is started, how the program is told, and its steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the folder shows.
    pub about: String,
    /// Subscription of the tenant; everything by default.
    pub subscription: Option<String>,
    /// No `tenantry.yaml`: everything is told as auth0-deploy-cli is.
    #[serde(default)]
    pub compatibility: bool,
    /// Members of the environment beside `domain`, as YAML text.
    #[serde(default)]
    pub environment: String,
    /// Further top-level members of the project file, as YAML text.
    #[serde(default)]
    pub project: String,
    /// Environment variables of every run.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// What it shows.
    pub about: String,
    /// Folder of the description; `step-N` by default.
    pub files: Option<String>,
    /// Requests sent before it, as somebody at the dashboard would.
    pub before: Vec<Raw>,
    /// Scopes that the deployer's grant has lost from this step on.
    pub without_scopes: Vec<String>,
    /// Environment variables of this step.
    pub env: BTreeMap<String, String>,
    /// Arguments of plan and apply.
    pub args: Vec<String>,
    /// Arguments of apply alone.
    pub apply: Vec<String>,
    /// Exit code of the plan, by default 0.
    pub plan_code: i32,
    /// Exit code of the apply, by default that of the plan.
    pub code: Option<i32>,
    /// The report of apply is part of the snapshot.
    pub report: bool,
    /// The second round is expected to find differences as well: after a refusal or a failure.
    pub unfinished: bool,
    /// What reads answer afterwards: each value is contained in the answer.
    pub after: Vec<Raw>,
}

/// A request and the answer that is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// Method and path: `PATCH /clients/{/clients?name=Shop&client_id}`, where the braces name a list, the member of the row that is
    /// meant, its value, and the member to take.
    pub send: String,
    /// Body.
    pub body: Option<Value>,
    /// What is contained in the answer.
    pub has: Option<Value>,
    /// Status, by default one of success.
    pub status: Option<u16>,
}
