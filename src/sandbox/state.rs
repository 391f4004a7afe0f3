//! Everything a sandbox tenant remembers: plain JSON, so that it can be saved, read and set from outside.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Objects of one collection by server id, in creation order.
pub type Collection = IndexMap<String, Value>;

/// The tenant's memory.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of this format; 1.
    pub version: u32,
    /// Canonical tenant domain: `travel0.eu.auth0.com`. Identifier of its Management API.
    pub domain: String,
    /// Counter behind every made-up id, so that equal histories give equal ids.
    pub counter: u64,
    /// Seed of every made-up id.
    pub seed: u64,
    /// Milliseconds added to the machine's clock (or to the fixed clock of a test).
    pub clock_offset_ms: i64,
    /// Collections by name: `clients`, `client_grants`, `connections`, …; sub-collections too, under names
    /// such as `role_permissions/ROLE_ID`.
    pub collections: IndexMap<String, Collection>,
    /// Single documents by name: `tenant_settings`, `branding`, `attack_protection/captcha`, …
    pub documents: IndexMap<String, Value>,
    /// Tenant log, oldest first.
    pub logs: Vec<Value>,
}

impl fmt::Debug for State {
    /// Which tenant it is, and nothing of what it remembers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl State {
    /// Returns a collection, empty where nothing was ever written.
    pub fn collection(&self, name: &str) -> impl DoubleEndedIterator<Item = (&String, &Value)> {
        self.collections.get(name).into_iter().flatten()
    }
    /// Returns a collection for writing, made on first use.
    pub fn collection_mut(&mut self, name: &str) -> &mut Collection {
        self.collections.entry(name.to_owned()).or_default()
    }
    /// Returns one object of a collection.
    pub fn object(&self, collection: &str, id: &str) -> Option<&Value> {
        self.collections.get(collection)?.get(id)
    }
    /// Returns one object of a collection for writing.
    pub fn object_mut(&mut self, collection: &str, id: &str) -> Option<&mut Value> {
        self.collections.get_mut(collection)?.get_mut(id)
    }
    /// Removes one object; keeps the order of the others.
    pub fn remove(&mut self, collection: &str, id: &str) -> Option<Value> {
        self.collections.get_mut(collection)?.shift_remove(id)
    }
    /// Finds the first object whose member equals a value.
    pub fn find_by(&self, collection: &str, member: &str, value: &Value) -> Option<(&String, &Value)> {
        self.collections.get(collection)?.iter().find(|(_, object)| object.get(member) == Some(value))
    }
    /// Says whether the tenant's subscription has a feature. What `$features` does not name is there.
    pub fn has_feature(&self, name: &str) -> bool {
        self.documents.get("$features").and_then(|features| features.get(name)).and_then(Value::as_bool).unwrap_or(true)
    }
}
