//! Answers what a plan asks: who changed the tenant outside, and how many users and resources a change hits.
//!
//! `search` reads the tenant's log, `entry` one entry of it. `route` knows which resource a request's path is about, from the
//! endpoints of the schemas; `held` whether a request's body holds a field; `outside` joins them and names people. `effects`
//! counts. Nothing of a request's body ever leaves this module.

mod effects;
mod entry;
mod held;
mod outside;
mod route;
mod search;
mod subject;

#[cfg(test)]
mod sandbox_tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::api::{Client, Failure};
use crate::change::{Facts, Plan, Question};
use crate::codec::Names;
use crate::model::{Base, Live};
use crate::problem::Problem;
use crate::schema::Registry;

/// Whom to ask, and what is known already.
pub struct Asking<'a> {
    /// The connection to the tenant.
    pub client: &'a Client,
    /// Every kind.
    pub registry: &'a Registry,
    /// What is live now.
    pub live: &'a Live,
    /// Names of what is live.
    pub names: &'a Names,
    /// What the last deployments left: it remembers ids of what is gone.
    pub base: Option<&'a Base>,
    /// When the last deployment ended.
    pub since: Option<Timestamp>,
    /// Says whether a journal holds a write: its correlation id, method (`PATCH`), and path below `/api/v2` (`/clients/ID`).
    pub is_ours: &'a (dyn Fn(&str, &str, &str) -> bool + Sync),
}

/// Answers the questions of a plan about the tenant; those about the repository are left.
///
/// It never fails: what cannot be answered says so.
pub async fn answer(plan: &Plan, asking: Asking<'_>) -> Facts {
    let asker = Asker { client: asking.client, requests: AtomicUsize::new(0) };
    let (outside, effects) =
        futures_util::future::join(outside::answer(plan, &asking, &asker), effects::answer(plan, &asking, &asker))
            .await;
    let mut notes: Vec<Problem> = outside.1;
    notes.extend(effects.1);
    Facts {
        outside: outside.0,
        later: plan.facts.later.clone(),
        ours: BTreeMap::new(),
        effects: effects.0,
        notes,
        requests: asker.requests.load(Ordering::Relaxed),
    }
}

/// Counts what is asked.
struct Asker<'a> {
    client: &'a Client,
    requests: AtomicUsize,
}

impl Asker<'_> {
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Json, Failure> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.client.get(path, query).await
    }
}

/// Returns what a plan wants to know of one sort, without repetitions.
fn questions<'p, T>(plan: &'p Plan, of: impl Fn(&'p Question) -> Option<T>) -> Vec<T> {
    let mut seen: Vec<&Question> = Vec::new();
    let mut out = Vec::new();
    for question in &plan.questions {
        if let Some(wanted) = of(question)
            && !seen.contains(&question)
        {
            seen.push(question);
            out.push(wanted);
        }
    }
    out
}
