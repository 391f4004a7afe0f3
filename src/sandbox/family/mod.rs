//! The operations of the API, one file per family of resources.

pub mod branding;
pub mod connections;
pub mod custom_domains;
mod databases;
mod edit;
pub mod emails;
pub mod prompts;
pub mod provisioning;
mod strategies;
pub mod tenant_settings;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [
        branding::ROUTES,
        connections::ROUTES,
        custom_domains::ROUTES,
        emails::ROUTES,
        prompts::ROUTES,
        provisioning::ROUTES,
        tenant_settings::ROUTES,
    ]
    .concat()
}

/// Adds the objects that a tenant has before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    branding::bootstrap(state, now_ms);
    connections::bootstrap(state, now_ms);
    prompts::bootstrap(state, now_ms);
    tenant_settings::bootstrap(state, now_ms);
}
