//! What an answer shows, compared with what was asked and with what was there before.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::index::Index;
use crate::change::{Change, Step};
use crate::model::{Path, Segment, Value};
use crate::schema::{FieldSpec, KindShape, KindSpec, PartStep, Shape, TextKind};

/// What an answer tells besides that it was done.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shown {
    /// Leaves that were asked for and are otherwise.
    pub(super) otherwise: Vec<Path>,
    /// Leaves nobody asked to change that differ from before.
    pub(super) side_effects: Vec<Path>,
}

/// Compares the answer to a change's main write; anything else tells nothing.
pub(super) fn shown(
    spec: &KindSpec,
    change: &Change,
    step: &Step,
    answer: &Json,
    before: Option<&Json>,
    index: &Index,
) -> Shown {
    let of = spec.create.iter().chain(&spec.update);
    let is_main =
        of.clone().any(|write| write.wrap.is_none() && write.method == step.method && fits(&write.path, &step.path));
    let mut out = Shown::default();
    if !spec.answers_whole || !is_main || !answer.is_object() {
        return out;
    }
    for field in &change.fields {
        let asked = field.diff.after.as_ref();
        if let Some(asked) = asked
            && !in_part(spec, &field.path)
            && shows(&spec.fields, &field.path.0, asked, answer, index) == Some(false)
        {
            out.otherwise.push(field.path.clone());
        }
    }
    if let Some(before) = before {
        let asked: BTreeSet<&Path> = change.fields.iter().map(|field| &field.path).collect();
        let mut walk = Walk { spec, asked, out: &mut out.side_effects };
        walk.members(&spec.fields, &Path::root(), before, answer);
    }
    out
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(&path).all(|(one, two)| one == two || one.starts_with('{'))
}

fn in_part(spec: &KindSpec, path: &Path) -> bool {
    let Some(first) = path.first_key() else { return true };
    spec.parts.iter().any(|part| match part.at.first() {
        Some(PartStep::Key(key)) => key == first,
        Some(PartStep::Capture(_)) => true,
        _ => false,
    })
}

/// Says whether nothing can be told by comparing what stands here.
fn is_opaque(field: &FieldSpec) -> bool {
    field.secret
        || field.write_only
        || field.read_only
        || field.skip
        || field.owned
        || field.alias.is_some()
        || field.sub.is_some()
        || field.in_path
        || field.step.is_some()
        || field.hours.is_some()
        || field.create_only
        || field.text == Some(TextKind::Pem)
}

/// Says whether an answer has what was asked at a path; `None` where it does not tell.
fn shows(field: &FieldSpec, path: &[Segment], asked: &Value, answer: &Json, index: &Index) -> Option<bool> {
    if is_opaque(field) {
        return None;
    }
    match path {
        [] => same(field, asked, answer, index),
        [Segment::Key(name), rest @ ..] => {
            let member = field.member(name)?;
            shows(member, rest, asked, answer.get(member.api.as_ref().unwrap_or(name))?, index)
        }
        [Segment::Item(_)] if field.set && matches!(asked, Value::String(_)) => {
            let items = field.item()?;
            let found: Vec<Option<bool>> =
                answer.as_array()?.iter().map(|item| same(items, asked, item, index)).collect();
            if found.contains(&Some(true)) {
                return Some(true);
            }
            found.iter().all(Option::is_some).then_some(false)
        }
        _ => None,
    }
}

fn same(field: &FieldSpec, asked: &Value, answer: &Json, index: &Index) -> Option<bool> {
    if is_opaque(field) || asked.is_blank() {
        return None;
    }
    match (asked, answer) {
        (Value::String(name), Json::String(found)) if !field.reference.is_empty() => {
            Some(name == found || index.id(&field.reference, name).as_ref() == Some(found))
        }
        (Value::String(asked), Json::String(found)) => {
            let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
            Some(plain(asked) == plain(found))
        }
        (Value::Bool(asked), Json::Bool(found)) => Some(asked == found),
        (Value::Number(asked), Json::Number(found)) => Some(asked.as_f64() == found.as_f64()),
        (Value::Object(asked), Json::Object(found)) => {
            let mut out = Some(true);
            for (name, value) in asked {
                let Some(member) = field.member(name) else { continue };
                let Some(found) = found.get(member.api.as_ref().unwrap_or(name)) else { continue };
                match same(member, value, found, index) {
                    Some(false) => return Some(false),
                    None => out = None,
                    Some(true) => {}
                }
            }
            out
        }
        _ => None,
    }
}

struct Walk<'a, 'o> {
    spec: &'a KindSpec,
    asked: BTreeSet<&'a Path>,
    out: &'o mut Vec<Path>,
}

impl Walk<'_, '_> {
    fn members(&mut self, field: &FieldSpec, at: &Path, before: &Json, after: &Json) {
        for (name, member) in field.members() {
            let here = at.key(name);
            let elsewhere = at.is_root() && (self.spec.elsewhere.contains_key(name) || in_part(self.spec, &here));
            if !is_opaque(member) && !elsewhere {
                let api = member.api.as_ref().unwrap_or(name);
                self.value(member, &here, before.get(api), after.get(api));
            }
        }
    }

