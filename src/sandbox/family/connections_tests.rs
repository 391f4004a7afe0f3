#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::calls::{answer, call, get, query, refusal, tenant};
use super::*;

fn post(state: &mut State, body: Value) -> Value {
    answer(create(state, &call(&[], body)), 201)
}

fn database(state: &mut State, name: &str) -> String {
    let body = post(state, json!({"name": name, "strategy": "auth0", "options": {"import_mode": false}}));
    body["id"].as_str().unwrap().to_owned()
}

fn with_client(state: &mut State, id: &str) {
    state.collection_mut("clients").insert(id.to_owned(), json!({"client_id": id}));
}

#[test]
fn a_database_gets_its_defaults_and_an_id() {
    let mut state = tenant();
    let body = post(&mut state, json!({"name": "db", "strategy": "auth0"}));
    assert!(body["id"].as_str().unwrap().starts_with("con_"));
    assert_eq!(body["options"]["passwordPolicy"], "good");
    assert_eq!(body["realms"], json!(["db"]));
    assert_eq!(body["enabled_clients"], json!([]));
    assert_eq!(body["authentication"], json!({"active": true}));
    let id = body["id"].as_str().unwrap();
    assert_eq!(answer(read(&mut state, &get(&[id])), 200), body);
}

#[test]
fn names_and_realms_are_unique() {
    let mut state = tenant();
    database(&mut state, "db");
    let again = refusal(create(&mut state, &call(&[], json!({"name": "db", "strategy": "samlp"}))), 409);
    assert_eq!(again.message, "A connection with the same name already exists");
    let realm = json!({"name": "other", "strategy": "auth0", "realms": ["db"]});
    assert!(refusal(create(&mut state, &call(&[], realm)), 409).message.contains("realms"));
}

#[test]
fn a_deleted_name_is_free_only_later() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    let deleted = answer(delete(&mut state, &get(&[&id])), 202);
    assert!(deleted["deleted_at"].is_string());
    let again = call(&[], json!({"name": "db", "strategy": "auth0"}));
    assert!(refusal(create(&mut state, &again), 409).message.contains("being deleted"));
    assert_eq!(answer(delete(&mut state, &get(&[&id])), 202), deleted);
    answer(create(&mut state, &again), 201);
    answer(delete(&mut state, &get(&[&id])), 204);
    assert_eq!(refusal(read(&mut state, &get(&[&id])), 404).code.as_deref(), Some("inexistent_connection"));
}

#[test]
fn a_deletion_ends_while_others_are_read() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    answer(delete(&mut state, &get(&[&id])), 202);
    for _ in 0..DELETION_ASKS {
        assert_eq!(answer(list(&mut state, &get(&[])), 200), json!([]));
    }
    answer(create(&mut state, &call(&[], json!({"name": "db", "strategy": "auth0"}))), 201);
}

#[test]
fn a_deletion_ends_by_the_clock() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    answer(delete(&mut state, &get(&[&id])), 202);
    let mut later = call(&[], json!({"name": "db", "strategy": "auth0"}));
    later.now_ms += DELETION_MS;
    answer(create(&mut state, &later), 201);
}

#[test]
fn deleting_a_database_takes_its_users() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    state.collection_mut("organization_connections/org_1").insert(id.clone(), json!({"connection_id": id}));
    for (user, connection) in [("a", "db"), ("b", "other")] {
        let user_object = json!({"email": "e", "identities": [{"connection": connection}]});
        state.collection_mut("users").insert(user.to_owned(), user_object);
    }
    answer(delete(&mut state, &get(&[&id])), 202);
    assert_eq!(state.collection("users").map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(state.collection("organization_connections/org_1").count(), 0);
    answer(delete(&mut state, &get(&["con_never"])), 204);
}

#[test]
fn a_patch_replaces_options_and_keeps_other_members() {
    let mut state = tenant();
    let body = json!({"name": "db", "strategy": "auth0", "show_as_button": true, "options": {"disable_signup": true}});
    let id = post(&mut state, body)["id"].as_str().unwrap().to_owned();
    let body = answer(update(&mut state, &call(&[&id], json!({"options": {"passwordPolicy": "fair"}}))), 200);
    assert_eq!(
        body["options"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["passwordPolicy", "authentication_methods", "passkey_options"]
    );
    assert_eq!(body["show_as_button"], true);
    let body = answer(update(&mut state, &call(&[&id], json!({"metadata": {"a": "1", "b": null}}))), 200);
    assert_eq!((&body["metadata"], &body["options"]["passwordPolicy"]), (&json!({"a": "1"}), &json!("fair")));
}

#[test]
fn name_and_strategy_are_fixed() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    for body in [json!({"name": "x"}), json!({"strategy": "samlp"})] {
        assert_eq!(refusal(update(&mut state, &call(&[&id], body)), 400).code.as_deref(), Some("invalid_body"));
    }
    refusal(update(&mut state, &call(&["con_x"], json!({"options": {}}))), 404);
}

#[test]
fn password_hash_actions_are_for_databases() {
    let mut state = tenant();
    let body = json!({"name": "x", "strategy": "oidc", "options": {"custom_password_hash": {"action_id": "a"}}});
    assert!(refusal(create(&mut state, &call(&[], body)), 400).message.contains("only available for database"));
}

#[test]
fn options_need_their_own_scope() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    let mut without = get(&[&id]);
    without.caller.scopes.clear();
    assert!(answer(read(&mut state, &without), 200).get("options").is_none());
    assert!(answer(list(&mut state, &without), 200)[0].get("options").is_none());
    assert!(answer(read(&mut state, &get(&[&id])), 200).get("options").is_some());
}

