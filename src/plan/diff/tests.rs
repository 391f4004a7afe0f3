#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Two values of one field, told apart or not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::*;
use crate::model::{Locus, Secret, Unresolved};
use crate::schema::Registry;

fn fields(members: &str) -> FieldSpec {
    let text = format!("type: object\nproperties:\n{members}");
    Registry::of(&[("things", &text)]).kind("things").unwrap().fields.clone()
}

fn value(json: &Json) -> Value {
    Value::from_json(json)
}

fn found(members: &str, desired: &Json, live: &Json) -> Differences {
    diff(&fields(members), &value(desired), &value(live), &Loci::default())
}

/// Each difference as `path: before → after`.
fn told(members: &str, desired: &Json, live: &Json) -> Vec<String> {
    let side = |v: &Option<Value>| v.as_ref().map_or_else(|| "-".to_owned(), |v| v.redacted().to_string());
    let line = |f: &FieldChange| format!("{}: {} → {}", f.path, side(&f.diff.before), side(&f.diff.after));
    found(members, desired, live).fields.iter().map(line).collect()
}

const NONE: &[&str] = &[];

#[test]
fn only_described_members_are_compared() {
    let text = "  a: {type: string}\n  b: {type: string}\n";
    assert_eq!(told(text, &json!({"a": "x"}), &json!({"a": "x", "b": "y"})), NONE);
    assert_eq!(told(text, &json!({"a": "x"}), &json!({"a": "y", "b": "y"})), [r#"a: "y" → "x""#]);
    assert_eq!(told(text, &json!({"a": "x"}), &json!({})), [r#"a: - → "x""#]);
    assert_eq!(told(text, &json!({}), &json!({"a": "y"})), NONE);
}

#[test]
fn null_missing_and_empty_are_equal_but_null_clears() {
    let text = "  a: {type: string}\n  l: {type: array, items: {}}\n  m: {type: object}\n";
    for blank in [json!({}), json!({"a": null, "l": null, "m": null}), json!({"l": [], "m": {}})] {
        assert_eq!(told(text, &json!({"a": null, "l": [], "m": {}}), &blank), NONE, "{blank}");
    }
    assert_eq!(told(text, &json!({"a": null}), &json!({"a": "x"})), [r#"a: "x" → null"#]);
    assert_eq!(told(text, &json!({"l": []}), &json!({"l": [1]})), ["l: [1] → []"]);
    assert_eq!(told(text, &json!({"a": ""}), &json!({})), [r#"a: - → """#], "an empty text is a text");
    assert_eq!(told(text, &json!({"a": false}), &json!({})), ["a: - → false"]);
}

#[test]
fn numbers_are_compared_by_value_and_texts_are_not_numbers() {
    let text = "  n: {}\n";
    assert_eq!(told(text, &json!({"n": 1}), &json!({"n": 1.0})), NONE);
    assert_eq!(told(text, &json!({"n": 1}), &json!({"n": 1.5})), ["n: 1.5 → 1"]);
    assert_eq!(told(text, &json!({"n": "1"}), &json!({"n": 1})), [r#"n: 1 → "1""#]);
    assert_eq!(told(text, &json!({"n": true}), &json!({"n": "true"})), [r#"n: "true" → true"#]);
}

#[test]
fn a_default_stands_for_what_is_missing() {
    let text = "  a: {type: boolean, default: true}\n  o: {properties: {b: {type: integer, default: 3}}}\n";
    assert_eq!(told(text, &json!({"a": true, "o": {"b": 3}}), &json!({"a": null})), NONE);
    assert_eq!(told(text, &json!({"a": false, "o": {"b": 4}}), &json!({})), ["a: - → false", "o.b: - → 4"]);
    assert_eq!(told(text, &json!({"a": true}), &json!({"a": false})), ["a: false → true"]);
}

#[test]
fn a_default_may_hang_on_another_member() {
    let text = "  kind: {type: string}\n  a: {type: string, default: first, x-default-when: [{when: {kind: k}, default: second}]}\n";
    assert_eq!(told(text, &json!({"kind": "k", "a": "second"}), &json!({"kind": "k"})), NONE);
    assert_eq!(told(text, &json!({"kind": "j", "a": "first"}), &json!({"kind": "j"})), NONE);
    assert_eq!(told(text, &json!({"kind": "k", "a": "first"}), &json!({"kind": "k"})), [r#"a: - → "first""#]);
    let inside = "  kind: {}\n  o: {properties: {a: {x-default-when: [{when: {kind: k}, default: 1}]}}}\n";
    assert_eq!(told(inside, &json!({"kind": "k", "o": {"a": 1}}), &json!({"kind": "k", "o": {}})), NONE);
    assert_eq!(told(inside, &json!({"kind": "j", "o": {"a": 1}}), &json!({"kind": "j", "o": {}})).len(), 1);
}

#[test]
fn a_set_has_no_order_and_loses_what_is_not_described() {
    let text = "  s: {type: array, items: {}, x-set: true}\n";
    assert_eq!(told(text, &json!({"s": ["a", "b"]}), &json!({"s": ["b", "a"]})), NONE);
    let both = told(text, &json!({"s": ["a", "c"]}), &json!({"s": ["b", "a"]}));
    assert_eq!(both, [r#"s[b]: "b" → -"#, r#"s[c]: - → "c""#]);
    assert_eq!(told(text, &json!({"s": [{"x": 1, "y": 2}]}), &json!({"s": [{"y": 2, "x": 1}]})), NONE);
    assert_eq!(told(text, &json!({"s": ["a"]}), &json!({"s": "a"})).len(), 1, "a text is no list");
}

#[test]
fn a_list_that_is_no_set_is_one_value() {
    let text = "  l: {type: array, items: {type: string}}\n";
    assert_eq!(told(text, &json!({"l": ["a", "b"]}), &json!({"l": ["a", "b"]})), NONE);
    assert_eq!(told(text, &json!({"l": ["a", "b"]}), &json!({"l": ["b", "a"]})), [r#"l: ["b","a"] → ["a","b"]"#]);
}

#[test]
fn a_keyed_list_is_compared_item_by_item() {
    let text = "  k: {type: array, x-key: id, items: {properties: {id: {}, v: {}}}}\n";
    let live = json!({"k": [{"id": "b", "v": 1}, {"id": "a", "v": 2, "w": 3}]});
    assert_eq!(told(text, &json!({"k": [{"id": "a", "v": 2}, {"id": "b", "v": 1}]}), &live), NONE);
    assert_eq!(told(text, &json!({"k": [{"id": "a", "v": 9}, {"id": "b"}]}), &live), ["k[a].v: 2 → 9"]);
    let moved = told(text, &json!({"k": [{"id": "c"}, {"id": "a"}]}), &live);
    assert_eq!(moved, [r#"k[b]: {"id":"b","v":1} → -"#, r#"k[c]: - → {"id":"c"}"#]);
}

#[test]
fn a_key_of_several_members_leaves_out_what_is_missing_or_takes_its_default() {
    let text = "  k: {type: array, x-key: [a, b], items: {properties: {a: {}, b: {default: z}, v: {}}}}\n";
    let live = json!({"k": [{"a": "x", "b": "z", "v": 1}]});
    assert_eq!(told(text, &json!({"k": [{"a": "x", "v": 1}]}), &live), NONE);
    assert_eq!(told(text, &json!({"k": [{"a": "x", "b": "y", "v": 1}]}), &live).len(), 2);
}

#[test]
fn an_ordered_keyed_list_differs_as_a_whole_when_items_trade_places() {
    let text = "  k: {type: array, x-ordered-key: id, items: {properties: {id: {}, v: {}}}}\n";
    let live = json!({"k": [{"id": "a", "v": 1}, {"id": "b", "v": 1}]});
    let swapped = told(text, &json!({"k": [{"id": "b", "v": 1}, {"id": "a", "v": 1}]}), &live);
    assert_eq!(swapped.len(), 1);
    assert!(swapped.iter().all(|t| t.starts_with("k: ")), "{swapped:?}");
    assert_eq!(told(text, &json!({"k": [{"id": "a", "v": 2}, {"id": "b"}]}), &live), ["k[a].v: 1 → 2"]);
    let between = json!({"k": [{"id": "a", "v": 1}, {"id": "c"}, {"id": "b", "v": 1}]});
    assert_eq!(told(text, &between, &live), [r#"k[c]: - → {"id":"c"}"#], "what is new moves nobody");
}

#[test]
fn a_key_taken_out_of_a_map_goes() {
    let text = "  m: {type: object, additionalProperties: {type: string}}\n";
    let live = json!({"m": {"a": "1", "b": "2", "c": null}});
    assert_eq!(told(text, &json!({"m": {"a": "1"}}), &live), [r#"m.b: "2" → -"#]);
    assert_eq!(told(text, &json!({"m": {}}), &json!({"m": null})), NONE);
    assert_eq!(told(text, &json!({"m": {"a": "1"}}), &json!({"m": 5})).len(), 1);
}

#[test]
fn what_the_server_owns_is_never_a_difference() {
    let text = "  r: {readOnly: true}\n  s: {x-skip: true}\n  o: {x-owned: service}\n  old: {x-alias: r}\n";
    assert_eq!(told(text, &json!({"r": 1, "s": 1, "o": 1, "old": 1}), &json!({"r": 2, "s": 2, "o": 2})), NONE);
}

#[test]
fn hours_are_the_same_to_the_minute() {
    let text = "  h: {type: number, x-hours: m}\n";
    assert_eq!(told(text, &json!({"h": 0.3333}), &json!({"h": 0.333_333_33})), NONE);
    assert_eq!(told(text, &json!({"h": 0.35}), &json!({"h": 0.333_333_33})).len(), 1);
}

#[test]
fn a_key_is_the_same_however_it_is_wrapped() {
    let text = "  p: {type: string, x-text: pem}\n";
    let pem = "-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n";
    let whole = STANDARD.encode(pem);
    for same in [pem.replace('\n', "\r\n"), "QUJDREVG".to_owned(), whole] {
        assert_eq!(told(text, &json!({"p": pem}), &json!({"p": same})), NONE, "{same}");
    }
    let other = pem.replace("QUJD", "QUJE");
    assert_eq!(told(text, &json!({"p": pem}), &json!({"p": other})).len(), 1);
    assert_eq!(told(text, &json!({"p": pem}), &json!({"p": "no key"})).len(), 1);
}

#[test]
fn texts_may_differ_in_line_ends_and_in_nothing_else() {
    let text = "  t: {type: string, x-text: js}\n  plain: {type: string}\n";
    let desired = json!({"t": "a\nb\n"});
    assert_eq!(told(text, &desired, &json!({"t": "a\r\nb"})), NONE);
    let change = found(text, &desired, &json!({"t": "a\nc"}));
    assert!(change.fields.iter().all(|f| f.how == How::Text) && change.fields.len() == 1);
    assert_eq!(told(text, &json!({"plain": "a\n"}), &json!({"plain": "a"})).len(), 1);
    assert_eq!(told(text, &json!({"t": "\n"}), &json!({})), NONE, "an empty script is none");
}

#[test]
fn an_empty_text_may_mean_null() {
    let text = "  t: {type: string, x-empty-is-null: true}\n";
    assert_eq!(told(text, &json!({"t": null}), &json!({"t": ""})), NONE);
    assert_eq!(told(text, &json!({"t": ""}), &json!({})), NONE);
    assert_eq!(told(text, &json!({"t": ""}), &json!({"t": "x"})).len(), 1);
}

#[test]
fn what_is_never_returned_cannot_be_compared() {
    let text = "  w: {type: string, writeOnly: true}\n  o: {writeOnly: true, type: object, additionalProperties: {}}\n";
    let out = found(text, &json!({"w": "x", "o": {"a": "1", "b": null}}), &json!({}));
    assert!(out.fields.is_empty());
    let paths: Vec<String> = out.secrets.iter().map(|(p, source)| format!("{p} {source}")).collect();
    assert_eq!(paths, ["w the description", "o.a the description"]);
    let text = "  c: {type: string, writeOnly: true, x-create-only: true}\n";
    let out = found(text, &json!({"c": "x"}), &json!({}));
    assert!(out.fields.is_empty() && out.create_only.is_empty() && out.secrets.is_empty(), "nothing could be done");
}

#[test]
fn an_unresolved_value_is_counted_and_never_a_difference() {
    let spec = fields("  a: {type: string}\n");
    let hole = Value::Unresolved(Unresolved { source: "secrets.x".to_owned() });
    let desired = Value::Object(Map::from_iter([("a".to_owned(), hole)]));
    let out = diff(&spec, &desired, &value(&json!({"a": "y"})), &Loci::default());
    assert!(out.fields.is_empty());
    assert_eq!(out.secrets, [(Path::root().key("a"), "secrets.x".to_owned())]);
}

#[test]
fn a_secret_that_is_returned_is_compared_and_not_shown() {
    let spec = fields("  a: {type: string}\n");
    let secret = |text: &str| Value::Object(Map::from_iter([("a".to_owned(), Value::Secret(Secret::new(text, "s")))]));
    let against = |text: &str, live: Json| diff(&spec, &secret(text), &value(&live), &Loci::default()).fields;
    assert!(against("x", json!({"a": "x"})).is_empty());
    let changed = against("x", json!({"a": "y"}));
    assert_eq!(changed.iter().map(|f| f.how).collect::<Vec<_>>(), [How::Secret]);
}

#[test]
fn what_can_be_set_on_create_only_stands_apart() {
    let out = found(
        "  a: {x-create-only: true, properties: {b: {}}}\n  c: {}\n",
        &json!({"a": {"b": 1}, "c": 1}),
        &json!({}),
    );
    assert_eq!(out.create_only.iter().map(|f| f.path.to_string()).collect::<Vec<_>>(), ["a.b"]);
    assert_eq!(out.fields.iter().map(|f| f.path.to_string()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn risk_and_replacing_are_inherited_by_what_lies_inside() {
    let text = "  s: {type: array, x-set: true, items: {}, x-risk: {add: caution, remove: destructive, change: safe}, x-why: W}\n  i: {x-immutable: true, properties: {j: {}}}\n";
    let out = found(text, &json!({"s": ["a"], "i": {"j": 1}}), &json!({"s": ["b"], "i": {"j": 2}})).fields;
    let risks: Vec<_> = out.iter().map(|f| (f.path.to_string(), f.risk, f.why.clone(), f.forces_replace)).collect();
    assert_eq!(
        risks,
        [
            ("i.j".to_owned(), Risk::Safe, None, true),
            ("s[a]".to_owned(), Risk::Caution, Some("W".to_owned()), false),
            ("s[b]".to_owned(), Risk::Destructive, Some("W".to_owned()), false),
        ]
    );
}

#[test]
fn a_difference_knows_where_it_is_described() {
    let spec = fields("  s: {type: array, x-set: true, items: {}}\n");
    let mut loci = Loci::default();
    let item = Locus::file("item.yaml");
    loci.insert(Path::root(), Locus::file("root.yaml"));
    loci.insert(Path::root().key("s").index(1), item.clone());
    let out = diff(&spec, &value(&json!({"s": ["a", "b"]})), &value(&json!({"s": ["a", "c"]})), &loci).fields;
    let places: Vec<_> = out.iter().map(|f| (f.path.to_string(), f.locus.clone().unwrap())).collect();
    assert_eq!(places, [("s[b]".to_owned(), item), ("s[c]".to_owned(), Locus::file("root.yaml"))]);
}
