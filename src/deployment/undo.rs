//! From the record of a deployment to the desired state that takes it back.

use std::collections::BTreeSet;

use super::record::{Deployment, Image};
use crate::codec::cleared;
use crate::model::{
    Address, Base, BaseResource, Described, DescribedKind, Desired, Fingerprint, Loci, Map, Path, Secret, Segment,
    Value,
};
use crate::quirk;
use crate::schema::{FieldSpec, KindSpec, Registry, Shape};

/// What taking a deployment back means: an ordinary plan of these, in which drift is kept, does it.
#[derive(Debug, Clone, Default)]
pub struct Undo {
    /// Every resource that the deployment touched, as it was before; of updated ones only what was changed.
    pub desired: Desired,
    /// What the deployment left of them.
    pub base: Base,
    /// What the deployment made, with its server id: taking it back deletes it.
    pub made: Vec<(Address, String)>,
    /// What cannot come back, in sentences.
    pub lost: Vec<String>,
}

/// Finds what takes a deployment back. `secret` gives the secret behind a fingerprint, where it can still be had.
pub fn undo(registry: &Registry, deployment: &Deployment, secret: &dyn Fn(&Fingerprint) -> Option<Secret>) -> Undo {
    let mut out = Undo::default();
    for image in &deployment.images {
        let Some(spec) = registry.kind(&image.address.kind) else {
            out.lost.push(format!("`{}`: this version does not know its kind", image.address));
            continue;
        };
        let left = deployment.base.iter().find(|entry| entry.address == image.address).map(|entry| entry.left.as_ref());
        // An image without an entry belongs to a change that was never made.
        let Some(left) = left else { continue };
        let kind = out.desired.kinds.entry(spec.name.clone()).or_default();
        if let Some(left) = left {
            if image.value.is_none() || left.id != image.id {
                out.made.push((image.address.clone(), left.id.clone()));
            }
            let both = left.live.clone();
            let left = BaseResource { id: left.id.clone(), desired: both.clone(), live: both };
            out.base.resources.insert(image.address.clone(), left);
        }
        let Some(value) = &image.value else {
            if left.is_some() && spec.delete.is_none() {
                out.lost.push(format!("`{}` was made, and the API deletes none: it stays", image.address));
            }
            continue;
        };
        restore(spec, image, value, left, kind, &mut out.lost, secret);
    }
    out
}

fn restore(
    spec: &KindSpec,
    image: &Image,
    value: &Value,
    left: Option<&BaseResource>,
    kind: &mut DescribedKind,
    lost: &mut Vec<String>,
    secret: &dyn Fn(&Fingerprint) -> Option<Secret>,
) {
    let address = &image.address;
    let anew = left.is_none_or(|left| left.id != image.id);
    // What has to be made anew needs all of it, however little was changed.
    let before = if image.paths.is_empty() || anew {
        value.clone()
    } else {
        let now = left.map(|left| &left.live);
        let mut before = touched(spec, value, now, &image.paths, &mut |path| {
            lost.push(had_none(address, path));
        });
        if image.id.is_empty() {
            // Nothing else tells which one it is.
            identify(spec, value, &mut before);
        }
        before
    };
    let mut gone = Vec::new();
    let Some(before) = revealed(&spec.fields, &before, &Path::root(), secret, &mut gone) else { return };
    if anew && !image.id.is_empty() {
        lost.push(format!("`{address}` is made anew: its id was {} and will be another", image.id));
        lost.extend(spec.delete_why.iter().map(|why| format!("`{address}`: {why}")));
    }
    lost.extend(gone.iter().map(|gone| unreadable(address, gone)));
    kind.resources.push(Described {
        address: address.clone(),
        id: (!anew && !image.id.is_empty()).then(|| image.id.clone()),
        value: before,
        loci: Loci::default(),
    });
}

/// Says that a member keeps its value.
pub(super) fn had_none(address: &Address, path: &Path) -> String {
    format!("`{address}`: `{path}` had no value, and the API takes none back")
}

/// Says that a secret cannot come back.
pub(super) fn unreadable(address: &Address, gone: &Gone) -> String {
    let path = &gone.path;
    if gone.sealed {
        let where_from = "`ledger_identity`, or TENANTRY_LEDGER_IDENTITY";
        return format!("`{address}`: `{path}` is sealed in the ledger, and what opens it is not here ({where_from})");
    }
    format!("`{address}`: nobody can read back what `{path}` was")
}

/// A secret that cannot be had any more.
pub(super) struct Gone {
    path: Path,
    /// The ledger holds it, and nobody here can open it.
    sealed: bool,
}

