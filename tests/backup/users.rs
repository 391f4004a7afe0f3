//! Users in a backup: read with `--users`, counted, and none of their secrets in an archive that is open.

use serde_json::Value as Json;
use tenantry::archive::Unseal;

use crate::support::{Site, add_users, read, tar};

const DATABASE: &str = "Username-Password-Authentication";

#[test]
fn users_are_read_where_they_are_asked_for() {
    let site = Site::start();
    add_users(&site, 250);
    let without = site.backup("without", &[]);
    let (entries, manifest) = read(&site.bytes(&format!("without/{without}")), &Unseal::none());
    assert!(manifest.contents.users.is_empty() && !entries.iter().any(|(path, _)| path.starts_with("users/")));

    let said = site.run(&["--json", "backup", "-o", "with", "--users"]).code(0).json();
    assert_eq!(said["archive"]["users"][DATABASE], 250);
    let file = said["file"].as_str().unwrap();
    let (entries, manifest) = read(&site.bytes(file), &Unseal::none());
    let lines = |folder: &str| {
        let of = entries.iter().filter(|(path, _)| path.starts_with(folder));
        of.flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n')).filter(|line| !line.is_empty()).count()
    };
    assert_eq!(lines("users/by-connection/"), 250);
    let classes: Vec<&str> = manifest.contents.not_restorable.iter().map(|one| one.class.as_str()).collect();
    assert!(classes.contains(&"password") && classes.contains(&"session"), "{classes:?}");
    let verified = site.run(&["backup", "verify", file]).code(0);
    assert!(verified.stdout.contains("250 users of "), "{verified}");
}

#[test]
fn permissions_of_users_may_be_left_out_and_that_is_said() {
    let site = Site::start();
    add_users(&site, 3);
    let said = site.run(&["--json", "backup", "-o", "backups", "--users", "--no-user-permissions"]).code(0).json();
    let unread = said["archive"]["unread"].as_array().unwrap();
    assert!(unread.iter().any(|one| one["what"].as_str().unwrap().contains("permissions")), "{unread:?}");
    let _ = site.run(&["backup", "-o", "backups", "--no-user-permissions"]).code(64);
}

#[test]
fn users_that_may_not_be_read_are_named() {
    let site = Site::start();
    add_users(&site, 3);
    let mut state = site.state();
    for grant in state["collections"]["client_grants"].as_object_mut().unwrap().values_mut() {
        if let Some(scopes) = grant["scope"].as_array_mut() {
            scopes.retain(|scope| scope != "read:users");
        }
    }
    site.control("PUT", "state", Some(&state));
    let said = site.run(&["backup", "-o", "backups", "--users"]).code(5);
    assert!(said.stdout.contains("not read:") && said.stderr.contains("warning[backup-unread]"), "{said}");
    let file = format!("backups/{}", site.files("backups")[0]);
    let _ = site.run(&["backup", "verify", &file]).code(0);
}

#[test]
fn no_secret_of_a_connection_stands_beside_its_users() {
    let site = Site::start();
    add_users(&site, 3);
    let file = site.backup("backups", &["--users"]);
    let tar = String::from_utf8_lossy(&tar(&site.bytes(&format!("backups/{file}")))).into_owned();
    assert!(tar.contains("users/connections.json") && !tar.contains("canary-google"));
    let state: Json = site.state();
    assert_eq!(state["collections"]["users"].as_object().unwrap().len(), 3, "a backup writes nothing into the tenant");
}
