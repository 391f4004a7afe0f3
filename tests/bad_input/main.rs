//! What happens with bad input: a clear error with its place, the documented exit code, nothing sent, nothing half-written. Every
//! message is a snapshot, to be read with a stranger's eyes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod compatibility;
mod export;
mod files;
mod interrupt;
mod project;
mod secrets;
mod support;
mod tenant;
