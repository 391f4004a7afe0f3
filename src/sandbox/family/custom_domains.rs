//! `/custom-domains`: domains that stand in for the tenant's own.

use serde_json::{Value, json};

use super::parts::{fill_object, is_true, merge, set, text, unset};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/custom-domains", list),
    route(Post, "/custom-domains", create),
    route(Get, "/custom-domains/default", read_default),
    route(Patch, "/custom-domains/default", update_default),
    route(Get, "/custom-domains/{id}", read),
    route(Patch, "/custom-domains/{id}", update),
    route(Delete, "/custom-domains/{id}", delete),
    route(Post, "/custom-domains/{id}/verify", verify),
    route(Post, "/custom-domains/{id}/test", test),
];

const DOMAINS: &str = "custom_domains";

/// Says whether any custom domain is verified; page templates and partials need one.
pub(super) fn any_ready(state: &State) -> bool {
    state.has_feature("custom_domains")
        && state.collection(DOMAINS).any(|(_, domain)| text(domain, "status") == "ready")
}

fn missing(id: &str) -> ApiError {
    ApiError::new(404, "inexistent_custom_domain", format!("The custom domain {id} does not exist"))
}

/// The sentence that clients recognise (auth0-deploy-cli 8.43 source).
fn allowed(state: &State) -> Result<(), ApiError> {
    if state.has_feature("custom_domains") {
        return Ok(());
    }
    Err(ApiError::new(
        403,
        "operation_not_supported",
        "The account is not allowed to perform this operation, please contact our support team",
    ))
}

fn list(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let mut rows: Vec<Value> = state.collection(DOMAINS).map(|(_, domain)| page::visible(domain)).collect();
    if call.query("sort") == Some("domain:1") {
        rows.sort_by(|a, b| text(a, "domain").cmp(text(b, "domain")));
    }
    if call.query("take").is_some() || call.query("from").is_some() {
        return page::checkpoint(call, DOMAINS, rows);
    }
    Ok(Reply::ok(rows.into_iter().map(|row| page::selected(call, row)).collect()))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let domain = state.object(DOMAINS, call.param(0)).ok_or_else(|| missing(call.param(0)))?;
    Ok(Reply::ok(page::visible(domain)))
}

/// Checks the rules that depend on who keeps the certificate (API description, POST /custom-domains, 400).
fn check(sent: &Value, kind: &str, domain: &str) -> Result<(), ApiError> {
    if kind == "self_managed_certs" && sent.get("tls_policy").is_some() {
        return Err(ApiError::invalid_body("The 'tls_policy' cannot be set on self_managed domains"));
    }
    let header = sent.get("custom_client_ip_header");
    if kind == "auth0_managed_certs" && header.is_some_and(|header| !header.is_null() && header != "") {
        return Err(ApiError::invalid_body("The 'custom_client_ip_header' cannot be set on auth0_managed domains"));
    }
    let party = text(sent, "relying_party_identifier");
    if !party.is_empty() && party != domain && !domain.ends_with(&format!(".{party}")) {
        return Err(ApiError::invalid_body(
            "The 'relying_party_identifier' must be equal to or a registrable domain suffix of the domain.",
        ));
    }
    Ok(())
}

fn create(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let mut sent = Value::Object(call.fields());
    let name = text(&sent, "domain").to_owned();
    let kind = text(&sent, "type").to_owned();
    check(&sent, &kind, &name)?;
    if state.find_by(DOMAINS, "domain", &json!(name)).is_some() {
        return Err(ApiError::bare(409, "Custom domain already exists."));
    }
    let id = state.id16("cd");
    let method = if kind == "auth0_managed_certs" {
        let record = format!("{}.edge.tenants.auth0.com", edge(state, &id));
        json!({"name": "CNAME", "record": record, "domain": name})
    } else {
        let record = format!("auth0-domain-verification={}", state.alphanumeric(16));
        json!({"name": "TXT", "record": record, "domain": format!("_cf-custom-hostname.{name}")})
    };
    unset(&mut sent, "verification_method");
    let mut domain = json!({
        "custom_domain_id": id,
        "domain": name,
        "primary": state.collection(DOMAINS).next().is_none(),
        "is_default": false,
        "status": "pending_verification",
        "type": kind,
        "verification": {"methods": [method]},
    });
    if let Some(metadata) = sent.get_mut("domain_metadata").and_then(Value::as_object_mut) {
        metadata.retain(|_, value| !value.is_null());
    }
    fill_object(&mut domain, sent);
    if kind == "auth0_managed_certs" {
        unset(&mut domain, "custom_client_ip_header");
        fill_object(&mut domain, json!({"tls_policy": "recommended"}));
    } else {
        fill_object(&mut domain, json!({"custom_client_ip_header": null}));
    }
    fill_object(&mut domain, json!({"created_at": timestamp_ms(call.now_ms)}));
    state.collection_mut(DOMAINS).insert(id, domain.clone());
    Ok(Reply::created(domain))
}

