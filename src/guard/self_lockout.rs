//! `self-lockout`: the plan would take from Tenantry what it stands on. No policy and no approval lets it.

use super::{Judgement, live_of};
use crate::change::{Action, Change, Plan, Refusal};
use crate::model::{Address, LiveResource};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let own =
            live_of(by.live, change).and_then(|live| Some((change.address.clone(), stands_on(live, change, by)?)));
        let along = change.cascades.iter().filter_map(|address| {
            let live = by.live.resources(&address.kind).iter().find(|live| live.address == *address)?;
            Some((address.clone(), stands_on_when_deleted(live, by)?))
        });
        for (address, what) in own.into_iter().chain(along) {
            refusals.push(refusal(change, address, what));
        }
    }
}

fn refusal(change: &Change, address: Address, what: &'static str) -> Refusal {
    let title = if address == change.address {
        format!("the plan would {} `{address}`, {what}", change.action.as_str())
    } else {
        format!("with `{}` goes `{address}`, {what}", change.address)
    };
    Refusal {
        guard: "self-lockout",
        address: Some(change.address.clone()),
        problem: Problem::error("self-lockout", title)
            .at_maybe(change.locus.as_ref())
            .note("after that, nothing could be deployed or taken back; no approval lets this pass")
            .help(format!(
                "leave it as it is, `exclude` `{address}` from this environment, or change it in the dashboard"
            )),
    }
}

/// What a live resource is to Tenantry, where a change takes it away.
fn stands_on(live: &LiveResource, change: &Change, by: Judgement<'_>) -> Option<&'static str> {
    match change.action {
        Action::Delete | Action::Replace => stands_on_when_deleted(live, by),
        Action::Create => None,
        // What may be written on Auth0's own API, such as the lifetime of its tokens, locks nobody out.
        Action::Update if is_management_api(live) => {
            change.fields.iter().any(|field| field.path.first_key() == Some("scopes")).then_some(MANAGEMENT_API)
        }
        Action::Update => stands_on_when_deleted(live, by),
    }
}

const MANAGEMENT_API: &str = "the Management API itself";

fn stands_on_when_deleted(live: &LiveResource, by: Judgement<'_>) -> Option<&'static str> {
    let client = |member: &str| live.raw.get(member).and_then(serde_json::Value::as_str);
    let is_ours = by.own_client.is_some() && client("client_id") == by.own_client;
    match live.address.kind.as_str() {
        "clients" if is_ours => Some("the client that Tenantry itself uses, with its credentials"),
        "clientGrants" if is_ours && client("audience").is_some_and(is_audience) => {
            Some("the grant by which Tenantry itself gets its token and scopes")
        }
        _ if is_management_api(live) => Some(MANAGEMENT_API),
        _ => None,
    }
}

fn is_management_api(live: &LiveResource) -> bool {
    let identifier = live.raw.get("identifier").and_then(serde_json::Value::as_str);
    live.address.kind == "resourceServers" && identifier.is_some_and(is_audience)
}

/// The Management API's identifier: `https://TENANT/api/v2/`.
fn is_audience(text: &str) -> bool {
    let tenant = text.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/api/v2/"));
    tenant.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{Case, change, field, live};
    use super::*;
    use crate::change::Origin;
    use crate::model::Live;

    const API: &str = "https://travel0.eu.auth0.com/api/v2/";

    fn tenant() -> Live {
        live(vec![
            ("clients", "Deployer", "own", json!({"client_id": "own"}), None),
            ("clients", "Shop", "shop", json!({"client_id": "shop"}), None),
            ("clientGrants", "Deployer api", "g1", json!({"client_id": "own", "audience": API}), None),
            ("clientGrants", "Deployer orders", "g2", json!({"client_id": "own", "audience": "https://orders"}), None),
            ("clientGrants", "Shop api", "g3", json!({"client_id": "shop", "audience": API}), None),
            ("resourceServers", "Management", "rs", json!({"identifier": API}), None),
        ])
    }

    fn of(action: Action, kind: &str, name: &str, id: &str) -> Change {
        Change { id: Some(id.to_owned()), fields: vec![field("name", Origin::Change)], ..change(action, kind, name) }
    }

    fn case(changes: Vec<Change>) -> Case {
        let mut case = Case::new(Plan { changes, ..Plan::default() });
        case.live = tenant();
        case.own_client = Some("own");
        case
    }

    #[test]
    fn what_tenantry_stands_on_is_not_touched() {
        let mut scopes = of(Action::Update, "resourceServers", "Management", "rs");
        scopes.fields = vec![field("scopes", Origin::Change)];
        // Under another name it is still the same client.
        let renamed = of(Action::Update, "clients", "Renamed", "own");
        let mut along = of(Action::Delete, "clients", "Shop", "shop");
        along.cascades = vec![Address::new("clientGrants", "Deployer api"), Address::new("clientGrants", "Shop api")];
        let told = case(vec![renamed, of(Action::Delete, "clientGrants", "Deployer api", "g1"), scopes, along]).told();
        insta::assert_snapshot!(told);
    }

    #[test]
    fn everything_else_passes() {
        let case = case(vec![
            of(Action::Delete, "clients", "Shop", "shop"),
            of(Action::Update, "clientGrants", "Deployer orders", "g2"),
            of(Action::Delete, "clientGrants", "Shop api", "g3"),
            of(Action::Update, "resourceServers", "Management", "rs"),
            change(Action::Create, "clients", "New"),
        ]);
        assert_eq!(case.told(), "");
    }

    #[test]
    fn a_token_that_does_not_name_its_client_still_keeps_the_api() {
        let mut case = case(vec![
            of(Action::Update, "clients", "Deployer", "own"),
            of(Action::Delete, "resourceServers", "Management", "rs"),
        ]);
        case.own_client = None;
        assert_eq!(case.guards(), ["self-lockout resourceServers/Management"]);
    }
}
