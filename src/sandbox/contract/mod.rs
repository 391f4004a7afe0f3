//! The contract: what the API accepts at each operation, before any handler sees the request.
//!
//! Scopes, query parameters and body shapes stand in the YAML files beside this module, one per family
//! of paths, in the notation of [`notation`]. They come from the API description of November 2026, overlaid
//! with what recorded traffic proves. [`check`] applies them.

pub mod check;
mod format;
pub mod notation;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::call::Method;
use notation::{Shape, Type};

/// Bytes a request body may have (API description: 413 above).
pub const MAX_BODY_BYTES: usize = 512_000;

const FILES: &[(&str, &str)] = &[
    ("actions", include_str!("actions.yaml")),
    ("attack_protection", include_str!("attack_protection.yaml")),
    ("branding", include_str!("branding.yaml")),
    ("client_grants", include_str!("client_grants.yaml")),
    ("clients", include_str!("clients.yaml")),
    ("connections", include_str!("connections.yaml")),
    ("custom_domains", include_str!("custom_domains.yaml")),
    ("emails", include_str!("emails.yaml")),
    ("jobs", include_str!("jobs.yaml")),
    ("keys", include_str!("keys.yaml")),
    ("lists", include_str!("lists.yaml")),
    ("logs", include_str!("logs.yaml")),
    ("organizations", include_str!("organizations.yaml")),
    ("profiles", include_str!("profiles.yaml")),
    ("prompts", include_str!("prompts.yaml")),
    ("resource_servers", include_str!("resource_servers.yaml")),
    ("roles", include_str!("roles.yaml")),
    ("rules", include_str!("rules.yaml")),
    ("tenant_settings", include_str!("tenant_settings.yaml")),
    ("users", include_str!("users.yaml")),
];

/// Named types of one file.
pub type Types = HashMap<String, Type>;

/// What the API accepts at one method and path template.
#[derive(Debug)]
pub struct Operation {
    /// HTTP method.
    pub method: Method,
    /// Path template below `/api/v2`: `/clients/{id}`.
    pub template: String,
    /// What the tenant log calls a write of this operation.
    pub label: Option<String>,
    /// Scopes, any of which suffices.
    pub scopes: Vec<String>,
    /// Path parameters that are more than any text.
    pub path: Vec<Parameter>,
    /// Query parameters.
    pub query: Vec<Parameter>,
    /// Shape of the body; `None` where there is none.
    pub body: Option<Type>,
    /// Index of the named types this operation's shapes refer to.
    types: usize,
}

/// A named value in path or query.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub shape: Type,
}

/// All operations.
#[derive(Debug, Default)]
pub struct Contract {
    operations: Vec<Operation>,
    types: Vec<Types>,
    scopes: Vec<String>,
    /// What is wrong with the embedded files; a test holds this empty.
    pub problems: Vec<String>,
}

/// Where a path led.
#[derive(Debug)]
pub struct Found<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Values of the template's parameters with their names, in order.
    pub params: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct File {
    operations: IndexMap<String, OperationEntry>,
    types: IndexMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationEntry {
    label: Option<String>,
    scopes: Vec<String>,
    #[serde(default)]
    path: IndexMap<String, String>,
    #[serde(default)]
    query: IndexMap<String, String>,
    body: Option<String>,
}

/// Returns the embedded contract, read once.
pub fn embedded() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| Contract::read(FILES, include_str!("scopes.yaml")))
}

/// Returns every scope of the Management API, sorted.
pub fn all_scopes() -> Vec<String> {
    embedded().scopes.clone()
}

impl Contract {
    fn read(files: &[(&str, &str)], scopes: &str) -> Contract {
        let mut contract = Contract::default();
        for (name, text) in files {
            match serde_yaml::from_str::<File>(text) {
                Ok(file) => contract.add(name, file),
                Err(error) => contract.problems.push(format!("{name}.yaml: {error}")),
            }
        }
        match serde_yaml::from_str::<Vec<String>>(scopes) {
            Ok(listed) => {
                let used = contract.operations.iter().flat_map(|operation| operation.scopes.iter().cloned());
                contract.scopes = listed.into_iter().chain(used).collect::<BTreeSet<_>>().into_iter().collect();
            }
            Err(error) => contract.problems.push(format!("scopes.yaml: {error}")),
        }
        contract
    }

