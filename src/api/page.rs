//! Lists: five styles of paging, one way to ask.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::error::Failure;

/// How an endpoint pages, with the name of the member that holds the rows and the largest page it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListStyle {
    /// `page`, `per_page`, `include_totals`.
    Page {
        /// Member with the rows.
        rows: String,
        /// Largest page.
        max: u32,
    },
    /// `take`, `from`.
    Checkpoint {
        /// Member with the rows.
        rows: String,
        /// Largest page.
        max: u32,
    },
    /// Pages as far as they reach (1,000 items), else checkpoints.
    PageThenCheckpoint {
        /// Member with the rows.
        rows: String,
        /// Largest page.
        max: u32,
    },
    /// The actions family: `page`, `per_page`, totals without being asked.
    Envelope {
        /// Member with the rows.
        rows: String,
        /// Largest page.
        max: u32,
    },
    /// One answer, rows in a member.
    Wrapped {
        /// Member with the rows.
        rows: String,
    },
    /// One answer, an array.
    Array,
}

/// Pages reach no further than this many items (Auth0 documentation, Management API pagination).
const REACH: u64 = 1_000;

/// How many pages are asked for at once; the pace may allow fewer.
const PARALLEL: usize = 10;

/// How often a list that changes while it is read is begun anew.
const ATTEMPTS: u32 = 3;

/// One page of rows.
struct Page {
    rows: Vec<Value>,
    total: Option<u64>,
    /// The page size the server used.
    size: Option<u64>,
    next: Option<String>,
    /// A bare array: the server does not say how much there is.
    is_bare: bool,
}

fn kept<T>(rows: Vec<Value>, keep: impl Fn(Value) -> Option<T>) -> Vec<T> {
    rows.into_iter().filter_map(keep).collect()
}

/// A list being read.
pub(super) struct Listing<'a> {
    pub(super) client: &'a Client,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
}

