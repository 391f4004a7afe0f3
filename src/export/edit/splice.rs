//! Edits in the text itself: scalars, and lists and objects in brackets, in YAML and JSON.

use std::ops::Range;

use super::super::text::{Out, block, json_text, quoted as double_quoted, yaml_key, yaml_scalar};
use super::document::{Document, out};
use super::meaning::{Op, Step};
use crate::description::{Format, Node, NodeValue};
use crate::model::Value;

/// Makes a change in the style of what stands there.
pub(super) fn styled(doc: &Document<'_>, op: &Op) -> Option<String> {
    match op {
        Op::Set(at, value) => set(doc, at, value),
        Op::Add(at, key, value) => add(doc, at, key.as_deref(), value),
        Op::Remove(at) => remove(doc, at),
        Op::Spread(at, key, value) => {
            let range = range_of(doc.at(at)?);
            let new = format!("{{<<: {}, {}: {}}}", doc.slice(range.clone()), yaml_key(key), flow(&out(value)));
            doc.with(range, &new)
        }
    }
}

/// Makes a change where the style of what stands there cannot hold it: text in double quotes, with every sign escaped that could be
/// read as part of a marker.
pub(super) fn quoted(doc: &Document<'_>, op: &Op) -> Option<String> {
    match op {
        Op::Set(at, Value::String(text)) => {
            let node = doc.at(at)?;
            let quotes = escaped(doc.format, text);
            match doc.format {
                Format::Yaml if is_block(doc, node) || is_unwritten(node) => None,
                Format::Yaml => match header(doc, node) {
                    Some(found) => {
                        let without = doc.with(found.lines, "")?;
                        let (before, behind) = (without.get(..found.sign.start)?, without.get(found.sign.end..)?);
                        Some(format!("{before}{quotes}{behind}"))
                    }
                    None => doc.with(range_of(node), &quotes),
                },
                Format::Json => doc.with(range_of(node), &quotes),
            }
        }
        Op::Remove(at) => remove_forward(doc, at),
        _ => None,
    }
}

fn range_of(node: &Node) -> Range<usize> {
    node.locus.start..node.locus.end
}

/// Says whether there is a value of which nothing is written: `key:`.
fn is_unwritten(node: &Node) -> bool {
    node.is_null() && node.locus.start == node.locus.end
}

fn is_collection(node: &Node) -> bool {
    matches!(node.value, NodeValue::Array(_) | NodeValue::Object(_))
}

fn is_alias(doc: &Document<'_>, node: &Node) -> bool {
    doc.format == Format::Yaml && doc.slice(range_of(node)).starts_with('*')
}

/// Says whether a list or object stands in brackets.
pub(super) fn is_flow(doc: &Document<'_>, node: &Node) -> bool {
    is_collection(node) && doc.slice(range_of(node)).starts_with(['[', '{'])
}

/// Says whether a list or object stands in block notation.
pub(super) fn is_block(doc: &Document<'_>, node: &Node) -> bool {
    is_collection(node) && !is_flow(doc, node) && !is_alias(doc, node)
}

/// Writes a text in double quotes, with every `#` and `@` escaped.
fn escaped(format: Format, text: &str) -> String {
    match format {
        Format::Yaml => {
            double_quoted(text).replace("\\x23", "#").replace("\\x40", "@").replace('#', "\\x23").replace('@', "\\x40")
        }
        Format::Json => {
            let mut written = String::new();
            json_text(&mut written, text);
            written.replace("\\u0023", "#").replace("\\u0040", "@").replace('#', "\\u0023").replace('@', "\\u0040")
        }
    }
}

fn set(doc: &Document<'_>, at: &[Step], value: &Value) -> Option<String> {
    let node = doc.at(at)?;
    if at.is_empty() && is_block(doc, node) {
        return doc.with(range_of(node), &flow(&out(value)));
    }
    if doc.format == Format::Json {
        let written = Json::around(doc, at).value(&out(value), &line_indent(doc, node.locus.start));
        return doc.with(range_of(node), &written);
    }
    if is_block(doc, node) || is_unwritten(node) {
        return None;
    }
    let in_brackets = is_in_brackets(doc, at);
    if let Some(found) = header(doc, node) {
        let Value::String(text) = value else { return None };
        return block_text(doc, &found, text);
    }
    match value {
        Value::String(text) if text.contains('\n') && !in_brackets && !doc.slice(range_of(node)).starts_with('"') => {
            begun_block(doc, at, node, text)
        }
        Value::Array(items) if !in_brackets && !items.is_empty() && !is_flow(doc, node) => None,
        Value::Object(map) if !in_brackets && !map.is_empty() && !is_flow(doc, node) => None,
        Value::String(text) => {
            let old = doc.slice(range_of(node));
            let plain_enough = !text.contains(|c: char| c.is_control()) && !super::super::text::looks_filled(text);
            let new = match old.chars().next() {
                Some('\'') if plain_enough => format!("'{}'", text.replace('\'', "''")),
                Some('"') => double_quoted(text),
                _ if in_brackets => flow_text(text),
                _ => yaml_scalar(text),
            };
            doc.with(range_of(node), &new)
        }
        value => doc.with(range_of(node), &flow(&out(value))),
    }
}

