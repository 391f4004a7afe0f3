//! The single file, side files, and what one file says several times.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;

use super::tests::*;
use super::*;

const SINGLE: &str = "x-defaults: &d
  - 1
roles:
  - name: Admin # all
    description: Does it all
    permissions:
      - {permission_name: 'read:a', resource_server_identifier: api}
  # reads
  - name: Reader
    description: >
      Only
      reads
    permissions: []
actions:
  - name: Greet
    supported_triggers: [{id: post-login, version: v3}]
    code: ./actions/greet.js
clients:
  - name: A
    description: a
";

fn single() -> Case {
    let text = SINGLE.replace("x-defaults: &d\n  - 1\n", "");
    case([("tenant.yaml", text.as_str()), ("actions/greet.js", "exports.x = 1;\r\nexports.y = 2;\r\n")])
}

#[test]
fn the_single_file() {
    let case = single();
    let edited = case.check(
        &[
            gone("roles/Reader", ""),
            change("roles/Admin", "description", json!("Does\nit\n")),
            change("actions/Greet", "code", json!("exports.z = 3;")),
            gone("clients/A", ""),
        ],
        EditOptions::default(),
    );
    let now = text(&edited, "tenant.yaml");
    assert!(now.contains("- name: Admin # all\n    description: |\n      Does\n      it\n"), "{now}");
    assert!(!now.contains("Reader") && now.contains("# reads") && now.ends_with("clients: []\n"), "{now}");
    assert_eq!(text(&edited, "actions/greet.js"), "exports.z = 3;\r\n");
    assert_eq!(edited.removed_files, Vec::<String>::new());
    let edited = case.check(&[gone("actions/Greet", "")], EditOptions::default());
    assert_eq!(edited.removed_files, ["actions/greet.js"]);
    let edited = case.edit(&[gone("clients/Nobody", ""), change("nothing/X", "a", json!(1))], EditOptions::default());
    assert_eq!(edited.left.len(), 2);
}

#[test]
fn texts_in_files_of_their_own() {
    let files = [
        (
            "actions/greet.json",
            "{\n  \"name\": \"Greet\",\n  \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}],\n  \"code\": \"./actions/greet/code.js\"\n}\n",
        ),
        ("actions/greet/code.js", "const url = '##URL##';\n"),
        (
            "database-connections/Users/database.json",
            "{\"name\": \"Users\", \"strategy\": \"auth0\", \"options\": {\"customScripts\": {\"login\": \"./login.js\"}}}",
        ),
        ("database-connections/Users/login.js", "function login() {}"),
    ];
    let case = case(files).with("URL", json!("u"));
    let code = change("actions/Greet", "code", json!("const url = 'v';"));
    let login = change("databases/Users", "options.customScripts.login", json!("function login() { return 1; }\n"));
    let edited = case.edit(&[code.clone(), login.clone()], EditOptions::default());
    assert_eq!(whys(&edited), [("actions/Greet code".to_owned(), Why::Marker(vec!["##URL##".to_owned()]))]);
    assert_eq!(text(&edited, "database-connections/Users/login.js"), "function login() { return 1; }");
    let edited = case.edit(&[code], REPLACE);
    assert_eq!(text(&edited, "actions/greet/code.js"), "const url = 'v';\n");
    let edited = case.edit(&[change("databases/Users", "options.customScripts.login", json!("a ##URL## b"))], REPLACE);
    assert_eq!(edited.left[0].2, Why::Unwritable);
    let edited = case.edit(&[gone("databases/Users", "")], EditOptions::default());
    assert_eq!(
        edited.removed_files,
        ["database-connections/Users/database.json", "database-connections/Users/login.js"]
    );
    let edited =
        case.edit(&[change("databases/Users", "options.customScripts.create", json!("x"))], EditOptions::default());
    assert_eq!(edited.left[0].2, Why::NoPlace);
}

#[test]
fn aliases_between_resources() {
    let file = "clients:\n  - &base\n    name: A\n    jwt_configuration: &jwt {alg: RS256, lifetime_in_seconds: 60}\n    callbacks: &cb [x]\n  - name: B\n    jwt_configuration: *jwt\n    callbacks: *cb\n  - <<: *base\n    name: C\n";
    let case = case([("tenant.yaml", file)]);
    let edited = case.check(
        &[
            change("clients/B", "jwt_configuration.lifetime_in_seconds", json!(5)),
            change("clients/C", "jwt_configuration.lifetime_in_seconds", json!(6)),
            change("clients/B", "callbacks[y]", json!("y")),
            change("clients/A", "callbacks[y]", json!("y")),
        ],
        EditOptions::default(),
    );
    assert_eq!(whys(&edited), [("clients/A callbacks[y]".to_owned(), Why::Shared)]);
    let now = text(&edited, "tenant.yaml");
    assert!(now.contains("    jwt_configuration: {<<: *jwt, lifetime_in_seconds: 5}\n"), "{now}");
    assert!(
        now.contains(
            "- <<: *base\n    name: C\n    jwt_configuration:\n      alg: RS256\n      lifetime_in_seconds: 6\n"
        ),
        "{now}"
    );
}

#[test]
fn both_spellings_of_a_field_change() {
    let case =
        case([("clients/a.yaml", "name: A\ncross_origin_auth: true # old\ncross_origin_authentication: true\n")]);
    let edited =
        case.check(&[change("clients/A", "cross_origin_authentication", json!(false))], EditOptions::default());
    let expected = "name: A\ncross_origin_auth: false # old\ncross_origin_authentication: false\n";
    assert_eq!(text(&edited, "clients/a.yaml"), expected);
}

#[test]
fn keyed_lists_and_maps() {
    let file = "name: API\nidentifier: https://api\nscopes:\n  - value: read:a # r\n    description: Reads\n  - {value: 'write:a', description: W}\n";
    let case = case([
        ("resource-servers/api.yaml", file),
        ("clients/a.json", "{\"name\": \"A\", \"client_metadata\": {\"x\": \"1\", \"y\": \"2\"}}\n"),
    ]);
    let edited = case.check(
        &[
            change("resourceServers/https:%2F%2Fapi", "scopes[read:a].description", json!("Reads it")),
            gone("resourceServers/https:%2F%2Fapi", "scopes[write:a]"),
            change("resourceServers/https:%2F%2Fapi", "scopes[new:a]", json!({"value": "new:a", "description": "New"})),
            change("clients/A", "client_metadata.z", json!("3")),
            gone("clients/A", "client_metadata.x"),
        ],
        EditOptions::default(),
    );
    assert_eq!(edited.left, []);
    assert_eq!(
        text(&edited, "resource-servers/api.yaml"),
        "name: API\nidentifier: https://api\nscopes:\n  - value: read:a # r\n    description: Reads it\n  - value: new:a\n    description: New\n"
    );
    assert_eq!(
        text(&edited, "clients/a.json"),
        "{\"name\": \"A\", \"client_metadata\": {\"y\": \"2\", \"z\": \"3\"}}\n"
    );
}
