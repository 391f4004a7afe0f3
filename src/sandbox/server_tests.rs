//! The sandbox over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::options::{Fault, Options, Rate};
use super::server::{Running, StartError, start};

struct Session {
    running: Running,
    client: Client,
    token: String,
}

impl Session {
    async fn open(options: Options) -> Session {
        let running = start(options).await.unwrap();
        let mut builder = Client::builder().no_proxy();
        builder = match &running.ca_pem {
            Some(pem) => builder.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]),
            None => builder.tls_certs_only(std::iter::empty()),
        };
        let client = builder.build().unwrap();
        let body = json!({
            "grant_type": "client_credentials", "client_id": running.client_id,
            "client_secret": running.client_secret, "audience": format!("{}/api/v2/", running.url),
        });
        let answer = client.post(format!("{}/oauth/token", running.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
        Session { running, client, token }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}/api/v2{path}", self.running.url));
        request.bearer_auth(&self.token).send().await.unwrap()
    }

    async fn create_role(&self, name: &str) -> Result<Response, reqwest::Error> {
        let request = self.client.post(format!("{}/api/v2/roles", self.running.url));
        request.bearer_auth(&self.token).json(&json!({"name": name})).send().await
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.running.url)).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null)
    }

    async fn roles(&self) -> Vec<String> {
        let rows: Value = self.get("/roles").await.json().await.unwrap();
        rows.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn unlimited() -> Options {
    Options { rate: None, ..Options::default() }
}

#[tokio::test]
async fn a_deployer_gets_a_token_and_writes_and_pages() {
    let session = Session::open(unlimited()).await;
    for name in ["a", "b", "c"] {
        assert_eq!(session.create_role(name).await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(session.create_role("a").await.unwrap().status(), StatusCode::CONFLICT);
    let answer = session.get("/roles?per_page=2&page=1&include_totals=true").await;
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    let page: Value = answer.json().await.unwrap();
    assert_eq!((page["total"].as_u64(), page["roles"][0]["name"].as_str()), (Some(3), Some("c")));
    session.running.stop().await;
}

#[tokio::test]
async fn the_token_endpoint_takes_forms() {
    let session = Session::open(unlimited()).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &session.running.client_id),
        ("client_secret", &session.running.client_secret),
        ("audience", &format!("https://{}/api/v2/", session.running.tenant_domain)),
    ];
    let answer = session.client.post(format!("{}/oauth/token", session.running.url)).form(&form).send().await.unwrap();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_u64()), (Some("Bearer"), Some(86_400)));
    assert!(body["scope"].as_str().unwrap().contains("create:clients"));
}

#[tokio::test]
async fn tls_serves_http2_under_its_own_ca() {
    let session = Session::open(Options { tls: true, ..unlimited() }).await;
    assert!(session.running.url.starts_with("https://127.0.0.1:"));
    let file = session.running.ca_file.clone().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), session.running.ca_pem.clone().unwrap());
    assert_eq!(session.get("/roles").await.version(), reqwest::Version::HTTP_2);
    session.running.stop().await;
    assert!(!file.exists());
}

#[tokio::test]
async fn an_empty_bucket_answers_429_and_says_when_to_come_back() {
    let rate = Rate { per_second: 0.01, burst: 2 };
    let session = Session::open(Options { rate: Some(rate), ..Options::default() }).await;
    let first = session.get("/roles").await;
    assert_eq!(
        (&first.headers()["x-ratelimit-limit"], &first.headers()["x-ratelimit-remaining"]),
        (&"2".parse().unwrap(), &"1".parse().unwrap())
    );
    session.get("/roles").await;
    let refused = session.get("/roles").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["retry-after"], "100");
    assert!(refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000);
    assert_eq!(refused.json::<Value>().await.unwrap()["errorCode"], "too_many_requests");
    session.control("clock", json!({"advance_ms": 100_000})).await;
    assert_eq!(session.get("/roles").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_record_holds_every_exchange_with_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.ndjson");
    let rate = Rate { per_second: 0.001, burst: 2 };
    let options = Options { record: Some(path.clone()), rate: Some(rate), ..Options::default() };
    let session = Session::open(options).await;
    session.create_role("a").await.unwrap();
    session.get("/roles?page=0").await;
    session.get("/roles").await;
    session.control("reset", Value::Null).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let brief: Vec<_> = lines
        .iter()
        .map(|line| {
            (line["method"].as_str().unwrap(), line["path"].as_str().unwrap(), line["status"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("POST", "/oauth/token", 200),
            ("POST", "/api/v2/roles", 200),
            ("GET", "/api/v2/roles?page=0", 200),
            ("GET", "/api/v2/roles", 429),
        ]
    );
    assert_eq!(lines[1]["request_body"], json!({"name": "a"}));
    assert_eq!(lines[1]["response_body"]["name"], "a");
    assert_eq!(lines[2]["request_body"], Value::Null);
}

#[tokio::test]
async fn the_state_file_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let options =
        Options { state_file: Some(path.clone()), tenant_domain: Some("acme.eu.auth0.com".to_owned()), ..unlimited() };
    let first = Session::open(options.clone()).await;
    let creates = ["a", "b", "c", "d"].map(|name| first.create_role(name));
    for answer in futures_util::future::join_all(creates).await {
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
    }
    let (token, client_id) = (first.token.clone(), first.running.client_id.clone());
    drop(first);
    let mut second = Session::open(Options { tenant_domain: None, seed: 99, ..options.clone() }).await;
    assert_eq!(second.running.tenant_domain, "acme.eu.auth0.com");
    assert_eq!(second.running.client_id, client_id);
    second.token = token;
    let mut roles = second.roles().await;
    roles.sort();
    assert_eq!(roles, ["a", "b", "c", "d"]);
    drop(second);
    let other = start(Options { tenant_domain: Some("other.eu.auth0.com".to_owned()), ..options.clone() }).await;
    assert!(matches!(other, Err(StartError::State { .. })));
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(start(options).await, Err(StartError::State { .. })));
}

