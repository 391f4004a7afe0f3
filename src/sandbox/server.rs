//! Serves a tenant over HTTP or HTTPS on loopback: everything around it that is I/O.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Extracted};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::call::{ApiError, Method};
use super::fault::{Faults, Stage};
use super::options::{DEFAULT_DOMAIN, Fault, Options};
use super::rate::{Headers, Limiter};
use super::request::{Answer, Request};
use super::store::{self, Recorder, Store};
use super::tenant::{API, Credentials, Tenant};
use super::{control, download, oauth, tls};

/// Bytes of a body that are read at all; above the API's own limit, so that this one can be answered as the API does.
const READ_BYTES: usize = 64 << 20;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The state file cannot be used.
    #[error("cannot use the state file {path}: {reason}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The record file cannot be opened.
    #[error("cannot record to {path}: {source}")]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates cannot be made.
    #[error("cannot make certificates: {0}")]
    Tls(String),
}

/// A sandbox that serves. Dropping it ends it at once; [`Running::stop`] lets what is in flight finish.
pub struct Running {
    /// `http://127.0.0.1:PORT`, or `https:`.
    pub url: String,
    /// `127.0.0.1:PORT`, for tools that take a domain.
    pub domain: String,
    /// Canonical domain of the tenant.
    pub tenant_domain: String,
    /// Client id of the deployer.
    pub client_id: String,
    /// Client secret of the deployer.
    pub client_secret: String,
    /// Certificate of the CA with TLS, PEM.
    pub ca_pem: Option<String>,
    /// File with the same, removed when the sandbox ends.
    pub ca_file: Option<PathBuf>,
    ca_guard: Option<tempfile::TempPath>,
    handle: Handle<SocketAddr>,
    task: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Ends the sandbox; requests in flight get a second to finish.
    pub async fn stop(mut self) {
        self.handle.graceful_shutdown(Some(Duration::from_secs(1)));
        if let Some(task) = self.task.take() {
            // The state is on disk since the last answer; how the listener ended changes nothing.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.ca_guard.take();
    }
}

/// What all connections share.
pub(super) struct Shared {
    tenant: Mutex<Tenant>,
    limiter: Mutex<Limiter>,
    faults: Mutex<Faults>,
    recorder: Option<Recorder>,
    store: Option<Store>,
    latency: Duration,
    /// Where it listens, as links have to begin.
    origin: String,
    /// Changes of the state so far.
    changes: AtomicU64,
}

/// A panic while the lock was held would have left a whole state all the same: handlers change it in one go.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn tenant(&self) -> MutexGuard<'_, Tenant> {
        locked(&self.tenant)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        locked(&self.faults)
    }

    pub(super) fn machine_ms() -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    /// The time by the sandbox's clock.
    pub(super) fn now_ms(&self) -> i64 {
        Self::machine_ms().saturating_add(self.tenant().state.clock_offset_ms)
    }

    /// Returns when the state as it is now is on disk.
    async fn saved(&self) -> Result<(), ApiError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let change = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        let snapshot = || {
            let tenant = self.tenant();
            let number = self.changes.load(Ordering::SeqCst);
            (serde_json::to_vec(&tenant.state).unwrap_or_default(), number)
        };
        store.reach(change, snapshot).await.map_err(|error| ApiError::bare(500, format!("state file: {error}")))
    }
}

