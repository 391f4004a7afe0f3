//! Raw answers → live resources in the form people write them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::codec::{Names, address_of, decode, decode_field, sub_rows};
use crate::model::{Address, Live, LiveKind, LiveResource, Map, Path, Segment, Unavailable, Value};
use crate::quirk;
use crate::schema::{KindSpec, Registry, Shape, SystemRule};

/// What was read of one resource.
#[derive(Clone)]
pub(super) struct RawResource {
    /// The API's object, parts put in their places, with the rows of sub-resources.
    pub(super) raw: Json,
    /// Name of a place, for kinds whose resources live inside other objects.
    pub(super) place: Option<String>,
    /// Members that could not be read.
    pub(super) unreadable: Vec<(String, Unavailable)>,
}

/// What is known of the token that read.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The deployer's client.
    pub(super) client_id: Option<String>,
    /// Its scopes, where the token says them.
    pub(super) scopes: Option<Vec<String>>,
}

/// What was read of one kind.
pub(super) type RawKind<T = RawResource> = Result<Vec<T>, Unavailable>;

/// How what was read of a resource is kept until all of the tenant has been read.
pub(super) trait Kept: Sized {
    /// Takes it.
    fn keep(resource: RawResource) -> Self;
    /// Shows it again.
    fn open(&self) -> Cow<'_, RawResource>;
    /// Gives it back.
    fn into_raw(self) -> RawResource;
}

impl Kept for RawResource {
    fn keep(resource: RawResource) -> Self {
        resource
    }

    fn open(&self) -> Cow<'_, RawResource> {
        Cow::Borrowed(self)
    }

    fn into_raw(self) -> RawResource {
        self
    }
}

/// Puts raw answers together, kind by kind. Names are found first, because references are shown by them.
pub(super) fn assemble(
    registry: &Registry,
    raw: IndexMap<String, RawKind>,
    domain: &str,
    token: &Token,
) -> (Live, Names) {
    let names = names_of(registry, &raw);
    let mut live = Live { domain: domain.to_owned(), ..Live::default() };
    for (kind, found) in raw {
        let Some(spec) = registry.kind(&kind) else { continue };
        let kind_live = match found {
            Ok(found) => LiveKind::Read(resources(spec, found, &names, token)),
            Err(why) => LiveKind::Unavailable(why),
        };
        live.kinds.insert(kind, kind_live);
    }
    (live, names)
}

/// Finds the names of what was read.
pub(super) fn names_of<T: Kept>(registry: &Registry, raw: &IndexMap<String, RawKind<T>>) -> Names {
    let mut names = Names::default();
    // Twice: identities may hold references themselves (a grant is named after its client).
    for _ in 0..2 {
        let mut next = Names::default();
        for (kind, found) in raw {
            let (Some(spec), Ok(found)) = (registry.kind(kind), found) else { continue };
            for resource in found.iter().map(T::open) {
                let address = address(spec, &resource, &names);
                if let (Some(id), Some(name)) = (id_of(spec, &resource.raw), address.and_then(|a| a.name)) {
                    next.insert(kind, &id, &name);
                }
            }
        }
        names = next;
    }
    names
}

/// Turns the API's own objects, as a backup keeps them, into resources again. What lives inside other objects is left out: its name is
/// not in its object. Members that only some scopes show count as unreadable where they are missing.
pub fn of_objects(registry: &Registry, objects: BTreeMap<String, Vec<Json>>) -> Live {
    let row = |raw| RawResource { raw, place: None, unreadable: Vec::new() };
    let is_whole = |kind: &str| registry.kind(kind).is_some_and(|spec| spec.places.is_empty());
    let found = objects.into_iter().filter(|(kind, _)| is_whole(kind));
    let raw = found.map(|(kind, rows)| (kind, Ok(rows.into_iter().map(row).collect()))).collect();
    assemble(registry, raw, "", &Token { client_id: None, scopes: None }).0
}

/// Decodes a resource; `None` for one that has no name.
pub(super) fn resource(spec: &KindSpec, resource: RawResource, names: &Names, token: &Token) -> Option<LiveResource> {
    let address = address(spec, &resource, names)?;
    let value = value(spec, &resource, names);
    let own = spec.own.as_ref().and_then(|m| resource.raw.get(m)).and_then(Json::as_str);
    let system = if own.is_some() && own == token.client_id.as_deref() {
        Some("own".to_owned())
    } else {
        spec.system.iter().find(|rule| is_system(rule, &resource.raw)).map(|rule| rule.why.clone())
    };
    let RawResource { raw, mut unreadable, .. } = resource;
    for (member, scope) in &spec.gated {
        let lacks = token.scopes.as_ref().is_none_or(|scopes| !scopes.contains(scope));
        if lacks && raw.get(member).is_none() {
            unreadable.push((member.clone(), Unavailable::Scope(vec![scope.clone()])));
        }
    }
    let id = id_of(spec, &raw).unwrap_or_default();
    Some(LiveResource { address, id, value, raw: raw.into(), system, unreadable })
}

