//! Who did what, told truly: reverts of our own work, work that a crash cut short, later deployments, patterns that match nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use common::{Output, Place, Sandbox};

struct Site {
    place: Place,
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Site {
    fn start(environment: &str, tenant: &str) -> Site {
        let place = Place::new();
        let sandbox = Sandbox::start(&place, &["--rate", "off"]);
        let place = sandbox.point(place).env("TENANTRY_ACTOR", "ana");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let site = Site { place, sandbox, http };
        site.project(environment);
        site.place.write("tenant.yaml", tenant);
        site
    }

    fn project(&self, environment: &str) {
        let indented = environment.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let domain = &self.sandbox.url;
        let text = format!("description: tenant.yaml\nenvironments:\n  t:\n    domain: {domain}\n{indented}");
        self.place.write("tenantry.yaml", &text);
    }

    fn run(&self, words: &[&str]) -> Output {
        self.place.run(&[&["-e", "t"], words].concat())
    }

    /// Deploys a description; returns the deployment's id.
    fn deploy(&self, tenant: &str) -> String {
        self.place.write("tenant.yaml", tenant);
        let said = self.run(&["apply", "--yes", "--json"]).code(0).json();
        said["deployment"].as_str().unwrap().to_owned()
    }

    async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}/_sandbox/{path}", self.sandbox.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// Sends a request as somebody at the dashboard would.
    async fn outside(&self, method: &str, path: &str, body: &Json) -> Json {
        let token = self.control("POST", "token", &json!({"name": "dana", "email": "dana@acme.example"})).await;
        let url = format!("{}/api/v2{path}", self.sandbox.url);
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, url).bearer_auth(token["access_token"].as_str().unwrap());
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    /// What is live of a collection, by name.
    async fn live(&self, collection: &str, name: &str) -> Option<Json> {
        let state = self.control("GET", "state", &Json::Null).await;
        let all = state["collections"][collection].as_object().cloned().unwrap_or_default();
        all.values().find(|one| one["name"] == name).cloned()
    }

    async fn id(&self, collection: &str, name: &str) -> String {
        let one = self.live(collection, name).await.unwrap();
        one["id"].as_str().or(one["client_id"].as_str()).unwrap().to_owned()
    }

    /// Applies and kills the program before a write.
    async fn killed(&self, write: usize, when: &str) {
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

const NOTHING_MAY_GO: &str = "policy: { delete: [], max_deletes: 0, approve: [irreversible, destructive] }";
const CLERK: &str = "roles:\n  - {name: Clerk, description: first}\n";

fn refused(said: &Output) -> Vec<String> {
    let document = said.json();
    let plan = if document["plan"].is_object() { &document["plan"] } else { &document };
    plan["refusals"].as_array().unwrap().iter().map(|r| r["guard"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_revert_deletes_what_its_own_deployment_made_whatever_the_policy_says() {
    let site = Site::start("policy: { delete: [], max_deletes: 0 }", CLERK);
    site.deploy(CLERK);
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n");
    let _ = site.run(&["revert", "--yes"]).code(0);
    assert!(site.live("roles", "New").await.is_none());
    assert!(site.live("roles", "Clerk").await.is_some());
}

#[tokio::test]
async fn a_revert_deletes_nothing_else() {
    let site = Site::start("policy: { delete: [], max_deletes: 0, protect: [roles/Kept] }", CLERK);
    site.deploy(CLERK);
    let made = "roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n";
    site.deploy(made);
    // Made anew by somebody: not what the deployment made.
    let id = site.id("roles", "New").await;
    site.outside("DELETE", &format!("/roles/{id}"), &Json::Null).await;
    site.outside("POST", "/roles", &json!({"name": "New"})).await;
    let said = site.run(&["revert", "--yes", "--json"]);
    assert!(said.code == Some(0) && site.live("roles", "New").await.is_some(), "{said}");
    // Changed by somebody: a conflict.
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n  - {name: Newer, description: a}\n");
    let id = site.id("roles", "Newer").await;
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "mine"})).await;
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["conflict"], "{said}");
    let text = site.run(&["revert", "--yes"]).code(3).stdout;
    assert!(text.contains("--overwrite roles/Newer") && !text.contains("adopt"), "{text}");
    let _ = site.run(&["revert", "--yes", "--overwrite", "roles/Newer"]).code(0);
    assert!(site.live("roles", "Newer").await.is_none());
}

#[tokio::test]
async fn protection_holds_against_a_revert() {
    let site = Site::start(NOTHING_MAY_GO, CLERK);
    site.deploy(CLERK);
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: Kept}\n");
    site.project("policy: { delete: [], protect: [roles/Kept] }");
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert!(refused(&said).contains(&"protected".to_owned()), "{said}");
}

