//! Exports into a description that is there: what differs is changed where it stands, and nothing else is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod chain;
mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use chain::Tenant;
use common::{Output, Place};

const WORDS: [&str; 4] = ["-C", "project", "-e", "there"];

/// A place that holds a copy of the worked example, whose one environment is a tenant that can be asked.
fn travel0() -> (Place, Tenant) {
    let place = Place::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
    for (path, text) in chain::files(&source) {
        let name = path.strip_prefix(&source).unwrap();
        if !name.starts_with(".tenantry") {
            place.write(&format!("project/{}", name.display()), &text);
        }
    }
    let tenant = Tenant::start(&place, "tenant", "travel0.eu.auth0.com");
    let text = place.read("project/tenantry.yaml");
    let there = format!("  there:\n    domain: {}\n    policy: {{ delete: all }}\n", tenant.sandbox.url);
    place.write("project/tenantry.yaml", &text.replacen("  sandbox:\n    sandbox: {}\n", &there, 1));
    change(&place, "project/roles/traveller.yaml", "description: Everybody with an account\n", BLOCK);
    change(&place, "project/clients/mobile.yaml", "jwt_configuration:\n", ANCHOR);
    let place = tenant.sandbox.point(place);
    (place, tenant)
}

/// A text of several lines.
const BLOCK: &str = "description: |\n  Everybody with an account.\n  Books trips.\n";
/// One list for two members.
const ANCHOR: &str = "allowed_origins: &origins            # the same for both\n  - https://travel0.example\nweb_origins: *origins\njwt_configuration:\n";

fn change(place: &Place, file: &str, from: &str, to: &str) {
    let text = place.read(file);
    assert!(text.contains(from), "{file} has no {from}");
    place.write(file, &text.replacen(from, to, 1));
}

fn run(place: &Place, further: &[&str]) -> Output {
    place.run(&[&WORDS[..], further].concat())
}

/// Every file of a folder, but for Tenantry's own.
fn files(place: &Place, folder: &str) -> BTreeMap<PathBuf, String> {
    let root = place.path().join(folder);
    let all = chain::files(&root).into_iter();
    let inside = all.map(|(path, text)| (path.strip_prefix(&root).unwrap().to_path_buf(), text));
    inside.filter(|(path, _)| !path.starts_with(".tenantry")).collect()
}

/// The unified difference of two states of a folder.
fn difference(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> String {
    let mut out = String::new();
    let mut names: Vec<&PathBuf> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let _ = writeln!(out, "=== {}", name.display().to_string().replace('\\', "/"));
        match (old, new) {
            (Some(old), Some(new)) => {
                let diff = similar::TextDiff::from_lines(old, new);
                let _ = write!(out, "{}", diff.unified_diff().context_radius(1));
            }
            (None, Some(new)) => new.lines().for_each(|line| {
                let _ = writeln!(out, "+{line}");
            }),
            _ => out.push_str("(removed)\n"),
        }
    }
    out
}

/// Finds a resource by the value of a member; returns its id.
fn find(tenant: &Tenant, path: &str, member: &str, value: &str, id: &str) -> String {
    let all = tenant.ask("GET", path, &Value::Null);
    let list = match &all {
        Value::Array(items) => items.clone(),
        Value::Object(map) => map.values().find_map(|value| value.as_array()).unwrap().clone(),
        other => panic!("{other}"),
    };
    let found = list.iter().find(|item| item[member] == value).unwrap_or_else(|| panic!("no {value} at {path}: {all}"));
    found[id].as_str().unwrap().to_owned()
}

fn client(tenant: &Tenant, name: &str) -> String {
    format!("clients/{}", find(tenant, "clients?per_page=100", "name", name, "client_id"))
}

