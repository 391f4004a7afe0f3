//! Clients and their credentials.

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
        refused(
            "clients",
            "repeated",
            post,
            named(json!({"client_aliases": ["store"]})),
            (409, Some("client_alias_conflict")),
            "same alias",
        ),
        refused(
            "clients",
            "dangling",
            post,
            named(organization.clone()),
            INVALID,
            "org_0123456789abcdef does not exist",
        ),
        refused("clients", "dangling", patch, organization, INVALID, "org_0123456789abcdef does not exist"),
        refused(
            "clients",
            "dangling",
            post,
            named(json!({"app_type": "resource_server", "resource_server_identifier": "urn:none"})),
            INVALID,
            "resource server",
        ),
        refused(
            "clients",
            "dangling",
            post,
            named(landing.clone()),
            (404, None),
            "Client ID for Invitations could not be found",
        ),
        refused("clients", "dangling", patch, landing, (404, None), "Client ID for Invitations could not be found"),
        refused("clients", "dangling", patch, block("cred_x"), INVALID, "cred_x"),
        refused(
            "clients",
            "dangling",
            (Patch, "/clients/{client}"),
            block("{foreign_credential}"),
            INVALID,
            "does not exist on this client",
        ),
        refused(
            "clients",
            "rule",
            (Patch, "/clients/{client}"),
            json!({"token_endpoint_auth_method": "client_secret_post"}),
            INVALID,
            "mutually exclusive",
        ),
        refused(
            "clients",
            "rule",
            post,
            named({
                let mut body = keys(1);
                body["token_endpoint_auth_method"] = json!("none");
                body
            }),
            INVALID,
            "mutually exclusive",
        ),
        refused("clients", "rule", post, named(keys(3)), INVALID, "more than 2 credentials"),
        refused("clients", "limit", post, named(long.clone()), INVALID, "client_metadata.a"),
        refused("clients", "limit", patch, long, INVALID, "client_metadata.a"),
        refused("clients", "limit", patch, json!({"client_metadata": many}), INVALID, "client_metadata"),
        refused(
            "clients",
            "rule",
            post,
            named(json!({"is_first_party": false, "organization_usage": "allow"})),
            (403, None),
            third,
        ),
        refused(
            "clients",
            "rule",
            post,
            named(json!({"is_first_party": false, "organization_require_behavior": "no_prompt"})),
            (403, None),
            third,
        ),
        refused(
            "clients",
            "rule",
            patch,
            json!({"is_first_party": false, "organization_usage": "require"}),
            (403, None),
            third,
        ),
        refused(
            "clients",
            "immutable",
            patch,
            json!({"third_party_security_mode": "strict"}),
            INVALID,
            "third_party_security_mode",
        ),
        refused(
            "clients",
            "immutable",
            patch,
            json!({"jwt_configuration": {"secret_encoded": true}}),
            INVALID,
            "secret_encoded",
        ),
        refused(
            "clients",
            "immutable",
            patch,
            json!({"resource_server_identifier": "urn:a"}),
            INVALID,
            "resource_server_identifier",
        ),
        refused("clients", "immutable", patch, json!({"client_id": "a"}), INVALID, "client_id"),
        refused("clients", "immutable", patch, json!({"global": true}), INVALID, "global"),
        refused(
            "clients",
            "protected",
            (Delete, "/clients/{global}"),
            Value::Null,
            (400, Some("operation_not_supported")),
            "Global client cannot be deleted.",
        ),
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
        refused(
            "clientCredentials",
            "rule",
            post,
            json!({"credential_type": "cert_subject_dn"}),
            INVALID,
            "subject_dn",
        ),
        refused(
            "clientCredentials",
            "rule",
            post,
            json!({"credential_type": "public_key", "pem": key, "subject_dn": "CN=a"}),
            INVALID,
            "subject_dn",
        ),
        refused(
            "clientCredentials",
            "limit",
            (Post, "/clients/{client}/credentials"),
            body("public_key", key),
            INVALID,
            "more than 2 credentials",
        ),
        refused(
            "clientCredentials",
            "immutable",
            (Patch, "/clients/{client}/credentials/{credential}"),
            json!({"name": "other"}),
            INVALID,
            "name",
        ),
        refused(
            "clientCredentials",
            "protected",
            (Delete, "/clients/{client}/credentials/{used_credential}"),
            Value::Null,
            INVALID,
            "in use",
        ),
    ]
}

#[tokio::test]
async fn clients_and_credentials() {
    all("meaning", &[], clients().into_iter().chain(credentials()).collect()).await;
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
