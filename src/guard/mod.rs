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

use crate::change::{Plan, Refusal};
use crate::model::Live;
use crate::project::Policy;
use crate::schema::Risk;

/// What guards judge by.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// The environment's policy.
    pub policy: &'a Policy,
    /// Risks the user approved for this run.
    pub approved: &'a [Risk],
    /// What is live, for shares.
    pub live: &'a Live,
    /// Scopes of the token; `None` where nobody said.
    pub scopes: Option<&'a [String]>,
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
