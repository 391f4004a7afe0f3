//! Runs that are cut off: by a signal, by a reader that goes away, by nobody to answer.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::common::Place;
use crate::support::{Recorder, refused, stable};

fn shop(recorder: &Recorder) -> Place {
    let place = recorder.project();
    place.write("clients/a.yaml", "name: A\n");
    place.write("resource-servers/orders.yaml", "name: Orders\nidentifier: https://orders\nscopes: [{value: read}]\n");
    // Waits for both.
    place.write("grants/a.yaml", "client_id: A\naudience: https://orders\nscope: [read]\n");
    place
}

fn start(place: &Place, arguments: &[&str]) -> Child {
    place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap().success());
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < 60, "{what}");
        std::thread::yield_now();
    }
}

fn end(place: &Place, child: Child) -> (Option<i32>, String, String) {
    let output = place.waited(child);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn nothing_was_written_yet() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        for arguments in [&["plan"][..], &["apply", "--yes"], &["export", "-o", "out"], &["doctor"]] {
            let recorder = Recorder::start(&["--latency", "1s"]);
            let place = shop(&recorder);
            let child = start(&place, arguments);
            until("the first answer", || !recorder.exchanges().is_empty());
            signal(&child, name);
            let (ended, stdout, stderr) = end(&place, child);
            assert_eq!(ended, Some(code), "{arguments:?}\n{stdout}\n{stderr}");
            assert_eq!(stdout, "", "{arguments:?}");
            recorder.untouched();
            assert!(!place.path().join("out").exists(), "nothing is half-written");
        }
    }
}

/// What is in flight is finished, nothing new is begun, and the report says what is done.
#[test]
fn in_the_middle_of_an_apply() {
    for (name, json) in [("INT", false), ("TERM", true)] {
        let recorder = Recorder::start(&[]);
        recorder.control("POST", "faults", &json!({"barrier": {"write": 1, "when": "after"}}));
        let place = shop(&recorder);
        let child = start(
            &place,
            if json { &["--json", "apply", "--yes", "--no-lock"] } else { &["apply", "--yes", "--no-lock"] },
        );
        until("the first write is held", || recorder.control("GET", "faults", &Value::Null)["waiting"] == true);
        until("the second write is done", || recorder.control("GET", "faults", &Value::Null)["writes"] == 2);
        signal(&child, name);
        // Nothing tells from outside that the signal was heard; it is once the process has none pending.
        until("the signal is delivered", || pending(child.id()) == 0);
        recorder.control("POST", "faults", &json!({"release": true}));
        let (ended, stdout, stderr) = end(&place, child);
        assert_eq!(ended, Some(5), "{stdout}\n{stderr}");
        let mut writes = recorder.writes();
        writes.sort();
        assert_eq!(writes, ["POST /api/v2/clients", "POST /api/v2/resource-servers"]);
        if json {
            let report: Value = serde_json::from_str(&stdout).unwrap();
            assert_eq!(report["complete"], false, "{stdout}");
            assert_eq!(report["interrupted"], true, "{stdout}");
        } else {
            assert!(stdout.contains("not started   create   clientGrants/A"), "{stdout}");
        }
        // The same command goes on where it stopped.
        let _ = place.run(&["apply", "--yes"]).code(0);
        assert_eq!(recorder.writes().len(), 3);
        let _ = place.run(&["plan", "--detailed-exitcode"]).code(0);
    }
}

/// Signals of a process that wait to be delivered, to it or its threads.
#[cfg(target_os = "linux")]
fn pending(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |line: &str| u64::from_str_radix(line.split_whitespace().nth(1).unwrap_or("0"), 16).unwrap();
    status.lines().filter(|line| line.starts_with("ShdPnd:") || line.starts_with("SigPnd:")).map(of).sum()
}

#[cfg(not(target_os = "linux"))]
fn pending(_: u32) -> u64 {
    0
}

#[test]
fn a_reader_that_goes_away() {
    let recorder = Recorder::start(&[]);
    let place = shop(&recorder);
    for arguments in [&["plan"][..], &["validate"], &["apply", "--yes"]] {
        let mut child = start(&place, arguments);
        drop(child.stdout.take());
        let (code, _, stderr) = end(&place, child);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(!stderr.contains("error"), "{stderr}");
    }
    assert_eq!(recorder.writes().len(), 3, "what was asked for is done all the same");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full() {
    let recorder = Recorder::start(&[]);
    let place = shop(&recorder);
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.ended(place.command(arguments).stdout(full));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("error[output]: "), "{stderr}");
    }
    recorder.untouched();
}

#[test]
fn nobody_to_ask() {
    let recorder = Recorder::start(&[]);
    let place = shop(&recorder);
    let output = place.run(&["apply"]).code(64);
    insta::assert_snapshot!(output.stderr);
    let told = place.run(&["--json", "apply"]).code(64);
    assert_eq!(told.json()["problems"][0]["id"], "usage");
    recorder.untouched();
}

#[test]
fn a_folder_that_is_not_there() {
    insta::assert_snapshot!(stable(&refused(&Place::new(), &["-C", "nowhere", "plan"], 64)));
}
