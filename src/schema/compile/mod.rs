//! Compiles the JSON of a schema file into a [`KindSpec`](super::KindSpec), strictly: an annotation nobody reads is an error.

mod endpoint;
mod field;
mod kind;
mod part;
mod reader;

pub(super) use kind::compile;

#[cfg(test)]
mod tests;
