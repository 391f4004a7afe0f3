//! Which live resource stands for which of the archive's: ids of another tenant, names that repeat, references to what is not
//! restored.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::Objects;
use crate::codec::Names;
use crate::model::{Address, Base, Described, Desired, Live, LiveResource, Loci, Locus, Path, Value};
use crate::plan::diff;
use crate::schema::{FieldSpec, KindSpec, Registry};

/// What was found of the archive's ids.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// For names that repeat: kind and id in the archive to the live id.
    pub ids: BTreeMap<(String, String), String>,
}

/// A reference that was left out: what it leads to is not restored and not live.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// Where it stood.
    pub address: Address,
    /// Where in it.
    pub path: Path,
    /// What it leads to.
    pub to: Address,
}

/// Takes out ids that this tenant does not have, so that names count, and finds for names that repeat the live resource each
/// stands for: the one a deployment made of it, else the one that differs least.
pub fn settle(registry: &Registry, desired: &mut Desired, live: &Live, base: Option<&Base>) -> Settled {
    let mut settled = Settled::default();
    for (kind, described) in &mut desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        let found = live.resources(kind);
        let is_live = |id: &str| found.iter().any(|live| live.id == id);
        let stays = stays(&described.resources, found);
        let mut taken: BTreeSet<String> = stays.iter().cloned().collect();
        let mut open = Vec::new();
        for (at, resource) in described.resources.iter_mut().enumerate() {
            let Some(id) = resource.id.clone().filter(|id| !stays.contains(id)) else { continue };
            if resource.address.id.is_none() {
                resource.id = None;
                continue;
            }
            let left = base.and_then(|base| base.resources.get(&resource.address)).map(|left| left.id.clone());
            match left.filter(|left| is_live(left) && !taken.contains(left)) {
                Some(left) => {
                    taken.insert(left.clone());
                    rename(resource, &left);
                    settled.ids.insert((kind.clone(), id), left);
                }
                None => open.push(at),
            }
        }
        for (at, new) in likest(spec, &described.resources, &open, found, &taken) {
            let Some(resource) = described.resources.get_mut(at) else { continue };
            let Some(old) = resource.id.clone() else { continue };
            rename(resource, &new);
            settled.ids.insert((kind.clone(), old), new);
        }
    }
    if !settled.ids.is_empty() {
        for (kind, described) in &mut desired.kinds {
            let Some(spec) = registry.kind(kind) else { continue };
            for resource in &mut described.resources {
                follow(&spec.fields, &mut resource.value, &settled.ids);
            }
        }
    }
    settled
}

/// Returns the ids that stand for the same resource as in the archive: the live one still has its name, or was renamed. An id whose
/// bearer is called like something else that is described, or beside which its own name lives on, is another tenant's.
fn stays(described: &[Described], found: &[LiveResource]) -> BTreeSet<String> {
    let names: BTreeSet<&Option<String>> = described.iter().map(|resource| &resource.address.name).collect();
    let live_names: BTreeSet<&Option<String>> = found.iter().map(|live| &live.address.name).collect();
    let by_id: BTreeMap<&str, &LiveResource> = found.iter().map(|live| (live.id.as_str(), live)).collect();
    let same = |resource: &&Described| {
        let live = resource.id.as_deref().and_then(|id| by_id.get(id));
        live.is_some_and(|live| {
            let name = &resource.address.name;
            live.address.name == *name || (!live_names.contains(name) && !names.contains(&live.address.name))
        })
    };
    described.iter().filter(same).filter_map(|resource| resource.id.clone()).collect()
}

fn rename(resource: &mut Described, id: &str) {
    resource.id = Some(id.to_owned());
    resource.address.id = Some(id.to_owned());
}

/// Pairs resources of one name with live ones of that name, those that differ least first.
fn likest(
    spec: &KindSpec,
    described: &[Described],
    open: &[usize],
    found: &[LiveResource],
    taken: &BTreeSet<String>,
) -> Vec<(usize, String)> {
    let mut pairs: Vec<(usize, usize, &str)> = Vec::new();
    for (at, resource) in open.iter().filter_map(|at| Some((*at, described.get(*at)?))) {
        let named = |live: &&LiveResource| live.address.name == resource.address.name && !taken.contains(&live.id);
        for live in found.iter().filter(|live| live.system.is_none()).filter(named) {
            let differences = diff(&spec.fields, &resource.value, &live.value, &Loci::default());
            pairs.push((differences.fields.len() + differences.create_only.len(), at, &live.id));
        }
    }
    pairs.sort();
    let (mut done, mut used) = (BTreeSet::new(), BTreeSet::new());
    let mut out = Vec::new();
    for (_, at, id) in pairs {
        if !done.contains(&at) && !used.contains(id) {
            done.insert(at);
            used.insert(id);
            out.push((at, id.to_owned()));
        }
    }
    out
}

