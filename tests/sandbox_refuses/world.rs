//! A tenant with one object of every kind, and the names under which requests refer to their ids.

use std::collections::HashMap;

use serde_json::{Value, json};
use tenantry::sandbox::call::Method::{self, Get, Patch, Post, Put};

use super::harness::Sandbox;

/// Some RSA public key.
pub(crate) const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs8/9RN2qV8HZMunRt8mx\nihqnIX726YqxGwF+7x1A0gpk4TWRpMUWnaaL2D3Nt/Kd5obKM0THZPCuE+Xwncf4\nQloizZEn4jM3PNldweL9qwG160o2wXif2R5zLVQat9/188+Ko/sU/LorHgh23DMp\nznSwIN30AdLG1WRPxqP5s9abVT0WgBt1VuQobw4TS6QltFUnMSEMBsNtMSPK+NPJ\npz9s3ozqkNMLNSLZMTwgODQWchUr2YJeZa5RbM0u5Xt9oF0HtXH8db3L6Rp3TdIA\nuISnZ+mC7zRiCzWljkJZSBrqgtx6Su5wSve9cYGPS23zu3yeSapJWP7pki3G/GBz\nJQIDAQAB\n-----END PUBLIC KEY-----\n";

/// Ids of the objects by name: `{client}` in a path or body stands for one.
#[derive(Default)]
pub(crate) struct World {
    names: HashMap<&'static str, String>,
}

impl World {
    /// Puts ids for their names.
    pub(crate) fn path(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (name, id) in &self.names {
            out = out.replace(&format!("{{{name}}}"), id);
        }
        assert!(!out.contains('{'), "no object of that name: {out}");
        out
    }

