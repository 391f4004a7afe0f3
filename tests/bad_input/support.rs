//! Places with a small description that holds, a sandbox that records, and what every refusal has in common.

use std::path::PathBuf;

use regex::Regex;
use serde_json::Value;

use crate::common::{Output, Place, Sandbox};

/// A sandbox whose every exchange is on disk.
pub struct Recorder {
    /// The sandbox.
    pub sandbox: Sandbox,
    file: PathBuf,
    _folder: Place,
}

impl Recorder {
    /// Starts one.
    pub fn start(options: &[&str]) -> Self {
        let folder = Place::new();
        let file = folder.path().join("record.jsonl");
        let name = file.display().to_string();
        let mut all = vec!["--record", name.as_str()];
        if !options.contains(&"--rate") {
            all.extend(["--rate", "off"]);
        }
        all.extend(options);
        Recorder { sandbox: Sandbox::start(&folder, &all), file, _folder: folder }
    }

    /// A place that deploys to it with a project file: environment `dev`.
    pub fn project(&self) -> Place {
        let place = self.credentials(Place::new());
        place.write("tenantry.yaml", &format!("environments:\n  dev:\n    domain: {}\n", self.sandbox.url));
        place
    }

    /// A place that deploys to it as auth0-deploy-cli would.
    pub fn compatibility(&self) -> Place {
        self.sandbox.point(Place::new())
    }

    /// Adds the credentials, and no domain.
    pub fn credentials(&self, place: Place) -> Place {
        place.env("AUTH0_CLIENT_ID", &self.sandbox.client_id).env("AUTH0_CLIENT_SECRET", &self.sandbox.client_secret)
    }

    /// Every exchange so far: method, path, the body sent.
    pub fn exchanges(&self) -> Vec<(String, String, Value)> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let line = |line: &str| {
            let exchange: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| exchange[name].as_str().unwrap().to_owned();
            (text("method"), text("path"), exchange["request_body"].clone())
        };
        text.lines().map(line).collect()
    }

    /// The writes to the tenant so far, as `METHOD path`.
    pub fn writes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let exchanges: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let is_lock = |exchange: &&Value| exchange["request_body"]["name"] == "tenantry-lock";
        let locks: Vec<&str> =
            exchanges.iter().filter(is_lock).filter_map(|exchange| exchange["response_body"]["id"].as_str()).collect();
        let write = |exchange: &Value| {
            let (method, path) = (exchange["method"].as_str().unwrap(), exchange["path"].as_str().unwrap());
            // The lock, and what the tenant remembers, come and go with every deployment.
            let around = is_lock(&exchange)
                || locks.iter().any(|id| path.ends_with(id))
                || exchange["request_body"]["client_metadata"].get("tenantry").is_some();
            (method != "GET" && !path.ends_with("/oauth/token") && !around).then(|| format!("{method} {path}"))
        };
        exchanges.iter().filter_map(write).collect()
    }

    /// Demands that nothing was written.
    pub fn untouched(&self) {
        assert_eq!(self.writes(), Vec::<String>::new());
    }

    /// Sends a request to the test controls of the sandbox.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        raw(&self.sandbox.url, method, &format!("/_sandbox/{path}"), None, body)
    }

    /// Sends a request to the Management API with every scope, as a person at the dashboard would.
    pub fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let who = serde_json::json!({"name": "Dana", "email": "dana@example.com"});
        let token = self.control("POST", "token", &who)["access_token"].as_str().unwrap().to_owned();
        raw(&self.sandbox.url, method, &format!("/api/v2{path}"), Some(&token), body)
    }
}

/// Sends one request over a plain socket, so that nothing of the program under test is trusted.
fn raw(url: &str, method: &str, path: &str, token: Option<&str>, body: &Value) -> Value {
    use std::io::{Read, Write};
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
    let status: u16 = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(status < 300, "{method} {path}: {answer}");
    // A body in chunks is one chunk here; its JSON begins at the first bracket.
    match (rest.find(['{', '[']), rest.rfind(['}', ']'])) {
        (Some(from), Some(to)) => serde_json::from_str(&rest[from..=to]).unwrap(),
        _ => Value::Null,
    }
}

/// A run as text, without what differs from run to run.
pub fn stable(output: &Output) -> String {
    let mut text = output.to_string();
    for (pattern, instead) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"in \d+(\.\d+)? ?m?s\b", "in TIME"),
        (r"\b01[0-9A-HJKMNP-TV-Z]{6,24}\b", "DEPLOYMENT"),
        (r"\bTIME ago\b|\bjust now\b|\b\d+ (seconds?|minutes?) ago\b", "JUST-NOW"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
    }
    // Changes end in any order, so lines of progress are sorted where they follow each other.
    let mut lines: Vec<&str> = text.lines().collect();
    for group in lines.chunk_by_mut(|one, next| one.starts_with("done  ") == next.starts_with("done  ")) {
        if group[0].starts_with("done  ") {
            group.sort_unstable();
        }
    }
    lines.join("\n")
}

/// What every refusal has in common: its code, an empty stdout, an error with an id first; with `--json` the same code, an empty
/// stderr and one document with the same ids.
pub fn refused(place: &Place, arguments: &[&str], code: i32) -> Output {
    let output = place.run(arguments).code(code);
    assert!(output.stdout.is_empty(), "{arguments:?}\n{output}");
    let id = Regex::new(r"(?m)^error\[([a-z0-9-]+)\]: ").unwrap();
    let mut ids: Vec<String> = id.captures_iter(&output.stderr).map(|found| found[1].to_owned()).collect();
    assert!(!ids.is_empty(), "{arguments:?}\n{output}");
    let mut json = arguments.to_vec();
    json.insert(0, "--json");
    let told = place.run(&json).code(code);
    assert!(told.stderr.is_empty(), "{arguments:?}\n{told}");
    let document = told.json();
    let problems = document["problems"].as_array().unwrap_or_else(|| panic!("{told}"));
    let errors = problems.iter().filter(|problem| problem["severity"] == "error");
    let mut named: Vec<String> = errors.map(|problem| problem["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    named.sort();
    assert_eq!(ids, named, "{arguments:?}\n{output}\n{told}");
    output
}

/// The lines of a recording that a message shows as files: `(file, line, column)` of every arrow.
pub fn places(output: &Output) -> Vec<(String, u32, u32)> {
    let arrow = Regex::new(r"(?m)^ *(?:-->|:::) (.+):(\d+):(\d+)$").unwrap();
    let place =
        |found: regex::Captures<'_>| (found[1].to_owned(), found[2].parse().unwrap(), found[3].parse().unwrap());
    arrow.captures_iter(&output.stderr).map(place).collect()
}

/// Gets a token as any client would.
pub fn token(url: &str, body: &Value) -> String {
    raw(url, "POST", "/oauth/token", None, body)["access_token"].as_str().unwrap().to_owned()
}
