//! The simulated tenant: a request goes in, an answer comes out, and nothing else happens.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

use super::call::{ApiError, Call, Caller, Method, Reply};
use super::contract::{self, MAX_BODY_BYTES, Operation};
use super::request::{Answer, Request};
use super::route::Handler;
use super::state::State;
use super::token::{self, Claims};
use super::{family, log, multipart, oauth, service};

/// Prefix of every Management API path.
pub const API: &str = "/api/v2";

/// Document of the state that holds the deployer's own credentials.
const DEPLOYER: &str = "$deployer";

/// One tenant.
pub struct Tenant {
    /// Its memory.
    pub state: State,
    /// Milliseconds after which a log entry can be found.
    pub log_lag_ms: i64,
    routes: HashMap<(Method, String), Handler>,
}

/// Client id and secret of the client that deploys.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl fmt::Debug for Credentials {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { client_id, client_secret: _ } = self;
        f.debug_struct("Credentials").field("client_id", client_id).finish_non_exhaustive()
    }
}

impl Tenant {
    /// Returns a tenant as nobody has configured it, with a client that may do everything.
    pub fn fresh(domain: &str, seed: u64, now_ms: i64) -> Tenant {
        Tenant::made(domain, seed, now_ms, None)
    }

    /// Returns a tenant that remembers.
    pub fn resumed(state: State) -> Tenant {
        Tenant { state, log_lag_ms: 0, routes: routes() }
    }

    fn made(domain: &str, seed: u64, now_ms: i64, kept: Option<Credentials>) -> Tenant {
        let state = State { version: 1, domain: domain.to_owned(), seed, ..State::default() };
        let mut tenant = Tenant::resumed(state);
        family::bootstrap(&mut tenant.state, now_ms);
        tenant.add_deployer(kept);
        tenant
    }

    /// Forgets everything but credentials, tokens, clock and subscription.
    pub fn reset(&mut self, now_ms: i64) {
        let fresh = Tenant::made(&self.state.domain, self.state.seed, now_ms, Some(self.credentials()));
        let old = std::mem::replace(&mut self.state, fresh.state);
        self.state.clock_offset_ms = old.clock_offset_ms;
        if let Some(features) = old.documents.get("$features") {
            self.state.documents.insert("$features".to_owned(), features.clone());
        }
    }

    /// Returns the credentials of the deployer's own client.
    pub fn credentials(&self) -> Credentials {
        let member = |name: &str| {
            let document = self.state.documents.get(DEPLOYER);
            document.and_then(|document| document.get(name)?.as_str()).unwrap_or_default().to_owned()
        };
        Credentials { client_id: member("client_id"), client_secret: member("client_secret") }
    }

