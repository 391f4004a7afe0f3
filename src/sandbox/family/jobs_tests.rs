#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;

use super::super::calls::{NOW_MS, answer, call, get, refusal, tenant};
use super::*;

const CONNECTION: &str = "con_0123456789abcdef";

fn database() -> State {
    let mut state = tenant();
    add_connection(&mut state, CONNECTION, "db", "auth0", json!({}));
    state.collection_mut(&format!("connection_clients/{CONNECTION}")).insert("c".to_owned(), json!({"client_id": "c"}));
    state
}

fn add_connection(state: &mut State, id: &str, name: &str, strategy: &str, options: Value) {
    let connection = json!({"id": id, "name": name, "strategy": strategy, "options": options});
    state.collection_mut("connections").insert(id.to_owned(), connection);
}

fn sent(users: &Value, more: &[(&str, &str)]) -> Call {
    let mut body = json!({MARK: true, "users": users.to_string(), "connection_id": CONNECTION});
    for (name, value) in more {
        set(&mut body, name, *value);
    }
    call(&[], body)
}

/// Imports and returns the job when it is done, and its errors.
fn imported(state: &mut State, users: &Value, more: &[(&str, &str)]) -> (Value, Option<Value>) {
    let job = answer(import(state, &sent(users, more)), 202);
    let at = [job["id"].as_str().unwrap()];
    answer(read(state, &get(&at)), 200);
    let done = answer(read(state, &get(&at)), 200);
    (done, errors(state, &get(&at)).unwrap().body)
}

fn file_of(state: &mut State, body: Value) -> String {
    let job = answer(export(state, &call(&[], body)), 200);
    let at = [job["id"].as_str().unwrap()];
    answer(read(state, &get(&at)), 200);
    let done = answer(read(state, &get(&at)), 200);
    let link = done["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let bytes = download(state, at[0], &link, NOW_MS).unwrap().unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_job_is_pending_then_processing_then_done() {
    let mut state = database();
    let job = answer(import(&mut state, &sent(&json!([{"email": "a@b.co"}]), &[("external_id", "x")])), 202);
    assert_eq!(
        (&job["status"], &job["connection"], &job["external_id"]),
        (&json!("pending"), &json!("db"), &json!("x"))
    );
    assert!(job.as_object().unwrap().keys().all(|name| !name.starts_with('$')));
    let at = [job["id"].as_str().unwrap()];
    let second = answer(read(&mut state, &get(&at)), 200);
    assert_eq!((&second["status"], &second["percentage_done"]), (&json!("processing"), &json!(50)));
    let third = answer(read(&mut state, &get(&at)), 200);
    assert_eq!(third["summary"], json!({"failed": 0, "updated": 0, "inserted": 1, "total": 1}));
    assert_eq!(errors(&mut state, &get(&at)).unwrap(), Reply::no_content());
}

#[test]
fn a_job_ends_by_the_clock_too_and_is_forgotten_after_a_day() {
    let mut state = database();
    let job = answer(import(&mut state, &sent(&json!([{"email": "a@b.co"}]), &[])), 202);
    let at = [job["id"].as_str().unwrap()];
    let later = |ms| Call { now_ms: NOW_MS + ms, ..get(&at) };
    assert_eq!(answer(read(&mut state, &later(JOB_MS)), 200)["status"], "completed");
    assert_eq!(answer(read(&mut state, &later(KEPT_MS - 1)), 200)["status"], "completed");
    refusal(read(&mut state, &later(KEPT_MS)), 404);
    refusal(errors(&mut state, &later(KEPT_MS)), 404);
}

#[test]
fn imports_are_refused_for_what_the_api_names() {
    let mut state = database();
    add_connection(&mut state, "con_0000000000000002", "social", "google-oauth2", json!({}));
    let custom = json!({"enabledDatabaseCustomization": true});
    add_connection(&mut state, "con_0000000000000003", "legacy", "auth0", custom);
    add_connection(&mut state, "con_0000000000000004", "alone", "auth0", json!({}));
    state.collection_mut("connection_clients/con_0000000000000003").insert("c".to_owned(), json!({}));
    let users = json!([{"email": "a@b.co"}]);
    for (id, words) in [
        ("con_0000000000000002", "must be a database connection"),
        ("con_0000000000000003", "without import mode"),
        ("con_0000000000000004", "must be enabled"),
        ("con_0000000000000009", "does not exist"),
        ("con_9", "does not match pattern"),
    ] {
        let error = refusal(import(&mut state, &sent(&users, &[("connection_id", id)])), 400);
        assert!(error.message.contains(words), "{}", error.message);
    }
    refusal(import(&mut state, &sent(&users, &[("users", " ")])), 400);
    refusal(import(&mut state, &sent(&users, &[("upsert", "perhaps")])), 400);
    for body in [json!({MARK: true}), json!({MARK: true, "users": "[]"}), json!({"users": "[]"})] {
        refusal(import(&mut state, &call(&[], body)), 400);
    }
}

#[test]
fn a_third_import_at_once_is_refused_until_one_is_done() {
    let mut state = database();
    let users = json!([{"email": "a@b.co"}]);
    let first = answer(import(&mut state, &sent(&users, &[])), 202);
    answer(import(&mut state, &sent(&users, &[])), 202);
    let error = refusal(import(&mut state, &sent(&users, &[])), 429);
    assert!(error.message.contains("2 active import users jobs"));
    let at = [first["id"].as_str().unwrap()];
    answer(read(&mut state, &get(&at)), 200);
    answer(read(&mut state, &get(&at)), 200);
    answer(import(&mut state, &sent(&users, &[])), 202);
}

#[test]
fn jobs_that_nobody_reads_get_done_while_others_are_read() {
    let mut state = database();
    answer(import(&mut state, &sent(&json!([{"email": "a@b.co"}]), &[])), 202);
    let (_, listed) = imported(&mut state, &json!([{"email": "a@b.co"}]), &[]);
    assert_eq!(state.collection("users").count(), 1);
    assert_eq!(listed.unwrap()[0]["errors"][0]["code"], "DUPLICATED_USER");
}

#[test]
fn ids_get_their_prefix_and_unverified_is_the_default() {
    let mut state = database();
    let users =
        json!([{"email": "a@b.co", "user_id": "1"}, {"email": "c@b.co", "user_id": "auth0|2", "email_verified": true}]);
    imported(&mut state, &users, &[]);
    assert_eq!(state.object("users", "auth0|1").unwrap()["email_verified"], false);
    assert_eq!(state.object("users", "auth0|auth0|2").unwrap()["email_verified"], true);
    assert_eq!(state.object("users", "auth0|1").unwrap()["identities"][0]["connection"], "db");
}

#[test]
fn bad_users_are_listed_with_codes_and_the_others_come_in() {
    let mut state = database();
    let users = json!([
        {"email": "good@b.co"},
        {"email": "none"},
        {"name": "without"},
        {"email": "x@b.co", "created_at": "2020"},
        {"email": "y@b.co", "blocked": "yes"},
        {"email": "z@b.co", "app_metadata": {"clientID": 1}},
        {"email": "p@b.co", "password_hash": "md5"},
        {"email": "t@b.co", "phone_number": "1"},
        {"email": "m@b.co", "mfa_factors": []},
        {"email": "GOOD@b.co"},
        7,
    ]);
    let (job, listed) = imported(&mut state, &users, &[]);
    assert_eq!(job["summary"], json!({"failed": 10, "updated": 0, "inserted": 1, "total": 11}));
    let codes: Vec<String> = listed
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["errors"][0]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        [
            "FORMAT",
            "OBJECT_REQUIRED",
            "OBJECT_ADDITIONAL_PROPERTIES",
            "INVALID_TYPE",
            "NOT_PASSED",
            "PATTERN",
            "PATTERN",
            "ARRAY_LENGTH_SHORT",
            "DUPLICATED_USER",
            "INVALID_TYPE",
        ]
    );
}

