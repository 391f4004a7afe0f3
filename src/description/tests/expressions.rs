//! `${{ … }}` and secrets.

use super::super::{Leniency, SecretState, fill_text};
use super::*;
use crate::model::{Secret, Value};

fn variables() -> Variables {
    let known =
        |name: &str, text: &str| (name.to_owned(), SecretState::Known(Secret::new(text, format!("secrets.{name}"))));
    Variables {
        secrets: [known("smtp", "hunter2"), known("PEM", "a\\nb"), ("gone".to_owned(), SecretState::Missing)]
            .into_iter()
            .collect(),
        env: [("SHA".to_owned(), "abc".to_owned())].into_iter().collect(),
        declared_elsewhere: [("support".to_owned(), vec!["dev".to_owned()])].into_iter().collect(),
        ..with(serde_json::json!({
            "brand": "Travel0", "n": 5, "on": true, "urls": ["https://a", "https://b"], "o": { "k": { "x": 1.0 } }, "empty": "", "nothing": null
        }))
    }
}

fn eval(expression: &str) -> Result<Value, String> {
    let text = format!("a: ${{{{ {expression} }}}}");
    run(Format::Yaml, &text, &variables())
        .map(|r| r.value.get("a").unwrap().clone())
        .map_err(|problems| shown(&problems))
}

