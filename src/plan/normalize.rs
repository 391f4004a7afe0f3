//! Brings described resources into the form live ones are decoded to, and checks what they refer to.

use super::order::collect;
use crate::codec::{Names, address_of};
use crate::model::{Described, Desired, Live, LiveKind, Map, Path, Secret, Value};
use crate::problem::{Problem, closest};
use crate::quirk;
use crate::schema::{FieldSpec, KindSpec, Registry, Shape, names_secret};

/// Returns the names of all live resources, for references.
pub fn own_names(registry: &Registry, live: &Live) -> Names {
    let mut names = Names::default();
    for spec in registry.kinds() {
        for resource in live.resources(&spec.name) {
            if let Some(name) = &resource.address.name {
                names.insert(&spec.name, &resource.id, name);
            }
        }
    }
    names
}

/// Brings every described resource into canonical form.
///
/// # Errors
///
/// Returns `unknown-reference` for each name that is neither described nor live, `ambiguous-reference` for each
/// that several live resources share, and `unknown-scope` for each scope that its API does not define.
pub fn complete(registry: &Registry, desired: &mut Desired, live: &Live, names: &Names) -> Vec<Problem> {
    for (kind, described) in &mut desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &mut described.resources {
            if let Value::Object(members) = &mut resource.value {
                canonical(&spec.fields, members);
                quirk::of(spec).canonical(members);
                names_for_ids(&spec.fields, &mut resource.value, names);
            }
        }
    }
    for spec in registry.kinds() {
        if desired.kinds.contains_key(&spec.name) {
            quirk::of(spec).complete(desired, live);
        }
    }
    for (kind, described) in &mut desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &mut described.resources {
            if let Some(name) = resource.value.as_object().and_then(|m| address_of(spec, m)).and_then(|a| a.name) {
                resource.address.name = Some(name);
            }
            mask(&spec.fields, &mut resource.value, false);
        }
    }
    let mut problems = check(registry, desired, live, names);
    problems.extend(super::scope::undefined(registry, desired, live));
    problems
}

