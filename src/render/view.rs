//! What renderers are given.

use crate::change::{Forecast, Plan, Refusal};

/// How an output looks; never what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are written.
    pub colour: bool,
}

impl Options {
    /// Columns where no terminal says how many it has.
    pub const WIDTH: usize = 100;
}

impl Default for Options {
    fn default() -> Self {
        Options { width: Options::WIDTH, colour: false }
    }
}

/// What is said before a plan's changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// Commit of the description.
    pub commit: Option<String>,
    /// The last deployment, in words.
    pub deployed: Option<String>,
    /// Sentences to read first: deletes are on, the sandbox answers.
    pub remarks: Vec<String>,
    /// Requests per second that the forecast reckons with.
    pub rate: Option<f64>,
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
