//! Names of files: safe on Linux, macOS and Windows, told apart on disks that ignore case, never outside their folder.

use sha2::{Digest, Sha256};

use crate::description::layout::safe_name;

/// Longest part of a file name that a value gives, in bytes: the rest of the 255 is for suffixes and extensions.
const LONGEST_PART_BYTES: usize = 100;
/// Folders that the reader of descriptions never looks into.
const NEVER: [&str; 3] = ["node_modules", "target", "vendor"];

/// Turns a value into a part of a file name. A value that had to be cut ends with a hash of all of it.
pub(super) fn part(value: &str) -> String {
    let safe = safe_name(value);
    let shown = match safe.strip_prefix('.') {
        Some(rest) => format!("-{rest}"),
        None => safe,
    };
    if shown.len() <= LONGEST_PART_BYTES && !NEVER.contains(&shown.as_str()) {
        return shown;
    }
    let mut end = LONGEST_PART_BYTES.min(shown.len());
    while !shown.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{}", shown.get(..end).unwrap_or_default().trim_end(), hash(value))
}

/// Returns eight hexadecimal digits that tell texts apart and stay the same.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what two paths share where some disk takes them for one: case does not count, nor how a letter with a mark is
/// composed. Letters beyond ASCII do not count at all.
pub(super) fn sameness(path: &str) -> String {
    let mut out = String::new();
    let mut before = None;
    for c in path.to_lowercase().chars() {
        if ('\u{300}'..='\u{36f}').contains(&c) {
            // `e` with an accent of its own is the one letter that stands for both.
            if before.is_some_and(|c: char| c.is_ascii()) {
                out.pop();
            }
        } else if c.is_ascii() {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

/// Fills `{member}` of a path's template; the first value that is filled in gets the suffix.
///
/// Every value becomes a safe part of a name, so the path has the folders of the template and no others.
pub(super) fn expand(template: &str, suffix: &str, value_of: &dyn Fn(&str) -> Option<String>) -> String {
    let mut suffix = Some(suffix);
    let components = template.split('/').map(|component| {
        if !component.contains('{') {
            return component.to_owned();
        }
        let mut out = String::new();
        let mut rest = component;
        while let Some((before, (member, after))) =
            rest.split_once('{').and_then(|(b, r)| Some((b, r.split_once('}')?)))
        {
            out.push_str(before);
            out.push_str(&part(&value_of(member).unwrap_or_default()));
            out.push_str(suffix.take().unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        out
    });
    components.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn path(template: &str, name: &str) -> String {
        expand(template, "", &|_| Some(name.to_owned()))
    }

    #[test]
    fn names_stay_inside_their_folder() {
        for (name, file) in [
            ("My App", "clients/My App.yaml"),
            ("../../etc/passwd", "clients/-.-..-etc-passwd.yaml"),
            ("..", "clients/-.yaml"),
            ("", "clients/undefined.yaml"),
            ("CON", "clients/-.yaml"),
            ("ends. .", "clients/ends-.yaml"),
            (".hidden", "clients/-hidden.yaml"),
            ("🙂", "clients/🙂.yaml"),
            ("{name}", "clients/{name}.yaml"),
        ] {
            assert_eq!(path("clients/{name}.yaml", name), file, "{name:?}");
        }
        assert!(path("database-connections/{name}/database", "vendor").starts_with("database-connections/vendor-"));
    }

    #[test]
    fn long_names_are_cut_and_told_apart() {
        let (one, two) =
            (path("{name}", &format!("{}1", "é".repeat(300))), path("{name}", &format!("{}2", "é".repeat(300))));
        assert!(one.len() < 130 && one != two, "{one} {two}");
    }

    #[test]
    fn a_suffix_is_added_once() {
        let made = expand("actions/{name}/{name}.js", "-0a", &|_| Some("A".to_owned()));
        assert_eq!(made, "actions/A-0a/A.js");
    }

    #[test]
    fn disks_that_ignore_case_or_composition_are_thought_of() {
        assert_eq!(sameness("Clients/App"), sameness("clients/APP"));
        assert_eq!(sameness("cafe\u{301}s"), sameness("caf\u{e9}s"));
        assert_eq!(sameness("a\u{302}\u{301}"), sameness("\u{1ea5}"));
        assert_ne!(sameness("ab"), sameness("ac"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_name_leaves_its_folder(name in any::<String>()) {
            let made = path("clients/{name}.yaml", &name);
            let parts: Vec<&str> = made.split('/').collect();
            prop_assert_eq!(parts.len(), 2);
            let file = parts.get(1).copied().unwrap_or_default();
            prop_assert!(!file.contains(['\\', ':', '\0', '\n']) && file.len() <= 255 && !file.starts_with('.'), "{}", file);
        }
    }
}
