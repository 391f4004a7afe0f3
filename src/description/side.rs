//! Files beside the description: code, pages, e-mail bodies.

use super::expression::Tainted;
use super::fill::{Piece, fill_raw};
use super::load::decode;
use super::marker::find_markers;
use super::node::Part;
use super::place::Places;
use super::render::finish;
use super::variables::{MarkerValue, Variables};
use crate::model::Value;
use crate::problem::{Problem, Severity};

/// What becomes of a marker without a value in a side file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leniency {
    /// It is an error.
    Strict,
    /// It stays as text, with a warning: compatibility mode.
    MarkersPass,
}

/// Fills the markers of a file that is no YAML and no JSON; expressions are not looked for.
///
/// The value is text; with a secret in it, a secret; without a secret it needs, unresolved. Problems: `unset-variable` (a
/// warning where markers pass), `marker-object`, `expansion-too-large`, `file-too-large`, `not-utf8`, `control-character`.
pub fn fill_text(file: &str, bytes: &[u8], variables: &Variables, leniency: Leniency) -> (Value, Vec<Problem>) {
    let text = match decode(file, bytes) {
        Ok(text) => text,
        Err(problem) => return (Value::Null, vec![problem]),
    };
    let places = Places::new(file, text);
    if let Some(at) = text.find('\0') {
        let problem = Problem::error("control-character", "the control character U+0000 stands in this file")
            .at(&places.locus(at..at + 1))
            .help("remove it");
        return (Value::Null, vec![problem]);
    }
    let mut problems = Vec::new();
    let (mut parts, mut done) = (Vec::new(), 0);
    let plain = |parts: &mut Vec<Part>, range: std::ops::Range<usize>| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            parts.push(Part::Plain(text.to_owned()));
        }
    };
    for found in find_markers(text, &|name| variables.knows(name), &places) {
        let Part::Marker(marker) = &found.part else { continue };
        match variables.marker(marker) {
            Ok(MarkerValue::Literal) => continue,
            Err(mut problem) if problem.id == "unset-variable" && leniency == Leniency::MarkersPass => {
                problem.severity = Severity::Warning;
                problems.push(problem.note("it stays in the file as it is"));
                continue;
            }
            _ => {}
        }
        plain(&mut parts, done..found.range.start);
        done = found.range.end;
        parts.push(found.part);
    }
    plain(&mut parts, done..text.len());
    match fill_raw(&parts, variables) {
        Ok(pieces) => (joined(pieces), problems),
        Err(more) => {
            problems.extend(more);
            (Value::Null, problems)
        }
    }
}

/// Returns the markers of a file that is no YAML and no JSON, as written; Auth0's own are none.
pub fn markers_in(file: &str, bytes: &[u8], variables: &Variables) -> Vec<String> {
    let Ok(text) = decode(file, bytes) else { return Vec::new() };
    let places = Places::new(file, text);
    let found = find_markers(text, &|name| variables.knows(name), &places);
    let is_filled = |part: Part| match part {
        Part::Marker(marker) if !matches!(variables.marker(&marker), Ok(MarkerValue::Literal)) => Some(marker.bare()),
        _ => None,
    };
    found.into_iter().filter_map(|found| is_filled(found.part)).collect()
}

fn joined(pieces: Vec<Piece>) -> Value {
    let mut value = Tainted::clean(serde_json::Value::Null);
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(more) => text.push_str(&more),
            Piece::Secret(secret) => {
                text.push_str(secret.expose());
                value.secrets.insert(secret.source().to_owned());
            }
            Piece::Missing(source) => {
                value.missing.insert(source);
            }
            // None can be here: expressions are not looked for.
            Piece::Expression(expression) => text.push_str(&expression.written),
        }
    }
    value.json = serde_json::Value::String(text);
    finish(value)
}
