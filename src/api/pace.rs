//! When the next request may leave: rate limits, budget, concurrency.
//!
//! The server's headers are the truth, but they do not name their bucket: an answer may tell of the tenant's global
//! limit or of one endpoint's. So a limit that several groups of endpoints report (or the largest, before that) is taken
//! for the global one, any other for the group's own.

mod bucket;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::bucket::{Bucket, Leave, Told};
use super::answer::Signals;
use super::clock::Clock;

/// Endpoints that share a bucket, as far as can be told: reads or writes of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    is_read: bool,
    name: String,
}

/// Sub-resources that Auth0 limits apart from their collection, with burst and sustained rate per minute, on every plan that
/// lists them (Auth0 documentation, rate limit configurations).
const APART: [(&str, &str, u32, u32); 3] =
    [("prompts", "partials", 5, 5), ("custom-domains", "verify", 5, 5), ("connections", "status", 100, 900)];

impl Group {
    /// Returns the group of a path below `/api/v2`.
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (first, last) = (segments.first().copied().unwrap_or_default(), segments.last().copied());
        if let Some((_, sub, ..)) = APART.iter().find(|(of, sub, ..)| *of == first && Some(*sub) == last) {
            // Reads and writes together: nothing published tells them apart.
            return Group { is_read: true, name: format!("{first}/{sub}") };
        }
        // Limits of a collection do not hold for what hangs below its members, such as the connections of an organization.
        let name = match segments.get(2).filter(|segment| is_word(segment)) {
            Some(sub) => format!("{first}/{sub}"),
            None => first.to_owned(),
        };
        Group { is_read: *method == Method::GET, name }
    }

    fn known(&self) -> Option<Bucket> {
        let (.., burst, per_minute) =
            APART.iter().find(|(collection, sub, ..)| self.name == format!("{collection}/{sub}"))?;
        Some(Bucket::known(f64::from(*burst), f64::from(*per_minute) / 60.0))
    }
}

/// Tells the name of a sub-resource from an id, which has digits or capitals.
fn is_word(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'))
}

/// How a request went, as far as the pace cares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    /// The server keeps up.
    Fine,
    /// Too many requests: nothing before this has passed.
    Limited {
        /// How long to hold back.
        wait: Duration,
        /// Whether the server said that the global limit was meant.
        global: bool,
    },
    /// The server struggles, or nothing came back.
    Strained,
}

/// Concurrency before anything is known: a tenant of the smallest plan allows two requests at once.
const FIRST_WINDOW: f64 = 2.0;
const LARGEST_WINDOW: f64 = 32.0;

/// Lets requests go one after the other, in the order they came.
pub(super) struct Pace {
    state: Mutex<State>,
    freed: Notify,
    turn: tokio::sync::Mutex<()>,
    turns: Mutex<HashMap<Group, Arc<tokio::sync::Mutex<()>>>>,
    clock: Clock,
}

struct State {
    global: Bucket,
    /// The part of the limit that is ours, where it is not all of it.
    share: Option<Bucket>,
    budget: f64,
    groups: HashMap<Group, Bucket>,
    /// The part of each group's limit that is ours, where it is not all of it.
    shares: HashMap<Group, Bucket>,
    /// Requests that left, and those of each group.
    left: f64,
    left_of: HashMap<Group, f64>,
    /// The limit each group reported last.
    reported: HashMap<Group, u32>,
    window: f64,
    /// Below this the window doubles per round trip, above it grows by one.
    threshold: f64,
    in_flight: u32,
    waited: Duration,
}

/// Leave to send one request; gives its place back when dropped.
pub(super) struct Permit<'a> {
    pace: &'a Pace,
    group: Group,
    leaves: Leaves,
}

/// A request as it left, in the count of all and of its group.
#[derive(Debug, Clone, Copy)]
struct Leaves {
    of_all: Leave,
    of_group: Leave,
}

impl Pace {
    /// A pace that uses `budget` (0 to 1) of whatever the server allows.
    pub(super) fn new(budget: f64, clock: Clock) -> Self {
        // A budget of nothing would never send anything.
        let budget = if budget.is_finite() { budget.clamp(0.01, 1.0) } else { 1.0 };
        let global = Bucket::new(10.0, 10.0);
        let state = State {
            share: (budget < 1.0).then(|| global.share(budget)),
            global,
            budget,
            groups: HashMap::new(),
            shares: HashMap::new(),
            left: 0.0,
            left_of: HashMap::new(),
            reported: HashMap::new(),
            window: FIRST_WINDOW,
            threshold: LARGEST_WINDOW / 2.0,
            in_flight: 0,
            waited: Duration::ZERO,
        };
        Pace {
            state: Mutex::new(state),
            freed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            turns: Mutex::default(),
            clock,
        }
    }

