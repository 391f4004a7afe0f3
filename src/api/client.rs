//! [`Client`]: what others see of the connection to a tenant.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::auth::{Authority, SKEW_WORTH_NAMING, Tokens, clock_skew};
use super::call::{Body, Call, Inner};
use super::clock::Clock;
use super::error::Failure;
use super::origin::{Origin, domain_of_audience};
use super::pace::Pace;
use super::page::{ListStyle, Listing};
use super::settings::{Credentials, Settings};
use super::transport;
use crate::problem::Problem;

/// A request that changes something.
#[derive(Clone)]
pub struct Write {
    /// POST, PUT, PATCH or DELETE.
    pub method: Method,
    /// Path below `/api/v2`, segments already encoded (see [`encode_segment`](crate::codec::encode_segment)).
    pub path: String,
    /// The body, if any.
    pub body: Option<Value>,
    /// Kept by Auth0 in the tenant's log; at most 64 characters (Auth0 documentation, Management API).
    pub correlation_id: Option<String>,
}

impl fmt::Debug for Write {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Write { method, path, body: _, correlation_id } = self;
        let mut out = f.debug_struct("Write");
        out.field("method", method).field("path", path).field("correlation_id", correlation_id).finish_non_exhaustive()
    }
}

/// A file sent to the Management API in parts (`multipart/form-data`).
#[derive(Clone)]
pub struct Upload {
    /// Path below `/api/v2`.
    pub path: String,
    /// The parts that are plain text: name, value.
    pub fields: Vec<(&'static str, String)>,
    /// Name of the part that holds the file.
    pub name: &'static str,
    /// The file, JSON.
    pub file: Vec<u8>,
}

impl Upload {
    pub(super) fn form(&self) -> reqwest::multipart::Form {
        let mut form = reqwest::multipart::Form::new();
        for (name, value) in &self.fields {
            form = form.text(*name, value.clone());
        }
        let file = reqwest::multipart::Part::bytes(self.file.clone()).file_name(format!("{}.json", self.name));
        form.part(self.name, file)
    }
}

/// What a write was answered.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// HTTP status: a success, or 404 for a DELETE that was sent again after its answer was lost.
    pub status: u16,
    /// The body; null where there was none.
    pub body: Value,
    /// The server's time.
    pub date: Option<Timestamp>,
}

impl fmt::Debug for Answer {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { status, body: _, date } = self;
        f.debug_struct("Answer").field("status", status).field("date", date).finish_non_exhaustive()
    }
}

/// Counts of a client's life so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    /// Requests sent to the Management API, repetitions included.
    pub requests: u64,
    /// Repetitions among them.
    pub retries: u64,
    /// Time that requests spent waiting for their turn or for a repetition, summed over requests.
    pub waited: Duration,
    /// The rate found out, requests per second of our share; `None` before the server told a limit.
    pub rate: Option<f64>,
}

