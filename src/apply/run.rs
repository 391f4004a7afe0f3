//! Runs the changes of a plan in the order their dependencies allow.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::index::Index;
use super::step::{Trouble, send};
use crate::api::Client;
use crate::change::{Action, Change};
use crate::guard::ApprovedPlan;
use crate::model::Address;
use crate::problem::Problem;

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
#[derive(Debug, Clone)]
pub struct Report {
    /// Every change of the plan with how it ended, in the plan's order.
    pub changes: Vec<(Address, Action, Outcome)>,
    /// Requests that were answered.
    pub requests: usize,
    /// It was interrupted.
    pub interrupted: bool,
}

impl Report {
    /// Says whether every change was done.
    pub fn complete(&self) -> bool {
        self.changes.iter().all(|(_, _, outcome)| *outcome == Outcome::Done)
    }

    /// Says whether anything was written at all.
    pub fn wrote(&self) -> bool {
        self.requests > 0
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
}

/// Applies a plan.
pub async fn apply(
    approved: ApprovedPlan,
    client: &Client,
    index: &Index,
    settings: &Settings,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> Report {
    let changes = &approved.plan().changes;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; changes.len()];
    let mut waiting: BTreeSet<usize> = (0..changes.len()).collect();
    let mut running = FuturesUnordered::new();
    let mut requests = 0;
    let mut stopped = false;
    loop {
        if !stopped && !settings.cancel.is_cancelled() {
            let done = |n: &usize| outcomes.get(*n).is_some_and(|o| *o == Some(Outcome::Done));
            let ready: Vec<usize> =
                waiting.iter().copied().filter(|n| changes.get(*n).is_some_and(|c| c.after.iter().all(done))).collect();
            for n in ready {
                waiting.remove(&n);
                if let Some(change) = changes.get(n) {
                    running.push(async move { (n, one(change, client, index, settings, tell).await) });
                }
            }
        }
        let Some((n, (outcome, sent))) = running.next().await else { break };
        requests += sent;
        if outcome != Outcome::Done && !settings.keep_going {
            stopped = true;
        }
        if let Some(slot) = outcomes.get_mut(n) {
            *slot = Some(outcome);
        }
    }
    let changes = changes
        .iter()
        .zip(outcomes)
        .map(|(change, outcome)| (change.address.clone(), change.action, outcome.unwrap_or(Outcome::NotStarted)))
        .collect();
    Report { changes, requests, interrupted: settings.cancel.is_cancelled() }
}

/// Sends the requests of one change; returns how it ended and how many were answered.
async fn one(
    change: &Change,
    client: &Client,
    index: &Index,
    settings: &Settings,
    tell: &(dyn Fn(ApplyEvent) + Sync),
) -> (Outcome, usize) {
    let (address, action) = (change.address.clone(), change.action);
    tell(ApplyEvent::Started { address: address.clone(), action });
    if let (Action::Update, Some(name), Some(id)) = (action, &address.name, &change.id) {
        // Under a new name it is not known yet to those that refer to it.
        index.insert(&address.kind, name, id);
    }
    let mut sent = 0;
    let mut outcome = Outcome::Done;
    for (n, step) in change.steps.iter().enumerate() {
        let correlation_id = format!("tenantry/{}/{}", settings.deployment, n + 1);
        match send(client, index, change, step, &correlation_id).await {
            Ok(_) => {
                sent += 1;
                tell(ApplyEvent::Sent { address: address.clone(), done: sent, of: change.steps.len() });
            }
            Err(Trouble::Interrupted) if sent == 0 => {
                outcome = Outcome::NotStarted;
                break;
            }
            Err(trouble) => {
                outcome = match trouble {
                    Trouble::Failed(problem) => Outcome::Failed(placed(problem, change)),
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
    tell(ApplyEvent::Ended { address, action, outcome: outcome.clone() });
    (outcome, sent)
}

/// Says where a failed change is described.
fn placed(problem: Problem, change: &Change) -> Problem {
    if problem.labels.is_empty() { problem.at_maybe(change.locus.as_ref()) } else { problem }
}
