//! `max-deletes`: more deletes than the policy lets a plan have.

use super::Judgement;
use crate::change::{Action, Plan, Refusal};
use crate::model::LiveKind;
use crate::problem::Problem;
use crate::project::DeleteLimit;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    let Some(limit) = &by.policy.max_deletes else { return };
    let deletes = plan.changes.iter().filter(|c| matches!(c.action, Action::Delete | Action::Replace)).count();
    let live = by.live.kinds.values().map(|kind| if let LiveKind::Read(found) = kind { found.len() } else { 0 }).sum();
    let most = limit.value.of(live);
    if deletes <= most {
        return;
    }
    let written = match limit.value {
        DeleteLimit::Count(count) => count.to_string(),
        DeleteLimit::Percent(percent) => format!("{percent}% of {live}, which is {most}"),
    };
    refusals.push(Refusal {
        guard: "max-deletes",
        address: None,
        problem: Problem::error("max-deletes", format!("the plan deletes {deletes} resources"))
            .at_maybe(limit.locus.as_ref())
            .note(format!("the most a plan may delete is {written}"))
            .help("put back what was not meant to go, or raise `policy.max_deletes`"),
    });
}
