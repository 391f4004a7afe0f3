//! Operations that belong to no family: the tenant log, signing keys, and lists that are empty in every sandbox.

use serde_json::json;

use super::call::{Call, Method, Outcome, Reply};
use super::log;
use super::page::{self, OffsetOrder};
use super::route::{Route, route};
use super::state::State;

/// The operations.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/logs", log::search),
    route(Method::Get, "/logs/{id}", log::read),
    route(Method::Get, "/keys/signing", signing_keys),
    route(Method::Get, "/event-streams", |_, call| page::checkpoint(call, "eventStreams", Vec::new())),
    route(Method::Get, "/token-exchange-profiles", |_, call| {
        page::checkpoint(call, "token_exchange_profiles", Vec::new())
    }),
    route(Method::Get, "/network-acls", |_, call| {
        page::offset(call, "network_acls", Vec::new(), OffsetOrder::TotalsFirst)
    }),
    route(Method::Get, "/self-service-profiles", |_, call| {
        page::offset(call, "self_service_profiles", Vec::new(), OffsetOrder::RowsFirst)
    }),
];

/// One current key, its certificate blanked as in the recordings; its `kid` depends on the tenant alone.
fn signing_keys(state: &mut State, _: &Call) -> Outcome {
    let kid: String = state.domain.bytes().cycle().take(10).map(|byte| format!("{byte:02x}")).collect();
    Ok(Reply::ok(json!([{
        "kid": format!("{kid}0"), "cert": "", "pkcs7": "", "current": true, "next": false, "previous": false,
        "current_since": "2026-01-01T00:00:00.000Z", "fingerprint": "", "thumbprint": "", "revoked": false,
    }])))
}
