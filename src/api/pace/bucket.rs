//! [`Bucket`]: a local picture of one of the server's token buckets.

use std::time::{Duration, Instant};

/// Nothing refills slower than this; a wrong guess must not stop a run for ever.
const SLOWEST: f64 = 1.0 / 60.0;

/// How long a stretch must be before a rate is read off it, in seconds: answers overtake each other.
const LEAST_S: f64 = 1.0;

/// How many tokens should have come back before a rate is taken to be lower than it was thought to be.
const ENOUGH: f64 = 6.0;

/// After how many tokens a stretch begins anew, so that what others use is not remembered for ever.
const LONG: f64 = 100.0;

/// Sizes that tell how fast a bucket refills at least: tokens a second of the tenants' global limits that are published with them
/// (Auth0 documentation, rate limit configurations).
const PUBLISHED: [(f64, f64); 2] = [(2.0, 2.0), (50.0, 16.0)];

/// Seconds in which the other published limits of reads refill, at most.
const REFILL_S: f64 = 6.0;

fn guess(size: f64) -> f64 {
    let published = PUBLISHED.iter().find(|(known, _)| (known - size).abs() < 0.5);
    published.map_or((size / REFILL_S).max(SLOWEST), |(_, rate)| *rate)
}

/// Tokens, refilled at a rate, corrected by what the server says.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    capacity: f64,
    tokens: f64,
    /// Tokens per second.
    rate: f64,
    updated: Option<Instant>,
    held_until: Option<Instant>,
    /// When the server said the bucket starts anew.
    reset_at: Option<Instant>,
    /// Requests that left and have not come back.
    in_flight: u32,
    /// Where the stretch began that tells how fast it refills at least.
    stretch: Option<Mark>,
    /// When it was last known to be full: what came back since tells how fast it refills at most.
    full: Option<Mark>,
    /// Whether the size is more than a guess.
    is_sized: bool,
}

/// When a request left, and as which: how many had left by then, itself among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leave {
    pub(super) at: Instant,
    pub(super) number: f64,
}

/// What the headers of an answer tell of the server's bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset: Option<Duration>,
}

/// What was in the server's bucket at a time.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// When its request left; it was counted between then and the answer.
    left: Instant,
    answered: Instant,
    /// What was left, and all that had been taken: it grows by what comes back, and by nothing else.
    filled: f64,
}

impl Bucket {
    pub(super) fn new(capacity: f64, rate: f64) -> Self {
        Bucket {
            capacity,
            tokens: capacity,
            rate,
            updated: None,
            held_until: None,
            reset_at: None,
            in_flight: 0,
            stretch: None,
            full: None,
            is_sized: false,
        }
    }

    /// A bucket whose size and rate are published.
    pub(super) fn known(capacity: f64, rate: f64) -> Self {
        Bucket { is_sized: true, ..Bucket::new(capacity, rate) }
    }

    /// A bucket of which only the size is known.
    pub(super) fn guessed(limit: u32) -> Self {
        Bucket::new(f64::from(limit), guess(f64::from(limit)))
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns a bucket for a share of this one.
    pub(super) fn share(&self, budget: f64) -> Bucket {
        Bucket::new((self.capacity * budget).max(1.0), self.rate * budget)
    }

    /// Takes over size and rate of another, keeping what is used up.
    pub(super) fn resized(mut self, other: &Bucket) -> Bucket {
        let used = self.capacity - self.tokens;
        self.capacity = other.capacity;
        self.tokens = (other.capacity - used).clamp(self.tokens.min(0.0), other.capacity);
        self.rate = other.rate;
        self
    }

    /// Returns how long to wait before the next request; `None` when it may leave.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.refill(now);
        if let Some(held) = self.held_until {
            if held > now {
                return Some(held - now);
            }
            self.held_until = None;
        }
        if self.tokens >= 1.0 {
            return None;
        }
        let missing = Duration::from_secs_f64((1.0 - self.tokens) / self.rate.max(SLOWEST));
        let reset = self.reset_at.filter(|reset| *reset > now).map(|reset| reset - now);
        // Never zero: the caller would spin on a rounding error.
        Some(reset.map_or(missing, |reset| missing.min(reset)).max(Duration::from_millis(1)))
    }

