//! Tenantry deploys Auth0 tenants from version control.

pub mod sandbox;
