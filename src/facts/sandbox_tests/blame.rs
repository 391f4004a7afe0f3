//! Who changed what.

use serde_json::{Value as Json, json};

use super::world::{World, tell};

const DANA: &str = "exact dana@travel0.com dashboard";
const DANA_MAYBE: &str = "resource only dana@travel0.com dashboard";
const NOBODY: &str = "unknown";

fn id<'j>(object: &'j Json, member: &str) -> &'j str {
    object[member].as_str().unwrap()
}

#[tokio::test]
async fn a_field_is_exact_where_a_write_holds_it() {
    let mut world = World::new().await;
    let app = json!({"name": "Shop", "callbacks": ["https://a", "https://b"], "description": "x",
        "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 5}});
    let made = world.ours("POST /clients", app).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", id(&made, "client_id"));
    world.dana(&line, json!({"callbacks": ["https://b", "https://debug"]})).await;
    let told = world.who("clients/Shop", &["callbacks[https://debug]", "callbacks[https://a]", "description"]).await;
    assert_eq!(tell(&told["callbacks[https://debug]"]), DANA);
    assert_eq!(tell(&told["callbacks[https://a]"]), DANA, "it was taken away");
    assert_eq!(tell(&told["description"]), DANA_MAYBE);
    let exact = &told["callbacks[https://debug]"];
    assert!(exact.at > world.since && exact.log_id.is_some() && exact.note.is_none());
    // What a nested object lacks is reset by the write that replaces it.
    world.dana(&line, json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring"}})).await;
    assert_eq!(world.told("clients/Shop", "refresh_token.leeway").await, DANA);
}

#[tokio::test]
async fn a_form_that_sends_all_again_has_changed_nothing() {
    let mut world = World::new().await;
    let made =
        world.ours("POST /clients", json!({"name": "Shop", "callbacks": ["https://a"], "description": "x"})).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", id(&made, "client_id"));
    let bob = world.person("Bob", "bob@travel0.com").await;
    world.send(&bob, &line, json!({"callbacks": ["https://a"], "description": "bob"}), &[]).await;
    world.dana(&line, json!({"callbacks": ["https://a", "https://dana"], "description": "bob"})).await;
    world.send(&bob, &line, json!({"callbacks": ["https://a", "https://dana"], "description": "again"}), &[]).await;
    assert_eq!(world.told("clients/Shop", "callbacks[https://dana]").await, DANA);
    assert_eq!(world.told("clients/Shop", "description").await, "exact bob@travel0.com dashboard");
}

#[tokio::test]
async fn machines_are_named_and_their_tools() {
    let mut world = World::new().await;
    let made = world.ours("POST /clients", json!({"name": "Shop"})).await;
    let robot = json!({"name": "Robot", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
    let robot = world.ours("POST /clients", robot).await;
    let audience = format!("https://{}/api/v2/", world.running.tenant_domain);
    let grant = json!({"client_id": robot["client_id"], "audience": audience, "scope": ["update:clients"]});
    world.ours("POST /client-grants", grant).await;
    world.deployed().await;
    let token = world.token_of(id(&robot, "client_id"), id(&robot, "client_secret"), None).await;
    let line = format!("PATCH /clients/{}", id(&made, "client_id"));
    let agent = [("user-agent", "Go-Auth0/1.0 Terraform-Provider-Auth0/1.7.1")];
    world.send(&token, &line, json!({"description": "x"}), &agent).await;
    assert_eq!(world.told("clients/Shop", "description").await, "exact Robot Terraform 1.7.1");
    // An SDK says its name in a header of its own.
    let sdk = [("user-agent", "node"), ("auth0-client", "eyJuYW1lIjoiYXV0aDAtZGVwbG95LWNsaSJ9")];
    world.send(&token, &line, json!({"description": "y"}), &sdk).await;
    assert_eq!(world.told("clients/Shop", "description").await, "exact Robot auth0-deploy-cli");
    world.send(&token, &line, json!({"description": "z"}), &[("user-agent", "curl")]).await;
    assert_eq!(world.told("clients/Shop", "description").await, "exact Robot API");
}

#[tokio::test]
async fn a_forged_correlation_id_hides_nobody() {
    let mut world = World::new().await;
    let shop = world.ours("POST /clients", json!({"name": "Shop"})).await;
    let mobile = world.ours("POST /clients", json!({"name": "Mobile"})).await;
    let mobile_line = format!("PATCH /clients/{}", id(&mobile, "client_id"));
    world.ours(&mobile_line, json!({"description": "ours"})).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", id(&shop, "client_id"));
    for forged in ["tenantry/01JFAKE/1", "tenantry/01JD7/3", "tenantry/01JD7/1"] {
        world.send(&world.dana, &line, json!({"description": forged}), &[("x-correlation-id", forged)]).await;
        let told = world.who("clients/Shop", &["description"]).await;
        assert_eq!(tell(&told["description"]), DANA, "{forged}");
        let note = told["description"].note.as_deref().unwrap();
        assert!(note.contains("no journal here holds") && !note.contains("01J"), "{note}");
    }
    // What does stand in a journal is nobody's.
    world.ours(&mobile_line, json!({"description": "ours again"})).await;
    let told = world.who("clients/Mobile", &["description"]).await;
    assert_eq!(tell(&told["description"]), NOBODY);
    assert!(told["description"].note.as_deref().unwrap().contains("may lag"), "{told:?}");
}

#[tokio::test]
async fn who_deleted_made_anew_and_renamed() {
    let mut world = World::new().await;
    let api = json!({"name": "Orders", "identifier": "https://orders", "scopes": [{"value": "read:orders"}]});
    world.ours("POST /resource-servers", api).await;
    let shop = world.ours("POST /clients", json!({"name": "Shop", "app_type": "non_interactive"})).await;
    let mobile = world.ours("POST /clients", json!({"name": "Mobile"})).await;
    let web = world.ours("POST /clients", json!({"name": "Web"})).await;
    let grant = json!({"client_id": shop["client_id"], "audience": "https://orders", "scope": ["read:orders"]});
    world.ours("POST /client-grants", grant).await;
    world.ours("PUT /rules-configs/KEY", json!({"value": "v"})).await;
    world.deployed().await;
    world.dana(&format!("DELETE /clients/{}", id(&shop, "client_id")), Json::Null).await;
    assert_eq!(world.told("clients/Shop", "").await, DANA);
    // The grant went with its client: no entry of its own.
    let grant = world.base.resources.keys().find(|a| a.kind == "clientGrants" && a.to_string().contains("Shop"));
    let grant = grant.unwrap().to_string();
    let told = world.who(&grant, &[]).await;
    assert_eq!(tell(&told[""]), DANA);
    assert_eq!(told[""].note.as_deref(), Some("deleted along with clients/Shop"));
    world.dana(&format!("DELETE /clients/{}", id(&mobile, "client_id")), Json::Null).await;
    let bob = world.person("Bob", "bob@travel0.com").await;
    world.send(&bob, "POST /clients", json!({"name": "Mobile"}), &[]).await;
    assert_eq!(world.told("clients/Mobile", "").await, "exact bob@travel0.com dashboard");
    world.dana(&format!("PATCH /clients/{}", id(&web, "client_id")), json!({"name": "Website"})).await;
    assert_eq!(world.told("clients/Web", "name").await, DANA, "found by the id the base remembers");
    world.dana("DELETE /rules-configs/KEY", Json::Null).await;
    assert_eq!(world.told("rulesConfigs/KEY", "").await, DANA);
    // Without a base the log itself tells which id had the name, for as long as it remembers.
    world.base = crate::model::Base::default();
    world.since = None;
    assert_eq!(world.told("clients/Shop", "").await, DANA);
}

#[tokio::test]
async fn lists_behind_endpoints_of_their_own() {
    let mut world = World::new().await;
    let api = json!({"name": "Orders", "identifier": "https://orders",
        "scopes": [{"value": "read:orders"}, {"value": "write:orders"}]});
    world.ours("POST /resource-servers", api).await;
    let shop = world.ours("POST /clients", json!({"name": "Shop"})).await;
    let role = world.ours("POST /roles", json!({"name": "Clerk"})).await;
    let database = world.ours("POST /connections", json!({"name": "Users", "strategy": "auth0"})).await;
    let organization = world.ours("POST /organizations", json!({"name": "acme"})).await;
    let (database_id, role_id) = (id(&database, "id").to_owned(), id(&role, "id").to_owned());
    let links = format!("/organizations/{}/enabled_connections", id(&organization, "id"));
    let links = links.replace("enabled_connections", "connections");
    world.ours(&format!("POST {links}"), json!({"connection_id": database_id})).await;
    let clients = format!("PATCH /connections/{database_id}/clients");
    world.ours(&clients, json!([{"client_id": shop["client_id"], "status": true}])).await;
    world.deployed().await;
    let permission = |name: &str| json!({"permissions": [{"resource_server_identifier": "https://orders", "permission_name": name}]});
    world.dana(&format!("POST /roles/{role_id}/permissions"), permission("write:orders")).await;
    assert_eq!(world.told("roles/Clerk", "permissions[https://orders write:orders]").await, DANA);
    assert_eq!(world.told("roles/Clerk", "permissions[https://orders read:orders]").await, NOBODY);
    assert_eq!(world.told("roles/Clerk", "description").await, NOBODY, "permissions are none of the role's own fields");
    world.dana(&clients, json!([{"client_id": shop["client_id"], "status": false}])).await;
    assert_eq!(world.told("databases/Users", "enabled_clients[Shop]").await, DANA);
    assert_eq!(world.told("databases/Users", "enabled_clients[Other]").await, NOBODY);
    world.dana(&format!("PATCH {links}/{database_id}"), json!({"assign_membership_on_login": true})).await;
    assert_eq!(world.told("organizations/acme", "connections[Users].assign_membership_on_login").await, DANA);
    world.dana(&format!("DELETE {links}/{database_id}"), Json::Null).await;
    assert_eq!(world.told("organizations/acme", "connections[Users]").await, DANA);
    // Members are people: they say nothing of the organization.
    let user =
        world.ours("POST /users", json!({"connection": "Users", "email": "a@b.c", "password": "pA5$word!x"})).await;
    let members = format!("POST /organizations/{}/members", id(&organization, "id"));
    world.dana(&members, json!({"members": [user["user_id"]]})).await;
    assert_eq!(world.told("organizations/acme", "display_name").await, NOBODY);
}

#[tokio::test]
async fn singletons_parts_and_places() {
    let mut world = World::new().await;
    world.deployed().await;
    world.dana("PATCH /tenants/settings", json!({"friendly_name": "T", "session_lifetime": 3})).await;
    assert_eq!(world.told("tenant", "friendly_name").await, DANA);
    assert_eq!(world.told("tenant", "support_email").await, DANA_MAYBE);
    world.dana("PATCH /tenants/settings", json!({"change_password": {"enabled": true, "html": "<html></html>"}})).await;
    assert_eq!(world.told("pages/password_reset", "html").await, DANA);
    assert_eq!(world.told("pages/error_page", "html").await, NOBODY);
    world.dana("PATCH /attack-protection/captcha", json!({"active_provider_id": "auth_challenge"})).await;
    assert_eq!(world.told("attackProtection", "captcha.active_provider_id").await, DANA);
    assert_eq!(world.told("attackProtection", "bruteForceProtection.enabled").await, NOBODY);
    world.dana("PUT /prompts/login/custom-text/en", json!({"login": {"title": "Hi"}})).await;
    assert_eq!(world.told("prompts", "customText.en.login.login.title").await, DANA);
    assert_eq!(world.told("prompts", "customText.de.login.login.title").await, NOBODY);
    let action = json!({"name": "Enrich", "code": "exports.onExecutePostLogin = async () => {};",
        "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    let action = world.dana("POST /actions/actions", action).await;
    assert_eq!(world.told("actions/Enrich", "").await, DANA);
    world.dana(&format!("PATCH /actions/actions/{}", id(&action, "id")), json!({"code": "//"})).await;
    assert_eq!(world.told("actions/Enrich", "code").await, DANA);
    world.dana("PATCH /branding", json!({"logo_url": "https://travel0.com/logo.png"})).await;
    assert_eq!(world.told("branding", "logo_url").await, DANA);
    let mail = json!({"template": "welcome_email", "body": "x", "from": "a@b.c", "subject": "s", "syntax": "liquid", "enabled": true});
    world.dana("POST /email-templates", mail).await;
    assert_eq!(world.told("emailTemplates/welcome_email", "").await, DANA);
    world.dana("PATCH /email-templates/welcome_email", json!({"subject": "t"})).await;
    assert_eq!(world.told("emailTemplates/welcome_email", "subject").await, DANA);
}

#[tokio::test]
async fn nothing_of_a_body_is_told() {
    let mut world = World::new().await;
    let made = world.ours("POST /clients", json!({"name": "Shop"})).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", id(&made, "client_id"));
    world.dana(&line, json!({"description": "hunter2", "client_metadata": {"k": "hunter2"}})).await;
    let facts =
        world.answer(&world.client, &super::world::asks("clients/Shop", &["description", "client_metadata.k"])).await;
    assert!(!format!("{facts:?}").contains("hunter2"));
    assert_eq!(facts.requests, 1);
}
