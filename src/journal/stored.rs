//! Values, paths and entries as JSON, without loss and without a secret.

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Value as Json, json};

use super::entry::{Answer, Header, Intent};
use crate::change::Action;
use crate::codec::Body;
use crate::model::{Address, Fingerprint, FingerprintKey, Mark, Path, Segment, Value};
use crate::schema::{FieldSpec, KindSpec, Shape, Verb};

/// The newest format that is read, and the one that is written.
pub(super) const FORMAT: u64 = 1;

/// The member that stands for a secret. Other members that begin with `$` get another `$` in front.
const SECRET: &str = "$secret";

/// Returns a body as a journal keeps it: references as ids, secrets as fingerprints. What stands in a secret member of the kind
/// counts as secret however it came there: carried over from what is live, too.
pub fn remembered(
    spec: Option<&KindSpec>,
    body: &Body,
    id_of: &dyn Fn(&[String], &str) -> Option<String>,
    key: Option<&FingerprintKey>,
) -> Value {
    let mut value = resolved(body, id_of);
    let mut names = BTreeSet::new();
    if let Some(spec) = spec {
        secret_names(&spec.fields, &mut names);
    }
    hide(&mut value, &names, false);
    value.fingerprinted(key)
}

/// Returns a leaf that a change asks for, as a journal keeps it.
pub fn remembered_leaf(spec: Option<&KindSpec>, value: &Value, secret: bool, key: Option<&FingerprintKey>) -> Value {
    let mut value = value.clone();
    let mut names = BTreeSet::new();
    if let Some(spec) = spec {
        secret_names(&spec.fields, &mut names);
    }
    hide(&mut value, &names, secret);
    value.fingerprinted(key)
}

fn resolved(body: &Body, id_of: &dyn Fn(&[String], &str) -> Option<String>) -> Value {
    match body {
        Body::Value(value) => value.clone(),
        Body::Ref { kinds, name } => Value::String(id_of(kinds, name).unwrap_or_else(|| name.clone())),
        Body::Array(items) => Value::Array(items.iter().map(|item| resolved(item, id_of)).collect()),
        Body::Object(members) => {
            Value::Object(members.iter().map(|(name, item)| (name.clone(), resolved(item, id_of))).collect())
        }
    }
}

/// Collects the API's and the files' names of members that hold secrets.
fn secret_names(field: &FieldSpec, names: &mut BTreeSet<String>) {
    for (name, member) in field.members() {
        if holds_secrets(member) {
            names.insert(name.clone());
            names.extend(member.api.clone());
        }
        secret_names(member, names);
    }
    match &field.shape {
        Shape::Record { rest: Some(values), .. } | Shape::Map(values) | Shape::List(values) => {
            secret_names(values, names);
        }
        _ => {}
    }
    if let Some(items) = &field.listed {
        secret_names(items, names);
    }
}

fn holds_secrets(field: &FieldSpec) -> bool {
    field.secret
        || match &field.shape {
            Shape::Map(values) | Shape::List(values) => holds_secrets(values),
            _ => false,
        }
}

fn hide(value: &mut Value, names: &BTreeSet<String>, secret: bool) {
    match value {
        Value::String(text) if secret && !text.is_empty() => {
            *value = Value::Secret(crate::model::Secret::new(std::mem::take(text), "live"));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, names, secret)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                hide(member, names, secret || names.contains(name));
            }
        }
        _ => {}
    }
}

pub(super) fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Fingerprint(mark) => fingerprint(mark),
        // Neither gets here; a secret that did would still not be written.
        Value::Secret(secret) => fingerprint(&Fingerprint::unknown(secret.source())),
        Value::Unresolved(hole) => fingerprint(&Fingerprint::unknown(hole.source.clone())),
        Value::Array(items) => Json::Array(items.iter().map(value_to_json).collect()),
        Value::Object(members) => Json::Object(
            members
                .iter()
                .map(|(name, item)| {
                    let name = if name.starts_with('$') { format!("${name}") } else { name.clone() };
                    (name, value_to_json(item))
                })
                .collect(),
        ),
        plain => plain.redacted(),
    }
}

fn fingerprint(of: &Fingerprint) -> Json {
    let mut out = json!({ "source": of.source });
    if let (Some(mark), Json::Object(members)) = (&of.mark, &mut out) {
        members.insert("key".to_owned(), mark.key.clone().into());
        members.insert("digest".to_owned(), mark.digest.clone().into());
    }
    json!({ SECRET: out })
}

