//! Every operation of the kinds without its scope, without a token and with a broken one.

use serde_json::Value;
use tenantry::sandbox::contract;

use super::harness::{Report, Sandbox, difference, shape_fault};
use super::parameters::{concrete, kind_of};

#[tokio::test]
async fn every_operation_needs_one_of_its_scopes() {
    let sandbox = Sandbox::start().await;
    let before = sandbox.state().await;
    let mut report = Report::default();
    let all = contract::all_scopes();
    for operation in contract::embedded().operations() {
        let Some(kind) = kind_of(&operation.template) else { continue };
        let path = concrete(operation);
        let others: Vec<String> = all.iter().filter(|scope| !operation.scopes.contains(scope)).cloned().collect();
        let token = sandbox.token_for(Some(&others)).await;
        let answer = sandbox.send_with(Some(&token), operation.method, &path, &Value::Null).await;
        report.count(kind, "scope");
        let wanted = format!("Insufficient scope, expected any of: {}", operation.scopes.join(","));
        let fault = shape_fault(&answer, 403, Some("insufficient_scope"))
            .or_else(|| (answer.body["message"] != wanted).then(|| format!("{} instead of {wanted}", answer.body)));
        if let Some(fault) = fault {
            report.fault(format!("{:?} {path} without {:?}: {fault}", operation.method, operation.scopes));
        }
        for (token, sort) in [(None, "no token"), (Some("eyJhbGciOiJub25lIn0.e30."), "false token")] {
            let answer = sandbox.send_with(token, operation.method, &path, &Value::Null).await;
            report.count(kind, sort);
            let code = answer.body["errorCode"].as_str().map(str::to_owned);
            if let Some(fault) = shape_fault(&answer, 401, code.as_deref()) {
                report.fault(format!("{:?} {path} with {sort}: {fault}", operation.method));
            }
        }
    }
    // Tokens take ids of their own, so the counter has moved.
    let after = sandbox.state().await;
    assert_eq!(difference(&before["collections"], &after["collections"]), None);
    assert_eq!(difference(&before["documents"], &after["documents"]), None);
    report.finish("scopes");
    sandbox.stop().await;
}

/// Each scope of an operation is enough alone: what is refused then is something else.
#[tokio::test]
async fn each_scope_of_an_operation_is_enough() {
    let sandbox = Sandbox::start().await;
    let mut report = Report::default();
    for operation in contract::embedded().operations() {
        let Some(kind) = kind_of(&operation.template).filter(|_| operation.scopes.len() > 1) else { continue };
        let path = concrete(operation);
        for scope in &operation.scopes {
            let token = sandbox.token_for(Some(std::slice::from_ref(scope))).await;
            let answer = sandbox.send_with(Some(&token), operation.method, &path, &Value::Null).await;
            report.count(kind, "scope");
            if answer.status == 401 || answer.body["errorCode"] == "insufficient_scope" {
                report.fault(format!("{:?} {path} with {scope}: {} {}", operation.method, answer.status, answer.body));
            }
        }
    }
    report.finish("scopes that suffice");
    sandbox.stop().await;
}
