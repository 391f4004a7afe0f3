#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
//! Laws of three-way plans, on every combination of sides of every sort of leaf.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::change::Question;
use crate::deployment::BaseEntry;
use crate::description::Filters;
use crate::model::{
    Address, AddressPattern, Base, BaseResource, Described, DescribedKind, Desired, FingerprintKey, Live, LiveKind,
    LiveResource, Loci, Path, Secret, Unresolved, Value,
};
use crate::schema::Registry;

const THINGS: &str = r#"
x-tenantry:
  identity: [name]
  id: id
  create: {method: POST, path: /things}
  update: {method: PATCH, path: "/things/{id}"}
  delete: {method: DELETE, path: "/things/{id}"}
properties:
  id: {readOnly: true}
  name: {type: string}
  scalar: {type: integer}
  text: {type: string, x-text: js}
  map: {type: object, additionalProperties: {type: integer}}
  set: {type: array, x-set: true, items: {}}
  keyed: {type: array, x-key: id, items: {properties: {id: {}, v: {}}}}
  order: {type: array, x-ordered-key: id, items: {properties: {id: {}, v: {}}}}
  hidden: {type: string, writeOnly: true, x-secret: true}
  shown: {type: string, x-secret: true}
  other: {type: string}
"#;

fn registry() -> &'static Registry {
    static REGISTRY: std::sync::OnceLock<Registry> = std::sync::OnceLock::new();
    REGISTRY.get_or_init(|| Registry::of(&[("things", THINGS)]))
}

fn key() -> FingerprintKey {
    FingerprintKey::new("key of the laws")
}

fn options() -> Options {
    Options { fingerprint_key: Some(key()), ..Options::default() }
}

fn address(name: &str) -> Address {
    Address::new("things", name)
}

fn value(json: &Json) -> Value {
    Value::from_json(json)
}

fn described(name: &str, json: &Json) -> Described {
    let mut value = value(json);
    value.as_object_mut().unwrap().insert("name".to_owned(), Value::from(name));
    Described { address: address(name), id: None, value, loci: Loci::default() }
}

fn desired(resources: Vec<Described>) -> Desired {
    let kind = DescribedKind { locus: None, resources };
    Desired { kinds: [("things".to_owned(), kind)].into_iter().collect() }
}

fn live_as(name: &str, id: &str, json: &Json) -> LiveResource {
    let value = described(name, json).value;
    let raw = value.to_json().unwrap().into();
    LiveResource { address: address(name), id: id.to_owned(), value, raw, system: None, unreadable: Vec::new() }
}

fn live(resources: Vec<LiveResource>) -> Live {
    Live { kinds: [("things".to_owned(), LiveKind::Read(resources))].into_iter().collect(), domain: String::new() }
}

fn left(name: &str, id: &str, desired: &Json, live: &Json) -> (Address, BaseResource) {
    let (desired, live) = (described(name, desired).value, described(name, live).value);
    (address(name), BaseResource { id: id.to_owned(), desired, live })
}

fn base(entries: Vec<(Address, BaseResource)>) -> Base {
    Base { resources: entries.into_iter().collect() }
}

/// Plans one thing `a` with the id `1` on every side.
fn one(sides: [&Json; 4], options: &Options) -> Plan {
    let [d, l, before, after] = sides;
    let base = base(vec![left("a", "1", before, after)]);
    make(registry(), &desired(vec![described("a", d)]), &live(vec![live_as("a", "1", l)]), Some(&base), options)
}

fn origins(plan: &Plan) -> Vec<String> {
    let told = |f: &FieldChange| format!("{} {}", f.path, f.origin.as_str());
    plan.changes.iter().flat_map(|c| &c.fields).map(told).collect()
}

