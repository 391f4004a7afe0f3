//! Turns a change into the requests that make it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::diff::{item_name, key_of};
use crate::change::{Action, Change, FieldChange, Step, Wait};
use crate::codec::{Body, encode_field, encode_member, encode_members, overlay};
use crate::model::{Live, Map, Path, Segment, Value};
use crate::quirk::{self, Write};
use crate::schema::{Batch, Create, FieldSpec, KindSpec, Part, PartStep, Place, Shape, SubEndpoint, SubSpec, Verb};

/// Name of the raw object's member that holds the rows of sub-resources, by member.
pub(crate) const SUB_ROWS: &str = "$sub";

/// What a change is made from.
pub(super) struct Sides<'a> {
    /// Described members; empty for a delete.
    pub(super) desired: &'a Map,
    /// Live members; empty for a create.
    pub(super) live: &'a Map,
    /// The API's object; null for a create.
    pub(super) raw: &'a Json,
    /// Members to send although no difference was seen (secrets that cannot be compared).
    pub(super) forced: &'a [Path],
    /// All that was read of the tenant.
    pub(super) tenant: &'a Live,
}

/// Returns the requests of a change, in order.
pub(super) fn steps(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = match change.action {
        Action::Create => create(spec, change, sides),
        Action::Update => update(spec, change, sides),
        Action::Delete => delete(spec, false),
        Action::Replace => {
            let mut steps = delete(spec, true);
            let nothing = Map::new();
            let fresh =
                Sides { desired: sides.desired, live: &nothing, raw: &Json::Null, forced: &[], tenant: sides.tenant };
            steps.extend(create(spec, change, &fresh));
            steps
        }
    };
    let write = Write { spec, change, desired: sides.desired, live: sides.live, raw: sides.raw, tenant: sides.tenant };
    quirk::of(spec).steps(&write, &mut steps);
    steps
}

/// A name is free for the one that is made anew only when the deletion is over.
fn delete(spec: &KindSpec, again: bool) -> Vec<Step> {
    let Some(endpoint) = &spec.delete else { return Vec::new() };
    let mut step = Step::new(endpoint.method, endpoint.path.clone(), None);
    if spec.asynchronous_delete && again {
        step.after = Some(Wait::Gone);
    }
    vec![step]
}

fn create(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let main = |name: &str| !in_part(spec, name);
    let endpoint = spec.create.as_ref().or(spec.update.as_ref());
    if let Some(place) = place_of(spec, change) {
        steps.push(place_step(spec, place, sides.desired, sides.raw));
    } else if let Some(endpoint) = endpoint {
        let mut body = encode_members(&spec.fields, sides.desired, &|name, f| main(name) && !f.update_only);
        for needed in spec.fields.required_on_create.iter().filter(|needed| !sides.desired.contains_key(*needed)) {
            if let Some(default) = spec.field(needed).and_then(|f| f.default_in(sides.desired)) {
                body.set(needed, Body::Value(Value::from_json(default)));
            }
        }
        quirk::of(spec).body(&mut body, true);
        let mut step = write_step(spec, endpoint, sides.desired, body);
        step.creates = endpoint.method == Verb::Post;
        if let (Some(id), Some(name)) = (&spec.id, &change.address.name) {
            step.makes = Some((spec.name.clone(), name.clone(), id.clone()));
        }
        if step.body.as_ref().is_some_and(has_members) || spec.create.is_some() {
            steps.push(step);
        }
        let mut later = encode_members(&spec.fields, sides.desired, &|name, f| main(name) && f.update_only);
        quirk::of(spec).body(&mut later, false);
        if let (Some(endpoint), true) = (&spec.update, has_members(&later)) {
            steps.push(write_step(spec, endpoint, sides.desired, later));
        }
    }
    steps.extend(part_steps(spec, change, sides));
    steps.extend(sub_steps(spec, sides));
    steps
}

fn update(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let touched: BTreeSet<Path> =
        change.fields.iter().map(|f| f.path.clone()).chain(sides.forced.iter().cloned()).collect();
    if let Some(place) = place_of(spec, change) {
        steps.push(place_step(spec, place, sides.desired, sides.raw));
        return steps;
    }
    if let Some(endpoint) = &spec.update {
        let own: BTreeSet<Path> = touched.iter().filter(|p| !in_part_or_sub(spec, p)).cloned().collect();
        let mut body = if endpoint.method == Verb::Put {
            encode_members(&spec.fields, sides.desired, &|name, f| !in_part(spec, name) && !f.create_only)
        } else {
            patch(&spec.fields, sides.desired, sides.raw, &own, &Path::root())
        };
        quirk::of(spec).body(&mut body, false);
        if !own.is_empty() && has_members(&body) {
            steps.push(write_step(spec, endpoint, sides.desired, body));
        }
    }
    steps.extend(part_steps(spec, change, sides));
    steps.extend(sub_steps(spec, sides));
    steps
}

