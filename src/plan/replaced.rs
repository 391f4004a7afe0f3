//! What a replace takes along: the API deletes what hangs on the old resource, so it is planned as if it were gone.

use std::collections::BTreeSet;

use super::order::references;
use crate::codec::sub_rows_mut;
use crate::model::{Address, Live, LiveKind, LiveResource, Path, Segment, Value};
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// Returns the tenant as it will be once these resources were deleted: what the API deletes along is not there, and lists
/// that named them no longer do. The resources themselves stay as they are.
pub(super) fn without(registry: &Registry, live: &Live, replaced: &BTreeSet<Address>) -> Live {
    let mut out = live.clone();
    for spec in registry.kinds() {
        let Some(LiveKind::Read(found)) = out.kinds.get_mut(&spec.name) else { continue };
        found
            .retain(|resource| replaced.contains(&resource.address) || !goes_along(registry, spec, resource, replaced));
        for resource in found.iter_mut().filter(|resource| !replaced.contains(&resource.address)) {
            unlink(spec, resource, replaced);
        }
    }
    out
}

/// Says whether the API deletes a resource along with one of the replaced ones.
fn goes_along(registry: &Registry, spec: &KindSpec, resource: &LiveResource, replaced: &BTreeSet<Address>) -> bool {
    replaced.iter().any(|gone| {
        let Some(of) = registry.kind(&gone.kind) else { return false };
        of.cascades.iter().filter(|c| c.kind == spec.name && c.items.is_none()).any(|cascade| {
            let Some(member) = &cascade.member else { return false };
            let (Some(field), Some(value)) = (spec.field(member), resource.value.get(member)) else { return false };
            references(field, value).contains(gone)
        })
    })
}

/// Takes the references to replaced resources out of what is live, and the rows that held them.
fn unlink(spec: &KindSpec, resource: &mut LiveResource, replaced: &BTreeSet<Address>) {
    for (path, field) in spec.subs() {
        let Some(Value::Array(items)) = member_mut(&mut resource.value, &path) else { continue };
        let Some(item) = field.item() else { continue };
        let stays: Vec<bool> = items.iter().map(|value| references(item, value).is_disjoint(replaced)).collect();
        keep(items, &stays);
        if let Some(rows) = sub_rows_mut(&mut resource.raw, &path.to_string()) {
            keep(rows, &stays);
        }
    }
    strip(&spec.fields, &mut resource.value, replaced);
}

fn keep<T>(items: &mut Vec<T>, stays: &[bool]) {
    let mut at = 0;
    items.retain(|_| {
        at += 1;
        stays.get(at - 1).copied().unwrap_or(true)
    });
}

fn member_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    let mut here = value;
    for segment in &path.0 {
        let Segment::Key(key) = segment else { return None };
        here = here.as_object_mut()?.get_mut(key)?;
    }
    Some(here)
}

/// Takes out ids of replaced resources, and items of lists that name them; single values that are the same in files and API stay.
fn strip(field: &FieldSpec, value: &mut Value, replaced: &BTreeSet<Address>) {
    let dead = |field: &FieldSpec, value: &Value| {
        let Value::String(name) = value else { return false };
        field.reference.iter().any(|kind| replaced.contains(&Address::new(kind, name)))
    };
    match (value, &field.shape) {
        (Value::Object(members), _) => {
            members.retain(|name, value| field.member(name).is_none_or(|member| !dead(member, value)));
            for (name, value) in members.iter_mut() {
                if let Some(member) = field.member(name) {
                    strip(member, value, replaced);
                }
            }
        }
        (Value::Array(items), Shape::List(item)) => {
            items.retain(|value| references(item, value).is_disjoint(replaced));
            items.iter_mut().for_each(|value| strip(item, value, replaced));
        }
        _ => {}
    }
}
