#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::calls::{answer, call, get, query, refusal, tenant};
use super::*;

fn body() -> Value {
    json!({"name": "A", "code": "one", "supported_triggers": [{"id": "post-login", "version": "v3"}]})
}

fn made(state: &mut State, body: Value) -> String {
    answer(create(state, &call(&[], body)), 201)["id"].as_str().unwrap().to_owned()
}

/// Reads until the build has ended; returns the number of reads.
fn build(state: &mut State, id: &str) -> usize {
    for reads in 1..=3 {
        if answer(read(state, &get(&[id])), 200)["status"] == "built" {
            return reads;
        }
    }
    panic!("not built after three reads");
}

#[test]
fn a_create_adds_what_was_recorded() {
    let made = answer(create(&mut tenant(), &call(&[], body())), 201);
    assert_eq!(
        made.as_object().unwrap().keys().collect::<Vec<_>>(),
        [
            "id",
            "name",
            "supported_triggers",
            "created_at",
            "updated_at",
            "code",
            "dependencies",
            "runtime",
            "status",
            "secrets",
            "all_changes_deployed"
        ]
    );
    assert_eq!((&made["status"], &made["runtime"]), (&json!("pending"), &json!("node22")));
    assert!(made["created_at"].as_str().unwrap().ends_with("000Z") && made["created_at"].as_str().unwrap().len() == 30);
}

#[test]
fn every_build_ends_within_three_reads_and_some_take_longer() {
    let mut state = tenant();
    let reads: Vec<usize> = (0..30)
        .map(|_| {
            let id = made(&mut state, body());
            build(&mut state, &id)
        })
        .collect();
    assert!(reads.contains(&1) && reads.iter().any(|reads| *reads > 1), "{reads:?}");
}

#[test]
fn only_a_built_draft_is_deployed() {
    let mut state = tenant();
    let id = made(&mut state, body());
    assert!(refusal(deploy(&mut state, &get(&[&id])), 400).message.contains("must be in the 'built' state"));
    build(&mut state, &id);
    let version = answer(deploy(&mut state, &get(&[&id])), 200);
    assert_eq!(
        (&version["number"], &version["deployed"], &version["status"]),
        (&json!(1), &json!(false), &json!("built"))
    );
    assert_eq!(version["action"]["all_changes_deployed"], false);
    let seen = answer(read(&mut state, &get(&[&id])), 200);
    assert_eq!(seen["all_changes_deployed"], true);
    assert_eq!(
        (&seen["deployed_version"]["deployed"], &seen["deployed_version"]["id"]),
        (&json!(true), &version["id"])
    );
    assert_eq!(seen["current_version"]["status"], "BUILT");
}

#[test]
fn trying_to_deploy_again_and_again_ends() {
    let mut state = tenant();
    let id = made(&mut state, body());
    let tries = (0..5).position(|_| deploy(&mut state, &get(&[&id])).is_ok());
    assert!(tries.is_some_and(|tries| tries > 0));
}

#[test]
fn an_equal_patch_rebuilds_but_changes_nothing_deployed() {
    let mut state = tenant();
    let id = made(&mut state, body());
    build(&mut state, &id);
    answer(deploy(&mut state, &get(&[&id])), 200);
    let same = answer(update(&mut state, &call(&[&id], body())), 200);
    assert_eq!((&same["status"], &same["all_changes_deployed"]), (&json!("pending"), &json!(true)));
    let changed = answer(update(&mut state, &call(&[&id], json!({"code": "two"}))), 200);
    assert_eq!(changed["all_changes_deployed"], false);
    build(&mut state, &id);
    assert_eq!(answer(deploy(&mut state, &get(&[&id])), 200)["number"], 2);
    let renamed = answer(update(&mut state, &call(&[&id], json!({"name": "B"}))), 200);
    assert_eq!((&renamed["status"], &renamed["name"]), (&json!("built"), &json!("B")));
}

#[test]
fn a_create_may_deploy_at_once() {
    let mut sent = body();
    set(&mut sent, "deploy", true);
    let made = answer(create(&mut tenant(), &call(&[], sent)), 201);
    assert_eq!((&made["status"], &made["deployed_version"]["number"]), (&json!("pending"), &json!(1)));
    assert!(made.get("current_version").is_some() && made.get("deploy").is_none());
}

