//! What `adopt` wrote into the description, and what it left.

use super::human::{column, leaves, list};
use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
use crate::model::{Address, Path};

/// What was written into the description.
#[derive(Debug, Clone, Copy)]
pub struct AdoptView<'a> {
    /// Files that were changed.
    pub files: &'a [AdoptedFile],
    /// Fields that were taken over; the root path for a resource as a whole.
    pub adopted: &'a [(Address, Path)],
    /// Fields that were left, and why.
    pub left: &'a [(Address, Path, String)],
    /// Other environments that render the same files: name, and the resources whose desired state moves along.
    pub moved: &'a [(String, Vec<Address>)],
}

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

/// Shows what was taken over, where it was written, what was left, and who else is affected.
pub fn adopt(view: &AdoptView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let adopted: Vec<[String; 2]> = leaves(view.adopted)
        .into_iter()
        .map(|[address, paths]| [address, if paths.is_empty() { "as a whole".to_owned() } else { paths }])
        .collect();
    list(&mut lines, "Taken over into the description", &adopted, usize::MAX, options);
    if !view.files.is_empty() {
        lines.gap();
        lines.push(Line::new(options.colour).add(Style::Heading, "Files changed"));
        let column = column(view.files.iter().map(|file| file.path.clone())) + 2;
        for file in view.files {
            let line = Line::new(options.colour).plain("  ").plain(&file.path).to(column);
            let line = if file.gone {
                line.add(Style::Deleted, "removed")
            } else {
                line.add(Style::Added, &format!("+{}", file.added)).add(Style::Removed, &format!(" -{}", file.removed))
            };
            lines.push(line);
        }
    }
    let named = |address: &Address, path: &Path| {
        if path.is_root() { address.to_string() } else { format!("{address} {path}") }
    };
    let left: Vec<[String; 2]> =
        view.left.iter().map(|(address, path, why)| [named(address, path), why.clone()]).collect();
    list(&mut lines, "Left as it is in the files", &left, usize::MAX, options);
    let moved: Vec<[String; 2]> = view
        .moved
        .iter()
        .map(|(name, addresses)| {
            [name.clone(), addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")]
        })
        .collect();
    list(&mut lines, "Other environments render the same files and would now change too", &moved, usize::MAX, options);
    lines.gap();
    let mut line = Line::new(options.colour);
    line = match (view.adopted.is_empty(), view.left.is_empty()) {
        (true, true) => line.add(Style::Good, "Nothing drifted: there is nothing to take over."),
        (true, false) => line.add(Style::Warning, "Nothing was taken over"),
        (false, _) => {
            let words =
                format!("{} taken over into {}", count(view.adopted.len(), "field"), count(view.files.len(), "file"));
            line.add(Style::Good, &words)
        }
    };
    if !view.left.is_empty() {
        line = line.add(Style::Warning, &format!(", {} left", count(view.left.len(), "field")));
    }
    lines.push(line);
    if !view.adopted.is_empty() {
        let help =
            "→ look at the changes (`git diff`), then commit them; `tenantry plan` shows what is still different";
        lines.push(Line::new(options.colour).add(Style::Help, help));
    }
    lines.finish()
}
