//! Resource servers (APIs), addressed by id or by identifier.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use x509_parser::pem::parse_x509_pem;

use super::client_grants;
use super::parts::{children, conflict, fill, overlay, remove_where, rows, store, text};
use super::permissions::HOLDERS;
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::page::{OffsetOrder, offset, visible};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on resource servers.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/resource-servers", list),
    route(Method::Post, "/resource-servers", create),
    route(Method::Get, "/resource-servers/{id}", read),
    route(Method::Patch, "/resource-servers/{id}", update),
    route(Method::Delete, "/resource-servers/{id}", delete),
];

const SERVERS: &str = "resource_servers";

/// Scopes of one API (published entity limits).
const MOST_SCOPES: usize = 1000;

/// Scopes of the Management API, one per line (recorded traffic, API description).
const MANAGEMENT_SCOPES: &str = include_str!("management_scopes.txt");

/// Members of a system API that may change (auth0-deploy-cli 8.43 source).
const SYSTEM_MEMBERS: [&str; 5] = [
    "token_lifetime",
    "proof_of_possession",
    "skip_consent_for_verifiable_first_party_clients",
    "subject_type_authorization",
    "authorization_policy",
];

/// Adds the Management API of the tenant, a system API.
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    let id = state.hex(24);
    let scopes: Vec<Value> =
        MANAGEMENT_SCOPES.lines().map(|scope| json!({"description": description(scope), "value": scope})).collect();
    let api = json!({
        "id": id, "name": "Auth0 Management API", "identifier": management_identifier(state),
        "allow_offline_access": false, "skip_consent_for_verifiable_first_party_clients": false,
        "subject_type_authorization": {
            "client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"},
        },
        "token_lifetime": 86400, "token_lifetime_for_web": 7200, "signing_alg": "RS256", "scopes": scopes,
        "is_system": true,
    });
    store(state, SERVERS, &id, api);
}

/// Identifier of the tenant's Management API.
pub(super) fn management_identifier(state: &State) -> String {
    format!("https://{}/api/v2/", state.domain)
}

/// Describes a scope by its own words: `read:client_grants` is `Read Client Grants`.
fn description(scope: &str) -> String {
    let words = scope.split([':', '_']).filter(|word| !word.is_empty());
    let capitalised = words.map(|word| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
    });
    capitalised.collect::<Vec<_>>().join(" ")
}

/// Finds an API by its identifier.
pub(super) fn by_identifier<'a>(state: &'a State, identifier: &str) -> Option<&'a Value> {
    state.collection(SERVERS).map(|(_, api)| api).find(|api| text(api, "identifier") == identifier)
}

/// Returns the description of a scope that an API defines, or `None` where it does not define it.
pub(super) fn scope_of<'a>(api: &'a Value, scope: &str) -> Option<&'a str> {
    let scopes = api.get("scopes")?.as_array()?;
    scopes.iter().find(|defined| text(defined, "value") == scope).map(|defined| text(defined, "description"))
}

fn missing() -> ApiError {
    ApiError::new(404, "inexistent_resource_server", "The resource server does not exist")
}

fn find(state: &State, key: &str) -> Option<Value> {
    state.object(SERVERS, key).or_else(|| by_identifier(state, key)).cloned()
}

/// Adds the client that is linked to an API, which only answers show.
fn shown(state: &State, api: &Value) -> Value {
    let mut out = visible(api);
    let identifier = text(api, "identifier");
    let linked =
        state.collection("clients").find(|(_, client)| text(client, "resource_server_identifier") == identifier);
    if let (Some((client_id, _)), Some(members)) = (linked, out.as_object_mut()) {
        members.insert("client_id".to_owned(), json!(client_id));
    }
    out
}

