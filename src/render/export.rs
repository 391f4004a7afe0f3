//! What `export` changed in a description that was there, and what it left.

use super::adopt::AdoptedFile;
use super::human::{column, leaves, list};
use super::line::{Line, Lines};
use super::plural::count;
use super::style::Style;
use super::view::Options;
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

/// Resources of another environment that are named.
const MOST: usize = 5;

/// Shows what was taken over, what is new, what is gone, and what was left.
pub fn export(view: &ExportView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let whole = |entries: Vec<[String; 2]>| -> Vec<[String; 2]> {
        let words = |paths: String| if paths.is_empty() { "as a whole".to_owned() } else { paths };
        entries.into_iter().map(|[address, paths]| [address, words(paths)]).collect()
    };
    let with_file = |entries: &[(Address, String)]| -> Vec<[String; 2]> {
        entries.iter().map(|(address, file)| [address.to_string(), file.clone()]).collect()
    };
    list(&mut lines, "Taken over into the description", &whole(leaves(view.done)), usize::MAX, options);
    list(&mut lines, "New in the tenant", &with_file(view.added), usize::MAX, options);
    let title = match view.removed {
        true => "Not in the tenant: taken out of the files",
        false => "Not in the tenant (--remove-files takes them out of the files)",
    };
    list(&mut lines, title, &with_file(view.gone), usize::MAX, options);
    let title = "Changed on both sides: the tenant's value was taken over";
    list(&mut lines, title, &whole(leaves(view.conflicts)), usize::MAX, options);
    let title = "Your changes that were never deployed: left in the files";
    list(&mut lines, title, &whole(leaves(view.pending)), usize::MAX, options);
    let named = |address: &Address, path: &Path| {
        if path.is_root() { address.to_string() } else { format!("{address} {path}") }
    };
    let left: Vec<[String; 2]> =
        view.left.iter().map(|(address, path, why)| [named(address, path), why.clone()]).collect();
    list(&mut lines, "Left as it is in the files", &left, usize::MAX, options);
    let secrets: Vec<[String; 2]> =
        view.secrets.iter().map(|name| [format!("secrets.{name}"), String::new()]).collect();
    list(&mut lines, "Secrets that the new files ask for", &secrets, usize::MAX, options);
    let moved: Vec<[String; 2]> = view
        .moved
        .iter()
        .map(|(name, addresses)| {
            let mut words: Vec<String> = addresses.iter().take(MOST).map(ToString::to_string).collect();
            if addresses.len() > MOST {
                words.push(format!("{} more", addresses.len() - MOST));
            }
            [name.clone(), words.join(", ")]
        })
        .collect();
    list(&mut lines, "Other environments render the same files and would now change too", &moved, usize::MAX, options);
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
        let help =
            "→ look at the changes (`git diff`), then commit them; `tenantry plan` shows what is still different";
        lines.push(Line::new(options.colour).add(Style::Help, help));
    }
    lines.finish()
}
