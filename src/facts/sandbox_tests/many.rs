//! Busy tenants: much that does not matter, and more than one search reaches.

use serde_json::{Value as Json, json};

use super::world::{World, asks, tell};

/// Adds entries to the log, a second apart, ending now.
async fn fill(world: &World, number: usize, entry: impl Fn(usize, &mut Json)) {
    let now: jiff::Timestamp =
        world.control("POST", "clock", &json!({})).await["now"].as_str().unwrap().parse().unwrap();
    world
        .meddle(|state| {
            let logs = state["logs"].as_array_mut().unwrap();
            for n in 0..number {
                let at = now.as_millisecond() - (number - n) as i64 * 100;
                let date = jiff::Timestamp::from_millisecond(at).unwrap();
                let log_id = format!("901{n:052}");
                let mut row =
                    json!({"date": format!("{date:.3}"), "type": "s", "log_id": log_id, "_id": log_id, "$at": at});
                entry(n, &mut row);
                logs.push(row);
            }
        })
        .await;
}

/// A write of another tool.
fn write(n: usize, row: &mut Json, path: &str, description: &str) {
    row["type"] = json!("sapi");
    row["description"] = json!(description);
    row["client_name"] = json!("Provisioning");
    row["details"] = json!({"request": {"method": "patch", "path": path, "body": {"n": n}, "channel": "api"}});
}

async fn changed() -> (World, String) {
    let mut world = World::new().await;
    let made = world.ours("POST /clients", json!({"name": "Shop"})).await;
    world.deployed().await;
    let line = format!("PATCH /clients/{}", made["client_id"].as_str().unwrap());
    world.dana(&line, json!({"description": "x"})).await;
    // So that what is added later comes after it.
    world.control("POST", "clock", &json!({"advance_ms": 3_600_000})).await;
    (world, line)
}

async fn asked(world: &World) -> (String, usize) {
    let facts = world.answer(&world.client, &asks("clients/Shop", &["description"])).await;
    let blame = facts.outside.values().next().unwrap().values().next().unwrap().clone();
    (tell(&blame), facts.requests)
}

#[tokio::test]
async fn five_thousand_sign_ins_cost_nothing() {
    let (world, _) = changed().await;
    fill(&world, 5_000, |_, _| {}).await;
    assert_eq!(asked(&world).await, ("exact dana@travel0.com dashboard".to_owned(), 1));
}

#[tokio::test]
async fn writes_on_users_cost_nothing() {
    let (world, _) = changed().await;
    fill(&world, 3_000, |n, row| write(n, row, "/api/v2/users/auth0%7Cx", "Update a User")).await;
    assert_eq!(asked(&world).await, ("exact dana@travel0.com dashboard".to_owned(), 1));
}

#[tokio::test]
async fn searches_follow_each_other() {
    let (world, _) = changed().await;
    fill(&world, 2_500, |n, row| write(n, row, "/api/v2/clients/other", "Update a Client")).await;
    assert_eq!(asked(&world).await, ("exact dana@travel0.com dashboard".to_owned(), 30));
}

#[tokio::test]
async fn a_search_ends_somewhere_and_says_so() {
    let (world, _) = changed().await;
    fill(&world, 6_000, |n, row| write(n, row, "/api/v2/clients/other", "Update a Client")).await;
    let facts = world.answer(&world.client, &asks("clients/Shop", &["description"])).await;
    let blame = facts.outside.values().next().unwrap().values().next().unwrap().clone();
    assert_eq!(tell(&blame), "unknown");
    let note = blame.note.unwrap();
    assert!(note.starts_with("none of the newest 4,99"), "{note}");
    assert_eq!(facts.requests, 50);
}

#[tokio::test]
async fn many_questions_are_one_search() {
    let mut world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..40 {
        let made = world.ours("POST /clients", json!({"name": format!("App {n}")})).await;
        ids.push(made["client_id"].as_str().unwrap().to_owned());
    }
    world.deployed().await;
    let mut plan = crate::change::Plan::default();
    for (n, id) in ids.iter().enumerate() {
        world.dana(&format!("PATCH /clients/{id}"), json!({"description": n.to_string()})).await;
        plan.questions.extend(asks(&format!("clients/App {n}"), &["description"]).questions);
    }
    plan.questions.extend(plan.questions.clone());
    let facts = world.answer(&world.client, &plan).await;
    assert_eq!((facts.outside.len(), facts.requests), (40, 1));
    let blames = facts.outside.values().flat_map(std::collections::BTreeMap::values);
    assert!(blames.into_iter().all(|blame| tell(blame) == "exact dana@travel0.com dashboard"));
}
