//! What is said where the program itself fails.

use std::any::Any;
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};

/// Lets a failure inside the program be told on stderr: where it happened, and what to do now.
///
/// Words that were written into the program are shown. Words that were put together when it failed are not: they may quote any value,
/// secrets among them.
pub fn tell_of_failures() {
    panic::set_hook(Box::new(|info| {
        // Nothing is left to do where this cannot be written.
        let _ = io::stderr().write_all(told(&place(info), info.payload()).as_bytes());
    }));
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(|place| format!(" at {place}")).unwrap_or_default()
}

fn told(place: &str, words: &(dyn Any + Send)) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let words = match words.downcast_ref::<&'static str>() {
        Some(words) => words,
        None => "its words are left out: they may quote a secret",
    };
    format!(
        "error[bug]: tenantry {version} failed inside{place}\n  \
         = note: {words}\n  \
         = help: this is a bug of tenantry, please report it with these lines\n  \
         = help: if it was writing to a tenant, `tenantry plan` says how far it came; then `tenantry apply --resume` goes on, \
         or `tenantry revert` takes it back\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// What reads nothing, and quotes what it was given.
    struct Quoted;

    impl std::str::FromStr for Quoted {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            if text.is_empty() { Ok(Quoted) } else { Err(format!("{text:?} is not empty")) }
        }
    }

    /// The words that a failure comes with.
    fn words(fails: impl FnOnce() + Send + 'static) -> Box<dyn Any + Send> {
        std::thread::spawn(fails).join().unwrap_err()
    }

    #[test]
    fn words_of_the_program_are_shown_and_values_are_not() {
        let shown = told(" at src/x.rs:1:2", &*words(|| panic!("the plan has a cycle")));
        insta::with_settings!({filters => vec![(env!("CARGO_PKG_VERSION"), "VERSION")]}, {
            insta::assert_snapshot!(shown, @r"
            error[bug]: tenantry VERSION failed inside at src/x.rs:1:2
              = note: the plan has a cycle
              = help: this is a bug of tenantry, please report it with these lines
              = help: if it was writing to a tenant, `tenantry plan` says how far it came; then `tenantry apply --resume` goes on, or `tenantry revert` takes it back
            ");
        });
        let secret = String::from("hunter2-hunter2-é");
        for fails in [
            Box::new({
                let secret = secret.clone();
                move || assert!(secret.is_empty(), "no such value: {secret}")
            }) as Box<dyn FnOnce() + Send>,
            Box::new({
                let secret = secret.clone();
                move || secret.parse::<Quoted>().map(drop).unwrap()
            }),
            // The standard library quotes what it could not cut.
            Box::new(move || drop(secret[..secret.len() - 1].to_owned())),
        ] {
            let shown = told("", &*words(fails));
            assert!(!shown.contains("hunter2") && shown.contains("its words are left out"), "{shown}");
        }
    }
}
