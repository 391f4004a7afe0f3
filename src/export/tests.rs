#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path as FsPath;

use serde_json::{Value as Json, json};

use super::*;
use crate::codec::{Names, address_of};
use crate::description::layout::{LayoutOptions, Tree, read_layout};
use crate::description::{DescribeOptions, DescribeOutcome, KnownNames, Variables, describe, has_errors};
use crate::model::{LiveKind, LiveResource, Map, Secret, Unavailable, Value};
use crate::plan;

/// Reads a value; texts that begin with `s3cr3t:` are secrets.
fn value(json: &Json) -> Value {
    match json {
        Json::String(text) if text.starts_with("s3cr3t:") => Value::Secret(Secret::new(text.clone(), "live")),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), value(v))).collect()),
        other => Value::from_json(other),
    }
}

fn resource(kind: &str, json: &Json) -> LiveResource {
    let spec = Registry::get().kind(kind).unwrap();
    let value = value(json);
    let address = address_of(spec, value.as_object().unwrap()).unwrap();
    LiveResource {
        address,
        id: "id_1".to_owned(),
        value,
        raw: json.clone().into(),
        system: None,
        unreadable: Vec::new(),
    }
}

/// A tenant of kinds with their resources: a list, or one object.
fn live(kinds: &Json) -> Live {
    let mut live = Live { domain: "acme.eu.auth0.com".to_owned(), ..Live::default() };
    for spec in Registry::get().kinds() {
        let resources: Vec<LiveResource> = match kinds.get(&spec.name) {
            None => Vec::new(),
            Some(Json::Array(items)) => items.iter().map(|item| resource(&spec.name, item)).collect(),
            Some(single) => vec![resource(&spec.name, single)],
        };
        live.kinds.insert(spec.name.clone(), LiveKind::Read(resources));
    }
    live
}

fn options(format: Format, files: FileFormat) -> ExportOptions {
    ExportOptions { format, files, ..ExportOptions::default() }
}

pub(super) fn all_options() -> [ExportOptions; 3] {
    [
        options(Format::Directory, FileFormat::Yaml),
        options(Format::Directory, FileFormat::Json),
        options(Format::Single, FileFormat::Yaml),
    ]
}

fn export(live: &Live, options: &ExportOptions) -> Export {
    files(Registry::get(), live, options)
}

/// Loads an export as any description is loaded.
pub(super) fn load(export: &Export) -> DescribeOutcome {
    let texts = export.files.iter().map(|(path, text)| (path.to_str().unwrap(), text.as_str()));
    let tree = Tree::of(texts);
    let mut variables = Variables::default();
    for name in &export.secrets {
        variables.secrets.insert(name.clone(), crate::description::SecretState::Missing);
    }
    let layout = LayoutOptions {
        registry: Registry::get(),
        names: &KnownNames::default(),
        filters: &Filters::default(),
        compatibility: false,
        single: None,
        connections_directory: None,
    };
    let read = read_layout(&tree, &layout);
    assert!(read.wanted.is_empty() && !has_errors(&read.problems), "{:#?}", read.problems);
    let options = DescribeOptions {
        registry: Registry::get(),
        variables: &variables,
        filters: &Filters::default(),
        compatibility: false,
        lenient: false,
    };
    let described = describe(&read.description, &tree, &options);
    assert!(!has_errors(&described.problems), "{:#?}\n{:#?}", described.problems, export.files);
    let server_set: Vec<_> = described.problems.iter().filter(|p| p.id == "server-set").collect();
    assert!(server_set.is_empty(), "{server_set:#?}");
    described
}

/// Says whether a described value is the live one, but for secrets, order of sets, and what a create fills in.
fn same(field: Option<&crate::schema::FieldSpec>, described: &Value, live: &Value) -> bool {
    match (described, live) {
        (Value::Unresolved(_), _) => true,
        (Value::Object(a), Value::Object(b)) => b.iter().all(|(key, value)| {
            let inner = field.and_then(|f| f.member(key));
            match a.get(key) {
                Some(found) => same(inner, found, value),
                None => value.is_blank() || inner.is_some_and(|f| f.read_only || f.write_only),
            }
        }),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len()
                && b.iter().enumerate().all(|(n, value)| {
                    let item = field.and_then(crate::schema::FieldSpec::item);
                    let is_free = field.is_some_and(|f| f.set || !f.key.is_empty());
                    let at = a.get(n).is_some_and(|found| same(item, found, value));
                    at || (is_free && a.iter().any(|found| same(item, found, value)))
                })
        }
        (a, b) => a == b,
    }
}

