//! What had no value when an archive was taken: a description does not speak of it, so somebody's value of since would stay.

use std::collections::BTreeMap;

use crate::codec::cleared;
use crate::model::{Address, Base, Desired, Live, LiveResource, Loci, Map, Path, Value};
use crate::plan::{Partner, diff, partners};
use crate::schema::{FieldSpec, KindSpec, Null, Registry, Shape};

/// A member that had no value in the archive, has one now, and cannot be cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// The resource.
    pub address: Address,
    /// Where in it.
    pub path: Path,
}

/// Which resource of the archive each described one is: by kind, in the order of the description.
#[derive(Debug, Clone, Default)]
pub struct Then<'a> {
    by_kind: BTreeMap<String, Vec<Option<&'a LiveResource>>>,
}

impl<'a> Then<'a> {
    /// Finds the archive's own resources (`then`) of what is described, while that still has the archive's ids.
    pub fn find(registry: &Registry, desired: &Desired, then: &'a Live) -> Self {
        let mut by_kind = BTreeMap::new();
        for (kind, described) in &desired.kinds {
            let Some(spec) = registry.kind(kind) else { continue };
            let all = then.resources(kind);
            let of = |partner: Partner| match partner {
                Partner::Live(at) => all.get(at),
                Partner::Nothing | Partner::Ambiguous(_) => None,
            };
            let found = partners(spec, &described.resources, all, &[]);
            by_kind.insert(kind.clone(), found.into_iter().map(of).collect());
        }
        Then { by_kind }
    }

    /// Describes what had no value in the archive, or its default, and has another one now: so that a plan puts that back too.
    ///
    /// Only of resources that are live and that the archive holds; what is made gets its defaults anyway. Left alone is what nobody
    /// could read then, what only Auth0 sets, what no update takes, secrets, and members that no schema knows. Returns what cannot
    /// be cleared.
    pub fn clear(&self, registry: &Registry, desired: &mut Desired, live: &Live) -> Vec<Stays> {
        let mut stays = Vec::new();
        for (kind, described) in &mut desired.kinds {
            let (Some(spec), Some(then)) = (registry.kind(kind), self.by_kind.get(kind)) else { continue };
            let found = live.resources(kind);
            let now = partners(spec, &described.resources, found, &[]);
            for ((resource, then), now) in described.resources.iter_mut().zip(then).zip(now) {
                let (Some(then), Partner::Live(at)) = (then, now) else { continue };
                let Some(now) = found.get(at).filter(|now| now.system.is_none()) else { continue };
                let differences = diff(&spec.fields, &resource.value, &now.value, &Loci::default());
                // What is made anew gets its defaults.
                if differences.fields.iter().any(|field| field.forces_replace) {
                    continue;
                }
                let (Some(wanted), Some(was), Some(is)) =
                    (resource.value.as_object_mut(), then.value.as_object(), now.value.as_object())
                else {
                    continue;
                };
                let unread = |name: &str| {
                    then.unreadable.iter().chain(&now.unreadable).any(|(member, _)| {
                        member == name || member.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
                    })
                };
                let mut fill = Fill { spec, resource: was, address: &resource.address, stays: &mut stays };
                let is: Map = is
                    .iter()
                    .filter(|(name, _)| !spec.identity.contains(name) && !unread(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                fill.members(&spec.fields, &[], wanted, was, &is);
            }
        }
        stays
    }
}

struct Fill<'a> {
    spec: &'a KindSpec,
    /// The resource in the archive.
    resource: &'a Map,
    address: &'a Address,
    stays: &'a mut Vec<Stays>,
}

impl Fill<'_> {
    fn members(&mut self, field: &FieldSpec, keys: &[&str], wanted: &mut Map, was: &Map, is: &Map) {
        let empty = Map::new();
        for (name, now) in is.iter().filter(|(_, now)| !is_nothing(now)) {
            let Some(member) = field.member(name).filter(|member| is_cleared_here(member)) else { continue };
            let then = was.get(name);
            let here: Vec<&str> = keys.iter().copied().chain([name.as_str()]).collect();
            let is_record = matches!(member.shape, Shape::Record { .. });
            match wanted.get_mut(name) {
                Some(Value::Object(wanted)) if is_record => {
                    let then = then.and_then(Value::as_object).unwrap_or(&empty);
                    if let Some(now) = now.as_object() {
                        self.members(member, &here, wanted, then, now);
                    }
                }
                Some(_) => {}
                None => {
                    if let Some(value) = self.put_back(member, &here, then, now) {
                        wanted.insert(name.clone(), value);
                    }
                }
            }
        }
    }

