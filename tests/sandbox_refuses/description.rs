//! The rules themselves against the official API description: whatever it limits, the sandbox limits too.
//!
//! The description is not part of the project. It is looked for where `TENANTRY_SHARED` says, or beside the project;
//! without it these tests print that they were skipped, or fail where `REQUIRE` contains `shared`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use tenantry::sandbox::call::Method;
use tenantry::sandbox::contract::notation::{self, Limits, Shape, Type};
use tenantry::sandbox::contract::{self, Operation, Types};

/// Operations that real tenants answer and the description lacks (recorded traffic).
const UNDESCRIBED: &[&str] = &[
    "POST /connections/{id}/directory-provisioning/synchronized-groups",
    "DELETE /connections/{id}/directory-provisioning/synchronized-groups",
    "GET /organizations/{id}/clients",
    "POST /organizations/{id}/clients",
    "DELETE /organizations/{id}/clients",
    "GET /organizations/{id}/clients/{client_id}",
    "PATCH /organizations/{id}/clients/{client_id}",
    "DELETE /organizations/{id}/clients/{client_id}",
];

/// Where the sandbox knowingly differs: operation, place, what the description says (a final `*` stands for the
/// rest), and why.
const DIFFERENT: &[(&str, &str, &str, &str)] = &[
    ("PATCH /clients/{id}", "*", "null refused", "null clears the setting (recorded traffic)"),
    ("* /actions/actions*", "*", "enum has [] and lacks [\"\\\"mcp-tool\\\"\"]", "a newer trigger (recorded traffic)"),
    (
        "* /actions/triggers/*",
        "/triggerId",
        "enum has [] and lacks [\"\\\"mcp-tool\\\"\"]",
        "a newer trigger (recorded traffic)",
    ),
    ("* /clients*", "identity_assertion_authorization_grant", "unknown", "newer block (recorded traffic)"),
    ("* /clients*", "token_vault_privileged_access.grants", "unknown", "newer member (recorded traffic)"),
    ("* /connections*", "cross_app_access_resource_app", "unknown", "newer block (recorded traffic)"),
    (
        "* /connections*",
        "options.attributes.username.identifier.default_method",
        "unknown",
        "accepted (recorded traffic)",
    ),
    ("PUT /connections/*", "groups[].*", "unknown", "newer group metadata (recorded traffic)"),
    (
        "PATCH /attack-protection/*",
        "stage.pre-custom-token-exchange",
        "unknown",
        "accepted and returned (recorded traffic)",
    ),
    ("* /branding/themes*", "identifiers", "unknown", "newer block (recorded traffic)"),
    ("* /branding/themes*", "*", "format none", "stands for the pattern"),
    ("* /branding/themes*", "*", "pattern *", "written as a format: it looks ahead, which the engine cannot"),
    (
        "* /connection-profiles*",
        "connection_name_prefix_template",
        "pattern *",
        "it looks ahead, which the engine cannot",
    ),
    ("* /client-grants*", "scope", "unique items false", "repeated items are refused (recorded traffic)"),
    ("POST /connections", "enabled_clients", "unique items false", "repeated items are refused (recorded traffic)"),
    ("* /organizations*", "is_app_entitlement_active", "unknown", "newer member (recorded traffic)"),
    ("* /organizations*", "third_party_client_access", "unknown", "newer member (recorded traffic)"),
    ("* /resource-servers*", "token_lifetime_for_web", "unknown", "accepted and returned (recorded traffic)"),
    ("* /roles*", "type", "unknown", "newer member (recorded traffic)"),
    ("* /roles*", "owner_id", "unknown", "newer member (recorded traffic)"),
    ("POST /rules", "stage", "unknown", "hidden from the description; auth0-deploy-cli 8.43 sends it"),
    ("PATCH /tenants/settings", "flags.use_scope_descriptions_for_consent", "unknown", "accepted (recorded traffic)"),
    ("PATCH /tenants/settings", "universal_login", "unknown", "accepted (recorded traffic)"),
];

