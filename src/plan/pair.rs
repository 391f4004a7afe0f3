//! Which described resource is which live one.

use crate::codec::address_of;
use crate::model::{Address, Described, LiveResource, Map, Value};
use crate::schema::{KindShape, KindSpec};

/// What a described resource is paired with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Partner {
    /// The live resource at this index.
    Live(usize),
    /// Nothing: it is to be made.
    Nothing,
    /// Several live resources share its identity: their ids.
    Ambiguous(Vec<String>),
}

/// Pairs by described id, else by identity.
///
/// A described resource that a `moved` entry names is paired with the live one it was before, unless one of its new name is live.
pub(super) fn pair(
    spec: &KindSpec,
    described: &[Described],
    live: &[LiveResource],
    moved: &[(Address, Address)],
) -> Vec<Partner> {
    let mut taken = vec![false; live.len()];
    let mut out: Vec<Partner> = described
        .iter()
        .map(|resource| {
            let found = resource.id.as_deref().and_then(|id| live.iter().position(|l| l.id == id));
            if let Some(slot) = found.and_then(|at| taken.get_mut(at)) {
                *slot = true;
            }
            found.map_or(Partner::Nothing, Partner::Live)
        })
        .collect();
    for (partner, resource) in out.iter_mut().zip(described) {
        if *partner != Partner::Nothing {
            continue;
        }
        let free = |at: usize| taken.get(at) == Some(&false);
        let also = live.iter().enumerate().position(|(at, l)| {
            let equal = |m: &String| l.value.get(m).is_some() && l.value.get(m) == resource.value.get(m);
            free(at) && spec.also.iter().any(equal)
        });
        let by_name = |l: &LiveResource| same_identity(spec, resource, l);
        let renamed = moved.iter().filter(|(_, to)| *to == resource.address).find_map(|(from, _)| {
            let gone = !live.iter().any(by_name);
            live.iter().enumerate().position(|(at, l)| gone && free(at) && l.address == *from)
        });
        if let Some(at) = also.or(renamed) {
            if let Some(slot) = taken.get_mut(at) {
                *slot = true;
            }
            *partner = Partner::Live(at);
            continue;
        }
        let candidates: Vec<usize> = live
            .iter()
            .enumerate()
            .filter(|(at, l)| taken.get(*at) == Some(&false) && same_identity(spec, resource, l))
            .map(|(at, _)| at)
            .collect();
        *partner = match candidates.as_slice() {
            [] => Partner::Nothing,
            [one] => {
                if let Some(slot) = taken.get_mut(*one) {
                    *slot = true;
                }
                Partner::Live(*one)
            }
            many => Partner::Ambiguous(many.iter().filter_map(|at| live.get(*at)).map(|l| l.id.clone()).collect()),
        };
    }
    out
}

fn same_identity(spec: &KindSpec, described: &Described, live: &LiveResource) -> bool {
    if spec.shape == KindShape::Single {
        return true;
    }
    let empty = Map::new();
    let members = |value: &Value| address_of(spec, value.as_object().unwrap_or(&empty)).map(|a| a.name);
    members(&described.value) == members(&live.value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::model::Loci;
    use crate::schema::Registry;

    const THINGS: &str = "x-tenantry: {identity: [name], also: [slug]}\nproperties: {name: {}, slug: {}}";

    fn described(json: serde_json::Value, id: Option<&str>) -> Described {
        let value = Value::from_json(&json);
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
        Described {
            address: Address::new("things", name),
            id: id.map(str::to_owned),
            value: value.clone(),
            loci: Loci::default(),
        }
    }

    fn live(id: &str, json: serde_json::Value) -> LiveResource {
        let value = Value::from_json(&json);
        let address = Address::new("things", value.get("name").and_then(Value::as_str).unwrap_or_default());
        LiveResource { address, id: id.to_owned(), value, raw: json, system: None, unreadable: Vec::new() }
    }

    fn paired(described: &[Described], live: &[LiveResource], moved: &[(&str, &str)]) -> Vec<Partner> {
        let moved: Vec<_> =
            moved.iter().map(|(from, to)| (Address::new("things", from), Address::new("things", to))).collect();
        pair(Registry::of(&[("things", THINGS)]).kind("things").unwrap(), described, live, &moved)
    }

    #[test]
    fn an_id_counts_before_a_name() {
        let live = [live("1", json!({"name": "a"})), live("2", json!({"name": "b"}))];
        let by_id = [described(json!({"name": "a"}), None), described(json!({"name": "a"}), Some("1"))];
        assert_eq!(paired(&by_id, &live, &[]), [Partner::Nothing, Partner::Live(0)], "nobody is taken twice");
        let renamed = [described(json!({"name": "c"}), Some("2"))];
        assert_eq!(paired(&renamed, &live, &[]), [Partner::Live(1)]);
        let stale = [described(json!({"name": "b"}), Some("gone"))];
        assert_eq!(paired(&stale, &live, &[]), [Partner::Live(1)], "an id that is not there leaves the name");
    }

    #[test]
    fn names_that_repeat_are_ambiguous() {
        let live = [live("1", json!({"name": "a"})), live("2", json!({"name": "a"}))];
        let one = [described(json!({"name": "a"}), None)];
        assert_eq!(paired(&one, &live, &[]), [Partner::Ambiguous(vec!["1".to_owned(), "2".to_owned()])]);
        let with_id = [described(json!({"name": "a"}), Some("2")), described(json!({"name": "a"}), None)];
        assert_eq!(paired(&with_id, &live, &[]), [Partner::Live(1), Partner::Live(0)], "one of them is taken");
        assert_eq!(paired(&one, &[], &[]), [Partner::Nothing]);
    }

    #[test]
    fn another_unique_member_pairs_what_was_renamed() {
        let live = [live("1", json!({"name": "old", "slug": "s"}))];
        assert_eq!(paired(&[described(json!({"name": "new", "slug": "s"}), None)], &live, &[]), [Partner::Live(0)]);
        assert_eq!(paired(&[described(json!({"name": "new"}), None)], &live, &[]), [Partner::Nothing]);
    }

    #[test]
    fn a_moved_entry_pairs_unless_the_new_name_is_live() {
        let wanted = [described(json!({"name": "new"}), None)];
        let old = || live("1", json!({"name": "old"}));
        assert_eq!(paired(&wanted, &[old()], &[("old", "new")]), [Partner::Live(0)]);
        assert_eq!(paired(&wanted, &[old()], &[("older", "new")]), [Partner::Nothing]);
        let both = [old(), live("2", json!({"name": "new"}))];
        assert_eq!(paired(&wanted, &both, &[("old", "new")]), [Partner::Live(1)]);
    }

    #[test]
    fn the_one_resource_of_a_single_kind_is_always_the_same() {
        let registry = Registry::of(&[("tenant", "x-tenantry: {shape: single}")]);
        let found =
            pair(registry.kind("tenant").unwrap(), &[described(json!({"x": 1}), None)], &[live("", json!({}))], &[]);
        assert_eq!(found, [Partner::Live(0)]);
    }
}