fn has_members(body: &Body) -> bool {
    !matches!(body, Body::Object(members) if members.is_empty())
}

fn write_step(spec: &KindSpec, endpoint: &Create, members: &Map, body: Body) -> Step {
    let path = fill_path(&spec.fields, &endpoint.path, members);
    Step::new(endpoint.method, path, Some(body.wrapped(endpoint.wrap.as_deref())))
}

/// Returns the body of a PATCH: of each changed member the whole new value, laid over the live one where the API replaces
/// it whole, member by member where it merges.
fn patch(spec: &FieldSpec, desired: &Map, raw: &Json, touched: &BTreeSet<Path>, at: &Path) -> Body {
    let mut out = Body::object();
    let depth = at.0.len();
    let mut names: Vec<&str> = Vec::new();
    for path in touched.iter().filter(|p| p.starts_with(at)) {
        if let Some(Segment::Key(name)) = path.0.get(depth)
            && !names.contains(&name.as_str())
        {
            names.push(name);
        }
    }
    let any = FieldSpec::default();
    for name in names {
        let member = spec.member(name).unwrap_or(&any);
        let unsent =
            member.create_only || member.read_only || member.in_path || member.step.is_some() || member.sub.is_some();
        if unsent {
            continue;
        }
        if let (Some(_), Some(hours @ Value::Number(_))) = (&member.hours, desired.get(name)) {
            let (minutes, body) = encode_member(name, member, hours);
            out.set(&minutes, body);
            continue;
        }
        let api_name = member.api.as_deref().unwrap_or(name);
        let live = raw.get(api_name);
        let here = at.key(name);
        let body = match (desired.get(name), live) {
            (None, _) => Body::Value(Value::Null),
            (Some(Value::Object(wanted)), Some(found @ Json::Object(_)))
                if member.merged && matches!(member.shape, Shape::Record { .. } | Shape::Map(_)) =>
            {
                patch(member, wanted, found, touched, &here)
            }
            (Some(wanted), live) => overlay(member, wanted, live),
        };
        out.set(api_name, body);
    }
    out
}

fn in_part(spec: &KindSpec, member: &str) -> bool {
    spec.parts.iter().any(|part| match part.at.first() {
        Some(PartStep::Key(key)) => key == member,
        Some(PartStep::Capture(_)) => true,
        _ => false,
    })
}

fn in_part_or_sub(spec: &KindSpec, path: &Path) -> bool {
    let Some(first) = path.first_key() else { return false };
    in_part(spec, first) || spec.field(first).is_some_and(|f| f.sub.is_some())
}

fn place_of<'a>(spec: &'a KindSpec, change: &Change) -> Option<&'a Place> {
    spec.places.get(change.address.name.as_deref()?)
}

fn place_step(spec: &KindSpec, place: &Place, desired: &Map, raw: &Json) -> Step {
    let mut body = Body::object();
    for (name, value) in desired.iter().filter(|(name, _)| !spec.identity.contains(name)) {
        let api = if place.members.is_empty() { Some(name) } else { place.members.get(name) };
        if let (Some(api), Some(field)) = (api, spec.field(name))
            && !(field.read_only || field.skip)
        {
            body.set(api, encode_member(name, field, value).1);
        }
    }
    if let (false, Some(_), Json::Object(live), Body::Object(sent)) = (place.merged, &place.at, raw, &mut body) {
        for (name, value) in live {
            sent.entry(name.clone()).or_insert_with(|| Body::Value(Value::from_json(value)));
        }
    }
    let mut path = place.update.path.clone();
    for (member, value) in raw.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            path = path.replace(&format!("{{{member}}}"), &encode_segment(text));
        }
    }
    let wrapped = body.wrapped(place.at.as_deref()).wrapped(place.update.wrap.as_deref());
    Step::new(place.update.method, path, Some(wrapped))
}

/// One value of a part: its place, and what its captures stand for.
struct Instance<'a> {
    path: Path,
    captures: Vec<(String, String)>,
    desired: Option<&'a Value>,
}

