//! Ctrl-C and SIGTERM. No waiting for a time: a signal is sent when the program has said where it is.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use common::{Place, Sandbox};

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// A place that asks a tenant whose every answer takes a minute.
fn slow() -> (Sandbox, Place) {
    let sandbox = Sandbox::start(&Place::new(), &["--latency", "60s"]);
    let place = sandbox.point(Place::new());
    place.write("roles/admin.json", r#"{"name": "Admin"}"#);
    (sandbox, place)
}

/// Runs a command until it hears signals, sends one, returns the code.
fn interrupted(place: &Place, arguments: &[&str], name: &str) -> Option<i32> {
    let mut child = place.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("listening for signals") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended before it listened");
    }
    signal(&child, name);
    stderr.read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code();
    place.heard(b"", said.as_bytes());
    code
}

#[test]
fn a_plan_stops_at_once() {
    let (_sandbox, place) = slow();
    assert_eq!(interrupted(&place, &["-i", ".", "-vvv", "plan"], "INT"), Some(130));
    assert_eq!(interrupted(&place, &["-i", ".", "-vvv", "plan"], "TERM"), Some(143));
}

#[test]
fn an_apply_that_wrote_nothing_stops_with_the_code_of_the_signal() {
    let (_sandbox, place) = slow();
    assert_eq!(interrupted(&place, &["-i", ".", "-vvv", "apply", "--yes"], "TERM"), Some(143));
}

#[test]
fn a_sandbox_ends_well() {
    let place = Place::new();
    let mut child = place.program(&["sandbox", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
