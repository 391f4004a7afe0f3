#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use indexmap::IndexMap;
use serde_json::json;

use super::*;
use crate::description::SecretState;
use crate::description::layout::{FileState, LayoutOptions, read_layout, test_texts as texts};
use crate::model::{AddressPattern, Secret};

const CLIENTS: &str = r#"
type: object
additionalProperties: false
required: [name]
x-tenantry: {identity: [name], unique: false, id: client_id, limit: 3, directory: {folder: clients, file: "{name}"}}
properties:
  name: {type: string, minLength: 1, pattern: '^[^<>]+$'}
  client_id: {type: string, readOnly: true}
  tenant: {type: string, readOnly: true}
  app_type: {type: string, enum: [spa, native, regular_web]}
  callbacks: {type: [array, 'null'], items: {type: string}, x-set: true, maxItems: 2}
  lifetime: {type: integer, minimum: 1, maximum: 100}
  secret: {type: string, x-secret: true, minLength: 8, enum: [aaaaaaaa]}
  sso: {type: boolean, x-skip: true}
  cross_origin_auth: {type: boolean, x-alias: cross_origin_authentication}
  cross_origin_authentication: {type: boolean}
  old: {type: boolean, deprecated: true}
  methods: {type: object, maxProperties: 1, additionalProperties: {type: object}}
  not_here: false
  page: {type: string, x-file: {directory: kind, single: clients, optional: true, default_directory: '{name}_page.html'}}
  options:
    type: object
    additionalProperties: false
    properties:
      a: {type: integer}
      scripts:
        type: object
        additionalProperties: false
        properties:
          login: {type: string, x-file: {directory: file, single: root, missing: error, default_directory: 'x/{name}/login.js'}}
  scripts: {type: object, x-alias: options.scripts}
not: {required: [lifetime, app_type]}
"#;

const GRANTS: &str = r#"
type: object
additionalProperties: false
oneOf: [{required: [client_id]}, {required: [default_for]}]
x-tenantry: {identity: [client_id, default_for, audience, subject_type], id: id, directory: {folder: grants, file: "{client_id}"}}
properties:
  id: {type: string, readOnly: true}
  client_id: {type: string, x-ref: clients}
  default_for: {type: string}
  audience: {type: string, x-literal-ref: apis}
  subject_type: {type: string, default: client}
"#;

const APIS: &str = r#"
type: object
additionalProperties: true
required: [identifier]
x-tenantry: {identity: [identifier], id: id, directory: {folder: apis, file: "{name}"}}
properties:
  identifier: {type: string}
"#;

const ACTIONS: &str = r#"
type: object
additionalProperties: false
x-tenantry: {identity: [name], id: id, directory: {folder: actions, file: "{name}"}}
properties:
  name: {type: string}
  code: {type: string, x-file: {directory: root, single: root, missing: warn, or_default: true, default_directory: 'actions/{name}/code.js'}}
  note: {type: string, x-file: {directory: kind, single: inline, missing: empty, trim: true}}
"#;

struct Case {
    files: Tree,
    variables: Variables,
    filters: Filters,
    compatibility: bool,
    lenient: bool,
}

fn case(files: &[(&str, &str)]) -> Case {
    Case {
        files: Tree::of(files.iter().copied()),
        variables: Variables::default(),
        filters: Filters::default(),
        compatibility: false,
        lenient: false,
    }
}

fn yaml(text: &str) -> Case {
    case(&[("tenant.yaml", text)])
}

impl Case {
    fn compatible(mut self) -> Self {
        self.compatibility = true;
        self
    }

    fn run(&self) -> DescribeOutcome {
        let registry =
            Registry::of(&[("actions", ACTIONS), ("apis", APIS), ("clientGrants", GRANTS), ("clients", CLIENTS)]);
        let layout = read_layout(
            &self.files,
            &LayoutOptions {
                registry: &registry,
                names: &self.variables.known_names(),
                filters: &self.filters,
                compatibility: self.compatibility,
                single: None,
                connections_directory: None,
            },
        );
        assert_eq!(texts(&layout.problems), "", "the layout is not the subject of these tests");
        let options = DescribeOptions {
            registry: &registry,
            variables: &self.variables,
            filters: &self.filters,
            compatibility: self.compatibility,
            lenient: self.lenient,
        };
        describe(&layout.description, &self.files, &options)
    }

