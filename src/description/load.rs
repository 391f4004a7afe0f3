//! From bytes to a [`Node`].

use std::ops::Range;

use super::hole::{Holes, Source};
use super::marker::{self, Found, KnownNames};
use super::node::{Format, Node};
use super::place::Places;
use super::{json, yaml};
use crate::model::Locus;
use crate::problem::Problem;

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub node: Node,
    /// What people should look at: scalars that readers of YAML disagree about.
    pub warnings: Vec<Problem>,
    /// The bytes of each marker and expression, in order.
    pub filled: Vec<Range<usize>>,
}

/// Reads a file of the description; markers and expressions stay in the tree, to be rendered for each environment.
///
/// # Errors
///
/// `file-too-large`, `not-utf8`, `control-character`, `too-many-markers`, `expression-syntax`, `duplicate-key`, `nested-too-deep`,
/// and for YAML `yaml-syntax`, `yaml-tag`, `several-documents`, `alias-bomb`, for JSON `json-syntax`.
pub fn load(file: &str, bytes: &[u8], format: Format, names: &KnownNames) -> Result<Loaded, Vec<Problem>> {
    let text = decode(file, bytes).map_err(|problem| vec![problem])?;
    let places = Places::new(file, text);
    refuse_control_characters(text, format, &places).map_err(|problem| vec![problem])?;
    let (maybe, sure): (Vec<Found>, Vec<Found>) = marker::find_all(text, names, &places)
        .into_iter()
        .partition(|found| found.may_be_comment && marker::has_comments(format));
    let first = parse(text, sure.clone(), format, &places);
    let mut loaded = match first {
        Ok(loaded) => loaded,
        Err(problem) => return Err(vec![problem]),
    };
    // What looked like a comment may have been a part of some text, or an item of a list in brackets.
    let covered = if maybe.is_empty() { Vec::new() } else { marker::not_comments(maybe, &loaded.node, text) };
    if !covered.is_empty() {
        let mut all = sure;
        all.extend(covered);
        all.sort_by_key(|found| found.range.start);
        // If the file means nothing with them, they were comments.
        if let Ok(again) = parse(text, all, format, &places) {
            loaded = again;
        }
    }
    let mut problems = Vec::new();
    marker::unfinished_expressions(&loaded.node, text, &places, &mut problems);
    if problems.is_empty() { Ok(loaded) } else { Err(problems) }
}

/// Reads YAML that is no description: markers and expressions in it are text.
///
/// # Errors
///
/// Those of [`load`].
pub fn read_yaml(file: &str, bytes: &[u8]) -> Result<Loaded, Vec<Problem>> {
    read(file, bytes, Format::Yaml)
}

/// Reads JSON that is no description: markers and expressions in it are text.
///
/// # Errors
///
/// Those of [`load`].
pub fn read_json(file: &str, bytes: &[u8]) -> Result<Loaded, Vec<Problem>> {
    read(file, bytes, Format::Json)
}

fn read(file: &str, bytes: &[u8], format: Format) -> Result<Loaded, Vec<Problem>> {
    let run = || {
        let text = decode(file, bytes)?;
        let places = Places::new(file, text);
        refuse_control_characters(text, format, &places)?;
        parse(text, Vec::new(), format, &places)
    };
    run().map_err(|problem| vec![problem])
}

fn parse(text: &str, found: Vec<Found>, format: Format, places: &Places<'_>) -> Result<Loaded, Problem> {
    let first = found.first().map(|f| f.range.clone());
    let filled = found.iter().map(|f| f.range.clone()).collect();
    let parts = found.into_iter().map(|f| (f.range, f.part)).collect();
    let Some((swapped, holes)) = Holes::swap(text, parts) else {
        return Err(Problem::error("too-many-markers", "this file has more markers than can be told apart")
            .at(&places.locus(first.unwrap_or(0..0)))
            .help("split the file"));
    };
    Ok(Loaded { filled, ..parse_swapped(&swapped, &holes, format, places)? })
}

/// Parses a text whose markers and expressions are holes already.
pub(crate) fn parse_swapped(text: &str, holes: &Holes, format: Format, places: &Places<'_>) -> Result<Loaded, Problem> {
    // A byte order mark becomes spaces of the same length: offsets stay true.
    let unmarked;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) if format == Format::Json => {
            unmarked = format!("   {rest}");
            &unmarked
        }
        Some(rest) => {
            unmarked = format!("\n\n\n{rest}");
            &unmarked
        }
        None => text,
    };
    let source = Source { text, holes, places };
    match format {
        Format::Yaml => yaml::compose(&source).map(|(node, warnings)| Loaded { node, warnings, filled: Vec::new() }),
        Format::Json => json::parse(&source).map(|node| Loaded { node, warnings: Vec::new(), filled: Vec::new() }),
    }
}

/// Checks size and encoding.
///
/// # Errors
///
/// `file-too-large`, `not-utf8`.
pub(crate) fn decode<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Problem> {
    if bytes.len() > MAX_FILE_BYTES {
        let mib = bytes.len() / (1024 * 1024);
        return Err(Problem::error("file-too-large", format!("this file has {mib} MiB, the limit is 16 MiB"))
            .at(&Locus::file(file))
            .help("leave it out of the description, or split it"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let text = std::str::from_utf8(good).unwrap_or_default();
        let locus = Places::new(file, text).locus(text.len()..text.len());
        let utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let what = if utf16 { "this file is UTF-16, not UTF-8" } else { "this file is not UTF-8" };
        Problem::error("not-utf8", what).label(&locus, "the first byte that is not").help("save it as UTF-8")
    })
}

fn refuse_control_characters(text: &str, format: Format, places: &Places<'_>) -> Result<(), Problem> {
    let refused = |c: char| match c {
        '\t' | '\n' | '\r' => false,
        // Those js-yaml calls not printable.
        '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => format == Format::Yaml,
        c => c < ' ',
    };
    match text.char_indices().find(|(_, c)| refused(*c)) {
        None => Ok(()),
        Some((at, c)) => Err(Problem::error(
            "control-character",
            format!("the control character U+{:04X} stands in this file", u32::from(c)),
        )
        .at(&places.locus(at..at + c.len_utf8()))
        .help("remove it, or write it as an escape inside double quotes")),
    }
}
