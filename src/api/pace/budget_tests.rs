#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]
//! How much of a server's limits a budget uses, on a clock that only these tests move.

use std::collections::VecDeque;
use std::time::Instant;

use super::*;

/// One of the server's buckets, in thousandths.
struct Limit {
    size: u32,
    /// Refilled in a millisecond: whole ones in a second.
    rate: u32,
    left: u32,
}

impl Limit {
    fn new(size: u32, rate: u32) -> Self {
        Limit { size: size * 1000, rate, left: size * 1000 }
    }

    fn refill(&mut self) {
        self.left = (self.left + self.rate).min(self.size);
    }

    /// Takes one and tells what its answer would.
    fn take(&mut self) -> Signals {
        self.left = self.left.checked_sub(1000).unwrap();
        Signals { limit: Some(self.size / 1000), remaining: Some(self.left / 1000), ..Signals::default() }
    }
}

/// Asks for as much as it may for a minute, of a server with this limit; answers take a while. Returns when each request left, in
/// milliseconds: all of them, and those of the endpoint that has a limit of its own.
fn sent(budget: f64, size: u32, per_second: u32, latency_ms: u32) -> (Vec<u32>, Vec<u32>) {
    let pace = Pace::new(budget, Clock::skipping());
    let mut state = lock(&pace.state);
    let group = |path: &str| Group::of(&Method::GET, path);
    let (mut global, mut own) = (Limit::new(size, per_second), Limit::new(15, 4));
    let (mut all, mut apart) = (Vec::new(), Vec::new());
    let mut under_way: VecDeque<(u32, Group, Leaves, Signals)> = VecDeque::new();
    let start = Instant::now();
    for ms in 0..60_000 {
        let now = start + Duration::from_millis(u64::from(ms));
        global.refill();
        own.refill();
        while under_way.front().is_some_and(|(at, ..)| *at <= ms) {
            let Some((_, group, leaves, signals)) = under_way.pop_front() else { break };
            state.settle(&group, leaves, Outcome::Fine, &signals, now);
            state.release(&group);
        }
        // Once all are known, the one with a limit of its own goes first: else the others would leave nothing to it.
        let order = if ms == 0 { ["clients", "roles", "organizations"] } else { ["organizations", "clients", "roles"] };
        for path in order {
            let group = group(path);
            if state.group_wait(&group, now).is_some() {
                continue;
            }
            let Admission::Go(leaves) = state.admit(&group, now) else { continue };
            all.push(ms);
            let mut signals = global.take();
            if path == "organizations" {
                apart.push(ms);
                signals = own.take();
            }
            under_way.push_back((ms + latency_ms, group, leaves, signals));
        }
    }
    (all, apart)
}

/// By how many requests a stretch of time was above a rate, at most.
fn most_above(sent: &[u32], per_second: f64) -> f64 {
    let mut worst = 0.0_f64;
    for (first, from) in sent.iter().enumerate() {
        let mut count = 0.0;
        for to in sent.iter().skip(first) {
            count += 1.0;
            worst = worst.max(count - per_second * f64::from(to - from) / 1000.0);
        }
    }
    worst
}

#[test]
fn half_a_budget_is_never_more_than_half_of_any_limit_and_nearly_all_of_that_half() {
    for latency_ms in [1, 20, 330] {
        for (size, rate) in [(50, 16), (10, 2), (2, 2), (50, 10)] {
            let (all, apart) = sent(0.5, size, rate, latency_ms);
            let (burst, half) = (f64::from(size) / 2.0, f64::from(rate) / 2.0);
            let above = most_above(&all, half);
            // Of a size that is published with another rate, the rate is found out by using it.
            let spare = if (size, rate) == (50, 10) { 30.0 } else { 1.01 };
            assert!(above <= burst + spare, "{size}/{rate}, {latency_ms} ms: {above}");
            let most = burst + 60.0 * half;
            let used = all.len() as f64 / most;
            assert!(used > 0.8, "{size}/{rate}, {latency_ms} ms: {} of {most}", all.len());
            assert!((size, rate) != (50, 16) || used > 0.97, "{latency_ms} ms: {} of {most}", all.len());
            // The first answer tells that there is a limit.
            assert!(most_above(&apart, 2.0) <= 9.5, "{size}/{rate}, {latency_ms} ms: {}", most_above(&apart, 2.0));
        }
    }
}