fn is_in_brackets(doc: &Document<'_>, at: &[Step]) -> bool {
    let chain = doc.chain(at);
    let holders = chain.iter().take(at.len().saturating_sub(1)).map(|child| child.value);
    !at.is_empty() && std::iter::once(&doc.node).chain(holders).any(|node| is_flow(doc, node))
}

/// Where a block of text begins: its `|`, and its lines.
struct Header {
    sign: Range<usize>,
    /// From the end of the header's line to the end of the text.
    lines: Range<usize>,
    indent: usize,
    has_digit: bool,
}

/// Finds the `|` or `>` of a block of text.
fn header(doc: &Document<'_>, node: &Node) -> Option<Header> {
    let NodeValue::Text(_) = &node.value else { return None };
    let before = doc.text.get(..node.locus.start)?;
    let line_start = before.rfind('\n')? + 1;
    let indent = before.get(line_start..)?;
    if !indent.chars().all(|c| c == ' ') {
        return None;
    }
    let head_end = before.trim_end().len();
    let first = doc.text.get(node.locus.start..)?;
    let further = first.len() - first.trim_start_matches(' ').len();
    let head_start = before.get(..head_end)?.rfind('\n').map_or(0, |at| at + 1);
    let head = before.get(head_start..head_end)?;
    for (at, _) in head.match_indices(['|', '>']) {
        let (left, right) = (head.get(..at)?, head.get(at..)?);
        if left.contains(" #") || !(left.is_empty() || left.ends_with([' ', '\t'])) {
            continue;
        }
        let rest = right.get(1..)?;
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')).len();
        let behind = rest.get(length..)?.trim_start();
        let is_comment = behind.starts_with('#') && rest.get(length..)?.starts_with([' ', '\t']);
        if !behind.is_empty() && !is_comment {
            continue;
        }
        let sign = head_start + at..head_start + at + 1 + length;
        return Some(Header {
            sign,
            lines: head_end..node.locus.end,
            indent: indent.len() + further,
            has_digit: rest.get(..length)?.contains(|c: char| c.is_ascii_digit()),
        });
    }
    None
}

/// Writes another text into a block.
fn block_text(doc: &Document<'_>, found: &Header, text: &str) -> Option<String> {
    if found.has_digit {
        return None;
    }
    let is_line = !text.contains('\n');
    let written = block(&if is_line { format!("{text}\n") } else { text.to_owned() }, found.indent)?;
    let (sign, body) = written.split_once('\n')?;
    if sign.contains('2') {
        return None;
    }
    let was_folded = doc.slice(found.sign.clone()).starts_with('>');
    let sign = match (is_line, was_folded) {
        (true, true) => ">-",
        (true, false) => "|-",
        (false, _) => sign,
    };
    let body = body.strip_suffix('\n').unwrap_or(body);
    let mut body = format!("\n{body}").replace('\n', doc.newline());
    if found.lines.end == doc.text.len() && !sign.ends_with('-') {
        body.push_str(doc.newline());
    }
    let with_body = doc.with(found.lines.clone(), &body)?;
    Some(format!("{}{sign}{}", with_body.get(..found.sign.start)?, with_body.get(found.sign.end..)?))
}

/// Writes lines where a text on one line stood: the comment behind it stays there.
fn begun_block(doc: &Document<'_>, at: &[Step], node: &Node, text: &str) -> Option<String> {
    let child = doc.chain(at).pop()?;
    let line = doc.text.get(..child.range().start)?.rfind('\n').map_or(0, |n| n + 1);
    let column = doc.slice(line..child.range().start).trim_start_matches('\u{feff}').chars().count();
    let indent = if child.key.is_some() { column + 2 } else { column };
    let written = block(text, indent).filter(|written| !written.starts_with("|2"))?;
    let (sign, body) = written.split_once('\n')?;
    let range = range_of(node);
    let rest = doc.text.get(range.end..)?;
    let line_end = rest.find('\n').map_or(rest, |end| rest.get(..end).unwrap_or_default()).trim_end_matches('\r').len();
    let body = format!("\n{}", body.strip_suffix('\n').unwrap_or(body)).replace('\n', doc.newline());
    let with_body = doc.with(range.end + line_end..range.end + line_end, &body)?;
    let end = if range.end + line_end == doc.text.len() { doc.newline() } else { "" };
    Some(format!("{}{sign}{}{end}", with_body.get(..range.start)?, with_body.get(range.end..)?))
}