    fn add_deployer(&mut self, kept: Option<Credentials>) {
        let drawn = Credentials { client_id: self.state.alphanumeric(32), client_secret: self.state.alphanumeric(64) };
        let Credentials { client_id, client_secret } = kept.unwrap_or(drawn);
        let grant_id = self.state.id16("cgr");
        let client = json!({
            "tenant": self.state.domain.split('.').next().unwrap_or_default(),
            "global": false,
            "is_token_endpoint_ip_header_trusted": false,
            "name": "Tenantry Deployer",
            "is_first_party": true,
            "oidc_conformant": true,
            "sso_disabled": false,
            "cross_origin_auth": false,
            "cross_origin_authentication": false,
            "refresh_token": {
                "expiration_type": "non-expiring", "leeway": 0, "infinite_token_lifetime": true,
                "infinite_idle_token_lifetime": true, "token_lifetime": 31_557_600,
                "idle_token_lifetime": 2_592_000, "rotation_type": "non-rotating"
            },
            "client_id": client_id,
            "callback_url_template": false,
            "client_secret": client_secret,
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false},
            "token_endpoint_auth_method": "client_secret_post",
            "app_type": "non_interactive",
            "grant_types": ["client_credentials"],
            "custom_login_page_on": true,
        });
        let grant = json!({
            "id": grant_id,
            "client_id": client_id,
            "audience": token::management_audience(&self.state),
            "scope": contract::all_scopes(),
            "subject_type": "client",
        });
        let credentials = json!({"client_id": client_id, "client_secret": client_secret});
        self.state.documents.insert(DEPLOYER.to_owned(), credentials);
        self.state.collection_mut("clients").insert(client_id, client);
        self.state.collection_mut("client_grants").insert(grant_id, grant);
    }

    /// Answers a request to the Management API or the token endpoint.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        match request.segments(API) {
            Some(segments) => self.api(request, segments, now_ms).unwrap_or_else(Answer::from),
            None => match (request.method, request.path()) {
                (Method::Post, "/oauth/token") => oauth::token(&mut self.state, request, now_ms),
                // Tokens are signed with a symmetric key: there is no public one to publish.
                (Method::Get, "/.well-known/jwks.json") => Answer { status: 200, body: Some(json!({"keys": []})) },
                _ => not_found().into(),
            },
        }
    }

    /// Returns a token that acts as a dashboard user with every scope.
    ///
    /// # Errors
    /// None in practice: signing with a symmetric key does not fail.
    pub fn dashboard_token(&mut self, name: &str, email: &str, now_ms: i64) -> Result<String, ApiError> {
        self.user_token((name, email), &contract::all_scopes(), now_ms)
    }

    /// Returns a token that lacks some scopes.
    #[cfg(test)]
    pub(super) fn token_without(&mut self, lacking: &[String], now_ms: i64) -> Result<String, ApiError> {
        let mut scopes = contract::all_scopes();
        scopes.retain(|scope| !lacking.contains(scope));
        self.user_token(("", ""), &scopes, now_ms)
    }

    fn user_token(&mut self, user: (&str, &str), scopes: &[String], now_ms: i64) -> Result<String, ApiError> {
        let claims = Claims {
            iss: format!("https://{}/", self.state.domain),
            sub: format!("auth0|{}", self.state.hex(24)),
            aud: token::management_audience(&self.state),
            iat: now_ms / 1000,
            exp: now_ms / 1000 + token::LIFETIME_S,
            scope: scopes.join(" "),
            gty: None,
            azp: self.state.alphanumeric(32),
            jti: self.state.hex(32),
            user: Some((user.0.to_owned(), user.1.to_owned())),
        };
        token::issue(&self.state, &claims).map_err(|error| ApiError::bare(500, error.to_string()))
    }

    /// Says whether an operation of the contract is simulated.
    pub fn answers(&self, operation: &Operation) -> bool {
        self.routes.contains_key(&(operation.method, plain(&operation.template)))
    }

    fn api(&mut self, request: &Request, segments: Vec<String>, now_ms: i64) -> Result<Answer, ApiError> {
        let contract = contract::embedded();
        let found = contract.find(request.method, &segments).ok_or_else(not_found)?;
        let operation = found.operation;
        let handler = *self.routes.get(&(request.method, plain(&operation.template))).ok_or_else(not_found)?;
        let claims = token::verify(&self.state, request.authorization.as_deref(), now_ms)?;
        permitted(operation, &claims)?;
        let body = parsed(request)?;
        contract.check_path(operation, &found.params)?;
        let query = request.query();
        contract.check_query(operation, &query)?;
        contract.check_body(operation, &body)?;
        let call = Call {
            method: request.method,
            segments,
            params: found.params.into_iter().map(|(_, value)| value).collect(),
            query,
            body,
            caller: caller(request, &claims),
            now_ms,
        };
        // A GET sees only the log entries that are older than the lag.
        let call = if call.segments.first().is_some_and(|first| first == "logs") {
            Call { now_ms: now_ms.saturating_sub(self.log_lag_ms), ..call }
        } else {
            call
        };
        let counter = self.state.counter;
        let outcome = handler(&mut self.state, &call);
        if outcome.is_err() {
            // A refusal uses up no ids.
            self.state.counter = counter;
        }
        let Reply { status, body } = outcome?;
        let answer = Answer { status, body };
        if request.method != Method::Get {
            log::write(&mut self.state, operation, &call, &claims, request, &answer);
        }
        Ok(answer)
    }
}

fn not_found() -> ApiError {
    ApiError::bare(404, "Not Found")
}

fn routes() -> HashMap<(Method, String), Handler> {
    let families = family::routes();
    let all = service::ROUTES.iter().chain(&families);
    all.map(|route| ((route.method, plain(route.template)), route.handler)).collect()
}

