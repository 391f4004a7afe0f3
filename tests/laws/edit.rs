//! Edits of a live resource past Tenantry: what to send for a leaf to get another value.

use serde_json::{Value as Json, json};
use tenantry::model::{LiveResource, Path, Secret, Value};
use tenantry::schema::{Batch, FieldSpec, KindSpec, Part, PartStep, Place, Shape, SubEndpoint, SubSpec, Verb};

use super::hand::{PEM, by_hand, rivals};
use super::shape::{Leaf, LeafKind, Node, Step, is_written};
use super::values::{Ids, Reach, value};

/// Member of a raw object that holds the rows of lists behind endpoints of their own.
const SUBS: &str = "$sub";

/// From this salt on an item is taken away instead of added.
pub(crate) const REMOVES: usize = 1000;

/// A step to a place inside a raw object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum At {
    /// A member: its name in files, and the API's.
    Key(String, String),
    /// An item.
    Index(usize),
    /// The rows of a list behind endpoints of its own: its path in files.
    Rows(String),
}

/// A raw object with one leaf changed.
pub(crate) struct Edited {
    pub(crate) raw: Json,
    pub(crate) at: Vec<At>,
    /// What was put there.
    pub(crate) new: Json,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<Json>,
}

fn api_name(spec: &KindSpec, resource: Option<&str>, depth: usize, name: &str, field: &FieldSpec) -> Option<String> {
    if depth == 0
        && let Some(place) = resource.and_then(|r| spec.places.get(r))
        && !place.members.is_empty()
    {
        return place.members.get(name).cloned();
    }
    Some(field.api.clone().unwrap_or_else(|| name.to_owned()))
}

/// Changes a leaf in a copy of the raw object; what holds it is made where it is missing.
pub(crate) fn edit(
    spec: &KindSpec,
    resource: Option<&str>,
    raw: &Json,
    leaf: &Leaf,
    salt: usize,
    reach: Reach,
    ids: &Ids,
) -> Option<Edited> {
    let mut out = raw.clone();
    let rivals = rivals(&spec.name, resource);
    if let [Step::Member(_), Step::Member(name), ..] = &leaf.pattern[..]
        && rivals.contains(&name.as_str())
    {
        return None;
    }
    if let Some(options) = out.get_mut("options").and_then(Json::as_object_mut) {
        options.retain(|name, _| !rivals.contains(&name.as_str()));
    }
    let mut at = Vec::new();
    let by_hand = by_hand(&spec.name, &leaf.name(), ids);
    let by_hand = by_hand.get(salt % by_hand.len().max(1)).cloned();
    let mut node = Node::root(spec);
    let mut here = &mut out;
    let mut path = Path::root();
    let mut last = String::new();
    for (depth, step) in leaf.pattern.iter().enumerate() {
        match step {
            Step::Member(name) => {
                node = node.member(name)?;
                path = path.key(name);
                last.clone_from(name);
                if node.field.sub.is_some() {
                    here = out.as_object_mut()?.entry(SUBS).or_insert_with(|| json!({}));
                    at = vec![At::Rows(path.to_string())];
                    here = here.as_object_mut()?.entry(path.to_string()).or_insert_with(|| json!([]));
                    continue;
                }
                let api = api_name(spec, resource, depth, name, node.field)?;
                at.push(At::Key(name.clone(), api.clone()));
                let found = here.as_object_mut()?.entry(api).or_insert(Json::Null);
                let inner = depth + 1 < leaf.pattern.len();
                if found.is_null() && inner {
                    *found = match &node.field.shape {
                        Shape::List(_) => json!([]),
                        Shape::Record { .. } => value(&node, name, salt, reach, ids),
                        _ => json!({}),
                    };
                }
                here = found;
                add_secrets(&node, here, salt, ids);
            }
            Step::Key => {
                node = node.values()?;
                let members = here.as_object_mut()?;
                let key = members.keys().rfind(|k| !k.starts_with('$')).cloned().unwrap_or_else(|| "law".to_owned());
                path = path.key(&key);
                at.push(At::Key(key.clone(), key.clone()));
                let inner = depth + 1 < leaf.pattern.len();
                let made = match &node.field.shape {
                    _ if !inner => Json::Null,
                    Shape::List(_) => json!([]),
                    Shape::Record { .. } => value(&node, &last, salt, reach, ids),
                    _ => json!({}),
                };
                here = members.entry(key).or_insert(made);
            }
            Step::Item => {
                node = node.item()?;
                let items = here.as_array_mut()?;
                if items.is_empty() {
                    items.push(value(&node, &last, salt, reach, ids));
                }
                at.push(At::Index(0));
                here = items.first_mut()?;
            }
        }
    }
    let new = match leaf.kind {
        LeafKind::Value => {
            let mut new = by_hand.unwrap_or_else(|| value(&node, &last, salt, reach, ids));
            // What holds the leaf may just have been made with the same value.
            let before = super::edit::at(raw, &at);
            if *before == new && is_one_or_none(&node) {
                new = Json::Null;
            }
            if *before == new {
                return None;
            }
            *here = new.clone();
            new
        }
        LeafKind::Item => {
            if here.is_null() {
                *here = json!([]);
            }
            let items = here.as_array_mut()?;
            if salt >= REMOVES {
                let new = items.pop()?;
                return Some(Edited { raw: out, at, new });
            }
            let new = match by_hand {
                Some(new) => new,
                None => value(&node.item()?, &last, salt, reach, ids),
            };
            let keys = &node.field.key;
            let is_same = |item: &Json, key: &String| {
                item.get(key).or_else(|| item.pointer("/action/name")).is_some_and(|found| Some(found) == new.get(key))
            };
            let repeats = |item: &Json| !keys.is_empty() && keys.iter().all(|key| is_same(item, key));
            // What was just made to hold it may hold it already.
            let made = super::edit::at(raw, &at).is_null() && !items.is_empty();
            if !made && (items.contains(&new) || items.iter().any(repeats)) {
                return None;
            }
            if !made {
                items.push(new.clone());
            }
            new
        }
    };
    Some(Edited { raw: out, at, new })
}

