//! Query and path of every operation, broken one rule at a time.

use serde_json::Value;
use tenantry::sandbox::call::Method;
use tenantry::sandbox::contract::notation::Shape;
use tenantry::sandbox::contract::{self, Operation, Parameter};

use super::harness::{Report, Sandbox, difference, shape_fault};
use super::samples::{least_of, most_of, named, sample};

/// Beginnings of paths with the kind they belong to; the first that fits counts.
const KINDS: &[(&str, &str)] = &[
    ("/clients/cimd", ""),
    ("/clients/{client_id}/credentials", "clientCredentials"),
    ("/clients", "clients"),
    ("/client-grants", "clientGrants"),
    ("/resource-servers", "resourceServers"),
    ("/roles", "roles"),
    ("/connections/{id}/scim", ""),
    ("/connections/{id}/directory", ""),
    ("/connections/{id}/keys", ""),
    ("/connections-", ""),
    ("/connections", "connections"),
    ("/actions/actions/{id}/test", ""),
    ("/actions/actions", "actions"),
    ("/actions/triggers", "triggers"),
    ("/rules-configs", "rulesConfigs"),
    ("/rules", "rules"),
    ("/organizations/{id}/invitations", ""),
    ("/organizations/{id}/members/{user_id}/effective", ""),
    ("/organizations", "organizations"),
    ("/tenants/settings", "tenant"),
    ("/branding/phone", ""),
    ("/branding/themes", ""),
    ("/branding", "branding"),
    ("/prompts", "prompts"),
    ("/emails/provider", "emailProvider"),
    ("/email-templates", "emailTemplates"),
    ("/attack-protection", "attackProtection"),
];

/// Returns the kind of an operation; `None` where it is none of the kinds, or not simulated.
pub(crate) fn kind_of(template: &str) -> Option<&'static str> {
    let (_, kind) = KINDS.iter().find(|(start, _)| template.starts_with(start))?;
    Some(*kind).filter(|kind| !kind.is_empty())
}

/// Puts a fitting text for every parameter of a template.
pub(crate) fn concrete(operation: &Operation) -> String {
    with(operation, "", "")
}

/// The same, one parameter having this value.
fn with(operation: &Operation, broken: &str, value: &str) -> String {
    let segments = operation.template.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return segment.to_owned();
        };
        let known = operation.path.iter().find(|parameter| parameter.name == name);
        let text = match known {
            _ if name == broken => value.to_owned(),
            Some(parameter) => {
                let types = contract::embedded().types(operation);
                sample(&parameter.shape, types).as_str().expect("a text").to_owned()
            }
            None => "nobody".to_owned(),
        };
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Values of a parameter that break it, each with its sort and the rule in the message.
fn broken(operation: &Operation, parameter: &Parameter) -> Vec<(&'static str, String, String)> {
    let types = contract::embedded().types(operation);
    let mut out = Vec::new();
    let limits = |out: &mut Vec<_>, least: Option<f64>, most: Option<f64>, low: i64, high: i64| {
        if let Some(least) = least {
            out.push(("limit", low.to_string(), format!("Value {low} is less than minimum {least}")));
        }
        if let Some(most) = most {
            out.push(("limit", high.to_string(), format!("Value {high} is greater than maximum {most}")));
        }
    };
    match &named(&parameter.shape, types).shape {
        Shape::Integer(range) => {
            out.push(("type", "ten".to_owned(), "Expected type integer but found type string".to_owned()));
            limits(&mut out, range.least, range.most, least_of(*range) - 1, most_of(*range).saturating_add(1));
        }
        Shape::Boolean => {
            out.push(("type", "1".to_owned(), "Expected type boolean but found type string".to_owned()));
        }
        Shape::Enum(values) if values.iter().any(Value::is_boolean) => {
            let other = !values.contains(&Value::Bool(true));
            out.push(("enum", other.to_string(), format!("No enum match for: {other}")));
        }
        Shape::Enum(_) => out.push(("enum", "no-such-value".to_owned(), "No enum match for: no-such-value".to_owned())),
        Shape::List { item, .. } => {
            if let Shape::Enum(_) = named(item, types).shape {
                out.push(("enum", "no-such-value".to_owned(), "No enum match for: no-such-value".to_owned()));
            }
        }
        Shape::Text { length, .. } => {
            if let Some(most) = length.most {
                let long = usize::try_from(most_of(*length) + 1).unwrap();
                out.push(("limit", "x".repeat(long), format!("String is too long ({long} chars), maximum {most}")));
            }
            if let Some(least) = length.least.filter(|least| *least >= 2.0) {
                let short = usize::try_from(least_of(*length) - 1).unwrap();
                out.push(("limit", "x".repeat(short), format!("String is too short ({short} chars), minimum {least}")));
            }
        }
        _ => {}
    }
    out
}

#[tokio::test]
async fn queries_and_paths_are_checked() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.state().await;
    let mut report = Report::default();
    for operation in contract::embedded().operations() {
        let Some(kind) = kind_of(&operation.template) else { continue };
        let path = concrete(operation);
        let mut requests = vec![(
            "unknown",
            format!("{path}?no_such_parameter=1"),
            "invalid_query_string",
            "Query validation error: 'Additional properties not allowed: no_such_parameter'".to_owned(),
        )];
        for parameter in &operation.query {
            for (sort, value, rule) in broken(operation, parameter) {
                let target = format!("{path}?{}={value}", parameter.name);
                let wanted = format!("Query validation error: '{rule}' on property {}", parameter.name);
                requests.push((sort, target, "invalid_query_string", wanted));
            }
        }
        for parameter in &operation.path {
            for (sort, value, rule) in broken(operation, parameter) {
                let wanted = format!("Path validation error: '{rule}' on property {}", parameter.name);
                requests.push((sort, with(operation, &parameter.name, &value), "invalid_uri", wanted));
            }
        }
        for (sort, target, code, wanted) in requests {
            let answer = sandbox.send(operation.method, &target, &Value::Null).await;
            report.count(kind, sort);
            let said = answer.body["message"].as_str().unwrap_or_default();
            let fault = shape_fault(&answer, 400, Some(code))
                .or_else(|| (!said.starts_with(&wanted)).then(|| format!("`{said}` instead of `{wanted}`")));
            if let Some(fault) = fault {
                report.fault(format!("{:?} {target}: {fault}", operation.method));
            }
        }
    }
    assert_eq!(difference(&before, &sandbox.state().await), None);
    report.finish("parameters");
    sandbox.stop().await;
}

/// Paths and methods the API does not have.
#[tokio::test]
async fn what_is_no_operation_is_not_found() {
    let sandbox = Sandbox::start().await;
    for (method, path) in [
        (Method::Get, "/client"),
        (Method::Put, "/clients"),
        (Method::Delete, "/clients"),
        (Method::Post, "/tenants/settings"),
        (Method::Delete, "/email-templates/verify_email"),
        (Method::Put, "/roles/rol_1"),
    ] {
        let answer = sandbox.send(method, path, &Value::Null).await;
        assert_eq!(shape_fault(&answer, 404, None), None, "{method:?} {path}");
    }
    sandbox.stop().await;
}
