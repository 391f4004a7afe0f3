//! `drift`: what was changed outside since the last deployment, and who did it.

use std::collections::BTreeSet;

use super::half::Halves;
use super::past::Past;
use super::plan::{answer, describe};
use super::targets::unmatched;
use super::{Failed, Request, Session};
use crate::change::Plan;
use crate::live::{Reach, read};
use crate::model::{Address, AddressPattern, Base, BaseResource, Described, Desired, Live, LiveKind, Loci, Sources};
use crate::plan::{self, mask, with_absent};
use crate::problem::Problem;
use crate::schema::Registry;

/// What drift is asked for.
#[derive(Debug, Clone)]
pub struct DriftRequest {
    /// What every story is told.
    pub base: Request,
    /// Only these resources, where any are named.
    pub targets: Vec<AddressPattern>,
    /// Everything that can be read, not only what is described.
    pub all: bool,
}

/// What was found.
pub struct Drifted {
    /// A plan that would take all drift back; nobody applies it. Its changes are the drift, its facts the names.
    pub plan: Plan,
    /// Resources that nobody described; only where everything was asked for.
    pub strangers: Vec<Address>,
    /// What is known of earlier deployments.
    pub past: Past,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
    /// What time the tenant has.
    pub now: jiff::Timestamp,
}

/// Compares the tenant with what the last deployment left.
///
/// # Errors
///
/// `no-deployment` where none is known; those of the files, the ledger and the network.
pub async fn drift(request: &DriftRequest) -> Result<Drifted, Failed> {
    let mut described = describe(&request.base).await?;
    let sources = described.sources.clone();
    let session = Session::open(&described.settings, &request.base)
        .await
        .map_err(|problem| Failed::one(problem, sources.clone()))?;
    let mut problems = std::mem::take(&mut described.problems);
    let found = compared(request, &described, &session, &mut problems).await;
    let now = session.client.server_now();
    session.close().await;
    let (plan, strangers, past) = match found {
        Ok(found) => found,
        Err(problem) => {
            problems.push(problem);
            return Err(Failed::new(problems, sources));
        }
    };
    Ok(Drifted { plan, strangers, past, problems, sources, now })
}

async fn compared(
    request: &DriftRequest,
    described: &super::plan::Described,
    session: &Session,
    problems: &mut Vec<Problem>,
) -> Result<(Plan, Vec<Address>, Past), Problem> {
    let registry = Registry::get();
    let settings = &described.settings;
    problems.extend(session.client.warnings());
    let mut past = Past::read(settings, &request.base, session, problems).await?;
    let asked = past.base.as_ref().map(|base| was(base, described, request.all)).unwrap_or_default();
    let every: BTreeSet<String> =
        registry.names().filter(|kind| settings.filters.covers_kind(kind)).map(str::to_owned).collect();
    let reach = if request.all { Reach::Whole(&every) } else { Reach::Described(&asked.0) };
    let (mut live, mut names) = read(&session.client, registry, reach).await?;
    let known = past.base.is_some();
    past.recover(settings, &request.base, session, (&live, &names), problems).await?;
    let halves = Halves::read(&past, &live, problems);
    if let Some(open) = past.history.unfinished().last() {
        problems.push(halves.warn(open));
    }
    let Some(base) = halves.onto(past.base.as_ref(), &live) else { return Err(nothing_known(&past)) };
    let (desired, base) = was(&base, described, request.all);
    if !known && !request.all {
        (live, names) = read(&session.client, registry, Reach::Described(&desired)).await?;
    }
    let (mut desired, mut base) = (desired, base);
    if request.all {
        as_empty(&mut desired, &mut base, &live);
    }
    problems.extend(unmatched(&request.targets, &desired, &live, past.base.as_ref()));
    let options = plan::Options {
        environment: settings.environment.clone(),
        targets: request.targets.clone(),
        fingerprint_key: past.key.clone(),
        filters: described.filters.clone(),
        ..plan::Options::default()
    };
    let mut plan = plan::make(registry, &desired, &live, Some(&base), &options);
    let mut strangers = if request.all { strangers(&plan, &live, &desired) } else { Vec::new() };
    strangers.retain(|address| !halves.made(address));
    answer(&mut plan, &past, session, (&live, &names), &request.base).await;
    Ok((plan, strangers, past))
}

/// What the last deployment left, as if it were desired; cut down to what was described then unless everything is asked for.
fn was(base: &Base, described: &super::plan::Described, all: bool) -> (Desired, Base) {
    let registry = Registry::get();
    let mut desired = Desired::default();
    let mut left = Base::default();
    for (address, resource) in &base.resources {
        let Some(spec) = registry.kind(&address.kind) else { continue };
        if !described.filters.covers_kind(&address.kind) || !described.filters.covers(address, &resource.live) {
            continue;
        }
        let value = if all { resource.live.clone() } else { mask(&spec.fields, &resource.desired, &resource.live) };
        let kind = desired.kinds.entry(address.kind.clone()).or_default();
        kind.resources.push(Described {
            address: address.clone(),
            id: (!resource.id.is_empty()).then(|| resource.id.clone()),
            value: value.clone(),
            loci: Loci::default(),
        });
        let as_left = BaseResource { desired: value, ..resource.clone() };
        left.resources.insert(address.clone(), as_left);
    }
    (desired, left)
}

/// What had no value then and has one now is drift as well, where everything is asked for.
fn as_empty(desired: &mut Desired, base: &mut Base, live: &Live) {
    for (kind, was) in &mut desired.kinds {
        let Some(spec) = Registry::get().kind(kind) else { continue };
        for resource in &mut was.resources {
            let is_it = |live: &&crate::model::LiveResource| match &resource.id {
                Some(id) => live.id == *id,
                None => live.address == resource.address,
            };
            let Some(live) = live.resources(kind).iter().find(is_it) else { continue };
            resource.value = with_absent(&spec.fields, &resource.value, &live.value);
            if let Some(left) = base.resources.get_mut(&resource.address) {
                left.desired = resource.value.clone();
            }
        }
    }
}

/// Live resources that no deployment made, of every kind.
fn strangers(plan: &Plan, live: &Live, desired: &Desired) -> Vec<Address> {
    let mut out = plan.unmanaged.resources.clone();
    for (kind, found) in &live.kinds {
        if let (false, LiveKind::Read(found)) = (desired.kinds.contains_key(kind), found) {
            let own = found.iter().filter(|resource| resource.system.is_none() && resource.address.name.is_some());
            out.extend(own.map(|resource| resource.address.clone()));
        }
    }
    out.sort();
    out
}

fn nothing_known(past: &Past) -> Problem {
    Problem::error("no-deployment", "no deployment of this tenant is recorded, so there is nothing to compare it with")
        .note(format!("the ledger is {}", past.ledger.describe()))
        .help("record the tenant as it is with `tenantry init --baseline`, or deploy with `tenantry apply`")
}
