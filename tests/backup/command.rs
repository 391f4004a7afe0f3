//! What is in a backup, what the commands say, and with which code they end.

use serde_json::Value as Json;
use tenantry::archive::Unseal;

use crate::support::{IDENTITY, RECIPIENT, Site, key, read, tar};

/// Blanks what depends on the machine: the time in names, digests, sizes.
fn stable(text: &str) -> String {
    let time = regex::Regex::new(r"\d{8}T\d{6}Z(-\d)?").unwrap();
    let moment = regex::Regex::new(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}").unwrap();
    let size = regex::Regex::new(r"\d+\.\d [kM]B").unwrap();
    let text = time.replace_all(text, "TIME");
    size.replace_all(&moment.replace_all(&text, "MOMENT"), "SIZE").into_owned()
}

#[test]
fn a_backup_goes_into_a_folder_with_a_name_that_says_whose_and_when() {
    let site = Site::start();
    let said = site.run(&["backup", "-o", "backups"]).code(0);
    insta::assert_snapshot!(stable(&said.to_string()));
    let files = site.files("backups");
    let name = regex::Regex::new(r"^sandbox\.eu\.auth0\.com-\d{8}T\d{6}Z\.tar\.zst$").unwrap();
    assert!(files.len() == 1 && name.is_match(&files[0]), "{files:?}");
    let verified = site.run(&["backup", "verify", &format!("backups/{}", files[0])]).code(0);
    insta::assert_snapshot!(stable(&verified.to_string()));
}

