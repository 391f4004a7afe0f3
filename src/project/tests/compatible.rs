//! The configuration of auth0-deploy-cli, and the process environment.

use serde_json::json;

use super::*;
use crate::model::Address;

const CONFIG: &str = r###"{
  "AUTH0_DOMAIN": "file.auth0.com",
  "AUTH0_CLIENT_ID": "id",
  "AUTH0_CLIENT_SECRET": "file-secret",
  "AUTH0_ALLOW_DELETE": "true",
  "AUTH0_INPUT_FILE": "tenant.yaml",
  "AUTH0_EXCLUDED_CLIENTS": ["Deployer"],
  "AUTH0_KEYWORD_REPLACE_MAPPINGS": { "ENV": "dev", "BOTH": "file", "LIST": [1] },
  "EXCLUDED_PROPS": { "connections": ["options.client_secret"] }
}"###;

#[test]
fn the_configuration_of_auth0_deploy_cli() {
    let place = place(&[("config.json", CONFIG)]).env("BOTH", "env").env("AUTH0_CLIENT_ID", "env-id");
    let settings = place.settings(&config());
    assert_eq!(settings.mode, Mode::Compatibility);
    assert!(settings.lenient && settings.deletes_everything());
    assert_eq!(settings.description, Some(place.folder.path().join("tenant.yaml")));
    let values: Vec<_> = settings.values.values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let expected =
        [("AUTH0_CLIENT_ID", json!("env-id")), ("BOTH", json!("env")), ("ENV", json!("dev")), ("LIST", json!([1]))];
    assert_eq!(values, expected, "the environment comes first, as in auth0-deploy-cli");
    let CredentialSettings::Secret { client_id, client_secret } = settings.target.unwrap().credentials else {
        panic!("a client secret was expected")
    };
    assert_eq!((client_id.as_str(), client_secret.expose()), ("env-id", "file-secret"));
    assert!(!settings.filters.covers(&Address::new("clients", "Deployer"), &crate::model::Value::object()));
    assert_eq!(settings.export.excluded_props["connections"], ["options.client_secret"]);
    assert_eq!(settings.ledger, LedgerPlace::Folder(place.folder.path().join(".tenantry")));
}

#[test]
fn the_command_line_wins() {
    let place = place(&[("config.json", CONFIG)]).env("AUTH0_INPUT_FILE", "other.yaml");
    let flags =
        Flags { input: Some(PathBuf::from("mine")), variables: vec![("ENV".into(), "mine".into())], ..config() };
    let settings = place.settings(&flags);
    assert_eq!(settings.description, Some(place.folder.path().join("mine")));
    assert_eq!(settings.values.values["ENV"], json!("mine"));
}

