//! Compares two values of a resource, leaf by leaf, by schema.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::decide::{Verdict, decide};
use crate::change::{FieldChange, How};
use crate::model::{Diff, Loci, Map, Path, ThreeWay, Value};
use crate::schema::{FieldSpec, Risk, Shape, TextKind};

/// What comparing two values found.
#[derive(Debug, Clone, Default)]
pub struct Differences {
    /// Leaves that differ.
    pub fields: Vec<FieldChange>,
    /// Leaves that differ but can be set on create only.
    pub create_only: Vec<FieldChange>,
    /// Secrets that cannot be compared, with where their value comes from.
    pub secrets: Vec<(Path, String)>,
}

/// Compares a described resource with the live one. Only described members are compared.
///
/// `loci` says where the description's values stand. Both values are in the form people write them.
pub fn diff(spec: &FieldSpec, desired: &Value, live: &Value, loci: &Loci) -> Differences {
    let mut out = Differences::default();
    let empty = Map::new();
    let mut walk = Walk { out: &mut out, loci, resource: desired.as_object().unwrap_or(&empty) };
    walk.value(spec, &Path::root(), desired, Some(live), Flags::default());
    out.fields.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// What a value inherits from what holds it.
#[derive(Debug, Clone, Copy, Default)]
struct Flags<'a> {
    risk: Option<(&'a FieldSpec, Risk)>,
    secret: bool,
    immutable: bool,
    create_only: bool,
}

struct Walk<'a, 'o> {
    out: &'o mut Differences,
    loci: &'a Loci,
    resource: &'a Map,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, spec: &'a FieldSpec, path: &Path, desired: &Value, live: Option<&Value>, flags: Flags<'a>) {
        let flags = Flags {
            secret: flags.secret || spec.secret,
            immutable: flags.immutable || spec.immutable,
            create_only: flags.create_only || spec.create_only,
            risk: if spec.risk == Default::default() { flags.risk } else { Some((spec, Risk::Safe)) },
        };
        if spec.read_only || spec.skip || spec.owned || spec.alias.is_some() {
            return;
        }
        if let Value::Unresolved(unresolved) = desired {
            self.out.secrets.push((path.clone(), unresolved.source.clone()));
            return;
        }
        if spec.write_only && flags.create_only && !flags.secret {
            // Nothing could be done about a difference: the key of a credential is told by its id.
            return;
        }
        if spec.write_only {
            self.secrets_inside(spec, path, desired, live, flags);
            return;
        }
        match (&spec.shape, desired, live) {
            (Shape::Record { .. }, Value::Object(wanted), live)
                if live.is_none_or(|l| matches!(l, Value::Object(_) | Value::Null)) =>
            {
                let found = live.and_then(Value::as_object);
                for (name, value) in wanted {
                    let member = spec.member(name).unwrap_or(ANY.get_or_init(FieldSpec::default));
                    self.value(member, &path.key(name), value, found.and_then(|f| f.get(name)), flags);
                }
            }
            (Shape::Map(values), Value::Object(wanted), live)
                if live.is_none_or(|l| matches!(l, Value::Object(_) | Value::Null)) =>
            {
                let empty = Map::new();
                let found = live.and_then(Value::as_object).unwrap_or(&empty);
                for (name, value) in wanted {
                    self.value(values, &path.key(name), value, found.get(name), flags);
                }
                for (name, value) in found.iter().filter(|(name, v)| !wanted.contains_key(*name) && **v != Value::Null)
                {
                    self.leaf(&path.key(name), None, Some(value), values, flags, How::Value);
                }
            }
            (Shape::List(items), Value::Array(wanted), live)
                if live.is_none_or(|l| matches!(l, Value::Array(_) | Value::Null)) =>
            {
                let found = live.and_then(Value::as_array).unwrap_or_default();
                if !spec.key.is_empty() {
                    self.keyed(spec, items, path, wanted, found, flags);
                } else if spec.set {
                    self.set(items, path, wanted, found, flags);
                } else if !list_same(items, wanted, found) {
                    self.leaf(path, Some(desired), live, spec, flags, How::Value);
                }
            }
            _ => {
                let default = spec.default_in(self.resource).map(Value::from_json);
                let live_or_default = live.filter(|l| **l != Value::Null).or(default.as_ref());
                if !same(spec, Some(desired), live_or_default) {
                    let how = if spec.text.is_some() { How::Text } else { How::Value };
                    self.leaf(path, Some(desired), live, spec, flags, how);
                }
            }
        }
    }

    fn set(&mut self, items: &'a FieldSpec, path: &Path, wanted: &[Value], found: &[Value], flags: Flags<'a>) {
        let index = |list: &[Value]| -> BTreeMap<String, (usize, Value)> {
            list.iter().enumerate().map(|(n, item)| (item_name(item), (n, item.clone()))).collect()
        };
        let (want, have) = (index(wanted), index(found));
        for (name, (n, item)) in want.iter().filter(|(name, _)| !have.contains_key(*name)) {
            let locus_path = path.index(*n);
            self.leaf_at(&path.item(name), &locus_path, Some(item), None, items, flags, How::Item);
        }
        for (name, (_, item)) in have.iter().filter(|(name, _)| !want.contains_key(*name)) {
            self.leaf(&path.item(name), None, Some(item), items, flags, How::Item);
        }
    }

    fn keyed(
        &mut self,
        spec: &'a FieldSpec,
        items: &'a FieldSpec,
        path: &Path,
        wanted: &[Value],
        found: &[Value],
        flags: Flags<'a>,
    ) {
        let keys = |list: &[Value]| -> Vec<String> { list.iter().map(|item| key_of(spec, item)).collect() };
        let (want, have) = (keys(wanted), keys(found));
        if spec.ordered && want.iter().filter(|k| have.contains(k)).ne(have.iter().filter(|k| want.contains(k))) {
            self.leaf(
                path,
                Some(&Value::Array(wanted.to_vec())),
                Some(&Value::Array(found.to_vec())),
                spec,
                flags,
                How::Value,
            );
            return;
        }
        for (n, (key, item)) in want.iter().zip(wanted).enumerate() {
            let item_path = path.item(key);
            match have.iter().position(|k| k == key).and_then(|at| found.get(at)) {
                Some(live) => {
                    let before = self.out.fields.len();
                    self.value(items, &item_path, item, Some(live), flags);
                    let loci = self.loci;
                    for field in self.out.fields.iter_mut().skip(before) {
                        let mut steps = path.index(n).0;
                        steps.extend(field.path.0.iter().skip(item_path.0.len()).cloned());
                        field.locus = loci.at(&Path(steps)).cloned();
                    }
                }
                None => self.leaf_at(&item_path, &path.index(n), Some(item), None, items, flags, How::Item),
            }
        }
        for (key, item) in have.iter().zip(found).filter(|(key, _)| !want.contains(key)) {
            self.leaf(&path.item(key), None, Some(item), items, flags, How::Item);
        }
    }

    fn secrets_inside(
        &mut self,
        spec: &'a FieldSpec,
        path: &Path,
        desired: &Value,
        live: Option<&Value>,
        flags: Flags<'a>,
    ) {
        match desired {
            Value::Object(map) => {
                for (key, value) in map {
                    let member = spec.member(key).unwrap_or(spec);
                    self.secrets_inside(member, &path.key(key), value, live.and_then(|l| l.get(key)), flags);
                }
            }
            // That it is there is known, though not what it is.
            Value::Null if live.is_some_and(|live| !live.is_blank()) => {
                self.leaf(path, None, live, spec, flags, How::Secret);
            }
            Value::Null => {}
            Value::Unresolved(hole) => self.out.secrets.push((path.clone(), hole.source.clone())),
            Value::Secret(secret) => self.out.secrets.push((path.clone(), secret.source().to_owned())),
            _ => self.out.secrets.push((path.clone(), "the description".to_owned())),
        }
    }

    fn leaf(
        &mut self,
        path: &Path,
        desired: Option<&Value>,
        live: Option<&Value>,
        spec: &'a FieldSpec,
        flags: Flags<'a>,
        how: How,
    ) {
        self.leaf_at(path, path, desired, live, spec, flags, how);
    }

    #[allow(clippy::too_many_arguments)]
    fn leaf_at(
        &mut self,
        path: &Path,
        locus_path: &Path,
        desired: Option<&Value>,
        live: Option<&Value>,
        spec: &'a FieldSpec,
        flags: Flags<'a>,
        how: How,
    ) {
        let leaf = ThreeWay { desired: desired.cloned(), live: live.cloned(), base: None };
        let Verdict::Differs(origin) = decide(&leaf, |_, _| false) else { return };
        let blank = |value: Option<&Value>| value.is_none_or(Value::is_blank);
        let carrier =
            if spec.risk == Default::default() { flags.risk.map_or(spec, |(holder, _)| holder) } else { spec };
        let risk = match (blank(desired), blank(live)) {
            (false, true) => carrier.risk.add,
            (true, _) => carrier.risk.remove,
            (false, false) => carrier.risk.change,
        };
        let secret = flags.secret || spec.secret || holds_secret(desired) || holds_secret(live);
        let field = FieldChange {
            path: path.clone(),
            diff: Diff { before: leaf.live, after: leaf.desired },
            how: if secret { How::Secret } else { how },
            origin,
            risk,
            why: if risk > Risk::Safe { carrier.why.clone() } else { None },
            locus: desired.and_then(|_| self.loci.at(locus_path)).or_else(|| self.loci.at(&Path::root())).cloned(),
            forces_replace: flags.immutable || spec.immutable,
        };
        if flags.create_only || spec.create_only {
            self.out.create_only.push(field);
        } else {
            self.out.fields.push(field);
        }
    }
}

