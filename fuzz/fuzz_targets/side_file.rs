#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "one target each")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::side_file(bytes));
