//! Whether the body of a request holds a field, and what became of the field then.
//!
//! Values are compared and never shown.

use serde_json::Value as Json;

use super::entry::Entry;
use super::route::{Found, Routes, Target};
use crate::codec::{Names, decode_field};
use crate::model::{Path, Segment, Value};
use crate::schema::{FieldSpec, Part, PartStep, Place, Shape, SubSpec};

/// What a write has to do with a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    /// It wrote the field.
    Yes(State),
    /// It wrote the resource; whether the field was among it cannot be told.
    Maybe,
    /// It wrote something else.
    No,
}

/// What a field was after a write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// A value.
    Is(Value),
    /// Not there: taken away, or left to the server.
    Gone,
    /// The log hides it.
    Hidden,
}

impl State {
    /// Says whether two writes left the field the same; what is hidden is never known to be.
    pub(super) fn same(&self, other: &State) -> bool {
        self == other && !matches!(self, State::Hidden)
    }
}

/// Says what a write has to do with a field of the resource it is about.
pub(super) fn held(routes: &Routes<'_>, entry: &Entry, found: &Found<'_>, path: &Path, names: &Names) -> Held {
    let look = Look { names, whole: matches!(entry.method.as_str(), "PUT" | "POST") };
    match found.target {
        Target::Below => Held::Maybe,
        Target::Whole | Target::Make if entry.method == "DELETE" || !tells(&entry.body) => {
            if is_behind_others(found, path) { Held::No } else { Held::Maybe }
        }
        Target::Whole | Target::Make => {
            let behind_others = is_behind_others(found, path);
            // What stands behind endpoints of its own is left alone by the main write that does not name it.
            let whole = look.whole && !behind_others;
            match look.state(&found.spec.fields, Some(&entry.body), &path.0, whole) {
                Some(state) => Held::Yes(state),
                None if behind_others => Held::No,
                None => Held::Maybe,
            }
        }
        Target::Part(part) => look.part(entry, found, part, path),
        Target::Sub(index) => match routes.sub(index) {
            Some((at, field)) if path.starts_with(at) => look.list(entry, found, field, path.0.get(at.0.len()..)),
            Some((at, _)) if at.starts_with(path) => Held::Maybe,
            _ => Held::No,
        },
        Target::Place(_, place) => look.place(entry, found, place, path),
    }
}

/// Says whether a field has endpoints of its own.
fn is_behind_others(found: &Found<'_>, path: &Path) -> bool {
    let in_part = |part: &Part| {
        part.at.iter().zip(&path.0).all(|(step, segment)| match (step, segment) {
            (PartStep::Key(key), Segment::Key(name)) => key == name,
            (PartStep::Item(item), Segment::Item(name)) => item == name,
            (PartStep::Capture(_), Segment::Key(_)) => true,
            _ => false,
        })
    };
    found.spec.subs().iter().any(|(at, _)| path.starts_with(at)) || found.spec.parts.iter().any(in_part)
}

struct Look<'a> {
    names: &'a Names,
    /// The request replaces or makes the whole object: what it lacks goes.
    whole: bool,
}

