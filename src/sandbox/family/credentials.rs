//! Credentials of a client: public keys and certificates, of which only the digest is ever shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::clients;
use super::parts::{fill, overlay, rows, store, text};
use crate::sandbox::call::{ApiError, Call, Method, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page::visible;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations on a client's credentials.
pub(super) const ROUTES: &[Route] = &[
    route(Method::Get, "/clients/{client_id}/credentials", list),
    route(Method::Post, "/clients/{client_id}/credentials", create),
    route(Method::Get, "/clients/{client_id}/credentials/{credential_id}", read),
    route(Method::Patch, "/clients/{client_id}/credentials/{credential_id}", update),
    route(Method::Delete, "/clients/{client_id}/credentials/{credential_id}", delete),
];

/// A client holds two credentials at most: one in use and the one that takes over.
const LIMIT: usize = 2;

/// Names the collection of one client's credentials.
pub(super) fn collection(client_id: &str) -> String {
    format!("client_credentials/{client_id}")
}

/// Registers a credential and returns it as it is stored; the PEM stays in the private member `$pem`.
///
/// # Errors
/// 400 `invalid_body` for a third credential, or a PEM that is no RSA public key or certificate.
pub(super) fn register(
    state: &mut State,
    client_id: &str,
    given: &Map<String, Value>,
    now_ms: i64,
) -> Result<Value, ApiError> {
    let held = collection(client_id);
    if state.collection(&held).count() >= LIMIT {
        return Err(ApiError::invalid_body(format!("A client cannot have more than {LIMIT} credentials.")));
    }
    let facts = examine(given)?;
    let id = state.id22("cred");
    let now = timestamp_ms(now_ms);
    let mut credential = Map::new();
    credential.insert("id".to_owned(), json!(id));
    for (member, value) in given {
        if !matches!(member.as_str(), "pem" | "parse_expiry_from_cert") {
            credential.insert(member.clone(), value.clone());
        }
    }
    fill(&mut credential, Value::Object(facts));
    fill(&mut credential, json!({"alg": "RS256", "created_at": now, "updated_at": now}));
    if let Some(pem) = given.get("pem") {
        credential.insert("$pem".to_owned(), pem.clone());
    }
    let credential = Value::Object(credential);
    store(state, &held, &id, credential.clone());
    Ok(credential)
}

/// Reads what a credential's material says of itself: `kid`, thumbprint, subject, end date.
fn examine(given: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    let mut facts = Map::new();
    let pem = given.get("pem").and_then(Value::as_str);
    let kind = given.get("credential_type").and_then(Value::as_str).unwrap_or("public_key");
    let subject_dn = given.get("subject_dn").and_then(Value::as_str);
    if kind != "cert_subject_dn" && subject_dn.is_some() {
        return Err(ApiError::invalid_body("subject_dn is only allowed for credentials of type cert_subject_dn."));
    }
    let Some(pem) = pem else {
        return match (kind, subject_dn) {
            ("cert_subject_dn", Some(_)) => Ok(facts),
            ("cert_subject_dn", None) => Err(ApiError::invalid_body("Either pem or subject_dn is required.")),
            _ => Err(ApiError::invalid_body("Payload validation error: 'Missing required property: pem'.")),
        };
    };
    if kind == "cert_subject_dn" && subject_dn.is_some() {
        return Err(ApiError::invalid_body("Only one of pem and subject_dn can be given."));
    }
    let unusable = || ApiError::invalid_body("The pem is not a valid RSA public key or X.509 certificate.");
    let (_, block) = parse_x509_pem(pem.as_bytes()).map_err(|_| unusable())?;
    if block.label == "CERTIFICATE" {
        let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| unusable())?;
        if kind == "cert_subject_dn" {
            facts.insert("subject_dn".to_owned(), json!(certificate.subject().to_string()));
        } else {
            facts.insert("kid".to_owned(), json!(thumbprint(certificate.public_key()).ok_or_else(unusable)?));
        }
        if kind == "x509_cert" {
            let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&block.contents));
            facts.insert("thumbprint_sha256".to_owned(), json!(digest));
        }
        if given.get("parse_expiry_from_cert") == Some(&Value::Bool(true)) {
            let end = certificate.validity().not_after.timestamp().saturating_mul(1000);
            facts.insert("expires_at".to_owned(), json!(timestamp_ms(end)));
        }
        return Ok(facts);
    }
    if kind != "public_key" {
        return Err(ApiError::invalid_body(format!("A credential of type {kind} needs an X.509 certificate.")));
    }
    let kid = match block.label.as_str() {
        "PUBLIC KEY" => SubjectPublicKeyInfo::from_der(&block.contents).ok().and_then(|(_, key)| thumbprint(&key)),
        "RSA PUBLIC KEY" => RSAPublicKey::from_der(&block.contents).ok().map(|(_, key)| rsa_thumbprint(&key)),
        _ => None,
    };
    facts.insert("kid".to_owned(), json!(kid.ok_or_else(unusable)?));
    Ok(facts)
}

