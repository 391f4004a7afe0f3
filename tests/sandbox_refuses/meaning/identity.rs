//! Clients, credentials, APIs, grants, roles and connections.

use super::*;

fn clients() -> Vec<Refused> {
    let named = |extra: Value| {
        let mut body = json!({"name": "New"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let (post, patch) = ((Post, "/clients"), (Patch, "/clients/{other_client}"));
    let landing = json!({"my_organization_configuration": {"allowed_strategies": ["oidc"],
        "connection_deletion_behavior": "allow", "invitation_landing_client_id": "nobody"}});
    let organization =
        json!({"default_organization": {"organization_id": "org_0123456789abcdef", "flows": ["client_credentials"]}});
    let third = "Organizations are only available to first party clients";
    let block = |id: &str| json!({"client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": id}]}}});
    let keys = |count: usize| {
        let key = json!({"credential_type": "public_key", "pem": super::super::world::KEY});
        json!({"client_authentication_methods": {"private_key_jwt": {"credentials": vec![key; count]}}})
    };
    let long = json!({"client_metadata": {"a": "x".repeat(256)}});
    let many: serde_json::Map<String, Value> = (0..11).map(|n| (format!("k{n}"), json!("v"))).collect();
    vec![
        refused("clients", "repeated", post, named(json!({"client_aliases": ["store"]})), (409, Some("client_alias_conflict")), "same alias"),
        refused("clients", "dangling", post, named(organization.clone()), INVALID, "org_0123456789abcdef does not exist"),
        refused("clients", "dangling", patch, organization, INVALID, "org_0123456789abcdef does not exist"),
        refused("clients", "dangling", post, named(json!({"app_type": "resource_server", "resource_server_identifier": "urn:none"})), INVALID, "resource server"),
        refused("clients", "dangling", post, named(landing.clone()), (404, None), "Client ID for Invitations could not be found"),
        refused("clients", "dangling", patch, landing, (404, None), "Client ID for Invitations could not be found"),
        refused("clients", "dangling", patch, block("cred_x"), INVALID, "cred_x"),
        refused("clients", "dangling", (Patch, "/clients/{client}"), block("{foreign_credential}"), INVALID, "does not exist on this client"),
        refused("clients", "rule", (Patch, "/clients/{client}"), json!({"token_endpoint_auth_method": "client_secret_post"}), INVALID, "mutually exclusive"),
        refused("clients", "rule", post, named({
            let mut body = keys(1);
            body["token_endpoint_auth_method"] = json!("none");
            body
        }), INVALID, "mutually exclusive"),
        refused("clients", "rule", post, named(keys(3)), INVALID, "more than 2 credentials"),
        refused("clients", "limit", post, named(long.clone()), INVALID, "client_metadata.a"),
        refused("clients", "limit", patch, long, INVALID, "client_metadata.a"),
        refused("clients", "limit", patch, json!({"client_metadata": many}), INVALID, "client_metadata"),
        refused("clients", "rule", post, named(json!({"is_first_party": false, "organization_usage": "allow"})), (403, None), third),
        refused("clients", "rule", post, named(json!({"is_first_party": false, "organization_require_behavior": "no_prompt"})), (403, None), third),
        refused("clients", "rule", patch, json!({"is_first_party": false, "organization_usage": "require"}), (403, None), third),
        refused("clients", "immutable", patch, json!({"third_party_security_mode": "strict"}), INVALID, "third_party_security_mode"),
        refused("clients", "immutable", patch, json!({"jwt_configuration": {"secret_encoded": true}}), INVALID, "secret_encoded"),
        refused("clients", "immutable", patch, json!({"resource_server_identifier": "urn:a"}), INVALID, "resource_server_identifier"),
        refused("clients", "immutable", patch, json!({"client_id": "a"}), INVALID, "client_id"),
        refused("clients", "immutable", patch, json!({"global": true}), INVALID, "global"),
        refused("clients", "protected", (Delete, "/clients/{global}"), Value::Null, (400, Some("operation_not_supported")), "Global client cannot be deleted."),
    ]
}

