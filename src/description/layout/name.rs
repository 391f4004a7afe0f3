//! File names that are safe everywhere.

/// Longest file name, in bytes.
const LONGEST_BYTES: usize = 255;

/// Turns a name into a file name, without extension, as auth0-deploy-cli does (`sanitize-filename` with `-`).
///
/// The result holds no separator, is neither `.` nor `..`, is no device of Windows and not empty: it cannot leave a folder.
pub fn safe_name(name: &str) -> String {
    let replaced: String = name
        .chars()
        .map(|c| match c {
            '/' | '?' | '<' | '>' | '\\' | ':' | '*' | '|' | '"' => '-',
            c if u32::from(c) < 0x20 || (0x80..0xa0).contains(&u32::from(c)) => '-',
            c => c,
        })
        .collect();
    let dots = !replaced.is_empty() && replaced.chars().all(|c| c == '.');
    let name = if dots || is_device(&replaced) { "-".to_owned() } else { without_tail(&replaced) };
    let mut end = name.len().min(LONGEST_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    match name.get(..end) {
        Some("") | None => "undefined".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// Trailing dots and spaces, which Windows drops, become one dash.
fn without_tail(name: &str) -> String {
    let kept = name.trim_end_matches(['.', ' ']);
    if kept.len() == name.len() { name.to_owned() } else { format!("{kept}-") }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => matches!(stem.as_bytes(), [b'C', b'O', b'M', b'0'..=b'9'] | [b'L', b'P', b'T', b'0'..=b'9']),
    }
}

/// Gives a name to each of several resources in one folder, so that no two collide on any disk.
///
/// Disks that ignore case, and names that differ only in characters that are replaced, get `-2`, `-3`, … in the order given.
pub fn distinct_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    let mut out = Vec::new();
    for name in names {
        let safe = safe_name(name);
        let mut candidate = safe.clone();
        let mut n = 2u32;
        while !taken.insert(candidate.to_lowercase()) {
            let tail = format!("-{n}");
            let mut end = safe.len().min(LONGEST_BYTES - tail.len());
            while !safe.is_char_boundary(end) {
                end -= 1;
            }
            candidate = format!("{}{tail}", safe.get(..end).unwrap_or_default());
            n = n.saturating_add(1);
        }
        out.push(candidate);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_those_of_auth0_deploy_cli() {
        for (name, file) in [
            ("My App", "My App"),
            ("a/b\\c:d", "a-b-c-d"),
            ("..", "-"),
            ("con", "-"),
            ("COM1.txt", "-"),
            ("Console", "Console"),
            ("ends. .", "ends-"),
            ("", "undefined"),
            ("Ünï ✓", "Ünï ✓"),
            ("../../etc/passwd", "..-..-etc-passwd"),
        ] {
            assert_eq!(safe_name(name), file, "{name:?}");
        }
    }

    #[test]
    fn collisions_are_told_apart() {
        let long = "é".repeat(200);
        let names = distinct_names(["App", "app", "a/b", "a:b", &long, &long]);
        assert_eq!(
            names.get(..4),
            Some(&["App".to_owned(), "app-2".to_owned(), "a-b".to_owned(), "a-b-2".to_owned()][..])
        );
        assert!(names.iter().all(|name| name.len() <= LONGEST_BYTES));
        assert_ne!(names.get(4), names.get(5));
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(name in "\\PC{0,300}") {
            let file = safe_name(&name);
            prop_assert!(!file.is_empty() && file.len() <= LONGEST_BYTES);
            prop_assert!(!file.contains(['/', '\\', ':', '\0']) && file != "." && file != "..");
        }
    }
}