/// Writes a value on one line of YAML, as it can stand in brackets.
pub(super) fn flow(value: &Out) -> String {
    match value {
        Out::Null => "null".to_owned(),
        Out::Bool(value) => value.to_string(),
        Out::Number(number) => number.to_string(),
        Out::Text(text) => flow_text(text),
        Out::Expression(expression) => expression.clone(),
        Out::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Out::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", flow_key(key), flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn flow_text(text: &str) -> String {
    let written = yaml_scalar(text);
    let is_quoted = written.starts_with(['"', '\'']);
    if !is_quoted && written.contains([',', '[', ']', '{', '}', ':', '?']) { double_quoted(text) } else { written }
}

fn flow_key(key: &str) -> String {
    let written = yaml_key(key);
    if written.starts_with(['"', '\'']) || !written.contains([',', '[', ']', '{', '}', ':', '?']) {
        written
    } else {
        double_quoted(key)
    }
}

/// Adds to a list or object in brackets, or to one of JSON.
fn add(doc: &Document<'_>, at: &[Step], key: Option<&str>, value: &Value) -> Option<String> {
    let node = doc.at(at)?;
    if !is_flow(doc, node) {
        return None;
    }
    let style = Json::around(doc, at);
    let range = range_of(node);
    let children = Document::children(node);
    let outer = line_indent(doc, range.start);
    let entry = |indent: &str, colon: &str| {
        let value = out(value);
        match (doc.format, key) {
            (Format::Json, None) => style.value(&value, indent),
            (Format::Json, Some(key)) => {
                let mut written = String::new();
                json_text(&mut written, key);
                format!("{written}{colon}{}", style.value(&value, indent))
            }
            (Format::Yaml, None) => flow(&value),
            (Format::Yaml, Some(key)) => format!("{}{colon}{}", flow_key(key), flow(&value)),
        }
    };
    let Some(last) = children.last() else {
        let (open, close) = (doc.text.get(range.start..range.start + 1)?, doc.text.get(range.end - 1..range.end)?);
        let new = if doc.format == Format::Json && style.is_tall {
            let inner = format!("{outer}{}", style.unit);
            let line = doc.newline();
            format!("{open}{line}{inner}{}{line}{outer}{close}", entry(&inner, &style.colon))
        } else {
            format!("{open}{}{close}", entry(&outer, &style.colon))
        };
        return doc.with(range, &new);
    };
    let colon = last.key.map_or(style.colon.clone(), |key| {
        let between = doc.slice(key.end..last.value.locus.start);
        if between.trim() == ":" && !between.contains('\n') { between.to_owned() } else { style.colon.clone() }
    });
    let last_range = last.range();
    let before = children.len().checked_sub(2).and_then(|n| children.get(n)).map(|child| child.range().end);
    let gap = doc.slice(before.unwrap_or(range.start + 1)..last_range.start);
    let gap = gap.rsplit(',').next().unwrap_or_default();
    let (separator, indent) = match gap.rfind('\n') {
        Some(line) => {
            let indent: String = gap.get(line + 1..)?.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
            (format!("{}{indent}", doc.newline()), indent)
        }
        None if before.is_some() && gap.trim().is_empty() => (gap.to_owned(), outer),
        None => (if style.is_packed { String::new() } else { " ".to_owned() }, outer),
    };
    let is_tall = separator.contains('\n');
    let rest = doc.text.get(last_range.end..range.end - 1)?;
    let entry = entry(&indent, &colon);
    let comma = rest.len() - rest.trim_start().len();
    let has_comma = rest.trim_start().starts_with(',');
    // A comment behind the last one stays with it.
    let from = if has_comma { comma + 1 } else { 0 };
    let tail = rest.get(from..)?;
    let line = tail.find('\n').map_or(tail, |end| tail.get(..end).unwrap_or_default());
    let comment = if line.trim_start().starts_with('#') { line.trim_end_matches('\r').len() } else { 0 };
    let insert = last_range.end + from + comment;
    let end_comma = if has_comma && is_tall { "," } else { "" };
    let separator = if comment > 0 && !is_tall { format!("{}{indent}", doc.newline()) } else { separator };
    let with_entry = doc.with(insert..insert, &format!("{separator}{entry}{end_comma}"))?;
    if has_comma {
        return Some(with_entry);
    }
    let (left, right) = with_entry.split_at_checked(last_range.end)?;
    Some(format!("{left},{right}"))
}

/// Takes a member or item out of brackets, with the comma before it.
fn remove(doc: &Document<'_>, at: &[Step]) -> Option<String> {
    let (holder, index, count) = place_of(doc, at)?;
    let children = Document::children(holder);
    let range = children.get(index)?.range();
    if count == 1 {
        return doc.with(holder.locus.start + 1..holder.locus.end - 1, "");
    }
    if index == 0 {
        return doc.with(range.start..children.get(1)?.range().start, "");
    }
    doc.with(children.get(index - 1)?.range().end..range.end, "")
}

/// Takes a member or item out of brackets, with the comma behind it.
fn remove_forward(doc: &Document<'_>, at: &[Step]) -> Option<String> {
    let (holder, index, _) = place_of(doc, at)?;
    let children = Document::children(holder);
    let range = children.get(index)?.range();
    let behind = doc.text.get(range.end..holder.locus.end)?;
    let comma = behind.find(',').filter(|at| behind.get(..*at).is_some_and(|text| text.trim().is_empty()))?;
    doc.with(range.start..range.end + comma + 1, "")
}

/// Returns what holds a member or item in brackets, its number, and how many there are.
fn place_of<'d>(doc: &'d Document<'_>, at: &[Step]) -> Option<(&'d Node, usize, usize)> {
    let (last, holder_at) = at.split_last()?;
    let holder = doc.at(holder_at).filter(|node| is_flow(doc, node))?;
    match (&holder.value, last) {
        (NodeValue::Array(items), Step::Index(index)) => Some((holder, *index, items.len())),
        (NodeValue::Object(map), Step::Key(key)) => {
            Some((holder, map.iter().position(|m| m.key.as_written() == *key)?, map.members.len()))
        }
        _ => None,
    }
}

