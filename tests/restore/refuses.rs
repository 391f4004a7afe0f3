//! What is refused, and what stops half-way: nothing is written that was not shown, and nothing comes twice.

use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use crate::archive::How;
use crate::chain::{Tenant, public_key};
use crate::comes_back::same;
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, full, project, restore, tenant, travel0};

/// A place with an archive of a tenant, its secrets, and an empty tenant with a project for it.
fn setting(policy: &str) -> (Place, Tenant, Tenant, String) {
    let (place, from) = travel0(Place::new(), DOMAIN);
    let (_, secrets) = archive(&place, &from, DOMAIN, "archive", &How::default());
    let to = tenant(&place, "to", DOMAIN);
    let secrets = place.path().join(secrets).display().to_string();
    (project(place, "new", &to, policy), from, to, secrets)
}

pub fn control(tenant: &Tenant, method: &str, path: &str, body: &Json) -> Json {
    let url = format!("{}/_sandbox/{path}", tenant.sandbox.url);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.request(method.parse().unwrap(), url);
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    })
}

#[test]
fn secrets_that_nobody_has_are_listed_before_anything_is_written() {
    let (place, _, to, _) = setting(EVERYTHING_ALLOWED);
    let before = to.writes();
    let said = restore(&place, "new", "archive", &["--yes"]).code(3);
    assert_eq!(to.writes(), before);
    assert!(said.stdout.contains("Secrets that have to be sent and nobody has"), "{said}");
    assert!(said.stdout.contains("--secrets FILE"), "{said}");
    let document = restore(&place, "new", "archive", &["--yes", "--json"]).code(3).json();
    let missing = document["missing_secrets"].as_array().unwrap();
    assert!(!missing.is_empty());
    // Each may be given by the environment too.
    let key = public_key(&place.path()).unwrap();
    let place = missing.iter().fold(place, |place, one| {
        let variable = one["variable"].as_str().unwrap();
        place.env(variable, if variable.ends_with("_PEM") { &key } else { "given" })
    });
    let _ = restore(&place, "new", "archive", &["--yes"]).code(0);
}

