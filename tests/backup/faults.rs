//! What goes wrong, each with its words and its code; the backup before stays as it was, and none is named that is not whole.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{IDENTITY, RECIPIENT, Site, signal, until};

const BEFORE: &str = "sandbox.eu.auth0.com-20200101T000000Z.tar.zst";

/// A tenant, and a folder with one older backup.
fn with_one_before(options: &[&str]) -> Site {
    let site = Site::bare(options);
    site.place.write(&format!("backups/{BEFORE}"), "the one before");
    site
}

fn only_the_one_before(site: &Site) {
    assert_eq!(site.files("backups"), [BEFORE]);
    assert_eq!(site.place.read(&format!("backups/{BEFORE}")), "the one before");
}

#[test]
fn a_tenant_that_fails_half_way_leaves_nothing() {
    for (status, id) in [(500, "server-error"), (503, "server-error"), (0, "no-network")] {
        let site = with_one_before(&["--rate", "off"]);
        site.fault(status, "/roles");
        let said = site.run(&["backup", "-o", "backups", "--keep", "1"]).code(1);
        assert!(said.stderr.contains(&format!("error[{id}]")), "{status}: {said}");
        only_the_one_before(&site);
    }
}

#[test]
fn a_signal_leaves_nothing_and_has_its_code() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let site = with_one_before(&["--latency", "60s"]);
        let child = start_slow(&site);
        signal(&child, name);
        let ended = site.place.waited(child);
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        only_the_one_before(&site);
    }
}

/// Starts a backup whose file is begun and whose tenant does not answer.
fn start_slow(site: &Site) -> std::process::Child {
    let place = &site.place;
    let mut command = place.command(&["backup", "-o", "backups", "--keep", "1"]);
    // The token is given: the token endpoint of this tenant is as slow as all others.
    command.env_remove("AUTH0_CLIENT_SECRET").env("AUTH0_ACCESS_TOKEN", "given");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the file is begun", || site.files("backups").len() == 2);
    child
}

#[test]
fn a_kill_leaves_a_file_that_is_named_unfinished() {
    let site = with_one_before(&["--latency", "60s"]);
    let child = start_slow(&site);
    signal(&child, "KILL");
    let _ = site.place.waited(child);
    let files = site.files("backups");
    assert_eq!(files.len(), 2);
    let partial = files.iter().find(|file| file.ends_with(".tar.zst.partial")).unwrap();
    let listed = site.run(&["backup", "list", "backups"]).code(0);
    assert!(listed.stdout.contains("unfinished"), "{listed}");
    let said = site.run(&["backup", "verify", &format!("backups/{partial}")]).code(1);
    assert!(said.stderr.contains("error["), "{said}");
}

#[test]
fn a_token_that_expires_in_the_middle_is_renewed() {
    let site = Site::bare(&["--latency", "30ms", "--record", "record.jsonl"]);
    let mut command = site.place.command(&["backup", "-o", "backups"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the file is begun", || !site.files("backups").is_empty());
    site.control("POST", "clock", Some(&json!({"advance_ms": 90_000_000})));
    let ended = site.place.waited(child);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let file = format!("backups/{}", site.files("backups")[0]);
    let _ = site.run(&["backup", "verify", &file]).code(0);
}

#[test]
fn a_storm_of_429_is_waited_out() {
    let site = Site::bare(&["--rate", "40/s,5"]);
    let _ = site.run(&["backup", "-o", "backups"]).code(0);
    let _ = site.run(&["backup", "verify", &format!("backups/{}", site.files("backups")[0])]).code(0);
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let site = Site::start();
    site.place.write(&format!("backups/{BEFORE}"), "the one before");
    // 4096 bytes: less than any backup has. The signal that comes with it would end the process.
    let mut command = site.place.behind("ulimit -f 8", &["backup", "-o", "backups", "--keep", "1"]);
    let ended = site.place.ended(&mut command);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("error[backup-unwritable]") && said.contains("make room"), "{said}");
    only_the_one_before(&site);
}

#[test]
fn a_folder_that_cannot_be_written_into_is_told_before_the_tenant_is_read() {
    let site = Site::bare(&["--record", "record.jsonl"]);
    site.place.write("file", "x");
    for folder in ["file", "no/such/folder", "/proc/tenantry"] {
        let said = site.run(&["backup", "-o", folder]).code(1);
        assert!(said.stderr.contains("error[backup-unwritable]"), "{said}");
    }
    let said = site.run(&["backup", "-o", "ftp://x/y"]).code(1);
    assert!(said.stderr.contains("error[bad-place]"), "{said}");
}

#[test]
fn a_folder_that_goes_away_is_told() {
    let site = with_one_before(&["--latency", "30ms"]);
    let child = site.place.command(&["backup", "-o", "backups"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn();
    until("the file is begun", || site.files("backups").len() == 2);
    std::fs::remove_dir_all(site.place.path().join("backups")).unwrap();
    let ended = site.place.waited(child.unwrap());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("error[backup-unwritable]"), "{said}");
}

#[test]
fn no_backup_cut_short_or_changed_verifies() {
    let site = Site::start();
    site.place.write("key.txt", IDENTITY);
    let (open, sealed) = (site.backup("a", &[]), site.backup("b", &["--recipient", RECIPIENT]));
    for (file, words) in [(format!("a/{open}"), &[][..]), (format!("b/{sealed}"), &["--identity", "key.txt"])] {
        let bytes = site.bytes(&file);
        let verify = |bytes: &[u8]| {
            std::fs::write(site.place.path().join("x"), bytes).unwrap();
            site.run(&[&["backup", "verify", "x"][..], words].concat())
        };
        assert_eq!(verify(&bytes).code, Some(0));
        for part in 0..8 {
            let at = bytes.len() * part / 8;
            let said = verify(&bytes[..at]).code(1);
            assert!(said.stdout.is_empty() && said.stderr.starts_with("error["), "{said}");
            let mut changed = bytes.clone();
            changed[at] ^= 16;
            let said = verify(&changed).code(1);
            assert!(said.stdout.is_empty() && said.stderr.starts_with("error["), "{said}");
        }
        let mut longer = bytes.clone();
        longer.write_all(b"more").unwrap();
        let said = verify(&longer).code(1);
        assert!(said.stderr.contains("error[archive-damaged]"), "{said}");
    }
}

#[test]
fn what_is_no_backup_is_told() {
    let site = Site::bare(&[]);
    site.place.write("x.txt", "hello");
    std::fs::create_dir(site.place.path().join("folder")).unwrap();
    let fifo = site.place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (file, id) in [
        ("x.txt", "not-an-archive"),
        ("none.tar.zst", "backup-missing"),
        ("folder", "backup-unreadable"),
        ("pipe", "backup-unreadable"),
    ] {
        let said = site.run(&["backup", "verify", file]).code(1);
        assert!(said.stderr.contains(&format!("error[{id}]")), "{said}");
    }
}
