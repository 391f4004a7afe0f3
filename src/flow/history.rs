//! `history`: the deployments of a tenant.

use super::{Failed, Request};
use crate::deployment::{History, canonical_domain};
use crate::ledger::Ledger;
use crate::model::Sources;
use crate::problem::Problem;
use crate::project::{Settings, load_settings};

/// The deployments that are known.
pub struct FoundHistory {
    /// Them.
    pub history: History,
    /// Where they are kept, in words.
    pub place: String,
    /// Canonical domain of the tenant.
    pub domain: String,
    /// Warnings.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Reads the ledger. The tenant is not asked.
///
/// # Errors
///
/// Errors of the settings and of the ledger.
pub async fn history(request: &Request) -> Result<FoundHistory, Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let (settings, sources, mut problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let failed = |problem| Failed::one(problem, sources.clone());
    let domain = domain(&settings).map_err(failed)?;
    let ledger =
        Ledger::open(&settings.ledger_place(), &settings.root, &settings.environment, &domain).map_err(failed)?;
    let (history, told) = ledger.read().await.map_err(failed)?;
    problems.extend(told);
    Ok(FoundHistory { history, place: ledger.describe(), domain: canonical_domain(&domain), problems, sources })
}

fn domain(settings: &Settings) -> Result<String, Problem> {
    let sandbox = settings.sandbox.as_ref().map(|sandbox| sandbox.domain.clone());
    sandbox.or_else(|| settings.target.as_ref().map(|target| target.domain.clone())).ok_or_else(|| {
        Problem::error("no-tenant", format!("environment `{}` names no tenant", settings.environment))
            .help("set `domain` in the environment (AUTH0_DOMAIN without a project file), or try `--sandbox`")
    })
}
