//! Applies the contract to a request and words the refusals as the API does.
//!
//! The API validates with z-schema; the sentences are that library's, each followed by the property's path
//! (recorded traffic, community reports).

use serde_json::{Map, Value};

use super::notation::{Limits, Member, Shape, Type};
use super::{Contract, Operation, Parameter, Types, format};
use crate::sandbox::call::ApiError;

/// One violated rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the property, empty for the value as a whole: `options.scope[0]`.
    pub at: String,
    /// The rule, as z-schema words it.
    pub rule: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Type,
    Enum,
    Other,
}

impl Contract {
    /// Checks the path parameters of an operation.
    ///
    /// # Errors
    /// 400 `invalid_uri`.
    pub fn check_path(&self, operation: &Operation, params: &[(String, String)]) -> Result<(), ApiError> {
        let violations = self.parameters(operation, &operation.path, params);
        refuse("invalid_uri", "Path", &violations)
    }

    /// Checks the query of an operation.
    ///
    /// # Errors
    /// 400 `invalid_query_string`.
    pub fn check_query(&self, operation: &Operation, query: &[(String, String)]) -> Result<(), ApiError> {
        let mut violations = Vec::new();
        let unknown: Vec<&str> = query
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !operation.query.iter().any(|parameter| parameter.name == *name))
            .collect();
        if !unknown.is_empty() {
            violations.push(other("", format!("Additional properties not allowed: {}", unknown.join(","))));
        }
        for parameter in operation.query.iter().filter(|parameter| parameter.required) {
            if !query.iter().any(|(name, _)| *name == parameter.name) {
                violations.push(other("", format!("Missing required property: {}", parameter.name)));
            }
        }
        violations.extend(self.parameters(operation, &operation.query, query));
        refuse("invalid_query_string", "Query", &violations)
    }

    /// Checks the body of an operation. A missing body counts as an empty object, unless null will do.
    ///
    /// # Errors
    /// 400 `invalid_body`.
    pub fn check_body(&self, operation: &Operation, body: &Value) -> Result<(), ApiError> {
        let Some(wanted) = &operation.body else {
            return Ok(());
        };
        let types = self.types(operation);
        let empty = Value::Object(Map::new());
        let body = if body.is_null() && !admits_null(wanted, types) { &empty } else { body };
        let mut violations = Vec::new();
        check(body, wanted, "", types, &mut violations);
        refuse("invalid_body", "Payload", &violations)
    }

    fn parameters(&self, operation: &Operation, known: &[Parameter], given: &[(String, String)]) -> Vec<Violation> {
        let types = self.types(operation);
        let mut violations = Vec::new();
        for parameter in known {
            let texts: Vec<&str> =
                given.iter().filter(|(name, _)| *name == parameter.name).map(|(_, text)| text.as_str()).collect();
            if !texts.is_empty() {
                check(
                    &parsed(&texts, &parameter.shape, types),
                    &parameter.shape,
                    &parameter.name,
                    types,
                    &mut violations,
                );
            }
        }
        violations
    }
}

fn refuse(code: &str, what: &str, violations: &[Violation]) -> Result<(), ApiError> {
    if violations.is_empty() {
        return Ok(());
    }
    let rules: Vec<String> = violations
        .iter()
        .map(|violation| match violation.at.as_str() {
            "" => format!("'{}'", violation.rule),
            at => format!("'{}' on property {at}", violation.rule),
        })
        .collect();
    Err(ApiError::new(400, code, format!("{what} validation error: {}.", rules.join(", "))))
}

fn named<'a>(mut wanted: &'a Type, types: &'a Types) -> &'a Type {
    // Bounded, so that two names for each other cannot hang a request.
    for _ in 0..16 {
        match &wanted.shape {
            Shape::Named(name) => match types.get(name) {
                Some(found) => wanted = found,
                None => break,
            },
            _ => break,
        }
    }
    wanted
}

fn admits_null(wanted: &Type, types: &Types) -> bool {
    wanted.nullable || named(wanted, types).nullable
}

