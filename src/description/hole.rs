//! Holes: stand-ins for markers and expressions while a file is parsed.
//!
//! Each marker and expression is swapped for one private-use character (none that the file itself uses), padded to the same number
//! of bytes. To YAML and JSON it is a word like any other, so the structure of a file never depends on a value, and every byte
//! offset is true to the original.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::node::{Expression, Format, Part, Position, Style, Text, Written};
use super::place::Places;

/// Padding behind the private-use character.
const PAD: char = 'x';

/// What the stand-ins stand for.
#[derive(Debug, Default)]
pub(crate) struct Holes(HashMap<char, (Part, usize)>);

/// Hands out private-use characters that a text does not use.
pub(crate) struct Stock {
    used: HashSet<char>,
    next: u32,
}

/// A text to parse: with holes, and with the places of its bytes.
pub(crate) struct Source<'a> {
    /// The text, holes in it.
    pub(crate) text: &'a str,
    /// Its holes.
    pub(crate) holes: &'a Holes,
    /// Where its bytes stand.
    pub(crate) places: &'a Places<'a>,
}

fn is_private(c: char) -> bool {
    c >= '\u{f0000}'
}

impl Stock {
    /// A stock for the texts given.
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let used = texts.into_iter().flat_map(str::chars).filter(|c| is_private(*c)).collect();
        Stock { used, next: 0xf0000 }
    }

    fn take(&mut self) -> Option<char> {
        while self.next <= 0x10_fffd {
            let candidate = char::from_u32(self.next);
            // The last two code points of a plane are no characters.
            self.next += if self.next & 0xffff == 0xfffd { 3 } else { 1 };
            if let Some(c) = candidate.filter(|c| !self.used.contains(c)) {
                return Some(c);
            }
        }
        None
    }
}

impl Holes {
    /// Swaps parts of a text for stand-ins. Ranges are sorted and apart. `None` if there are more than stand-ins.
    pub(crate) fn swap(text: &str, parts: Vec<(Range<usize>, Part)>) -> Option<(String, Holes)> {
        let mut stock = Stock::new([text]);
        let (mut out, mut holes, mut done) = (String::with_capacity(text.len()), Holes::default(), 0);
        for (range, part) in parts {
            out.push_str(text.get(done..range.start)?);
            let length = range.end.checked_sub(range.start)?;
            holes.push(&mut out, &mut stock, part, length)?;
            done = range.end;
        }
        out.push_str(text.get(done..)?);
        Some((out, holes))
    }

    /// Adds a stand-in of so many bytes (at least four) to a text.
    pub(crate) fn push(&mut self, out: &mut String, stock: &mut Stock, part: Part, length: usize) -> Option<()> {
        let token = stock.take()?;
        let padding = length.saturating_sub(token.len_utf8());
        out.push(token);
        out.extend(std::iter::repeat_n(PAD, padding));
        self.0.insert(token, (part, padding));
        Some(())
    }

    /// Says whether a text has holes.
    pub(crate) fn any_in(&self, text: &str) -> bool {
        !self.0.is_empty() && text.chars().any(|c| is_private(c) && self.0.contains_key(&c))
    }

    /// Splits a text at its holes.
    pub(crate) fn split(&self, text: &str) -> Vec<Part> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match self.0.get(&c).filter(|_| is_private(c)) {
                Some((part, padding)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Plain(std::mem::take(&mut plain)));
                    }
                    parts.push(part.clone());
                    for _ in 0..*padding {
                        chars.next();
                    }
                }
                None => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        parts
    }

    /// Puts back what was written, for messages.
    pub(crate) fn restore(&self, text: &str) -> String {
        if self.any_in(text) { Text { parts: self.split(text), written: None }.as_written() } else { text.to_owned() }
    }
}

impl Source<'_> {
    /// Makes the text of a scalar; `raw` is the scalar as written, and is kept only where something has to be filled in.
    pub(crate) fn text(
        &self,
        content: &str,
        raw: &str,
        (format, style, position): (Format, Style, Position),
        tag: Option<&str>,
    ) -> Text {
        if !self.holes.any_in(content) {
            return Text::plain(content);
        }
        let raw = if style == Style::Block { Vec::new() } else { self.holes.split(raw) };
        let mut parts = self.holes.split(content);
        for part in &mut parts {
            if let Part::Expression(expression) = part {
                unescape(expression, style);
            }
        }
        let written = Written { format, style, position, tag: tag.map(str::to_owned), raw };
        Text { parts, written: Some(Arc::new(written)) }
    }
}

/// Resolves the escapes an expression carries because of the quotes around its scalar.
fn unescape(expression: &mut Expression, style: Style) {
    match style {
        Style::Single => expression.source = expression.source.replace("''", "'"),
        Style::Double if expression.source.contains('\\') => {
            if let Ok(source) = serde_json::from_str(&format!("\"{}\"", expression.source)) {
                expression.source = source;
            }
        }
        _ => {}
    }
}
