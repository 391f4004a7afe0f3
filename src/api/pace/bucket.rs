//! [`Bucket`]: a local picture of one of the server's token buckets.

use std::time::{Duration, Instant};

/// Nothing refills slower than this; a wrong guess must not stop a run for ever.
const SLOWEST: f64 = 1.0 / 60.0;

/// How many tokens must have come back before a rate is read off them: the server tells whole ones only.
const ENOUGH: f64 = 12.0;

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
    anchor: Option<Anchor>,
    /// Whether the size is more than a guess.
    is_sized: bool,
}

/// Where the stretch that a rate is read off began.
#[derive(Debug, Clone)]
struct Anchor {
    at: Instant,
    remaining: f64,
    answered: f64,
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
            anchor: None,
            is_sized: false,
        }
    }

    /// A bucket whose size and rate are published.
    pub(super) fn known(capacity: f64, rate: f64) -> Self {
        Bucket { is_sized: true, ..Bucket::new(capacity, rate) }
    }

    /// A bucket of which only the size is known: published limits refill in one to four seconds.
    pub(super) fn guessed(limit: u32) -> Self {
        Bucket::new(f64::from(limit), (f64::from(limit) / 4.0).max(1.0))
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

    /// Takes over what an answer says.
    pub(super) fn correct(&mut self, now: Instant, limit: u32, remaining: u32, reset: Option<Duration>) {
        let (limit, remaining) = (f64::from(limit), f64::from(remaining));
        self.learn_size(limit);
        self.reset_at = reset.map(|reset| now + reset);
        // The answered request itself is still counted as in flight here; those behind it will cost a token each.
        self.tokens = (remaining - f64::from(self.in_flight.saturating_sub(1))).min(limit);
        self.updated = Some(now);
        match &mut self.anchor {
            None => self.anchor = Some(Anchor { at: now, remaining, answered: 0.0 }),
            Some(anchor) => {
                anchor.answered += 1.0;
                let elapsed = now.saturating_duration_since(anchor.at);
                let refilled = remaining - anchor.remaining + anchor.answered;
                if elapsed.as_secs_f64() * self.rate >= ENOUGH {
                    let seen = refilled / elapsed.as_secs_f64();
                    // A full bucket hides how much faster it could refill.
                    let is_full = remaining >= limit - 1.0;
                    self.rate = if is_full { self.rate.max(seen) } else { f64::midpoint(self.rate, seen) };
                    self.rate = self.rate.clamp(SLOWEST, limit.max(1.0));
                    self.anchor = Some(Anchor { at: now, remaining, answered: 0.0 });
                }
            }
        }
    }

    fn learn_size(&mut self, limit: f64) {
        if !self.is_sized || (limit - self.capacity).abs() > 0.5 {
            self.capacity = limit;
            self.rate = (limit / 4.0).max(1.0);
            self.anchor = None;
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
        self.anchor = None;
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
        bucket.correct(start, 50, 0, None);
        assert!(bucket.wait(start).is_some(), "others used it up");
        bucket.correct(start, 50, 40, None);
        assert_eq!(bucket.wait(start), None, "more than we thought");
    }

    #[test]
    fn requests_under_way_are_counted_against_what_is_left() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        for _ in 0..3 {
            bucket.take();
        }
        bucket.correct(start, 10, 2, None);
        assert!(bucket.wait(start).is_some(), "the other two will take both");
    }

    #[test]
    fn the_rate_is_read_off_what_comes_back() {
        let (mut bucket, start) = (Bucket::new(10.0, 10.0), Instant::now());
        bucket.correct(start, 50, 40, None);
        let guess = bucket.rate();
        for second in 1..=20 {
            for _ in 0..16 {
                bucket.take();
                bucket.correct(start + seconds(f64::from(second)), 50, 40, None);
                bucket.done();
            }
        }
        assert!(guess < 13.0 && (bucket.rate() - 16.0).abs() < 1.0, "{guess} became {}", bucket.rate());
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
        bucket.correct(start, 5, 0, None);
        bucket.rate = 0.02;
        assert!(bucket.wait(start).unwrap() > seconds(40.0));
        bucket.reset_at = Some(start + seconds(1.0));
        assert_eq!(bucket.wait(start), Some(seconds(1.0)));
        assert_eq!(bucket.wait(start + seconds(1.0)), None);
    }
}
