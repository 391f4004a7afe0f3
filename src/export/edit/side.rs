//! Texts in files of their own.

use super::{EditOptions, Existing, Why};
use crate::description::{Leniency, fill_text, markers_in};
use crate::model::Value;
use crate::problem::Problem;
use crate::schema::FieldSpec;

/// Returns the new content of a side file.
///
/// # Errors
///
/// Why it is left.
pub(super) fn edited(
    existing: &Existing<'_>,
    path: &str,
    old: &[u8],
    field: Option<&FieldSpec>,
    new: &str,
    options: EditOptions,
) -> Result<Vec<u8>, Why> {
    let shown = existing.tree.shown(path);
    let Ok(text) = std::str::from_utf8(old) else { return Err(Why::Refused) };
    let names = markers(existing, path, old);
    if !names.is_empty() && !options.replace_markers {
        return Err(Why::Marker(names));
    }
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let mut written = new.replace("\r\n", "\n");
    let is_loose = field.is_some_and(|field| field.text.is_some() || field.file.as_ref().is_some_and(|file| file.trim));
    if is_loose && !body.is_empty() {
        // Line breaks at the end do not count: they stay as they are.
        let end: String = body.chars().rev().take_while(|c| matches!(c, '\n' | '\r')).collect();
        let breaks = end.matches('\n').count();
        written.truncate(written.trim_end_matches('\n').len());
        written.extend(std::iter::repeat_n('\n', breaks));
    }
    if body.contains("\r\n") {
        written = written.replace('\n', "\r\n");
    } else if !body.contains('\n') && new.contains("\r\n") {
        written = new.to_owned();
    }
    let bytes = format!("{mark}{written}").into_bytes();
    let (read, problems) = fill_text(&shown, &bytes, existing.variables, Leniency::Strict);
    let same = |text: &str| text.replace("\r\n", "\n").trim_end() == new.replace("\r\n", "\n").trim_end();
    match read {
        Value::String(read) if !problems.iter().any(Problem::is_error) && same(read.trim_start_matches('\u{feff}')) => {
            Ok(bytes)
        }
        _ => Err(Why::Unwritable),
    }
}

/// Returns the markers in a side file.
pub(super) fn markers(existing: &Existing<'_>, path: &str, bytes: &[u8]) -> Vec<String> {
    markers_in(&existing.tree.shown(path), bytes, existing.variables)
}
