//! Asks the tenant.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use futures_util::future::{join_all, try_join_all};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::assemble::{RawKind, RawResource, SUB_ROWS, Token, assemble};
use crate::api::{Client, Failure, ListStyle, encode_segment};
use crate::codec::{Names, address_of, decode};
use crate::model::{Described, Desired, Live, Map, Unavailable, Value};
use crate::problem::Problem;
use crate::schema::{
    AllValues, Endpoint, FieldSpec, KindShape, KindSpec, ListEndpoint, ListPaging, Part, PartStep, Registry, Shape,
    SubSpec,
};

/// How much of the tenant is read.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// What is described, and what it refers to.
    Described(&'a Desired),
    /// Everything of these kinds.
    Whole(&'a BTreeSet<String>),
}

/// Reads the live tenant.
///
/// # Errors
///
/// Returns the first failure that is neither a missing scope nor a missing feature.
pub async fn read(client: &Client, registry: &Registry, reach: Reach<'_>) -> Result<(Live, Names), Problem> {
    let reader = Reader { client, reach, cache: Mutex::default() };
    let kinds: Vec<&KindSpec> = match reach {
        Reach::Described(desired) => needed(registry, desired),
        Reach::Whole(kinds) => registry.kinds().filter(|spec| kinds.contains(&spec.name)).collect(),
    };
    let found = try_join_all(kinds.into_iter().map(|spec| async {
        let raw = reader.kind(spec).await.map_err(|failure| failure.problem())?;
        Ok::<_, Problem>((spec.name.clone(), raw))
    }))
    .await?;
    let raw: IndexMap<String, RawKind> = found.into_iter().collect();
    Ok(assemble(registry, raw, client.domain(), Token { client_id: client.client_id(), scopes: client.scopes() }))
}

/// Returns described kinds, those they refer to, and those the API deletes along.
fn needed<'r>(registry: &'r Registry, desired: &Desired) -> Vec<&'r KindSpec> {
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

type Cached = Arc<OnceCell<Result<Json, Failure>>>;

struct Reader<'a> {
    client: &'a Client,
    reach: Reach<'a>,
    /// Answers of single reads, which several kinds may share.
    cache: Mutex<HashMap<String, Cached>>,
}

