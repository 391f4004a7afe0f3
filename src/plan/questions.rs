//! What a plan wants to know before guards judge it.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Action, Change, FieldChange, Kept, Origin, Plan, Question};
use crate::model::{Address, Locus, Path};
use crate::schema::Risk;

/// Returns the questions of a plan, each once.
pub(super) fn questions(plan: &Plan) -> Vec<Question> {
    let mut outside: BTreeMap<&Address, BTreeSet<&Path>> = BTreeMap::new();
    let mut ours: BTreeSet<&Locus> = BTreeSet::new();
    let mut hit: BTreeSet<&Address> = BTreeSet::new();
    for change in &plan.changes {
        if is_theirs(change.origin) {
            outside.entry(&change.address).or_default();
        }
        if is_ours(change.origin) {
            ours.extend(&change.locus);
        }
        if change.action == Action::Update {
            for field in &change.fields {
                if is_theirs(field.origin) {
                    outside.entry(&change.address).or_default().insert(&field.path);
                }
                if is_ours(field.origin) {
                    ours.extend(&field.locus);
                }
            }
        }
        if hits(change) {
            hit.insert(&change.address);
        }
    }
    for left in plan.left.iter().filter(|left| left.why == Kept::Drift) {
        outside.entry(&left.address).or_default().extend(left.fields.iter().map(|field| &field.path));
    }
    let outside = outside
        .into_iter()
        .map(|(address, paths)| Question::WhoOutside(address.clone(), paths.into_iter().cloned().collect()));
    let lines: BTreeSet<(&std::sync::Arc<str>, u32)> = ours.iter().map(|locus| (&locus.file, locus.line)).collect();
    let ours = lines.into_iter().map(|(file, line)| Question::WhoWrote(file.clone(), line));
    let hit = hit.into_iter().map(|address| Question::HowMany(address.clone()));
    outside.chain(ours).chain(hit).collect()
}

fn is_theirs(origin: Origin) -> bool {
    matches!(origin, Origin::Drift | Origin::Conflict)
}

fn is_ours(origin: Origin) -> bool {
    matches!(origin, Origin::Change | Origin::Conflict)
}

/// Says whether people may be hit: something goes, or what they rely on does.
fn hits(change: &Change) -> bool {
    let takes =
        |field: &FieldChange| field.risk >= Risk::Caution && field.diff.after.as_ref().is_none_or(|v| v.is_blank());
    matches!(change.action, Action::Delete | Action::Replace)
        || change.risk >= Risk::Destructive
        || change.fields.iter().any(takes)
}