    pub(super) fn take(&mut self) {
        self.tokens -= 1.0;
        self.in_flight += 1;
    }

    pub(super) fn done(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Takes over what the answer to a request says; `since` is how many left after it.
    pub(super) fn correct(&mut self, now: Instant, leave: Leave, since: f64, told: Told) {
        let (limit, remaining, reset) = (f64::from(told.limit), f64::from(told.remaining), told.reset);
        self.learn_size(limit);
        self.reset_at = reset.map(|reset| now + reset);
        // The answered request itself is still counted as in flight here; the others will cost a token each, and so did those that
        // left after it, whether they have been answered or not.
        let others = f64::from(self.in_flight.saturating_sub(1));
        self.tokens = (remaining - others.max(since)).min(limit);
        self.updated = Some(now);
        let mark = Mark { left: leave.at, answered: now, filled: remaining + leave.number };
        // Whole tokens are told, and requests under way overtake each other.
        self.learn_rate(mark, remaining >= limit - 1.0, 1.0 + others / 4.0);
        self.rate = self.rate.clamp(SLOWEST, (2.0 * limit).max(1.0));
    }

    /// Reads the rate off what came back between two answers: at least so much, and at most so much unless the bucket was full in
    /// between, which hides how much faster it could refill.
    fn learn_rate(&mut self, mark: Mark, is_full: bool, doubt: f64) {
        let (Some(full), Some(stretch)) = (self.full, self.stretch) else {
            (self.full, self.stretch) = (Some(mark), Some(mark));
            return;
        };
        let shortest = mark.left.saturating_duration_since(full.answered).as_secs_f64();
        let back = mark.filled - full.filled;
        if is_full {
            if mark.left > full.left {
                self.full = Some(mark);
            }
        } else if shortest >= LEAST_S && shortest * self.rate >= ENOUGH {
            self.rate = self.rate.min((back + doubt) / shortest);
            if back >= LONG {
                self.full = Some(mark);
            }
        }
        let longest = mark.answered.saturating_duration_since(stretch.left).as_secs_f64();
        let back = mark.filled - stretch.filled;
        if mark.left.saturating_duration_since(stretch.left).as_secs_f64() >= LEAST_S {
            self.rate = self.rate.max((back - doubt) / longest);
            if is_full || back >= LONG {
                self.stretch = Some(mark);
            }
        }
    }

    /// Forgets what came back: a request may not have been counted.
    pub(super) fn lose_track(&mut self) {
        (self.full, self.stretch) = (None, None);
    }

    fn learn_size(&mut self, limit: f64) {
        if !self.is_sized || (limit - self.capacity).abs() > 0.5 {
            self.capacity = limit;
            self.rate = guess(limit);
            self.lose_track();
            self.is_sized = true;
        }
    }

    /// Takes a refusal: nothing leaves for a while, and then more slowly.
    pub(super) fn refuse(&mut self, now: Instant, wait: Duration, limit: Option<u32>) {
        if let Some(limit) = limit {
            self.learn_size(f64::from(limit));
        }
        self.refill(now);
        // One burst of refusals is one lesson.
        if self.held_until.is_none_or(|held| held <= now) {
            self.rate = (self.rate * 0.8).max(SLOWEST);
        }
        self.tokens = 0.0;
        // After the wait the server's bucket holds something again; the first request then is let through at once.
        let until = now + wait;
        self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
        self.lose_track();
    }

    fn refill(&mut self, now: Instant) {
        let before = self.updated.replace(now).unwrap_or(now);
        let elapsed = now.saturating_duration_since(before).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate).min(self.capacity);
        if self.reset_at.is_some_and(|reset| reset <= now) {
            self.reset_at = None;
            // One request finds out how much there really is.
            self.tokens = self.tokens.max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn leave(at: Instant, number: f64) -> Leave {
        Leave { at, number }
    }

    fn told(limit: u32, remaining: u32) -> Told {
        Told { limit, remaining, reset: None }
    }

    fn seconds(n: f64) -> Duration {
        Duration::from_secs_f64(n)
    }

    #[test]
    fn a_burst_leaves_at_once_and_then_at_the_rate() {
        let (mut bucket, start) = (Bucket::new(2.0, 4.0), Instant::now());
        for _ in 0..2 {
            assert_eq!(bucket.wait(start), None);
            bucket.take();
        }
        assert_eq!(bucket.wait(start), Some(seconds(0.25)));
        assert_eq!(bucket.wait(start + seconds(0.25)), None);
    }

    #[test]
    fn the_server_knows_better_how_much_is_left() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        bucket.take();
        bucket.correct(start, leave(start, 1.0), 0.0, told(50, 0));
        assert!(bucket.wait(start).is_some(), "others used it up");
        bucket.correct(start, leave(start, 2.0), 0.0, told(50, 40));
        assert_eq!(bucket.wait(start), None, "more than we thought");
    }

    #[test]
    fn requests_under_way_are_counted_against_what_is_left() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        for _ in 0..3 {
            bucket.take();
        }
        bucket.correct(start, leave(start, 1.0), 0.0, told(10, 2));
        assert!(bucket.wait(start).is_some(), "the other two will take both");
    }

