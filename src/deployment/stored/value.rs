//! Values, addresses and paths inside a record.
//!
//! JSON as it is, but for objects with one member whose name begins with one `$`: they say what JSON cannot. A name of the
//! tenant's that begins with `$` gets one more, so nothing a tenant holds can be taken for them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::model::{Address, Fingerprint, Map, Mark, Path, Segment, Value};

/// What is remembered of a secret.
const SECRET: &str = "$secret";

/// JSON as text, where it is nested deeper than JSON is read back.
const DEEP: &str = "$json";

/// Nothing at all, where `null` would be a value.
const ABSENT: &str = "$absent";

/// Levels of objects and lists before the rest is kept as text; JSON is read back down to 128.
const DEEPEST: usize = 48;

/// A value.
pub(super) struct StoredValue(pub(super) Value);

/// A value, or that there was none.
pub(super) struct StoredMaybe(pub(super) Option<Value>);

/// An address, as people write it.
pub(super) struct StoredAddress(pub(super) Address);

/// A path: a list of names, numbers and, for items of sets and keyed lists, `{"item": …}`.
pub(super) struct StoredPath(pub(super) Path);

fn encode(value: &Value, depth: usize) -> Json {
    if depth == DEEPEST && matches!(value, Value::Array(_) | Value::Object(_)) {
        return json!({ DEEP: encode(value, 0).to_string() });
    }
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => Json::String(text.clone()),
        Value::Fingerprint(fingerprint) => secret(fingerprint),
        Value::Secret(secret_text) => secret(&Fingerprint::unknown(secret_text.source())),
        Value::Unresolved(hole) => secret(&Fingerprint::unknown(hole.source.clone())),
        Value::Array(items) => items.iter().map(|item| encode(item, depth + 1)).collect(),
        Value::Object(map) => {
            let name = |key: &str| if key.starts_with('$') { format!("${key}") } else { key.to_owned() };
            Json::Object(map.iter().map(|(key, value)| (name(key), encode(value, depth + 1))).collect())
        }
    }
}

fn secret(fingerprint: &Fingerprint) -> Json {
    let mut members = JsonMap::new();
    members.insert("source".to_owned(), fingerprint.source.clone().into());
    if let Some(mark) = &fingerprint.mark {
        members.insert("key".to_owned(), mark.key.clone().into());
        members.insert("digest".to_owned(), mark.digest.clone().into());
    }
    if let Some(sealed) = &fingerprint.sealed {
        members.insert("sealed".to_owned(), sealed.clone().into());
    }
    json!({ SECRET: members })
}

fn decode(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(decode).collect::<Option<_>>()?),
        Json::Object(map) => match sign(&map) {
            Some((SECRET, inner)) => Value::Fingerprint(fingerprint(inner)?),
            Some((DEEP, inner)) => decode(serde_json::from_str(inner.as_str()?).ok()?)?,
            _ => Value::Object(map.into_iter().map(member).collect::<Option<Map>>()?),
        },
    })
}

/// Returns the one member of an object that says what JSON cannot.
fn sign(map: &JsonMap<String, Json>) -> Option<(&str, &Json)> {
    let (key, inner) = map.iter().next().filter(|_| map.len() == 1)?;
    (key.starts_with('$') && !key.starts_with("$$")).then_some((key, inner))
}

fn member((key, value): (String, Json)) -> Option<(String, Value)> {
    let name = match key.strip_prefix('$') {
        Some(own) if own.starts_with('$') => own.to_owned(),
        Some(_) => return None,
        None => key,
    };
    Some((name, decode(value)?))
}

fn fingerprint(json: &Json) -> Option<Fingerprint> {
    let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
    let mark = match (text("key"), text("digest")) {
        (Some(key), Some(digest)) => Some(Mark { key, digest }),
        (None, None) => None,
        _ => return None,
    };
    Some(Fingerprint { source: text("source")?, mark, sealed: text("sealed") })
}

impl Serialize for StoredValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        encode(&self.0, 0).serialize(to)
    }
}

impl<'de> Deserialize<'de> for StoredValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        decode(Json::deserialize(from)?).map(StoredValue).ok_or_else(|| D::Error::custom("not a value"))
    }
}

impl Serialize for StoredMaybe {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => encode(value, 0).serialize(to),
            None => json!({ ABSENT: true }).serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for StoredMaybe {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(from)?;
        if json.as_object().and_then(sign).is_some_and(|(key, _)| key == ABSENT) {
            return Ok(StoredMaybe(None));
        }
        decode(json).map(|value| StoredMaybe(Some(value))).ok_or_else(|| D::Error::custom("not a value"))
    }
}

impl Serialize for StoredAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        if Address::parse(&text).as_ref() == Some(&self.0) {
            return text.serialize(to);
        }
        // A name that no text can tell: empty, for one.
        json!({ "kind": self.0.kind, "name": self.0.name, "id": self.0.id }).serialize(to)
    }
}

impl<'de> Deserialize<'de> for StoredAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(from)?;
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let address = match &json {
            Json::String(text) => Address::parse(text),
            _ => text("kind").map(|kind| Address { kind, name: text("name"), id: text("id") }),
        };
        address.map(StoredAddress).ok_or_else(|| D::Error::custom("not an address"))
    }
}

impl Serialize for StoredPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let segments = self.0.0.iter().map(|segment| match segment {
            Segment::Key(key) => json!(key),
            Segment::Index(index) => json!(index),
            Segment::Item(item) => json!({ "item": item }),
        });
        segments.collect::<Json>().serialize(to)
    }
}

impl<'de> Deserialize<'de> for StoredPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let segment = |json: Json| match json {
            Json::String(key) => Some(Segment::Key(key)),
            Json::Number(index) => Some(Segment::Index(usize::try_from(index.as_u64()?).ok()?)),
            other => Some(Segment::Item(other.get("item")?.as_str()?.to_owned())),
        };
        let segments: Option<Vec<Segment>> = Vec::<Json>::deserialize(from)?.into_iter().map(segment).collect();
        segments.map(|segments| StoredPath(Path(segments))).ok_or_else(|| D::Error::custom("not a path"))
    }
}