type Sort = (&'static str, fn(u8) -> Json);

/// Sorts of leaves, with what makes a value of one: the member, and JSON for a choice of 0 (absent) to 3.
const SORTS: &[Sort] = &[
    ("scalar", |n| json!({"scalar": n})),
    ("text", |n| json!({"text": format!("a\n{n}\n")})),
    ("map", |n| if n == 0 { json!({"map": {}}) } else { json!({"map": {"x": n}}) }),
    ("set", |n| if n < 2 { json!({"set": ["z"]}) } else { json!({"set": ["z", "x"]}) }),
    ("keyed", |n| json!({"keyed": [{"id": "i", "v": n + 1}]})),
    ("item", |n| if n == 0 { json!({"keyed": []}) } else { json!({"keyed": [{"id": "i", "v": n}]}) }),
];

#[test]
fn every_cell_of_the_table_for_every_sort_of_leaf() {
    let mut cells: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (sort, of) in SORTS {
        for n in 0..256_u16 {
            let choice = |shift: u16| of(u8::try_from(n >> shift & 3).unwrap());
            let [d, l, before, after] = [choice(0), choice(2), choice(4), choice(6)];
            let plan = one([&d, &l, &before, &after], &options());
            let told = match (d == l, d != before, l != after) {
                (true, true, _) => "already there",
                (true, false, _) => "nothing",
                (false, true, true) => "conflict",
                (false, false, true) => "drift",
                (false, ..) => "change",
            };
            let differ = origins(&plan);
            // Of an item that both made its key is there already, whatever its fields are.
            let already: Vec<_> = plan.already.iter().filter(|(_, path)| !path.to_string().ends_with(".id")).collect();
            let found = match (differ.as_slice(), already.as_slice()) {
                ([], []) => "nothing",
                ([], [_]) => "already there",
                ([one], []) => one.rsplit(' ').next().unwrap(),
                other => panic!("{sort}: {other:?}"),
            };
            assert_eq!(found, told, "{sort}: {d} {l} {before} {after}");
            *cells.entry((sort, told)).or_default() += 1;
            let without = make(
                registry(),
                &desired(vec![described("a", &d)]),
                &live(vec![live_as("a", "1", &l)]),
                None,
                &options(),
            );
            let unknown = origins(&without);
            assert_eq!(unknown.len(), usize::from(d != l));
            assert!(unknown.iter().all(|f| f.ends_with("unknown origin")), "{unknown:?}");
            *cells.entry((sort, "unknown origin")).or_default() += unknown.len();
        }
    }
    for (sort, _) in SORTS {
        for row in ["nothing", "already there", "change", "drift", "conflict", "unknown origin"] {
            let count = cells.get(&(*sort, row)).copied().unwrap_or_default();
            println!("{sort:>8} {row:<16}{count}");
            assert!(count > 0, "{sort} {row}");
        }
    }
}

/// A thing with a secret in one member.
fn secret(member: &str, text: &str) -> Value {
    let mut value = described("a", &json!({})).value;
    value.as_object_mut().unwrap().insert(member.to_owned(), Value::Secret(Secret::new(text, "secrets.s")));
    value
}

fn with_secret(member: &str, wanted: Value, found: Option<&str>, was: &str, under: Option<&FingerprintKey>) -> Plan {
    let mut resource = described("a", &json!({}));
    resource.value.as_object_mut().unwrap().insert(member.to_owned(), wanted);
    let mut there = live_as("a", "1", &json!({}));
    if let Some(text) = found {
        there.value.as_object_mut().unwrap().insert(member.to_owned(), Value::Secret(Secret::new(text, "live")));
    }
    let before = secret(member, was).fingerprinted(under);
    let after = if found.is_some() { before.clone() } else { described("a", &json!({})).value };
    let base = base(vec![(address("a"), BaseResource { id: "1".to_owned(), desired: before, live: after })]);
    let plan = make(registry(), &desired(vec![resource]), &live(vec![there]), Some(&base), &options());
    let shown = format!("{plan:?}");
    assert!(!shown.contains("hunter"), "{shown}");
    plan
}

#[test]
fn secrets_are_compared_by_fingerprint() {
    let wanted = |text: &str| Value::Secret(Secret::new(text, "secrets.s"));
    let (key, other) = (key(), FingerprintKey::new("another"));
    let told = |plan: &Plan| (origins(plan), plan.secrets.len());
    let hidden = |wanted, was, under: Option<&FingerprintKey>| told(&with_secret("hidden", wanted, None, was, under));
    let none = Vec::<String>::new();
    assert_eq!(hidden(wanted("hunter1"), "hunter1", Some(&key)), (none.clone(), 0));
    assert_eq!(hidden(wanted("hunter2"), "hunter1", Some(&key)), (vec!["hidden change".to_owned()], 0));
    assert_eq!(hidden(wanted("hunter2"), "hunter1", Some(&other)), (none.clone(), 1), "another key tells nothing");
    assert_eq!(hidden(wanted("hunter1"), "hunter1", None), (none.clone(), 1));
    let hole = Value::Unresolved(Unresolved { source: "secrets.s".to_owned() });
    assert_eq!(hidden(hole, "hunter1", Some(&key)), (none.clone(), 1));

    let shown = |wanted: &str, found, was| {
        origins(&with_secret("shown", Value::Secret(Secret::new(wanted, "secrets.s")), Some(found), was, Some(&key)))
    };
    assert_eq!(shown("hunter1", "hunter1", "hunter1"), none);
    assert_eq!(shown("hunter2", "hunter1", "hunter1"), ["shown change"]);
    assert_eq!(shown("hunter1", "hunter2", "hunter1"), ["shown drift"]);
    assert_eq!(shown("hunter3", "hunter2", "hunter1"), ["shown conflict"]);
    let unknown = with_secret("shown", wanted("hunter2"), Some("hunter1"), "hunter1", Some(&other));
    assert_eq!(origins(&unknown), ["shown unknown origin"]);
    let sent = with_secret("hidden", wanted("hunter2"), None, "hunter1", Some(&key));
    let body = sent.changes[0].steps[0].body.as_ref().unwrap().to_json(&|_, _| None).unwrap();
    assert_eq!(body, json!({"hidden": "hunter2"}));
}

#[test]
fn a_secret_inside_a_set_or_a_key_shows_nothing() {
    let tainted = |text: &str| Value::Secret(Secret::new(text, "secrets.s"));
    let mut resource = described("a", &json!({}));
    let item = [("id".to_owned(), tainted("hunter1"))].into_iter().collect();
    let members = resource.value.as_object_mut().unwrap();
    members.insert("set".to_owned(), Value::Array(vec![tainted("hunter1"), Value::from("z")]));
    members.insert("keyed".to_owned(), Value::Array(vec![Value::Object(item)]));
    let plan = |set: Json, id: &str, base: Option<&Base>| {
        let there = live_as("a", "1", &json!({"set": set, "keyed": [{"id": id}]}));
        make(registry(), &desired(vec![resource.clone()]), &live(vec![there]), base, &options())
    };
    let same = plan(json!(["z", "hunter1"]), "hunter1", None);
    assert!(!same.has_changes(), "{:?}", origins(&same));
    let before = resource.value.fingerprinted(Some(&key()));
    let entry = BaseResource { id: "1".to_owned(), desired: before.clone(), live: before };
    let known = base(vec![(address("a"), entry)]);
    for found in
        [plan(json!(["hunter2", "z"]), "hunter3", None), plan(json!(["hunter2", "z"]), "hunter3", Some(&known))]
    {
        assert_eq!(found.changes[0].fields.len(), 2);
        assert!(found.changes[0].fields.iter().all(|f| f.how == How::Secret));
        let shown: Vec<_> = found.changes[0].fields.iter().map(|f| format!("{f:?}")).collect();
        assert!(!shown.concat().contains("hunter"), "{shown:?}");
    }
    assert_eq!(origins(&plan(json!(["hunter2", "z"]), "hunter1", Some(&known))), ["set drift"]);
}

#[test]
fn what_a_whole_resource_is_called() {
    let x = |n: u8| json!({"scalar": n});
    let known = base(vec![left("a", "1", &x(1), &x(1))]);
    let told = |desired: &Desired, live: &Live, base: Option<&Base>, options: &Options| -> Vec<String> {
        let plan = make(registry(), desired, live, base, options);
        let change = |c: &Change| format!("{} {} {}", c.address, c.action.as_str(), c.origin.as_str());
        plan.changes.iter().map(change).collect()
    };
    let (nothing, none) = (live(Vec::new()), desired(Vec::new()));
    let wants = |n| desired(vec![described("a", &x(n))]);
    let there = |n, id: &str| live(vec![live_as("a", id, &x(n))]);
    let plain = options();
    assert_eq!(told(&wants(1), &nothing, None, &plain), ["things/a create unknown origin"]);
    assert_eq!(told(&wants(1), &nothing, Some(&base(Vec::new())), &plain), ["things/a create unknown origin"]);
    assert_eq!(told(&wants(1), &nothing, Some(&known), &plain), ["things/a create drift"]);
    assert_eq!(told(&wants(2), &nothing, Some(&known), &plain), ["things/a create conflict"]);
    assert_eq!(told(&none, &there(1, "1"), Some(&known), &plain), ["things/a delete change"]);
    assert_eq!(told(&none, &there(2, "1"), Some(&known), &plain), ["things/a delete conflict"]);
    assert_eq!(told(&none, &there(1, "2"), Some(&known), &plain), Vec::<String>::new(), "another of that name");
    assert_eq!(told(&none, &there(1, "1"), Some(&base(Vec::new())), &plain), Vec::<String>::new());
    let prune = Options { prune: vec!["things".to_owned()], ..options() };
    assert_eq!(told(&none, &there(1, "9"), Some(&known), &prune), ["things/a delete unknown origin"]);
    assert_eq!(told(&wants(2), &there(1, "2"), Some(&known), &plain), ["things/a update conflict"]);
    let renamed = live(vec![live_as("renamed", "1", &x(1))]);
    let plan = make(registry(), &wants(1), &renamed, Some(&known), &plain);
    assert_eq!(origins(&plan), ["name drift"]);
    assert_eq!(told(&none, &renamed, Some(&known), &plain), ["things/renamed delete conflict"]);
    let gone = make(registry(), &none, &nothing, Some(&known), &plain);
    assert_eq!(gone.already, [(address("a"), Path::root())]);
    let leaves = Options { leave_removals: true, ..options() };
    assert_eq!(told(&none, &there(1, "1"), Some(&known), &leaves), Vec::<String>::new());
}

#[test]
fn moved_takes_the_base_along() {
    let known = base(vec![left("old", "", &json!({"scalar": 1}), &json!({"scalar": 1}))]);
    let options = Options { moved: vec![(address("old"), address("new"))], ..options() };
    let there = live(vec![live_as("old", "1", &json!({"scalar": 2}))]);
    let plan =
        make(registry(), &desired(vec![described("new", &json!({"scalar": 1}))]), &there, Some(&known), &options);
    assert_eq!(origins(&plan), ["name change", "scalar drift"]);
}

#[test]
fn kept_drift_is_listed_and_not_written() {
    let keep = Options { keep_drift: true, ..options() };
    let [before, after] = [
        json!({"scalar": 1, "map": {"x": 1}, "set": ["z"], "order": [{"id": "p"}, {"id": "q"}], "other": "o"}),
        json!({"scalar": 1, "map": {"x": 1}, "set": ["z"], "order": [{"id": "p"}, {"id": "q"}], "other": "o"}),
    ];
    let wanted = json!({"scalar": 1, "map": {"x": 1, "y": 2}, "set": ["z", "w"], "order": [{"id": "p"}, {"id": "q", "v": 1}], "other": "o"});
    let found =
        json!({"scalar": 5, "map": {"x": 9}, "set": ["z", "d"], "order": [{"id": "q"}, {"id": "p"}], "other": "o"});
    let plan = one([&wanted, &found, &before, &after], &keep);
    let body = plan.changes[0].steps[0].body.as_ref().unwrap().to_json(&|_, _| None).unwrap();
    let expected =
        json!({"map": {"x": 9, "y": 2}, "set": ["z", "w", "d"], "order": [{"id": "q", "v": 1}, {"id": "p"}]});
    assert_eq!(body, expected);
    let kept: Vec<String> = plan.left.iter().flat_map(|l| &l.fields).map(|f| f.path.to_string()).collect();
    assert_eq!(kept, ["map.x", "order", "scalar", "set[d]"]);
    assert_eq!(plan.counts().drifted, 1);
    assert!(plan.unchanged.is_empty());
    let deleted = make(
        registry(),
        &desired(vec![described("a", &wanted)]),
        &live(Vec::new()),
        Some(&base(vec![left("a", "1", &wanted, &wanted)])),
        &keep,
    );
    assert!(!deleted.has_changes());
    assert_eq!(deleted.left[0].why, Kept::Drift);
    let over = Options { overwrite: vec![AddressPattern::new("things/a").unwrap()], ..keep };
    assert!(one([&before, &found, &before, &after], &over).has_changes());
}

#[test]
fn the_order_of_a_list_is_told_by_names() {
    let list = |ids: &[&str]| json!({"order": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()});
    let plan = one([&list(&["b", "a", "a"]), &list(&["a", "b"]), &list(&["a", "b"]), &list(&["a", "b"])], &options());
    let told: Vec<String> = plan.changes[0]
        .fields
        .iter()
        .map(|f| format!("{} {:?}", f.path, f.diff.after.as_ref().map(Value::redacted)))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("order Some(Array") && told[1].starts_with("order[a (2)] Some(Object"), "{told:?}");
}