#[tokio::test]
async fn a_connection_that_nobody_uses_yet_goes_without_approval_and_one_with_users_does_not() {
    let site = Site::start(NOTHING_MAY_GO, CLERK);
    site.deploy(CLERK);
    let with = "roles:\n  - {name: Clerk, description: first}\ndatabases:\n  - {name: staff, strategy: auth0}\n";
    site.deploy(with);
    let said = site.run(&["revert", "--yes"]).code(0);
    assert!(said.stdout.contains("0 users are deleted with it"), "{said}");
    let _ = site.run(&["apply", "--yes", "--approve", "reverted"]).code(0);
    let user = json!({"connection": "staff", "email": "eve@acme.example", "password": "Canary-1-password!"});
    site.outside("POST", "/users", &user).await;
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["approval"], "{said}");
}

/// The API keeps one form of password settings: what a write takes away of the other comes back.
#[tokio::test]
async fn a_revert_brings_back_the_form_of_password_settings_that_went_along() {
    let people = |options: &str| format!("databases:\n  - {{name: People, strategy: auth0, options: {{{options}}}}}\n");
    let (older, newer) = (
        people("passwordPolicy: fair, password_history: {enable: true, size: 7}"),
        people("password_options: {complexity: {min_length: 20}, history: {active: true, size: 9}}"),
    );
    for (first, then, member) in [(&newer, &older, "password_options"), (&older, &newer, "password_history")] {
        let site = Site::start("policy: { approve: [] }", first);
        site.deploy(first);
        let before = site.live("connections", "People").await.unwrap()["options"].clone();
        let said = {
            site.place.write("tenant.yaml", then);
            site.run(&["apply", "--yes"]).code(0)
        };
        assert!(said.stdout.contains(&format!("- options.{member}")), "what goes along is shown: {said}");
        let between = site.live("connections", "People").await.unwrap()["options"].clone();
        assert!(between.get(member).is_none(), "{between:#}");
        let said = site.run(&["revert", "--yes"]).code(0);
        let after = site.live("connections", "People").await.unwrap()["options"].clone();
        assert_eq!(after[member], before[member], "{said}");
        assert_eq!(after["passwordPolicy"], before["passwordPolicy"], "{said}");
    }
}

#[tokio::test]
async fn on_failure_revert_takes_back_what_was_made() {
    let site = Site::start("policy: { delete: [], max_deletes: 0 }", CLERK);
    site.deploy(CLERK);
    let fault = json!({"status": 400, "share": 1.0, "method": "PATCH", "path": "/tenants/settings", "times": 9});
    let _ = site.control("POST", "faults", &json!({"faults": [fault]})).await;
    let with = "tenant: {friendly_name: Acme}\nroles:\n  - {name: Clerk, description: first}\n  - {name: New}\n";
    site.place.write("tenant.yaml", with);
    let said = site.run(&["apply", "--yes", "--keep-going"]).code(5);
    assert!(site.live("roles", "New").await.is_some(), "{said}");
    let _ = site.run(&["revert", "--yes"]).code(0);
    let said = site.run(&["apply", "--yes", "--approve", "reverted", "--on-failure", "revert"]).code(1);
    assert!(site.live("roles", "New").await.is_none(), "{said}");
}

