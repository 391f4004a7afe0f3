//! Archives, restored: onto empty tenants, onto others, onto the one they were taken of, and in a rehearsal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../chain/mod.rs"]
mod chain;
#[path = "../common/mod.rs"]
mod common;

mod archive;
mod comes_back;
mod elsewhere;
mod halves;
mod put_back;
mod refuses;
mod rehearsal;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../backup/service.rs"]
mod service;
mod users;
mod world;