static ANY: std::sync::OnceLock<FieldSpec> = std::sync::OnceLock::new();

fn holds_secret(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_)) => true,
        Some(Value::Array(items)) => items.iter().any(|item| holds_secret(Some(item))),
        Some(Value::Object(map)) => map.values().any(|item| holds_secret(Some(item))),
        _ => false,
    }
}

/// Names an item of a set: its text, or its canonical JSON.
pub fn item_name(item: &Value) -> String {
    match item {
        Value::String(text) => text.clone(),
        other => canonical(&other.redacted()).to_string(),
    }
}

/// Names an item of a keyed list.
pub fn key_of(spec: &FieldSpec, item: &Value) -> String {
    let part = |member: &String| match item.get(member) {
        Some(value) => item_name(value),
        None => {
            let default = spec.item().and_then(|i| i.member(member)).and_then(|m| m.default.as_ref());
            default.map(|d| item_name(&Value::from_json(d))).unwrap_or_default()
        }
    };
    spec.key.iter().map(part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Sorts the members of every object inside.
fn canonical(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(k, v)| (k.clone(), canonical(v))).collect();
            Json::Object(sorted.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

fn list_same(items: &FieldSpec, a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(items, Some(a), Some(b)))
}

/// Compares two values of a field: null, missing and empty are equal; so are 1 and 1.0, and texts but for line ends.
pub(super) fn same(spec: &FieldSpec, a: Option<&Value>, b: Option<&Value>) -> bool {
    let (a, b) = match (a, b) {
        (None, None) => return true,
        (Some(one), None) | (None, Some(one)) => {
            let empty_text = (spec.text.is_some() || spec.empty_is_null) && is_empty_text(one);
            return one.is_blank() || empty_text;
        }
        (Some(a), Some(b)) => (a, b),
    };
    match (a, b) {
        (x, y) if x.is_blank() && y.is_blank() => true,
        (x, y) if spec.empty_is_null && (x.is_blank() || is_empty_text(x)) && (y.is_blank() || is_empty_text(y)) => {
            true
        }
        (Value::Number(x), Value::Number(y)) if spec.hours.is_some() => {
            let minutes = |n: &serde_json::Number| (n.as_f64().unwrap_or_default() * 60.0).round();
            (minutes(x) - minutes(y)).abs() < 0.5
        }
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::String(x), Value::String(y)) => match spec.text {
            Some(TextKind::Pem) => pem_body(x) == pem_body(y),
            Some(_) => text_body(x) == text_body(y),
            None => x == y,
        },
        (Value::Secret(x), Value::String(y)) | (Value::String(y), Value::Secret(x)) => x.expose() == y,
        (Value::Array(x), Value::Array(y)) => {
            let any = ANY.get_or_init(FieldSpec::default);
            list_same(spec.item().unwrap_or(any), x, y)
        }
        (Value::Object(x), Value::Object(y)) => {
            let any = ANY.get_or_init(FieldSpec::default);
            let mut names: Vec<&String> = x.keys().chain(y.keys()).collect();
            names.dedup();
            names.iter().all(|name| {
                let member = spec.member(name).unwrap_or(any);
                member.read_only || member.owned || same(member, x.get(*name), y.get(*name))
            })
        }
        (x, y) => x == y,
    }
}

fn is_empty_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text_body(text).is_empty())
}

fn text_body(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

/// The Base64 body of a PEM block, also of one that is Base64 as a whole, without white space.
fn pem_body(text: &str) -> String {
    let bare = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
    };
    let body = bare(text);
    if text.contains("-----") {
        return body;
    }
    match STANDARD.decode(&body).map(String::from_utf8) {
        Ok(Ok(inner)) if inner.contains("-----BEGIN") => bare(&inner),
        _ => body,
    }
}

#[cfg(test)]
mod tests;
