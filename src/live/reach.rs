//! How much of the tenant is read, and which kinds that takes.

use std::collections::BTreeSet;

use crate::model::{Desired, Value};
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// How much of the tenant is read.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// What is described, and what it refers to.
    Described(&'a Desired),
    /// Everything of these kinds.
    Whole(&'a BTreeSet<String>),
    /// Everything of some kinds; of the others what is described, and what it refers to.
    Both(&'a Desired, &'a BTreeSet<String>),
}

impl<'a> Reach<'a> {
    /// Returns how much of one kind is read: what is described, or everything.
    pub(super) fn of(self, kind: &str) -> Reach<'a> {
        match self {
            Reach::Both(_, whole) if whole.contains(kind) => Reach::Whole(whole),
            Reach::Both(desired, _) => Reach::Described(desired),
            other => other,
        }
    }
}

/// Returns described kinds, those they refer to, and those the API deletes along.
pub(super) fn needed<'r>(registry: &'r Registry, desired: &Desired) -> Vec<&'r KindSpec> {
    let mut names = BTreeSet::new();
    for (kind, described) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        names.insert(kind.clone());
        names.extend(spec.cascades.iter().map(|c| c.kind.clone()));
        for resource in &described.resources {
            referred(&spec.fields, &resource.value, &mut names);
        }
        names.extend(crate::quirk::of(spec).needs().iter().map(|kind| (*kind).to_owned()));
    }
    // A grant's name holds its client's.
    for spec in registry.kinds().filter(|spec| names.contains(&spec.name)).collect::<Vec<_>>() {
        for member in &spec.identity {
            names.extend(spec.field(member).into_iter().flat_map(|f| f.reference.iter().cloned()));
        }
    }
    registry.kinds().filter(|spec| names.contains(&spec.name)).collect()
}

fn referred(field: &FieldSpec, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if !text.is_empty() => {
            names.extend(field.reference.iter().chain(&field.literal_reference).cloned());
        }
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(member) = field.member(name) {
                    referred(member, value, names);
                }
            }
        }
        Value::Array(items) => {
            if let Shape::List(item) = &field.shape {
                // An empty list refers too: what is live in it has to be named.
                names.extend(item.reference.iter().cloned());
                for (_, member) in item.members() {
                    names.extend(member.reference.iter().cloned());
                }
                items.iter().for_each(|value| referred(item, value, names));
            }
        }
        _ => {}
    }
}