#[tokio::test]
async fn going_back_takes_back_what_was_described_since() {
    let site = Site::start("policy: { delete: [] }", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(words).current_dir(site.place.path());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@acme.example");
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    site.place.write(".gitignore", ".tenantry/\n");
    site.outside("POST", "/roles", &json!({"name": "Older", "description": "by hand"})).await;
    let shop = "clients:\n  - {name: Shop, app_type: spa}\n";
    site.place.write("tenant.yaml", &format!("{shop}{CLERK}"));
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let then = git(&["rev-parse", "HEAD"]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    let more = "clients:\n  - {name: Shop, app_type: spa, description: new, callbacks: [https://a.example/cb]}\n\
                roles:\n  - {name: Clerk, description: second}\n  - {name: New}\n  - {name: Older, description: ours}\n\
                tenant: {friendly_name: Acme}\n";
    site.place.write("tenant.yaml", more);
    git(&["commit", "-qam", "two"]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    let said = site.run(&["revert", "--to", &then, "--yes"]).code(0);
    let shop = site.live("clients", "Shop").await.unwrap();
    let empty = |member: &str| {
        shop[member].as_str().is_none_or(str::is_empty) && shop[member].as_array().is_none_or(Vec::is_empty)
    };
    assert!(empty("description") && empty("callbacks"), "{said}\n{shop}");
    assert!(site.live("roles", "New").await.is_none(), "{said}");
    assert_eq!(site.live("roles", "Older").await.unwrap()["description"], "by hand", "{said}");
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "first");
    // And the files of then find nothing to do, nor anything to delete.
    git(&["checkout", "-q", &then]);
    let said = site.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(said.stdout.contains("No changes"), "{said}");
    let _ = site.run(&["drift"]).code(0);
}

const TWO: &str = "tenant: {friendly_name: Acme}\nroles:\n  - {name: Clerk, description: first}\n  - {name: Leaving}\n";
const AFTER: &str =
    "tenant: {friendly_name: Acme Travel}\nroles:\n  - {name: Clerk, description: second}\n  - {name: New}\n";

#[tokio::test]
async fn what_a_crashed_deployment_wrote_is_nobody_elses_doing() {
    let site = Site::start("policy: { delete: all }", TWO);
    site.deploy(TWO);
    site.place.write("tenant.yaml", AFTER);
    // The lock is the first write.
    site.killed(4, "after").await;
    let plan = site.run(&["plan", "--json"]).code(0).json();
    let warning = plan["problems"].as_array().unwrap().iter().find(|p| p["id"] == "unfinished-deployment").unwrap();
    let notes = warning["notes"].to_string();
    assert!(notes.contains("which did not end: "), "{notes}");
    assert_eq!(plan["already"], json!([]));
    assert_eq!(plan["drifted"], json!([]));
    let drift = site.run(&["drift"]).code(0);
    assert!(
        drift.stderr.contains("[unfinished-deployment]") && drift.stderr.contains("which did not end: "),
        "{drift}"
    );
    let json = site.run(&["drift", "--json"]).code(0).json();
    assert!(json["problems"].to_string().contains("unfinished-deployment"), "{json}");
    let strangers = site.run(&["drift", "--all", "--json"]).json();
    assert!(!strangers["strangers"].to_string().contains("roles/New"), "{strangers}");
    // Somebody else's doing still is.
    let id = site.id("roles", "Clerk").await;
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "mine"})).await;
    let drift = site.run(&["drift"]).code(2);
    assert!(drift.stdout.contains("roles/Clerk") && drift.stdout.contains("dana@acme.example"), "{drift}");
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "second"})).await;
    let _ = site.run(&["apply", "--resume", "--yes"]).code(0);
    let history = site.run(&["history", "--json"]).code(0).json();
    let tally = &history["deployments"][0]["tally"];
    assert_eq!([&tally["created"], &tally["updated"], &tally["deleted"]], [1, 2, 1], "{history}");
}

#[tokio::test]
async fn a_program_that_died_with_the_lock_does_not_lock_this_machine_out() {
    let site = Site::start("", CLERK);
    // The lock is taken, and nothing else happened.
    site.killed(1, "after").await;
    let _ = site.run(&["apply", "--yes"]).code(0);
}

