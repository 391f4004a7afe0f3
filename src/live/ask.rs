//! Requests of a read: each object once, and what a failure means.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use tokio::sync::OnceCell;

use super::reach::Reach;
use crate::api::{Client, Failure, ListStyle};
use crate::codec::{Names, address_of, decode};
use crate::model::{Described, Map, Unavailable};
use crate::schema::{Endpoint, KindSpec, ListEndpoint, ListPaging, Part, PartStep};

type Cached = Arc<OnceCell<Result<Json, Failure>>>;

pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) reach: Reach<'a>,
    pub(super) answers: &'a Answers,
}

/// Answers that are not asked for twice: of single reads, which several kinds may share, and of lists where a further read of the same
/// tenant follows.
#[derive(Default)]
pub struct Answers {
    cells: Mutex<HashMap<String, Cached>>,
    keeps_lists: bool,
}

impl Answers {
    /// Keeps lists too.
    pub fn with_lists() -> Self {
        Answers { keeps_lists: true, ..Answers::default() }
    }
}

impl Reader<'_> {
    /// Says whether a look at a path finds anything; where nobody may look, there is nothing.
    pub(super) async fn has_any(&self, path: &str) -> Result<bool, Failure> {
        let cell = self.cell(format!("any {path}"));
        let found = cell.get_or_init(|| self.client.get(path, &[])).await.clone();
        match found {
            Ok(Json::Array(rows)) => Ok(!rows.is_empty()),
            Ok(other) => {
                Ok(other.as_object().is_some_and(|m| m.values().any(|v| v.as_array().is_some_and(|a| !a.is_empty()))))
            }
            Err(failure) if unavailable(&failure, true).is_some() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn is_whole(&self, spec: &KindSpec) -> bool {
        matches!(self.reach.of(&spec.name), Reach::Whole(_))
    }

    pub(super) fn describes(&self, spec: &KindSpec, name: &str) -> bool {
        match self.reach.of(&spec.name) {
            Reach::Described(desired) | Reach::Both(desired, _) => desired
                .kinds
                .get(&spec.name)
                .is_some_and(|d| d.resources.iter().any(|r| r.address.name.as_deref() == Some(name))),
            Reach::Whole(_) => true,
        }
    }

    /// Returns what is described of a live row, by id or identity.
    pub(super) fn described(&self, spec: &KindSpec, raw: &Json, id: &str) -> Option<&Described> {
        let Reach::Described(desired) = self.reach.of(&spec.name) else { return None };
        let empty = Map::new();
        let live = decode(spec, raw, &Names::default());
        let name = address_of(spec, live.as_object().unwrap_or(&empty)).and_then(|a| a.name);
        desired
            .kinds
            .get(&spec.name)?
            .resources
            .iter()
            .find(|r| r.id.as_deref() == Some(id) || (name.is_some() && r.address.name == name))
    }

    /// Reads a list once, however many ask.
    pub(super) async fn cached_list(&self, list: &ListEndpoint) -> Result<Json, Failure> {
        let cell = self.cell(format!("list {}", list.path));
        cell.get_or_init(|| async { self.list(list, &list.path).await.map(Json::Array) }).await.clone()
    }

    fn cell(&self, key: String) -> Cached {
        match self.answers.cells.lock() {
            Ok(mut cache) => Arc::clone(cache.entry(key).or_default()),
            Err(poisoned) => Arc::clone(poisoned.into_inner().entry(key).or_default()),
        }
    }

    pub(super) async fn get(&self, endpoint: &Endpoint, path: &str) -> Result<Json, Failure> {
        let key = format!("{path}?{:?}", endpoint.query);
        let cell = self.cell(key);
        let query: Vec<(&str, &str)> = endpoint.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        cell.get_or_init(|| self.client.get(path, &query)).await.clone()
    }

    pub(super) async fn list(&self, list: &ListEndpoint, path: &str) -> Result<Vec<Json>, Failure> {
        self.list_keeping(list, path, Some).await
    }

    /// Reads a list, and keeps of each row what `keep` gives.
    pub(super) async fn list_keeping<T>(
        &self,
        list: &ListEndpoint,
        path: &str,
        keep: impl Fn(Json) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let query: Vec<(&str, &str)> = list.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if !self.answers.keeps_lists {
            return self.client.list_keeping(path, &query, &style(list), keep).await;
        }
        let cell = self.cell(format!("list {path}?{:?}", list.query));
        let ask = async || self.client.list(path, &query, &style(list)).await.map(Json::Array);
        match cell.get_or_init(ask).await.clone()? {
            Json::Array(rows) => Ok(rows.into_iter().filter_map(keep).collect()),
            _ => Ok(Vec::new()),
        }
    }
}

/// Returns how a list is asked for.
pub fn style(list: &ListEndpoint) -> ListStyle {
    let (rows, max) = (list.rows.clone(), list.max);
    match list.paging {
        ListPaging::Page => ListStyle::Page { rows, max },
        ListPaging::Checkpoint => ListStyle::Checkpoint { rows, max },
        ListPaging::PageCheckpoint => ListStyle::PageThenCheckpoint { rows, max },
        ListPaging::Envelope => ListStyle::Envelope { rows, max },
        ListPaging::Wrapped => ListStyle::Wrapped { rows },
        ListPaging::Array => ListStyle::Array,
    }
}

pub(super) fn status(failure: &Failure) -> Option<u16> {
    match failure {
        Failure::NotFound { .. } => Some(404),
        Failure::Refused { status, .. } | Failure::Feature { status, .. } => Some(*status),
        _ => None,
    }
}

/// Says whether a failure means "cannot be read" rather than "something is broken".
pub(super) fn unavailable(failure: &Failure, optional: bool) -> Option<Unavailable> {
    match failure {
        Failure::Scope { needed, .. } => Some(Unavailable::Scope(needed.clone())),
        Failure::Feature { message, .. } => Some(Unavailable::Feature(message.clone())),
        Failure::NotFound { message, .. } if optional => Some(Unavailable::Feature(message.clone())),
        Failure::Refused { status: 501, message, .. } if optional => Some(Unavailable::Feature(message.clone())),
        _ => None,
    }
}

/// Says whether a status means that the plan lacks one name of a closed set.
pub(super) fn lacks(spec: &KindSpec, name: &str, status: u16) -> bool {
    spec.unavailable.get(name).is_some_and(|statuses| statuses.contains(&status))
}

pub(super) fn note(unreadable: &mut Vec<(String, Unavailable)>, part: &Part, failure: &Failure) -> Option<()> {
    let lacking = status(failure).is_some_and(|s| part.unavailable.contains(&s));
    let why = match (unavailable(failure, part.optional), failure) {
        (Some(why), _) => why,
        (None, Failure::Refused { message, .. } | Failure::NotFound { message, .. }) if lacking => {
            Unavailable::Feature(message.clone())
        }
        _ => return None,
    };
    let member = match part.at.first() {
        Some(PartStep::Key(key)) => key.clone(),
        _ => String::new(),
    };
    if !unreadable.iter().any(|(m, _)| *m == member) {
        unreadable.push((member, why));
    }
    Some(())
}