/// Cuts a resource down to what was changed. Maps and lists stay whole, because what they lack would be removed. What had no value
/// is cleared, or gets the value that the server itself would give; where neither can be, `stays` is told. `now` is what is there now.
pub(super) fn touched(
    spec: &KindSpec,
    value: &Value,
    now: Option<&Value>,
    paths: &[Path],
    stays: &mut dyn FnMut(&Path),
) -> Value {
    let mut out = Map::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let keys = before_keys(spec, value, path);
        if !seen.insert(keys.clone()) {
            continue;
        }
        let of = |from| keys.iter().try_fold(from, |value: &Value, key| value.get(key));
        let before = of(value).filter(|before| **before != Value::Null).cloned();
        if let Some(before) = before.or_else(|| cleared(spec, &keys, now.and_then(of), stays)) {
            put(&mut out, &keys, before);
        }
    }
    for (name, inner) in &mut out {
        if let (Some(field), Some(before)) = (spec.field(name), value.get(name)) {
            beside(field, before, inner);
        }
    }
    // What only asks for a further step (to deploy the code of an action) asks for it again.
    for (name, field) in spec.fields.members().filter(|(_, field)| field.step.is_some()) {
        if let (false, Some(before)) = (out.contains_key(name) || field.read_only, value.get(name)) {
            out.insert(name.clone(), before.clone());
        }
    }
    quirk::of(spec).brought_back(value, &mut out);
    Value::Object(out)
}

/// Returns the keys to what a change touched, or to the outermost record around it that was not there before.
fn before_keys<'p>(spec: &KindSpec, before: &Value, path: &'p Path) -> Vec<&'p str> {
    let mut field = &spec.fields;
    let mut before = Some(before);
    let mut keys: Vec<&str> = Vec::new();
    for segment in &path.0 {
        let (Segment::Key(key), Shape::Record { .. }) = (segment, &field.shape) else { break };
        keys.push(key);
        before = before.and_then(|before| before.get(key)).filter(|before| **before != Value::Null);
        match field.member(key).filter(|_| before.is_some()) {
            Some(member) => field = member,
            None => break,
        }
    }
    keys
}

/// Adds what no read returns beside what goes back: it would be lost where the API replaces the object around it whole.
fn beside(field: &FieldSpec, before: &Value, inner: &mut Value) {
    let (Value::Object(before), Some(members), Shape::Record { .. }) = (before, inner.as_object_mut(), &field.shape)
    else {
        return;
    };
    for (name, member) in field.members() {
        match (before.get(name), members.get_mut(name)) {
            (Some(hidden), None) if member.write_only && !field.merged => {
                members.insert(name.clone(), hidden.clone());
            }
            (Some(before), Some(inner)) => beside(member, before, inner),
            _ => {}
        }
    }
}

/// Adds the members that a resource without an id is known by.
fn identify(spec: &KindSpec, value: &Value, before: &mut Value) {
    let Some(members) = before.as_object_mut() else { return };
    for name in &spec.identity {
        if let Some(known) = value.get(name) {
            members.entry(name.clone()).or_insert_with(|| known.clone());
        }
    }
}

pub(super) fn put(map: &mut Map, keys: &[&str], value: Value) {
    match keys {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = map.entry((*first).to_owned()).or_insert_with(Value::object);
            if let Some(inner) = inner.as_object_mut() {
                put(inner, rest, value);
            }
        }
    }
}

