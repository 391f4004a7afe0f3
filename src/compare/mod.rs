//! Compares two sides as equals: environments, commits, files, backups, live tenants. Pure.
//!
//! [`Side`] is what one of them holds. Which leaves differ is told by the comparison that plans use; which of those differences the
//! environments themselves ask for is told by [`Reference`]s: one description, rendered for the environment of each side.

mod differ;
mod explain;
mod names;
mod side;

pub use differ::{Pairs, Uncompared};
pub use explain::{Compared, Explanation, Leaf, Only, Reference, Resource, compare};
pub use names::Places;
pub use side::{Held, HeldKind, Side, Standing, as_described};

#[cfg(test)]
mod tests;