#[test]
fn lists_filter_sort_and_page() {
    let mut state = tenant();
    database(&mut state, "zeta");
    database(&mut state, "Alpha");
    post(&mut state, json!({"name": "beta", "strategy": "samlp"}));
    let names =
        |body: &Value| items(body, "connections").iter().map(|row| text(row, "name").to_owned()).collect::<Vec<_>>();
    let all = answer(list(&mut state, &query(&[], &[("take", "50"), ("include_totals", "true")])), 200);
    assert_eq!(names(&all), ["Alpha", "beta", "zeta"]);
    assert!(all.get("next").is_none() && all.get("total").is_none());
    let some =
        answer(list(&mut state, &query(&[], &[("strategy", "auth0"), ("strategy", "oidc"), ("take", "9")])), 200);
    assert_eq!(names(&some), ["Alpha", "zeta"]);
    let one = answer(list(&mut state, &query(&[], &[("name", "beta"), ("include_totals", "true")])), 200);
    assert_eq!((&one["total"], names(&one)), (&json!(1), vec!["beta".to_owned()]));
}

#[test]
fn clients_are_enabled_and_disabled_one_by_one() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    for client in ["Vp", "to", "x"] {
        with_client(&mut state, client);
    }
    let on = |ids: &[&str]| json!(ids.iter().map(|id| json!({"client_id": id, "status": true})).collect::<Vec<_>>());
    answer(update_clients(&mut state, &call(&[&id], on(&["Vp", "to"]))), 204);
    answer(
        update_clients(
            &mut state,
            &call(&[&id], json!([{"client_id": "x", "status": true}, {"client_id": "x", "status": false}])),
        ),
        204,
    );
    assert_eq!(
        answer(list_clients(&mut state, &get(&[&id])), 200),
        json!({"clients": [{"client_id": "to"}, {"client_id": "Vp"}]})
    );
    assert_eq!(answer(read(&mut state, &get(&[&id])), 200)["enabled_clients"], json!(["Vp", "to"]));
    let unknown = refusal(update_clients(&mut state, &call(&[&id], on(&["nobody"]))), 404);
    assert_eq!(unknown.code.as_deref(), Some("inexistent_client"));
    answer(update_clients(&mut state, &call(&[&id], on(&["Vp"]))), 204);
    assert_eq!(answer(read(&mut state, &get(&[&id])), 200)["enabled_clients"], json!(["Vp", "to"]));
}

#[test]
fn at_most_fifty_clients_change_at_once() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    with_client(&mut state, "c");
    let many = json!(vec![json!({"client_id": "c", "status": true}); 51]);
    assert!(refusal(update_clients(&mut state, &call(&[&id], many)), 400).message.contains("51"));
    refusal(update_clients(&mut state, &call(&["con_x"], json!([]))), 404);
}

#[test]
fn enabled_clients_in_a_body_must_exist() {
    let mut state = tenant();
    let body = json!({"name": "db", "strategy": "auth0", "enabled_clients": ["c"]});
    refusal(create(&mut state, &call(&[], body.clone())), 400);
    with_client(&mut state, "c");
    let made = post(&mut state, body);
    assert_eq!(made["enabled_clients"], json!(["c"]));
    let id = made["id"].as_str().unwrap();
    let cleared = answer(update(&mut state, &call(&[id], json!({"enabled_clients": null}))), 200);
    assert_eq!(cleared["enabled_clients"], json!([]));
}

#[test]
fn status_is_for_directories_only() {
    let mut state = tenant();
    let ad = post(&mut state, json!({"name": "ad", "strategy": "ad"}));
    refusal(status(&mut state, &get(&[ad["id"].as_str().unwrap()])), 404);
    let id = database(&mut state, "db");
    answer(status(&mut state, &get(&[&id])), 200);
}

#[test]
fn users_are_deleted_by_email_in_databases_only() {
    let mut state = tenant();
    let id = database(&mut state, "db");
    state
        .collection_mut("users")
        .insert("u".to_owned(), json!({"email": "a@b.c", "identities": [{"connection": "db"}]}));
    answer(delete_user(&mut state, &query(&[&id], &[("email", "x@b.c")])), 204);
    assert_eq!(state.collection("users").count(), 1);
    answer(delete_user(&mut state, &query(&[&id], &[("email", "a@b.c")])), 204);
    assert_eq!(state.collection("users").count(), 0);
    let saml = post(&mut state, json!({"name": "s", "strategy": "samlp"}));
    refusal(delete_user(&mut state, &query(&[saml["id"].as_str().unwrap()], &[("email", "a@b.c")])), 400);
}

#[test]
fn a_fresh_tenant_has_two_connections() {
    let mut state = tenant();
    bootstrap(&mut state, 0);
    let names: Vec<_> = state.collection(CONNECTIONS).map(|(_, row)| text(row, "name").to_owned()).collect();
    assert_eq!(names, ["Username-Password-Authentication", "google-oauth2"]);
}

#[test]
fn one_domain_connection_per_strategy() {
    let mut state = tenant();
    post(&mut state, json!({"name": "a", "strategy": "samlp", "is_domain_connection": true}));
    let second = json!({"name": "b", "strategy": "samlp", "is_domain_connection": true});
    refusal(create(&mut state, &call(&[], second)), 409);
    post(&mut state, json!({"name": "c", "strategy": "oidc", "is_domain_connection": true}));
}
