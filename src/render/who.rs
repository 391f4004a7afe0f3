//! People in one line: who changed something outside, who wrote a line, which deployment was the last.

use jiff::Timestamp;

use super::moment::{ago, when};
use super::view::Deployed;
use crate::change::{Author, Blame, Certainty};
use crate::deployment::Commit;

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 7;

/// Says who changed something outside, from where and when: `dana@travel0.com, dashboard, 20 Nov 16:42 UTC`.
pub(super) fn blame(blame: &Blame, now: Timestamp) -> String {
    let mut parts: Vec<String> = blame.who.iter().chain(&blame.through).cloned().collect();
    parts.extend(blame.at.map(|at| when(at, now)));
    let mut words = parts.join(", ");
    match blame.certainty {
        Certainty::Exact => {}
        Certainty::ResourceOnly => words.push_str(" (the last to write the resource)"),
        Certainty::Unknown if words.is_empty() => words.push_str("by whom is not known"),
        Certainty::Unknown => words.push_str(" (not certain)"),
    }
    if let Some(note) = &blame.note {
        words.push_str(&format!(": {note}"));
    }
    words
}

/// Says who wrote a line: `ana, 4f2c9ab`.
pub(super) fn author(author: &Author) -> String {
    match &author.commit {
        Some(commit) => format!("{}, {}", author.name, short(commit)),
        None => format!("{}, not committed", author.name),
    }
}

/// The first digits of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..COMMIT_DIGITS).unwrap_or(commit)
}

/// A commit as it is shown: `4f2c9ab`, with a plus where the work tree had more.
pub(super) fn commit(commit: &Commit) -> String {
    format!("{}{}", short(&commit.id), if commit.dirty { "+" } else { "" })
}

/// Names the last deployment: `01JD7QK3 (2 days ago, commit 91be0d1, ana)`.
pub(super) fn deployed(deployed: &Deployed, now: Timestamp) -> String {
    let mut about = vec![ago(deployed.at, now)];
    about.extend(deployed.commit.as_ref().map(|of| format!("commit {}", commit(of))));
    about.push(deployed.actor.clone());
    format!("{} ({})", deployed.id, about.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_certain_is_said() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut of = Blame {
            certainty: Certainty::Exact,
            who: Some("dana@travel0.com".to_owned()),
            through: Some("dashboard".to_owned()),
            at: Some("2026-11-20T16:42:10Z".parse().unwrap()),
            log_id: None,
            note: None,
        };
        assert_eq!(blame(&of, now), "dana@travel0.com, dashboard, 20 Nov 16:42 UTC");
        of.certainty = Certainty::ResourceOnly;
        assert_eq!(blame(&of, now), "dana@travel0.com, dashboard, 20 Nov 16:42 UTC (the last to write the resource)");
        let nobody = Blame {
            certainty: Certainty::Unknown,
            who: None,
            through: None,
            at: None,
            log_id: None,
            note: Some("the log reaches back to 18 Nov".to_owned()),
        };
        assert_eq!(blame(&nobody, now), "by whom is not known: the log reaches back to 18 Nov");
    }

    #[test]
    fn a_line_that_is_not_committed_says_so() {
        let of = |commit: Option<&str>| Author { name: "ana".to_owned(), commit: commit.map(str::to_owned) };
        assert_eq!(author(&of(Some("4f2c9ab"))), "ana, 4f2c9ab");
        assert_eq!(author(&of(None)), "ana, not committed");
        let dirty = Commit { id: "91be0d1e8c1d".to_owned(), dirty: true };
        assert_eq!(commit(&dirty), "91be0d1+");
    }
}
