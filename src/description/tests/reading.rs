//! Plain reading: scalars, structure, places, limits.

use super::super::{Node, NodeValue, read_json, read_yaml};
use super::*;

fn yaml(text: &str) -> Result<Json, &'static str> {
    let loaded = read_yaml("t.yaml", text.as_bytes()).map_err(|problems| problems[0].id)?;
    Ok(render(&loaded.node, &Variables::default()).unwrap().value.to_json().unwrap())
}

fn json(text: &str) -> Result<Json, &'static str> {
    let loaded = read_json("t.json", text.as_bytes()).map_err(|problems| problems[0].id)?;
    Ok(render(&loaded.node, &Variables::default()).unwrap().value.to_json().unwrap())
}

/// Scalars as js-yaml 4.3.2 reads them; checked by running it.
const SAME: &str = r#"
1_000 "1_000"|0.1_0 "0.1_0"|1__0 "1__0"|_1 "_1"|1_ "1_"|1e400 "1e400"|-1e400 "-1e400"|yes "yes"|no "no"|on "on"|off "off"|y "y"|n "n"
Yes "Yes"|NO "NO"|true true|True true|TRUE true|tRUE "tRUE"|false false|False false|FALSE false|null null|Null null|NULL null|nULL "nULL"
~ null| null|012 12|017 17|00 0|0 0|-0 0|+0 0|+12 12|-12 -12|0o17 15|0O17 "0O17"|0o8 "0o8"|-0o17 -15|0x1F 31|0X1F "0X1F"|0xg "0xg"|0x "0x"
-0x1F -31|+0x1f 31|0b11 3|0b2 "0b2"|0b "0b"|-0b11 -3|08 8|09 9|1.0 1|1.5 1.5|-1.5 -1.5|+1.5 1.5|5. 5|.5 0.5|-.5 "-.5"|+.5 "+.5"|. "."
+ "+"|1e3 1000|1E3 1000|1e+3 1000|1e-3 0.001|1.5e3 1500|1.e3 1000|.5e1 5|1e "1e"|e1 "e1"|1e3.5 "1e3.5"|1.2.3 "1.2.3"|1. 1|-1. -1|+. "+."
0.1 0.1|-.nan "-.nan"|.iNF ".iNF"|inf "inf"|NaN "NaN"|2001-1-1 "2001-1-1"|2001-12 "2001-12"|12:30 "12:30"|12:30:45 "12:30:45"|1:2 "1:2"
a:b "a:b"|http://x "http://x"|a#b "a#b"|a #b "a"|'x' "x"|"x" "x"|"a\nb" "a\nb"|'it''s' "it's"|"\u00e9\x41" "éA"|= "="|<< "<<"|1,000 "1,000"
1 000 "1 000"|0.0 0|-0.0 0|1e0 1|0e5 0|12e03 12000|$5 "$5"|5% "5%"|(a) "(a)"|1a "1a"|0o "0o"|0b102 "0b102"|0x1G "0x1G"|٣ "٣"|!!str 5 "5"
! 5 "5"|!!int "5" 5|!!float 5 5|!!bool true true|!!null "" null|"5" "5"|'true' "true"|"" ""
"#;

#[test]
fn scalars_are_read_as_js_yaml_does() {
    let mut count = 0;
    for case in SAME.trim().split(['|', '\n']) {
        let (text, expected) = case.rsplit_once(' ').map_or(("", case), |pair| pair);
        let (text, expected) = if case.ends_with("\"1 000\"") { ("1 000", "\"1 000\"") } else { (text, expected) };
        let expected: Json = serde_json::from_str(expected).unwrap_or_else(|_| panic!("{case}"));
        assert_eq!(yaml(&format!("a: {text}")), Ok(serde_json::json!({ "a": expected })), "{text}");
        count += 1;
    }
    assert!(count > 115, "{count}");
}

