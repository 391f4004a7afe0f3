//! `apply`: carries a judged plan out, with the lock, the journal and the ledger around it.

use std::collections::BTreeSet;

use ulid::Ulid;

use super::gone::as_left;
use super::half::unfinished;
use super::{Past, Planned, going};
use crate::apply::{self, ApplyEvent, Index, Outcome as Ended, Report, Site};
use crate::change::{Kept, Plan, Refusal};
use crate::deployment::{BaseEntry, Commit, Deployment, History, Outcome, Purpose, Tally};
use crate::guard;
use crate::journal::{self, Entries, Half, Header, Journal, done_before};
use crate::live::{Reach, read};
use crate::lock::{self, Lock, Taken};
use crate::memory::{self, Memory};
use crate::model::{
    Address, Base, BaseResource, Described, DescribedKind, Desired, Live, LiveKind, LiveResource, Path,
};
use crate::plan::{Aftermath, over, set_leaf};
use crate::problem::Problem;
use crate::receipt;
use crate::schema::Registry;

/// What applying is told besides the plan.
#[derive(Debug, Clone, Default)]
pub struct ApplyRequest {
    /// Changes that do not depend on a failed one go on.
    pub keep_going: bool,
    /// Nobody else is kept from applying at the same time.
    pub no_lock: bool,
    /// Who applies: a name for people.
    pub actor: String,
    /// The plan as `plan --json` has it, to be kept.
    pub shown: serde_json::Value,
    /// The unfinished deployment that is carried on.
    pub resumed: Option<String>,
    /// Stops before the next request.
    pub cancel: tokio_util::sync::CancellationToken,
}

/// What came of it.
#[derive(Debug)]
pub enum Applied {
    /// Guards refuse; nothing was written.
    Refused(Vec<Refusal>),
    /// The tenant moved since the plan was made: what moved. Nothing was written.
    Moved(Vec<String>),
    /// It could not begin: another holds the lock, the ledger cannot be written. Nothing was written.
    Stopped(Problem),
    /// It ran.
    Ran {
        /// Id of the deployment: a ULID.
        deployment: String,
        /// What was done.
        report: Report,
        /// What went wrong around it: the ledger, the lock, the tenant's memory.
        problems: Vec<Problem>,
    },
}

/// Applies a plan; `tell` hears of every step.
pub async fn apply(planned: Planned, request: &ApplyRequest, tell: &(dyn Fn(ApplyEvent) + Sync)) -> Applied {
    let applied = apply_open(&planned, request, tell).await;
    planned.session.close().await;
    applied
}

