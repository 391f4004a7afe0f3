//! What must come first: references before what refers, the other way round for deletes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::change::{Action, Change, Forecast};
use crate::model::{Address, Value};
use crate::schema::{FieldSpec, Registry, Shape};

/// What the order is found from: for each change the values that may refer.
pub(super) struct Node {
    /// The change.
    pub(super) change: Change,
    /// What is described; `None` for a delete.
    pub(super) desired: Option<Value>,
    /// What is live; `None` for a create.
    pub(super) live: Option<Value>,
}

/// Sorts changes so that each stands behind those it waits for, and notes which these are.
pub(super) fn order(registry: &Registry, mut nodes: Vec<Node>) -> Vec<Change> {
    nodes.sort_by(|a, b| a.change.address.cmp(&b.change.address));
    let at: HashMap<Address, usize> =
        nodes.iter().enumerate().map(|(n, node)| (node.change.address.clone(), n)).collect();
    let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes.len()];
    let link = |before: &mut Vec<BTreeSet<usize>>, later: usize, earlier: usize| {
        if later != earlier
            && let Some(set) = before.get_mut(later)
        {
            set.insert(earlier);
        }
    };
    for (n, node) in nodes.iter().enumerate() {
        let Some(spec) = registry.kind(&node.change.address.kind) else { continue };
        for target in node.change.waits_for.iter().filter_map(|target| at.get(target)) {
            link(&mut before, n, *target);
        }
        if let Some(desired) = &node.desired {
            for target in references(&spec.fields, desired).iter().filter_map(|target| at.get(target)) {
                if nodes.get(*target).is_some_and(|t| t.change.action != Action::Delete) {
                    link(&mut before, n, *target);
                }
            }
            for (m, other) in nodes.iter().enumerate() {
                if spec.after.contains(&other.change.address.kind) && other.change.action != Action::Delete {
                    link(&mut before, n, m);
                }
            }
        }
        // Unbind before delete: whatever refers to what goes is changed or deleted first.
        if let Some(live) = &node.live {
            for target in references(&spec.fields, live).iter().filter_map(|target| at.get(target)) {
                if nodes.get(*target).is_some_and(|t| t.change.action == Action::Delete) {
                    link(&mut before, *target, n);
                }
            }
        }
    }
    sort(nodes, before)
}

/// Kahn's algorithm, smallest address first; a cycle is cut at its smallest address.
fn sort(nodes: Vec<Node>, mut before: Vec<BTreeSet<usize>>) -> Vec<Change> {
    let kept = before.clone();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    while places.len() < nodes.len() {
        let open = || (0..nodes.len()).filter(|n| !places.contains_key(n));
        let ready = open().find(|n| before.get(*n).is_some_and(BTreeSet::is_empty));
        let Some(next) = ready.or_else(|| open().min_by_key(|n| before.get(*n).map_or(0, BTreeSet::len))) else {
            break;
        };
        places.insert(next, places.len());
        for set in &mut before {
            set.remove(&next);
        }
    }
    let mut changes: Vec<(usize, Change)> = Vec::with_capacity(nodes.len());
    for (n, mut node) in nodes.into_iter().enumerate() {
        let place = places.get(&n).copied().unwrap_or(n);
        let after = kept.get(n).into_iter().flatten().filter_map(|b| places.get(b).copied()).filter(|b| *b < place);
        node.change.after = after.collect();
        changes.push((place, node.change));
    }
    changes.sort_by_key(|(place, _)| *place);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// Returns every resource a value refers to, as the addresses it may mean.
pub(super) fn references(spec: &FieldSpec, value: &Value) -> BTreeSet<Address> {
    let mut out = BTreeSet::new();
    collect(spec, value, &mut |spec, name| {
        for kind in spec.reference.iter().chain(&spec.literal_reference) {
            out.insert(Address::new(kind, name));
        }
    });
    out
}

/// Calls `visit` with every text that refers.
pub(super) fn collect(spec: &FieldSpec, value: &Value, visit: &mut dyn FnMut(&FieldSpec, &str)) {
    if spec.read_only || spec.skip || spec.owned {
        return;
    }
    match value {
        Value::String(name) if !spec.reference.is_empty() || !spec.literal_reference.is_empty() => visit(spec, name),
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(spec) = spec.member(name) {
                    collect(spec, member, visit);
                }
            }
        }
        Value::Array(items) => {
            if let Shape::List(spec) = &spec.shape {
                items.iter().for_each(|item| collect(spec, item, visit));
            }
        }
        _ => {}
    }
}

/// Counts requests and the longest chain of them.
pub(super) fn forecast(changes: &[Change]) -> Forecast {
    let mut depth: Vec<usize> = Vec::with_capacity(changes.len());
    for change in changes {
        let waited = change.after.iter().filter_map(|n| depth.get(*n)).max().copied().unwrap_or(0);
        depth.push(waited + change.steps.len());
    }
    Forecast { requests: changes.iter().map(|c| c.steps.len()).sum(), depth: depth.into_iter().max().unwrap_or(0) }
}
