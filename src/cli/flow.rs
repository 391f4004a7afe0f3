//! What commands ask for and get: the seam between the command line and the work.

use tokio_util::sync::CancellationToken;

use crate::apply::{ApplyEvent, Report};
use crate::change::{Plan, Refusal};
use crate::model::Sources;
use crate::problem::Problem;
use crate::project::Flags;
use crate::render::Head;
use crate::schema::Risk;

/// Why a command stopped.
#[derive(Debug, Default)]
pub struct Failure {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Files that were read, for showing lines of them.
    pub sources: Sources,
}

/// What every command is told.
#[derive(Debug, Clone)]
pub struct Common {
    /// Which project, environment and description.
    pub flags: Flags,
    /// Share of the tenant's rate limit to use, above 0, at most 1.
    pub api_budget: f64,
}

/// What a plan is asked for.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// What every command is told.
    pub common: Common,
    /// Address patterns; empty for everything.
    pub targets: Vec<String>,
    /// Kinds whose undescribed resources go.
    pub prune: Vec<String>,
    /// Address patterns whose conflicts are settled for the files.
    pub overwrite: Vec<String>,
    /// Secrets that cannot be compared are sent.
    pub send_secrets: bool,
    /// Risks that are approved.
    pub approved: Vec<Risk>,
}

/// A plan with what guards say of it.
#[derive(Debug)]
pub struct Planned {
    /// What would be done.
    pub plan: Plan,
    /// Why it may not be applied.
    pub refusals: Vec<Refusal>,
    /// What is said first.
    pub head: Head,
    /// Warnings and notes on the way there.
    pub problems: Vec<Problem>,
    /// Files that were read.
    pub sources: Sources,
}

/// How an apply is to go about it.
#[derive(Debug)]
pub struct ApplyRequest {
    /// Changes that do not depend on a failed one go on.
    pub keep_going: bool,
    /// Stops before the next request.
    pub cancel: CancellationToken,
}

/// What an apply did.
#[derive(Debug)]
pub struct Applied {
    /// The plan.
    pub planned: Planned,
    /// What came of it.
    pub report: Report,
    /// Id of the deployment.
    pub deployment: Option<String>,
}

/// What an export is asked for.
#[derive(Debug, Clone)]
pub struct ExportRequest {
    /// What every command is told.
    pub common: Common,
    /// Where the description goes.
    pub output: std::path::PathBuf,
    /// One file instead of a folder.
    pub single: bool,
    /// JSON instead of YAML files.
    pub json: bool,
}

/// What a command found that shows nothing but problems and sentences.
#[derive(Debug, Default)]
pub struct Findings {
    /// Sentences of the answer, in order.
    pub lines: Vec<String>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Files that were read.
    pub sources: Sources,
    /// Parts could not be read.
    pub partial: bool,
}

fn not_yet(what: &str) -> Failure {
    let problem = Problem::error("not-implemented", format!("this version of tenantry cannot {what} yet"));
    Failure { problems: vec![problem], sources: Sources::default() }
}

/// Loads, renders and checks the description.
///
/// # Errors
///
/// Everything wrong with it.
pub async fn validate(_: &Common) -> Result<Findings, Failure> {
    Err(not_yet("validate"))
}

/// Says whether a deployment would find what it needs.
///
/// # Errors
///
/// Everything it would not find.
pub async fn doctor(_: &Common) -> Result<Findings, Failure> {
    Err(not_yet("examine a tenant"))
}

/// Computes a plan and asks the guards.
///
/// # Errors
///
/// Why there is no plan.
pub async fn plan(_: &PlanRequest) -> Result<Planned, Failure> {
    Err(not_yet("plan"))
}

/// Carries a plan out.
///
/// # Errors
///
/// Why it did not begin.
pub async fn apply(_: Planned, _: &ApplyRequest, _: &(dyn Fn(ApplyEvent) + Sync)) -> Result<Applied, Failure> {
    Err(not_yet("apply"))
}

/// Writes the live tenant as a description.
///
/// # Errors
///
/// Why it could not.
pub async fn export(_: &ExportRequest) -> Result<Findings, Failure> {
    Err(not_yet("export"))
}
