//! Two that apply at the same time: one wins, the other stops or finds nothing to do, and their writes never mix.
//!
//! `TENANTRY_RACES` says how many races are run, 12 by default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::collections::BTreeSet;
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use common::{Output, Place, Sandbox};

const TENANT: &str = r#"
resourceServers:
  - {name: Orders, identifier: "urn:orders", scopes: [{value: "read:orders", description: r}]}
clients:
  - {name: Shop, app_type: regular_web}
  - {name: Robot, app_type: non_interactive}
clientGrants:
  - {client_id: Robot, audience: "urn:orders", scope: ["read:orders"]}
roles:
  - name: Clerk
    permissions: [{resource_server_identifier: "urn:orders", permission_name: "read:orders"}]
"#;

/// What is created: kind of the sandbox, member that names it, value.
const CREATED: [(&str, &str, &str); 5] = [
    ("resource_servers", "identifier", "urn:orders"),
    ("clients", "name", "Shop"),
    ("clients", "name", "Robot"),
    ("client_grants", "audience", "urn:orders"),
    ("roles", "name", "Clerk"),
];

/// How many races are run unless `TENANTRY_RACES` says otherwise.
const RACES: usize = 12;

struct Track {
    _home: Place,
    places: [Place; 2],
    sandbox: Sandbox,
    http: reqwest::Client,
    fresh: Json,
}

/// How a race begins.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// Both at once.
    Together,
    /// The second when the first has sent so many writes.
    After(u64),
    /// The second when the first has planned.
    BeforeTheLock,
}

/// A run of the program, with the times it began and ended.
struct Ran {
    output: Output,
    began: Timestamp,
    ended: Timestamp,
}

/// A write in the tenant's log.
#[derive(Debug)]
struct Wrote {
    deployment: String,
    /// The rest of the correlation id: a number, `lock` or `memory`.
    what: String,
    method: String,
    at: Timestamp,
}

