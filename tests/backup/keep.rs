//! Which backups are listed, and which are removed.

use crate::support::{RECIPIENT, Site};

const OLD: [&str; 5] = [
    "sandbox.eu.auth0.com-20200101T000000Z.tar.zst",
    "sandbox.eu.auth0.com-20200102T000000Z.tar.zst.age",
    "sandbox.eu.auth0.com-20200103T000000Z.tar.zst",
    "sandbox.eu.auth0.com-20200104T000000Z.tar.zst.partial",
    "other.eu.auth0.com-20200101T000000Z.tar.zst",
];

fn with_old() -> Site {
    let site = Site::start();
    for file in OLD {
        site.place.write(&format!("backups/{file}"), "old");
    }
    site.place.write("backups/README.txt", "mine");
    site
}

#[test]
fn keep_removes_the_oldest_finished_backups_of_this_tenant() {
    let site = with_old();
    let said = site.run(&["--json", "backup", "-o", "backups", "--keep", "2"]).code(0).json();
    assert_eq!(said["removed"], serde_json::json!([format!("backups/{}", OLD[0]), format!("backups/{}", OLD[1])]));
    let left = site.files("backups");
    assert_eq!(left.len(), 5, "{left:?}");
    for file in [OLD[2], OLD[3], OLD[4], "README.txt"] {
        assert!(left.iter().any(|name| name == file), "{file} is gone: {left:?}");
    }
}

#[test]
fn a_backup_that_lacks_something_removes_no_older_one() {
    let site = with_old();
    let mut state = site.state();
    for grant in state["collections"]["client_grants"].as_object_mut().unwrap().values_mut() {
        if let Some(scopes) = grant["scope"].as_array_mut() {
            scopes.retain(|scope| scope != "read:roles");
        }
    }
    site.control("PUT", "state", Some(&state));
    let said = site.run(&["backup", "-o", "backups", "--keep", "1"]).code(5);
    assert!(said.stderr.contains("no older backup was removed"), "{said}");
    assert_eq!(site.files("backups").len(), OLD.len() + 2, "{said}");
}

#[test]
fn keep_one_leaves_the_new_one() {
    let site = with_old();
    let file = {
        let _ = site.run(&["backup", "-o", "backups", "--keep", "1"]).code(0);
        site.files("backups").into_iter().find(|file| file.contains("-202") && !file.contains("-2020")).unwrap()
    };
    let _ = site.run(&["backup", "verify", &format!("backups/{file}")]).code(0);
    assert_eq!(site.files("backups").len(), 4);
}

#[test]
fn several_backups_in_one_second_get_names_of_their_own() {
    let site = Site::start();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| site.run(&["backup", "-o", "backups"]).code(0));
        }
    });
    let files = site.files("backups");
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let _ = site.run(&["backup", "verify", &format!("backups/{file}")]).code(0);
    }
}

#[test]
fn a_list_is_newest_first_and_tells_what_was_never_finished() {
    let site = with_old();
    let _ = site.run(&["backup", "-o", "backups", "--recipient", RECIPIENT]).code(0);
    let said = site.run(&["--json", "backup", "list", "backups"]).code(0).json();
    let lines = said["backups"].as_array().unwrap();
    let times: Vec<&str> = lines.iter().map(|line| line["started"].as_str().unwrap()).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    sorted.reverse();
    assert_eq!(times, sorted);
    assert_eq!(lines.len(), OLD.len() + 1);
    assert_eq!(lines.iter().filter(|line| line["finished"] == false).count(), 1);
    let text = site.run(&["backup", "list", "backups"]).code(0).stdout;
    assert!(text.contains("unfinished") && !text.contains("README"), "{text}");
    let _ = site.run(&["backup", "list", "nowhere"]).code(1);
    std::fs::create_dir(site.place.path().join("empty")).unwrap();
    assert_eq!(site.run(&["backup", "list", "empty"]).code(0).stdout, "There is no backup here.\n");
}
