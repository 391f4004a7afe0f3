//! What the program holds in memory during a run, with secrets of every sort in it: nothing that can be printed shows one. And a
//! failure inside the program, in the midst of an apply: it shows none either, and says what to do now.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::{Place, Sandbox};
use serde_json::{Value as Json, json};
use tenantry::api;
use tenantry::archive::{Seal, Unseal};
use tenantry::change::Action;
use tenantry::cli::tell_of_failures;
use tenantry::export;
use tenantry::flow::{self, Applied, ApplyRequest, BackupRequest, PlanRequest, Planned, Request, RestoreRequest};
use tenantry::guard::Approved;
use tenantry::journal;
use tenantry::model::{Live, LiveKind, Secret, Value};
use tenantry::project::{Flags, SecretContext, Secrets, Surroundings, load_description, load_settings};
use tenantry::schema::Registry;
use tokio_util::sync::CancellationToken;

/// What the environment gives: plain, with line breaks and quotes, in capitals for a helper to make small.
const GIVEN: [(&str, &str); 8] = [
    ("TENANTRY_SECRET_PLAIN", "canary-plain-0123456789"),
    ("TENANTRY_SECRET_LINES", "canary-first-line\ncanary-\"second\"-line\n"),
    ("TENANTRY_SECRET_CAPITALS", "CANARY-IN-CAPITALS"),
    ("SMTP_PASSWORD", "canary \"quoted\" 'twice' \\ smtp"),
    ("TENANTRY_FINGERPRINT_KEY", "canary-key-of-fingerprints"),
    ("UNRELATED_TOKEN", "canary-of-another-program"),
    ("MAPPED_SECRET", "canary-behind-a-marker"),
    ("WRITTEN_SECRET", "canary-written-into-a-file"),
];

/// What a helper makes of one of them.
const DERIVED: &str = "canary-in-capitals";

const DESCRIPTION: &str = r#"
tenant: {friendly_name: Acme}
connections:
  - name: google
    strategy: google-oauth2
    options: {client_id: g, client_secret: "${{ secrets.plain }}"}
  - name: written
    strategy: github
    options: {client_id: w, client_secret: canary-written-into-a-file}
  - name: helped
    strategy: github
    options: {client_id: h, client_secret: "${{ lower secrets.capitals }}"}
actions:
  - name: Ask
    code: ./ask.js
    supported_triggers: [{id: post-login, version: v3}]
    secrets: [{name: KEY, value: "${{ secrets.lines }}"}]
clients:
  - {name: Shop, app_type: regular_web}
  - {name: Desk, app_type: non_interactive}
emailProvider:
  name: smtp
  enabled: true
  default_from_address: a@acme.example
  credentials: {smtp_host: mail.example, smtp_port: 25, smtp_user: acme, smtp_pass: "${{ secrets.smtp }}"}
"#;

fn site() -> (Place, Sandbox) {
    let place = Place::new();
    let sandbox = Sandbox::start(&place, &["--rate", "off", "--record", "record.ndjson"]);
    let project = format!(
        "description: tenant.yaml\nenvironments:\n  t:\n    domain: {}\n    policy: {{ delete: all, approve: [] }}\n    \
         fingerprint_key: {{ env: TENANTRY_FINGERPRINT_KEY }}\n    secrets:\n      smtp: {{ env: SMTP_PASSWORD }}\n",
        sandbox.url
    );
    place.write("tenantry.yaml", &project);
    place.write("tenant.yaml", DESCRIPTION);
    place.write("ask.js", "exports.onExecutePostLogin = async () => {};\n");
    let place = GIVEN.iter().fold(sandbox.point(place), |place, (name, value)| place.env(name, value));
    (place, sandbox)
}

fn request(directory: PathBuf, env: BTreeMap<String, String>) -> Request {
    Request {
        flags: Flags { environment: Some("t".to_owned()), ..Flags::default() },
        around: Surroundings { directory, env },
        budget: 1.0,
        cancel: CancellationToken::new(),
    }
}

fn plan_request(base: &Request) -> PlanRequest {
    PlanRequest {
        base: base.clone(),
        at: None,
        resume: false,
        targets: Vec::new(),
        prune: Vec::new(),
        send_secrets: true,
        overwrite: Vec::new(),
        approved: Approved::default(),
    }
}

async fn planned(request: &PlanRequest) -> Planned {
    flow::plan(request).await.unwrap_or_else(|failed| panic!("{:?}", failed.problems))
}

/// Values in all the ways in which they can be printed.
#[derive(Default)]
struct Printed {
    text: String,
    values: usize,
}

