//! Tokens: got, described, renewed, refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::server::date;
use super::*;
use crate::api::SigningAlgorithm;

async fn connect(settings: Settings) -> Result<Client, Problem> {
    Client::connect_on(settings, CancellationToken::new(), Clock::skipping()).await
}

/// Connects to a server whose token endpoint always answers so.
async fn refused(reply: Reply) -> Problem {
    let server = Server::start(move |_, _| reply.clone()).await;
    connect(settings(&server.url())).await.expect_err("refused")
}

fn oauth_error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "error_description": description }))
}

#[tokio::test]
async fn a_token_tells_tenant_client_and_scopes() {
    let tenant = Tenant::start(|_, _| Reply::Cut).await;
    assert_eq!(tenant.client.domain(), "travel0.eu.auth0.com");
    assert_eq!(tenant.client.client_id(), Some("deployer"));
    assert_eq!(tenant.client.scopes().unwrap(), ["read:clients", "update:clients"]);
    assert!(tenant.client.warnings().is_empty());
    let asked = &tenant.server.arrived()[0].body;
    assert_eq!(asked["grant_type"], "client_credentials");
    assert_eq!(asked["client_secret"], "hunter2");
    assert_eq!(asked["audience"], format!("https://{}/api/v2/", tenant.server.address()));
}

#[tokio::test]
async fn an_audience_can_be_given_and_names_the_tenant_of_an_opaque_token() {
    let server = Server::start(|_, _| Reply::json(200, &json!({ "access_token": "opaque" }))).await;
    let mut settings = settings(&server.url());
    settings.audience = Some("https://canonical.auth0.com/api/v2/".into());
    let client = connect(settings).await.unwrap();
    assert_eq!(client.domain(), "canonical.auth0.com");
    assert_eq!(client.client_id(), Some("deployer"));
    assert_eq!(client.scopes(), None);
    assert_eq!(server.arrived()[0].body["audience"], "https://canonical.auth0.com/api/v2/");
}

/// A tenant whose tokens live ten minutes and are numbered, and that takes only the newest.
async fn short_lived() -> (Server, Client, Clock) {
    let given = AtomicUsize::new(0);
    let server = Server::start(move |arrived, _| match arrived.path.as_str() {
        "/oauth/token" => {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            Reply::json(200, &json!({ "access_token": format!("token-{number}"), "expires_in": 600 }))
        }
        "/api/v2/revoked" if given.load(Ordering::SeqCst) == 1 => Reply::error(401, "Invalid token."),
        "/api/v2/never" => Reply::error(401, "Invalid token."),
        _ => Reply::json(200, &json!({ "authorization": arrived.headers["authorization"] })),
    })
    .await;
    let clock = Clock::skipping();
    let client = Client::connect_on(settings(&server.url()), CancellationToken::new(), clock.clone()).await.unwrap();
    (server, client, clock)
}

