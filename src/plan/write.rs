//! Turns a change into the requests that make it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::part::{in_part, in_part_or_sub, part_steps};
use super::path::fill_path;
use super::sides::{Sides, patch};
use super::sub::sub_steps;
use crate::change::{Action, Change, Step, Wait};
use crate::codec::{Body, encode_member, encode_members, encode_segment};
use crate::model::{Map, Path, Value};
use crate::quirk::{self, Write};
use crate::schema::{Create, KindSpec, Place, Verb};

/// Returns the requests of a change, in order.
pub(super) fn steps(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
    let mut steps = match change.action {
        Action::Create => create(spec, change, sides),
        Action::Update => update(spec, change, sides),
        Action::Delete => delete(spec, sides, false),
        Action::Replace => {
            let mut steps = delete(spec, sides, true);
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
fn delete(spec: &KindSpec, sides: &Sides<'_>, again: bool) -> Vec<Step> {
    let Some(endpoint) = &spec.delete else { return Vec::new() };
    let path = fill_path(&spec.fields, &endpoint.path, sides.live);
    let mut step = Step::new(endpoint.method, path, None);
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
        if let (Some(id), Some(name)) = (&spec.id, change.address.key()) {
            step.makes = Some((spec.name.clone(), name.to_owned(), id.clone()));
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
