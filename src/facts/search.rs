//! Reads the writes in the tenant's log: searched by type and time, newest first, a bounded number of them.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::Asker;
use super::entry::{Entry, date};
use crate::api::Failure;

/// How long the log may lag, and clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// Entries of a page, the most the API gives (API description, `GET /logs`).
const PER_PAGE: usize = 100;

/// Pages of one search: a search reaches 1,000 entries (API description, `GET /logs`).
const PAGES: usize = 10;

/// Searches that follow each other, each where the one before ended.
const SEARCHES: usize = 5;

/// Most entries that are looked through.
pub(super) const REACH: usize = PER_PAGE * PAGES * SEARCHES;

/// Writes on users: most tenants have more of them than of all others, and no description holds a user.
const ON_USERS: [&str; 3] = ["Create a User", "Update a User", "Delete a User"];

/// What the log tells.
pub(super) struct Log {
    /// Writes, newest first.
    pub(super) entries: Vec<Entry>,
    /// Nothing that was asked for was left out.
    pub(super) complete: bool,
}

/// Reads the writes since a time, until all of them or `enough` is known.
pub(super) async fn read(
    asker: &Asker<'_>,
    since: Option<Timestamp>,
    enough: &(dyn Fn(&[Entry]) -> bool + Sync),
) -> Result<Log, Failure> {
    let from = since.and_then(|since| since.checked_sub(OVERLAP).ok());
    let mut log = Log { entries: Vec::new(), complete: false };
    let (mut seen, mut until) = (HashSet::new(), None::<Timestamp>);
    for _ in 0..SEARCHES {
        let query = query(from, until);
        // One page first: mostly it is the only one.
        let mut rows = page(asker, &query, 0).await?;
        if rows.len() >= PER_PAGE {
            let rest = try_join_all((1..PAGES).map(|number| page(asker, &query, number))).await?;
            rows.extend(rest.into_iter().flatten());
        }
        let full = rows.len() >= PER_PAGE * PAGES;
        let oldest = rows.iter().filter_map(date).min();
        let fresh = rows.iter().filter(|row| match row.get("log_id").and_then(Json::as_str) {
            Some(id) => seen.insert(id.to_owned()),
            None => false,
        });
        let before = log.entries.len();
        log.entries.extend(fresh.filter_map(Entry::read));
        log.entries.sort_by(|a, b| (b.at, &b.log_id).cmp(&(a.at, &a.log_id)));
        if !full {
            log.complete = true;
            return Ok(log);
        }
        // The next search begins where this one ended; entries of that very moment come twice.
        let stuck = oldest.is_none() || oldest == until || log.entries.len() == before;
        if stuck || enough(&log.entries) {
            return Ok(log);
        }
        until = oldest;
    }
    Ok(log)
}

/// Returns when the oldest entry of any type happened: the log reaches no further back.
pub(super) async fn oldest(asker: &Asker<'_>) -> Result<Option<Timestamp>, Failure> {
    let rows = asker.get("/logs", &[("sort", "date:1"), ("page", "0"), ("per_page", "1")]).await?;
    Ok(rows.as_array().and_then(|rows| rows.first()).and_then(date))
}

async fn page(asker: &Asker<'_>, query: &str, number: usize) -> Result<Vec<Json>, Failure> {
    let (number, size) = (number.to_string(), PER_PAGE.to_string());
    let parameters = [("q", query), ("sort", "date:-1"), ("page", number.as_str()), ("per_page", size.as_str())];
    match asker.get("/logs", &parameters).await? {
        Json::Array(rows) => Ok(rows),
        Json::Object(mut members) => Ok(match members.remove("logs") {
            Some(Json::Array(rows)) => rows,
            _ => Vec::new(),
        }),
        _ => Ok(Vec::new()),
    }
}

/// Writes the search: successful writes of the Management API in a time.
fn query(from: Option<Timestamp>, until: Option<Timestamp>) -> String {
    let mut query = "type:sapi".to_owned();
    if from.is_some() || until.is_some() {
        let bound = |time: Option<Timestamp>| time.map_or_else(|| "*".to_owned(), |time| format!("{time:.3}"));
        query.push_str(&format!(" AND date:[{} TO {}]", bound(from), bound(until)));
    }
    let users = ON_USERS.map(|label| format!("description:\"{label}\"")).join(" OR ");
    format!("{query} AND NOT ({users})")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_search_names_type_and_time() {
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let users =
            r#" AND NOT (description:"Create a User" OR description:"Update a User" OR description:"Delete a User")"#;
        assert_eq!(query(None, None), format!("type:sapi{users}"));
        assert_eq!(
            query(time("2026-11-20T16:42:00Z"), None),
            format!("type:sapi AND date:[2026-11-20T16:42:00.000Z TO *]{users}")
        );
        assert_eq!(
            query(time("2026-11-20T16:42:00.0019Z"), time("2026-11-21T00:00:00.5Z")),
            format!("type:sapi AND date:[2026-11-20T16:42:00.001Z TO 2026-11-21T00:00:00.500Z]{users}")
        );
    }
}