fn list(state: &mut State, call: &Call) -> Outcome {
    let wanted: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "identifiers").flat_map(|(_, value)| value.split(',')).collect();
    let found = rows(state, SERVERS)
        .iter()
        .filter(|api| wanted.is_empty() || wanted.contains(&text(api, "identifier")))
        .map(|api| shown(state, api))
        .collect();
    offset(call, "resource_servers", found, OffsetOrder::TotalsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let api = find(state, call.param(0)).ok_or_else(missing)?;
    Ok(Reply::ok(shown(state, &api)))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    let body = call.fields();
    let identifier = body.get("identifier").and_then(Value::as_str).unwrap_or_default().to_owned();
    if by_identifier(state, &identifier).is_some() {
        return Err(conflict("resource_server_conflict", "A resource server with the same identifier already exists."));
    }
    let domain = &state.domain;
    if [format!("https://{domain}/userinfo"), format!("https://{domain}/api/v2")].contains(&identifier) {
        return Err(ApiError::invalid_body("The selected identifier is reserved."));
    }
    let mut api = Map::new();
    let id = state.hex(24);
    api.insert("id".to_owned(), json!(id));
    overlay(&mut api, body);
    fill(
        &mut api,
        json!({
            "allow_offline_access": false, "skip_consent_for_verifiable_first_party_clients": false,
            "signing_alg": "RS256", "token_lifetime": 86400, "token_lifetime_for_web": 7200,
        }),
    );
    complete(state, &mut api)?;
    let api = Value::Object(api);
    store(state, SERVERS, &id, api.clone());
    Ok(Reply::created(shown(state, &api)))
}

