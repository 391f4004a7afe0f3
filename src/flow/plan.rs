//! `plan`: load, read what is live and what was deployed, compare, ask, judge.

use std::collections::{BTreeMap, BTreeSet};

use super::gone::with_left;
use super::half::Halves;
use super::past::Past;
use super::secrets::SecretsOfThen;
use super::targets::unmatched;
use super::then::at_commit;
use super::{Failed, Request, Session};
use crate::change::{Plan, Question, Refusal};
use crate::codec::Names;
use crate::deployment::{self, Back, Commit, Deployment, Outcome, Purpose, TakenBack};
use crate::description::{Filters, has_errors};
use crate::facts;
use crate::guard::{self, Approved, Judgement};
use crate::live::{Reach, read};
use crate::model::{Address, AddressPattern, Base, Desired, Live, Path, Sources};
use crate::plan;
use crate::problem::{Problem, Severity};
use crate::project::{DriftRule, Mode, Secrets, Settings, load_description, load_settings};
use crate::receipt::{self, Asked, Receipt};
use crate::schema::Registry;

/// What a plan is asked for.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// What every story is told.
    pub base: Request,
    /// A commit whose description is planned instead of the files; its policy and secrets are those of now.
    pub at: Option<String>,
    /// The deployment that began and did not end is carried on.
    pub resume: bool,
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
    /// What it is for.
    pub purpose: Purpose,
    /// The commit whose description is planned instead of the files: its full id.
    pub(super) at: Option<String>,
    /// The commit or deployment a revert goes back to, as named; `None` where it takes single deployments back.
    pub back_to: Option<String>,
    /// What cannot come back, in sentences; for a revert.
    pub lost: Vec<String>,
    /// What the deployments that a revert takes back made: address and server id.
    pub(super) made: Vec<(Address, String)>,
    /// What is desired only to take it back, and described by nobody; the root stands for a whole resource.
    pub(super) beside: Vec<(Address, Path)>,
    /// What is not ours any more after this: nobody describes it, and it was there before.
    pub(super) released: BTreeSet<Address>,
    /// Deployments that crashed and are at an end with this one.
    pub closes: Vec<Deployment>,
    /// What is desired.
    pub desired: Desired,
    /// Digest of what is desired, before anything live was known.
    pub digest: String,
    /// What is live.
    pub live: Live,
    /// Names of what is live.
    pub names: Names,
    /// What is known of earlier deployments.
    pub past: Past,
    /// What the plan was compared with; for a revert this is what the deployment left.
    pub base: Option<Base>,
    /// The connection.
    pub session: Session,
    /// Kinds were read whole, not only what is desired of them.
    pub(super) whole: bool,
    /// What was asked for.
    pub(super) asked: Asked,
    pub(super) approved: Approved,
    pub(super) overwrite: Vec<AddressPattern>,
}

impl Planned {
    /// Returns the plan as it is saved. `shown` is the plan as `plan --json` has it.
    pub fn receipt(&self, shown: serde_json::Value) -> Receipt {
        Receipt {
            version: receipt::VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            made: self.session.client.server_now(),
            environment: self.plan.environment.clone(),
            domain: self.plan.domain.clone(),
            commit: self.past.commit.as_ref().map(|commit| commit.id.clone()),
            asked: self.asked.clone(),
            description: self.digest.clone(),
            changes: receipt::changes_digest(&self.plan),
            rests_on: receipt::rests_on(&self.plan, &self.live),
            plan: shown,
        }
    }

    pub(super) fn judgement(&self) -> Judgement<'_> {
        Judgement {
            policy: &self.settings.policy,
            approved: &self.approved,
            overwrite: &self.overwrite,
            live: &self.live,
            scopes: self.session.client.scopes(),
            own_client: self.session.client.client_id(),
            history: &self.past.history,
            base_missing: self.past.base_missing.as_deref().filter(|_| self.settings.mode == Mode::Project),
            compatible: self.settings.mode == Mode::Compatibility,
            fingerprint_key: self.past.key.as_ref(),
            made: &self.made,
            reverting: matches!(self.purpose, Purpose::Revert(_)),
            gone_back: self.past.reverted.as_deref().map(|commit| (commit, self.past.gone_back.as_slice())),
            now: self.session.client.server_now(),
        }
    }

    /// What a revert takes back, to be refused when it comes again.
    pub(super) fn taken_back(&self) -> Vec<TakenBack> {
        match self.purpose {
            Purpose::Revert(_) => plan::taken_back(&self.plan, self.past.key.as_ref()),
            Purpose::Apply | Purpose::Baseline | Purpose::Restore(_) => Vec::new(),
        }
    }
}

