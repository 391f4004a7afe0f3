//! Points in time as people say them. Pure: what time it is comes from outside, and every time shown is UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::plural::count;

/// Seconds of a minute, an hour and a day.
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Days after which a number of days says less than a date.
const MOST_DAYS: i64 = 60;

/// Says how long ago something was: `2 days ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    let of = |n: i64, noun: &str| format!("{} ago", count(usize::try_from(n).unwrap_or(0), noun));
    match seconds {
        s if s < MINUTE => "just now".to_owned(),
        s if s < HOUR => of(s / MINUTE, "minute"),
        s if s < DAY => of(s / HOUR, "hour"),
        s if s < MOST_DAYS * DAY => of(s / DAY, "day"),
        _ => format!("on {}", at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y")),
    }
}

/// Says when something was: `20 Nov 16:42 UTC`, with the year where it is not this one.
pub(super) fn when(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_zoned(TimeZone::UTC), now.to_zoned(TimeZone::UTC));
    let form = if at.year() == now.year() { "%-d %b %H:%M UTC" } else { "%-d %b %Y %H:%M UTC" };
    at.strftime(form).to_string()
}

/// Says how long something took: `12 s`.
pub(super) fn took(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second().saturating_sub(from.as_second()).max(0);
    match seconds {
        0 => "under 1 s".to_owned(),
        s if s < MINUTE => format!("{s} s"),
        s if s < HOUR => format!("{} min {} s", s / MINUTE, s % MINUTE),
        s => format!("{} h {} min", s / HOUR, s % HOUR / MINUTE),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn as_people_say_it() {
        let now = t("2026-11-22T10:00:00Z");
        for (at, words) in [
            ("2026-11-22T10:00:30Z", "just now"),
            ("2026-11-22T09:59:30Z", "just now"),
            ("2026-11-22T09:58:30Z", "1 minute ago"),
            ("2026-11-22T08:00:00Z", "2 hours ago"),
            ("2026-11-20T08:00:00Z", "2 days ago"),
            ("2026-06-01T08:00:00Z", "on 1 Jun 2026"),
        ] {
            assert_eq!(ago(t(at), now), words, "{at}");
        }
        assert_eq!(when(t("2026-11-20T16:42:59Z"), now), "20 Nov 16:42 UTC");
        assert_eq!(when(t("2025-11-20T16:42:59Z"), now), "20 Nov 2025 16:42 UTC");
        assert_eq!(took(t("2026-11-20T16:42:00Z"), t("2026-11-20T16:43:12Z")), "1 min 12 s");
        assert_eq!(took(t("2026-11-20T16:42:00Z"), t("2026-11-20T16:42:00Z")), "under 1 s");
        assert_eq!(took(t("2026-11-20T16:42:00Z"), t("2026-11-20T18:43:12Z")), "2 h 1 min");
    }
}
