//! The one writer that changes a description in place: texts in, texts out.
//!
//! An [`Edit`] names a leaf of a resource as a plan does. [`edit`] finds where it is written, changes the text there and reads it
//! again: unless the file then says what was meant and nothing else, it stays as it was, and the edit is [`left`](Edited::left) with
//! the reason. Comments, order, quotes, line ends and names stay. Markers and expressions are words of their own length meanwhile.
//!
//! A value that comes by an alias or a merge gets a key of its own; one that others use by an alias is left.

mod append;
mod block;
mod comment;
mod document;
mod find;
mod lines;
mod meaning;
mod pending;
mod side;
mod splice;
mod token;
mod variable;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::description::layout::{Description, Tree};
use crate::description::{Format, Variables};
use crate::model::{Address, Desired, Locus, Path, Value};
use crate::problem::Problem;
use crate::schema::Registry;

pub(super) use append::{Extra, append, expression};

/// One leaf of a resource to be set, or with no value to be taken out; at the root of a resource, the resource itself goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which resource.
    pub address: Address,
    /// Where in it, as a plan names places.
    pub path: Path,
    /// The new value, in the form people write.
    pub value: Option<Value>,
}

/// What may become of markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EditOptions {
    /// A marker or expression gives way to the value.
    pub replace_markers: bool,
    /// Where a marker or expression stands alone and the environment's own file of variables has its value, that changes.
    pub into_variables: bool,
}

/// A description as it was loaded for one environment.
#[derive(Clone, Copy)]
pub struct Existing<'a> {
    /// The kinds there are.
    pub registry: &'a Registry,
    /// Its files.
    pub tree: &'a Tree,
    /// What they say before substitution.
    pub description: &'a Description,
    /// The values of the environment.
    pub variables: &'a Variables,
    /// What it asks for, as rendered.
    pub desired: &'a Desired,
    /// Paths of the side files.
    pub side_files: &'a BTreeSet<String>,
    /// The environment's own file of variables, where it has one.
    pub own_variables: Option<OwnVariables<'a>>,
}

/// A file that holds variables of one environment.
#[derive(Clone, Copy)]
pub struct OwnVariables<'a> {
    /// Its name, as shown to people.
    pub shown: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
    /// Its format.
    pub format: Format,
    /// The keys that lead to the variables; none where they are all of it.
    pub at: &'a [&'a str],
}

/// Why an edit is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// These markers and expressions stand there.
    Marker(Vec<String>),
    /// It is a secret, and secrets are never written into files.
    Secret,
    /// Other places use the same value, by an alias, a variable or a side file.
    Shared,
    /// The files have no place for it: the resource is not described, or the value comes from elsewhere.
    NoPlace,
    /// The text would be read as something else than what it says: a marker.
    Unwritable,
    /// The file could not be changed without changing more than this.
    Refused,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Marker(names) => {
                let names: BTreeSet<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "it stands behind {}", Vec::from_iter(names).join(", "))
            }
            Why::Secret => f.write_str("a secret is never written into files"),
            Why::Shared => f.write_str("other places use the same value"),
            Why::NoPlace => f.write_str("the files have no place for it"),
            Why::Unwritable => f.write_str("its text would be read as a marker"),
            Why::Refused => f.write_str("its file cannot be changed here without changing more"),
        }
    }
}

/// What editing gave.
#[derive(Clone, Default, PartialEq)]
pub struct Edited {
    /// New content of the files that change, by their path in the tree.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files that go with their resource, by their path in the tree.
    pub removed_files: Vec<String>,
    /// New content of the environment's own file of variables, where it changes.
    pub variables: Option<Vec<u8>>,
    /// Edits that were made, with the place they were made at (as the file was before).
    pub done: Vec<(Address, Path, Locus)>,
    /// Edits that were not, and why.
    pub left: Vec<(Address, Path, Why)>,
}

impl fmt::Debug for Edited {
    /// Names of the files without their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Edited { files, removed_files, variables, done, left } = self;
        let mut out = f.debug_struct("Edited");
        out.field("files", &files.keys()).field("removed_files", removed_files);
        out.field("variables", &variables.is_some()).field("done", done).field("left", left).finish()
    }
}

/// Edits a description.
///
/// # Errors
///
/// Those of [`load`](crate::description::load), where a file cannot be read again.
pub fn edit(description: &Existing<'_>, edits: &[Edit], options: EditOptions) -> Result<Edited, Vec<Problem>> {
    write::edit(description, edits, options)
}

#[cfg(test)]
mod document_tests;
#[cfg(test)]
mod example_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod single_tests;
#[cfg(test)]
mod tests;
