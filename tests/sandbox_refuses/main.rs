//! The sandbox refuses what the API refuses: for every kind one request per enum, limit, unknown property, dangling
//! id, repeated unique name and missing scope, each sent over HTTP and held to the API's answer.
//!
//! - `bodies`: every rule of every body, broken one at a time (requests are derived, see `breakage`);
//! - `parameters`: the same for query and path, and what is not there;
//! - `scopes`: every operation without its scope;
//! - `meaning`: what only a look at the tenant can refuse: dangling ids, repeated names, members that are fixed;
//! - `description`: the rules themselves against the official API description, where that is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bodies;
mod breakage;
mod description;
mod harness;
mod meaning;
mod operations;
mod parameters;
mod samples;
mod scopes;
mod world;
