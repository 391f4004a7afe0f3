//! Operations that belong to no family: the tenant log, signing keys, and lists that are empty in every sandbox.

use serde_json::{Value, json};

use super::call::{ApiError, Call, Method, Outcome, Reply};
use super::log;
use super::page;
use super::route::{Route, route};
use super::state::State;

/// The operations.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/logs", log::search),
    route(Method::Get, "/logs/{id}", log::read),
    route(Method::Get, "/keys/signing", signing_keys),
    route(
        Method::Get,
        "/user-attribute-profiles",
        user_attribute_profiles,
    ),
    route(
        Method::Get,
        "/user-attribute-profiles/{id}",
        user_attribute_profile,
    ),
    route(Method::Get, "/connection-profiles", connection_profiles),
    route(Method::Get, "/connection-profiles/{id}", connection_profile),
];

/// One current key, its certificate blanked as in the recordings; its `kid` depends on the tenant alone.
fn signing_keys(state: &mut State, _: &Call) -> Outcome {
    let kid: String = state
        .domain
        .bytes()
        .cycle()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Reply::ok(json!([{
        "kid": format!("{kid}0"), "cert": "", "pkcs7": "", "current": true, "next": false, "previous": false,
        "current_since": "2026-01-01T00:00:00.000Z", "fingerprint": "", "thumbprint": "", "revoked": false,
    }])))
}

fn rows(state: &State, collection: &str) -> Vec<Value> {
    state
        .collection(collection)
        .map(|(_, value)| value.clone())
        .collect()
}

fn user_attribute_profiles(state: &mut State, call: &Call) -> Outcome {
    page::checkpoint(
        call,
        "user_attribute_profiles",
        rows(state, "user_attribute_profiles"),
    )
}

fn connection_profiles(state: &mut State, call: &Call) -> Outcome {
    page::checkpoint(
        call,
        "connection_profiles",
        rows(state, "connection_profiles"),
    )
}

fn user_attribute_profile(state: &mut State, call: &Call) -> Outcome {
    one(
        state,
        "user_attribute_profiles",
        call.param(0),
        "User attribute profile not found.",
    )
}

fn connection_profile(state: &mut State, call: &Call) -> Outcome {
    one(
        state,
        "connection_profiles",
        call.param(0),
        "Connection profile not found.",
    )
}

fn one(state: &State, collection: &str, id: &str, missing: &str) -> Outcome {
    let found = state
        .object(collection, id)
        .ok_or_else(|| ApiError::bare(404, missing))?;
    Ok(Reply::ok(page::visible(found)))
}
