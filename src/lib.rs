//! Tenantry deploys Auth0 tenants from version control.

pub mod api;
pub mod model;
pub mod problem;
pub mod sandbox;
