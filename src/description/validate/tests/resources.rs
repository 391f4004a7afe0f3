//! Resources among each other: addresses, references, exclusion, limits, rules over kinds.

use serde_json::json;

use super::*;
use crate::model::AddressPattern;

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
