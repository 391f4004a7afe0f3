//! Every operation that writes one of the kinds, with a request the API accepts.

use serde_json::{Value, json};
use tenantry::sandbox::call::Method::{self, Delete, Patch, Post, Put};

use super::world::KEY;

/// A request that is accepted.
pub(crate) struct Good {
    pub(crate) kind: &'static str,
    pub(crate) method: Method,
    /// Path with `{names}` of objects.
    pub(crate) path: &'static str,
    /// Status of the answer.
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// What has to be deleted first.
    pub(crate) without: Option<&'static str>,
}

const fn good(kind: &'static str, method: Method, path: &'static str, status: u16, body: Value) -> Good {
    Good { kind, method, path, status, body, without: None }
}

/// Returns all of them.
pub(crate) fn all() -> Vec<Good> {
    [clients(), connections(), people(), extensions(), pages(), emails(), organizations()]
        .into_iter()
        .flatten()
        .collect()
}

fn clients() -> Vec<Good> {
    let credential = json!({"credential_type": "public_key", "pem": KEY});
    let scope = json!([{"value": "read:more", "description": "More"}]);
    let grant = json!({"client_id": "{other_client}", "audience": "{management}", "scope": ["read:clients"]});
    vec![
        good("clients", Post, "/clients", 201, json!({"name": "New"})),
        good("clients", Patch, "/clients/{client}", 200, json!({"description": "d"})),
        good("clients", Post, "/clients/{other_client}/rotate-secret", 200, Value::Null),
        good("clients", Delete, "/clients/{other_client}", 204, Value::Null),
        good("clientCredentials", Post, "/clients/{other_client}/credentials", 201, credential),
        good(
            "clientCredentials",
            Patch,
            "/clients/{client}/credentials/{credential}",
            200,
            json!({"expires_at": null}),
        ),
        good("clientCredentials", Delete, "/clients/{client}/credentials/{credential}", 204, Value::Null),
        good("resourceServers", Post, "/resource-servers", 201, json!({"identifier": "urn:new", "scopes": scope})),
        good("resourceServers", Patch, "/resource-servers/{api}", 200, json!({"name": "Things", "scopes": scope})),
        good("resourceServers", Delete, "/resource-servers/{api}", 204, Value::Null),
        good("clientGrants", Post, "/client-grants", 201, grant),
        good("clientGrants", Patch, "/client-grants/{grant}", 200, json!({"scope": ["write:things"]})),
        good("clientGrants", Delete, "/client-grants/{grant}", 204, Value::Null),
    ]
}

fn connections() -> Vec<Good> {
    let clients = json!([{"client_id": "{client}", "status": true}]);
    let database = json!({"name": "New-Database", "strategy": "auth0", "options": {"passwordPolicy": "good"}});
    vec![
        good("connections", Post, "/connections", 201, json!({"name": "new", "strategy": "google-oauth2"})),
        good("connections", Patch, "/connections/{oidc}", 200, json!({"display_name": "Corp"})),
        good("connections", Delete, "/connections/{spare_connection}", 202, Value::Null),
        good("connections", Patch, "/connections/{oidc}/clients", 204, clients.clone()),
        good("databases", Post, "/connections", 201, database),
        good("databases", Patch, "/connections/{database}", 200, json!({"options": {"passwordPolicy": "fair"}})),
        good("databases", Delete, "/connections/{database}", 202, Value::Null),
        good("databases", Patch, "/connections/{database}/clients", 204, clients),
    ]
}

fn people() -> Vec<Good> {
    let permissions = json!({"permissions": [
        {"resource_server_identifier": "https://things.example.com/", "permission_name": "write:things"}]});
    vec![
        good("roles", Post, "/roles", 200, json!({"name": "New", "description": "d"})),
        good("roles", Patch, "/roles/{role}", 200, json!({"description": "e"})),
        good("roles", Delete, "/roles/{role}", 200, Value::Null),
        good("roles", Post, "/roles/{role}/permissions", 201, permissions.clone()),
        good("roles", Delete, "/roles/{role}/permissions", 204, permissions),
    ]
}

fn extensions() -> Vec<Good> {
    let trigger = json!([{"id": "post-login", "version": "v3"}]);
    let action = json!({"name": "New", "supported_triggers": trigger, "code": "x",
        "dependencies": [{"name": "lodash", "version": "4.17.21"}], "secrets": [{"name": "K", "value": "v"}]});
    let bindings = json!({"bindings": [{"ref": {"type": "action_id", "value": "{action}"}, "display_name": "E"}]});
    vec![
        good("actions", Post, "/actions/actions", 201, action),
        good("actions", Patch, "/actions/actions/{draft}", 200, json!({"code": "y"})),
        good("actions", Delete, "/actions/actions/{draft}", 204, Value::Null),
        good("actions", Post, "/actions/actions/{draft}/deploy", 200, Value::Null),
        good("actions", Post, "/actions/actions/{action}/versions/{version}/deploy", 200, Value::Null),
        good("triggers", Patch, "/actions/triggers/post-login/bindings", 200, bindings),
        good("rules", Post, "/rules", 201, json!({"name": "Third", "script": "function () {}"})),
        good("rules", Patch, "/rules/{rule}", 200, json!({"enabled": false})),
        good("rules", Delete, "/rules/{rule}", 204, Value::Null),
        good("rulesConfigs", Put, "/rules-configs/KEY", 200, json!({"value": "w"})),
        good("rulesConfigs", Delete, "/rules-configs/KEY", 204, Value::Null),
    ]
}

