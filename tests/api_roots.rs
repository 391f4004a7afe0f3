//! `SSL_CERT_FILE`, and a machine without certificate authorities.
//!
//! The variables are read once per process, so each case runs this test program again with its own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::{Command, Output};
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tenantry::api::{Client, Credentials, Settings};
use tenantry::model::Secret;
use tokio_util::sync::CancellationToken;

fn settings(domain: String) -> Settings {
    Settings {
        domain,
        audience: None,
        credentials: Credentials::Token(Secret::new("opaque", "AUTH0_ACCESS_TOKEN")),
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(30),
        max_retries: 0,
        user_agent: "tenantry/test".into(),
    }
}

/// Runs [`child`] in a process with other variables.
fn run_child(domain: &str, authorities: &std::path::Path) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("TENANTRY_TEST_DOMAIN", domain)
        .env("SSL_CERT_FILE", authorities)
        .env("SSL_CERT_DIR", authorities)
        .output()
        .unwrap()
}

#[tokio::test]
#[ignore = "run by the other tests, in a process of its own"]
async fn child() {
    let Ok(domain) = std::env::var("TENANTRY_TEST_DOMAIN") else { return };
    let client = Client::connect(settings(domain), CancellationToken::new()).await.expect("a client");
    let outcome = client.get("clients", &[]).await.map_err(|failure| failure.problem().id);
    assert_eq!(outcome.map(|answer| answer.is_array()), Ok(true));
}

/// A server over TLS, its domain and its authority in PEM form.
async fn secure_server() -> (String, String) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &authority).unwrap();
    let config =
        RustlsConfig::from_pem(certificate.pem().into_bytes(), key.serialize_pem().into_bytes()).await.unwrap();
    let app = axum::Router::new().fallback(|| async { axum::Json(serde_json::json!([])) });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(axum_server::from_tcp_rustls(listener, config).unwrap().serve(app.into_make_service()));
    (format!("localhost:{port}"), authority.pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authorities_come_from_the_environment() {
    let (domain, authority) = secure_server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, authority).unwrap();
    let ran = run_child(&domain, &file);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_authorities_those_built_in_are_used() {
    let (domain, _) = secure_server().await;
    let folder = tempfile::tempdir().unwrap();
    let ran = run_child(&domain, &folder.path().join("missing"));
    // The server's authority is not among them, but there is a client that can say so.
    let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    assert!(!ran.status.success() && said.contains(r#"Err("tls-failure")"#), "{said}");
}
