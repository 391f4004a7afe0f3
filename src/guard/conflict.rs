//! `conflict`: the files and the tenant both changed, to different values. Whose counts is for people to say.

use std::collections::BTreeMap;

use super::{Judgement, argument, listed};
use crate::change::{Action, Change, Origin, Plan, Refusal};
use crate::model::Path;
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    if by.compatible {
        return;
    }
    for change in plan.changes.iter().filter(|change| !by.overwrites(&change.address)) {
        let fields: Vec<String> =
            change.fields.iter().filter(|f| f.origin == Origin::Conflict).map(|f| f.path.to_string()).collect();
        if change.origin != Origin::Conflict && fields.is_empty() {
            continue;
        }
        let address = &change.address;
        let named = argument(&address.to_string());
        if by.reverting {
            refusals.push(Refusal {
                guard: "conflict",
                address: Some(address.clone()),
                problem: reverting(plan, change, by),
            });
            continue;
        }
        let mut problem = Problem::error("conflict", title(change));
        if change.origin == Origin::Conflict {
            problem = change.reasons.iter().fold(problem, |problem, reason| problem.note(reason.clone()));
        } else {
            problem = problem.note(format!("changed on both sides: {}", listed(&fields)));
        }
        let problem = problem.at_maybe(place(change));
        let problem = match (change.origin, change.action) {
            (Origin::Conflict, Action::Delete) => problem
                .help(format!("keep it: describe `{address}` again"))
                .help(format!("delete it all the same: add `--overwrite {named}`")),
            (Origin::Conflict, Action::Create) => problem
                .help(format!("leave it deleted: `tenantry adopt {named}` takes it out of the description"))
                .help(format!("make it anew: add `--overwrite {named}`")),
            (Origin::Conflict, _) => problem.help(format!("take the new one over: add `--overwrite {named}`")),
            _ => problem
                .help(format!("let theirs win: `tenantry adopt {named}`"))
                .help(format!("let the files win: add `--overwrite {named}`")),
        };
        refusals.push(Refusal { guard: "conflict", address: Some(address.clone()), problem });
    }
}

/// Says who stands against a revert: a later deployment of ours, or somebody else.
fn reverting(plan: &Plan, change: &Change, by: Judgement<'_>) -> Problem {
    let address = &change.address;
    let (mut ours, mut theirs): (BTreeMap<&str, Vec<String>>, Vec<String>) = (BTreeMap::new(), Vec::new());
    let fields = change.fields.iter().filter(|f| f.origin == Origin::Conflict && change.action == Action::Update);
    let whole = (change.origin == Origin::Conflict).then(Path::root);
    for path in fields.map(|field| field.path.clone()).chain(whole) {
        let shown = path.to_string();
        match plan.facts.later.get(&(address.clone(), path)) {
            Some(id) => ours.entry(id).or_default().push(shown),
            None => theirs.push(shown),
        }
    }
    let of = |paths: &[String]| {
        let paths: Vec<String> = paths.iter().filter(|path| !path.is_empty()).cloned().collect();
        if paths.is_empty() { String::new() } else { format!(": {}", listed(&paths)) }
    };
    let mut problem = Problem::error("conflict", format!("`{address}` was changed since what the revert takes back"));
    for (id, paths) in &ours {
        let actor = by.history.find(id).map(|deployment| format!(" ({})", deployment.actor)).unwrap_or_default();
        problem = problem.note(format!("by deployment {}{actor}{}", by.history_name(id), of(paths)));
    }
    if !theirs.is_empty() {
        problem = problem.note(format!("outside{}", of(&theirs)));
    }
    let named = argument(&address.to_string());
    problem = problem.help(format!("put back what was before it all the same: add `--overwrite {named}`"));
    if let Some((newest, _)) = ours.last_key_value() {
        let newest = by.history_name(newest);
        problem = problem.help(format!("take the later deployment back first: `tenantry revert {newest}`"));
        problem = problem.help("or go back to the files of then: `tenantry revert --to COMMIT`");
    }
    problem
}

fn title(change: &Change) -> String {
    let address = &change.address;
    match (change.origin, change.action) {
        (Origin::Conflict, Action::Delete) => {
            format!("`{address}` is to be deleted, and was changed outside since the last deployment")
        }
        (Origin::Conflict, Action::Create) => {
            format!("`{address}` was deleted outside, and its description changed since the last deployment")
        }
        (Origin::Conflict, _) => format!("`{address}` is not the resource that the last deployment left"),
        _ => format!("`{address}` was changed both in the files and outside, to different values"),
    }
}

/// Where our side of it stands.
fn place(change: &Change) -> Option<&crate::model::Locus> {
    let field = change.fields.iter().find(|f| f.origin == Origin::Conflict && f.locus.is_some());
    field.and_then(|f| f.locus.as_ref()).or(change.locus.as_ref())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change, field, locus};
    use super::*;

    fn conflicting() -> Plan {
        let mut shop = change(Action::Update, "clients", "Shop");
        shop.fields = vec![field("callbacks", Origin::Conflict), field("name", Origin::Change)];
        shop.fields[0].locus = Some(locus(14));
        let mut anew = change(Action::Update, "clients", "Mobile");
        anew.origin = Origin::Conflict;
        anew.reasons = vec!["recreated outside: its id was `abc` and is `def`".to_owned()];
        let mut gone = change(Action::Delete, "roles", "Clerk");
        gone.origin = Origin::Conflict;
        let mut lost = change(Action::Create, "roles", "Admin");
        lost.origin = Origin::Conflict;
        Plan { changes: vec![shop, anew, gone, lost], ..Plan::default() }
    }

    #[test]
    fn is_refused_whatever_the_policy_says() {
        let mut case = Case::new(conflicting());
        case.policy.drift.value = crate::project::DriftRule::Overwrite;
        insta::assert_snapshot!(case.told());
    }

    #[test]
    fn passes_by_name_and_as_auth0_deploy_cli_would() {
        let mut case = Case::new(conflicting());
        case.overwrite(&["clients/*", "roles/Clerk"]);
        assert_eq!(case.guards(), ["conflict roles/Admin"]);
        let mut case = Case::new(conflicting());
        case.compatible = true;
        assert_eq!(case.told(), "");
    }
}
