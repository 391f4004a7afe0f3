//! Discovery domains of an organization.

use serde_json::{Map, Value, json};

use super::organizations::find;
use super::parts::{conflict, overlay, rows, store, text};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{checkpoint, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on discovery domains.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/organizations/{id}/discovery-domains", list),
    route(Method::Post, "/organizations/{id}/discovery-domains", create),
    route(Method::Get, "/organizations/{id}/discovery-domains/name/{discovery_domain}", read_by_name),
    route(Method::Get, "/organizations/{id}/discovery-domains/{discovery_domain_id}", read),
    route(Method::Patch, "/organizations/{id}/discovery-domains/{discovery_domain_id}", update),
    route(Method::Delete, "/organizations/{id}/discovery-domains/{discovery_domain_id}", delete),
];

/// Discovery domains of one organization (published entity limits).
const LIMIT: usize = 100;

fn domains_of(id: &str) -> String {
    format!("organization_domains/{id}")
}

fn missing() -> ApiError {
    ApiError::bare(404, "No organization domain found by that id")
}

fn list(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    checkpoint(call, "domains", rows(state, &domains_of(call.param(0))))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let organization = call.param(0);
    find(state, organization)?;
    let held = domains_of(organization);
    let name = text(&call.body, "domain").to_owned();
    if state.find_by(&held, "domain", &json!(name)).is_some() {
        let message = "An organization discovery domain with this domain is already registered to this organization.";
        return Err(conflict("organization_discovery_domain_conflict", message));
    }
    if state.collection(&held).count() >= LIMIT {
        let message =
            format!("Quota exceeded; cannot add more than {LIMIT} discovery domains to a single organization");
        return Err(conflict("quota_exceeded", &message));
    }
    let id = state.id22("ord");
    let mut domain = Map::new();
    domain.insert("id".to_owned(), json!(id));
    domain.insert("status".to_owned(), json!("pending"));
    domain.insert("use_for_organization_discovery".to_owned(), json!(true));
    overlay(&mut domain, call.fields());
    domain.insert("verification_txt".to_owned(), json!(state.hex(32)));
    let host = format!("_ss-verification.{organization}.{name}");
    domain.insert("verification_host".to_owned(), json!(host));
    let domain = Value::Object(domain);
    store(state, &held, &id, domain.clone());
    Ok(Reply::created(domain))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let domain = state.object(&domains_of(call.param(0)), call.param(1)).ok_or_else(missing)?;
    Ok(Reply::ok(visible(domain)))
}

fn read_by_name(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let found = state.find_by(&domains_of(call.param(0)), "domain", &json!(call.param(1)));
    let (_, domain) = found.ok_or_else(|| ApiError::bare(404, "Organization discovery domain not found."))?;
    Ok(Reply::ok(visible(domain)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    let held = domains_of(call.param(0));
    let domain = state.object_mut(&held, call.param(1)).and_then(Value::as_object_mut).ok_or_else(missing)?;
    overlay(domain, call.fields());
    Ok(Reply::ok(visible(&Value::Object(domain.clone()))))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    find(state, call.param(0))?;
    state.remove(&domains_of(call.param(0)), call.param(1));
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{create, delete, get, patch, refused, tenant};
    use super::*;

    fn acme(state: &mut State) -> (String, String) {
        let made = create(state, "/organizations", json!({"name": "acme"}));
        (text(&made, "id").to_owned(), format!("/organizations/{}/discovery-domains", text(&made, "id")))
    }

    #[test]
    fn a_domain_starts_pending_with_what_proves_it() {
        let mut state = tenant();
        let (id, at) = acme(&mut state);
        let made = create(&mut state, &at, json!({"domain": "acme.com"}));
        assert_eq!((&made["status"], &made["use_for_organization_discovery"]), (&json!("pending"), &json!(true)));
        assert_eq!(text(&made, "verification_host"), format!("_ss-verification.{id}.acme.com"));
        assert_eq!((text(&made, "id").len(), text(&made, "verification_txt").len()), (26, 32));
        assert_eq!(get(&mut state, &format!("{at}?take=50")), json!({"domains": [made]}));
        assert_eq!(get(&mut state, &format!("{at}/name/acme.com")), made);
    }

    #[test]
    fn a_domain_is_changed_and_removed() {
        let mut state = tenant();
        let (_, list) = acme(&mut state);
        let made = create(&mut state, &list, json!({"domain": "acme.com", "status": "verified"}));
        let at = format!("{list}/{}", text(&made, "id"));
        let changed = patch(&mut state, &at, json!({"use_for_organization_discovery": false}));
        assert_eq!(
            (&changed["status"], &changed["use_for_organization_discovery"]),
            (&json!("verified"), &json!(false))
        );
        assert_eq!(get(&mut state, &at), changed);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(
            refused(&mut state, Method::Get, &at, Value::Null).message,
            "No organization domain found by that id"
        );
        let name = format!("{list}/name/acme.com");
        assert_eq!(refused(&mut state, Method::Get, &name, Value::Null).status, 404);
    }

    #[test]
    fn a_domain_stands_once_in_an_organization() {
        let mut state = tenant();
        let (_, at) = acme(&mut state);
        create(&mut state, &at, json!({"domain": "acme.com"}));
        assert_eq!(refused(&mut state, Method::Post, &at, json!({"domain": "acme.com"})).status, 409);
        let nowhere = "/organizations/org_x/discovery-domains";
        assert_eq!(refused(&mut state, Method::Post, nowhere, json!({"domain": "acme.com"})).status, 404);
    }
}
