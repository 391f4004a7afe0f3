//! `/jobs`: work that a request starts and a later read finds done.

use serde_json::{Value, json};

use super::parts::{set, text};
use crate::sandbox::call::Method::{Get, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Post, "/jobs/users-exports", export),
    route(Post, "/jobs/users-imports", import),
    route(Post, "/jobs/verification-email", verification_email),
    route(Get, "/jobs/{id}", read),
    route(Get, "/jobs/{id}/errors", errors),
];

const JOBS: &str = "jobs";

fn missing() -> ApiError {
    ApiError::new(404, "inexistent_job", "The job does not exist.")
}

/// Stores a job that the next read finds with the status `ends`.
fn start(state: &mut State, call: &Call, kind: &str, ends: &str) -> Value {
    let id = state.id16("job");
    let mut job = json!({
        "id": id, "type": kind, "status": "pending", "created_at": timestamp_ms(call.now_ms), "$ends": ends,
    });
    let connection = state.object("connections", text(&call.body, "connection_id"));
    let name = connection.map_or("", |connection| text(connection, "name")).to_owned();
    if !name.is_empty() {
        set(&mut job, "connection_id", text(&call.body, "connection_id"));
    }
    // Always there, empty for an export of every connection.
    set(&mut job, "connection", name);
    state.collection_mut(JOBS).insert(id, job.clone());
    page::visible(&job)
}

fn check_connection(state: &State, call: &Call) -> Result<(), ApiError> {
    match call.body.get("connection_id").and_then(Value::as_str) {
        Some(id) if state.object("connections", id).is_none() => Err(super::connections::missing()),
        _ => Ok(()),
    }
}

fn export(state: &mut State, call: &Call) -> Outcome {
    check_connection(state, call)?;
    let mut job = start(state, call, "users_export", "completed");
    set(&mut job, "format", call.body.get("format").cloned().unwrap_or_else(|| json!("json")));
    Ok(Reply::ok(job))
}

/// The file is not looked at: no user comes of it.
fn import(state: &mut State, call: &Call) -> Outcome {
    check_connection(state, call)?;
    let job = start(state, call, "users_import", "completed");
    Ok(Reply { status: 202, body: Some(job) })
}

/// Without a provider of its own, the e-mail of a tenant does not leave (recorded traffic: the job failed).
fn verification_email(state: &mut State, call: &Call) -> Outcome {
    if state.object("users", text(&call.body, "user_id")).is_none() {
        return Err(ApiError::new(404, "inexistent_user", "The user does not exist."));
    }
    let ends = if state.documents.contains_key("email_provider") { "completed" } else { "failed" };
    Ok(Reply::created(start(state, call, "verification_email", ends)))
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let job = state.object_mut(JOBS, call.param(0)).ok_or_else(missing)?;
    let ends = text(job, "$ends").to_owned();
    set(job, "status", ends);
    if text(job, "type") == "users_import" {
        set(job, "summary", json!({"failed": 0, "updated": 0, "inserted": 0, "total": 0}));
    }
    Ok(Reply::ok(page::visible(job)))
}

fn errors(state: &mut State, call: &Call) -> Outcome {
    state.object(JOBS, call.param(0)).ok_or_else(missing)?;
    Ok(Reply::ok(json!([])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, refusal, tenant};
    use super::*;

    #[test]
    fn a_job_is_pending_and_then_done() {
        let mut state = tenant();
        state.collection_mut("connections").insert("con_1".to_owned(), json!({"id": "con_1", "name": "db"}));
        let job = answer(import(&mut state, &call(&[], json!({"connection_id": "con_1"}))), 202);
        assert_eq!((&job["status"], &job["connection"], job.get("$ends")), (&json!("pending"), &json!("db"), None));
        let at = [job["id"].as_str().unwrap()];
        let done = answer(read(&mut state, &get(&at)), 200);
        assert_eq!((&done["status"], &done["summary"]["total"]), (&json!("completed"), &json!(0)));
        assert_eq!(answer(errors(&mut state, &get(&at)), 200), json!([]));
        assert_eq!(answer(export(&mut state, &get(&[])), 200)["format"], "json");
    }

    #[test]
    fn a_job_names_what_exists() {
        let mut state = tenant();
        let absent = call(&[], json!({"connection_id": "con_x"}));
        refusal(import(&mut state, &absent), 404);
        refusal(export(&mut state, &absent), 404);
        refusal(verification_email(&mut state, &call(&[], json!({"user_id": "auth0|1"}))), 404);
        refusal(read(&mut state, &get(&["job_x"])), 404);
        refusal(errors(&mut state, &get(&["job_x"])), 404);
    }

    #[test]
    fn an_email_fails_without_a_provider() {
        let mut state = tenant();
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
}