    /// Waits until a request of this group may leave; `None` when cancelled first.
    pub(super) async fn admit(&self, group: &Group, cancel: &CancellationToken) -> Option<Permit<'_>> {
        // The group's queue first, so that a slow endpoint does not hold up the others.
        let group_turn = Arc::clone(lock(&self.turns).entry(group.clone()).or_default());
        let _group_turn = until(cancel, group_turn.lock()).await?;
        loop {
            let wait = lock(&self.state).group_wait(group, self.clock.now());
            let Some(wait) = wait else { break };
            self.pause(wait, cancel).await?;
        }
        let _turn = until(cancel, self.turn.lock()).await?;
        loop {
            let freed = self.freed.notified();
            let wait = match lock(&self.state).admit(group, self.clock.now()) {
                Admission::Go(leaves) => return Some(Permit { pace: self, group: group.clone(), leaves }),
                Admission::Full => None,
                Admission::Wait(wait) => Some(wait),
            };
            match wait {
                None => until(cancel, freed).await?,
                Some(wait) => self.pause(wait, cancel).await?,
            }
        }
    }

    async fn pause(&self, wait: Duration, cancel: &CancellationToken) -> Option<()> {
        lock(&self.state).waited += wait;
        self.clock.wait(wait, cancel).await.then_some(())
    }

    /// Returns the time requests waited for their turn, summed.
    pub(super) fn waited(&self) -> Duration {
        lock(&self.state).waited
    }

    /// Returns the rate learnt for the global limit, requests per second; `None` before any answer told a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        let state = lock(&self.state);
        (!state.reported.is_empty()).then(|| state.global.rate() * state.budget)
    }
}

impl Permit<'_> {
    /// Tells how the request went and what its answer said.
    pub(super) fn settle(self, outcome: Outcome, signals: &Signals) {
        let now = self.pace.clock.now();
        lock(&self.pace.state).settle(&self.group, self.leaves, outcome, signals, now);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        lock(&self.pace.state).release(&self.group);
        self.pace.freed.notify_one();
    }
}

enum Admission {
    Go(Leaves),
    Full,
    Wait(Duration),
}