impl Look<'_> {
    /// Follows a path through a body. `whole`: what the body lacks at this level goes. `None` where it is not written.
    fn state(&self, field: &FieldSpec, json: Option<&Json>, path: &[Segment], whole: bool) -> Option<State> {
        let gone = || whole.then_some(State::Gone);
        let Some(json) = json else { return gone() };
        let Some((step, rest)) = path.split_first() else { return Some(self.value(field, json)) };
        match (step, json) {
            (_, Json::Null) => Some(State::Gone),
            (_, Json::String(text)) if is_hidden(text) => Some(State::Hidden),
            (Segment::Key(key) | Segment::Item(key), Json::Object(members)) => {
                let member = field.member(key);
                let spelled = member.and_then(|m| m.api.as_ref()).unwrap_or(key);
                let minutes = member.and_then(|m| m.hours.as_ref());
                let inner = members.get(spelled).or_else(|| members.get(minutes?));
                let merged = member.is_some_and(|m| m.merged);
                match (inner, member) {
                    (None, _) => gone(),
                    (inner, Some(member)) => self.state(member, inner, rest, !merged),
                    (inner, None) => self.state(&FieldSpec::default(), inner, rest, true),
                }
            }
            (Segment::Item(name), Json::Array(items)) => Some(self.item(field, items, name, rest)),
            (Segment::Index(at), Json::Array(items)) => match items.get(*at) {
                Some(item) => self.state(field.item().unwrap_or(field), Some(item), rest, true),
                None => Some(State::Gone),
            },
            _ => None,
        }
    }

    fn value(&self, field: &FieldSpec, json: &Json) -> State {
        match json {
            Json::Null => State::Gone,
            Json::String(text) if is_hidden(text) => State::Hidden,
            other => State::Is(decode_field(field, other, self.names)),
        }
    }

    /// Finds an item of a list by its name; a list whose items have no names is a value that cannot be compared.
    fn item(&self, field: &FieldSpec, items: &[Json], name: &str, rest: &[Segment]) -> State {
        let Some(spec) = field.item() else { return State::Hidden };
        let mut any = items.is_empty();
        for item in items {
            let own = self.name(field, spec, item);
            any |= !own.is_empty();
            if own == name {
                return self.state(spec, Some(item), rest, true).unwrap_or(State::Hidden);
            }
        }
        if any { State::Gone } else { State::Hidden }
    }

    /// Names an item as plans do: its text, or its key members.
    fn name(&self, field: &FieldSpec, spec: &FieldSpec, item: &Json) -> String {
        let value = decode_field(spec, item, self.names);
        if field.key.is_empty() {
            return text_of(&value);
        }
        let members = value.as_object();
        let part = |member: &String| {
            let default = || spec.member(member).and_then(|m| m.default.as_ref()).map(Value::from_json);
            members
                .and_then(|m| m.get(member))
                .cloned()
                .or_else(default)
                .map(|value| text_of(&value))
                .unwrap_or_default()
        };
        field.key.iter().map(part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    fn part(&self, entry: &Entry, found: &Found<'_>, part: &Part, path: &Path) -> Held {
        let mut prefix = Path::root();
        for step in &part.at {
            prefix = match step {
                PartStep::Key(key) => prefix.key(key),
                PartStep::Item(item) => prefix.item(item),
                PartStep::Capture(name) => prefix.key(found.capture(name).unwrap_or_default()),
            };
        }
        if let Some(member) = &part.item {
            prefix = prefix.key(member);
        }
        if prefix.starts_with(path) && prefix != *path {
            return Held::Yes(State::Hidden);
        }
        let Some(rest) = path.0.strip_prefix(prefix.0.as_slice()) else { return Held::No };
        if entry.method == "DELETE" {
            return Held::Yes(State::Gone);
        }
        if !tells(&entry.body) {
            return Held::Maybe;
        }
        let any = FieldSpec::default();
        let field = field_at(&found.spec.fields, &prefix).unwrap_or(&any);
        let body = match &part.update.wrap {
            Some(member) => entry.body.get(member),
            None => Some(&entry.body),
        };
        let whole = self.whole || part.replaces || part.whole;
        match self.state(field, body, rest, whole) {
            Some(state) => Held::Yes(state),
            None => Held::Maybe,
        }
    }

    /// A write on a list: `rest` leads from the list to the field.
    fn list(&self, entry: &Entry, found: &Found<'_>, field: &FieldSpec, rest: Option<&[Segment]>) -> Held {
        let (Some(sub), Some(rest)) = (&field.sub, rest) else { return Held::No };
        let Some((Segment::Item(name), rest)) = rest.split_first() else { return Held::Yes(State::Hidden) };
        let Some(spec) = field.item() else { return Held::Maybe };
        let items = self.items(entry, found, sub, spec);
        let mut unnamed = items.is_empty();
        for (item, removed) in &items {
            let own = self.name(field, spec, item);
            unnamed |= own.is_empty();
            if own == *name {
                let left = || self.state(spec, Some(item), rest, true).unwrap_or(State::Hidden);
                return Held::Yes(if *removed { State::Gone } else { left() });
            }
        }
        let replaces = sub.replace.as_ref().is_some_and(|r| r.method.as_str() == entry.method);
        match (replaces, unnamed) {
            (true, false) => Held::Yes(State::Gone),
            (_, true) => Held::Maybe,
            _ => Held::No,
        }
    }

    /// Returns the items a request on a list names, and whether it removes them: from its path, else from its body.
    fn items(&self, entry: &Entry, found: &Found<'_>, sub: &SubSpec, spec: &FieldSpec) -> Vec<(Json, bool)> {
        let deletes = entry.method == "DELETE";
        let in_path = found.captures.iter().filter(|(variable, _)| variable != "id" && !variable.contains('.'));
        let named: Vec<(String, Json)> =
            in_path.map(|(name, value)| (name.clone(), Json::String(value.clone()))).collect();
        if !named.is_empty() {
            // `PATCH …/connections/{connection_id}`: the path names the item, the body holds the rest of it.
            let mut item: serde_json::Map<String, Json> = entry.body.as_object().cloned().unwrap_or_default();
            item.extend(named);
            return vec![(Json::Object(item), deletes)];
        }
        let writes = [Some(&sub.add), Some(&sub.remove), sub.change.as_ref(), sub.replace.as_ref()];
        let wraps: Vec<&String> = writes.into_iter().flatten().filter_map(|write| write.wrap.as_ref()).collect();
        let rows: Vec<&Json> = match &entry.body {
            Json::Array(rows) => rows.iter().collect(),
            Json::Object(body) => match wraps.iter().find_map(|wrap| body.get(*wrap)?.as_array()) {
                Some(rows) => rows.iter().collect(),
                None => vec![&entry.body],
            },
            _ => Vec::new(),
        };
        let marks = &sub.remove.with;
        rows.into_iter()
            .map(|row| {
                let marked = !marks.is_empty() && marks.iter().all(|(member, value)| row.get(member) == Some(value));
                let item = match (&sub.item, &sub.remove.bare, row) {
                    (Some(member), _, Json::Object(members)) => members.get(member).cloned().unwrap_or(Json::Null),
                    // A bare value stands for the member that a removal names.
                    (None, Some(member), Json::String(_)) if !matches!(spec.shape, Shape::Scalar) => {
                        Json::Object([(member.clone(), row.clone())].into_iter().collect())
                    }
                    _ => row.clone(),
                };
                (item, deletes || marked)
            })
            .collect()
    }

    /// A write on an object that holds the resource under names of its own.
    fn place(&self, entry: &Entry, found: &Found<'_>, place: &Place, path: &Path) -> Held {
        let inner = match &place.at {
            Some(member) => entry.body.get(member),
            None => Some(&entry.body),
        };
        let (Some(inner), Some((Segment::Key(first), rest))) = (inner, path.0.split_first()) else { return Held::No };
        let spelled = if place.members.is_empty() { Some(first) } else { place.members.get(first) };
        let Some(spelled) = spelled else { return Held::No };
        let whole = place.at.is_some() && !place.merged;
        let any = FieldSpec::default();
        let field = found.spec.field(first).unwrap_or(&any);
        match (inner.get(spelled), whole) {
            (None, false) => Held::No,
            (json, whole) => self.state(field, json, rest, whole).map_or(Held::No, Held::Yes),
        }
    }
}

/// Returns the schema at a path.
fn field_at<'f>(fields: &'f FieldSpec, path: &Path) -> Option<&'f FieldSpec> {
    path.0.iter().try_fold(fields, |field, step| match step {
        Segment::Key(key) => field.member(key),
        Segment::Item(key) => field.item().or_else(|| field.member(key)),
        Segment::Index(_) => field.item(),
    })
}

