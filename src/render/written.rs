//! What was written into a description: the lists that `adopt` and `export` share.

use super::human::{column, leaves, list};
use super::line::{Line, Lines};
use super::style::Style;
use super::view::Options;
use crate::model::{Address, Path};

/// Resources of another environment that are named.
const MOST: usize = 5;

/// One file that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedFile {
    /// Its path, relative to the working directory.
    pub path: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// The whole file was removed.
    pub gone: bool,
}

impl AdoptedFile {
    /// Counts the lines that changed. `after` is `None` where the file was removed.
    pub fn new(path: impl Into<String>, before: &str, after: Option<&str>) -> Self {
        let diff = similar::TextDiff::from_lines(before, after.unwrap_or_default());
        let (mut added, mut removed) = (0, 0);
        for change in diff.iter_all_changes() {
            match change.tag() {
                similar::ChangeTag::Insert => added += 1,
                similar::ChangeTag::Delete => removed += 1,
                similar::ChangeTag::Equal => {}
            }
        }
        AdoptedFile { path: path.into(), added, removed, gone: after.is_none() }
    }
}

/// Lists fields by resource; the root path is the resource as a whole.
pub(super) fn fields(lines: &mut Lines, title: &str, fields: &[(Address, Path)], options: &Options) {
    let words = |paths: String| if paths.is_empty() { "as a whole".to_owned() } else { paths };
    let entries: Vec<[String; 2]> =
        leaves(fields).into_iter().map(|[address, paths]| [address, words(paths)]).collect();
    list(lines, title, &entries, usize::MAX, options);
}

/// Lists what was left, and why.
pub(super) fn left(lines: &mut Lines, left: &[(Address, Path, String)], options: &Options) {
    let named = |address: &Address, path: &Path| {
        if path.is_root() { address.to_string() } else { format!("{address} {path}") }
    };
    let left: Vec<[String; 2]> = left.iter().map(|(address, path, why)| [named(address, path), why.clone()]).collect();
    list(lines, "Left as it is in the files", &left, usize::MAX, options);
}

/// Lists the other environments that render the same files, with the resources whose desired state moves along.
pub(super) fn moved(lines: &mut Lines, moved: &[(String, Vec<Address>)], options: &Options) {
    let words = |addresses: &[Address]| {
        let mut words: Vec<String> = addresses.iter().take(MOST).map(ToString::to_string).collect();
        if addresses.len() > MOST {
            words.push(format!("{} more", addresses.len() - MOST));
        }
        words.join(", ")
    };
    let moved: Vec<[String; 2]> = moved.iter().map(|(name, addresses)| [name.clone(), words(addresses)]).collect();
    list(lines, "Other environments render the same files and would now change too", &moved, usize::MAX, options);
}

/// Lists the files, with the lines that came and went.
pub(super) fn changed(lines: &mut Lines, files: &[AdoptedFile], options: &Options) {
    if files.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Files changed"));
    let column = column(files.iter().map(|file| file.path.clone())) + 2;
    for file in files {
        let line = Line::new(options.colour).plain("  ").plain(&file.path).to(column);
        let line = if file.gone {
            line.add(Style::Deleted, "removed")
        } else {
            line.add(Style::Added, &format!("+{}", file.added)).add(Style::Removed, &format!(" -{}", file.removed))
        };
        lines.push(line);
    }
}

/// Says what to do with what was written.
pub(super) fn next(lines: &mut Lines, options: &Options) {
    let help = "→ look at the changes (`git diff`), then commit them; `tenantry plan` shows what is still different";
    lines.push(Line::new(options.colour).add(Style::Help, help));
}