/// Takes the names out of a template, so that two spellings of a parameter are one: `/clients/{}`.
fn plain(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn permitted(operation: &Operation, claims: &Claims) -> Result<(), ApiError> {
    let mut given = claims.scope.split(' ');
    if given.any(|scope| operation.scopes.iter().any(|wanted| wanted == scope)) {
        return Ok(());
    }
    let message = format!("Insufficient scope, expected any of: {}", operation.scopes.join(","));
    Err(ApiError::new(403, "insufficient_scope", message))
}

fn parsed(request: &Request) -> Result<Value, ApiError> {
    if request.body.len() > MAX_BODY_BYTES {
        let message = format!("Payload content length greater than maximum allowed: {MAX_BODY_BYTES}");
        return Err(ApiError::bare(413, message));
    }
    if request.method == Method::Get || request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    if let Some(kind) = request.content_type.as_deref().filter(|kind| kind.starts_with("multipart/")) {
        return multipart::parts(kind, &request.body);
    }
    serde_json::from_slice(&request.body).map_err(|_| ApiError::bare(400, "Invalid request payload JSON format"))
}

fn caller(request: &Request, claims: &Claims) -> Caller {
    Caller {
        client_id: if claims.user.is_some() { String::new() } else { claims.azp.clone() },
        scopes: claims.scope.split(' ').map(str::to_owned).collect(),
        user: claims.user.clone(),
        ip: request.ip.clone(),
        origin: request.origin.clone(),
        user_agent: request.user_agent.clone(),
        correlation_id: request.correlation_id.as_ref().map(|id| id.chars().take(64).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const NOW: i64 = 1_795_305_600_000;

    /// Asks for a token with these scopes, all without any.
    fn token(tenant: &mut Tenant, scopes: Option<&str>) -> String {
        let Credentials { client_id, client_secret } = tenant.credentials();
        let mut body = json!({
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret,
            "audience": "https://acme.eu.auth0.com/api/v2/",
        });
        if let Some(scopes) = scopes {
            body["scope"] = json!(scopes);
        }
        let answer = send(tenant, Method::Post, "/oauth/token", &body, None);
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.body.unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    fn send(tenant: &mut Tenant, method: Method, target: &str, body: &Value, token: Option<&str>) -> Answer {
        let mut request = Request::new(method, target);
        request.authorization = token.map(|token| format!("Bearer {token}"));
        request.correlation_id = Some("tenantry/01/1".to_owned());
        if !body.is_null() {
            request.body = body.to_string().into_bytes();
        }
        tenant.handle(&request, NOW)
    }

    fn message(answer: &Answer) -> &str {
        answer.body.as_ref().and_then(|body| body["message"].as_str()).unwrap_or_default()
    }

    fn acme() -> Tenant {
        Tenant::fresh("acme.eu.auth0.com", 7, NOW)
    }

    #[test]
    fn every_route_of_a_family_is_in_the_contract() {
        let known: Vec<(Method, String)> = contract::embedded()
            .operations()
            .iter()
            .map(|operation| (operation.method, plain(&operation.template)))
            .collect();
        let routes = family::routes();
        let unknown: Vec<String> = routes
            .iter()
            .chain(service::ROUTES)
            .filter(|route| !known.contains(&(route.method, plain(route.template))))
            .map(|route| format!("{:?} {}", route.method, route.template))
            .collect();
        assert_eq!(unknown, Vec::<String>::new());
    }

    #[test]
    fn requests_are_refused_in_the_order_of_the_api() {
        let mut tenant = acme();
        let all = token(&mut tenant, None);
        let reader = token(&mut tenant, Some("read:roles"));
        let bad = json!({"nmae": 1});
        for (method, path, token, body, status, wanted) in [
            (Method::Get, "/nowhere", None, &Value::Null, 404, "Not Found"),
            (Method::Get, "/api/v2/nowhere", None, &Value::Null, 404, "Not Found"),
            (Method::Post, "/api/v2/roles", None, &bad, 401, "Missing authentication"),
            (
                Method::Post,
                "/api/v2/roles",
                Some(&reader),
                &bad,
                403,
                "Insufficient scope, expected any of: create:roles",
            ),
            (
                Method::Post,
                "/api/v2/roles",
                Some(&all),
                &bad,
                400,
                "Payload validation error: 'Additional properties not allowed: nmae', 'Missing required property: name'.",
            ),
            (
                Method::Get,
                "/api/v2/roles?per_page=x",
                Some(&all),
                &Value::Null,
                400,
                "Query validation error: 'Expected type integer but found type string' on property per_page.",
            ),
        ] {
            let answer = send(&mut tenant, method, path, body, token.map(String::as_str));
            assert_eq!((answer.status, message(&answer)), (status, wanted), "{path}");
        }
        assert!(tenant.state.logs.is_empty());
    }

    #[test]
    fn bodies_that_are_no_json_or_too_long_are_refused() {
        let mut tenant = acme();
        let all = token(&mut tenant, None);
        let mut request = Request::new(Method::Post, "/api/v2/roles");
        request.authorization = Some(format!("Bearer {all}"));
        request.body = b"{name".to_vec();
        assert_eq!(tenant.handle(&request, NOW).status, 400);
        request.body = vec![b' '; MAX_BODY_BYTES + 1];
        let answer = tenant.handle(&request, NOW);
        assert_eq!((answer.status, answer.body.unwrap()["error"].as_str()), (413, Some("Payload Too Large")));
    }

    #[test]
    fn a_write_is_logged_with_its_correlation_id_and_found_after_the_lag() {
        let mut tenant = acme();
        tenant.log_lag_ms = 1000;
        let all = token(&mut tenant, None);
        let made = send(&mut tenant, Method::Post, "/api/v2/roles", &json!({"name": "Reader"}), Some(&all));
        assert_eq!(made.status, 200);
        let find = |tenant: &mut Tenant, now_ms| {
            let mut request = Request::new(Method::Get, "/api/v2/logs?q=type%3Asapi");
            request.authorization = Some(format!("Bearer {all}"));
            tenant.handle(&request, now_ms).body.unwrap()
        };
        assert_eq!(find(&mut tenant, NOW + 999), json!([]));
        let entries = find(&mut tenant, NOW + 1000);
        let entry = &entries[0];
        assert_eq!(entry["description"], "Create a role");
        assert_eq!(entry["client_name"], "Tenantry Deployer");
        assert_eq!(entry["references"]["correlation_id"], "tenantry/01/1");
        assert_eq!(entry["details"]["request"]["method"], "post");
        assert_eq!(entry["details"]["request"]["path"], "/api/v2/roles");
        assert_eq!(entry["details"]["response"]["body"]["id"], made.body.unwrap()["id"]);
        let id = entry["log_id"].as_str().unwrap();
        let single = send(&mut tenant, Method::Get, &format!("/api/v2/logs/{id}"), &Value::Null, Some(&all));
        assert_eq!(single.body.as_ref(), Some(entry));
        let none = send(&mut tenant, Method::Get, "/api/v2/logs/900", &Value::Null, Some(&all));
        assert_eq!(none.status, 404);
        let after = format!("/api/v2/logs?from={id}&take=10");
        assert_eq!(send(&mut tenant, Method::Get, &after, &Value::Null, Some(&all)).body, Some(json!([])));
    }

    #[test]
    fn a_dashboard_user_is_named_in_the_log() {
        let mut tenant = acme();
        let dana = tenant.dashboard_token("Dana", "dana@travel0.com", NOW).unwrap();
        assert_eq!(send(&mut tenant, Method::Post, "/api/v2/roles", &json!({"name": "R"}), Some(&dana)).status, 200);
        let entry = tenant.state.logs.last().unwrap();
        assert_eq!(entry["user_name"], "Dana");
        assert_eq!(entry["details"]["request"]["auth"]["user"]["email"], "dana@travel0.com");
        assert_eq!(entry["details"]["request"]["channel"], "https://manage.auth0.com/");
    }

    #[test]
    fn the_token_endpoint_refuses_in_the_shape_of_oauth() {
        let mut tenant = acme();
        let Credentials { client_id, client_secret } = tenant.credentials();
        let good = json!({
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret,
            "audience": "https://127.0.0.1:4000/api/v2/",
        });
        assert_eq!(send(&mut tenant, Method::Post, "/oauth/token", &good, None).status, 200);
        for (member, value, status, error) in [
            ("client_secret", json!("wrong"), 401, "access_denied"),
            ("client_secret", Value::Null, 401, "access_denied"),
            ("client_id", json!("nobody"), 401, "access_denied"),
            ("grant_type", json!("password"), 403, "unsupported_grant_type"),
            ("grant_type", Value::Null, 403, "invalid_request"),
            ("audience", json!("https://nowhere"), 403, "access_denied"),
            ("audience", Value::Null, 403, "access_denied"),
        ] {
            let mut body = good.clone();
            body[member] = value;
            let answer = send(&mut tenant, Method::Post, "/oauth/token", &body, None);
            let got = answer.body.unwrap();
            assert_eq!((answer.status, got["error"].as_str()), (status, Some(error)), "{member}");
            assert!(got["error_description"].is_string() && got.get("message").is_none());
        }
        tenant.state.collections.shift_remove("client_grants");
        let ungranted = send(&mut tenant, Method::Post, "/oauth/token", &good, None);
        assert_eq!(ungranted.status, 403);
    }

    #[test]
    fn a_reset_forgets_objects_and_keeps_credentials_and_tokens() {
        let mut tenant = acme();
        let fresh = tenant.state.clone();
        let all = token(&mut tenant, None);
        tenant.state.clock_offset_ms = 5;
        send(&mut tenant, Method::Post, "/api/v2/roles", &json!({"name": "R"}), Some(&all));
        let credentials = tenant.credentials();
        tenant.reset(NOW);
        assert_eq!(tenant.credentials(), credentials);
        assert_eq!(tenant.state.clock_offset_ms, 5);
        assert_eq!(tenant.state.collections, fresh.collections);
        let answer = send(&mut tenant, Method::Get, "/api/v2/roles", &Value::Null, Some(&all));
        assert_eq!(answer.body, Some(json!([])));
    }
}