#[test]
fn what_left_the_description_is_released() {
    let plan = one([&json!({}), &json!({"other": "x"}), &json!({"other": "o"}), &json!({"other": "o"})], &options());
    assert_eq!(plan.released, [(address("a"), Path::root().key("other"))]);
    assert!(!plan.has_changes());
}

#[test]
fn a_kind_that_left_the_description_lets_go_of_all_that_was_deployed() {
    let before = base(vec![left("a", "1", &json!({"name": "a"}), &json!({"name": "a"}))]);
    let of = |options: &Options| let_go(&Desired::default(), Some(&before), options);
    assert_eq!(of(&options()), [address("a")]);
    assert_eq!(let_go(&desired(Vec::new()), Some(&before), &options()), [], "an empty list asks for none");
    let targets = vec![AddressPattern::new("things/b").unwrap()];
    assert_eq!(of(&Options { targets, ..options() }), []);
    let filters = Filters { exclude: vec![AddressPattern::new("things").unwrap()], ..Filters::default() };
    assert_eq!(of(&Options { filters, ..options() }), [], "what is left alone was never let go");
}

#[test]
fn without_a_ledger_nothing_undescribed_counts() {
    let (before, now) = (json!({"scalar": 1}), json!({"scalar": 1, "other": "o"}));
    let plan = one([&json!({"scalar": 1, "other": "new"}), &now, &before, &before], &options());
    assert_eq!(origins(&plan), ["other change"]);
}