/// Whether a text fits a pattern in which a `*` at either end stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        _ if pattern == "*" || pattern == text => true,
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (Some(rest), Some(_)) => rest.strip_suffix('*').is_some_and(|part| text.contains(part)),
        (None, None) => false,
    }
}

fn description() -> Option<Value> {
    let shared = std::env::var_os("TENANTRY_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    let file = shared.join("reference/management-api.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        let is_required = std::env::var("REQUIRE").is_ok_and(|wanted| wanted.split(',').any(|one| one == "shared"));
        assert!(!is_required, "{} cannot be read", file.display());
        println!("skipped: no API description at {}", file.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("the API description is JSON"))
}

/// A walk over one operation's schema and type.
struct Walk<'a> {
    schemas: &'a Value,
    types: &'a Types,
    operation: String,
    found: Vec<String>,
    excused: BTreeSet<usize>,
}

impl<'a> Walk<'a> {
    fn differ(&mut self, at: &str, what: String) {
        let known =
            DIFFERENT.iter().position(|row| fits(row.0, &self.operation) && fits(row.1, at) && fits(row.2, &what));
        match known {
            Some(row) => drop(self.excused.insert(row)),
            None => self.found.push(format!("{} at `{at}`: {what}", self.operation)),
        }
    }

    fn resolved(&self, mut schema: &'a Value) -> &'a Value {
        while let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            schema = self.schemas.get(name).expect("a schema of that name");
        }
        schema
    }

    fn named(&self, mut wanted: &'a Type) -> (&'a Type, bool) {
        let mut null = wanted.nullable;
        while let Shape::Named(name) = &wanted.shape {
            wanted = self.types.get(name).expect("a type of that name");
            null |= wanted.nullable;
        }
        (wanted, null)
    }

    /// Says what a schema admits beside null, whether it admits null, and its alternatives.
    fn alternatives(&self, schema: &'a Value, out: &mut Vec<&'a Value>) -> bool {
        let schema = self.resolved(schema);
        for union in ["oneOf", "anyOf"] {
            if let Some(list) = schema.get(union).and_then(Value::as_array) {
                let mut null = schema["type"].as_array().is_some_and(|types| types.contains(&Value::from("null")));
                for one in list {
                    null |= self.alternatives(one, out);
                }
                return null;
            }
        }
        let (names, null) = types_of(schema);
        if !names.is_empty() || schema.get("type").is_none() {
            out.push(schema);
        }
        null
    }

    fn compare(&mut self, schema: &'a Value, wanted: &'a Type, at: &str) {
        let (wanted, null) = self.named(wanted);
        let mut described = Vec::new();
        let described_null = self.alternatives(schema, &mut described);
        let any = matches!(wanted.shape, Shape::Any)
            || described.iter().any(|one| types_of(one).0.is_empty() && one.get("enum").is_none());
        if null != described_null && !any {
            self.differ(at, format!("null {}", if described_null { "admitted" } else { "refused" }));
        }
        match (&wanted.shape, described.as_slice()) {
            (Shape::One(alternatives), _) => {
                let mut flat = Vec::new();
                for one in alternatives {
                    match &self.named(one).0.shape {
                        Shape::One(inner) => flat.extend(inner.iter()),
                        _ => flat.push(one),
                    }
                }
                if flat.len() != described.len() {
                    self.differ(at, format!("{} alternatives instead of {}", described.len(), flat.len()));
                }
                for (n, (schema, wanted)) in described.iter().zip(flat).enumerate() {
                    self.one(schema, wanted, &format!("{at}<{n}>"));
                }
            }
            (_, [one]) => self.one(one, wanted, at),
            (_, several) => self.differ(at, format!("{} alternatives", several.len())),
        }
    }

    /// Compares with a type that does not live as long as the walk.
    fn apart(&mut self, schema: &'a Value, wanted: &Type, at: &str) {
        let mut walk = Walk {
            schemas: self.schemas,
            types: self.types,
            operation: self.operation.clone(),
            found: Vec::new(),
            excused: BTreeSet::new(),
        };
        walk.compare(schema, wanted, at);
        self.found.append(&mut walk.found);
        self.excused.append(&mut walk.excused);
    }

