//! Database connections: old and new settings that exclude each other.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Quirk, Write};
use crate::change::{Action, Change, FieldChange, How, Origin, Step};
use crate::codec::Body;
use crate::model::{Diff, Live, Map, Path, Segment, Unresolved, Value};
use crate::schema::Risk;

/// See the module.
pub(super) struct Databases;

/// Pairs of settings of which the API takes one side (API description, PATCH /connections/{id}).
const RIVALS: [(&[&str], &[&str]); 2] = [
    (
        &["password_options"],
        &[
            "passwordPolicy",
            "password_complexity_options",
            "password_history",
            "password_no_personal_info",
            "password_dictionary",
        ],
    ),
    (&["attributes"], &["requires_username", "validation"]),
];

/// Why a setting goes along, and comes back with a revert.
const OTHER: &str = "the API keeps these settings in one form, and the files use the other";

/// Why a setting goes along that the API itself put beside the one that is written.
const BESIDE: &str =
    "the API takes these settings in one form, and the files write the other; no revert brings them back";

impl Quirk for Databases {
    /// Beside attributes the API takes no older form of asking for a user name, not even a no, which is the default.
    fn canonical(&self, members: &mut Map) {
        let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) else { return };
        let has_attributes = options.get("attributes").is_some_and(|attributes| *attributes != Value::Null);
        if has_attributes && options.get("requires_username").and_then(Value::as_bool) == Some(false) {
            options.shift_remove("requires_username");
        }
    }

    /// A create takes one side. Where older password settings are live they were chosen: beside new ones the API adds none, beside
    /// older ones it adds the new (recorded traffic, POST /connections).
    fn written(&self, members: &mut Map) {
        let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) else { return };
        let spare = spare(options);
        options.retain(|name, _| !spare.contains(&name.as_str()));
    }

    /// What stood beside the side that counted does not come back: a write takes one side.
    fn brought_back(&self, was: &Value, members: &mut Map) {
        let Some(spare) = was.get("options").and_then(Value::as_object).map(spare) else { return };
        if let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) {
            options.retain(|name, _| !spare.contains(&name.as_str()));
        }
    }

    /// What a write takes away from the side that counted until now is a change of its own: it is shown, and comes back with a revert.
    fn arrange(&self, changes: &mut [&mut Change], live: &Live) {
        for change in changes.iter_mut().filter(|change| change.action == Action::Update) {
            let found = live.resources("databases").iter().find(|found| change.id.as_ref() == Some(&found.id));
            let Some(options) = found.and_then(|f| f.value.get("options")).and_then(Value::as_object) else { continue };
            let sent = change.steps.iter().find_map(|step| match step.body.as_ref()? {
                Body::Object(members) if step.path.starts_with("/connections") => match members.get("options")? {
                    Body::Object(options) => Some(options),
                    _ => None,
                },
                _ => None,
            });
            let Some(sent) = sent else { continue };
            let (spare, [_, (_, beside_attributes)]) = (spare(options), RIVALS);
            let rivals = || RIVALS.iter().flat_map(|(new, old)| new.iter().chain(*old));
            let lost: Vec<(Path, Value, bool)> = rivals()
                .filter(|name| !sent.contains_key(**name))
                .filter(|name| !(spare.contains(name) && beside_attributes.contains(name)))
                .filter_map(|name| {
                    let before = options.get(*name).filter(|value| !is_nothing(value))?.clone();
                    Some((at(name), before, spare.contains(name)))
                })
                .filter(|(path, ..)| !change.fields.iter().any(|field| field.path.0.starts_with(&path.0)))
                .collect();
            let known = change.fields.iter().any(|field| field.origin != Origin::Unknown);
            let origin = if known { Origin::Change } else { Origin::Unknown };
            for (path, before, for_good) in lost {
                change.risk = change.risk.max(Risk::Caution);
                change.fields.push(FieldChange {
                    path,
                    diff: Diff { before: Some(before), after: None },
                    how: How::Value,
                    origin,
                    risk: Risk::Caution,
                    why: Some(if for_good { BESIDE } else { OTHER }.to_owned()),
                    locus: None,
                    forces_replace: false,
                });
            }
        }
    }

    /// What is live of the side that the description does not use is not carried over. Password settings that are sent as they were
    /// read change nothing, on both sides (auth0-deploy-cli 8.43 source, which sends them so).
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let Some(described) = write.desired.get("options").and_then(Value::as_object) else { return };
        for step in steps.iter_mut().filter(|s| s.path.starts_with("/connections")) {
            let Some(Body::Object(members)) = &mut step.body else { continue };
            let Some(Body::Object(options)) = members.get_mut("options") else { continue };
            for (new, old) in RIVALS {
                let uses = |side: &[&str]| side.iter().any(|name| has(described, name));
                let loser = match (uses(new), uses(old)) {
                    (true, false) => old,
                    (false, true) => new,
                    _ => continue,
                };
                if !(is_password(new) && as_read(write.raw, options, new.iter().chain(old))) {
                    options.retain(|name, _| !loser.contains(&name.as_str()));
                }
            }
            if let Some(Body::Object(configuration)) = options.get_mut("configuration") {
                keep_configuration(write.raw, configuration);
            }
        }
    }
}

fn has(options: &Map, name: &str) -> bool {
    options.get(name).is_some_and(|value| *value != Value::Null)
}

/// A no is what the API takes for granted.
fn is_nothing(value: &Value) -> bool {
    *value == Value::Null || value.as_bool() == Some(false)
}

fn is_password(new: &[&str]) -> bool {
    new == RIVALS[0].0
}

/// Says whether settings would be sent as they were read, and there are some of both sides.
fn as_read<'a>(raw: &Json, sent: &IndexMap<String, Body>, names: impl Iterator<Item = &'a &'a str>) -> bool {
    let live = raw.get("options");
    let mut names = names.map(|name| {
        let sent = sent.get(*name).map(|body| body.to_json(&|_, _| None));
        (sent, live.and_then(|live| live.get(*name)))
    });
    names.all(|pair| match pair {
        (None, None) => true,
        (Some(Ok(sent)), Some(live)) => sent == *live,
        _ => false,
    })
}

fn at(name: &str) -> Path {
    Path(vec![Segment::Key("options".to_owned()), Segment::Key(name.to_owned())])
}

/// Names the settings that stand beside those that were chosen, where both are live.
fn spare(options: &Map) -> Vec<&'static str> {
    let [(new_password, old_password), (attributes, old_attributes)] = RIVALS;
    let mut spare = Vec::new();
    if old_password.iter().any(|name| has(options, name)) {
        spare.extend(new_password);
    }
    if attributes.iter().any(|name| has(options, name)) {
        spare.extend(old_attributes);
    }
    spare
}

/// What is not in the configuration when it is written is deleted, and no read tells the values: a value that the description does
/// not speak of needs to be known, or to be null there.
fn keep_configuration(raw: &Json, configuration: &mut IndexMap<String, Body>) {
    let live = raw.pointer("/options/configuration").and_then(Json::as_object);
    for name in live.into_iter().flatten().filter(|(_, value)| !value.is_null()).map(|(name, _)| name) {
        if !configuration.contains_key(name) {
            let hole = Unresolved { source: format!("options.configuration.{name}") };
            configuration.insert(name.clone(), Body::Value(Value::Unresolved(hole)));
        }
    }
}
