//! Reads the live tenant: every collection once, sub-resources and parts only where they are described.
//!
//! `reach` says which kinds, `read` and `parts` ask through `ask`, `raw` puts answers together, `assemble` turns them into
//! [`Live`](crate::model::Live) resources without I/O.
//! `found` is for tenants that are too large to be held so.

mod ask;
mod assemble;
mod found;
mod parts;
mod raw;
mod reach;
mod read;

pub use ask::{Answers, style as list_style};
pub use assemble::of_objects;
pub use found::{Found, FoundKind};
pub use reach::Reach;
pub use read::{gather, read, read_again};
