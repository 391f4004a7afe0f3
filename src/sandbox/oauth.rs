//! The token endpoint: client credentials with a secret or a signed assertion, errors in OAuth's shape.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Method;
use super::contract;
use super::request::{Answer, Request};
use super::state::State;
use super::token::{self, Claims};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A refusal: status, `error`, `error_description`.
struct Refusal(u16, &'static str, String);

fn refusal<T>(status: u16, error: &'static str, description: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(status, error, description.into()))
}

fn unauthorized() -> Refusal {
    Refusal(401, "access_denied", "Unauthorized".to_owned())
}

/// `POST /oauth/token`.
pub(super) fn token(state: &mut State, request: &Request, now_ms: i64) -> Answer {
    match grant(state, request, now_ms) {
        Ok(body) => Answer { status: 200, body: Some(body) },
        Err(Refusal(status, error, description)) => {
            Answer { status, body: Some(json!({"error": error, "error_description": description})) }
        }
    }
}

/// Returns the parameters of a token request, sent as JSON or as a form.
pub(super) fn parameters(request: &Request) -> Option<Map<String, Value>> {
    let is_form = request.content_type.as_deref().is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    if is_form {
        let pairs = url::form_urlencoded::parse(&request.body).into_owned();
        return Some(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    serde_json::from_slice(&request.body).ok()
}

fn grant(state: &mut State, request: &Request, now_ms: i64) -> Result<Value, Refusal> {
    debug_assert_eq!(request.method, Method::Post);
    let Some(sent) = parameters(request) else {
        return refusal(400, "invalid_request", "Invalid request payload");
    };
    let given = |name: &str| sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match given("grant_type") {
        None => {
            return refusal(403, "invalid_request", "Missing required parameter: grant_type");
        }
        Some("client_credentials") => {}
        Some(other) => {
            return refusal(403, "unsupported_grant_type", format!("Unsupported grant type: {other}"));
        }
    }
    let client_id = authenticated(state, request, &given, now_ms)?;
    let client = state.object("clients", &client_id).ok_or_else(unauthorized)?;
    let grants = client.get("grant_types").and_then(Value::as_array);
    if !grants.is_some_and(|grants| grants.iter().any(|one| one == "client_credentials")) {
        let description = "Grant type 'client_credentials' not allowed for the client.";
        return refusal(403, "unauthorized_client", description);
    }
    let Some(wanted) = given("audience") else {
        let description = "No audience parameter was provided, and no default audience has been configured";
        return refusal(403, "access_denied", description);
    };
    let audience = canonical(state, wanted);
    let api = state.find_by("resource_servers", "identifier", &Value::String(audience.clone()));
    let is_management = audience == token::management_audience(state);
    if api.is_none() && !is_management {
        return refusal(403, "access_denied", format!("Service not found: {wanted}"));
    }
    let lifetime = api.and_then(|(_, api)| api.get("token_lifetime")?.as_i64()).unwrap_or(token::LIFETIME_S);
    let scopes = granted(state, &client_id, &audience).ok_or_else(|| {
        let description = format!(
            "Client is not authorized to access \"{wanted}\". You need to create a \"client-grant\" associated to this API."
        );
        Refusal(403, "access_denied", description)
    })?;
    let scope = match given("scope") {
        Some(asked) => scopes.into_iter().filter(|one| asked.split(' ').any(|a| a == one)).collect::<Vec<_>>(),
        None => scopes,
    }
    .join(" ");
    let claims = Claims {
        iss: format!("https://{}/", state.domain),
        sub: format!("{client_id}@clients"),
        aud: audience,
        iat: now_ms / 1000,
        exp: now_ms / 1000 + lifetime,
        scope: scope.clone(),
        gty: Some("client-credentials".to_owned()),
        azp: client_id,
        jti: state.hex(32),
        user: None,
    };
    let access_token = token::issue(state, &claims).map_err(|error| Refusal(500, "server_error", error.to_string()))?;
    Ok(json!({"access_token": access_token, "scope": scope, "expires_in": lifetime, "token_type": "Bearer"}))
}

/// The Management API may also be named by the address the sandbox listens on.
fn canonical(state: &State, audience: &str) -> String {
    let at_loopback = ["http://127.0.0.1:", "https://127.0.0.1:", "http://localhost:", "https://localhost:"]
        .iter()
        .any(|prefix| audience.strip_prefix(prefix).is_some_and(|rest| rest.ends_with("/api/v2/")));
    if at_loopback { token::management_audience(state) } else { audience.to_owned() }
}

/// Returns the scopes that a client may have of an API; `None` without a grant.
fn granted(state: &State, client_id: &str, audience: &str) -> Option<Vec<String>> {
    let is = |grant: &Value, member: &str, wanted: &str| grant.get(member).and_then(Value::as_str) == Some(wanted);
    let (_, grant) = state.collection("client_grants").find(|(_, grant)| {
        is(grant, "client_id", client_id)
            && is(grant, "audience", audience)
            && grant.get("subject_type").is_none_or(|subject| subject == "client")
    })?;
    let texts = |list: Option<&Value>, member: Option<&str>| -> Vec<String> {
        let items = list.and_then(Value::as_array).into_iter().flatten();
        let text = items.filter_map(|item| member.map_or(Some(item), |member| item.get(member))?.as_str());
        text.map(str::to_owned).collect()
    };
    if grant.get("allow_all_scopes") != Some(&Value::Bool(true)) {
        return Some(texts(grant.get("scope"), None));
    }
    if audience == token::management_audience(state) {
        return Some(contract::all_scopes());
    }
    let api = state.find_by("resource_servers", "identifier", &Value::String(audience.to_owned()));
    Some(texts(api.and_then(|(_, api)| api.get("scopes")), Some("value")))
}

/// Returns the id of the client that proved who it is.
fn authenticated<'a>(
    state: &State,
    request: &Request,
    given: &impl Fn(&str) -> Option<&'a str>,
    now_ms: i64,
) -> Result<String, Refusal> {
    if let Some(assertion) = given("client_assertion") {
        if given("client_assertion_type") != Some(ASSERTION) {
            return refusal(400, "invalid_request", "Invalid client_assertion_type");
        }
        return asserted(state, assertion, now_ms);
    }
    let basic = request.authorization.as_deref().and_then(|header| header.strip_prefix("Basic "));
    let (id, secret) = match basic.and_then(|encoded| STANDARD.decode(encoded.trim()).ok()) {
        Some(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned())).ok_or_else(unauthorized)?
        }
        None => {
            (given("client_id").unwrap_or_default().to_owned(), given("client_secret").unwrap_or_default().to_owned())
        }
    };
    let client = state.object("clients", &id).ok_or_else(unauthorized)?;
    let is_keyed =
        client.pointer("/client_authentication_methods/private_key_jwt").is_some_and(|block| !block.is_null());
    let is_public = client.get("token_endpoint_auth_method").and_then(Value::as_str) == Some("none");
    let stored = client.get("client_secret").or_else(|| client.get("$secret")).and_then(Value::as_str);
    if is_keyed || is_public || secret.is_empty() || stored != Some(secret.as_str()) {
        return Err(unauthorized());
    }
    Ok(id)
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Value,
    exp: i64,
}

