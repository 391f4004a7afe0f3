//! A tenant and a project that describes it.

use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use crate::common::{Output, Place, Sandbox};

pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
}

impl Site {
    pub(crate) fn start(environment: &str, tenant: &str) -> Site {
        let place = Place::new();
        let sandbox = Sandbox::start(&place, &["--rate", "off"]);
        let place = sandbox.point(place).env("TENANTRY_ACTOR", "ana");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let site = Site { place, sandbox, http };
        site.project(environment);
        site.place.write("tenant.yaml", tenant);
        site
    }

    pub(crate) fn project(&self, environment: &str) {
        let indented = environment.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let domain = &self.sandbox.url;
        let text = format!("description: tenant.yaml\nenvironments:\n  t:\n    domain: {domain}\n{indented}");
        self.place.write("tenantry.yaml", &text);
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.place.run(&[&["-e", "t"], words].concat())
    }

    /// Deploys a description; returns the deployment's id.
    pub(crate) fn deploy(&self, tenant: &str) -> String {
        self.place.write("tenant.yaml", tenant);
        let said = self.run(&["apply", "--yes", "--json"]).code(0).json();
        said["deployment"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/_sandbox/{path}", self.sandbox.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// Sends a request as somebody at the dashboard would.
    pub(crate) async fn outside(&self, method: &str, path: &str, body: &Json) -> Json {
        let token = self.control("POST", "token", &json!({"name": "dana", "email": "dana@acme.example"})).await;
        let url = format!("{}/api/v2{path}", self.sandbox.url);
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, url).bearer_auth(token["access_token"].as_str().unwrap());
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// What is live of a collection, by name.
    pub(crate) async fn live(&self, collection: &str, name: &str) -> Option<Json> {
        let state = self.control("GET", "state", &Json::Null).await;
        let all = state["collections"][collection].as_object().cloned().unwrap_or_default();
        all.values().find(|one| one["name"] == name).cloned()
    }

    pub(crate) async fn id(&self, collection: &str, name: &str) -> String {
        let one = self.live(collection, name).await.unwrap();
        one["id"].as_str().or(one["client_id"].as_str()).unwrap().to_owned()
    }

    /// Applies and kills the program before a write.
    pub(crate) async fn killed(&self, write: usize, when: &str) {
        let _ = self.control("POST", "faults", &json!({"barrier": {"write": write, "when": when}})).await;
        let mut command = self.place.command(&["-e", "t", "apply", "--yes"]);
        let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while self.control("GET", "faults", &Json::Null).await["waiting"] != json!(true) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before write {write}");
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        let _ = child.wait().unwrap();
        self.place.heard(b"", b"");
        let _ = self.control("POST", "faults", &json!({"release": true})).await;
    }
}

pub(crate) const NOTHING_MAY_GO: &str = "policy: { delete: [], max_deletes: 0, approve: [irreversible, destructive] }";

pub(crate) const CLERK: &str = "roles:\n  - {name: Clerk, description: first}\n";

pub(crate) fn refused(said: &Output) -> Vec<String> {
    let document = said.json();
    let plan = if document["plan"].is_object() { &document["plan"] } else { &document };
    plan["refusals"].as_array().unwrap().iter().map(|r| r["guard"].as_str().unwrap().to_owned()).collect()
}

pub(crate) const TWO: &str =
    "tenant: {friendly_name: Acme}\nroles:\n  - {name: Clerk, description: first}\n  - {name: Leaving}\n";

pub(crate) const AFTER: &str =
    "tenant: {friendly_name: Acme Travel}\nroles:\n  - {name: Clerk, description: second}\n  - {name: New}\n";
