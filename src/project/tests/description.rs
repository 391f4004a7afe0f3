//! Descriptions loaded through settings.

use std::path::Path;

use super::*;

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
