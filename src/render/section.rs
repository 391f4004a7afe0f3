//! What a plan does not do, as lists that every format shows its own way.

use super::human::{kept, leaves, unavailable};
use crate::change::{Kept, Plan};
use crate::model::{Address, Path};

/// A list with a title.
pub(super) struct Section {
    /// What it lists.
    pub(super) title: &'static str,
    /// Its entries.
    pub(super) entries: Vec<Entry>,
}

/// One entry: a name, and what is said of it; what stands between back ticks is code.
pub(super) struct Entry {
    /// An address, a kind, an id.
    pub(super) name: String,
    /// May be empty.
    pub(super) words: String,
}

/// Returns the lists that hold anything. A revert describes only what it takes back.
pub(super) fn sections(plan: &Plan, is_revert: bool) -> Vec<Section> {
    let entry = |name: String, words: String| Entry { name, words };
    let left = plan.left.iter().filter(|left| left.why != Kept::Drift);
    let left = left.map(|left| entry(left.address.to_string(), kept(&left.why, left.fields.is_empty())));
    let fields = |all: &[(Address, Path)]| -> Vec<Entry> {
        let code = |words: String| if words.is_empty() { words } else { format!("`{words}`") };
        leaves(all).into_iter().map(|[name, words]| entry(name, code(words))).collect()
    };
    let notes = plan.notes.iter().chain(&plan.facts.notes).map(|note| {
        let place = note.labels.first().map(|label| format!(" (`{}:{}`)", label.locus.file, label.locus.line));
        entry(note.id.to_owned(), format!("{}{}", note.title, place.unwrap_or_default()))
    });
    let all = [
        ("Differences left as they are", left.collect()),
        (
            "Could not be read, so neither compared nor written",
            plan.unreadable.iter().map(|(what, why)| entry(what.clone(), unavailable(why))).collect(),
        ),
        (
            "Skipped, because this tenant lacks the feature",
            plan.skipped.iter().map(|(kind, (words, _))| entry(kind.clone(), words.clone())).collect(),
        ),
        (
            "Secrets that cannot be compared",
            plan.secrets.iter().map(|(a, path, from)| entry(format!("{a} {path} ({from})"), String::new())).collect(),
        ),
        ("Already so in the tenant: nothing to write", fields(&plan.already)),
        ("No longer described: left as it is", if is_revert { Vec::new() } else { fields(&plan.released) }),
        ("Notes", notes.collect::<Vec<_>>()),
    ];
    let sections = all.into_iter().map(|(title, entries)| Section { title, entries });
    sections.filter(|section| !section.entries.is_empty()).collect()
}
