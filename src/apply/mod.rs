//! Carries a plan out: [`ApprovedPlan`](crate::guard::ApprovedPlan) in, [`ApplyEvent`]s and a [`Report`] out.
//!
//! Changes run as soon as what they wait for is done, as many at once as the client's pace allows. Before each request the
//! journal has its intent on the disk; after it, its outcome. The first failure stops new work; what is in flight is finished.
//! A create whose answer was lost is looked for and never sent again; what may be repeated is.

mod doubt;
mod index;
mod needs;
mod run;
mod send;
mod shown;
mod step;

pub use index::Index;
pub use run::{ApplyEvent, Outcome, Report, Settings, Site, apply};
