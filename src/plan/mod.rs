//! Compares what is desired with what is live and with what was left: `(Desired, Live, Base) -> Plan`, pure.
//!
//! `normalize` brings both sides into one form, `pair` finds which belongs to which (what was left: `known`), [`diff`] compares
//! leaves, [`decide`] is the one table of what a difference is called. `existing` and `absent` say what becomes of a resource,
//! `write` turns that into requests (with `sides`, `part` and `sub`), `order` finds what must come first, `questions` what is to
//! be asked. [`Aftermath`] is what a deployment will touch, and what it left.

mod absent;
mod aftermath;
mod decide;
mod deletion;
mod diff;
mod existing;
mod known;
mod leaf;
mod make;
mod mask;
mod normalize;
mod options;
mod order;
mod pair;
mod part;
mod path;
mod problems;
mod questions;
mod renamed;
mod replaced;
mod scope;
mod sides;
mod sub;
mod suggest;
mod taken_back;
mod write;

pub use crate::change::{
    Action, Change, Counts, FieldChange, Forecast, How, Kept, Left, Origin, Plan, Refusal, Step, Unmanaged, Wait,
};
pub use aftermath::Aftermath;
pub use decide::{Moved, Verdict, decide};
pub use diff::{Differences, diff, diff_evenly, item_name, key_of};
pub use leaf::{lookup, lose, set as set_leaf};
pub use make::{let_go, make};
pub use mask::{mask, over, with_absent};
pub use normalize::{complete, own_names};
pub use options::Options;
pub use pair::{Partner, partners};
pub use path::fill_path;
pub use problems::problems;
pub use taken_back::{taken_back, would_deploy};

#[cfg(test)]
mod tests;