    fn problems(&self) -> String {
        texts(&self.run().problems)
    }
}

fn addresses(outcome: &DescribeOutcome) -> Vec<String> {
    outcome.desired.kinds.values().flat_map(|kind| &kind.resources).map(|r| r.address.to_string()).collect()
}

fn value(outcome: &DescribeOutcome, kind: &str) -> serde_json::Value {
    outcome.desired.kinds[kind].resources[0].value.redacted()
}

#[test]
fn a_resource_has_an_address_an_id_and_places() {
    let outcome = yaml("clients:\n  - name: a\n    client_id: abc\n    lifetime: 5\n").run();
    assert_eq!(texts(&outcome.problems), "");
    let client = &outcome.desired.kinds["clients"].resources[0];
    assert_eq!((client.address.to_string().as_str(), client.id.as_deref()), ("clients/a", Some("abc")));
    assert_eq!(client.value.redacted(), json!({"name": "a", "lifetime": 5}));
    assert_eq!(client.loci.at(&Path::root().key("lifetime")).unwrap().to_string(), "tenant.yaml:4:15");
}

#[test]
fn members_equal_to_their_default_are_no_part_of_an_address() {
    let text = "clientGrants:\n- {client_id: a, audience: x, subject_type: client}\n- {client_id: a, audience: x, subject_type: user}\n- {default_for: all, audience: x}\n";
    assert_eq!(
        addresses(&yaml(text).run()),
        ["clientGrants/a → x", "clientGrants/a → x → user", "clientGrants/all → x"]
    );
}

