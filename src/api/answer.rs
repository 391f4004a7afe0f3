//! What an answer says besides its body: limits, waits, the server's time.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// The headers that steer the client.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Signals {
    /// `x-ratelimit-limit`: the size of a bucket.
    pub(super) limit: Option<u32>,
    /// `x-ratelimit-remaining`: what is left in it.
    pub(super) remaining: Option<u32>,
    /// Time until `x-ratelimit-reset`, which is in UTC epoch seconds (API description), by the server's own clock.
    pub(super) reset: Option<Duration>,
    /// `retry-after`.
    pub(super) retry_after: Option<Duration>,
    /// `date`.
    pub(super) date: Option<Timestamp>,
}

impl Signals {
    /// Reads the headers; `now` stands in for a missing `date`.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let date = text("date").and_then(http_date);
        let server_now = date.unwrap_or(now);
        let until = |time: Timestamp| Duration::try_from(time.duration_since(server_now)).unwrap_or_default();
        Signals {
            limit: text("x-ratelimit-limit").and_then(|v| v.parse().ok()).filter(|limit| *limit > 0),
            remaining: text("x-ratelimit-remaining").and_then(|v| v.parse().ok()),
            reset: text("x-ratelimit-reset")
                .and_then(|v| v.parse().ok())
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .map(until),
            retry_after: text("retry-after").and_then(|v| match v.parse() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                Err(_) => http_date(v).map(until),
            }),
            date,
        }
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Signals {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Signals::read(&headers, Timestamp::from_second(1_000).unwrap())
    }

    #[test]
    fn waits_are_counted_on_the_servers_clock() {
        let signals = read(&[
            ("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "3"),
            ("x-ratelimit-reset", "1795255203"),
            ("retry-after", "Sat, 21 Nov 2026 10:00:07 GMT"),
        ]);
        assert_eq!((signals.limit, signals.remaining), (Some(50), Some(3)));
        assert_eq!(signals.reset, Some(Duration::from_secs(3)));
        assert_eq!(signals.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn nonsense_in_headers_is_no_signal() {
        let signals = read(&[
            ("date", "yesterday"),
            ("x-ratelimit-limit", "0"),
            ("x-ratelimit-remaining", "-1"),
            ("x-ratelimit-reset", "99999999999999999999"),
            ("retry-after", "soon"),
        ]);
        assert_eq!(signals, Signals::default());
    }

    #[test]
    fn a_reset_in_the_past_is_no_wait() {
        assert_eq!(read(&[("x-ratelimit-reset", "900")]).reset, Some(Duration::ZERO));
    }
}
