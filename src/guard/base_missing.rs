//! `base-missing`: the tenant says what was deployed last, and nobody here knows that deployment. Without it drift cannot be told from
//! change, and somebody else's work may be undone.

use super::Judgement;
use crate::change::{Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    let Some(id) = by.base_missing else { return };
    if plan.has_changes() {
        refusals.push(Refusal { guard: "base-missing", address: None, problem: base_missing(id) });
    }
}

/// Says that the tenant runs a deployment nobody knows.
pub fn base_missing(id: &str) -> Problem {
    Problem::error("base-missing", format!("the tenant runs deployment {id}, which no ledger here knows"))
        .note("without it, what was changed outside cannot be told from what the files changed")
        .help("fetch the ledger (`git fetch origin 'refs/tenantry/*:refs/tenantry/*'`, or copy its folder here)")
        .help("or look at every difference, then take the tenant as it is: `tenantry init --baseline`")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change};
    use super::*;
    use crate::change::Action;

    #[test]
    fn nothing_is_written_over_a_deployment_nobody_knows() {
        let mut case = Case::new(Plan { changes: vec![change(Action::Update, "roles", "a")], ..Plan::default() });
        assert_eq!(case.told(), "");
        case.base_missing = Some("01JD7QK3X5Z8B2N4M6P7R9S1T3");
        insta::assert_snapshot!(case.told());
        case.plan.changes.clear();
        assert_eq!(case.told(), "");
    }
}
