//! Server ids by kind and name, growing while resources are made.

use std::collections::HashMap;
use std::sync::RwLock;

use crate::codec::Names;

/// Finds server ids: first of what this run made, then of what was live.
#[derive(Debug)]
pub struct Index {
    live: Names,
    made: RwLock<HashMap<(String, String), String>>,
}

impl Index {
    /// An index over what is live.
    pub fn new(live: Names) -> Self {
        Index { live, made: RwLock::default() }
    }

    /// Notes what was made.
    pub fn insert(&self, kind: &str, name: &str, id: &str) {
        if let Ok(mut made) = self.made.write() {
            made.insert((kind.to_owned(), name.to_owned()), id.to_owned());
        }
    }

    /// Returns the id of a resource of one of the kinds; a text that is an id already stands for itself.
    pub fn id(&self, kinds: &[String], name: &str) -> Option<String> {
        if let Ok(made) = self.made.read()
            && let Some(id) = kinds.iter().find_map(|kind| made.get(&(kind.clone(), name.to_owned())))
        {
            return Some(id.clone());
        }
        match self.live.ids(kinds, name).as_slice() {
            [one] => Some((*one).to_owned()),
            [] if self.live.has_id(kinds, name) => Some(name.to_owned()),
            _ => None,
        }
    }
}
