//! What a rename takes along: live resources refer to one another by name, and a renamed one is known by its new name.

use std::collections::BTreeMap;

use super::pair::{Partner, pair};
use crate::codec::address_of;
use crate::model::{Address, Desired, Live, LiveKind, Value};
use crate::schema::{FieldSpec, Registry, Shape};

/// Returns the tenant as if whatever is described under another name were called so already, as far as others refer to it.
/// The renamed resources themselves keep their name, which is a difference. `None` where nothing is renamed.
pub(super) fn follow(
    registry: &Registry,
    desired: &Desired,
    live: &Live,
    moved: &[(Address, Address)],
) -> Option<Live> {
    let mut renames: BTreeMap<Address, String> = BTreeMap::new();
    for spec in registry.kinds() {
        let Some(described) = desired.kinds.get(&spec.name) else { continue };
        let found = live.resources(&spec.name);
        for (resource, partner) in described.resources.iter().zip(pair(spec, &described.resources, found, moved)) {
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
            let before = resource.value.as_object().and_then(|members| address_of(spec, members));
            rename(&spec.fields, &mut resource.value, &renames);
            let after = resource.value.as_object().and_then(|members| address_of(spec, members));
            if before != after
                && let Some(address) = after
            {
                resource.address = address;
            }
        }
    }
    Some(out)
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
