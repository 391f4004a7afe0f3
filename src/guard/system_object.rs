//! `system-object`: what belongs to Auth0 is left as it is, but for the few members that may be written.

use super::{Judgement, live_of};
use crate::change::{Action, Change, Plan, Refusal};
use crate::model::Path;
use crate::problem::Problem;
use crate::schema::Registry;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let why = live_of(by.live, change).and_then(|live| live.system.as_deref());
        // The deployer's own resources have a guard of their own.
        let Some(why) = why.filter(|why| *why != "own" && !only_writable(change, why)) else { continue };
        let address = &change.address;
        refusals.push(Refusal {
            guard: "system-object",
            address: Some(address.clone()),
            problem: Problem::error(
                "system-object",
                format!("the plan would {} `{address}`, which {why}", change.action.as_str()),
            )
            .at_maybe(change.locus.as_ref())
            .help(format!("take `{address}` out of the description, or `exclude` it from this environment")),
        });
    }
}

/// Says whether a change writes nothing but what may be written there.
fn only_writable(change: &Change, why: &str) -> bool {
    let rules = Registry::get().kind(&change.address.kind).map(|spec| spec.system.as_slice()).unwrap_or_default();
    let Some(rule) = rules.iter().find(|rule| rule.why == why) else { return false };
    let below = |path: &Path| {
        let path = path.to_string();
        rule.writable.iter().any(|allowed| path.strip_prefix(allowed.as_str()).is_some_and(ends_or_goes_deeper))
    };
    change.action == Action::Update && !change.fields.is_empty() && change.fields.iter().all(|field| below(&field.path))
}

fn ends_or_goes_deeper(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{Case, change, field, live};
    use super::*;
    use crate::change::Origin;

    fn case(action: Action, kind: &str, paths: &[&str], why: &'static str) -> Case {
        let mut of = change(action, kind, "It");
        of.fields = paths.iter().map(|path| field(path, Origin::Change)).collect();
        let mut case = Case::new(Plan { changes: vec![of], ..Plan::default() });
        case.live = live(vec![(kind, "It", "id", json!({}), Some(why))]);
        case
    }

    #[test]
    fn what_belongs_to_auth0_is_not_touched() {
        let why = "stands for all applications of the tenant";
        insta::assert_snapshot!(case(Action::Update, "clients", &["name"], why).told());
        assert_eq!(case(Action::Delete, "clients", &[], why).guards(), ["system-object clients/It"]);
        let api = case(Action::Update, "resourceServers", &["token_lifetime", "name"], "is the Management API itself");
        assert_eq!(api.guards(), ["system-object resourceServers/It"]);
    }

    #[test]
    fn what_may_be_written_there_passes() {
        let api = case(Action::Update, "resourceServers", &["token_lifetime"], "is the Management API itself");
        assert_eq!(api.told(), "");
        let longer =
            case(Action::Update, "resourceServers", &["token_lifetime_for_web"], "is the Management API itself");
        assert_eq!(longer.guards().len(), 1);
        assert_eq!(case(Action::Update, "clients", &["name"], "own").told(), "");
    }
}