    fn value(&mut self, field: &FieldSpec, here: &Path, before: Option<&Json>, after: Option<&Json>) {
        if self.asked.iter().any(|asked| here.starts_with(asked)) || same_raw(field, before, after) {
            return;
        }
        match (&field.shape, before, after) {
            (Shape::Record { .. }, Some(before @ Json::Object(_)), Some(after @ Json::Object(_))) => {
                self.members(field, here, before, after);
            }
            (Shape::Map(values), Some(Json::Object(before)), Some(Json::Object(after))) => {
                let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    self.value(values, &here.key(key), before.get(key), after.get(key));
                }
            }
            // What is inside was asked to change: a list's items, an object that was not there.
            _ if self.asked.iter().any(|asked| asked.starts_with(here)) => {}
            // Answers of single resources leave out what reads show.
            (_, _, None) if self.spec.shape == KindShape::Single => {}
            (_, None, Some(after)) if field.default.as_ref() == Some(after) => {}
            _ => self.out.push(here.clone()),
        }
    }
}

fn same_raw(field: &FieldSpec, one: Option<&Json>, two: Option<&Json>) -> bool {
    let blank = |value: Option<&Json>| match value {
        None | Some(Json::Null) => true,
        Some(Json::Array(items)) => items.is_empty(),
        Some(Json::Object(members)) => members.is_empty(),
        Some(Json::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    match (one, two) {
        _ if blank(one) && blank(two) => true,
        (Some(Json::Array(one)), Some(Json::Array(two))) if field.set || !field.key.is_empty() => {
            let sorted = |items: &[Json]| {
                let mut texts: Vec<String> = items.iter().map(Json::to_string).collect();
                texts.sort();
                texts
            };
            sorted(one) == sorted(two)
        }
        (one, two) => one == two,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::change::{Action, FieldChange, How, Origin};
    use crate::codec::Names;
    use crate::model::{Address, Diff};
    use crate::schema::{Registry, Risk, Verb};

    const THINGS: &str = "x-tenantry: {identity: [name], id: id, answer: whole, update: {method: PATCH, path: '/things/{id}'}, create: {method: POST, path: /things}}\nproperties:\n  name: {}\n  to: {x-ref: things}\n  set: {x-set: true, items: {x-ref: things}}\n  o: {properties: {x: {}, y: {default: 1}}}\n  m: {additionalProperties: {}}\n  ro: {readOnly: true}\n  s: {x-secret: true}\n";

    fn field(path: Path, after: Json) -> FieldChange {
        FieldChange {
            path,
            diff: Diff { before: None, after: Some(Value::from_json(&after)) },
            how: How::Value,
            origin: Origin::Unknown,
            risk: Risk::Safe,
            why: None,
            locus: None,
            forces_replace: false,
        }
    }

    fn told(fields: Vec<FieldChange>, before: Option<Json>, answer: Json) -> (Vec<String>, Vec<String>) {
        let registry = Registry::of(&[("things", THINGS)]);
        let spec = registry.kind("things").unwrap();
        let mut names = Names::default();
        names.insert("things", "t1", "one");
        let change = Change { fields, ..Change::new(Address::new("things", "x"), Action::Update) };
        let step = Step::new(Verb::Patch, "/things/{id}", None);
        let shown = shown(spec, &change, &step, &answer, before.as_ref(), &Index::new(names));
        let texts = |paths: Vec<Path>| paths.iter().map(Path::to_string).collect();
        (texts(shown.otherwise), texts(shown.side_effects))
    }

    #[test]
    fn what_was_asked_and_is_otherwise_is_said() {
        let at = |name: &str| Path::root().key(name);
        let fields = vec![
            field(at("name"), json!("a")),
            field(at("to"), json!("one")),
            field(at("set").item("one"), json!("one")),
            field(at("o").key("x"), json!(5)),
            field(at("s"), json!("hidden")),
            field(at("ro"), json!(1)),
        ];
        let good = json!({"name": "a", "to": "t1", "set": ["t1"], "o": {"x": 5.0}, "s": "***", "ro": 2});
        assert_eq!(told(fields.clone(), None, good).0, Vec::<String>::new());
        let bad = json!({"name": "b", "to": "t2", "set": ["t2"], "o": {"x": 6}});
        assert_eq!(told(fields.clone(), None, bad).0, ["name", "to", "set[one]", "o.x"]);
        assert_eq!(told(fields, None, json!({})).0, Vec::<String>::new(), "what is not shown is not otherwise");
    }

    #[test]
    fn what_nobody_asked_to_change_and_changed_is_a_side_effect() {
        let fields = vec![field(Path::root().key("o").key("x"), json!(5))];
        let before = json!({"name": "a", "set": ["t1", "t2"], "o": {"x": 1}, "m": {"k": 1}, "ro": 1, "s": "1"});
        let after = json!({"name": "a", "set": ["t2", "t1"], "o": {"x": 5, "y": 1}, "m": {"k": 1}, "ro": 2, "s": "2"});
        assert_eq!(told(fields.clone(), Some(before.clone()), after).1, Vec::<String>::new());
        let after = json!({"name": "b", "set": ["t1"], "o": {"x": 5, "y": 2}, "m": {"k": 2, "l": 1}});
        assert_eq!(told(fields, Some(before), after).1, ["name", "set", "o.y", "m.k", "m.l"]);
    }
}