#[test]
fn unknown_fields_are_errors_or_pass() {
    let text = "clients:\n- name: a\n  callback: [x]\n  options: {b: 1}\n  zebra: 1\n";
    insta::assert_snapshot!(yaml(text).problems(), @"
    error[unknown-field]: `callback` is not a field of `clients`
      --> tenant.yaml:3:3
      help: did you mean `callbacks`?
    error[unknown-field]: `options.b` is not a field of `clients`
      --> tenant.yaml:4:13
      help: did you mean `a`?
    error[unknown-field]: `zebra` is not a field of `clients`
      --> tenant.yaml:5:3
      help: remove it, or pass it on with --lenient
    ");
    let outcome = yaml(text).compatible().run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[unknown-field]: `callback` is not a field of `clients`
      --> tenant.yaml:3:3
      note: it is passed on as it is
      help: did you mean `callbacks`?
    warning[unknown-field]: `options.b` is not a field of `clients`
      --> tenant.yaml:4:13
      note: it is passed on as it is
      help: did you mean `a`?
    warning[unknown-field]: `zebra` is not a field of `clients`
      --> tenant.yaml:5:3
      note: it is passed on as it is
    ");
    assert_eq!(value(&outcome, "clients"), json!({"name": "a", "callback": ["x"], "options": {"b": 1}, "zebra": 1}));
    let mut lenient = yaml(text);
    lenient.lenient = true;
    assert!(!has_errors(&lenient.run().problems));
    assert_eq!(
        texts(&yaml("apis: [{identifier: x, anything: 1}]").run().problems),
        "",
        "an open record takes anything"
    );
}

#[test]
fn wrong_values_are_named_in_our_words() {
    let text = "clients:\n- name: a<b\n  app_type: spaa\n- name: b\n  lifetime: 0\n  callbacks: [1, x, y]\n  methods: {a: {}, b: {}}\n- name: ''\n  lifetime: ten\n  options: []\n  not_here: 1\n- name: d\n  lifetime: 1\n  app_type: spa\n- lifetime: 1\n";
    insta::assert_snapshot!(yaml(text).problems(), @"
    error[invalid-value]: `name` of `clients` has characters or a form that Auth0 refuses
      --> tenant.yaml:2:9
      note: it matches ^[^<>]+$
    error[invalid-value]: `app_type` of `clients` takes `spa`, `native` or `regular_web`, not `spaa`
      --> tenant.yaml:3:13
      help: did you mean `spa`?
    error[invalid-value]: `lifetime` of `clients` is at least 1
      --> tenant.yaml:5:13
    error[invalid-value]: `callbacks` of `clients` has at most 2 items
      --> tenant.yaml:6:14
    error[wrong-type]: `callbacks[0]` of `clients` takes text, not a number
      --> tenant.yaml:6:15
    error[invalid-value]: `methods` of `clients` has at most 1 member
      --> tenant.yaml:7:12
    error[invalid-value]: `name` of `clients` has characters or a form that Auth0 refuses
      --> tenant.yaml:8:9
      note: it matches ^[^<>]+$
    error[invalid-value]: `name` of `clients` is empty
      --> tenant.yaml:8:9
    error[wrong-type]: `lifetime` of `clients` takes a whole number, not text
      --> tenant.yaml:9:13
    error[wrong-type]: `options` of `clients` takes an object, not a list
      --> tenant.yaml:10:12
    error[invalid-value]: `not_here` of `clients` cannot be given here
      --> tenant.yaml:11:13
    error[invalid-value]: `lifetime` and `app_type` of `clients` exclude each other
      --> tenant.yaml:12:3
    note[over-limit]: 4 `clients` are described, Auth0 allows 3
      --> tenant.yaml:12:3
    error[missing-field]: `name` of `clients` is missing
      --> tenant.yaml:15:3
    ");
    insta::assert_snapshot!(yaml("clientGrants:\n- {audience: x}\n- {client_id: a, default_for: b, audience: x}\n- x\n").problems(), @"
    error[invalid-value]: one of `client_id`, `default_for` of `clientGrants` is needed
      --> tenant.yaml:2:3
    note[reference-not-described]: `apis` `x` is not in these files
      --> tenant.yaml:2:14
      --> tenant.yaml:3:44
      note: a plan looks for it in the tenant
    error[invalid-value]: only one of `client_id`, `default_for` of `clientGrants` can be given
      --> tenant.yaml:3:3
    note[reference-not-described]: `clients` `a` is not in these files
      --> tenant.yaml:3:15
      note: a plan looks for it in the tenant
    error[wrong-type]: each of `clientGrants` is an object
      --> tenant.yaml:4:3
    ");
}

#[test]
fn a_secret_is_never_repeated() {
    let text = "clients:\n- name: a\n  secret: hunter2-hunter2\n- name: b\n  secret: ${{ secrets.x }}\n- name: c\n  secret: ${{ secrets.y }}\n  lifetime: ${{ secrets.y }}\n";
    let mut case = yaml(text);
    case.variables.secrets.insert("x".to_owned(), SecretState::Known(Secret::new("short", "secrets.x")));
    let problems = case.problems();
    insta::assert_snapshot!(problems, @"
    error[invalid-value]: `secret` of `clients` takes `aaaaaaaa`
      note: it stands at tenant.yaml:3:11
    ");
    assert!(!problems.contains("hunter2"));
}

#[test]
fn what_auth0_sets_is_ignored_with_one_warning() {
    let rows: String =
        ["a", "b", "c", "d"].map(|n| format!("- {{name: {n}, tenant: t, sso: true, old: true}}\n")).concat();
    let outcome = yaml(&format!("clients:\n{rows}")).run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[server-set]: `tenant` of `clients` is set by Auth0 and ignored here
      --> tenant.yaml:2:13
      --> tenant.yaml:3:13
      --> tenant.yaml:4:13
      note: and in one more place
      help: remove it
    note[deprecated-field]: `old` of `clients` is deprecated by Auth0
      --> tenant.yaml:2:35
      --> tenant.yaml:3:35
      --> tenant.yaml:4:35
      note: and in one more place
    note[over-limit]: 4 `clients` are described, Auth0 allows 3
      --> tenant.yaml:5:3
    ");
    assert_eq!(value(&outcome, "clients"), json!({"name": "a", "old": true}));
}

#[test]
fn older_spellings_are_taken() {
    let outcome = yaml("clients:\n- name: a\n  cross_origin_auth: true\n").run();
    assert_eq!(value(&outcome, "clients"), json!({"name": "a", "cross_origin_authentication": true}));
    let client = &outcome.desired.kinds["clients"].resources[0];
    let path = Path::root().key("cross_origin_authentication");
    assert_eq!(client.loci.at(&path).unwrap().line, 3);
    let both = |new: bool| {
        yaml(&format!("clients:\n- {{name: a, cross_origin_auth: true, cross_origin_authentication: {new}}}\n"))
    };
    assert!(!has_errors(&both(true).run().problems));
    insta::assert_snapshot!(both(false).problems(), @"
    error[duplicate-field]: `cross_origin_auth` of `clients` and `cross_origin_authentication` of `clients` are the same
      --> tenant.yaml:2:13
      help: keep `cross_origin_authentication`
    note[deprecated-field]: `cross_origin_auth` of `clients` is an older spelling
      --> tenant.yaml:2:13
      help: write `cross_origin_authentication`
    ");
}

#[test]
fn names_that_repeat_need_ids() {
    insta::assert_snapshot!(yaml("clients:\n- name: a\n- name: b\n- name: a\n").problems(), @"
    error[duplicate-name]: `clients/a` is described twice
      --> tenant.yaml:4:9 again here
      --> tenant.yaml:2:9 first here
      help: rename or remove one of them, or give each its id
    ");
    let outcome = yaml("clients:\n- {name: a, client_id: x}\n- {name: a, client_id: y}\n").run();
    assert_eq!(addresses(&outcome), ["clients/a#x", "clients/a#y"]);
    assert!(has_errors(&yaml("clients:\n- {name: a, client_id: x}\n- {name: a, client_id: x}\n").run().problems));
}

#[test]
fn open_references_are_notes() {
    let text = "clients: [{name: My App, client_id: abc}]\nclientGrants:\n- {client_id: My Ap, audience: urn:x}\n- {client_id: My App, audience: urn:y}\n- {client_id: abc, audience: urn:y}\n";
    let outcome = yaml(text).run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    note[reference-not-described]: `clients` `My Ap` is not in these files
      --> tenant.yaml:3:15
      note: a plan looks for it in the tenant
      help: did you mean `My App`?
    note[reference-not-described]: `apis` `urn:x` is not in these files
      --> tenant.yaml:3:32
      note: a plan looks for it in the tenant
    note[reference-not-described]: `apis` `urn:y` is not in these files
      --> tenant.yaml:4:33
      --> tenant.yaml:5:30
      note: a plan looks for it in the tenant
    ");
    let open: Vec<_> = outcome.references.iter().map(|open| (open.name.as_str(), open.literal)).collect();
    assert_eq!(open, [("My Ap", false), ("urn:x", true), ("urn:y", true), ("urn:y", true)]);
    assert_eq!(outcome.references[0].suggestion.as_deref(), Some("My App"));
    assert_eq!(outcome.references[0].address.to_string(), "clientGrants/My Ap → urn:x");
}

#[test]
fn exclusion_follows_references() {
    let text = "clients: [{name: a}, {name: b}]\nclientGrants:\n- {client_id: a, audience: x}\n- {client_id: b, audience: x}\n";
    let mut case = yaml(text);
    case.filters.exclude.push(AddressPattern::new("clients/a").unwrap());
    let outcome = case.run();
    assert_eq!(addresses(&outcome), ["clients/b", "clientGrants/b → x"]);
    assert_eq!(outcome.left_alone.len(), 2);
    let mut case = yaml(&format!("exclude: {{clients: [b]}}\n{text}"));
    case.filters.excluded_names = IndexMap::from([("clients".to_owned(), vec!["a".to_owned()])]);
    assert_eq!(addresses(&case.run()), ["clients/a", "clientGrants/a → x"], "the file's list replaces the option's");
}

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

#[test]
fn markers_without_a_value_are_errors_and_the_rest_is_checked() {
    let text = "clients:\n- name: '##NAME##'\n- name: b\n  lifetime: x\n";
    let outcome = yaml(text).run();
    let ids: Vec<_> = outcome.problems.iter().map(|p| p.id).collect();
    assert_eq!(ids, ["unset-variable", "wrong-type"]);
}

#[test]
fn too_many_are_warned_about() {
    let outcome = yaml("clients: [{name: a}, {name: b}, {name: c}, {name: d}]").run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    note[over-limit]: 4 `clients` are described, Auth0 allows 3
      --> tenant.yaml:1:44
    ");
}

const CONNECTIONS: &str = r#"
type: object
additionalProperties: false
x-tenantry:
  identity: [name]
  shares: databases
  elsewhere: {page: pages/login}
  directory: {folder: connections, file: "{name}"}
  parts:
    - at: scim
      only: {strategy: [samlp]}
      get: {path: "/x"}
      update: {method: PATCH, path: "/x"}
properties:
  name: {type: string}
  strategy: {type: string}
  scim: {type: object, additionalProperties: true}
  codes: {type: array, x-limit: 2, items: {type: string, x-limit: 3}}
"#;

const DATABASES: &str = r#"
type: object
additionalProperties: false
x-tenantry: {identity: [name], shares: connections, directory: {folder: databases, file: "{name}"}}
properties:
  name: {type: string}
"#;

const SETTINGS: &str = r#"
type: object
additionalProperties: false
x-tenantry: {shape: single, empty: unmanaged, directory: {path: settings.json}}
properties:
  name: {type: string}
"#;

fn annotated(text: &str) -> DescribeOutcome {
    let registry = Registry::of(&[("connections", CONNECTIONS), ("databases", DATABASES), ("tenant", SETTINGS)]);
    let case = yaml(text);
    let names = case.variables.known_names();
    let layout = read_layout(
        &case.files,
        &LayoutOptions {
            registry: &registry,
            names: &names,
            filters: &case.filters,
            compatibility: true,
            single: None,
            connections_directory: None,
        },
    );
    let options = DescribeOptions {
        registry: &registry,
        variables: &case.variables,
        filters: &case.filters,
        compatibility: true,
        lenient: true,
    };
    describe(&layout.description, &case.files, &options)
}

#[test]
fn rules_over_several_members_and_kinds() {
    let text = "connections:\n- {name: a, strategy: oidc, scim: {x: 1}, page: x}\n- {name: b, strategy: samlp, scim: {x: 1}, codes: [abcd, b, c]}\ndatabases: [{name: b}, {name: c}]\n";
    insta::assert_snapshot!(texts(&annotated(text).problems), @"
    error[invalid-value]: `scim` of `connections` does not exist where `strategy` is `oidc`
      --> tenant.yaml:2:35
      note: it exists for `samlp`
      help: remove it
    error[described-elsewhere]: `page` of `connections` is described elsewhere
      --> tenant.yaml:2:43
      help: describe it as `pages/login`
    note[over-limit]: `codes` of `connections` has 3 items, Auth0 allows 2
      --> tenant.yaml:3:51
      note: a contract may allow more
    note[over-limit]: `codes[0]` of `connections` has 4 bytes, Auth0 allows 3
      --> tenant.yaml:3:52
      note: a contract may allow more
    error[duplicate-name]: `connections/b` and `databases/b` have one name, which both kinds share
      --> tenant.yaml:4:20
      --> tenant.yaml:3:10 first here
      help: rename one of them
    ");
}

#[test]
fn an_empty_object_may_mean_nothing() {
    assert!(annotated("tenant: {}\n").desired.kinds.is_empty());
    assert_eq!(annotated("tenant: {name: x}\n").desired.kinds["tenant"].resources.len(), 1);
}