/// Settings and description, before the network is asked.
pub(super) struct Described {
    pub(super) settings: Settings,
    pub(super) desired: Desired,
    pub(super) filters: Filters,
    /// What this environment leaves alone.
    pub(super) left_alone: Vec<Address>,
    pub(super) digest: String,
    pub(super) problems: Vec<Problem>,
    pub(super) sources: Sources,
}

/// Reads settings and description.
///
/// # Errors
///
/// Every error of the files at once.
pub(super) async fn describe(request: &Request) -> Result<Described, Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let settings = loaded.settings;
    let mut sources = loaded.sources;
    let mut problems = loaded.warnings;
    let description = load_description(&settings, &request.around, Secrets::Ask)
        .await
        .map_err(|problem| Failed::one(problem, sources.clone()))?;
    sources.merge(description.sources);
    problems.extend(description.problems);
    // Whether a reference leads nowhere is known only after live was read.
    problems.retain(|problem| problem.id != "reference-not-described");
    if has_errors(&problems) {
        return Err(Failed::new(problems, sources));
    }
    let desired = description.outcome.desired;
    let digest = receipt::description_digest(&desired);
    Ok(Described {
        settings,
        desired,
        filters: description.outcome.filters,
        left_alone: description.outcome.left_alone,
        digest,
        problems,
        sources,
    })
}

/// Plans.
///
/// # Errors
///
/// Every error of the files at once, or the first of the network.
pub async fn plan(request: &PlanRequest) -> Result<Planned, Failed> {
    let mut described = describe(&request.base).await?;
    let registry = Registry::get();
    if let Some(unknown) = request.prune.iter().find(|kind| registry.kind(kind).is_none()) {
        let problem = crate::description::layout::unknown_kind(unknown, registry)
            .unwrap_or_else(|| Problem::error("unknown-kind", format!("`{unknown}` is not a kind")));
        return Err(Failed::one(problem, described.sources));
    }
    let session = Session::open(&described.settings, &request.base)
        .await
        .map_err(|problem| Failed::one(problem, described.sources.clone()))?;
    let sources = described.sources.clone();
    match planned(request, &mut described, &session).await {
        Ok(made) => Ok(made.with(described, session, request)),
        Err(problems) => {
            session.close().await;
            described.problems.extend(problems);
            Err(Failed::new(described.problems, sources))
        }
    }
}

/// What comes of planning, before it is put together with what it was made from.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) live: Live,
    pub(super) names: Names,
    pub(super) past: Past,
    pub(super) at: Option<String>,
    pub(super) back: Back,
}

