//! How answers are read, and what people are told.

use super::*;

fn failure(status: u16, body: &Value) -> Failure {
    Failure::of_answer(&Method::POST, "roles", status, Some(body))
}

fn told(status: u16, code: Option<&str>, message: &str) -> String {
    let mut body = json!({ "statusCode": status, "message": message });
    if let Some(code) = code {
        body["errorCode"] = json!(code);
    }
    shown(&failure(status, &body).problem())
}

#[test]
fn refusals_are_told_in_the_apis_words() {
    insta::assert_snapshot!(told(400, Some("invalid_body"), "Payload validation error: 'Too long' on property name."), @r"
    error[api-rejected]: Auth0 refused POST /roles (400 invalid_body)
      note: Auth0 says: Payload validation error: 'Too long' on property name.
    ");
    insta::assert_snapshot!(told(429, Some("too_many_requests"), "Global limit has been reached"), @r"
    error[rate-limited]: Auth0 still answers POST /roles with too many requests
      note: Auth0 says: Global limit has been reached
      help: run again later, or leave more room to others with --api-budget
    ");
    insta::assert_snapshot!(told(500, None, "Internal error"), @r"
    error[server-error]: Auth0 failed to answer POST /roles (500)
      note: Auth0 says: Internal error
      help: see https://status.auth0.com, then run again
    ");
    insta::assert_snapshot!(told(404, None, "The role does not exist."), @r"
    error[not-found]: POST /roles names nothing on this tenant
      note: Auth0 says: The role does not exist.
    ");
}

#[test]
fn a_missing_scope_is_named() {
    let message = "Insufficient scope, expected any of: read:roles, create:roles";
    insta::assert_snapshot!(told(403, Some("insufficient_scope"), message), @r"
    error[missing-scope]: the token lacks the scope `read:roles` or `create:roles` for POST /roles
      note: Auth0 says: Insufficient scope, expected any of: read:roles, create:roles
      help: grant `read:roles` of the Auth0 Management API to the client that Tenantry uses, then run again
    ");
    let Failure::Scope { needed, .. } = failure(403, &json!({ "message": message })) else { panic!("not a scope") };
    assert_eq!(needed, ["read:roles", "create:roles"]);
    let Failure::Scope { needed, .. } = failure(403, &json!({ "errorCode": "insufficient_scope" })) else { panic!() };
    assert!(needed.is_empty());
}

#[test]
fn a_missing_feature_is_not_a_missing_scope() {
    let upgrade = "Please upgrade your subscription to enable supplemental signals";
    insta::assert_snapshot!(told(403, Some("insufficient_scope"), upgrade), @r"
    error[feature-missing]: this tenant cannot POST /roles (403)
      note: Auth0 says: Please upgrade your subscription to enable supplemental signals
      help: leave the kind out for this environment (`exclude`), or have the feature enabled
    ");
    for (status, code, message) in [
        (402, None, "-"),
        (501, None, "-"),
        (403, Some("feature_not_enabled"), "-"),
        (403, Some("insufficient_entitlement"), "-"),
        (403, None, "The account is not allowed to perform this operation, please contact our support team"),
    ] {
        let body = json!({ "errorCode": code, "message": message });
        assert!(matches!(failure(status, &body), Failure::Feature { .. }), "{status} {code:?}");
    }
    let limit = failure(403, &json!({ "message": "You reached the limit of entities of this type for this tenant." }));
    assert!(matches!(limit, Failure::Refused { status: 403, .. }), "{limit:?}");
}

#[test]
fn every_other_end_has_its_words() {
    let (method, path) = (Method::POST, "clients".to_owned());
    let doubt = Failure::InDoubt { method, path, reason: "tenant.auth0.com did not answer in time".into() };
    insta::assert_snapshot!(shown(&doubt.problem()), @r"
    error[in-doubt]: nobody knows whether POST /clients was done
      note: tenant.auth0.com did not answer in time
      help: run `tenantry plan`: it shows whether the tenant has it; apply again if not
    ");
    let (method, path) = (Method::GET, "clients".to_owned());
    let late = Failure::Deadline { method: method.clone(), path: path.clone(), waited: Duration::from_secs(60) };
    insta::assert_snapshot!(shown(&late.problem()), @r"
    error[no-answer]: GET /clients had no answer in 60 s
      help: see https://status.auth0.com, then run again
    ");
    let reason = "the name tenant.auth0.com cannot be resolved".to_owned();
    let gone = Failure::Unreachable { method, path, cause: crate::api::Cause::Network, reason };
    insta::assert_snapshot!(shown(&gone.problem()), @r"
    error[no-network]: the tenant cannot be reached
      note: the name tenant.auth0.com cannot be resolved
      note: GET /clients was not carried out
      help: check the domain, the network and the proxy (HTTPS_PROXY, NO_PROXY)
    ");
    assert_eq!(Failure::Cancelled.problem().id, "interrupted");
}

#[test]
fn a_page_in_place_of_an_answer_is_not_quoted() {
    let failure = Failure::of_answer(&Method::GET, "clients", 403, None);
    assert!(matches!(&failure, Failure::Refused { message, .. } if message == "no message"), "{failure:?}");
}

#[test]
fn a_message_without_end_is_cut() {
    let failure = failure(400, &json!({ "message": "é".repeat(10_000) }));
    assert!(shown(&failure.problem()).chars().count() < 700);
}