/// Reads the texts of a query parameter as the type it should have; text that does not fit stays text.
fn parsed(texts: &[&str], wanted: &Type, types: &Types) -> Value {
    let first = texts.first().copied().unwrap_or_default();
    let text = || Value::String(first.to_owned());
    match &named(wanted, types).shape {
        Shape::Integer(_) | Shape::Number(_) => {
            serde_json::from_str(first).ok().filter(Value::is_number).unwrap_or_else(text)
        }
        Shape::Boolean => first.parse().map_or_else(|_| text(), Value::Bool),
        Shape::Enum(values) if values.iter().any(Value::is_boolean) => {
            first.parse().map_or_else(|_| text(), Value::Bool)
        }
        Shape::List { item, .. } => {
            let split = texts.iter().flat_map(|text| text.split(','));
            Value::Array(split.map(|one| parsed(&[one], item, types)).collect())
        }
        _ => text(),
    }
}

fn other(at: &str, rule: String) -> Violation {
    Violation { at: at.to_owned(), rule, kind: Kind::Other }
}

fn check(value: &Value, wanted: &Type, at: &str, types: &Types, out: &mut Vec<Violation>) {
    if value.is_null() && admits_null(wanted, types) {
        return;
    }
    let wanted = named(wanted, types);
    match (&wanted.shape, value) {
        (Shape::Any, _) | (Shape::Boolean, Value::Bool(_)) | (Shape::Null, Value::Null) => {}
        (Shape::Integer(limits), Value::Number(_)) if type_name(value) == "integer" => {
            in_range(value, *limits, at, out)
        }
        (Shape::Number(limits), Value::Number(_)) => in_range(value, *limits, at, out),
        (Shape::Text { length, format, pattern }, Value::String(text)) => {
            sized(text.chars().count(), *length, at, &TEXT, out);
            if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                out.push(other(at, format!("String does not match pattern {pattern}: {text}")));
            }
            if let Some(name) = format.as_deref().filter(|name| !format::holds(name, text)) {
                out.push(other(at, format!("Object didn't pass validation for format {name}: {text}")));
            }
        }
        (Shape::Enum(values), _) if values.contains(value) => {}
        (Shape::Enum(values), _) if values.iter().any(|one| type_name(one) == type_name(value)) => {
            let rule =
                format!("No enum match for: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            out.push(Violation { at: at.to_owned(), rule, kind: Kind::Enum });
        }
        (Shape::List { item, size, unique }, Value::Array(items)) => {
            sized(items.len(), *size, at, &ARRAY, out);
            if let Some((first, second)) = repeated(items).filter(|_| *unique) {
                out.push(other(at, format!("Array items are not unique (indexes {first} and {second})")));
            }
            for (n, one) in items.iter().enumerate() {
                check(one, item, &format!("{at}[{n}]"), types, out);
            }
        }
        (Shape::Object { members, rest, size }, Value::Object(given)) => {
            sized(given.len(), *size, at, &OBJECT, out);
            object(given, members, rest.as_deref(), at, types, out);
        }
        (Shape::One(alternatives), _) => one_of(value, alternatives, at, types, out),
        _ => out.push(Violation {
            at: at.to_owned(),
            rule: format!("Expected type {} but found type {}", wanted_name(wanted), type_name(value)),
            kind: Kind::Type,
        }),
    }
}

fn object(
    given: &Map<String, Value>,
    members: &indexmap::IndexMap<String, Member>,
    rest: Option<&Type>,
    at: &str,
    types: &Types,
    out: &mut Vec<Violation>,
) {
    let mut unknown = Vec::new();
    for (name, value) in given {
        let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match (members.get(name), rest) {
            (Some(member), _) => check(value, &member.shape, &below, types, out),
            (None, Some(rest)) => check(value, rest, &below, types, out),
            (None, None) => unknown.push(name.as_str()),
        }
    }
    if !unknown.is_empty() {
        out.push(other(at, format!("Additional properties not allowed: {}", unknown.join(","))));
    }
    for (name, _) in members.iter().filter(|(name, member)| member.required && !given.contains_key(*name)) {
        out.push(other(at, format!("Missing required property: {name}")));
    }
}

/// Reports the violations of the alternative that comes nearest.
fn one_of(value: &Value, alternatives: &[Type], at: &str, types: &Types, out: &mut Vec<Violation>) {
    let mut best: Option<((usize, usize), Vec<Violation>)> = None;
    for alternative in alternatives {
        let mut violations = Vec::new();
        check(value, alternative, at, types, &mut violations);
        if violations.is_empty() {
            return;
        }
        // A wrong type of the value itself, or a wrong discriminator, tells that another alternative is meant.
        let foreign =
            violations.iter().filter(|one| (one.kind == Kind::Type && one.at == at) || one.kind == Kind::Enum);
        let score = (foreign.count(), violations.len());
        if best.as_ref().is_none_or(|(least, _)| score < *least) {
            best = Some((score, violations));
        }
    }
    match best {
        Some(((0, _), violations)) => out.extend(violations),
        _ => out.push(Violation {
            at: at.to_owned(),
            rule: "Data does not match any schemas from 'oneOf'".to_owned(),
            kind: Kind::Type,
        }),
    }
}

