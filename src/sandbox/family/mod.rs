//! The operations of the API, one file per family of resources.

mod action_versions;
mod actions;
mod attack_protection;
mod branding;
mod connections;
mod custom_domains;
mod databases;
mod directories;
mod edit;
mod emails;
mod misc;
mod prompts;
mod rendering;
mod rules;
mod rules_configs;
mod scim;
mod strategies;
mod tenant_settings;
mod triggers;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [
        action_versions::ROUTES,
        actions::ROUTES,
        attack_protection::ROUTES,
        branding::ROUTES,
        connections::ROUTES,
        custom_domains::ROUTES,
        directories::ROUTES,
        emails::ROUTES,
        misc::ROUTES,
        prompts::ROUTES,
        rendering::ROUTES,
        rules::ROUTES,
        rules_configs::ROUTES,
        scim::ROUTES,
        tenant_settings::ROUTES,
        triggers::ROUTES,
    ]
    .concat()
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    attack_protection::bootstrap(state, now_ms);
    branding::bootstrap(state, now_ms);
    connections::bootstrap(state, now_ms);
    prompts::bootstrap(state, now_ms);
    tenant_settings::bootstrap(state, now_ms);
}