fn tokens_asked(server: &Server) -> usize {
    server.arrived().iter().filter(|a| a.path == "/oauth/token").count()
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let (server, client, clock) = short_lived().await;
    clock.advance(Duration::from_secs(500));
    assert_eq!(client.get("clients", &[]).await.unwrap()["authorization"], "Bearer token-1");
    clock.advance(Duration::from_secs(50));
    let paths = ["a", "b", "c", "d"];
    let answers = futures_util::future::join_all(paths.iter().map(|path| client.get(path, &[]))).await;
    for answer in answers {
        assert_eq!(answer.unwrap()["authorization"], "Bearer token-2");
    }
    assert_eq!(tokens_asked(&server), 2, "once for all");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let (server, client, _) = short_lived().await;
    assert_eq!(client.get("revoked", &[]).await.unwrap()["authorization"], "Bearer token-2");
    let failure = client.get("never", &[]).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused { status: 401, .. }), "{failure:?}");
    assert_eq!(tokens_asked(&server), 3);
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let server = Server::start(|_, _| Reply::error(401, "Token has expired or signature is invalid")).await;
    let mut settings = settings(&server.url());
    let token = jwt(&json!({ "aud": ["https://a/userinfo", "https://t.auth0.com/api/v2/"], "exp": 4_000_000_000_i64 }));
    settings.credentials = Credentials::Token(Secret::new(token, "AUTH0_ACCESS_TOKEN"));
    let client = connect(settings.clone()).await.unwrap();
    assert_eq!((client.domain(), client.client_id()), ("t.auth0.com", None));
    assert_eq!(client.get("clients", &[]).await.unwrap_err().problem().id, "token-refused");
    assert_eq!(server.arrived().len(), 1, "no other token was asked for");

    settings.credentials = Credentials::Token(Secret::new(jwt(&json!({ "exp": 1 })), "AUTH0_ACCESS_TOKEN"));
    assert_eq!(connect(settings.clone()).await.err().unwrap().id, "token-expired");
    settings.credentials = Credentials::Token(Secret::new("two\nlines", "AUTH0_ACCESS_TOKEN"));
    assert_eq!(connect(settings).await.err().unwrap().id, "bad-token");
}

fn key_settings(domain: &str, pem: &str, algorithm: SigningAlgorithm) -> Settings {
    let pem = Secret::new(pem, "AUTH0_CLIENT_SIGNING_KEY_PATH");
    Settings {
        credentials: Credentials::PrivateKey { client_id: "deployer".into(), pem, algorithm },
        ..settings(domain)
    }
}

