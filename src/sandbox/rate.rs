//! Rate limits: one bucket for the tenant, evaluated first, and one per limited group of endpoints
//! (documented rate limits of the Enterprise plan).

use super::call::{ApiError, Method};
use super::options::Rate;

/// A group of endpoints with a bucket of its own.
struct Group {
    burst: u32,
    per_second: f64,
    holds: fn(Method, &[String]) -> bool,
}

const GROUPS: &[Group] = &[
    Group {
        burst: 10,
        per_second: 100.0 / 60.0,
        holds: |method, path| is_read(method) && is_at(path, "organizations", 2),
    },
    Group {
        burst: 5,
        per_second: 150.0 / 60.0,
        holds: |method, path| !is_read(method) && is_at(path, "organizations", 2),
    },
    Group {
        burst: 15,
        per_second: 150.0 / 60.0,
        holds: |method, path| is_read(method) && is_at(path, "email-templates", 2),
    },
    Group {
        burst: 10,
        per_second: 100.0 / 60.0,
        holds: |method, path| !is_read(method) && is_at(path, "email-templates", 2),
    },
    Group { burst: 5, per_second: 5.0 / 60.0, holds: |_, path| is_at(path, "prompts", 3) && ends(path, "partials") },
    Group {
        burst: 5,
        per_second: 5.0 / 60.0,
        holds: |_, path| is_at(path, "custom-domains", 3) && ends(path, "verify"),
    },
    Group { burst: 5, per_second: 5.0 / 86_400.0, holds: |_, path| is_at(path, "keys", 3) && ends(path, "rotate") },
    Group { burst: 100, per_second: 15.0, holds: |_, path| is_at(path, "connections", 3) && ends(path, "status") },
];

fn is_read(method: Method) -> bool {
    method == Method::Get
}

fn is_at(path: &[String], first: &str, most: usize) -> bool {
    path.len() <= most && path.first().is_some_and(|segment| segment == first)
}

fn ends(path: &[String], last: &str) -> bool {
    path.last().is_some_and(|segment| segment == last)
}

struct Bucket {
    tokens: f64,
    at_ms: i64,
    burst: u32,
    per_second: f64,
}

impl Bucket {
    fn full(burst: u32, per_second: f64) -> Bucket {
        Bucket { tokens: f64::from(burst), at_ms: i64::MIN, burst, per_second }
    }

    /// Takes a token; says whether there was one and what the headers say after it.
    // Times and counts are far below 2^52.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn take(&mut self, now_ms: i64) -> (bool, Headers) {
        if self.at_ms != i64::MIN {
            let passed_s = now_ms.saturating_sub(self.at_ms).max(0) as f64 / 1000.0;
            self.tokens = (self.tokens + passed_s * self.per_second).min(f64::from(self.burst));
        }
        self.at_ms = now_ms;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        let missing = if self.tokens >= 1.0 { f64::from(self.burst) - self.tokens } else { 1.0 - self.tokens };
        let wait_s = (missing / self.per_second).ceil().max(1.0);
        let headers = Headers {
            limit: self.burst,
            remaining: self.tokens.floor() as u32,
            reset_s: now_ms.div_euclid(1000).saturating_add(wait_s as i64),
            retry_after_s: if taken { None } else { Some(wait_s as u64) },
        };
        (taken, headers)
    }
}

/// The `x-ratelimit-*` headers of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Headers {
    /// Size of the bucket.
    pub(super) limit: u32,
    /// Requests left in it.
    pub(super) remaining: u32,
    /// When it has one again, or is full; seconds since the epoch.
    pub(super) reset_s: i64,
    /// Seconds to wait, on a 429.
    pub(super) retry_after_s: Option<u64>,
}

