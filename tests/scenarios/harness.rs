//! Runs one folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};
use tenantry::sandbox::{self, Options, Running};
use tokio::runtime::Runtime;

use crate::common::{Output, Place, canary};
use crate::raw::Dashboard;
use crate::scenario::{Scenario, Step};

/// Runs a scenario folder and holds what was seen against its snapshot.
pub fn run(folder: &str) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(folder);
    let text = std::fs::read_to_string(home.join("scenario.yaml")).unwrap();
    let scenario: Scenario = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let runtime = Runtime::new().unwrap();
    let record = tempfile::NamedTempFile::new().unwrap();
    let options = Options {
        rate: None,
        record: Some(record.path().to_owned()),
        subscription: scenario.subscription.as_deref().unwrap_or("enterprise").parse().unwrap(),
        ..Options::default()
    };
    let sandbox = runtime.block_on(sandbox::start(options)).unwrap();
    canary::know(&sandbox.url);
    let dashboard = Dashboard::new(&runtime, &sandbox.url);
    let mut stage =
        Stage { scenario: &scenario, home, sandbox: &sandbox, dashboard, record: record.path().into(), seen: 0 };
    let mut told = format!("{}\n", scenario.about.trim());
    for (n, step) in scenario.steps.iter().enumerate() {
        stage.step(n + 1, step, &mut told);
    }
    let redacted = stage.redacted(&told);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(folder, redacted));
    canary::forget(&sandbox.url);
    runtime.block_on(sandbox.stop());
}

struct Stage<'a> {
    scenario: &'a Scenario,
    home: PathBuf,
    sandbox: &'a Running,
    dashboard: Dashboard<'a>,
    record: PathBuf,
    /// Exchanges read so far.
    seen: usize,
}

