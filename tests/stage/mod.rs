//! A tenant in a process of its own, a project that is deployed to it again and again from the same point, and a program that is
//! killed in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::cell::Cell;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Child;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::common::{Output, Place, Sandbox, copy};
use crate::raw;

/// Domain of the tenant.
pub(crate) const DOMAIN: &str = "acme.eu.auth0.com";

/// What may be done although it cannot be undone.
pub(crate) const APPROVED: [&str; 5] = ["--yes", "--approve", "destructive", "--approve", "irreversible"];

/// When the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The tenant has not handled the write.
    Before,
    /// It has, and nobody heard its answer.
    After,
}

/// One tenant with its project and ledger.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) sandbox: Sandbox,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    record: PathBuf,
    seen: Cell<u64>,
}

/// A tenant and a ledger at one point in time.
pub(crate) struct Kept {
    state: Json,
    ledger: tempfile::TempDir,
}

/// A line of the recording.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) request_body: Json,
}

impl Stage {
    /// An empty tenant and an empty project.
    pub(crate) fn start() -> Stage {
        let place = Place::new();
        let record = place.path().join("record.jsonl");
        let options = ["--rate", "off", "--tenant-domain", DOMAIN, "--record", record.to_str().unwrap()];
        let sandbox = Sandbox::start(&place, &options);
        let place = sandbox.point(place).env("TENANTRY_ACTOR", "ana");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Stage { place, sandbox, runtime, http, record, seen: Cell::new(0) }
    }

    /// Sets a variable of the environment for every later run.
    pub(crate) fn env(self, name: &str, value: &str) -> Stage {
        Stage { place: self.place.env(name, value), ..self }
    }

    /// Writes the project file: one environment, in which everything may be deleted, and secrets.
    pub(crate) fn project(&self, top: &str, secrets: &[&str]) {
        let secrets: String =
            secrets.iter().map(|name| format!("      {name}: {{ env: TENANTRY_SECRET_{name} }}\n")).collect();
        let text = format!(
            "description: tenant.yaml\n{top}environments:\n  t:\n    domain: {}\n    policy: {{ delete: all }}\n    secrets:\n{secrets}",
            self.sandbox.url
        );
        self.place.write("tenantry.yaml", &text);
    }

    fn ledger(&self) -> PathBuf {
        self.place.path().join(".tenantry")
    }