    #[test]
    fn an_answer_that_was_overtaken_tells_less_than_it_says() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        bucket.take();
        bucket.correct(start, leave(start, 1.0), 4.0, told(10, 4));
        assert!(bucket.wait(start).is_some(), "four left after it and were answered before");
    }

    #[test]
    fn the_rate_is_read_off_what_comes_back() {
        for rate in [4_u32, 16] {
            let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
            bucket.correct(start, leave(start, 1.0), 0.0, told(60, 40));
            assert!((bucket.rate() - 10.0).abs() < 0.1, "a guess, of the size");
            let mut number = 1.0;
            for second in 1..=20 {
                let now = start + seconds(f64::from(second));
                for behind in (0..rate).rev() {
                    bucket.take();
                    number += 1.0;
                    bucket.correct(now, leave(now, number), 0.0, told(60, 40 + behind));
                    bucket.done();
                }
            }
            assert!((bucket.rate() - f64::from(rate)).abs() < 0.5, "{rate} became {}", bucket.rate());
        }
    }

    #[test]
    fn a_full_bucket_tells_no_rate_that_is_lower() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        for second in 0..60 {
            let now = start + seconds(f64::from(second));
            bucket.take();
            bucket.correct(now, leave(now, f64::from(second)), 0.0, told(60, 59));
            bucket.done();
        }
        assert!((bucket.rate() - 10.0).abs() < 0.1, "{}", bucket.rate());
    }

    #[test]
    fn published_sizes_tell_their_rate() {
        for (size, rate) in [(2, 2.0), (50, 16.0), (10, 10.0 / 6.0)] {
            assert!((Bucket::guessed(size).rate() - rate).abs() < 0.01, "{size}");
        }
    }

    #[test]
    fn a_refusal_holds_everything_back_once() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        bucket.refuse(start, seconds(3.0), None);
        bucket.refuse(start, seconds(2.0), None);
        assert_eq!(bucket.wait(start), Some(seconds(3.0)));
        assert_eq!(bucket.wait(start + seconds(3.0)), None);
        assert!((bucket.rate() - 8.0).abs() < 0.01, "two refusals of one burst slow it down once");
    }

    #[test]
    fn an_announced_reset_shortens_the_wait() {
        let (mut bucket, start) = (Bucket::new(5.0, 0.02), Instant::now());
        bucket.correct(start, leave(start, 1.0), 0.0, told(5, 0));
        bucket.rate = 0.02;
        assert!(bucket.wait(start).unwrap() > seconds(40.0));
        bucket.reset_at = Some(start + seconds(1.0));
        assert_eq!(bucket.wait(start), Some(seconds(1.0)));
        assert_eq!(bucket.wait(start + seconds(1.0)), None);
    }
}
