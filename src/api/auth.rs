//! Tokens: how one is got, what it says, when it is renewed.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::Signals;
use super::clock::{Clock, random};
use super::error::{shortened, unreachable};
use super::origin::Origin;
use super::settings::{Credentials, SigningAlgorithm};
use super::transport::Trouble;
use crate::model::Secret;
use crate::problem::Problem;

/// Beyond this an assertion or a lock's expiry can be misjudged; below it nothing of ours cares.
pub(super) const SKEW_WORTH_NAMING: SignedDuration = SignedDuration::from_secs(60);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ASSERTION_LIFETIME: i64 = 120;
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);

/// A token and what is known about it.
pub(super) struct Grant {
    pub(super) bearer: Secret,
    /// Lifetime, where the server said.
    pub(super) expires_in: Option<Duration>,
    /// The `aud` claim that names a Management API.
    pub(super) audience: Option<String>,
    /// The `azp` claim: the client it was given to.
    pub(super) client_id: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    /// How far the server's clock is ahead of ours.
    pub(super) skew: Option<SignedDuration>,
}

/// A token for requests, numbered so that two requests do not renew it twice.
#[derive(Clone)]
pub(super) struct Bearer {
    pub(super) token: Secret,
    generation: u64,
}

/// Gives tokens, renewed in time.
pub(super) struct Tokens {
    authority: Authority,
    clock: Clock,
    current: tokio::sync::Mutex<Current>,
}

struct Current {
    bearer: Bearer,
    renew_at: Option<Instant>,
}

/// The token endpoint and what is asked of it.
pub(super) struct Authority {
    pub(super) http: reqwest::Client,
    pub(super) origin: Origin,
    pub(super) audience: String,
    pub(super) credentials: Credentials,
    pub(super) max_retries: u32,
    pub(super) clock: Clock,
    pub(super) cancel: CancellationToken,
}

impl Tokens {
    /// Gets the first token.
    ///
    /// # Errors
    ///
    /// Those of [`Authority::grant`].
    pub(super) async fn connect(authority: Authority) -> Result<(Self, Grant), Problem> {
        let grant = authority.grant().await?;
        let clock = authority.clock.clone();
        let current = Current {
            bearer: Bearer { token: grant.bearer.clone(), generation: 0 },
            renew_at: authority.renew_at(&grant),
        };
        Ok((Tokens { authority, clock, current: tokio::sync::Mutex::new(current) }, grant))
    }

    /// Returns a token that is good for a while.
    pub(super) async fn bearer(&self) -> Result<Bearer, Problem> {
        let mut current = self.current.lock().await;
        if current.renew_at.is_some_and(|at| at <= self.clock.now()) {
            self.renew(&mut current).await?;
        }
        Ok(current.bearer.clone())
    }

    /// Says whether there is, or can be, a better token than the one the server refused.
    pub(super) async fn replace(&self, refused: &Bearer) -> Result<bool, Problem> {
        if matches!(self.authority.credentials, Credentials::Token(_)) {
            return Ok(false);
        }
        let mut current = self.current.lock().await;
        if current.bearer.generation == refused.generation {
            self.renew(&mut current).await?;
        }
        Ok(true)
    }

    async fn renew(&self, current: &mut Current) -> Result<(), Problem> {
        let grant = self.authority.grant().await?;
        current.renew_at = self.authority.renew_at(&grant);
        current.bearer = Bearer { token: grant.bearer, generation: current.bearer.generation + 1 };
        Ok(())
    }
}

impl Authority {
    /// When to ask for the next token: a tenth of the lifetime early, at most five minutes.
    fn renew_at(&self, grant: &Grant) -> Option<Instant> {
        if matches!(self.credentials, Credentials::Token(_)) {
            return None;
        }
        let lifetime = grant.expires_in?;
        let early = (lifetime / 10).min(Duration::from_secs(300));
        self.clock.now().checked_add(lifetime - early)
    }

