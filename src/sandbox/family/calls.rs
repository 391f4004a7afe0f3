//! What tests of single handlers share: a tenant without any object, calls, and their outcomes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;

use crate::sandbox::call::{ApiError, Call, Caller, Method, Outcome};
use crate::sandbox::state::State;

/// The time at which every test happens.
pub(super) const NOW_MS: i64 = 1_790_000_000_000;

/// Returns a call that holds the scopes some handlers look at.
pub(super) fn call(params: &[&str], body: Value) -> Call {
    Call {
        method: Method::Get,
        segments: Vec::new(),
        params: params.iter().map(|param| (*param).to_owned()).collect(),
        query: Vec::new(),
        body,
        caller: Caller { scopes: vec!["read:connections_options".to_owned()], ..Caller::default() },
        now_ms: NOW_MS,
    }
}

/// Returns a call without body.
pub(super) fn get(params: &[&str]) -> Call {
    call(params, Value::Null)
}

/// Returns a call with query parameters.
pub(super) fn query(params: &[&str], query: &[(&str, &str)]) -> Call {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Call { query, ..get(params) }
}

/// Returns a tenant without any object.
pub(super) fn tenant() -> State {
    State { domain: "travel0.eu.auth0.com".to_owned(), seed: 7, ..State::default() }
}

/// Returns the body of an answer with that status.
pub(super) fn answer(outcome: Outcome, status: u16) -> Value {
    let reply = outcome.unwrap();
    assert_eq!(reply.status, status, "{:?}", reply.body);
    reply.body.unwrap_or_default()
}

/// Returns the refusal, which must have that status.
pub(super) fn refusal(outcome: Outcome, status: u16) -> ApiError {
    let error = outcome.unwrap_err();
    assert_eq!(error.status, status, "{}", error.message);
    error
}
