#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::description::{Format, KnownNames, Variables, load, render};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

impl Out {
    /// Converts JSON; all texts mean themselves.
    fn from_json(json: &Json) -> Out {
        match json {
            Json::Null => Out::Null,
            Json::Bool(value) => Out::Bool(*value),
            Json::Number(number) => Out::Number(number.clone()),
            Json::String(text) => Out::Text(text.clone()),
            Json::Array(items) => Out::List(items.iter().map(Out::from_json).collect()),
            Json::Object(map) => {
                Out::Object(map.iter().map(|(key, value)| (key.clone(), Out::from_json(value))).collect())
            }
        }
    }
}

/// Reads a file as a description is read, with every name of a marker known.
fn read(text: &str, format: Format) -> Json {
    let names: KnownNames = ["X", "NAME", "a b"].into_iter().collect();
    let loaded = load("file", text.as_bytes(), format, &names).unwrap_or_else(|p| panic!("{p:?}\n{text}"));
    let variables = Variables::default();
    let rendered = render(&loaded.node, &variables).unwrap_or_else(|p| panic!("{p:?}\n{text}"));
    rendered.value.redacted()
}

#[track_caller]
fn comes_back(value: &Json) {
    let out = Out::from_json(value);
    assert_eq!(&read(&yaml(&out), Format::Yaml), value, "\n{}", yaml(&out));
    assert_eq!(&read(&json(&out), Format::Json), value, "\n{}", json(&out));
}

#[test]
fn odd_texts_come_back() {
    for text in [
        "",
        " ",
        "null",
        "Yes",
        "~",
        "012",
        "0o17",
        "1e3",
        ".5",
        "-",
        "- a",
        "2024-01-01",
        "a: b",
        "a:",
        "a #b",
        "#ff0000",
        "'",
        "\"",
        "'a\"b'",
        "\\d+",
        "@at",
        "`x",
        "%",
        "&a",
        "*a",
        "!t",
        "| x",
        "> x",
        "{a",
        "[a",
        "a\tb",
        "\t",
        "a\r\nb",
        "x\u{85}y",
        "\u{feff}x",
        "a\u{2028}b",
        "\0",
        "\u{7f}",
        "<<",
        "=",
        "---",
        "...",
        "? a",
        "é",
        "日本",
        "🙂",
        "on",
        "y",
        "1_000",
        "0x1F",
        "12:30:45",
    ] {
        comes_back(&json!({ "k": text, "l": [text, [text]], text: text }));
        comes_back(&json!(text));
    }
}

#[test]
fn what_looks_like_a_marker_comes_back() {
    for text in [
        "##X##",
        "a ##X## b",
        "@@X@@",
        "'@@X@@'",
        "####X##",
        "## one\n## two",
        "##a b##",
        "${{ vars.x }}",
        "${{",
        "$${{{ x }}}",
        "x ${{ y",
        "##X##\n@@X@@\n",
        "@@password@@",
        "a##",
        "###X###",
        "${{ '",
        "{{ x }} ${{ \"a\" }}",
        "##UNKNOWN##",
        "é##X##",
    ] {
        comes_back(&json!({ "k": text, text: [text] }));
    }
}

#[test]
fn blocks_of_text_come_back_and_can_be_read() {
    for text in [
        "a\nb",
        "a\nb\n",
        "a\n\n\nb\n\n",
        " a\n b",
        "a\n  b\n",
        "a \n b  \nc",
        "\na",
        "a\n\t",
        "a\n ",
        "\n",
        "\n\n",
        "a\r\nb\n",
        "<p>\n  {{ user.name }} # no comment\n</p>\n",
        "a: b\n- c\n",
        "---\n...\n",
        "a\n   \nb",
        "   \nb",
        "\ta\nb",
    ] {
        comes_back(&json!({ "k": text, "l": [text, {"m": text, "n": 1}], "z": text }));
        comes_back(&json!(text));
    }
    let out = yaml(&Out::from_json(&json!({"body": "one\n  two\n"})));
    assert_eq!(out, "body: |\n  one\n    two\n");
}

#[test]
fn files_are_easy_to_read() {
    let out = Out::Object(vec![
        ("name".to_owned(), Out::from_json(&json!("My App"))),
        ("callbacks".to_owned(), Out::from_json(&json!(["https://a.example.com/cb?x=1", "*"]))),
        ("secret".to_owned(), Out::Expression("${{ secrets.A }}".to_owned())),
        ("empty".to_owned(), Out::from_json(&json!([{}, []]))),
        ("colour".to_owned(), Out::from_json(&json!({"primary": "#ff0000", "sizes": [1, 2.5]}))),
    ]);
    insta::assert_snapshot!(yaml(&out), @r##"
    name: My App
    callbacks:
      - https://a.example.com/cb?x=1
      - "*"
    secret: ${{ secrets.A }}
    empty:
      - {}
      - []
    colour:
      primary: "#ff0000"
      sizes:
        - 1
        - 2.5
    "##);
    insta::assert_snapshot!(json(&out), @r##"
    {
      "name": "My App",
      "callbacks": [
        "https://a.example.com/cb?x=1",
        "*"
      ],
      "secret": "${{ secrets.A }}",
      "empty": [
        {},
        []
      ],
      "colour": {
        "primary": "#ff0000",
        "sizes": [
          1,
          2.5
        ]
      }
    }
    "##);
}

#[test]
fn markers_in_side_files_are_found() {
    assert_eq!(marker_in("a\nconst x = '##X_1##';"), Some("##X_1##"));
    assert_eq!(marker_in("@@config@@ @@KEY@@"), Some("@@KEY@@"));
    assert_eq!(marker_in("@@password@@\n## Title\n## Other\n#### x ####"), None);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[ \\n\\ta#@:'\"\\\\-]{0,12}", "[#@${}X \\n]{0,16}", any::<String>(),]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1.0e9..1.0e9f64).prop_map(|f| Json::from(f.trunc() + 0.5)),
        any_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::vec((any_text(), inner), 0..5).prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_json_comes_back(value in any_json()) {
        comes_back(&value);
    }
}
