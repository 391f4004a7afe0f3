//! Where a deployment cannot be recorded, or what was recorded cannot be read: clear words, and nothing is written to the tenant.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use common::{Output, Place, Sandbox};

const TENANT: &str = "roles:\n  - {name: Clerk, description: first}\n";
const CHANGED: &str = "roles:\n  - {name: Clerk, description: second}\n";
const DOMAIN: &str = "sandbox.eu.auth0.com";

struct Site {
    place: Place,
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Site {
    /// A tenant and a project that describes it.
    fn start(environment: &str) -> Site {
        let place = Place::new();
        let sandbox = Sandbox::start(&place, &["--rate", "off"]);
        let place = sandbox.point(place).env("TENANTRY_ACTOR", "ana");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let site = Site { place, sandbox, http };
        site.project(&site.sandbox.url, environment);
        site.place.write("tenant.yaml", TENANT);
        site
    }

    fn project(&self, domain: &str, environment: &str) {
        let project =
            format!("description: tenant.yaml\nenvironments:\n  t:\n    domain: {domain}\n    {environment}\n");
        self.place.write("tenantry.yaml", &project);
    }

    fn run(&self, words: &[&str]) -> Output {
        self.place.run(&[&["-e", "t"], words].concat())
    }

    async fn state(&self) -> Json {
        let answer = self.http.get(format!("{}/_sandbox/state", self.sandbox.url)).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// What Tenantry wrote, by the last part of the correlation id: a number, `memory`; the lock is no matter, but must be gone.
    async fn written(&self) -> Vec<String> {
        let state = self.state().await;
        let roles = state["collections"]["roles"].as_object().cloned().unwrap_or_default();
        assert!(roles.values().all(|role| role["name"] != "tenantry-lock"), "the lock is left: {roles:?}");
        let entries = state["logs"].as_array().cloned().unwrap_or_default();
        let ids = entries.iter().filter_map(|entry| entry["references"]["correlation_id"].as_str());
        let ids = ids.filter(|id| id.starts_with("tenantry/")).map(|id| id.rsplit('/').next().unwrap().to_owned());
        ids.filter(|what| what != "lock").collect()
    }

    fn own(&self) -> PathBuf {
        self.place.path().join(".tenantry").join(DOMAIN)
    }

    /// The records, the oldest first.
    fn records(&self) -> Vec<PathBuf> {
        let mut records: Vec<PathBuf> =
            fs::read_dir(self.own().join("deployments")).unwrap().map(|entry| entry.unwrap().path()).collect();
        records.sort();
        records
    }

    fn record(&self) -> Json {
        serde_json::from_slice(&fs::read(self.records().pop().unwrap()).unwrap()).unwrap()
    }
}

/// Demands an exit code and the id of a problem.
fn said(output: Output, code: i32, problem: &str) -> Output {
    let output = output.code(code);
    assert!(output.stderr.contains(&format!("[{problem}]")), "{problem}: {output}");
    output
}

fn git(at: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(at).stdin(Stdio::null());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@acme.example");
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn commit(site: &Site, message: &str) -> String {
    let at = site.place.path();
    if !at.join(".git").exists() {
        git(&at, &["init", "-q", "-b", "main"]);
        site.place.write(".gitignore", ".tenantry/\n");
    }
    git(&at, &["add", "-A"]);
    git(&at, &["commit", "-qm", message]);
    git(&at, &["rev-parse", "HEAD"])
}

#[tokio::test]
async fn a_file_where_the_ledger_should_be() {
    let site = Site::start("ledger: dir:ledger");
    site.place.write("ledger", "not a folder");
    let told = said(site.run(&["apply", "--yes"]), 1, "ledger-unreadable");
    assert!(told.stderr.contains("ledger"), "{told}");
    assert_eq!(site.written().await, Vec::<String>::new());
    assert_eq!(site.place.read("ledger"), "not a folder");
}

#[tokio::test]
async fn a_file_where_the_journals_should_be() {
    let site = Site::start("ledger: dir:ledger");
    site.place.write(&format!("ledger/{DOMAIN}/journals"), "not a folder");
    let told = said(site.run(&["apply", "--yes"]), 1, "ledger-unwritable");
    assert!(told.stderr.contains("help: make ledger writable"), "{told}");
    assert_eq!(site.written().await, Vec::<String>::new());
    let _ = site.run(&["plan", "--detailed-exitcode"]).code(2);
}

#[tokio::test]
async fn a_file_where_the_records_should_be() {
    let site = Site::start("ledger: dir:ledger");
    site.place.write(&format!("ledger/{DOMAIN}/deployments"), "not a folder");
    let _ = said(site.run(&["apply", "--yes"]), 1, "ledger-unreadable");
    let _ = said(site.run(&["revert", "--yes"]), 1, "ledger-unreadable");
    let _ = said(site.run(&["drift"]), 1, "ledger-unreadable");
    assert_eq!(site.written().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_damaged_record_stops_everything() {
    let site = Site::start("");
    let _ = site.run(&["apply", "--yes"]).code(0);
    let before = site.written().await;
    let path = site.records().pop().unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    site.place.write("tenant.yaml", CHANGED);
    let newer = whole.replacen("\"format\": 1", "\"format\": 99", 1);
    let edited = whole.replace("\"ana\"", "\"eve\"");
    assert!(newer != whole && edited != whole, "{whole}");
    let half = &whole[..whole.len() / 2];
    for (text, problem) in [
        (half, "ledger-damaged"),
        ("", "ledger-damaged"),
        ("{}", "ledger-damaged"),
        (edited.as_str(), "ledger-damaged"),
        (newer.as_str(), "ledger-too-new"),
    ] {
        fs::write(&path, text).unwrap();
        for words in [&["plan"][..], &["apply", "--yes"], &["revert", "--yes"], &["drift"], &["history"]] {
            let told = said(site.run(words), 1, problem);
            assert!(told.stderr.contains(".tenantry/"), "it says where: {told}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left as it is");
    }
    assert_eq!(site.written().await, before);
    fs::write(&path, whole).unwrap();
    let _ = site.run(&["apply", "--yes"]).code(0);
}

/// Roles enough for a journal that gets longer than the record it begins with.
fn many() -> String {
    let text = "x".repeat(2000);
    let roles = (0..40).map(|n| format!("  - {{name: Role {n:02}, description: {text}}}\n"));
    format!("roles:\n{}", roles.collect::<String>())
}

/// Runs it on a disk that takes so many blocks per file.
fn on_a_small_disk(site: &Site, blocks: u32, words: &[&str]) -> Output {
    let limit = format!("ulimit -f {blocks}");
    let done = site.place.ended(&mut site.place.behind(&limit, &[&["-e", "t"], words].concat()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) }
}

#[tokio::test]
async fn a_full_disk_stops_the_deployment_and_it_can_be_carried_on() {
    let (mut never_begun, mut stopped) = (0, 0);
    for blocks in [1, 240, 270, 300] {
        let site = Site::start("");
        site.place.write("tenant.yaml", &many());
        let told = on_a_small_disk(&site, blocks, &["apply", "--yes"]);
        let written = site.written().await.iter().filter(|what| *what != "memory").count();
        if written == 0 {
            let _ = said(told, 1, "ledger-unwritable");
            let _ = site.run(&["apply", "--yes"]).code(0);
            never_begun += 1;
        } else {
            // Neither the journal nor the outcome could be written; the record that it began is there.
            let told = said(told, 5, "ledger-unwritable");
            assert!(told.stdout.contains("no request is sent that the journal does not hold"), "{told}");
            let journal = fs::read_dir(site.own().join("journals")).unwrap().next().unwrap().unwrap().path();
            let intents = fs::read_to_string(journal).unwrap().matches("\"intent\"").count();
            assert!(written < 40 && written <= intents, "{blocks}: {written} of {intents} written down: {told}");
            let _ = site.run(&["apply", "--resume", "--yes"]).code(0);
            stopped += 1;
        }
        let told = site.run(&["plan", "--detailed-exitcode"]).code(0);
        assert!(told.stdout.contains("\nNo changes.\n") && told.stderr.is_empty(), "{told}");
        assert_eq!(site.written().await.iter().filter(|what| *what != "memory").count(), 40, "each is created once");
    }
    assert!(never_begun > 0 && stopped > 0, "{never_begun} never begun, {stopped} stopped");
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_an_error() {
    let site = Site::start("");
    site.place.write("tenant.yaml", &many());
    // Enough for the journal and the record that it begins, too little for what it left.
    let told = said(on_a_small_disk(&site, 420, &["apply", "--yes"]), 1, "ledger-unwritable");
    assert!(told.stdout.contains("40 done"), "{told}");
    let told = said(site.run(&["plan", "--detailed-exitcode"]), 0, "unfinished-deployment");
    assert!(told.stdout.contains("\nNo changes.\n"), "{told}");
    let _ = site.run(&["apply", "--resume", "--yes"]).code(0);
    let told = site.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(told.stderr.is_empty() && told.stdout.contains("last deployed"), "{told}");
}

#[tokio::test]
async fn another_tenant_behind_the_same_environment_has_no_base() {
    let site = Site::start("");
    let _ = site.run(&["apply", "--yes"]).code(0);
    let record = fs::read(site.records().pop().unwrap()).unwrap();
    let other = Sandbox::start(&site.place, &["--rate", "off", "--tenant-domain", "other.eu.auth0.com", "--seed", "2"]);
    let site = Site { place: other.point(site.place), ..site };
    site.project(&other.url, "");
    let told = site.run(&["plan"]).code(0);
    assert!(
        told.stdout.contains("other.eu.auth0.com") && told.stdout.contains("no deployment of this tenant"),
        "{told}"
    );
    assert!(told.stdout.contains("1 to create"), "{told}");
    let _ = said(site.run(&["revert", "--yes"]), 1, "no-deployment");
    let _ = site.run(&["apply", "--yes"]).code(0);
    assert_eq!(fs::read(site.records().pop().unwrap()).unwrap(), record, "what belongs to the first stays as it is");
    assert!(site.place.path().join(".tenantry/other.eu.auth0.com/deployments").is_dir());
}

#[tokio::test]
async fn a_detached_head_is_recorded_by_its_commit() {
    let site = Site::start("");
    let first = commit(&site, "first");
    site.place.write("tenant.yaml", CHANGED);
    let _ = commit(&site, "second");
    git(&site.place.path(), &["checkout", "-q", "--detach", &first]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    assert_eq!(site.record()["commit"], json!({"id": first, "dirty": false}));
    git(&site.place.path(), &["checkout", "-q", "main"]);
    let told = site.run(&["plan", "--detailed-exitcode"]).code(2);
    assert!(told.stdout.contains(&format!("commit {}, ana", &first[..7])), "{told}");
    let told = site.run(&["revert", "--to", &first, "--yes"]).code(0);
    assert!(told.stdout.contains("No changes."), "{told}");
}

#[tokio::test]
async fn a_dirty_work_tree_is_recorded_as_such() {
    let site = Site::start("");
    let first = commit(&site, "first");
    site.place.write("tenant.yaml", CHANGED);
    let told = site.run(&["apply", "--yes"]).code(0);
    assert!(told.stdout.contains("and changes that are not committed"), "{told}");
    assert_eq!(site.record()["commit"], json!({"id": first, "dirty": true}));
    // A throw-away clone cannot render what no commit holds: nothing is guessed, nothing is written.
    let before = site.written().await;
    fs::remove_dir_all(site.place.path().join(".tenantry")).unwrap();
    site.place.write("tenant.yaml", TENANT);
    let told = said(site.run(&["apply", "--yes"]), 3, "base-missing");
    assert!(told.stderr.contains("it was deployed without a commit"), "{told}");
    assert_eq!(site.written().await, before);
}

#[tokio::test]
async fn a_shallow_clone_deploys_with_a_ledger_in_git() {
    let site = Site::start("ledger: git");
    let _ = commit(&site, "first");
    let _ = site.run(&["apply", "--yes"]).code(0);
    let home = site.place.path();
    let (remote, clone) = (home.join("../remote.git"), home.join("../clone"));
    git(&home, &["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    git(&home, &["push", "-q", remote.to_str().unwrap(), "refs/tenantry/*:refs/tenantry/*"]);
    site.place.write("tenant.yaml", CHANGED);
    let second = commit(&site, "second");
    git(&home, &["push", "-q", remote.to_str().unwrap(), "main"]);
    let url = format!("file://{}", remote.canonicalize().unwrap().display());
    git(&home, &["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()]);
    let told = site.run(&["-C", clone.to_str().unwrap(), "apply", "--yes"]).code(0);
    assert!(!told.stderr.contains("error[") && told.stdout.contains("1 to update"), "{told}");
    assert!(told.stdout.contains("last deployed"), "the ledger was fetched: {told}");
    assert!(!told.stdout.contains("unknown origin"), "{told}");
    let head = git(&clone, &["rev-parse", "HEAD"]);
    assert_eq!(head, second);
    // The first one reads what the clone pushed.
    git(&home, &["remote", "add", "origin", &url]);
    let told = site.run(&["history"]).code(0);
    assert_eq!(told.stdout.matches("ana").count(), 2, "{told}");
    // Back to what the clone does not hold is refused in words.
    let told =
        said(site.run(&["-C", clone.to_str().unwrap(), "revert", "--to", "HEAD~1", "--yes"]), 1, "commit-missing");
    assert!(told.stderr.contains("git fetch --unshallow"), "{told}");
}
