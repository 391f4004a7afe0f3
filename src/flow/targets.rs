//! Patterns of addresses that match nothing: most often a slip of the pen.

use std::collections::BTreeSet;

use crate::model::{Address, AddressPattern, Base, Desired, Live, LiveKind};
use crate::problem::{Problem, closest};

/// Warns of each pattern that matches neither what is described, nor what is live, nor what a deployment left.
pub(super) fn unmatched(
    targets: &[AddressPattern],
    desired: &Desired,
    live: &Live,
    base: Option<&Base>,
) -> Vec<Problem> {
    if targets.is_empty() {
        return Vec::new();
    }
    let described = desired.kinds.values().flat_map(|kind| &kind.resources).map(|resource| &resource.address);
    let left = base.into_iter().flat_map(|base| base.resources.keys());
    let live = live.kinds.values().flat_map(|kind| match kind {
        LiveKind::Read(found) => found.as_slice(),
        LiveKind::Unavailable(_) => &[],
    });
    let known: BTreeSet<&Address> = described.chain(left).chain(live.map(|resource| &resource.address)).collect();
    let nothing = targets.iter().filter(|pattern| !known.iter().any(|address| pattern.matches(address)));
    let warning = |pattern: &AddressPattern| {
        let names: Vec<String> = known.iter().map(|address| address.to_string()).collect();
        let problem = Problem::warning("nothing-matches", format!("`{}` matches no resource", pattern.as_str()));
        match closest(pattern.as_str(), names.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("write KIND/NAME, a kind, or a pattern: `clients/*`"),
        }
    };
    nothing.map(warning).collect()
}