/// Applies a plan, and leaves the connection open.
pub(super) async fn apply_open(
    planned: &Planned,
    request: &ApplyRequest,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> Applied {
    let refusals = guard::judge(&planned.plan, planned.judgement());
    if !refusals.is_empty() {
        return Applied::Refused(refusals);
    }
    match locked(planned, request, tell).await {
        Ok(applied) => applied,
        Err(problem) => Applied::Stopped(problem),
    }
}

/// Holds the lock while the plan is applied.
async fn locked(
    planned: &Planned,
    request: &ApplyRequest,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> Result<Applied, Problem> {
    let client = &planned.session.client;
    let deployment = request.resumed.clone().unwrap_or_else(|| Ulid::generate().to_string());
    let mut problems = Vec::new();
    dead(planned, request).await?;
    // Set before the lock is taken, and kept until it is released.
    let _presence = planned.past.ledger.presence(&deployment);
    let lock = if request.no_lock {
        None
    } else {
        let owner = lock::Owner { deployment: deployment.clone(), actor: request.actor.clone() };
        let over = planned.dead(request);
        let ledger = &planned.past.ledger;
        let is_dead = |other: &str| over.as_deref() == Some(other) || (other != deployment && ledger.is_dead(other));
        match lock::take_from(client, &owner, &is_dead, lock::Terms::default()).await? {
            Taken::Locked(lock) => Some(lock),
            Taken::Unlocked(problem) => {
                problems.push(problem);
                None
            }
        }
    };
    let applied = recorded(planned, request, &deployment, lock.as_ref(), &mut problems, tell).await;
    if let Some(lock) = lock {
        problems.extend(lock.release().await);
    }
    Ok(match applied? {
        Applied::Ran { deployment, report, .. } => Applied::Ran { deployment, report, problems },
        other => other,
    })
}

/// Looks once more, writes the intent down, applies, and writes down what came of it.
async fn recorded(
    planned: &Planned,
    request: &ApplyRequest,
    id: &str,
    lock: Option<&Lock>,
    problems: &mut Vec<Problem>,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> Result<Applied, Problem> {
    let Planned { plan, live, past, session, settings, .. } = planned;
    let client = &session.client;
    let registry = Registry::get();
    let touched = touched(plan, &planned.desired, planned.base.as_ref());
    alone(planned, request).await?;
    // What was read whole is read whole again: a reference has its name only where the kind it refers to is read too.
    let kinds: BTreeSet<String> = live.kinds.keys().cloned().collect();
    let reach = if planned.whole { Reach::Whole(&kinds) } else { Reach::Described(&touched) };
    let (now, _) = read(client, registry, reach).await?;
    let moved = moved(plan, live, &now);
    if !moved.is_empty() {
        return Ok(Applied::Moved(moved));
    }
    let approved = match guard::pass(plan.clone(), planned.judgement()) {
        Ok(approved) => approved,
        Err(refusals) => return Ok(Applied::Refused(refusals)),
    };
    let earlier = request.resumed.as_ref().and_then(|id| past.history.find(id).ok());
    let whole = if planned.whole { None } else { going::whole(client, plan, live).await? };
    let mut record = Deployment {
        id: id.to_owned(),
        domain: plan.domain.clone(),
        environment: settings.environment.clone(),
        purpose: planned.purpose.clone(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        actor: request.actor.clone(),
        commit: past.commit.clone(),
        digest: planned.digest.clone(),
        fingerprint_key: past.key.as_ref().map(|key| key.id().to_owned()),
        started: earlier.map_or_else(|| client.server_now(), |earlier| earlier.started),
        ended: None,
        outcome: None,
        tally: Tally::default(),
        rules: guard::rules(&settings.policy),
        plan: earlier.map_or_else(|| request.shown.clone(), |earlier| earlier.plan.clone()),
        images: images(planned, whole.as_ref().unwrap_or(live), earlier),
        base: Vec::new(),
        taken_back: earlier.map_or_else(|| planned.taken_back(), |earlier| earlier.taken_back.clone()),
    };
    for closed in &planned.closes {
        problems.extend(past.ledger.finish(closed).await?);
    }
    problems.extend(past.ledger.begin(&record).await?);
    let path = past.ledger.journal(id);
    let (journal, first_half) = match earlier {
        Some(_) if path.is_file() => {
            let (journal, entries) = Journal::reopen(&path).await?;
            let half = journal::half(registry, &entries, &record.images, live, past.key.as_ref());
            (journal, Some((entries, half)))
        }
        _ => {
            let header = Header {
                deployment: record.id.clone(),
                domain: record.domain.clone(),
                environment: record.environment.clone(),
                digest: record.digest.clone(),
                tool: record.tool.clone(),
                started: record.started,
                fingerprint_key: record.fingerprint_key.clone(),
            };
            (Journal::create(&path, header).await?, None)
        }
    };
    let mut run = apply::Settings::new(id, request.cancel.clone());
    run.keep_going = request.keep_going;
    run.key = past.key.clone();
    let index = Index::new(planned.names.clone());
    let site = Site { client, index: &index, live, journal: Some(&journal), lock };
    let report = apply::apply(approved, site, &run, tell).await;
    if let Err(problem) = journal.flush().await {
        problems.push(problem);
    }
    let after = after(planned, &touched, reach, &report, problems).await;
    let left_alone = |address: &Address| {
        plan.left.iter().any(|left| left.address == *address && left.fields.is_empty() && left.why != Kept::Drift)
    };
    let done = |address: &Address| {
        let failed = report.changes.iter().any(|(changed, _, ended)| changed == address && *ended != Ended::Done);
        !failed && !left_alone(address)
    };
    if let Some(after) = &after {
        record.base = earlier.map(|earlier| earlier.base.clone()).unwrap_or_default();
        for mut entry in planned.aftermath(after, &planned.moved()).base(&done) {
            planned.complete(&mut entry);
            record.base.retain(|known| known.address != entry.address);
            record.base.push(entry);
        }
        planned.unmoved(&mut record, &done);
        for address in &planned.released {
            record.base.retain(|known| known.address != *address);
            record.base.push(BaseEntry { address: address.clone(), left: None });
        }
    }
    record.ended = Some(client.server_now().max(record.started));
    record.outcome = Some(outcome(&report));
    record.tally = tally(&report, first_half.as_ref());
    match past.ledger.finish(&record).await {
        Ok(told) => problems.extend(told),
        Err(problem) => problems.push(problem),
    }
    if report.wrote() || first_half.is_some_and(|(entries, _)| entries.requests() > 0) {
        let (commit, digest) = planned.runs();
        let remembered = Memory { deployment: id.to_owned(), reverted: planned.reverted(&commit), commit, digest };
        match memory::write(client, &remembered).await {
            Ok(told) => problems.extend(told),
            Err(problem) => problems.push(
                Problem::warning("not-remembered", "the tenant could not be told which deployment it runs")
                    .note(problem.title)
                    .help("a runner without this ledger cannot tell change from drift until the next deployment"),
            ),
        }
    }
    Ok(Applied::Ran { deployment: id.to_owned(), report, problems: Vec::new() })
}

impl Planned {
    /// What the deployment touches and leaves, seen with this tenant.
    fn aftermath<'a>(&'a self, live: &'a Live, moved: &'a [(Address, Address)]) -> Aftermath<'a> {
        Aftermath {
            registry: Registry::get(),
            plan: &self.plan,
            desired: &self.desired,
            live,
            before: self.base.as_ref(),
            moved,
            key: self.past.key.as_ref(),
            seal: self.past.seal.as_ref(),
        }
    }

    /// The commit and the digest of what the tenant runs after this: where a commit renders to it.
    fn runs(&self) -> (Option<String>, String) {
        let clean = |commit: &Option<Commit>| commit.as_ref().filter(|commit| !commit.dirty).map(|c| c.id.clone());
        match (&self.purpose, &self.at) {
            (_, Some(commit)) => (Some(commit.clone()), self.digest.clone()),
            (Purpose::Revert(of), None) => {
                // Where the last deployment is taken back, what the one before it deployed runs again.
                let mut applied = self.past.history.iter().rev().filter(|d| d.purpose == Purpose::Apply);
                let last = applied.next().filter(|last| of.as_slice() == [last.id.clone()]);
                match last.and_then(|_| applied.next()).filter(|before| before.outcome == Some(Outcome::Done)) {
                    Some(before) => (clean(&before.commit), before.digest.clone()),
                    None => (None, self.digest.clone()),
                }
            }
            // No commit renders to an archive.
            (Purpose::Restore(_), None) => (None, self.digest.clone()),
            (Purpose::Apply | Purpose::Baseline, None) => (clean(&self.past.commit), self.digest.clone()),
        }
    }

    /// The commit that the tenant is to remember as gone back from; `runs` is what it runs now.
    fn reverted(&self, runs: &Option<String>) -> Option<String> {
        let clean = |commit: &Option<Commit>| commit.as_ref().filter(|commit| !commit.dirty).map(|c| c.id.clone());
        let past = &self.past;
        let reverted = match &self.purpose {
            Purpose::Revert(of) => {
                let named = of.first().and_then(|id| past.history.find(id).ok()).and_then(|of| clean(&of.commit));
                let last = || past.history.last().and_then(|last| clean(&last.commit));
                named.or_else(|| past.remembered.as_ref().and_then(|r| r.commit.clone())).or_else(last)
            }
            Purpose::Apply | Purpose::Baseline | Purpose::Restore(_) => {
                // Somebody has touched it since, or wants it back.
                let touched = past.gone_back.iter().any(|taken| {
                    self.plan.changes.iter().any(|change| {
                        let overlaps = |path: &Path| path.starts_with(&taken.path) || taken.path.starts_with(path);
                        change.address == taken.address && change.fields.iter().any(|field| overlaps(&field.path))
                    })
                });
                past.reverted.clone().filter(|_| !touched && !self.approved.reverted)
            }
        };
        reverted.filter(|commit| Some(commit) != runs.as_ref())
    }

    /// Of a revert only what it took back is desired: what was described beside that still is.
    fn complete(&self, entry: &mut BaseEntry) {
        let known = self.past.base.as_ref().and_then(|base| base.resources.get(&entry.address));
        let spec = Registry::get().kind(&entry.address.kind);
        let alone = matches!(self.purpose, Purpose::Revert(_)) && self.back_to.is_none();
        if let (true, Some(known), Some(spec), Some(left)) = (alone, known, spec, &mut entry.left) {
            left.desired = over(&spec.fields, &known.desired, &left.desired);
        }
        for (_, path) in self.beside.iter().filter(|(address, path)| *address == entry.address && !path.is_root()) {
            if let (Some(spec), Some(left)) = (spec, &mut entry.left) {
                set_leaf(&spec.fields, &mut left.desired, &path.0, None);
            }
        }
    }

    /// What was written and left as the deployment before had left it (drift that was put back) is told too: a revert has to know it.
    fn unmoved(&self, record: &mut Deployment, done: &dyn Fn(&Address) -> bool) {
        let Some(base) = &self.base else { return };
        for image in record.images.iter().filter(|image| done(&image.address)) {
            let known = record.base.iter().any(|entry| entry.address == image.address);
            if let (false, Some(left)) = (known, base.resources.get(&image.address)) {
                record.base.push(BaseEntry { address: image.address.clone(), left: Some(left.clone()) });
            }
        }
    }

    fn moved(&self) -> Vec<(Address, Address)> {
        self.settings.moved.iter().map(|moved| (moved.from.clone(), moved.to.clone())).collect()
    }

    /// The crashed deployment whose lock is taken over.
    fn dead(&self, request: &ApplyRequest) -> Option<String> {
        request.resumed.clone().or_else(|| self.closes.first().map(|closed| closed.id.clone()))
    }
}

/// Makes sure that the deployments whose lock is taken over do not run: on this machine their journals tell.
async fn dead(planned: &Planned, request: &ApplyRequest) -> Result<(), Problem> {
    let closed = planned.closes.iter().map(|closed| closed.id.as_str());
    for id in closed.chain(request.resumed.as_deref()) {
        let path = planned.past.ledger.journal(id);
        if path.is_file() {
            let _ = Journal::reopen(&path).await?;
        }
    }
    Ok(())
}

/// Looks at the ledger again, now that nobody else can write: another deployment may have ended since the plan was made, or crashed.
async fn alone(planned: &Planned, request: &ApplyRequest) -> Result<(), Problem> {
    let (now, _) = planned.past.ledger.read().await?;
    let resumed = request.resumed.as_deref();
    let newest = |history: &History| history.iter().next_back().map(|deployment| deployment.id.clone());
    let closed = |id: &str| planned.closes.iter().any(|closed| closed.id == id);
    if let Some(other) = newest(&now).filter(|id| newest(&planned.past.history).is_none_or(|known| known < *id))
        && now.find(&other).is_ok_and(|other| other.outcome.is_some())
    {
        return Err(Problem::error("plan-moved", "the plan does not hold any more: nothing was written")
            .note(format!("deployment {other} was made since"))
            .help("look at a new plan: `tenantry plan`"));
    }
    match now.unfinished().find(|open| Some(open.id.as_str()) != resumed && !closed(&open.id)) {
        Some(open) => Err(unfinished(open)),
        None => Ok(()),
    }
}

/// What the deployment is going to touch, as it is before; a resumed one keeps what it saw first.
fn images(planned: &Planned, live: &Live, earlier: Option<&Deployment>) -> Vec<crate::deployment::Image> {
    let mut images = earlier.map(|earlier| earlier.images.clone()).unwrap_or_default();
    let known: BTreeSet<Address> = images.iter().map(|image| image.address.clone()).collect();
    let moved = planned.moved();
    let more = planned.aftermath(live, &moved).images();
    images.extend(more.into_iter().filter(|image| !known.contains(&image.address)));
    images
}

/// What is described of the resources that a plan changes; of what is deleted what was described.
fn touched(plan: &Plan, desired: &Desired, base: Option<&Base>) -> Desired {
    let mut out = Desired::default();
    let changed: BTreeSet<&Address> = plan.changes.iter().map(|change| &change.address).collect();
    for change in &plan.changes {
        let kind = out.kinds.entry(change.address.kind.clone()).or_insert_with(DescribedKind::default);
        let described = desired.kinds.get(&change.address.kind);
        let found = described.into_iter().flat_map(|kind| &kind.resources).find(|r| r.address == change.address);
        match found.filter(|r| changed.contains(&r.address)) {
            // By its id too: until it is written the tenant may know it by another name.
            Some(found) => {
                let id = found.id.clone().or_else(|| change.id.clone().filter(|id| !id.is_empty()));
                kind.resources.push(Described { id, ..found.clone() });
            }
            None => {
                let same = |(_, left): &(&Address, &BaseResource)| change.id.as_ref() == Some(&left.id);
                let mut left =
                    base.into_iter().flat_map(|base| &base.resources).filter(|(a, _)| a.kind == change.address.kind);
                kind.resources.extend(left.find(same).map(|(address, left)| as_left(address, left)));
            }
        }
    }
    out
}

/// Returns what is another than when the plan was made.
fn moved(plan: &Plan, before: &Live, now: &Live) -> Vec<String> {
    let (before, now) = (receipt::rests_on(plan, before), receipt::rests_on(plan, now));
    let differs = before.iter().filter(|(address, digest)| now.get(*address) != Some(*digest));
    differs.map(|(address, _)| format!("`{address}` was changed since the plan was made")).collect()
}

/// Reads back what was touched; the rest is as it was. `None` where that fails: then the base stays.
async fn after(
    planned: &Planned,
    touched: &Desired,
    reach: Reach<'_>,
    report: &Report,
    problems: &mut Vec<Problem>,
) -> Option<Live> {
    let mut live = planned.live.clone();
    if !report.wrote() {
        return Some(live);
    }
    let read = read(&planned.session.client, Registry::get(), reach).await;
    let (found, _) = match read {
        Ok(found) => found,
        Err(problem) => {
            problems.push(
                Problem::warning("not-read-back", "what was deployed could not be read back")
                    .note(problem.title)
                    .help("run `tenantry plan`: what this deployment changed is of unknown origin there"),
            );
            return None;
        }
    };
    for (kind, found) in found.kinds {
        let described: BTreeSet<&Address> =
            touched.kinds.get(&kind).into_iter().flat_map(|kind| &kind.resources).map(|r| &r.address).collect();
        let LiveKind::Read(found) = found else { continue };
        if let Some(LiveKind::Read(known)) = live.kinds.get_mut(&kind) {
            let there: BTreeSet<_> = found.iter().map(key).collect();
            // Deleted ones are gone; those that were only listed keep what was read of them in detail.
            known.retain(|resource| there.contains(&key(resource)));
            for resource in found.iter().cloned() {
                put(known, resource, &described);
            }
        }
    }
    Some(live)
}

/// What tells a resource of a kind from the others: its id, else its address.
fn key(resource: &LiveResource) -> (&str, Option<&Address>) {
    (&resource.id, Some(&resource.address).filter(|_| resource.id.is_empty()))
}

fn put(known: &mut Vec<LiveResource>, resource: LiveResource, described: &BTreeSet<&Address>) {
    match known.iter_mut().find(|other| key(other) == key(&resource)) {
        Some(other) if described.contains(&resource.address) => *other = resource,
        Some(_) => {}
        None => known.push(resource),
    }
}

fn outcome(report: &Report) -> Outcome {
    match (report.complete(), report.wrote()) {
        (true, _) => Outcome::Done,
        (false, true) => Outcome::Partial,
        (false, false) => Outcome::Failed,
    }
}

/// Counts what was done, in the first half of a resumed deployment too.
fn tally(report: &Report, first_half: Option<&(Entries, Half)>) -> Tally {
    let mut tally = Tally { requests: report.requests, ..Tally::default() };
    for (address, action, ended) in &report.changes {
        match ended {
            // What the first half made was made, though the rest of it is an update.
            Ended::Done => tally.count(first_half.and_then(|(entries, _)| entries.made_as(address)).unwrap_or(*action)),
            Ended::Failed(_) => tally.failed += 1,
            Ended::InDoubt(_) => tally.in_doubt += 1,
            Ended::NotStarted => tally.not_started += 1,
        }
    }
    if let Some((entries, half)) = first_half {
        let again = report.changes.iter().map(|(address, ..)| address).collect();
        tally.add(&done_before(entries, half, &again));
        tally.requests += entries.requests();
    }
    tally
}

/// Says who applies: a name given to pipelines, else that of the repository, else of the system.
pub fn actor(past: &Past, env: &std::collections::BTreeMap<String, String>) -> String {
    let named = |name: &&str| env.get(*name).filter(|value| !value.trim().is_empty()).cloned();
    let pipeline = ["TENANTRY_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"].iter().find_map(named);
    let repository = || past.repository.as_ref().and_then(|repository| repository.actor());
    pipeline
        .or_else(repository)
        .or_else(|| ["USER", "USERNAME"].iter().find_map(named))
        .unwrap_or_else(|| "somebody".to_owned())
}
