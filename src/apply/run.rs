//! Runs the changes of a plan in the order their dependencies allow.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::index::Index;
use super::needs::depends;
use super::send::Sender;
use super::shown::shown;
use super::step::Trouble;
use crate::api::Client;
use crate::change::{Action, Change, Step};
use crate::guard::ApprovedPlan;
use crate::journal::Journal;
use crate::lock::Lock;
use crate::model::{Address, FingerprintKey, Live, Path};
use crate::problem::Problem;
use crate::schema::Registry;

/// What happens during an apply, as it happens.
#[derive(Debug, Clone)]
pub enum ApplyEvent {
    /// A change began.
    Started {
        /// Which.
        address: Address,
        /// What.
        action: Action,
    },
    /// One request of a change was answered.
    Sent {
        /// Which.
        address: Address,
        /// How many of its requests are done.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A change ended.
    Ended {
        /// Which.
        address: Address,
        /// What.
        action: Action,
        /// How.
        outcome: Outcome,
    },
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All its requests were done.
    Done,
    /// One failed; requests before it are done.
    Failed(Problem),
    /// Nobody knows whether one was done.
    InDoubt(Problem),
    /// It never began.
    NotStarted,
}

/// What an apply did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Every change of the plan with how it ended, in the plan's order.
    pub changes: Vec<(Address, Action, Outcome)>,
    /// Requests that wrote and were sent, whatever they were answered.
    pub requests: usize,
    /// Those of them that failed: they changed nothing.
    pub failed: usize,
    /// What is worth knowing of a change though it was done.
    pub notes: Vec<(Address, Problem)>,
    /// Leaves that nobody asked to change and that are otherwise than before.
    pub side_effects: Vec<(Address, Path)>,
    /// What was made, or made anew, with the server id it was given.
    pub made: Vec<(Address, String)>,
    /// It was interrupted.
    pub interrupted: bool,
}

impl Report {
    /// Says whether every change was done.
    pub fn complete(&self) -> bool {
        self.changes.iter().all(|(_, _, outcome)| *outcome == Outcome::Done)
    }

    /// Says whether anything was written, or may have been.
    pub fn wrote(&self) -> bool {
        self.requests > self.failed
    }
}

/// How to go about it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Id of this deployment, part of every request's correlation id.
    pub deployment: String,
    /// Changes that do not depend on a failed one go on.
    pub keep_going: bool,
    /// Stops before the next request.
    pub cancel: CancellationToken,
    /// Secrets stand in the journal as fingerprints under this key.
    pub key: Option<FingerprintKey>,
    /// The pause before a second look at what a lost answer may have made, or before what may be repeated is.
    pub look_again: Duration,
}

impl Settings {
    /// Settings of a deployment without a key, which stops at the first failure.
    pub fn new(deployment: impl Into<String>, cancel: CancellationToken) -> Self {
        let look_again = Duration::from_secs(5);
        Settings { deployment: deployment.into(), keep_going: false, cancel, key: None, look_again }
    }
}

/// What an apply works on.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The connection.
    pub client: &'a Client,
    /// Server ids; grows.
    pub index: &'a Index,
    /// What the plan was made from.
    pub live: &'a Live,
    /// Where every request is written down before it is sent; `None` for nowhere.
    pub journal: Option<&'a Journal>,
    /// The lock; no request is sent when it runs out.
    pub lock: Option<&'a Lock>,
}

/// What became of a change so far.
enum State {
    Waiting,
    Running,
    Ended(Ended),
    /// Something it depends on was not done.
    Held,
}

/// How a change ended, with what its answers told.
struct Ended {
    outcome: Outcome,
    notes: Vec<Problem>,
    side_effects: Vec<Path>,
    /// No change may begin any more.
    halts: bool,
}

/// Applies a plan.
pub async fn apply(
    approved: ApprovedPlan,
    site: Site<'_>,
    settings: &Settings,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> Report {
    let changes = &approved.plan().changes;
    let before = raw_before(changes, site.live);
    let sender = Sender::new(&site, settings);
    let mut states: Vec<State> = changes.iter().map(|_| State::Waiting).collect();
    let mut running = FuturesUnordered::new();
    let mut stopped = false;
    loop {
        if !stopped && !settings.cancel.is_cancelled() {
            hold(changes, &mut states);
            for (n, change) in changes.iter().enumerate() {
                if is_ready(change, changes, &states, n)
                    && let Some(state) = states.get_mut(n)
                {
                    *state = State::Running;
                    let (sender, before) = (&sender, before.get(&n).copied());
                    running.push(async move { (n, one(change, sender, before, tell).await) });
                }
            }
        }
        let Some((n, ended)) = running.next().await else { break };
        stopped |= ended.halts || (ended.outcome != Outcome::Done && !settings.keep_going);
        if let Some(state) = states.get_mut(n) {
            *state = State::Ended(ended);
        }
    }
    drop(running);
    let (requests, failed) = sender.counts();
    let interrupted = settings.cancel.is_cancelled();
    let mut report = Report { requests, failed, interrupted, ..Report::default() };
    for (change, state) in changes.iter().zip(states) {
        let address = &change.address;
        let outcome = match state {
            State::Ended(ended) => {
                report.notes.extend(ended.notes.into_iter().map(|note| (address.clone(), note)));
                report.side_effects.extend(ended.side_effects.into_iter().map(|path| (address.clone(), path)));
                ended.outcome
            }
            _ => Outcome::NotStarted,
        };
        let makes = matches!(change.action, Action::Create | Action::Replace) && outcome == Outcome::Done;
        let id = || site.index.made(&address.kind, address.key().unwrap_or_default());
        if let Some(id) = makes.then(id).flatten() {
            report.made.push((address.clone(), id));
        }
        report.changes.push((address.clone(), change.action, outcome));
    }
    if let Some(journal) = site.journal
        && let (Err(problem), Some(change)) = (journal.flush().await, changes.last())
    {
        report.notes.push((change.address.clone(), problem));
    }
    report
}

/// Finds the API's objects that changes are about, as they were.
fn raw_before<'l>(changes: &[Change], live: &'l Live) -> HashMap<usize, &'l Json> {
    let kinds: BTreeSet<&str> = changes.iter().map(|change| change.address.kind.as_str()).collect();
    let all = || kinds.iter().flat_map(|kind| live.resources(kind).iter().map(move |found| (*kind, found)));
    let by_id: HashMap<(&str, &str), &Json> =
        all().map(|(kind, found)| ((kind, found.id.as_str()), &*found.raw)).collect();
    // Some kinds have no ids but their names.
    let by_name: HashMap<&Address, &Json> = all().map(|(_, found)| (&found.address, &*found.raw)).collect();
    let updates = changes.iter().enumerate().filter(|(_, change)| change.action == Action::Update);
    let found = |(n, change): (usize, &Change)| {
        let raw = match change.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => by_id.get(&(change.address.kind.as_str(), id)),
            None => by_name.get(&change.address),
        };
        Some((n, *raw?))
    };
    updates.filter_map(found).collect()
}