fn part_steps(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
    let touched: Vec<Path> = change.fields.iter().map(|f| f.path.clone()).chain(sides.forced.iter().cloned()).collect();
    let mut steps = Vec::new();
    for part in &spec.parts {
        let has = |(member, values): &(String, Vec<Json>)| {
            sides.desired.get(member).is_none_or(|value| values.contains(&value.redacted()))
        };
        if !part.only.iter().all(has) {
            continue;
        }
        for instance in instances(part, sides.desired, sides.live) {
            let hit = |p: &Path| p.starts_with(&instance.path) || instance.path.starts_with(p);
            let here: BTreeSet<Path> = touched.iter().filter(|p| hit(p)).cloned().collect();
            if here.is_empty() && change.action == Action::Update {
                continue;
            }
            if let Some(step) = part_step(spec, part, &instance, sides, &here) {
                steps.push(step);
            }
        }
    }
    steps
}

fn part_step(
    spec: &KindSpec,
    part: &Part,
    instance: &Instance<'_>,
    sides: &Sides<'_>,
    touched: &BTreeSet<Path>,
) -> Option<Step> {
    let mut field = field_at(&spec.fields, &instance.path);
    let raw = raw_at(sides.raw, &instance.path);
    let mut wanted = instance.desired.filter(|value| **value != Value::Null);
    if let Some(member) = &part.item {
        field = field.member(member).unwrap_or(field);
        wanted = wanted.and_then(|value| value.get(member));
    }
    let endpoint = match (wanted, raw.is_null(), &part.create, &part.delete) {
        (None, _, _, Some(delete)) => delete,
        (Some(_), true, Some(create), _) => create,
        _ => &part.update,
    };
    let mut body = match (wanted, endpoint.method) {
        (None, Verb::Delete) => None,
        // What is no longer described is emptied, which is all these endpoints offer.
        (None, _) if matches!(field.shape, Shape::List(_)) => Some(Body::Array(Vec::new())),
        (None, _) => Some(Body::object()),
        (Some(Value::Object(wanted)), Verb::Patch) if raw.is_object() && part.whole => {
            Some(overlay(field, &Value::Object(wanted.clone()), Some(raw)))
        }
        (Some(Value::Object(wanted)), Verb::Patch) if raw.is_object() && !part.replaces => {
            Some(patch(field, wanted, raw, touched, &instance.path))
        }
        (Some(wanted), _) => Some(encode_field(field, wanted)),
    };
    if let Some(body) = &mut body {
        if wanted.is_some() && matches!(body, Body::Object(m) if m.is_empty()) && endpoint.method == Verb::Patch {
            return None;
        }
        quirk::of(spec).body(body, false);
    }
    let mut path = endpoint.path.clone();
    for (name, value) in &instance.captures {
        path = path.replace(&format!("{{{name}}}"), &encode_segment(value));
    }
    let mut step = Step::new(endpoint.method, path, body.map(|b| b.wrapped(endpoint.wrap.as_deref())));
    step.creates = endpoint.method == Verb::Post;
    Some(step)
}

/// Finds every value of a part that is described, or live under a described map.
fn instances<'a>(part: &Part, desired: &'a Map, live: &'a Map) -> Vec<Instance<'a>> {
    let mut found = vec![Instance { path: Path::root(), captures: Vec::new(), desired: None }];
    let mut values: Vec<(Option<Level<'a>>, Option<Level<'a>>)> =
        vec![(Some(Level::Members(desired)), Some(Level::Members(live)))];
    for step in &part.at {
        let mut next = Vec::new();
        let mut next_values = Vec::new();
        for (instance, (wanted, lived)) in found.into_iter().zip(values) {
            let names: Vec<String> = match step {
                PartStep::Key(key) | PartStep::Item(key) => vec![key.clone()],
                PartStep::Capture(_) => {
                    let mut names: Vec<String> = wanted.iter().chain(lived.iter()).flat_map(Level::names).collect();
                    names.sort();
                    names.dedup();
                    names
                }
            };
            for name in names {
                let (w, l) = (wanted.as_ref().and_then(|v| v.get(&name)), lived.as_ref().and_then(|v| v.get(&name)));
                if w.is_none() && !(matches!(step, PartStep::Capture(_)) && l.is_some()) && instance.path.is_root() {
                    continue;
                }
                if w.is_none() && l.is_none() {
                    continue;
                }
                let mut captures = instance.captures.clone();
                if let PartStep::Capture(capture) = step {
                    captures.push((capture.clone(), name.clone()));
                }
                let path = if matches!(step, PartStep::Item(_)) {
                    instance.path.item(&name)
                } else {
                    instance.path.key(&name)
                };
                next.push(Instance { path, captures, desired: w });
                next_values.push((w.map(Level::of), l.map(Level::of)));
            }
        }
        found = next;
        values = next_values;
    }
    found
}

