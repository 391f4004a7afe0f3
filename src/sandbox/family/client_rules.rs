//! What a client gains on create, and how a PATCH changes it (recorded traffic).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::parts::{fill, is_set, merge, overlay, text};
use crate::sandbox::call::{ApiError, Call};
use crate::sandbox::page::visible;
use crate::sandbox::state::State;

/// Metadata keys of one client (API description, POST /clients).
const METADATA_KEYS: usize = 10;
/// Characters of one metadata value (API description, POST /clients).
const METADATA_CHARACTERS: usize = 255;

/// Which answer a client is shown in; they differ in a few members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Single reads and lists.
    Read,
    /// The answer of a PATCH.
    Written,
    /// The answer of a create: the only one with the private signing key.
    Created,
}

/// Builds a new client from a create body, its credentials taken out.
pub(super) fn new_client(state: &mut State, body: Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    let app_type = body.get("app_type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let method = body.get("token_endpoint_auth_method").and_then(Value::as_str).map(str::to_owned);
    let is_third_party = body.get("is_first_party") == Some(&Value::Bool(false));
    let mut client = Map::new();
    fill(&mut client, json!({"tenant": tenant_name(state), "global": false}));
    for (member, value) in body {
        if !value.is_null() {
            client.insert(member, value);
        }
    }
    if let Some(given) = client.remove("client_metadata") {
        client.insert("client_metadata".to_owned(), metadata(None, given)?);
    }
    let is_express = app_type == "express_configuration";
    let is_api = app_type == "resource_server";
    fill(
        &mut client,
        json!({
            "is_token_endpoint_ip_header_trusted": false, "is_first_party": true, "oidc_conformant": is_express,
            "sso_disabled": false, "cross_origin_authentication": false, "custom_login_page_on": true,
            "callback_url_template": false,
        }),
    );
    let grant_types = match (app_type.as_str(), method.as_deref()) {
        ("resource_server", _) => json!([]),
        ("express_configuration", _) => json!(["authorization_code", "client_credentials"]),
        (_, Some("none")) => json!(["authorization_code", "implicit", "refresh_token"]),
        _ => json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]),
    };
    fill(&mut client, json!({"grant_types": grant_types}));
    if is_express {
        let prompt = json!({"organization_usage": "require", "organization_require_behavior": "pre_login_prompt"});
        fill(&mut client, prompt);
    }
    let expiration = if is_third_party { "expiring" } else { "non-expiring" };
    let tokens = json!({"rotation_type": "non-rotating", "expiration_type": expiration});
    fill(&mut client, json!({"refresh_token": tokens}));
    let jwt = client.entry("jwt_configuration").or_insert_with(|| json!({"lifetime_in_seconds": 36000}));
    if let Value::Object(jwt) = jwt {
        if is_api || is_express {
            fill(jwt, json!({"alg": "RS256"}));
        }
        if !jwt.contains_key("alg") {
            fill(jwt, json!({"lifetime_in_seconds": 36000}));
        }
    }
    client.insert("client_id".to_owned(), json!(state.alphanumeric(32)));
    client.insert("client_secret".to_owned(), json!(state.alphanumeric(64)));
    complete(&mut client);
    Ok(client)
}

/// Writes a PATCH over a client: a few objects are merged, metadata per key, everything else is replaced.
///
/// # Errors
/// 400 `invalid_body` for a create-only member, or metadata beyond the limits.
pub(super) fn change(client: &mut Map<String, Value>, mut body: Map<String, Value>) -> Result<(), ApiError> {
    if body.contains_key("third_party_security_mode") {
        return Err(ApiError::invalid_body(
            "third_party_security_mode cannot be changed after the client was created.",
        ));
    }
    if body.get("jwt_configuration").is_some_and(|jwt| jwt.get("secret_encoded").is_some()) {
        return Err(ApiError::invalid_body(
            "Payload validation error: 'Additional properties not allowed: secret_encoded' on property jwt_configuration.",
        ));
    }
    if is_set(&body, "client_metadata")
        && let Some(given) = body.shift_remove("client_metadata")
    {
        let merged = metadata(client.get("client_metadata"), given)?;
        client.insert("client_metadata".to_owned(), merged);
    }
    for name in ["mobile", "native_social_login", "session_transfer", "jwt_configuration"] {
        if is_set(&body, name)
            && let Some(stored) = client.get_mut(name)
            && let Some(given) = body.shift_remove(name)
        {
            merge(stored, &given);
        }
    }
    overlay(client, body);
    complete(client);
    Ok(())
}