    /// Returns what puts a member back that is not described; `None` where nothing is to be done, or nothing can be.
    fn put_back(&mut self, field: &FieldSpec, keys: &[&str], then: Option<&Value>, now: &Value) -> Option<Value> {
        let default = field.default_in(self.resource).map(Value::from_json);
        if let Some(then) = then.filter(|then| !is_nothing(then)) {
            // An export leaves defaults out; what else it leaves out is not ours.
            let was_default = default.as_ref().is_some_and(|default| is_same(field, default, then));
            return (was_default && !is_same(field, then, now)).then(|| then.clone());
        }
        // An empty text or list that was there is what it was, whatever the default.
        if let Some(empty @ (Value::String(_) | Value::Array(_))) = then {
            return Some(empty.clone());
        }
        if default.as_ref().is_some_and(|default| is_same(field, default, now)) {
            return None;
        }
        if let Some(default) = default.filter(|default| field.null != Null::Taken && !is_nothing(default)) {
            return Some(default);
        }
        let (address, stays) = (self.address, &mut *self.stays);
        cleared(self.spec, keys, Some(now), &mut |path| {
            stays.push(Stays { address: address.clone(), path: path.clone() });
        })
    }
}

/// Notes in what the last deployment left where it left nothing, as far as that is what is described now: asking for it is no change of
/// ours.
pub fn left_without(registry: &Registry, desired: &Desired, base: &mut Base) {
    for resource in desired.kinds.values().flat_map(|kind| &kind.resources) {
        let left = base.resources.get_mut(&resource.address).and_then(|left| left.desired.as_object_mut());
        let spec = registry.kind(&resource.address.kind);
        if let (Some(spec), Some(left), Some(wanted)) = (spec, left, resource.value.as_object()) {
            note_nothing(&spec.fields, wanted, wanted, left);
        }
    }
}

fn note_nothing(field: &FieldSpec, resource: &Map, wanted: &Map, left: &mut Map) {
    for (name, value) in wanted {
        let Some(member) = field.member(name) else { continue };
        let is_record = matches!(member.shape, Shape::Record { .. });
        match (left.get_mut(name), value) {
            (Some(Value::Object(left)), Value::Object(wanted)) if is_record => {
                note_nothing(member, resource, wanted, left);
            }
            (Some(left), _) if !is_nothing(left) => {}
            (_, Value::Object(wanted)) if is_record => {
                let mut inner = Map::new();
                note_nothing(member, resource, wanted, &mut inner);
                if !inner.is_empty() {
                    left.insert(name.clone(), Value::Object(inner));
                }
            }
            _ => {
                let default = member.default_in(resource).map(Value::from_json);
                if is_nothing(value) || default.as_ref() == Some(value) {
                    left.insert(name.clone(), value.clone());
                }
            }
        }
    }
}

/// Says whether an update may take a member's value away.
fn is_cleared_here(member: &FieldSpec) -> bool {
    let of_the_server = member.read_only || member.owned || member.skip || member.server_made || member.alias.is_some();
    let unchanging = member.in_path || member.create_only || member.immutable || member.fixed;
    !of_the_server && !unchanging && !member.secret && !member.write_only && member.step.is_none()
}

fn is_nothing(value: &Value) -> bool {
    value.is_blank() || value.as_str() == Some("")
}