#[tokio::test]
async fn a_later_deployment_is_called_by_its_name() {
    let site = Site::start("", CLERK);
    site.deploy(CLERK);
    let second = site.deploy("roles:\n  - {name: Clerk, description: second}\n");
    let third = site.deploy("roles:\n  - {name: Clerk, description: third}\n");
    let said = site.run(&["revert", &second, "--yes"]).code(3);
    assert!(said.stdout.contains(&format!("by deployment {}", &third[..8])), "{said}");
    let text = said.stdout.replace(&third, "THIRD").replace(&second, "SECOND");
    assert!(text.contains("`tenantry revert 01") && text.contains("--overwrite roles/Clerk"), "{text}");
    assert!(!text.contains("adopt") && !text.contains("by whom is not known"), "{text}");
    let _ = site.run(&["revert", &second, "--yes", "--overwrite", "roles/Clerk"]).code(0);
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "first");
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_said() {
    let site = Site::start("", CLERK);
    site.deploy(CLERK);
    let said = site.run(&["drift", "roles/Clrek"]).code(0);
    assert!(said.stderr.contains("[nothing-matches]") && said.stderr.contains("`roles/Clerk`"), "{said}");
    let said = site.run(&["plan", "--target", "roles/Nobody*"]).code(0);
    assert!(said.stderr.contains("[nothing-matches]"), "{said}");
}

#[tokio::test]
async fn a_domain_that_is_none_has_its_place() {
    let site = Site::start("", CLERK);
    site.place
        .write("tenantry.yaml", "description: tenant.yaml\nenvironments:\n  t:\n    domain: acme.eu.auth0.com:x\n");
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("tenantry.yaml:4:13"), "{said}");
}

