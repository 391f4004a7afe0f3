//! `drift`: somebody changed the tenant outside, and the policy lets nobody write over it in passing.

use super::{Judgement, argument, listed};
use crate::change::{Action, Change, Origin, Plan, Refusal};
use crate::problem::Problem;
use crate::project::DriftRule;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    if by.policy.drift.value != DriftRule::Fail {
        return;
    }
    for change in plan.changes.iter().filter(|change| !by.overwrites(&change.address)) {
        let fields: Vec<String> =
            change.fields.iter().filter(|f| f.origin == Origin::Drift).map(|f| f.path.to_string()).collect();
        if change.origin != Origin::Drift && fields.is_empty() {
            continue;
        }
        let address = &change.address;
        let named = argument(&address.to_string());
        let mut problem = Problem::error("drift", title(change)).at_maybe(by.policy.drift.locus.as_ref());
        if change.origin != Origin::Drift {
            problem = problem.note(format!("changed: {}", listed(&fields)));
        }
        let (keep, put_back) = if change.origin == Origin::Drift && change.action == Action::Create {
            (format!("leave it deleted: `tenantry adopt {named}` takes it out of the description"), "make it anew")
        } else {
            (format!("keep it: `tenantry adopt {named}` writes it into the description"), "put it back")
        };
        refusals.push(Refusal {
            guard: "drift",
            address: Some(address.clone()),
            problem: problem.help(keep).help(format!("{put_back}: add `--overwrite {named}`")),
        });
    }
}

fn title(change: &Change) -> String {
    let what = match (change.origin, change.action) {
        (Origin::Drift, Action::Create) => "deleted",
        (Origin::Drift, Action::Replace) => "made anew",
        _ => "changed",
    };
    format!("`{}` was {what} outside since the last deployment", change.address)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change, field};
    use super::*;

    fn drifted() -> Plan {
        let mut mobile = change(Action::Update, "clients", "Mobile app");
        mobile.fields = vec![field("callbacks", Origin::Drift), field("name", Origin::Change)];
        let mut gone = change(Action::Create, "roles", "Clerk");
        gone.origin = Origin::Drift;
        gone.fields = vec![field("name", Origin::Drift)];
        Plan { changes: vec![mobile, gone, change(Action::Update, "roles", "Admin")], ..Plan::default() }
    }

    #[test]
    fn is_refused_where_the_policy_says_fail() {
        let mut case = Case::new(drifted());
        case.policy.drift.locus = Some(super::super::tests::locus(22));
        insta::assert_snapshot!(case.told());
    }

    #[test]
    fn passes_by_policy_or_by_name() {
        let mut case = Case::new(drifted());
        case.overwrite(&["clients/Mobile app", "roles"]);
        assert_eq!(case.told(), "");
        case.overwrite(&["clients"]);
        assert_eq!(case.guards(), ["drift roles/Clerk"]);
        for rule in [DriftRule::Keep, DriftRule::Overwrite] {
            let mut case = Case::new(drifted());
            case.policy.drift.value = rule;
            assert_eq!(case.told(), "");
        }
    }
}
