#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use serde_json::json;

use super::Why;
use super::document::Document;
use super::meaning::{Meaning, Op, Step};
use crate::description::{Format, KnownNames};
use crate::model::Value;

/// Reads `a.b[0]` as a way into a file.
fn steps(path: &str) -> Vec<Step> {
    path.split('.')
        .filter(|part| !part.is_empty())
        .map(|part| match part.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(part.trim_matches('\'').to_owned()),
        })
        .collect()
}

fn set(path: &str, value: serde_json::Value) -> Op {
    Op::Set(steps(path), Value::from_json(&value))
}

fn push(path: &str, value: serde_json::Value) -> Op {
    Op::Add(steps(path), None, Value::from_json(&value))
}

fn add(path: &str, key: &str, value: serde_json::Value) -> Op {
    Op::Add(steps(path), Some(key.to_owned()), Value::from_json(&value))
}

fn remove(path: &str) -> Op {
    Op::Remove(steps(path))
}

fn edited(format: Format, text: &str, op: &Op) -> Result<String, Why> {
    let names = KnownNames::from_iter(["KNOWN"]);
    let mut document = Document::read("t", text.as_bytes(), format, Some(&names)).unwrap();
    document.apply(op)?;
    Ok(document.text)
}

#[track_caller]
fn yaml(text: &str, op: Op, expected: &str) {
    assert_eq!(edited(Format::Yaml, text, &op).as_deref(), Ok(expected), "\n{op:?}\n{text}");
}

#[track_caller]
fn json_text(text: &str, op: Op, expected: &str) {
    assert_eq!(edited(Format::Json, text, &op).as_deref(), Ok(expected), "\n{op:?}\n{text}");
}

#[test]
fn scalars_keep_quotes_and_comments() {
    yaml("a: 1 # c\nb: 2\n", set("a", json!(3)), "a: 3 # c\nb: 2\n");
    yaml("a: 'x'  # c\n", set("a", json!("it's")), "a: 'it''s'  # c\n");
    yaml("a: \"x\"\n", set("a", json!("plain")), "a: \"plain\"\n");
    yaml("a: \"x\"\n", set("a", json!(true)), "a: true\n");
    yaml("a: x\n", set("a", json!("true")), "a: \"true\"\n");
    yaml("a: x\n", set("a", json!("c: d # e")), "a: \"c: d # e\"\n");
    yaml("a: first\n  second # c\nb: 1\n", set("a", json!("one")), "a: one # c\nb: 1\n");
    yaml("a:\nb: ~ # c\nc: # cc\n", set("a", json!("x")), "a: x\nb: ~ # c\nc: # cc\n");
    yaml("a:\nb: ~ # c\nc: # cc\n", set("b", json!("x")), "a:\nb: x # c\nc: # cc\n");
    yaml("a:\nc: # cc\nd: 1\n", set("c", json!("x")), "a:\nc: x # cc\nd: 1\n");
    yaml("'a b': 1\n? \"c\"\n: 2\n1: x\n", set("c", json!(3)), "'a b': 1\n? \"c\"\n: 3\n1: x\n");
    yaml("1: x\n", Op::Set(vec![Step::Key("1".to_owned())], Value::from("new")), "1: new\n");
    yaml("ü: \"é\" # 🙂\nz: ä\n", set("z", json!("🙂")), "ü: \"é\" # 🙂\nz: \"🙂\"\n");
}

#[test]
fn blocks_of_text_stay_blocks() {
    yaml("a: |\n  one\n  two\nb: 1\n", set("a", json!("x\n\ny\n")), "a: |\n  x\n\n  y\nb: 1\n");
    yaml("a: |  # c\n    one\n\nb: 1\n", set("a", json!("x")), "a: |-  # c\n    x\n\nb: 1\n");
    yaml("a: >-\n  one\n  two\nb: 1\n", set("a", json!("x y")), "a: >-\n  x y\nb: 1\n");
    yaml("a: >-\n  one\n  two\nb: 1\n", set("a", json!("x\ny")), "a: |-\n  x\n  y\nb: 1\n");
    yaml("l:\n  - |\n    'one'\n  - 2\n", set("l.0", json!("x\n")), "l:\n  - |\n    x\n  - 2\n");
    yaml("a: |\r\n  one\r\nb: 1\r\n", set("a", json!("x\ny\n")), "a: |\r\n  x\r\n  y\r\nb: 1\r\n");
    yaml("a: |\n  one\nb: 1\n", set("a", json!("x ##KNOWN##\n")), "a: \"x \\x23#KNOWN\\x23#\\n\"\nb: 1\n");
    yaml("a: one\nb: 1\n", set("a", json!("x\ny\n")), "a: |\n  x\n  y\nb: 1\n");
    yaml("a: one # c\nb: 1\n", set("a", json!("x\n\ny")), "a: |- # c\n  x\n\n  y\nb: 1\n");
    yaml("a:\nb: 1\n", set("a", json!("x\ny\n")), "a: |\n  x\n  y\nb: 1\n");
    yaml(
        "l:\n  - k: one\n    m: \"o\"\n",
        set("l.0.k", json!("x\ny\n")),
        "l:\n  - k: |\n      x\n      y\n    m: \"o\"\n",
    );
    yaml("l:\n  - k: one\n    m: \"o\"\n", set("l.0.m", json!("x\ny\n")), "l:\n  - k: one\n    m: \"x\\ny\\n\"\n");
    yaml("l:\n- one\n- two\n", set("l.0", json!("x\ny")), "l:\n- |-\n  x\n  y\n- two\n");
    yaml("a: |\n  one", set("a", json!("x\ny\n")), "a: |\n  x\n  y\n");
}

