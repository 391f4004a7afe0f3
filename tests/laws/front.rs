//! What Tenantry talks to: passes everything on to the sandbox, and notes the writes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

/// Largest body passed on, in bytes.
const LARGEST: usize = 10_000_000;

pub(crate) struct Front {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: tokio::task::JoinHandle<()>,
}

struct Inner {
    target: String,
    http: reqwest::Client,
    cancel: CancellationToken,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Method and path of every write.
    writes: Vec<String>,
    /// Cancels the run after so many writes.
    most: Option<usize>,
}

impl Front {
    pub(crate) async fn start(target: String, cancel: CancellationToken) -> Front {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let inner = Arc::new(Inner { target, http, cancel, seen: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum_serve(listener, app).await });
        Front { url, inner, task }
    }

    /// Returns the writes since the last call.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.seen.lock().unwrap().writes)
    }

    /// Cancels the run once so many writes have been answered.
    pub(crate) fn stop_after(&self, most: usize) {
        let mut seen = self.inner.seen.lock().unwrap();
        seen.writes.clear();
        seen.most = Some(most);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn axum_serve(listener: tokio::net::TcpListener, app: Router) {
    let std = listener.into_std().unwrap();
    axum_server::from_tcp(std).unwrap().serve(app.into_make_service()).await.unwrap();
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let mut sent = inner.http.request(parts.method.clone(), format!("{}{path}", inner.target)).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        sent = sent.header(name, value);
    }
    let answer = sent.send().await.unwrap();
    let mut out = Response::builder().status(StatusCode::from_u16(answer.status().as_u16()).unwrap());
    let passed = |name: &str| ["content-type", "date"].contains(&name) || name.starts_with("x-ratelimit-");
    for (name, value) in answer.headers().iter().filter(|(name, _)| passed(name.as_str())) {
        out = out.header(name, value);
    }
    if parts.method != "GET" && path.starts_with("/api/") {
        let mut seen = inner.seen.lock().unwrap();
        seen.writes.push(format!("{} {path}", parts.method));
        if seen.most.is_some_and(|most| seen.writes.len() >= most) {
            inner.cancel.cancel();
        }
    }
    out.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
