//! What must come first: references before what refers, the other way round for deletes.

use std::collections::{BTreeSet, HashMap};

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
    let mut at: HashMap<Address, usize> =
        nodes.iter().enumerate().map(|(n, node)| (node.change.address.clone(), n)).collect();
    for (n, node) in nodes.iter().enumerate() {
        // Where names repeat, what refers says the id.
        if let Some(id) = &node.change.address.id {
            at.insert(Address::new(&node.change.address.kind, id), n);
        }
    }
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (n, node) in nodes.iter().enumerate().filter(|(_, node)| node.change.action != Action::Delete) {
        kinds.entry(&node.change.address.kind).or_default().push(n);
    }
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
            for m in spec.after.iter().filter_map(|kind| kinds.get(kind.as_str())).flatten() {
                link(&mut before, n, *m);
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

/// Kahn's algorithm, smallest address first; a cycle is cut where least is waited for.
fn sort(nodes: Vec<Node>, before: Vec<BTreeSet<usize>>) -> Vec<Change> {
    let mut waits: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (n, earlier) in before.iter().enumerate() {
        for earlier in earlier {
            if let Some(later) = later.get_mut(*earlier) {
                later.push(n);
            }
        }
    }
    // By how many they wait for, then by address.
    let mut open: BTreeSet<(usize, usize)> = waits.iter().enumerate().map(|(n, waits)| (*waits, n)).collect();
    let mut places: HashMap<usize, usize> = HashMap::with_capacity(nodes.len());
    while let Some((_, next)) = open.pop_first() {
        places.insert(next, places.len());
        for n in later.get(next).into_iter().flatten() {
            if let Some(waits) = waits.get_mut(*n)
                && open.remove(&(*waits, *n))
            {
                *waits -= 1;
                open.insert((*waits, *n));
            }
        }
    }
    let mut changes: Vec<(usize, Change)> = Vec::with_capacity(nodes.len());
    for (n, mut node) in nodes.into_iter().enumerate() {
        let place = places.get(&n).copied().unwrap_or(n);
        let after = before.get(n).into_iter().flatten().filter_map(|b| places.get(b).copied()).filter(|b| *b < place);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::change::Step;
    use crate::schema::Verb;

    const A: &str = "x-tenantry: {identity: [name]}\nproperties: {name: {}, to: {x-ref: [a, b]}, all: {items: {x-ref: b}}, lit: {x-literal-ref: b}, ro: {readOnly: true, x-ref: b}}";
    const B: &str = "x-tenantry: {identity: [name], after: [c]}\nproperties: {name: {}, to: {x-ref: a}}";
    const C: &str = "x-tenantry: {identity: [name]}";

    fn node(kind: &str, name: &str, action: Action, members: Json) -> Node {
        let value = Value::from_json(&members);
        let change =
            Change { steps: vec![Step::new(Verb::Post, "/x", None)], ..Change::new(Address::new(kind, name), action) };
        let desired = (action != Action::Delete).then(|| value.clone());
        Node { change, desired, live: (action != Action::Create).then_some(value) }
    }

    fn ordered(nodes: Vec<Node>) -> Vec<Change> {
        order(&Registry::of(&[("a", A), ("b", B), ("c", C)]), nodes)
    }

    fn names(changes: &[Change]) -> Vec<String> {
        changes.iter().map(|c| format!("{} {:?}", c.address, c.after)).collect()
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        let create = |kind, name, to: Json| node(kind, name, Action::Create, to);
        let nodes = vec![
            create("a", "1", json!({"to": "2", "all": ["x"], "ro": "y"})),
            create("a", "2", json!({"lit": "x"})),
            create("b", "x", json!({})),
            create("b", "y", json!({})),
        ];
        assert_eq!(names(&ordered(nodes)), ["b/x []", "a/2 [0]", "a/1 [1, 0]", "b/y []"]);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter() {
        let nodes = || {
            vec![
                node("a", "1", Action::Create, json!({"to": "3"})),
                node("a", "2", Action::Update, json!({})),
                node("a", "3", Action::Create, json!({"to": "2"})),
            ]
        };
        let mut reversed = nodes();
        reversed.reverse();
        assert_eq!(names(&ordered(nodes())), ["a/2 []", "a/3 [0]", "a/1 [1]"]);
        assert_eq!(names(&ordered(reversed)), names(&ordered(nodes())));
    }

    #[test]
    fn what_refers_is_unbound_before_a_delete() {
        let nodes = vec![
            node("a", "1", Action::Delete, json!({})),
            node("a", "2", Action::Delete, json!({"to": "1"})),
            node("b", "x", Action::Update, json!({"to": "2"})),
        ];
        assert_eq!(names(&ordered(nodes)), ["b/x []", "a/2 [0]", "a/1 [1]"]);
    }

    #[test]
    fn kinds_may_come_after_kinds_but_not_after_their_deletes() {
        let nodes = vec![
            node("b", "x", Action::Create, json!({})),
            node("c", "1", Action::Create, json!({})),
            node("c", "0", Action::Delete, json!({})),
        ];
        assert_eq!(names(&ordered(nodes)), ["c/0 []", "c/1 []", "b/x [1]"]);
    }

    #[test]
    fn a_change_may_wait_for_another_by_name() {
        let mut waiting = node("a", "1", Action::Update, json!({}));
        waiting.change.waits_for = vec![Address::new("a", "2"), Address::new("a", "nobody")];
        assert_eq!(names(&ordered(vec![waiting, node("a", "2", Action::Update, json!({}))])), ["a/2 []", "a/1 [0]"]);
    }

    #[test]
    fn a_cycle_is_cut_and_nobody_is_lost() {
        let nodes = vec![
            node("a", "1", Action::Create, json!({"to": "2"})),
            node("a", "2", Action::Create, json!({"to": "3"})),
            node("a", "3", Action::Create, json!({"to": "1"})),
            node("a", "self", Action::Create, json!({"to": "self"})),
        ];
        let changes = ordered(nodes);
        assert_eq!(names(&changes), ["a/self []", "a/1 []", "a/3 [1]", "a/2 [2]"]);
        for (n, change) in changes.iter().enumerate() {
            assert!(change.after.iter().all(|before| *before < n));
        }
    }

    #[test]
    fn the_forecast_counts_the_longest_chain() {
        let mut changes = ordered(vec![
            node("a", "1", Action::Create, json!({"to": "2"})),
            node("a", "2", Action::Create, json!({})),
            node("a", "3", Action::Create, json!({})),
        ]);
        assert_eq!(forecast(&changes), Forecast { requests: 3, depth: 2 });
        if let Some(first) = changes.first_mut() {
            first.steps.push(Step::new(Verb::Post, "/x", None));
        }
        assert_eq!(forecast(&changes), Forecast { requests: 4, depth: 3 });
        assert_eq!(forecast(&[]), Forecast::default());
    }
}
