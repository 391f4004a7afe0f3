//! `max-deletes`: more deletes than the policy lets a plan have. What the API deletes along counts; what a revert takes back of its
//! own deployment does not.

use std::collections::BTreeSet;

use super::Judgement;
use crate::change::{Action, Change, Plan, Refusal};
use crate::model::Address;
use crate::problem::Problem;
use crate::project::DeleteLimit;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    let Some(limit) = &by.policy.max_deletes else { return };
    let going: Vec<&Change> =
        plan.changes.iter().filter(|c| matches!(c.action, Action::Delete | Action::Replace)).collect();
    let all: BTreeSet<&Address> = going.iter().map(|c| &c.address).collect();
    let own: BTreeSet<&Address> = going.iter().filter(|c| !by.takes_back(c)).map(|c| &c.address).collect();
    let along: BTreeSet<&Address> =
        going.iter().flat_map(|c| &c.cascades).filter(|address| !all.contains(address)).collect();
    let deletes = own.len() + along.len();
    let live = by.live_count();
    let most = limit.value.of(live);
    if deletes <= most {
        return;
    }
    let written = match limit.value {
        DeleteLimit::Count(count) => count.to_string(),
        DeleteLimit::Percent(percent) => format!("{percent}% of {live}, which is {most}"),
    };
    let resources = if deletes == 1 { "resource" } else { "resources" };
    let mut problem = Problem::error("max-deletes", format!("the plan deletes {deletes} {resources}"))
        .at_maybe(limit.locus.as_ref())
        .note(format!("the most a plan may delete is {written}"));
    if !along.is_empty() {
        problem = problem.note(format!("{} by itself; Auth0 deletes {} along with them", own.len(), along.len()));
    }
    refusals.push(Refusal {
        guard: "max-deletes",
        address: None,
        problem: problem.help("put back what was not meant to go, or raise `policy.max_deletes`"),
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change, locus};
    use super::*;
    use crate::project::Ruled;

    #[test]
    fn what_goes_along_counts_once() {
        let mut client = change(Action::Delete, "clients", "Shop");
        client.cascades = ["a", "b"].map(|name| Address::new("clientGrants", name)).into();
        let mut other = change(Action::Delete, "clients", "Store");
        other.cascades = vec![Address::new("clientGrants", "b"), Address::new("clients", "Shop")];
        let mut case = Case::new(Plan { changes: vec![client, other], ..Plan::default() });
        case.policy.max_deletes = Some(Ruled::written(DeleteLimit::Count(4), &locus(23)));
        assert_eq!(case.told(), "");
        case.policy.max_deletes = Some(Ruled::written(DeleteLimit::Count(3), &locus(23)));
        insta::assert_snapshot!(case.told());
    }
}
