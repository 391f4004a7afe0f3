//! Reads the live tenant: every collection once, sub-resources and parts only where they are described.
//!
//! `reach` says which kinds, `read` and `parts` ask through `ask`, `raw` puts answers together, `assemble` turns them into
//! [`Live`](crate::model::Live) resources without I/O.

mod ask;
mod assemble;
mod parts;
mod raw;
mod reach;
mod read;

pub use ask::style as list_style;
pub use assemble::{Take, of_objects};
pub use reach::Reach;
pub use read::{read, read_taking};
