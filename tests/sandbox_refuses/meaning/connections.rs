//! Connections and databases.

use super::*;

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
        refused(
            "connections",
            "repeated",
            (Patch, "/connections/{oidc}"),
            json!({"realms": ["People"]}),
            (409, None),
            "realms",
        ),
        refused(
            "connections",
            "dangling",
            post,
            json!({"name": "fresh", "strategy": "samlp", "enabled_clients": ["nobody"]}),
            INVALID,
            "enabled_clients",
        ),
        refused(
            "connections",
            "dangling",
            (Patch, "/connections/{oidc}"),
            json!({"enabled_clients": ["nobody"]}),
            INVALID,
            "enabled_clients",
        ),
        refused(
            "connections",
            "dangling",
            (Patch, "/connections/{oidc}/clients"),
            json!([{"client_id": "nobody", "status": true}]),
            client,
            "The client does not exist",
        ),
        refused("connections", "limit", (Patch, "/connections/{oidc}/clients"), clients(51), INVALID, "maximum 50"),
        refused("connections", "immutable", (Patch, "/connections/{oidc}"), json!({"name": "other"}), INVALID, "name"),
        refused(
            "connections",
            "immutable",
            (Patch, "/connections/{oidc}"),
            json!({"strategy": "samlp"}),
            INVALID,
            "strategy",
        ),
        refused("connections", "immutable", (Patch, "/connections/{oidc}"), json!({"id": "con_x"}), INVALID, "id"),
        refused(
            "connections",
            "rule",
            post,
            json!({"name": "fresh", "strategy": "samlp", "options": hash.clone()}),
            INVALID,
            "only available for database connections",
        ),
        refused(
            "connections",
            "rule",
            (Patch, "/connections/{oidc}"),
            json!({"options": hash}),
            INVALID,
            "only available for database connections",
        ),
        refused(
            "connections",
            "rule",
            post,
            json!({"name": "fresh", "strategy": "email", "options": {"set_user_root_attributes": "on_each_login"}}),
            INVALID,
            root,
        ),
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
    let block =
        json!({"authentication_methods": {"password": {"signup_behavior": "block", "api_behavior": "required"}}});
    let three = json!({"password_options": {"complexity": {"character_type_rule": "three_of_four", "character_types": ["number"]}}});
    vec![
        refused(
            "databases",
            "repeated",
            post,
            json!({"name": "People", "strategy": "auth0"}),
            (409, None),
            "same name already exists",
        ),
        refused(
            "databases",
            "rule",
            post,
            made(both("requires_username", json!(true))),
            INVALID,
            "Cannot set both options.attributes and options.requires_username",
        ),
        refused(
            "databases",
            "rule",
            patch,
            changed(both("validation", json!({"username": {"min": 1, "max": 5}}))),
            INVALID,
            "Cannot set both options.attributes and options.validation",
        ),
        refused(
            "databases",
            "rule",
            post,
            made(inactive.clone()),
            INVALID,
            "attributes must contain one active identifier",
        ),
        refused(
            "databases",
            "rule",
            patch,
            changed(inactive),
            INVALID,
            "attributes must contain one active identifier",
        ),
        refused("databases", "rule", post, made(profile), INVALID, "must also be required on signup"),
        refused("databases", "rule", post, made(policy), INVALID, "password_options"),
        refused("databases", "rule", post, made(block), INVALID, "signup_behavior"),
        refused("databases", "rule", post, made(three), INVALID, "three_of_four"),
        refused("databases", "rule", post, made(json!({"set_user_root_attributes": "on_each_login"})), INVALID, root),
        refused(
            "databases",
            "rule",
            patch,
            changed(json!({"set_user_root_attributes": "on_each_login"})),
            INVALID,
            root,
        ),
        refused("databases", "dangling", post, made(hash("nobody")), INVALID, "action id does not exist"),
        refused(
            "databases",
            "rule",
            post,
            made(hash("{action}")),
            INVALID,
            "does not support the password hash migration trigger",
        ),
        refused("databases", "rule", post, made(hash("")), INVALID, "cannot be empty"),
        refused("databases", "immutable", patch, json!({"name": "other"}), INVALID, "name"),
        refused("databases", "immutable", patch, json!({"strategy": "samlp"}), INVALID, "strategy"),
        refused(
            "databases",
            "rule",
            patch,
            changed(json!({"enabledDatabaseCustomization": true})),
            INVALID,
            "This database contains users.",
        ),
        refused(
            "databases",
            "dangling",
            (Patch, "/connections/{database}/clients"),
            json!([{"client_id": "{client}", "status": false}, {"client_id": "nobody", "status": true}]),
            (404, Some("inexistent_client")),
            "The client does not exist",
        ),
    ]
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
    all(
        "meaning",
        &[(Patch, "/connections/{database}", attributes(true))],
        vec![refused(
            "databases",
            "immutable",
            (Patch, "/connections/{database}"),
            attributes(false),
            INVALID,
            "email.unique",
        )],
    )
    .await;
}

/// A connection that is being deleted keeps its name taken.
#[tokio::test]
async fn the_name_of_a_vanishing_connection_is_taken() {
    all(
        "meaning",
        &[(Delete, "/connections/{spare_connection}", Value::Null)],
        vec![refused(
            "connections",
            "absent",
            (Get, "/connections/{spare_connection}/clients"),
            Value::Null,
            (404, Some("inexistent_connection")),
            "does not exist",
        )],
    )
    .await;
    let sandbox = Sandbox::start().await;
    let world = World::build(&sandbox).await;
    sandbox.done(Delete, &world.path("/connections/{spare_connection}"), &Value::Null).await;
    let answer = sandbox.send(Post, "/connections", &json!({"name": "spare", "strategy": "samlp"})).await;
    assert_eq!(shape_fault(&answer, 409, None), None);
    assert_eq!(answer.body["message"], "A connection with the same name is being deleted, try again later");
    sandbox.stop().await;
}