fn credentials() -> Vec<Refused> {
    let post = (Post, "/clients/{other_client}/credentials");
    let body = |kind: &str, pem: &str| json!({"credential_type": kind, "pem": pem});
    let key = super::super::world::KEY;
    vec![
        refused("clientCredentials", "rule", post, body("public_key", "no pem"), INVALID, "pem"),
        refused("clientCredentials", "rule", post, body("x509_cert", key), INVALID, "X.509"),
        refused("clientCredentials", "rule", post, json!({"credential_type": "public_key"}), INVALID, "pem"),
        refused("clientCredentials", "rule", post, json!({"credential_type": "cert_subject_dn"}), INVALID, "subject_dn"),
        refused("clientCredentials", "rule", post, json!({"credential_type": "public_key", "pem": key, "subject_dn": "CN=a"}), INVALID, "subject_dn"),
        refused("clientCredentials", "limit", (Post, "/clients/{client}/credentials"), body("public_key", key), INVALID, "more than 2 credentials"),
        refused("clientCredentials", "immutable", (Patch, "/clients/{client}/credentials/{credential}"), json!({"name": "other"}), INVALID, "name"),
        refused("clientCredentials", "protected", (Delete, "/clients/{client}/credentials/{used_credential}"), Value::Null, INVALID, "in use"),
    ]
}

fn apis() -> Vec<Refused> {
    let unsupported = (400, Some("operation_not_supported"));
    let twice = json!([{"value": "a"}, {"value": "a"}]);
    let many: Vec<Value> = (0..1001).map(|n| json!({"value": format!("s{n}")})).collect();
    let pem = json!({"format": "compact-nested-jwe", "encryption_key": {"alg": "RSA-OAEP-256", "pem": "none"}});
    let conflict = (409, Some("resource_server_conflict"));
    vec![
        refused("resourceServers", "repeated", (Post, "/resource-servers"), json!({"identifier": "https://things.example.com/"}), conflict, "same identifier"),
        refused("resourceServers", "repeated", (Post, "/resource-servers"), json!({"identifier": "{management}"}), conflict, "same identifier"),
        refused("resourceServers", "rule", (Post, "/resource-servers"), json!({"identifier": "https://sandbox.eu.auth0.com/userinfo"}), INVALID, "reserved"),
        refused("resourceServers", "rule", (Post, "/resource-servers"), json!({"identifier": "urn:a", "scopes": twice.clone()}), INVALID, "scopes"),
        refused("resourceServers", "rule", (Patch, "/resource-servers/{api}"), json!({"scopes": twice}), INVALID, "scopes"),
        refused("resourceServers", "limit", (Patch, "/resource-servers/{api}"), json!({"scopes": many}), INVALID, "scopes"),
        refused("resourceServers", "rule", (Patch, "/resource-servers/{api}"), json!({"token_encryption": pem}), INVALID, "token_encryption"),
        refused("resourceServers", "immutable", (Patch, "/resource-servers/{api}"), json!({"identifier": "urn:b"}), INVALID, "identifier"),
        refused("resourceServers", "immutable", (Patch, "/resource-servers/{api}"), json!({"is_system": true}), INVALID, "is_system"),
        refused("resourceServers", "protected", (Patch, "/resource-servers/{system_api}"), json!({"name": "Mine"}), unsupported, "System resource servers cannot be patched."),
        refused("resourceServers", "protected", (Patch, "/resource-servers/{system_api}"), json!({"scopes": []}), unsupported, "cannot be patched."),
        refused("resourceServers", "protected", (Delete, "/resource-servers/{system_api}"), Value::Null, unsupported, "System resource servers cannot be deleted."),
    ]
}