/// Starts a sandbox.
///
/// # Errors
/// The port, a file or the certificates cannot be used.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let tenant = tenant(&options)?;
    let Credentials { client_id, client_secret } = tenant.credentials();
    let tenant_domain = tenant.state.domain.clone();
    let recorder = match &options.record {
        Some(path) => Some(Recorder::open(path).map_err(|source| StartError::Record { path: path.clone(), source })?),
        None => None,
    };
    let listen = |source| StartError::Listen { port: options.port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let origin = format!("{}://{address}", if options.tls { "https" } else { "http" });
    let shared = Arc::new(Shared {
        tenant: Mutex::new(tenant),
        limiter: Mutex::new(Limiter::new(options.rate)),
        faults: Mutex::new(Faults::new(options.fault, options.seed)),
        recorder,
        store: options.state_file.map(Store::new),
        latency: options.latency,
        origin: origin.clone(),
        changes: AtomicU64::new(0),
    });

    let service =
        axum::Router::new().fallback(serve).with_state(shared).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::<SocketAddr>::new();
    let (mut ca_pem, mut ca_file, mut ca_guard) = (None, None, None);
    let task = if options.tls {
        let made = tls::make().map_err(StartError::Tls)?;
        let guard = ca_written(&made.ca_pem).map_err(|error| StartError::Tls(error.to_string()))?;
        ca_file = Some(guard.to_path_buf());
        ca_guard = Some(guard);
        ca_pem = Some(made.ca_pem);
        let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(made.config)).map_err(listen)?;
        tokio::spawn(server.handle(handle.clone()).serve(service))
    } else {
        let server = axum_server::from_tcp(listener).map_err(listen)?;
        tokio::spawn(server.handle(handle.clone()).serve(service))
    };
    Ok(Running {
        url: origin,
        domain: address.to_string(),
        tenant_domain,
        client_id,
        client_secret,
        ca_pem,
        ca_file,
        ca_guard,
        handle,
        task: Some(task),
    })
}

fn ca_written(pem: &str) -> io::Result<tempfile::TempPath> {
    let mut file = tempfile::Builder::new().prefix("tenantry-ca-").suffix(".pem").tempfile()?;
    io::Write::write_all(&mut file, pem.as_bytes())?;
    Ok(file.into_temp_path())
}

/// Takes the tenant from its state file, or makes one and writes the file.
fn tenant(options: &Options) -> Result<Tenant, StartError> {
    let wanted = options.tenant_domain.as_deref();
    let refused = |path: &PathBuf, reason: String| StartError::State { path: path.clone(), reason };
    let kept = match &options.state_file {
        Some(path) => store::load(path).map_err(|reason| refused(path, reason))?,
        None => None,
    };
    let mut tenant = match (kept, &options.state_file) {
        (Some(state), Some(path)) if wanted.is_some_and(|wanted| wanted != state.domain) => {
            let reason = format!("it belongs to {}, not to {}", state.domain, wanted.unwrap_or_default());
            return Err(refused(path, reason));
        }
        (Some(state), _) => Tenant::resumed(state),
        (None, _) => {
            let now_ms = Shared::machine_ms().saturating_add(options.clock_offset_ms);
            Tenant::fresh(wanted.unwrap_or(DEFAULT_DOMAIN), options.seed, now_ms)
        }
    };
    tenant.log_lag_ms = i64::try_from(options.log_lag.as_millis()).unwrap_or(i64::MAX);
    if options.clock_offset_ms != 0 {
        tenant.state.clock_offset_ms = options.clock_offset_ms;
    }
    tenant.state.documents.insert("$features".to_owned(), options.subscription.features());
    if let Some(path) = &options.state_file {
        let text = serde_json::to_vec(&tenant.state).map_err(|error| refused(path, error.to_string()))?;
        store::save(path, &text).map_err(|error| refused(path, error.to_string()))?;
    }
    Ok(tenant)
}

/// Answers any request.
async fn serve(
    Extracted(shared): Extracted<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    incoming: axum::http::Request<Body>,
) -> Response {
    let (parts, body) = incoming.into_parts();
    let Some(method) = known(&parts.method) else {
        return response(&shared, ApiError::bare(404, "Not Found").into(), None);
    };
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let mut request = Request {
        content_type: text(header::CONTENT_TYPE),
        authorization: text(header::AUTHORIZATION),
        ip: peer.ip().to_string(),
        origin: shared.origin.clone(),
        user_agent: text(header::USER_AGENT).unwrap_or_default(),
        correlation_id: parts.headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).map(str::to_owned),
        auth0_client: parts.headers.get("auth0-client").and_then(|id| id.to_str().ok()).map(str::to_owned),
        ..Request::new(method, &target)
    };
    match axum::body::to_bytes(body, READ_BYTES).await {
        Ok(bytes) => request.body = bytes.to_vec(),
        Err(_) => {
            return response(&shared, ApiError::bare(413, "Payload Too Large").into(), None);
        }
    }
    if let Some(segments) = request.segments(control::PREFIX) {
        let (answer, changed) = control::answer(&shared, &request, &segments);
        let saved = if changed { shared.saved().await } else { Ok(()) };
        return response(&shared, saved.map_or_else(Answer::from, |()| answer), None);
    }
    if request.path().starts_with(download::PREFIX) {
        return download::response(&shared, &request);
    }
    exchange(shared, request).await
}

