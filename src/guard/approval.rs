//! `approval`: a risk that the policy lets nobody take in passing. What a revert takes back of its own deployment is no risk while nobody
//! uses it.

use super::Judgement;
use crate::change::{Change, Plan, Refusal};
use crate::problem::Problem;

/// Says whether it is known that nobody and nothing hangs on what goes: counted, and there is none.
fn hits_nobody(plan: &Plan, change: &Change) -> bool {
    let effects = plan.facts.effects.get(&change.address);
    change.cascades.is_empty()
        && effects.is_some_and(|all| !all.is_empty() && all.iter().all(|e| e.count == Some(0) && !e.at_least))
}

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let needs = by.policy.approve.value.contains(&change.risk);
        if !needs || by.approved.risks.contains(&change.risk) || (by.takes_back(change) && hits_nobody(plan, change)) {
            continue;
        }
        let risk = change.risk.as_str();
        let mut problem = Problem::error(
            "approval",
            format!("the {} of `{}` needs approval: its risk is {risk}", change.action.as_str(), change.address),
        )
        .at_maybe(by.policy.approve.locus.as_ref())
        .help(format!("look at what goes, then pass `--approve {risk}`"));
        let effects = plan.facts.effects.get(&change.address).into_iter().flatten().map(|effect| &effect.text);
        for reason in effects.chain(&change.reasons) {
            problem = problem.note(reason.clone());
        }
        refusals.push(Refusal { guard: "approval", address: Some(change.address.clone()), problem });
    }
}