async fn planned(request: &PlanRequest, described: &mut Described, session: &Session) -> Result<Made, Vec<Problem>> {
    let registry = Registry::get();
    let mut problems = session.client.warnings();
    let settings = described.settings.clone();
    let mut past = Past::read(&settings, &request.base, session, &mut problems).await.map_err(|p| vec![p])?;
    let mut at = None;
    let mut back = Back::default();
    if let Some(commit) = &request.at {
        let repository = past.repository.as_ref().ok_or_else(|| vec![no_repository()])?;
        at = Some(repository.commit(commit).map_err(|p| vec![p])?);
        let then = at_commit(repository, commit, &settings, &request.base).await.map_err(|p| vec![p])?;
        let id = repository.commit(commit).map_err(|p| vec![p])?;
        described.digest = receipt::description_digest(&then.outcome.desired);
        described.desired = then.outcome.desired;
        described.filters = then.outcome.filters;
        described.sources.merge(then.sources);
        if let Some(base) = &past.base {
            let to = past.history.of_commit(&id).map(|deployment| deployment.id.as_str());
            let images = past.history.iter().flat_map(|deployment| &deployment.images);
            let secrets = SecretsOfThen::of(images, &settings, &request.base, past.key.as_ref(), &mut problems).await;
            let secret = |fingerprint: &_| secrets.get(fingerprint);
            back = deployment::back(registry, &past.history, to, &mut described.desired, base, &secret);
        }
        // What is deployed is that commit, whatever is checked out.
        past.commit = Some(Commit { id, dirty: false });
    }
    if let Some(last) = past.history.last().filter(|last| last.tally.in_doubt > 0 && !request.resume) {
        problems.push(
            Problem::warning(
                "in-doubt",
                format!("deployment {} ended without knowing whether all of it was done", last.id),
            )
            .note("what looks missing may be on its way: a second create would make a second one")
            .help(format!("look at it with `tenantry history show {}`, then `tenantry apply --resume`", last.id)),
        );
    }
    resumable(request, described, &past)?;
    let moved: Vec<(Address, Address)> = settings.moved.iter().map(|one| (one.from.clone(), one.to.clone())).collect();
    let wider = with_left(&described.desired, past.base.as_ref(), &moved);
    let (live, names) = read(&session.client, registry, Reach::Described(&wider)).await.map_err(|p| vec![p])?;
    past.recover(&settings, &request.base, session, (&live, &names), &mut problems).await.map_err(|p| vec![p])?;
    let mut broken = plan::complete(registry, &mut described.desired, &live, &names);
    // There a grant that asks for such a scope is left and listed.
    for problem in broken.iter_mut().filter(|p| p.id == "unknown-scope" && settings.mode == Mode::Compatibility) {
        problem.severity = Severity::Warning;
    }
    problems.extend(broken);
    described.problems.extend(problems);
    let options = options(request, described, &past);
    if request.at.is_none() && settings.mode == Mode::Project {
        let everything = plan::Options { targets: Vec::new(), ..options.clone() };
        let told = &mut described.problems;
        past.look_back(&settings, &request.base, (&live, &names), &everything, told).await;
    }
    let halves = Halves::read(&past, &live, &mut described.problems);
    if let Some(open) = past.history.unfinished().last().filter(|_| !request.resume) {
        described.problems.push(halves.warn(open));
    }
    let mut base = halves.onto(past.base.as_ref(), &live);
    let is_described = |address: &Address| back.beside.iter().any(|(known, path)| known == address && path.is_root());
    if let Some(base) = &mut base {
        base.resources.retain(|address, _| !back.released.contains(address) || is_described(address));
    }
    let mut made = plan::make(registry, &described.desired, &live, base.as_ref(), &options);
    halves.disown(&mut made);
    let told = unmatched(&request.targets, &described.desired, &live, past.base.as_ref());
    described.problems.extend(told);
    if request.at.is_some() {
        let stays = |(address, path): &(Address, Path)| {
            format!("`{address}`: `{path}` was described since, and no record here says what it was before: it stays")
        };
        back.lost.extend(made.released.iter().map(stays));
    } else {
        let gone = plan::let_go(&described.desired, base.as_ref(), &options);
        made.released.extend(gone.into_iter().map(|address| (address, Path::root())));
    }
    described.problems.extend(plan::problems(&made));
    if has_errors(&described.problems) {
        return Err(Vec::new());
    }
    if request.at.is_some() {
        // Who wrote the lines of now has not written those of then.
        made.questions.retain(|question| !matches!(question, Question::WhoWrote(..)));
    }
    answer(&mut made, &past, session, (&live, &names), &request.base).await;
    Ok(Made { plan: made, live, names, past, at, back })
}

/// Makes sure that there is a deployment to be carried on, and that it can be.
fn resumable(request: &PlanRequest, described: &Described, past: &Past) -> Result<(), Vec<Problem>> {
    let unfinished_one = past.history.unfinished().last();
    if !request.resume {
        return Ok(());
    }
    let partial = || past.history.last().filter(|last| last.outcome == Some(Outcome::Partial));
    let Some(open) = unfinished_one.or_else(partial) else {
        let problem = Problem::error("nothing-to-resume", "no deployment began and did not end, or ended in part")
            .help("run `tenantry apply` without --resume");
        return Err(vec![problem]);
    };
    if let Purpose::Revert(of) = &open.purpose {
        let of = of.first().map(String::as_str).unwrap_or_default();
        let problem = Problem::error("nothing-to-resume", format!("deployment {} is a revert", open.id))
            .help(format!("run `tenantry revert {of}` again: it goes on where this one stopped"));
        return Err(vec![problem]);
    }
    if let Purpose::Restore(archive) = &open.purpose {
        let problem = Problem::error("nothing-to-resume", format!("deployment {} is a restore of {archive}", open.id))
            .help("run `tenantry restore` with the same archive again: it goes on where this one stopped");
        return Err(vec![problem]);
    }
    if open.digest != described.digest {
        let problem =
            Problem::error("description-moved", format!("the description is not that of deployment {}", open.id))
                .note(open.commit.as_ref().map_or("it was made outside a repository".to_owned(), |commit| {
                    format!(
                        "it was made from commit {}{}",
                        commit.id,
                        if commit.dirty { ", with changes on top" } else { "" }
                    )
                }))
                .help("restore the files of then, or take it back with `tenantry revert`");
        return Err(vec![problem]);
    }
    Ok(())
}

