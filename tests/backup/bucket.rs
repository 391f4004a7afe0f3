//! Backups in a bucket: the same, and what can go wrong on the way there.

use std::process::Stdio;

use crate::service::Service;
use crate::support::{IDENTITY, RECIPIENT, Site, signal, until};

const BEFORE: &str = "prod/sandbox.eu.auth0.com-20200101T000000Z.tar.zst";

fn pointed(mut site: Site, service: &Service) -> Site {
    for (name, value) in service.env() {
        site = site.env(name, &value);
    }
    site
}

fn with_one_before(options: &[&str]) -> (Site, Service) {
    let service = Service::start();
    service.put(BEFORE, b"the one before");
    (pointed(Site::bare(options), &service), service)
}

fn only_the_one_before(service: &Service) {
    assert_eq!(service.objects(), [BEFORE]);
    assert_eq!(service.open_uploads(), 0, "no upload is left open");
}

#[test]
fn a_bucket_gets_lists_keeps_and_verifies_backups() {
    let service = Service::start();
    service.put(BEFORE, b"old");
    service.put("prod/deeper/sandbox.eu.auth0.com-20200101T000000Z.tar.zst", b"not ours");
    let site = pointed(Site::start(), &service);
    site.place.write("key.txt", IDENTITY);
    let words = ["backup", "-o", "s3://backups/prod/", "--keep", "2", "--recipient", RECIPIENT];
    let said = site.run(&[&["--json"][..], &words].concat()).code(0).json();
    assert_eq!(said["read_back"], true);
    let url = said["file"].as_str().unwrap().to_owned();
    assert!(url.starts_with("s3://backups/prod/sandbox.eu.auth0.com-"), "{url}");
    let _ = site.run(&["backup", "verify", &url, "--identity", "key.txt"]).code(0);
    let second = site.run(&[&["--json"][..], &words].concat()).code(0).json();
    assert_eq!(second["removed"], serde_json::json!([format!("s3://backups/{BEFORE}")]));
    let listed = site.run(&["--json", "backup", "list", "s3://backups/prod"]).code(0).json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 2);
    assert_eq!(service.objects().len(), 3, "{:?}", service.objects());
    assert_eq!(service.open_uploads(), 0);
}

#[test]
fn a_bucket_that_is_gone_or_closed_is_told_before_the_tenant_is_read() {
    let (site, service) = with_one_before(&[]);
    let said = site.run(&["backup", "-o", "s3://elsewhere/prod"]).code(1);
    assert!(said.stderr.contains("error[backup-unwritable]") && said.stderr.contains("no such bucket"), "{said}");
    let said = site.run(&["backup", "list", "s3://elsewhere/prod"]).code(1);
    assert!(said.stderr.contains("error[backup-missing]"), "{said}");
    let site = site.env("AWS_ACCESS_KEY_ID", "revoked");
    let said = site.run(&["-v", "backup", "-o", "s3://backups/prod"]).code(1);
    assert!(said.stderr.contains("error[backup-unwritable]"), "{said}");
    assert!(said.stderr.contains("InvalidAccessKeyId") && said.stderr.contains("AWS_ACCESS_KEY_ID"), "{said}");
    assert!(
        !said.stderr.contains("reading the tenant") && !said.to_string().contains("canary-bucket-secret"),
        "{said}"
    );
    only_the_one_before(&service);
}

#[test]
fn an_upload_that_is_refused_half_way_leaves_nothing() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    service.fail_parts();
    let said = site.run(&["backup", "-o", "s3://backups/prod", "--keep", "1"]).code(1);
    assert!(said.stderr.contains("EntityTooLarge"), "{said}");
    only_the_one_before(&service);
}

#[test]
fn a_tenant_that_fails_half_way_leaves_no_upload_open() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    site.fault(500, "/roles");
    let said = site.run(&["backup", "-o", "s3://backups/prod", "--keep", "1"]).code(1);
    assert!(said.stderr.contains("error[server-error]"), "{said}");
    only_the_one_before(&service);
}

#[test]
fn a_signal_in_the_middle_of_an_upload_takes_it_back() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (site, service) = with_one_before(&["--rate", "off"]);
        service.hold_parts();
        let mut command = site.place.command(&["backup", "-o", "s3://backups/prod", "--keep", "1"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("a part is sent", || service.log().iter().any(|line| line.starts_with("PUT ")));
        signal(&child, name);
        let ended = site.place.waited(child);
        assert_eq!(ended.status.code(), Some(code), "{}", String::from_utf8_lossy(&ended.stderr));
        only_the_one_before(&service);
    }
}

#[test]
fn a_signal_while_an_upload_begins_takes_it_back() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    service.hold_begin();
    let mut command = site.place.command(&["backup", "-o", "s3://backups/prod", "--keep", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("an upload begins", || service.open_uploads() == 1);
    signal(&child, "TERM");
    service.release_begin();
    let ended = site.place.waited(child);
    assert_eq!(ended.status.code(), Some(143), "{}", String::from_utf8_lossy(&ended.stderr));
    only_the_one_before(&service);
}

#[test]
fn a_kill_in_the_middle_of_an_upload_leaves_no_object() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    service.hold_parts();
    let mut command = site.place.command(&["backup", "-o", "s3://backups/prod", "--keep", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("a part is sent", || service.log().iter().any(|line| line.starts_with("PUT ")));
    signal(&child, "KILL");
    let _ = site.place.waited(child);
    assert_eq!(service.objects(), [BEFORE]);
    assert_eq!(service.open_uploads(), 1, "that is what a lifecycle rule is for");
}

#[test]
fn who_may_write_but_not_read_is_warned_and_nothing_is_removed() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    service.hide_objects();
    let said = site.run(&["backup", "-o", "s3://backups/prod", "--keep", "1"]).code(5);
    assert!(said.stderr.contains("warning[backup-not-read-back]"), "{said}");
    assert_eq!(service.objects().len(), 2);
    let said = site.run(&["backup", "-o", "s3://backups/prod"]).code(0);
    assert!(said.stderr.contains("warning[backup-not-read-back]"), "{said}");
}

#[test]
fn a_service_that_keeps_something_else_is_caught() {
    let (site, service) = with_one_before(&["--rate", "off"]);
    service.spoil();
    let said = site.run(&["backup", "-o", "s3://backups/prod", "--keep", "1"]).code(1);
    assert!(said.stderr.contains("error[backup-differs]"), "{said}");
    assert!(service.objects().contains(&BEFORE.to_owned()), "nothing older is removed for it");
}

#[test]
fn plain_http_to_another_machine_is_refused() {
    let site = Site::bare(&[]).env("AWS_ENDPOINT_URL", "http://s3.example.com").env("AWS_ALLOW_HTTP", "true");
    let said = site.run(&["backup", "-o", "s3://backups/prod"]).code(1);
    assert!(said.stderr.contains("error[bad-place]"), "{said}");
}
