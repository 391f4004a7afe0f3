//! Requests on parts of a resource behind endpoints of their own.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::sides::{Sides, patch};
use crate::change::{Action, Change, Step};
use crate::codec::{Body, encode_field, encode_segment, overlay};
use crate::model::{Map, Path, Segment, Value};
use crate::quirk;
use crate::schema::{FieldSpec, KindSpec, Part, PartStep, Shape, Verb};

/// One value of a part: its place, and what its captures stand for.
struct Instance<'a> {
    path: Path,
    captures: Vec<(String, String)>,
    desired: Option<&'a Value>,
}

pub(super) fn part_steps(spec: &KindSpec, change: &Change, sides: &Sides<'_>) -> Vec<Step> {
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

pub(super) fn in_part(spec: &KindSpec, member: &str) -> bool {
    spec.parts.iter().any(|part| match part.at.first() {
        Some(PartStep::Key(key)) => key == member,
        Some(PartStep::Capture(_)) => true,
        _ => false,
    })
}

pub(super) fn in_part_or_sub(spec: &KindSpec, path: &Path) -> bool {
    let Some(first) = path.first_key() else { return false };
    in_part(spec, first) || spec.field(first).is_some_and(|f| f.sub.is_some())
}
