#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::model::{AddressPattern, Path};
use crate::problem::Severity;

/// A few kinds, one for each way a kind is kept.
pub(crate) fn registry() -> Registry {
    let files = |folder: &str, file: &str| {
        format!(
            "{{type: object, required: [name], properties: {{name: {{type: string}}, body: {{type: string}}}}, additionalProperties: false, \
             x-tenantry: {{identity: [name], directory: {{folder: {folder}, file: '{file}'}}}}}}"
        )
    };
    let single = |directory: &str| {
        format!("{{type: object, additionalProperties: true, x-tenantry: {{shape: single, directory: {directory}}}}}")
    };
    let schemas = [
        ("clients", files("clients", "{name}")),
        ("roles", files("roles", "{name}")),
        ("connections", files("connections", "{name}")),
        ("databases", files("database-connections", "{name}/database")),
        ("emailTemplates", files("emails", "{name}")),
        ("emailProvider", single("{path: emails/provider.json}")),
        ("tenant", single("{path: tenant.json}")),
        ("triggers", single("{path: triggers/triggers.json}")),
        ("attackProtection", single("{folder: attack-protection}")),
        ("prompts", single("{path: prompts/prompts.json}")),
        ("branding", single("{path: branding/branding.json}")),
        (
            "customDomains",
            "{type: object, properties: {domain: {type: string}}, additionalProperties: false, \
             x-tenantry: {identity: [domain], directory: {folder: custom-domains, array: custom-domains.json}}}"
                .to_owned(),
        ),
    ];
    Registry::of(&schemas.each_ref().map(|(name, text)| (*name, text.as_str())))
}

struct Options {
    filters: Filters,
    compatibility: bool,
    single: Option<String>,
    connections_directory: Option<String>,
}

fn strict() -> Options {
    Options { filters: Filters::default(), compatibility: false, single: None, connections_directory: None }
}

fn compatible() -> Options {
    Options { compatibility: true, ..strict() }
}

fn run(tree: &Tree, options: &Options) -> Outcome {
    let registry = registry();
    read_layout(
        tree,
        &LayoutOptions {
            registry: &registry,
            names: &KnownNames::default(),
            filters: &options.filters,
            compatibility: options.compatibility,
            single: options.single.clone(),
            connections_directory: options.connections_directory.clone(),
        },
    )
}

fn read(files: &[(&str, &str)], options: &Options) -> Outcome {
    run(&Tree::of(files.iter().copied()), options)
}

/// Kinds with how many resources each has.
fn kinds(outcome: &Outcome) -> Vec<(&str, usize)> {
    outcome.description.kinds.iter().map(|(kind, nodes)| (kind.as_str(), nodes.resources.len())).collect()
}

/// Problems as short texts, with their places.
pub(crate) fn texts(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        out.push_str(&format!("{severity}{problem}\n"));
        for label in &problem.labels {
            out.push_str(format!("  --> {} {}", label.locus, label.text).trim_end());
            out.push('\n');
        }
        for note in &problem.notes {
            out.push_str(&format!("  note: {note}\n"));
        }
        for help in &problem.help {
            out.push_str(&format!("  help: {help}\n"));
        }
    }
    out
}

