//! The stories: one file each, from what the user asked for to what is shown. They do the I/O between the pure parts.

mod adopt;
mod along;
mod apply;
mod archives;
mod backup;
mod baseline;
mod begin;
mod compare;
mod doctor;
mod drift;
mod export;
mod going;
mod gone;
mod half;
mod history;
mod past;
mod plan;
mod read;
mod rehearse;
mod restore;
mod restore_users;
mod revert;
mod secrets;
mod session;
mod targets;
mod then;
mod update;
mod validate;

use tokio_util::sync::CancellationToken;

pub use adopt::{AdoptRequest, Adopted, adopt};
pub use apply::{Applied, ApplyRequest, actor, apply};
pub use archives::{Verified, backups, verify};
pub use backup::{BackedUp, BackupRequest, backup};
pub use baseline::{Baselined, baseline};
pub use begin::{BeginRequest, Begun, begin};
pub use compare::{CompareRequest, ComparedSides, compare};
pub use doctor::{Check, Doctor, Verdict, doctor};
pub use drift::{DriftRequest, Drifted, drift};
pub use export::{ExportRequest, Exported, Updated, Wrote, export};
pub use history::{FoundHistory, history};
pub use past::Past;
pub use plan::{PlanRequest, Planned, plan};
pub use read::{ReadTenant, read_tenant};
pub use rehearse::{Rehearsed, rehearse};
pub use restore::{About, Opened, RestoreRequest, Restoring, open_archive, restore};
pub use restore_users::{UsersRequest, has_users, restore_users};
pub use revert::{Back, revert};
pub use session::Session;
pub use validate::{Validated, ValidatedAll, validate};

use crate::model::Sources;
use crate::problem::Problem;
use crate::project::{Flags, Surroundings};

/// What every story is told.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the project is and which environment is meant.
    pub flags: Flags,
    /// The working directory and the process environment.
    pub around: Surroundings,
    /// The share of the tenant's rate limit to use, above 0 to 1.
    pub budget: f64,
    /// Stops before the next request.
    pub cancel: CancellationToken,
}

/// A story that ended early: what went wrong, with the texts to show it in.
#[derive(Debug, Default)]
pub struct Failed {
    /// At least one error, and the warnings found on the way.
    pub problems: Vec<Problem>,
    /// Texts of the files involved.
    pub sources: Sources,
}

impl Failed {
    fn new(problems: Vec<Problem>, sources: Sources) -> Self {
        Failed { problems, sources }
    }

    fn one(problem: Problem, sources: Sources) -> Self {
        Failed { problems: vec![problem], sources }
    }
}

impl From<crate::project::Failed> for Failed {
    fn from(failed: crate::project::Failed) -> Self {
        Failed { problems: failed.problems, sources: failed.sources }
    }
}
