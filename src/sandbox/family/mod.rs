//! The operations of the API, one file per family of resources.

mod parts;

mod action_versions;
mod actions;
mod attack_protection;
mod branding;
mod client_grants;
mod client_rules;
mod clients;
mod connections;
mod credentials;
mod custom_domains;
mod databases;
mod directories;
mod emails;
pub(super) mod jobs;
mod misc;
mod organization_connections;
mod organization_domains;
mod organization_links;
mod organization_members;
mod organizations;
mod permissions;
mod prompts;
mod rendering;
mod resource_servers;
mod roles;
mod rules;
mod rules_configs;
mod scim;
mod strategies;
mod tenant_settings;
mod triggers;
mod user_export;
mod user_import;
mod users;

#[cfg(test)]
mod calls;
#[cfg(test)]
mod testing;

use super::route::Route;
use super::state::State;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    [
        action_versions::ROUTES,
        actions::ROUTES,
        attack_protection::ROUTES,
        branding::ROUTES,
        client_grants::ROUTES,
        clients::ROUTES,
        connections::ROUTES,
        credentials::ROUTES,
        custom_domains::ROUTES,
        directories::ROUTES,
        emails::ROUTES,
        jobs::ROUTES,
        misc::ROUTES,
        organization_connections::ROUTES,
        organization_domains::ROUTES,
        organization_links::ROUTES,
        organization_members::ROUTES,
        organizations::ROUTES,
        prompts::ROUTES,
        rendering::ROUTES,
        permissions::ROUTES,
        resource_servers::ROUTES,
        roles::ROUTES,
        rules::ROUTES,
        rules_configs::ROUTES,
        scim::ROUTES,
        tenant_settings::ROUTES,
        triggers::ROUTES,
        users::ROUTES,
    ]
    .concat()
}

/// Adds what a tenant holds before anything is configured.
pub fn bootstrap(state: &mut State, now_ms: i64) {
    resource_servers::bootstrap(state, now_ms);
    clients::bootstrap(state, now_ms);
    attack_protection::bootstrap(state, now_ms);
    branding::bootstrap(state, now_ms);
    connections::bootstrap(state, now_ms);
    prompts::bootstrap(state, now_ms);
    tenant_settings::bootstrap(state, now_ms);
}
