//! Carries a plan out: [`ApprovedPlan`](crate::guard::ApprovedPlan) in, [`ApplyEvent`]s and a [`Report`] out.
//!
//! Changes run as soon as what they wait for is done, as many at once as the client's pace allows. The first failure stops
//! new work; what is in flight is finished.

mod index;
mod run;
mod step;

pub use index::Index;
pub use run::{ApplyEvent, Outcome, Report, Settings, apply};
