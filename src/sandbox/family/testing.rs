//! What the families' tests share: a tenant, calls, and their outcomes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use crate::sandbox::call::{ApiError, Call, Caller, Method, Outcome, Reply};
use crate::sandbox::state::State;

/// 2026-11-22T00:00:00.000Z.
pub(super) const NOW: i64 = 1_795_305_600_000;

/// A tenant before anything is configured.
pub(super) fn tenant() -> State {
    let mut state = State { version: 1, domain: "acme.eu.auth0.com".to_owned(), seed: 7, ..State::default() };
    super::bootstrap(&mut state, NOW);
    state
}

/// A call as a deployer with every scope would make it; `target` is the path with its query.
pub(super) fn call(method: Method, target: &str, body: Value) -> Call {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Call {
        method,
        segments: path.trim_start_matches('/').split('/').map(|part| part.replace("%2F", "/")).collect(),
        params: Vec::new(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body,
        caller: Caller {
            client_id: "deployer".to_owned(),
            scopes: ["read:clients", "read:client_keys", "update:clients", "update:client_keys"]
                .map(str::to_owned)
                .to_vec(),
            ..Caller::default()
        },
        now_ms: NOW,
    }
}

/// Finds the route, the one with most literal segments first, and runs its handler.
pub(super) fn run(state: &mut State, mut call: Call) -> Outcome {
    let mut found: Option<(usize, crate::sandbox::route::Route, Vec<String>)> = None;
    for route in super::routes() {
        let parts: Vec<&str> = route.template.trim_start_matches('/').split('/').collect();
        if route.method != call.method || parts.len() != call.segments.len() {
            continue;
        }
        let pairs = || parts.iter().zip(&call.segments);
        if pairs().all(|(part, segment)| part.starts_with('{') || *part == segment.as_str()) {
            let params: Vec<String> =
                pairs().filter(|(part, _)| part.starts_with('{')).map(|(_, segment)| segment.clone()).collect();
            let literal = parts.len() - params.len();
            if found.as_ref().is_none_or(|(best, _, _)| literal > *best) {
                found = Some((literal, route, params));
            }
        }
    }
    let (_, route, params) = found.unwrap_or_else(|| panic!("no route for {:?} {:?}", call.method, call.segments));
    call.params = params;
    (route.handler)(state, &call)
}

fn send(state: &mut State, method: Method, target: &str, body: Value) -> Outcome {
    let call = call(method, target, body);
    run(state, call)
}

/// Runs a GET that has to succeed.
pub(super) fn get(state: &mut State, target: &str) -> Value {
    send(state, Method::Get, target, Value::Null).unwrap().body.unwrap()
}

/// Runs a POST that has to succeed.
pub(super) fn post(state: &mut State, target: &str, body: Value) -> Reply {
    send(state, Method::Post, target, body).unwrap()
}

/// Runs a POST that has to succeed with a body.
pub(super) fn create(state: &mut State, target: &str, body: Value) -> Value {
    post(state, target, body).body.unwrap()
}

/// Runs a PATCH that has to succeed.
pub(super) fn patch(state: &mut State, target: &str, body: Value) -> Value {
    send(state, Method::Patch, target, body).unwrap().body.unwrap()
}

/// Runs a DELETE that has to succeed.
pub(super) fn delete(state: &mut State, target: &str, body: Value) -> Reply {
    send(state, Method::Delete, target, body).unwrap()
}

/// Runs a call that has to be refused.
pub(super) fn refused(state: &mut State, method: Method, target: &str, body: Value) -> ApiError {
    let before = state.clone();
    let error = send(state, method, target, body).unwrap_err();
    let untouched = State { counter: before.counter, ..state.clone() };
    assert!(untouched == before, "a refused call changed the tenant: {method:?} {target}");
    error
}

/// Puts a connection into the tenant without going through its family.
pub(super) fn connection(state: &mut State, id: &str, name: &str, strategy: &str) {
    super::parts::store(state, "connections", id, json!({"id": id, "name": name, "strategy": strategy}));
}

/// Sorted member names of an object.
pub(super) fn members(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}
