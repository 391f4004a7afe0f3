//! `delete-not-allowed`: the policy does not name the kind. A revert may delete what its own deployment made.

use super::Judgement;
use crate::change::{Action, Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in plan.changes.iter().filter(|c| matches!(c.action, Action::Delete | Action::Replace)) {
        let kind = &change.address.kind;
        if by.policy.delete.value.allows(kind) || by.takes_back(change) {
            continue;
        }
        let what = if change.action == Action::Replace { "replaces (deletes and makes anew)" } else { "deletes" };
        refusals.push(Refusal {
            guard: "delete-not-allowed",
            address: Some(change.address.clone()),
            problem: Problem::error("delete-not-allowed", format!("the plan {what} `{}`", change.address))
                .at_maybe(by.policy.delete.locus.as_ref())
                .help(if by.compatible {
                    "set AUTH0_ALLOW_DELETE=true".to_owned()
                } else {
                    format!("add `{kind}` to `policy.delete` of the environment")
                }),
        });
    }
}
