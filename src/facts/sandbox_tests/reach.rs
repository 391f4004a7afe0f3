//! What cannot be told, and how many a change hits.

use serde_json::{Value as Json, json};

use super::world::{World, asks, change, connect, tell};
use crate::api::Credentials;
use crate::change::{Action, FieldChange, How, Origin};
use crate::model::{Diff, Path, Secret, Value};
use crate::schema::Risk;

#[tokio::test]
async fn without_the_scope_nobody_is_named_and_it_says_so() {
    let mut world = World::new().await;
    let made = world.ours("POST /clients", json!({"name": "Shop"})).await;
    world.deployed().await;
    world.dana(&format!("PATCH /clients/{}", made["client_id"].as_str().unwrap()), json!({"description": "x"})).await;
    let token = world.token(Some("read:clients read:connections")).await;
    let client = connect(&world.running, Credentials::Token(Secret::new(token, "test"))).await;
    let facts = world.answer(&client, &asks("clients/Shop", &["description"])).await;
    let blame = facts.outside.values().next().unwrap().values().next().unwrap().clone();
    assert_eq!((tell(&blame).as_str(), blame.note.as_deref()), ("unknown", Some("the token lacks `read:logs`")));
    assert_eq!(facts.notes.len(), 1);
    assert_eq!(facts.notes[0].id, "log-unreadable");
    let database = world.ours("POST /connections", json!({"name": "Users", "strategy": "auth0"})).await;
    let delete = change("databases/Users", database["id"].as_str().unwrap(), Action::Delete, Risk::Irreversible);
    let facts = world.hits(&client, delete).await;
    let effect = &facts.effects.values().next().unwrap()[0];
    assert_eq!(effect.text, "how many users are deleted with it is not known: the token lacks read:users");
    assert_eq!((effect.count, facts.notes[0].id), (None, "uncounted"));
}

#[tokio::test]
async fn the_log_may_lag_or_be_too_short() {
    let mut world = World::new().await;
    let made = world.ours("POST /clients", json!({"name": "Shop"})).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", made["client_id"].as_str().unwrap());
    world.dana(&line, json!({"description": "x"})).await;
    world.control("POST", "clock", &json!({"log_lag_ms": 60_000})).await;
    let note = |told: std::collections::BTreeMap<String, crate::change::Blame>| {
        let blame = told.into_values().next().unwrap();
        (tell(&blame), blame.note.unwrap_or_default())
    };
    let (who, why) = note(world.who("clients/Shop", &["description"]).await);
    assert_eq!(who, "unknown");
    assert!(why.contains("may lag"), "{why}");
    world.control("POST", "clock", &json!({"advance_ms": 60_001})).await;
    assert_eq!(world.told("clients/Shop", "description").await, "exact dana@travel0.com dashboard");
    // A month later the log has forgotten it, though it has not forgotten all.
    world.control("POST", "clock", &json!({"advance_ms": 31_i64 * 86_400_000})).await;
    let dana = world.person("Dana", "dana@travel0.com").await;
    world.send(&dana, "POST /roles", json!({"name": "R"}), &[]).await;
    world.control("POST", "clock", &json!({"advance_ms": 61_000})).await;
    let token = world.token(None).await;
    let client = connect(&world.running, Credentials::Token(Secret::new(token, "test"))).await;
    let facts = world.answer_as(client, &asks("clients/Shop", &["description"])).await;
    let blame = facts.outside.values().next().unwrap().values().next().unwrap().clone();
    assert_eq!(tell(&blame), "unknown");
    let why = blame.note.unwrap();
    assert!(why.starts_with("the tenant's log begins on "), "{why}");
}