/// A value one can step into.
enum Level<'a> {
    Members(&'a Map),
    Items(&'a [Value]),
    Nothing,
}

impl<'a> Level<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Object(map) => Level::Members(map),
            Value::Array(items) => Level::Items(items),
            _ => Level::Nothing,
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Level::Members(map) => map.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        match self {
            Level::Members(map) => map.get(name),
            Level::Items(items) => {
                items.iter().find(|item| item.as_object().is_some_and(|m| m.values().any(|v| v.as_str() == Some(name))))
            }
            Level::Nothing => None,
        }
    }
}

fn field_at<'a>(spec: &'a FieldSpec, path: &Path) -> &'a FieldSpec {
    static ANY: std::sync::OnceLock<FieldSpec> = std::sync::OnceLock::new();
    let mut here = spec;
    for segment in &path.0 {
        let next = match segment {
            Segment::Key(key) => here.member(key),
            Segment::Index(_) | Segment::Item(_) => here.item(),
        };
        here = next.unwrap_or(ANY.get_or_init(FieldSpec::default));
    }
    here
}

fn raw_at<'a>(raw: &'a Json, path: &Path) -> &'a Json {
    let mut here = raw;
    for segment in &path.0 {
        let Segment::Key(key) = segment else { return &Json::Null };
        here = here.get(key).unwrap_or(&Json::Null);
    }
    here
}

fn member_at<'a>(members: &'a Map, path: &Path) -> Option<&'a Value> {
    let mut keys = path.0.iter().filter_map(|s| if let Segment::Key(key) = s { Some(key) } else { None });
    let first = members.get(keys.next()?)?;
    keys.try_fold(first, |here, key| here.get(key))
}

fn sub_steps(spec: &KindSpec, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (path, field) in spec.subs() {
        let (Some(sub), Some(Value::Array(wanted))) = (&field.sub, member_at(sides.desired, &path)) else { continue };
        let found = member_at(sides.live, &path).and_then(Value::as_array).unwrap_or_default();
        let rows = sides.raw.get(SUB_ROWS).and_then(|s| s.get(path.to_string())).and_then(Json::as_array);
        steps.extend(sub_list_steps(field, sub, wanted, found, rows.map(Vec::as_slice).unwrap_or_default()));
    }
    steps
}

/// Returns the requests that make a sub-resource list what is wanted: removals, changes, additions.
pub(crate) fn sub_list_steps(
    field: &FieldSpec,
    sub: &SubSpec,
    wanted: &[Value],
    found: &[Value],
    rows: &[Json],
) -> Vec<Step> {
    let name_of = |item: &Value| if field.key.is_empty() { item_name(item) } else { key_of(field, item) };
    let item_spec = field.item().cloned().unwrap_or_default();
    let mut removed = Vec::new();
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for (n, item) in found.iter().enumerate() {
        if !wanted.iter().any(|w| name_of(w) == name_of(item)) {
            removed.push((item, rows.get(n)));
        }
    }
    for item in wanted {
        match found.iter().position(|f| name_of(f) == name_of(item)) {
            None => added.push((item, None)),
            Some(at) => {
                let before = found.get(at).unwrap_or(item);
                let differs = !super::diff::diff(&item_spec, item, before, &Default::default()).fields.is_empty();
                match (differs, &sub.change) {
                    (true, Some(_)) => changed.push((item, rows.get(at))),
                    (true, None) => {
                        removed.push((before, rows.get(at)));
                        added.push((item, None));
                    }
                    (false, _) => {}
                }
            }
        }
    }
    if let Some(replace) = &sub.replace {
        if removed.is_empty() && added.is_empty() && changed.is_empty() {
            return Vec::new();
        }
        let all: Vec<(&Value, Option<&Json>)> = wanted.iter().map(|item| (item, None)).collect();
        let steps = sub_requests(&item_spec, sub, replace, &all, false);
        let emptied = || {
            Step::new(
                replace.method,
                replace.path.clone(),
                Some(Body::Array(Vec::new()).wrapped(replace.wrap.as_deref())),
            )
        };
        return if steps.is_empty() { vec![emptied()] } else { steps };
    }
    let mut steps = sub_requests(&item_spec, sub, &sub.remove, &removed, true);
    if let Some(change) = &sub.change {
        steps.extend(sub_requests(&item_spec, sub, change, &changed, false));
    }
    steps.extend(sub_requests(&item_spec, sub, &sub.add, &added, false));
    steps
}

