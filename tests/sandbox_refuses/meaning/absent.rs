//! Paths that name nothing, and deleting twice.

use super::*;

/// A path that names nothing: answer as the API words it (recorded traffic).
fn missing() -> Vec<Refused> {
    let mut out = Vec::new();
    let mut add = |kind, code, says, requests: Vec<(Method, &'static str, Value)>| {
        for (method, path, body) in requests {
            out.push(refused(kind, "absent", (method, path), body, (404, code), says));
        }
    };
    let none = Value::Null;
    let client = Some("inexistent_client");
    add(
        "clients",
        client,
        "The client does not exist",
        vec![
            (Get, "/clients/nobody", none.clone()),
            (Patch, "/clients/nobody", json!({"name": "a"})),
            (Post, "/clients/nobody/rotate-secret", none.clone()),
            (Get, "/clients/nobody/connections", none.clone()),
        ],
    );
    add(
        "clientCredentials",
        client,
        "The client does not exist",
        vec![
            (Get, "/clients/nobody/credentials", none.clone()),
            (
                Post,
                "/clients/nobody/credentials",
                json!({"credential_type": "public_key", "pem": super::super::world::KEY}),
            ),
            (Get, "/clients/nobody/credentials/cred_x", none.clone()),
            (Patch, "/clients/nobody/credentials/cred_x", json!({"expires_at": null})),
        ],
    );
    add(
        "clientCredentials",
        None,
        "Credential does not exist",
        vec![
            (Get, "/clients/{client}/credentials/cred_x", none.clone()),
            (Patch, "/clients/{client}/credentials/cred_x", json!({"expires_at": null})),
            (Get, "/clients/{other_client}/credentials/{credential}", none.clone()),
        ],
    );
    add(
        "clientGrants",
        Some("inexistent_client_grant"),
        "The grant does not exist.",
        vec![
            (Get, "/client-grants/cgr_0123456789abcdef", none.clone()),
            (Patch, "/client-grants/cgr_0123456789abcdef", json!({"scope": []})),
            (Get, "/client-grants/cgr_0123456789abcdef/organizations", none.clone()),
        ],
    );
    let connection = json!([{"client_id": "{client}", "status": true}]);
    for kind in ["connections", "databases"] {
        add(
            kind,
            Some("inexistent_connection"),
            "The connection does not exist",
            vec![
                (Get, "/connections/con_0123456789abcdef", none.clone()),
                (Patch, "/connections/con_0123456789abcdef", json!({"options": {}})),
                (Get, "/connections/con_0123456789abcdef/clients", none.clone()),
                (Patch, "/connections/con_0123456789abcdef/clients", connection.clone()),
            ],
        );
    }
    add(
        "resourceServers",
        Some("inexistent_resource_server"),
        "The resource server does not exist",
        vec![
            (Get, "/resource-servers/0123456789abcdef01234567", none.clone()),
            (Patch, "/resource-servers/https%3A%2F%2Fno.example", json!({"name": "a"})),
        ],
    );
    let permissions = json!({"permissions": [{"resource_server_identifier": "https://things.example.com/", "permission_name": "read:things"}]});
    add(
        "roles",
        None,
        "The role does not exist.",
        vec![
            (Get, "/roles/rol_x", none.clone()),
            (Patch, "/roles/rol_x", json!({"name": "a"})),
            (Delete, "/roles/rol_x", none.clone()),
            (Get, "/roles/rol_x/permissions", none.clone()),
            (Post, "/roles/rol_x/permissions", permissions.clone()),
            (Delete, "/roles/rol_x/permissions", permissions),
        ],
    );
    add(
        "actions",
        None,
        "That action does not exist.",
        vec![
            (Get, "/actions/actions/nobody", none.clone()),
            (Patch, "/actions/actions/nobody", json!({"code": "x"})),
            (Delete, "/actions/actions/nobody", none.clone()),
            (Post, "/actions/actions/nobody/deploy", none.clone()),
            (Get, "/actions/actions/nobody/versions", none.clone()),
            (Post, "/actions/actions/nobody/versions/{version}/deploy", none.clone()),
        ],
    );
    add(
        "actions",
        None,
        "The action version does not exist.",
        vec![
            (Get, "/actions/actions/{action}/versions/nobody", none.clone()),
            (Post, "/actions/actions/{action}/versions/nobody/deploy", none.clone()),
        ],
    );
    add(
        "rules",
        Some("inexistent_rule"),
        "The rule does not exist",
        vec![(Get, "/rules/rul_x", none.clone()), (Patch, "/rules/rul_x", json!({"enabled": true}))],
    );
    add(
        "emailTemplates",
        Some("inexistent_email_template"),
        "The template does not exist.",
        vec![
            (Get, "/email-templates/welcome_email", none.clone()),
            (Patch, "/email-templates/welcome_email", json!({"subject": "a"})),
            (
                Put,
                "/email-templates/welcome_email",
                json!({"template": "welcome_email", "body": "", "from": "",
            "subject": "", "syntax": "liquid", "enabled": true}),
            ),
        ],
    );
    add("organizations", None, "No organization found by that id or name", organization_paths());
    add(
        "organizations",
        None,
        "No organization domain found by that id",
        vec![
            (Get, "/organizations/{org}/discovery-domains/ord_x", none.clone()),
            (Patch, "/organizations/{org}/discovery-domains/ord_x", json!({"status": "verified"})),
        ],
    );
    add(
        "organizations",
        None,
        "No connection found by that id",
        vec![
            (Get, "/organizations/{org}/enabled_connections/{oidc}", none.clone()),
            (Patch, "/organizations/{org}/enabled_connections/{oidc}", json!({"show_as_button": true})),
            (Patch, "/organizations/{org}/connections/{oidc}", json!({"show_as_button": true})),
        ],
    );
    add(
        "organizations",
        None,
        "",
        vec![
            (Get, "/organizations/{org}/clients/{other_client}", none),
            (Patch, "/organizations/{org}/clients/{other_client}", json!({"use_for_member_access": true})),
        ],
    );
    out
}

