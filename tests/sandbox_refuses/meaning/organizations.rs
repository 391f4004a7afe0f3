//! Organizations and what hangs on them.

use super::*;

fn organizations() -> Vec<Refused> {
    let conflict = |code| (409, Some(code));
    let connection = "con_0123456789abcdef";
    let grant = "cgr_0123456789abcdef";
    let link = |id: &str| json!({"connection_id": id});
    let client = |id: &str| json!({"clients": [{"client_id": id, "use_for_member_access": true}]});
    let many: Vec<Value> =
        (0..11).map(|n| json!({"client_id": format!("c{n}"), "use_for_member_access": true})).collect();
    let signup = json!({"connection_id": "{oidc}", "is_signup_enabled": true});
    vec![
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations"),
            json!({"name": "acme"}),
            conflict("organization_conflict"),
            "An organization with this name already exists.",
        ),
        refused(
            "organizations",
            "repeated",
            (Patch, "/organizations/{org}"),
            json!({"name": "globex"}),
            conflict("organization_conflict"),
            "An organization with this name already exists.",
        ),
        refused(
            "organizations",
            "dangling",
            (Post, "/organizations"),
            json!({"name": "new", "enabled_connections": [link(connection)]}),
            INVALID,
            connection,
        ),
        refused(
            "organizations",
            "immutable",
            (Patch, "/organizations/{org}"),
            json!({"enabled_connections": []}),
            INVALID,
            "enabled_connections",
        ),
        refused("organizations", "immutable", (Patch, "/organizations/{org}"), json!({"id": "org_x"}), INVALID, "id"),
        refused(
            "organizations",
            "dangling",
            (Post, "/organizations/{org}/connections"),
            link(connection),
            INVALID,
            connection,
        ),
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/connections"),
            link("{database}"),
            conflict("organization_connection_conflict"),
            "The organization connection already exists.",
        ),
        refused(
            "organizations",
            "rule",
            (Post, "/organizations/{org}/connections"),
            signup.clone(),
            INVALID,
            "is_signup_enabled",
        ),
        refused(
            "organizations",
            "rule",
            (Patch, "/organizations/{org}/connections/{database}"),
            json!({"is_signup_enabled": true}),
            INVALID,
            "is_signup_enabled",
        ),
        refused(
            "organizations",
            "immutable",
            (Patch, "/organizations/{org}/connections/{database}"),
            link("{oidc}"),
            INVALID,
            "connection_id",
        ),
        refused(
            "organizations",
            "dangling",
            (Post, "/organizations/{org}/enabled_connections"),
            link(connection),
            INVALID,
            connection,
        ),
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/enabled_connections"),
            link("{database}"),
            conflict("organization_connection_conflict"),
            "already exists",
        ),
        refused(
            "organizations",
            "rule",
            (Post, "/organizations/{org}/enabled_connections"),
            signup,
            INVALID,
            "is_signup_enabled",
        ),
        refused(
            "organizations",
            "dangling",
            (Post, "/organizations/{org}/client-grants"),
            json!({"grant_id": grant}),
            (404, Some("inexistent_client_grant")),
            "The grant does not exist.",
        ),
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/client-grants"),
            json!({"grant_id": "{grant}"}),
            conflict("organization_client_grant_conflict"),
            "already been added",
        ),
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/discovery-domains"),
            json!({"domain": "acme.example.com"}),
            conflict("organization_discovery_domain_conflict"),
            "already registered",
        ),
        refused(
            "organizations",
            "immutable",
            (Patch, "/organizations/{org}/discovery-domains/{discovery}"),
            json!({"domain": "other.example.com"}),
            INVALID,
            "domain",
        ),
        refused(
            "organizations",
            "dangling",
            (Post, "/organizations/{org}/clients"),
            client("nobody"),
            INVALID,
            "nobody",
        ),
        refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/clients"),
            client("{client}"),
            conflict("organization_client_conflict"),
            "already associated",
        ),
        refused(
            "organizations",
            "limit",
            (Post, "/organizations/{org}/clients"),
            json!({"clients": many}),
            INVALID,
            "clients",
        ),
        refused(
            "organizations",
            "immutable",
            (Patch, "/organizations/{org}/clients/{client}"),
            json!({"client_id": "x"}),
            INVALID,
            "client_id",
        ),
    ]
}

#[tokio::test]
async fn organizations_and_their_parts() {
    all("meaning", &[], organizations()).await;
}

/// A batch with one client that cannot be added adds none.
#[tokio::test]
async fn a_batch_of_clients_is_added_whole_or_not_at_all() {
    let mixed = json!({"clients": [{"client_id": "{other_client}", "use_for_member_access": true},
        {"client_id": "{client}", "use_for_member_access": true}]});
    all(
        "meaning",
        &[],
        vec![refused(
            "organizations",
            "repeated",
            (Post, "/organizations/{org}/clients"),
            mixed,
            (409, Some("organization_client_conflict")),
            "already associated",
        )],
    )
    .await;
}

/// Ten connections, a hundred discovery domains: the next one is refused (published entity limits).
#[tokio::test]
async fn an_organization_has_limits() {
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    let quota = |answer: super::super::harness::Answer| {
        assert_eq!(shape_fault(&answer, 409, Some("quota_exceeded")), None);
    };
    let path = world.path("/organizations/{org}/connections");
    for n in 0..10 {
        let made = sandbox.done(Post, "/connections", &json!({"name": format!("c{n}"), "strategy": "samlp"})).await;
        let answer = sandbox.send(Post, &path, &json!({"connection_id": made["id"]})).await;
        match n {
            9 => quota(answer),
            _ => assert_eq!(answer.status, 201, "{}", answer.body),
        }
    }
    let path = world.path("/organizations/{org}/discovery-domains");
    for n in 0..100 {
        let answer = sandbox.send(Post, &path, &json!({"domain": format!("d{n}.example.com")})).await;
        match n {
            99 => quota(answer),
            _ => assert_eq!(answer.status, 201, "{}", answer.body),
        }
    }
    sandbox.stop().await;
}
