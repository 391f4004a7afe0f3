#![allow(clippy::unwrap_used)]
//! How much of a server's limits a budget uses, on a clock that only these tests move.

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

/// Asks for as much as it may for a minute; returns when each request left, in milliseconds: all of them, and those of the
/// endpoint that has a limit of its own.
fn sent(budget: f64) -> (Vec<u32>, Vec<u32>) {
    let pace = Pace::new(budget, Clock::skipping());
    let mut state = lock(&pace.state);
    let group = |path: &str| Group::of(&Method::GET, path);
    let (mut global, mut own) = (Limit::new(50, 16), Limit::new(10, 4));
    let (mut all, mut apart) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for ms in 0..60_000 {
        let now = start + Duration::from_millis(u64::from(ms));
        global.refill();
        own.refill();
        // Once all are known, the one with a limit of its own goes first: else the others would leave nothing to it.
        let order = if ms == 0 { ["clients", "roles", "organizations"] } else { ["organizations", "clients", "roles"] };
        for path in order {
            let group = group(path);
            if state.group_wait(&group, now).is_some() || !matches!(state.admit(&group, now), Admission::Go) {
                continue;
            }
            all.push(ms);
            let mut signals = global.take();
            if path == "organizations" {
                apart.push(ms);
                signals = own.take();
            }
            state.settle(&group, Outcome::Fine, &signals, now);
            state.release(&group);
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
fn half_a_budget_is_never_more_than_half_of_any_limit() {
    let (all, apart) = sent(0.5);
    assert!(most_above(&all, 8.0) <= 26.0, "{}", most_above(&all, 8.0));
    assert!(all.len() > 300, "and most of that half is used: {}", all.len());
    // The first answer tells that there is a limit.
    assert!(most_above(&apart, 2.0) <= 7.0, "{}", most_above(&apart, 2.0));
    assert!(apart.len() > 60, "{}", apart.len());
}