/// Describes the secrets that objects have to be written with, and that no read returns.
pub(crate) fn describe_secrets(node: &Node<'_>, here: &mut Value) {
    let Some(members) = here.as_object_mut() else { return };
    for name in node.required() {
        if let Some(member) = node.member(name).filter(|member| member.field.write_only)
            && !members.contains_key(name)
        {
            let made = match name {
                "pem" => Value::from(PEM),
                _ if member.field.secret => Value::Secret(Secret::new("law", "secrets.law")),
                _ => continue,
            };
            members.insert(name.to_owned(), made);
        }
    }
    for (name, inner) in members.iter_mut() {
        if let Some(node) = node.member(name) {
            describe_secrets(&node, inner);
        }
    }
}

/// Says whether there is one value, and the member can be cleared.
fn is_one_or_none(node: &Node<'_>) -> bool {
    let choices = node.keyword("enum").and_then(Json::as_array);
    choices.is_some_and(|choices| choices.len() == 2 && choices.contains(&Json::Null))
}

/// Adds the secrets that an object has to be written with, and that no read returns.
fn add_secrets(node: &Node<'_>, here: &mut Json, salt: usize, ids: &Ids) {
    let Json::Object(members) = here else { return };
    for name in node.required() {
        if let Some(member) = node.member(name).filter(|member| member.field.write_only) {
            members.entry(name).or_insert_with(|| match name {
                "pem" => json!(PEM),
                _ => value(&member, name, salt, Reach::Least, ids),
            });
        }
    }
}

/// Returns what stands at a place.
pub(crate) fn at<'a>(raw: &'a Json, place: &[At]) -> &'a Json {
    let mut here = raw;
    for step in place {
        let next = match step {
            At::Key(_, api) => here.get(api),
            At::Index(n) => here.get(n),
            At::Rows(path) => here.get(SUBS).and_then(|s| s.get(path)),
        };
        let Some(next) = next else { return &Json::Null };
        here = next;
    }
    here
}

/// Names the place as a plan does: items by their keys.
pub(crate) fn path_of(spec: &KindSpec, decoded: &Value, place: &[At]) -> Path {
    let mut path = Path::root();
    let mut field = &spec.fields;
    let mut here = Some(decoded);
    for step in place {
        match step {
            At::Key(name, _) => {
                path = path.key(name);
                field = field.member(name).unwrap_or(spec_any());
                here = here.and_then(|v| v.get(name));
            }
            At::Rows(names) => {
                for name in names.split('.') {
                    path = path.key(name);
                    field = field.member(name).unwrap_or(spec_any());
                    here = here.and_then(|v| v.get(name));
                }
            }
            At::Index(n) => {
                let holder = field;
                field = field.item().unwrap_or(spec_any());
                here = here.and_then(Value::as_array).and_then(|items| items.get(*n));
                path = path.item(&here.map(|item| key_of(holder, item)).unwrap_or_default());
            }
        }
    }
    path
}

fn spec_any() -> &'static FieldSpec {
    static ANY: std::sync::OnceLock<FieldSpec> = std::sync::OnceLock::new();
    ANY.get_or_init(FieldSpec::default)
}

