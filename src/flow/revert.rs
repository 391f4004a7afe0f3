//! `revert`: the desired state that takes a deployment back, planned, judged and applied like any other.

use std::collections::BTreeMap;

use super::along;
use super::past::Past;
use super::plan::{PlanRequest, Planned, answer, plan as plan_files};
use super::secrets::SecretsOfThen;
use super::{Failed, Session};
use crate::change::{Action, Blame, Certainty, Change, Origin, Plan, Question, Unmanaged};
use crate::deployment::{BaseEntry, Deployment, Outcome, Purpose, Undo, undo};
use crate::guard::{self, Approved};
use crate::journal;
use crate::live::{Reach, read};
use crate::model::{Address, BaseResource, Live, Path, Sources, Value};
use crate::plan::{self, lookup};
use crate::problem::Problem;
use crate::project::{Settings, load_settings};
use crate::receipt::{self, Asked};
use crate::schema::Registry;

/// What is to be taken back.
#[derive(Debug, Clone)]
pub enum Back {
    /// The last deployment.
    Last,
    /// This deployment: an id, or a prefix of one.
    Deployment(String),
    /// Everything since: a commit, or a deployment whose commit is meant.
    To(String),
}

/// Plans a revert. Nothing else of `request` than its patterns and approvals counts, unless it goes back to a commit.
///
/// # Errors
///
/// `no-deployment`, `unknown-deployment`, and those of [`plan`](super::plan()).
pub async fn revert(request: &PlanRequest, back: &Back) -> Result<Planned, Failed> {
    if let Back::To(to) = back {
        return to_commit(request, to).await;
    }
    let loaded = load_settings(&request.base.flags, &request.base.around)?;
    let (settings, sources, mut problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let session =
        Session::open(&settings, &request.base).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    let made = undone(request, back, &settings, &session, &mut problems).await;
    match made {
        Ok(made) => {
            let named = matches!(back, Back::Deployment(_));
            Ok(planned(made, request, named, settings, session, problems, sources))
        }
        Err(problem) => {
            session.close().await;
            Err(Failed::one(problem, sources))
        }
    }
}

/// Plans the files of then: everything since is taken back.
async fn to_commit(request: &PlanRequest, to: &str) -> Result<Planned, Failed> {
    let mut wanted = PlanRequest { at: Some(to.to_owned()), ..request.clone() };
    let looks_like_an_id = to.len() >= 4 && to.starts_with("01") && to.chars().all(|c| c.is_ascii_alphanumeric());
    let mut taken = Vec::new();
    if looks_like_an_id && let Some((commit, since)) = commit_of(request, to).await? {
        wanted.at = Some(commit);
        taken = since;
    }
    let mut planned = plan_files(&wanted).await?;
    planned.purpose = Purpose::Revert(taken);
    planned.back_to = Some(to.to_owned());
    let anew: Vec<String> = planned.plan.changes.iter().filter_map(|change| anew(change, &planned.past)).collect();
    planned.lost.extend(anew);
    planned.refusals = guard::judge(&planned.plan, planned.judgement());
    Ok(planned)
}

/// Says that a resource comes back under another id.
fn anew(change: &Change, past: &Past) -> Option<String> {
    let spec = Registry::get().kind(&change.address.kind)?;
    let mut images = past.history.iter().rev().flat_map(|d| &d.images).filter(|image| image.address == change.address);
    let image = images.find(|image| change.action == Action::Create && !image.id.is_empty())?;
    let why = spec.delete_why.iter().map(|why| format!("; {why}")).collect::<String>();
    Some(format!("`{}` is made anew: its id was {} and will be another{why}", change.address, image.id))
}

/// Finds the commit of a deployment, and the deployments since; `None` where no deployment has this id.
async fn commit_of(request: &PlanRequest, id: &str) -> Result<Option<(String, Vec<String>)>, Failed> {
    let found = super::history::history(&request.base).await?;
    let Ok(deployment) = found.history.find(id) else { return Ok(None) };
    let Some(commit) = &deployment.commit else {
        let problem =
            Problem::error("commit-missing", format!("deployment {} was made outside a repository", deployment.id))
                .help("name a commit instead: `tenantry revert --to COMMIT`");
        return Err(Failed::one(problem, found.sources));
    };
    let since = found.history.iter().rev().map(|d| d.id.clone()).take_while(|other| *other != deployment.id).collect();
    Ok(Some((commit.id.clone(), since)))
}

struct Undone {
    plan: crate::change::Plan,
    of: Deployment,
    closes: Vec<Deployment>,
    undo: Undo,
    live: Live,
    names: crate::codec::Names,
    past: Past,
}

async fn undone(
    request: &PlanRequest,
    back: &Back,
    settings: &Settings,
    session: &Session,
    problems: &mut Vec<Problem>,
) -> Result<Undone, Problem> {
    let registry = Registry::get();
    problems.extend(session.client.warnings());
    let mut past = Past::read(settings, &request.base, session, problems).await?;
    let mut closes = Vec::new();
    let mut of = chosen(&past, back)?.clone();
    let kinds = of.images.iter().map(|image| image.address.kind.clone()).collect();
    let (live, names) = read(&session.client, registry, Reach::Whole(&kinds)).await?;
    if of.outcome.is_none() {
        of.base = crashed(&past, &of, &live)?;
        of.ended = Some(session.client.server_now());
        of.outcome = Some(Outcome::Partial);
        closes.push(of.clone());
    }
    if of.outcome != Some(Outcome::Done)
        && let Some(path) = past.ledger.find_journal(&of.id)?
    {
        along::restore(&mut of, &journal::read(&path)?, &live, past.key.as_ref());
    }
    let secrets = SecretsOfThen::of(&of.images, settings, &request.base, past.key.as_ref(), problems).await;
    let undo = undo(registry, &of, &|fingerprint| secrets.get(fingerprint));
    let options = plan::Options {
        environment: settings.environment.clone(),
        targets: request.targets.clone(),
        overwrite: request.overwrite.clone(),
        keep_drift: true,
        fingerprint_key: past.key.clone(),
        ..plan::Options::default()
    };
    let mut desired = undo.desired.clone();
    problems.extend(plan::complete(registry, &mut desired, &live, &names));
    let mut made = plan::make(registry, &desired, &live, Some(&undo.base), &options);
    problems.extend(plan::problems(&made));
    if let Some(error) = problems.iter().position(Problem::is_error) {
        return Err(problems.swap_remove(error));
    }
    // Whatever else there is has nothing to do with it.
    made.unmanaged = Unmanaged::default();
    let later = later(&mut made, &past, &of, &live);
    answer(&mut made, &past, session, (&live, &names), &request.base).await;
    for (address, blames) in later {
        made.facts.outside.entry(address).or_default().extend(blames);
    }
    past.base_missing = None;
    Ok(Undone { plan: made, of, closes, undo: Undo { desired, ..undo }, live, names, past })
}

/// Finds what a later deployment of ours moved: nobody is to be asked for it, and it is called by that deployment.
fn later(plan: &mut Plan, past: &Past, of: &Deployment, live: &Live) -> BTreeMap<Address, BTreeMap<Path, Blame>> {
    let mut out: BTreeMap<Address, BTreeMap<Path, Blame>> = BTreeMap::new();
    for change in &plan.changes {
        let Some(spec) = Registry::get().kind(&change.address.kind) else { continue };
        let base = past.base.as_ref().and_then(|base| base.resources.get(&change.address));
        let mut found = live.resources(&change.address.kind).iter();
        let now = found.find(|l| change.id.as_ref().map_or(l.address == change.address, |id| l.id == *id));
        let conflicts = change.fields.iter().filter(|field| field.origin == Origin::Conflict);
        let mut paths: Vec<Path> = match change.action {
            Action::Update => conflicts.map(|field| field.path.clone()).collect(),
            _ => Vec::new(),
        };
        if change.origin == Origin::Conflict {
            paths.push(Path::root());
        }
        for path in paths {
            let at =
                |value: &Value| lookup(&spec.fields, value, &path).map(|leaf| leaf.fingerprinted(past.key.as_ref()));
            // What is live is not what our last deployment left: somebody else was there after it.
            if base.and_then(|base| at(&base.live)) != now.and_then(|now| at(&now.value)) {
                continue;
            }
            let Some(deployment) = past.history.touched_since(&of.id, &change.address, &path) else { continue };
            let blame = Blame {
                certainty: Certainty::Exact,
                who: Some(deployment.actor.clone()),
                through: Some(format!("deployment {}", guard::short_id(&past.history, &deployment.id))),
                at: Some(deployment.started),
                log_id: None,
                note: None,
            };
            plan.facts.later.insert((change.address.clone(), path.clone()), deployment.id.clone());
            out.entry(change.address.clone()).or_default().insert(path, blame);
        }
    }
    for question in &mut plan.questions {
        if let Question::WhoOutside(address, paths) = question {
            paths.retain(|path| !plan.facts.later.contains_key(&(address.clone(), path.clone())));
        }
    }
    plan.questions.retain(|question| match question {
        Question::WhoOutside(address, paths) => !paths.is_empty() || !out.contains_key(address),
        _ => true,
    });
    out
}

/// Finds the deployment that is meant.
fn chosen<'a>(past: &'a Past, back: &Back) -> Result<&'a Deployment, Problem> {
    let none = || {
        Problem::error("no-deployment", "no deployment of this tenant is recorded here")
            .note(format!("the ledger is {}", past.ledger.describe()))
            .help("fetch the ledger that holds it, or go back to files of then: `tenantry revert --to COMMIT`")
    };
    match back {
        Back::Deployment(id) => past.history.find(id).map_err(|found| match found.len() {
            0 if past.history.iter().next().is_none() => none(),
            0 => Problem::error("unknown-deployment", format!("there is no deployment `{id}`"))
                .help("`tenantry history` lists those that are known"),
            _ => Problem::error("unknown-deployment", format!("several deployments begin with `{id}`"))
                .note(found.join(", "))
                .help("give more of the id"),
        }),
        Back::Last | Back::To(_) => {
            let newest = past.history.iter().rev().find(|d| d.purpose != Purpose::Baseline && !d.images.is_empty());
            newest.ok_or_else(none)
        }
    }
}