    fn add(&mut self, name: &str, file: File) {
        let mut problems = Vec::new();
        let mut types = Types::new();
        for (type_name, written) in &file.types {
            match notation::read(written) {
                Ok(read) => drop(types.insert(type_name.clone(), read)),
                Err(error) => problems.push(format!("{type_name}: {error}")),
            }
        }
        for (key, entry) in file.operations {
            match operation(&key, entry, self.types.len()) {
                Ok(read) => self.operations.push(read),
                Err(error) => problems.push(format!("{key}: {error}")),
            }
        }
        let mut names = Vec::new();
        types.values().for_each(|read| read.names(&mut names));
        let added = self.operations.iter().filter(|operation| operation.types == self.types.len());
        for operation in added {
            operation.body.iter().for_each(|body| body.names(&mut names));
            operation.path.iter().chain(&operation.query).for_each(|parameter| parameter.shape.names(&mut names));
        }
        for (type_name, read) in &types {
            if matches!(read.shape, Shape::Named(_)) {
                problems.push(format!("{type_name}: another name is no type"));
            }
        }
        names.retain(|used| !types.contains_key(used));
        problems.extend(names.into_iter().map(|used| format!("no type named {used}")));
        self.problems.extend(problems.into_iter().map(|problem| format!("{name}.yaml: {problem}")));
        self.types.push(types);
    }

    /// Returns all operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Finds the operation of a path; of several templates that fit, the one with most literal segments.
    pub fn find(&self, method: Method, segments: &[String]) -> Option<Found<'_>> {
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .filter_map(|operation| Some((operation, fits(&operation.template, segments)?)))
            .min_by_key(|(_, params)| params.len())
            .map(|(operation, params)| Found { operation, params })
    }

    /// Returns the named types an operation's shapes refer to.
    pub fn types(&self, operation: &Operation) -> &Types {
        static NONE: OnceLock<Types> = OnceLock::new();
        self.types.get(operation.types).unwrap_or_else(|| NONE.get_or_init(Types::new))
    }
}

/// Matches a path against a template and returns the template's parameters.
fn fits(template: &str, segments: &[String]) -> Option<Vec<(String, String)>> {
    let mut params = Vec::new();
    let mut given = segments.iter();
    for wanted in template.split('/').filter(|segment| !segment.is_empty()) {
        let segment = given.next()?;
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => params.push((name.to_owned(), segment.clone())),
            None if wanted == segment => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(params)
}

fn operation(key: &str, entry: OperationEntry, types: usize) -> Result<Operation, String> {
    let (method, template) = key.split_once(' ').ok_or("expected METHOD /path")?;
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => return Err(format!("unknown method {other}")),
    };
    let parameters = |written: IndexMap<String, String>| {
        written
            .into_iter()
            .map(|(name, text)| {
                let required = name.ends_with('!');
                Ok(Parameter {
                    name: name.trim_end_matches('!').to_owned(),
                    required,
                    shape: notation::read(&Value::String(text))?,
                })
            })
            .collect::<Result<Vec<_>, String>>()
    };
    let body = match entry.body.as_deref() {
        None => None,
        Some("multipart") => Some(Type { shape: Shape::Any, nullable: true }),
        Some(text) => Some(notation::read(&Value::String(text.to_owned()))?),
    };
    Ok(Operation {
        method,
        template: template.to_owned(),
        label: entry.label,
        scopes: entry.scopes,
        path: parameters(entry.path)?,
        query: parameters(entry.query)?,
        body,
        types,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn segments(path: &str) -> Vec<String> {
        path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn the_embedded_files_are_sound() {
        assert_eq!(embedded().problems, Vec::<String>::new());
        assert!(embedded().operations().len() > 200);
    }

    #[test]
    fn scopes_are_sorted_and_cover_every_operation() {
        let scopes = all_scopes();
        assert!(scopes.is_sorted());
        for operation in embedded().operations() {
            assert!(!operation.scopes.is_empty(), "{}", operation.template);
            assert!(operation.scopes.iter().all(|scope| scopes.contains(scope)), "{}", operation.template);
        }
    }

    #[test]
    fn the_template_with_most_literal_segments_wins() {
        let found = embedded().find(Method::Get, &segments("/custom-domains/default")).unwrap();
        assert_eq!(found.operation.template, "/custom-domains/default");
        let found = embedded().find(Method::Get, &segments("/custom-domains/cd_1")).unwrap();
        assert_eq!(found.params, [("id".to_owned(), "cd_1".to_owned())]);
        assert!(embedded().find(Method::Get, &segments("/custom-domains/a/b/c")).is_none());
        assert!(embedded().find(Method::Put, &segments("/clients")).is_none());
    }

    #[test]
    fn faults_in_a_file_are_named() {
        let contract = Contract::read(
            &[
                ("a", "operations:\n  GET /a:\n    scopes: [x]\n    body: Missing\ntypes: {}\n"),
                ("b", "operations:\n  FETCH /b:\n    scopes: [x]\ntypes:\n  T: list(\n  U: U\n"),
                ("c", "operations: 1\n"),
            ],
            "- x\n",
        );
        let problems = contract.problems.join("\n");
        for wanted in ["a.yaml: no type named Missing", "unknown method FETCH", "b.yaml: T:", "b.yaml: U:", "c.yaml:"] {
            assert!(problems.contains(wanted), "{wanted} not in {problems}");
        }
    }
}
