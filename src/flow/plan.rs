//! `plan`: load, read what is live, compare, judge.

use super::{Failed, Request, Session};
use crate::change::{Plan, Refusal};
use crate::codec::Names;
use crate::description::has_errors;
use crate::guard::{self, Approved, Judgement};
use crate::live::{Reach, read};
use crate::model::{AddressPattern, Live, Sources};
use crate::plan;
use crate::problem::{Problem, Severity};
use crate::project::{DriftRule, Mode, Secrets, Settings, load_description, load_settings};
use crate::schema::Registry;

/// What a plan is asked for.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// What every story is told.
    pub base: Request,
    /// Only these resources, where any are named.
    pub targets: Vec<AddressPattern>,
    /// Kinds whose live resources are deleted where they are not described.
    pub prune: Vec<String>,
    /// Secrets that cannot be compared are sent.
    pub send_secrets: bool,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: Vec<AddressPattern>,
    /// What is approved for this run.
    pub approved: Approved,
}

/// A plan, judged, with all it takes to apply it.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What guards say against it.
    pub refusals: Vec<Refusal>,
    /// Warnings and notes found on the way.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
    /// The settings it was made with.
    pub settings: Settings,
    /// What is live.
    pub live: Live,
    /// Names of what is live.
    pub names: Names,
    /// The connection.
    pub session: Session,
}

/// Plans.
///
/// # Errors
///
/// Every error of the files at once, or the first of the network.
pub async fn plan(request: &PlanRequest) -> Result<Planned, Failed> {
    let loaded = load_settings(&request.base.flags, &request.base.around)?;
    let settings = loaded.settings;
    let mut sources = loaded.sources;
    let mut problems = loaded.warnings;
    let description = load_description(&settings, &request.base.around, Secrets::Ask)
        .await
        .map_err(|problem| Failed::one(problem, sources.clone()))?;
    sources.merge(description.sources);
    problems.extend(description.problems);
    // Whether a reference leads nowhere is known only after live was read.
    problems.retain(|problem| problem.id != "reference-not-described");
    if has_errors(&problems) {
        return Err(Failed::new(problems, sources));
    }
    let registry = Registry::get();
    if let Some(unknown) = request.prune.iter().find(|kind| registry.kind(kind).is_none()) {
        let problem = crate::description::layout::unknown_kind(unknown, registry)
            .unwrap_or_else(|| Problem::error("unknown-kind", format!("`{unknown}` is not a kind")));
        return Err(Failed::one(problem, sources));
    }
    let mut desired = description.outcome.desired;
    let session = Session::open(&settings, &request.base).await.map_err(|p| Failed::one(p, sources.clone()))?;
    problems.extend(session.client.warnings());
    let (live, names) = read(&session.client, registry, Reach::Described(&desired))
        .await
        .map_err(|p| Failed::one(p, sources.clone()))?;
    let mut broken = plan::complete(registry, &mut desired, &live, &names);
    // There a grant that asks for such a scope is left and listed.
    for problem in broken.iter_mut().filter(|p| p.id == "unknown-scope" && settings.mode == Mode::Compatibility) {
        problem.severity = Severity::Warning;
    }
    problems.extend(broken);
    let everything = settings.deletes_everything();
    let made = plan::make(
        registry,
        &desired,
        &live,
        None,
        &plan::Options {
            environment: settings.environment.clone(),
            delete_undescribed: everything,
            prune: request.prune.clone(),
            leave_refused: settings.mode == Mode::Compatibility,
            leave_removals: settings.mode == Mode::Compatibility && !everything,
            send_secrets: request.send_secrets,
            fingerprint_key: None,
            targets: request.targets.clone(),
            filters: description.outcome.filters,
            moved: settings.moved.iter().map(|m| (m.from.clone(), m.to.clone())).collect(),
            overwrite: request.overwrite.clone(),
            keep_drift: settings.policy.drift.value == DriftRule::Keep,
        },
    );
    problems.extend(plan::problems(&made));
    if has_errors(&problems) {
        session.close().await;
        return Err(Failed::new(problems, sources));
    }
    let by = Judgement {
        approved: &request.approved,
        overwrite: &request.overwrite,
        scopes: session.client.scopes(),
        own_client: session.client.client_id(),
        now: session.client.server_now(),
        ..Judgement::by_policy(&settings.policy, &live)
    };
    let refusals = guard::judge(&made, by);
    Ok(Planned { plan: made, refusals, problems, sources, settings, live, names, session })
}