#[test]
fn people_are_asked_about_drift_and_what_goes() {
    let plan =
        one([&json!({"scalar": 1}), &json!({"scalar": 2}), &json!({"scalar": 1}), &json!({"scalar": 1})], &options());
    assert_eq!(plan.questions, [Question::WhoOutside(address("a"), vec![Path::root().key("scalar")])]);
    let known = base(vec![left("a", "1", &json!({}), &json!({}))]);
    let delete =
        make(registry(), &desired(Vec::new()), &live(vec![live_as("a", "1", &json!({}))]), Some(&known), &options());
    assert_eq!(delete.questions, [Question::HowMany(address("a"))]);
}

fn moves(desired: &Desired, live: &Live, before: Option<&Base>, plan: &Plan) -> Vec<BaseEntry> {
    let key = key();
    let registry = registry();
    Aftermath { registry, plan, desired, live, before, moved: &[], key: Some(&key), seal: None }.base(&|_| true)
}

/// The base after a deployment.
fn after(before: &Base, moved: Vec<BaseEntry>) -> Base {
    let mut base = before.clone();
    for entry in moved {
        match entry.left {
            Some(left) => base.resources.insert(entry.address, left),
            None => base.resources.remove(&entry.address),
        };
    }
    base
}

#[test]
fn what_is_left_is_no_difference_and_kept_drift_stays_drift() {
    let (wanted, drifted) =
        (json!({"scalar": 1, "map": {"x": 1}}), json!({"scalar": 2, "map": {"x": 1}, "other": "o"}));
    let goal = desired(vec![described("a", &wanted)]);
    let there = live(vec![live_as("a", "1", &wanted)]);
    let nobody = Base::default();
    let plan = make(registry(), &goal, &there, None, &options());
    let first = after(&nobody, moves(&goal, &there, None, &plan));
    assert!(!make(registry(), &goal, &there, Some(&first), &options()).has_changes());
    assert_eq!(moves(&goal, &there, Some(&first), &plan), [], "nothing moved");
    let drift = live(vec![live_as("a", "1", &drifted)]);
    let kept = make(registry(), &goal, &drift, Some(&first), &Options { keep_drift: true, ..options() });
    let second = after(&first, moves(&goal, &drift, Some(&first), &kept));
    assert_eq!(origins(&make(registry(), &goal, &drift, Some(&second), &options())), ["scalar drift"]);
    let empty = live(Vec::new());
    let gone = after(&first, moves(&desired(Vec::new()), &empty, Some(&first), &plan));
    assert!(gone.resources.is_empty());
}