    /// Compares a schema that is no union.
    fn one(&mut self, schema: &'a Value, wanted: &'a Type, at: &str) {
        let (wanted, _) = self.named(wanted);
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let Shape::Enum(ours) = &wanted.shape else {
                return self.differ(at, format!("an enum of {}", values.len()));
            };
            let set = |values: &[Value]| {
                values.iter().filter(|value| !value.is_null()).map(Value::to_string).collect::<BTreeSet<_>>()
            };
            let (theirs, ours) = (set(values), set(ours));
            if theirs != ours {
                let more: Vec<_> = theirs.difference(&ours).cloned().collect();
                let less: Vec<_> = ours.difference(&theirs).cloned().collect();
                self.differ(at, format!("enum has {more:?} and lacks {less:?}"));
            }
            return;
        }
        let (names, _) = types_of(schema);
        let limits = |least: &str, most: &str| Limits {
            least: schema.get(least).and_then(Value::as_f64),
            most: schema.get(most).and_then(Value::as_f64),
        };
        match (&wanted.shape, names.as_slice()) {
            (Shape::Text { length, format, pattern }, ["string"]) => {
                self.limits(at, "length", limits("minLength", "maxLength"), *length);
                let described = schema.get("format").and_then(Value::as_str);
                if described != format.as_deref() {
                    self.differ(at, format!("format {}", described.unwrap_or("none")));
                }
                let described = schema.get("pattern").and_then(Value::as_str);
                if described != pattern.as_ref().map(regex::Regex::as_str) {
                    self.differ(at, format!("pattern {}", described.unwrap_or("none")));
                }
            }
            (Shape::Integer(range), ["integer"]) | (Shape::Number(range), ["number"]) => {
                self.limits(at, "range", limits("minimum", "maximum"), *range);
            }
            (Shape::Boolean, ["boolean"]) => {}
            (Shape::List { item, size, unique }, ["array"]) => {
                self.limits(at, "items", limits("minItems", "maxItems"), *size);
                if schema.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false) != *unique {
                    self.differ(at, format!("unique items {}", !unique));
                }
                if let Some(items) = schema.get("items") {
                    self.compare(items, item, &format!("{at}[]"));
                }
            }
            (Shape::Object { .. }, ["object"]) => {
                self.object(schema, wanted, at, limits("minProperties", "maxProperties"))
            }
            (Shape::Any, []) => {}
            (_, names) => self.differ(at, format!("type {names:?}")),
        }
    }

    fn object(&mut self, schema: &'a Value, wanted: &'a Type, at: &str, described: Limits) {
        let Shape::Object { members, rest, size } = &wanted.shape else { return };
        self.limits(at, "properties", described, *size);
        let more = schema.get("additionalProperties");
        match (more, rest) {
            (Some(Value::Bool(false)), Some(_)) => self.differ(at, "closed".to_owned()),
            (None | Some(Value::Bool(true)), None) => self.differ(at, "open".to_owned()),
            (Some(schema @ Value::Object(_)), Some(rest)) => self.compare(schema, rest, &format!("{at}.*")),
            (Some(Value::Object(_)), None) => self.differ(at, "further properties".to_owned()),
            _ => {}
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: BTreeSet<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties.into_iter().flatten() {
            let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let Some(member) = members.get(name) else {
                self.differ(&below, "known".to_owned());
                continue;
            };
            if member.required != required.contains(name.as_str()) {
                self.differ(&below, format!("required {}", !member.required));
            }
            self.compare(property, &member.shape, &below);
        }
        for name in members.keys().filter(|name| properties.is_none_or(|known| !known.contains_key(*name))) {
            let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            self.differ(&below, "unknown".to_owned());
        }
    }

    fn limits(&mut self, at: &str, what: &str, theirs: Limits, ours: Limits) {
        // A lower limit of nothing is none.
        let least = |limits: Limits| limits.least.filter(|least| what == "range" || *least > 0.0);
        if least(theirs) != least(ours) || theirs.most != ours.most {
            let side = |side: Option<f64>| side.map_or(String::new(), |side| side.to_string());
            self.differ(at, format!("{what} {}..{}", side(theirs.least), side(theirs.most)));
        }
    }
}