#[tokio::test]
async fn faults_answer_instead_or_lose_the_answer() {
    let fault =
        Fault { status: 503, share: 1.0, handled: false, method: Some("POST".to_owned()), path: None, times: Some(1) };
    let session = Session::open(Options { fault: vec![fault.clone()], ..unlimited() }).await;
    assert_eq!(session.create_role("a").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(session.roles().await, Vec::<String>::new());
    let lost = Fault { status: 0, handled: true, ..fault };
    session.control("faults", json!({"faults": [lost], "seed": 3})).await;
    let read = match session.create_role("b").await {
        Ok(answer) => answer.bytes().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(read.is_err());
    assert_eq!(session.roles().await, ["b"]);
}

#[tokio::test]
async fn a_barrier_holds_a_write_before_it_is_handled_or_before_it_is_answered() {
    let session = Session::open(unlimited()).await;
    for (when, seen) in [("before", false), ("after", true)] {
        session.control("reset", Value::Null).await;
        session.control("faults", json!({"barrier": {"write": 1, "when": when}})).await;
        let watch = async {
            while session.control("faults", json!({})).await["waiting"] != true {
                tokio::task::yield_now().await;
            }
            let handled = !session.roles().await.is_empty();
            session.control("faults", json!({"release": true})).await;
            handled
        };
        let (answer, handled) = tokio::join!(session.create_role("a"), watch);
        assert_eq!(answer.unwrap().status(), StatusCode::OK);
        assert_eq!(handled, seen, "{when}");
    }
}

#[tokio::test]
async fn controls_read_and_set_state_clock_and_users() {
    let mut session = Session::open(unlimited()).await;
    session.create_role("kept").await.unwrap();
    let url = format!("{}/_sandbox/state", session.running.url);
    let state: Value = session.client.get(&url).send().await.unwrap().json().await.unwrap();
    session.control("reset", Value::Null).await;
    assert_eq!(session.roles().await, Vec::<String>::new());
    assert_eq!(session.client.put(&url).json(&state).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(session.roles().await, ["kept"]);
    assert_eq!(session.client.put(&url).body("[]").send().await.unwrap().status(), StatusCode::BAD_REQUEST);

    let clock = session.control("clock", json!({"now": "2030-01-01T00:00:00Z"})).await;
    assert!(clock["now"].as_str().unwrap().starts_with("2030-01-01T00:00:0"));
    let answer = session.get("/roles").await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.headers()["date"].to_str().unwrap().contains("01 Jan 2030 00:00:0"));

    let dana = session.control("token", json!({"name": "Dana", "email": "dana@travel0.com"})).await;
    session.token = dana["access_token"].as_str().unwrap().to_owned();
    session.create_role("hers").await.unwrap();
    let logs: Value = session.get("/logs?q=user_name:Dana&per_page=1").await.json().await.unwrap();
    assert_eq!(logs[0]["details"]["response"]["body"]["name"], "hers");
}

#[tokio::test]
async fn what_the_sandbox_does_not_know_is_not_found() {
    let session = Session::open(unlimited()).await;
    for path in ["/api/v3/roles", "/_sandbox/nothing", "/"] {
        let answer = session.client.get(format!("{}{path}", session.running.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let options = session.client.request(reqwest::Method::OPTIONS, &session.running.url).send().await.unwrap();
    assert_eq!(options.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let session = Session::open(unlimited()).await;
    let port = session.running.domain.rsplit_once(':').unwrap().1.parse().unwrap();
    let Err(error) = start(Options { port, ..unlimited() }).await else { panic!("the port was free") };
    assert!(error.to_string().starts_with(&format!("cannot listen on 127.0.0.1:{port}")));
}
