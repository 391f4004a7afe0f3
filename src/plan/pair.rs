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
