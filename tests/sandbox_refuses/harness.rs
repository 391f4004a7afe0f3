//! One sandbox with a client and a token, and what is asserted of every refusal.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry::sandbox::call::Method;
use tenantry::sandbox::{Options, Running, Subscription, start};

/// A sandbox that serves over HTTP, without rate limit.
pub(crate) struct Sandbox {
    running: Running,
    http: reqwest::Client,
    token: String,
}

/// A status with its body; null where there is none.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Sandbox {
    pub(crate) async fn start() -> Sandbox {
        Sandbox::with(Subscription::Enterprise).await
    }

    pub(crate) async fn with(subscription: Subscription) -> Sandbox {
        let options = Options { rate: None, subscription, ..Options::default() };
        let running = start(options).await.expect("a sandbox");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut sandbox = Sandbox { running, http, token: String::new() };
        sandbox.token = sandbox.token_for(None).await;
        sandbox
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    /// The identifier of the tenant's Management API.
    pub(crate) fn management_api(&self) -> String {
        format!("https://{}/api/v2/", self.running.tenant_domain)
    }

    /// The client the tests act as.
    pub(crate) fn deployer(&self) -> String {
        self.running.client_id.clone()
    }

    /// Asks for a token: with these scopes, or with all.
    pub(crate) async fn token_for(&self, scopes: Option<&[String]>) -> String {
        let mut body = json!({
            "grant_type": "client_credentials", "client_id": self.running.client_id,
            "client_secret": self.running.client_secret, "audience": self.management_api(),
        });
        if let Some(scopes) = scopes {
            body["scope"] = json!(scopes.join(" "));
        }
        let request = self.http.post(format!("{}/oauth/token", self.running.url)).json(&body);
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a request below `/api/v2`; a null body is none.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send_with(Some(&self.token), method, path, body).await
    }

    pub(crate) async fn send_with(&self, token: Option<&str>, method: Method, path: &str, body: &Value) -> Answer {
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self.http.request(method, format!("{}/api/v2{path}", self.running.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.expect("a body");
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
        Answer { status, body }
    }

    /// Sends a request that has to succeed, and returns its answer.
    pub(crate) async fn done(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body).await;
        assert!((200..300).contains(&answer.status), "{method:?} {path} {body}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Everything the tenant remembers.
    pub(crate) async fn state(&self) -> Value {
        let request = self.http.get(format!("{}/_sandbox/state", self.running.url));
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    pub(crate) async fn restore(&self, state: &Value) {
        let request = self.http.put(format!("{}/_sandbox/state", self.running.url)).json(state);
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), 204);
    }
}

/// Says where two states differ first, for a message.
pub(crate) fn difference(before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let found =
                    difference(before.get(name).unwrap_or(&Value::Null), after.get(name).unwrap_or(&Value::Null));
                found.map(|rest| format!("{name}/{rest}"))
            })
        }
        (before, after) if before == after => None,
        (before, after) => Some(format!(" {before} -> {after}")),
    }
}

/// Holds an answer to the shape of a refusal: `statusCode`, `error`, `message` and perhaps `errorCode`, nothing else.
pub(crate) fn shape_fault(answer: &Answer, status: u16, code: Option<&str>) -> Option<String> {
    let reason = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        _ => return Some(format!("no refusal has the status {status}")),
    };
    if answer.status != status {
        return Some(format!("{} instead of {status}: {}", answer.status, answer.body));
    }
    let message = answer.body.get("message").and_then(Value::as_str).unwrap_or_default();
    if message.is_empty() {
        return Some(format!("no message: {}", answer.body));
    }
    let mut wanted = json!({"statusCode": status, "error": reason, "message": message});
    if let Some(code) = code {
        wanted["errorCode"] = json!(code);
    }
    (answer.body != wanted).then(|| format!("{} instead of {wanted}", answer.body))
}

/// Counts of what was sent, by kind and sort, and what went wrong.
#[derive(Default)]
pub(crate) struct Report {
    counts: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    faults: Vec<String>,
}

impl Report {
    pub(crate) fn count(&mut self, kind: &'static str, sort: &'static str) {
        *self.counts.entry(kind).or_default().entry(sort).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    pub(crate) fn of(&self, kind: &str, sort: &str) -> usize {
        self.counts.get(kind).and_then(|sorts| sorts.get(sort)).copied().unwrap_or_default()
    }

    /// Prints the counts and fails with every fault.
    pub(crate) fn finish(self, title: &str) {
        for (kind, sorts) in &self.counts {
            let total: usize = sorts.values().sum();
            let sorts: Vec<String> = sorts.iter().map(|(sort, count)| format!("{sort} {count}")).collect();
            println!("{title}: {kind}: {total} ({})", sorts.join(", "));
        }
        let shown = self.faults.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.faults.is_empty(), "{} faults:\n{shown}", self.faults.len());
        assert!(!self.counts.is_empty(), "{title}: nothing was sent");
    }
}