/// Moves older spellings to the member they mean and drops what the server sets.
fn canonical(spec: &FieldSpec, members: &mut Map) {
    let aliases: Vec<(String, String)> =
        members.keys().filter_map(|name| Some((name.clone(), spec.member(name)?.alias.clone()?))).collect();
    for (old, new) in aliases {
        if let Some(value) = members.shift_remove(&old) {
            put(members, &new, value);
        }
    }
    members.retain(|name, _| spec.member(name).is_none_or(|m| !m.read_only && !m.skip && !m.owned));
    for (name, value) in members.iter_mut() {
        let Some(member) = spec.member(name) else { continue };
        match value {
            Value::Object(inner) => canonical(member, inner),
            Value::Array(items) => {
                if let Shape::List(item) = &member.shape {
                    for inner in items.iter_mut().filter_map(Value::as_object_mut) {
                        canonical(item, inner);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Sets `a.b`, unless it is there: where both spellings are written the newer one counts.
fn put(members: &mut Map, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            members.entry(path.to_owned()).or_insert(value);
        }
        Some((first, rest)) => {
            if let Value::Object(inner) = members.entry(first.to_owned()).or_insert_with(Value::object) {
                put(inner, rest, value);
            }
        }
    }
}

/// Replaces ids that stand where a name belongs by the name, as auth0-deploy-cli accepts both.
fn names_for_ids(spec: &FieldSpec, value: &mut Value, names: &Names) {
    match value {
        Value::String(text) if !spec.reference.is_empty() => {
            if names.ids(&spec.reference, text).is_empty()
                && let Some(name) = names.name(&spec.reference, text)
            {
                *text = name.to_owned();
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if let Some(spec) = spec.member(name) {
                    names_for_ids(spec, member, names);
                }
            }
        }
        Value::Array(items) => {
            if let Shape::List(item) = &spec.shape {
                items.iter_mut().for_each(|value| names_for_ids(item, value, names));
            }
        }
        _ => {}
    }
}

/// Makes a secret of every text that stands where a secret belongs, whoever wrote it there: nothing prints it any more.
fn mask(spec: &FieldSpec, value: &mut Value, inside: bool) {
    let secret = inside || spec.secret;
    match value {
        Value::String(text) if secret && !text.is_empty() => {
            *value = Value::Secret(Secret::new(std::mem::take(text), "the description"));
        }
        // A password of digits alone, unquoted.
        Value::Number(number) if secret => {
            *value = Value::Secret(Secret::new(number.to_string(), "the description"));
        }
        Value::Bool(truth) if secret => {
            *value = Value::Secret(Secret::new(truth.to_string(), "the description"));
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match spec.member(name) {
                    Some(spec) => mask(spec, member, secret),
                    // As what is read: the name says it where no schema does.
                    None => {
                        mask(&FieldSpec::default(), member, secret || member.as_str().is_some() && names_secret(name))
                    }
                }
            }
        }
        Value::Array(items) => {
            let anything = FieldSpec::default();
            let item = spec.item().unwrap_or(&anything);
            items.iter_mut().for_each(|value| mask(item, value, secret));
        }
        _ => {}
    }
}

/// Finds a reference to a kind without a schema: its id cannot be looked up, so what holds it cannot be written.
pub(super) fn foreign(registry: &Registry, spec: &KindSpec, resource: &Described) -> Option<(String, String)> {
    foreign_in(registry, &spec.fields, &resource.value)
}

/// As [`foreign`], inside one value.
pub(super) fn foreign_in(registry: &Registry, spec: &FieldSpec, value: &Value) -> Option<(String, String)> {
    let mut found = None;
    collect(spec, value, &mut |field, name| {
        let mut kinds = field.reference.iter().chain(&field.literal_reference);
        let unknown = kinds.clone().all(|kind| registry.kind(kind).is_none());
        if let (true, false, Some(kind)) = (unknown, name.is_empty(), kinds.next()) {
            found.get_or_insert((kind.clone(), name.to_owned()));
        }
    });
    found
}

fn check(registry: &Registry, desired: &Desired, live: &Live, names: &Names) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (kind, described) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in described.resources.iter().filter(|r| foreign(registry, spec, r).is_none()) {
            let mut missing: Vec<(Vec<String>, String, bool)> = Vec::new();
            collect(&spec.fields, &resource.value, &mut |field, name| {
                let literal = field.reference.is_empty();
                let kinds = if literal { &field.literal_reference } else { &field.reference };
                let described = kinds.iter().any(|k| {
                    desired.kinds.get(k).is_some_and(|d| {
                        d.resources
                            .iter()
                            .any(|r| r.address.name.as_deref() == Some(name) || r.id.as_deref() == Some(name))
                    })
                });
                let unknown = kinds.iter().any(|k| !matches!(live.kinds.get(k), Some(LiveKind::Read(_))));
                let ids = names.ids(kinds, name);
                let several = !literal && !described && ids.len() > 1;
                if several
                    || (!described && !unknown && ids.is_empty() && !names.has_id(kinds, name) && !name.is_empty())
                {
                    missing.push((kinds.clone(), name.to_owned(), several));
                }
            });
            missing.dedup();
            for (kinds, name, several) in missing {
                problems.push(reference_problem(desired, names, resource, &kinds, &name, several));
            }
        }
    }
    problems
}

fn reference_problem(
    desired: &Desired,
    names: &Names,
    resource: &Described,
    kinds: &[String],
    name: &str,
    several: bool,
) -> Problem {
    let locus = find_text(&resource.value, name, &Path::root()).and_then(|path| resource.loci.at(&path).cloned());
    let locus = locus.or_else(|| resource.loci.at(&Path::root()).cloned());
    if several {
        return Problem::error(
            "ambiguous-reference",
            format!("several live `{}` are called `{name}`", kinds.join("` or `")),
        )
        .at_maybe(locus.as_ref())
        .note(format!("ids: {}", names.ids(kinds, name).join(", ")))
        .help("write the id in place of the name");
    }
    let described = kinds.iter().filter_map(|k| desired.kinds.get(k)).flat_map(|d| &d.resources);
    let known: Vec<&str> = described.filter_map(|r| r.address.name.as_deref()).chain(names.all(kinds)).collect();
    let problem = Problem::error(
        "unknown-reference",
        format!("`{}` refers to `{name}`, which is neither described nor live", resource.address),
    )
    .at_maybe(locus.as_ref());
    match closest(name, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("describe it under `{}`, or correct the name", kinds.join("` or `"))),
    }
}

/// Finds where a text stands inside a value.
fn find_text(value: &Value, text: &str, path: &Path) -> Option<Path> {
    match value {
        Value::String(found) if found == text => Some(path.clone()),
        Value::Object(members) => members.iter().find_map(|(k, v)| find_text(v, text, &path.key(k))),
        Value::Array(items) => items.iter().enumerate().find_map(|(n, v)| find_text(v, text, &path.index(n))),
        _ => None,
    }
}