/// Digest of a key as in RFC 7638, which recorded `kid` values are.
fn thumbprint(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    match key.parsed().ok()? {
        PublicKey::RSA(key) => Some(rsa_thumbprint(&key)),
        _ => None,
    }
}

fn rsa_thumbprint(key: &RSAPublicKey<'_>) -> String {
    let number = |bytes: &[u8]| {
        let leading = bytes.iter().take_while(|byte| **byte == 0).count();
        URL_SAFE_NO_PAD.encode(bytes.get(leading..).unwrap_or_default())
    };
    let jwk = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, number(key.exponent), number(key.modulus));
    URL_SAFE_NO_PAD.encode(Sha256::digest(jwk.as_bytes()))
}

fn missing() -> ApiError {
    ApiError::bare(404, "Credential does not exist")
}

fn list(state: &mut State, call: &Call) -> Outcome {
    clients::find(state, call.param(0))?;
    let credentials = rows(state, &collection(call.param(0)));
    Ok(Reply::ok(credentials.iter().map(visible).collect()))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    clients::find(state, call.param(0))?;
    let credential = state.object(&collection(call.param(0)), call.param(1)).ok_or_else(missing)?;
    Ok(Reply::ok(visible(credential)))
}

fn create(state: &mut State, call: &Call) -> Outcome {
    clients::find(state, call.param(0))?;
    let credential = register(state, call.param(0), &call.fields(), call.now_ms)?;
    Ok(Reply::created(visible(&credential)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    clients::find(state, call.param(0))?;
    let held = collection(call.param(0));
    let credential = state.object_mut(&held, call.param(1)).and_then(Value::as_object_mut).ok_or_else(missing)?;
    overlay(credential, call.fields());
    credential.insert("updated_at".to_owned(), json!(timestamp_ms(call.now_ms)));
    Ok(Reply::ok(visible(&Value::Object(credential.clone()))))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    let (client_id, credential_id) = (call.param(0), call.param(1));
    let is_used = state
        .object("clients", client_id)
        .is_some_and(|client| clients::used_credentials(client).iter().any(|(_, id)| id == credential_id));
    if is_used {
        return Err(ApiError::invalid_body("The credential is in use by the client and cannot be deleted."));
    }
    state.remove(&collection(client_id), credential_id);
    Ok(Reply::no_content())
}

/// Checks that a client's block names credentials it has, of the type the block takes.
///
/// # Errors
/// 400 `invalid_body` for an id that the client does not have, or one of another type.
pub(super) fn check_used(state: &State, client_id: &str, client: &Value) -> Result<(), ApiError> {
    let held = collection(client_id);
    for (kind, id) in clients::used_credentials(client) {
        let Some(credential) = state.object(&held, &id) else {
            return Err(ApiError::invalid_body(format!("The credential {id} does not exist on this client.")));
        };
        if text(credential, "credential_type") != kind {
            return Err(ApiError::invalid_body(format!("The credential {id} has to be of type {kind}.")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::testing::{create, delete, get, members, patch, post, refused, tenant};
    use super::*;

    /// Key and `kid` of one exchange of the recorded traffic.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs8/9RN2qV8HZMunRt8mx\nihqnIX726YqxGwF+7x1A0gpk4TWRpMUWnaaL2D3Nt/Kd5obKM0THZPCuE+Xwncf4\nQloizZEn4jM3PNldweL9qwG160o2wXif2R5zLVQat9/188+Ko/sU/LorHgh23DMp\nznSwIN30AdLG1WRPxqP5s9abVT0WgBt1VuQobw4TS6QltFUnMSEMBsNtMSPK+NPJ\npz9s3ozqkNMLNSLZMTwgODQWchUr2YJeZa5RbM0u5Xt9oF0HtXH8db3L6Rp3TdIA\nuISnZ+mC7zRiCzWljkJZSBrqgtx6Su5wSve9cYGPS23zu3yeSapJWP7pki3G/GBz\nJQIDAQAB\n-----END PUBLIC KEY-----\n";
    const KID: &str = "G-gF8B2XrPd_5oBE7CYMnVdbY1zcTsIabrANfO6E_1I";

    fn client(state: &mut State) -> String {
        text(&create(state, "/clients", json!({"name": "Node App"})), "client_id").to_owned()
    }

    fn key() -> Value {
        json!({"name": "e2e-test-key", "credential_type": "public_key", "pem": KEY})
    }

    fn certificate(name: &str) -> String {
        let keys = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        params.self_signed(&keys).unwrap().pem()
    }

    #[test]
    fn a_key_gets_the_recorded_kid_and_keeps_its_pem_to_itself() {
        let mut state = tenant();
        let id = client(&mut state);
        let made = create(&mut state, &format!("/clients/{id}/credentials"), key());
        assert_eq!(made["kid"], KID);
        assert_eq!(members(&made), ["alg", "created_at", "credential_type", "id", "kid", "name", "updated_at"]);
        assert_eq!(made["created_at"], "2026-11-22T00:00:00.000Z");
        assert_eq!(get(&mut state, &format!("/clients/{id}/credentials")), json!([made]));
        assert_eq!(state.object(&collection(&id), text(&made, "id")).unwrap()["$pem"], KEY);
    }

    #[test]
    fn certificates_give_thumbprint_subject_and_end() {
        let mut state = tenant();
        let id = client(&mut state);
        let at = format!("/clients/{id}/credentials");
        let pem = certificate("acme");
        let body = json!({"credential_type": "x509_cert", "pem": pem, "parse_expiry_from_cert": true});
        let made = create(&mut state, &at, body);
        assert_eq!(made["expires_at"], "2031-02-03T00:00:00.000Z");
        assert_eq!(text(&made, "thumbprint_sha256").len(), 43);
        let made = create(&mut state, &at, json!({"credential_type": "cert_subject_dn", "pem": pem}));
        assert_eq!(made["subject_dn"], "CN=acme");
        assert!(made.get("kid").is_none());
    }

    #[test]
    fn unusable_material_is_refused() {
        let mut state = tenant();
        let id = client(&mut state);
        let at = format!("/clients/{id}/credentials");
        for body in [
            json!({"credential_type": "public_key"}),
            json!({"credential_type": "public_key", "pem": "no pem"}),
            json!({"credential_type": "public_key", "pem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}),
            json!({"credential_type": "public_key", "pem": KEY, "subject_dn": "CN=a"}),
            json!({"credential_type": "x509_cert", "pem": KEY}),
            json!({"credential_type": "cert_subject_dn"}),
        ] {
            let error = refused(&mut state, Method::Post, &at, body.clone());
            assert_eq!((error.status, error.code.as_deref()), (400, Some("invalid_body")), "{body}");
        }
    }

    #[test]
    fn a_third_credential_is_refused() {
        let mut state = tenant();
        let id = client(&mut state);
        let at = format!("/clients/{id}/credentials");
        post(&mut state, &at, key());
        post(&mut state, &at, key());
        assert_eq!(refused(&mut state, Method::Post, &at, key()).status, 400);
    }

    #[test]
    fn only_an_unused_credential_can_be_deleted() {
        let mut state = tenant();
        let id = client(&mut state);
        let made = create(&mut state, &format!("/clients/{id}/credentials"), key());
        let at = format!("/clients/{id}/credentials/{}", text(&made, "id"));
        let block = json!({"private_key_jwt": {"credentials": [{"id": made["id"]}]}});
        patch(&mut state, &format!("/clients/{id}"), json!({"client_authentication_methods": block}));
        assert_eq!(refused(&mut state, Method::Delete, &at, Value::Null).status, 400);
        let back = json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
        patch(&mut state, &format!("/clients/{id}"), back);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
        assert_eq!(get(&mut state, &format!("/clients/{id}/credentials")), json!([]));
    }

    #[test]
    fn the_end_date_can_be_set_and_taken_back() {
        let mut state = tenant();
        let id = client(&mut state);
        let made = create(&mut state, &format!("/clients/{id}/credentials"), key());
        let at = format!("/clients/{id}/credentials/{}", text(&made, "id"));
        let end = "2030-01-01T00:00:00.000Z";
        assert_eq!(patch(&mut state, &at, json!({"expires_at": end}))["expires_at"], end);
        assert!(patch(&mut state, &at, json!({"expires_at": null})).get("expires_at").is_none());
    }

    #[test]
    fn missing_clients_and_credentials_answer_404() {
        let mut state = tenant();
        let error = refused(&mut state, Method::Get, "/clients/nobody/credentials", Value::Null);
        assert_eq!((error.status, error.code.as_deref()), (404, Some("inexistent_client")));
        let id = client(&mut state);
        let at = format!("/clients/{id}/credentials/cred_x");
        assert_eq!(refused(&mut state, Method::Get, &at, Value::Null).status, 404);
        assert_eq!(refused(&mut state, Method::Patch, &at, json!({"expires_at": null})).status, 404);
    }
}