impl Printed {
    fn add(&mut self, name: &str, value: &dyn Debug) {
        self.text.push_str(&format!("\n{name}: {value:?}\n{value:#?}"));
        self.values += 1;
    }

    fn planned(&mut self, planned: &Planned) {
        self.add("plan", &planned.plan);
        self.add("desired", &planned.desired);
        self.add("live", &planned.live);
        self.add("names", &planned.names);
        self.add("settings", &planned.settings);
        self.add("sources", &planned.sources);
        self.add("problems", &planned.problems);
        self.add("base", &planned.base);
        self.add("history", &planned.past.history);
        self.add("ledger", &planned.past.ledger);
        self.add("key", &planned.past.key);
        self.add("key of the session", &planned.session.key);
        self.add("client", &planned.session.client);
        self.add("receipt", &planned.receipt(json!({})));
    }
}

/// Says which texts are secrets in what is sent.
fn held(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    value.each_secret(&mut |secret| out.push(secret.expose().to_owned()));
    out
}

/// The client secrets in what the tenant answered.
fn answered(live: &Live) -> Vec<String> {
    let LiveKind::Read(clients) = &live.kinds["clients"] else { panic!() };
    clients.iter().filter_map(|client| client.raw["client_secret"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_memory_can_be_printed_with_a_secret() {
    let (place, sandbox) = site();
    let begun = place.command(&["plan"]);
    let env =
        begun.get_envs().filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())));
    let env: BTreeMap<String, String> = env.collect();
    let base = request(place.path(), env.clone());
    let mut out = Printed::default();

    // Before a tenant is asked.
    let loaded = load_settings(&base.flags, &base.around).unwrap();
    let described = load_description(&loaded.settings, &base.around, Secrets::Ask).await.unwrap();
    let all = described.outcome.desired.kinds.values().flat_map(|kind| &kind.resources);
    let secrets: Vec<String> = all.flat_map(|resource| held(&resource.value)).collect();
    for wanted in [GIVEN[0].1, GIVEN[1].1, GIVEN[3].1, DERIVED] {
        assert!(secrets.iter().any(|secret| secret == wanted), "not in memory: {wanted}");
    }
    let request = plan_request(&base);
    out.add("what is asked", &request);
    out.add("surroundings", &base.around);
    out.add("settings", &loaded);
    out.add("description", &described.description);
    out.add("variables", &described.variables);
    out.add("files", &described.files);
    out.add("loaded", &described);
    let context = SecretContext { env, folder: place.path(), command_timeout: Duration::from_secs(1) };
    out.add("what secrets are asked with", &context);

    // The first deployment, event by event.
    let first = planned(&request).await;
    out.planned(&first);
    let bodies = first.plan.changes.iter().flat_map(|change| &change.steps).filter(|step| step.body.is_some()).count();
    assert!(bodies >= 7 && first.plan.changes.iter().any(|change| change.action == Action::Create));
    let applying = ApplyRequest {
        keep_going: false,
        no_lock: false,
        actor: "ana".to_owned(),
        shown: json!({}),
        resumed: None,
        cancel: CancellationToken::new(),
    };
    let events = std::sync::Mutex::new(Printed::default());
    let applied = flow::apply(first, &applying, &|event| events.lock().unwrap().add("event", &event)).await;
    let events = events.into_inner().unwrap();
    assert!(events.values >= 14, "{}", events.values);
    out.text.push_str(&events.text);
    assert!(matches!(&applied, Applied::Ran { report, .. } if report.complete()), "{applied:?}");
    out.add("what came of it", &applied);
    let sent = std::fs::read_to_string(place.path().join("record.ndjson")).unwrap();
    for (name, secret) in [GIVEN[0], GIVEN[1], GIVEN[3], GIVEN[7]] {
        assert!(sent.contains(&Json::from(secret).to_string()), "the tenant never got {name}");
    }

    // Journal, and a plan against what the tenant has now: the secrets that it made are in its answers.
    let mut journals = 0;
    for entry in std::fs::read_dir(place.path().join(".tenantry")).unwrap().flatten() {
        let folder = entry.path().join("journals");
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let read = journal::read(&file.path()).unwrap();
            assert!(read.entries.len() >= 7);
            out.add("journal", &read);
            journals += 1;
        }
    }
    assert_eq!(journals, 1);
    place.write("tenant.yaml", &DESCRIPTION.replace("regular_web", "spa"));
    let second = planned(&request).await;
    assert!(answered(&second.live).len() >= 3, "{:?}", second.live);
    out.planned(&second);
    let exported =
        export::files(Registry::get(), &second.live, &export::ExportOptions { secrets: true, ..Default::default() });
    assert!(exported.files.values().any(|text| text.contains(GIVEN[0].1)));
    out.add("export", &exported);

    // Backups and restores.
    let phrase = || Secret::new(GIVEN[5].1, "the passphrase");
    let backup = BackupRequest {
        base: base.clone(),
        output: "backups".to_owned(),
        keep: None,
        seal: Seal::passphrase(phrase()).unwrap(),
        users: None,
    };
    out.add("what a backup is asked", &backup);
    out.add("what opens it", &Unseal::new(None, Some(phrase())).unwrap());
    let restore = RestoreRequest { plan: request.clone(), secrets: [("k".to_owned(), phrase())].into_iter().collect() };
    out.add("what a restore is asked", &restore);
    let backed = flow::backup(&BackupRequest { seal: Seal::Open, ..backup }).await.unwrap();
    out.add("a backup", &backed);
    let archive = flow::open_archive(&backed.shown, Arc::new(Unseal::none()), &base).await.unwrap();
    let restoring = flow::restore(&restore, &Arc::new(archive)).await.unwrap();
    out.planned(&restoring.planned);

    // Requests and answers.
    let body = json!({"client_secret": GIVEN[0].1});
    let path = "/clients".to_owned();
    let write = api::Write { method: api::Method::POST, path, body: Some(body.clone()), correlation_id: None };
    out.add("a request", &write);
    out.add("an answer", &api::Answer { status: 200, body: body.clone(), date: None });
    let credentials = api::Credentials::Secret { client_id: "c".to_owned(), client_secret: phrase() };
    out.add("credentials", &credentials);
    drop(begun);

    // As text, escaped, in base64; and as the numbers that bytes are printed as.
    place.heard(out.text.as_bytes(), b"");
    let spaceless: String = out.text.split_whitespace().collect();
    let known: Vec<String> = GIVEN.iter().map(|(_, secret)| (*secret).to_owned()).chain([DERIVED.to_owned()]).collect();
    for secret in known.iter().chain(&answered(&second.live)) {
        let numbers: String = format!("{:?}", secret.as_bytes()).split_whitespace().collect();
        assert!(!spaceless.contains(numbers.trim_matches(['[', ']'])), "bytes of a secret are printed");
        assert!(!out.text.contains(secret.as_str()), "a secret is printed");
    }
    println!("{} values, {} bytes, {} secrets", out.values, out.text.len(), place.known().len());
    assert!(out.values >= 60 && out.text.len() > 500_000, "{} values, {} bytes", out.values, out.text.len());
    drop(sandbox);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of the next test"]
