//! Tenantry deploys Auth0 tenants from version control.

pub mod description;
pub mod model;
pub mod problem;
pub mod project;
pub mod sandbox;
pub mod schema;