#[test]
fn a_spoiled_archive_is_refused_before_the_tenant_is_asked() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let _ = from.ask("POST", "roles", &json!({"name": "Clerk"}));
    let (path, _) = archive(&place, &from, DOMAIN, "archive", &How::default());
    let bytes = std::fs::read(&path).unwrap();
    let sealed = How { passphrase: Some("correct horse"), ..How::default() };
    let _ = archive(&place, &from, DOMAIN, "sealed", &sealed);
    let _ = archive(&place, &from, DOMAIN, "newer", &How { format: Some(99), ..How::default() });
    std::fs::write(place.path().join("short"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(place.path().join("flipped"), flipped).unwrap();
    place.write("none-at-all", "hello");
    let to = tenant(&place, "to", DOMAIN);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let record = |to: &Tenant| to.writes().len();
    let writes = record(&to);
    for (name, id) in [
        ("short", "archive-damaged"),
        ("flipped", "archive-damaged"),
        ("newer", "archive-newer"),
        ("sealed", "archive-encrypted"),
        ("none-at-all", "not-an-archive"),
        ("gone", "backup-missing"),
        ("new", "backup-unreadable"),
    ] {
        let said = restore(&place, "new", name, &["--yes"]).code(1);
        assert!(said.stderr.contains(&format!("error[{id}]")), "{name}: {said}");
    }
    let place = place.env("TENANTRY_BACKUP_PASSPHRASE", "wrong horse");
    let said = restore(&place, "new", "sealed", &["--yes"]).code(1);
    assert!(said.stderr.contains("error[archive-key]"), "{said}");
    assert_eq!(record(&to), writes);
}

#[test]
fn what_the_command_line_lacks_is_usage() {
    let (place, _, to, secrets) = setting(EVERYTHING_ALLOWED);
    let before = to.writes();
    let said = restore(&place, "new", "archive", &["--secrets", &secrets]).code(64);
    assert!(said.stderr.contains("add `--yes` to apply without asking"), "{said}");
    let path = place.path().join("archive").display().to_string();
    let said = place.run(&["-C", "new", "-e", "production", "restore", &path, "--yes"]).code(64);
    assert!(said.stderr.contains("unknown-environment"), "{said}");
    let said = restore(&place, "new", "archive", &["--rehearse", "--yes"]).code(64);
    assert!(said.stderr.contains("--rehearse"), "{said}");
    assert_eq!(to.writes(), before);
}

#[test]
fn a_file_of_secrets_that_is_none_is_refused_without_a_line_of_it() {
    let (place, _, to, _) = setting(EVERYTHING_ALLOWED);
    let before = to.writes();
    for (name, text) in [("a.yaml", "- hunter2\n"), ("b.yaml", "A: [hunter2]\n"), ("c.json", "{\"A\": \"hunter2\"")] {
        place.write(name, text);
        let file = place.path().join(name).display().to_string();
        let said = restore(&place, "new", "archive", &["--yes", "--secrets", &file]).code(1);
        assert!(!said.to_string().contains("hunter2"), "{said}");
    }
    assert_eq!(to.writes(), before);
}

#[test]
fn the_policy_of_the_environment_judges_a_restore_too() {
    let (place, from) = full(Place::new(), "from", DOMAIN);
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let place = project(place, "from", &from, "{ delete: [] }");
    // Deployed since the archive was taken: ours, and not in it.
    place.write("from/roles/new.yaml", "name: New\n");
    let _ = place.run(&["-C", "from", "-e", "t", "apply", "--yes", "--target", "roles/New"]).code(0);
    let before = from.writes();
    let said = restore(&place, "from", "archive", &["--yes"]).code(3);
    assert!(said.stdout.contains("delete-not-allowed") && said.stdout.contains("roles/New"), "{said}");
    assert_eq!(from.writes(), before);
    let loose = place.read("from/tenantry.yaml").replace("delete: []", "delete: [roles]");
    place.write("from/tenantry.yaml", &loose);
    let _ = restore(&place, "from", "archive", &["--yes", "--approve", "policy", "--approve", "destructive"]).code(0);
    let roles = from.ask("GET", "roles", &Json::Null).to_string();
    assert!(!roles.contains("\"New\""), "{roles}");
}

#[test]
fn a_restore_is_refused_while_another_holds_the_lock() {
    let (place, _, to, secrets) = setting(EVERYTHING_ALLOWED);
    let until = "2099-01-01T00:00:00Z";
    let _ = place.run(&["-C", "new", "-e", "t", "doctor"]);
    let held = json!({"deployment": "01JD7", "actor": "ana", "until": until, "token": "t"}).to_string();
    let lock = json!({"name": "tenantry-lock", "description": held});
    let role = to.ask("POST", "roles", &lock);
    let before = to.writes();
    let said = restore(&place, "new", "archive", &["--yes", "--secrets", &secrets]).code(6);
    assert!(said.stderr.contains("error[locked]") && said.stderr.contains("ana"), "{said}");
    assert_eq!(
        to.writes().iter().filter(|write| !write.contains("/roles")).count(),
        before.iter().filter(|write| !write.contains("/roles")).count(),
        "{said}"
    );
    let _ = to.ask("DELETE", &format!("roles/{}", role["id"].as_str().unwrap()), &Json::Null);
    let _ = restore(&place, "new", "archive", &["--yes", "--secrets", &secrets]).code(0);
}

#[test]
fn a_restore_that_failed_half_way_is_finished_by_the_same_restore() {
    let (place, from, to, secrets) = setting(EVERYTHING_ALLOWED);
    let fault = json!({"faults": [{"status": 400, "share": 1.0, "method": "POST", "path": "/client-grants"}]});
    let _ = control(&to, "POST", "faults", &fault);
    let said = restore(&place, "new", "archive", &["--yes", "--secrets", &secrets, "--keep-going"]).code(5);
    assert!(said.stdout.contains("tenantry restore"), "the way on is the same restore:\n{said}");
    let _ = control(&to, "POST", "faults", &json!({"faults": []}));
    let _ = restore(&place, "new", "archive", &["--yes", "--secrets", &secrets]).code(0);
    same(&from.answers(), &to.answers());
}

#[test]
#[cfg(unix)]
fn a_restore_that_was_killed_is_carried_on_by_the_same_restore() {
    for (write, when) in [(2, "before"), (9, "after"), (20, "before")] {
        let (place, from, to, secrets) = setting(EVERYTHING_ALLOWED);
        place.write("new/roles/role.yaml", "name: Described here\n");
        let _ = control(&to, "POST", "faults", &json!({"barrier": {"write": write, "when": when}}));
        let path = place.path().join("archive").display().to_string();
        let words = ["-C", "new", "-e", "t", "restore", &path, "--yes", "--secrets", &secrets];
        let mut child: Child = place.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while control(&to, "GET", "faults", &Json::Null)["waiting"] != json!(true) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before its write {write}");
        }
        child.kill().unwrap();
        let _ = child.wait().unwrap();
        place.heard(b"", b"");
        let _ = control(&to, "POST", "faults", &json!({"release": true}));
        // Another command does not run over it.
        let said = place.run(&["-C", "new", "-e", "t", "apply", "--resume", "--yes"]).code(1);
        assert!(said.stderr.contains("tenantry restore"), "{said}");
        let said = restore(&place, "new", "archive", &["--yes", "--secrets", &secrets]).code(0);
        assert!(said.stdout.contains(" done"), "killed {when} write {write}:\n{said}");
        same(&from.answers(), &to.answers());
    }
}

