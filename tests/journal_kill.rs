//! The program is killed at every one of its writes; then it is carried on, or taken back.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use common::{Output, Place, Sandbox};

const BEFORE: &str = r#"
tenant: {friendly_name: Acme}
resourceServers:
  - {name: Orders, identifier: "urn:orders", scopes: [{value: "read:orders", description: r}]}
roles:
  - {name: Clerk, description: before}
  - {name: Leaving, description: before}
"#;

const AFTER: &str = r#"
tenant: {friendly_name: Acme Travel}
resourceServers:
  - {name: Orders, identifier: "urn:orders", scopes: [{value: "read:orders", description: r}]}
  - {name: Bills, identifier: "urn:bills", scopes: [{value: "read:bills", description: r}]}
roles:
  - name: Clerk
    description: after
    permissions: [{resource_server_identifier: "urn:orders", permission_name: "read:orders"}]
  - name: New
    permissions: [{resource_server_identifier: "urn:bills", permission_name: "read:bills"}]
"#;

struct Story {
    place: Place,
    sandbox: Sandbox,
    http: reqwest::Client,
    state: Json,
}

impl Story {
    /// A tenant that runs the first description, with the ledger that says so.
    async fn start() -> Story {
        let place = Place::new();
        let sandbox = Sandbox::start(&place, &["--rate", "off"]);
        let project = format!(
            "description: tenant.yaml\nenvironments:\n  t:\n    domain: {}\n    policy: {{ delete: all }}\n",
            sandbox.url
        );
        place.write("tenantry.yaml", &project);
        place.write("tenant.yaml", BEFORE);
        let place = sandbox.point(place);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut story = Story { place, sandbox, http, state: Json::Null };
        let _ = story.run(&["apply", "--yes"]).code(0);
        copy(&story.ledger(), &story.place.path().join("kept"));
        story.state = story.control("GET", "state", &Json::Null).await;
        story
    }

    fn ledger(&self) -> PathBuf {
        self.place.path().join(".tenantry")
    }

    fn run(&self, words: &[&str]) -> Output {
        self.place.run(&[&["-e", "t"], words].concat())
    }

    async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/_sandbox/{path}", self.sandbox.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// Puts everything back to where the first description runs.
    async fn rewind(&self) {
        let _ = self.control("PUT", "state", &self.state).await;
        std::fs::remove_dir_all(self.ledger()).unwrap();
        copy(&self.place.path().join("kept"), &self.ledger());
        self.place.write("tenant.yaml", AFTER);
    }

    /// Applies the second description and kills the program at a write; `false` where there are not so many.
    async fn killed(&self, write: usize, when: &str) -> bool {
        self.rewind().await;
        let _ = self.control("POST", "faults", &json!({"barrier": {"write": write, "when": when}})).await;
        let mut command = self.place.command(&["-e", "t", "apply", "--yes", "--approve", "destructive"]);
        let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        loop {
            if self.control("GET", "faults", &Json::Null).await["waiting"] == json!(true) {
                child.kill().unwrap();
                let _ = child.wait().unwrap();
                let _ = self.control("POST", "faults", &json!({"release": true})).await;
                return true;
            }
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                let _ = self.control("POST", "faults", &json!({"release": true})).await;
                return false;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Says whether the deployment that was killed had begun for the ledger.
    fn is_unfinished(&self) -> bool {
        self.run(&["plan"]).stderr.contains("unfinished-deployment")
    }

    async fn roles(&self) -> Vec<String> {
        let state = self.control("GET", "state", &Json::Null).await;
        let roles = state["collections"]["roles"].as_object().cloned().unwrap_or_default();
        let mut names: Vec<String> = roles.values().map(|role| role["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Most writes the deployment may have: more would mean that it never ends.
const MOST: usize = 40;

#[tokio::test]
async fn killed_at_any_write_it_is_carried_on() {
    let story = Story::start().await;
    // So it ends when nobody kills it.
    assert!(!story.killed(MOST, "before").await);
    let expected = story.roles().await;
    assert!(expected.contains(&"New".to_owned()), "{expected:?}");
    let mut killed = 0;
    for when in ["before", "after"] {
        for write in 1..MOST {
            if !story.killed(write, when).await {
                break;
            }
            killed += 1;
            let said = if story.is_unfinished() {
                story.run(&["apply", "--resume", "--yes"])
            } else {
                // Nothing had begun, or all was over: what may be left is the lock, which runs out.
                let _ = story.control("POST", "clock", &json!({"advance_ms": 301_000})).await;
                story.run(&["apply", "--yes"])
            };
            assert_eq!(said.code, Some(0), "{when} write {write}: {said}");
            let said = story.run(&["plan", "--detailed-exitcode"]);
            assert_eq!(said.code, Some(0), "{when} write {write}: {said}");
            let mut roles = story.roles().await;
            roles.retain(|name| name != "tenantry-lock");
            assert_eq!(roles, expected, "{when} write {write}");
        }
    }
    assert!(killed > 12, "{killed}");
}

#[tokio::test]
async fn killed_at_any_write_it_is_taken_back() {
    let story = Story::start().await;
    let mut killed = 0;
    for write in 1..MOST {
        if !story.killed(write, "after").await {
            break;
        }
        killed += 1;
        if !story.is_unfinished() {
            continue;
        }
        let said = story.run(&["revert", "--yes", "--approve", "destructive", "--approve", "irreversible"]);
        assert_eq!(said.code, Some(0), "write {write}: {said}");
        assert_eq!(story.roles().await, ["Clerk", "Leaving"], "write {write}");
        story.place.write("tenant.yaml", BEFORE);
        let said = story.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(said.code, Some(0), "write {write}: {said}");
    }
    assert!(killed > 6, "{killed}");
}