fn organization_paths() -> Vec<(Method, &'static str, Value)> {
    let none = Value::Null;
    vec![
        (Get, "/organizations/org_x", none.clone()),
        (Get, "/organizations/name/nobody", none.clone()),
        (Patch, "/organizations/org_x", json!({"display_name": "a"})),
        (Delete, "/organizations/org_x", none.clone()),
        (Get, "/organizations/org_x/connections", none.clone()),
        (Post, "/organizations/org_x/connections", json!({"connection_id": "{oidc}"})),
        (Patch, "/organizations/org_x/connections/{database}", json!({"show_as_button": true})),
        (Delete, "/organizations/org_x/connections/{database}", none.clone()),
        (Post, "/organizations/org_x/enabled_connections", json!({"connection_id": "{oidc}"})),
        (Get, "/organizations/org_x/client-grants", none.clone()),
        (Post, "/organizations/org_x/client-grants", json!({"grant_id": "{grant}"})),
        (Delete, "/organizations/org_x/client-grants/{grant}", none.clone()),
        (Get, "/organizations/org_x/discovery-domains", none.clone()),
        (Post, "/organizations/org_x/discovery-domains", json!({"domain": "a.example.com"})),
        (Patch, "/organizations/org_x/discovery-domains/{discovery}", json!({"status": "verified"})),
        (Delete, "/organizations/org_x/discovery-domains/{discovery}", none.clone()),
        (Get, "/organizations/org_x/clients", none.clone()),
        (
            Post,
            "/organizations/org_x/clients",
            json!({"clients": [{"client_id": "{client}", "use_for_member_access": true}]}),
        ),
        (Delete, "/organizations/org_x/clients", json!({"clients": ["{client}"]})),
        (Patch, "/organizations/org_x/clients/{client}", json!({"use_for_member_access": true})),
        (Delete, "/organizations/org_x/clients/{client}", none.clone()),
        (Get, "/organizations/org_x/members", none),
    ]
}

#[tokio::test]
async fn paths_that_name_nothing() {
    all("absent", &[], missing()).await;
}