/// Replaces ids of the archive by live ones where they refer.
fn follow(spec: &FieldSpec, value: &mut Value, ids: &BTreeMap<(String, String), String>) {
    match value {
        Value::String(text) => {
            let new = spec.reference.iter().find_map(|kind| ids.get(&(kind.clone(), text.clone())));
            if let Some(new) = new {
                *text = new.clone();
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if let Some(spec) = spec.member(name) {
                    follow(spec, member, ids);
                }
            }
        }
        Value::Array(items) => {
            if let Some(item) = spec.item() {
                items.iter_mut().for_each(|value| follow(item, value, ids));
            }
        }
        _ => {}
    }
}

/// Takes out of lists what leads to a resource that the archive knows and does not restore (another tenant's deployer), where this
/// tenant has none of that name. What this environment leaves alone (`left_alone`) is looked for as ever.
pub fn without_left_out(
    registry: &Registry,
    desired: &mut Desired,
    objects: &Objects,
    names: &Names,
    left_alone: &[Address],
) -> Vec<LeftOut> {
    let kinds: BTreeSet<&str> = desired.kinds.keys().map(String::as_str).collect();
    let mut described: BTreeSet<Address> = left_alone.iter().cloned().collect();
    for resource in desired.kinds.values().flat_map(|kind| &kind.resources) {
        described.insert(Address { id: None, ..resource.address.clone() });
    }
    let mut gone: BTreeMap<(String, String), Address> = BTreeMap::new();
    for object in objects.left_out(&kinds, &described) {
        let kind = object.address.kind.clone();
        let is_live = |text: &str| {
            !names.ids(std::slice::from_ref(&kind), text).is_empty() || names.has_id(std::slice::from_ref(&kind), text)
        };
        for text in [object.address.name.as_deref().unwrap_or_default(), object.id.as_str()] {
            if !text.is_empty() && !is_live(text) {
                gone.insert((kind.clone(), text.to_owned()), object.address.clone());
            }
        }
    }
    let mut out = Vec::new();
    if gone.is_empty() {
        return out;
    }
    for (kind, described) in &mut desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &mut described.resources {
            let address = resource.address.clone();
            prune(&spec.fields, &mut resource.value, &Path::root(), &gone, &mut |path, to| {
                out.push(LeftOut { address: address.clone(), path, to });
            });
        }
    }
    out
}

fn prune(
    spec: &FieldSpec,
    value: &mut Value,
    path: &Path,
    gone: &BTreeMap<(String, String), Address>,
    tell: &mut dyn FnMut(Path, Address),
) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if let Some(spec) = spec.member(name) {
                    prune(spec, member, &path.key(name), gone, tell);
                }
            }
        }
        Value::Array(items) => {
            let Some(item) = spec.item() else { return };
            items.retain(|value| match leads_to(item, value, gone) {
                Some(to) => {
                    tell(path.clone(), to.clone());
                    false
                }
                None => true,
            });
            items.iter_mut().enumerate().for_each(|(n, value)| prune(item, value, &path.index(n), gone, tell));
        }
        _ => {}
    }
}

/// Returns what an item of a list leads to, where that is gone: the item itself, or a member of it.
fn leads_to<'g>(spec: &FieldSpec, value: &Value, gone: &'g BTreeMap<(String, String), Address>) -> Option<&'g Address> {
    match value {
        Value::String(text) => spec.reference.iter().find_map(|kind| gone.get(&(kind.clone(), text.clone()))),
        Value::Object(members) => members.iter().find_map(|(name, member)| match member {
            Value::String(_) => leads_to(spec.member(name)?, member, gone),
            _ => None,
        }),
        _ => None,
    }
}

/// Replaces the identifier of the Management API of one tenant by that of another, wherever a text is exactly that. Returns where.
///
/// It is `https://DOMAIN/api/v2/` (Management API reference, "Get access tokens", 2026-11).
pub fn management_api(desired: &mut Desired, from: &str, to: &str) -> Vec<(Address, Option<Locus>)> {
    let (old, new) = (format!("https://{from}/api/v2/"), format!("https://{to}/api/v2/"));
    let mut out = Vec::new();
    if from == to {
        return out;
    }
    for resource in desired.kinds.values_mut().flat_map(|kind| &mut kind.resources) {
        let mut found = None;
        replace(&mut resource.value, &Path::root(), &old, &new, &mut |path| {
            found.get_or_insert(path.clone());
        });
        if let Some(path) = found {
            out.push((resource.address.clone(), resource.loci.at(&path).cloned()));
        }
    }
    out
}