#[test]
fn a_secret_that_was_not_sent_is_not_remembered() {
    let goal = || {
        let mut resource = described("a", &json!({}));
        resource.value = secret("hidden", "hunter1");
        desired(vec![resource])
    };
    let there = live(vec![live_as("a", "1", &json!({}))]);
    let plan = make(registry(), &goal(), &there, None, &options());
    assert_eq!(plan.secrets.len(), 1);
    let unsent = after(&Base::default(), moves(&goal(), &there, None, &plan));
    assert_eq!(make(registry(), &goal(), &there, Some(&unsent), &options()).secrets.len(), 1);
    let sent = make(registry(), &goal(), &there, None, &Options { send_secrets: true, ..options() });
    let known = after(&Base::default(), moves(&goal(), &there, None, &sent));
    let again = make(registry(), &goal(), &there, Some(&known), &options());
    assert!(again.secrets.is_empty() && !again.has_changes());
    assert!(!format!("{known:?}").contains("hunter"));
}

#[test]
fn images_hide_secrets_and_tell_what_was_there() {
    let mut resource = described("a", &json!({"scalar": 2}));
    resource.value.as_object_mut().unwrap().insert("other".to_owned(), Value::Secret(Secret::new("hunter1", "s")));
    let goal = desired(vec![resource, described("new", &json!({}))]);
    let there = live(vec![live_as("a", "1", &json!({"scalar": 1, "other": "hunter1"}))]);
    let plan = make(registry(), &goal, &there, None, &options());
    let (key, registry) = (key(), registry());
    let look = Aftermath {
        registry,
        plan: &plan,
        desired: &goal,
        live: &there,
        before: None,
        moved: &[],
        key: Some(&key),
        seal: None,
    };
    let images = look.images();
    assert!(!format!("{images:?}").contains("hunter"));
    let told: Vec<_> =
        images.iter().map(|i| (i.address.clone(), i.id.as_str(), i.value.is_some(), i.paths.len())).collect();
    assert_eq!(told, [(address("a"), "1", true, 1), (address("new"), "", false, 0)]);
}