#[test]
fn secret_values_are_never_shown_and_count_as_changes() {
    let mut state = tenant();
    let with = |value: &str| {
        let mut sent = body();
        set(&mut sent, "secrets", json!([{"name": "KEY", "value": value}]));
        sent
    };
    let id = made(&mut state, with("hunter2"));
    build(&mut state, &id);
    let version = answer(deploy(&mut state, &get(&[&id])), 200);
    let seen = answer(read(&mut state, &get(&[&id])), 200);
    assert!(!version.to_string().contains("hunter2") && !seen.to_string().contains("hunter2"));
    assert_eq!(seen["secrets"][0].as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "updated_at"]);
    assert_eq!(answer(update(&mut state, &call(&[&id], with("hunter2"))), 200)["all_changes_deployed"], true);
    assert_eq!(answer(update(&mut state, &call(&[&id], with("other"))), 200)["all_changes_deployed"], false);
    let twice = json!({"secrets": [{"name": "K", "value": "1"}, {"name": "K", "value": "2"}]});
    refusal(update(&mut state, &call(&[&id], twice)), 400);
}

#[test]
fn triggers_must_exist_and_stay() {
    let mut state = tenant();
    let mut sent = body();
    set(&mut sent, "supported_triggers", json!([{"id": "post-login", "version": "v9"}]));
    refusal(create(&mut state, &call(&[], sent)), 400);
    let mut old = body();
    set(&mut old, "supported_triggers", json!([{"id": "post-login", "version": "v2"}]));
    assert_eq!(answer(create(&mut state, &call(&[], old)), 201)["runtime"], "node16");
    let mut open = body();
    set(&mut open, "supported_triggers", json!([{"id": "post-login"}]));
    let made = answer(create(&mut state, &call(&[], open)), 201);
    assert_eq!(made["supported_triggers"], json!([{"id": "post-login", "version": "v3"}]));
    let other = json!({"supported_triggers": [{"id": "credentials-exchange", "version": "v2"}]});
    refusal(update(&mut state, &call(&[made["id"].as_str().unwrap()], other)), 400);
}

#[test]
fn limits_are_enforced() {
    let mut state = tenant();
    for (member, value) in [
        ("code", json!("x".repeat(MOST_CODE_BYTES + 1))),
        ("dependencies", json!(vec![json!({"name": "a", "version": "1"}); MOST_DEPENDENCIES + 1])),
        ("secrets", json!((0..=MOST_SECRETS).map(|n| json!({"name": n.to_string()})).collect::<Vec<_>>())),
        ("modules", json!([{"module_name": "m"}])),
    ] {
        let mut sent = body();
        set(&mut sent, member, value);
        refusal(create(&mut state, &call(&[], sent)), 400);
    }
    for _ in 0..MOST_ACTIONS {
        made(&mut state, body());
    }
    assert!(refusal(create(&mut state, &call(&[], body())), 403).message.contains("limit of entities"));
}

#[test]
fn lists_page_in_an_envelope_of_their_own() {
    let mut state = tenant();
    assert_eq!(
        answer(list(&mut state, &query(&[], &[("page", "0"), ("per_page", "100")])), 200),
        json!({"actions": [], "per_page": 100})
    );
    let first = made(&mut state, body());
    let mut other = body();
    set(&mut other, "name", "B");
    made(&mut state, other);
    let page = answer(list(&mut state, &query(&[], &[("page", "1"), ("per_page", "1")])), 200);
    assert_eq!((&page["actions"][0]["name"], &page["total"], &page["page"]), (&json!("B"), &json!(2), &json!(1)));
    let named = answer(list(&mut state, &query(&[], &[("actionName", "B")])), 200);
    assert_eq!(named["total"], 1);
    build(&mut state, &first);
    answer(deploy(&mut state, &get(&[&first])), 200);
    let deployed = answer(list(&mut state, &query(&[], &[("deployed", "true"), ("triggerId", "post-login")])), 200);
    assert_eq!(deployed["actions"][0]["id"], first.as_str());
    assert_eq!(answer(list(&mut state, &query(&[], &[("installed", "true")])), 200)["actions"], json!([]));
}

#[test]
fn what_is_absent_is_not_found() {
    let mut state = tenant();
    for handler in [read, update, delete, deploy] {
        assert_eq!(refusal(handler(&mut state, &get(&["x"])), 404).message, "That action does not exist.");
    }
    let modules = answer(no_modules(&mut state, &query(&[], &[("per_page", "100")])), 200);
    assert_eq!(modules, json!({"modules": [], "total": 0, "page": 0, "per_page": 100}));
}
