//! Actions, triggers, rules and their values.

use super::*;

fn actions() -> Vec<Refused> {
    let (post, patch) = ((Post, "/actions/actions"), (Patch, "/actions/actions/{draft}"));
    let made = |extra: Value| {
        let mut body = json!({"name": "New", "supported_triggers": [{"id": "post-login", "version": "v3"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let secrets = |count: usize| (0..count).map(|n| json!({"name": format!("S{n}"), "value": "v"})).collect::<Value>();
    let dependencies = (0..11).map(|n| json!({"name": format!("d{n}"), "version": "1.0.0"})).collect::<Value>();
    let module =
        json!([{"module_name": "none", "module_id": "x", "module_version_id": "y", "module_version_number": 1}]);
    let twice = json!([{"name": "K", "value": "a"}, {"name": "K", "value": "b"}]);
    vec![
        refused(
            "actions",
            "dangling",
            post,
            made(json!({"supported_triggers": [{"id": "post-login", "version": "v9"}]})),
            INVALID,
            "no version v9",
        ),
        refused("actions", "dangling", post, made(json!({"modules": module.clone()})), INVALID, "module"),
        refused("actions", "dangling", patch, json!({"modules": module}), INVALID, "module"),
        refused("actions", "dangling", post, made(json!({"runtime": "node99"})), INVALID, "node99"),
        refused("actions", "dangling", patch, json!({"runtime": "node99"}), INVALID, "node99"),
        refused("actions", "limit", post, made(json!({"secrets": secrets(31)})), INVALID, "30 secrets"),
        refused("actions", "limit", patch, json!({"secrets": secrets(31)}), INVALID, "30 secrets"),
        refused("actions", "limit", post, made(json!({"dependencies": dependencies})), INVALID, "10 dependencies"),
        refused("actions", "limit", post, made(json!({"code": "x".repeat(100_001)})), INVALID, "100000 bytes"),
        refused("actions", "repeated", post, made(json!({"secrets": twice})), INVALID, "secret name `K`"),
        refused(
            "actions",
            "immutable",
            patch,
            json!({"supported_triggers": [{"id": "credentials-exchange", "version": "v2"}]}),
            INVALID,
            "trigger",
        ),
        refused("actions", "immutable", patch, json!({"id": "x"}), INVALID, "id"),
        refused("actions", "immutable", patch, json!({"deploy": true}), INVALID, "deploy"),
        refused("actions", "protected", (Delete, "/actions/actions/{action}"), Value::Null, (400, None), "bound"),
    ]
}

fn triggers() -> Vec<Refused> {
    let path = (Patch, "/actions/triggers/post-login/bindings");
    let one = |kind: &str, value: &str| json!({"bindings": [{"ref": {"type": kind, "value": value}}]});
    let many = json!({"bindings": vec![json!({"ref": {"type": "action_id", "value": "{action}"}}); 21]});
    vec![
        refused("triggers", "dangling", path, one("action_id", "nobody"), INVALID, "nobody"),
        refused("triggers", "dangling", path, one("action_name", "Nobody"), INVALID, "Nobody"),
        refused("triggers", "dangling", path, one("binding_id", "nobody"), INVALID, "nobody"),
        refused("triggers", "rule", path, one("action_id", "{draft}"), INVALID, "must be deployed"),
        refused("triggers", "rule", path, one("action_id", "{mailer}"), INVALID, "does not support the trigger"),
        refused(
            "triggers",
            "rule",
            (Patch, "/actions/triggers/event-stream/bindings"),
            json!({"bindings": []}),
            INVALID,
            "event-stream",
        ),
        refused("triggers", "limit", path, many, INVALID, "20 actions"),
    ]
}

fn rules() -> Vec<Refused> {
    let body = |name: &str, order: u32| json!({"name": name, "script": "x", "order": order});
    vec![
        refused(
            "rules",
            "repeated",
            (Post, "/rules"),
            body("First", 9),
            (409, None),
            "A rule with the same name already exists.",
        ),
        refused(
            "rules",
            "repeated",
            (Post, "/rules"),
            body("Third", 1),
            (409, None),
            "A rule with the same order already exists.",
        ),
        refused(
            "rules",
            "repeated",
            (Patch, "/rules/{rule}"),
            json!({"name": "Second"}),
            (409, None),
            "A rule with the same name already exists.",
        ),
        refused(
            "rules",
            "repeated",
            (Patch, "/rules/{rule}"),
            json!({"order": 2}),
            (409, None),
            "A rule with the same order already exists.",
        ),
        refused("rules", "immutable", (Patch, "/rules/{rule}"), json!({"stage": "login_failure"}), INVALID, "stage"),
        refused("rules", "immutable", (Patch, "/rules/{rule}"), json!({"id": "rul_x"}), INVALID, "id"),
        refused(
            "rulesConfigs",
            "format",
            (Put, "/rules-configs/no%20blanks"),
            json!({"value": "v"}),
            (400, Some("invalid_uri")),
            "key",
        ),
        refused(
            "rulesConfigs",
            "format",
            (Put, "/rules-configs/a%2Fb"),
            json!({"value": "v"}),
            (400, Some("invalid_uri")),
            "key",
        ),
    ]
}

#[tokio::test]
async fn actions_triggers_and_rules() {
    all("meaning", &[], actions().into_iter().chain(triggers()).chain(rules()).collect()).await;
}

/// An action cannot be deployed before it is built.
#[tokio::test]
async fn a_draft_is_built_before_it_is_deployed() {
    let sandbox = Sandbox::start().await;
    let body = json!({"name": "New", "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    let made = sandbox.done(Post, "/actions/actions", &body).await;
    let path = format!("/actions/actions/{}", made["id"].as_str().unwrap());
    let answer = sandbox.send(Post, &format!("{path}/deploy"), &Value::Null).await;
    assert_eq!(shape_fault(&answer, 400, None), None);
    assert!(answer.body["message"].as_str().unwrap().contains("'built'"), "{}", answer.body);
    assert!(sandbox.done(Get, &path, &Value::Null).await.get("deployed_version").is_none());
    sandbox.stop().await;
}

/// The hundred-and-first action is one too many.
#[tokio::test]
async fn a_tenant_has_a_hundred_actions() {
    let sandbox = Sandbox::start().await;
    let body =
        |n: usize| json!({"name": format!("A{n}"), "supported_triggers": [{"id": "post-login", "version": "v3"}]});
    for n in 0..100 {
        sandbox.done(Post, "/actions/actions", &body(n)).await;
    }
    let before = sandbox.state().await;
    let answer = sandbox.send(Post, "/actions/actions", &body(100)).await;
    assert_eq!(shape_fault(&answer, 403, None), None);
    assert_eq!(answer.body["message"], "You reached the limit of entities of this type for this tenant.");
    assert_eq!(difference(&before, &sandbox.state().await), None);
    sandbox.stop().await;
}
