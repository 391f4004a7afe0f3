//! A file with a word in place of each marker and expression, so that it is YAML to everybody.

use std::collections::{HashMap, HashSet};

use super::document::Document;

/// First of the characters that stand for markers: for private use.
const FIRST: char = '\u{f0000}';
/// Padding behind the character that stands for a marker.
const PAD: char = 'x';

/// A text with its stand-ins.
pub(super) struct Swapped {
    /// The text, without a byte order mark.
    pub(super) text: String,
    /// Bytes that are left out at its start.
    pub(super) shift: usize,
    written: HashMap<char, (String, usize)>,
}

impl Swapped {
    /// Swaps the markers and expressions of a file, each for a word of the same length.
    pub(super) fn of(doc: &Document<'_>) -> Swapped {
        let used: HashSet<char> = doc.text.chars().filter(|c| *c >= FIRST).collect();
        let mut free = (FIRST..='\u{ffffd}').filter(|c| !used.contains(c));
        let (mut text, mut written, mut done) = (String::with_capacity(doc.text.len()), HashMap::new(), 0);
        for range in &doc.filled {
            let Some(token) = free.next() else { break };
            text.push_str(doc.slice(done..range.start));
            let padding = range.len().saturating_sub(token.len_utf8());
            text.push(token);
            text.extend(std::iter::repeat_n(PAD, padding));
            written.insert(token, (doc.slice(range.clone()).to_owned(), padding));
            done = range.end;
        }
        text.push_str(doc.slice(done..doc.text.len()));
        let shift = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Swapped { text: text.split_off(shift), shift, written }
    }

    /// Puts back what was written.
    pub(super) fn restored(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match self.written.get(&c) {
                Some((written, padding)) => {
                    out.push_str(written);
                    chars.by_ref().take(*padding).for_each(drop);
                }
                None => out.push(c),
            }
        }
        out
    }
}
