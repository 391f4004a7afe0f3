//! The sandbox: a simulator of the Auth0 Management API inside the binary.
//!
//! It is the opponent of the client: written from the API reference, it uses nothing of `schemas/`
//! and refuses what the real API refuses, so that it can prove the client wrong.
//!
//! [`tenant::Tenant`] is the pure part: a [`request::Request`] goes in, a [`request::Answer`] comes out, and the clock and
//! the random seed are values. It finds the operation, judges token and scopes, checks the request against the
//! [`contract`], lets a handler of a [`family`] answer, and writes the log. The [`server`] around it does the I/O.

pub mod call;
pub mod contract;
mod control;
mod download;
pub mod family;
mod fault;
pub mod ids;
mod log;
mod log_query;
mod multipart;
mod oauth;
pub mod options;
pub mod page;
mod rate;
pub mod request;
pub mod route;
pub mod server;
mod service;
pub mod state;
mod store;
pub mod tenant;
mod tls;
mod token;

pub use options::{Fault, Options, Rate, Subscription};
pub use server::{Running, StartError, start};

#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod traffic_tests;