impl Reader<'_> {
    async fn kind(&self, spec: &KindSpec) -> Result<RawKind, Failure> {
        let found = self.whole_kind(spec).await;
        match found {
            Ok(found) => Ok(Ok(found)),
            Err(failure) => unavailable(&failure, spec.optional).map(Err).ok_or(failure),
        }
    }

    async fn whole_kind(&self, spec: &KindSpec) -> Result<Vec<RawResource>, Failure> {
        if !spec.places.is_empty() {
            return self.places(spec).await;
        }
        if !spec.names.is_empty() {
            return self.named(spec).await;
        }
        if spec.shape == KindShape::Single {
            return Ok(self.single(spec).await?.into_iter().collect());
        }
        let Some(list) = &spec.list else { return Ok(Vec::new()) };
        let rows = self.list(list, &list.path).await?;
        let rows = rows.into_iter().filter(|row| {
            !list.exclude.iter().any(|(member, values)| row.get(member).is_some_and(|v| values.contains(v)))
        });
        try_join_all(rows.map(|row| self.resource(spec, row))).await
    }

    /// Reads what a list row leaves out: details and described sub-resources.
    async fn resource(&self, spec: &KindSpec, row: Json) -> Result<RawResource, Failure> {
        let id = spec.id.as_ref().and_then(|id| row.get(id)).and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut raw = row;
        let described = self.described(spec, &raw, &id);
        if spec.detail
            && let (Some(get), true) = (&spec.get, self.is_whole() || described.is_some())
        {
            raw = self.get(get, &get.path.replace("{id}", &encode_segment(&id))).await?;
        }
        let mut unreadable = Vec::new();
        let subs: Vec<(String, &SubSpec)> = spec
            .subs()
            .into_iter()
            .filter(|(path, _)| {
                self.is_whole() && path.0.len() == 1 || described.is_some_and(|d| holds(&d.value, path))
            })
            .filter_map(|(path, field)| Some((path.to_string(), field.sub.as_deref()?)))
            .collect();
        let lists = join_all(subs.iter().map(|(_, sub)| {
            let path = fill(&sub.list.path, &id, &raw);
            async move { self.list(&sub.list, &path).await }
        }))
        .await;
        for ((name, sub), rows) in subs.into_iter().zip(lists) {
            match rows {
                Ok(rows) => put_rows(&mut raw, &name, rows),
                Err(failure) => match unavailable(&failure, sub.optional) {
                    Some(why) => unreadable.push((name, why)),
                    None => return Err(failure),
                },
            }
        }
        let parts: Vec<&Part> = spec.parts.iter().filter(|part| applies(part, &raw)).collect();
        for part in parts {
            let [PartStep::Key(member)] = part.at.as_slice() else { continue };
            if !self.is_whole() && described.is_none_or(|d| d.value.get(member).is_none()) {
                continue;
            }
            match self.part_of(part, &id).await {
                Ok(Some(found)) => put(&mut raw, &[(PartStep::Key(member.clone()), member.clone())], found),
                Ok(None) => {}
                Err(failure) => match unavailable(&failure, part.optional) {
                    Some(why) => unreadable.push((member.clone(), why)),
                    None => return Err(failure),
                },
            }
        }
        for (name, path) in crate::quirk::of(spec).further_reads(&raw) {
            let wanted = self.is_whole() || described.is_some();
            if wanted {
                match self.list(&ARRAY, &fill(&path, &id, &raw)).await {
                    Ok(rows) => put_rows(&mut raw, name, rows),
                    Err(failure) => match unavailable(&failure, false) {
                        Some(why) => unreadable.push((name.to_owned(), why)),
                        None => return Err(failure),
                    },
                }
            }
        }
        Ok(RawResource { raw, place: None, unreadable })
    }

    /// Reads a part of one resource of a collection: from the list over all of them, where there is one.
    async fn part_of(&self, part: &Part, id: &str) -> Result<Option<Json>, Failure> {
        if let Some((list, member)) = &part.bulk {
            let rows = self.cached_list(list).await?;
            let row = rows.as_array().into_iter().flatten().find(|r| r.get(member).and_then(Json::as_str) == Some(id));
            return Ok(row.cloned());
        }
        let Some(get) = &part.get else { return Ok(None) };
        match self.get(get, &get.path.replace("{id}", &encode_segment(id))).await {
            Ok(found) => Ok(Some(found)),
            Err(failure) if status(&failure).is_some_and(|s| get.absent.contains(&s)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn single(&self, spec: &KindSpec) -> Result<Option<RawResource>, Failure> {
        let mut raw = json!({});
        if let Some(get) = &spec.get {
            match self.get(get, &get.path).await {
                Ok(found) => raw = found,
                Err(failure) if status(&failure).is_some_and(|s| spec.absent.contains(&s)) => return Ok(None),
                Err(failure) => return Err(failure),
            }
        }
        let mut unreadable = Vec::new();
        for part in &spec.parts {
            self.part(spec, part, &mut raw, &mut unreadable).await?;
        }
        Ok(Some(RawResource { raw, place: None, unreadable }))
    }

    async fn part(
        &self,
        spec: &KindSpec,
        part: &Part,
        raw: &mut Json,
        unreadable: &mut Vec<(String, Unavailable)>,
    ) -> Result<(), Failure> {
        let instances = self.instances(spec, part).await?;
        // One list tells them all, so it need not be known beforehand which there are.
        if instances.is_empty() && !(part.bulk.is_some() && self.wants(spec, part)) {
            return Ok(());
        }
        if let Some(needed) = &part.needs
            && !self.has_any(needed).await?
        {
            let why = Unavailable::Feature(format!("the tenant has no `{needed}`"));
            if let Some(PartStep::Key(member)) = part.at.first() {
                unreadable.push((member.clone(), why));
            }
            return Ok(());
        }
        if let Some((list, _)) = &part.bulk {
            let rows = match self.list(list, &list.path).await {
                Ok(rows) => rows,
                Err(failure) => return note(unreadable, part, &failure).ok_or(failure),
            };
            for row in rows {
                let steps: Option<Vec<(PartStep, String)>> = part
                    .at
                    .iter()
                    .map(|step| match step {
                        PartStep::Key(key) | PartStep::Item(key) => Some((step.clone(), key.clone())),
                        PartStep::Capture(name) => Some((step.clone(), row.get(name)?.as_str()?.to_owned())),
                    })
                    .collect();
                if let Some(steps) = steps {
                    put(raw, &steps, row);
                }
            }
            return Ok(());
        }
        let Some(get) = &part.get else { return Ok(()) };
        let answers = join_all(instances.iter().map(|steps| {
            let path = steps.iter().fold(get.path.clone(), |path, (step, value)| match step {
                PartStep::Capture(name) => path.replace(&format!("{{{name}}}"), &encode_segment(value)),
                _ => path,
            });
            async move {
                match &part.list_style() {
                    Some(list) => self.list(list, &path).await.map(Json::Array),
                    None => self.get(get, &path).await,
                }
            }
        }))
        .await;
        for (steps, answer) in instances.iter().zip(answers) {
            match answer {
                Ok(found) => {
                    let mut value = get.wrap.as_ref().and_then(|w| found.get(w)).cloned().unwrap_or(found);
                    if let (Some(member), Some((PartStep::Item(name), _))) = (&part.item, steps.last()) {
                        let key = part_key(spec, part);
                        value = json!({key: name, member: value});
                    }
                    put(raw, steps, value);
                }
                Err(failure) if status(&failure).is_some_and(|s| get.absent.contains(&s)) => {}
                Err(failure) => {
                    if note(unreadable, part, &failure).is_none() {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(())
    }

    /// Says whether anything of a part is to be read.
    fn wants(&self, spec: &KindSpec, part: &Part) -> bool {
        let Reach::Described(desired) = self.reach else { return true };
        let resource = desired.kinds.get(&spec.name).and_then(|described| described.resources.first());
        let Some(PartStep::Key(member)) = part.at.first() else { return false };
        resource.is_some_and(|resource| resource.value.get(member).is_some())
    }

    /// Finds which values of a part are to be read.
    async fn instances(&self, spec: &KindSpec, part: &Part) -> Result<Vec<Vec<(PartStep, String)>>, Failure> {
        let described = match self.reach {
            Reach::Described(desired) => {
                let resource = desired.kinds.get(&spec.name).and_then(|d| d.resources.first());
                match resource {
                    Some(resource) => Some(&resource.value),
                    None => return Ok(Vec::new()),
                }
            }
            Reach::Whole(_) => None,
        };
        let mut found: Vec<(Vec<(PartStep, String)>, Option<&Value>)> = vec![(Vec::new(), described)];
        for step in &part.at {
            let mut next = Vec::new();
            for (steps, value) in found {
                let values: Vec<String> = match (step, value) {
                    (PartStep::Key(key), Some(Value::Object(map))) if !map.contains_key(key) => Vec::new(),
                    (PartStep::Item(key), Some(Value::Array(items))) if !items.iter().any(|i| names(i, key)) => {
                        Vec::new()
                    }
                    (PartStep::Key(key) | PartStep::Item(key), _) => vec![key.clone()],
                    (PartStep::Capture(_), Some(Value::Object(map))) => map.keys().cloned().collect(),
                    (PartStep::Capture(_), Some(_)) => Vec::new(),
                    (PartStep::Capture(name), None) => self.all_values(part, name).await?,
                };
                for text in values {
                    let inner = value.map(|v| match v {
                        Value::Object(map) => map.get(&text).unwrap_or(&Value::Null),
                        other => other,
                    });
                    let mut steps = steps.clone();
                    steps.push((step.clone(), text));
                    next.push((steps, inner));
                }
            }
            found = next;
        }
        Ok(found.into_iter().map(|(steps, _)| steps).collect())
    }

    async fn all_values(&self, part: &Part, capture: &str) -> Result<Vec<String>, Failure> {
        match part.all.get(capture) {
            Some(AllValues::Fixed(values)) => Ok(values.clone()),
            Some(AllValues::Member(kind, member)) => {
                let Some(get) = Registry::get().kind(kind).and_then(|k| k.get.as_ref()) else { return Ok(Vec::new()) };
                let found = self.get(get, &get.path).await?;
                let values = found.get(member).and_then(Json::as_array).into_iter().flatten();
                Ok(values.filter_map(Json::as_str).map(str::to_owned).collect())
            }
            Some(AllValues::Listed(list, member, conditions)) => {
                let rows = self.list(list, &list.path).await?;
                let fits = |row: &&Json| conditions.iter().all(|(m, v)| row.get(m).is_none_or(|found| found == v));
                let mut values: Vec<String> =
                    rows.iter().filter(fits).filter_map(|r| r.get(member)?.as_str().map(str::to_owned)).collect();
                values.sort();
                values.dedup();
                Ok(values)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Says whether the tenant has anything of a kind that Tenantry may not describe yet (custom domains).
    async fn has_any(&self, kind: &str) -> Result<bool, Failure> {
        let path = match kind {
            "customDomains" => "/custom-domains",
            other => Registry::get().kind(other).and_then(|k| k.list.as_ref()).map_or("", |list| list.path.as_str()),
        };
        if path.is_empty() {
            return Ok(true);
        }
        let cell = self.cell(format!("any {path}"));
        let found = cell.get_or_init(|| self.client.get(path, &[])).await.clone();
        match found {
            Ok(Json::Array(rows)) => Ok(!rows.is_empty()),
            Ok(other) => {
                Ok(other.as_object().is_some_and(|m| m.values().any(|v| v.as_array().is_some_and(|a| !a.is_empty()))))
            }
            Err(failure) if unavailable(&failure, true).is_some() => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn named(&self, spec: &KindSpec) -> Result<Vec<RawResource>, Failure> {
        let Some(get) = &spec.get else { return Ok(Vec::new()) };
        let Some(identity) = spec.identity.first() else { return Ok(Vec::new()) };
        let wanted: Vec<&String> = match self.reach {
            Reach::Described(_) => spec.names.iter().filter(|name| self.describes(spec, name)).collect(),
            Reach::Whole(_) => spec.names.iter().collect(),
        };
        let answers = join_all(wanted.iter().map(|name| {
            let path = get.path.replace(&format!("{{{identity}}}"), &encode_segment(name));
            async move { self.get(get, &path).await }
        }))
        .await;
        let mut out = Vec::new();
        for (name, answer) in wanted.into_iter().zip(answers) {
            match answer {
                Ok(mut raw) => {
                    if let Json::Object(members) = &mut raw {
                        members.entry(identity.clone()).or_insert_with(|| Json::String(name.clone()));
                    }
                    out.push(RawResource { raw, place: None, unreadable: Vec::new() });
                }
                Err(failure) if status(&failure).is_some_and(|s| spec.absent.contains(&s)) => {}
                Err(failure) if status(&failure).is_some_and(|s| lacks(spec, name, s)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(out)
    }

    async fn places(&self, spec: &KindSpec) -> Result<Vec<RawResource>, Failure> {
        let mut out = Vec::new();
        for (name, place) in &spec.places {
            if !self.is_whole() && !self.describes(spec, name) {
                continue;
            }
            let mut found = self.get(&place.get, &place.get.path).await?;
            if place.pick_first {
                let rows = match found {
                    Json::Array(rows) => rows,
                    Json::Object(members) => {
                        members.into_iter().find_map(|(_, v)| v.as_array().cloned()).unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                found = rows.into_iter().next().unwrap_or(Json::Null);
            }
            let raw = match &place.at {
                Some(member) => found.get(member).cloned().unwrap_or_else(|| json!({})),
                None => found,
            };
            out.push(RawResource { raw, place: Some(name.clone()), unreadable: Vec::new() });
        }
        Ok(out)
    }

    fn is_whole(&self) -> bool {
        matches!(self.reach, Reach::Whole(_))
    }

    fn describes(&self, spec: &KindSpec, name: &str) -> bool {
        match self.reach {
            Reach::Described(desired) => desired
                .kinds
                .get(&spec.name)
                .is_some_and(|d| d.resources.iter().any(|r| r.address.name.as_deref() == Some(name))),
            Reach::Whole(_) => true,
        }
    }

    /// Returns what is described of a live row, by id or identity.
    fn described(&self, spec: &KindSpec, raw: &Json, id: &str) -> Option<&Described> {
        let Reach::Described(desired) = self.reach else { return None };
        let empty = Map::new();
        let live = decode(spec, raw, &Names::default());
        let name = address_of(spec, live.as_object().unwrap_or(&empty)).and_then(|a| a.name);
        desired
            .kinds
            .get(&spec.name)?
            .resources
            .iter()
            .find(|r| r.id.as_deref() == Some(id) || (name.is_some() && r.address.name == name))
    }

    /// Reads a list once, however many ask.
    async fn cached_list(&self, list: &ListEndpoint) -> Result<Json, Failure> {
        let cell = self.cell(format!("list {}", list.path));
        cell.get_or_init(|| async { self.list(list, &list.path).await.map(Json::Array) }).await.clone()
    }

    fn cell(&self, key: String) -> Cached {
        match self.cache.lock() {
            Ok(mut cache) => Arc::clone(cache.entry(key).or_default()),
            Err(poisoned) => Arc::clone(poisoned.into_inner().entry(key).or_default()),
        }
    }

    async fn get(&self, endpoint: &Endpoint, path: &str) -> Result<Json, Failure> {
        let key = format!("{path}?{:?}", endpoint.query);
        let cell = self.cell(key);
        let query: Vec<(&str, &str)> = endpoint.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        cell.get_or_init(|| self.client.get(path, &query)).await.clone()
    }

    async fn list(&self, list: &ListEndpoint, path: &str) -> Result<Vec<Json>, Failure> {
        let query: Vec<(&str, &str)> = list.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.client.list(path, &query, &style(list)).await
    }
}

/// Says whether a described value has something at a path of members.
fn holds(value: &Value, path: &crate::model::Path) -> bool {
    let mut keys = path.0.iter().filter_map(|s| if let crate::model::Segment::Key(key) = s { Some(key) } else { None });
    keys.try_fold(value, |here, key| here.get(key)).is_some()
}

/// Says whether a resource can have a part.
fn applies(part: &Part, raw: &Json) -> bool {
    part.only.iter().all(|(member, values)| raw.get(member).is_some_and(|found| values.contains(found)))
}

/// Says whether an item of a keyed list goes by a name.
fn names(item: &Value, name: &str) -> bool {
    item.as_object().is_some_and(|members| members.values().any(|v| v.as_str() == Some(name)))
}

/// A bare array without pages.
static ARRAY: ListEndpoint = ListEndpoint {
    path: String::new(),
    query: Vec::new(),
    paging: ListPaging::Array,
    rows: String::new(),
    max: 100,
    exclude: Vec::new(),
};

fn style(list: &ListEndpoint) -> ListStyle {
    let (rows, max) = (list.rows.clone(), list.max);
    match list.paging {
        ListPaging::Page => ListStyle::Page { rows, max },
        ListPaging::Checkpoint => ListStyle::Checkpoint { rows, max },
        ListPaging::PageCheckpoint => ListStyle::PageThenCheckpoint { rows, max },
        ListPaging::Envelope => ListStyle::Envelope { rows, max },
        ListPaging::Wrapped => ListStyle::Wrapped { rows },
        ListPaging::Array => ListStyle::Array,
    }
}

/// Returns the member by which items of a part's list are told apart.
fn part_key(spec: &KindSpec, part: &Part) -> String {
    let list = part.at.first().and_then(|step| match step {
        PartStep::Key(key) => spec.field(key),
        _ => None,
    });
    list.and_then(|l| l.key.first().cloned()).unwrap_or_else(|| "name".to_owned())
}

/// Fills `{id}` and `{member}` of a path from a raw object.
fn fill(path: &str, id: &str, raw: &Json) -> String {
    let mut out = path.replace("{id}", &encode_segment(id));
    for (member, value) in raw.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            out = out.replace(&format!("{{{member}}}"), &encode_segment(text));
        }
    }
    out
}

fn put_rows(raw: &mut Json, name: &str, rows: Vec<Json>) {
    if let Json::Object(members) = raw {
        let subs = members.entry(SUB_ROWS).or_insert_with(|| json!({}));
        if let Json::Object(subs) = subs {
            subs.insert(name.to_owned(), Json::Array(rows));
        }
    }
}

/// Puts a part's value where it belongs inside the raw object.
fn put(raw: &mut Json, steps: &[(PartStep, String)], value: Json) {
    let Some(((step, name), rest)) = steps.split_first() else {
        *raw = value;
        return;
    };
    match step {
        PartStep::Key(_) | PartStep::Capture(_) => {
            if !raw.is_object() {
                *raw = json!({});
            }
            if let Json::Object(members) = raw {
                put(members.entry(name.clone()).or_insert(Json::Null), rest, value);
            }
        }
        PartStep::Item(_) => {
            if !raw.is_array() {
                *raw = json!([]);
            }
            if let Json::Array(items) = raw {
                let mut item = Json::Null;
                put(&mut item, rest, value);
                items.push(item);
            }
        }
    }
}

fn status(failure: &Failure) -> Option<u16> {
    match failure {
        Failure::NotFound { .. } => Some(404),
        Failure::Refused { status, .. } | Failure::Feature { status, .. } => Some(*status),
        _ => None,
    }
}

/// Says whether a failure means "cannot be read" rather than "something is broken".
fn unavailable(failure: &Failure, optional: bool) -> Option<Unavailable> {
    match failure {
        Failure::Scope { needed, .. } => Some(Unavailable::Scope(needed.clone())),
        Failure::Feature { message, .. } => Some(Unavailable::Feature(message.clone())),
        Failure::NotFound { message, .. } if optional => Some(Unavailable::Feature(message.clone())),
        Failure::Refused { status: 501, message, .. } if optional => Some(Unavailable::Feature(message.clone())),
        _ => None,
    }
}

/// Says whether a status means that the plan lacks one name of a closed set.
fn lacks(spec: &KindSpec, name: &str, status: u16) -> bool {
    spec.unavailable.get(name).is_some_and(|statuses| statuses.contains(&status))
}

fn note(unreadable: &mut Vec<(String, Unavailable)>, part: &Part, failure: &Failure) -> Option<()> {
    let lacking = status(failure).is_some_and(|s| part.unavailable.contains(&s));
    let why = match (unavailable(failure, part.optional), failure) {
        (Some(why), _) => why,
        (None, Failure::Refused { message, .. } | Failure::NotFound { message, .. }) if lacking => {
            Unavailable::Feature(message.clone())
        }
        _ => return None,
    };
    let member = match part.at.first() {
        Some(PartStep::Key(key)) => key.clone(),
        _ => String::new(),
    };
    if !unreadable.iter().any(|(m, _)| *m == member) {
        unreadable.push((member, why));
    }
    Some(())
}
