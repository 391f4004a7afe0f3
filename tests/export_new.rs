//! Exports from nothing: odd names, bad input, made-up tenants, a project around a tenant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chain;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::json;

use chain::{LAYOUTS, Tenant};
use common::{Output, Place};

/// A tenant with a config.json that leads to it.
fn tenant() -> (Place, Tenant, String) {
    let place = Place::new();
    let tenant = Tenant::start(&place, "tenant", "acme-holding.eu.auth0.com");
    let config = tenant.config(&place, "config", &json!({}));
    (place, tenant, config)
}

/// Sends a request to the test controls of the sandbox.
fn control(tenant: &Tenant, path: &str, body: &serde_json::Value) {
    let url = format!("{}/_sandbox/{path}", tenant.sandbox.url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = runtime.block_on(http.post(url).json(body).send()).unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

fn files(place: &Place, folder: &str) -> BTreeMap<PathBuf, String> {
    let root = place.path().join(folder);
    let all = chain::files(&root).into_iter();
    all.map(|(path, text)| (path.strip_prefix(&root).unwrap().to_path_buf(), text)).collect()
}

fn export(place: &Place, config: &str, further: &[&str]) -> Output {
    place.run(&[&["-c", config, "export"], further].concat())
}

/// Names that some system has trouble with.
const NAMES: [&str; 16] = [
    "con",
    "NUL.txt",
    "ends with a dot.",
    "ends with a space ",
    "../../outside",
    "/etc/passwd",
    "C:\\Windows",
    "a/b",
    "Case",
    "cASE",
    "caf\u{e9}",
    "cafe\u{301}",
    "##MARKER##",
    "${{ vars.x }}",
    "🙂",
    "tab\tand\nline",
];

#[test]
fn odd_names_come_back_from_every_layout() {
    let (place, tenant, config) = tenant();
    let long = "長".repeat(120);
    let mut made = BTreeSet::new();
    for name in NAMES.iter().copied().chain([long.as_str(), "Twin", "Twin"]) {
        tenant.ask("POST", "clients", &json!({ "name": name, "app_type": "native" }));
        made.insert(name.to_owned());
    }
    assert!(made.len() > 14, "{made:?}");
    for (layout, format) in LAYOUTS {
        let name = format!("{layout}-{format}");
        let words = ["--format", layout, "--files", format, "-o", &name];
        let said = export(&place, &config, &words).code(0);
        let first = files(&place, &name);
        let mut seen = BTreeSet::new();
        for path in first.keys() {
            let shown = path.to_str().unwrap();
            assert!(seen.insert(shown.to_lowercase()), "{shown} collides\n{said}");
            for part in shown.split(['/', '\\']) {
                let stem = part.split('.').next().unwrap().to_lowercase();
                assert!(!["con", "nul", "aux", "prn"].contains(&stem.as_str()), "{shown}");
                assert!(
                    part.len() <= 255 && !part.ends_with(['.', ' ']) && !part.contains([':', '\n', '\t', '\\']),
                    "{shown}"
                );
            }
        }
        chain::no_difference(&place, &tenant, &["-c", &config, "-i", &name]);
        let words = ["--format", layout, "--files", format, "-o", &format!("{name}-again")];
        let _ = export(&place, &config, &words).code(0);
        assert_eq!(first, files(&place, &format!("{name}-again")));
        let validated = place.run(&["-c", &config, "-i", &name, "--json", "plan"]).code(0).json();
        assert!(validated["counts"]["unchanged"].as_u64().unwrap() > made.len() as u64, "{validated}");
    }
    assert!(!place.path().parent().unwrap().join("outside.yaml").exists());
}

#[test]
fn a_second_export_changes_nothing() {
    let (place, tenant, config) = tenant();
    tenant.ask(
        "POST",
        "clients",
        &json!({ "name": "Shop", "app_type": "spa", "callbacks": ["https://shop.example/cb"] }),
    );
    tenant.ask("POST", "roles", &json!({ "name": "Clerk", "description": "Sells" }));
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let before = files(&place, "out");
    let said = export(&place, &config, &["-o", "out"]).code(0);
    assert_eq!(before, files(&place, "out"), "{said}");
    assert!(said.stdout.contains("Nothing to write"), "{said}");
}

#[test]
fn a_folder_that_is_no_description_is_refused() {
    let (place, _tenant, config) = tenant();
    place.write("notes/readme.txt", "mine");
    insta::assert_snapshot!("not_a_description", export(&place, &config, &["-o", "notes"]).code(1));
    let said = export(&place, &config, &["-o", "new.yaml"]).code(1);
    assert!(said.stderr.contains("begins with a folder"), "{said}");
    place.write("hidden/.gitignore", "x");
    let _ = export(&place, &config, &["-o", "hidden"]).code(0);
    let said = export(&place, &config, &["-o", "hidden", "--format", "single"]).code(1);
    assert!(said.stderr.contains("is a directory"), "{said}");
    let said = export(&place, &config, &["-o", "hidden", "--sanitize"]).code(1);
    assert!(said.stderr.contains("export-sanitized"), "{said}");
}

#[test]
fn what_cannot_be_read_stays_in_the_files_and_is_told() {
    let (place, tenant, config) = tenant();
    tenant.ask("POST", "roles", &json!({ "name": "Clerk", "description": "Sells" }));
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let before = files(&place, "out");
    tenant.ask("POST", "clients", &json!({ "name": "Shop", "app_type": "spa" }));
    let grants = tenant.ask("GET", "client-grants?per_page=100", &serde_json::Value::Null);
    let grants = grants.as_array().cloned().unwrap_or_else(|| grants["client_grants"].as_array().unwrap().clone());
    let own = grants.iter().find(|grant| grant["client_id"] == tenant.sandbox.client_id.as_str()).unwrap();
    let scopes: Vec<&serde_json::Value> =
        own["scope"].as_array().unwrap().iter().filter(|scope| **scope != "read:roles").collect();
    tenant.ask("PATCH", &format!("client-grants/{}", own["id"].as_str().unwrap()), &json!({ "scope": scopes }));
    let said = export(&place, &config, &["-o", "out"]);
    let after = files(&place, "out");
    for (path, text) in &before {
        assert_eq!(after.get(path), Some(text), "{said}");
    }
    let said = said.code(5);
    assert!(said.stderr.contains("export-unreadable"), "{said}");
}

#[test]
fn a_tenant_that_goes_away_leaves_the_files_alone() {
    let (place, tenant, config) = tenant();
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let before = files(&place, "out");
    tenant.ask("POST", "clients", &json!({ "name": "Shop", "app_type": "spa" }));
    let faults = json!({"faults": [{"status": 400, "share": 1.0, "method": "GET", "path": "/roles"}]});
    control(&tenant, "faults", &faults);
    let said = export(&place, &config, &["-o", "out"]).code(1);
    assert_eq!(before, files(&place, "out"), "{said}");
    let said = export(&place, &config, &["-o", "other"]).code(1);
    assert!(!place.path().join("other").exists(), "{said}");
}

#[test]
fn a_read_only_file_stops_all_of_it() {
    let (place, tenant, config) = tenant();
    let api = json!({ "name": "Orders", "identifier": "https://orders.example" });
    let id = tenant.ask("POST", "resource-servers", &api)["id"].as_str().unwrap().to_owned();
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let before = files(&place, "out");
    tenant.ask("PATCH", &format!("resource-servers/{id}"), &json!({ "name": "All orders" }));
    tenant.ask("POST", "clients", &json!({ "name": "Shop", "app_type": "spa" }));
    let file = place.path().join("out/resource-servers/Orders.yaml");
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&file, permissions).unwrap();
    let said = export(&place, &config, &["-o", "out"]).code(1);
    assert!(said.stderr.contains("read-only") && said.stderr.contains("nothing was written"), "{said}");
    assert_eq!(before, files(&place, "out"));
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let (place, tenant, config) = tenant();
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let before = files(&place, "out");
    let long = "x".repeat(200);
    tenant.ask("POST", "roles", &json!({ "name": "Short", "description": "fits" }));
    let callbacks: Vec<String> = (0..60).map(|n| format!("https://{n}.example/{long}")).collect();
    tenant.ask("POST", "clients", &json!({ "name": "Long", "app_type": "spa", "callbacks": callbacks }));
    for folder in ["out", "new/deep"] {
        let words = ["-c", &config, "export", "-o", folder];
        let said = place.ended(&mut place.behind("ulimit -f 8", &words));
        let told = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(1), "{told}");
        assert!(told.contains("unwritable-file") && told.contains("nothing was written"), "{told}");
    }
    assert_eq!(before, files(&place, "out"));
    assert!(!place.path().join("new").exists());
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_outside() {
    let (place, tenant, config) = tenant();
    tenant.ask("POST", "roles", &json!({ "name": "Clerk", "description": "Sells" }));
    let _ = export(&place, &config, &["-o", "out"]).code(0);
    let outside = place.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let _ = std::fs::remove_dir_all(place.path().join("out/clients"));
    std::os::unix::fs::symlink(&outside, place.path().join("out/clients")).unwrap();
    tenant.ask("POST", "clients", &json!({ "name": "Shop", "app_type": "spa" }));
    let said = export(&place, &config, &["-o", "out"]).code(1);
    assert!(said.stderr.contains("export-outside"), "{said}");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a_sanitized_tenant_tells_nobody_whose_it_is() {
    let (place, tenant, config) = tenant();
    let hidden = ["acme", "Frobnicate", "hunter", "gizmo", "zanzibar"];
    let api = json!({ "name": "Gizmo API", "identifier": "https://gizmo.acme.example/v7", "scopes": [{ "value": "read:gizmos", "description": "Sees gizmos" }] });
    tenant.ask("POST", "resource-servers", &api);
    let shop = json!({ "name": "Frobnicate Shop", "app_type": "non_interactive", "description": "Where acme sells\nto everybody",
        "callbacks": ["https://shop.acme.example/cb?from=acme", "acmeapp://acme.eu.auth0.com/x"], "client_metadata": { "acme_team": "zanzibar" } });
    let id = tenant.ask("POST", "clients", &shop)["client_id"].as_str().unwrap().to_owned();
    let grant = json!({ "client_id": id, "audience": "https://gizmo.acme.example/v7", "scope": ["read:gizmos"] });
    tenant.ask("POST", "client-grants", &grant);
    let role = json!({ "name": "Frobnicator", "description": "hunter" });
    let role = tenant.ask("POST", "roles", &role)["id"].as_str().unwrap().to_owned();
    let permissions = json!({ "permissions": [{ "resource_server_identifier": "https://gizmo.acme.example/v7", "permission_name": "read:gizmos" }] });
    tenant.ask("POST", &format!("roles/{role}/permissions"), &permissions);
    let database = json!({ "name": "acme-users", "strategy": "auth0", "enabled_clients": [id] });
    tenant.ask("POST", "connections", &database);
    let organization = json!({ "name": "acme-org", "display_name": "ACME Zanzibar" });
    tenant.ask("POST", "organizations", &organization);
    let action = json!({ "name": "Frobnicate", "supported_triggers": [{ "id": "post-login", "version": "v3" }],
        "code": "// acme\nexports.onExecutePostLogin = async () => {};\n", "secrets": [{ "name": "ACME_KEY", "value": "hunter2" }] });
    tenant.ask("POST", "actions/actions", &action);
    tenant.ask("PATCH", "tenants/settings", &json!({ "friendly_name": "ACME", "support_email": "help@acme.example" }));

    for (layout, format) in LAYOUTS {
        let name = format!("{layout}-{format}");
        let words = ["--sanitize", "--format", layout, "--files", format, "-o", &name];
        let said = export(&place, &config, &words).code(0);
        let written = files(&place, &name);
        let everything: String = written
            .iter()
            .map(|(path, text)| format!("{}\n{text}\n", path.display()))
            .collect::<String>()
            .to_lowercase();
        for word in hidden.iter().map(|word| word.to_lowercase()).chain([id.to_lowercase()]) {
            let line = everything.lines().find(|line| line.contains(&word));
            assert_eq!(line, None, "`{word}` is told in {name}");
            assert!(!said.stderr.to_lowercase().contains(&word), "{word}: {said}");
        }
        let said = place.run(&["-c", &config, "-i", &name, "validate"]).code(0);
        assert!(!said.stderr.contains("reference-not-described"), "{said}");
        assert!(everything.contains("post-login") && everything.contains("non_interactive"), "{everything}");
    }
}

#[test]
fn a_project_begins_with_a_tenant() {
    let (place, tenant, _config) = tenant();
    let place = tenant.sandbox.point(place);
    tenant.ask(
        "POST",
        "clients",
        &json!({ "name": "Shop", "app_type": "spa", "callbacks": ["https://shop.example/cb"] }),
    );
    let before = tenant.writes().len();
    let said = place.run(&["init", "new", "--from", "dev"]).code(0);
    assert!(said.stdout.contains("nothing to do") || said.stdout.contains("unchanged"), "{said}");
    assert!(place.read("new/tenantry.yaml").contains("  dev:\n    domain: \"http://127.0.0.1:"));
    assert!(place.path().join("new/clients/Shop.yaml").exists(), "{said}");
    let _ = place.run(&["-C", "new", "-e", "dev", "plan", "--detailed-exitcode"]).code(0);
    assert_eq!(tenant.writes().split_off(before), Vec::<String>::new());
    let said = place.run(&["-C", "new", "init", "--from", "dev"]).code(1);
    assert!(said.stderr.contains("description-exists") && said.stderr.contains("export -o"), "{said}");
}

#[test]
fn a_project_without_a_description_gets_one() {
    let (place, tenant, _config) = tenant();
    let place = tenant.sandbox.point(place);
    let project = format!("description: files\nenvironments:\n  dev:\n    domain: {}\n", tenant.sandbox.url);
    place.write("tenantry.yaml", &project);
    let said = place.run(&["init", "--from", "dev", "--format", "single"]).code(0);
    assert!(place.path().join("files/tenant.yaml").exists(), "{said}");
    assert_eq!(place.read("tenantry.yaml"), project);
    let said = place.run(&["init", "--from", "nobody"]).code(64);
    assert!(said.stderr.contains("nobody"), "{said}");
}

#[test]
fn a_file_in_the_way_stops_a_beginning() {
    let (place, tenant, _config) = tenant();
    let place = tenant.sandbox.point(place);
    place.write("new/tenant.json.bak", "mine");
    place.write("new/branding", "a file where a folder has to be");
    tenant.ask("PATCH", "branding", &json!({ "colors": { "primary": "#123456" } }));
    let before = files(&place, "new");
    let said = place.run(&["init", "new", "--from", "dev"]);
    assert_ne!(said.code, Some(0), "{said}");
    assert_eq!(before, files(&place, "new"), "{said}");
}