#[test]
fn lists_and_objects_in_blocks() {
    yaml(
        "# top\nlist:\n  # first\n  - a # one\n  # second\n  - b\n\n# tail\nz: 1\n",
        push("list", json!("c")),
        "# top\nlist:\n  # first\n  - a # one\n  # second\n  - b\n  - c\n\n# tail\nz: 1\n",
    );
    yaml("list:\n- a\n- b\nz: 1\n", push("list", json!("c: d")), "list:\n- a\n- b\n- \"c: d\"\nz: 1\n");
    yaml(
        "list:\n  # first\n  - a # one\n  # second\n  - b # two\n  # third\n  - c\n",
        remove("list.1"),
        "list:\n  # first\n  - a # one\n  # second\n  # third\n  - c\n",
    );
    yaml("list:\n  - a\nz: 1\n", remove("list.0"), "list: []\nz: 1\n");
    yaml("# h\na: 1\nb:\n  x: 1 # x\n  y: 2\n# c is\nc: 3\n", remove("b"), "# h\na: 1\n# c is\nc: 3\n");
    yaml("a: 1\nb: 3\n# foot\n", remove("b"), "a: 1\n# foot\n");
    yaml("a:\n    x: 1\n\nb: 2", add("a", "k", json!("v")), "a:\n    x: 1\n    k: v\n\nb: 2");
    yaml(
        "a: 1\n",
        add("", "on", json!({"b": [1, {"c": "d"}], "e": {}})),
        "a: 1\n\"on\":\n  b:\n    - 1\n    - c: d\n  e: {}\n",
    );
    yaml("- a: 1\n- a: 2\n", set("1.a", json!(3)), "- a: 1\n- a: 3\n");
    yaml("- a: 1\n- a: 2\n", remove("0"), "- a: 2\n");
    yaml("- a: 1\n", push("", json!({"a": 2, "b": []})), "- a: 1\n- a: 2\n  b: []\n");
    yaml(
        "a:\n  - b:\n      - c:\n          - d: 1 # deep\n",
        set("a.0.b.0.c.0.d", json!(2)),
        "a:\n  - b:\n      - c:\n          - d: 2 # deep\n",
    );
    yaml(
        "a: 1\r\nb:\r\n  - x\r\n",
        push("b", json!({"k": "v", "l": 1})),
        "a: 1\r\nb:\r\n  - x\r\n  - k: v\r\n    l: 1\r\n",
    );
    yaml("a: 1\nb:\n  - x\n", set("b", json!(["k", "z"])), "a: 1\nb:\n  - k\n  - z\n");
    yaml("\u{feff}a: 1\nb: x\n", set("a", json!("x\ny\n")), "\u{feff}a: |\n  x\n  y\nb: x\n");
    yaml("---\n# c\na: 1\n", add("", "b", json!(2)), "---\n# c\na: 1\nb: 2\n");
}

#[test]
fn brackets_in_yaml() {
    yaml("l: [a, 'b'] # c\nz: 1\n", push("l", json!("c, d")), "l: [a, 'b', \"c, d\"] # c\nz: 1\n");
    yaml("l: []\n", push("l", json!("x")), "l: [x]\n");
    yaml("l: [\n  a, # one\n  'b' # two\n]\n", push("l", json!("c")), "l: [\n  a, # one\n  'b', # two\n  c\n]\n");
    yaml("l: [\n  a,\n  'b', # two\n]\n", push("l", json!("c")), "l: [\n  a,\n  'b', # two\n  c,\n]\n");
    yaml("l: [a, b, c]\nm: {a: 1, b: 2}\n", remove("l.1"), "l: [a, c]\nm: {a: 1, b: 2}\n");
    yaml("l: [a, b, c]\nm: {a: 1, b: 2}\n", remove("m.a"), "l: [a, b, c]\nm: {b: 2}\n");
    yaml("l: [a]\n", remove("l.0"), "l: []\n");
    yaml("m: {a: {b: 1}}\n", add("m.a", "c", json!({"d": [1, "x, y"]})), "m: {a: {b: 1, c: {d: [1, \"x, y\"]}}}\n");
    yaml("l: [\n  a, # one\n  b, # two\n  c\n]\n", remove("l.1"), "l: [\n  a, # one\n  c\n]\n");
}