/// The buckets of a tenant.
pub(super) struct Limiter {
    global: Bucket,
    groups: Vec<(&'static Group, Bucket)>,
}

/// Sizes of buckets that nobody empties, different so that a client can tell which one an answer speaks of.
const ENDLESS: (u32, u32) = (1_000_000, 500_000);

impl Limiter {
    /// Without a rate nothing is ever refused, but answers tell of limits as all answers of the service do.
    pub(super) fn new(rate: Option<Rate>) -> Limiter {
        let endless = |burst: u32| Bucket::full(burst, f64::from(burst));
        let group = |group: &Group| match rate {
            Some(_) => Bucket::full(group.burst, group.per_second),
            None => endless(ENDLESS.1),
        };
        Limiter {
            global: rate.map_or_else(|| endless(ENDLESS.0), |rate| Bucket::full(rate.burst, rate.per_second)),
            groups: GROUPS.iter().map(|limited| (limited, group(limited))).collect(),
        }
    }

    /// Lets a request through, or refuses it; the headers are those of the last bucket asked.
    pub(super) fn take(&mut self, method: Method, path: &[String], now_ms: i64) -> (Result<(), ApiError>, Headers) {
        let (taken, headers) = self.global.take(now_ms);
        if !taken {
            return (Err(ApiError::new(429, "too_many_requests", "Global limit has been reached")), headers);
        }
        let Some((_, bucket)) = self.groups.iter_mut().find(|(group, _)| (group.holds)(method, path)) else {
            return (Ok(()), headers);
        };
        let (taken, headers) = bucket.take(now_ms);
        let message =
            "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.";
        let verdict = if taken { Ok(()) } else { Err(ApiError::new(429, "too_many_requests", message)) };
        (verdict, headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn a_burst_drains_and_refills_with_time() {
        let mut limiter = Limiter::new(Some(Rate { per_second: 2.0, burst: 3 }));
        let mut take = |now_ms| limiter.take(Method::Get, &path("clients"), now_ms);
        for left in [2, 1, 0] {
            let (verdict, headers) = take(10_000);
            assert_eq!((verdict, headers.limit, headers.remaining), (Ok(()), 3, left));
        }
        let (verdict, headers) = take(10_000);
        assert_eq!(
            verdict.map_err(|error| (error.status, error.message)),
            Err((429, "Global limit has been reached".to_owned()))
        );
        assert_eq!((headers.reset_s, headers.retry_after_s), (11, Some(1)));
        assert!(take(10_499).0.is_err());
        assert!(take(10_500).0.is_ok());
        assert!(take(10_500).0.is_err());
    }

    #[test]
    fn a_clock_set_back_gives_no_tokens() {
        let mut limiter = Limiter::new(Some(Rate { per_second: 1000.0, burst: 1 }));
        assert!(limiter.take(Method::Get, &path("clients"), 10_000).0.is_ok());
        assert!(limiter.take(Method::Get, &path("clients"), 5_000).0.is_err());
    }

    #[test]
    fn a_group_has_a_bucket_of_its_own() {
        let mut limiter = Limiter::new(Some(Rate::default()));
        let partials = path("prompts/login/partials");
        for _ in 0..5 {
            assert!(limiter.take(Method::Put, &partials, 0).0.is_ok());
        }
        let (verdict, headers) = limiter.take(Method::Get, &partials, 0);
        assert!(verdict.is_err_and(|error| error.message.starts_with("Too many requests.")));
        assert_eq!((headers.limit, headers.retry_after_s), (5, Some(12)));
        assert!(limiter.take(Method::Get, &path("prompts"), 0).0.is_ok());
        assert!(limiter.take(Method::Get, &path("organizations/org_1/connections"), 0).1.limit == 50);
        assert!(limiter.take(Method::Get, &path("organizations/org_1"), 0).1.limit == 10);
    }
    #[test]
    fn without_a_rate_answers_tell_limits_that_nobody_reaches() {
        let mut limiter = Limiter::new(None);
        for _ in 0..1000 {
            assert!(limiter.take(Method::Get, &path("prompts/login/partials"), 0).0.is_ok());
        }
        let limit = |limiter: &mut Limiter, of: &str| limiter.take(Method::Get, &path(of), 0).1.limit;
        assert_ne!(limit(&mut limiter, "prompts/login/partials"), limit(&mut limiter, "clients"));
    }
}
