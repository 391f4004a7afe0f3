//! Compares what is desired with what is live: `(Desired, Live) -> Plan`, pure.
//!
//! `normalize` brings both sides into one form, `pair` finds which belongs to which, [`diff`] compares leaves, [`decide`] is
//! the one table of what a difference is called, `write` turns changes into requests (with `sides`, `part` and `sub`),
//! `order` finds what must come first.

mod decide;
mod diff;
mod left;
mod make;
mod mask;
mod normalize;
mod order;
mod pair;
mod part;
mod path;
mod renamed;
mod replaced;
mod scope;
mod sides;
mod sub;
mod taken_back;
mod write;

pub use crate::change::{
    Action, Change, Counts, FieldChange, Forecast, How, Kept, Left, Origin, Plan, Refusal, Step, Unmanaged, Wait,
};
pub use decide::{Verdict, decide};
pub use diff::{Differences, diff, item_name, key_of};
pub use make::{Options, make, problems};
pub use left::{base_after, images};
pub use mask::mask;
pub use normalize::{complete, own_names};
pub use path::fill_path;
pub use taken_back::taken_back;
