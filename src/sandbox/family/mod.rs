//! The operations of the API, one file per family of resources.

mod parts;

mod client_grants;
mod client_rules;
mod clients;
mod credentials;
mod organization_connections;
mod organization_domains;
mod organization_links;
mod organization_members;
mod organizations;
mod resource_servers;
mod roles;
mod users;

#[cfg(test)]
mod testing;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [
        client_grants::ROUTES,
        clients::ROUTES,
        credentials::ROUTES,
        organization_connections::ROUTES,
        organization_domains::ROUTES,
        organization_links::ROUTES,
        organization_members::ROUTES,
        organizations::ROUTES,
        resource_servers::ROUTES,
        roles::ROUTES,
        users::ROUTES,
    ]
    .concat()
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    resource_servers::bootstrap(state, now_ms);
    clients::bootstrap(state, now_ms);
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(_state: &mut State, _now_ms: i64) {}