fn pages() -> Vec<Good> {
    let page = json!({"template": "<!DOCTYPE html><html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>"});
    let text = json!({"login": {"title": "Welcome"}});
    let partials = json!({"login": {"form-content-start": "<b>x</b>"}});
    let configs = json!({"configs": [{"prompt": "login-id", "screen": "login-id", "rendering_mode": "advanced"}]});
    let stage = json!({"enabled": true, "stage": {"pre-login": {"max_attempts": 10, "rate": 34560}}});
    vec![
        good("tenant", Patch, "/tenants/settings", 200, json!({"friendly_name": "Acme"})),
        good(
            "pages",
            Patch,
            "/tenants/settings",
            200,
            json!({"error_page": {"html": "<p/>", "show_log_link": true, "url": ""}}),
        ),
        good(
            "pages",
            Patch,
            "/clients/{global}",
            200,
            json!({"custom_login_page": "<p/>", "custom_login_page_on": true}),
        ),
        good("branding", Patch, "/branding", 200, json!({"colors": {"primary": "#ff0000"}})),
        good("branding", Put, "/branding/templates/universal-login", 204, page),
        good("branding", Delete, "/branding/templates/universal-login", 204, Value::Null),
        good("prompts", Patch, "/prompts", 200, json!({"universal_login_experience": "new"})),
        good("prompts", Put, "/prompts/login/custom-text/en", 200, text),
        good("prompts", Put, "/prompts/login/partials", 200, partials),
        good(
            "prompts",
            Patch,
            "/prompts/login-id/screen/login-id/rendering",
            200,
            json!({"rendering_mode": "advanced"}),
        ),
        good("prompts", Patch, "/prompts/rendering", 200, configs),
        good("attackProtection", Patch, "/attack-protection/bot-detection", 200, json!({"bot_detection_level": "low"})),
        good(
            "attackProtection",
            Patch,
            "/attack-protection/breached-password-detection",
            200,
            json!({"enabled": true}),
        ),
        good("attackProtection", Patch, "/attack-protection/brute-force-protection", 200, json!({"max_attempts": 5})),
        good(
            "attackProtection",
            Patch,
            "/attack-protection/captcha",
            200,
            json!({"active_provider_id": "auth_challenge"}),
        ),
        good("attackProtection", Patch, "/attack-protection/suspicious-ip-throttling", 200, stage),
    ]
}

fn emails() -> Vec<Good> {
    let provider = json!({"name": "sendgrid", "credentials": {"api_key": "k"}});
    let template = |name: &str| json!({"template": name, "body": "<p/>", "from": "", "subject": "S", "syntax": "liquid", "enabled": true});
    vec![
        Good { without: Some("/emails/provider"), ..good("emailProvider", Post, "/emails/provider", 201, provider) },
        good("emailProvider", Patch, "/emails/provider", 200, json!({"enabled": false})),
        good("emailProvider", Delete, "/emails/provider", 204, Value::Null),
        good("emailTemplates", Post, "/email-templates", 200, template("welcome_email")),
        good("emailTemplates", Patch, "/email-templates/verify_email", 200, json!({"subject": "T"})),
        good("emailTemplates", Put, "/email-templates/verify_email", 200, template("verify_email")),
    ]
}

fn organizations() -> Vec<Good> {
    let clients = json!({"clients": [{"client_id": "{other_client}", "use_for_member_access": true}]});
    let link = json!({"connection_id": "{oidc}"});
    vec![
        good("organizations", Post, "/organizations", 201, json!({"name": "initech", "display_name": "Initech"})),
        good("organizations", Patch, "/organizations/{org}", 200, json!({"display_name": "Acme Inc"})),
        good("organizations", Delete, "/organizations/{org}", 204, Value::Null),
        good("organizations", Post, "/organizations/{org}/connections", 201, link.clone()),
        good(
            "organizations",
            Patch,
            "/organizations/{org}/connections/{database}",
            200,
            json!({"show_as_button": false}),
        ),
        good("organizations", Delete, "/organizations/{org}/connections/{database}", 204, Value::Null),
        good("organizations", Post, "/organizations/{org}/enabled_connections", 201, link),
        good(
            "organizations",
            Patch,
            "/organizations/{org}/enabled_connections/{database}",
            200,
            json!({"show_as_button": false}),
        ),
        good("organizations", Delete, "/organizations/{org}/enabled_connections/{database}", 204, Value::Null),
        good("organizations", Post, "/organizations/{other_org}/client-grants", 201, json!({"grant_id": "{grant}"})),
        good("organizations", Delete, "/organizations/{org}/client-grants/{grant}", 204, Value::Null),
        good(
            "organizations",
            Post,
            "/organizations/{org}/discovery-domains",
            201,
            json!({"domain": "new.example.com"}),
        ),
        good(
            "organizations",
            Patch,
            "/organizations/{org}/discovery-domains/{discovery}",
            200,
            json!({"status": "verified"}),
        ),
        good("organizations", Delete, "/organizations/{org}/discovery-domains/{discovery}", 204, Value::Null),
        good("organizations", Post, "/organizations/{org}/clients", 201, clients),
        good(
            "organizations",
            Patch,
            "/organizations/{org}/clients/{client}",
            200,
            json!({"use_for_member_access": false}),
        ),
        good("organizations", Delete, "/organizations/{org}/clients/{client}", 204, Value::Null),
        good("organizations", Delete, "/organizations/{org}/clients", 204, json!({"clients": ["{client}"]})),
    ]
}
