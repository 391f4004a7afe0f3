//! Lists that may be too long to hold: page by page.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::Value;

use crate::api::{Client, Failure};

/// Rows of a page (API description: the most that the lists of members and role users give).
const PAGE: &str = "100";

/// A walk over a list by checkpoints.
pub(super) struct Pages<'a> {
    client: &'a Client,
    path: String,
    query: Vec<(&'a str, &'a str)>,
    rows: &'static str,
    next: Option<String>,
    seen: HashSet<String>,
    is_done: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(client: &'a Client, path: String, query: &[(&'a str, &'a str)], rows: &'static str) -> Self {
        let query = query.to_vec();
        Pages { client, path, query, rows, next: None, seen: HashSet::new(), is_done: false }
    }

    /// Returns the next rows; `None` when there are no more.
    ///
    /// # Errors
    ///
    /// Those of reading; [`Failure::BadAnswer`] for an answer that is no page.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        if self.is_done {
            return Ok(None);
        }
        let mut query = self.query.clone();
        query.push(("take", PAGE));
        if let Some(next) = &self.next {
            query.push(("from", next));
        }
        let mut answer = self.client.get(&self.path, &query).await?;
        let bad = |reason: &str| Failure::BadAnswer {
            method: Method::GET,
            path: self.path.clone(),
            status: 200,
            reason: reason.to_owned(),
        };
        let Some(Value::Array(rows)) = answer.get_mut(self.rows).map(Value::take) else {
            return Err(bad(&format!("the answer has no list `{}`", self.rows)));
        };
        // Members of an organization get a cursor with every page that has rows (recorded traffic).
        let next = answer.get("next").and_then(Value::as_str).filter(|next| !next.is_empty() && !rows.is_empty());
        match next {
            None => self.is_done = true,
            Some(next) if !self.seen.insert(next.to_owned()) => return Err(bad("the same cursor came twice")),
            Some(next) => self.next = Some(next.to_owned()),
        }
        Ok(Some(rows))
    }
}