impl Stage<'_> {
    fn step(&mut self, n: usize, step: &Step, told: &mut String) {
        for raw in &step.before {
            self.dashboard.send(raw);
        }
        self.lose(&step.without_scopes);
        self.forget();
        let _ = self.writes();
        let place = self.place(n, step);
        let filled: Vec<String> = step.args.iter().map(|argument| self.dashboard.filled(argument)).collect();
        let arguments: Vec<&str> = filled.iter().map(String::as_str).collect();
        let plan = self.tenantry(&place, "plan", &arguments);
        assert_eq!(plan.code, Some(step.plan_code), "step {n}: {plan}");
        let written = self.writes();
        assert!(written.is_empty(), "step {n}: a plan wrote {written:?}");

        let mut all = arguments.clone();
        all.extend(step.apply.iter().map(String::as_str));
        all.extend(["--yes", "--no-lock"]);
        let apply = self.tenantry(&place, "apply", &all);
        let written = self.writes();
        let code = step.code.unwrap_or(step.plan_code);
        assert_eq!(apply.code, Some(code), "step {n}: {apply}\n{}", written.join("\n"));
        for raw in &step.after {
            self.dashboard.send(raw);
        }

        let mut arguments = filled.iter().map(|a| format!(" {a}")).collect::<String>();
        let _ = writeln!(told, "\n======== step {n}: {}\n", step.about.trim());
        let _ = writeln!(told, "$ tenantry plan{arguments}\n{}{}", plan.stdout, plan.stderr);
        if code != 0 && code == step.plan_code {
            let _ = writeln!(told, "exit code {code}");
        }
        arguments.extend(step.apply.iter().map(|a| format!(" {a}")));
        if step.report || code != step.plan_code {
            let report = apply.stdout.strip_prefix(&plan.stdout).unwrap_or(&apply.stdout).trim();
            let mut progress: Vec<&str> = apply.stderr.lines().collect();
            progress.sort_unstable();
            let progress = progress.join("\n");
            let _ = writeln!(told, "$ tenantry apply{arguments}\n{report}\n{progress}\nexit code {code}");
        }
        let _ = writeln!(told, "writes:\n{}", written.join("\n"));
        if !step.unfinished {
            self.at_rest(n, &place, &all);
        }
    }

    /// The law that matters most: what was just deployed plans to nothing, and a second apply writes nothing.
    fn at_rest(&mut self, n: usize, place: &Place, arguments: &[&str]) {
        let again = self.tenantry(place, "apply", arguments).code(0);
        let written = self.writes();
        assert!(written.is_empty(), "step {n}, again: {again}\n{}", written.join("\n"));
        assert!(again.stdout.contains("\nNo changes.\n"), "step {n}, again: {again}");
    }

    fn place(&self, n: usize, step: &Step) -> Place {
        let name = step.files.clone().unwrap_or_else(|| format!("step-{n}"));
        let mut place = Place::with(&format!("tests/scenarios/{}/{name}", self.home.file_name().unwrap().display()));
        let here = std::fs::canonicalize(&self.home).unwrap();
        assert!(here.join(&name).is_dir(), "{name} is missing");
        if self.scenario.compatibility {
            place = place.env("AUTH0_DOMAIN", &self.sandbox.url);
        } else {
            let indented = self.scenario.environment.lines().map(|line| format!("    {line}\n")).collect::<String>();
            let project = format!(
                "{}\nenvironments:\n  test:\n    domain: {}\n{indented}",
                self.scenario.project, self.sandbox.url
            );
            place.write("tenantry.yaml", &project);
        }
        for (name, value) in self.scenario.env.iter().chain(&step.env) {
            place = place.env(name, value);
        }
        place.env("AUTH0_CLIENT_ID", &self.sandbox.client_id).env("AUTH0_CLIENT_SECRET", &self.sandbox.client_secret)
    }

    fn tenantry(&self, place: &Place, command: &str, arguments: &[&str]) -> Output {
        let input = if place.path().join("tenant.yaml").is_file() { "tenant.yaml" } else { "." };
        let mut all = if self.scenario.compatibility { vec!["-i", input] } else { vec!["-e", "test"] };
        all.push(command);
        all.extend(arguments);
        place.run(&all)
    }

    /// Lets the tenant forget what it runs: every step has a folder, and with it a ledger, of its own.
    fn forget(&self) {
        self.dashboard.send(&crate::scenario::Raw {
            send: format!("PATCH /clients/{}", self.sandbox.client_id),
            body: Some(json!({"client_metadata": {"tenantry": null}})),
            has: None,
            status: None,
        });
    }

    /// Takes scopes from the deployer's own grant, as an administrator would.
    fn lose(&self, scopes: &[String]) {
        if scopes.is_empty() {
            return;
        }
        let grants = self.dashboard.get("/client-grants?per_page=100");
        let own = grants.as_array().unwrap().iter().find(|grant| grant["client_id"] == self.sandbox.client_id.as_str());
        let own = own.unwrap();
        let kept: Vec<&Value> =
            own["scope"].as_array().unwrap().iter().filter(|s| !scopes.iter().any(|lost| *s == lost)).collect();
        self.dashboard.send(&crate::scenario::Raw {
            send: format!("PATCH /client-grants/{}", own["id"].as_str().unwrap()),
            body: Some(json!({"scope": kept})),
            has: None,
            status: None,
        });
    }

    /// What the program wrote since the last look, sorted, as requests go out at the same time.
    fn writes(&mut self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.record).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut writes: Vec<String> = lines.iter().skip(self.seen).filter_map(|line| write_of(line)).collect();
        self.seen = lines.len();
        // How often a deletion that takes time is asked after is a matter of chance.
        writes.dedup_by(|a, b| a == b && a.starts_with("DELETE"));
        // Sorted without ids: who gets which depends on whose request came first.
        let mut writes: Vec<String> = writes.iter().map(|line| self.redacted(line)).collect();
        writes.sort();
        writes
    }

    fn redacted(&self, text: &str) -> String {
        let mut text = text.replace(&self.sandbox.domain, "HOST").replace(&self.sandbox.client_id, "OWN-CLIENT-ID");
        for (pattern, by) in [
            (
                r"\b(con|cgr|rol|org|cred|atp|acl|efg|ssp|cd|evt|net|vfl|flow|form|hk|rul|lst|pdp|usr|ap)_[A-Za-z0-9]{10,}",
                "${1}_ID",
            ),
            (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
            (r"\b[0-9a-f]{24}\b", "HEX-ID"),
            (r"\b[A-Za-z0-9]{32}\b", "CLIENT-ID"),
            (r"\b01[0-9A-HJKMNP-TV-Z]{6,24}\b", "DEPLOYMENT"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, by).into_owned();
        }
        text
    }
}

fn write_of(line: &str) -> Option<String> {
    let exchange: Value = serde_json::from_str(line).unwrap();
    let (method, path) = (exchange["method"].as_str().unwrap(), exchange["path"].as_str().unwrap());
    if method == "GET" || !path.starts_with("/api/v2") {
        return None;
    }
    let path = path.trim_start_matches("/api/v2");
    if exchange["request_body"]["client_metadata"].get("tenantry").is_some() {
        // What the tenant remembers is no part of any story here.
        return None;
    }
    let body = match &exchange["request_body"] {
        Value::Null => String::new(),
        body => format!(" {body}"),
    };
    Some(format!("{method} {path} → {}{body}", exchange["status"]))
}
