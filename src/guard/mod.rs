//! Rules that can refuse a plan. One file per guard; all refusals at once.
//!
//! Only [`pass`] makes an [`ApprovedPlan`], and only `apply` takes one.

mod approval;
mod delete_not_allowed;
mod max_deletes;
mod missing_scope;
mod missing_secret;
mod protected;
mod unreadable;

use jiff::Timestamp;

use crate::change::{Plan, Refusal};
use crate::deployment::History;
use crate::model::{AddressPattern, Live};
use crate::project::Policy;
use crate::schema::Risk;

/// What the user approves for one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approved {
    /// Risks.
    pub risks: Vec<Risk>,
    /// A policy looser than the last deployment's.
    pub policy: bool,
    /// Changes that a revert took back.
    pub reverted: bool,
}

/// What guards judge by.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// The environment's policy.
    pub policy: &'a Policy,
    /// What the user approves for this run.
    pub approved: &'a Approved,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: &'a [AddressPattern],
    /// What is live, for shares.
    pub live: &'a Live,
    /// Scopes of the token; `None` where nobody said.
    pub scopes: Option<&'a [String]>,
    /// Id of the client the token belongs to; `None` where nobody said.
    pub own_client: Option<&'a str>,
    /// Deployments of this tenant that are known.
    pub history: &'a History,
    /// What time it is.
    pub now: Timestamp,
}

impl<'a> Judgement<'a> {
    /// A judgement by policy alone: nothing approved, no deployment known, midnight of 1 January 1970.
    pub fn by_policy(policy: &'a Policy, live: &'a Live) -> Self {
        static NOTHING: Approved = Approved { risks: Vec::new(), policy: false, reverted: false };
        static NONE: History = History::none();
        Judgement {
            policy,
            approved: &NOTHING,
            overwrite: &[],
            live,
            scopes: None,
            own_client: None,
            history: &NONE,
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

/// A plan that no guard refuses.
#[derive(Debug, Clone)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// Asks every guard.
pub fn judge(plan: &Plan, by: Judgement<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    delete_not_allowed::judge(plan, by, &mut refusals);
    max_deletes::judge(plan, by, &mut refusals);
    protected::judge(plan, by, &mut refusals);
    approval::judge(plan, by, &mut refusals);
    missing_secret::judge(plan, by, &mut refusals);
    missing_scope::judge(plan, by, &mut refusals);
    unreadable::judge(plan, by, &mut refusals);
    refusals
}

/// Lets a plan pass, or returns all refusals.
///
/// # Errors
///
/// Every guard that refuses.
pub fn pass(plan: Plan, by: Judgement<'_>) -> Result<ApprovedPlan, Vec<Refusal>> {
    let refusals = judge(&plan, by);
    if refusals.is_empty() { Ok(ApprovedPlan(plan)) } else { Err(refusals) }
}

#[cfg(test)]
mod tests;