/// Says whether the log has the body: it may leave it out, or hide all of it.
fn tells(body: &Json) -> bool {
    body.is_object() || body.is_array()
}

/// Auth0 shows passwords, and may show others, as stars.
fn is_hidden(text: &str) -> bool {
    text == "[REDACTED]" || (text.len() >= 3 && text.chars().all(|c| c == '*'))
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => sorted(&other.redacted()).to_string(),
    }
}

fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let members: std::collections::BTreeMap<_, _> =
                members.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            Json::Object(members.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;
    use crate::schema::Registry;

    /// Says what a write has to do with a field: `is VALUE`, `gone`, `hidden`, `maybe`, `no`.
    fn told(registry: &Registry, line: &str, body: Json, path: &Path) -> String {
        let (method, path_of) = line.split_once(' ').unwrap();
        let row = json!({
            "date": "2026-11-20T16:42:00Z", "log_id": "1",
            "details": {"request": {"method": method, "path": format!("/api/v2{path_of}"), "body": body}},
        });
        let entry = Entry::read(&row).unwrap();
        let routes = Routes::new(registry);
        let mut names = Names::default();
        names.insert("clients", "c1", "Shop");
        let found = routes.find(&entry.segments);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        match held(&routes, &entry, &found[0], path, &names) {
            Held::Yes(State::Is(value)) => format!("is {}", value.redacted()),
            Held::Yes(State::Gone) => "gone".to_owned(),
            Held::Yes(State::Hidden) => "hidden".to_owned(),
            Held::Maybe => "maybe".to_owned(),
            Held::No => "no".to_owned(),
        }
    }

    const THINGS: &str = "
x-tenantry:
  identity: [name]
  id: id
  list: {path: /things, style: array}
  create: {method: POST, path: /things}
  update: {method: PATCH, path: '/things/{id}'}
  delete: {method: DELETE, path: '/things/{id}'}
  parts:
    - at: part
      get: {path: '/things/{id}/part'}
      update: {method: PUT, path: '/things/{id}/part', wrap: body}
      delete: {method: DELETE, path: '/things/{id}/part'}
properties:
  name: {type: string}
  spelled: {type: string, x-api: speltOtherwise}
  hours: {type: number, x-hours: hours_in_minutes}
  whole: {type: object, properties: {a: {type: string}, b: {type: string}}}
  merged: {type: object, x-merged: true, properties: {a: {type: string}}}
  set: {type: array, x-set: true, items: {type: string, x-ref: clients}}
  keyed: {type: array, x-key: [k, l], items: {type: object, properties: {k: {type: string}, l: {type: string, default: d}, v: {type: string}}}}
  secret: {type: string, x-secret: true}
  map: {type: object, additionalProperties: {type: string}}
  part: {type: object, properties: {x: {type: string}}}
  rows:
    type: array
    x-key: who
    items: {type: object, properties: {who: {type: string, x-ref: clients, x-api: client_id}, v: {type: string}}}
    x-sub:
      list: {path: '/things/{id}/rows', style: array}
      add: {method: POST, path: '/things/{id}/rows', wrap: rows, batch: 10}
      change: {method: PATCH, path: '/things/{id}/rows/{client_id}', each: true}
      remove: {method: DELETE, path: '/things/{id}/rows', wrap: rows, wrap_item: client_id, batch: 10}
";

    fn registry() -> Registry {
        Registry::of(&[("things", THINGS)])
    }

    fn key(name: &str) -> Path {
        Path::root().key(name)
    }

    #[test]
    fn a_body_holds_what_it_names() {
        let registry = registry();
        let told = |body: Json, path: &Path| told(&registry, "patch /things/t1", body, path);
        assert_eq!(told(json!({"name": "x"}), &key("name")), r#"is "x""#);
        assert_eq!(told(json!({"name": null}), &key("name")), "gone");
        assert_eq!(told(json!({"other": "x"}), &key("name")), "maybe");
        assert_eq!(told(Json::Null, &key("name")), "maybe");
        assert_eq!(told(json!("[REDACTED]"), &key("name")), "maybe");
        assert_eq!(told(json!({"name": "[REDACTED]"}), &key("name")), "hidden");
        assert_eq!(told(json!({"speltOtherwise": "x"}), &key("spelled")), r#"is "x""#);
        assert_eq!(told(json!({"hours_in_minutes": 90}), &key("hours")), "is 90");
        assert_eq!(told(json!({"secret": "*****"}), &key("secret")), "hidden");
        assert_eq!(told(json!({"secret": "hunter2"}), &key("secret")), r#"is "(live)""#);
    }

    #[test]
    fn what_a_replaced_object_lacks_is_gone() {
        let registry = registry();
        let told = |body: Json, path: &Path| told(&registry, "patch /things/t1", body, path);
        assert_eq!(told(json!({"whole": {"b": "x"}}), &key("whole").key("a")), "gone");
        assert_eq!(told(json!({"whole": null}), &key("whole").key("a")), "gone");
        assert_eq!(told(json!({"merged": {}}), &key("merged").key("a")), "maybe");
        assert_eq!(told(json!({"merged": {"a": "x"}}), &key("merged").key("a")), r#"is "x""#);
        assert_eq!(told(json!({"map": {"a": "x"}}), &key("map").key("b")), "gone");
        assert_eq!(told(json!({"whole": "odd"}), &key("whole").key("a")), "maybe");
    }

    #[test]
    fn items_of_lists_come_and_go() {
        let registry = registry();
        let told = |body: Json, path: &Path| told(&registry, "patch /things/t1", body, path);
        let set = key("set").item("Shop");
        assert_eq!(told(json!({"set": ["c1"]}), &set), r#"is "Shop""#);
        assert_eq!(told(json!({"set": ["c2"]}), &set), "gone");
        assert_eq!(told(json!({"set": []}), &set), "gone");
        let keyed = key("keyed").item("a d");
        assert_eq!(told(json!({"keyed": [{"k": "a", "v": "x"}]}), &keyed.key("v")), r#"is "x""#);
        assert_eq!(told(json!({"keyed": [{"k": "a"}]}), &keyed.key("v")), "gone");
        assert_eq!(told(json!({"keyed": [{"k": "b"}]}), &keyed), "gone");
        // The items have no names that plans know: that the list was written is all that can be said.
        assert_eq!(told(json!({"set": [null]}), &set), "hidden");
    }

    #[test]
    fn lists_and_parts_have_writes_of_their_own() {
        let registry = registry();
        let told = |line: &str, body: Json, path: &Path| told(&registry, line, body, path);
        let row = key("rows").item("Shop");
        assert_eq!(told("patch /things/t1", json!({"name": "x"}), &row), "no");
        assert_eq!(told("post /things/t1/rows", json!({"rows": [{"client_id": "c1"}]}), &row), r#"is {"who":"Shop"}"#);
        assert_eq!(told("post /things/t1/rows", json!({"rows": [{"client_id": "c2"}]}), &row), "no");
        assert_eq!(told("delete /things/t1/rows", json!({"rows": ["c1"]}), &row), "gone");
        assert_eq!(told("delete /things/t1/rows", json!({"rows": ["c2"]}), &row), "no");
        assert_eq!(told("patch /things/t1/rows/c1", json!({"v": "x"}), &row.key("v")), r#"is "x""#);
        assert_eq!(told("patch /things/t1/rows/c2", json!({"v": "x"}), &row.key("v")), "no");
        assert_eq!(told("post /things/t1/rows", Json::Null, &row), "maybe");
        assert_eq!(told("post /things/t1/rows", json!({"rows": []}), &key("name")), "no");
        assert_eq!(told("put /things/t1/part", json!({"body": {"x": "y"}}), &key("part").key("x")), r#"is "y""#);
        assert_eq!(told("put /things/t1/part", json!({"body": {}}), &key("part").key("x")), "gone");
        assert_eq!(told("put /things/t1/part", json!({"body": {}}), &key("name")), "no");
        assert_eq!(told("delete /things/t1/part", Json::Null, &key("part").key("x")), "gone");
        assert_eq!(told("patch /things/t1", json!({"name": "x"}), &key("part").key("x")), "no");
        assert_eq!(told("post /things/t1/deploy", Json::Null, &key("name")), "maybe");
        assert_eq!(told("delete /things/t1", Json::Null, &key("name")), "maybe");
    }

    #[test]
    fn what_is_hidden_is_never_the_same() {
        assert!(State::Gone.same(&State::Gone));
        assert!(!State::Hidden.same(&State::Hidden));
        assert!(!State::Is(Value::from("a")).same(&State::Is(Value::from("b"))));
    }
}
