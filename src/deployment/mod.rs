//! What is remembered of a deployment, and what the memories of all deployments add up to.
//!
//! Pure: [`Deployment`] is the record of one apply, [`History`] all records of one tenant. The formats they are stored in stand
//! here too, with their versions; `ledger` puts them somewhere.

mod back;
mod domain;
mod history;
mod record;
pub mod stored;
mod undo;

pub use back::{Back, back};
pub use domain::canonical_domain;
pub use history::History;
pub use record::{BaseEntry, Commit, Deployment, Image, Outcome, Purpose, Rules, TakenBack, Tally};
pub use undo::{Undo, undo};