/// Names the intermediate address of a domain: tenant and id.
fn edge(state: &State, id: &str) -> String {
    let tenant = state.domain.split('.').next().unwrap_or_default();
    format!("{tenant}-{}", id.to_lowercase().replace('_', "-"))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let domain = state.object_mut(DOMAINS, call.param(0)).ok_or_else(|| missing(call.param(0)))?;
    let mut changes = call.fields();
    check(&call.body, text(domain, "type"), text(domain, "domain"))?;
    // Null is a value of this member, not its removal.
    let header = changes.shift_remove("custom_client_ip_header");
    merge(domain, &Value::Object(changes));
    if let Some(header) = header.filter(|_| text(domain, "type") == "self_managed_certs") {
        set(domain, "custom_client_ip_header", header);
    }
    let mut answer = page::visible(domain);
    // Only reads name the intermediate address (API description, PATCH /custom-domains/{id}).
    unset(&mut answer, "origin_domain_name");
    Ok(Reply::ok(answer))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    if state.object(DOMAINS, call.param(0)).is_some_and(|domain| is_true(domain, "is_default")) {
        return Err(ApiError::bare(
            409,
            "Cannot delete the default custom domain. Please set another domain as default before deleting this one.",
        ));
    }
    state.remove(DOMAINS, call.param(0));
    Ok(Reply::no_content())
}

/// Verification succeeds at once: the sandbox has no DNS to wait for.
fn verify(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let origin = format!("{}.edge.tenants.auth0.com", edge(state, call.param(0)));
    let key = state.hex(64);
    let domain = state.object_mut(DOMAINS, call.param(0)).ok_or_else(|| missing(call.param(0)))?;
    if text(domain, "status") == "ready" {
        return Err(ApiError::bare(400, "Custom domain already verified."));
    }
    set(domain, "status", "ready");
    if let Some(verification) = domain.get_mut("verification") {
        set(verification, "status", "verified");
        set(verification, "last_verified_at", timestamp_ms(call.now_ms));
    }
    set(domain, "origin_domain_name", origin);
    let managed = text(domain, "type") == "auth0_managed_certs";
    if managed {
        set(domain, "certificate", json!({"status": "provisioned", "certificate_authority": "letsencrypt"}));
    }
    let mut answer = page::visible(domain);
    unset(&mut answer, "is_default");
    if !managed {
        set(&mut answer, "cname_api_key", key);
    }
    Ok(Reply::ok(answer))
}

fn test(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let domain = state.object(DOMAINS, call.param(0)).ok_or_else(|| missing(call.param(0)))?;
    if text(domain, "status") == "ready" {
        return Ok(Reply::ok(json!({"success": true})));
    }
    Ok(Reply::ok(json!({"success": false, "message": "The custom domain is not verified yet."})))
}

fn default_domain(state: &State) -> Value {
    let found = state.collection(DOMAINS).map(|(_, domain)| domain).find(|domain| is_true(domain, "is_default"));
    found.map_or_else(|| json!({"domain": state.domain}), page::visible)
}

fn read_default(state: &mut State, _call: &Call) -> Outcome {
    allowed(state)?;
    Ok(Reply::ok(default_domain(state)))
}

