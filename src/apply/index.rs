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

    /// Says whether a resource was there before anything was made.
    pub fn was_live(&self, kind: &str, id: &str) -> bool {
        self.live.has_id(&[kind.to_owned()], id)
    }

    /// Notes what was made.
    pub fn insert(&self, kind: &str, name: &str, id: &str) {
        if let Ok(mut made) = self.made.write() {
            made.insert((kind.to_owned(), name.to_owned()), id.to_owned());
        }
    }

    /// Returns the id of something this run made or touched.
    pub fn made(&self, kind: &str, name: &str) -> Option<String> {
        self.made.read().ok()?.get(&(kind.to_owned(), name.to_owned())).cloned()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn index() -> Index {
        let mut names = Names::default();
        names.insert("roles", "r1", "admin");
        names.insert("roles", "r2", "twin");
        names.insert("roles", "r3", "twin");
        Index::new(names)
    }

    fn id(index: &Index, kinds: &[&str], name: &str) -> Option<String> {
        index.id(&kinds.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>(), name)
    }

    #[test]
    fn what_was_made_counts_before_what_was_live() {
        let index = index();
        assert_eq!(id(&index, &["users", "roles"], "admin").as_deref(), Some("r1"));
        index.insert("roles", "admin", "r9");
        assert_eq!(id(&index, &["users", "roles"], "admin").as_deref(), Some("r9"));
        assert_eq!(id(&index, &["users"], "admin"), None, "another kind's");
    }

    #[test]
    fn an_id_stands_for_itself_and_a_name_of_two_for_neither() {
        let index = index();
        assert_eq!(id(&index, &["roles"], "r2").as_deref(), Some("r2"));
        assert_eq!(id(&index, &["roles"], "twin"), None);
        assert_eq!(id(&index, &["roles"], "nobody"), None);
        index.insert("roles", "twin", "r4");
        assert_eq!(id(&index, &["roles"], "twin").as_deref(), Some("r4"));
    }
}
