//! Laws that hold for every input.

use proptest::prelude::*;

use super::super::{KnownNames, Leniency, Sigil, fill_text, read_json, read_yaml};
use super::*;

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[^#@]{0,12}".prop_map(|text| Json::from(text.replace("##", "").replace("@@", ""))),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z :\"'#]{0,6}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// Text made of what YAML, JSON and markers are made of.
fn any_source() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "\n",
        "  ",
        ": ",
        "##X##",
        "@@X@@",
        "##U##",
        "\"",
        "'",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "##",
        "@@",
        "${{ ",
        "vars.X ",
        "}}",
        "&a ",
        "*a",
        "<<: ",
        "|\n",
        ">-\n",
        "!!str ",
        "---\n",
        "\t",
        "é",
        "\u{f0000}",
        "1",
        "\\",
        "? ",
        "\r\n",
        "\u{feff}",
        "lower ",
        "(",
        ")",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_value_placed_by_at_signs_comes_back(value in any_json()) {
        let variables = with(serde_json::json!({ "X": value.clone() }));
        for (format, text) in [
            (Format::Yaml, "a: @@X@@"), (Format::Yaml, "a: \"@@X@@\""), (Format::Yaml, "a: {b: '@@X@@', c: 1}"), (Format::Yaml, "a:\n  - @@X@@"),
            (Format::Yaml, "a: [1, @@X@@, 2]"), (Format::Json, "{\"a\": @@X@@}"), (Format::Json, "{\"a\": [\"@@X@@\"]}"),
        ] {
            let mut value_there = run(format, text, &variables).unwrap().value.to_json().unwrap();
            let mut here = value_there["a"].take();
            if text.contains("b:") { here = here["b"].take(); }
            if text.contains("[1") { here = here[1].take(); } else if text.contains('[') || text.contains('-') { here = here[0].take(); }
            prop_assert_eq!(&here, &value, "{}", text);
        }
    }

    #[test]
    fn json_round_trips(value in any_json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let node = read_json("t", text.as_bytes()).unwrap().node;
        prop_assert_eq!(render(&node, &Variables::default()).unwrap().value.to_json().unwrap(), value);
    }

    #[test]
    fn text_without_markers_is_read_alike_with_and_without_names(text in "[a-z0-9:\\-\\[\\]{}, \n'\"]{0,40}") {
        let names = KnownNames::from_iter(["X"]);
        prop_assert_eq!(load("t", text.as_bytes(), Format::Yaml, &names), read_yaml("t", text.as_bytes()));
        prop_assert_eq!(fill_text("t", text.as_bytes(), &Variables::default(), Leniency::Strict), (text.as_str().into(), vec![]));
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let names = KnownNames::default();
        let _ = load("t", &bytes, Format::Yaml, &names);
        let _ = load("t", &bytes, Format::Json, &names);
        let _ = fill_text("t", &bytes, &Variables::default(), Leniency::Strict);
    }

    #[test]
    fn nothing_panics_on_sources(text in any_source(), value in any_source()) {
        let variables = with(serde_json::json!({ "X": value }));
        for format in [Format::Yaml, Format::Json] {
            let _ = run(format, &text, &variables);
        }
        let _ = fill_text("t", text.as_bytes(), &variables, Leniency::MarkersPass);
    }

    #[test]
    fn nothing_panics_on_expressions(inner in "[a-z.()\\[\\]{}'\"@#/ =0-9|~^&!>*\\\\-]{0,24}") {
        let _ = run(Format::Yaml, &format!("a: \"${{{{ {inner} }}}}\""), &Variables::default());
        let _ = run(Format::Yaml, &format!("a: ${{{{{inner}}}}}"), &Variables::default());
    }

    #[test]
    fn a_text_value_never_changes_its_surroundings(value in any_source()) {
        let variables = with(serde_json::json!({ "X": value }));
        for text in ["a: ##X##\nb: 1", "a: \"##X##\"\nb: 1", "a: '##X##'\nb: 1", "a: {c: ##X##}\nb: 1", "a:\n  - ##X##\nb: 1", "a: |\n  ##X##\nb: 1"] {
            match run(Format::Yaml, text, &variables) {
                Ok(rendered) => {
                    let keys: Vec<String> = rendered.value.as_object().unwrap().keys().cloned().collect();
                    prop_assert_eq!(keys, ["a", "b"]);
                    prop_assert_eq!(rendered.value.get("b").unwrap().redacted(), 1);
                }
                // The value is a marker itself.
                Err(problems) => prop_assert_eq!(problems[0].id, "unset-variable", "{}", text),
            }
        }
    }
}

#[test]
fn long_files_of_signs_are_read() {
    let names = KnownNames::default();
    for (part, count) in [
        ("#", 500_000),
        ("@@a", 60_000),
        ("${{ ", 200_000),
        ("${{ ' ", 100_000),
        ("##a\n", 100_000),
        (" ##b##", 60_000),
    ] {
        for format in [Format::Yaml, Format::Json] {
            let _ = load("t", part.repeat(count).as_bytes(), format, &names);
        }
    }
    let many = load("t", "[@@a@@]\n".repeat(140_000).as_bytes(), Format::Yaml, &names).unwrap_err();
    assert_eq!(many[0].id, "too-many-markers");
}

#[test]
fn the_two_signs_are_filled_in_their_order() {
    assert!(Sigil::Json < Sigil::Text);
}
