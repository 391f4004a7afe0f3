//! Reads members of an object strictly.

use std::cell::RefCell;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value as Json;

/// Reads members of an object and remembers which, so that leftovers can be named.
pub(super) struct Reader<'a> {
    pub(super) json: &'a Json,
    place: String,
    seen: RefCell<BTreeSet<String>>,
    errors: &'a RefCell<Vec<String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(json: &'a Json, place: &str, errors: &'a RefCell<Vec<String>>) -> Self {
        Reader { json, place: place.to_owned(), seen: RefCell::default(), errors }
    }

    pub(super) fn error(&self, message: &str) {
        self.errors.borrow_mut().push(format!("{}: {message}", self.place));
    }

    pub(super) fn take(&self, key: &str) -> Option<&'a Json> {
        self.seen.borrow_mut().insert(key.to_owned());
        self.json.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.take(key).map(|v| match v {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    pub(super) fn need(&self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.error(&format!("`{key}` is missing"));
            String::new()
        })
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        self.take(key).and_then(Json::as_bool).unwrap_or(default)
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn numbers(&self, key: &str) -> Vec<u16> {
        self.take(key)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(|n| n.as_u64().and_then(|n| u16::try_from(n).ok()))
            .collect()
    }

    pub(super) fn object(&self, key: &str) -> Option<Reader<'a>> {
        self.take(key).map(|json| Reader::new(json, &format!("{}/{key}", self.place), self.errors))
    }

    pub(super) fn objects(&self, key: &str) -> Vec<Reader<'a>> {
        let items = self.take(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(n, json)| Reader::new(json, &format!("{}/{key}/{n}", self.place), self.errors))
            .collect()
    }

    pub(super) fn map<T>(&self, key: &str, read: impl Fn(&Reader<'a>) -> T) -> IndexMap<String, T> {
        let members = self.take(key).and_then(Json::as_object);
        members
            .into_iter()
            .flatten()
            .map(|(name, json)| {
                (name.clone(), read(&Reader::new(json, &format!("{}/{key}/{name}", self.place), self.errors)))
            })
            .collect()
    }

    pub(super) fn pairs(&self, key: &str) -> Vec<(String, String)> {
        let members = self.take(key).and_then(Json::as_object);
        members
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect()
    }

    pub(super) fn finish(&self) {
        for key in self.json.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !self.seen.borrow().contains(key) {
                self.error(&format!("`{key}` is not an annotation"));
            }
        }
    }
}
