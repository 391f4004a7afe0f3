//! The project file.

use serde_json::json;

use super::*;
use crate::model::Address;
use crate::schema::Risk;

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
    assert_eq!(settings.policy.approve.value, [Risk::Destructive, Risk::Irreversible]);
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
    error[invalid-value]: `age1xyz` is not a recipient of age
      --> tenantry.yaml:14:23
      help: write a public key of age, `age1…`, as `age-keygen` prints it
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