    /// Puts ids for names everywhere in a body; texts that name no object stay as they are.
    pub(crate) fn body(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let name = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                name.and_then(|name| self.names.get(name)).map_or_else(|| value.clone(), |id| json!(id))
            }
            Value::Array(items) => items.iter().map(|item| self.body(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.body(member)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    async fn make(&mut self, sandbox: &Sandbox, name: &'static str, path: &str, body: Value) -> Value {
        let made = sandbox.done(Post, &self.path(path), &self.body(&body)).await;
        let id = ["id", "client_id", "custom_domain_id", "user_id"].iter().find_map(|member| made[*member].as_str());
        self.names.insert(name, id.expect("an id").to_owned());
        made
    }

    async fn write(&self, sandbox: &Sandbox, method: Method, path: &str, body: Value) -> Value {
        sandbox.done(method, &self.path(path), &self.body(&body)).await
    }

    /// Builds the tenant.
    pub(crate) async fn build(sandbox: &Sandbox) -> World {
        let mut world = World::default();
        world.names.insert("management", sandbox.management_api());
        world.names.insert("deployer", sandbox.deployer());
        world.clients(sandbox).await;
        world.people(sandbox).await;
        world.extensions(sandbox).await;
        world.organizations(sandbox).await;
        world.pages(sandbox).await;
        world
    }

    async fn clients(&mut self, sandbox: &Sandbox) {
        let all = sandbox.done(Get, "/clients?is_global=true", &Value::Null).await;
        self.names.insert("global", all[0]["client_id"].as_str().expect("a client").to_owned());
        self.make(sandbox, "client", "/clients", json!({"name": "Storefront", "client_aliases": ["store"]})).await;
        self.make(sandbox, "other_client", "/clients", json!({"name": "Back Office"})).await;
        let credential = json!({"credential_type": "public_key", "name": "first", "pem": KEY});
        self.make(sandbox, "credential", "/clients/{client}/credentials", credential.clone()).await;
        self.make(sandbox, "used_credential", "/clients/{client}/credentials", credential.clone()).await;
        self.make(sandbox, "foreign_credential", "/clients/{other_client}/credentials", credential).await;
        let block = json!({"private_key_jwt": {"credentials": [{"id": "{used_credential}"}]}});
        self.write(sandbox, Patch, "/clients/{client}", json!({"client_authentication_methods": block})).await;
        let scopes = json!([{"value": "read:things", "description": "Reads"}, {"value": "write:things"}]);
        let api = json!({"name": "Things", "identifier": "https://things.example.com/", "scopes": scopes});
        self.make(sandbox, "api", "/resource-servers", api).await;
        let grant = |client: &str, audience: &str| {
            json!({"client_id": client, "audience": audience, "scope": ["read:things"],
                "organization_usage": "allow", "allow_any_organization": false})
        };
        self.make(sandbox, "grant", "/client-grants", grant("{client}", "https://things.example.com/")).await;
        let other = json!({"client_id": "{other_client}", "audience": "https://things.example.com/", "scope": []});
        self.make(sandbox, "plain_grant", "/client-grants", other).await;
        let system = sandbox.done(Get, "/resource-servers?per_page=100", &Value::Null).await;
        let system = system.as_array().and_then(|list| list.iter().find(|api| api["is_system"] == true)).expect("it");
        self.names.insert("system_api", system["id"].as_str().expect("an id").to_owned());
    }

    async fn people(&mut self, sandbox: &Sandbox) {
        let database = json!({"name": "People", "strategy": "auth0", "enabled_clients": ["{client}"]});
        self.make(sandbox, "database", "/connections", database).await;
        let corp = json!({"name": "corp", "strategy": "oidc", "options": {"client_id": "x",
            "discovery_url": "https://idp.example.com/.well-known/openid-configuration"}});
        self.make(sandbox, "oidc", "/connections", corp).await;
        let spare = json!({"name": "spare", "strategy": "samlp", "options": {}});
        self.make(sandbox, "spare_connection", "/connections", spare).await;
        self.make(sandbox, "role", "/roles", json!({"name": "Reader", "description": "reads"})).await;
        self.make(sandbox, "other_role", "/roles", json!({"name": "Writer"})).await;
        let permission =
            json!({"resource_server_identifier": "https://things.example.com/", "permission_name": "read:things"});
        self.write(sandbox, Post, "/roles/{role}/permissions", json!({"permissions": [permission]})).await;
        let ana = json!({"connection": "People", "email": "ana@example.com", "password": "Correct-Horse-9-Battery"});
        self.make(sandbox, "user", "/users", ana).await;
    }

    async fn extensions(&mut self, sandbox: &Sandbox) {
        for (name, title) in [("action", "Enrich"), ("draft", "Draft"), ("mailer", "Mailer")] {
            let trigger = match name {
                "mailer" => json!({"id": "custom-email-provider", "version": "v1"}),
                _ => json!({"id": "post-login", "version": "v3"}),
            };
            let action = json!({"name": title, "code": "exports.onExecutePostLogin = async () => {};",
                "supported_triggers": [trigger]});
            self.make(sandbox, name, "/actions/actions", action).await;
            let path = self.path(&format!("/actions/actions/{{{name}}}"));
            for _ in 0..4 {
                sandbox.done(Get, &path, &Value::Null).await;
            }
        }
        self.write(sandbox, Post, "/actions/actions/{action}/deploy", Value::Null).await;
        self.write(sandbox, Post, "/actions/actions/{mailer}/deploy", Value::Null).await;
        let versions = self.write(sandbox, Get, "/actions/actions/{action}/versions", Value::Null).await;
        self.names.insert("version", versions["versions"][0]["id"].as_str().expect("an id").to_owned());
        let bindings =
            json!({"bindings": [{"ref": {"type": "action_id", "value": "{action}"}, "display_name": "Enrich"}]});
        self.write(sandbox, Patch, "/actions/triggers/post-login/bindings", bindings).await;
        self.make(sandbox, "rule", "/rules", json!({"name": "First", "script": "function () {}", "order": 1})).await;
        self.make(sandbox, "other_rule", "/rules", json!({"name": "Second", "script": "function () {}", "order": 2}))
            .await;
        self.write(sandbox, Put, "/rules-configs/KEY", json!({"value": "v"})).await;
    }

    async fn organizations(&mut self, sandbox: &Sandbox) {
        self.make(sandbox, "org", "/organizations", json!({"name": "acme", "display_name": "Acme"})).await;
        self.make(sandbox, "other_org", "/organizations", json!({"name": "globex"})).await;
        self.write(sandbox, Post, "/organizations/{org}/connections", json!({"connection_id": "{database}"})).await;
        self.write(sandbox, Post, "/organizations/{org}/client-grants", json!({"grant_id": "{grant}"})).await;
        let domain = json!({"domain": "acme.example.com"});
        self.make(sandbox, "discovery", "/organizations/{org}/discovery-domains", domain).await;
        let clients = json!({"clients": [{"client_id": "{client}", "use_for_member_access": true}]});
        self.write(sandbox, Post, "/organizations/{org}/clients", clients).await;
        self.write(sandbox, Post, "/organizations/{org}/members", json!({"members": ["{user}"]})).await;
    }

    async fn pages(&mut self, sandbox: &Sandbox) {
        let domain = json!({"domain": "login.example.com", "type": "auth0_managed_certs"});
        self.make(sandbox, "domain", "/custom-domains", domain).await;
        self.write(sandbox, Post, "/custom-domains/{domain}/verify", Value::Null).await;
        let page = json!({"template": "<!DOCTYPE html><html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>"});
        self.write(sandbox, Put, "/branding/templates/universal-login", page).await;
        let provider =
            json!({"name": "sendgrid", "credentials": {"api_key": "k"}, "default_from_address": "a@example.com"});
        self.write(sandbox, Post, "/emails/provider", provider).await;
        let template = json!({"template": "verify_email", "body": "<p/>", "from": "", "subject": "S", "syntax": "liquid", "enabled": true});
        self.write(sandbox, Post, "/email-templates", template).await;
    }
}