#[tokio::test]
async fn warnings_around_an_apply_are_part_of_its_json() {
    let site = Site::start("ledger: git", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        assert!(command.args(words).current_dir(site.place.path()).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    let grants = site.outside("GET", "/client-grants?per_page=100", &Json::Null).await;
    let own = grants.as_array().unwrap().iter().find(|g| g["client_id"] == site.sandbox.client_id.as_str()).unwrap();
    let scopes: Vec<&Json> = own["scope"].as_array().unwrap().iter().filter(|s| *s != "delete:roles").collect();
    site.outside("PATCH", &format!("/client-grants/{}", own["id"].as_str().unwrap()), &json!({"scope": scopes})).await;
    let said = site.run(&["apply", "--yes", "--json"]).code(0).json();
    assert!(said["problems"].to_string().contains("\"unlocked\""), "{said}");
}

#[tokio::test]
async fn a_throw_away_runner_does_not_deploy_again_what_was_gone_back_from() {
    let site = Site::start("", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(words).current_dir(site.place.path());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@acme.example");
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    let on_a_new_machine = |words: &[&str]| {
        let _ = std::fs::remove_dir_all(site.place.path().join(".tenantry"));
        site.run(words)
    };
    git(&["init", "-q", "-b", "main"]);
    site.place.write(".gitignore", ".tenantry/\n");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let then = git(&["rev-parse", "HEAD"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: broken}\n  - {name: Broken}\n");
    git(&["commit", "-qam", "two"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.project("policy: { delete: [roles] }");
    git(&["commit", "-qam", "let roles go"]);
    let _ = on_a_new_machine(&["revert", "--to", &then, "--yes", "--approve", "policy"]).code(0);
    let said = on_a_new_machine(&["apply", "--yes"]).code(3);
    assert!(said.stdout.contains("reverted   roles/Broken") && said.stdout.contains("again: `description`"), "{said}");
    assert!(said.stdout.contains("the tenant remembers that it was taken back from commit"), "{said}");
    // Another description passes, and what was not touched stays refused afterwards.
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: first}\n  - {name: Guest}\n");
    git(&["commit", "-qam", "three"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: broken}\n  - {name: Guest}\n");
    git(&["commit", "-qam", "four"]);
    let said = on_a_new_machine(&["apply", "--yes"]).code(3);
    assert!(said.stdout.contains("reverted   roles/Clerk"), "{said}");
    let _ = on_a_new_machine(&["apply", "--yes", "--approve", "reverted"]).code(0);
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "broken");
    let _ = on_a_new_machine(&["plan", "--detailed-exitcode"]).code(0);
}

#[tokio::test]
async fn what_was_renamed_in_the_files_is_suggested_as_moved() {
    let shop =
        "clients:\n  - {name: Shop, app_type: spa, callbacks: [https://a.example/cb], grant_types: [implicit]}\n";
    let site = Site::start("policy: { delete: [clients] }", shop);
    site.deploy(shop);
    site.place.write("tenant.yaml", &shop.replace("Shop", "Storefront"));
    let entry = "- { from: \"clients/Shop\", to: \"clients/Storefront\" }";
    let said = site.run(&["plan"]).code(0);
    assert!(said.stderr.contains(entry), "{said}");
    let said = site.run(&["plan", "--json"]).code(0);
    assert!(said.json()["problems"].to_string().contains("clients/Storefront"), "{said}");
    let said = site.run(&["plan", "--format", "markdown"]).code(0);
    assert!(said.stdout.contains("`renamed`"), "{said}");
    let project = site.place.read("tenantry.yaml");
    site.place.write("tenantry.yaml", &format!("moved:\n  {entry}\n{project}"));
    let said = site.run(&["plan", "--json"]).code(0).json();
    assert_eq!(said["changes"][0]["action"], "update", "{said}");
}

#[tokio::test]
async fn a_number_where_a_secret_belongs_is_not_stored_in_clear() {
    let site = Site::start("", CLERK);
    let oidc = "connections:\n  - name: partners\n    strategy: oidc\n    options: {client_id: a, client_secret: 1234567890123, \
                issuer: 'https://p.example', authorization_endpoint: 'https://p.example/a', token_endpoint: 'https://p.example/t', \
                jwks_uri: 'https://p.example/j', type: back_channel, scope: openid}\n";
    site.place.write("tenant.yaml", oidc);
    let said = site.run(&["--lenient", "apply", "--yes"]);
    let plan = site.run(&["--lenient", "plan", "--json"]);
    assert!(!said.stdout.contains("1234567890123") && !plan.stdout.contains("1234567890123"), "{said}\n{plan}");
    let folder = site.place.path().join(".tenantry/sandbox.eu.auth0.com/deployments");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("1234567890123"));
    }
}

fn keys() -> (String, String) {
    use age::secrecy::ExposeSecret;
    let identity = age::x25519::Identity::generate();
    (identity.to_public().to_string(), identity.to_string().expose_secret().to_owned())
}

/// Runs the program with more in its environment.
fn with(site: &Site, env: &[(&str, &str)], words: &[&str]) -> Output {
    let output = site.place.ended(site.place.command(&[&["-e", "t"], words].concat()).envs(env.iter().copied()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn ledger(site: &Site) -> String {
    let folder = site.place.path().join(".tenantry/sandbox.eu.auth0.com");
    let texts = ["deployments", "journals"].map(|part| {
        let files = std::fs::read_dir(folder.join(part)).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>()
    });
    texts.concat()
}

#[tokio::test]
async fn rotated_secrets_come_back_with_the_identity_and_are_named_without_it() {
    let (recipient, identity) = keys();
    let site = Site::start(&format!("ledger_recipient: {recipient}\nfingerprint_key: {{ env: FINGERPRINTS }}"), CLERK);
    let tenant = "connections:\n  - name: partners\n    strategy: oidc\n    options: {client_id: a, \
                  client_secret: '${{ secrets.partner }}', issuer: 'https://p.example', \
                  authorization_endpoint: 'https://p.example/a', token_endpoint: 'https://p.example/t', \
                  jwks_uri: 'https://p.example/j', type: back_channel, scope: openid}\n\
                  emailProvider: {name: sendgrid, enabled: true, default_from_address: a@acme.example, \
                  credentials: {api_key: '${{ secrets.mail }}'}}\n";
    site.place.write("tenant.yaml", tenant);
    let env = |partner, mail, more: &[(&'static str, String)]| -> Vec<(String, String)> {
        let own =
            [("FINGERPRINTS", "canary-key"), ("TENANTRY_SECRET_PARTNER", partner), ("TENANTRY_SECRET_MAIL", mail)];
        let own = own.map(|(name, value): (&str, &str)| (name.to_owned(), value.to_owned()));
        own.into_iter().chain(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
    };
    let run = |env: Vec<(String, String)>, words: &[&str]| {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        with(&site, &env, words)
    };
    let old = ("canary-partner-old", "canary-mail-old");
    let new = ("canary-partner-new", "canary-mail-new");
    let _ = run(env(old.0, old.1, &[]), &["apply", "--yes"]).code(0);
    let _ = run(env(new.0, new.1, &[]), &["apply", "--yes"]).code(0);
    let text = ledger(&site);
    assert!(!text.contains("canary-") && text.contains("\"sealed\": \""), "{text}");
    // Without the identity it is named.
    let said = run(env(new.0, new.1, &[]), &["revert"]);
    for path in ["options.client_secret", "credentials.api_key"] {
        assert!(said.stdout.contains(&format!("`{path}` is sealed in the ledger")), "{said}");
    }
    // With one that is none, so it is, and with somebody else's.
    let said = run(env(new.0, new.1, &[("TENANTRY_LEDGER_IDENTITY", "canary-none".to_owned())]), &["revert"]);
    assert!(said.stderr.contains("[bad-identity]") && !said.stderr.contains("canary-none"), "{said}");
    let said = run(env(new.0, new.1, &[("TENANTRY_LEDGER_IDENTITY", keys().1)]), &["revert"]);
    assert!(said.stdout.contains("is sealed in the ledger"), "{said}");
    let held = [("TENANTRY_LEDGER_IDENTITY", identity)];
    let said = run(env(new.0, new.1, &held), &["revert", "--yes"]).code(0);
    assert!(!said.stdout.contains("canary") && !said.stderr.contains("canary"), "{said}");
    let state = site.control("GET", "state", &Json::Null).await.to_string();
    assert!(state.contains(old.0) && !state.contains(new.0), "{said}");
    assert!(state.contains(old.1) && !state.contains(new.1), "{said}");
    assert!(!ledger(&site).contains("canary-"));
}

#[tokio::test]
async fn what_is_no_recipient_has_its_place_and_an_identity_is_not_repeated() {
    let site = Site::start("ledger_recipient: age1nothing", CLERK);
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("`age1nothing` is not a recipient of age"), "{said}");
    assert!(said.stderr.contains("tenantry.yaml:5:23"), "{said}");
    let identity = keys().1;
    site.project(&format!("ledger_recipient: {identity}"));
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("[secret-in-file]") && !said.stderr.contains(&identity), "{said}");
}

#[tokio::test]
async fn a_site_key_without_its_secret_is_refused_before_anything_is_written() {
    let tenant = |key: &str, secret: &str| {
        format!(
            "attackProtection:\n  captcha:\n    active_provider_id: hcaptcha\n    hcaptcha: {{site_key: {key}{secret}}}\n"
        )
    };
    let site = Site::start("", &tenant("a", ", secret: '${{ secrets.captcha }}'"));
    let env = [("TENANTRY_SECRET_CAPTCHA", "canary-captcha")];
    let _ = with(&site, &env, &["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", &tenant("b", ""));
    let said = site.run(&["apply", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["would-lose-secret"], "{said}");
    assert!(site.run(&["plan"]).code(3).stdout.contains("hcaptcha.secret"));
    site.place.write("tenant.yaml", &tenant("b", ", secret: '${{ secrets.captcha }}'"));
    let _ = with(&site, &env, &["apply", "--yes"]).code(0);
}

#[tokio::test]
async fn a_client_that_is_to_go_is_compared_with_its_credentials() {
    let tenant = include_str!("scenarios/002-credentials-of-a-client/step-1/tenant.yaml");
    let site = Site::start("policy: { delete: [clients] }", tenant);
    site.deploy(tenant);
    site.place.write("tenant.yaml", "clients: []\n");
    let said = site.run(&["plan", "--json"]).code(0);
    assert_eq!(said.json()["changes"][0]["origin"], "change", "{said}");
    // Somebody attaches a key of theirs.
    let id = site.id("clients", "Worker").await;
    let first = site.outside("GET", &format!("/clients/{id}/credentials"), &Json::Null).await;
    let two = include_str!("scenarios/002-credentials-of-a-client/step-2/tenant.yaml");
    let pem =
        two.rsplit_once("pem: |\n").unwrap().1.lines().map(|line| format!("{}\n", line.trim())).collect::<String>();
    let body = json!({"credential_type": "public_key", "name": "theirs", "alg": "RS256", "pem": pem});
    let second = site.outside("POST", &format!("/clients/{id}/credentials"), &body).await;
    let both = json!({"private_key_jwt": {"credentials": [{"id": first[0]["id"]}, {"id": second["id"]}]}});
    site.outside("PATCH", &format!("/clients/{id}"), &json!({"client_authentication_methods": both})).await;
    let said = site.run(&["plan", "--json"]).code(3);
    assert_eq!(refused(&said), ["conflict"], "{said}");
    let _ = site.run(&["apply", "--yes", "--overwrite", "clients/Worker"]).code(0);
    assert!(site.live("clients", "Worker").await.is_none());
}
