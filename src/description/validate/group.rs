//! One message for what many resources have in common.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::problem::{Problem, Severity};

/// Most places named in one message.
const MOST_PLACES: usize = 3;

/// Joins warnings and notes that say the same: the first places are named, the others counted. Errors stay as they are.
pub(super) fn grouped(problems: Vec<Problem>) -> Vec<Problem> {
    let mut kept = Vec::new();
    let mut groups: BTreeMap<(&'static str, Severity, String), (Problem, usize)> = BTreeMap::new();
    for problem in problems {
        if problem.is_error() {
            kept.push(problem);
            continue;
        }
        match groups.entry((problem.id, problem.severity, problem.title.clone())) {
            Entry::Vacant(entry) => {
                entry.insert((problem, 0));
            }
            Entry::Occupied(mut entry) => {
                let (group, more) = entry.get_mut();
                if group.labels.len() < MOST_PLACES {
                    group.labels.extend(problem.labels);
                } else {
                    *more += 1;
                }
            }
        }
    }
    kept.extend(groups.into_values().map(|(problem, more)| match more {
        0 => problem,
        1 => problem.note("and in one more place"),
        more => problem.note(format!("and in {more} more places")),
    }));
    kept
}