fn replace(value: &mut Value, path: &Path, old: &str, new: &str, tell: &mut dyn FnMut(&Path)) {
    match value {
        Value::String(text) if text == old => {
            new.clone_into(text);
            tell(path);
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                replace(member, &path.key(name), old, new, tell);
            }
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().for_each(|(n, item)| replace(item, &path.index(n), old, new, tell));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::model::{BaseResource, LiveKind};

    const THINGS: &str = "x-tenantry: {identity: [name], id: id}\nproperties: {name: {}, id: {readOnly: true}, note: {}, to: {x-ref: things}, all: {items: {x-ref: things}}}";

    fn registry() -> Registry {
        Registry::of(&[("things", THINGS)])
    }

    fn described(name: &str, id: &str, twin: bool, members: serde_json::Value) -> Described {
        let address = Address::new("things", name);
        let address = if twin { address.with_id(id) } else { address };
        Described { address, id: Some(id.to_owned()), value: Value::from_json(&members), loci: Loci::default() }
    }

    fn live(resources: &[(&str, &str, &str)]) -> Live {
        let of = |(name, id, note): &(&str, &str, &str)| LiveResource {
            address: Address::new("things", name),
            id: (*id).to_owned(),
            value: Value::from_json(&json!({"name": name, "note": note})),
            raw: json!({}).into(),
            system: None,
            unreadable: Vec::new(),
        };
        let mut live = Live::default();
        live.kinds.insert("things".to_owned(), LiveKind::Read(resources.iter().map(of).collect()));
        live
    }

    fn desired(resources: Vec<Described>) -> Desired {
        let mut desired = Desired::default();
        desired.kinds.entry("things".to_owned()).or_default().resources = resources;
        desired
    }

    fn ids(desired: &Desired) -> Vec<Option<&str>> {
        desired.kinds["things"].resources.iter().map(|resource| resource.id.as_deref()).collect()
    }

    #[test]
    fn an_id_counts_where_its_bearer_is_the_same_resource() {
        let one = |name: &str| desired(vec![described(name, "1", false, json!({"name": name}))]);
        let settled = |mut wanted: Desired, there: &[(&str, &str, &str)]| {
            settle(&registry(), &mut wanted, &live(there), None);
            ids(&wanted).first().copied().flatten().map(str::to_owned)
        };
        assert_eq!(settled(one("a"), &[("a", "1", "")]).as_deref(), Some("1"));
        assert_eq!(settled(one("a"), &[("renamed", "1", "")]).as_deref(), Some("1"), "renamed since");
        assert_eq!(settled(one("a"), &[("b", "1", ""), ("a", "2", "")]), None, "another tenant's id");
        assert_eq!(settled(one("a"), &[]), None);
    }

    #[test]
    fn names_that_repeat_go_to_what_differs_least_and_references_follow() {
        let twin = |id, note| described("shop", id, true, json!({"name": "shop", "note": note}));
        let other = described("other", "9", false, json!({"name": "other", "to": "1", "all": ["2"]}));
        let mut wanted = desired(vec![twin("1", "one"), twin("2", "two"), other]);
        let settled = settle(&registry(), &mut wanted, &live(&[("shop", "x", "two"), ("shop", "y", "one")]), None);
        assert_eq!(ids(&wanted), [Some("y"), Some("x"), None]);
        assert_eq!(
            wanted.kinds["things"].resources[2].value.redacted(),
            json!({"name": "other", "to": "y", "all": ["x"]})
        );
        assert_eq!(settled.ids.len(), 2);
    }

    #[test]
    fn what_a_deployment_made_of_a_name_that_repeats_counts_before_likeness() {
        let mut wanted = desired(vec![described("shop", "1", true, json!({"name": "shop", "note": "one"}))]);
        let mut base = Base::default();
        let left = BaseResource { id: "x".to_owned(), desired: Value::object(), live: Value::object() };
        base.resources.insert(Address::new("things", "shop").with_id("1"), left);
        settle(&registry(), &mut wanted, &live(&[("shop", "x", "other"), ("shop", "y", "one")]), Some(&base));
        assert_eq!(ids(&wanted), [Some("x")]);
    }

    #[test]
    fn lists_lose_what_is_not_restored_and_nothing_else() {
        let rows = json!([{"name": "robot", "id": "r1"}, {"name": "kept", "id": "k1"}]);
        let rows = BTreeMap::from([("things".to_owned(), rows.as_array().unwrap().clone())]);
        let objects = Objects::read(&registry(), &rows);
        let kept = || described("kept", "k1", false, json!({"name": "kept", "all": ["robot", "kept", "stranger"]}));
        let mut wanted = desired(vec![kept()]);
        let out = without_left_out(&registry(), &mut wanted, &objects, &Names::default(), &[]);
        assert_eq!(out.len(), 1);
        assert_eq!(
            wanted.kinds["things"].resources[0].value.get("all").unwrap().redacted(),
            json!(["kept", "stranger"])
        );
        // Who is there by that name is meant.
        let mut names = Names::default();
        names.insert("things", "other", "robot");
        let mut wanted = desired(vec![kept()]);
        assert!(without_left_out(&registry(), &mut wanted, &objects, &names, &[]).is_empty());
    }

    #[test]
    fn the_management_api_is_replaced_where_a_text_is_exactly_that() {
        let text = "https://a.example/api/v2/";
        let value = json!({"name": text, "note": format!("see {text}"), "all": [text]});
        let mut wanted = desired(vec![described("x", "1", false, value)]);
        assert_eq!(management_api(&mut wanted, "a.example", "b.example").len(), 1);
        let new = "https://b.example/api/v2/";
        let value = &wanted.kinds["things"].resources[0].value;
        assert_eq!(value.redacted(), json!({"name": new, "note": format!("see {text}"), "all": [new]}));
        assert!(management_api(&mut wanted, "b.example", "b.example").is_empty());
    }
}