pub(super) fn options(request: &PlanRequest, described: &Described, past: &Past) -> plan::Options {
    let settings = &described.settings;
    let everything = settings.deletes_everything();
    plan::Options {
        environment: settings.environment.clone(),
        delete_undescribed: everything,
        prune: request.prune.clone(),
        leave_refused: settings.mode == Mode::Compatibility,
        leave_removals: settings.mode == Mode::Compatibility && !everything,
        send_secrets: request.send_secrets,
        fingerprint_key: past.key.clone(),
        targets: request.targets.clone(),
        filters: described.filters.clone(),
        moved: settings.moved.iter().map(|m| (m.from.clone(), m.to.clone())).collect(),
        overwrite: request.overwrite.clone(),
        keep_drift: settings.policy.drift.value == DriftRule::Keep,
    }
}

/// Asks the tenant, its log and the repository what the plan wants to know.
pub(super) async fn answer(
    plan: &mut Plan,
    past: &Past,
    session: &Session,
    (live, names): (&Live, &Names),
    request: &Request,
) {
    if plan.questions.is_empty() {
        return;
    }
    let asking = facts::Asking {
        client: &session.client,
        registry: Registry::get(),
        live,
        names,
        base: past.base.as_ref(),
        since: past.history.last().and_then(|deployment| deployment.ended),
        is_ours: &|correlation, method, path| past.is_ours(correlation, method, path),
    };
    plan.facts = facts::answer(plan, asking).await;
    let lines = plan.questions.iter().filter_map(|question| match question {
        Question::WhoWrote(file, line) => Some((file.clone(), *line)),
        Question::WhoOutside(..) | Question::HowMany(_) => None,
    });
    plan.facts.ours = match &past.repository {
        Some(repository) => {
            let (repository, lines, directory) =
                (repository.clone(), lines.collect(), request.around.directory.clone());
            let asked = tokio::task::spawn_blocking(move || repository.who_wrote(&lines, &directory));
            asked.await.unwrap_or_default()
        }
        None => BTreeMap::new(),
    };
}

fn no_repository() -> Problem {
    Problem::error("no-repository", "the description stands in no git repository, so it has no commits")
        .help("run it where the repository is")
}

impl Made {
    pub(super) fn with(self, described: Described, session: Session, request: &PlanRequest) -> Planned {
        let patterns =
            |patterns: &[AddressPattern]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
        let base = self.past.base.clone();
        let mut planned = Planned {
            plan: self.plan,
            refusals: Vec::new(),
            problems: described.problems,
            sources: described.sources,
            settings: described.settings,
            purpose: Purpose::Apply,
            at: self.at,
            back_to: None,
            lost: self.back.lost,
            made: self.back.made,
            beside: self.back.beside,
            released: self.back.released,
            closes: Vec::new(),
            desired: described.desired,
            digest: described.digest,
            live: self.live,
            names: self.names,
            past: self.past,
            base,
            session,
            whole: false,
            asked: Asked {
                targets: patterns(&request.targets),
                prune: request.prune.clone(),
                overwrite: patterns(&request.overwrite),
                send_secrets: request.send_secrets,
            },
            approved: request.approved.clone(),
            overwrite: request.overwrite.clone(),
        };
        planned.refusals = guard::judge(&planned.plan, planned.judgement());
        planned
    }
}

impl Planned {
    /// Returns the unfinished deployment that applying this plan carries on.
    pub fn resumes(&self, asked: bool) -> Option<String> {
        let history = &self.past.history;
        let partial = || history.last().filter(|last| asked && last.outcome == Some(Outcome::Partial));
        let open = history.unfinished().last().or_else(partial)?;
        // A revert or a restore that stopped is carried on by the same one.
        let same = matches!(self.purpose, Purpose::Revert(_) | Purpose::Restore(_)) && open.purpose == self.purpose;
        (asked || same).then(|| open.id.clone())
    }
}