#[test]
fn entries_come_in_their_order_and_the_manifest_counts_them() {
    let site = Site::start();
    let file = site.backup("backups", &[]);
    let (entries, manifest) = read(&site.bytes(&format!("backups/{file}")), &Unseal::none());
    let sections: Vec<&str> = entries.iter().map(|(path, _)| path.split('/').next().unwrap()).collect();
    let mut order = sections.clone();
    order.dedup();
    assert_eq!(order, ["objects", "description", "keys"]);
    let objects = |kind: &str| {
        let path = format!("objects/{kind}.ndjson");
        let bytes = &entries.iter().find(|(name, _)| *name == path).unwrap().1;
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        lines.map(|line| serde_json::from_str::<Json>(line).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(manifest.contents.counts["clients"], objects("clients").len() as u64);
    assert!(objects("clients").iter().any(|client| client["name"] == "Shop" && client["client_id"].is_string()));
    assert!(objects("roles")[0]["id"].is_string(), "raw objects have their ids");
    let keys = entries.iter().find(|(path, _)| path == "keys/signing.json").unwrap();
    assert!(serde_json::from_slice::<Json>(&keys.1).unwrap()[0]["kid"].is_string());
    assert!(manifest.contents.unread.is_empty(), "{manifest:?}");
    assert!(entries.iter().any(|(path, _)| path == "description/clients/Shop.yaml"));
}

#[test]
fn tar_and_zstd_open_an_archive_that_is_not_sealed() {
    let site = Site::start();
    let file = site.backup("backups", &[]);
    let bytes = tar(&site.bytes(&format!("backups/{file}")));
    let mut archive = tar::Archive::new(bytes.as_slice());
    let paths: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!((paths[0].as_str(), paths.last().unwrap().as_str()), ("header.json", "manifest.json"));
}

#[test]
fn the_description_of_a_backup_is_the_tenant() {
    let site = Site::start();
    let file = site.backup("backups", &["--recipient", RECIPIENT]);
    let (entries, _) = read(&site.bytes(&format!("backups/{file}")), &key());
    for (path, bytes) in entries.iter().filter(|(path, _)| path.starts_with("description/")) {
        site.place.write(path, std::str::from_utf8(bytes).unwrap());
    }
    let said = site.run(&["-i", "description", "plan", "--detailed-exitcode"]).code(0);
    assert!(said.stdout.contains("Nothing to do") || said.stdout.contains("unchanged"), "{said}");
}

#[test]
fn json_says_the_same() {
    let site = Site::start();
    let written = site.run(&["--json", "backup", "-o", "backups"]).code(0).json();
    assert_eq!(written["format"], "tenantry.backup/1");
    let file = written["file"].as_str().unwrap();
    assert_eq!(written["bytes"], site.bytes(file).len());
    assert_eq!((&written["read_back"], &written["archive"]["encrypted"]), (&Json::Bool(true), &Json::Bool(false)));
    let listed = site.run(&["--json", "backup", "list", "backups"]).code(0).json();
    assert_eq!(listed["backups"][0]["file"].as_str().unwrap(), file.strip_prefix("backups/").unwrap());
    let verified = site.run(&["--json", "backup", "verify", file]).code(0).json();
    assert_eq!(verified["archive"], written["archive"]);
    let schema: Json = serde_json::from_str(&site.run(&["schema", "--output"]).code(0).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for document in [&written, &listed, &verified] {
        assert!(validator.is_valid(document), "{document:#}");
    }
}

#[test]
fn a_sealed_backup_opens_with_its_key_alone() {
    let site = Site::start();
    site.place.write("key.txt", IDENTITY);
    site.place.write("other.txt", OTHER_IDENTITY);
    let file = site.backup("backups", &["--recipient", RECIPIENT]);
    assert!(file.ends_with(".tar.zst.age"));
    let file = format!("backups/{file}");
    let _ = site.run(&["backup", "verify", &file, "--identity", "key.txt"]).code(0);
    for (words, id) in [
        (&[][..], "error[archive-encrypted]"),
        (&["--identity", "other.txt"], "error[archive-key]"),
        (&["--identity", "none.txt"], "error[missing-file]"),
    ] {
        let said = site.run(&[&["backup", "verify", &file][..], words].concat()).code(1);
        assert!(said.stderr.contains(id), "{said}");
    }
}

/// Another identity.
const OTHER_IDENTITY: &str = "AGE-SECRET-KEY-16E7VG2APU8VEGFZWPJGUE5895TYNP9KJESU3R74MEUGAZQ54AGLQWUGKL0";

#[test]
fn a_passphrase_of_the_environment_seals_and_opens() {
    let site = Site::start().env("TENANTRY_BACKUP_PASSPHRASE", "correct horse battery staple");
    let file = format!("backups/{}", site.backup("backups", &[]));
    assert!(file.ends_with(".tar.zst.age"), "the variable alone says that it is to be sealed");
    let _ = site.run(&["backup", "verify", &file]).code(0);
    let wrong = site.env("TENANTRY_BACKUP_PASSPHRASE", "wrong");
    let said = wrong.run(&["backup", "verify", &file]).code(1);
    assert!(said.stderr.contains("error[archive-key]"), "{said}");
}

#[test]
fn a_passphrase_that_nobody_can_be_asked_for_is_wrong_usage() {
    let site = Site::bare(&[]);
    let said = site.run(&["backup", "-o", "backups", "--passphrase"]).code(64);
    assert!(said.stderr.contains("TENANTRY_BACKUP_PASSPHRASE"), "{said}");
    assert!(site.files("backups").is_empty());
}

#[test]
fn one_file_may_be_named() {
    let site = Site::start();
    let _ = site.run(&["backup", "-o", "prod.tar.zst"]).code(0);
    let _ = site.run(&["backup", "verify", "prod.tar.zst"]).code(0);
    let before = site.bytes("prod.tar.zst");
    let said = site.run(&["backup", "-o", "prod.tar.zst"]).code(1);
    assert!(said.stderr.contains("error[backup-exists]"), "{said}");
    assert!(site.bytes("prod.tar.zst") == before, "a backup is never written over another");
    for words in [
        &["backup", "-o", "x.tar.zst.age"][..],
        &["backup", "-o", "x.tar.zst", "--recipient", RECIPIENT],
        &["backup", "-o", "x.tar.zst", "--keep", "2"],
        &["backup", "-o", "backups", "--keep", "0"],
        &["backup"],
        &["backup", "-o", "backups", "--recipient", RECIPIENT, "--passphrase"],
    ] {
        let said = site.run(words).code(64);
        assert!(said.stdout.is_empty(), "{said}");
    }
    assert!(!site.place.path().join("backups").exists());
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_good() {
    let site = Site::start();
    let mut state = site.state();
    for grant in state["collections"]["client_grants"].as_object_mut().unwrap().values_mut() {
        if let Some(scopes) = grant["scope"].as_array_mut() {
            scopes
                .retain(|scope| !["read:roles", "read:signing_keys", "read:email_provider"].iter().any(|s| scope == s));
        }
    }
    site.control("PUT", "state", Some(&state));
    let said = site.run(&["backup", "-o", "backups"]).code(5);
    insta::assert_snapshot!(stable(&said.to_string()));
    let file = format!("backups/{}", site.files("backups")[0]);
    let _ = site.run(&["backup", "verify", &file]).code(0);
    let (_, manifest) = read(&site.bytes(&file), &Unseal::none());
    let unread: Vec<&str> = manifest.contents.unread.iter().map(|one| one.what.as_str()).collect();
    assert!(unread.contains(&"roles") && unread.contains(&"signing keys"), "{unread:?}");
    assert!(!manifest.contents.counts.contains_key("roles"), "what was not read is not counted as none");
}

#[test]
fn a_backup_of_the_sandbox_is_not_taken_for_one_of_the_tenant() {
    let site = Site::bare(&[]);
    let _ = site.run(&["--sandbox", "backup", "-o", "backups"]).code(0);
    assert!(site.files("backups")[0].starts_with("sandbox-"), "{:?}", site.files("backups"));
}