#[test]
fn a_scope_that_is_missing_refuses_a_restore_before_anything_is_written() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let _ = from.ask("POST", "roles", &json!({"name": "Clerk"}));
    let _ = archive(&place, &from, DOMAIN, "archive", &How::default());
    let to = tenant(&place, "to", DOMAIN);
    let body = json!({"name": "Pipeline", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
    let pipeline = to.ask("POST", "clients", &body);
    let api = format!("https://{DOMAIN}/api/v2/");
    let own = to.ask("GET", "client-grants", &Json::Null);
    let own = own.as_array().unwrap().iter().find(|grant| grant["audience"] == json!(api)).unwrap().clone();
    let scopes: Vec<&Json> = own["scope"].as_array().unwrap().iter().filter(|scope| **scope != "read:roles").collect();
    let grant = json!({"client_id": pipeline["client_id"], "audience": api, "scope": scopes});
    let _ = to.ask("POST", "client-grants", &grant);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED)
        .env("AUTH0_CLIENT_ID", pipeline["client_id"].as_str().unwrap())
        .env("AUTH0_CLIENT_SECRET", pipeline["client_secret"].as_str().unwrap());
    let before = to.writes();
    let said = restore(&place, "new", "archive", &["--yes"]).code(3);
    assert!(said.stdout.contains("read:roles"), "{said}");
    assert_eq!(to.writes(), before);
}

#[test]
#[cfg(unix)]
fn an_identity_that_does_not_open_the_archive_is_refused() {
    const IDENTITY: &str = "AGE-SECRET-KEY-1TX0KR7HHXMCL733LCSV46TWRYVARY7YWKZA8TD4GR3FZ0M7VL0PQW6WMDC";
    const RECIPIENT: &str = "age1j6cwgygwll8h3ens5p06l30ql3rhf28gc3kntw0rvw20gr5tfe7qauadf9";
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let _ = from.ask("POST", "roles", &json!({"name": "Clerk"}));
    let place = project(place, "from", &from, EVERYTHING_ALLOWED);
    place.write("key.txt", IDENTITY);
    let key = place.path().join("key.txt").display().to_string();
    let other = age::x25519::Identity::generate().to_public().to_string();
    let _ = place.run(&["-C", "from", "-e", "t", "backup", "-o", "theirs.tar.zst.age", "--recipient", &other]).code(0);
    let _ = place.run(&["-C", "from", "-e", "t", "backup", "-o", "ours.tar.zst.age", "--recipient", RECIPIENT]).code(0);
    let before = from.writes();
    let said = restore(&place, "from", "from/theirs.tar.zst.age", &["--yes", "--identity", &key]).code(1);
    assert!(said.stderr.contains("error[archive-key]"), "{said}");
    let _ = restore(&place, "from", "from/ours.tar.zst.age", &["--yes", "--identity", &key]).code(0);
    assert_eq!(from.writes(), before);
}

#[test]
#[cfg(unix)]
fn an_archive_in_a_bucket_is_restored_by_its_url() {
    let place = Place::new();
    let from = tenant(&place, "from", DOMAIN);
    let _ = from.ask("POST", "roles", &json!({"name": "Clerk"}));
    let (path, _) = archive(&place, &from, DOMAIN, "archive", &How::default());
    let service = crate::service::Service::start();
    service.put("prod/archive.tar.zst", &std::fs::read(path).unwrap());
    let to = tenant(&place, "to", DOMAIN);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let place = service.env().into_iter().fold(place, |place, (name, value)| place.env(name, &value));
    let run = |url: &str| place.run(&["-C", "new", "-e", "t", "restore", url, "--yes"]);
    let said = run("s3://backups/prod/gone.tar.zst").code(1);
    assert!(said.stderr.contains("error[backup-missing]"), "{said}");
    let _ = run("s3://backups/prod/archive.tar.zst").code(0);
    assert!(to.ask("GET", "roles", &Json::Null).to_string().contains("Clerk"));
}