/// A connection to one tenant's Management API. Clones share everything.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    cancel: CancellationToken,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing else: the token is in there.
        f.debug_struct("Client").field("domain", &self.inner.domain).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects: gets a token and reads what it says.
    ///
    /// # Errors
    ///
    /// `bad-domain`, `plain-http`, `bad-ca-file`, `bad-proxy`, `bad-key`, `bad-token`, `token-expired`, `no-network`,
    /// `tls-failure`, `not-auth0`, `wrong-secret`, `no-grant`, `wrong-audience`, `clock-skew`, `rate-limited`, `server-error`,
    /// `token-refused`, `interrupted`.
    pub async fn connect(settings: Settings, cancel: CancellationToken) -> Result<Client, Problem> {
        Self::connect_on(settings, cancel, Clock::default()).await
    }

    /// Connects on a clock of choice.
    pub(super) async fn connect_on(
        settings: Settings,
        cancel: CancellationToken,
        clock: Clock,
    ) -> Result<Client, Problem> {
        let origin = Origin::parse(&settings.domain)?;
        let http = transport::build(&settings, &origin)?;
        let audience = settings.audience.clone().unwrap_or_else(|| origin.audience());
        let authority = Authority {
            http: http.clone(),
            origin: origin.clone(),
            audience: audience.clone(),
            credentials: settings.credentials.clone(),
            max_retries: settings.max_retries,
            clock: clock.clone(),
            cancel: cancel.clone(),
        };
        let (tokens, grant) = Tokens::connect(authority).await?;
        let domain = [grant.audience.as_deref(), Some(audience.as_str())]
            .into_iter()
            .flatten()
            .find_map(domain_of_audience)
            .unwrap_or_else(|| origin.host())
            .to_owned();
        let client_id = grant.client_id.or(match settings.credentials {
            Credentials::Secret { client_id, .. } | Credentials::PrivateKey { client_id, .. } => Some(client_id),
            Credentials::Token(_) => None,
        });
        let telemetry = json!({ "name": "tenantry", "version": env!("CARGO_PKG_VERSION") });
        Ok(Client {
            inner: Arc::new(Inner {
                http,
                origin,
                tokens,
                pace: Pace::new(settings.budget, clock.clone()),
                clock,
                deadline: settings.deadline,
                max_retries: settings.max_retries,
                telemetry: STANDARD.encode(telemetry.to_string()),
                domain,
                client_id,
                scopes: grant.scopes,
                skew: Mutex::new(grant.skew),
                requests: AtomicU64::new(0),
                retries: AtomicU64::new(0),
                waited_ms: AtomicU64::new(0),
            }),
            cancel,
        })
    }

    /// Returns the same connection for what has to be ended properly: an interruption does not stop it.
    #[must_use]
    pub fn finishing(&self) -> Client {
        Client { inner: Arc::clone(&self.inner), cancel: CancellationToken::new() }
    }

    /// Returns the tenant's canonical domain: what the token's audience names, else the domain configured.
    pub fn domain(&self) -> &str {
        &self.inner.domain
    }

    /// Returns the id of the client that Tenantry acts as, where the token or the credentials tell.
    pub fn client_id(&self) -> Option<&str> {
        self.inner.client_id.as_deref()
    }

    /// Returns the scopes of the token; `None` where nobody said.
    pub fn scopes(&self) -> Option<&[String]> {
        self.inner.scopes.as_deref()
    }

    /// Returns how far the server's clock is ahead of this machine's (negative: behind), to about a second.
    ///
    /// `None` before the first answer, which a token that was given does not need.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        *self.inner.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time on the server's clock, as far as known.
    pub fn server_now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.clock_skew().and_then(|skew| now.checked_add(skew).ok()).unwrap_or(now)
    }

    /// Returns what people should know about the connection though it works: a clock that is wrong by a minute or more.
    pub fn warnings(&self) -> Vec<Problem> {
        self.clock_skew()
            .filter(|skew| skew.abs() >= SKEW_WORTH_NAMING)
            .map(|skew| clock_skew(skew, Problem::warning))
            .into_iter()
            .collect()
    }

    /// Reads one object. Segments of `path` are already encoded (see [`encode_segment`](crate::codec::encode_segment)).
    ///
    /// # Errors
    ///
    /// Any [`Failure`] but [`Failure::InDoubt`].
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let path = path.trim_start_matches('/');
        let call = Call { method: Method::GET, path, query, body: None, correlation_id: None, cancel: &self.cancel };
        Ok(self.inner.call(&call).await?.body)
    }

    /// Reads all rows of a list.
    ///
    /// # Errors
    ///
    /// Any [`Failure`] but [`Failure::InDoubt`]; [`Failure::BadAnswer`] too for a list that cannot be read whole.
    pub async fn list(&self, path: &str, query: &[(&str, &str)], style: &ListStyle) -> Result<Vec<Value>, Failure> {
        self.list_keeping(path, query, style, Some).await
    }

    /// Reads a whole list as [`Client::list`] does, and keeps of each row what `keep` gives: a long list is not held as it came.
    ///
    /// # Errors
    ///
    /// Those of [`Client::list`].
    pub async fn list_keeping<T>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        style: &ListStyle,
        keep: impl Fn(Value) -> Option<T>,
    ) -> Result<Vec<T>, Failure> {
        let path = path.trim_start_matches('/');
        Listing { client: self, path, query }.read(style, keep).await
    }

    /// Writes.
    ///
    /// A POST is not sent again once it may have reached the server, unless the server said that it was not processed (429, 401).
    /// Anything else is: it does the same twice.
    ///
    /// # Errors
    ///
    /// Any [`Failure`]; [`Failure::InDoubt`] when nobody knows whether the write was done.
    pub async fn send(&self, write: Write) -> Result<Answer, Failure> {
        let call = Call {
            method: write.method,
            path: write.path.trim_start_matches('/'),
            query: &[],
            body: write.body.as_ref().map(Body::Json),
            correlation_id: write.correlation_id.as_deref(),
            cancel: &self.cancel,
        };
        self.inner.call(&call).await
    }

    /// Sends a file, as [`Client::send`] sends a POST.
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    pub async fn upload(&self, upload: &Upload) -> Result<Answer, Failure> {
        let call = Call {
            method: Method::POST,
            path: upload.path.trim_start_matches('/'),
            query: &[],
            body: Some(Body::Upload(upload)),
            correlation_id: None,
            cancel: &self.cancel,
        };
        self.inner.call(&call).await
    }

    /// Waits, as for a job that takes its time.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`].
    pub async fn wait(&self, time: Duration) -> Result<(), Failure> {
        if self.inner.clock.wait(time, &self.cancel).await { Ok(()) } else { Err(Failure::Cancelled) }
    }

    pub(super) fn inside(&self) -> (&Inner, &CancellationToken) {
        (&self.inner, &self.cancel)
    }

    /// Returns counts so far.
    pub fn statistics(&self) -> Statistics {
        let inner = &self.inner;
        Statistics {
            requests: inner.requests.load(Ordering::Relaxed),
            retries: inner.retries.load(Ordering::Relaxed),
            waited: inner.pace.waited() + Duration::from_millis(inner.waited_ms.load(Ordering::Relaxed)),
            rate: inner.pace.rate(),
        }
    }
}