/// The law of exports: what is loaded asks for exactly what is live, and a plan has nothing to do.
#[track_caller]
fn loads_back(live: &Live) {
    for options in all_options() {
        loads_back_from(live, &options);
    }
}

#[track_caller]
fn loads_back_from(live: &Live, options: &ExportOptions) {
    let export = export(live, options);
    let mut desired = load(&export).desired;
    for (kind, found) in &live.kinds {
        let LiveKind::Read(found) = found else { continue };
        let spec = Registry::get().kind(kind).unwrap();
        let described = desired.kinds.get(kind).map(|kind| kind.resources.as_slice()).unwrap_or_default();
        assert_eq!(described.len(), found.len(), "{kind}: {:#?}", export.files);
        for resource in found {
            let twin = described
                .iter()
                .find(|d| d.address.name == resource.address.name && d.address.id == resource.address.id)
                .unwrap_or_else(|| panic!("{} is lost: {described:?}", resource.address));
            let twin = twin.value.as_object().unwrap();
            for (member, value) in resource.value.as_object().unwrap() {
                let field = spec.field(member);
                let filled = twin
                    .get(member)
                    .cloned()
                    .or_else(|| field.and_then(|f| f.default_in(twin)).map(Value::from_json).or(Some(Value::Null)));
                let unwritten = field.is_some_and(|f| f.read_only || f.owned);
                let holds = unwritten
                    || same(field, filled.as_ref().unwrap(), value)
                    || (twin.get(member).is_none() && value.is_blank());
                assert!(holds, "{}: {member}: {value:?} became {filled:?}\n{:#?}", resource.address, export.files);
            }
        }
    }
    let problems = plan::complete(Registry::get(), &mut desired, live, &Names::default());
    assert!(!has_errors(&problems), "{problems:?}");
    let planned = plan::make(Registry::get(), &desired, live, None, &plan::Options::default());
    assert!(!planned.has_changes(), "{:#?}\n{:#?}", planned.changes, export.files);
}

fn worked() -> Json {
    json!({
        "tenant": {"friendly_name": "Acme: \"travel\"", "support_email": "help@acme.example", "enabled_locales": ["en", "no"],
            "flags": {"enable_client_connections": false}, "session_lifetime": 12.5},
        "clients": [
            {"name": "Shop", "app_type": "spa", "callbacks": ["https://shop.acme.example/cb", "https://a.acme.example"],
             "oidc_conformant": true, "custom_login_page": "<html>\n{{ x }}\n</html>\n", "client_metadata": {"#1": "yes", "##X##": "012"}},
            {"name": "Worker", "app_type": "non_interactive", "grant_types": ["client_credentials"]},
        ],
        "resourceServers": [{"name": "Orders", "identifier": "https://orders.acme.example/", "scopes": [
            {"value": "write:orders", "description": "Write"}, {"value": "read:orders", "description": "null"}]}],
        "clientGrants": [{"client_id": "Worker", "audience": "https://orders.acme.example/", "scope": ["read:orders"]}],
        "roles": [{"name": "Agent", "description": "Sells\ntravel", "permissions": [
            {"resource_server_identifier": "https://orders.acme.example/", "permission_name": "read:orders"}]}],
        "databases": [{"name": "Users", "strategy": "auth0", "options": {
            "customScripts": {"login": "function login() {\n  return '${{ x }}';\n}\n", "get_user": "function g() {}"},
            "configuration": {"API_KEY": "s3cr3t:k"}, "brute_force_protection": true}, "enabled_clients": ["Shop"]}],
        "connections": [{"name": "globex", "strategy": "oidc", "options": {"client_id": "abc", "client_secret": "s3cr3t:c", "type": "back_channel"},
            "enabled_clients": ["Shop", "Worker"]},
            {"name": "email", "strategy": "email", "options": {"name": "email", "email": {"body": "<b>{{ code }}</b>\n", "from": "x", "subject": "y", "syntax": "liquid"}},
             "enabled_clients": []}],
        "actions": [{"name": "Enrich: token", "supported_triggers": [{"id": "post-login", "version": "v3"}], "code": "exports.x = 1; // ${{ y\n",
            "secrets": [{"name": "API_KEY"}, {"name": "OTHER"}], "runtime": "node22", "deployed": true}],
        "rulesConfigs": [{"key": "API_KEY"}],
        "emailProvider": {"name": "smtp", "enabled": true, "default_from_address": "a@b.example",
            "credentials": {"smtp_host": "mail.example", "smtp_port": 587, "smtp_user": "u"}},
        "rules": [{"name": "Old", "script": "function () {}", "order": 1, "enabled": true}],
        "attackProtection": {"bruteForceProtection": {"enabled": true, "shields": ["user_notification", "block"], "allowlist": []},
            "suspiciousIpThrottling": {"enabled": false}},
        "branding": {"colors": {"primary": "#ff0000"}, "templates": [{"template": "universal_login", "body": "<html>{% raw %}</html>\n"}]},
        "emailTemplates": [{"template": "verify_email", "body": "<b>{{ url }}</b> @@password@@\n", "subject": "yes", "from": "a@b.example", "enabled": true, "syntax": "liquid"}],
        "pages": [{"name": "login", "html": "<html></html>", "enabled": true}],
        "prompts": {"universal_login_experience": "new", "identifier_first": true, "customText": {"en": {"login": {"login": {"title": "Hi: {{ x }}"}}}},
            "partials": {"login": {"login": {"form-content-start": "<div>{{ x }}</div>", "form-content-end": "<p>1</p>"}}},
            "screenRenderers": {"login-id": {"login-id": {"rendering_mode": "advanced", "context_configuration": ["b", "a"]}}}},
        "organizations": [{"name": "acme", "display_name": "ACME", "connections": [{"name": "Users", "assign_membership_on_login": true}]}],
    })
}

