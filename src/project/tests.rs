#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Settings from real files in a temporary folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::description::layout::test_texts as texts;
use crate::model::Address;

struct Place {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

fn place(files: &[(&str, &str)]) -> Place {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    // The search for a project file ends here.
    std::fs::create_dir_all(folder.path().join(".git")).unwrap();
    Place { folder, env: BTreeMap::new() }
}

impl Place {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn around(&self) -> Surroundings {
        Surroundings { directory: self.folder.path().to_owned(), env: self.env.clone() }
    }

    fn load(&self, flags: &Flags) -> Result<Loaded, Failed> {
        load_settings(flags, &self.around())
    }

    fn settings(&self, flags: &Flags) -> Settings {
        match self.load(flags) {
            Ok(loaded) => loaded.settings,
            Err(failed) => panic!("{}", texts(&failed.problems)),
        }
    }

    fn failure(&self, flags: &Flags) -> String {
        match self.load(flags) {
            Ok(_) => panic!("no settings were expected"),
            Err(failed) => texts(&failed.problems),
        }
    }

    fn warnings(&self, flags: &Flags) -> String {
        texts(&self.load(flags).unwrap().warnings)
    }
}

fn project(text: &str) -> Place {
    place(&[("tenantry.yaml", text)])
}

fn environment(name: &str) -> Flags {
    Flags { environment: Some(name.to_owned()), ..Flags::default() }
}

fn config() -> Flags {
    Flags { config: Some(PathBuf::from("config.json")), ..Flags::default() }
}

const WHOLE: &str = r#"
description: tenant
variables: { brand: Travel0, region: eu }
moved:
  - { from: "clients/Shop", to: "clients/Storefront" }
environments:
  sandbox:
    sandbox: {}
  dev:
    domain: https://travel0-dev.eu.auth0.com/
    variables: environments/dev.yaml
    secrets:
      google_secret: { env: GOOGLE_SECRET }
      smtp: { command: [op, read, "op://x/y"] }
      pem: { file: key.pem }
      ring: { keyring: travel0 }
    credentials: { keyring: travel0-dev }
  prod:
    domain: travel0.eu.auth0.com
    variables: { region: us, only_prod: 1 }
    exclude: [rules, "clients/Deployer"]
    fingerprint_key: { env: TENANTRY_FINGERPRINT_KEY }
    credentials: { private_key: keys/prod.pem, client_id: abc }
    policy:
      delete: [roles, clients]
      drift: keep
      max_deletes: 10%
      protect: ["connections/*"]
      approve: [destructive, irreversible]
      freeze: ["Fri 16:00 - Mon 08:00 Europe/Madrid"]
    ledger: git
"#;

fn whole() -> Place {
    place(&[("tenantry.yaml", WHOLE), ("environments/dev.yaml", "region: dev\n")])
}

#[test]
fn a_whole_project_file() {
    let place = whole();
    let settings = place.settings(&environment("prod"));
    let root = place.folder.path();
    assert_eq!((settings.mode, settings.environment.as_str()), (Mode::Project, "prod"));
    assert_eq!(settings.description, Some(root.join("tenant")));
    assert_eq!(settings.values.values["brand"], json!("Travel0"));
    assert_eq!(settings.values.values["region"], json!("us"));
    assert_eq!(settings.moved[0].from, Address::new("clients", "Shop"));
    let target = settings.target.unwrap();
    assert_eq!(target.domain, "travel0.eu.auth0.com");
    let key = CredentialSettings::PrivateKey {
        client_id: "abc".to_owned(),
        path: root.join("keys/prod.pem"),
        algorithm: "RS256".to_owned(),
    };
    assert_eq!(target.credentials, key);
    assert!(settings.policy.delete.value.allows("roles") && !settings.policy.delete.value.allows("databases"));
    assert_eq!(settings.policy.delete.locus.as_ref().unwrap().line, 25);
    assert_eq!(settings.policy.drift.value, DriftRule::Keep);
    assert_eq!(settings.policy.max_deletes.as_ref().unwrap().value, DeleteLimit::Percent(10));
    assert_eq!(settings.policy.approve.value, [RiskLevel::Destructive, RiskLevel::Irreversible]);
    assert_eq!(settings.policy.freeze[0].value.zone, "Europe/Madrid");
    assert!(!settings.filters.covers_kind("rules") && settings.filters.covers_kind("clients"));
    assert_eq!(settings.ledger, LedgerPlace::Git);
    assert_eq!(settings.sandbox, None);
    assert_eq!(settings.fingerprint_key, Some(SecretSource::Env("TENANTRY_FINGERPRINT_KEY".to_owned())));
}

#[test]
fn variables_have_an_order() {
    let place = whole();
    let mut flags = environment("dev");
    assert_eq!(place.settings(&flags).values.values["region"], json!("dev"));
    flags.variables.push(Flags::variable("region=mine=here").unwrap());
    let settings = place.settings(&flags);
    assert_eq!(settings.values.values["region"], json!("mine=here"));
    assert_eq!(settings.values.elsewhere["only_prod"], ["prod"]);
    assert_eq!(settings.secret_source("google_secret"), SecretSource::Env("GOOGLE_SECRET".to_owned()));
    assert_eq!(settings.secret_source("other"), SecretSource::Env("TENANTRY_SECRET_OTHER".to_owned()));
    assert_eq!(settings.target.unwrap().domain, "travel0-dev.eu.auth0.com");
    assert_eq!(Flags::variable("nothing").unwrap_err().id, "usage");
}

#[test]
fn a_sandbox_allows_everything_and_keeps_its_own_ledger() {
    let place = whole();
    let settings = place.settings(&environment("sandbox"));
    assert_eq!(settings.policy.delete.value, DeleteRule::All);
    assert!(settings.policy.approve.value.is_empty());
    let sandbox = settings.sandbox.clone().unwrap();
    assert_eq!(sandbox.state, place.folder.path().join(".tenantry/sandbox.json"));
    assert_eq!(settings.ledger_place(), LedgerPlace::Folder(sandbox.ledger));
    let flags = Flags { sandbox: true, ..environment("prod") };
    let settings = place.settings(&flags);
    assert_eq!(settings.sandbox.as_ref().unwrap().domain, "travel0.eu.auth0.com");
    assert_eq!(settings.policy.drift.value, DriftRule::Keep, "the rules of the environment are tried as well");
    assert_ne!(settings.ledger_place(), LedgerPlace::Git);
}

#[test]
fn an_environment_has_to_be_known() {
    let place = whole();
    insta::assert_snapshot!(place.failure(&environment("prd")), @"
    error[unknown-environment]: there is no environment `prd`
      note: declared are `sandbox`, `dev` and `prod`
      help: did you mean `-e prod`?
    ");
    insta::assert_snapshot!(place.failure(&Flags::default()), @"
    error[environment-needed]: which environment is meant?
      note: declared are `sandbox`, `dev` and `prod`
      help: add `-e sandbox`
    ");
    let one = project("environments: { only: { domain: x.auth0.com } }");
    assert_eq!(one.settings(&Flags::default()).environment, "only");
}

#[test]
fn mistakes_in_a_project_file_have_places() {
    let text = r#"
descripton: .
moved: [{ from: clients, to: clients/b }, { from: roles/a, to: clients/b }, { to: roles/a }]
environments:
  Prod: { domain: x.auth0.com }
  a:
    domian: x
  b:
    domain: x/y
    variables: [1]
    secrets: { one: hunter2, two: { env: A, file: b }, three: { command: op read }, four: { vault: x } }
    credentials: keychain
    ledger: s3://bucket
    ledger_recipient: age1xyz
    include: "[a"
    policy:
      delete: [client]
      drift: ignore
      max_deletes: 110%
      approve: [everything]
      freeze: [always]
      deletes: 5
  c: { domain: x.auth0.com, credentials: { keyring: a, private_key: b }, sandbox: { port: 1 } }
"#;
    let problems = project(text).failure(&environment("a"));
    insta::assert_snapshot!(problems, @r#"
    error[unknown-key]: `descripton` is not a key of the project file
      --> tenantry.yaml:2:1
      help: did you mean `description`?
    error[invalid-value]: `clients` is not the address of a resource
      --> tenantry.yaml:3:17
      help: write it as KIND/NAME, for example `clients/Shop`
    error[invalid-value]: `roles/a` cannot become `clients/b`: a resource keeps its kind
      --> tenantry.yaml:3:43
    error[missing-key]: `from` is missing
      --> tenantry.yaml:3:77
    error[invalid-value]: `Prod` cannot name an environment
      --> tenantry.yaml:5:3
      help: use lower-case letters, digits and dashes
    error[missing-key]: environment `a` has no `domain`
      --> tenantry.yaml:6:3
      help: add `domain: TENANT.REGION.auth0.com`, or `sandbox: {}` for the simulator
    error[unknown-key]: `domian` is not a key of environment `a`
      --> tenantry.yaml:7:5
      help: did you mean `domain`?
    error[invalid-value]: `x/y` is not a domain
      --> tenantry.yaml:9:13
      help: write the domain alone, for example `travel0.eu.auth0.com`
    error[wrong-type]: `variables` takes a file name or a mapping, not a list
      --> tenantry.yaml:10:16
    error[secret-in-file]: `secrets.one` takes where the secret is, not the secret
      --> tenantry.yaml:11:21
      help: write `{ env: NAME }`, `{ keyring: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, …] }`
    error[invalid-value]: `secrets.two` takes exactly one of `env`, `keyring`, `file`, `command`
      --> tenantry.yaml:11:35
    error[invalid-value]: `command` takes a list: the program, then its arguments
      --> tenantry.yaml:11:74
      help: for example `command: [op, read, "op://vault/item/field"]`; there is no shell
    error[unknown-key]: `vault` is not a key of secrets.four
      --> tenantry.yaml:11:93
      note: it takes `env`, `keyring`, `file` or `command`
    error[invalid-value]: `credentials` takes `env`, not `keychain`
      --> tenantry.yaml:12:18
    error[invalid-value]: `s3://bucket` is not supported yet as a ledger
      --> tenantry.yaml:13:13
      help: write `git` or `dir:PATH`
    error[invalid-value]: `ledger_recipient` is not supported yet
      --> tenantry.yaml:14:23
      help: remove it
    error[invalid-value]: `[a` is not a pattern of addresses: unclosed character class; missing ']'
      --> tenantry.yaml:15:14
    error[invalid-value]: `drift` takes `fail`, `overwrite` or `keep`, not `ignore`
      --> tenantry.yaml:18:14
    error[invalid-value]: `max_deletes` takes a number like 5 or a share like 10%
      --> tenantry.yaml:19:20
    error[invalid-value]: `approve` takes `caution`, `destructive` or `irreversible`, not `everything`
      --> tenantry.yaml:20:17
    error[invalid-value]: `always` is not a time to freeze: there is no `-` between its two times
      --> tenantry.yaml:21:16
      help: write it like `Fri 16:00 - Mon 08:00 Europe/Madrid`
    error[unknown-key]: `deletes` is not a key of policy
      --> tenantry.yaml:22:7
      help: did you mean `delete`?
    error[invalid-value]: `credentials` takes one source
      --> tenantry.yaml:23:42
      help: write `env`, `{ keyring: NAME }` or `{ private_key: PATH, client_id: ID }`
    error[unknown-key]: `port` is not a key of sandbox
      --> tenantry.yaml:23:85
      note: it takes nothing
    "#);
    assert!(!problems.contains("hunter2"), "somebody may write a secret where its source belongs");
}

#[test]
fn lines_with_secrets_are_not_shown() {
    let failed =
        project("environments: { a: { domain: x.auth0.com, secrets: { one: hunter2 } } }").load(&Flags::default());
    assert_eq!(failed.unwrap_err().sources.get("tenantry.yaml"), None);
    let failed = place(&[("config.json", r#"{"AUTH0_CLIENT_SECRET": ["hunter2"]}"#)]).load(&config());
    assert_eq!(failed.unwrap_err().sources.get("config.json"), None);
}

#[test]
fn kinds_in_a_project_file_have_to_be_known() {
    let text = "environments:\n  a:\n    domain: x.auth0.com\n    exclude: [client, '*/x', hooks]\n    policy: { delete: [role], protect: [connection/x] }\n";
    insta::assert_snapshot!(project(text).failure(&environment("a")), @"
    error[unknown-kind]: `client` is not a kind
      --> tenantry.yaml:4:15
      help: did you mean `clients`?
    error[unknown-kind]: `role` is not a kind
      --> tenantry.yaml:5:23
      help: did you mean `roles`?
    error[unknown-kind]: `connection` is not a kind
      --> tenantry.yaml:5:41
      help: did you mean `connections`?
    ");
}

#[test]
fn files_that_make_no_sense() {
    insta::assert_snapshot!(project("environments:\n  a: { domain: x }\n  a: { domain: y }\n").failure(&environment("a")), @"
    error[duplicate-key]: the key `a` is written twice
      --> tenantry.yaml:3:3 again here
      --> tenantry.yaml:2:3 first here
      help: keep one of them
    ");
    insta::assert_snapshot!(project("").failure(&Flags::default()), @"
    error[wrong-type]: a project file holds `environments` and more by name, not nothing
      --> tenantry.yaml:1:1
      help: write `environments:` with one entry, for example `sandbox: { sandbox: {} }`
    ");
    insta::assert_snapshot!(project("variables: {}").failure(&Flags::default()), @"
    error[missing-key]: the project file declares no environment
      --> tenantry.yaml:1:1
      help: add `environments:` with one entry, for example `sandbox: { sandbox: {} }`
    ");
    let missing = project("environments: { a: { domain: x.auth0.com, variables: none.yaml } }");
    insta::assert_snapshot!(missing.failure(&Flags::default()), @"
    error[missing-file]: none.yaml is missing
      --> tenantry.yaml:1:54 named here
    ");
    let list = place(&[
        ("tenantry.yaml", "environments: { a: { domain: x.auth0.com, variables: v.yaml } }"),
        ("v.yaml", "- 1"),
    ]);
    insta::assert_snapshot!(list.failure(&Flags::default()), @"
    error[wrong-type]: a file of variables holds an object, not a list
      --> v.yaml:1:1
    ");
}

#[test]
fn the_project_file_may_stand_above() {
    let place = project("environments: { a: { domain: x.auth0.com } }");
    let below = place.folder.path().join("x/y");
    std::fs::create_dir_all(&below).unwrap();
    let around = Surroundings { directory: below, env: BTreeMap::new() };
    let settings = load_settings(&Flags::default(), &around).unwrap().settings;
    assert_eq!(settings.root, place.folder.path());
    let flags = Flags { input: Some(PathBuf::from("d")), ..Flags::default() };
    let settings = load_settings(&flags, &around).unwrap().settings;
    assert_eq!(settings.description, Some(place.folder.path().join("x/y/d")), "-i starts where it is typed");
}

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

#[test]
fn a_description_can_be_tried_without_a_tenant() {
    let flags = Flags { sandbox: true, input: Some(PathBuf::from("t")), ..Flags::default() };
    let place = place(&[]);
    let settings = place.settings(&flags);
    assert_eq!(settings.environment, "sandbox");
    assert_eq!(settings.sandbox.unwrap().state, place.folder.path().join(".tenantry/sandbox.json"));
}

#[tokio::test]
async fn a_description_is_loaded_with_its_secrets() {
    let place = place(&[
        (
            "tenantry.yaml",
            "description: t\nenvironments: { a: { domain: x.auth0.com, secrets: { one: { env: ONE } } } }",
        ),
        ("t/rules/a.yaml", "name: a\nscript: ./a.js\n"),
        ("t/rules/a.js", "const secret = '##one##';"),
        ("t/rules-configs/b.yaml", "key: b\nvalue: ${{ secrets.two }}\n"),
        ("t/rules-configs/c.yaml", "key: c\nvalue: ${{ secrets.three }}\n"),
    ])
    .env("ONE", "1")
    .env("TENANTRY_SECRET_TWO", "2");
    let settings = place.settings(&Flags::default());
    let loaded = load_description(&settings, &place.around(), Secrets::Ask).await.unwrap();
    assert_eq!(texts(&loaded.problems), "");
    assert_eq!(
        loaded.missing_secrets,
        [("three".to_owned(), "environment variable TENANTRY_SECRET_THREE is not set".to_owned())]
    );
    let kinds = &loaded.outcome.desired.kinds;
    let script = kinds["rules"].resources[0].value.get("script").cloned();
    assert!(
        matches!(&script, Some(crate::model::Value::Secret(s)) if s.expose() == "const secret = '1';"),
        "{script:?}"
    );
    let values: Vec<_> =
        kinds["rulesConfigs"].resources.iter().map(|r| r.value.get("value").cloned().unwrap()).collect();
    assert!(matches!(&values[0], crate::model::Value::Secret(s) if s.expose() == "2"));
    assert!(matches!(&values[1], crate::model::Value::Unresolved(u) if u.source == "secrets.three"));
    let loaded = load_description(&settings, &place.around(), Secrets::Leave).await.unwrap();
    assert_eq!(loaded.missing_secrets, [], "nobody was asked");
    assert_eq!(texts(&loaded.problems), "");
}

#[tokio::test]
async fn the_worked_description_loads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
    let around = Surroundings { directory: folder, env: BTreeMap::new() };
    for name in ["sandbox", "dev", "staging", "prod"] {
        let settings = load_settings(&environment(name), &around).unwrap().settings;
        let loaded = load_description(&settings, &around, Secrets::Leave).await.unwrap();
        let errors: Vec<_> = loaded.problems.iter().filter(|p| p.is_error()).cloned().collect();
        assert_eq!(texts(&errors), "", "{name}");
        assert!(loaded.outcome.desired.kinds.len() > 10);
    }
}

/// The folder with the examples of auth0-deploy-cli, where there is one.
fn examples() -> Option<PathBuf> {
    let given = std::env::var_os("TENANTRY_SHARED").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared")).join("examples");
    let required = std::env::var("REQUIRE").is_ok_and(|names| names.contains("shared"));
    assert!(folder.is_dir() || !required, "the examples are required and missing");
    folder.is_dir().then_some(folder)
}

/// The texts of a file or of all files below a folder.
fn texts_below(path: &Path) -> Vec<String> {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().flat_map(|entry| texts_below(&entry.unwrap().path())).collect();
    }
    std::fs::read_to_string(path).into_iter().collect()
}

#[tokio::test]
async fn the_examples_of_auth0_deploy_cli_load() {
    let Some(folder) = examples() else {
        #[allow(clippy::print_stderr)]
        {
            eprintln!("skipped: no examples here");
        }
        return;
    };
    // Kinds that are still to come; an empty list is the aim.
    let to_come: Vec<&str> = crate::description::layout::described_names(crate::schema::Registry::get())
        .into_iter()
        .filter(|kind| crate::schema::Registry::get().kind(kind).is_none())
        .collect();
    let marker = regex::Regex::new("(?:##|@@)([A-Z0-9_]+)(?:##|@@)").unwrap();
    let variables = |input: &str| {
        let mut names = std::collections::BTreeSet::new();
        for text in texts_below(&folder.join(input)) {
            names.extend(marker.captures_iter(&text).map(|found| found[1].to_owned()));
        }
        // What they stand for is made up; an address has to look like one.
        names.into_iter().map(|name| (name, "example.com".to_owned())).collect::<Vec<_>>()
    };
    for input in ["deploy-cli-yaml/tenant.yaml", "deploy-cli-directory"] {
        let around = Surroundings {
            directory: folder.clone(),
            env: BTreeMap::from([("AUTH0_EXCLUDED".to_owned(), to_come.join(","))]),
        };
        let flags = Flags { input: Some(PathBuf::from(input)), variables: variables(input), ..Flags::default() };
        let settings = load_settings(&flags, &around).unwrap().settings;
        let loaded = load_description(&settings, &around, Secrets::Leave).await.unwrap();
        let errors: Vec<_> = loaded.problems.iter().filter(|p| p.is_error()).cloned().collect();
        assert_eq!(texts(&errors), "", "{input}");
        assert!(!loaded.outcome.desired.kinds.is_empty());
    }
}