/// Checks a client assertion against the public keys registered for the client.
fn asserted(state: &State, assertion: &str, now_ms: i64) -> Result<String, Refusal> {
    let refused = |why: &str| Refusal(401, "invalid_client", why.to_owned());
    let claims = jsonwebtoken::dangerous::insecure_decode::<Assertion>(assertion)
        .map_err(|_| refused("Failed to verify client assertion"))?
        .claims;
    let client = state.object("clients", &claims.iss).ok_or_else(|| refused("Failed to verify client assertion"))?;
    if claims.sub != claims.iss {
        return Err(refused("Client assertion: sub and iss must be the client id"));
    }
    let listed = client.pointer("/client_authentication_methods/private_key_jwt/credentials").and_then(Value::as_array);
    let ids: Vec<&str> = listed.into_iter().flatten().filter_map(|one| one.get("id")?.as_str()).collect();
    let registered = format!("client_credentials/{}", claims.iss);
    let is_signed = state
        .collection(&registered)
        .filter(|(id, _)| ids.contains(&id.as_str()))
        .any(|(_, credential)| signs(credential, assertion));
    if !is_signed {
        return Err(refused("Failed to verify client assertion"));
    }
    if claims.exp.saturating_mul(1000) <= now_ms {
        return Err(refused("Client assertion is expired"));
    }
    let audiences: Vec<&str> = match &claims.aud {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    if !audiences.iter().any(|audience| is_ours(state, audience)) {
        return Err(refused("Client assertion: aud is not this authorization server"));
    }
    Ok(claims.iss)
}

/// The issuer or its token endpoint, by tenant domain or by loopback address.
fn is_ours(state: &State, audience: &str) -> bool {
    let host = audience.strip_prefix("https://").or_else(|| audience.strip_prefix("http://")).unwrap_or(audience);
    let host = host.trim_end_matches("/oauth/token").trim_end_matches('/');
    host == state.domain || host.starts_with("127.0.0.1:") || host.starts_with("localhost:")
}

fn signs(credential: &Value, assertion: &str) -> bool {
    let algorithm = match credential.get("alg").and_then(Value::as_str) {
        Some("RS384") => Algorithm::RS384,
        Some("PS256") => Algorithm::PS256,
        _ => Algorithm::RS256,
    };
    let mut validation = Validation::new(algorithm);
    // Time and audience are judged by the sandbox's own clock and names.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let key = credential.get("$pem").and_then(Value::as_str).and_then(public_key);
    key.is_some_and(|key| jsonwebtoken::decode::<Assertion>(assertion, &key, &validation).is_ok())
}

/// Reads a public key or the one inside a certificate.
fn public_key(pem: &str) -> Option<DecodingKey> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    if block.label == "CERTIFICATE" {
        let certificate = block.parse_x509().ok()?;
        return Some(DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data));
    }
    DecodingKey::from_rsa_pem(pem.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use jsonwebtoken::{EncodingKey, Header};
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

    use super::*;

    const NOW: i64 = 1_795_305_600_000;

    fn key() -> KeyPair {
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
    }

    /// A tenant whose client `c` may prove itself with a registered PEM.
    fn state(pem: &str) -> State {
        let mut state = State { domain: "acme.eu.auth0.com".to_owned(), seed: 1, ..State::default() };
        let methods = json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}});
        state.collection_mut("clients").insert(
            "c".to_owned(),
            json!({
                "client_id": "c", "client_secret": "s", "grant_types": ["client_credentials"],
                "client_authentication_methods": methods,
            }),
        );
        let grant = json!({"client_id": "c", "audience": "https://acme.eu.auth0.com/api/v2/", "scope": ["a", "b"]});
        state.collection_mut("client_grants").insert("g".to_owned(), grant);
        let credential = json!({"id": "cred_1", "alg": "RS256", "$pem": pem});
        state.collection_mut("client_credentials/c").insert("cred_1".to_owned(), credential);
        state
    }

    fn ask(state: &mut State, key: &KeyPair, claims: &Value) -> (u16, Value) {
        let signer = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &signer).unwrap();
        let mut request = Request::new(Method::Post, "/oauth/token");
        let body = json!({
            "grant_type": "client_credentials", "audience": "https://acme.eu.auth0.com/api/v2/",
            "client_assertion": assertion, "client_assertion_type": ASSERTION,
        });
        request.body = body.to_string().into_bytes();
        let answer = token(state, &request, NOW);
        (answer.status, answer.body.unwrap())
    }

    fn claims() -> Value {
        json!({"iss": "c", "sub": "c", "aud": "https://acme.eu.auth0.com/", "exp": NOW / 1000 + 60, "jti": "1"})
    }

    #[test]
    fn an_assertion_is_checked_against_a_registered_key_or_certificate() {
        let key = key();
        let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
        for pem in [key.public_key_pem(), certificate] {
            let (status, body) = ask(&mut state(&pem), &key, &claims());
            assert_eq!((status, body["scope"].as_str()), (200, Some("a b")), "{body}");
        }
    }

    #[test]
    fn a_wrong_assertion_is_refused() {
        let key = key();
        let mut state = state(&key.public_key_pem());
        for (member, value) in [
            ("iss", json!("nobody")),
            ("sub", json!("d")),
            ("aud", json!("https://elsewhere.example/")),
            ("exp", json!(NOW / 1000)),
        ] {
            let mut claims = claims();
            claims[member] = value;
            let (status, body) = ask(&mut state, &key, &claims);
            assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")), "{member}");
        }
        let (status, _) = ask(&mut state, &super::tests::key(), &claims());
        assert_eq!(status, 401);
    }

    #[test]
    fn a_client_with_a_key_cannot_use_its_secret() {
        let mut state = state("");
        let mut request = Request::new(Method::Post, "/oauth/token");
        request.body = b"grant_type=client_credentials&client_id=c&client_secret=s&audience=x".to_vec();
        request.content_type = Some("application/x-www-form-urlencoded".to_owned());
        assert_eq!(token(&mut state, &request, NOW).status, 401);
    }

    #[test]
    fn scopes_narrow_and_other_apis_count() {
        let mut state = state("");
        let client = state.object_mut("clients", "c").unwrap();
        client.as_object_mut().unwrap().remove("client_authentication_methods");
        let api = json!({"identifier": "urn:orders", "token_lifetime": 60, "scopes": [{"value": "x"}, {"value": "y"}]});
        state.collection_mut("resource_servers").insert("r".to_owned(), api);
        let grant = json!({"client_id": "c", "audience": "urn:orders", "scope": [], "allow_all_scopes": true});
        state.collection_mut("client_grants").insert("h".to_owned(), grant);
        let mut ask = |audience: &str, scope: Option<&str>| {
            let mut request = Request::new(Method::Post, "/oauth/token");
            // The header carries `c:s`.
            request.authorization = Some("Basic Yzpz".to_owned());
            let body = json!({"grant_type": "client_credentials", "audience": audience, "scope": scope});
            request.body = body.to_string().into_bytes();
            token(&mut state, &request, NOW).body.unwrap()
        };
        assert_eq!(ask("urn:orders", None)["scope"], "x y");
        assert_eq!(ask("urn:orders", Some("y z"))["scope"], "y");
        assert_eq!(ask("urn:orders", None)["expires_in"], 60);
        assert_eq!(ask("https://acme.eu.auth0.com/api/v2/", Some("b"))["scope"], "b");
    }
}