async fn child_that_fails_in_the_midst_of_an_apply() {
    tell_of_failures();
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let request = plan_request(&request(std::env::current_dir().unwrap(), env.clone()));
    let first = planned(&request).await;
    let applying = ApplyRequest {
        keep_going: false,
        no_lock: false,
        actor: "ana".to_owned(),
        shown: json!({}),
        resumed: None,
        cancel: CancellationToken::new(),
    };
    let secrets: Vec<String> =
        first.desired.kinds.values().flat_map(|kind| &kind.resources).flat_map(|r| held(&r.value)).collect();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let fails = |event| {
        let number = done.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert!(number < 6, "it has {secrets:?} and {env:?} in hand at {event:?}");
    };
    let _ = flow::apply(first, &applying, &fails).await;
}

#[cfg(unix)]
#[test]
fn a_failure_inside_shows_no_secret_and_says_what_to_do() {
    let (place, _sandbox) = site();
    let ready = place.command(&[]);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "child_that_fails_in_the_midst_of_an_apply",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    child.current_dir(place.path()).env_clear().envs(ready.get_envs().filter_map(|(name, value)| Some((name, value?))));
    child.env("RUST_BACKTRACE", "1").stdin(std::process::Stdio::null());
    let ended = place.ended(&mut child);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && said.contains("error[bug]: tenantry "), "{said}");
    assert!(said.contains("its words are left out") && said.contains("apply --resume"), "{said}");

    // What it says to do is what is to be done.
    let told = place.run(&["-e", "t", "plan"]);
    assert!(told.stderr.contains("--resume") || told.stdout.contains("--resume"), "{told}");
    let _ = place.run(&["-e", "t", "apply", "--resume", "--yes"]).code(0);
    let _ = place.run(&["-e", "t", "plan", "--detailed-exitcode"]).code(0);
}
