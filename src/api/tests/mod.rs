//! The client against real servers on loopback, on a clock whose waits take no time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod files;
mod lists;
mod problems;
mod retry;
mod server;
mod tls;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use self::server::{Arrived, Reply, Server};
use super::clock::Clock;
use super::{Client, Credentials, Failure, Method, Settings, Write};
use crate::model::Secret;
use crate::problem::Problem;

/// A token that says `claims`; its signature is nobody's.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256" })), part(claims))
}

fn grant() -> Reply {
    let token = jwt(&json!({ "aud": "https://travel0.eu.auth0.com/api/v2/", "azp": "deployer" }));
    Reply::json(200, &json!({ "access_token": token, "expires_in": 86_400, "scope": "read:clients update:clients" }))
}

fn secret_credentials() -> Credentials {
    Credentials::Secret { client_id: "deployer".into(), client_secret: Secret::new("hunter2", "AUTH0_CLIENT_SECRET") }
}

fn settings(domain: &str) -> Settings {
    Settings {
        domain: domain.to_owned(),
        audience: None,
        credentials: secret_credentials(),
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(300),
        max_retries: 4,
        user_agent: "tenantry/test".to_owned(),
    }
}

/// A tenant that gives tokens and leaves the rest to `answer`, with a client connected to it.
struct Tenant {
    server: Server,
    client: Client,
    clock: Clock,
    cancel: CancellationToken,
}

impl Tenant {
    /// `answer` gets each request with its number among those to the same path, from 0.
    async fn start(answer: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(|_| {}, answer).await
    }

    async fn start_with(
        change: impl FnOnce(&mut Settings),
        answer: impl Fn(&Arrived, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(move |arrived, number| match arrived.path.as_str() {
            "/oauth/token" => grant(),
            _ => answer(arrived, number),
        })
        .await;
        let (clock, cancel) = (Clock::skipping(), CancellationToken::new());
        let mut settings = settings(&server.url());
        change(&mut settings);
        let client = Client::connect_on(settings, cancel.clone(), clock.clone()).await.unwrap();
        Tenant { server, client, clock, cancel }
    }

    async fn write(&self, method: Method, path: &str) -> Result<super::Answer, Failure> {
        let body = (method != Method::DELETE).then(|| json!({ "name": "Shop" }));
        self.client.send(Write { method, path: path.to_owned(), body, correlation_id: None }).await
    }

    /// How often a path below `/api/v2` was asked for.
    fn count(&self, path: &str) -> usize {
        self.server.arrived().iter().filter(|a| a.path == format!("/api/v2/{path}")).count()
    }
}

/// A problem as text, for snapshots; ports differ from run to run.
fn shown(problem: &Problem) -> String {
    let mut lines = vec![format!("error{problem}")];
    lines.extend(problem.notes.iter().map(|note| format!("  note: {note}")));
    lines.extend(problem.help.iter().map(|help| format!("  help: {help}")));
    let port = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    port.replace_all(&lines.join("\n"), "127.0.0.1:PORT").into_owned()
}
