//! What renderers are given.

use jiff::Timestamp;

use crate::change::{Forecast, Plan, Refusal};
use crate::deployment::{Commit, History};
use crate::guard::short_id;

/// How an output looks; never what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are written.
    pub colour: bool,
    /// Whether all is shown where many resources are created; else each takes a line.
    pub detail: bool,
}

impl Options {
    /// Columns where no terminal says how many it has.
    pub const WIDTH: usize = 100;
}

impl Default for Options {
    fn default() -> Self {
        Options { width: Options::WIDTH, colour: false, detail: false }
    }
}

/// What is said before a plan's changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// Commit of the description.
    pub commit: Option<Commit>,
    /// The last deployment.
    pub deployed: Option<Deployed>,
    /// Whatever a described kind lacks is deleted (`AUTH0_ALLOW_DELETE`): said on the first line.
    pub deletes_undescribed: bool,
    /// Sentences to read first: the sandbox answers.
    pub remarks: Vec<String>,
    /// What the plan takes back, where it is a revert.
    pub reverting: Option<Reverting>,
    /// Requests per second that the forecast reckons with.
    pub rate: Option<f64>,
    /// What time it is: others are told by their distance from it.
    pub now: Timestamp,
}

/// A deployment in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// Its id, as short as it is unique.
    pub id: String,
    /// When it began.
    pub at: Timestamp,
    /// Commit of what it deployed.
    pub commit: Option<Commit>,
    /// Who ran it.
    pub actor: String,
}

impl Deployed {
    /// The newest deployment that ended.
    pub fn last(history: &History) -> Option<Self> {
        let last = history.last()?;
        Some(Deployed {
            id: short_id(history, &last.id).to_owned(),
            at: last.started,
            commit: last.commit.clone(),
            actor: last.actor.clone(),
        })
    }
}

/// What a revert takes back, and what it cannot bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reverting {
    /// What is taken back, or gone back to, in words: `takes back deployment 01JD7QK3`.
    pub what: String,
    /// What cannot come back, in sentences.
    pub lost: Vec<String>,
}

/// A plan with what guards say of it.
#[derive(Debug, Clone, Copy)]
pub struct PlanView<'a> {
    /// What would be done.
    pub plan: &'a Plan,
    /// Why it may not be applied; empty where it may.
    pub refusals: &'a [Refusal],
    /// What is said first.
    pub head: &'a Head,
}

/// Seconds between two requests that wait for each other: the median answer of real tenants.
const ANSWER_SECONDS: f64 = 0.33;

/// Requests per second reckoned with where nothing else is known (documented limit of production tenants).
const RATE: f64 = 16.0;

/// The time applying takes: requests over rate, or the longest chain of answers.
pub(super) struct Duration {
    /// Whole seconds, at least 1.
    pub(super) seconds: u64,
    /// Requests per second.
    pub(super) rate: f64,
}

/// Estimates how long applying takes.
pub(super) fn duration(forecast: &Forecast, head: &Head) -> Duration {
    let rate = head.rate.filter(|rate| rate.is_finite() && *rate > 0.0).unwrap_or(RATE);
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let seconds = (count(forecast.requests) / rate).max(count(forecast.depth) * ANSWER_SECONDS).ceil();
    // A float converts by saturating, so that no input can go wrong here.
    Duration { seconds: (seconds as u64).max(1), rate }
}