/// Puts secrets back where they can still be had, and leaves out what cannot: `None` where nothing is left.
pub(super) fn revealed(
    field: &FieldSpec,
    value: &Value,
    path: &Path,
    secret: &dyn Fn(&Fingerprint) -> Option<Secret>,
    gone: &mut Vec<Gone>,
) -> Option<Value> {
    if field.read_only {
        return None;
    }
    match value {
        Value::Fingerprint(fingerprint) => match secret(fingerprint) {
            Some(secret) => Some(Value::Secret(secret)),
            None => {
                gone.push(Gone { path: path.clone(), sealed: fingerprint.sealed.is_some() });
                None
            }
        },
        Value::Array(items) => {
            let any = FieldSpec::default();
            let spec = field.item().unwrap_or(&any);
            let items = items.iter().enumerate();
            Some(Value::Array(items.filter_map(|(n, v)| revealed(spec, v, &path.index(n), secret, gone)).collect()))
        }
        Value::Object(map) => {
            let any = FieldSpec::default();
            let members = map.iter().filter_map(|(name, value)| {
                let spec = field.member(name).unwrap_or(&any);
                Some((name.clone(), revealed(spec, value, &path.key(name), secret, gone)?))
            });
            Some(Value::Object(members.collect()))
        }
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::deployment::{BaseEntry, Outcome, Purpose, Rules, Tally};
    use crate::model::FingerprintKey;

    const THINGS: &str = "x-tenantry: {identity: [name], id: id}\nproperties: {name: {}, id: {readOnly: true}, \
                          tags: {type: array, items: {}, x-set: true}, meta: {type: object, additionalProperties: {}}, \
                          options: {type: object, properties: {a: {}, b: {}, token: {x-secret: true}}}}";

    fn registry() -> Registry {
        Registry::of(&[("things", THINGS)])
    }

    fn deployment(images: Vec<Image>, base: Vec<BaseEntry>) -> Deployment {
        Deployment {
            id: "01".to_owned(),
            domain: "x".to_owned(),
            environment: "x".to_owned(),
            purpose: Purpose::Apply,
            tool: "0".to_owned(),
            actor: "ana".to_owned(),
            commit: None,
            digest: String::new(),
            fingerprint_key: None,
            started: Timestamp::UNIX_EPOCH,
            ended: Some(Timestamp::UNIX_EPOCH),
            outcome: Some(Outcome::Done),
            tally: Tally::default(),
            rules: Rules::default(),
            plan: json!({}),
            images,
            base,
            taken_back: Vec::new(),
        }
    }

    fn image(value: Option<serde_json::Value>, paths: Vec<Path>) -> Image {
        let value = value.map(|json| Value::from_json(&json));
        Image { address: Address::new("things", "a"), id: "1".to_owned(), value, paths }
    }

    fn left(id: &str, live: serde_json::Value) -> BaseEntry {
        let value = Value::from_json(&live);
        let left = BaseResource { id: id.to_owned(), desired: value.clone(), live: value };
        BaseEntry { address: Address::new("things", "a"), left: Some(left) }
    }

    fn key(path: &str) -> Path {
        path.split('.').fold(Path::root(), |path, part| path.key(part))
    }

    #[test]
    fn of_an_update_only_what_was_changed_goes_back() {
        let before = json!({"name": "a", "id": "1", "tags": ["x"], "meta": {"k": "v"}, "options": {"a": 1, "b": 2}});
        let paths = vec![key("tags").item("y"), key("meta.n"), key("options.a"), key("options.token")];
        let done = deployment(vec![image(Some(before), paths)], vec![left("1", json!({"name": "a"}))]);
        let undo = undo(&registry(), &done, &|_| None);
        let described = &undo.desired.kinds.get("things").unwrap().resources[0];
        let expected = json!({"tags": ["x"], "meta": {"k": "v"}, "options": {"a": 1, "token": null}});
        assert_eq!(described.value.redacted(), expected);
        assert_eq!(described.id.as_deref(), Some("1"));
        assert_eq!(undo.lost, Vec::<String>::new());
    }

    #[test]
    fn what_has_no_id_is_told_by_its_name() {
        let before = json!({"name": "a", "tags": ["x"], "options": {"a": 1}});
        let update = Image { id: String::new(), ..image(Some(before.clone()), vec![key("tags").item("y")]) };
        let restored = |entry: BaseEntry, image: Image| {
            let undo = undo(&registry(), &deployment(vec![image], vec![entry]), &|_| None);
            undo.desired.kinds.get("things").unwrap().resources[0].value.redacted()
        };
        let found = restored(left("", json!({"name": "a", "tags": ["y"]})), update.clone());
        assert_eq!(found, json!({"tags": ["x"], "name": "a"}));
        // What is gone meanwhile, or was made anew under another id, takes all that it was.
        let gone = BaseEntry { address: Address::new("things", "a"), left: None };
        assert_eq!(restored(gone, update.clone()), before);
        let update = Image { id: "1".to_owned(), ..update };
        assert_eq!(restored(left("2", json!({"name": "a"})), update), before);
    }

    #[test]
    fn what_was_made_is_not_desired_and_ours() {
        let made = Image { id: String::new(), ..image(None, Vec::new()) };
        let undo = undo(&registry(), &deployment(vec![made], vec![left("7", json!({"name": "a"}))]), &|_| None);
        assert!(undo.desired.kinds.get("things").unwrap().resources.is_empty());
        assert_eq!(undo.base.resources.get(&Address::new("things", "a")).unwrap().id, "7");
    }

    #[test]
    fn what_was_deleted_comes_back_without_what_nobody_can_read() {
        let mut value = Value::from_json(&json!({"name": "a", "id": "1", "options": {"a": 1}}));
        let mark = Fingerprint { mark: Some(FingerprintKey::new("k").mark("hunter2")), ..Fingerprint::unknown("live") };
        let options = value.as_object_mut().unwrap().get_mut("options").unwrap();
        options.as_object_mut().unwrap().insert("token".to_owned(), Value::Fingerprint(mark));
        let deleted = Image { value: Some(value), ..image(None, Vec::new()) };
        let entry = BaseEntry { address: Address::new("things", "a"), left: None };
        let done = deployment(vec![deleted], vec![entry]);
        let without = undo(&registry(), &done, &|_| None);
        let described = &without.desired.kinds.get("things").unwrap().resources[0];
        assert_eq!((described.value.redacted(), &described.id), (json!({"name": "a", "options": {"a": 1}}), &None));
        assert_eq!(
            without.lost,
            [
                "`things/a` is made anew: its id was 1 and will be another",
                "`things/a`: nobody can read back what `options.token` was"
            ]
        );
        let with = undo(&registry(), &done, &|_| Some(Secret::new("hunter2", "secrets.token")));
        assert_eq!(with.lost.len(), 1);
    }

    #[test]
    fn a_change_that_was_never_made_is_left_out() {
        let undo =
            undo(&registry(), &deployment(vec![image(Some(json!({"name": "a"})), Vec::new())], Vec::new()), &|_| None);
        assert!(undo.desired.kinds.is_empty());
    }
}
