//! Stories of one kind each: numbered folders, every one a chain of descriptions that are deployed one after the other.
//!
//! Each step is planned, applied and planned again, through the real program against a sandbox of its own. The second plan must find
//! nothing, and a second apply must write nothing, which the sandbox's record proves. What is printed and what was written is a
//! snapshot, to be read with a stranger's eyes.
//!
//! `scenario.yaml` says what a folder shows ([`scenario::Scenario`]); `step-N/` is the description of its N-th step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod harness;
mod raw;
mod scenario;

use std::path::Path;

/// Makes a test of every folder, and one that none was forgotten.
macro_rules! scenarios {
    ($($test:ident: $folder:literal,)*) => {
        $(#[test] fn $test() { harness::run($folder); })*

        #[test]
        fn every_folder_is_a_test() {
            let known = [$($folder),*];
            let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
            let entries = std::fs::read_dir(here).unwrap().map(|entry| entry.unwrap());
            let folders = entries.filter(|e| e.path().join("scenario.yaml").is_file());
            let mut names: Vec<String> = folders.map(|e| e.file_name().into_string().unwrap()).collect();
            names.sort();
            assert_eq!(names, known);
        }
    };
}

scenarios! {
    create_a_client: "001-create-a-client",
}