#[test]
fn a_directory_has_a_folder_per_kind() {
    let outcome = read(
        &[
            ("tenant.json", "{}"),
            ("clients/a.json", r#"{"name": "a"}"#),
            ("clients/b.yaml", "name: b"),
            ("clients/README.md", "not read"),
            ("roles/.gitkeep", ""),
            ("database-connections/Users/database.json", r#"{"name": "Users"}"#),
            ("database-connections/Users/login.js", "x"),
            ("emails/provider.json", "{}"),
            ("emails/welcome.json", r#"{"name": "welcome"}"#),
            ("custom-domains/custom-domains.json", r#"[{"domain": "a"}, {"domain": "b"}]"#),
            ("docs/x.json", "not even json"),
        ],
        &strict(),
    );
    assert_eq!(texts(&outcome.problems), "");
    assert_eq!(
        kinds(&outcome),
        [
            ("clients", 2),
            ("roles", 0),
            ("databases", 1),
            ("emailTemplates", 1),
            ("emailProvider", 1),
            ("tenant", 1),
            ("customDomains", 2),
        ]
    );
    assert_eq!(outcome.description.layout, Layout::Directory);
}

#[test]
fn a_kind_without_a_folder_is_not_described() {
    let outcome = read(&[("clients/a.json", r#"{"name": "a"}"#)], &strict());
    assert_eq!(kinds(&outcome), [("clients", 1)]);
}

#[test]
fn a_single_file_has_a_key_per_kind() {
    let outcome = read(&[("tenant.yaml", "clients:\n  - name: a\nroles: []\ntenant: {}\nconnections:\n")], &strict());
    assert_eq!(texts(&outcome.problems), "");
    assert_eq!(kinds(&outcome), [("clients", 1), ("roles", 0), ("tenant", 1)]);
    assert_eq!(outcome.description.layout, Layout::Single("tenant.yaml".to_owned()));
}

#[test]
fn side_files_do_not_make_a_directory() {
    let files =
        [("tenant.yaml", "clients: []"), ("forms/a.json", "{}"), ("actions/x/code.js", ""), ("pages/login.html", "")];
    assert_eq!(kinds(&read(&files, &strict())), [("clients", 0)]);
}

#[test]
fn a_named_single_file_may_have_any_name() {
    let options = Options { single: Some("prod.yml".to_owned()), ..strict() };
    assert_eq!(kinds(&read(&[("prod.yml", "clients: []")], &options)), [("clients", 0)]);
    let options = Options { single: Some("prod.json".to_owned()), ..strict() };
    insta::assert_snapshot!(texts(&read(&[("prod.json", "{}")], &options).problems), @"
    error[unknown-format]: a description is a folder, or a file that ends in .yaml or .yml
      --> prod.json:1:1
    ");
}

#[test]
fn both_layouts_at_once_are_refused() {
    let files = [("tenant.yaml", "clients: []"), ("clients/a.json", r#"{"name": "a"}"#)];
    insta::assert_snapshot!(texts(&read(&files, &strict()).problems), @"
    error[two-layouts]: tenant.yaml stands beside files of the directory layout
      --> tenant.yaml:1:1
      note: tenant.yaml is a description of its own; in a directory the tenant settings are tenant.json
      help: name tenant.yaml itself with -i, or move its content into the folders
    ");
    let outcome = read(&files, &compatible());
    assert_eq!(
        outcome.problems.iter().map(|p| (p.id, p.severity)).collect::<Vec<_>>(),
        [("ignored-file", Severity::Warning)]
    );
    assert_eq!(kinds(&outcome), [("clients", 1)]);
}

#[test]
fn nothing_at_all_is_an_error() {
    insta::assert_snapshot!(texts(&read(&[("README.md", "x")], &strict()).problems), @"
    error[empty-description]: there is nothing in this description
      note: looked for tenant.yaml and for folders such as clients/ in .
      help: check the path given with -i or `description`
    ");
    insta::assert_snapshot!(texts(&read(&[("tenant.yaml", "# nothing\n")], &strict()).problems), @"
    error[empty-description]: there is nothing in this description
      --> tenant.yaml:1:1
      help: describe a kind, for example `clients:` with a list
    ");
    insta::assert_snapshot!(texts(&read(&[("tenant.yaml", "- a\n")], &strict()).problems), @"
    error[wrong-type]: a description is an object with kinds, not a list
      --> tenant.yaml:1:1
    ");
}

#[test]
fn unknown_kinds_are_named() {
    let yaml = "client: []\nzebras: []\nhooks: []\nmigrations: {}\n";
    insta::assert_snapshot!(texts(&read(&[("tenant.yaml", yaml)], &strict()).problems), @"
    error[unknown-kind]: `client` is not a kind
      --> tenant.yaml:1:1
      help: did you mean `clients`?
    error[unknown-kind]: `zebras` is not a kind
      --> tenant.yaml:2:1
      help: run `tenantry schema` for the kinds there are
    error[unsupported-kind]: `hooks` is a kind that Tenantry does not support yet
      --> tenant.yaml:3:1
      note: it is not skipped silently: nothing of it would be deployed
      help: leave it out for now: add `hooks` to the environment's `exclude`
    error[unknown-kind]: `migrations` is gone: auth0-deploy-cli dropped it with version 8.0
      --> tenant.yaml:4:1
      help: remove it
    ");
    let outcome = read(&[("tenant.yaml", "clients: []\nmigrations: {}\nlogStreams: []\n")], &compatible());
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[dropped-kind]: `migrations` is gone: auth0-deploy-cli dropped it with version 8.0; it is left out
      --> tenant.yaml:2:1
      help: remove it
    error[unsupported-kind]: `logStreams` is a kind that Tenantry does not support yet
      --> tenant.yaml:3:1
      note: it is not skipped silently: nothing of it would be deployed
      help: leave it out for now: add `logStreams` to AUTH0_EXCLUDED
    ");
}

#[test]
fn kinds_left_alone_are_not_looked_at() {
    let filters = Filters { excluded_kinds: vec!["hooks".to_owned(), "roles".to_owned()], ..Filters::default() };
    let options = Options { filters, ..compatible() };
    let outcome = read(&[("tenant.yaml", "clients: []\nhooks: []\nroles: {not: a list}\n")], &options);
    assert_eq!(texts(&outcome.problems), "");
    assert_eq!(kinds(&outcome), [("clients", 0)]);
    let outcome =
        read(&[("clients/a.json", "{\"name\": 1}"), ("hooks/a.json", "{}"), ("roles/a.json", "broken")], &options);
    assert_eq!(texts(&outcome.problems), "");
    let exclude = Filters { exclude: vec![AddressPattern::new("flows").unwrap()], ..Filters::default() };
    let outcome = read(&[("tenant.yaml", "clients: []\nflows: []\n")], &Options { filters: exclude, ..strict() });
    assert_eq!(texts(&outcome.problems), "");
}

#[test]
fn folders_of_kinds_to_come_are_errors() {
    let outcome =
        read(&[("clients/a.json", "{}"), ("flows/x.json", "{}"), ("guardian/factors/sms.json", "{}")], &strict());
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[empty-file]: this file describes nothing and is left out
      --> clients/a.json:1:1
      help: remove it, or describe a resource in it
    error[unsupported-kind]: `flows` is a kind that Tenantry does not support yet
      --> flows/x.json:1:1
      note: it is not skipped silently: nothing of it would be deployed
      help: leave it out for now: add `flows` to the environment's `exclude`
    error[unsupported-kind]: `guardianFactors` is a kind that Tenantry does not support yet
      --> guardian/factors/sms.json:1:1
      note: it is not skipped silently: nothing of it would be deployed
      help: leave it out for now: add `guardianFactors` to the environment's `exclude`
    ");
}

#[test]
fn near_misses_of_folders_are_warned_about() {
    let outcome = read(
        &[("clients/a.yaml", "name: a"), ("connection/b.json", "{}"), ("role/notes.md", ""), ("src/x.json", "")],
        &strict(),
    );
    insta::assert_snapshot!(texts(&outcome.problems), @"
    warning[near-miss-folder]: the folder connection/ is not read
      --> connection:1:1
      help: did you mean connections/?
    ");
}

#[test]
fn two_files_of_one_name_are_an_error() {
    let outcome = read(&[("clients/a.yaml", "name: a"), ("clients/a.json", r#"{"name": "a"}"#)], &strict());
    insta::assert_snapshot!(texts(&outcome.problems), @"
    error[duplicate-file]: clients/a.json and clients/a.yaml describe the same thing
      --> clients/a.json:1:1
      --> clients/a.yaml:1:1
      help: keep one of them
    ");
}

#[test]
fn what_cannot_be_read_is_never_taken_for_absent() {
    let outcome = read(
        &[
            ("database-connections/Users/login.js", ""),
            ("database-connections/Broken/database.json", "{\"name\": "),
            ("database-connections/loose.json", "{}"),
            ("clients/list.json", "[]"),
            ("custom-domains/other.json", "[]"),
        ],
        &compatible(),
    );
    insta::assert_snapshot!(texts(&outcome.problems), @"
    error[wrong-type]: a file of `clients` holds an object, not a list
      --> clients/list.json:1:1
    error[missing-file]: custom-domains has no custom-domains.json
      --> custom-domains:1:1
      help: `customDomains` are one list in custom-domains/custom-domains.json
    error[json-syntax]: this is not JSON: a value is missing at the end
      --> database-connections/Broken/database.json:1:10
    error[missing-file]: database-connections/Users has no database.json
      --> database-connections/Users:1:1
      help: add database.json, or remove the folder
    warning[ignored-file]: database-connections/loose.json is not read
      --> database-connections/loose.json:1:1
      help: `databases` are read from database-connections/NAME/database.json
    ");
    let mut tree = Tree::of([("roles/a.json", "{}")]);
    tree.insert("clients/a.json", FileState::Unreadable("permission denied".to_owned()));
    tree.insert("clients/b.json", FileState::TooLarge(64 << 20));
    tree.insert("clients/c.json", FileState::Outside);
    insta::assert_snapshot!(texts(&run(&tree, &compatible()).problems), @"
    error[unreadable-file]: this file cannot be read: permission denied
      --> clients/a.json:1:1
      note: what cannot be read is never taken for absent
    error[file-too-large]: this file has 64 MiB, the limit is 16 MiB
      --> clients/b.json:1:1
      help: leave it out of the description, or split it
    error[outside-folder]: this file is a link that leaves the description's folder
      --> clients/c.json:1:1
      help: put a copy of the file into the folder
    ");
}

#[test]
fn files_yet_to_be_read_are_wanted() {
    let mut tree = Tree::new("");
    tree.insert("clients/a.json", FileState::Unread);
    let outcome = run(&tree, &strict());
    assert_eq!(outcome.wanted, BTreeSet::from(["clients/a.json".to_owned()]));
    assert_eq!(texts(&outcome.problems), "");
}

#[test]
fn pieces_become_members() {
    let outcome = read(
        &[
            ("attack-protection/bot-detection.json", r#"{"bot_detection_level": "low"}"#),
            ("attack-protection/captcha.yaml", "active_provider_id: null"),
            ("branding/branding.json", r#"{"colors": {}}"#),
            ("branding/templates/universal_login.json", r#"{"template": "universal_login", "body": "./u.html"}"#),
            ("triggers/whatever.json", r#"{"post-login": []}"#),
        ],
        &strict(),
    );
    assert_eq!(texts(&outcome.problems), "");
    assert_eq!(kinds(&outcome), [("triggers", 1), ("attackProtection", 1), ("branding", 1)]);
    let member = |kind: &str, member: &str| outcome.description.kinds[kind].resources[0].node.get(member).cloned();
    assert!(member("attackProtection", "botDetection").unwrap().get("bot_detection_level").is_some());
    assert!(
        member("attackProtection", "captcha").is_some() && member("attackProtection", "bruteForceProtection").is_none()
    );
    assert_eq!(member("branding", "templates").unwrap().as_array().unwrap().len(), 1);
    assert!(member("branding", "colors").is_some() && member("triggers", "post-login").is_some());
}

#[test]
fn prompts_come_in_the_shape_of_the_single_file() {
    let outcome = read(
        &[
            (
                "prompts/partials.json",
                r#"{"login": [{"login": [{"name": "form-content-start", "template": "a.liquid"}, {"name": "form-content-end"}]}]}"#,
            ),
            (
                "prompts/screenRenderSettings/x.json",
                r#"{"prompt": "login-id", "screen": "login-id", "rendering_mode": "standard"}"#,
            ),
            ("prompts/custom-text.json", r#"{"en": {}}"#),
        ],
        &strict(),
    );
    assert_eq!(texts(&outcome.problems), "");
    let resource = &outcome.description.kinds["prompts"].resources[0];
    let screen =
        resource.node.get("screenRenderers").and_then(|n| n.get("login-id")).and_then(|n| n.get("login-id")).unwrap();
    assert!(screen.get("rendering_mode").is_some() && screen.get("prompt").is_none());
    let points = resource.node.get("partials").and_then(|n| n.get("login")).and_then(|n| n.get("login")).unwrap();
    assert_eq!(points.get("form-content-start").and_then(Node::as_str), Some("a.liquid"));
    assert_eq!(
        points.get("form-content-end").and_then(Node::as_str),
        Some("partials/login/login/form-content-end.liquid")
    );
    let at = Path::root().key("partials").key("login").key("login").key("form-content-end");
    assert!(resource.side_texts.contains(&SideText { at, base: "prompts".to_owned(), is_json: false }));

    let outcome = read(&[("tenant.yaml", "prompts: {screenRenderers: [{login-id: {login-id: ./x.json}}]}")], &strict());
    let resource = &outcome.description.kinds["prompts"].resources[0];
    let at = Path::root().key("screenRenderers").key("login-id").key("login-id");
    assert_eq!(resource.side_texts, [SideText { at, base: String::new(), is_json: true }]);

    let outcome = read(
        &[
            ("prompts/partials.json", r#"{"login": [{"login": [{}]}, 1], "x": [{"x": 1}]}"#),
            ("prompts/screenRenderSettings/a.json", r#"{"prompt": "p", "screen": "s"}"#),
            ("prompts/screenRenderSettings/b.json", r#"{"prompt": "p", "screen": "s"}"#),
            ("prompts/screenRenderSettings/c.json", r#"{"prompt": "p"}"#),
        ],
        &strict(),
    );
    insta::assert_snapshot!(texts(&outcome.problems), @"
    error[missing-field]: a partial needs a `name`: where it is put into the page
      --> prompts/partials.json:1:23
    error[wrong-type]: an object with a screen is expected here, not a number
      --> prompts/partials.json:1:29
    error[wrong-type]: a list of `{name, template}` is expected here, not a number
      --> prompts/partials.json:1:45
    error[duplicate-file]: the screen `s` of `p` is described twice
      --> prompts/screenRenderSettings/b.json:1:1
      --> prompts/screenRenderSettings/a.json:1:1 first here
    error[missing-field]: the settings of a screen name their `prompt` and `screen`
      --> prompts/screenRenderSettings/c.json:1:1
    ");
}

#[test]
fn the_folder_of_connections_may_have_another_name() {
    let options = Options { connections_directory: Some("connections-dev".to_owned()), ..compatible() };
    let outcome = read(&[("connections-dev/a.json", r#"{"name": "a"}"#), ("connections/b.json", "broken")], &options);
    assert_eq!(kinds(&outcome), [("connections", 1)]);
    assert!(!has_error(&outcome));
}

fn has_error(outcome: &Outcome) -> bool {
    outcome.problems.iter().any(Problem::is_error)
}

#[test]
fn a_single_file_may_leave_names_alone() {
    let yaml = "exclude: {clients: [a, b], defaults: [emailProvider]}\ninclude: {connections: [x]}\nclients: []\n";
    let outcome = read(&[("tenant.yaml", yaml)], &strict());
    assert_eq!(texts(&outcome.problems), "");
    assert_eq!(outcome.description.exclude["clients"], ["a", "b"]);
    assert_eq!(outcome.description.include["connections"], ["x"]);
    let outcome = read(&[("tenant.yaml", "exclude: {client: [a], roles: x}\ninclude: 1\nclients: []\n")], &strict());
    insta::assert_snapshot!(texts(&outcome.problems), @"
    error[unknown-kind]: `client` is not a kind
      --> tenant.yaml:1:11
      help: did you mean `clients`?
    error[wrong-type]: `exclude` takes lists of names by kind
      --> tenant.yaml:1:31
    error[wrong-type]: `include` takes lists of names by kind
      --> tenant.yaml:2:10
    ");
}

#[test]
fn kinds_of_the_wrong_shape() {
    let yaml = "clients: {a: 1}\ntenant: []\n##X##: 1\n";
    insta::assert_snapshot!(texts(&read(&[("tenant.yaml", yaml)], &strict()).problems), @"
    error[wrong-type]: `clients` takes a list, not an object
      --> tenant.yaml:1:10
    error[wrong-type]: `tenant` takes an object, not a list
      --> tenant.yaml:2:9
    ");
}

proptest::proptest! {
    #[test]
    fn no_tree_makes_it_panic(
        files in proptest::collection::vec(
            (
                "(clients|prompts|prompts/screenRenderSettings|database-connections|database-connections/x|custom-domains|attack-protection|[a-z]{0,3})",
                "(partials|database|custom-domains|tenant|[a-z]{0,2})\\.(json|yaml|yml|js)",
                proptest::sample::select(vec!["", "{}", "[]", "1", "a: {b: [c: {}]}", "[{a: 1}]", "{\"login\": [{\"a\": [{}]}]}", "clients: [", "? []"]),
            ),
            0..8,
        ),
        lenient in proptest::bool::ANY,
    ) {
        let mut tree = Tree::new("t");
        for (folder, name, text) in &files {
            tree.insert(&join(folder, name), FileState::Read(std::sync::Arc::from(text.as_bytes())));
        }
        let outcome = run(&tree, &if lenient { compatible() } else { strict() });
        proptest::prop_assert!(!outcome.description.kinds.is_empty() || has_error(&outcome));
    }
}
