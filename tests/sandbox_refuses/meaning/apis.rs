//! APIs, what clients may ask of them, and roles.

use super::*;

fn apis() -> Vec<Refused> {
    let unsupported = (400, Some("operation_not_supported"));
    let twice = json!([{"value": "a"}, {"value": "a"}]);
    let many: Vec<Value> = (0..1001).map(|n| json!({"value": format!("s{n}")})).collect();
    let pem = json!({"format": "compact-nested-jwe", "encryption_key": {"alg": "RSA-OAEP-256", "pem": "none"}});
    let conflict = (409, Some("resource_server_conflict"));
    vec![
        refused(
            "resourceServers",
            "repeated",
            (Post, "/resource-servers"),
            json!({"identifier": "https://things.example.com/"}),
            conflict,
            "same identifier",
        ),
        refused(
            "resourceServers",
            "repeated",
            (Post, "/resource-servers"),
            json!({"identifier": "{management}"}),
            conflict,
            "same identifier",
        ),
        refused(
            "resourceServers",
            "rule",
            (Post, "/resource-servers"),
            json!({"identifier": "https://sandbox.eu.auth0.com/userinfo"}),
            INVALID,
            "reserved",
        ),
        refused(
            "resourceServers",
            "rule",
            (Post, "/resource-servers"),
            json!({"identifier": "urn:a", "scopes": twice.clone()}),
            INVALID,
            "scopes",
        ),
        refused(
            "resourceServers",
            "rule",
            (Patch, "/resource-servers/{api}"),
            json!({"scopes": twice}),
            INVALID,
            "scopes",
        ),
        refused(
            "resourceServers",
            "limit",
            (Patch, "/resource-servers/{api}"),
            json!({"scopes": many}),
            INVALID,
            "scopes",
        ),
        refused(
            "resourceServers",
            "rule",
            (Patch, "/resource-servers/{api}"),
            json!({"token_encryption": pem}),
            INVALID,
            "token_encryption",
        ),
        refused(
            "resourceServers",
            "immutable",
            (Patch, "/resource-servers/{api}"),
            json!({"identifier": "urn:b"}),
            INVALID,
            "identifier",
        ),
        refused(
            "resourceServers",
            "immutable",
            (Patch, "/resource-servers/{api}"),
            json!({"is_system": true}),
            INVALID,
            "is_system",
        ),
        refused(
            "resourceServers",
            "protected",
            (Patch, "/resource-servers/{system_api}"),
            json!({"name": "Mine"}),
            unsupported,
            "System resource servers cannot be patched.",
        ),
        refused(
            "resourceServers",
            "protected",
            (Patch, "/resource-servers/{system_api}"),
            json!({"scopes": []}),
            unsupported,
            "cannot be patched.",
        ),
        refused(
            "resourceServers",
            "protected",
            (Delete, "/resource-servers/{system_api}"),
            Value::Null,
            unsupported,
            "System resource servers cannot be deleted.",
        ),
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
        refused(
            "clientGrants",
            "dangling",
            post,
            body("nobody", things),
            (404, Some("inexistent_client")),
            "Client not found",
        ),
        refused(
            "clientGrants",
            "dangling",
            post,
            body("{client}", "urn:none"),
            (404, Some("inexistent_resource_server")),
            "Resource server not found",
        ),
        refused("clientGrants", "dangling", post, with(json!({"scope": ["no:such"]})), INVALID, "no:such"),
        refused(
            "clientGrants",
            "dangling",
            (Patch, "/client-grants/{grant}"),
            json!({"scope": ["no:such"]}),
            INVALID,
            "no:such",
        ),
        refused(
            "clientGrants",
            "repeated",
            post,
            body("{client}", things),
            (409, Some("client_grant_conflict")),
            "already exists",
        ),
        refused(
            "clientGrants",
            "unique",
            post,
            with(json!({"scope": ["read:things", "read:things"]})),
            INVALID,
            unique,
        ),
        refused("clientGrants", "rule", post, json!({"audience": things}), INVALID, "client_id"),
        refused(
            "clientGrants",
            "rule",
            post,
            with(json!({"default_for": "third_party_clients"})),
            INVALID,
            "default_for",
        ),
        refused(
            "clientGrants",
            "rule",
            post,
            with(json!({"allow_all_scopes": true, "scope": ["read:things"]})),
            INVALID,
            "allow_all_scopes",
        ),
        refused(
            "clientGrants",
            "rule",
            (Patch, "/client-grants/{grant}"),
            json!({"allow_all_scopes": true, "scope": ["read:things"]}),
            INVALID,
            "allow_all_scopes",
        ),
        refused("clientGrants", "rule", post, body("{global}", things), (400, Some("validation_error")), "client"),
        refused(
            "clientGrants",
            "rule",
            post,
            json!({"default_for": "third_party_clients", "audience": "{management}"}),
            (400, Some("validation_error")),
            "third-party",
        ),
        refused(
            "clientGrants",
            "immutable",
            (Patch, "/client-grants/{grant}"),
            json!({"audience": "{management}"}),
            INVALID,
            "audience",
        ),
        refused(
            "clientGrants",
            "immutable",
            (Patch, "/client-grants/{grant}"),
            json!({"client_id": "{other_client}"}),
            INVALID,
            "client_id",
        ),
        refused(
            "clientGrants",
            "immutable",
            (Patch, "/client-grants/{grant}"),
            json!({"subject_type": "user"}),
            INVALID,
            "subject_type",
        ),
    ]
}

fn roles() -> Vec<Refused> {
    let permission =
        |api: &str, name: &str| json!({"permissions": [{"resource_server_identifier": api, "permission_name": name}]});
    let conflict = (409, Some("role_conflict"));
    vec![
        refused("roles", "repeated", (Post, "/roles"), json!({"name": "Reader"}), conflict, "The role already exists."),
        refused(
            "roles",
            "repeated",
            (Patch, "/roles/{role}"),
            json!({"name": "Writer"}),
            conflict,
            "The role already exists.",
        ),
        refused(
            "roles",
            "dangling",
            (Post, "/roles/{role}/permissions"),
            permission("urn:none", "a"),
            (404, Some("inexistent_resource_server")),
            "urn:none",
        ),
        refused(
            "roles",
            "dangling",
            (Post, "/roles/{role}/permissions"),
            permission("https://things.example.com/", "no:such"),
            INVALID,
            "no:such",
        ),
        refused("roles", "immutable", (Patch, "/roles/{role}"), json!({"id": "rol_x"}), INVALID, "id"),
        refused(
            "roles",
            "dangling",
            (Post, "/roles/{role}/users"),
            json!({"users": ["auth0|nobody"]}),
            (404, Some("inexistent_user")),
            "do not exist",
        ),
    ]
}

#[tokio::test]
async fn apis_grants_and_roles() {
    all("meaning", &[], apis().into_iter().chain(grants()).chain(roles()).collect()).await;
}
