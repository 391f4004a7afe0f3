//! [`Filters`]: what is managed at all.

use indexmap::IndexMap;

use crate::model::{Address, AddressPattern, Value};
use crate::schema::KindSpec;

/// What is managed: whole kinds and single resources.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Only what matches is managed; empty for all.
    pub include: Vec<AddressPattern>,
    /// What matches is left alone.
    pub exclude: Vec<AddressPattern>,
    /// Only these kinds (`AUTH0_INCLUDED_ONLY`).
    pub only_kinds: Option<Vec<String>>,
    /// Not these kinds (`AUTH0_EXCLUDED`).
    pub excluded_kinds: Vec<String>,
    /// Not the resources of these names, by kind (`AUTH0_EXCLUDED_CLIENTS` and the like).
    pub excluded_names: IndexMap<String, Vec<String>>,
    /// Of these kinds only the resources of these names (`AUTH0_INCLUDED_CONNECTIONS`).
    pub included_names: IndexMap<String, Vec<String>>,
    /// Not clients that are not first party, nor what hangs on them.
    pub exclude_third_party_clients: bool,
}

impl Filters {
    /// Says whether anything of a kind is managed.
    pub fn covers_kind(&self, kind: &str) -> bool {
        let listed = |kinds: &[String]| kinds.iter().any(|known| known == kind);
        if self.only_kinds.as_deref().is_some_and(|kinds| !listed(kinds)) || listed(&self.excluded_kinds) {
            return false;
        }
        let part = |pattern: &AddressPattern| {
            let text = pattern.as_str();
            let head = text.split('/').next().unwrap_or(text);
            head == kind || head.contains(['*', '?', '[', '{'])
        };
        // A pattern that takes the whole kind excludes the kind; one that takes some of its resources does not.
        let whole = |pattern: &AddressPattern| {
            let text = pattern.as_str();
            text == kind || text == "**" || text == format!("{kind}/*") || text == format!("{kind}/**")
        };
        (self.include.is_empty() || self.include.iter().any(part)) && !self.exclude.iter().any(whole)
    }

    /// Says whether one resource is managed, by its own name and members.
    pub fn covers(&self, address: &Address, value: &Value) -> bool {
        if !self.covers_kind(&address.kind) {
            return false;
        }
        let named = |names: &Vec<String>| address.name.as_ref().is_some_and(|name| names.contains(name));
        if self.excluded_names.get(&address.kind).is_some_and(named)
            || self.included_names.get(&address.kind).is_some_and(|names| !named(names))
        {
            return false;
        }
        if self.exclude_third_party_clients && is_third_party(address, value) {
            return false;
        }
        (self.include.is_empty() || self.include.iter().any(|pattern| pattern.matches(address)))
            && !self.exclude.iter().any(|pattern| pattern.matches(address))
    }

    /// Says whether a resource is managed, given the kinds and names of resources that are not: one whose identity names
    /// such a resource stands and falls with it (the grant of an excluded client).
    pub fn covers_with(&self, spec: &KindSpec, address: &Address, value: &Value, left_alone: &[Address]) -> bool {
        if !self.covers(address, value) {
            return false;
        }
        !spec.identity.iter().any(|member| {
            let Some(field) = spec.field(member) else { return false };
            let Some(name) = value.get(member).and_then(Value::as_str) else { return false };
            field
                .reference
                .iter()
                .any(|kind| left_alone.iter().any(|gone| gone.kind == *kind && gone.name.as_deref() == Some(name)))
        })
    }

    /// Says whether a resource that is known by name alone is left alone.
    pub fn names_excluded(&self, kind: &str, name: &str) -> bool {
        self.covers_kind(kind) && !self.covers(&Address::new(kind, name), &Value::object())
    }
}

fn is_third_party(address: &Address, value: &Value) -> bool {
    address.kind == "clients" && value.get("is_first_party").and_then(Value::as_bool) == Some(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Map;

    fn patterns(texts: &[&str]) -> Vec<AddressPattern> {
        texts.iter().map(|text| AddressPattern::new(text).unwrap()).collect()
    }

    #[test]
    fn kinds_and_names() {
        let filters = Filters {
            only_kinds: Some(vec!["rulesConfigs".to_owned(), "clients".to_owned()]),
            excluded_names: IndexMap::from([("clients".to_owned(), vec!["a[b]*".to_owned()])]),
            ..Filters::default()
        };
        assert!(filters.covers_kind("rulesConfigs"));
        assert!(!filters.covers_kind("rules"), "a kind whose name is part of another is another");
        assert!(!filters.covers(&Address::new("clients", "a[b]*"), &Value::object()));
        assert!(filters.covers(&Address::new("clients", "ab"), &Value::object()), "names are no patterns");
        assert!(filters.names_excluded("clients", "a[b]*"));
        assert!(!filters.names_excluded("rules", "x"), "a kind left out leaves single names alone");
    }

    #[test]
    fn patterns_take_kinds_or_resources() {
        let filters = Filters { include: patterns(&["clients/My *", "roles"]), ..Filters::default() };
        assert!(filters.covers_kind("clients") && filters.covers_kind("roles") && !filters.covers_kind("tenant"));
        assert!(filters.covers(&Address::new("clients", "My App"), &Value::object()));
        assert!(!filters.covers(&Address::new("clients", "Other"), &Value::object()));
        let filters = Filters { exclude: patterns(&["clients", "roles/Admin"]), ..Filters::default() };
        assert!(!filters.covers_kind("clients") && filters.covers_kind("roles"));
        assert!(!filters.covers(&Address::new("roles", "Admin"), &Value::object()));
    }

    #[test]
    fn third_party_clients() {
        let filters = Filters { exclude_third_party_clients: true, ..Filters::default() };
        let client = |first| Value::Object(Map::from_iter([("is_first_party".to_owned(), Value::Bool(first))]));
        assert!(!filters.covers(&Address::new("clients", "x"), &client(false)));
        assert!(filters.covers(&Address::new("clients", "x"), &client(true)));
        assert!(filters.covers(&Address::new("clients", "x"), &Value::object()));
    }
}