#[tokio::test]
async fn what_was_never_configured() {
    let before =
        [(Delete, "/emails/provider", Value::Null), (Delete, "/branding/templates/universal-login", Value::Null)];
    let provider = (404, Some("inexistent_email_provider"));
    let says = "There is not a configured email provider";
    let template = (404, Some("inexistent_templates_universal_login"));
    all(
        "unconfigured",
        &before,
        vec![
            refused("emailProvider", "absent", (Get, "/emails/provider"), Value::Null, provider, says),
            refused("emailProvider", "absent", (Patch, "/emails/provider"), json!({"enabled": true}), provider, says),
            refused(
                "branding",
                "absent",
                (Get, "/branding/templates/universal-login"),
                Value::Null,
                template,
                "Template does not exist.",
            ),
        ],
    )
    .await;
}

/// Deleting what is gone already: 204 again, or 404 for the kinds that tell (recorded traffic).
#[tokio::test]
async fn deleting_twice() {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    let mut report = Report::default();
    for (kind, path, first, again) in [
        ("clients", "/clients/{other_client}", 204, 204),
        ("clientCredentials", "/clients/{client}/credentials/{credential}", 204, 204),
        ("clientGrants", "/client-grants/{grant}", 204, 204),
        ("resourceServers", "/resource-servers/{api}", 204, 204),
        ("roles", "/roles/{role}", 200, 404),
        ("organizations", "/organizations/{org}/connections/{database}", 204, 204),
        ("organizations", "/organizations/{org}/discovery-domains/{discovery}", 204, 204),
        ("organizations", "/organizations/{org}/clients/{client}", 204, 204),
        ("organizations", "/organizations/{org}", 204, 404),
        ("actions", "/actions/actions/{draft}", 204, 404),
        ("rules", "/rules/{rule}", 204, 204),
        ("rulesConfigs", "/rules-configs/KEY", 204, 204),
        ("emailProvider", "/emails/provider", 204, 204),
        ("branding", "/branding/templates/universal-login", 204, 204),
        ("connections", "/connections/{spare_connection}", 202, 202),
        ("databases", "/connections/{database}", 202, 202),
    ] {
        let path = world.path(path);
        let answers =
            [sandbox.send(Delete, &path, &Value::Null).await, sandbox.send(Delete, &path, &Value::Null).await];
        report.count(kind, "again");
        if [answers[0].status, answers[1].status] != [first, again] {
            report.fault(format!("{path}: {answers:?}"));
        }
        let empty = |status: u16, body: &Value| match status {
            204 => body.is_null(),
            202 => body["deleted_at"].is_string(),
            200 => *body == json!({}),
            _ => shape_fault(&answers[1], 404, None).is_none(),
        };
        if !answers.iter().all(|answer| empty(answer.status, &answer.body)) {
            report.fault(format!("{path}: {answers:?}"));
        }
    }
    // A connection that is gone for good answers 204.
    let path = world.path("/connections/{spare_connection}");
    let mut last = 202;
    for _ in 0..4 {
        last = sandbox.send(Delete, &path, &Value::Null).await.status;
    }
    assert_eq!(last, 204);
    report.finish("deleted twice");
    sandbox.stop().await;
}

/// What hangs on a client goes with it.
#[tokio::test]
async fn nothing_names_a_client_that_is_gone() {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    let id = world.path("{client}");
    let connections = sandbox.done(Get, &world.path("/clients/{client}/connections"), &Value::Null).await;
    assert_eq!(connections["connections"][0]["name"], "People");
    sandbox.done(Delete, &world.path("/clients/{client}"), &Value::Null).await;
    for path in [
        "/clients",
        "/client-grants",
        "/connections",
        "/connections/{database}",
        "/connections/{database}/clients",
        "/organizations/{org}/clients",
        "/organizations/{org}/client-grants",
    ] {
        let left = sandbox.done(Get, &world.path(path), &Value::Null).await;
        assert!(!left.to_string().contains(&id), "{path}: {left}");
    }
    assert!(!sandbox.state().await["collections"].to_string().contains(&id));
    sandbox.stop().await;
}