fn known(method: &axum::http::Method) -> Option<Method> {
    match method.as_str() {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        "PATCH" => Some(Method::Patch),
        "PUT" => Some(Method::Put),
        "DELETE" => Some(Method::Delete),
        _ => None,
    }
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Patch => "PATCH",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
    }
}

/// Delays, limits, breaks and at last answers a request as the real service might.
async fn exchange(shared: Arc<Shared>, request: Request) -> Response {
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }
    let below = request.segments(API);
    let mut limits = None;
    if let Some(segments) = &below {
        let now_ms = shared.now_ms();
        let (verdict, headers) = locked(&shared.limiter).take(request.method, segments, now_ms);
        limits = Some(headers);
        if let Err(refused) = verdict {
            return recorded(&shared, &request, refused.into(), limits);
        }
    }
    let fault = match &below {
        Some(_) => {
            let path = request.path().strip_prefix(API).unwrap_or_default().to_owned();
            shared.faults().draw(name(request.method), &path)
        }
        None => None,
    };
    if let Some(fault) = fault.as_ref().filter(|fault| !fault.handled) {
        return failed(&shared, &request, fault, limits);
    }
    let write = (below.is_some() && request.method != Method::Get).then(|| shared.faults().count());
    let held = write.and_then(|write| shared.faults().hold(write, Stage::Before));
    if let Some(hold) = held {
        hold.released().await;
    }
    // From here on the exchange runs to its end, whether or not the client still listens.
    let handling = tokio::spawn(async move {
        let now_ms = shared.now_ms();
        let mut answer = shared.tenant().handle(&request, now_ms);
        if write.is_some() && answer.status < 400 {
            answer = shared.saved().await.map_or_else(Answer::from, |()| answer);
        }
        if let Some(fault) = &fault {
            return failed(&shared, &request, fault, limits);
        }
        let response = recorded(&shared, &request, answer, limits);
        let held = write.and_then(|write| shared.faults().hold(write, Stage::After));
        if let Some(hold) = held {
            hold.released().await;
        }
        response
    });
    handling.await.unwrap_or_else(|_| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Answers with a fault's status, or breaks off within the answer.
fn failed(shared: &Shared, request: &Request, fault: &Fault, limits: Option<Headers>) -> Response {
    if fault.status != 0 {
        let message = "The request failed for a reason that the sandbox was told to have.";
        return recorded(shared, request, ApiError::bare(fault.status, message).into(), limits);
    }
    let broken = futures_util::stream::iter([
        Ok::<Bytes, io::Error>(Bytes::from_static(b"{")),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    Response::new(Body::from_stream(broken))
}

fn recorded(shared: &Shared, request: &Request, answer: Answer, limits: Option<Headers>) -> Response {
    let is_token = request.path() == "/oauth/token";
    if let Some(recorder) = shared.recorder.as_ref().filter(|_| is_token || request.path().starts_with(API)) {
        let body = if is_token {
            oauth::parameters(request).map_or(Value::Null, Value::Object)
        } else {
            serde_json::from_slice(&request.body).unwrap_or(Value::Null)
        };
        let written = recorder.write(name(request.method), &request.target, answer.status, &body, answer.body.as_ref());
        if let Err(error) = written {
            return response(shared, ApiError::bare(500, format!("record file: {error}")).into(), limits);
        }
    }
    response(shared, answer, limits)
}

fn response(shared: &Shared, answer: Answer, limits: Option<Headers>) -> Response {
    let bytes = answer.body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    let mut response = Response::new(Body::from(bytes));
    if let Ok(status) = axum::http::StatusCode::from_u16(answer.status) {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let now = jiff::Timestamp::from_millisecond(shared.now_ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    put(headers, "date", &now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    if let Some(limits) = limits {
        put(headers, "x-ratelimit-limit", &limits.limit.to_string());
        put(headers, "x-ratelimit-remaining", &limits.remaining.to_string());
        put(headers, "x-ratelimit-reset", &limits.reset_s.to_string());
        if let Some(retry_after_s) = limits.retry_after_s {
            put(headers, "retry-after", &retry_after_s.to_string());
        }
    }
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
