//! What the client's trace says, and what it keeps to itself.
//!
//! In a process of its own: a trace is set up once per process.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Json, Router};
use serde_json::json;
use tenantry::api::{Client, Credentials, Method, Settings, Write};
use tenantry::model::Secret;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_trace_names_requests_and_no_secret() {
    let log = Log::default();
    let sink = log.clone();
    tracing_subscriber::fmt().with_env_filter("tenantry=trace").with_writer(move || sink.clone()).init();

    let token = || async { Json(json!({ "access_token": "hidden-token", "expires_in": 600 })) };
    let app = Router::new()
        .route("/oauth/token", axum::routing::post(token))
        .fallback(|| async { Json(json!({ "name": "hidden-answer" })) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum_server::from_tcp(listener.into_std().unwrap()).unwrap().serve(app.into_make_service()).await
    });

    let client_secret = Secret::new("hidden-secret", "AUTH0_CLIENT_SECRET");
    let settings = Settings {
        domain,
        audience: None,
        credentials: Credentials::Secret { client_id: "deployer".into(), client_secret },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(30),
        max_retries: 2,
        user_agent: "tenantry/test".into(),
    };
    assert!(!format!("{settings:?}").contains("hidden"));
    let client = Client::connect(settings, CancellationToken::new()).await.unwrap();
    client.get("clients", &[("q", "hidden-query")]).await.unwrap();
    let body = Some(json!({ "client_secret": "hidden-body" }));
    client.send(Write { method: Method::PATCH, path: "clients/x".into(), body, correlation_id: None }).await.unwrap();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("PATCH") && text.contains("clients/x") && text.contains("200"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}
