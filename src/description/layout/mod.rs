//! Which file describes what: the two layouts of auth0-deploy-cli, read from a [`Tree`] into a [`Description`].
//!
//! Nothing is read here: where a file is needed that the tree does not hold yet, its path is in [`Outcome::wanted`], and the caller
//! reads it and asks again.

mod claim;
mod directory;
mod kinds;
mod known;
mod name;
mod partials;
mod single;
mod tree;

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::filter::Filters;
use super::marker::KnownNames;
use super::node::Node;
use crate::model::{Locus, Path, Sources};
use crate::problem::{Problem, sorted};
use crate::schema::Registry;

pub use kinds::{described_names, unknown_kind};
pub(crate) use known::{PIECES, PieceHome};
pub use name::{distinct_names, safe_name};
pub use tree::{FileState, Tree};
pub(crate) use tree::{clean, file_name, join, leaves, parent, split_extension};

/// How a description is read.
#[derive(Debug, Clone)]
pub struct LayoutOptions<'a> {
    /// The kinds there are.
    pub registry: &'a Registry,
    /// Names that markers have values for.
    pub names: &'a KnownNames,
    /// What is managed: kinds that are not are not read.
    pub filters: &'a Filters,
    /// The rules of auth0-deploy-cli where they are softer.
    pub compatibility: bool,
    /// The single YAML file, where one was named.
    pub single: Option<String>,
    /// Folder of connections, where it has another name (`AUTH0_CONNECTIONS_DIRECTORY`).
    pub connections_directory: Option<String>,
}

/// What a layout gave.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The description; incomplete where there are errors or wanted files.
    pub description: Description,
    /// Everything found, errors and warnings, in the order of places.
    pub problems: Vec<Problem>,
    /// Files that have to be read first.
    pub wanted: BTreeSet<String>,
    /// Texts of the files that were read.
    pub sources: Sources,
}

/// A description before substitution.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// How it is laid out.
    pub layout: Layout,
    /// Described kinds by name, in the order met. A kind that is absent is not described.
    pub kinds: IndexMap<String, KindNodes>,
    /// Names that the single file leaves alone, by kind: `exclude:` at its root.
    pub exclude: IndexMap<String, Vec<String>>,
    /// The only names of a kind that it manages: `include:` at its root.
    pub include: IndexMap<String, Vec<String>>,
    /// Paths of the files that say all this, without side files.
    pub files: Vec<String>,
}

/// The two layouts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Layout {
    /// A folder per kind.
    #[default]
    Directory,
    /// One YAML file, by its path.
    Single(String),
}

/// What is written of one kind.
#[derive(Debug, Clone)]
pub struct KindNodes {
    /// Its key in the single file, or its folder.
    pub locus: Locus,
    /// Its resources.
    pub resources: Vec<ResourceNode>,
}

/// What is written of one resource.
#[derive(Debug, Clone)]
pub struct ResourceNode {
    /// The object.
    pub node: Node,
    /// Path of the file it stands in.
    pub file: String,
    /// Values that are paths of side files although no schema says so: the layout does.
    pub side_texts: Vec<SideText>,
}

/// A value that is the path of a side file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideText {
    /// The value, by the keys that lead to it.
    pub at: Path,
    /// Folder that the path starts at.
    pub base: String,
    /// The file is JSON and becomes the value; otherwise it is text, and a missing one is empty.
    pub is_json: bool,
}

/// Reads a description.
///
/// # Errors
///
/// Errors are in [`Outcome::problems`]: those of [`load`](super::load) and `empty-description`, `unknown-kind`, `unsupported-kind`,
/// `two-layouts`, `duplicate-file`, `missing-file`, `unreadable-file`, `file-too-large`, `outside-folder`, `wrong-type`,
/// `unknown-format`. Warnings: `near-miss-folder`, `empty-file`, `dropped-kind`, `ignored-file`.
pub fn read_layout(tree: &Tree, options: &LayoutOptions<'_>) -> Outcome {
    let mut reading = Reading { tree, options, out: Outcome::default() };
    match single_file(tree, options) {
        Some(file) => {
            reading.out.description.layout = Layout::Single(file.clone());
            reading.single(&file);
        }
        None => reading.directory(),
    }
    let mut out = reading.out;
    let nothing = out.description.kinds.is_empty();
    if nothing && out.wanted.is_empty() && !out.problems.iter().any(Problem::is_error) {
        out.problems.push(empty(tree, &out.description.layout));
    }
    out.problems = sorted(out.problems);
    out
}

fn empty(tree: &Tree, layout: &Layout) -> Problem {
    let problem = Problem::error("empty-description", "there is nothing in this description");
    match layout {
        Layout::Single(file) => {
            problem.at(&tree.locus(file)).help("describe a kind, for example `clients:` with a list")
        }
        Layout::Directory => problem
            .note(format!("looked for tenant.yaml and for folders such as clients/ in {}", tree.shown(".")))
            .help("check the path given with -i or `description`"),
    }
}

/// Returns the single file: the one named, or the one a folder holds alone.
fn single_file(tree: &Tree, options: &LayoutOptions<'_>) -> Option<String> {
    if options.single.is_some() {
        return options.single.clone();
    }
    let file = ["tenant.yaml", "tenant.yml"].into_iter().find(|name| tree.has_file(name))?;
    claim::first_described_file(tree, options).is_none().then(|| file.to_owned())
}

/// One reading of a layout.
struct Reading<'a> {
    tree: &'a Tree,
    options: &'a LayoutOptions<'a>,
    out: Outcome,
}

impl Reading<'_> {
    fn problem(&mut self, problem: Problem) {
        self.out.problems.push(problem);
    }

    /// Reads and parses one file; `None` where that failed or has to wait.
    fn load(&mut self, path: &str) -> Option<Node> {
        let bytes = match self.tree.read(path) {
            Ok(bytes) => bytes,
            Err(Some(problem)) => {
                self.problem(problem);
                return None;
            }
            Err(None) => {
                self.out.wanted.insert(path.to_owned());
                return None;
            }
        };
        let (_, extension) = split_extension(file_name(path));
        let format = if extension.eq_ignore_ascii_case("json") { super::Format::Json } else { super::Format::Yaml };
        let shown = self.tree.shown(path);
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.out.sources.insert(&shown, text);
        }
        self.out.description.files.push(path.to_owned());
        match super::load(&shown, bytes, format, self.options.names) {
            Ok(loaded) => {
                self.out.problems.extend(loaded.warnings);
                Some(loaded.node)
            }
            Err(problems) => {
                self.out.problems.extend(problems);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::texts as test_texts;