/// Where JSON has no such value, or JavaScript loses digits, text and digits stay.
#[test]
fn what_json_lacks_stays_text_and_integers_stay_exact() {
    for text in [".inf", "-.inf", "+.INF", ".NaN", "2001-12-14", "2001-12-14T21:59:43.10-05:00", "2001-12-14 21:59:43"]
    {
        assert_eq!(yaml(text), Ok(Json::from(text)));
        assert_eq!(read_yaml("t", text.as_bytes()).unwrap().warnings[0].id, "ambiguous-scalar", "{text}");
    }
    for text in ["1_000", "0.1_0", "1e400"] {
        assert_eq!(read_yaml("t", text.as_bytes()).unwrap().warnings.len(), 1, "{text}");
    }
    for text in ["'1_000'", "a_b", "1_a", "12:30", "2001-12", "x-1_0"] {
        assert_eq!(read_yaml("t", text.as_bytes()).unwrap().warnings.len(), 0, "{text}");
    }
    for text in ["12345678901234567890", "9007199254740993", "-9223372036854775808"] {
        assert_eq!(yaml(text).unwrap().to_string(), text);
        assert_eq!(json(text).unwrap().to_string(), text);
    }
    assert_eq!(yaml("-9223372036854775809").unwrap().as_f64(), Some(-9_223_372_036_854_775_809.0));
    assert_eq!(yaml("123456789012345678901234567890").unwrap().as_f64(), Some(1.234_567_890_123_456_8e29));
}

