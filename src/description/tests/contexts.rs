//! The table of contexts: what a marker becomes where it stands.
//!
//! `same`: what replacement in the raw text and js-yaml 4.3.2 (JSON.parse) give. `sensible`: they fail. `differs`: they give `theirs`,
//! and we mean to differ: an object has no text form, a list is no key, a value adds no keys and no comments around it, an
//! unknown marker is an error.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    json: bool,
    #[serde(flatten)]
    expected: Json,
}

#[derive(Deserialize)]
struct Table {
    values: Json,
    cases: Vec<Case>,
}

#[test]
fn every_context_gives_what_the_table_says() {
    let table: Table = serde_json::from_str(include_str!("contexts.json")).unwrap();
    let variables = with(table.values);
    let mut wrong = Vec::new();
    assert!(table.cases.len() > 700);
    for case in table.cases {
        let format = if case.json { Format::Json } else { Format::Yaml };
        let ours = match run(format, &case.text, &variables) {
            Ok(rendered) => rendered.value.to_json().unwrap(),
            Err(problems) => serde_json::json!({ "error": problems[0].id }),
        };
        let expected = ["same", "sensible", "differs"].iter().find_map(|name| case.expected.get(name)).unwrap();
        // As text: the order of keys counts.
        let (ours, expected) = (ours.to_string(), expected.to_string());
        if ours != expected {
            wrong.push(format!("{:?}: {ours} instead of {expected}", case.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_value_adds_nothing_around_it() {
    for value in ["x\nb: 2", "1, b: 2", "x}\nb: 2", "]\nb: 2", "x\n---\ny", "\"\nb: 2", "'\nb: 2", "&b x\nb: *b"] {
        let variables = with(serde_json::json!({ "X": value }));
        for text in
            ["a: ##X##", "a: {c: ##X##}", "a: [##X##]", "a: \"##X##\"", "a: '##X##'", "a: p ##X##", "a: |\n  ##X##\n"]
        {
            let value = run(Format::Yaml, text, &variables).unwrap().value;
            let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["a"], "{text} with {value:?}");
        }
    }
}

#[test]
fn unknown_markers_are_told_all_at_once() {
    let variables = Variables {
        declared_elsewhere: [("SMTP_USER".to_owned(), vec!["dev".to_owned(), "staging".to_owned()])]
            .into_iter()
            .collect(),
        ..with(serde_json::json!({ "SMTP_PASS": "x" }))
    };
    let text = "user: ##SMTP_USER##\n# ##NOTE##\npass: \"@@SMTP_PAS@@\"\nlist: [\n  a,\n  ##EXTRA##\n]\ntext: |\n  ##INNER##\n##HEADING##\nx: 1 ##TAIL##\n";
    let problems = run(Format::Yaml, text, &variables).unwrap_err();
    insta::assert_snapshot!(shown(&problems), @r###"
[unset-variable]: `##SMTP_USER##` has no value
  t.yaml:1:7 `SMTP_USER` is not set
  note: `dev` and `staging` set it
  help: set it under `variables`, or with `--var SMTP_USER=VALUE`
[unset-variable]: `@@SMTP_PAS@@` has no value
  t.yaml:3:8 `SMTP_PAS` is not set
  help: did you mean `@@SMTP_PASS@@`?
  help: set it under `variables`, or with `--var SMTP_PAS=VALUE`
[unset-variable]: `##EXTRA##` has no value
  t.yaml:6:3 `EXTRA` is not set
  help: set it under `variables`, or with `--var EXTRA=VALUE`
[unset-variable]: `##INNER##` has no value
  t.yaml:9:3 `INNER` is not set
  help: set it under `variables`, or with `--var INNER=VALUE`
"###);
}

#[test]
fn auth0s_own_markers_are_text() {
    let none = Variables::default();
    let text = "a: \"@@password@@\"\nb: @@config@@\nc: 'x @@password@@ y'\nd: |\n  const p = '@@password@@';\n";
    let value = run(Format::Yaml, text, &none).unwrap().value.to_json().unwrap();
    assert_eq!(
        value,
        serde_json::json!({ "a": "@@password@@", "b": "@@config@@", "c": "x @@password@@ y", "d": "const p = '@@password@@';\n" })
    );
    let given = with(serde_json::json!({ "password": 7 }));
    assert_eq!(run(Format::Yaml, text, &given).unwrap().value.get("a").unwrap().redacted(), 7);
    assert!(run(Format::Yaml, "a: ##password##", &none).is_err());
}

#[test]
fn places_are_those_of_the_file() {
    let variables = with(serde_json::json!({ "LONGER_NAME": "v", "L": "\"b\", \"c\"" }));
    let text = "é: ##LONGER_NAME##\nlist: [ \"a\", ##L##, z ]\n\"##LONGER_NAME##\": 1\n";
    let rendered = run(Format::Yaml, text, &variables).unwrap();
    let all: Vec<String> = rendered
        .loci
        .iter()
        .map(|(path, locus)| format!("{path} {}:{} {:?}", locus.line, locus.column, &text[locus.start..locus.end]))
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r###"
 1:1 "é: ##LONGER_NAME##\nlist: [ \"a\", ##L##, z ]\n\"##LONGER_NAME##\": 1"
list 2:7 "[ \"a\", ##L##, z ]"
list[0] 2:9 "\"a\""
list[1] 2:14 "##L##"
list[2] 2:14 "##L##"
list[3] 2:21 "z"
v 3:20 "1"
é 1:4 "##LONGER_NAME##"
"###);
    let key = crate::model::Path::root().key("v");
    assert_eq!(rendered.keys.at(&key).unwrap().to_string(), "t.yaml:3:1");
}

#[test]
fn keys_that_become_the_same_are_refused() {
    let variables = with(serde_json::json!({ "K": "b" }));
    let problems = run(Format::Yaml, "b: 1\n##K##: 2\n", &variables).unwrap_err();
    insta::assert_snapshot!(shown(&problems), @r###"
[duplicate-key]: the key `b` is written twice
  t.yaml:2:1 again here
  t.yaml:1:1 first here
  note: the keys are written differently and become the same
  help: keep one of them
"###);
}

#[test]
fn environment_variables_are_values_only_in_compatibility_mode() {
    let mut variables = with(serde_json::json!({ "BOTH": "file" }));
    variables.env = [("BOTH".to_owned(), "env".to_owned()), ("HOME".to_owned(), "/h".to_owned())].into_iter().collect();
    assert_eq!(run(Format::Yaml, "##BOTH##", &variables).unwrap().value, "file".into());
    assert!(run(Format::Yaml, "@@HOME@@", &variables).is_err());
    variables.markers_from_env = true;
    assert_eq!(run(Format::Yaml, "##BOTH##", &variables).unwrap().value, "env".into());
    assert_eq!(run(Format::Yaml, "@@HOME@@", &variables).unwrap().value, "/h".into());
}

#[test]
fn values_that_hold_each_other_end() {
    let values: serde_json::Map<String, Json> =
        (0..40).map(|n| (format!("V{n}"), Json::from(format!("##V{0}####V{0}##", n + 1)))).collect();
    let problems = run(Format::Yaml, "a: ##V0##", &with(Json::Object(values))).unwrap_err();
    assert_eq!(problems[0].id, "expansion-too-large");
    let around = with(serde_json::json!({ "A": "x ##B##", "B": "##A## y" }));
    assert_eq!(run(Format::Yaml, "##A##", &around).unwrap().value, "x".into());
    assert_eq!(run(Format::Yaml, "'##A##'", &around).unwrap().value, "x ##A## y".into());
}

#[test]
fn a_placeholder_is_no_value() {
    let variables = with(serde_json::json!({ "SMTP_USER": "##SMTP_USER##", "A": "@@B@@", "COLOUR": "#fff" }));
    for text in ["a: ##SMTP_USER##", "a: '##SMTP_USER##'", "a: @@SMTP_USER@@", "a: x ##A##"] {
        assert_eq!(run(Format::Yaml, text, &variables).unwrap_err()[0].id, "unset-variable", "{text}");
    }
    assert_eq!(run(Format::Yaml, "a: ##COLOUR##", &variables).unwrap().value.get("a"), Some(&"#fff".into()));
    assert_eq!(run(Format::Yaml, "- ##COLOUR##", &variables).unwrap().value.redacted().to_string(), "[\"#fff\"]");
}

#[test]
fn private_use_characters_of_the_file_stay() {
    let variables = with(serde_json::json!({ "X": "\u{f0001}" }));
    let value = run(Format::Yaml, "a: \u{f0000}##X##\u{f0002}x", &variables).unwrap().value;
    assert_eq!(value.get("a").unwrap().as_str(), Some("\u{f0000}\u{f0001}\u{f0002}x"));
}