impl Track {
    /// A fresh tenant, and two projects that describe it. They have a ledger in common, or one each.
    async fn start(shared: bool) -> Track {
        let here = Place::new();
        let sandbox = Sandbox::start(&here, &["--rate", "off", "--latency", "3ms"]);
        let common = here.path().join("ledger");
        let places = ["ana", "ben"].map(|who| {
            let place = sandbox.point(Place::new()).env("TENANTRY_ACTOR", who);
            let ledger = if shared { format!("    ledger: dir:{}\n", common.display()) } else { String::new() };
            let policy = "    policy: { delete: all }\n";
            let project =
                format!("description: tenant.yaml\nenvironments:\n  t:\n    domain: {}\n{policy}{ledger}", sandbox.url);
            place.write("tenantry.yaml", &project);
            place.write("tenant.yaml", TENANT);
            place
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut track = Track { _home: here, places, sandbox, http, fresh: Json::Null };
        track.fresh = track.control("GET", "state", &Json::Null).await;
        track
    }

    async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/_sandbox/{path}", self.sandbox.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// Puts everything back to where nothing was deployed yet.
    async fn rewind(&self) {
        let _ = self.control("PUT", "state", &self.fresh).await;
        let _ = std::fs::remove_dir_all(self._home.path().join("ledger"));
        for place in &self.places {
            let _ = std::fs::remove_dir_all(place.path().join(".tenantry"));
        }
    }

    fn begin(&self, runner: usize, words: &[&str]) -> JoinHandle<Ran> {
        let mut command = self.places[runner].command(&[&["-e", "t"], words].concat());
        thread::spawn(move || {
            let began = Timestamp::now();
            let output = command.output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let output =
                Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
            Ran { output, began, ended: Timestamp::now() }
        })
    }

    /// Waits for a run, and searches what it said.
    fn joined(&self, runner: usize, run: JoinHandle<Ran>) -> Ran {
        let ran = run.join().unwrap();
        self.places[runner].heard(ran.output.stdout.as_bytes(), ran.output.stderr.as_bytes());
        ran
    }

    async fn written(&self) -> u64 {
        self.control("GET", "faults", &Json::Null).await["writes"].as_u64().unwrap()
    }

    /// Lets both apply.
    async fn race(&self, start: Start) -> [Ran; 2] {
        let after = match start {
            Start::Together => 0,
            Start::After(writes) => writes,
            Start::BeforeTheLock => return self.overtaken().await,
        };
        let before = self.written().await;
        let first = self.begin(0, &["apply", "--yes"]);
        while !first.is_finished() && after > 0 && self.written().await < before + after {
            tokio::task::yield_now().await;
        }
        let second = self.begin(1, &["apply", "--yes"]);
        [self.joined(0, first), self.joined(1, second)]
    }

    /// One has planned and is about to take the lock when the other comes, deploys and goes.
    async fn overtaken(&self) -> [Ran; 2] {
        let _ = self.control("POST", "faults", &json!({"barrier": {"write": 1, "when": "before"}})).await;
        let slow = self.begin(0, &["apply", "--yes"]);
        while self.control("GET", "faults", &Json::Null).await["waiting"] != json!(true) {
            assert!(!slow.is_finished());
            tokio::task::yield_now().await;
        }
        let fast = self.joined(1, self.begin(1, &["apply", "--yes"]));
        let _ = self.control("POST", "faults", &json!({"release": true})).await;
        [self.joined(0, slow), fast]
    }

    /// What Tenantry wrote, in the order in which the tenant handled it.
    async fn writes(&self) -> (Vec<Wrote>, Json) {
        let state = self.control("GET", "state", &Json::Null).await;
        let mut writes = Vec::new();
        for entry in state["logs"].as_array().unwrap() {
            let text = entry["references"]["correlation_id"].as_str().unwrap_or_default();
            let Some((deployment, what)) = text.strip_prefix("tenantry/").and_then(|text| text.split_once('/')) else {
                continue;
            };
            writes.push(Wrote {
                deployment: deployment.to_owned(),
                what: what.to_owned(),
                method: entry["details"]["request"]["method"].as_str().unwrap().to_owned(),
                at: entry["date"].as_str().unwrap().parse().unwrap(),
            });
        }
        (writes, state["collections"].clone())
    }
}

/// What races came to.
#[derive(Debug, Default)]
struct Score {
    races: usize,
    /// Both were alive while the winner held the lock.
    overlapped: usize,
    /// The other one ended with 6: it met the lock.
    locked: usize,
    /// It ended with 4: the tenant moved since it planned.
    moved: usize,
    /// It ended with 0: there was nothing left to do.
    idle: usize,
}

impl Score {
    /// Judges one race.
    fn add(&mut self, ran: &[Ran; 2], writes: &[Wrote], collections: &Json, shared: bool) {
        let [first, second] = ran;
        let told = format!("shared: {shared}\n== ana\n{}\n== ben\n{}\n{writes:#?}", first.output, second.output);
        let did = |ran: &Ran| ran.output.stdout.contains(" requests sent · deployment ");
        let (winner, other) = if did(first) { (first, second) } else { (second, first) };
        assert!(did(winner) && !did(other) && winner.output.code == Some(0), "one wins: {told}");

        // One after the other, from the lock to its release.
        let mut order: Vec<&str> = writes.iter().map(|wrote| wrote.deployment.as_str()).collect();
        order.dedup();
        assert_eq!(order.len(), order.iter().collect::<BTreeSet<_>>().len(), "writes mix: {told}");
        for id in &order {
            let own: Vec<&Wrote> = writes.iter().filter(|wrote| wrote.deployment == **id).collect();
            let is_lock = |wrote: &Wrote, method: &str| wrote.what == "lock" && wrote.method == method;
            assert!(is_lock(own[0], "post") && is_lock(own[own.len() - 1], "delete"), "unlocked: {told}");
        }
        let writers: BTreeSet<&str> =
            writes.iter().filter(|wrote| wrote.what != "lock").map(|wrote| wrote.deployment.as_str()).collect();
        assert_eq!(writers.len(), 1, "one writes: {told}");
        let sent = writes.iter().filter(|wrote| wrote.what.parse::<u32>().is_ok()).count();
        assert_eq!(sent, CREATED.len() + 1, "every request once: {told}");
        for (kind, member, value) in CREATED {
            let made = collections[kind].as_object().unwrap().values().filter(|object| object[member] == value);
            let made = made.filter(|object| kind != "client_grants" || object["subject_type"] != "user").count();
            assert_eq!(made, 1, "{kind} {value}: {told}");
        }
        assert!(collections["roles"].as_object().unwrap().values().all(|role| role["name"] != "tenantry-lock"));

        match other.output.code {
            Some(6) => self.locked += 1,
            Some(4) => self.moved += 1,
            Some(0) if other.output.stdout.contains("\nNo changes.\n") => self.idle += 1,
            _ => panic!("the other one: {told}"),
        }
        let held = writes.iter().filter(|wrote| wrote.deployment == *writers.first().unwrap());
        let held: Vec<Timestamp> = held.map(|wrote| wrote.at).collect();
        self.races += 1;
        self.overlapped += usize::from(other.began < held[held.len() - 1] && other.ended > held[0]);
    }
}

async fn races(shared: bool) {
    let races = std::env::var("TENANTRY_RACES").map_or(RACES, |races| races.parse().unwrap());
    let track = Track::start(shared).await;
    let mut score = Score::default();
    for race in 0..races.div_ceil(2) as u64 {
        track.rewind().await;
        let start = match race % 3 {
            0 => Start::Together,
            1 => Start::After(race / 3 % 9),
            _ => Start::BeforeTheLock,
        };
        let ran = track.race(start).await;
        let (writes, collections) = track.writes().await;
        score.add(&ran, &writes, &collections, shared);
        // Whoever it was: the tenant is what both describe.
        for place in &track.places {
            let said = place.run(&["-e", "t", "plan", "--detailed-exitcode"]).code(0);
            assert!(said.stdout.contains("\nNo changes.\n"), "{said}");
        }
    }
    println!("ledger in common: {shared}, {score:?}");
}

#[tokio::test]
async fn two_with_one_ledger_race() {
    races(true).await;
}

#[tokio::test]
async fn two_with_a_ledger_each_race() {
    races(false).await;
}

/// Somebody takes a deployment for dead that is only slow: it is told so, and the lock stays where it is.
#[tokio::test]
async fn who_runs_is_not_taken_over() {
    let track = Track::start(true).await;
    for words in [&["apply", "--resume", "--yes"][..], &["revert", "--yes", "--approve", "destructive"]] {
        track.rewind().await;
        let _ = track.control("POST", "faults", &json!({"barrier": {"write": 4, "when": "before"}})).await;
        let slow = track.begin(0, &["apply", "--yes"]);
        while track.control("GET", "faults", &Json::Null).await["waiting"] != json!(true) {
            assert!(!slow.is_finished());
            tokio::task::yield_now().await;
        }
        let told = track.joined(1, track.begin(1, words)).output;
        let roles = track.control("GET", "state", &Json::Null).await["collections"]["roles"].clone();
        let locked = roles.as_object().unwrap().values().any(|role| role["name"] == "tenantry-lock");
        let _ = track.control("POST", "faults", &json!({"release": true})).await;
        let slow = track.joined(0, slow).output;
        assert!(told.stderr.contains("[journal-in-use]"), "{words:?}: {told}\n{slow}");
        assert!(locked, "{words:?}: the lock is gone: {told}\n{slow}");
        assert_eq!(slow.code, Some(0), "{words:?}: {slow}");
    }
}
