//! Every rule of every body, broken one at a time.

use serde_json::Value;
use tenantry::sandbox::call::Method;
use tenantry::sandbox::contract::{self, Found};

use super::breakage::{self, Broken};
use super::harness::{Report, Sandbox, difference, shape_fault};
use super::operations::{self, Good};
use super::parameters::kind_of;
use super::samples;
use super::world::World;

/// Finds what the contract says of a request.
pub(crate) fn operation(good: &Good, path: &str) -> Found<'static> {
    let segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    contract::embedded().find(good.method, &segments).unwrap_or_else(|| panic!("{:?} {path}", good.method))
}

/// Says what is wrong with a refusal of a broken body.
fn fault(answer: &super::harness::Answer, broken: &Broken) -> Option<String> {
    if let Some(fault) = shape_fault(answer, 400, Some("invalid_body")) {
        return Some(fault);
    }
    let message = answer.body["message"].as_str().unwrap_or_default();
    let place = if broken.at.is_empty() { String::new() } else { format!(" on property {}", broken.at) };
    let is_named = match &broken.rule {
        Some(rule) => message.contains(&format!("'{rule}'{place}")),
        None => message.contains(&place),
    };
    let begins = message.starts_with("Payload validation error: ");
    (!is_named || !begins).then(|| format!("wanted {:?}{place}, got: {message}", broken.rule))
}

async fn refuse(kinds: &[&str], title: &str) {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    let start = sandbox.state().await;
    let mut report = Report::default();
    for good in operations::all().iter().filter(|good| kinds.contains(&good.kind)) {
        let (path, body) = (world.path(good.path), world.body(&good.body));
        if let Some(path) = good.without {
            sandbox.done(Method::Delete, path, &Value::Null).await;
        }
        let before = sandbox.state().await;
        let answer = sandbox.send(good.method, &path, &body).await;
        if answer.status != good.status {
            report.fault(format!("{:?} {path} {body}: {} {}", good.method, answer.status, answer.body));
        }
        report.count(good.kind, "accepted");
        sandbox.restore(&before).await;
        let found = operation(good, &path);
        let Some(wanted) = &found.operation.body else {
            sandbox.restore(&start).await;
            continue;
        };
        for broken in breakage::all(wanted, contract::embedded().types(found.operation), &body, "") {
            let answer = sandbox.send(good.method, &path, &broken.value).await;
            report.count(good.kind, broken.sort);
            if let Some(fault) = fault(&answer, &broken) {
                let sent: String = broken.value.to_string().chars().take(300).collect();
                report.fault(format!(
                    "{:?} {} {} at `{}` {sent}: {fault}",
                    good.method, good.path, broken.sort, broken.at
                ));
            }
        }
        if let Some(place) = difference(&before, &sandbox.state().await) {
            report.fault(format!("{:?} {path}: a refused request changed the tenant: {place}", good.method));
        }
        sandbox.restore(&start).await;
    }
    for kind in kinds {
        for sort in ["accepted", "type", "required"] {
            if report.of(kind, sort) == 0 {
                report.fault(format!("{kind}: no request of the sort {sort}"));
            }
        }
    }
    report.finish(title);
    sandbox.stop().await;
}

#[tokio::test]
async fn bodies_of_clients() {
    refuse(&["clients", "clientCredentials"], "bodies").await;
}

#[tokio::test]
async fn bodies_of_apis_and_grants() {
    refuse(&["resourceServers", "clientGrants", "roles"], "bodies").await;
}

#[tokio::test]
async fn bodies_of_connections() {
    refuse(&["connections", "databases"], "bodies").await;
}

#[tokio::test]
async fn bodies_of_extensions() {
    refuse(&["actions", "triggers", "rules", "rulesConfigs"], "bodies").await;
}

#[tokio::test]
async fn bodies_of_settings_and_pages() {
    refuse(&["tenant", "pages", "branding", "prompts", "attackProtection"], "bodies").await;
}

#[tokio::test]
async fn bodies_of_emails_and_organizations() {
    refuse(&["emailProvider", "emailTemplates", "organizations"], "bodies").await;
}

/// The value that stands for no body at all is refused where members are required.
#[tokio::test]
async fn no_body_is_an_empty_body() {
    let sandbox = Sandbox::start().await;
    let answer = sandbox.send(Method::Post, "/roles", &Value::Null).await;
    assert_eq!(answer.body["message"], "Payload validation error: 'Missing required property: name'.");
    sandbox.stop().await;
}

/// What is at the edge of every limit, with every member there is, breaks no rule.
#[test]
fn bodies_at_the_edges_of_all_limits_fit() {
    let mut checked = 0;
    for operation in contract::embedded().operations() {
        let Some(wanted) = operation.body.as_ref().filter(|_| kind_of(&operation.template).is_some()) else { continue };
        for high in [false, true] {
            let body = samples::whole(wanted, contract::embedded().types(operation), high);
            let outcome = contract::embedded().check_body(operation, &body);
            assert_eq!(outcome, Ok(()), "{:?} {} {body}", operation.method, operation.template);
            checked += 1;
        }
    }
    assert!(checked > 80, "{checked}");
}