/// Fills what the service completes inside objects after every write. The global client has fewer members.
fn complete(client: &mut Map<String, Value>) {
    if client.get("global") != Some(&Value::Bool(true)) {
        let cross_origin = client.get("cross_origin_authentication").cloned().unwrap_or(Value::Bool(false));
        client.insert("cross_origin_auth".to_owned(), cross_origin);
    }
    let is_secret_posted = client
        .get("token_endpoint_auth_method")
        .and_then(Value::as_str)
        .is_some_and(|method| method.starts_with("client_secret"));
    let lifetimes = if is_secret_posted { (31_557_600, 2_592_000) } else { (2_592_000, 1_296_000) };
    if let Some(Value::Object(tokens)) = client.get_mut("refresh_token") {
        let is_endless = tokens.get("expiration_type").and_then(Value::as_str) != Some("expiring");
        fill(
            tokens,
            json!({
                "leeway": 0, "infinite_token_lifetime": is_endless, "infinite_idle_token_lifetime": is_endless,
                "token_lifetime": lifetimes.0, "idle_token_lifetime": lifetimes.1,
            }),
        );
    }
    if let Some(Value::Object(jwt)) = client.get_mut("jwt_configuration") {
        fill(jwt, json!({"secret_encoded": false}));
    }
    if let Some(Value::Object(transfer)) = client.get_mut("session_transfer") {
        fill(
            transfer,
            json!({
                "can_create_session_transfer_token": false, "allowed_authentication_methods": [],
                "enforce_device_binding": "ip", "allow_refresh_token": false,
                "enforce_online_refresh_tokens": true, "enforce_cascade_revocation": true,
            }),
        );
    }
}

/// Merges metadata per key: null removes a key, an empty object all of them.
fn metadata(stored: Option<&Value>, given: Value) -> Result<Value, ApiError> {
    let Value::Object(given) = given else {
        return Err(ApiError::invalid_body(
            "Payload validation error: 'Expected type object' on property client_metadata.",
        ));
    };
    let mut merged = match stored {
        Some(Value::Object(stored)) if !given.is_empty() => stored.clone(),
        _ => Map::new(),
    };
    for (key, value) in given {
        match value {
            Value::Null => {
                merged.shift_remove(&key);
            }
            Value::String(text) if text.chars().count() <= METADATA_CHARACTERS => {
                merged.insert(key, Value::String(text));
            }
            _ => {
                return Err(ApiError::invalid_body(format!(
                    "client_metadata.{key} has to be a string of at most {METADATA_CHARACTERS} characters."
                )));
            }
        }
    }
    if merged.len() > METADATA_KEYS {
        return Err(ApiError::invalid_body(format!(
            "Payload validation error: 'Too many properties defined ({}), maximum {METADATA_KEYS}' on property client_metadata.",
            merged.len()
        )));
    }
    Ok(Value::Object(merged))
}

/// Refuses two ways of authentication at once.
///
/// # Errors
/// 400 `invalid_body`.
pub(super) fn check_method(client: &Map<String, Value>) -> Result<(), ApiError> {
    if is_set(client, "client_authentication_methods") && is_set(client, "token_endpoint_auth_method") {
        return Err(ApiError::invalid_body(
            "client_authentication_methods and token_endpoint_auth_method are mutually exclusive.",
        ));
    }
    Ok(())
}

/// Refuses organizations for a third-party client (API description, POST and PATCH /clients, 403).
///
/// # Errors
/// 403 without an error code.
pub(super) fn check_organizations(client: &Map<String, Value>) -> Result<(), ApiError> {
    let is_third_party = client.get("is_first_party") == Some(&Value::Bool(false));
    if is_third_party && (is_set(client, "organization_usage") || is_set(client, "organization_require_behavior")) {
        return Err(ApiError::bare(
            403,
            "Organizations are only available to first party clients on user-based flows. Properties \
             organization_usage and organization_require_behavior must be unset for third party clients.",
        ));
    }
    Ok(())
}