/// Names an item of a keyed list by its keys, one of a set by itself.
pub(crate) fn key_of(list: &FieldSpec, item: &Value) -> String {
    if list.key.is_empty() {
        return item.as_str().map_or_else(|| sorted(&item.redacted()).to_string(), str::to_owned);
    }
    let parts = list.key.iter().map(|member| {
        let default = list.item().and_then(|i| i.member(member)).and_then(|m| m.default.as_ref()).map(Value::from_json);
        match item.get(member).or(default.as_ref()) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.redacted().to_string(),
            None => String::new(),
        }
    });
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            names.into_iter().map(|name| (name.clone(), sorted(&members[name]))).collect()
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Removes what a later write does not take: what the server sets, what is settled on create, and null.
fn writable(field: &FieldSpec, raw: &Json) -> Json {
    match (&field.shape, raw) {
        (Shape::Record { members, open, .. }, Json::Object(object)) => object
            .iter()
            .filter(|(name, value)| {
                let member = members.iter().find(|(n, m)| m.api.as_ref().unwrap_or(n) == *name).map(|(_, m)| m);
                let taken = member.map_or(*open, |m| !m.read_only && !m.skip && !m.create_only);
                !value.is_null() && taken && !name.starts_with('$')
            })
            .map(|(name, value)| {
                let member = members.iter().find(|(n, m)| m.api.as_ref().unwrap_or(n) == name).map(|(_, m)| m);
                (name.clone(), member.map_or_else(|| value.clone(), |m| writable(m, value)))
            })
            .collect(),
        (Shape::Map(values), Json::Object(object)) => {
            object.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), writable(values, v))).collect()
        }
        (Shape::List(item), Json::Array(items)) => items.iter().map(|i| writable(item, i)).collect(),
        _ => raw.clone(),
    }
}

fn verb(method: Verb) -> &'static str {
    method.as_str()
}

/// Returns what to send for an edit.
pub(crate) fn requests(spec: &KindSpec, live: &LiveResource, edited: &Edited) -> Vec<Request> {
    let id = live.id.as_str();
    if let Some(At::Rows(path)) = edited.at.first() {
        let found = spec.subs().into_iter().find(|(p, _)| p.to_string() == *path);
        let Some((_, field)) = found else { return Vec::new() };
        let rows = |raw: &Json| raw[SUBS][path].as_array().cloned().unwrap_or_default();
        return sub_requests(live, field, &rows(&live.raw), &rows(&edited.raw));
    }
    if let Some(place) = live.address.name.as_deref().and_then(|name| spec.places.get(name)) {
        return vec![place_request(place, &live.raw, edited)];
    }
    for part in &spec.parts {
        if let Some(captures) = captures(part, &edited.at) {
            return part_request(spec, part, id, &captures, live, edited);
        }
    }
    let Some(update) = &spec.update else { return Vec::new() };
    let Some(At::Key(_, top)) = edited.at.first() else { return Vec::new() };
    let all = writable(&spec.fields, &edited.raw);
    let body = match update.method {
        Verb::Put => all,
        _ => json!({top.clone(): all.get(top).cloned().unwrap_or(Json::Null)}),
    };
    vec![Request { method: verb(update.method), path: fill(&update.path, id, &live.raw), body: Some(body) }]
}

fn fill(path: &str, id: &str, raw: &Json) -> String {
    let mut out = path.replace("{id}", &tenantry::codec::encode_segment(id));
    for (name, value) in raw.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str() {
            out = out.replace(&format!("{{{name}}}"), &tenantry::codec::encode_segment(text));
        }
    }
    out
}

fn place_request(place: &Place, raw: &Json, edited: &Edited) -> Request {
    let Some(At::Key(_, api)) = edited.at.first() else { panic!("a place has members only") };
    let value = edited.raw[api].clone();
    let mut body = match (&place.at, place.merged) {
        (Some(_), false) => {
            let mut all = edited.raw.clone();
            all.as_object_mut().unwrap().retain(|_, v| !v.is_null());
            all
        }
        _ => json!({api.clone(): value}),
    };
    if let Some(member) = &place.at {
        body = json!({member.clone(): body});
    }
    Request { method: verb(place.update.method), path: fill(&place.update.path, "", raw), body: Some(body) }
}

/// Returns what a part's captures stand for, where the place lies inside the part.
fn captures(part: &Part, place: &[At]) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    let mut steps = place.iter();
    for step in &part.at {
        match (step, steps.next()?) {
            (PartStep::Key(key), At::Key(name, _)) if key == name => {}
            (PartStep::Capture(capture), At::Key(name, _)) => out.push((capture.clone(), name.clone())),
            (PartStep::Item(_), At::Index(_)) => {}
            _ => return None,
        }
    }
    Some(out)
}