/// Checks and completes an API after a write.
fn complete(state: &mut State, api: &mut Map<String, Value>) -> Result<(), ApiError> {
    if let Some(scopes) = api.get("scopes").and_then(Value::as_array) {
        if scopes.len() > MOST_SCOPES {
            return Err(ApiError::invalid_body(format!("A resource server has at most {MOST_SCOPES} scopes.")));
        }
        let mut values: Vec<&str> = scopes.iter().map(|scope| text(scope, "value")).collect();
        values.sort_unstable();
        if values.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(ApiError::invalid_body("The scopes of a resource server cannot repeat a value."));
        }
    }
    let key = api.get_mut("token_encryption").and_then(|block| block.get_mut("encryption_key"));
    if let Some(Value::Object(key)) = key
        && let Some(pem) = key.shift_remove("pem")
    {
        let (_, block) = parse_x509_pem(pem.as_str().unwrap_or_default().as_bytes())
            .map_err(|_| ApiError::invalid_body("The pem of token_encryption is not a valid public key."))?;
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&block.contents));
        key.insert("thumbprint_sha256".to_owned(), json!(digest));
        key.insert("$pem".to_owned(), pem);
    }
    let access = api.entry("subject_type_authorization").or_insert_with(|| json!({}));
    if let Value::Object(access) = access {
        fill(access, json!({"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}}));
    }
    if api.get("signing_alg").and_then(Value::as_str) == Some("HS256") {
        fill(api, json!({"signing_secret": state.alphanumeric(32)}));
    } else {
        api.shift_remove("signing_secret");
    }
    Ok(())
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let Some(Value::Object(mut api)) = find(state, call.param(0)) else {
        return Err(missing());
    };
    let body = call.fields();
    if api.get("is_system") == Some(&Value::Bool(true)) {
        check_system(state, &api, &body)?;
    }
    overlay(&mut api, body);
    complete(state, &mut api)?;
    let api = Value::Object(api);
    let identifier = text(&api, "identifier").to_owned();
    for collection in HOLDERS.iter().flat_map(|prefix| children(state, prefix)).collect::<Vec<_>>() {
        remove_where(state, &collection, |permission| {
            text(permission, "resource_server_identifier") == identifier
                && scope_of(&api, text(permission, "permission_name")).is_none()
        });
    }
    let id = text(&api, "id").to_owned();
    store(state, SERVERS, &id, api.clone());
    Ok(Reply::ok(shown(state, &api)))
}

fn check_system(state: &State, api: &Map<String, Value>, body: &Map<String, Value>) -> Result<(), ApiError> {
    let is_management = api.get("identifier").and_then(Value::as_str) == Some(management_identifier(state).as_str());
    let client_policy = |object: &Map<String, Value>| {
        object.get("subject_type_authorization").and_then(|access| access.get("client")).cloned()
    };
    let changes_client_policy =
        is_management && client_policy(body).is_some_and(|policy| Some(policy) != client_policy(api));
    if changes_client_policy || body.keys().any(|member| !SYSTEM_MEMBERS.contains(&member.as_str())) {
        return Err(ApiError::new(400, "operation_not_supported", "System resource servers cannot be patched."));
    }
    Ok(())
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let Some(api) = find(state, call.param(0)) else {
        return Ok(Reply::no_content());
    };
    if api.get("is_system") == Some(&Value::Bool(true)) {
        return Err(ApiError::new(400, "operation_not_supported", "System resource servers cannot be deleted."));
    }
    let identifier = text(&api, "identifier");
    client_grants::remove(state, |grant| text(grant, "audience") == identifier);
    for collection in HOLDERS.iter().flat_map(|prefix| children(state, prefix)).collect::<Vec<_>>() {
        remove_where(state, &collection, |permission| text(permission, "resource_server_identifier") == identifier);
    }
    state.remove(SERVERS, text(&api, "id"));
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{create, delete, get, members, patch, post, refused, tenant};
    use super::*;

    const ORDERS: &str = "https://orders.acme.com";

    fn orders(state: &mut State) -> Value {
        let scopes = json!([{"value": "read:orders", "description": "Read"}, {"value": "write:orders"}]);
        create(state, "/resource-servers", json!({"name": "Orders", "identifier": ORDERS, "scopes": scopes}))
    }

    #[test]
    fn a_create_adds_the_recorded_defaults() {
        let mut state = tenant();
        let made = create(&mut state, "/resource-servers", json!({"identifier": ORDERS}));
        assert_eq!(text(&made, "id").len(), 24);
        assert_eq!(
            members(&made),
            [
                "allow_offline_access",
                "id",
                "identifier",
                "signing_alg",
                "skip_consent_for_verifiable_first_party_clients",
                "subject_type_authorization",
                "token_lifetime",
                "token_lifetime_for_web",
            ]
        );
        let access = json!({"user": {"policy": "allow_all"}, "client": {"policy": "require_client_grant"}});
        assert_eq!(made["subject_type_authorization"], access);
        assert_eq!((&made["signing_alg"], &made["token_lifetime"]), (&json!("RS256"), &json!(86400)));
    }

    #[test]
    fn identifiers_are_unique_and_some_reserved() {
        let mut state = tenant();
        orders(&mut state);
        assert_eq!(refused(&mut state, Method::Post, "/resource-servers", json!({"identifier": ORDERS})).status, 409);
        let system = json!({"identifier": "https://acme.eu.auth0.com/api/v2/"});
        assert_eq!(refused(&mut state, Method::Post, "/resource-servers", system).status, 409);
        let reserved = json!({"identifier": "https://acme.eu.auth0.com/userinfo"});
        assert_eq!(refused(&mut state, Method::Post, "/resource-servers", reserved).status, 400);
    }

    #[test]
    fn id_and_identifier_address_the_same_api() {
        let mut state = tenant();
        let made = orders(&mut state);
        let by_id = get(&mut state, &format!("/resource-servers/{}", text(&made, "id")));
        let at = format!("/resource-servers/{}", ORDERS.replace('/', "%2F"));
        assert_eq!(by_id, get(&mut state, &at));
        let found = get(&mut state, &format!("/resource-servers?identifiers={ORDERS}"));
        assert_eq!(found, json!([made]));
        assert_eq!(patch(&mut state, &at, json!({"token_lifetime": 60}))["token_lifetime"], 60);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        let error = refused(&mut state, Method::Get, &at, Value::Null);
        assert_eq!(error.code.as_deref(), Some("inexistent_resource_server"));
    }

    #[test]
    fn a_patch_replaces_lists_and_null_removes() {
        let mut state = tenant();
        let made = orders(&mut state);
        let at = format!("/resource-servers/{}", text(&made, "id"));
        let proof = json!({"mechanism": "mtls", "required": true});
        patch(&mut state, &at, json!({"proof_of_possession": proof, "signing_alg": "HS256"}));
        let changed = patch(&mut state, &at, json!({"scopes": [{"value": "a"}], "proof_of_possession": null}));
        assert_eq!(changed["scopes"], json!([{"value": "a"}]));
        assert!(changed.get("proof_of_possession").is_none());
        assert_eq!(text(&changed, "signing_secret").len(), 32);
        let twice = json!({"scopes": [{"value": "a"}, {"value": "a"}]});
        assert_eq!(refused(&mut state, Method::Patch, &at, twice).status, 400);
        assert_eq!(refused(&mut state, Method::Patch, "/resource-servers/x", json!({})).status, 404);
    }

    #[test]
    fn an_encryption_key_is_shown_by_its_thumbprint() {
        let mut state = tenant();
        let key =
            |pem: &str| json!({"format": "compact-nested-jwe", "encryption_key": {"alg": "RSA-OAEP-256", "pem": pem}});
        let pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        let body = json!({"identifier": ORDERS, "token_encryption": key(pem)});
        let made = create(&mut state, "/resource-servers", body);
        assert_eq!(members(&made["token_encryption"]["encryption_key"]), ["alg", "thumbprint_sha256"]);
        let at = format!("/resource-servers/{}", text(&made, "id"));
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"token_encryption": key("x")})).status, 400);
    }

    #[test]
    fn the_management_api_holds_every_scope_and_changes_little() {
        let mut state = tenant();
        let at = "/resource-servers/https:%2F%2Facme.eu.auth0.com%2Fapi%2Fv2%2F";
        let api = get(&mut state, at);
        assert!(api["scopes"].as_array().unwrap().len() >= 273);
        assert_eq!(scope_of(&api, "read:client_grants"), Some("Read Client Grants"));
        assert_eq!(refused(&mut state, Method::Delete, at, Value::Null).status, 400);
        for body in [
            json!({"name": "Mine"}),
            json!({"scopes": []}),
            json!({"subject_type_authorization": {"client": {"policy": "deny_all"}}}),
        ] {
            assert_eq!(refused(&mut state, Method::Patch, at, body.clone()).status, 400, "{body}");
        }
        let user = json!({"subject_type_authorization": {"user": {"policy": "deny_all"}}, "token_lifetime": 7200});
        let changed = patch(&mut state, at, user);
        assert_eq!(changed["subject_type_authorization"]["user"]["policy"], "deny_all");
        assert_eq!(changed["subject_type_authorization"]["client"]["policy"], "require_client_grant");
    }

    #[test]
    fn a_delete_takes_grants_and_permissions_along() {
        let mut state = tenant();
        let made = orders(&mut state);
        let client = create(&mut state, "/clients", json!({"name": "Shop"}));
        let grant = json!({"client_id": client["client_id"], "audience": ORDERS, "scope": ["read:orders"]});
        post(&mut state, "/client-grants", grant);
        let role = create(&mut state, "/roles", json!({"name": "Clerk"}));
        let permissions = format!("/roles/{}/permissions", text(&role, "id"));
        let both = json!({"permissions": [
            {"resource_server_identifier": ORDERS, "permission_name": "read:orders"},
            {"resource_server_identifier": ORDERS, "permission_name": "write:orders"},
        ]});
        post(&mut state, &permissions, both);
        let at = format!("/resource-servers/{}", text(&made, "id"));
        patch(&mut state, &at, json!({"scopes": [{"value": "read:orders"}]}));
        assert_eq!(get(&mut state, &permissions).as_array().unwrap().len(), 1);
        delete(&mut state, &at, Value::Null);
        assert_eq!(get(&mut state, &permissions), json!([]));
        assert_eq!(get(&mut state, "/client-grants"), json!([]));
    }

    #[test]
    fn a_linked_client_shows() {
        let mut state = tenant();
        orders(&mut state);
        let body = json!({"name": "Gateway", "app_type": "resource_server", "resource_server_identifier": ORDERS});
        let client = create(&mut state, "/clients", body);
        let found = get(&mut state, &format!("/resource-servers?identifiers={ORDERS}"));
        assert_eq!(found[0]["client_id"], client["client_id"]);
        let dangling = json!({"name": "G", "app_type": "resource_server", "resource_server_identifier": "urn:x"});
        assert_eq!(refused(&mut state, Method::Post, "/clients", dangling).status, 400);
    }
}
