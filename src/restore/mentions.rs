//! What still names the tenant that an archive was taken of: its domain and its ids, inside texts that no reference covers.

use std::collections::HashMap;

use super::objects::{Object, Objects};
use crate::model::{Address, Described, Desired, Live, Locus, Path, Value};
use crate::schema::{FieldSpec, Registry};

/// Shortest id that is looked for: a shorter one is a word.
const SHORTEST: usize = 12;

/// A place that names the tenant an archive was taken of.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// The resource.
    pub address: Address,
    /// Where in it.
    pub path: Path,
    /// Line inside the text, 1-based; `None` where the text is one line.
    pub line: Option<usize>,
    /// Where in the files of the archive.
    pub locus: Option<Locus>,
    /// What is named.
    pub what: Mentioned,
}

/// What of the other tenant is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mentioned {
    /// Its domain.
    Domain(String),
    /// The id of one of its resources.
    Id(Object),
}

/// Finds where described texts name ids that this tenant does not have, and `domain`, where that is another tenant's.
///
/// References are no texts; secrets are not looked into.
pub fn mentions(
    registry: &Registry,
    desired: &Desired,
    objects: &Objects,
    live: &Live,
    domain: Option<&str>,
) -> Vec<Mention> {
    let mut ids: HashMap<&str, &Object> = HashMap::new();
    for object in objects.iter().filter(|object| object.id.len() >= SHORTEST) {
        if !live.resources(&object.address.kind).iter().any(|live| live.id == object.id) {
            ids.insert(&object.id, object);
        }
    }
    let mut finder = Finder { ids, domain, found: Vec::new() };
    for (kind, described) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &described.resources {
            finder.walk(resource, Some(&spec.fields), &resource.value, &Path::root());
        }
    }
    finder.found
}

struct Finder<'a> {
    ids: HashMap<&'a str, &'a Object>,
    domain: Option<&'a str>,
    found: Vec<Mention>,
}

impl Finder<'_> {
    fn walk(&mut self, resource: &Described, spec: Option<&FieldSpec>, value: &Value, path: &Path) {
        match value {
            Value::String(text)
                if spec.is_none_or(|spec| spec.reference.is_empty() && spec.literal_reference.is_empty()) =>
            {
                self.text(resource, text, path);
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.walk(resource, spec.and_then(|spec| spec.member(name)), member, &path.key(name));
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.walk(resource, spec.and_then(FieldSpec::item), item, &path.index(n));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, resource: &Described, text: &str, path: &Path) {
        let several = text.trim_end().contains('\n');
        for (n, line) in text.lines().enumerate() {
            let mut named: Vec<Mentioned> = Vec::new();
            if let Some(domain) = self.domain.filter(|domain| names_domain(line, domain)) {
                named.push(Mentioned::Domain(domain.to_owned()));
            }
            for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')) {
                if let Some(object) = self.ids.get(word) {
                    let id = Mentioned::Id((*object).clone());
                    if !named.contains(&id) {
                        named.push(id);
                    }
                }
            }
            self.found.extend(named.into_iter().map(|what| Mention {
                address: resource.address.clone(),
                path: path.clone(),
                line: several.then_some(n + 1),
                locus: resource.loci.at(path).cloned(),
                what,
            }));
        }
    }
}

/// Says whether a text names a domain, and not a longer one.
fn names_domain(text: &str, domain: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let domain = domain.to_ascii_lowercase();
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !domain.is_empty()
        && text.match_indices(&domain).any(|(at, _)| {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            let mut after = text.get(at + domain.len()..).unwrap_or_default().chars();
            let (next, second) = (after.next(), after.next());
            let longer = next == Some('.') && second.is_some_and(of_name);
            !before.is_some_and(|c| of_name(c) || c == '.') && !next.is_some_and(of_name) && !longer
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::model::Loci;

    #[test]
    fn a_domain_is_named_and_not_a_longer_one() {
        for text in
            ["acme.eu.auth0.com", "https://ACME.eu.auth0.com/login", "(acme.eu.auth0.com).", "x@acme.eu.auth0.com"]
        {
            assert!(names_domain(text, "acme.eu.auth0.com"), "{text}");
        }
        for text in [
            "acme.eu.auth0.com.evil.example",
            "my-acme.eu.auth0.com",
            "a.acme.eu.auth0.com",
            "acme.eu.auth0.community",
            "",
        ] {
            assert!(!names_domain(text, "acme.eu.auth0.com"), "{text}");
        }
        assert!(!names_domain("anything", ""));
    }

    #[test]
    fn ids_are_found_as_words_in_texts_and_not_where_they_refer() {
        let things = "x-tenantry: {identity: [name], id: id}\nproperties: {name: {}, id: {readOnly: true}, to: {x-ref: things}, code: {}}";
        let registry = Registry::of(&[("things", things)]);
        let (old, kept) = ("Xk3mPq9sWv2bZr7t", "Ah8nJd4fLc6gTy1u");
        let rows = json!([{"name": "one", "id": old}, {"name": "two", "id": kept}, {"name": "three", "id": "short"}]);
        let rows = BTreeMap::from([("things".to_owned(), rows.as_array().unwrap().clone())]);
        let objects = Objects::read(&registry, &rows);
        let code = format!("first\nif (id === '{old}' || id == '{old}x' || id == '{kept}') short");
        let value = Value::from_json(&json!({"name": "one", "to": old, "code": code}));
        let address = Address::new("things", "one");
        let mut desired = Desired::default();
        let described = Described { address: address.clone(), id: None, value, loci: Loci::default() };
        desired.kinds.entry("things".to_owned()).or_default().resources.push(described);
        let mut live = Live::default();
        let two = crate::model::LiveResource {
            address: Address::new("things", "two"),
            id: kept.to_owned(),
            value: Value::object(),
            raw: json!({}).into(),
            system: None,
            unreadable: Vec::new(),
        };
        live.kinds.insert("things".to_owned(), crate::model::LiveKind::Read(vec![two]));
        let found = mentions(&registry, &desired, &objects, &live, None);
        let told: Vec<(String, Option<usize>)> = found.iter().map(|one| (one.path.to_string(), one.line)).collect();
        assert_eq!(told, [("code".to_owned(), Some(2))]);
        assert_eq!(found[0].what, Mentioned::Id(Object { address, id: old.to_owned() }));
    }
}
