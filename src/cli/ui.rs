//! Where output goes: the answer to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use crate::model::Sources;
use crate::problem::Problem;
use crate::render::json::v1;
use crate::render::{Options, problems_human};

/// Where output goes and how it looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ui {
    /// One JSON document on stdout instead of text.
    pub(super) json: bool,
    /// How stdout looks.
    pub(super) out: Options,
    /// How stderr looks.
    pub(super) err: Options,
    /// Whether progress may be drawn over itself.
    pub(super) live: bool,
    /// Whether somebody can be asked.
    pub(super) can_ask: bool,
}

impl Ui {
    /// Looks at the process: terminals, `NO_COLOR`, `CI`, `TERM`, `COLUMNS`.
    pub(super) fn detect(json: bool, no_color: bool, detail: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = no_color || set("NO_COLOR") || set("CI") || std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|n| *n >= 40);
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|n| *n >= 40);
        let width = columns.or(terminal).unwrap_or(Options::WIDTH);
        let options = |terminal: bool| Options { width, colour: terminal && !plain, detail };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Ui {
            json,
            out: options(out),
            err: options(err),
            live: err && !set("CI"),
            can_ask: io::stdin().is_terminal() && err,
        }
    }

    /// Writes a part of the answer. A reader that went away is no error: it has seen what it wanted.
    pub(super) fn answer(&self, text: &str) -> io::Result<()> {
        write(&mut io::stdout().lock(), text)
    }

    /// Writes progress or a diagnosis.
    pub(super) fn tell(&self, text: &str) {
        // When even stderr is gone there is nobody left to tell.
        let _ = write(&mut io::stderr().lock(), text);
    }

    /// Shows problems: as text on stderr.
    pub(super) fn problems(&self, problems: &[Problem], sources: &Sources) {
        if !problems.is_empty() {
            self.tell(&problems_human(problems, sources, &self.err));
        }
    }

    /// Shows what stopped a command: as text on stderr, or as the JSON answer.
    pub(super) fn failed(&self, problems: &[Problem], sources: &Sources) -> io::Result<()> {
        if self.json {
            return self.answer(&v1::text(&v1::Problems::from(problems)));
        }
        self.problems(problems, sources);
        Ok(())
    }
}

fn write(to: &mut dyn Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
