//! `history`: the deployments of a tenant.

use super::{Failed, Request, Session};
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
    let domain = domain(&settings, request).await.map_err(failed)?;
    let ledger =
        Ledger::open(&settings.ledger_place(), &settings.root, &settings.environment, &domain).map_err(failed)?;
    let (history, told) = ledger.read().await.map_err(failed)?;
    problems.extend(told);
    Ok(FoundHistory { history, place: ledger.describe(), domain: canonical_domain(&domain), problems, sources })
}

/// The tenant's domain. One on this machine is known only by whose tokens it takes.
async fn domain(settings: &Settings, request: &Request) -> Result<String, Problem> {
    if let Some(sandbox) = &settings.sandbox {
        return Ok(sandbox.domain.clone());
    }
    let Some(target) = &settings.target else {
        return Err(Problem::error("no-tenant", format!("environment `{}` names no tenant", settings.environment))
            .help("set `domain` in the environment (AUTH0_DOMAIN without a project file), or try `--sandbox`"));
    };
    if !target.domain.starts_with("http") {
        return Ok(target.domain.clone());
    }
    let session = Session::open(settings, request).await?;
    let domain = session.client.domain().to_owned();
    session.close().await;
    Ok(domain)
}