    /// Gets a token.
    ///
    /// # Errors
    ///
    /// `wrong-secret`, `no-grant`, `wrong-audience`, `not-auth0`, `clock-skew`, `bad-key`, `token-expired`, `no-network`,
    /// `tls-failure`, `rate-limited`, `server-error`, `interrupted`.
    pub(super) async fn grant(&self) -> Result<Grant, Problem> {
        let form = match &self.credentials {
            Credentials::Token(token) => return given(token),
            Credentials::Secret { client_id, client_secret } => {
                json!({ "client_id": client_id, "client_secret": client_secret.expose() })
            }
            Credentials::PrivateKey { client_id, pem, algorithm } => json!({
                "client_id": client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self.assertion(client_id, pem, *algorithm)?,
            }),
        };
        let mut form = form;
        form["grant_type"] = json!("client_credentials");
        form["audience"] = json!(self.audience);
        let mut attempt = 0;
        loop {
            if self.cancel.is_cancelled() {
                return Err(super::Failure::Cancelled.problem());
            }
            let (problem, wait, retries) = match self.ask(&form).await {
                Ok(grant) => return Ok(grant),
                Err(Asked::Final(problem)) => return Err(problem),
                Err(Asked::Nobody(problem)) => (problem, None, MAX_CONNECT_RETRIES),
                Err(Asked::Passing(problem, wait)) => (problem, wait, MAX_TOKEN_RETRIES),
            };
            if attempt >= self.max_retries.min(retries) {
                return Err(problem);
            }
            let wait = super::call::backoff(attempt, wait);
            attempt += 1;
            if !self.clock.wait(wait, &self.cancel).await {
                return Err(super::Failure::Cancelled.problem());
            }
        }
    }

    async fn ask(&self, form: &Value) -> Result<Grant, Asked> {
        let started = self.clock.now();
        let sent = self.http.post(self.origin.token_endpoint()).timeout(TOKEN_TIMEOUT).json(form).send().await;
        let lost = |error: reqwest::Error| {
            let trouble = Trouble::of(&error, self.origin.host());
            let problem = unreachable(trouble.cause, &trouble.reason);
            match trouble.cause {
                super::Cause::Tls => Asked::Final(problem),
                super::Cause::Network if !trouble.sent && !trouble.timed_out => Asked::Nobody(problem),
                super::Cause::Network => Asked::Passing(problem, None),
            }
        };
        let response = sent.map_err(lost)?;
        let status = response.status().as_u16();
        let signals = Signals::read(response.headers(), Timestamp::now());
        let skew = signals.date.map(|date| date.duration_since(Timestamp::now()));
        let bytes = response.bytes().await.map_err(lost)?;
        let ms = self.clock.now().saturating_duration_since(started).as_millis();
        tracing::debug!(method = "POST", path = "/oauth/token", status, ms, "request");
        let body: Option<Value> = serde_json::from_slice(&bytes).ok();
        let token = body.as_ref().and_then(|b| b.get("access_token")).and_then(Value::as_str);
        if let (200..300, Some(body), Some(token)) = (status, &body, token) {
            return Ok(granted(token, body, skew));
        }
        Err(self.refused(status, body.as_ref(), &signals, skew))
    }

    fn refused(&self, status: u16, body: Option<&Value>, signals: &Signals, skew: Option<SignedDuration>) -> Asked {
        // The token endpoint speaks OAuth: `error` and `error_description`.
        let text = |key: &str| body.and_then(|b| b.get(key)).and_then(Value::as_str).map(shortened);
        let error = text("error");
        let said = text("error_description").or_else(|| text("message")).or_else(|| error.clone());
        let host = self.origin.host();
        if status == 429 {
            let problem = Problem::error(
                "rate-limited",
                format!("{host} answers the request for a token with too many requests"),
            )
            .help("run again later");
            return Asked::Passing(problem, signals.retry_after.or(signals.reset));
        }
        if status >= 500 {
            let problem = Problem::error("server-error", format!("{host} failed to give a token ({status})"))
                .help("see https://status.auth0.com, then run again");
            return Asked::Passing(problem, signals.retry_after);
        }
        let (Some(error), Some(said)) = (error, said) else {
            return Asked::Final(self.not_auth0(status, body.is_some()));
        };
        if status == 404 {
            return Asked::Final(self.not_auth0(status, true));
        }
        Asked::Final(self.denied(status, &error, &said, skew))
    }

    fn not_auth0(&self, status: u16, is_json: bool) -> Problem {
        let what = if is_json { "JSON that no token endpoint sends" } else { "something that is not JSON" };
        let host = self.origin.host();
        Problem::error("not-auth0", format!("{host} is not an Auth0 tenant"))
            .note(format!("its token endpoint answered {status} with {what}"))
            .help("check the domain: it is the tenant's, as in travel0.eu.auth0.com, not the application's")
    }