/// Returns the white space at the start of a line.
fn line_indent(doc: &Document<'_>, at: usize) -> String {
    let before = doc.text.get(..at).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |n| n + 1);
    let text = doc.text.get(line..).unwrap_or_default().trim_start_matches('\u{feff}');
    text.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

/// How JSON is written around a place.
struct Json {
    unit: String,
    newline: &'static str,
    colon: String,
    /// Objects and lists have a line for each member.
    is_tall: bool,
    /// Nothing stands behind commas.
    is_packed: bool,
}

impl Json {
    fn around(doc: &Document<'_>, at: &[Step]) -> Json {
        let nodes = std::iter::once(&doc.node).chain(doc.chain(at).into_iter().map(|child| child.value));
        let mut json = Json {
            unit: "  ".to_owned(),
            newline: doc.newline(),
            colon: ": ".to_owned(),
            is_tall: false,
            is_packed: false,
        };
        for node in nodes {
            let children = Document::children(node);
            let Some(first) = children.first() else { continue };
            let start = first.range().start;
            json.is_tall = doc.slice(node.locus.start..start).contains('\n');
            if json.is_tall {
                let (outer, inner) = (line_indent(doc, node.locus.start), line_indent(doc, start));
                if let Some(unit) = inner.strip_prefix(&outer).filter(|unit| !unit.is_empty()) {
                    json.unit = unit.to_owned();
                }
            }
            if let Some(key) = first.key {
                let between = doc.slice(key.end..first.value.locus.start);
                if between.trim() == ":" && !between.contains('\n') {
                    json.colon = between.to_owned();
                    json.is_packed = between == ":" && !json.is_tall;
                }
            }
        }
        json
    }

    fn value(&self, value: &Out, indent: &str) -> String {
        let mut written = String::new();
        self.write(&mut written, value, indent);
        written
    }

    fn write(&self, to: &mut String, value: &Out, indent: &str) {
        match value {
            Out::Null => to.push_str("null"),
            Out::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
            Out::Number(number) => to.push_str(&number.to_string()),
            Out::Text(text) => json_text(to, text),
            Out::Expression(expression) => json_text(to, expression),
            Out::List(items) => {
                self.bracketed(to, ('[', ']'), items.len(), indent, |to, n, inner| {
                    if let Some(item) = items.get(n) {
                        self.write(to, item, inner);
                    }
                });
            }
            Out::Object(members) => {
                self.bracketed(to, ('{', '}'), members.len(), indent, |to, n, inner| {
                    if let Some((key, value)) = members.get(n) {
                        json_text(to, key);
                        to.push_str(&self.colon);
                        self.write(to, value, inner);
                    }
                });
            }
        }
    }

    fn bracketed(
        &self,
        to: &mut String,
        (open, close): (char, char),
        count: usize,
        indent: &str,
        write: impl Fn(&mut String, usize, &str),
    ) {
        to.push(open);
        let inner = format!("{indent}{}", self.unit);
        for n in 0..count {
            match (n, self.is_tall) {
                (0, false) => {}
                (_, false) => to.push_str(if self.is_packed { "," } else { ", " }),
                (n, true) => {
                    if n > 0 {
                        to.push(',');
                    }
                    to.push_str(self.newline);
                    to.push_str(&inner);
                }
            }
            write(to, n, &inner);
        }
        if count > 0 && self.is_tall {
            to.push_str(self.newline);
            to.push_str(indent);
        }
        to.push(close);
    }
}
