//! What a rename takes along: live resources refer to one another by name, and a renamed one is known by its new name.

use std::collections::BTreeMap;

use super::known::Known;
use super::pair::{Partner, pair};
use crate::codec::address_of;
use crate::model::{Address, Base, BaseResource, Desired, Live, LiveKind, Value};
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// Returns the tenant and the base as if whatever is described under another name were called so already, as far as others
/// refer to it. The renamed resources themselves keep their name, which is a difference. `None` where nothing is renamed.
pub(super) fn follow(
    registry: &Registry,
    desired: &Desired,
    live: &Live,
    base: Option<&Base>,
    moved: &[(Address, Address)],
) -> Option<(Live, Option<Base>)> {
    let known = Known::new(base, moved);
    let mut renames: BTreeMap<Address, String> = BTreeMap::new();
    for spec in registry.kinds() {
        let Some(described) = desired.kinds.get(&spec.name) else { continue };
        let found = live.resources(&spec.name);
        for (resource, partner) in described.resources.iter().zip(pair(spec, &described.resources, found, &known)) {
            let Partner::Live(at) = partner else { continue };
            if let (Some(before), Some(name)) = (found.get(at), &resource.address.name)
                && before.address.name.as_ref() != Some(name)
            {
                renames.insert(before.address.clone(), name.clone());
            }
        }
    }
    if renames.is_empty() {
        return None;
    }
    let mut out = live.clone();
    for spec in registry.kinds() {
        let Some(LiveKind::Read(found)) = out.kinds.get_mut(&spec.name) else { continue };
        for resource in found.iter_mut() {
            if let Some(address) = renamed(spec, &mut resource.value, &renames) {
                resource.address = address;
            }
        }
    }
    Some((out, base.map(|base| follow_base(registry, base, &renames))))
}

fn follow_base(registry: &Registry, base: &Base, renames: &BTreeMap<Address, String>) -> Base {
    let follow = |(address, left): (&Address, &BaseResource)| {
        let (mut address, mut left) = (address.clone(), left.clone());
        if let Some(spec) = registry.kind(&address.kind) {
            if let Some(new) = renamed(spec, &mut left.desired, renames) {
                address.name = new.name;
            }
            renamed(spec, &mut left.live, renames);
        }
        (address, left)
    };
    Base { resources: base.resources.iter().map(follow).collect() }
}

/// Gives references their new names; returns the resource's address where it has another thereby.
fn renamed(spec: &KindSpec, value: &mut Value, renames: &BTreeMap<Address, String>) -> Option<Address> {
    let before = value.as_object().and_then(|members| address_of(spec, members));
    rename(&spec.fields, value, renames);
    let after = value.as_object().and_then(|members| address_of(spec, members));
    after.filter(|after| before.as_ref() != Some(after))
}

fn rename(field: &FieldSpec, value: &mut Value, renames: &BTreeMap<Address, String>) {
    match (value, &field.shape) {
        (Value::String(text), _) => {
            let new = field.reference.iter().find_map(|kind| renames.get(&Address::new(kind, text)));
            if let Some(new) = new {
                new.clone_into(text);
            }
        }
        (Value::Object(members), _) => {
            for (name, value) in members.iter_mut() {
                if let Some(member) = field.member(name) {
                    rename(member, value, renames);
                }
            }
        }
        (Value::Array(items), Shape::List(item)) => items.iter_mut().for_each(|value| rename(item, value, renames)),
        _ => {}
    }
}