    fn denied(&self, status: u16, error: &str, said: &str, skew: Option<SignedDuration>) -> Problem {
        let host = self.origin.host();
        let quote = format!("Auth0 says: {said}");
        let is_key = matches!(self.credentials, Credentials::PrivateKey { .. });
        if is_key && let Some(skew) = skew.filter(|skew| skew.abs() >= SKEW_WORTH_NAMING) {
            return clock_skew(skew, Problem::error).note(quote).note("a signed assertion is valid for two minutes");
        }
        if said.starts_with("Service not found") {
            return Problem::error("wrong-audience", format!("{host} has no API `{}`", self.audience))
                .note(quote)
                .help("with a custom domain, set AUTH0_AUDIENCE to https://TENANT.auth0.com/api/v2/");
        }
        if said.contains("not authorized to access") || error == "unauthorized_client" {
            return Problem::error("no-grant", "the client may not use the Management API").note(quote).help(
                "authorize it: in the dashboard under Applications, APIs, Auth0 Management API, Application Access",
            );
        }
        if status == 401 || error == "invalid_client" || error == "access_denied" {
            let (what, variables) = match self.credentials {
                Credentials::PrivateKey { .. } => ("key", "AUTH0_CLIENT_ID and AUTH0_CLIENT_SIGNING_KEY_PATH"),
                _ => ("secret", "AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET"),
            };
            return Problem::error("wrong-secret", format!("{host} does not accept the client's id and {what}"))
                .note(quote)
                .help(format!("check {variables}, and that they belong to this tenant"));
        }
        Problem::error("token-refused", format!("{host} gives no token ({status} {error})")).note(quote)
    }

    fn assertion(&self, client_id: &str, pem: &Secret, algorithm: SigningAlgorithm) -> Result<String, Problem> {
        let bad = |why: String| {
            Problem::error("bad-key", format!("{} is not a usable RSA private key", pem.source()))
                .note(why)
                .help("give the key in PEM form, as in -----BEGIN PRIVATE KEY-----")
        };
        let key = EncodingKey::from_rsa_pem(pem.expose().as_bytes()).map_err(|error| bad(error.to_string()))?;
        let algorithm = match algorithm {
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::Rs384 => Algorithm::RS384,
            SigningAlgorithm::Ps256 => Algorithm::PS256,
        };
        let now = Timestamp::now().as_second();
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": self.origin.root(),
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
            "jti": format!("{:016x}{:016x}", random(), random()),
        });
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).map_err(|error| bad(error.to_string()))
    }
}

/// More would only make a wrong set-up slower to notice.
const MAX_TOKEN_RETRIES: u32 = 3;

/// A name that does not resolve or a port nobody listens on is nearly always a wrong domain.
const MAX_CONNECT_RETRIES: u32 = 1;

enum Asked {
    Final(Problem),
    /// Nobody was reached at all.
    Nobody(Problem),
    Passing(Problem, Option<Duration>),
}

/// Says that the clocks differ; `build` chooses how bad that is.
pub(super) fn clock_skew(skew: SignedDuration, build: fn(&'static str, String) -> Problem) -> Problem {
    let way = if skew.is_negative() { "ahead of" } else { "behind" };
    let seconds = skew.abs().as_secs();
    let size = if seconds >= 120 { format!("{} minutes", (seconds + 30) / 60) } else { format!("{seconds} seconds") };
    build("clock-skew", format!("the clock of this machine is {size} {way} the tenant's"))
        .help("set the clock, for instance with NTP")
}

/// Reads an answer of the token endpoint.
fn granted(token: &str, body: &Value, skew: Option<SignedDuration>) -> Grant {
    let mut grant = described(Secret::new(token, "the access token"));
    grant.skew = skew;
    grant.expires_in = body.get("expires_in").and_then(Value::as_u64).map(Duration::from_secs);
    if let Some(scope) = body.get("scope").and_then(Value::as_str) {
        grant.scopes = Some(words(scope));
    }
    grant
}

/// Checks a token that was given.
fn given(token: &Secret) -> Result<Grant, Problem> {
    let has_expired = claims(token.expose())
        .and_then(|claims| claims.get("exp")?.as_i64())
        .is_some_and(|exp| exp <= Timestamp::now().as_second());
    if has_expired {
        return Err(Problem::error("token-expired", "the access token given has expired")
            .help("get a new one, or give credentials that Tenantry can get tokens with"));
    }
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::error("bad-token", format!("{} is not an access token", token.source())));
    }
    Ok(described(token.clone()))
}

/// Reads what a token says of itself; one that is not a JWT says nothing.
fn described(bearer: Secret) -> Grant {
    let claims = claims(bearer.expose()).unwrap_or_default();
    let text = |key: &str| claims.get(key).and_then(Value::as_str).map(str::to_owned);
    let audience = match claims.get("aud") {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_str)
            .find(|aud| super::origin::domain_of_audience(aud).is_some())
            .map(str::to_owned),
        _ => text("aud"),
    };
    Grant {
        audience,
        client_id: text("azp"),
        scopes: claims.get("scope").and_then(Value::as_str).map(words),
        expires_in: None,
        skew: None,
        bearer,
    }
}

fn words(scope: &str) -> Vec<String> {
    scope.split_whitespace().map(str::to_owned).collect()
}

/// Reads the claims of a JWT without judging its signature: that is the server's affair.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).or_else(|_| URL_SAFE.decode(payload)).ok()?;
    serde_json::from_slice(&bytes).ok()
}