#[tokio::test]
async fn an_assertion_is_signed_with_the_private_key() {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let public = DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    for (ours, theirs) in [
        (SigningAlgorithm::Rs256, Algorithm::RS256),
        (SigningAlgorithm::Rs384, Algorithm::RS384),
        (SigningAlgorithm::Ps256, Algorithm::PS256),
    ] {
        let server = Server::start(|_, _| grant()).await;
        connect(key_settings(&server.url(), &key.serialize_pem(), ours)).await.unwrap();
        let asked = &server.arrived()[0].body;
        assert_eq!(asked["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert!(asked.get("client_secret").is_none());
        let mut rules = Validation::new(theirs);
        rules.set_audience(&[format!("{}/", server.url())]);
        rules.set_issuer(&["deployer"]);
        rules.sub = Some("deployer".into());
        let assertion = asked["client_assertion"].as_str().unwrap();
        let claims = jsonwebtoken::decode::<Value>(assertion, &public, &rules).unwrap().claims;
        assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_not_shown() {
    let settings = key_settings("http://127.0.0.1:1", "hunter2", SigningAlgorithm::Rs256);
    let problem = connect(settings).await.err().unwrap();
    assert_eq!(problem.id, "bad-key");
    assert!(!format!("{problem:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named_where_it_hurts() {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let server =
        Server::start(|_, _| oauth_error(401, "invalid_client", "Invalid client assertion").with("date", &date(600)))
            .await;
    let problem =
        connect(key_settings(&server.url(), &key.serialize_pem(), SigningAlgorithm::Rs256)).await.err().unwrap();
    insta::assert_snapshot!(shown(&problem), @r"
    error[clock-skew]: the clock of this machine is 10 minutes behind the tenant's
      note: Auth0 says: Invalid client assertion
      note: a signed assertion is valid for two minutes
      help: set the clock, for instance with NTP
    ");

    let problem = refused(oauth_error(401, "access_denied", "Unauthorized").with("date", &date(600))).await;
    assert_eq!(problem.id, "wrong-secret", "a secret does not care for the time");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_a_warning_elsewhere() {
    let server = Server::start(|_, _| grant().with("date", &date(-600))).await;
    let client = connect(settings(&server.url())).await.unwrap();
    let skew = client.clock_skew().unwrap().as_secs();
    assert!((-601..=-599).contains(&skew), "{skew}");
    insta::assert_snapshot!(shown(&client.warnings()[0]), @r"
    error[clock-skew]: the clock of this machine is 10 minutes ahead of the tenant's
      help: set the clock, for instance with NTP
    ");
    assert!(client.server_now() < jiff::Timestamp::now());
}

#[tokio::test]
async fn a_domain_that_is_not_auth0s_is_named() {
    let html = Reply::text(200, "text/html", "<html>Welcome to the shop</html>");
    insta::assert_snapshot!(shown(&refused(html).await), @r"
    error[not-auth0]: 127.0.0.1:PORT is not an Auth0 tenant
      note: its token endpoint answered 200 with something that is not JSON
      help: check the domain: it is the tenant's, as in travel0.eu.auth0.com, not the application's
    ");
    insta::assert_snapshot!(shown(&refused(Reply::json(200, &json!({ "ok": true }))).await), @r"
    error[not-auth0]: 127.0.0.1:PORT is not an Auth0 tenant
      note: its token endpoint answered 200 with JSON that no token endpoint sends
      help: check the domain: it is the tenant's, as in travel0.eu.auth0.com, not the application's
    ");
    assert_eq!(refused(Reply::json(404, &json!({ "error": "Not Found" }))).await.id, "not-auth0");
    assert_eq!(refused(Reply::json(302, &json!({}))).await.id, "not-auth0");
}

#[tokio::test]
async fn refusals_of_a_token_say_what_to_do() {
    insta::assert_snapshot!(shown(&refused(oauth_error(401, "access_denied", "Unauthorized")).await), @r"
    error[wrong-secret]: 127.0.0.1:PORT does not accept the client's id and secret
      note: Auth0 says: Unauthorized
      help: check AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, and that they belong to this tenant
    ");
    let grant = "Client is not authorized to access \"https://t/api/v2/\". You need to create a \"client-grant\".";
    insta::assert_snapshot!(shown(&refused(oauth_error(403, "access_denied", grant)).await), @r#"
    error[no-grant]: the client may not use the Management API
      note: Auth0 says: Client is not authorized to access "https://t/api/v2/". You need to create a "client-grant".
      help: authorize it: in the dashboard under Applications, APIs, Auth0 Management API, Application Access
    "#);
    let audience = "Service not found: https://login.travel0.com/api/v2/";
    insta::assert_snapshot!(shown(&refused(oauth_error(403, "access_denied", audience)).await), @r"
    error[wrong-audience]: 127.0.0.1:PORT has no API `https://127.0.0.1:PORT/api/v2/`
      note: Auth0 says: Service not found: https://login.travel0.com/api/v2/
      help: with a custom domain, set AUTH0_AUDIENCE to https://TENANT.auth0.com/api/v2/
    ");
    assert_eq!(refused(oauth_error(400, "invalid_request", "?")).await.id, "token-refused");
}

#[tokio::test]
async fn a_token_is_asked_for_again_while_that_may_help() {
    let server = Server::start(|_, number| match number {
        0 => Reply::error(503, "-"),
        1 => Reply::Cut,
        2 => Reply::error(429, "-").with("retry-after", "9"),
        _ => grant(),
    })
    .await;
    connect(settings(&server.url())).await.unwrap();

    assert_eq!(refused(Reply::error(429, "-")).await.id, "rate-limited");
    assert_eq!(refused(Reply::error(500, "-")).await.id, "server-error");
    assert_eq!(refused(Reply::Cut).await.id, "no-network");
}

#[tokio::test]
async fn credentials_do_not_leave_over_plain_http() {
    let problem = connect(settings("http://travel0.eu.auth0.com")).await.err().unwrap();
    insta::assert_snapshot!(shown(&problem), @r"
    error[plain-http]: `http://travel0.eu.auth0.com` would send credentials unencrypted
      note: plain HTTP is used to this machine only
      help: use https://travel0.eu.auth0.com
    ");
}
