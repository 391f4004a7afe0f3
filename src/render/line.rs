//! [`Line`]: one line of a screen, put together from pieces that mean something.

use super::style::Style;
use super::text::{clean, width};

/// One line. Every piece is cleaned on its way in; the width counts columns, not colours.
#[derive(Debug, Clone)]
pub(super) struct Line {
    text: String,
    width: usize,
    colour: bool,
}

impl Line {
    /// An empty line.
    pub(super) fn new(colour: bool) -> Self {
        Line { text: String::new(), width: 0, colour }
    }

    /// Adds a piece.
    #[must_use]
    pub(super) fn add(mut self, style: Style, text: &str) -> Self {
        let text = clean(text);
        self.width += width(&text);
        let ansi = style.ansi();
        if self.colour && !ansi.is_plain() && !text.is_empty() {
            self.text.push_str(&format!("{ansi}{text}{ansi:#}"));
        } else {
            self.text.push_str(&text);
        }
        self
    }

    /// Adds a piece without meaning.
    #[must_use]
    pub(super) fn plain(self, text: &str) -> Self {
        self.add(Style::Plain, text)
    }

    /// Adds the pieces of another line.
    #[must_use]
    pub(super) fn join(mut self, other: &Line) -> Self {
        self.text.push_str(&other.text);
        self.width += other.width;
        self
    }

    /// Fills up to a column; two spaces at least where something stands already.
    #[must_use]
    pub(super) fn to(mut self, column: usize) -> Self {
        let gap = column.saturating_sub(self.width).max(if self.width == 0 { 0 } else { 2 });
        self.text.push_str(&" ".repeat(gap));
        self.width += gap;
        self
    }

    /// Columns taken.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The text, without spaces at the end.
    pub(super) fn finish(self) -> String {
        self.text.trim_end().to_owned()
    }
}

/// Lines of an output.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

impl Lines {
    /// Adds a line.
    pub(super) fn push(&mut self, line: Line) {
        self.0.push_str(&line.finish());
        self.0.push('\n');
    }

    /// Adds an empty line, unless one is there or nothing is.
    pub(super) fn gap(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