proptest! {
    #[test]
    fn neither_order_nor_names_decide(choices in prop::collection::vec((0_u8..4, 0_u8..4, 0_u8..4, 0_u8..6), 1..8)) {
        let mut sides = (Vec::new(), Vec::new(), Vec::new());
        for (n, (d, l, b, sort)) in choices.iter().enumerate() {
            let of = SORTS[usize::from(*sort)].1;
            let (name, id) = (format!("r{n}"), format!("id{n}"));
            sides.0.push(described(&name, &of(*d)));
            sides.1.push(live_as(&name, &id, &of(*l)));
            sides.2.push(left(&name, &id, &of(*b), &of(*b)));
        }
        let known = base(sides.2);
        let plan = |d: Vec<Described>, l: Vec<LiveResource>, options: &Options| make(registry(), &desired(d), &live(l), Some(&known), options);
        let forth = plan(sides.0.clone(), sides.1.clone(), &options());
        let keep = Options { keep_drift: true, ..options() };
        let kept = plan(sides.0.clone(), sides.1.clone(), &keep);
        prop_assert!(kept.changes.iter().flat_map(|c| &c.fields).all(|f| f.origin != Origin::Drift));
        let drifts = |plan: &Plan| plan.changes.iter().flat_map(|c| &c.fields).filter(|f| f.origin == Origin::Drift).count();
        prop_assert_eq!(drifts(&forth), kept.left.iter().map(|l| l.fields.len()).sum::<usize>());
        sides.0.reverse();
        sides.1.reverse();
        let back = plan(sides.0, sides.1, &options());
        prop_assert_eq!(origins(&forth), origins(&back));
        prop_assert_eq!(&forth.already, &back.already);
        prop_assert_eq!(&forth.questions, &back.questions);
        let same = known.resources.iter().map(|(a, left)| (a.name.clone().unwrap(), left)).collect::<Vec<_>>();
        let again = make(
            registry(),
            &desired(same.iter().map(|(name, l)| described(name, &l.desired.redacted())).collect()),
            &live(same.iter().map(|(name, l)| live_as(name, &l.id, &l.live.redacted())).collect()),
            Some(&known),
            &options(),
        );
        prop_assert!(!again.has_changes() && again.left.is_empty() && again.already.is_empty());
    }
}