/// What a deployment that crashed left: of what its journal touched, what is live now; where that is neither what was nor what was
/// asked, somebody else wrote it, and what was asked counts.
fn crashed(past: &Past, of: &Deployment, live: &Live) -> Result<Vec<BaseEntry>, Problem> {
    // Without a journal it stopped before the first request.
    let Some(path) = past.ledger.find_journal(&of.id)? else { return Ok(Vec::new()) };
    let entries = journal::read(&path)?;
    let (registry, key) = (Registry::get(), past.key.as_ref());
    let settled = journal::settle(registry, &entries, &of.images, live, key);
    let reached = entries.touched();
    let along = along::lists(&entries, &of.images);
    let is_along = |address: &Address, path: &Path| along.iter().any(|(a, list)| a == address && path.starts_with(list));
    let touched = of.images.iter().filter(|image| reached.contains(&image.address));
    let entry = |image: &crate::deployment::Image| {
        let made = settled.made.get(&image.address);
        let mut all = live.resources(&image.address.kind).iter();
        let found = all.find(|resource| match made {
            Some(id) => resource.id == *id,
            None => resource.address == image.address || (!image.id.is_empty() && resource.id == image.id),
        });
        let left = found.map(|resource| {
            let mut value = resource.value.fingerprinted(key);
            let theirs = settled.conflicts.iter().filter(|(address, path)| !is_along(address, path));
            for (address, path) in theirs.filter(|(address, _)| *address == image.address) {
                if let (Some(spec), Some(asked)) = (registry.kind(&address.kind), entries.asked(address, path)) {
                    plan::set_leaf(&spec.fields, &mut value, &path.0, asked.clone());
                }
            }
            BaseResource { id: resource.id.clone(), desired: value.clone(), live: value }
        });
        BaseEntry { address: image.address.clone(), left }
    };
    Ok(touched.map(entry).collect())
}

fn planned(
    made: Undone,
    request: &PlanRequest,
    named: bool,
    settings: Settings,
    session: Session,
    problems: Vec<Problem>,
    sources: Sources,
) -> Planned {
    let Undone { plan, of, closes, undo, live, names, past } = made;
    let mut planned = Planned {
        plan,
        refusals: Vec::new(),
        problems,
        sources,
        settings,
        purpose: Purpose::Revert(vec![of.id]),
        at: None,
        back_to: None,
        lost: undo.lost,
        made: undo.made,
        beside: Vec::new(),
        released: Default::default(),
        closes,
        digest: receipt::description_digest(&undo.desired),
        desired: undo.desired,
        live,
        names,
        past,
        base: Some(undo.base),
        session,
        whole: true,
        asked: Asked::default(),
        // Who names a revert to take back means it.
        approved: Approved { reverted: request.approved.reverted || named, ..request.approved.clone() },
        overwrite: request.overwrite.clone(),
    };
    planned.refusals = guard::judge(&planned.plan, planned.judgement());
    planned
}