/// Names of a schema's types without null, and whether null is among them.
fn types_of(schema: &Value) -> (Vec<&str>, bool) {
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() || schema.get("additionalProperties").is_some() => vec!["object"],
        _ => Vec::new(),
    };
    let in_enum = schema.get("enum").and_then(Value::as_array).is_some_and(|values| values.contains(&Value::Null));
    let null = names.contains(&"null") || in_enum;
    (names.into_iter().filter(|name| *name != "null").collect(), null)
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Patch => "patch",
        Method::Put => "put",
        Method::Delete => "delete",
    }
}

fn name_of(operation: &Operation) -> String {
    format!("{} {}", verb(operation.method).to_uppercase(), operation.template)
}

#[test]
fn every_rule_of_the_description_is_kept() {
    let Some(document) = description() else { return };
    let mut found = Vec::new();
    let mut excused = BTreeSet::new();
    let mut compared = 0;
    for operation in contract::embedded().operations() {
        let name = name_of(operation);
        let described = &document["paths"][&operation.template][verb(operation.method)];
        if described.is_null() {
            if !UNDESCRIBED.contains(&name.as_str()) {
                found.push(format!("\"{name}\" is not described"));
            }
            continue;
        }
        let mut walk = Walk {
            schemas: &document["components"]["schemas"],
            types: contract::embedded().types(operation),
            operation: name,
            found: Vec::new(),
            excused: BTreeSet::new(),
        };
        compared += 1;
        let scopes: BTreeSet<&str> =
            described["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let ours: BTreeSet<&str> = operation.scopes.iter().map(String::as_str).collect();
        if scopes != ours {
            walk.differ("", format!("scopes {scopes:?}"));
        }
        let body = described["requestBody"]["content"].as_object().and_then(|content| content.get("application/json"));
        match (body, &operation.body) {
            (Some(body), Some(wanted)) => walk.compare(&body["schema"], wanted, ""),
            (Some(_), None) => walk.differ("", "a body".to_owned()),
            (None, Some(_)) if described.get("requestBody").is_none() => walk.differ("", "no body".to_owned()),
            _ => {}
        }
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            let at = format!("?{}", parameter["name"].as_str().unwrap_or_default());
            let ours = operation.query.iter().find(|one| at.get(1..) == Some(one.name.as_str()));
            match (parameter["in"].as_str(), ours) {
                (Some("query"), Some(ours)) => {
                    if parameter["required"].as_bool().unwrap_or(false) != ours.required {
                        walk.differ(&at, format!("required {}", !ours.required));
                    }
                    walk.compare(&parameter["schema"], &ours.shape, &at);
                }
                (Some("query"), None) => walk.differ(&at, "known".to_owned()),
                (Some("path"), _) => {
                    let at = format!("/{}", parameter["name"].as_str().unwrap_or_default());
                    match operation.path.iter().find(|one| at.get(1..) == Some(one.name.as_str())) {
                        Some(ours) => walk.compare(&parameter["schema"], &ours.shape, &at),
                        None => {
                            let any = notation::read(&Value::from("string")).expect("a type");
                            walk.apart(&parameter["schema"], &any, &at);
                        }
                    }
                }
                _ => {}
            }
        }
        found.append(&mut walk.found);
        excused.append(&mut walk.excused);
    }
    println!("{compared} operations compared");
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    let idle: Vec<_> = DIFFERENT.iter().enumerate().filter(|(n, _)| !excused.contains(n)).map(|(_, row)| row).collect();
    assert!(idle.is_empty(), "differences that are none: {idle:?}");
    assert!(compared > 150, "{compared}");
}
