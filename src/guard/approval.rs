//! `approval`: a risk that the policy lets nobody take in passing.

use super::Judgement;
use crate::change::{Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let needs = by.policy.approve.value.contains(&change.risk);
        if !needs || by.approved.risks.contains(&change.risk) {
            continue;
        }
        let risk = change.risk.as_str();
        let mut problem = Problem::error("approval", format!("the {} of `{}` needs approval: its risk is {risk}", change.action.as_str(), change.address))
            .at_maybe(by.policy.approve.locus.as_ref())
            .help(format!("look at what goes, then pass `--approve {risk}`"));
        let effects = plan.facts.effects.get(&change.address).into_iter().flatten().map(|effect| &effect.text);
        for reason in effects.chain(&change.reasons) {
            problem = problem.note(reason.clone());
        }
        refusals.push(Refusal { guard: "approval", address: Some(change.address.clone()), problem });
    }
}