/// Returns the address of a resource before it is told apart, and its id.
pub(super) fn named(spec: &KindSpec, resource: &RawResource, names: &Names) -> Option<(Address, String)> {
    Some((address(spec, resource, names)?, id_of(spec, &resource.raw).unwrap_or_default()))
}

fn resources(spec: &KindSpec, found: Vec<RawResource>, names: &Names, token: &Token) -> Vec<LiveResource> {
    let mut out: Vec<LiveResource> =
        found.into_iter().filter_map(|found| resource(spec, found, names, token)).collect();
    told_apart(out.iter_mut().map(|resource| (&mut resource.address, &resource.id)).collect());
    out
}

/// Tells names that repeat apart by id.
pub(super) fn told_apart(found: Vec<(&mut Address, &String)>) {
    let (mut seen, mut repeated) = (HashSet::new(), HashSet::new());
    for (address, _) in &found {
        if !seen.insert((**address).clone()) {
            repeated.insert((**address).clone());
        }
    }
    drop(seen);
    for (address, id) in found.into_iter().filter(|(address, _)| repeated.contains(*address)) {
        address.id = Some(id.clone());
    }
}

fn is_system(rule: &SystemRule, raw: &Json) -> bool {
    match (raw.get(&rule.member), &rule.equals, &rule.matches) {
        (Some(found), Some(wanted), _) => found == wanted,
        (Some(found), None, Some(pattern)) => found.as_str().is_some_and(|text| pattern.is_match(text)),
        (Some(found), None, None) => !found.is_null(),
        (None, _, _) => false,
    }
}

fn id_of(spec: &KindSpec, raw: &Json) -> Option<String> {
    raw.get(spec.id.as_ref()?).and_then(Json::as_str).map(str::to_owned)
}

fn address(spec: &KindSpec, resource: &RawResource, names: &Names) -> Option<Address> {
    if let Some(place) = &resource.place {
        return Some(Address::new(&spec.name, place));
    }
    let value = value(spec, resource, names);
    address_of(spec, value.as_object()?)
}

fn value(spec: &KindSpec, resource: &RawResource, names: &Names) -> Value {
    let mut value = match &resource.place {
        Some(name) => placed(spec, name, &resource.raw),
        None => decode(spec, &resource.raw, names),
    };
    if let Value::Object(members) = &mut value {
        for (path, field) in spec.subs() {
            let Some(sub) = &field.sub else { continue };
            let rows = sub_rows(&resource.raw, &path.to_string());
            let (Some(rows), Shape::List(item)) = (rows, &field.shape) else { continue };
            let items = rows.iter().map(|row| match &sub.item {
                Some(member) => decode_field(item, row.get(member).unwrap_or(&Json::Null), names),
                None => decode_field(item, row, names),
            });
            insert_at(members, &path, Value::Array(items.collect()));
        }
        quirk::of(spec).decode(&resource.raw, members, names);
    }
    value
}

/// Returns a resource that lives inside another object, with its members' names in files.
fn placed(spec: &KindSpec, name: &str, raw: &Json) -> Value {
    let mut members = Map::new();
    if let Some(identity) = spec.identity.first() {
        members.insert(identity.clone(), Value::from(name));
    }
    let place = spec.places.get(name);
    for (member, field) in spec.fields.members() {
        if field.read_only || field.skip || field.alias.is_some() || spec.identity.contains(member) {
            continue;
        }
        let api = match place {
            Some(place) if !place.members.is_empty() => place.members.get(member),
            _ => Some(member),
        };
        if let Some(found) = api.and_then(|api| raw.get(api)) {
            members.insert(member.clone(), Value::from_json(found));
        }
    }
    Value::Object(members)
}

/// Sets a member inside nested objects, made where they are missing.
fn insert_at(members: &mut Map, path: &Path, value: Value) {
    let keys: Vec<&String> =
        path.0.iter().filter_map(|s| if let Segment::Key(key) = s { Some(key) } else { None }).collect();
    let Some((last, init)) = keys.split_last() else { return };
    let mut here = members;
    for key in init {
        let next = here.entry((*key).clone()).or_insert_with(Value::object);
        let Value::Object(inner) = next else { return };
        here = inner;
    }
    here.insert((*last).clone(), value);
}