#[test]
fn expressions_keep_their_type() {
    for (expression, expected) in [
        ("vars.brand", r#""Travel0""#),
        ("vars.n", "5"),
        ("vars.on", "true"),
        ("vars.nothing", "null"),
        ("vars.urls", r#"["https://a","https://b"]"#),
        ("vars.urls.[1]", r#""https://b""#),
        ("vars.o", r#"{"k":{"x":1}}"#),
        ("vars.o.k.x", "1"),
        ("env.SHA", r#""abc""#),
        ("lower vars.brand", r#""travel0""#),
        ("upper (trim ' x ')", r#""X""#),
        ("replace vars.brand \"0\" \"zero\"", r#""Travelzero""#),
        ("concat vars.brand '-' vars.n", r#""Travel0-5""#),
        ("concat vars.urls 'https://c'", r#"["https://a","https://b","https://c"]"#),
        ("join vars.urls ', '", r#""https://a, https://b""#),
        ("split 'a, b' ','", r#"["a","b"]"#),
        ("json vars.o", r#""{\"k\":{\"x\":1}}""#),
        ("default vars.missing 7", "7"),
        ("default vars.empty vars.nothing vars.brand", r#""Travel0""#),
        ("default env.NOPE 'x'", r#""x""#),
    ] {
        assert_eq!(eval(expression).unwrap().to_json().unwrap().to_string(), expected, "{expression}");
    }
}

#[test]
fn expressions_stand_anywhere_in_a_scalar() {
    let text = r###"
a: https://${{ lower vars.brand }}.com/${{ vars.n }}
b: [ ${{ vars.n }}, "${{ vars.on }}", '${{ concat ''x'' "y" }}' ]
c: { d: ${{ vars.urls }} }
${{ lower vars.brand }}: 1
e: "${{ default vars.missing \"q\" }} ${{ default vars.missing "r" }}"
f: |
  # ${{ vars.brand }} {{ user.name }}
g: "{{ application.name }} {% if x %}"
h: x # ${{ nonsense here
i: "##brand##/${{ vars.n }}"
j: ##n##${{ vars.n }}
"###;
    let value = run(Format::Yaml, text, &variables()).unwrap().value.to_json().unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r###"
{
  "a": "https://travel0.com/5",
  "b": [
    5,
    true,
    "xy"
  ],
  "c": {
    "d": [
      "https://a",
      "https://b"
    ]
  },
  "travel0": 1,
  "e": "q r",
  "f": "# Travel0 {{ user.name }}\n",
  "g": "{{ application.name }} {% if x %}",
  "h": "x",
  "i": "Travel0/5",
  "j": "55"
}
"###);
    let json = r#"{"a": "${{ vars.n }}", "b": "x ${{ default vars.missing \"q\" }}", "c": ["${{ vars.urls }}"]}"#;
    let value = run(Format::Json, json, &variables()).unwrap().value.to_json().unwrap();
    assert_eq!(value.to_string(), r#"{"a":5,"b":"x q","c":[["https://a","https://b"]]}"#);
}

#[test]
fn a_value_is_never_an_expression() {
    let variables = with(serde_json::json!({ "X": "${{ secrets.smtp }}", "Y": ["${{ x }}"] }));
    for text in ["a: ##X##", "a: \"##X##\"", "a: @@X@@", "a: x ##X##"] {
        let value = run(Format::Yaml, text, &variables).unwrap().value;
        assert!(value.get("a").unwrap().as_str().unwrap().ends_with("${{ secrets.smtp }}"), "{text}");
    }
    assert!(run(Format::Yaml, "a: @@Y@@", &variables).is_ok());
}

#[test]
fn errors_point_into_the_expression() {
    let text =
        "a: é ${{ vars.brnad }}\nb: ${{ lowr vars.brand }}\nc: ${{ vars.support }}\nd: ${{ lower vars.brand\ne: 1";
    let whole = |text: &str| shown(&run(Format::Yaml, text, &variables()).unwrap_err());
    let all = [
        whole(text),
        whole(
            "a: é ${{ vars.brnad }}\nb: ${{ lowr vars.brand }}\nc: ${{ vars.support }}\nd: \"${{ brand }} ${{ vars.smtp }}\"",
        ),
        whole("a: ${{ lower }}\nb: ${{ }}\nc: ${{ #if vars.x }}\nd: ${{ lower vars.brand x=1 }}\ne: ${{ lower ( }}"),
        whole(
            "a: ${{ lower vars.urls }}\nb: x ${{ vars.urls }}\nc: ${{ vars.o.j }}\nd: ${{ env.NOPE }}\ne: ${{ this }}",
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r###"
[expression-syntax]: an expression has no `}}`
  t.yaml:4:4 it starts here, and has to end on this line
  help: write `${{ concat "$" "{{" }}` if these characters were meant

[unset-variable]: `vars.brnad` has no value
  t.yaml:1:10 
  help: did you mean `vars.brand`?
  help: set it under `variables`, or with `--var brnad=VALUE`
[unknown-helper]: there is no helper `lowr`
  t.yaml:2:8 
  help: did you mean `lower`?
  help: the helpers are `concat`, `default`, `join`, `json`, `lower`, `replace`, `split`, `trim`, `upper`
[unset-variable]: `vars.support` has no value
  t.yaml:3:8 
  note: `dev` sets it
  help: set it under `variables`, or with `--var support=VALUE`
[expression-syntax]: `brand` is neither a variable, a secret nor a helper with values
  t.yaml:4:9 
  help: names start with `vars.`, `secrets.` or `env.`
  help: did you mean `vars.brand`?
[unset-variable]: `vars.smtp` has no value
  t.yaml:4:22 
  help: `smtp` is a secret: write `secrets.smtp`
  help: set it under `variables`, or with `--var smtp=VALUE`

[expression-syntax]: `lower` is neither a variable, a secret nor a helper with values
  t.yaml:1:8 
  help: names start with `vars.`, `secrets.` or `env.`
[expression-syntax]: an expression is empty
  t.yaml:2:4 
  help: write a name such as `vars.brand`, or a helper with its values: `lower vars.brand`
[expression-syntax]: an expression is one value: blocks, partials and comments have no place here
  t.yaml:3:8 
  help: write a name such as `vars.brand`, or a helper with its values: `lower vars.brand`
[expression-syntax]: helpers take no `name=value`
  t.yaml:4:4 
[expression-syntax]: an expression cannot be read
  t.yaml:5:4 
  help: write a name such as `vars.brand`, or a helper with its values: `lower vars.brand`

[expression-type]: `lower` takes one text
  t.yaml:1:8 
[expression-type]: a list or an object stands inside a longer text
  t.yaml:2:6 
  help: use `join` or `json` to make text of it, or let the expression stand alone
[unset-variable]: `vars.o.j` has no value: `j` is not there
  t.yaml:3:8 
  help: did you mean `k`?
[unset-variable]: the environment variable `NOPE` is not set
  t.yaml:4:8 
  help: set it before the run: `export NOPE=VALUE`
[expression-syntax]: `this` is neither a variable, a secret nor a helper with values
  t.yaml:5:8 
  help: names start with `vars.`, `secrets.` or `env.`
"###);
}

#[test]
fn secrets_taint_whatever_they_go_into() {
    for (expression, text) in [
        ("secrets.smtp", "hunter2"),
        ("upper secrets.smtp", "HUNTER2"),
        ("concat 'x' (trim secrets.smtp)", "xhunter2"),
        ("json secrets.smtp", "\"hunter2\""),
        ("default vars.missing secrets.smtp", "hunter2"),
        ("concat vars.urls secrets.smtp", r#"["https://a","https://b","hunter2"]"#),
    ] {
        match eval(expression).unwrap() {
            Value::Secret(secret) => {
                assert_eq!((secret.expose(), secret.source()), (text, "secrets.smtp"), "{expression}");
            }
            other => panic!("{expression}: {other:?}"),
        }
    }
    assert_eq!(eval("default vars.brand secrets.smtp"), Ok("Travel0".into()));
    for text in
        ["a: x ${{ secrets.smtp }}", "a: ##smtp##", "a: \"p ##smtp##\"", "a: '@@smtp@@'", "a: |\n  x ##smtp##\n"]
    {
        let rendered = run(Format::Yaml, text, &variables()).unwrap();
        assert!(matches!(rendered.value.get("a"), Some(Value::Secret(_))), "{text}");
        assert!(!format!("{rendered:?}").contains("hunter2"), "{text}");
    }
    let value = run(Format::Yaml, "a: \"##PEM##\"\nb: '##PEM##'\nc: ##PEM##", &variables()).unwrap().value;
    assert_eq!(value.to_json().unwrap(), serde_json::json!({ "a": "a\nb", "b": "a\\nb", "c": "a\\nb" }));
    assert_eq!(run(Format::Yaml, "##smtp##: 1", &variables()).unwrap_err()[0].id, "secret-in-key");
    assert_eq!(run(Format::Yaml, "x${{ secrets.gone }}: 1", &variables()).unwrap_err()[0].id, "secret-in-key");
}

#[test]
fn a_secret_nobody_has_is_unresolved() {
    for text in [
        "a: ${{ secrets.gone }}",
        "a: x ${{ upper secrets.gone }}",
        "a: ##gone##",
        "a: \"x @@gone@@\"",
        "a: ${{ default secrets.gone 'x' }}",
    ] {
        match run(Format::Yaml, text, &variables()).unwrap().value.get("a") {
            Some(Value::Unresolved(unresolved)) => assert_eq!(unresolved.source, "secrets.gone", "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(eval("secrets.undeclared"), Ok(Value::Unresolved(_))));
}

#[test]
fn side_files_are_filled_as_they_are() {
    let variables = variables();
    let fill = |text: &str, leniency| fill_text("code.js", text.as_bytes(), &variables, leniency);
    let (value, problems) = fill(
        "const u = @@urls@@, b = '@@brand@@', n = \"@@n@@\"; // ##brand## ${{ vars.n }} ##urls##",
        Leniency::Strict,
    );
    assert_eq!(problems, []);
    assert_eq!(
        value.as_str(),
        Some(
            r#"const u = ["https://a","https://b"], b = "Travel0", n = 5; // Travel0 ${{ vars.n }} https://a,https://b"#
        )
    );
    let (value, problems) = fill("a('@@password@@')\n##NOPE##\n## x ##\n@@config@@", Leniency::MarkersPass);
    assert_eq!(value.as_str(), Some("a('@@password@@')\n##NOPE##\n## x ##\n@@config@@"));
    insta::assert_snapshot!(shown(&problems), @r###"
[unset-variable]: `##NOPE##` has no value
  code.js:2:1 `NOPE` is not set
  note: it stays in the file as it is
  help: set it under `variables`, or with `--var NOPE=VALUE`
"###);
    assert!(!problems[0].is_error());
    assert!(fill("##NOPE##", Leniency::Strict).1[0].is_error());
    assert!(matches!(fill("x ##smtp## y", Leniency::Strict).0, Value::Secret(s) if s.expose() == "x hunter2 y"));
    assert!(matches!(fill("'@@smtp@@'", Leniency::Strict).0, Value::Secret(s) if s.expose() == "\"hunter2\""));
    assert!(matches!(fill("x ##gone## y", Leniency::Strict).0, Value::Unresolved(_)));
    assert_eq!(fill("", Leniency::Strict), (Value::String(String::new()), vec![]));
    assert_eq!(fill_text("f", b"\xff", &variables, Leniency::Strict).1[0].id, "not-utf8");
    assert_eq!(fill_text("f", b"a\0", &variables, Leniency::Strict).1[0].id, "control-character");
}