fn is_same(field: &FieldSpec, one: &Value, other: &Value) -> bool {
    one == other || (!is_nothing(one) && diff(field, one, other, &Loci::default()).fields.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::{BaseResource, Described, LiveKind};

    const THINGS: &str = "x-tenantry: {identity: [name], id: id}\nproperties:\n  name: {type: string}\n  \
        id: {readOnly: true, type: string}\n  note: {type: [string, 'null']}\n  hard: {type: string}\n  \
        urls: {type: array, x-set: true, items: {type: string}}\n  on: {type: boolean, default: true}\n  \
        map: {type: object, additionalProperties: {type: string}}\n  sort: {type: string, x-immutable: true}\n  \
        secret: {type: string, x-secret: true}\n  \
        look: {type: object, properties: {logo: {type: [string, 'null']}, colour: {type: string}}}\n  \
        flags: {type: object, x-merged: true, properties: {a: {type: boolean}, b: {type: boolean, default: false}}}\n";

    fn live(value: &Json) -> Live {
        let resource = LiveResource {
            address: Address::new("things", "a"),
            id: "1".to_owned(),
            value: Value::from_json(value),
            raw: Json::Null.into(),
            system: None,
            unreadable: Vec::new(),
        };
        let mut live = Live::default();
        live.kinds.insert("things".to_owned(), LiveKind::Read(vec![resource]));
        live
    }

    /// What is described after clearing, and what stays.
    fn cleared(described: &Json, then: &Json, now: &Json) -> (Json, Vec<String>) {
        let registry = Registry::of(&[("things", THINGS)]);
        let value = Value::from_json(described);
        let address = Address::new("things", "a");
        let mut desired = Desired::default();
        let one = Described { address, id: None, value, loci: Loci::default() };
        desired.kinds.entry("things".to_owned()).or_default().resources.push(one);
        let archive = live(then);
        let then = Then::find(&registry, &desired, &archive);
        let stays = then.clear(&registry, &mut desired, &live(now));
        (desired.kinds["things"].resources[0].value.redacted(), stays.iter().map(|one| one.path.to_string()).collect())
    }

    #[test]
    fn what_had_no_value_is_cleared_the_way_the_api_takes_it() {
        let then = json!({"name": "a", "note": null, "urls": [], "on": true});
        let now = json!({"name": "a", "note": "x", "urls": ["u"], "on": false, "map": {"k": "v"}, "hard": "h"});
        let (wanted, stays) = cleared(&json!({"name": "a"}), &then, &now);
        assert_eq!(wanted, json!({"name": "a", "note": null, "urls": [], "on": true, "map": {}}));
        assert_eq!(stays, ["hard"], "nothing clears a text that takes no null");
    }

    #[test]
    fn what_is_described_or_as_it_was_is_not_spoken_of() {
        let then = json!({"name": "a", "note": "n", "on": true, "hard": "was left out for a reason"});
        let now = json!({"name": "a", "note": "m", "on": true, "hard": "h", "flags": {"b": false}});
        let described = json!({"name": "a", "note": "n"});
        assert_eq!(cleared(&described, &then, &now), (described.clone(), vec![]));
    }

    #[test]
    fn what_no_update_takes_and_secrets_are_left_alone() {
        let now = json!({"name": "a", "sort": "s", "secret": "x", "newer": 1});
        let described = json!({"name": "a"});
        assert_eq!(cleared(&described, &described, &now), (described.clone(), vec![]));
    }

    #[test]
    fn an_object_that_is_written_whole_loses_what_it_did_not_have() {
        let now = json!({"name": "a", "look": {"logo": "l", "colour": "c"}, "flags": {"a": true, "b": true}});
        let (wanted, stays) = cleared(&json!({"name": "a"}), &json!({"name": "a"}), &now);
        let expected = json!({"name": "a", "look": {"logo": null, "colour": null}, "flags": {"b": false}});
        assert_eq!(wanted, expected);
        assert_eq!(stays, ["flags.a"], "an object that is merged keeps what nobody speaks of");
    }

    #[test]
    fn what_is_made_anew_gets_its_defaults() {
        let then = json!({"name": "a", "sort": "s"});
        let now = json!({"name": "a", "sort": "t", "note": "x"});
        assert_eq!(cleared(&then, &then, &now).0, then);
    }

    #[test]
    fn what_was_left_without_a_value_is_no_change_of_ours() {
        let registry = Registry::of(&[("things", THINGS)]);
        let address = Address::new("things", "a");
        let wanted =
            json!({"name": "a", "note": null, "hard": "h", "on": true, "urls": [], "flags": {"a": true, "b": false}});
        let mut desired = Desired::default();
        let value = Value::from_json(&wanted);
        let one = Described { address: address.clone(), id: None, value, loci: Loci::default() };
        desired.kinds.entry("things".to_owned()).or_default().resources.push(one);
        let left =
            |value: Json| BaseResource { id: "1".to_owned(), desired: Value::from_json(&value), live: Value::Null };
        let mut base = Base::default();
        base.resources.insert(address.clone(), left(json!({"name": "a", "urls": ["u"]})));
        left_without(&registry, &desired, &mut base);
        let expected = json!({"name": "a", "urls": ["u"], "note": null, "on": true, "flags": {"b": false}});
        assert_eq!(base.resources[&address].desired.redacted(), expected);
    }
}