fn update_default(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let name = text(&call.body, "domain").to_owned();
    if name != state.domain {
        let Some((_, domain)) = state.find_by(DOMAINS, "domain", &json!(name)) else {
            return Err(ApiError::invalid_body(format!("The domain {name} does not exist.")));
        };
        if text(domain, "status") != "ready" {
            return Err(ApiError::invalid_body("The domain must be verified before it can be set as default."));
        }
    }
    for domain in state.collection_mut(DOMAINS).values_mut() {
        let chosen = text(domain, "domain") == name;
        set(domain, "is_default", chosen);
    }
    Ok(Reply::ok(default_domain(state)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    fn made(state: &mut State, name: &str, kind: &str) -> String {
        let body = answer(create(state, &call(&[], json!({"domain": name, "type": kind}))), 201);
        body["custom_domain_id"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_domain_waits_for_its_verification() {
        let mut state = tenant();
        let id = made(&mut state, "login.example.com", "auth0_managed_certs");
        let body = answer(read(&mut state, &get(&[&id])), 200);
        assert_eq!((&body["status"], &body["tls_policy"]), (&json!("pending_verification"), &json!("recommended")));
        assert_eq!(body["verification"]["methods"][0]["name"], "CNAME");
        assert!(!any_ready(&state));
        assert_eq!(answer(test(&mut state, &get(&[&id])), 200)["success"], false);
        let verified = answer(verify(&mut state, &get(&[&id])), 200);
        assert_eq!((&verified["status"], verified.get("cname_api_key")), (&json!("ready"), None));
        assert!(any_ready(&state));
        assert_eq!(refusal(verify(&mut state, &get(&[&id])), 400).message, "Custom domain already verified.");
    }

    #[test]
    fn the_key_of_a_self_managed_domain_is_shown_once() {
        let mut state = tenant();
        let id = made(&mut state, "login.example.com", "self_managed_certs");
        assert_eq!(answer(read(&mut state, &get(&[&id])), 200)["custom_client_ip_header"], Value::Null);
        assert_eq!(answer(verify(&mut state, &get(&[&id])), 200)["cname_api_key"].as_str().unwrap().len(), 64);
        assert!(answer(read(&mut state, &get(&[&id])), 200).get("cname_api_key").is_none());
    }

    #[test]
    fn names_are_unique_and_members_fit_the_type() {
        let mut state = tenant();
        made(&mut state, "a.example.com", "auth0_managed_certs");
        for (body, status) in [
            (json!({"domain": "a.example.com", "type": "auth0_managed_certs"}), 409),
            (json!({"domain": "b.example.com", "type": "self_managed_certs", "tls_policy": "recommended"}), 400),
            (
                json!({"domain": "b.example.com", "type": "auth0_managed_certs", "custom_client_ip_header": "x-forwarded-for"}),
                400,
            ),
            (
                json!({"domain": "b.example.com", "type": "auth0_managed_certs", "relying_party_identifier": "ample.com"}),
                400,
            ),
        ] {
            refusal(create(&mut state, &call(&[], body)), status);
        }
        let fits = json!({"domain": "b.example.com", "type": "auth0_managed_certs", "relying_party_identifier": "example.com"});
        answer(create(&mut state, &call(&[], fits)), 201);
    }

    #[test]
    fn metadata_is_merged_and_a_null_header_is_kept() {
        let mut state = tenant();
        let id = made(&mut state, "a.example.com", "self_managed_certs");
        let patch = |body: Value| call(&[&id], body);
        answer(update(&mut state, &patch(json!({"domain_metadata": {"a": "1", "b": "2"}}))), 200);
        let body = answer(
            update(&mut state, &patch(json!({"domain_metadata": {"a": null}, "custom_client_ip_header": null}))),
            200,
        );
        assert_eq!((&body["domain_metadata"], &body["custom_client_ip_header"]), (&json!({"b": "2"}), &Value::Null));
        refusal(update(&mut state, &patch(json!({"tls_policy": "recommended"}))), 400);
        let error = refusal(update(&mut state, &call(&["cd_x"], json!({}))), 404);
        assert_eq!(error.message, "The custom domain cd_x does not exist");
    }

    #[test]
    fn only_a_verified_domain_becomes_default_and_then_stays() {
        let mut state = tenant();
        let id = made(&mut state, "a.example.com", "auth0_managed_certs");
        let choose = |name: &str| call(&[], json!({"domain": name}));
        assert_eq!(answer(read_default(&mut state, &get(&[])), 200), json!({"domain": "travel0.eu.auth0.com"}));
        assert!(
            refusal(update_default(&mut state, &choose("a.example.com")), 400).message.contains("must be verified")
        );
        refusal(update_default(&mut state, &choose("nowhere.example.com")), 400);
        answer(verify(&mut state, &get(&[&id])), 200);
        assert_eq!(answer(update_default(&mut state, &choose("a.example.com")), 200)["custom_domain_id"], id.as_str());
        refusal(delete(&mut state, &get(&[&id])), 409);
        assert_eq!(
            answer(update_default(&mut state, &choose("travel0.eu.auth0.com")), 200),
            json!({"domain": "travel0.eu.auth0.com"})
        );
        answer(delete(&mut state, &get(&[&id])), 204);
        answer(delete(&mut state, &get(&[&id])), 204);
    }

    #[test]
    fn lists_are_bare_unless_taken_in_steps() {
        let mut state = tenant();
        made(&mut state, "b.example.com", "auth0_managed_certs");
        made(&mut state, "a.example.com", "auth0_managed_certs");
        assert_eq!(answer(list(&mut state, &get(&[])), 200)[0]["domain"], "b.example.com");
        let sorted = answer(list(&mut state, &query(&[], &[("take", "1"), ("sort", "domain:1")])), 200);
        assert_eq!(sorted["custom_domains"][0]["domain"], "a.example.com");
        assert!(sorted["next"].is_string());
    }

    #[test]
    fn a_plan_without_custom_domains_refuses_everything() {
        let mut state = tenant();
        made(&mut state, "a.example.com", "auth0_managed_certs");
        state.documents.insert("$features".to_owned(), json!({"custom_domains": false}));
        for handler in [list, read, create, update, delete, verify, test, read_default, update_default] {
            assert!(refusal(handler(&mut state, &get(&["x"])), 403).message.starts_with("The account is not allowed"));
        }
        assert!(!any_ready(&state));
    }
}