#[test]
fn an_update_finds_its_user_by_email_and_leaves_what_cannot_change() {
    let mut state = database();
    let first = json!([{"email": "a@b.co", "user_id": "1", "username": "ana", "user_metadata": {"a": 1, "b": 2}}]);
    imported(&mut state, &first, &[]);
    let again =
        json!([{"email": "A@b.co", "user_id": "9", "username": "bea", "blocked": true, "user_metadata": {"a": 3}}]);
    let (job, listed) = imported(&mut state, &again, &[("upsert", "true")]);
    assert_eq!((job["summary"]["updated"].clone(), listed), (json!(1), None));
    let user = state.object("users", "auth0|1").unwrap();
    assert_eq!((&user["username"], &user["user_metadata"]), (&json!("ana"), &json!({"a": 3})));
    assert!(user.get("blocked").is_none() && state.object("users", "auth0|9").is_none());
    let other = json!([{"email": "c@b.co", "username": "ANA"}, {"email": "d@b.co", "user_id": "1"}]);
    let (_, listed) = imported(&mut state, &other, &[("upsert", "true")]);
    let listed = listed.unwrap();
    assert_eq!(listed[0]["errors"][0]["code"], "CONFLICT_USERNAME");
    assert_eq!(listed[1]["errors"][0]["code"], "DUPLICATED_USER");
}

#[test]
fn a_file_that_is_no_list_fails_the_job() {
    let mut state = database();
    for file in ["{\"email\":", "{\"email\": \"a@b.co\"}\n{}"] {
        let (job, said) = imported(&mut state, &json!([]), &[("users", file)]);
        assert_eq!(job["status"], "failed");
        assert!(said.unwrap()["status_details"].as_str().unwrap().contains("Failed to parse users file JSON"));
    }
}