    /// Runs the program on the environment.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.place.run(&[&["-e", "t"], words].concat())
    }

    /// Uses a control of the sandbox.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        self.send(method, &format!("/_sandbox/{path}"), None, body)
    }

    /// Sends a request to the Management API, as somebody at the dashboard would.
    pub(crate) fn api(&self, token: &str, method: &str, path: &str, body: &Json) -> Json {
        self.send(method, &format!("/api/v2{path}"), Some(token), body)
    }

    fn send(&self, method: &str, path: &str, token: Option<&str>, body: &Json) -> Json {
        let verb = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(verb, format!("{}{path}", self.sandbox.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let text = answer.bytes().await.unwrap();
            assert!(status.is_success(), "{method} {path}: {status} {}", String::from_utf8_lossy(&text));
            serde_json::from_slice(&text).unwrap_or(Json::Null)
        })
    }

    /// The tenant's whole memory.
    pub(crate) fn state(&self) -> Json {
        self.control("GET", "state", &Json::Null)
    }

    /// What the tenant answers, by name, but for what it remembers of deployments.
    pub(crate) fn answers(&self) -> Json {
        let mut answers = raw::answers(&self.sandbox, DOMAIN);
        for client in answers["clients"].as_object_mut().unwrap().values_mut() {
            let client = client["itself"].as_object_mut().unwrap();
            if let Some(metadata) = client.get_mut("client_metadata").and_then(Json::as_object_mut) {
                metadata.remove("tenantry");
                if metadata.is_empty() {
                    client.remove("client_metadata");
                }
            }
        }
        answers
    }

    /// Keeps tenant and ledger as they are.
    pub(crate) fn keep(&self) -> Kept {
        let mut state = self.state();
        // The log grows with every run and says nothing here.
        state["logs"] = json!([]);
        let ledger = tempfile::tempdir().unwrap();
        if self.ledger().is_dir() {
            copy(&self.ledger(), ledger.path());
        }
        Kept { state, ledger }
    }

    /// Puts tenant and ledger back.
    pub(crate) fn rewind(&self, kept: &Kept) {
        let _ = self.control("POST", "faults", &json!({"faults": [], "release": true}));
        let _ = self.control("POST", "clock", &json!({"offset_ms": 0}));
        let _ = self.control("PUT", "state", &kept.state);
        let _ = std::fs::remove_dir_all(self.ledger());
        copy(kept.ledger.path(), &self.ledger());
        let _ = self.exchanges();
    }

    /// Holds a write from now on, 1-based.
    pub(crate) fn hold(&self, write: u64, when: When) {
        let when = if when == When::Before { "before" } else { "after" };
        let _ = self.control("POST", "faults", &json!({"barrier": {"write": write, "when": when}}));
    }

    /// How many writes the tenant was asked for since a barrier was set.
    pub(crate) fn writes(&self) -> u64 {
        self.control("GET", "faults", &Json::Null)["writes"].as_u64().unwrap()
    }

    /// Runs the program and kills it at a write; `false` where there are not so many, and it ends well by itself.
    pub(crate) fn killed(&self, words: &[&str], write: u64, when: When) -> bool {
        self.hold(write, when);
        let mut command = self.place.command(&[&["-e", "t"], words].concat());
        let said = self.place.path().join("../said");
        let into = || std::fs::OpenOptions::new().create(true).append(true).open(&said).unwrap();
        let mut child: Child = command.stdout(into()).stderr(into()).spawn().unwrap();
        let killed = loop {
            if self.control("GET", "faults", &Json::Null)["waiting"] == json!(true) {
                child.kill().unwrap();
                let _ = child.wait().unwrap();
                break true;
            }
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{status}: {}", std::fs::read_to_string(&said).unwrap());
                break false;
            }
            std::thread::yield_now();
        };
        let _ = self.control("POST", "faults", &json!({"release": true}));
        self.place.heard(&std::fs::read(&said).unwrap(), b"");
        killed
    }

    /// Says whether a deployment is known that has not ended.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.run(&["plan"]).stderr.contains("unfinished-deployment")
    }

    /// Lets time pass until the lock of somebody dead has run out.
    pub(crate) fn outlive_the_lock(&self) {
        let _ = self.control("POST", "clock", &json!({"advance_ms": 301_000}));
    }

    /// Demands that nothing is left to do.
    pub(crate) fn is_done(&self, told: &str) {
        let said = self.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(said.code, Some(0), "{told}: {said}");
    }

    /// Demands that nothing is left to do, and that nobody holds the lock.
    pub(crate) fn at_rest(&self, told: &str) {
        self.is_done(told);
        let roles = self.state()["collections"]["roles"].clone();
        let locks = roles.as_object().unwrap().values().filter(|role| role["name"] == "tenantry-lock");
        // One that nobody released runs out; the next deployment takes it.
        assert_eq!(locks.count(), 0, "{told}: the lock is left");
    }

    /// What was asked of the tenant since the last look.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        let mut file = std::fs::File::open(&self.record).unwrap();
        file.seek(SeekFrom::Start(self.seen.get())).unwrap();
        let mut text = String::new();
        self.seen.set(self.seen.get() + file.read_to_string(&mut text).unwrap() as u64);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Demands that a tenant answers as another does.
pub(crate) fn same(told: &str, wanted: &Json, found: &Json) {
    let mut lines = Vec::new();
    raw::differences("", wanted, found, &mut lines);
    assert!(lines.is_empty(), "{told}\nwanted / found:\n{}", lines.join("\n"));
}
