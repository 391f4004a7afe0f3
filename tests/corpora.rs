//! What fuzzing starts from, and what it found, run as tests: every file as it is, cut, and with bytes changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

/// Most variants of one file, of each sort.
const VARIANTS: usize = 8;

/// Runs a target on every file of its folder, and on variants of it.
fn runs(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(!names.is_empty(), "{} holds nothing", folder.display());
    let mut tried = 0;
    for name in &names {
        let bytes = std::fs::read(name).unwrap();
        run(&bytes);
        let step = bytes.len().div_ceil(VARIANTS).max(1);
        for at in (0..bytes.len()).step_by(step) {
            run(&bytes[..at]);
            for other in [bytes[at] ^ 1, 0, b'{', b'\n', 0xff] {
                let mut changed = bytes.clone();
                changed[at] = other;
                run(&changed);
                tried += 1;
            }
        }
    }
    println!("{target}: {} files, {tried} variants", names.len());
}

macro_rules! corpora {
    ($($target:ident)*) => {$(
        #[test]
        fn $target() {
            runs(stringify!($target), targets::$target);
        }
    )*};
}

corpora! { address description journal receipt record side_file }
