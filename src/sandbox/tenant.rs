//! The simulated tenant: a request goes in, an answer comes out, and nothing else happens.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::call::{ApiError, Call, Caller, Method, Reply};
use super::contract::{self, MAX_BODY_BYTES, Operation};
use super::request::{Answer, Request};
use super::route::Handler;
use super::state::State;
use super::token::{self, Claims};
use super::{family, log, oauth, service};

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl Tenant {
    /// Returns a tenant as nobody has configured it, with a client that may do everything.
    pub fn fresh(domain: &str, seed: u64, now_ms: i64) -> Tenant {
        Tenant::made(domain, seed, now_ms, None)
    }

    /// Returns a tenant that remembers.
    pub fn resumed(state: State) -> Tenant {
        Tenant {
            state,
            log_lag_ms: 0,
            routes: routes(),
        }
    }

    fn made(domain: &str, seed: u64, now_ms: i64, kept: Option<Credentials>) -> Tenant {
        let state = State {
            version: 1,
            domain: domain.to_owned(),
            seed,
            ..State::default()
        };
        let mut tenant = Tenant::resumed(state);
        family::bootstrap(&mut tenant.state, now_ms);
        tenant.add_deployer(kept);
        tenant
    }

    /// Forgets everything but credentials, tokens, clock and subscription.
    pub fn reset(&mut self, now_ms: i64) {
        let fresh = Tenant::made(
            &self.state.domain,
            self.state.seed,
            now_ms,
            Some(self.credentials()),
        );
        let old = std::mem::replace(&mut self.state, fresh.state);
        self.state.clock_offset_ms = old.clock_offset_ms;
        if let Some(features) = old.documents.get("$features") {
            self.state
                .documents
                .insert("$features".to_owned(), features.clone());
        }
    }

    /// Returns the credentials of the deployer's own client.
    pub fn credentials(&self) -> Credentials {
        let member = |name: &str| {
            let document = self.state.documents.get(DEPLOYER);
            document
                .and_then(|document| document.get(name)?.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        Credentials {
            client_id: member("client_id"),
            client_secret: member("client_secret"),
        }
    }

    fn add_deployer(&mut self, kept: Option<Credentials>) {
        let drawn = Credentials {
            client_id: self.state.alphanumeric(32),
            client_secret: self.state.alphanumeric(64),
        };
        let Credentials {
            client_id,
            client_secret,
        } = kept.unwrap_or(drawn);
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
        self.state
            .documents
            .insert(DEPLOYER.to_owned(), credentials);
        self.state
            .collection_mut("clients")
            .insert(client_id, client);
        self.state
            .collection_mut("client_grants")
            .insert(grant_id, grant);
    }

    /// Answers a request to the Management API or the token endpoint.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        match request.segments(API) {
            Some(segments) => self
                .api(request, segments, now_ms)
                .unwrap_or_else(Answer::from),
            None => match (request.method, request.path()) {
                (Method::Post, "/oauth/token") => oauth::token(&mut self.state, request, now_ms),
                // Tokens are signed with a symmetric key: there is no public one to publish.
                (Method::Get, "/.well-known/jwks.json") => Answer {
                    status: 200,
                    body: Some(json!({"keys": []})),
                },
                _ => not_found().into(),
            },
        }
    }

    /// Returns a token that acts as a dashboard user with every scope.
    ///
    /// # Errors
    /// None in practice: signing with a symmetric key does not fail.
    pub fn dashboard_token(
        &mut self,
        name: &str,
        email: &str,
        now_ms: i64,
    ) -> Result<String, ApiError> {
        let claims = Claims {
            iss: format!("https://{}/", self.state.domain),
            sub: format!("auth0|{}", self.state.hex(24)),
            aud: token::management_audience(&self.state),
            iat: now_ms / 1000,
            exp: now_ms / 1000 + token::LIFETIME_S,
            scope: contract::all_scopes().join(" "),
            gty: None,
            azp: self.state.alphanumeric(32),
            jti: self.state.hex(32),
            user: Some((name.to_owned(), email.to_owned())),
        };
        token::issue(&self.state, &claims).map_err(|error| ApiError::bare(500, error.to_string()))
    }

    fn api(
        &mut self,
        request: &Request,
        segments: Vec<String>,
        now_ms: i64,
    ) -> Result<Answer, ApiError> {
        let contract = contract::embedded();
        let found = contract
            .find(request.method, &segments)
            .ok_or_else(not_found)?;
        let operation = found.operation;
        let handler = *self
            .routes
            .get(&(request.method, plain(&operation.template)))
            .ok_or_else(not_found)?;
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
            Call {
                now_ms: now_ms.saturating_sub(self.log_lag_ms),
                ..call
            }
        } else {
            call
        };
        let Reply { status, body } = handler(&mut self.state, &call)?;
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
    all.map(|route| ((route.method, plain(route.template)), route.handler))
        .collect()
}

/// Takes the names out of a template, so that two spellings of a parameter are one: `/clients/{}`.
fn plain(template: &str) -> String {
    let segments = template.split('/').map(|segment| {
        if segment.starts_with('{') {
            "{}"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

fn permitted(operation: &Operation, claims: &Claims) -> Result<(), ApiError> {
    let mut given = claims.scope.split(' ');
    if given.any(|scope| operation.scopes.iter().any(|wanted| wanted == scope)) {
        return Ok(());
    }
    let message = format!(
        "Insufficient scope, expected any of: {}",
        operation.scopes.join(",")
    );
    Err(ApiError::new(403, "insufficient_scope", message))
}

fn parsed(request: &Request) -> Result<Value, ApiError> {
    if request.body.len() > MAX_BODY_BYTES {
        let message =
            format!("Payload content length greater than maximum allowed: {MAX_BODY_BYTES}");
        return Err(ApiError::bare(413, message));
    }
    if request.method == Method::Get || request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    if request
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("multipart/"))
    {
        return Ok(Value::String(
            String::from_utf8_lossy(&request.body).into_owned(),
        ));
    }
    serde_json::from_slice(&request.body)
        .map_err(|_| ApiError::bare(400, "Invalid request payload JSON format"))
}

fn caller(request: &Request, claims: &Claims) -> Caller {
    Caller {
        client_id: if claims.user.is_some() {
            String::new()
        } else {
            claims.azp.clone()
        },
        scopes: claims.scope.split(' ').map(str::to_owned).collect(),
        user: claims.user.clone(),
        ip: request.ip.clone(),
        user_agent: request.user_agent.clone(),
        correlation_id: request
            .correlation_id
            .as_ref()
            .map(|id| id.chars().take(64).collect()),
    }
}
