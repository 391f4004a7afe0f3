//! `protected`: the policy says hands off.

use super::Judgement;
use crate::change::{Action, Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let touched = std::iter::once(&change.address).chain(&change.cascades);
        for address in touched {
            let Some(rule) = by.policy.protect.iter().find(|rule| rule.value.matches(address)) else { continue };
            let verb = if *address == change.address { change.action.as_str() } else { Action::Delete.as_str() };
            refusals.push(Refusal {
                guard: "protected",
                address: Some(address.clone()),
                problem: Problem::error("protected", format!("the plan would {verb} `{address}`, which is protected"))
                    .at_maybe(rule.locus.as_ref())
                    .note(format!("protected by `{}`", rule.value.as_str()))
                    .help("take the pattern out of `policy.protect`, or leave the resource as it is"),
            });
        }
    }
}