#[test]
fn structure_is_read_as_js_yaml_does() {
    for (text, expected) in [
        ("", "null"),
        ("# only a comment\n", "null"),
        ("---\na: 1\n...\n", r#"{"a":1}"#),
        ("\u{feff}a: 1", r#"{"a":1}"#),
        ("a: &x {b: 1}\nc: *x", r#"{"a":{"b":1},"c":{"b":1}}"#),
        ("d: &d {a: 1, b: 2}\nc: {<<: *d, b: 3}", r#"{"d":{"a":1,"b":2},"c":{"a":1,"b":3}}"#),
        (
            "d: &d {a: 1}\ne: &e {a: 2, b: 2}\nc:\n  a: 0\n  <<: [*d, *e]",
            r#"{"d":{"a":1},"e":{"a":2,"b":2},"c":{"a":0,"b":2}}"#,
        ),
        ("d: &d {a: 1}\nc:\n  <<: *d\n  a: 2", r#"{"d":{"a":1},"c":{"a":2}}"#),
        ("\"<<\": 1", r#"{"<<":1}"#),
        ("1: a\ntrue: b\n~: c\n1.50: d\n0x10: e", r#"{"1":"a","true":"b","null":"c","1.5":"d","16":"e"}"#),
        (
            "a: |\n  x\n   y\nb: >\n  x\n  y\n\n  z\nc: |-\n  x\nd: |+\n  x\n\n",
            r#"{"a":"x\n y\n","b":"x y\nz\n","c":"x","d":"x\n\n"}"#,
        ),
        ("a:\r\n- 1\r\n- 2\r\n", r#"{"a":[1,2]}"#),
        ("[a: 1, {b}, ]", r#"[{"a":1},{"b":null}]"#),
        ("? a\n: 1", r#"{"a":1}"#),
        ("a: x\n  y", r#"{"a":"x y"}"#),
        ("{{ x }}: 1", "yaml-syntax"),
        ("a: 1\na: 2", "duplicate-key"),
        ("1: a\n'1': b", "duplicate-key"),
        ("{a: 1, \"a\": 2}", "duplicate-key"),
        ("a: !foo x", "yaml-tag"),
        ("a: !!binary aGk=", "yaml-tag"),
        ("a: !!int x", "yaml-tag"),
        ("a: !!seq {}", "yaml-tag"),
        ("a: 1\n---\nb: 2", "several-documents"),
        ("a: *x", "yaml-syntax"),
        ("a: &x [*x]", "yaml-syntax"),
        ("<<: 1", "yaml-syntax"),
        ("<<: [1]", "yaml-syntax"),
        ("a: @x", "yaml-syntax"),
        ("a: `x`", "yaml-syntax"),
        ("a:\n\tb: 1", "yaml-syntax"),
        ("a: b: c", "yaml-syntax"),
        ("a: [1", "yaml-syntax"),
        ("a: 'x", "yaml-syntax"),
        ("a: \"\\q\"", "yaml-syntax"),
        ("a: x\u{1}", "control-character"),
    ] {
        let shown = match yaml(text) {
            Ok(value) => value.to_string(),
            Err(id) => id.to_owned(),
        };
        assert_eq!(shown, expected, "{text:?}");
    }
}

#[test]
fn json_is_read_strictly() {
    for (text, expected) in [
        (
            r#" {"a" : [1, -2.50, 1e2, true, false, null, "\u00e9\ud83d\ude00\n\/"]} "#,
            r#"{"a":[1,-2.5,100,true,false,null,"é😀\n/"]}"#,
        ),
        ("\u{feff}{}", "{}"),
        ("[]", "[]"),
        ("\"x\"", "\"x\""),
        ("", "json-syntax"),
        ("[1,]", "json-syntax"),
        ("{\"a\":1,}", "json-syntax"),
        ("{'a':1}", "json-syntax"),
        ("['a']", "json-syntax"),
        ("{a:1}", "json-syntax"),
        ("[1 2]", "json-syntax"),
        ("[1] 2", "json-syntax"),
        ("[,1]", "json-syntax"),
        ("{\"a\" 1}", "json-syntax"),
        ("{\"a\":}", "json-syntax"),
        ("// x\n{}", "json-syntax"),
        ("{} /* x */", "json-syntax"),
        ("[01]", "json-syntax"),
        ("[1.]", "json-syntax"),
        ("[.5]", "json-syntax"),
        ("[+1]", "json-syntax"),
        ("[1.e3]", "json-syntax"),
        ("[0x1F]", "json-syntax"),
        ("[NaN]", "json-syntax"),
        ("[1e999]", "json-syntax"),
        ("[True]", "json-syntax"),
        ("[\"a\nb\"]", "json-syntax"),
        ("[\"\\q\"]", "json-syntax"),
        ("[\"\\ud800\"]", "json-syntax"),
        ("[\"\\u12\"]", "json-syntax"),
        ("[\"a", "json-syntax"),
        ("[", "json-syntax"),
        ("{\"a\":1,\"a\":2}", "duplicate-key"),
        ("{\"a\":1,\"\\u0061\":2}", "duplicate-key"),
    ] {
        let shown = match json(text) {
            Ok(value) => value.to_string(),
            Err(id) => id.to_owned(),
        };
        assert_eq!(shown, expected, "{text:?}");
    }
}

#[test]
fn problems_name_their_places() {
    let ids = |problems: Vec<Problem>| shown(&problems);
    let yaml = |text: &str| ids(read_yaml("t.yaml", text.as_bytes()).unwrap_err());
    let json = |text: &str| ids(read_json("t.json", text.as_bytes()).unwrap_err());
    let all = [
        yaml("x:\n  1: a\n  b: 2\n  '1': c"),
        yaml("a: 1\nb: [1, 2\nc: 3"),
        yaml("a: !foo x"),
        yaml("a: 1\n---\nb: 2"),
        json("{\"é\": [1,\n  2,]}"),
        json("{\"a\": 1 // x\n}"),
        ids(read_yaml("t.yaml", b"a: \xff").unwrap_err()),
        ids(read_yaml("t.yaml", b"\xff\xfea\0").unwrap_err()),
        ids(read_yaml("t.yaml", b"a: \x07").unwrap_err()),
        ids(read_yaml("t.yaml", &vec![b' '; 17 * 1024 * 1024]).unwrap_err()),
    ];
    insta::assert_snapshot!(all.join("\n"), @r###"
[duplicate-key]: the key `1` is written twice
  t.yaml:4:3 again here
  t.yaml:2:3 first here
  help: keep one of them

[yaml-syntax]: this is not YAML: illegal placement of ':' indicator
  t.yaml:3:2 

[yaml-tag]: the tag `!foo` cannot be used here
  t.yaml:1:9 
  note: known are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`, each on its own sort of value
  help: remove the tag; quote the value if it is to be text

[several-documents]: a file holds one YAML document, this one has several
  t.yaml:2:1 a second document starts here
  help: split the file, or remove the `---` line

[json-syntax]: this is not JSON: a comma stands before `]`
  t.json:2:4 
  help: remove the comma

[json-syntax]: this is not JSON: it has no comments
  t.json:1:9 
  help: remove the comment, or write the file as YAML

[not-utf8]: this file is not UTF-8
  t.yaml:1:4 the first byte that is not
  help: save it as UTF-8

[not-utf8]: this file is UTF-16, not UTF-8
  t.yaml:1:1 the first byte that is not
  help: save it as UTF-8

[control-character]: the control character U+0007 stands in this file
  t.yaml:1:4 
  help: remove it, or write it as an escape inside double quotes

[file-too-large]: this file has 17 MiB, the limit is 16 MiB
  t.yaml:1:1 
  help: leave it out of the description, or split it
"###);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for n in 1..40 {
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")));
    }
    assert_eq!(yaml(&bomb), Err("alias-bomb"));
    let text = "x".repeat(1_000_000);
    assert_eq!(yaml(&format!("a: &a {text}\nb: [{}]", vec!["*a"; 1000].join(", "))), Err("alias-bomb"));
    let mut deep = String::from("a0: &a0 [x]\n");
    for n in 1..200 {
        deep.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
    }
    assert_eq!(yaml(&deep), Err("nested-too-deep"));
    assert_eq!(yaml(&"[".repeat(100_000)), Err("nested-too-deep"));
    assert_eq!(yaml(&"- ".repeat(5_000)), Err("nested-too-deep"));
    assert_eq!(json(&"[".repeat(100_000)), Err("nested-too-deep"));
    assert_eq!(json(&format!("{}{}", "[".repeat(100), "]".repeat(100))).map(|_| ()), Ok(()));
    assert_eq!(yaml(&format!("{}{}", "[".repeat(100), "]".repeat(100))).map(|_| ()), Ok(()));
}

#[test]
fn every_node_and_key_has_its_place() {
    let text = "\u{feff}a: &x\n  - 'q' # c\n  - |\n    block\n    two\n  - {k: v}\nb: *x\n\"c\": >-\n  z\n";
    fn walk(node: &Node, text: &str, out: &mut Vec<String>) {
        let at = |locus: &crate::model::Locus| {
            format!("{}:{} {:?}", locus.line, locus.column, &text[locus.start..locus.end])
        };
        out.push(at(&node.locus));
        match &node.value {
            NodeValue::Array(items) => items.iter().for_each(|item| walk(item, text, out)),
            NodeValue::Object(map) => map.iter().for_each(|member| {
                out.push(format!("key {}", at(&member.key_locus)));
                walk(&member.value, text, out);
            }),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(&read_yaml("t", text.as_bytes()).unwrap().node, text, &mut out);
    out.push("json".to_owned());
    let text = "{\"a\": [ true, {\"é\": \"ü\" } ],\n \"b\": -1.5}";
    walk(&read_json("t", text.as_bytes()).unwrap().node, text, &mut out);
    insta::assert_snapshot!(out.join("\n"), @r###"
1:1 "a: &x\n  - 'q' # c\n  - |\n    block\n    two\n  - {k: v}\nb: *x\n\"c\": >-\n  z"
key 1:1 "a"
2:3 "- 'q' # c\n  - |\n    block\n    two\n  - {k: v}"
2:5 "'q'"
4:5 "block\n    two"
6:5 "{k: v}"
key 6:6 "k"
6:9 "v"
key 7:1 "b"
7:4 "*x"
2:5 "'q'"
4:5 "block\n    two"
6:5 "{k: v}"
key 6:6 "k"
6:9 "v"
key 8:1 "\"c\""
9:3 "z"
json
1:1 "{\"a\": [ true, {\"é\": \"ü\" } ],\n \"b\": -1.5}"
key 1:2 "\"a\""
1:7 "[ true, {\"é\": \"ü\" } ]"
1:9 "true"
1:15 "{\"é\": \"ü\" }"
key 1:16 "\"é\""
1:21 "\"ü\""
key 2:2 "\"b\""
2:7 "-1.5"
"###);
}
