//! Differences that somebody made outside, read their way: as the last deployment left it, then as it is now.

use std::collections::BTreeMap;

use crate::change::{Action, Blame, Change, Facts, FieldChange, Kept, Origin, Plan, Refusal};
use crate::model::{Address, Diff, Path};

/// What was done to a resource outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// Fields of it were changed.
    Changed,
    /// It was deleted.
    Deleted,
    /// It was deleted, and another was made under its name.
    Recreated,
    /// It was made, and nobody describes it.
    Made,
}

impl Happened {
    /// Returns the word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Happened::Changed => "changed",
            Happened::Deleted => "deleted",
            Happened::Recreated => "recreated",
            Happened::Made => "made",
        }
    }
}

/// What a plan does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A guard refuses to write over it.
    Refused,
    /// What the description says is put back.
    Overwritten,
    /// It stays as it is.
    Kept,
}

impl Fate {
    /// Returns the word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Refused => "refused",
            Fate::Overwritten => "overwritten",
            Fate::Kept => "kept",
        }
    }
}

/// What was changed outside of one resource.
#[derive(Debug, Clone)]
pub struct Drifted {
    /// Which.
    pub address: Address,
    /// What was done to it.
    pub happened: Happened,
    /// Field by field: before is what the last deployment left, after what is live. Empty where it is about the whole.
    pub fields: Vec<FieldChange>,
    /// Who did it, per field; the root path for the resource as a whole.
    pub blame: BTreeMap<Path, Blame>,
    /// What the plan does about it; `None` where there is no plan.
    pub fate: Option<Fate>,
}

impl Drifted {
    /// Returns who changed a field: the answer for it, else for a part it lies in, else for the resource.
    pub fn blame_of(&self, path: &Path) -> Option<&Blame> {
        nearest(&self.blame, path)
    }

    /// Returns the one who changed all of it; `None` where there are several, or nobody is known.
    pub fn one_blame(&self) -> Option<&Blame> {
        let mut all = self.fields.iter().map(|field| self.blame_of(&field.path));
        let first = all.next().unwrap_or_else(|| self.blame.get(&Path::root()))?;
        all.all(|other| other == Some(first)).then_some(first)
    }
}

/// Returns who changed a field of a resource outside.
pub(super) fn blame_of<'a>(facts: &'a Facts, address: &Address, path: &Path) -> Option<&'a Blame> {
    nearest(facts.outside.get(address)?, path)
}

fn nearest<'a>(blame: &'a BTreeMap<Path, Blame>, path: &Path) -> Option<&'a Blame> {
    std::iter::successors(Some(path.clone()), Path::parent).find_map(|path| blame.get(&path))
}

/// Says whether a change does nothing but put back what was changed outside.
pub(super) fn is_drift_alone(change: &Change) -> bool {
    match change.origin {
        Origin::Drift => true,
        Origin::Conflict => false,
        _ => !change.fields.is_empty() && change.fields.iter().all(|field| field.origin == Origin::Drift),
    }
}

/// Finds everything of a plan that was changed outside and is no conflict, in the order of the plan.
pub fn drifted(plan: &Plan, refusals: &[Refusal]) -> Vec<Drifted> {
    let blame = |address: &Address| plan.facts.outside.get(address).cloned().unwrap_or_default();
    let mut out = Vec::new();
    for change in &plan.changes {
        let whole = change.origin == Origin::Drift;
        let fields = theirs(change.fields.iter().filter(|f| f.origin == Origin::Drift));
        if !whole && fields.is_empty() {
            continue;
        }
        let refused = |r: &Refusal| r.guard == "drift" && r.address.as_ref() == Some(&change.address);
        let happened = match (whole, change.action) {
            (true, Action::Create) => Happened::Deleted,
            (true, Action::Replace) => Happened::Recreated,
            _ => Happened::Changed,
        };
        out.push(Drifted {
            address: change.address.clone(),
            happened,
            fields: if happened == Happened::Changed { fields } else { Vec::new() },
            blame: blame(&change.address),
            fate: Some(if refusals.iter().any(refused) { Fate::Refused } else { Fate::Overwritten }),
        });
    }
    for left in plan.left.iter().filter(|left| left.why == Kept::Drift) {
        out.push(Drifted {
            address: left.address.clone(),
            happened: if left.fields.is_empty() { Happened::Deleted } else { Happened::Changed },
            fields: theirs(left.fields.iter()),
            blame: blame(&left.address),
            fate: Some(Fate::Kept),
        });
    }
    out
}

/// A plan's difference goes from live to desired; what was done outside went the other way.
fn theirs<'a>(fields: impl Iterator<Item = &'a FieldChange>) -> Vec<FieldChange> {
    let turned = |field: &FieldChange| FieldChange {
        diff: Diff { before: field.diff.after.clone(), after: field.diff.before.clone() },
        ..field.clone()
    };
    fields.map(turned).collect()
}

/// Numbers of what was changed outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OutsideCounts {
    /// Resources with drift, kept drift among them.
    pub(super) drifted: usize,
    /// Resources with a conflict.
    pub(super) conflicts: usize,
}

/// Counts them.
pub(super) fn counts(plan: &Plan) -> OutsideCounts {
    let with = |origin: Origin| {
        move |change: &&Change| change.origin == origin || change.fields.iter().any(|field| field.origin == origin)
    };
    OutsideCounts {
        drifted: plan.changes.iter().filter(with(Origin::Drift)).count()
            + plan.left.iter().filter(|left| left.why == Kept::Drift).count(),
        conflicts: plan.changes.iter().filter(with(Origin::Conflict)).count(),
    }
}
