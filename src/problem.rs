//! [`Problem`]: what went wrong, where, and what to do. Collected everywhere, printed by `render` alone.

use std::fmt;

use crate::model::Locus;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run stops after the phase that found it.
    Error,
    /// The run goes on; people should look.
    Warning,
    /// A fact worth knowing.
    Note,
}

/// A place in a file with what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub locus: Locus,
    /// What is there; may be empty.
    pub text: String,
}

/// Something wrong, as data. `id` is stable and documented; titles are lower case without full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable id: `unknown-field`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What happened.
    pub title: String,
    /// Where; the first is the primary place.
    pub labels: Vec<Label>,
    /// Facts that help to understand.
    pub notes: Vec<String>,
    /// Next steps, imperative and runnable.
    pub help: Vec<String>,
}

impl Problem {
    /// An error.
    pub fn error(id: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Error, id, title.into())
    }

    /// A warning.
    pub fn warning(id: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Warning, id, title.into())
    }

    /// A note.
    pub fn remark(id: &'static str, title: impl Into<String>) -> Self {
        Self::new(Severity::Note, id, title.into())
    }

    fn new(severity: Severity, id: &'static str, title: String) -> Self {
        Problem { id, severity, title, labels: Vec::new(), notes: Vec::new(), help: Vec::new() }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(self, locus: &Locus) -> Self {
        self.label(locus, "")
    }

    /// Adds a place, where one is known.
    #[must_use]
    pub fn at_maybe(self, locus: Option<&Locus>) -> Self {
        match locus {
            Some(locus) => self.at(locus),
            None => self,
        }
    }

    /// Adds a place and what is there.
    #[must_use]
    pub fn label(mut self, locus: &Locus, text: impl Into<String>) -> Self {
        self.labels.push(Label { locus: locus.clone(), text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Says whether this stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]: {}", self.id, self.title)
    }
}

impl std::error::Error for Problem {}

/// Sorts problems by place, then id, and drops repetitions: the order they are shown in.
pub fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| {
        let key = |p: &Problem| (p.labels.first().map(|l| l.locus.clone()), p.severity, p.id);
        key(a).cmp(&key(b)).then_with(|| a.title.cmp(&b.title))
    });
    problems.dedup();
    problems
}

/// Names the known word closest to what was written, when it is close enough to be a slip.
pub fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (distance(&lower, &word.to_lowercase()), word))
        .filter(|(d, word)| *d <= 1.max(word.chars().count().max(lower.chars().count()) / 3))
        .min_by_key(|(d, word)| (*d, *word))
        .map(|(_, word)| word)
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(ca != cb)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_near_words() {
        assert_eq!(closest("callback", ["callbacks", "client_id"]), Some("callbacks"));
        assert_eq!(closest("cleints", ["clients", "connections"]), Some("clients"));
        assert_eq!(closest("zebra", ["clients", "connections"]), None);
    }
}
