//! [`Style`]: what a piece of text means, and the one table of colours.

use anstyle::{AnsiColor, Effects};

/// What a piece of text means. Renderers say this; colours follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text without a meaning of its own.
    Plain,
    /// Less important text: places, separators, context.
    Muted,
    /// The line that opens a section.
    Heading,
    /// A resource's address.
    Address,
    /// Something comes into being.
    Created,
    /// Something changes.
    Updated,
    /// Something is made anew.
    Replaced,
    /// Something goes.
    Deleted,
    /// A value that will be.
    Added,
    /// The part of a line that is new.
    AddedWord,
    /// A value that will no longer be.
    Removed,
    /// The part of a line that goes.
    RemovedWord,
    /// A change that may be felt.
    Caution,
    /// A change that breaks what people rely on.
    Destructive,
    /// A change that cannot be taken back.
    Irreversible,
    /// Something went wrong or is refused.
    Bad,
    /// Something is worth a look.
    Warning,
    /// Something went well.
    Good,
    /// A next step.
    Help,
}

impl Style {
    /// Returns the colours of a meaning. The only place that chooses any.
    pub fn ansi(self) -> anstyle::Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Style::Plain => anstyle::Style::new(),
            Style::Muted => anstyle::Style::new().effects(Effects::DIMMED),
            Style::Heading | Style::Address => anstyle::Style::new().effects(Effects::BOLD),
            Style::Created | Style::Added | Style::Good => colour(AnsiColor::Green),
            Style::Updated | Style::Caution | Style::Warning => colour(AnsiColor::Yellow),
            Style::Replaced | Style::Destructive => colour(AnsiColor::Magenta),
            Style::Deleted | Style::Removed => colour(AnsiColor::Red),
            Style::AddedWord => colour(AnsiColor::Green).effects(Effects::BOLD.insert(Effects::UNDERLINE)),
            Style::RemovedWord => colour(AnsiColor::Red).effects(Effects::BOLD.insert(Effects::UNDERLINE)),
            Style::Irreversible | Style::Bad => colour(AnsiColor::Red).effects(Effects::BOLD),
            Style::Help => colour(AnsiColor::Cyan),
        }
    }
}