impl State {
    fn group_wait(&mut self, group: &Group, now: std::time::Instant) -> Option<Duration> {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.clone(), group.known()?);
        }
        let bucket = self.groups.get_mut(group)?;
        let waits = bucket.wait(now);
        if self.budget >= 1.0 {
            return waits;
        }
        let share = self.shares.entry(group.clone()).or_insert_with(|| bucket.share(self.budget));
        waits.max(share.wait(now))
    }

    fn admit(&mut self, group: &Group, now: std::time::Instant) -> Admission {
        if f64::from(self.in_flight) >= self.window.floor().max(1.0) {
            return Admission::Full;
        }
        let waits = [self.global.wait(now), self.share.as_mut().and_then(|share| share.wait(now))];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Admission::Wait(wait);
        }
        self.global.take();
        if let Some(share) = &mut self.share {
            share.take();
        }
        if let Some(bucket) = self.groups.get_mut(group) {
            bucket.take();
        }
        if let Some(share) = self.shares.get_mut(group) {
            share.take();
        }
        self.in_flight += 1;
        self.left += 1.0;
        let of_group = self.left_of.entry(group.clone()).or_default();
        *of_group += 1.0;
        let leave = |number| Leave { at: now, number };
        Admission::Go(Leaves { of_all: leave(self.left), of_group: leave(*of_group) })
    }

    fn release(&mut self, group: &Group) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.global.done();
        if let Some(bucket) = self.groups.get_mut(group) {
            bucket.done();
        }
    }

    fn settle(&mut self, group: &Group, leaves: Leaves, outcome: Outcome, signals: &Signals, now: std::time::Instant) {
        if let Some(limit) = signals.limit {
            self.reported.insert(group.clone(), limit);
        }
        let is_global = signals.limit.is_none_or(|limit| Some(limit) == self.global_limit());
        let is_refused = matches!(outcome, Outcome::Limited { .. });
        if let (Some(limit), Some(remaining), false) = (signals.limit, signals.remaining, is_refused) {
            let told = Told { limit, remaining, reset: signals.reset };
            let left = if is_global { self.left } else { self.left_of.get(group).copied().unwrap_or_default() };
            let (bucket, leave) = match is_global {
                true => (&mut self.global, leaves.of_all),
                false => (self.bucket(group, limit), leaves.of_group),
            };
            bucket.correct(now, leave, left - leave.number, told);
        }
        if outcome != Outcome::Fine {
            self.global.lose_track();
            self.groups.values_mut().for_each(Bucket::lose_track);
        }
        match outcome {
            Outcome::Fine if self.window < self.threshold => self.window += 1.0,
            Outcome::Fine => self.window += 1.0 / self.window,
            Outcome::Limited { .. } | Outcome::Strained => {
                self.window = (self.window / 2.0).max(1.0);
                self.threshold = self.window;
            }
        }
        self.window = self.window.min(LARGEST_WINDOW);
        if let Outcome::Limited { wait, global } = outcome {
            if global || (is_global && signals.limit.is_some()) {
                self.global.refuse(now, wait, signals.limit.filter(|_| is_global));
            } else {
                self.bucket(group, signals.limit.unwrap_or(5)).refuse(now, wait, signals.limit);
            }
        }
        if self.share.is_some() {
            let share = self.global.share(self.budget);
            self.share = self.share.take().map(|old| old.resized(&share));
        }
        if let (Some(bucket), Some(share)) = (self.groups.get(group), self.shares.get_mut(group)) {
            *share = share.clone().resized(&bucket.share(self.budget));
        }
    }

    fn bucket(&mut self, group: &Group, limit: u32) -> &mut Bucket {
        self.groups.entry(group.clone()).or_insert_with(|| Bucket::guessed(limit))
    }

    /// The limit that several groups share, else the largest one.
    fn global_limit(&self) -> Option<u32> {
        let largest = |shared: bool| {
            self.reported
                .values()
                .copied()
                .filter(|limit| !shared || self.reported.values().filter(|other| *other == limit).count() > 1)
                .max()
        };
        largest(true).or_else(|| largest(false))
    }
}

async fn until<T>(cancel: &CancellationToken, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = future => Some(done),
    }
}