#[test]
fn a_tenant_loads_back_without_loss() {
    loads_back(&live(&worked()));
}

#[test]
fn triggers_keep_their_order() {
    let action = |name: &str| json!({"name": name, "code": "exports.x = 1;", "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    let live = live(&json!({
        "actions": [action("A"), action("Z")],
        "triggers": {"post-login": [
            {"action_name": "Z", "display_name": "Last: first"}, {"action_name": "A", "display_name": "A"}]},
    }));
    loads_back_from(&live, &options(Format::Single, FileFormat::Yaml));
    let directory = export(&live, &ExportOptions::default());
    let text = &directory.files["triggers/triggers.yaml".as_ref() as &FsPath];
    assert!(text.find("action_name: Z") < text.find("action_name: A"), "{text}");
}

#[test]
fn files_lie_where_auth0_deploy_cli_has_them() {
    let paths = |options: &ExportOptions| {
        let export = export(&live(&worked()), options);
        export.files.keys().map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
    };
    let [directory, _, single] = all_options();
    insta::assert_snapshot!(paths(&directory), @r##"
    actions/Enrich- token/code.js
    actions/Enrich- token.yaml
    attack-protection/brute-force-protection.yaml
    attack-protection/suspicious-ip-throttling.yaml
    branding/branding.yaml
    branding/templates/universal_login.html
    branding/templates/universal_login.yaml
    clients/Shop.yaml
    clients/Shop_custom_login_page.html
    clients/Worker.yaml
    connections/email.html
    connections/email.yaml
    connections/globex.yaml
    database-connections/Users/database.yaml
    database-connections/Users/get_user.js
    database-connections/Users/login.js
    emails/provider.yaml
    emails/verify_email.html
    emails/verify_email.yaml
    grants/Worker-Orders.yaml
    organizations/acme.yaml
    pages/login.html
    pages/login.yaml
    prompts/custom-text.yaml
    prompts/partials/login/login/form-content-end.liquid
    prompts/partials/login/login/form-content-start.liquid
    prompts/partials.yaml
    prompts/prompts.yaml
    prompts/screenRenderSettings/login-id_login-id.yaml
    resource-servers/Orders.yaml
    roles/Agent.yaml
    rules/Old.js
    rules/Old.yaml
    rules-configs/API_KEY.yaml
    tenant.json
    "##);
    insta::assert_snapshot!(paths(&single), @r##"
    actions/Enrich- token/code.js
    branding_templates/universal_login.html
    clients/Shop_custom_login_page.html
    connections/email.html
    databases/Users/get_user.js
    databases/Users/login.js
    emailTemplates/verify_email.html
    pages/login.html
    rules/Old.js
    tenant.yaml
    "##);
}

#[test]
fn two_exports_are_the_same_to_the_byte() {
    let mut other = worked();
    other["clients"].as_array_mut().unwrap().reverse();
    other["clients"][1]["callbacks"].as_array_mut().unwrap().reverse();
    other["connections"][0]["enabled_clients"].as_array_mut().unwrap().reverse();
    let shuffled = other["connections"][0]["options"].take();
    other["connections"][0]["options"] =
        Json::Object(shuffled.as_object().unwrap().iter().rev().map(|(k, v)| (k.clone(), v.clone())).collect());
    for options in all_options() {
        let (one, two) = (export(&live(&worked()), &options), export(&live(&other), &options));
        assert_eq!(one.files, two.files);
        assert_eq!(one.report, two.report);
    }
}

#[test]
fn secrets_are_asked_for_and_never_written() {
    for options in all_options() {
        let export = export(&live(&worked()), &options);
        for text in export.files.values() {
            assert!(!text.contains("s3cr3t:"), "{text}");
        }
        assert!(!format!("{export:?} {:?}", export.report).contains("s3cr3t:"));
        for name in [
            "CONNECTIONS_GLOBEX_OPTIONS_CLIENT_SECRET",
            "ACTIONS_ENRICH_TOKEN_SECRETS_API_KEY_VALUE",
            "RULES_CONFIGS_API_KEY_VALUE",
            "DATABASES_USERS_OPTIONS_CONFIGURATION_API_KEY",
        ] {
            assert!(export.secrets.iter().any(|known| known == name), "{:?}", export.secrets);
        }
    }
}

#[test]
fn secrets_of_one_name_are_told_apart() {
    let one = |name: &str| json!({"name": name, "strategy": "oidc", "options": {"client_secret": "s3cr3t:c"}});
    let live = live(&json!({"connections": [one("a-b"), one("A-B"), one("c")]}));
    let export = export(&live, &ExportOptions::default());
    assert_eq!(export.secrets.len(), 3, "{:?}", export.secrets);
    assert!(export.secrets.contains(&"CONNECTIONS_C_OPTIONS_CLIENT_SECRET".to_owned()));
    assert!(
        !export.secrets.contains(&"CONNECTIONS_A_B_OPTIONS_CLIENT_SECRET".to_owned()),
        "neither has the plain name"
    );
}

#[test]
fn odd_names_get_files_of_their_own() {
    let long = "x".repeat(300);
    let names = [
        "App",
        "app",
        "../../etc/passwd",
        "a/b",
        "a:b",
        "CON",
        "ends.",
        "ends ",
        "🙂",
        "🙃",
        &long,
        "##X##",
        "${{ vars.x }}",
    ];
    let clients: Vec<Json> = names
        .iter()
        .map(|name| json!({"name": name, "app_type": "spa", "custom_login_page": format!("<html>{name}</html>")}))
        .collect();
    let mut live = live(&json!({ "clients": clients }));
    loads_back(&live);
    let first = export(&live, &ExportOptions::default());
    let mut same: Vec<String> = first.files.keys().map(|path| path.to_str().unwrap().to_lowercase()).collect();
    assert!(same.iter().all(|path| path.split('/').all(|part| part.len() <= 255 && part != "..")), "{same:?}");
    same.sort();
    same.dedup();
    assert_eq!(same.len(), first.files.len());
    // A resource more does not move the others' files.
    if let Some(LiveKind::Read(found)) = live.kinds.get_mut("clients") {
        found.push(resource("clients", &json!({"name": "Another", "app_type": "spa"})));
    }
    let second = export(&live, &ExportOptions::default());
    assert!(first.files.keys().all(|path| second.files.contains_key(path)));
}

#[test]
fn names_that_repeat_carry_their_ids() {
    let mut live =
        live(&json!({"clients": [{"name": "Twin", "app_type": "spa"}, {"name": "Twin", "app_type": "native"}]}));
    if let Some(LiveKind::Read(found)) = live.kinds.get_mut("clients") {
        for (n, resource) in found.iter_mut().enumerate() {
            resource.id = format!("id_{n}");
            resource.address.id = Some(resource.id.clone());
        }
    }
    loads_back(&live);
}

#[test]
fn what_is_left_out_is_named() {
    let mut live = live(&json!({
        "clients": [{"name": "Mine"}, {"name": "Theirs"}, {"name": "Half", "app_type": "spa", "callbacks": []}],
    }));
    if let Some(LiveKind::Read(found)) = live.kinds.get_mut("clients") {
        found[0].system = Some("own".to_owned());
        found[1].system = Some("belongs to Auth0".to_owned());
        found[2].unreadable = vec![("callbacks".to_owned(), Unavailable::Scope(vec!["read:client_keys".to_owned()]))];
    }
    let scope = Unavailable::Scope(vec!["read:roles".to_owned()]);
    live.kinds.insert("roles".to_owned(), LiveKind::Unavailable(scope));
    live.kinds.insert("organizations".to_owned(), LiveKind::Unavailable(Unavailable::Feature("upgrade".to_owned())));
    live.kinds.shift_remove("rules");
    let export = export(&live, &ExportOptions::default());
    assert_eq!(export.files.keys().collect::<Vec<_>>(), [FsPath::new("clients/Half.yaml")]);
    assert_eq!(export.files["clients/Half.yaml".as_ref() as &FsPath], "name: Half\napp_type: spa\n");
    let report: Vec<String> = export
        .report
        .iter()
        .filter(|problem| problem.id != "export-empty-kind")
        .map(|problem| format!("{problem} ({})", problem.notes.join("; ")))
        .collect();
    insta::assert_snapshot!(report.join("\n"), @r##"
    [export-unreadable]: `roles` could not be read and are left out (this needs the scope `read:roles`)
    [export-unreadable]: `rules` were not read ()
    [export-unreadable]: clients/Half: `callbacks` could not be read and is left out (this needs the scope `read:client_keys`)
    [export-system]: left out of `clients`: 2 that belong to Auth0 or to this client (clients/Mine: this client stands on it; clients/Theirs: belongs to Auth0)
    [export-unavailable]: this tenant has no `organizations` (upgrade)
    "##);
    assert!(export.report.iter().any(|p| p.id == "export-empty-kind" && p.title.contains("`connections`")));
}

#[test]
fn what_nobody_has_set_is_left_out() {
    let live = live(&json!({
        "pages": [{"name": "error_page"}, {"name": "login", "html": "<html></html>", "enabled": true}],
        "prompts": {"customText": {"en": {"login": {}, "signup": {"signup": {"title": "Hi"}}}, "no": {"login": {}}}},
        "triggers": {"post-login": []},
    }));
    let export = export(&live, &options(Format::Single, FileFormat::Yaml));
    insta::assert_snapshot!(export.files["tenant.yaml".as_ref() as &FsPath], @r##"
    pages:
      - name: login
        html: pages/login.html
        enabled: true
    prompts:
      customText:
        en:
          signup:
            signup:
              title: Hi
    triggers:
      post-login: []
    "##);
}

#[test]
fn a_marker_in_code_is_warned_about() {
    let code = "const x = '##STAGE##';\n";
    let live = live(&json!({"actions": [
        {"name": "A", "code": code, "supported_triggers": [{"id": "post-login", "version": "v3"}]}]}));
    let export = export(&live, &ExportOptions::default());
    assert_eq!(export.files["actions/A/code.js".as_ref() as &FsPath], code);
    let problem = export.report.iter().find(|problem| problem.id == "export-marker").unwrap();
    assert!(problem.title.contains("`##STAGE##`"));
}

#[test]
fn members_and_resources_can_be_left_out() {
    let mut options = ExportOptions::default();
    options.without.insert("clients".to_owned(), vec!["jwt_configuration.alg".to_owned(), "callbacks".to_owned()]);
    options.filters.only_kinds = Some(vec!["clients".to_owned()]);
    options.filters.excluded_names.insert("clients".to_owned(), vec!["Gone".to_owned()]);
    options.ids = true;
    let live = live(&json!({
        "clients": [{"name": "A", "callbacks": ["https://a"], "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 60}}, {"name": "Gone"}],
        "roles": [{"name": "R"}],
    }));
    let export = export(&live, &options);
    assert_eq!(export.files.len(), 1);
    let text = &export.files["clients/A.yaml".as_ref() as &FsPath];
    assert_eq!(text, "name: A\nclient_id: id_1\njwt_configuration:\n  lifetime_in_seconds: 60\n");
}

#[test]
fn what_a_create_fills_in_is_left_out() {
    let spec = Registry::get().kind("resourceServers").unwrap();
    let (member, field) = spec.fields.members().find(|(_, f)| f.default == Some(json!(false)) && !f.read_only).unwrap();
    let mut members: Map = value(&json!({"name": "A", "identifier": "https://a"})).as_object().unwrap().clone();
    members.insert(member.clone(), Value::from_json(field.default.as_ref().unwrap()));
    let json = Value::Object(members).redacted();
    let export = export(&live(&json!({"resourceServers": [json]})), &ExportOptions::default());
    assert!(!export.files["resource-servers/A.yaml".as_ref() as &FsPath].contains(member.as_str()));
    // The tenant is never created: nothing fills it in.
    let tenant = Registry::get().kind("tenant").unwrap();
    if let Some((member, field)) =
        tenant.fields.members().find(|(_, f)| f.default.is_some() && !f.read_only && f.hours.is_none())
    {
        let live = live(&json!({"tenant": {member: field.default.clone()}}));
        let kept = files(Registry::get(), &live, &ExportOptions::default());
        assert!(kept.files["tenant.json".as_ref() as &FsPath].contains(member.as_str()));
    }
}