#[test]
fn an_export_holds_the_fields_asked_for() {
    let mut state = database();
    add_connection(&mut state, "con_0000000000000002", "other", "auth0", json!({}));
    let users =
        json!([{"email": "a@b.co", "user_id": "1", "user_metadata": {"theme": "=dark\""}}, {"email": "c@b.co"}]);
    imported(&mut state, &users, &[]);
    let fields = json!([
        {"name": "user_id"}, {"name": "user_metadata.theme"}, {"name": "identities[0].connection", "export_as": "from"},
    ]);
    let body = json!({"connection_id": CONNECTION, "fields": fields, "limit": 1});
    let line = "{\"user_id\":\"auth0|1\",\"user_metadata.theme\":\"=dark\\\"\",\"from\":\"db\"}\n";
    assert_eq!(file_of(&mut state, body.clone()), line);
    let csv = json!({"connection_id": CONNECTION, "fields": fields, "limit": 1, "format": "csv"});
    let text = "\"user_id\",\"user_metadata.theme\",\"from\"\n\"'auth0|1\",\"'=dark\"\"\",\"'db\"\n";
    assert_eq!(file_of(&mut state, csv), text);
    assert_eq!(file_of(&mut state, json!({})).lines().count(), 2);
    assert_eq!(file_of(&mut state, json!({"connection_id": "con_0000000000000002"})), "");
    assert!(!file_of(&mut state, json!({})).contains("user_metadata"));
}

#[test]
fn csv_holds_no_object_and_no_more_than_thirty_columns() {
    let mut state = database();
    let whole = json!({"format": "csv", "fields": [{"name": "app_metadata"}]});
    refusal(export(&mut state, &call(&[], whole)), 400);
    let many: Vec<Value> = (0..31).map(|n| json!({"name": format!("user_metadata.m{n}")})).collect();
    refusal(export(&mut state, &call(&[], json!({"format": "csv", "fields": many}))), 400);
    answer(export(&mut state, &call(&[], json!({"fields": many}))), 200);
    refusal(export(&mut state, &call(&[], json!({"connection_id": "con_0000000000000009"}))), 400);
}

#[test]
fn a_link_holds_for_a_minute_and_another_read_gives_another() {
    let mut state = database();
    let job = answer(export(&mut state, &call(&[], json!({}))), 200);
    let id = job["id"].as_str().unwrap();
    read(&mut state, &get(&[id])).unwrap();
    let link = |state: &mut State, now_ms| {
        let done = answer(read(state, &Call { now_ms, ..get(&[id]) }), 200);
        done["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    };
    let first = link(&mut state, NOW_MS);
    assert!(download(&state, id, &first, NOW_MS + LINK_MS - 1).unwrap().is_some());
    assert!(download(&state, id, &first, NOW_MS + LINK_MS).unwrap().is_none());
    let second = link(&mut state, NOW_MS + LINK_MS);
    assert!(download(&state, id, &second, NOW_MS + LINK_MS).unwrap().is_some());
    assert!(download(&state, id, "made-up", NOW_MS).is_none());
    assert!(download(&state, "job_x", &second, NOW_MS).is_none());
}

#[test]
fn jobs_fail_and_vanish_when_told_to() {
    let mut state = database();
    state.documents.insert(STEERING.to_owned(), json!({"fail": 1, "reads": 3}));
    let job = answer(export(&mut state, &call(&[], json!({}))), 200);
    let at = [job["id"].as_str().unwrap()];
    let seen: Vec<Value> = (0..3).map(|_| answer(read(&mut state, &get(&at)), 200)["status"].clone()).collect();
    assert_eq!(seen, ["processing", "processing", "failed"]);
    assert!(errors(&mut state, &get(&at)).unwrap().body.unwrap()["status_details"].is_string());
    state.documents.insert(STEERING.to_owned(), json!({"vanish": 1}));
    let job = answer(export(&mut state, &call(&[], json!({}))), 200);
    let at = [job["id"].as_str().unwrap()];
    answer(read(&mut state, &get(&at)), 200);
    refusal(read(&mut state, &get(&at)), 404);
}

#[test]
fn an_email_fails_without_a_provider() {
    let mut state = tenant();
    refusal(verification_email(&mut state, &call(&[], json!({"user_id": "auth0|1"}))), 404);
    refusal(read(&mut state, &get(&["job_x"])), 404);
    refusal(errors(&mut state, &get(&["job_x"])), 404);
    state.collection_mut("users").insert("auth0|1".to_owned(), json!({}));
    let sent = call(&[], json!({"user_id": "auth0|1"}));
    let end = |state: &mut State| {
        let job = answer(verification_email(state, &sent), 201);
        answer(read(state, &get(&[job["id"].as_str().unwrap()])), 200)["status"].clone()
    };
    assert_eq!(end(&mut state), "failed");
    state.documents.insert("email_provider".to_owned(), json!({}));
    assert_eq!(end(&mut state), "completed");
}
