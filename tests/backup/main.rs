//! `backup`: the real program, a real sandbox, folders and a service that speaks as S3 does.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;

mod bucket;
mod canary;
mod command;
mod docs;
mod faults;
mod keep;
mod service;
mod support;
mod users;
