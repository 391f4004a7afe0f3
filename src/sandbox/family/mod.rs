//! The operations of the API, one file per family of resources.

mod parts;

pub mod branding;
mod client_grants;
mod client_rules;
mod clients;
pub mod connections;
mod credentials;
pub mod custom_domains;
mod databases;
mod edit;
pub mod emails;
mod organization_connections;
mod organization_domains;
mod organization_links;
mod organization_members;
mod organizations;
pub mod prompts;
pub mod provisioning;
mod resource_servers;
mod roles;
mod strategies;
pub mod tenant_settings;
mod users;

#[cfg(test)]
mod testing;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [
        branding::ROUTES,
        client_grants::ROUTES,
        clients::ROUTES,
        connections::ROUTES,
        credentials::ROUTES,
        custom_domains::ROUTES,
        emails::ROUTES,
        organization_connections::ROUTES,
        organization_domains::ROUTES,
        organization_links::ROUTES,
        organization_members::ROUTES,
        organizations::ROUTES,
        prompts::ROUTES,
        provisioning::ROUTES,
        resource_servers::ROUTES,
        roles::ROUTES,
        tenant_settings::ROUTES,
        users::ROUTES,
    ]
    .concat()
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    resource_servers::bootstrap(state, now_ms);
    clients::bootstrap(state, now_ms);
    branding::bootstrap(state, now_ms);
    connections::bootstrap(state, now_ms);
    prompts::bootstrap(state, now_ms);
    tenant_settings::bootstrap(state, now_ms);
}