fn sub_requests(
    spec: &FieldSpec,
    sub: &SubSpec,
    to: &SubEndpoint,
    items: &[(&Value, Option<&Json>)],
    removes: bool,
) -> Vec<Step> {
    let body_of = |item: &Value, creates: bool| -> Body {
        let encoded = match (item, &sub.item) {
            (Value::Object(members), _) => {
                let whole = encode_members(spec, members, &|_, f| creates || !f.create_only);
                match (&to.bare, whole) {
                    (Some(member), Body::Object(mut encoded)) => {
                        encoded.shift_remove(member).unwrap_or(Body::Value(Value::Null))
                    }
                    (_, whole) => whole,
                }
            }
            (scalar, Some(member)) if to.bare.is_none() => encode_field(spec, scalar).wrapped(Some(member)),
            (scalar, _) => encode_field(spec, scalar),
        };
        match encoded {
            Body::Object(mut members) => {
                members.retain(|key, _| (to.only.is_empty() || to.only.contains(key)) && !to.without.contains(key));
                for (key, value) in &to.with {
                    members.insert(key.clone(), Body::Value(Value::from_json(value)));
                }
                Body::Object(members)
            }
            other => other,
        }
    };
    let creates = to.method == Verb::Post;
    match to.batch {
        Batch::Each => items
            .iter()
            .map(|(item, row)| {
                let path = item_path(spec, &to.path, item, *row);
                let body = body_of(item, creates);
                let sends = to.body && !(removes && to.method == Verb::Delete);
                let mut step = Step::new(to.method, path, sends.then(|| body.wrapped(to.wrap.as_deref())));
                step.creates = creates;
                step
            })
            .collect(),
        Batch::Of(most) => items
            .chunks(most.max(1))
            .map(|chunk| {
                let bodies = chunk.iter().map(|(item, _)| body_of(item, creates)).collect();
                Step::new(to.method, to.path.clone(), Some(Body::Array(bodies).wrapped(to.wrap.as_deref())))
            })
            .collect(),
    }
}

/// Fills `{item.id}` and `{member}` of a sub-resource path; references become `{ref:KINDS:NAME}`.
fn item_path(spec: &FieldSpec, path: &str, item: &Value, row: Option<&Json>) -> String {
    let mut out = path.to_owned();
    for id in ["id", "client_id", "connection_id"] {
        if let Some(text) = row.and_then(|r| r.get(id)).and_then(Json::as_str) {
            out = out.replace(&format!("{{item.{id}}}"), &encode_segment(text));
        }
    }
    if let Value::Object(members) = item {
        for (name, member) in spec.members() {
            let api = member.api.as_ref().unwrap_or(name);
            if let Some(Value::String(text)) = members.get(name) {
                let filled = match member.reference.as_slice() {
                    [] => encode_segment(text),
                    kinds => reference(kinds, text),
                };
                out = out.replace(&format!("{{{api}}}"), &filled).replace(&format!("{{{name}}}"), &filled);
            }
        }
    }
    out
}

/// A place in a path for a server id that is known when the request is sent.
pub(crate) fn reference(kinds: &[String], name: &str) -> String {
    format!("{{ref:{}:{}}}", kinds.join("|"), encode_segment(name))
}

/// Fills `{member}` of a path with the resource's members; `{id}` and references stay.
pub fn fill_path(spec: &FieldSpec, path: &str, members: &Map) -> String {
    let mut out = path.to_owned();
    for (name, value) in members {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        let filled = match spec.member(name) {
            Some(member) if !member.reference.is_empty() => reference(&member.reference, &text),
            _ => encode_segment(&text),
        };
        if name != "id" {
            out = out.replace(&format!("{{{name}}}"), &filled);
        }
    }
    out
}

/// Percent-encodes one path segment.
pub(crate) fn encode_segment(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// Returns the fields of a change that lie in a sub-resource list and take something away.
pub(super) fn removes_from_sub(spec: &KindSpec, field: &FieldChange) -> bool {
    let in_sub = field.path.first_key().and_then(|key| spec.field(key)).is_some_and(|f| f.sub.is_some());
    in_sub && field.diff.after.is_none()
}