/// Wording of a wrong size: name of the thing, unit.
struct Wording {
    short: &'static str,
    long: &'static str,
    unit: &'static str,
}

const TEXT: Wording = Wording { short: "String is too short", long: "String is too long", unit: " chars" };
const ARRAY: Wording = Wording { short: "Array is too short", long: "Array is too long", unit: "" };
const OBJECT: Wording = Wording { short: "Too few properties defined", long: "Too many properties defined", unit: "" };

fn sized(count: usize, limits: Limits, at: &str, wording: &Wording, out: &mut Vec<Violation>) {
    // Sizes are far below 2^52.
    #[allow(clippy::cast_precision_loss)]
    let size = count as f64;
    let Wording { short, long, unit } = wording;
    if let Some(least) = limits.least.filter(|least| size < *least) {
        out.push(other(at, format!("{short} ({count}{unit}), minimum {least}")));
    }
    if let Some(most) = limits.most.filter(|most| size > *most) {
        out.push(other(at, format!("{long} ({count}{unit}), maximum {most}")));
    }
}

fn in_range(value: &Value, limits: Limits, at: &str, out: &mut Vec<Violation>) {
    let number = value.as_f64().unwrap_or_default();
    if let Some(least) = limits.least.filter(|least| number < *least) {
        out.push(other(at, format!("Value {value} is less than minimum {least}")));
    }
    if let Some(most) = limits.most.filter(|most| number > *most) {
        out.push(other(at, format!("Value {value} is greater than maximum {most}")));
    }
}

