//! The operations of the API, one file per family of resources.

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    Vec::new()
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(_state: &mut State, _now_ms: i64) {}
