//! The operations of the API, one file per family of resources.

pub mod connections;
mod databases;
mod edit;
pub mod provisioning;
mod strategies;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [connections::ROUTES, provisioning::ROUTES].concat()
}

/// Adds the objects that a tenant has before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    connections::bootstrap(state, now_ms);
}
