//! Who is on the tenant already, as far as an import has to know.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::convert::{self, Importable, key};

/// The users of one connection of the tenant, as keys: a hundred bytes each, however much is known of them.
#[derive(Default)]
pub(super) struct Existing {
    by_email: HashMap<u64, (Box<str>, u64)>,
    by_id: HashMap<u64, u64>,
}

/// What is there of a user.
pub(super) enum Found<'a> {
    Nobody,
    /// The same, under this id.
    Equal(&'a str),
    /// Another state of the same, under this id.
    Differs(&'a str),
}

impl Existing {
    pub(super) fn add(&mut self, user: &Value) {
        let id = user.get("user_id").and_then(Value::as_str).unwrap_or_default();
        let content = match convert::convert(user) {
            Ok(user) => {
                self.by_email.insert(user.email, (Box::from(id), user.content));
                user.content
            }
            Err(_) => 0,
        };
        self.by_id.insert(key(id), content);
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(&key(id))
    }

    /// Finds a user as an import would: by e-mail address, then by id.
    pub(super) fn find<'a>(&'a self, user: &'a Importable) -> Found<'a> {
        match self.by_email.get(&user.email) {
            Some((id, content)) if *content == user.content => Found::Equal(id),
            Some((id, _)) => Found::Differs(id),
            None if !user.id.is_empty() && self.has(&user.id) => Found::Differs(&user.id),
            None => Found::Nobody,
        }
    }
}

/// Which users of the backup are on the tenant, and under which id.
#[derive(Default)]
pub(super) struct Present {
    ids: HashSet<u64>,
    /// Those who are there under another id than in the backup.
    renamed: HashMap<String, String>,
}

impl Present {
    /// Remembers that a user of the backup is there, as `there`.
    pub(super) fn add(&mut self, id: &str, there: &str) {
        if id.is_empty() {
            return;
        }
        self.ids.insert(key(id));
        if id != there {
            self.renamed.insert(id.to_owned(), there.to_owned());
        }
    }

    /// Returns the id on the tenant of a user of the backup; `None` for one who is not there.
    pub(super) fn id<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        self.ids.contains(&key(id)).then(|| self.renamed.get(id).map_or(id, String::as_str))
    }
}