pub(super) fn value_from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Array(items) => Value::Array(items.iter().map(value_from_json).collect::<Option<_>>()?),
        Json::Object(members) => match members.get(SECRET) {
            Some(inner) => {
                let mark = match (text(inner, "key"), text(inner, "digest")) {
                    (Some(key), Some(digest)) => Some(Mark { key, digest }),
                    _ => None,
                };
                Value::Fingerprint(Fingerprint { source: text(inner, "source")?, mark, sealed: None })
            }
            None => Value::Object(
                members
                    .iter()
                    .map(|(name, item)| {
                        let name = name.strip_prefix('$').unwrap_or(name);
                        Some((name.to_owned(), value_from_json(item)?))
                    })
                    .collect::<Option<_>>()?,
            ),
        },
        plain => Value::from_json(plain),
    })
}

fn path_to_json(path: &Path) -> Json {
    let segment = |segment: &Segment| match segment {
        Segment::Key(key) => json!(key),
        Segment::Index(index) => json!(index),
        Segment::Item(item) => json!({ "item": item }),
    };
    Json::Array(path.0.iter().map(segment).collect())
}

fn path_from_json(json: &Json) -> Option<Path> {
    let segment = |json: &Json| match json {
        Json::String(key) => Some(Segment::Key(key.clone())),
        Json::Number(index) => Some(Segment::Index(usize::try_from(index.as_u64()?).ok()?)),
        other => Some(Segment::Item(text(other, "item")?)),
    };
    json.as_array()?.iter().map(segment).collect::<Option<_>>().map(Path)
}

fn text(json: &Json, member: &str) -> Option<String> {
    json.get(member)?.as_str().map(str::to_owned)
}

pub(super) fn header_to_json(header: &Header) -> Json {
    json!({
        "journal": FORMAT,
        "deployment": header.deployment,
        "domain": header.domain,
        "environment": header.environment,
        "digest": header.digest,
        "tool": header.tool,
        "started": header.started.to_string(),
        "fingerprint_key": header.fingerprint_key,
    })
}

pub(super) fn header_from_json(json: &Json) -> Option<Header> {
    Some(Header {
        deployment: text(json, "deployment")?,
        domain: text(json, "domain")?,
        environment: text(json, "environment")?,
        digest: text(json, "digest")?,
        tool: text(json, "tool")?,
        started: text(json, "started")?.parse().ok()?,
        fingerprint_key: text(json, "fingerprint_key"),
    })
}

pub(super) fn intent_to_json(n: u32, intent: &Intent) -> Json {
    let mut out = JsonMap::new();
    out.insert("address".to_owned(), intent.address.to_string().into());
    out.insert("action".to_owned(), intent.action.as_str().into());
    out.insert("method".to_owned(), intent.method.as_str().into());
    out.insert("path".to_owned(), intent.path.clone().into());
    if let Some(body) = &intent.body {
        out.insert("body".to_owned(), value_to_json(body));
    }
    if intent.creates {
        out.insert("creates".to_owned(), true.into());
    }
    if let Some(makes) = &intent.makes {
        out.insert("makes".to_owned(), makes.to_string().into());
    }
    if !intent.asked.is_empty() {
        let leaf = |(path, value): &(Path, Option<Value>)| match value {
            Some(value) => json!({ "at": path_to_json(path), "value": value_to_json(value) }),
            None => json!({ "at": path_to_json(path) }),
        };
        out.insert("asked".to_owned(), Json::Array(intent.asked.iter().map(leaf).collect()));
    }
    json!({ "n": n, "intent": out })
}

pub(super) fn intent_from_json(json: &Json) -> Option<Intent> {
    let asked = |leaf: &Json| {
        let value = match leaf.get("value") {
            Some(value) => Some(value_from_json(value)?),
            None => None,
        };
        Some((path_from_json(leaf.get("at")?)?, value))
    };
    Some(Intent {
        address: Address::parse(&text(json, "address")?)?,
        action: action(&text(json, "action")?)?,
        method: method(&text(json, "method")?)?,
        path: text(json, "path")?,
        body: match json.get("body") {
            Some(body) => Some(value_from_json(body)?),
            None => None,
        },
        creates: json.get("creates").and_then(Json::as_bool).unwrap_or(false),
        makes: match text(json, "makes") {
            Some(makes) => Some(Address::parse(&makes)?),
            None => None,
        },
        asked: match json.get("asked") {
            Some(leaves) => leaves.as_array()?.iter().map(asked).collect::<Option<_>>()?,
            None => Vec::new(),
        },
    })
}

