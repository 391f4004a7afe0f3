//! Reads the live tenant: every collection once, sub-resources and parts only where they are described.
//!
//! `read` asks, `assemble` turns answers into [`Live`](crate::model::Live) resources without I/O.

mod assemble;
mod read;

pub use read::{Reach, read};
