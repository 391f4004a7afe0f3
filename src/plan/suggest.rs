//! Renamed in the files without a `moved` entry: a delete and a create that are one resource under two names.

use std::collections::BTreeSet;

use super::diff::same_leaves;
use crate::change::{Action, Change, Plan};
use crate::model::{Address, Described, Desired, Live, LiveResource, Value};
use crate::problem::Problem;
use crate::schema::{KindSpec, Registry};

/// Fewest members beside its name that have to be equal for a resource to be taken for another one.
const FEWEST: usize = 2;

/// Suggests a `moved` entry for each pair of a delete and a create of one kind that agree in most of what is described. Where several
/// could be meant nothing is suggested.
pub(super) fn renamed(registry: &Registry, plan: &Plan, desired: &Desired, live: &Live) -> Vec<Problem> {
    let of = |action: Action| plan.changes.iter().filter(move |change| change.action == action);
    let mut out = Vec::new();
    let kinds: BTreeSet<&str> = of(Action::Delete).map(|change| change.address.kind.as_str()).collect();
    for spec in kinds.into_iter().filter_map(|kind| registry.kind(kind)) {
        let gone: Vec<&LiveResource> = of(Action::Delete).filter_map(|change| deleted(spec, change, live)).collect();
        let made: Vec<&Described> = of(Action::Create).filter_map(|change| created(spec, change, desired)).collect();
        let alike = |gone: &LiveResource, made: &Described| is_alike(spec, &gone.value, &made.value);
        for old in &gone {
            let mut candidates = made.iter().filter(|new| alike(old, new));
            let (Some(new), None) = (candidates.next(), candidates.next()) else { continue };
            if gone.iter().filter(|other| alike(other, new)).count() == 1 {
                out.push(suggestion(&old.address, &new.address));
            }
        }
    }
    out
}

fn deleted<'a>(spec: &KindSpec, change: &Change, live: &'a Live) -> Option<&'a LiveResource> {
    let id = change.id.as_ref().filter(|_| change.address.kind == spec.name)?;
    live.resources(&spec.name).iter().find(|resource| resource.id == *id)
}

fn created<'a>(spec: &KindSpec, change: &Change, desired: &'a Desired) -> Option<&'a Described> {
    if change.address.kind != spec.name {
        return None;
    }
    desired.kinds.get(&spec.name)?.resources.iter().find(|resource| resource.address == change.address)
}

/// Says whether most of what is described is live, the name aside. Secrets count for nothing: nobody may know what they are.
fn is_alike(spec: &KindSpec, live: &Value, described: &Value) -> bool {
    let members = described.as_object().into_iter().flatten();
    let members = members.filter(|(name, value)| !spec.identity.contains(name) && !value.is_blank());
    let told: Vec<bool> =
        members.filter_map(|(name, value)| same_leaves(spec.fields.member(name)?, value, live.get(name)?)).collect();
    let all = described.as_object().map_or(0, |members| {
        members.iter().filter(|(name, value)| !spec.identity.contains(*name) && !value.is_blank()).count()
    });
    let equal = told.iter().filter(|same| **same).count();
    equal >= FEWEST.min(all) && equal * 2 > all && equal > 0
}

fn suggestion(from: &Address, to: &Address) -> Problem {
    let entry = format!("- {{ from: {}, to: {} }}", quoted(from), quoted(to));
    let title = format!("`{to}` looks like `{from}` under another name: `{entry}` under `moved` keeps it");
    Problem::remark("renamed", title)
        .note("without an entry under `moved` it is deleted and made anew, with another id")
        .help(format!("if it is the same, add it to tenantry.yaml under `moved:` {entry}"))
}

/// Writes an address as YAML, whatever stands in it.
fn quoted(address: &Address) -> String {
    serde_json::Value::String(address.to_string()).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::{Options, make};
    use super::*;
    use crate::model::{Base, BaseResource, LiveKind, Loci};

    const THINGS: &str = "x-tenantry: {identity: [name], id: id, list: {path: /t, style: array}, delete: {method: DELETE, path: \"/t/{id}\"}, \
                          create: {method: POST, path: /t}}\nproperties: {name: {}, a: {}, b: {}, c: {}}";

    /// What is suggested where `live` things are ours and `files` describe others.
    fn told(live: &[serde_json::Value], files: &[serde_json::Value]) -> Vec<String> {
        let registry = Registry::of(&[("things", THINGS)]);
        let (mut tenant, mut desired, mut base) = (Live::default(), Desired::default(), Base::default());
        let mut found = Vec::new();
        for (n, json) in live.iter().enumerate() {
            let value = Value::from_json(json);
            let address = Address::new("things", json["name"].as_str().unwrap());
            let left = BaseResource { id: n.to_string(), desired: value.clone(), live: value.clone() };
            base.resources.insert(address.clone(), left);
            let (raw, unreadable) = (json.clone().into(), Vec::new());
            found.push(LiveResource { address, id: n.to_string(), value, raw, system: None, unreadable });
        }
        tenant.kinds.insert("things".to_owned(), LiveKind::Read(found));
        let kind = desired.kinds.entry("things".to_owned()).or_default();
        for json in files {
            let address = Address::new("things", json["name"].as_str().unwrap());
            let (value, loci) = (Value::from_json(json), Loci::default());
            kind.resources.push(Described { address, id: None, value, loci });
        }
        let plan = make(&registry, &desired, &tenant, Some(&base), &Options::default());
        plan.notes.iter().filter(|note| note.id == "renamed").map(|note| note.help[0].clone()).collect()
    }

    #[test]
    fn one_resource_under_two_names_is_suggested() {
        let old = json!({"name": "Shop", "a": 1, "b": 2, "c": 3});
        let said = told(std::slice::from_ref(&old), &[json!({"name": "Storefront", "a": 1, "b": 2, "c": 4})]);
        let entry = "- { from: \"things/Shop\", to: \"things/Storefront\" }";
        assert_eq!(said, [format!("if it is the same, add it to tenantry.yaml under `moved:` {entry}")]);
        assert_eq!(told(&[old], &[json!({"name": "Other", "a": 9, "b": 8, "c": 3})]), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_suggested_where_several_could_be_meant() {
        let like = |name: &str| json!({"name": name, "a": 1, "b": 2});
        assert_eq!(told(&[like("Shop")], &[like("One"), like("Two")]), Vec::<String>::new());
        assert_eq!(told(&[like("Shop"), like("Store")], &[like("One")]), Vec::<String>::new());
        assert_eq!(told(&[like("Shop")], &[json!({"name": "Bare"})]), Vec::<String>::new());
    }
}