fn grants() -> Vec<Refused> {
    let things = "https://things.example.com/";
    let post = (Post, "/client-grants");
    let body = |client: &str, audience: &str| json!({"client_id": client, "audience": audience, "scope": []});
    let with = |extra: Value| {
        let mut body = json!({"client_id": "{deployer}", "audience": things});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let unique = "not unique (indexes 0 and 1)";
    vec![
        refused("clientGrants", "dangling", post, body("nobody", things), (404, Some("inexistent_client")), "Client not found"),
        refused("clientGrants", "dangling", post, body("{client}", "urn:none"), (404, Some("inexistent_resource_server")), "Resource server not found"),
        refused("clientGrants", "dangling", post, with(json!({"scope": ["no:such"]})), INVALID, "no:such"),
        refused("clientGrants", "dangling", (Patch, "/client-grants/{grant}"), json!({"scope": ["no:such"]}), INVALID, "no:such"),
        refused("clientGrants", "repeated", post, body("{client}", things), (409, Some("client_grant_conflict")), "already exists"),
        refused("clientGrants", "unique", post, with(json!({"scope": ["read:things", "read:things"]})), INVALID, unique),
        refused("clientGrants", "rule", post, json!({"audience": things}), INVALID, "client_id"),
        refused("clientGrants", "rule", post, with(json!({"default_for": "third_party_clients"})), INVALID, "default_for"),
        refused("clientGrants", "rule", post, with(json!({"allow_all_scopes": true, "scope": ["read:things"]})), INVALID, "allow_all_scopes"),
        refused("clientGrants", "rule", (Patch, "/client-grants/{grant}"), json!({"allow_all_scopes": true, "scope": ["read:things"]}), INVALID, "allow_all_scopes"),
        refused("clientGrants", "rule", post, body("{global}", things), (400, Some("validation_error")), "client"),
        refused("clientGrants", "rule", post, json!({"default_for": "third_party_clients", "audience": "{management}"}), (400, Some("validation_error")), "third-party"),
        refused("clientGrants", "immutable", (Patch, "/client-grants/{grant}"), json!({"audience": "{management}"}), INVALID, "audience"),
        refused("clientGrants", "immutable", (Patch, "/client-grants/{grant}"), json!({"client_id": "{other_client}"}), INVALID, "client_id"),
        refused("clientGrants", "immutable", (Patch, "/client-grants/{grant}"), json!({"subject_type": "user"}), INVALID, "subject_type"),
    ]
}

fn roles() -> Vec<Refused> {
    let permission = |api: &str, name: &str| json!({"permissions": [{"resource_server_identifier": api, "permission_name": name}]});
    let conflict = (409, Some("role_conflict"));
    vec![
        refused("roles", "repeated", (Post, "/roles"), json!({"name": "Reader"}), conflict, "The role already exists."),
        refused("roles", "repeated", (Patch, "/roles/{role}"), json!({"name": "Writer"}), conflict, "The role already exists."),
        refused("roles", "dangling", (Post, "/roles/{role}/permissions"), permission("urn:none", "a"), (404, Some("inexistent_resource_server")), "urn:none"),
        refused("roles", "dangling", (Post, "/roles/{role}/permissions"), permission("https://things.example.com/", "no:such"), INVALID, "no:such"),
        refused("roles", "immutable", (Patch, "/roles/{role}"), json!({"id": "rol_x"}), INVALID, "id"),
        refused("roles", "dangling", (Post, "/roles/{role}/users"), json!({"users": ["auth0|nobody"]}), (404, Some("inexistent_user")), "do not exist"),
    ]
}

fn connections() -> Vec<Refused> {
    let post = (Post, "/connections");
    let plain = |name: &str| json!({"name": name, "strategy": "samlp"});
    let clients = |count: usize| Value::Array(vec![json!({"client_id": "{client}", "status": true}); count]);
    let client = (404, Some("inexistent_client"));
    let realm = json!({"name": "fresh", "strategy": "samlp", "realms": ["People"]});
    let hash = json!({"custom_password_hash": {"action_id": "x"}});
    let root = "options.set_user_root_attributes can be set only for";
    vec![
        refused("connections", "repeated", post, plain("corp"), (409, None), "same name already exists"),
        refused("connections", "repeated", post, realm, (409, None), "realms"),
        refused("connections", "repeated", (Patch, "/connections/{oidc}"), json!({"realms": ["People"]}), (409, None), "realms"),
        refused("connections", "dangling", post, json!({"name": "fresh", "strategy": "samlp", "enabled_clients": ["nobody"]}), INVALID, "enabled_clients"),
        refused("connections", "dangling", (Patch, "/connections/{oidc}"), json!({"enabled_clients": ["nobody"]}), INVALID, "enabled_clients"),
        refused("connections", "dangling", (Patch, "/connections/{oidc}/clients"), json!([{"client_id": "nobody", "status": true}]), client, "The client does not exist"),
        refused("connections", "limit", (Patch, "/connections/{oidc}/clients"), clients(51), INVALID, "maximum 50"),
        refused("connections", "immutable", (Patch, "/connections/{oidc}"), json!({"name": "other"}), INVALID, "name"),
        refused("connections", "immutable", (Patch, "/connections/{oidc}"), json!({"strategy": "samlp"}), INVALID, "strategy"),
        refused("connections", "immutable", (Patch, "/connections/{oidc}"), json!({"id": "con_x"}), INVALID, "id"),
        refused("connections", "rule", post, json!({"name": "fresh", "strategy": "samlp", "options": hash.clone()}), INVALID, "only available for database connections"),
        refused("connections", "rule", (Patch, "/connections/{oidc}"), json!({"options": hash}), INVALID, "only available for database connections"),
        refused("connections", "rule", post, json!({"name": "fresh", "strategy": "email", "options": {"set_user_root_attributes": "on_each_login"}}), INVALID, root),
    ]
}

fn databases() -> Vec<Refused> {
    let (post, patch) = ((Post, "/connections"), (Patch, "/connections/{database}"));
    let made = |options: Value| json!({"name": "fresh", "strategy": "auth0", "options": options});
    let changed = |options: Value| json!({"options": options});
    let email = json!({"email": {"identifier": {"active": true}}});
    let inactive = json!({"attributes": {"email": {"identifier": {"active": false}}}});
    let profile = json!({"attributes": {"email": {"identifier": {"active": true}},
        "phone_number": {"profile_required": true, "signup": {"status": "inactive"}}}});
    let root = "options.set_user_root_attributes can be set only for";
    let hash = |id: &str| json!({"custom_password_hash": {"action_id": id}});
    let both = |other: &str, value: Value| {
        let mut options = json!({"attributes": email.clone()});
        options[other] = value;
        options
    };
    let policy = json!({"passwordPolicy": "good", "password_options": {}});
    let block = json!({"authentication_methods": {"password": {"signup_behavior": "block", "api_behavior": "required"}}});
    let three = json!({"password_options": {"complexity": {"character_type_rule": "three_of_four", "character_types": ["number"]}}});
    vec![
        refused("databases", "repeated", post, json!({"name": "People", "strategy": "auth0"}), (409, None), "same name already exists"),
        refused("databases", "rule", post, made(both("requires_username", json!(true))), INVALID, "Cannot set both options.attributes and options.requires_username"),
        refused("databases", "rule", patch, changed(both("validation", json!({"username": {"min": 1, "max": 5}}))), INVALID, "Cannot set both options.attributes and options.validation"),
        refused("databases", "rule", post, made(inactive.clone()), INVALID, "attributes must contain one active identifier"),
        refused("databases", "rule", patch, changed(inactive), INVALID, "attributes must contain one active identifier"),
        refused("databases", "rule", post, made(profile), INVALID, "must also be required on signup"),
        refused("databases", "rule", post, made(policy), INVALID, "password_options"),
        refused("databases", "rule", post, made(block), INVALID, "signup_behavior"),
        refused("databases", "rule", post, made(three), INVALID, "three_of_four"),
        refused("databases", "rule", post, made(json!({"set_user_root_attributes": "on_each_login"})), INVALID, root),
        refused("databases", "rule", patch, changed(json!({"set_user_root_attributes": "on_each_login"})), INVALID, root),
        refused("databases", "dangling", post, made(hash("nobody")), INVALID, "action id does not exist"),
        refused("databases", "rule", post, made(hash("{action}")), INVALID, "does not support the password hash migration trigger"),
        refused("databases", "rule", post, made(hash("")), INVALID, "cannot be empty"),
        refused("databases", "immutable", patch, json!({"name": "other"}), INVALID, "name"),
        refused("databases", "immutable", patch, json!({"strategy": "samlp"}), INVALID, "strategy"),
        refused("databases", "rule", patch, changed(json!({"enabledDatabaseCustomization": true})), INVALID, "This database contains users."),
        refused("databases", "dangling", (Patch, "/connections/{database}/clients"), json!([{"client_id": "{client}", "status": false}, {"client_id": "nobody", "status": true}]), (404, Some("inexistent_client")), "The client does not exist"),
    ]
}

#[tokio::test]
async fn clients_and_credentials() {
    all("meaning", &[], clients().into_iter().chain(credentials()).collect()).await;
}

#[tokio::test]
async fn apis_grants_and_roles() {
    all("meaning", &[], apis().into_iter().chain(grants()).chain(roles()).collect()).await;
}

#[tokio::test]
async fn connections_and_databases() {
    all("meaning", &[], connections().into_iter().chain(databases()).collect()).await;
}

/// The e-mail attribute of a database stays unique or not, as it was made.
#[tokio::test]
async fn the_uniqueness_of_an_attribute_is_fixed() {
    let attributes = |unique: bool| {
        json!({"options": {"attributes": {"email": {"identifier": {"active": false}, "unique": unique},
            "username": {"identifier": {"active": true}}}}})
    };
    all("meaning", &[(Patch, "/connections/{database}", attributes(true))], vec![
        refused("databases", "immutable", (Patch, "/connections/{database}"), attributes(false), INVALID, "email.unique"),
    ])
    .await;
}

/// A connection that is being deleted keeps its name taken.
#[tokio::test]
async fn the_name_of_a_vanishing_connection_is_taken() {
    all("meaning", &[(Delete, "/connections/{spare_connection}", Value::Null)], vec![
        refused("connections", "absent", (Get, "/connections/{spare_connection}/clients"), Value::Null, (404, Some("inexistent_connection")), "does not exist"),
    ])
    .await;
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    sandbox.done(Delete, &world.path("/connections/{spare_connection}"), &Value::Null).await;
    let answer = sandbox.send(Post, "/connections", &json!({"name": "spare", "strategy": "samlp"})).await;
    assert_eq!(shape_fault(&answer, 409, None), None);
    assert_eq!(answer.body["message"], "A connection with the same name is being deleted, try again later");
    sandbox.stop().await;
}

/// Keys of a client need a scope of their own; the update of the client alone does not include them.
#[tokio::test]
async fn secrets_of_a_client_need_their_own_scope() {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    let token = sandbox.token_for(Some(&["update:clients".to_owned()])).await;
    for body in [json!({"client_secret": "x".repeat(48)}), json!({"encryption_key": {"pub": "a"}})] {
        let answer = sandbox.send_with(Some(&token), Patch, &world.path("/clients/{client}"), &body).await;
        assert_eq!(shape_fault(&answer, 403, Some("insufficient_scope")), None, "{body}");
    }
    let answer = sandbox.send_with(Some(&token), Patch, &world.path("/clients/{client}"), &json!({"name": "b"})).await;
    assert_eq!(answer.status, 200);
    sandbox.stop().await;
}
