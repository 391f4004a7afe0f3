//! Numbers and their nouns, as everybody counts them.

pub use crate::model::{count, number};
