//! `apply`: carries a judged plan out.

use ulid::Ulid;

use super::Planned;
use crate::apply::{self, ApplyEvent, Index, Report, Site};
use crate::change::Refusal;
use crate::guard::{self, Approved, Judgement};
use crate::model::AddressPattern;

/// What applying is told besides the plan.
#[derive(Debug, Clone, Default)]
pub struct ApplyRequest {
    /// What is approved for this run.
    pub approved: Approved,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: Vec<AddressPattern>,
    /// Changes that do not depend on a failed one go on.
    pub keep_going: bool,
    /// Stops before the next request.
    pub cancel: tokio_util::sync::CancellationToken,
}

/// What came of it.
#[derive(Debug)]
pub enum Applied {
    /// Guards refuse; nothing was written.
    Refused(Vec<Refusal>),
    /// It ran.
    Ran {
        /// Id of the deployment: a ULID.
        deployment: String,
        /// What was done.
        report: Report,
    },
}

/// Applies a plan; `tell` hears of every step.
pub async fn apply(planned: Planned, request: &ApplyRequest, tell: &(dyn Fn(ApplyEvent) + Sync)) -> Applied {
    let Planned { plan, settings, live, names, session, .. } = planned;
    let by = Judgement {
        approved: &request.approved,
        overwrite: &request.overwrite,
        scopes: session.client.scopes(),
        own_client: session.client.client_id(),
        now: session.client.server_now(),
        ..Judgement::by_policy(&settings.policy, &live)
    };
    let approved = match guard::pass(plan, by) {
        Ok(approved) => approved,
        Err(refusals) => {
            session.close().await;
            return Applied::Refused(refusals);
        }
    };
    let deployment = Ulid::generate().to_string();
    let mut run = apply::Settings::new(&deployment, request.cancel.clone());
    run.keep_going = request.keep_going;
    let index = Index::new(names);
    let site = Site { client: &session.client, index: &index, live: &live, journal: None, lock: None };
    let report = apply::apply(approved, site, &run, tell).await;
    session.close().await;
    Applied::Ran { deployment, report }
}
