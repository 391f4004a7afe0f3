//! Requests past the program: what somebody at the dashboard does meanwhile, and a look at what is really there.

use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::scenario::Raw;

/// A person at the dashboard, with every scope.
pub struct Dashboard<'a> {
    runtime: &'a Runtime,
    url: String,
    token: String,
    http: reqwest::Client,
}

impl<'a> Dashboard<'a> {
    /// Signs in.
    pub fn new(runtime: &'a Runtime, url: &str) -> Self {
        let http = reqwest::Client::new();
        let mut dashboard = Dashboard { runtime, url: url.to_owned(), token: String::new(), http };
        let who = json!({"name": "Dana", "email": "dana@acme.example"});
        let (_, answer) = dashboard.exchange(Method::POST, "/_sandbox/token", Some(&who));
        dashboard.token = answer["access_token"].as_str().unwrap().to_owned();
        dashboard
    }

    /// Sends a request and holds the answer against what is expected.
    pub fn send(&self, raw: &Raw) {
        let (method, path) = raw.send.split_once(' ').unwrap();
        let path = self.filled(path);
        let body = raw.body.as_ref().map(|body| serde_json::from_str(&self.filled(&body.to_string())).unwrap());
        let (status, answer) = self.exchange(method.parse().unwrap(), &path, body.as_ref());
        let fits = raw.status.map_or((200..300).contains(&status), |wanted| wanted == status);
        assert!(fits, "{}: {status} {answer:#}", raw.send);
        let wanted = raw.has.as_ref().map(|wanted| serde_json::from_str(&self.filled(&wanted.to_string())).unwrap());
        if let Some(wanted) = &wanted
            && let Err(place) = contains(&answer, wanted, "")
        {
            panic!("{}: at `{place}`, in {answer:#}", raw.send);
        }
    }

    /// Returns what a path answers.
    pub fn get(&self, path: &str) -> Value {
        self.exchange(Method::GET, path, None).1
    }

    fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let path = if path.starts_with("/_sandbox") { path.to_owned() } else { format!("/api/v2{path}") };
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::Null))
        })
    }

    /// Fills `{/clients?name=Shop&client_id}`.
    pub fn filled(&self, text: &str) -> String {
        let place = Regex::new(r"\{(/[^?{}]*)\?(\w+)=([^&{}]*)&(\w+)\}").unwrap();
        let fill = |found: &regex::Captures<'_>| {
            let answer = self.get(&found[1]);
            let nested = || answer.as_object().and_then(|o| o.values().find_map(Value::as_array));
            let rows = answer.as_array().or_else(nested).unwrap_or_else(|| panic!("{text}: no list in {answer:#}"));
            let row = rows.iter().find(|row| row[&found[2]] == found[3]);
            let row = row.unwrap_or_else(|| panic!("{text}: not in {answer:#}"));
            row[&found[4]].as_str().unwrap().to_owned()
        };
        place.replace_all(text, fill).into_owned()
    }
}

/// Objects may hold more than is wanted; lists are as long; the error is the place.
fn contains(found: &Value, wanted: &Value, place: &str) -> Result<(), String> {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().try_for_each(|(name, wanted)| {
            contains(found.get(name).unwrap_or(&Value::Null), wanted, &format!("{place}.{name}"))
        }),
        (Value::Array(found), Value::Array(wanted)) if found.len() == wanted.len() => found
            .iter()
            .zip(wanted)
            .enumerate()
            .try_for_each(|(n, (found, wanted))| contains(found, wanted, &format!("{place}[{n}]"))),
        _ if found == wanted => Ok(()),
        _ => Err(format!("{place}: {wanted} wanted, {found} found")),
    }
}
