//! JSON with the place of every value and key.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Number;

use super::MAX_DEPTH;
use super::hole::Source;
use super::node::{Format, Member, Node, NodeMap, NodeValue, Position, Style, Text};
use super::scalar;
use super::yaml::{duplicate_key, too_deep};
use crate::problem::Problem;

/// Builds the tree of one document: RFC 8259, and bare words where a marker stands outside quotes.
pub(crate) fn parse(source: &Source<'_>) -> Result<Node, Problem> {
    let mut reader = Reader { source, at: 0, depth: 0 };
    reader.space()?;
    let node = reader.value(Position::Root)?;
    reader.space()?;
    if reader.at < source.text.len() {
        return Err(reader.error("the document ended before this").help("a JSON file holds one value"));
    }
    Ok(node)
}

/// A number as JavaScript prints it.
pub(crate) fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            let magnitude = float.abs();
            if (1e-6..1e21).contains(&magnitude) {
                format!("{float}")
            } else {
                let text = format!("{float:e}");
                if text.contains("e-") { text } else { text.replace('e', "e+") }
            }
        }
        _ => number.to_string(),
    }
}

struct Reader<'s> {
    source: &'s Source<'s>,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.source.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn error_at(&self, range: Range<usize>, what: impl Into<String>) -> Problem {
        Problem::error("json-syntax", format!("this is not JSON: {}", what.into())).at(&self.source.places.locus(range))
    }

    fn error(&self, what: impl Into<String>) -> Problem {
        let width = self.peek().map_or(0, char::len_utf8);
        self.error_at(self.at..self.at + width, what)
    }

    fn space(&mut self) -> Result<(), Problem> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
            self.at += 1;
        }
        if self.rest().starts_with("//") || self.rest().starts_with("/*") {
            return Err(self.error("it has no comments").help("remove the comment, or write the file as YAML"));
        }
        Ok(())
    }

    fn value(&mut self, position: Position) -> Result<Node, Problem> {
        match self.peek() {
            Some('[') => self.nested(Self::array),
            Some('{') => self.nested(Self::object),
            Some('"') => {
                let (text, range) = self.string(position)?;
                Ok(Node { locus: self.source.places.locus(range), value: NodeValue::Text(text) })
            }
            Some('\'') => Err(self.error("text stands in double quotes")),
            None => Err(self.error("a value is missing at the end")),
            Some(',' | ']' | '}' | ':') => Err(self.error("a value is missing before this")),
            Some(_) => self.word(position),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<NodeValue, Problem>) -> Result<Node, Problem> {
        let start = self.at;
        // Taken now: places are found fastest in order.
        let mut locus = self.source.places.locus(start..start);
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(&locus));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        locus.end = locus.start + (self.at - start);
        Ok(Node { locus, value })
    }

    fn array(&mut self) -> Result<NodeValue, Problem> {
        let mut items = Vec::new();
        self.space()?;
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(NodeValue::Array(items));
        }
        loop {
            self.space()?;
            items.push(self.value(Position::FlowItem)?);
            if self.ends(']')? {
                return Ok(NodeValue::Array(items));
            }
        }
    }

    fn object(&mut self) -> Result<NodeValue, Problem> {
        let mut members: Vec<Member> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        self.space()?;
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(NodeValue::Object(NodeMap { members }));
        }
        loop {
            self.space()?;
            let (key, key_range) = self.key()?;
            let key_locus = self.source.places.locus(key_range);
            let name = key.as_written();
            if let Some(first) = seen.get(&name).and_then(|n| members.get(*n)) {
                return Err(duplicate_key(&name, &key_locus, &first.key_locus));
            }
            self.space()?;
            if self.peek() != Some(':') {
                return Err(self.error("`:` is missing behind the key"));
            }
            self.at += 1;
            self.space()?;
            let value = self.value(Position::FlowValue)?;
            seen.insert(name, members.len());
            members.push(Member { key, key_locus, value });
            if self.ends('}')? {
                return Ok(NodeValue::Object(NodeMap { members }));
            }
        }
    }

    /// Reads what stands behind an item: a comma, or the end.
    fn ends(&mut self, closing: char) -> Result<bool, Problem> {
        self.space()?;
        match self.peek() {
            Some(c) if c == closing => {
                self.at += 1;
                Ok(true)
            }
            Some(',') => {
                let comma = self.at;
                self.at += 1;
                self.space()?;
                if self.peek() == Some(closing) {
                    return Err(self
                        .error_at(comma..comma + 1, format!("a comma stands before `{closing}`"))
                        .help("remove the comma"));
                }
                Ok(false)
            }
            _ => Err(self.error(format!("`,` or `{closing}` is missing"))),
        }
    }

    fn key(&mut self) -> Result<(Text, Range<usize>), Problem> {
        match self.peek() {
            Some('"') => self.string(Position::FlowKey),
            Some(c) if !matches!(c, ',' | ':' | '{' | '}' | '[' | ']') => {
                let range = self.word_range();
                let word = self.source.text.get(range.clone()).unwrap_or_default();
                if self.source.holes.any_in(word) {
                    let place = (Format::Json, Style::Plain, Position::FlowKey);
                    return Ok((self.source.text(word, word, place, None), range));
                }
                Err(self.error_at(range, "a key stands in double quotes"))
            }
            _ => Err(self.error("a key is missing")),
        }
    }

    fn word_range(&mut self) -> Range<usize> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | ',' | ':' | '"' | '[' | ']' | '{' | '}'))
        {
            self.bump();
        }
        start..self.at
    }

    fn word(&mut self, position: Position) -> Result<Node, Problem> {
        let range = self.word_range();
        let word = self.source.text.get(range.clone()).unwrap_or_default();
        let value = match word {
            "null" => NodeValue::Null,
            "true" => NodeValue::Bool(true),
            "false" => NodeValue::Bool(false),
            _ if self.source.holes.any_in(word) => {
                NodeValue::Text(self.source.text(word, word, (Format::Json, Style::Plain, position), None))
            }
            _ => match number(word) {
                Some(number) => NodeValue::Number(number),
                None => {
                    let shown: String = word.chars().take(40).collect();
                    return Err(self
                        .error_at(range, format!("`{shown}` is no value"))
                        .help("put text in double quotes"));
                }
            },
        };
        Ok(Node { locus: self.source.places.locus(range), value })
    }

    fn string(&mut self, position: Position) -> Result<(Text, Range<usize>), Problem> {
        let start = self.at;
        self.at += 1;
        let mut content = String::new();
        loop {
            let run = self.rest().find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(self.rest().len());
            content.push_str(self.rest().get(..run).unwrap_or_default());
            self.at += run;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    let raw = self.source.text.get(start..self.at).unwrap_or_default();
                    let text = self.source.text(&content, raw, (Format::Json, Style::Double, position), None);
                    return Ok((text, start..self.at));
                }
                Some('\\') => content.push(self.escape()?),
                Some(_) => {
                    return Err(self
                        .error("a line break or control character stands inside text")
                        .help("write `\\n` for a line break"));
                }
                None => return Err(self.error_at(start..start + 1, "this text has no closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at;
        self.at += 1;
        let c = match self.bump() {
            Some(c @ ('"' | '\\' | '/')) => Some(c),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode(),
            _ => None,
        };
        c.ok_or_else(|| self.error_at(start..self.at, "an escape that JSON does not have"))
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if !self.rest().starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let second = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(value)
    }
}

/// Reads a number in JSON's grammar, which is narrower than YAML's.
fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes().get(1)?.is_ascii_digit();
    let shape = digits.starts_with(|c: char| c.is_ascii_digit())
        && !leading_zero
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && !digits.ends_with('.')
        && !digits.contains(".e")
        && !digits.contains(".E");
    if shape { scalar::number(word) } else { None }
}
