//! Which described resource is which live one.

use std::collections::HashMap;

use super::known::Known;
use crate::codec::address_of;
use crate::model::{Address, Described, LiveResource, Value};
use crate::schema::{KindShape, KindSpec};

/// What a described resource is paired with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partner {
    /// The live resource at this index.
    Live(usize),
    /// Nothing: it is to be made.
    Nothing,
    /// Several live resources share its identity: their ids.
    Ambiguous(Vec<String>),
}

/// Pairs the resources of two sides that no deployment joins: by id, by `moved` entries (from what to what), by identity.
pub fn partners(
    spec: &KindSpec,
    one: &[Described],
    other: &[LiveResource],
    moved: &[(Address, Address)],
) -> Vec<Partner> {
    pair(spec, one, other, &Known::new(None, moved))
}

/// Pairs by described id, else by the id that was remembered, else by identity.
///
/// A described resource that a `moved` entry names is paired with the live one it was before, unless one of its new name is live.
pub(super) fn pair(spec: &KindSpec, described: &[Described], live: &[LiveResource], known: &Known<'_>) -> Vec<Partner> {
    let index = Index::new(spec, live);
    let mut taken = vec![false; live.len()];
    let mut out = vec![Partner::Nothing; described.len()];
    for (partner, resource) in out.iter_mut().zip(described) {
        let found = resource.id.as_deref().and_then(|id| index.by_id.get(id));
        take(partner, found.copied(), &mut taken);
    }
    for (partner, resource) in out.iter_mut().zip(described).filter(|(partner, _)| **partner == Partner::Nothing) {
        let remembered = known.of(resource).and_then(|(_, left)| index.by_id.get(left.id.as_str()));
        take(partner, remembered.copied().filter(|at| taken.get(*at) == Some(&false)), &mut taken);
    }
    for (partner, resource) in out.iter_mut().zip(described).filter(|(partner, _)| **partner == Partner::Nothing) {
        let free = |at: &usize| taken.get(*at) == Some(&false);
        let mut also = spec.also.iter().filter_map(|member| index.by_member.get(&(member, text(resource, member)?)));
        let named = index.of(spec, resource);
        let renamed = || {
            let mut from = known.before(&resource.address).iter().filter(|_| named.is_empty());
            from.find_map(|from| index.by_address.get(from).copied().filter(free))
        };
        if let Some(at) = also.find_map(|at| at.iter().copied().find(|at| free(at))).or_else(renamed) {
            take(partner, Some(at), &mut taken);
            continue;
        }
        let candidates: Vec<usize> = named.iter().copied().filter(free).collect();
        match candidates.as_slice() {
            [] => {}
            [one] => take(partner, Some(*one), &mut taken),
            many => {
                let ids = many.iter().filter_map(|at| live.get(*at)).map(|l| l.id.clone());
                *partner = Partner::Ambiguous(ids.collect());
            }
        }
    }
    out
}

fn take(partner: &mut Partner, found: Option<usize>, taken: &mut [bool]) {
    if let Some(at) = found {
        *partner = Partner::Live(at);
        if let Some(slot) = taken.get_mut(at) {
            *slot = true;
        }
    }
}

/// Live resources of a kind by all they may be found by.
struct Index<'a> {
    by_id: HashMap<&'a str, usize>,
    by_member: HashMap<(&'a String, &'a str), Vec<usize>>,
    by_address: HashMap<&'a Address, usize>,
    /// By identity, told from its members.
    by_name: HashMap<Option<Option<String>>, Vec<usize>>,
    all: Vec<usize>,
}

impl<'a> Index<'a> {
    fn new(spec: &'a KindSpec, live: &'a [LiveResource]) -> Self {
        let mut index = Index {
            by_id: HashMap::new(),
            by_member: HashMap::new(),
            by_address: HashMap::new(),
            by_name: HashMap::new(),
            all: (0..live.len()).collect(),
        };
        for (at, resource) in live.iter().enumerate() {
            if !resource.id.is_empty() {
                index.by_id.entry(&resource.id).or_insert(at);
            }
            index.by_address.entry(&resource.address).or_insert(at);
            for member in &spec.also {
                if let Some(text) = resource.value.get(member).and_then(Value::as_str) {
                    index.by_member.entry((member, text)).or_default().push(at);
                }
            }
            if spec.shape != KindShape::Single {
                index.by_name.entry(identity(spec, &resource.value)).or_default().push(at);
            }
        }
        index
    }

    /// Returns the live resources that share the identity of a described one.
    fn of(&self, spec: &KindSpec, resource: &Described) -> &[usize] {
        match spec.shape {
            KindShape::Single => &self.all,
            KindShape::Collection => self.by_name.get(&identity(spec, &resource.value)).map_or(&[], Vec::as_slice),
        }
    }
}

fn identity(spec: &KindSpec, value: &Value) -> Option<Option<String>> {
    Some(address_of(spec, value.as_object()?)?.name)
}

fn text<'v>(resource: &'v Described, member: &str) -> Option<&'v str> {
    resource.value.get(member).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::model::{Base, BaseResource, Loci};
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
        LiveResource { address, id: id.to_owned(), value, raw: json.into(), system: None, unreadable: Vec::new() }
    }

    fn paired(described: &[Described], live: &[LiveResource], moved: &[(&str, &str)]) -> Vec<Partner> {
        let moved: Vec<_> =
            moved.iter().map(|(from, to)| (Address::new("things", from), Address::new("things", to))).collect();
        pair(Registry::of(&[("things", THINGS)]).kind("things").unwrap(), described, live, &Known::new(None, &moved))
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
    fn a_remembered_id_counts_before_a_name_and_after_a_described_id() {
        let registry = Registry::of(&[("things", THINGS)]);
        let spec = registry.kind("things").unwrap();
        let mut base = Base::default();
        let mut remember = |name: &str, id: &str| {
            let left = BaseResource { id: id.to_owned(), desired: Value::object(), live: Value::object() };
            base.resources.insert(Address::new("things", name), left);
        };
        remember("a", "1");
        remember("b", "gone");
        let moved = [(Address::new("things", "a"), Address::new("things", "new"))];
        let known = Known::new(Some(&base), &moved);
        let there =
            [live("1", json!({"name": "renamed"})), live("2", json!({"name": "a"})), live("3", json!({"name": "b"}))];
        let wanted = |name: &str, id| [described(json!({"name": name}), id)];
        assert_eq!(pair(spec, &wanted("a", None), &there, &known), [Partner::Live(0)], "renamed outside");
        assert_eq!(pair(spec, &wanted("a", Some("2")), &there, &known), [Partner::Live(1)]);
        assert_eq!(pair(spec, &wanted("b", None), &there, &known), [Partner::Live(2)], "made anew outside");
        assert_eq!(pair(spec, &wanted("new", None), &there, &known), [Partner::Live(0)], "moved, and renamed outside");
    }

    #[test]
    fn the_one_resource_of_a_single_kind_is_always_the_same() {
        let registry = Registry::of(&[("tenant", "x-tenantry: {shape: single}")]);
        let spec = registry.kind("tenant").unwrap();
        let found = pair(spec, &[described(json!({"x": 1}), None)], &[live("", json!({}))], &Known::new(None, &[]));
        assert_eq!(found, [Partner::Live(0)]);
    }
}
