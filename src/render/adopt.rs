//! What `adopt` wrote into the description, and what it left.

use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
use super::written::{AdoptedFile, changed, fields, left, moved, next};
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

/// Shows what was taken over, where it was written, what was left, and who else is affected.
pub fn adopt(view: &AdoptView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    fields(&mut lines, "Taken over into the description", view.adopted, options);
    changed(&mut lines, view.files, options);
    left(&mut lines, view.left, options);
    moved(&mut lines, view.moved, options);
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
        next(&mut lines, options);
    }
    lines.finish()
}
