//! Single values: unknown, wrong, secret, server-set, spelled in an older way.

use serde_json::json;

use super::*;
use crate::description::SecretState;
use crate::model::Secret;

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
fn markers_without_a_value_are_errors_and_the_rest_is_checked() {
    let text = "clients:\n- name: '##NAME##'\n- name: b\n  lifetime: x\n";
    let outcome = yaml(text).run();
    let ids: Vec<_> = outcome.problems.iter().map(|p| p.id).collect();
    assert_eq!(ids, ["unset-variable", "wrong-type"]);
}

#[test]
fn a_null_that_auth0_does_not_take_is_as_if_left_out() {
    let outcome = yaml("apis:\n- identifier: a\n  order: null\n  look: {logo: null}\n").run();
    insta::assert_snapshot!(texts(&outcome.problems), @"
    note[null-ignored]: `order` of `apis` is null, which Auth0 does not take: it is as if left out
      --> tenant.yaml:3:3
      help: remove it
    ");
    assert_eq!(
        value(&outcome, "apis"),
        json!({"identifier": "a", "look": {"logo": null}}),
        "what is written whole loses it"
    );
}
