//! Scopes that the API they are of does not define: Auth0 refuses them one request at a time, in the middle of an apply.

use std::collections::BTreeSet;

use crate::model::{Described, Desired, Live, LiveResource, Map, Path, Value};
use crate::problem::{Problem, closest};
use crate::schema::{FieldSpec, Registry, ScopeOf};

/// Most scopes that a message lists.
const MOST_LISTED: usize = 10;

/// A use of a scope: which resource is to define it, how, and where it is written.
struct Use<'a> {
    of: &'a ScopeOf,
    kinds: &'a [String],
    owner: &'a str,
    scope: &'a str,
    path: Path,
}

/// Returns `unknown-scope` for each scope whose API is known and does not define it. What is live already passes.
pub(super) fn undefined(registry: &Registry, desired: &Desired, live: &Live) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (kind, described) in &desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &described.resources {
            let mut wanted = Vec::new();
            uses(&spec.fields, &resource.value, &mut Vec::new(), &Path::root(), &mut wanted);
            if wanted.is_empty() {
                continue;
            }
            let mut had = Vec::new();
            let same = live.resources(kind).iter().find(|found| found.address == resource.address);
            if let Some(found) = same {
                uses(&spec.fields, &found.value, &mut Vec::new(), &Path::root(), &mut had);
            }
            let had: BTreeSet<(&str, &str)> = had.iter().map(|u| (u.owner, u.scope)).collect();
            for wanted in wanted.iter().filter(|wanted| !had.contains(&(wanted.owner, wanted.scope))) {
                let Some(defined) = defined(wanted, desired, live) else { continue };
                if !defined.contains(wanted.scope) {
                    problems.push(problem(resource, wanted, &defined));
                }
            }
        }
    }
    problems
}

/// Collects every scope with the name of what is to define it: the nearest member of that name around it.
fn uses<'a>(
    field: &'a FieldSpec,
    value: &'a Value,
    around: &mut Vec<(&'a FieldSpec, &'a Map)>,
    path: &Path,
    out: &mut Vec<Use<'a>>,
) {
    match value {
        Value::String(scope) => {
            let Some(of) = &field.scope_of else { return };
            let owner = around.iter().rev().find_map(|(spec, members)| {
                let name = members.get(&of.member)?.as_str()?;
                let spec = spec.member(&of.member)?;
                let kinds = if spec.reference.is_empty() { &spec.literal_reference } else { &spec.reference };
                Some((kinds.as_slice(), name))
            });
            if let Some((kinds, owner)) = owner {
                out.push(Use { of, kinds, owner, scope, path: path.clone() });
            }
        }
        Value::Array(items) => {
            let Some(item) = field.item() else { return };
            for (n, value) in items.iter().enumerate() {
                uses(item, value, around, &path.index(n), out);
            }
        }
        Value::Object(members) => {
            around.push((field, members));
            for (key, value) in members {
                if let Some(member) = field.member(key) {
                    uses(member, value, around, &path.key(key), out);
                }
            }
            around.pop();
        }
        _ => {}
    }
}

/// Returns what the resource defines once the plan is applied; `None` where that cannot be told.
fn defined<'a>(wanted: &Use<'_>, desired: &'a Desired, live: &'a Live) -> Option<BTreeSet<&'a str>> {
    let named = |name: Option<&str>, id: Option<&str>| name == Some(wanted.owner) || id == Some(wanted.owner);
    let described = wanted.kinds.iter().filter_map(|kind| desired.kinds.get(kind)).flat_map(|d| &d.resources);
    let described = described.clone().find(|r| named(r.address.name.as_deref(), r.id.as_deref()));
    let mut found = wanted.kinds.iter().flat_map(|kind| live.resources(kind));
    let found: Option<&LiveResource> = found.find(|r| named(r.address.name.as_deref(), Some(&r.id)));
    let (written, there) =
        (described.and_then(|r| r.value.get(&wanted.of.list)), found.and_then(|r| r.value.get(&wanted.of.list)));
    let list = match (written, there, described, found) {
        (Some(list), ..) | (None, Some(list), ..) => list.as_array()?,
        // A resource of Auth0's may keep its list to itself.
        (None, None, _, Some(found)) if found.system.is_some() => return None,
        (None, None, None, None) => return None,
        (None, None, ..) => return Some(BTreeSet::new()),
    };
    // An item whose name is not known yet may be any.
    list.iter().map(|item| item.get(&wanted.of.key)?.as_str()).collect()
}

fn problem(resource: &Described, wanted: &Use<'_>, defined: &BTreeSet<&str>) -> Problem {
    let kind = wanted.kinds.first().map(String::as_str).unwrap_or_default();
    let locus = resource.loci.at(&wanted.path).or_else(|| resource.loci.at(&Path::root()));
    let problem =
        Problem::error("unknown-scope", format!("`{}` does not define the scope `{}`", wanted.owner, wanted.scope))
            .at_maybe(locus);
    let list = defined.iter().take(MOST_LISTED).map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ");
    let problem = match defined.len() {
        0 => problem.note("it defines none"),
        n if n > MOST_LISTED => problem.note(format!("it defines {list} and {} more", n - MOST_LISTED)),
        _ => problem.note(format!("it defines {list}")),
    };
    match closest(wanted.scope, defined.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("add it to `{}` of the API under `{kind}`, or take it out here", wanted.of.list)),
    }
}
