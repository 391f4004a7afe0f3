//! TLS, HTTP/2 and proxies.

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::NamedTempFile;

use super::*;

/// A tenant over TLS with a certificate for `name`, and a file with its authority.
async fn secure_tenant(name: &str) -> (String, NamedTempFile) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config =
        RustlsConfig::from_pem(certificate.pem().into_bytes(), key.serialize_pem().into_bytes()).await.unwrap();

    let app = Router::new()
        .route("/oauth/token", axum::routing::post(|| async { axum::Json(json!({ "access_token": "opaque" })) }))
        .fallback(|request: axum::extract::Request| async move {
            axum::Json(json!({ "version": format!("{:?}", request.version()) }))
        });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    tokio::spawn(server.serve(app.into_make_service()));

    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    (format!("localhost:{port}"), file)
}

async fn connect(settings: Settings) -> Result<Client, Problem> {
    Client::connect_on(settings, CancellationToken::new(), Clock::skipping()).await
}

#[tokio::test]
async fn an_authority_given_is_trusted_and_http_2_spoken() {
    let (domain, ca) = secure_tenant("localhost").await;
    let client = connect(Settings { ca_file: Some(ca.path().into()), ..settings(&domain) }).await.unwrap();
    assert_eq!(client.get("clients", &[]).await.unwrap()["version"], "HTTP/2.0");
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let (domain, _) = secure_tenant("localhost").await;
    let problem = connect(settings(&domain)).await.err().unwrap();
    let port = domain.rsplit(':').next().unwrap();
    insta::assert_snapshot!(shown(&problem).replace(port, "PORT"), @r"
    error[tls-failure]: no secure connection to the tenant can be made
      note: localhost:PORT: its certificate is signed by an authority that is not trusted here
      help: if a proxy inspects TLS here, name its certificate authority in SSL_CERT_FILE
    ");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_accepted() {
    let (domain, ca) = secure_tenant("travel0.eu.auth0.com").await;
    let problem = connect(Settings { ca_file: Some(ca.path().into()), ..settings(&domain) }).await.err().unwrap();
    assert_eq!(problem.id, "tls-failure");
    assert!(problem.notes[0].contains("another name"), "{problem:?}");
}

#[tokio::test]
async fn a_file_without_authorities_is_named() {
    let file = NamedTempFile::new().unwrap();
    for path in [file.path().to_path_buf(), file.path().join("missing")] {
        let problem = connect(Settings { ca_file: Some(path), ..settings("https://localhost:1") }).await.err().unwrap();
        assert_eq!(problem.id, "bad-ca-file");
    }
}

#[tokio::test]
async fn a_tenant_elsewhere_is_reached_through_the_proxy() {
    let proxy = Server::start(|_, _| Reply::error(502, "-")).await;
    let through = Settings { proxy: Some(proxy.url()), ..settings("tenant.invalid") };
    let problem = connect(through).await.err().unwrap();
    assert_eq!(problem.id, "no-network");
    let arrived = proxy.arrived();
    assert_eq!((arrived[0].method.as_str(), arrived[0].path.as_str()), ("CONNECT", "tenant.invalid:443"));

    let problem = connect(Settings { proxy: Some("::".into()), ..settings("tenant.invalid") }).await.err().unwrap();
    assert_eq!(problem.id, "bad-proxy");
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    let (proxy, tenant) = (Server::start(|_, _| Reply::Cut).await, Server::start(|_, _| grant()).await);
    connect(Settings { proxy: Some(proxy.url()), ..settings(&tenant.url()) }).await.unwrap();
    assert!(proxy.arrived().is_empty());
}
