//! The tenant's log: an entry of type `sapi` for every successful write, searched and read as in the real API.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::call::{ApiError, Call, Method, Outcome, Reply};
use super::contract::Operation;
use super::ids::timestamp_ms;
use super::log_query::Query;
use super::multipart::MARK;
use super::page::{self, Window};
use super::request::{Answer, Request};
use super::state::State;
use super::token::Claims;

/// Results a search can page through (documentation of the log search).
const REACH: usize = 1000;

/// Member names whose text the log shows as stars.
const SECRET: &[&str] = &[
    "password",
    "client_secret",
    "secret",
    "api_key",
    "secretAccessKey",
    "smtp_pass",
    "pem",
    "signing_secret",
    "auth_token",
    "twilio_token",
    "app_secret",
    "access_token",
    "private_key",
    "token",
];

/// Adds the entry of a write.
pub(super) fn write(
    state: &mut State,
    operation: &Operation,
    call: &Call,
    claims: &Claims,
    request: &Request,
    answer: &Answer,
) {
    echo(state, call, claims);
    let log_id = next_id(state, call.now_ms);
    let (user, channel) = match &call.caller.user {
        Some((name, email)) => {
            (json!({"user_id": claims.sub, "name": name, "email": email}), "https://manage.auth0.com/")
        }
        None => (json!({}), "api"),
    };
    let client_name = state.object("clients", &claims.azp).and_then(|client| client.get("name")).cloned();
    let query: Map<String, Value> =
        call.query.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let mut entry = json!({
        "date": timestamp_ms(call.now_ms),
        "type": "sapi",
        "description": operation.label.clone().unwrap_or_else(|| operation.template.clone()),
        "client_id": claims.azp,
        "client_name": client_name.unwrap_or_else(|| Value::String(String::new())),
        "ip": call.caller.ip,
        "user_agent": call.caller.user_agent,
        "details": {
            "request": {
                "method": method_name(call.method),
                "path": request.path(),
                "query": query,
                "userAgent": call.caller.user_agent,
                "body": if call.body.get(MARK).is_some() { Value::Null } else { masked(&call.body) },
                "channel": channel,
                "ip": call.caller.ip,
                "auth": {
                    "user": user,
                    "strategy": "jwt",
                    "credentials": {"jti": claims.jti, "scopes": call.caller.scopes},
                },
            },
            "response": {"statusCode": answer.status, "body": answer.body.as_ref().map_or(Value::Null, masked)},
        },
        "user_id": if call.caller.user.is_some() { claims.sub.as_str() } else { "" },
        "user_name": call.caller.user.as_ref().map_or("", |(name, _)| name.as_str()),
        "log_id": log_id,
        "_id": log_id,
        "isMobile": false,
        "$at": call.now_ms,
    });
    if let Some(members) = entry.as_object_mut() {
        if let Some(id) = &call.caller.correlation_id {
            members.insert("references".to_owned(), json!({"correlation_id": id}));
        }
        if let Some(sdk) = request.auth0_client.as_deref().and_then(sdk) {
            members.insert("auth0_client".to_owned(), sdk);
        }
    }
    state.logs.push(entry);
}

