//! What only a look at the tenant can refuse.

use serde_json::{Value, json};
use tenantry::sandbox::call::Method::{self, Delete, Get, Patch, Post, Put};

use super::harness::{Report, Sandbox, difference, shape_fault};
use super::world::World;

mod absent;
mod apis;
mod clients;
mod connections;
mod extensions;
mod organizations;
mod pages;
mod plans;

/// A request that is refused for what the tenant holds.
struct Refused {
    kind: &'static str,
    sort: &'static str,
    method: Method,
    path: &'static str,
    body: Value,
    status: u16,
    code: Option<&'static str>,
    /// Part of the message.
    says: &'static str,
}

/// A refused write of one kind.
const fn refused(
    kind: &'static str,
    sort: &'static str,
    request: (Method, &'static str),
    body: Value,
    answer: (u16, Option<&'static str>),
    says: &'static str,
) -> Refused {
    Refused { kind, sort, method: request.0, path: request.1, body, status: answer.0, code: answer.1, says }
}

const INVALID: (u16, Option<&str>) = (400, Some("invalid_body"));

/// Sends each after what it needs, and holds answer and tenant to what is expected.
async fn all(title: &str, before: &[(Method, &str, Value)], requests: Vec<Refused>) {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    for (method, path, body) in before {
        sandbox.done(*method, &world.path(path), &world.body(body)).await;
    }
    let mut report = Report::default();
    let mut start = sandbox.state().await;
    for request in requests {
        let (path, body) = (world.path(request.path), world.body(&request.body));
        let answer = sandbox.send(request.method, &path, &body).await;
        report.count(request.kind, request.sort);
        let said = answer.body["message"].as_str().unwrap_or_default();
        let fault = shape_fault(&answer, request.status, request.code)
            .or_else(|| (!said.contains(request.says)).then(|| format!("`{said}` lacks `{}`", request.says)));
        let name = format!("{} {}: {:?} {} {body}", request.kind, request.sort, request.method, request.path);
        if let Some(fault) = fault {
            report.fault(format!("{name}: {fault}"));
        }
        let after = sandbox.state().await;
        if let Some(place) = difference(&start, &after) {
            report.fault(format!("{name}: changed the tenant: {place}"));
            sandbox.restore(&start).await;
            start = sandbox.state().await;
        }
    }
    report.finish(title);
    sandbox.stop().await;
}
