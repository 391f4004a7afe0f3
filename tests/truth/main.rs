//! Who did what, told truly: reverts of our own work, work that a crash cut short, later deployments, patterns that match nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod crashes;
mod renamed;
mod reverts;
mod secrets;
mod words;
mod world;