/// What people do in a dashboard.
fn clicked(tenant: &Tenant) {
    let patch = |path: &str, body: Value| {
        let answer = tenant.ask("PATCH", path, &body);
        assert!(answer.get("statusCode").is_none(), "{path}: {answer}");
    };
    // Behind a marker that stands for a list, behind one that stands alone, and beside one.
    let storefront = client(tenant, "Storefront");
    patch(&storefront, json!({"callbacks": ["http://localhost:3000/callback", "http://localhost:3000/beta"]}));
    patch("tenants/settings", json!({"support_url": "https://help.travel0.example/"}));
    let console = client(tenant, "Support Console");
    patch(
        &console,
        json!({"callbacks": ["http://localhost:3200/callback", "https://console.travel0.example/callback"]}),
    );
    // A field of a JSON file, a field that goes, a nested object, an alias.
    patch(&console, json!({"jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 900}}));
    patch(&storefront, json!({"description": ""}));
    patch(
        &client(tenant, "Agent Portal"),
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring",
        "leeway": 5, "token_lifetime": 604_800, "idle_token_lifetime": 86_400, "infinite_token_lifetime": false,
        "infinite_idle_token_lifetime": false}}),
    );
    patch(
        &client(tenant, "Travel0 Mobile"),
        json!({"web_origins": ["https://travel0.example", "https://m.travel0.example"]}),
    );
    // A rename that a grant follows.
    patch(&client(tenant, "Booking Service"), json!({"name": "Booking Machine"}));
    // A text of several lines, a deletion.
    let role = |name: &str| format!("roles/{}", find(tenant, "roles?per_page=100", "name", name, "id"));
    patch(&role("Traveller"), json!({"description": "Everybody with an account.\nBooks trips.\nCollects points.\n"}));
    tenant.ask("DELETE", &role("Support"), &Value::Null);
    // New resources: beside YAML, and of a kind that has JSON only.
    tenant.ask(
        "POST",
        "clients",
        &json!({"name": "Kiosk", "app_type": "native", "callbacks": ["travel0kiosk://done"]}),
    );
    tenant.ask("POST", "roles", &json!({"name": "Auditor", "description": "Reads everything"}));
    // Elements of a set and of a keyed list.
    let grants = tenant.ask("GET", "client-grants?per_page=100", &Value::Null);
    let grants = grants.as_array().cloned().unwrap_or_else(|| grants["client_grants"].as_array().unwrap().clone());
    let payments = grants.iter().find(|grant| grant["scope"].to_string().contains("confirm:payments")).unwrap();
    let id = payments["id"].as_str().unwrap();
    patch(&format!("client-grants/{id}"), json!({"scope": ["confirm:payments", "manage:bookings"]}));
    let api = find(tenant, "resource-servers?per_page=100", "name", "Loyalty API", "id");
    patch(
        &format!("resource-servers/{api}"),
        json!({"scopes": [
        {"value": "read:points", "description": "See the balance of points"},
        {"value": "redeem:points", "description": "Pay with points"},
        {"value": "grant:points", "description": "Add points to an account"},
        {"value": "expire:points", "description": "Let points expire"}]}),
    );
    // Code, pages, bodies of e-mails.
    let action = find(tenant, "actions/actions?per_page=100", "name", "Check sign-up", "id");
    patch(
        &format!("actions/actions/{action}"),
        json!({"code": "exports.onExecutePreUserRegistration = async () => {};\n"}),
    );
    while tenant.ask("GET", &format!("actions/actions/{action}"), &Value::Null)["status"] != "built" {}
    tenant.ask("POST", &format!("actions/actions/{action}/deploy"), &Value::Null);
    patch("tenants/settings", json!({"error_page": {"html": "<h1>Sorry</h1>\n", "url": "", "show_log_link": false}}));
    patch("email-templates/verify_email", json!({"subject": "Please confirm: your address"}));
    // Objects of one kind each, in JSON, YAML and brackets.
    patch("tenants/settings", json!({"idle_session_lifetime": 12}));
    patch("branding", json!({"colors": {"primary": "#123456", "page_background": "#f4f7fa"}}));
    patch("attack-protection/brute-force-protection", json!({"max_attempts": 5, "allowlist": ["203.0.113.7"]}));
    patch("attack-protection/suspicious-ip-throttling", json!({"allowlist": ["192.0.2.0/24", "198.51.100.0/24"]}));
    let organization = find(tenant, "organizations?per_page=100", "name", "globex", "id");
    patch(
        &format!("organizations/{organization}"),
        json!({"metadata": {"contract": "2024-0117", "account_manager": "erin", "tier": "gold"}}),
    );
    let text = json!({"login-id": {"title": "Schön, dass Sie da sind", "description": "Mit dem Travel0-Konto weiter zu ${clientName}."}});
    let answer = tenant.ask("PUT", "prompts/login-id/custom-text/de", &text);
    assert!(answer.get("statusCode").is_none(), "{answer}");
}

#[test]
fn what_was_clicked_changes_the_lines_it_stands_on() {
    let (place, tenant) = travel0();
    let _ = run(&place, &["apply", "--yes"]).code(0);
    let _ = run(&place, &["export", "-o", "."]).code(0);
    let before = files(&place, "project");
    clicked(&tenant);

    let said = run(&place, &["export", "-o", ".", "--remove-files"]).code(2);
    insta::assert_snapshot!("what_was_clicked__said", said);
    let between = files(&place, "project");
    insta::assert_snapshot!("what_was_clicked__changed", difference(&before, &between));
    // What was left is what a plan has to say, and nothing else.
    let plan = run(&place, &["--json", "plan"]).code(3).json();
    let fields = |change: &Value| -> Vec<String> {
        let fields = change["fields"].as_array().unwrap().iter();
        fields.map(|field| format!("{} {}", change["address"], field["path"])).collect()
    };
    let left: Vec<String> = plan["changes"].as_array().unwrap().iter().flat_map(fields).collect();
    assert_eq!(left.len(), 3, "{left:?}");

    let words = ["export", "-o", ".", "--into-variables", "--replace-markers"];
    let said = run(&place, &words).code(0);
    insta::assert_snapshot!("what_was_clicked__markers", said);
    let after = files(&place, "project");
    insta::assert_snapshot!("what_was_clicked__markers_changed", difference(&between, &after));
    let _ = run(&place, &["plan", "--detailed-exitcode"]).code(0);
    let said = run(&place, &["export", "-o", "."]).code(0);
    assert!(said.stdout.contains("Nothing to write"), "{said}");
    assert_eq!(difference(&after, &files(&place, "project")), "");
}

