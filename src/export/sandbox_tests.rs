//! What the API itself returns is exported, loaded and planned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::tests::{all_options, load};
use super::*;
use crate::api::{Client, Credentials, Method, Settings, Write};
use crate::model::Secret;
use crate::{live, plan, sandbox};

async fn send(client: &Client, method: Method, path: &str, body: Json) -> Json {
    let write = Write { method, path: path.to_owned(), body: Some(body), correlation_id: None };
    client.send(write).await.unwrap_or_else(|failure| panic!("{path}: {:?}", failure.problem())).body
}

async fn connect(running: &sandbox::Running) -> Client {
    let settings = Settings {
        domain: running.url.clone(),
        audience: Some(format!("https://{}/api/v2/", running.tenant_domain)),
        credentials: Credentials::Secret {
            client_id: running.client_id.clone(),
            client_secret: Secret::new(running.client_secret.clone(), "the sandbox"),
        },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 3,
        user_agent: "tenantry".to_owned(),
    };
    Client::connect(settings, tokio_util::sync::CancellationToken::new()).await.unwrap()
}

/// Exports kind by kind, as a backup does.
fn gradual(found: &live::Found, options: &ExportOptions) -> Export {
    let registry = Registry::get();
    let mut survey = Survey::new(registry, options);
    for spec in registry.kinds() {
        let kind = found.kind(spec).unwrap();
        survey.kind(spec, Some(kind.as_ref().map(|kind| kind as &dyn Resources).map_err(|why| *why)));
    }
    let mut writing = survey.written();
    let mut files = IndexMap::new();
    for spec in registry.kinds() {
        let mut take = |path, text| {
            assert_eq!(files.insert(path, text), None, "each file is written once");
            Ok(())
        };
        let kind = found.kind(spec).unwrap();
        let kind = kind.as_ref().map(|kind| kind as &dyn Resources).map_err(|why| *why);
        writing.kind(spec, Some(kind), &mut take).unwrap();
    }
    let mut done = writing.finish();
    done.files.extend(files);
    done.files.sort_keys();
    done
}

fn assert_same(one: &Export, other: &Export) {
    assert_eq!(one.files, other.files);
    assert_eq!(one.secrets, other.secrets);
    assert_eq!(format!("{:?}", one.report), format!("{:?}", other.report));
}

#[tokio::test]
async fn what_the_api_returns_loads_back() {
    let running = sandbox::start(sandbox::Options { rate: None, ..sandbox::Options::default() }).await.unwrap();
    let client = connect(&running).await;
    let api =
        json!({"name": "Orders", "identifier": "https://orders.acme.example", "scopes": [{"value": "read:orders"}]});
    send(&client, Method::POST, "/resource-servers", api).await;
    let shop = json!({"name": "Shop", "app_type": "spa", "callbacks": ["https://shop.acme.example/##X##"],
        "client_metadata": {"on": "no"}, "custom_login_page": "<html>\n</html>"});
    let shop = send(&client, Method::POST, "/clients", shop).await;
    let worker =
        send(&client, Method::POST, "/clients", json!({"name": "Worker", "app_type": "non_interactive"})).await;
    let grant =
        json!({"client_id": worker["client_id"], "audience": "https://orders.acme.example", "scope": ["read:orders"]});
    send(&client, Method::POST, "/client-grants", grant).await;
    let role = send(&client, Method::POST, "/roles", json!({"name": "Agent", "description": "Sells"})).await;
    let permissions = json!({"permissions": [
        {"resource_server_identifier": "https://orders.acme.example", "permission_name": "read:orders"}]});
    let path = format!("/roles/{}/permissions", role["id"].as_str().unwrap());
    send(&client, Method::POST, &path, permissions).await;
    for name in ["shop", "SHOP"] {
        send(&client, Method::POST, "/clients", json!({"name": name, "app_type": "native"})).await;
    }
    let action = json!({"name": "Enrich", "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "code": "exports.onExecutePostLogin = async () => {};\n", "secrets": [{"name": "KEY", "value": "hunter2"}]});
    send(&client, Method::POST, "/actions/actions", action).await;
    // Its secret would have the same name.
    let action = json!({"name": "enrich", "supported_triggers": [{"id": "post-login", "version": "v3"}],
        "code": "exports.onExecutePostLogin = async () => {};\n", "secrets": [{"name": "KEY", "value": "hunter2"}]});
    send(&client, Method::POST, "/actions/actions", action).await;
    let database = json!({"name": "Users", "strategy": "auth0", "enabled_clients": [shop["client_id"]],
        "options": {"customScripts": {"login": "function login() {}"}, "enabledDatabaseCustomization": true}});
    let database = send(&client, Method::POST, "/connections", database).await;
    let oidc = json!({"name": "globex", "strategy": "oidc", "options": {"client_id": "abc", "client_secret": "hunter2",
        "type": "back_channel", "issuer": "https://globex.example", "authorization_endpoint": "https://globex.example/authorize",
        "token_endpoint": "https://globex.example/token", "jwks_uri": "https://globex.example/jwks", "scope": "openid"}});
    send(&client, Method::POST, "/connections", oidc).await;
    let organization = json!({"name": "acme", "display_name": "ACME",
        "enabled_connections": [{"connection_id": database["id"], "assign_membership_on_login": true}]});
    send(&client, Method::POST, "/organizations", organization).await;
    send(&client, Method::PATCH, "/branding", json!({"colors": {"primary": "#ff0000"}})).await;
    send(&client, Method::PATCH, "/tenants/settings", json!({"friendly_name": "Acme"})).await;

    let kinds: BTreeSet<String> = Registry::get().names().map(str::to_owned).collect();
    let (live, names) = live::read(&client, Registry::get(), live::Reach::Whole(&kinds)).await.unwrap();
    let found = live::gather(&client, Registry::get(), live::Reach::Whole(&kinds)).await.unwrap();
    for options in all_options() {
        let export = files(Registry::get(), &live, &options);
        assert_same(&gradual(&found, &options), &export);
        assert!(!format!("{export:?} {:?}", export.files).contains("hunter2"), "{:#?}", export.files);
        let mut desired = load(&export).desired;
        let problems = plan::complete(Registry::get(), &mut desired, &live, &names);
        assert!(!problems.iter().any(Problem::is_error), "{problems:#?}");
        let planned = plan::make(Registry::get(), &desired, &live, None, &plan::Options::default());
        assert!(!planned.has_changes(), "{:#?}\n{:#?}", planned.changes, export.files);
        assert!(planned.unchanged.len() > 6, "{:?}", planned.unchanged);
        assert!(!export.report.iter().any(|p| p.id == "export-unreadable"), "{:#?}", export.report);
    }
    running.stop().await;
}