/// Holds back what depends on something that was not done.
fn hold(changes: &[Change], states: &mut [State]) {
    // In the plan's order each change stands behind those it waits for: one pass is enough.
    for (n, change) in changes.iter().enumerate() {
        if !matches!(states.get(n), Some(State::Waiting)) {
            continue;
        }
        let is_lost = |m: &usize| match (states.get(*m), changes.get(*m)) {
            (Some(State::Held), Some(before)) => depends(Registry::get(), change, before),
            (Some(State::Ended(ended)), Some(before)) => {
                ended.outcome != Outcome::Done && depends(Registry::get(), change, before)
            }
            _ => false,
        };
        if change.after.iter().any(is_lost)
            && let Some(state) = states.get_mut(n)
        {
            *state = State::Held;
        }
    }
}

fn is_ready(change: &Change, changes: &[Change], states: &[State], n: usize) -> bool {
    let settled = |m: &usize| match states.get(*m) {
        Some(State::Held) => true,
        Some(State::Ended(ended)) => {
            ended.outcome == Outcome::Done
                || changes.get(*m).is_some_and(|before| !depends(Registry::get(), change, before))
        }
        _ => false,
    };
    matches!(states.get(n), Some(State::Waiting)) && change.after.iter().all(settled)
}

/// Sends the requests of one change.
async fn one(change: &Change, sender: &Sender<'_>, before: Option<&Json>, tell: &(dyn Fn(ApplyEvent) + Sync)) -> Ended {
    let (address, action) = (change.address.clone(), change.action);
    tell(ApplyEvent::Started { address: address.clone(), action });
    if let (Action::Update, Some(name), Some(id)) = (action, address.key(), &change.id) {
        // Under a new name it is not known yet to those that refer to it.
        sender.site.index.insert(&address.kind, name, id);
    }
    let mut ended = Ended { outcome: Outcome::Done, notes: Vec::new(), side_effects: Vec::new(), halts: false };
    for (done, step) in change.steps.iter().enumerate() {
        match sender.step(change, step, done == 0).await {
            Ok(answer) => {
                if let Some(answer) = &answer {
                    read(change, step, answer, before, sender.site.index, &mut ended);
                }
                tell(ApplyEvent::Sent { address: address.clone(), done: done + 1, of: change.steps.len() });
            }
            Err(Trouble::Interrupted) if done == 0 => {
                ended.outcome = Outcome::NotStarted;
                break;
            }
            Err(Trouble::Halted(_)) if !sender.halts_first() && done == 0 => {
                ended.halts = true;
                ended.outcome = Outcome::NotStarted;
                break;
            }
            Err(trouble) => {
                ended.halts = matches!(trouble, Trouble::Halted(_));
                ended.outcome = match trouble {
                    Trouble::Failed(problem) | Trouble::Halted(problem) => Outcome::Failed(placed(problem, change)),
                    Trouble::InDoubt(problem) => Outcome::InDoubt(placed(problem, change)),
                    Trouble::Interrupted => Outcome::Failed(placed(
                        Problem::error("interrupted", format!("`{address}` was interrupted half-way"))
                            .help("run the same command again: it goes on where this one stopped"),
                        change,
                    )),
                };
                break;
            }
        }
    }
    tell(ApplyEvent::Ended { address, action, outcome: ended.outcome.clone() });
    ended
}

/// Compares what an answer shows.
fn read(change: &Change, step: &Step, answer: &Json, before: Option<&Json>, index: &Index, ended: &mut Ended) {
    let Some(spec) = Registry::get().kind(&change.address.kind) else { return };
    let shown = shown(spec, change, step, answer, before, index);
    for path in shown.otherwise {
        let locus = change.fields.iter().find(|field| field.path == path).and_then(|field| field.locus.as_ref());
        let title = format!("`{path}` of `{}` is not what was asked for", change.address);
        let problem = Problem::warning("answer-differs", title).at_maybe(locus.or(change.locus.as_ref()));
        ended.notes.push(
            problem
                .note("Auth0 took the request and answered with another value")
                .help("run `tenantry plan` to see what it made of it"),
        );
    }
    for path in shown.side_effects {
        if !ended.side_effects.contains(&path) {
            ended.side_effects.push(path);
        }
    }
}

/// Says where a failed change is described.
fn placed(problem: Problem, change: &Change) -> Problem {
    if problem.labels.is_empty() { problem.at_maybe(change.locus.as_ref()) } else { problem }
}