/// Returns the indexes of the first two equal items, the later one second.
fn repeated(items: &[Value]) -> Option<(usize, usize)> {
    items
        .iter()
        .enumerate()
        .find_map(|(n, item)| items.iter().take(n).position(|earlier| earlier == item).map(|first| (first, n)))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() && number.as_f64().is_none_or(|n| n.fract() != 0.0) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wanted_name(wanted: &Type) -> String {
    let name = match &wanted.shape {
        Shape::Boolean => "boolean",
        Shape::Integer(_) => "integer",
        Shape::Number(_) => "number",
        Shape::Enum(values) => values.first().map_or("string", type_name),
        Shape::Text { .. } => "string",
        Shape::List { .. } => "array",
        Shape::Object { .. } => "object",
        _ => "null",
    };
    if wanted.nullable && name != "null" { format!("{name}, null") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::{embedded, notation};
    use super::*;
    use crate::sandbox::call::Method;
    use serde_json::json;

    fn operation(method: Method, path: &str) -> &'static Operation {
        let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        embedded().find(method, &segments).expect("operation").operation
    }

    fn body(method: Method, path: &str, body: &Value) -> String {
        match embedded().check_body(operation(method, path), body) {
            Ok(()) => "fine".to_owned(),
            Err(error) => {
                assert_eq!((error.status, error.code.as_deref()), (400, Some("invalid_body")));
                error.message
            }
        }
    }

    fn query(method: Method, path: &str, query: &[(&str, &str)]) -> String {
        let query: Vec<_> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        match embedded().check_query(operation(method, path), &query) {
            Ok(()) => "fine".to_owned(),
            Err(error) => {
                assert_eq!((error.status, error.code.as_deref()), (400, Some("invalid_query_string")));
                error.message
            }
        }
    }

    fn violations(text: Value, value: &Value) -> Vec<String> {
        let mut out = Vec::new();
        check(value, &notation::read(&text).unwrap(), "", &Types::new(), &mut out);
        out.into_iter().map(|violation| format!("{}: {}", violation.at, violation.rule)).collect()
    }

    #[test]
    fn a_good_body_passes() {
        assert_eq!(body(Method::Post, "/roles", &json!({"name": "Reader", "description": "reads"})), "fine");
        assert_eq!(body(Method::Delete, "/roles/rol_1", &json!({})), "fine");
    }

    #[test]
    fn bodies_are_refused_in_the_words_of_the_api() {
        for (method, path, given, wanted) in [
            (Method::Post, "/clients", json!({}), "'Missing required property: name'"),
            (Method::Post, "/clients", Value::Null, "'Missing required property: name'"),
            (
                Method::Post,
                "/clients",
                json!({"name": "a", "nmae": 1, "b": 2}),
                "'Additional properties not allowed: nmae,b'",
            ),
            (
                Method::Post,
                "/clients",
                json!({"name": 5}),
                "'Expected type string but found type integer' on property name",
            ),
            (
                Method::Post,
                "/clients",
                json!({"name": "a", "app_type": "sap"}),
                "'No enum match for: sap' on property app_type",
            ),
            (
                Method::Post,
                "/clients",
                json!({"name": "a", "description": "x".repeat(141)}),
                "'String is too long (141 chars), maximum 140' on property description",
            ),
            (
                Method::Post,
                "/clients",
                json!({"name": "a", "callbacks": [1]}),
                "'Expected type string but found type integer' on property callbacks[0]",
            ),
            (
                Method::Post,
                "/client-grants",
                json!({"audience": "a", "scope": ["x", "y", "x"]}),
                "'Array items are not unique (indexes 0 and 2)' on property scope",
            ),
            (Method::Patch, "/organizations/org_1", json!([]), "'Expected type object but found type array'"),
        ] {
            assert_eq!(body(method, path, &given), format!("Payload validation error: {wanted}."), "{given}");
        }
    }

    #[test]
    fn queries_are_typed_and_closed() {
        assert_eq!(query(Method::Get, "/clients", &[("per_page", "100"), ("include_totals", "true")]), "fine");
        assert_eq!(query(Method::Get, "/connections", &[("strategy", "auth0"), ("strategy", "samlp")]), "fine");
        for (given, wanted) in [
            (("per_page", "101"), "'Value 101 is greater than maximum 100' on property per_page"),
            (("per_page", "ten"), "'Expected type integer but found type string' on property per_page"),
            (("include_totals", "1"), "'Expected type boolean but found type string' on property include_totals"),
            (("colour", "red"), "'Additional properties not allowed: colour'"),
        ] {
            assert_eq!(query(Method::Get, "/clients", &[given]), format!("Query validation error: {wanted}."));
        }
    }

    #[test]
    fn a_path_parameter_with_fixed_values_is_checked() {
        let operation = operation(Method::Get, "/email-templates/x");
        let check = |name: &str| {
            embedded().check_path(operation, &[("templateName".to_owned(), name.to_owned())]).map_err(|e| e.code)
        };
        assert_eq!(check("verify_email"), Ok(()));
        assert_eq!(check("no_such"), Err(Some("invalid_uri".to_owned())));
    }

    #[test]
    fn a_union_reports_the_alternative_that_was_meant() {
        let union = json!("one(string 1..3, list(integer ..9))");
        assert_eq!(violations(union.clone(), &json!("ab")), Vec::<String>::new());
        assert_eq!(violations(union.clone(), &json!("abcd")), [": String is too long (4 chars), maximum 3"]);
        assert_eq!(violations(union.clone(), &json!([1, 10])), ["[1]: Value 10 is greater than maximum 9"]);
        assert_eq!(violations(union, &json!(true)), [": Data does not match any schemas from 'oneOf'"]);
    }

    #[test]
    fn limits_hold_at_their_edges() {
        assert!(violations(json!("integer 1..3"), &json!(3)).is_empty());
        assert_eq!(violations(json!("integer 1..3"), &json!(0)), [": Value 0 is less than minimum 1"]);
        assert_eq!(violations(json!("integer"), &json!(1.5)), [": Expected type integer but found type number"]);
        assert!(violations(json!("integer"), &json!(2.0)).is_empty());
        assert_eq!(violations(json!("list(any) 1.."), &json!([])), [": Array is too short (0), minimum 1"]);
        assert_eq!(
            violations(json!("map(string) ..1"), &json!({"a": "b", "c": "d"})),
            [": Too many properties defined (2), maximum 1"]
        );
        assert_eq!(violations(json!("string ?"), &json!(1)), [": Expected type string, null but found type integer"]);
        assert_eq!(violations(json!("string match \"^a\""), &json!("b")), [": String does not match pattern ^a: b"]);
    }
}
