//! Compares lists: of one value, of items without order, of items that a key tells apart.

use std::collections::{BTreeMap, HashMap};

use super::{Flags, Leaf, Walk, holds_secret, names};
use crate::change::How;
use crate::model::{Path, ThreeWay, Value};
use crate::schema::FieldSpec;

type List<'v> = ThreeWay<&'v [Value]>;

impl<'a> Walk<'_, 'a, '_> {
    pub(super) fn list(
        &mut self,
        spec: &'a FieldSpec,
        items: &'a FieldSpec,
        path: &Path,
        sides: ThreeWay<&Value>,
        flags: Flags<'a>,
    ) {
        if sides.desired == sides.live && sides.base.is_none_or(|base| base.before == sides.desired) {
            return;
        }
        let lists: List<'_> = sides.and_then(Value::as_array);
        let before = lists.base.and_then(|base| base.before);
        if lists.desired.into_iter().chain(before).any(|described| is_whole(spec, described)) {
            self.leaf(Leaf { path, locus_path: path, sides, spec, flags, how: How::Value });
        } else if spec.key.is_empty() {
            self.set(items, path, lists, flags);
        } else {
            self.keyed(spec, items, path, lists, flags);
        }
    }

    fn set(&mut self, items: &'a FieldSpec, path: &Path, lists: List<'_>, flags: Flags<'a>) {
        let index = |list: &[Value]| -> BTreeMap<String, usize> {
            list.iter().enumerate().map(|(n, item)| (super::item_name(item), n)).collect()
        };
        let indexes = lists.and_then(|list| Some(index(list)));
        let mut every: Vec<&String> = indexes.desired.iter().flat_map(BTreeMap::keys).collect();
        let before = indexes.base.as_ref().and_then(|base| base.before.as_ref());
        every.extend(indexes.live.iter().chain(before).flat_map(BTreeMap::keys));
        every.sort();
        every.dedup();
        for name in every {
            let sides = zip(lists, &indexes, name);
            if sides.desired.is_some() && sides.live.is_some() && sides.base.is_none() {
                continue;
            }
            let at = indexes.desired.as_ref().and_then(|index| index.get(name));
            let item_path = path.item(name);
            let locus_path = at.map_or_else(|| item_path.clone(), |n| path.index(*n));
            let leaf = Leaf { path: &item_path, locus_path: &locus_path, sides, spec: items, flags, how: How::Item };
            self.item(leaf);
        }
    }

    fn keyed(&mut self, spec: &'a FieldSpec, items: &'a FieldSpec, path: &Path, lists: List<'_>, flags: Flags<'a>) {
        let named = lists.and_then(|list| Some(names(spec, list)));
        if spec.ordered {
            self.order(spec, path, &named, flags);
        }
        let index = |names: &Vec<String>| -> HashMap<String, usize> {
            // Of several items of one key the first counts.
            names.iter().enumerate().rev().map(|(n, name)| (name.clone(), n)).collect()
        };
        let indexes = ThreeWay {
            desired: named.desired.as_ref().map(index),
            live: named.live.as_ref().map(index),
            base: named.base.as_ref().map(|base| crate::model::Diff {
                before: base.before.as_ref().map(index),
                after: base.after.as_ref().map(index),
            }),
        };
        let wanted = named.desired.iter().flatten().zip(lists.desired.into_iter().flatten());
        for (n, (name, item)) in wanted.enumerate() {
            let sides = ThreeWay { desired: Some(item), ..zip(lists, &indexes, name) };
            let item_path = path.item(name);
            let numbered = path.index(n);
            if sides.live.is_none() {
                self.item(Leaf { path: &item_path, locus_path: &numbered, sides, spec: items, flags, how: How::Item });
                continue;
            }
            let before = self.out.fields.len();
            self.value(items, &item_path, sides, flags);
            let loci = self.by.loci;
            for field in self.out.fields.iter_mut().skip(before) {
                let mut steps = numbered.0.clone();
                steps.extend(field.path.0.iter().skip(item_path.0.len()).cloned());
                field.locus = loci.at(&Path(steps)).cloned();
            }
        }
        let known = |name: &&String| indexes.desired.as_ref().is_some_and(|index| index.contains_key(*name));
        let before = named.base.as_ref().and_then(|base| base.before.as_ref());
        let mut gone: Vec<&String> = named.live.iter().chain(before).flatten().filter(|name| !known(name)).collect();
        gone.sort();
        gone.dedup();
        for name in gone {
            self.entry(&path.item(name), zip(lists, &indexes, name), items, flags, How::Item);
        }
    }

    /// Compares the order of the items that both sides have: as the list of their names.
    fn order(&mut self, spec: &'a FieldSpec, path: &Path, named: &ThreeWay<Vec<String>>, flags: Flags<'a>) {
        let none = Vec::new();
        let side = |names: &Option<Vec<String>>| names.as_ref().unwrap_or(&none).clone();
        let (desired, live) = (side(&named.desired), side(&named.live));
        let moved = named.base.as_ref().map(|base| {
            let (before, after) = (side(&base.before), side(&base.after));
            (Some(!same_order(&desired, &before)), Some(!same_order(&live, &after)))
        });
        if same_order(&desired, &live) && moved.is_none_or(|(ours, _)| ours == Some(false)) {
            return;
        }
        let shown = |names: &[String]| Value::Array(names.iter().map(|name| Value::from(name.as_str())).collect());
        let (want, have) = (shown(&desired), shown(&live));
        let sides = ThreeWay { desired: Some(&want), live: Some(&have), base: None };
        let leaf = Leaf { path, locus_path: path, sides, spec, flags, how: How::Value };
        self.put(Some(same_order(&desired, &live)), moved, leaf);
    }
}

/// Says whether the items that both lists have stand in the same order.
fn same_order(one: &[String], other: &[String]) -> bool {
    one.iter().filter(|name| other.contains(name)).eq(other.iter().filter(|name| one.contains(name)))
}

/// Says whether a described list is one value: it is neither a set nor keyed, or a secret tells its items apart, which has no name
/// that could be shown.
pub(super) fn is_whole(spec: &FieldSpec, described: &[Value]) -> bool {
    if spec.key.is_empty() {
        return !spec.set || described.iter().any(holds_secret);
    }
    described.iter().any(|item| spec.key.iter().any(|member| item.get(member).is_some_and(holds_secret)))
}

/// Returns the items of one name.
fn zip<'v, I: Index>(lists: List<'v>, indexes: &ThreeWay<I>, name: &str) -> ThreeWay<&'v Value> {
    let find = |list: Option<&'v [Value]>, index: Option<&I>| list?.get(index?.at(name)?);
    ThreeWay {
        desired: find(lists.desired, indexes.desired.as_ref()),
        live: find(lists.live, indexes.live.as_ref()),
        base: lists.base.zip(indexes.base.as_ref()).map(|(lists, indexes)| crate::model::Diff {
            before: find(lists.before, indexes.before.as_ref()),
            after: find(lists.after, indexes.after.as_ref()),
        }),
    }
}

/// Where an item of a name stands.
trait Index {
    fn at(&self, name: &str) -> Option<usize>;
}

impl Index for BTreeMap<String, usize> {
    fn at(&self, name: &str) -> Option<usize> {
        self.get(name).copied()
    }
}

impl Index for HashMap<String, usize> {
    fn at(&self, name: &str) -> Option<usize> {
        self.get(name).copied()
    }
}