#[test]
fn changes_of_ones_own_stay() {
    let (place, tenant) = travel0();
    let _ = run(&place, &["apply", "--yes"]).code(0);
    let _ = run(&place, &["export", "-o", "."]).code(0);
    // Ours: a field, a new resource, one taken out, and a field that both sides change.
    change(&place, "project/clients/booking-service.yaml", "lifetime_in_seconds: 3600", "lifetime_in_seconds: 1800");
    place.write("project/roles/planned.yaml", "name: Planned\ndescription: Not deployed yet\n");
    std::fs::remove_file(place.path().join("project/roles/agency-admin.yaml")).unwrap();
    change(&place, "project/organizations/initech.yaml", "display_name: Initech Travel", "display_name: Initech Trips");
    let before = files(&place, "project");
    // Theirs.
    let booking = client(&tenant, "Booking Service");
    tenant.ask("PATCH", &booking, &json!({"description": "Adds points"}));
    let initech = find(&tenant, "organizations?per_page=100", "name", "initech", "id");
    tenant.ask("PATCH", &format!("organizations/{initech}"), &json!({"display_name": "Initech Tours"}));

    let said = run(&place, &["export", "-o", ".", "--remove-files"]).code(0);
    insta::assert_snapshot!("changes_of_ones_own__said", said);
    insta::assert_snapshot!("changes_of_ones_own__changed", difference(&before, &files(&place, "project")));
}

#[test]
fn without_a_deployment_the_tenant_wins_and_nothing_is_removed() {
    let (place, tenant) = travel0();
    let _ = run(&place, &["apply", "--yes"]).code(0);
    std::fs::remove_dir_all(place.path().join("project/.tenantry")).unwrap();
    let own = format!("clients/{}", tenant.sandbox.client_id);
    tenant.ask("PATCH", &own, &json!({"client_metadata": {"tenantry": null}}));
    change(&place, "project/clients/booking-service.yaml", "lifetime_in_seconds: 3600", "lifetime_in_seconds: 1800");
    place.write("project/roles/planned.yaml", "name: Planned\ndescription: Not deployed yet\n");
    let said = run(&place, &["export", "-o", "."]).code(0);
    assert!(
        said.stdout.contains("roles/Planned") && place.path().join("project/roles/planned.yaml").exists(),
        "{said}"
    );
    assert!(place.read("project/clients/booking-service.yaml").contains("lifetime_in_seconds: 3600"), "{said}");
    let _ = run(&place, &["export", "-o", ".", "--remove-files"]).code(0);
    assert!(!place.path().join("project/roles/planned.yaml").exists());
}

