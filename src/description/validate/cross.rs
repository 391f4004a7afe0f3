//! Rules over several members or several kinds, as the annotations tell them.

use std::collections::BTreeMap;

use crate::model::{Desired, Loci, Locus, Path, Segment, Value};
use crate::problem::Problem;
use crate::schema::{FieldSpec, KindSpec, PartStep, Registry};

/// Reports members that another kind describes, with its address.
pub(super) fn elsewhere(spec: &KindSpec, value: &Value, keys: &Loci, problems: &mut Vec<Problem>) {
    for (member, address) in &spec.elsewhere {
        if value.get(member).is_some() {
            problems.push(
                Problem::error("described-elsewhere", format!("`{member}` of `{}` is described elsewhere", spec.name))
                    .at_maybe(keys.at(&Path::root().key(member)))
                    .help(format!("describe it as `{address}`")),
            );
        }
    }
}

/// Reports parts that exist only for resources with other values: SCIM for a strategy that has none.
pub(super) fn only(spec: &KindSpec, value: &Value, loci: &Loci, problems: &mut Vec<Problem>) {
    for part in spec.parts.iter().filter(|part| !part.only.is_empty()) {
        let Some(PartStep::Key(member)) = part.at.first() else { continue };
        if value.get(member).is_none_or(Value::is_blank) {
            continue;
        }
        for (condition, allowed) in &part.only {
            let Some(found) = value.get(condition).and_then(Value::as_str) else { continue };
            if allowed.iter().any(|allowed| allowed.as_str() == Some(found)) {
                continue;
            }
            let allowed: Vec<String> = allowed.iter().filter_map(|a| Some(format!("`{}`", a.as_str()?))).collect();
            problems.push(
                Problem::error(
                    "invalid-value",
                    format!("`{member}` of `{}` does not exist where `{condition}` is `{found}`", spec.name),
                )
                .at_maybe(loci.at(&Path::root().key(member)))
                .note(format!("it exists for {}", allowed.join(", ")))
                .help("remove it"),
            );
        }
    }
}

/// Notes what is larger than Auth0's published limits, which a contract may raise.
pub(super) fn limits(spec: &KindSpec, value: &Value, loci: &Loci, problems: &mut Vec<Problem>) {
    over(spec, &spec.fields, value, &Path::root(), loci, problems);
}

fn over(spec: &KindSpec, field: &FieldSpec, value: &Value, path: &Path, loci: &Loci, problems: &mut Vec<Problem>) {
    let size = match value {
        Value::Array(items) => items.len(),
        Value::String(text) => text.len(),
        _ => 0,
    };
    if let Some(limit) = field.limit
        && size as u64 > limit
    {
        let unit = if matches!(value, Value::Array(_)) { "items" } else { "bytes" };
        problems.push(
            Problem::remark(
                "over-limit",
                format!("`{path}` of `{}` has {size} {unit}, Auth0 allows {limit}", spec.name),
            )
            .at_maybe(loci.at(path))
            .note("a contract may allow more"),
        );
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(member) = field.member(key) {
                    over(spec, member, value, &path.key(key), loci, problems);
                }
            }
        }
        Value::Array(items) => {
            let Some(item) = field.item() else { return };
            for (n, value) in items.iter().enumerate() {
                over(spec, item, value, &path.index(n), loci, problems);
            }
        }
        _ => {}
    }
}

/// Reports names that two kinds share and may not: a database and another connection of one name.
pub(super) fn shared_names(desired: &Desired, registry: &Registry, problems: &mut Vec<Problem>) {
    for (kind, described) in &desired.kinds {
        let Some(other) = registry.kind(kind).and_then(|spec| spec.shares.as_ref()) else { continue };
        // Each pair is looked at once.
        if other < kind {
            continue;
        }
        let Some(others) = desired.kinds.get(other) else { continue };
        let place = |loci: &Loci| -> Option<Locus> { loci.at(&Path(vec![Segment::Key("name".to_owned())])).cloned() };
        let names: BTreeMap<_, _> = described.resources.iter().map(|r| (r.address.name.clone(), r)).collect();
        for resource in &others.resources {
            let Some(first) = names.get(&resource.address.name) else { continue };
            let mut problem = Problem::error(
                "duplicate-name",
                format!("`{}` and `{}` have one name, which both kinds share", first.address, resource.address),
            )
            .at_maybe(place(&resource.loci).as_ref());
            if let Some(first) = place(&first.loci) {
                problem = problem.label(&first, "first here");
            }
            problems.push(problem.help("rename one of them"));
        }
    }
}
