//! `/jobs`: work that a request starts and later reads find done.
//!
//! Jobs move on with every read of one (pending, processing, completed or failed), all of them, read or not, or when their time
//! has passed on the sandbox's clock: nobody has to wait. After a day it is gone (Auth0 documentation, bulk imports and exports).
//! Document `$jobs` of the state steers the next jobs: `{"reads": 5}` is how many reads a job takes, `{"fail": 2}` how many
//! of the next fail, `{"vanish": 1}` how many are gone at their second read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::parts::{set, text, unset};
use super::{user_export, user_import};
use crate::sandbox::call::Method::{Get, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::ids::timestamp_ms;
use crate::sandbox::multipart::MARK;
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
const STEERING: &str = "$jobs";
/// Reads, of whichever job, until one is done: at the first it is processing.
const READS: i64 = 2;
/// A job that nobody reads is done after this time.
const JOB_MS: i64 = 60_000;
/// Time after which a job is forgotten.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Time that a link to a file holds.
const LINK_MS: i64 = 60_000;
/// Imports under way at once (Auth0 documentation, rate limits).
const IMPORTS_AT_ONCE: usize = 2;

fn missing() -> ApiError {
    ApiError::new(404, "inexistent_job", "The job does not exist.")
}

fn no_connection() -> ApiError {
    ApiError::new(400, "inexistent_connection", "The connection does not exist.")
}

/// Takes one from a number of the steering document; says whether there was one.
fn steered(state: &mut State, member: &str) -> bool {
    let Some(document) = state.documents.get_mut(STEERING) else { return false };
    let left = document.get(member).and_then(Value::as_i64).unwrap_or(0);
    if left > 0 {
        set(document, member, left - 1);
    }
    left > 0
}

/// Stores a job that ends with a status after some reads.
fn start(state: &mut State, call: &Call, kind: &str, connection: Option<&str>, reads: i64, ends: &str) -> Value {
    let id = state.id16("job");
    let ends = if steered(state, "fail") { "failed" } else { ends };
    let is_gone = steered(state, "vanish");
    let mut job = json!({
        "id": id, "type": kind, "status": "pending", "created_at": timestamp_ms(call.now_ms),
        "$ends": ends, "$left": reads, "$reads": reads, "$at": call.now_ms, "$vanishes": is_gone,
    });
    let named = connection.and_then(|id| state.object("connections", id));
    // Always there, empty for an export of every connection.
    set(&mut job, "connection", named.map_or("", |connection| text(connection, "name")).to_owned());
    if let Some(id) = connection {
        set(&mut job, "connection_id", id);
    }
    state.collection_mut(JOBS).insert(id, job.clone());
    job
}

fn reads(state: &State) -> i64 {
    state.documents.get(STEERING).and_then(|steering| steering.get("reads")?.as_i64()).unwrap_or(READS).max(1)
}

fn export(state: &mut State, call: &Call) -> Outcome {
    let connection = call.body.get("connection_id").and_then(Value::as_str);
    if connection.is_some_and(|id| state.object("connections", id).is_none()) {
        return Err(no_connection());
    }
    let format = call.body.get("format").cloned().unwrap_or_else(|| json!("json"));
    user_export::check(&format, call.body.get("fields"))?;
    let mut job = start(state, call, "users_export", connection, reads(state), "completed");
    set(&mut job, "format", format);
    for member in ["limit", "fields"] {
        if let Some(value) = call.body.get(member) {
            set(&mut job, member, value.clone());
        }
    }
    state.collection_mut(JOBS).insert(text(&job, "id").to_owned(), job.clone());
    Ok(Reply::ok(page::visible(&job)))
}

fn import(state: &mut State, call: &Call) -> Outcome {
    if call.body.get(MARK).is_none() {
        return Err(ApiError::invalid_body("Payload validation error: 'Invalid multipart payload format'."));
    }
    let part = |name: &str| call.body.get(name).and_then(Value::as_str);
    let users = part("users").ok_or_else(|| ApiError::invalid_body("Must provide 'users' file as multipart part."))?;
    if users.trim().is_empty() {
        return Err(ApiError::invalid_body("Users file must not be empty."));
    }
    let id = part("connection_id")
        .ok_or_else(|| ApiError::invalid_body("Must provide 'connection_id' as multipart part."))?;
    let is_id = id
        .strip_prefix("con_")
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if !is_id {
        let rule = "String does not match pattern ^con_[A-Za-z0-9]{16}$";
        return Err(ApiError::invalid_body(format!("Payload validation error: '{rule}' on property connection_id.")));
    }
    let mut flags = Map::new();
    for name in ["upsert", "send_completion_email"] {
        let given = part(name).unwrap_or(if name == "upsert" { "false" } else { "true" });
        let value = given.parse::<bool>().map_err(|_| {
            let rule = "Expected type boolean but found type string";
            ApiError::invalid_body(format!("Payload validation error: '{rule}' on property {name}."))
        })?;
        flags.insert(name.to_owned(), json!(value));
    }
    user_import::check_target(state, id, no_connection)?;
    let under_way = state
        .collection(JOBS)
        .filter(|(_, job)| text(job, "type") == "users_import" && is_under_way(job) && call.now_ms - at(job) < JOB_MS);
    if under_way.count() >= IMPORTS_AT_ONCE {
        let message = "There are 2 active import users jobs, please wait until some of them are finished and try again";
        return Err(ApiError::new(429, "too_many_requests", message));
    }
    let mut job = start(state, call, "users_import", Some(id), reads(state), "completed");
    if let Some(external) = part("external_id") {
        set(&mut job, "external_id", external);
    }
    set(&mut job, "$users", users);
    set(&mut job, "$upsert", flags["upsert"].clone());
    state.collection_mut(JOBS).insert(text(&job, "id").to_owned(), job.clone());
    Ok(Reply { status: 202, body: Some(page::visible(&job)) })
}

/// Without a provider of its own, the e-mail of a tenant does not leave (recorded traffic: the job failed).
fn verification_email(state: &mut State, call: &Call) -> Outcome {
    if state.object("users", text(&call.body, "user_id")).is_none() {
        return Err(ApiError::new(404, "inexistent_user", "The user does not exist."));
    }
    let ends = if state.documents.contains_key("email_provider") { "completed" } else { "failed" };
    let job = start(state, call, "verification_email", None, 1, ends);
    Ok(Reply::created(page::visible(&job)))
}

fn is_under_way(job: &Value) -> bool {
    matches!(text(job, "status"), "pending" | "processing")
}

fn vanishes(job: &Value) -> bool {
    job.get("$vanishes") == Some(&Value::Bool(true))
}

fn at(job: &Value) -> i64 {
    number(job, "$at")
}

fn number(job: &Value, member: &str) -> i64 {
    job.get(member).and_then(Value::as_i64).unwrap_or_default()
}

/// Moves a job on by one read and returns it.
fn moved(state: &mut State, id: &str, now_ms: i64) -> Result<Value, ApiError> {
    let mut job = state.object(JOBS, id).cloned().ok_or_else(missing)?;
    let (left, all) = (number(&job, "$left") - 1, number(&job, "$reads"));
    let is_gone = vanishes(&job) && left < all - 1;
    if is_gone || now_ms - at(&job) >= KEPT_MS {
        state.remove(JOBS, id);
        return Err(missing());
    }
    if !is_under_way(&job) {
        return Ok(job);
    }
    set(&mut job, "$left", left);
    if left > 0 && now_ms - at(&job) < JOB_MS {
        set(&mut job, "status", "processing");
        set(&mut job, "percentage_done", 100 * (all - left) / all);
        set(&mut job, "time_left_seconds", left);
    } else {
        finish(state, &mut job, now_ms);
    }
    state.collection_mut(JOBS).insert(id.to_owned(), job.clone());
    Ok(job)
}

fn finish(state: &mut State, job: &mut Value, now_ms: i64) {
    let ends = text(job, "$ends").to_owned();
    set(job, "status", ends.as_str());
    unset(job, "percentage_done");
    unset(job, "time_left_seconds");
    let users = unset(job, "$users");
    if ends == "failed" {
        if text(job, "type") != "verification_email" {
            set(job, "status_details", "The job failed for a reason that the sandbox was told to have.");
        }
        return;
    }
    match text(job, "type") {
        "users_export" => {
            set(job, "percentage_done", 100);
            set(job, "time_left_seconds", 0);
            let file = STANDARD.encode(user_export::file(state, job));
            set(job, "$file", file);
        }
        "users_import" => {
            let text = users.as_ref().and_then(Value::as_str).unwrap_or_default();
            match user_import::run(state, job, text, now_ms) {
                Ok((summary, errors)) => {
                    set(job, "summary", summary);
                    set(job, "$errors", errors);
                }
                Err(details) => {
                    set(job, "status", "failed");
                    set(job, "status_details", details);
                }
            }
        }
        _ => {}
    }
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let id = call.param(0);
    state.object(JOBS, id).ok_or_else(missing)?;
    // The others do not stand still meanwhile.
    let under_way = state.collection(JOBS).filter(|(other, job)| *other != id && is_under_way(job) && !vanishes(job));
    for other in under_way.map(|(other, _)| other.clone()).collect::<Vec<_>>() {
        drop(moved(state, &other, call.now_ms));
    }
    let mut job = moved(state, id, call.now_ms)?;
    if job.get("$file").is_some() {
        // Each read gives a link of its own.
        let link = state.alphanumeric(32);
        let mut links = unset(&mut job, "$links").unwrap_or_else(|| json!({}));
        set(&mut links, &link, call.now_ms + LINK_MS);
        set(&mut job, "$links", links);
        state.collection_mut(JOBS).insert(id.to_owned(), job.clone());
        set(&mut job, "location", format!("{}/downloads/{id}/{link}", call.caller.origin));
    }
    Ok(Reply::ok(page::visible(&job)))
}

fn errors(state: &mut State, call: &Call) -> Outcome {
    let job = state.object(JOBS, call.param(0)).ok_or_else(missing)?;
    if call.now_ms - at(job) >= KEPT_MS {
        return Err(missing());
    }
    if text(job, "status") == "failed" {
        return Ok(Reply::ok(page::visible(job)));
    }
    match job.get("$errors").and_then(Value::as_array).filter(|errors| !errors.is_empty()) {
        Some(errors) => Ok(Reply::ok(Value::Array(errors.clone()))),
        None => Ok(Reply::no_content()),
    }
}

/// Returns what a link leads to: nothing, nothing any more, or a file.
pub(in crate::sandbox) fn download(state: &State, job: &str, link: &str, now_ms: i64) -> Option<Option<Vec<u8>>> {
    let job = state.object(JOBS, job)?;
    let until_ms = job.get("$links")?.get(link)?.as_i64()?;
    if now_ms >= until_ms || now_ms - at(job) >= KEPT_MS {
        return Some(None);
    }
    Some(Some(STANDARD.decode(text(job, "$file")).ok()?))
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