#[test]
fn a_single_file_gets_new_items_in_its_lists() {
    let (place, tenant) = travel0();
    let _ = run(&place, &["apply", "--yes"]).code(0);
    let _ = run(&place, &["export", "-o", "single", "--format", "single"]).code(0);
    // `-C` leads to the project.
    let single = "project/single";
    let file = format!("{single}/tenant.yaml");
    let text = place.read(&file).replacen("clients:\n", "# What people sign in to\nclients:\n", 1);
    place.write(&file, &text);
    let before = files(&place, single);
    let said = run(&place, &["export", "-o", "single/tenant.yaml"]).code(0);
    assert_eq!(difference(&before, &files(&place, single)), "", "{said}");

    tenant.ask("POST", "clients", &json!({"name": "Kiosk", "app_type": "native"}));
    tenant.ask("PATCH", &client(&tenant, "Storefront"), &json!({"description": "A shop: on the web"}));
    let action = json!({"name": "New one", "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "code": "exports.onExecutePostLogin = async () => {};\n", "secrets": [{"name": "KEY", "value": "hunter2"}]});
    tenant.ask("POST", "actions/actions", &action);
    let said = run(&place, &["export", "-o", "single"]).code(0);
    insta::assert_snapshot!("single_file__changed", difference(&before, &files(&place, single)));
    assert!(
        !said.stdout.contains("hunter2") && said.stdout.contains("secrets.ACTIONS_NEW_ONE_SECRETS_KEY_VALUE"),
        "{said}"
    );
    let _ = run(&place, &["-i", "single", "plan", "--detailed-exitcode"]);
    let said = run(&place, &["export", "-o", "single"]).code(0);
    assert!(said.stdout.contains("Nothing to write"), "{said}");
    tenant.ask("PATCH", &client(&tenant, "Storefront"), &json!({"description": "In the hall"}));
    let updated = run(&place, &["--json", "export", "-o", "single"]).code(0).json()["updated"].clone();
    assert_eq!(updated["adopted"], json!([{"address": "clients/Storefront", "path": "description"}]));
    assert_eq!((&updated["added"], &updated["left"]), (&json!([]), &json!([])));
}

/// Templates of e-mails and pages that are not described: each is asked for, as there is no list of them.
const UNDESCRIBED: usize = 14;

#[test]
fn an_unchanged_tenant_is_asked_as_a_plan_asks() {
    let (place, _tenant) = travel0();
    let _ = run(&place, &["apply", "--yes"]).code(0);
    let _ = run(&place, &["export", "-o", "."]).code(0);
    let before = files(&place, "project");
    let requests = || std::fs::read_to_string(place.path().join("tenant.ndjson")).unwrap().lines().count();
    let start = requests();
    let _ = run(&place, &["plan", "--detailed-exitcode"]).code(0);
    let planned = requests() - start;
    let start = requests();
    let said = run(&place, &["export", "-o", "."]).code(0);
    let exported = requests() - start;
    assert_eq!(difference(&before, &files(&place, "project")), "", "{said}");
    eprintln!("a plan asks {planned} times, an export {exported} times");
    assert!(exported <= planned + UNDESCRIBED, "{exported} requests, a plan has {planned}");
}

/// Where the examples are, or none after saying so.
fn examples() -> Option<PathBuf> {
    let given = std::env::var_os("TENANTRY_SHARED").map(PathBuf::from);
    let shared = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    if shared.is_dir() {
        return Some(shared.join("examples"));
    }
    let required = std::env::var("REQUIRE").unwrap_or_default().split(',').any(|need| need == "shared");
    assert!(!required, "no reference material, and REQUIRE names `shared`");
    eprintln!("skipped: no reference material");
    None
}

const DOMAIN: &str = "auth0-deploy-cli-e2e.us.auth0.com";

/// Deploys an example and exports the tenant over it: no file that was there changes, and the second time none is new.
fn over_itself(name: &str, input: &str, prepare: impl Fn(&Tenant)) {
    let Some(examples) = examples() else { return };
    let example = examples.join(name);
    let place = Place::new();
    for (path, text) in chain::files(&example) {
        place.write(&format!("source/{}", path.strip_prefix(&example).unwrap().display()), &text);
    }
    let made_up = chain::markers(&example).into_iter().map(|name| {
        let value = match name.as_str() {
            "AUTH0_DOMAIN" => DOMAIN.to_owned(),
            "ENV" => "dev".to_owned(),
            _ => format!("made-up-{}", name.to_lowercase().replace('_', "-")),
        };
        (name, Value::String(value))
    });
    let mappings: Map<String, Value> = made_up.collect();
    let tenant = Tenant::start(&place, "tenant", DOMAIN);
    prepare(&tenant);
    let config = tenant.config(&place, "config", &Value::Object(mappings));
    let _ = chain::deploy(&place, &tenant, &["-c", &config, "-i", input]);
    let before = files(&place, "source");
    // Keeping markers is what auth0-deploy-cli has to be asked for.
    let place = place.env("AUTH0_PRESERVE_KEYWORDS", "true");
    let said = place.run(&["-c", &config, "export", "-o", input]);
    let after = files(&place, "source");
    // What a fresh tenant brings is new: in files of its own, or at the end of its list.
    for (path, text) in &before {
        let now = after.get(path).unwrap_or_else(|| panic!("{} is gone\n{said}", path.display()));
        let diff = similar::TextDiff::from_lines(text, now);
        let may_grow = input.ends_with(&*path.to_string_lossy());
        let is_kept = diff.iter_all_changes().all(|change| match change.tag() {
            similar::ChangeTag::Equal => true,
            similar::ChangeTag::Insert => may_grow,
            similar::ChangeTag::Delete => false,
        });
        assert!(is_kept, "{} changed\n{said}\n{}", path.display(), difference(&before, &after));
    }
    let said = place.run(&["-c", &config, "export", "-o", input]);
    assert_eq!(difference(&after, &files(&place, "source")), "", "{said}");
    chain::no_difference(&place, &tenant, &["-c", &config, "-i", input]);
}

#[test]
fn the_documented_directory_over_itself() {
    over_itself("deploy-cli-directory", "source", chain::referred_to);
}

#[test]
fn the_single_file_of_the_end_to_end_suite_over_itself() {
    over_itself("deploy-cli-yaml", "source/tenant.yaml", |_| {});
}