/// Reads what an SDK says of itself; nonsense is left out.
fn sdk(header: &str) -> Option<Value> {
    let bytes = STANDARD.decode(header).or_else(|_| URL_SAFE_NO_PAD.decode(header)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

/// A change of the tenant's name or picture is logged a second time, and first (public samples): everything hidden, the path
/// of another API, the method in capitals.
fn echo(state: &mut State, call: &Call, claims: &Claims) {
    let is_settings = call.method == Method::Patch && call.segments == ["tenants", "settings"];
    if !is_settings || !["friendly_name", "picture_url"].iter().any(|member| call.body.get(member).is_some()) {
        return;
    }
    let log_id = next_id(state, call.now_ms);
    state.logs.push(json!({
        "date": timestamp_ms(call.now_ms),
        "type": "gd_tenant_update",
        "description": "Guardian - Updates tenant settings",
        "client_id": claims.azp,
        "ip": call.caller.ip,
        "user_agent": call.caller.user_agent,
        "details": {
            "request": {"method": "PATCH", "path": "/api/tenants/settings", "query": {}, "body": "[REDACTED]"},
            "response": {"statusCode": 200, "body": "[REDACTED]"},
        },
        "user_id": format!("{}@clients", claims.azp),
        "log_id": log_id,
        "_id": log_id,
        "isMobile": false,
        "$at": call.now_ms,
    }));
}

/// 55 digits: 900, the time to the millisecond, a sequence number (recorded traffic).
fn next_id(state: &mut State, now_ms: i64) -> String {
    state.counter += 1;
    let time: String = timestamp_ms(now_ms).chars().filter(char::is_ascii_digit).collect();
    format!("900{time}{:035}", state.counter)
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Patch => "patch",
        Method::Put => "put",
        Method::Delete => "delete",
    }
}

/// Puts stars for secrets: members named like one, and the values of `secrets` lists.
fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| !name.starts_with('$'))
                .map(|(name, member)| {
                    let shown = match member {
                        Value::String(_) if SECRET.contains(&name.as_str()) => Value::String("*****".to_owned()),
                        Value::Array(items) if name == "secrets" => items.iter().map(masked_item).collect(),
                        other => masked(other),
                    };
                    (name.clone(), shown)
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

fn masked_item(item: &Value) -> Value {
    let mut shown = masked(item);
    if let Some(value) = shown.get_mut("value") {
        *value = Value::String("*****".to_owned());
    }
    shown
}

/// `GET /logs`: by checkpoint (`from`, `take`) or by search (`q`, `sort`, pages).
pub(super) fn search(state: &mut State, call: &Call) -> Outcome {
    let oldest_ms = oldest_ms(state, call.now_ms);
    let at_ms = |entry: &&Value| entry.get("$at").and_then(Value::as_i64);
    let visible = |entry: &&Value| at_ms(entry).is_none_or(|at| at <= call.now_ms && at >= oldest_ms);
    let entries: Vec<&Value> = state.logs.iter().filter(visible).collect();
    if call.query("from").is_some() || call.query("take").is_some() {
        let from = call.query("from").unwrap_or_default();
        let take = call.query("take").and_then(|take| take.parse().ok()).unwrap_or(50_usize).min(100);
        let later = entries.into_iter().filter(|entry| text(entry, "log_id") > from);
        return Ok(Reply::ok(later.take(take).map(page::visible).collect()));
    }
    let query = call.query("q").or_else(|| call.query("search")).unwrap_or_default();
    let query = Query::parse(query).map_err(|message| ApiError::new(400, "invalid_query_string", message))?;
    let mut rows: Vec<Value> = entries.into_iter().filter(|entry| query.admits(entry)).cloned().collect();
    let (field, direction) = call.query("sort").and_then(|sort| sort.split_once(':')).unwrap_or(("date", "-1"));
    // The id tells apart what happened in one millisecond.
    rows.sort_by(|a, b| text(a, field).cmp(text(b, field)).then_with(|| text(a, "log_id").cmp(text(b, "log_id"))));
    if direction != "1" {
        rows.reverse();
    }
    let Window { start, limit, total, rows } = page::window(call, rows);
    if start.saturating_add(limit) > REACH {
        return Err(ApiError::new(400, "invalid_paging", "You can only page through the first 1000 records."));
    }
    if !call.flag("include_totals") {
        return Ok(Reply::ok(Value::Array(rows)));
    }
    Ok(Reply::ok(json!({"start": start, "limit": limit, "length": rows.len(), "total": total, "logs": rows})))
}

/// Returns from when on entries are kept: the subscription says how many days.
fn oldest_ms(state: &State, now_ms: i64) -> i64 {
    let features = state.documents.get("$features");
    let days = features.and_then(|features| features.get("log_retention_days")).and_then(Value::as_i64).unwrap_or(30);
    now_ms.saturating_sub(days.saturating_mul(86_400_000))
}

/// `GET /logs/{id}`.
pub(super) fn read(state: &mut State, call: &Call) -> Outcome {
    let oldest_ms = oldest_ms(state, call.now_ms);
    let kept = |entry: &Value| entry.get("$at").and_then(Value::as_i64).is_none_or(|at| at >= oldest_ms);
    let entry = state.logs.iter().find(|entry| text(entry, "log_id") == call.param(0) && kept(entry));
    let entry = entry.ok_or_else(|| ApiError::bare(404, "Log not found."))?;
    Ok(Reply::ok(page::visible(entry)))
}

fn text<'a>(entry: &'a Value, member: &str) -> &'a str {
    entry.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_stars_and_private_members_vanish() {
        let body = json!({
            "name": "a", "client_secret": "s", "$x": 1,
            "secrets": [{"name": "K", "value": "v"}], "options": {"password": "p", "deep": [{"pem": "x"}]},
        });
        assert_eq!(
            masked(&body),
            json!({
                "name": "a", "client_secret": "*****",
                "secrets": [{"name": "K", "value": "*****"}], "options": {"password": "*****", "deep": [{"pem": "*****"}]},
            })
        );
    }

    #[test]
    fn log_ids_have_55_digits_and_grow() {
        let mut state = State::default();
        let first = next_id(&mut state, 1_700_000_000_123);
        assert_eq!(first.len(), 55);
        assert!(first.starts_with("90020231114221320123"));
        assert!(first < next_id(&mut state, 1_700_000_000_123));
        assert!(first < next_id(&mut state, 1_700_000_000_124));
    }
}
