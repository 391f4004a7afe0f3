//! From byte offsets to lines and columns.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use crate::model::Locus;

/// Turns byte offsets of one text into places.
#[derive(Debug)]
pub(crate) enum Places<'a> {
    /// Offsets into a file.
    File {
        /// Name of the file.
        file: Arc<str>,
        /// Its text as it is on disk.
        text: &'a str,
        /// Byte offsets of line starts.
        lines: Vec<usize>,
        /// The last answer (offset, line index, column): questions come in order, and a line may be very long.
        last: Cell<(usize, usize, u32)>,
    },
    /// Every offset stands for one place: the text was made from what stands there.
    Fixed(Locus),
}

impl<'a> Places<'a> {
    /// Places in a file.
    pub(crate) fn new(file: &str, text: &'a str) -> Self {
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut lines = vec![first];
        let bytes = text.as_bytes();
        for (n, byte) in bytes.iter().enumerate() {
            // A lone carriage return ends a line in YAML.
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(n + 1) != Some(&b'\n')) {
                lines.push(n + 1);
            }
        }
        Places::File { file: Arc::from(file), text, lines, last: Cell::new((first, 0, 1)) }
    }

    /// Returns the place of a range of bytes.
    pub(crate) fn locus(&self, range: Range<usize>) -> Locus {
        match self {
            Places::Fixed(locus) => locus.clone(),
            Places::File { file, text, lines, last } => {
                let start = range.start.min(text.len());
                let line = lines.partition_point(|first| *first <= start).saturating_sub(1);
                let (known, known_line, known_column) = last.get();
                let (from, column) = if known_line == line && known <= start {
                    (known, known_column)
                } else {
                    (lines.get(line).copied().unwrap_or(0), 1)
                };
                let characters = text.get(from..start).map_or(0, |between| between.chars().count());
                let column = column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
                last.set((start, line, column));
                Locus {
                    file: Arc::clone(file),
                    line: u32::try_from(line + 1).unwrap_or(u32::MAX),
                    column,
                    start,
                    end: range.end.clamp(start, text.len()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn counts_characters_not_bytes() {
        let places = Places::new("t.yaml", "\u{feff}é: 1\r\nüü: 2\rx");
        let at = |start| {
            let locus = places.locus(start..start + 1);
            (locus.line, locus.column)
        };
        assert_eq!(at(3), (1, 1));
        assert_eq!(at(7), (1, 4));
        assert_eq!(at(10), (2, 1));
        assert_eq!(at(16), (2, 5));
        assert_eq!(at(12), (2, 2));
        assert_eq!(at(18), (3, 1));
        assert_eq!(at(900), (3, 2));
    }
}
