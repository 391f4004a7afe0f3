//! Tenant files become what one environment asks for.
//!
//! [`load`] reads YAML and JSON into a [`Node`] that knows the place of every value; markers (`##NAME##`, `@@NAME@@`) and
//! expressions (`${{ … }}`) stay in it. [`render`] fills them with the [`Variables`] of one environment. Files beside them, such as
//! action code, go through [`fill_text`].

mod expression;
mod fill;
mod filter;
mod helpers;
mod hole;
mod json;
pub mod layout;
mod load;
mod marker;
mod node;
mod place;
mod render;
mod resolve;
mod scalar;
mod side;
mod sidefile;
mod validate;
mod variables;
mod yaml;

pub use filter::Filters;
pub use load::{Loaded, MAX_FILE_BYTES, load, read_json, read_yaml};
pub use marker::KnownNames;
pub use node::{
    Expression, Format, Marker, Member, Node, NodeMap, NodeValue, Part, Position, Sigil, Style, Text, Written,
};
pub use render::{Rendered, render};
pub use resolve::OpenReference;
pub use side::{Leniency, fill_text, markers_in};
pub use validate::{DescribeOptions, DescribeOutcome, describe, has_errors};
pub use variables::{SecretState, Variables};

/// How deep lists and objects may be nested.
pub(crate) const MAX_DEPTH: usize = 100;

#[cfg(test)]
mod tests;
