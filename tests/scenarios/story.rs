//! Stories of several commands in one repository: the ledger stays, people commit, and somebody works at the dashboard.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};
use tenantry::sandbox::{self, Options};
use tokio::runtime::Runtime;

use crate::common::{Place, canary};
use crate::raw::Dashboard;
use crate::scenario::Raw;

/// A story: one repository, one tenant, one step after the other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// What the folder shows.
    about: String,
    /// Members of the environment beside `domain`, as YAML text.
    #[serde(default)]
    environment: String,
    /// Environment variables of every run.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Secrets that the sandbox has to receive, and that may stand in no output and no file but those of the description.
    #[serde(default)]
    canaries: Vec<String>,
    /// Every run is a throw-away clone: no ledger but the repository and the tenant's memory.
    #[serde(default)]
    throw_away: bool,
    steps: Vec<Step>,
}

/// One step: something happens, then a command runs, twice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What it shows.
    about: String,
    /// Files that are written, by name; null removes one.
    #[serde(default)]
    files: BTreeMap<String, Option<String>>,
    /// Members of the environment from now on.
    environment: Option<String>,
    /// Who commits, and the message: `ana: Open the shop`.
    commit: Option<String>,
    /// Requests sent before it, as somebody at the dashboard would.
    #[serde(default)]
    before: Vec<Raw>,
    /// The command line.
    run: String,
    /// Its exit code.
    #[serde(default)]
    code: i32,
    /// The exit code of the second run; that of the first by default.
    again: Option<i32>,
    /// The files whose text is part of the snapshot afterwards.
    #[serde(default)]
    show: Vec<String>,
    /// What reads answer afterwards.
    #[serde(default)]
    after: Vec<Raw>,
    /// Every collection answers as it did after this step, 1-based, but for what is named.
    as_after: Option<usize>,
}

/// Runs a story folder and holds what was seen against its snapshot.
pub fn run(folder: &str) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(folder);
    let text = std::fs::read_to_string(home.join("story.yaml")).unwrap();
    let story: Story = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let runtime = Runtime::new().unwrap();
    let record = tempfile::NamedTempFile::new().unwrap();
    let options = Options { rate: None, record: Some(record.path().to_owned()), ..Options::default() };
    let sandbox = runtime.block_on(sandbox::start(options)).unwrap();
    canary::know(&sandbox.url);
    let dashboard = Dashboard::new(&runtime, &sandbox.url);
    let mut place = Place::new()
        .env("AUTH0_CLIENT_ID", &sandbox.client_id)
        .env("AUTH0_CLIENT_SECRET", &sandbox.client_secret)
        .env("TENANTRY_ACTOR", "ana");
    for (name, value) in &story.env {
        place = place.env(name, value);
    }
    git(&place, "ana", &["init", "-q", "-b", "main"]);
    let mut environment = story.environment.clone();
    let mut told = format!("{}\n", story.about.trim());
    let mut states: Vec<Value> = Vec::new();
    let mut heard = String::new();
    for (n, step) in story.steps.iter().enumerate() {
        let n = n + 1;
        if let Some(changed) = &step.environment {
            environment.clone_from(changed);
        }
        let indented = environment.lines().map(|line| format!("    {line}\n")).collect::<String>();
        place.write("tenantry.yaml", &format!("environments:\n  prod:\n    domain: {}\n{indented}", sandbox.url));
        for (name, text) in &step.files {
            match text {
                Some(text) => place.write(name, text),
                None => std::fs::remove_file(place.path().join(name)).unwrap(),
            }
        }
        if let Some(commit) = &step.commit {
            let (who, message) = commit.split_once(": ").unwrap();
            git(&place, who, &["add", "-A"]);
            git(&place, who, &["commit", "-qm", message]);
        }
        for raw in &step.before {
            dashboard.send(raw);
        }
        if story.throw_away {
            let _ = std::fs::remove_dir_all(place.path().join(".tenantry"));
        }
        let arguments: Vec<&str> = ["-e", "prod"].into_iter().chain(step.run.split_whitespace()).collect();
        let first = place.run(&arguments);
        assert_eq!(first.code, Some(step.code), "{folder}, step {n}: {first}");
        let mut stderr: Vec<&str> = first.stderr.lines().collect();
        if first.stderr.contains("done  ") {
            stderr.sort_unstable();
        }
        let _ = writeln!(told, "\n======== step {n}: {}\n", step.about.trim());
        let _ = writeln!(told, "$ tenantry {}\n{}{}", step.run, first.stdout, stderr.join("\n"));
        let _ = writeln!(told, "exit code {}", step.code);
        for name in &step.show {
            let _ = writeln!(told, "\n{name}:\n{}", place.read(name).trim_end());
        }
        let state = collections(&dashboard);
        if story.throw_away {
            let _ = std::fs::remove_dir_all(place.path().join(".tenantry"));
        }
        let second = place.run(&arguments);
        for output in [&first, &second] {
            heard.push_str(&format!("{}{}", output.stdout, output.stderr));
        }
        let wanted = step.again.unwrap_or(step.code);
        assert_eq!(second.code, Some(wanted), "{folder}, step {n}, again: {second}");
        assert_eq!(collections(&dashboard), state, "{folder}, step {n}: the second run changed the tenant");
        for raw in &step.after {
            dashboard.send(raw);
        }
        if let Some(then) = step.as_after {
            assert_eq!(state, states[then - 1], "{folder}, step {n}: not as after step {then}");
        }
        states.push(state);
    }
    let received = std::fs::read_to_string(record.path()).unwrap();
    silent(&story.canaries, &received, &dashboard, &heard, &place);
    let redacted = redacted(&told, &[(&sandbox.domain, "HOST"), (&sandbox.client_id, "OWN-CLIENT-ID")]);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(folder, redacted));
    canary::forget(&sandbox.url);
    runtime.block_on(sandbox.stop());
}

