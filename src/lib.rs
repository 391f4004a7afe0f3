//! Tenantry deploys Auth0 tenants from version control.

pub mod api;
pub mod apply;
pub mod change;
pub mod cli;
pub mod codec;
pub mod deployment;
pub mod description;
pub mod export;
pub mod facts;
pub mod files;
pub mod flow;
pub mod guard;
pub mod live;
pub mod model;
pub mod plan;
pub mod problem;
pub mod project;
pub mod quirk;
pub mod receipt;
pub mod render;
pub mod sandbox;
pub mod schema;
