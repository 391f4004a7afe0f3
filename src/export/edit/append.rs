//! What is new in the tenant, written into files that are there.

use super::document::Document;
use super::meaning::{Meaning, Op, Step};
use super::{Existing, Why};
use crate::description::Format;
use crate::description::layout::{file_name, split_extension};
use crate::model::{Unresolved, Value};
use crate::problem::Problem;

/// Something to be added to a file.
#[derive(Debug, Clone)]
pub(in crate::export) struct Extra {
    /// The keys that lead to the list or object that gets it; none for the file's own.
    pub(in crate::export) at: Vec<String>,
    /// Key of a new member; `None` for an item of a list.
    pub(in crate::export) key: Option<String>,
    /// Its value; secrets in it are expressions.
    pub(in crate::export) value: Value,
}

/// How the value of an edit begins where it is an expression.
const BEGIN: &str = "${{";

/// Returns the value that is written as this expression: `${{ secrets.KEY }}`.
pub(in crate::export) fn expression(written: &str) -> Value {
    Value::Unresolved(Unresolved { source: written.to_owned() })
}

/// Returns the expression that a value is to be written as.
pub(super) fn as_expression(value: &Value) -> Option<&str> {
    match value {
        Value::Unresolved(unresolved) if unresolved.source.starts_with(BEGIN) => Some(&unresolved.source),
        _ => None,
    }
}

/// A file's new content, and per addition why it was not made.
pub(in crate::export) type Appended = (Vec<u8>, Vec<Option<Why>>);

/// Adds to a file; returns its new content, and per addition why it was not made.
///
/// # Errors
///
/// Those of [`load`](crate::description::load), where the file cannot be read again.
pub(in crate::export) fn append(
    existing: &Existing<'_>,
    path: &str,
    extras: &[Extra],
) -> Result<Appended, Vec<Problem>> {
    let known = existing.variables.known_names();
    let shown = existing.tree.shown(path);
    let bytes = existing.tree.read(path).map_err(Vec::from_iter)?;
    let is_json = split_extension(file_name(path)).1.eq_ignore_ascii_case("json");
    let format = if is_json { Format::Json } else { Format::Yaml };
    let mut document = Document::read(&shown, bytes, format, Some(&known))?;
    let refused = extras.iter().map(|extra| add(&mut document, extra).err()).collect();
    Ok((document.text.into_bytes(), refused))
}

fn add(document: &mut Document<'_>, extra: &Extra) -> Result<(), Why> {
    let at: Vec<Step> = extra.at.iter().cloned().map(Step::Key).collect();
    let meaning = Meaning::of(&document.node);
    let op = match (meaning.at(&at), &extra.key) {
        // `clients:` with nothing behind it.
        (Some(Meaning::Null), None) => Op::Set(at, Value::Array(vec![extra.value.clone()])),
        (Some(Meaning::List(items)), None) if items.is_empty() => Op::Set(at, Value::Array(vec![extra.value.clone()])),
        (Some(Meaning::Text(_)), None) => {
            let mut names = Vec::new();
            meaning.at(&at).into_iter().for_each(|text| text.filled(&mut names));
            return Err(Why::Marker(names));
        }
        (Some(_), key) => Op::Add(at, key.clone(), extra.value.clone()),
        (None, _) => return Err(Why::NoPlace),
    };
    document.apply(&op)
}