impl Listing<'_> {
    /// Reads all rows; of each what `keep` gives is kept, as soon as its page has come where lists can be long.
    pub(super) async fn read<T>(
        &self,
        style: &ListStyle,
        keep: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let (rows, max, totals, can_checkpoint) = match style {
            ListStyle::Array => return Ok(kept(self.ask(None, &[]).await?.rows, keep)),
            ListStyle::Wrapped { rows } => return Ok(kept(self.ask(Some(rows), &[]).await?.rows, keep)),
            ListStyle::Checkpoint { rows, max } => return self.checkpoints(rows, *max, keep).await,
            ListStyle::Page { rows, max } => (rows, *max, true, false),
            ListStyle::Envelope { rows, max } => (rows, *max, false, false),
            ListStyle::PageThenCheckpoint { rows, max } => (rows, *max, true, true),
        };
        match self.pages(rows, max, totals, can_checkpoint).await? {
            Some(all) => Ok(kept(all, keep)),
            None => self.checkpoints(rows, max, keep).await,
        }
    }

    /// Reads by pages; `None` where they do not reach to the end and checkpoints do.
    async fn pages(
        &self,
        rows: &str,
        max: u32,
        totals: bool,
        can_checkpoint: bool,
    ) -> Result<Option<Vec<Value>>, Failure> {
        for _ in 0..ATTEMPTS {
            let first = self.page(rows, max, totals, 0).await?;
            let got = first.rows.len() as u64;
            let size = first.size.filter(|size| *size > 0).unwrap_or_else(|| u64::from(max));
            match first.total {
                Some(total) if total <= got => return Ok(Some(first.rows)),
                Some(total) if total > REACH && can_checkpoint => return Ok(None),
                Some(total) => {
                    if let Some(all) = self.rest(rows, max, totals, first.rows, total, size).await? {
                        return Ok(Some(all));
                    }
                }
                None if got < size => return Ok(Some(first.rows)),
                None => return self.until_short(rows, max, totals, first, size).await.map(Some),
            }
        }
        Err(self.bad("the list changed each time while it was read"))
    }

    /// Reads the pages behind the first at once; `None` when the list changed meanwhile.
    async fn rest(
        &self,
        rows: &str,
        max: u32,
        totals: bool,
        first: Vec<Value>,
        total: u64,
        size: u64,
    ) -> Result<Option<Vec<Value>>, Failure> {
        let pages: Vec<Page> = stream::iter(1..total.div_ceil(size))
            .map(|number| self.page(rows, max, totals, number))
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        let is_steady = pages.iter().all(|page| page.total == Some(total));
        let all: Vec<Value> = first.into_iter().chain(pages.into_iter().flat_map(|page| page.rows)).collect();
        Ok((is_steady && all.len() as u64 == total).then_some(all))
    }

    /// Reads on until a page is not full: all there is to go by without a total.
    async fn until_short(
        &self,
        rows: &str,
        max: u32,
        totals: bool,
        first: Page,
        size: u64,
    ) -> Result<Vec<Value>, Failure> {
        let (mut all, mut before, is_bare) = (Vec::new(), first.rows, first.is_bare);
        for number in 1.. {
            let page = self.page(rows, max, totals, number).await?;
            if page.rows == before {
                if is_bare && number == 1 {
                    // The endpoint does not page at all.
                    return Ok(before);
                }
                return Err(self.bad("the same page came twice"));
            }
            all.append(&mut before);
            if (page.rows.len() as u64) < size {
                all.extend(page.rows);
                break;
            }
            before = page.rows;
        }
        Ok(all)
    }

    async fn page(&self, rows: &str, max: u32, totals: bool, number: u64) -> Result<Page, Failure> {
        let (page, per_page) = (number.to_string(), max.to_string());
        let mut query = vec![("page", page.as_str()), ("per_page", per_page.as_str())];
        if totals {
            query.push(("include_totals", "true"));
        }
        self.ask(Some(rows), &query).await
    }

    async fn checkpoints<T>(&self, rows: &str, max: u32, keep: impl Fn(Value) -> Option<T>) -> Result<Vec<T>, Failure> {
        let take = max.to_string();
        let (mut all, mut from, mut seen) = (Vec::new(), None::<String>, HashSet::new());
        loop {
            let mut query = vec![("take", take.as_str())];
            if let Some(from) = &from {
                query.push(("from", from.as_str()));
            }
            let page = self.ask(Some(rows), &query).await?;
            let is_empty = page.rows.is_empty();
            all.extend(page.rows.into_iter().filter_map(&keep));
            // Members of an organization get a cursor with every page that has rows (recorded traffic).
            match page.next.filter(|next| !next.is_empty() && !is_empty) {
                None => return Ok(all),
                Some(next) if !seen.insert(next.clone()) => return Err(self.bad("the same cursor came twice")),
                Some(next) => from = Some(next),
            }
        }
    }

    async fn ask(&self, rows: Option<&str>, paging: &[(&str, &str)]) -> Result<Page, Failure> {
        let query: Vec<(&str, &str)> = self.query.iter().chain(paging).copied().collect();
        let answer = self.client.get(self.path, &query).await?;
        let number = |key: &str| answer.get(key).and_then(Value::as_u64);
        let (total, next) = (number("total"), answer.get("next").and_then(Value::as_str).map(str::to_owned));
        let size = number("per_page").or_else(|| number("limit"));
        match (answer, rows) {
            (Value::Array(rows), _) => Ok(Page { rows, total: None, size: None, next: None, is_bare: true }),
            (Value::Object(mut members), Some(name)) => match members.remove(name) {
                Some(Value::Array(rows)) => Ok(Page { rows, total, size, next, is_bare: false }),
                _ => Err(self.bad(&format!("the answer has no list `{name}`"))),
            },
            _ => Err(self.bad("the answer is not a list")),
        }
    }

    fn bad(&self, reason: &str) -> Failure {
        Failure::BadAnswer { method: Method::GET, path: self.path.to_owned(), status: 200, reason: reason.to_owned() }
    }
}