#[test]
fn environment_variables_are_decoded_everywhere() {
    let place = place(&[])
        .env("AUTH0_DOMAIN", "x.auth0.com")
        .env("AUTH0_EXCLUDED", r#"["rulesConfigs"]"#)
        .env("EXCLUDED_PROPS", r#"{"clients": ["name"]}"#)
        .env("AUTH0_EXPORT_IDENTIFIERS", "false")
        .env("AUTH0_ALLOW_DELETE", "false")
        .env("AUTH0_KEYWORD_REPLACE_MAPPINGS", r###"{"A": [1]}"###);
    let settings = place.settings(&Flags::default());
    assert!(settings.filters.covers_kind("rules") && !settings.filters.covers_kind("rulesConfigs"));
    assert_eq!(settings.export.excluded_props["clients"], ["name"]);
    assert!(!settings.export.identifiers && !settings.policy.delete.value.allows("themes"), "false is false");
    assert_eq!(settings.values.values.keys().collect::<Vec<_>>(), ["A"], "mappings from the environment stand alone");
    let commas = super::tests::place(&[]).env("AUTH0_DOMAIN", "x").env("AUTH0_INCLUDED_ONLY", "clients, roles");
    let settings = commas.settings(&Flags::default());
    assert!(settings.filters.covers_kind("roles") && !settings.filters.covers_kind("tenant"));
}

#[test]
fn options_that_cannot_be_are_errors() {
    let text = r#"{
  "AUTH0_DOMAIN": ["x"],
  "AUTH0_EXCLUDED": ["rules"],
  "AUTH0_INCLUDED_ONLY": [],
  "AUTH0_INCLUDED_CONNECTIONS": ["a"],
  "AUTH0_EXCLUDED_CONNECTIONS": ["b"],
  "AUTH0_PRESERVE_KEYWORDS": true,
  "AUTH0_DRY_RUN": "maybe",
  "AUTH0_EXPORT_ORDERED": "yes",
  "AUTH0_CLIENT_SIGNING_ALGORITHM": "none",
  "AUTH0_API_MAX_RETRIES": "many",
  "AUTH0_DRY_RUN_INTERACTIVE": true,
  "AUTH0_IGNORE_DRY_RUN_FIELDS": { "clients": ["x"] },
  "EXTENSION_SECRET": "s3cr3t",
  "EXCLUDED_PROPS": { "clients": ["a"] },
  "INCLUDED_PROPS": { "clients": ["a"] },
  "AUTH0_EXCLUDE_CLIENTS": [],
  "SOMETHING_ELSE": 1
}"#;
    let problems = place(&[("config.json", text)]).failure(&config());
    insta::assert_snapshot!(problems, @"
    error[invalid-option]: AUTH0_DOMAIN takes text
      --> config.json:2:3
    error[conflicting-options]: AUTH0_EXCLUDED and AUTH0_INCLUDED_ONLY are both set
      --> config.json:4:3
      help: keep one of the two
    error[conflicting-options]: AUTH0_INCLUDED_ONLY names no kind
      --> config.json:4:3
      help: name kinds, or remove it to manage all
    error[conflicting-options]: AUTH0_INCLUDED_CONNECTIONS and AUTH0_EXCLUDED_CONNECTIONS are both set
      --> config.json:5:3
      help: keep one of the two
    error[conflicting-options]: AUTH0_PRESERVE_KEYWORDS needs AUTH0_KEYWORD_REPLACE_MAPPINGS
      --> config.json:7:3
      help: set the mappings whose markers are to be kept
    error[invalid-option]: AUTH0_DRY_RUN takes true, false or preview
      --> config.json:8:3
    error[invalid-option]: AUTH0_EXPORT_ORDERED takes true or false
      --> config.json:9:3
    error[invalid-option]: AUTH0_CLIENT_SIGNING_ALGORITHM takes RS256, RS384, PS256
      --> config.json:10:3
    error[invalid-option]: AUTH0_API_MAX_RETRIES takes a whole number
      --> config.json:11:3
    error[unsupported-option]: AUTH0_DRY_RUN_INTERACTIVE is not supported: Tenantry has no menu
      --> config.json:12:3
      help: use `tenantry plan`, then `tenantry apply`, which asks before it writes
    error[unsupported-option]: AUTH0_IGNORE_DRY_RUN_FIELDS is not supported: a plan compares by meaning and shows every difference it would write
      --> config.json:13:3
      help: take the field out of the description to leave it alone
    error[unsupported-option]: EXTENSION_SECRET is not supported: it allows deletes by being there
      --> config.json:14:3
      help: set AUTH0_ALLOW_DELETE to true to allow deletes
    error[conflicting-options]: `clients.a` is in both EXCLUDED_PROPS and INCLUDED_PROPS
      --> config.json:16:3
      help: remove it from one of them
    warning[unknown-option]: `AUTH0_EXCLUDE_CLIENTS` is not an option, it is ignored
      --> config.json:17:3
      help: did you mean `AUTH0_EXCLUDED_CLIENTS`?
    ");
    assert!(!problems.contains("s3cr3t"));
}

#[test]
fn what_is_only_odd_is_warned_about() {
    let text =
        r#"{ "AUTH0_DOMAIN": "x", "AUTH0_ALLOW_DELETE": "yes", "AUTH0_EXCLUDED": ["rule"], "AUTH0_CLIENTS": 1 }"#;
    let place = place(&[("config.json", text)]).env("EXTENSION_SECRET", "x");
    insta::assert_snapshot!(place.warnings(&config()), @"
    warning[invalid-option]: AUTH0_ALLOW_DELETE is not exactly `true`: it counts as false
      --> config.json:1:24
      help: write `true` or remove AUTH0_ALLOW_DELETE
    warning[unknown-option]: `AUTH0_CLIENTS` is not an option, it is ignored
      --> config.json:1:81
      help: did you mean `AUTH0_CLIENT_ID`?
    warning[unknown-kind]: `rule` is not a kind
      note: AUTH0_EXCLUDED names it
      help: did you mean `rules`?
    ");
    assert!(!place.settings(&config()).deletes_everything());
}

#[test]
fn a_preview_stays_one() {
    for (value, preview) in [("true", true), ("preview", true), ("false", false), ("", false)] {
        let place = place(&[]).env("AUTH0_DOMAIN", "x").env("AUTH0_DRY_RUN", value);
        assert_eq!(place.settings(&Flags::default()).preview_only, preview, "{value}");
    }
    let both = place(&[]).env("AUTH0_DOMAIN", "x").env("AUTH0_DRY_RUN", "true").env("AUTH0_DRY_RUN_APPLY", "true");
    assert!(!both.settings(&Flags::default()).preview_only);
}

#[test]
fn credentials_may_be_missing_until_they_are_needed() {
    let place = place(&[("config.json", r#"{ "AUTH0_DOMAIN": "x" }"#)]);
    let CredentialSettings::Missing(problem) = place.settings(&config()).target.unwrap().credentials else {
        panic!("nothing was given")
    };
    insta::assert_snapshot!(texts(&[problem]), @"
    error[missing-credentials]: the tenant cannot be reached without AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET or AUTH0_CLIENT_SIGNING_KEY_PATH
      note: AUTH0_ACCESS_TOKEN would do in place of a client and its secret
      help: set them in the environment or in the file given with -c
      help: add --sandbox to try it without a tenant
    ");
    let token =
        super::tests::place(&[]).env("AUTH0_DOMAIN", "x").env("AUTH0_ACCESS_TOKEN", "t").env("AUTH0_CLIENT_ID", "c");
    assert!(matches!(token.settings(&Flags::default()).target.unwrap().credentials, CredentialSettings::Token(_)));
}

#[test]
fn nothing_to_work_on() {
    insta::assert_snapshot!(place(&[]).failure(&Flags::default()), @"
    error[no-project]: there is no tenantry.yaml here, and nothing else says what to work on
      help: run `tenantry init`, or name a project's folder with -C
      help: for an auth0-deploy-cli repository: -c config.json -i PATH
    ");
    insta::assert_snapshot!(place(&[]).failure(&environment("prod")), @"
    error[unknown-environment]: there is no environment `prod`
      note: environments are declared in tenantry.yaml, and there is none here
      help: run `tenantry init` to write one, or leave -e away
    ");
    insta::assert_snapshot!(place(&[]).failure(&config()), @"
    error[missing-file]: config.json is missing
      --> config.json:1:1
    ");
    let both = place(&[("tenantry.yaml", "environments: {a: {domain: x}}"), ("config.json", "{}")]);
    insta::assert_snapshot!(both.failure(&config()), @"
    error[conflicting-options]: -c names a configuration, and there is tenantry.yaml as well
      help: leave -c away to use the project file
      help: or start in a folder outside the project with -C to work as auth0-deploy-cli does
    ");
    let broken = place(&[("config.json", "{'a': 1}")]);
    insta::assert_snapshot!(broken.failure(&config()), @"
    error[json-syntax]: this is not JSON: a key stands in double quotes
      --> config.json:1:2
    ");
}