/// Demands that the tenant has every secret, and that neither an output nor a file has one: given ones, and those the API made.
fn silent(canaries: &[String], received: &str, dashboard: &Dashboard<'_>, heard: &str, place: &Place) {
    let made = dashboard.get("/clients?per_page=100&fields=client_secret");
    let made = made.as_array().unwrap().iter().filter_map(|client| client["client_secret"].as_str());
    let mut forms: Vec<String> = made.map(str::to_owned).collect();
    for canary in canaries {
        let escaped = Value::from(canary.as_str()).to_string();
        let escaped = escaped.trim_matches('"').to_owned();
        assert!(received.contains(&escaped), "the tenant never got {canary:?}");
        forms.extend([canary.clone(), escaped, STANDARD.encode(canary)]);
    }
    let mut texts = vec![("an output".to_owned(), heard.as_bytes().to_vec())];
    let mut folders = vec![place.path()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    assert!(texts.iter().any(|(name, _)| name.contains("journals")) || canaries.is_empty());
    for (name, bytes) in &texts {
        for form in forms.iter().filter(|form| form.len() > 8) {
            let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
            assert!(!found, "{name} holds a secret");
        }
    }
}

/// Every collection as the API answers it, without what a change back cannot restore: times, versions, ids made anew, our memory.
fn collections(dashboard: &Dashboard<'_>) -> Value {
    let paths = [
        "/clients?per_page=100",
        "/connections?per_page=100",
        "/roles?per_page=100",
        "/resource-servers?per_page=100",
        "/client-grants?per_page=100",
        "/actions/actions?per_page=100",
        "/organizations?per_page=100",
        "/tenants/settings",
        "/branding",
    ];
    json!(paths.iter().map(|path| (path.to_string(), plain(dashboard.get(path)))).collect::<BTreeMap<_, _>>())
}

fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| {
                ![
                    "updated_at",
                    "created_at",
                    "built_at",
                    "all_changes_deployed",
                    "number",
                    "deployed_version",
                    "tenantry",
                ]
                .contains(&name.as_str())
            });
            let mut out: Value = kept.map(|(name, value)| (name, plain(value))).collect();
            // An empty object of metadata is what our memory leaves behind.
            if let Some(map) = out.as_object_mut()
                && map.get("client_metadata").is_some_and(|data| *data == json!({}))
            {
                map.remove("client_metadata");
            }
            out
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}

fn git(place: &Place, who: &str, arguments: &[&str]) {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(place.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", who)
        .env("GIT_AUTHOR_EMAIL", format!("{who}@acme.example"))
        .env("GIT_COMMITTER_NAME", who)
        .env("GIT_COMMITTER_EMAIL", format!("{who}@acme.example"))
        .output()
        .unwrap();
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn redacted(text: &str, names: &[(&str, &str)]) -> String {
    let mut text = names.iter().fold(text.to_owned(), |text, (name, by)| text.replace(name, by));
    for (pattern, by) in [
        (r"\b(con|cgr|rol|org|cred|usr)_[A-Za-z0-9]{10,}", "${1}_ID"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"\b[0-9a-f]{40}\b", "COMMIT"),
        (r"\b[0-9a-f]{24}\b", "HEX-ID"),
        (r"\b[A-Za-z0-9]{32}\b", "CLIENT-ID"),
        (r"\b01[0-9A-HJKMNP-TV-Z]{6,24}\b", "DEPLOYMENT"),
        (r"\b(commit|,) [0-9a-f]{7}\b", "$1 COMMIT"),
        (r"(?m)^(DEPLOYMENT .*) [0-9a-f]{7}\b", "$1 COMMIT"),
        (r"(?m)\bunder \d+ s\b|\b\d+ s$", "SOON"),
        (r"\bDEPLOYMENT {2,}", "DEPLOYMENT   "),
        (r"(?m)^ {9,30}(\d+ (created|updated|replaced|deleted|failed))", "           $1"),
        (r"\b\d{1,2} [A-Z][a-z]{2}( \d{4})?,? (at )?\d{2}:\d{2}( UTC)?", "TIME"),
        (r"\b(\d+ seconds?|a few seconds|just now|less than a minute|\d+ minutes?)( ago)?", "JUST-NOW"),
        (r"\bin \d+(\.\d+)? ?m?s\b", "in TIME"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
    }
    text
}
