//! The texts of files: YAML and JSON that the reader of descriptions understands as they were meant.
//!
//! Markers and expressions are found in the raw text of a file, before it is parsed. A text that merely looks like one is
//! therefore written with escapes (`\x23#NAME\x23#`), and what begins an expression as an expression that yields it.

use std::fmt::Write as _;

use serde_json::Number;

/// What is written in place of the characters that begin an expression.
pub(super) const BEGIN: &str = "${{ concat '$' '{{' }}";
/// Longest key that may stand on a line before its value (YAML 1.2, section 7.4.2), with room for quotes.
const LONGEST_KEY: usize = 1000;

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Out {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text that means itself.
    Text(String),
    /// An expression, as written: `${{ secrets.KEY }}`.
    Expression(String),
    /// A list.
    List(Vec<Out>),
    /// An object, in this order.
    Object(Vec<(String, Out)>),
}

impl Out {
    /// Says whether this is an object or list with something in it.
    fn is_block(&self) -> bool {
        match self {
            Out::List(items) => !items.is_empty(),
            Out::Object(members) => !members.is_empty(),
            _ => false,
        }
    }
}

/// Writes YAML, with a final newline.
pub(super) fn yaml(value: &Out) -> String {
    let mut out = String::new();
    match value {
        Out::Object(members) if !members.is_empty() => object(&mut out, members, 0, false),
        Out::List(items) if !items.is_empty() => list(&mut out, items, 0, false),
        scalar => {
            inline(&mut out, scalar, 0);
            end_line(&mut out);
        }
    }
    out
}

fn object(out: &mut String, members: &[(String, Out)], indent: usize, begun: bool) {
    for (n, (key, value)) in members.iter().enumerate() {
        if n > 0 || !begun {
            pad(out, indent);
        }
        let key = yaml_key(key);
        if key.len() > LONGEST_KEY {
            let _ = writeln!(out, "? {key}");
            pad(out, indent);
        } else {
            out.push_str(&key);
        }
        out.push(':');
        match value {
            Out::Object(inner) if value.is_block() => {
                out.push('\n');
                object(out, inner, indent + 2, false);
            }
            Out::List(inner) if value.is_block() => {
                out.push('\n');
                list(out, inner, indent + 2, false);
            }
            scalar => {
                out.push(' ');
                inline(out, scalar, indent);
                end_line(out);
            }
        }
    }
}