#[test]
fn json_keeps_its_white_space() {
    let text = "{\n\t\"a\": [\n\t\t\"x\",\n\t\t\"y\"\n\t],\n\t\"b\" : { },\n\t\"c\": 1\n}";
    json_text(text, push("a", json!({"k": 1})), &text.replace("\"y\"\n", "\"y\",\n\t\t{\n\t\t\t\"k\": 1\n\t\t}\n"));
    json_text(text, remove("a.0"), &text.replace("\"x\",\n\t\t", ""));
    json_text(text, remove("a.1"), &text.replace(",\n\t\t\"y\"", ""));
    json_text(text, add("b", "k", json!("v")), &text.replace("{ }", "{\n\t\t\"k\": \"v\"\n\t}"));
    json_text(text, add("", "d", json!([])), &text.replace("1\n}", "1,\n\t\"d\": []\n}"));
    json_text(text, remove("c"), &text.replace(",\n\t\"c\": 1", ""));
    json_text("{\"a\":1,\"b\":[1,2]}", push("b", json!(3)), "{\"a\":1,\"b\":[1,2,3]}");
    json_text("{\"a\":1,\"b\":[1]}\r\n", push("b", json!(3)), "{\"a\":1,\"b\":[1,3]}\r\n");
    json_text("{\"a\": 1}", add("", "b", json!({"c": "\u{1}\"\\"})), "{\"a\": 1, \"b\": {\"c\": \"\\u0001\\\"\\\\\"}}");
    json_text("[\n  {\"a\": 1}\n]\n", push("", json!({"a": 2})), "[\n  {\"a\": 1},\n  {\n    \"a\": 2\n  }\n]\n");
    json_text(
        "{\"a\": ##KNOWN##, \"b\": \"x\"}",
        set("b", json!("##KNOWN##")),
        "{\"a\": ##KNOWN##, \"b\": \"\\u0023#KNOWN\\u0023#\"}",
    );
}

#[test]
fn markers_and_expressions_stay() {
    let text = "a: ##ENV## # c\nb: @@LIST@@\nc: ${{ vars.x }}\n##ENV##_key: 1\nd: x\n";
    yaml(text, set("d", json!("new")), &text.replace("d: x", "d: new"));
    yaml(text, set("d", json!("one\ntwo\n")), &text.replace("d: x", "d: |\n  one\n  two"));
    yaml(text, add("", "e", json!("${{ x }}")), &format!("{text}e: \"${{{{ concat '$' '{{{{' }}}} x }}}}\"\n"));
    yaml(text, set("d", json!("a ##b## @@c@@")), &text.replace("d: x", "d: \"a \\x23#b\\x23# \\x40@c\\x40@\""));
    yaml("a: [##X##, b]\nc: 1\n", push("a", json!("d")), "a: [##X##, b, d]\nc: 1\n");
    yaml("a:\n  - ##X##\n  - b\n", remove("a.1"), "a:\n  - ##X##\n");
    yaml("a: ##X##\n", set("a", json!("new")), "a: new\n");
    yaml("a: 1 # tail ##\nb: x\n", set("a", json!("## x")), "a: \"\\x23# x\" # tail ##\nb: x\n");
}

#[test]
fn aliases_and_merges_get_a_key_of_their_own() {
    let text = "d: &d {x: 1, o: {z: 2}}\na: *d\nb:\n  <<: *d\n  w: 1\n";
    yaml(text, set("a.x", json!(5)), &text.replace("a: *d", "a: {<<: *d, x: 5}"));
    yaml(text, add("a", "k", json!("v")), &text.replace("a: *d", "a: {<<: *d, k: v}"));
    yaml(text, remove("a.x"), &text.replace("a: *d", "a:\n  o:\n    z: 2"));
    yaml(text, set("b.x", json!(5)), &format!("{text}  x: 5\n"));
    yaml(text, set("b.o.z", json!(5)), &format!("{text}  o:\n    z: 5\n"));
    yaml("s: &s one\nt: *s\n", set("t", json!("two")), "s: &s one\nt: two\n");
    let left = |text: &str, op| edited(Format::Yaml, text, &op).unwrap_err();
    assert_eq!(left(text, remove("b.x")), Why::Shared);
    assert_eq!(left(text, set("d.x", json!(5))), Why::Shared);
    assert_eq!(left("s: &s one\nt: *s\n", set("s", json!("two"))), Why::Shared);
    assert_eq!(left("d: &d {x: ##X##, y: {z: ##X##}}\na: *d\n", set("a.y.n", json!(1))), Why::NoPlace);
    yaml("s: &s one\nt: 1\n", set("s", json!("two")), "s: &s two\nt: 1\n");
}

#[test]
fn what_is_there_already_changes_nothing() {
    yaml("a: 0x10\n", set("a", json!(16)), "a: 0x10\n");
    assert_eq!(edited(Format::Yaml, "a: 1\n", &remove("b")), Err(Why::NoPlace));
    assert_eq!(edited(Format::Yaml, "a: 1\n", &push("a", json!(1))), Err(Why::NoPlace));
    let same = Meaning::of_value(&Value::from_json(&json!({"a": 1.0})))
        .same(&Meaning::of_value(&Value::from_json(&json!({"a": 1}))));
    assert!(same);
}
