//! What `export` changed in a description that was there, and what it left.

use super::human::list;
use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
use super::written::{AdoptedFile, changed, fields, left, moved, next};
use crate::model::{Address, Path};

/// What was written into a description that was there.
#[derive(Debug, Clone, Copy)]
pub struct ExportView<'a> {
    /// Files that were written or removed.
    pub files: &'a [AdoptedFile],
    /// Fields that were taken over; the root path for a resource as a whole.
    pub done: &'a [(Address, Path)],
    /// Fields that were left, and why; the root path for a resource as a whole.
    pub left: &'a [(Address, Path, String)],
    /// Fields that both sides changed: the tenant's value was taken over.
    pub conflicts: &'a [(Address, Path)],
    /// What was changed in the files and never deployed.
    pub pending: &'a [(Address, Path)],
    /// Resources that nobody had described, with their file.
    pub added: &'a [(Address, String)],
    /// Resources that the tenant does not have, with their file.
    pub gone: &'a [(Address, String)],
    /// Whether they went from the files.
    pub removed: bool,
    /// Other environments that render the same files: name, and the resources whose desired state moves along.
    pub moved: &'a [(String, Vec<Address>)],
    /// Names of the secrets that new files ask for.
    pub secrets: &'a [String],
}

/// Shows what was taken over, what is new, what is gone, and what was left.
pub fn export(view: &ExportView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let with_file = |entries: &[(Address, String)]| -> Vec<[String; 2]> {
        entries.iter().map(|(address, file)| [address.to_string(), file.clone()]).collect()
    };
    fields(&mut lines, "Taken over into the description", view.done, options);
    list(&mut lines, "New in the tenant", &with_file(view.added), usize::MAX, options);
    let title = match view.removed {
        true => "Not in the tenant: taken out of the files",
        false => "Not in the tenant (--remove-files takes them out of the files)",
    };
    list(&mut lines, title, &with_file(view.gone), usize::MAX, options);
    let title = "Changed on both sides: the tenant's value was taken over";
    fields(&mut lines, title, view.conflicts, options);
    let title = "Your changes that are not deployed: left in the files";
    fields(&mut lines, title, view.pending, options);
    left(&mut lines, view.left, options);
    let secrets: Vec<[String; 2]> =
        view.secrets.iter().map(|name| [format!("secrets.{name}"), String::new()]).collect();
    list(&mut lines, "Secrets that the new files ask for", &secrets, usize::MAX, options);
    moved(&mut lines, view.moved, options);
    changed(&mut lines, view.files, options);
    lines.gap();
    let mut line = Line::new(options.colour);
    line = if view.files.is_empty() {
        line.add(Style::Good, "Nothing to write: the files are as the tenant is")
    } else {
        let files = count(view.files.len(), "file");
        line.add(Style::Good, &format!("{files} changed: {} taken over", count(view.done.len(), "field")))
            .add(Style::Good, &format!(", {} new", count(view.added.len(), "resource")))
    };
    let exceptions = [
        (view.gone.len(), "not in the tenant", view.removed),
        (view.pending.len(), "pending", false),
        (view.left.len(), "left", false),
    ];
    for (number, words, _) in exceptions.iter().filter(|(number, _, settled)| *number > 0 && !settled) {
        line = line.add(Style::Warning, &format!(", {number} {words}"));
    }
    lines.push(line);
    if !view.files.is_empty() {
        next(&mut lines, options);
    }
    lines.finish()
}