fn list(out: &mut String, items: &[Out], indent: usize, begun: bool) {
    for (n, item) in items.iter().enumerate() {
        if n > 0 || !begun {
            pad(out, indent);
        }
        out.push_str("- ");
        match item {
            Out::Object(inner) if item.is_block() => object(out, inner, indent + 2, true),
            Out::List(inner) if item.is_block() => list(out, inner, indent + 2, true),
            scalar => {
                inline(out, scalar, indent);
                end_line(out);
            }
        }
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A block of text brings its own line end.
fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Writes a value behind its key or dash; `indent` is theirs.
fn inline(out: &mut String, value: &Out, indent: usize) {
    match value {
        Out::Null => out.push_str("null"),
        Out::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Out::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Out::Text(text) => match block(text, indent + 2) {
            Some(block) => out.push_str(&block),
            None => out.push_str(&yaml_scalar(text)),
        },
        Out::Expression(expression) => out.push_str(expression),
        Out::List(_) => out.push_str("[]"),
        Out::Object(_) => out.push_str("{}"),
    }
}

pub(super) fn yaml_key(key: &str) -> String {
    // A key may share its line with markers of its value: here even one half of a marker is escaped.
    if key.contains("##") || key.contains("@@") || !is_printable(key) { quoted(key) } else { yaml_scalar(key) }
}

/// Writes a text on one line.
pub(super) fn yaml_scalar(text: &str) -> String {
    if looks_filled(text) || !is_printable(text) || text.contains(['\n', '\t']) {
        return quoted(text);
    }
    if is_plain(text) {
        return text.to_owned();
    }
    if text.contains(['"', '\\']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    quoted(text)
}

/// Writes text of several lines as a block (`|`); `None` where a block cannot hold it.
pub(super) fn block(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    if !text.contains('\n') || body.is_empty() || looks_filled(text) || !is_printable(text) {
        return None;
    }
    // White space alone on the last line, or before the first character, is where readers disagree.
    let last = body.rsplit('\n').next().unwrap_or(body);
    let first = body.split('\n').find(|line| !line.trim_matches([' ', '\t']).is_empty())?;
    if last.trim_matches([' ', '\t']).is_empty() || body.starts_with(['\t', '\n']) || first.starts_with('\t') {
        return None;
    }
    let mut out = "|".to_owned();
    if body.starts_with(' ') || body.starts_with('\n') {
        out.push('2');
    }
    match text.len() - body.len() {
        0 => out.push('-'),
        1 => {}
        _ => out.push('+'),
    }
    out.push('\n');
    for line in body.split('\n') {
        if !line.is_empty() {
            pad(&mut out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
    out.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
    Some(out)
}

/// Says whether a text can stand in YAML without quotes, and be taken for text by every reader.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let known = |c: char| c.is_alphanumeric() || " _-./@+=?&,;()*%~$!^|<>{}[]'\"\\:`".contains(c);
    let is_word = matches!(
        text.to_ascii_lowercase().as_str(),
        "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    (first.is_alphabetic() || first == '_' || first == '/')
        && text.chars().all(known)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !is_word
}

/// Says whether the reader might find a marker or an expression in a text. Markers end on their own line.
pub(super) fn looks_filled(text: &str) -> bool {
    let twice = |line: &str, sign: &str| line.split_once(sign).is_some_and(|(_, rest)| rest.contains(sign));
    text.contains("${{") || text.lines().any(|line| twice(line, "##") || twice(line, "@@"))
}

/// Says whether all characters can stand in YAML as they are.
pub(super) fn is_printable(text: &str) -> bool {
    !text.chars().any(needs_escape)
}

fn needs_escape(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

/// Writes YAML in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    each_character(text, &mut |piece| match piece {
        Piece::Begin => out.push_str(BEGIN),
        Piece::Hidden(c) => {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
        Piece::Plain(c) => match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) && u32::from(c) <= 0xff => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if needs_escape(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        },
    });
    out.push('"');
    out
}

enum Piece {
    /// The start of an expression.
    Begin,
    /// A character that would be half of a marker's sign.
    Hidden(char),
    /// Any other.
    Plain(char),
}

fn each_character(text: &str, visit: &mut dyn FnMut(Piece)) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("${{") {
            visit(Piece::Begin);
            rest = behind;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let is_half = matches!(c, '#' | '@') && rest.starts_with(c);
        visit(if is_half { Piece::Hidden(c) } else { Piece::Plain(c) });
    }
}

/// Writes JSON with an indent of two, with a final newline.
pub(super) fn json(value: &Out) -> String {
    let mut out = String::new();
    json_value(&mut out, value, 0);
    out.push('\n');
    out
}

fn json_value(out: &mut String, value: &Out, indent: usize) {
    match value {
        Out::Null => out.push_str("null"),
        Out::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Out::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Out::Text(text) => json_text(out, text),
        Out::Expression(expression) => {
            let _ = write!(out, "\"{expression}\"");
        }
        Out::List(items) => json_block(out, '[', ']', items.len(), indent, &mut |out, n| {
            if let Some(item) = items.get(n) {
                json_value(out, item, indent + 2);
            }
        }),
        Out::Object(members) => json_block(out, '{', '}', members.len(), indent, &mut |out, n| {
            if let Some((key, value)) = members.get(n) {
                json_text(out, key);
                out.push_str(": ");
                json_value(out, value, indent + 2);
            }
        }),
    }
}

fn json_block(
    out: &mut String,
    open: char,
    close: char,
    length: usize,
    indent: usize,
    write: &mut dyn FnMut(&mut String, usize),
) {
    out.push(open);
    for n in 0..length {
        out.push_str(if n == 0 { "\n" } else { ",\n" });
        pad(out, indent + 2);
        write(out, n);
    }
    if length > 0 {
        out.push('\n');
        pad(out, indent);
    }
    out.push(close);
}

pub(super) fn json_text(out: &mut String, text: &str) {
    out.push('"');
    each_character(text, &mut |piece| match piece {
        Piece::Begin => out.push_str(BEGIN),
        Piece::Hidden(c) => {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        Piece::Plain(c) => match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        },
    });
    out.push('"');
}

/// Returns the first text in a side file that the reader takes for a marker: such a file has no escapes.
///
/// Auth0's own `@@password@@` and `@@config@@` are text in every file.
pub(super) fn marker_in(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        ["##", "@@"].into_iter().find_map(|sign| {
            let starts = line.match_indices(sign).map(|(at, _)| at);
            starts
                .filter_map(|at| {
                    let inside = line.get(at + 2..)?;
                    let name = inside.get(..inside.find(sign)?)?;
                    let is_name = name.bytes().any(|b| b.is_ascii_alphabetic())
                        && !name.starts_with('-')
                        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
                    let is_own = sign == "@@" && matches!(name, "password" | "config");
                    (is_name && !is_own).then(|| line.get(at..at + name.len() + 4))?
                })
                .next()
        })
    })
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