/// Checks what a body refers to. Only the body: what was deleted since must not block other changes.
///
/// # Errors
/// 400 `invalid_body`; 404 for the client that invitations lead to.
pub(super) fn check_references(state: &State, body: &Map<String, Value>) -> Result<(), ApiError> {
    let refers =
        |block: &str, member: &str| body.get(block).and_then(|block| block.get(member)).and_then(Value::as_str);
    if let Some(id) = refers("default_organization", "organization_id")
        && state.object("organizations", id).is_none()
    {
        return Err(ApiError::invalid_body(format!("The organization {id} does not exist.")));
    }
    if let Some(identifier) = body.get("resource_server_identifier")
        && state.find_by("resource_servers", "identifier", identifier).is_none()
    {
        return Err(ApiError::invalid_body("The resource server of resource_server_identifier does not exist."));
    }
    if let Some(id) = refers("my_organization_configuration", "invitation_landing_client_id")
        && state.object("clients", id).is_none()
    {
        return Err(ApiError::bare(404, "The Client ID for Invitations could not be found."));
    }
    Ok(())
}

/// Returns a client as this caller sees it in this sort of answer.
pub(super) fn shown(state: &State, call: &Call, client: &Value, view: View) -> Value {
    let may = |scope: &str| call.caller.scopes.iter().any(|held| held == scope);
    let mut out = visible(client);
    let Some(members) = out.as_object_mut() else {
        return out;
    };
    if view == View::Read && !may("read:clients") && !may("read:client_keys") && !may("read:client_credentials") {
        members.retain(|name, _| matches!(name.as_str(), "client_id" | "app_type" | "name" | "description"));
        return out;
    }
    if view == View::Created {
        members.insert("encrypted".to_owned(), json!(true));
    }
    if view == View::Created || may("read:client_keys") {
        members.insert("signing_keys".to_owned(), signing_keys(state, view));
    } else {
        members.shift_remove("encryption_key");
        members.shift_remove("client_secret");
    }
    if is_set(members, "client_authentication_methods") {
        members.shift_remove("client_secret");
    }
    out
}

/// The tenant's signing certificate as clients repeat it: made up, the same for all clients.
fn signing_keys(state: &State, view: View) -> Value {
    let block = |label: &str| {
        let body = STANDARD.encode(Sha256::digest(format!("{label} {} {}", state.domain, state.seed)));
        format!("-----BEGIN {label}-----\r\n{body}\r\n-----END {label}-----\r\n")
    };
    let subject = if view == View::Read { "deprecated".to_owned() } else { format!("/CN={}", state.domain) };
    let mut key = json!({"cert": block("CERTIFICATE"), "pkcs7": block("PKCS7"), "subject": subject});
    if let (View::Created, Some(members)) = (view, key.as_object_mut()) {
        members.insert("key".to_owned(), json!(block("RSA PRIVATE KEY")));
    }
    json!([key])
}

/// First label of the tenant's domain.
pub(super) fn tenant_name(state: &State) -> &str {
    state.domain.split('.').next().unwrap_or_default()
}

/// Says whether a row matches `q`: terms `client_grant.organization_id:ID` and
/// `client_grant.allow_any_organization:BOOL`, joined by AND (API description, GET /clients).
///
/// # Errors
/// 400 `invalid_query_string` for any other term.
pub(super) fn matches_query(state: &State, client: &Value, q: &str) -> Result<bool, ApiError> {
    let id = text(client, "client_id");
    let grants = || state.collection("client_grants").filter(|(_, grant)| text(grant, "client_id") == id);
    for term in q.split(" AND ").map(str::trim) {
        let matched = match term.split_once(':') {
            Some(("client_grant.organization_id", organization)) => {
                let linked = format!("organization_client_grants/{}", organization.trim_matches('"'));
                grants().any(|(grant, _)| state.object(&linked, grant).is_some())
            }
            Some(("client_grant.allow_any_organization", wanted)) => {
                grants().any(|(_, grant)| super::parts::matches_flag(Some(wanted), grant, "allow_any_organization"))
            }
            _ => {
                let message = format!("Query validation error: unsupported term '{term}' on property q.");
                return Err(ApiError::new(400, "invalid_query_string", message));
            }
        };
        if !matched {
            return Ok(false);
        }
    }
    Ok(true)
}
