//! Asks a real sandbox who changed it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blame;
mod many;
mod reach;
mod world;