/// A panic elsewhere leaves counts behind that are still usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod budget_tests;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn group(path: &str) -> Group {
        Group::of(&Method::GET, path)
    }

    fn left(limit: u32, remaining: u32) -> Signals {
        Signals { limit: Some(limit), remaining: Some(remaining), ..Signals::default() }
    }

    /// Sends one request that is answered so.
    async fn one(pace: &Pace, path: &str, outcome: Outcome, signals: Signals) {
        let cancel = CancellationToken::new();
        pace.admit(&group(path), &cancel).await.unwrap().settle(outcome, &signals);
    }

    #[test]
    fn endpoints_share_a_bucket_by_collection_and_verb() {
        assert_eq!(group("clients"), group("/clients/abc"));
        assert_ne!(group("clients"), Group::of(&Method::POST, "clients"));
        assert_eq!(group("prompts/login/partials"), group("prompts/signup/partials"));
        assert_ne!(group("prompts/login/partials"), group("prompts/login/custom-text/en"));
        assert!(group("prompts/login/partials").known().is_some());
        assert_eq!(group("prompts/a/partials"), Group::of(&Method::PUT, "prompts/a/partials"));
        assert!(group("partials").known().is_none());
        assert_ne!(group("organizations/org_1"), group("organizations/org_1/enabled_connections"));
        assert_eq!(group("organizations/org_1/members"), group("organizations/org_2/members"));
        assert_eq!(group("actions/actions"), group("actions/actions/0b9c1d2e-0000-4000-8000-abcdefabcdef"));
    }

    #[tokio::test]
    async fn a_limit_of_one_endpoint_does_not_slow_down_the_others() {
        let clock = Clock::skipping();
        let pace = Pace::new(1.0, clock.clone());
        one(&pace, "roles", Outcome::Fine, left(50, 49)).await;
        one(&pace, "clients", Outcome::Fine, left(50, 48)).await;
        let limited = Outcome::Limited { wait: Duration::from_secs(30), global: false };
        one(&pace, "logs", limited, left(10, 0)).await;
        one(&pace, "roles", Outcome::Fine, left(50, 47)).await;
        assert_eq!(clock.skipped(), Duration::ZERO);
        one(&pace, "logs", Outcome::Fine, left(10, 1)).await;
        assert!(clock.skipped() >= Duration::from_secs(29), "{:?}", clock.skipped());
    }

    #[tokio::test]
    async fn the_global_limit_holds_everybody_back() {
        let clock = Clock::skipping();
        let pace = Pace::new(1.0, clock.clone());
        let limited = Outcome::Limited { wait: Duration::from_secs(30), global: true };
        one(&pace, "logs", limited, Signals::default()).await;
        one(&pace, "roles", Outcome::Fine, left(50, 47)).await;
        assert!(clock.skipped() >= Duration::from_secs(29));
        assert_eq!(pace.waited(), clock.skipped());
    }

    #[tokio::test]
    async fn no_more_requests_are_under_way_than_the_window_allows() {
        let pace = Pace::new(1.0, Clock::skipping());
        let cancel = CancellationToken::new();
        let first = pace.admit(&group("a"), &cancel).await.unwrap();
        let _second = pace.admit(&group("b"), &cancel).await.unwrap();
        let name = group("c");
        let third = pace.admit(&name, &cancel);
        tokio::pin!(third);
        assert!(futures_util::poll!(&mut third).is_pending());
        first.settle(Outcome::Fine, &Signals::default());
        assert!(third.await.is_some());
    }

    #[tokio::test]
    async fn trouble_halves_the_window() {
        let pace = Pace::new(1.0, Clock::skipping());
        for _ in 0..10 {
            one(&pace, "a", Outcome::Fine, left(50, 49)).await;
        }
        let before = lock(&pace.state).window;
        one(&pace, "a", Outcome::Strained, Signals::default()).await;
        let after = lock(&pace.state).window;
        assert!(before > 8.0 && (after - before / 2.0).abs() < 0.01, "{before} {after}");
        for _ in 0..9 {
            one(&pace, "a", Outcome::Strained, Signals::default()).await;
        }
        assert!(lock(&pace.state).window >= 1.0, "one request may always leave");
    }

    #[tokio::test]
    async fn a_cancelled_wait_ends() {
        let pace = Pace::new(1.0, Clock::skipping());
        let cancel = CancellationToken::new();
        let _held = [pace.admit(&group("a"), &cancel).await, pace.admit(&group("b"), &cancel).await];
        let name = group("c");
        let third = pace.admit(&name, &cancel);
        tokio::pin!(third);
        assert!(futures_util::poll!(&mut third).is_pending());
        cancel.cancel();
        assert!(third.await.is_none());
    }

    /// Sends `count` requests one after the other to a server with a token bucket; returns the seconds it took and the refusals.
    async fn drive(count: u32, budget: f64, burst: f64, rate: f64) -> (f64, u32) {
        let clock = Clock::skipping();
        let pace = Pace::new(budget, clock.clone());
        let (mut tokens, mut at, mut refused, mut done) = (burst, Duration::ZERO, 0, 0);
        while done < count {
            let permit = pace.admit(&group("clients"), &CancellationToken::new()).await.unwrap();
            // Every request takes 20 ms of the clock.
            clock.advance(Duration::from_millis(20));
            tokens = (tokens + (clock.skipped() - at).as_secs_f64() * rate).min(burst);
            at = clock.skipped();
            if tokens >= 1.0 {
                tokens -= 1.0;
                done += 1;
                permit.settle(Outcome::Fine, &left(burst as u32, tokens as u32));
            } else {
                refused += 1;
                let wait = Duration::from_secs(1);
                permit.settle(Outcome::Limited { wait, global: true }, &left(burst as u32, 0));
            }
        }
        (clock.skipped().as_secs_f64(), refused)
    }

    #[tokio::test]
    async fn the_pace_comes_near_what_the_server_allows() {
        for (burst, rate) in [(50.0, 16.0), (10.0, 2.0), (2.0, 2.0), (100.0, 100.0)] {
            let (seconds, refused) = drive(400, 1.0, burst, rate).await;
            let limit = ((400.0 - burst) / rate).max(400.0 * 0.02);
            assert!(seconds < limit * 1.1, "{burst}/{rate}: {seconds} s instead of {limit}");
            assert!(refused <= 4, "{burst}/{rate}: {refused} refused");
        }
    }

    #[tokio::test]
    async fn a_budget_leaves_the_rest_to_others() {
        let (seconds, refused) = drive(400, 0.5, 50.0, 16.0).await;
        let limit = (400.0 - 25.0) / 8.0;
        assert!(seconds > limit * 0.8 && refused == 0, "{seconds} s for {limit}, {refused} refused");
    }
}