fn part_request(
    spec: &KindSpec,
    part: &Part,
    id: &str,
    captures: &[(String, String)],
    live: &LiveResource,
    edited: &Edited,
) -> Vec<Request> {
    let (place, inner) = edited.at.split_at(part.at.len());
    let mut field = &spec.fields;
    for step in place {
        field = match step {
            At::Key(name, _) => field.member(name),
            _ => field.item(),
        }
        .unwrap_or(spec_any());
    }
    let mut body = match at(&edited.raw, place) {
        Json::Array(rows) if spec.name == "triggers" => rows.iter().map(binding).collect(),
        found => writable(field, found),
    };
    let is_new = at(&live.raw, place).is_null();
    let endpoint = part.create.as_ref().filter(|_| is_new).unwrap_or(&part.update);
    if let Some(member) = &part.item {
        body = body[member].clone();
    } else if let (Verb::Patch, false, false, Some(At::Key(_, top))) =
        (endpoint.method, part.whole, part.replaces, inner.first())
    {
        body = json!({top.clone(): body[top].clone()});
    }
    if let Some(wrap) = &endpoint.wrap {
        body = json!({wrap.clone(): body});
    }
    let mut path = fill(&endpoint.path, id, &live.raw);
    for (name, value) in captures {
        path = path.replace(&format!("{{{name}}}"), &tenantry::codec::encode_segment(value));
    }
    vec![Request { method: verb(endpoint.method), path, body: Some(body) }]
}

/// A binding is read with its action inside and written with a reference to it.
fn binding(row: &Json) -> Json {
    let action = row.pointer("/action/name").or_else(|| row.get("action_name"));
    let shown = Some(&row["display_name"]).filter(|name| !name.is_null()).or(action);
    json!({"ref": {"type": "action_name", "value": action}, "display_name": shown})
}

fn sub_requests(live: &LiveResource, field: &FieldSpec, before: &[Json], after: &[Json]) -> Vec<Request> {
    let Some(sub) = &field.sub else { return Vec::new() };
    let base = |path: &str| path.replace("{id}", &tenantry::codec::encode_segment(&live.id));
    if let Some(replace) = &sub.replace {
        return vec![sub_request(sub, replace, field, &base(&replace.path), after)];
    }
    let mut out = Vec::new();
    for row in before.iter().skip(after.len()) {
        out.push(sub_request(sub, &sub.remove, field, &base(&sub.remove.path), std::slice::from_ref(row)));
    }
    for (n, row) in after.iter().enumerate() {
        match (before.get(n), &sub.change) {
            (Some(old), _) if old == row => {}
            (Some(old), None) => {
                out.push(sub_request(sub, &sub.remove, field, &base(&sub.remove.path), std::slice::from_ref(old)));
                out.push(sub_request(sub, &sub.add, field, &base(&sub.add.path), std::slice::from_ref(row)));
            }
            (Some(_), Some(change)) => {
                out.push(sub_request(sub, change, field, &base(&change.path), std::slice::from_ref(row)));
            }
            (None, _) => out.push(sub_request(sub, &sub.add, field, &base(&sub.add.path), std::slice::from_ref(row))),
        }
    }
    out
}

fn sub_request(sub: &SubSpec, to: &SubEndpoint, field: &FieldSpec, path: &str, rows: &[Json]) -> Request {
    let item = field.item().unwrap_or(spec_any());
    let known = |name: &String| item.members().any(|(n, m)| m.api.as_ref().unwrap_or(n) == name && is_written(m));
    let body_of = |row: &Json| -> Json {
        let mut members = match (row, &sub.item) {
            (Json::Object(members), None) => {
                members.iter().filter(|(k, _)| known(k)).map(|(k, v)| (k.clone(), v.clone())).collect()
            }
            (Json::Object(members), Some(name)) => {
                serde_json::Map::from_iter([(name.clone(), members.get(name).cloned().unwrap_or_default())])
            }
            (scalar, Some(name)) => serde_json::Map::from_iter([(name.clone(), scalar.clone())]),
            (scalar, None) => return scalar.clone(),
        };
        if let Some(bare) = &to.bare {
            return members.get(bare).cloned().unwrap_or_default();
        }
        members.retain(|k, v| (to.only.is_empty() || to.only.contains(k)) && !to.without.contains(k) && !v.is_null());
        members.extend(to.with.clone());
        Json::Object(members)
    };
    let mut path = path.to_owned();
    for (name, value) in rows.first().and_then(Json::as_object).into_iter().flatten() {
        if let Some(text) = value.as_str() {
            let text = tenantry::codec::encode_segment(text);
            path = path.replace(&format!("{{item.{name}}}"), &text).replace(&format!("{{{name}}}"), &text);
        }
    }
    let body = match to.batch {
        Batch::Each => rows.first().map(body_of).unwrap_or_default(),
        Batch::Of(_) => rows.iter().map(body_of).collect(),
    };
    let body = match &to.wrap {
        Some(wrap) => json!({wrap.clone(): body}),
        None => body,
    };
    Request { method: verb(to.method), path, body: to.body.then_some(body) }
}