pub(super) fn answer_to_json(n: u32, answer: &Answer) -> Json {
    let with_id = |mut json: Json, id: &Option<String>| {
        if let (Some(id), Json::Object(members)) = (id, &mut json) {
            members.insert("id".to_owned(), id.clone().into());
        }
        json
    };
    let outcome = match answer {
        Answer::Done { status, id } => with_id(json!({ "done": status }), id),
        Answer::Found { id } => with_id(json!({ "found": true }), id),
        Answer::Failed { why } => json!({ "failed": why }),
        Answer::InDoubt { why } => json!({ "in_doubt": why }),
        Answer::NotSent { why } => json!({ "not_sent": why }),
    };
    json!({ "n": n, "outcome": outcome })
}

pub(super) fn answer_from_json(json: &Json) -> Option<Answer> {
    let id = text(json, "id");
    let why = |member: &str| text(json, member);
    if let Some(status) = json.get("done").and_then(Json::as_u64) {
        return Some(Answer::Done { status: u16::try_from(status).ok()?, id });
    }
    if json.get("found").is_some() {
        return Some(Answer::Found { id });
    }
    if let Some(why) = why("failed") {
        return Some(Answer::Failed { why });
    }
    if let Some(why) = why("in_doubt") {
        return Some(Answer::InDoubt { why });
    }
    why("not_sent").map(|why| Answer::NotSent { why })
}

fn action(text: &str) -> Option<Action> {
    [Action::Create, Action::Update, Action::Replace, Action::Delete].into_iter().find(|a| a.as_str() == text)
}

fn method(text: &str) -> Option<Verb> {
    [Verb::Post, Verb::Patch, Verb::Put, Verb::Delete].into_iter().find(|v| v.as_str() == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::{Map, Secret};
    use crate::schema::Registry;

    #[test]
    fn a_value_comes_back_as_it_was() {
        let key = FingerprintKey::new("k");
        let secret = Value::Secret(Secret::new("hunter2", "secrets.a")).fingerprinted(Some(&key));
        let members = [
            ("$secret", Value::from("no fingerprint")),
            ("$$x", Value::Null),
            ("plain", Value::from_json(&json!([1, 1.5, true, {"a": {}}, []]))),
            ("hidden", secret),
            ("unknown", Value::Fingerprint(Fingerprint::unknown("x"))),
        ];
        let value = Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map>());
        let json = value_to_json(&value);
        assert!(!json.to_string().contains("hunter2"));
        assert_eq!(value_from_json(&json).unwrap(), value);
    }

    #[test]
    fn a_secret_that_got_this_far_is_not_written() {
        let json = value_to_json(&Value::Secret(Secret::new("hunter2", "secrets.a")));
        assert_eq!(json, json!({"$secret": {"source": "secrets.a"}}));
    }

    #[test]
    fn what_stands_in_a_secret_member_is_hidden_however_it_came_there() {
        let text = "properties: {name: {}, o: {properties: {s: {x-secret: true, x-api: S}}}, m: {additionalProperties: {x-secret: true}}, l: {items: {properties: {value: {x-secret: true}}}}}";
        let registry = Registry::of(&[("things", text)]);
        let body = Body::Value(Value::from_json(&json!({
            "name": "n", "o": {"S": "hunter1", "other": "o"}, "m": {"k": "hunter2"}, "l": [{"name": "n", "value": "hunter3"}]
        })));
        let kept = remembered(registry.kind("things"), &body, &|_, _| None, None);
        let json = value_to_json(&kept).to_string();
        assert!(!json.contains("hunter"), "{json}");
        assert!(json.contains(r#""other":"o""#) && json.contains(r#""name":"n""#), "{json}");
    }

    #[test]
    fn references_are_kept_as_the_ids_that_were_sent() {
        let body = Body::Array(vec![Body::Ref { kinds: vec!["roles".to_owned()], name: "admin".to_owned() }]);
        let kept = remembered(None, &body, &|_, _| Some("r1".to_owned()), None);
        assert_eq!(kept, Value::Array(vec![Value::from("r1")]));
    }

    #[test]
    fn paths_come_back_as_they_were() {
        let path = Path::root().key("a.b").item("x[1]").index(3).key("");
        assert_eq!(path_from_json(&path_to_json(&path)), Some(path));
    }
}