#[tokio::test]
async fn users_members_and_grants_are_counted() {
    let mut world = World::new().await;
    let api = json!({"name": "Orders", "identifier": "https://orders", "scopes": [{"value": "read:orders"}]});
    let api = world.ours("POST /resource-servers", api).await;
    let shop = world.ours("POST /clients", json!({"name": "Shop", "app_type": "non_interactive"})).await;
    let grant = json!({"client_id": shop["client_id"], "audience": "https://orders", "scope": ["read:orders"]});
    world.ours("POST /client-grants", grant).await;
    let database = world.ours("POST /connections", json!({"name": "Users", "strategy": "auth0"})).await;
    let id = |object: &Json| object["id"].as_str().unwrap().to_owned();
    let clients = format!("PATCH /connections/{}/clients", id(&database));
    world.ours(&clients, json!([{"client_id": shop["client_id"], "status": true}])).await;
    let (organization, role) = (
        world.ours("POST /organizations", json!({"name": "acme"})).await,
        world.ours("POST /roles", json!({"name": "Clerk"})).await,
    );
    let mut users = Vec::new();
    for n in 0..3 {
        let user = json!({"connection": "Users", "email": format!("u{n}@b.c"), "password": "pA5$word!x"});
        users.push(world.ours("POST /users", user).await["user_id"].clone());
    }
    world.ours(&format!("POST /organizations/{}/members", id(&organization)), json!({"members": users[..2]})).await;
    world.ours(&format!("POST /roles/{}/users", id(&role)), json!({"users": users[..1]})).await;
    world
        .meddle(|state| {
            let all = state["collections"]["users"].as_object_mut().unwrap();
            let one = all.values().next().unwrap().clone();
            for n in 0..1_240 {
                let key = format!("auth0|extra{n}");
                let mut user = one.clone();
                user["user_id"] = json!(key);
                all.insert(key, user);
            }
        })
        .await;
    let told = async |address: &str, id: &str, action| {
        let facts = world.hits(&world.client, change(address, id, action, Risk::Destructive)).await;
        let requests = facts.requests;
        let texts: Vec<String> = facts.effects.into_values().flatten().map(|effect| effect.text).collect();
        (texts.join("; "), requests)
    };
    let said = |text: &str, requests| (text.to_owned(), requests);
    let database = id(&database);
    assert_eq!(told("databases/Users", &database, Action::Delete).await, said("1,243 users are deleted with it", 1));
    assert_eq!(told("databases/Users", &database, Action::Update).await, said("1,243 users sign in with it", 1));
    let organization = id(&organization);
    assert_eq!(
        told("organizations/acme", &organization, Action::Delete).await,
        said("2 members lose their membership", 1)
    );
    assert_eq!(told("roles/Clerk", &id(&role), Action::Delete).await, said("1 user loses it", 1));
    assert_eq!(
        told("clients/Shop", shop["client_id"].as_str().unwrap(), Action::Replace).await,
        said("1 client grant goes with it; 1 connection signs people in to it", 1)
    );
    assert_eq!(told("resourceServers/Orders", &id(&api), Action::Delete).await, said("1 client grant goes with it", 0));
}

#[tokio::test]
async fn what_lists_lose_is_counted_without_asking() {
    let world = World::new().await;
    let mut update = change("clients/Shop", "x", Action::Update, Risk::Caution);
    for (list, item) in [("callbacks", "a"), ("callbacks", "b"), ("allowed_logout_urls", "c")] {
        update.fields.push(FieldChange {
            path: Path::root().key(list).item(item),
            diff: Diff { before: Some(Value::from(item)), after: None },
            how: How::Item,
            origin: Origin::Change,
            risk: Risk::Caution,
            why: None,
            locus: None,
            forces_replace: false,
        });
    }
    let facts = world.hits(&world.client, update).await;
    let effects = facts.effects.into_values().next().unwrap();
    let told: Vec<_> = effects.iter().map(|effect| (effect.count, effect.text.as_str())).collect();
    assert_eq!(told, [(Some(1), "Shop loses 1 allowed logout URL"), (Some(2), "Shop loses 2 callbacks")]);
    assert_eq!(facts.requests, 0);
}
