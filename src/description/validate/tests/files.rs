//! Side files.

use serde_json::json;

use super::*;
use crate::description::layout::FileState;

#[test]
fn side_files_are_joined() {
    let mut case = case(&[
        ("actions/A.json", r#"{"name": "A", "code": "./actions/A/code.js", "note": "n.txt"}"#),
        ("actions/A/code.js", "const x = '##X##';"),
        ("actions/n.txt", "  trimmed \n"),
        ("actions/B.json", r#"{"name": "B"}"#),
        ("actions/B/code.js", "b"),
        ("actions/C.json", r#"{"name": "C", "code": "old-export/actions/C/code.js"}"#),
        ("actions/C/code.js", "c"),
        ("actions/D.json", r#"{"name": "D", "code": "nowhere.js"}"#),
        ("actions/D/code.js", "d"),
        ("clients/a.json", r#"{"name": "a", "page": "<b>text</b>", "options": {"scripts": {"login": "./login.js"}}}"#),
        ("clients/login.js", "login"),
        ("clients/b.json", r#"{"name": "b", "page": "b.html", "scripts": {"login": "login.js"}}"#),
        ("clients/b.html", "page b"),
    ]);
    case.variables.values.insert("X".to_owned(), json!("y"));
    let outcome = case.run();
    let errors: Vec<_> = outcome.problems.iter().filter(|p| p.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let values: Vec<_> =
        outcome.desired.kinds.values().flat_map(|kind| &kind.resources).map(|r| r.value.redacted()).collect();
    assert_eq!(
        values,
        [
            json!({"name": "A", "code": "const x = 'y';", "note": "trimmed"}),
            json!({"name": "B", "code": "b"}),
            json!({"name": "C", "code": "c"}),
            json!({"name": "D", "code": "d"}),
            json!({"name": "a", "page": "<b>text</b>", "options": {"scripts": {"login": "login"}}}),
            json!({"name": "b", "page": "page b", "options": {"scripts": {"login": "login"}}}),
        ]
    );
    let code = outcome.desired.kinds["actions"].resources[0].loci.at(&Path::root().key("code")).unwrap();
    assert_eq!(code.to_string(), "actions/A/code.js:1:1");
    assert!(outcome.files.contains("actions/C/code.js") && outcome.sources.get("clients/b.html").is_some());
}

#[test]
fn missing_side_files_are_errors() {
    let files = [
        (
            "tenant.yaml",
            "actions:\n- {name: A, code: ./actions/a/cod.js, note: inline}\n- {name: B, code: ../b.js}\nclients:\n- {name: a, page: none.html, options: {scripts: {login: none.js}}}\n",
        ),
        ("actions/a/code.js", ""),
    ];
    insta::assert_snapshot!(case(&files).problems(), @"
    error[missing-file]: actions/a/cod.js is missing
      --> tenant.yaml:2:19
      help: did you mean `code.js`?
    error[outside-folder]: ../b.js lies outside the description's folder
      --> tenant.yaml:3:19
      help: move the file into the folder, or let `description` name a folder that holds both
    error[missing-file]: none.js is missing
      --> tenant.yaml:5:57
      help: add the file, or correct the path
    ");
    let outcome = case(&files).compatible().run();
    assert_eq!(outcome.wanted, BTreeSet::from(["../b.js".to_owned()]), "auth0-deploy-cli reads outside its folder");
    let mut with = case(&files).compatible();
    with.files.insert("../b.js", FileState::Read(std::sync::Arc::from(&b"b"[..])));
    let outcome = with.run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[missing-file]: actions/a/cod.js is missing
      --> tenant.yaml:2:19
      help: did you mean `code.js`?
    warning[outside-folder]: ../b.js lies outside the description's folder
      --> tenant.yaml:3:19
    error[missing-file]: none.js is missing
      --> tenant.yaml:5:57
      help: add the file, or correct the path
    ");
    assert_eq!(outcome.desired.kinds["actions"].resources[1].value.redacted(), json!({"name": "B", "code": "b"}));
}
