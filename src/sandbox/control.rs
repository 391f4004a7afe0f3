//! Test controls under `/_sandbox/`: they need no token, are not limited and not recorded.
//!
//! ```text
//! POST reset                                   a fresh tenant; credentials, tokens, clock and subscription stay
//! GET  state, PUT state                        the whole memory as JSON
//! POST faults {"faults": [{"status": 503, "share": 0.1, "handled": false, "method": "POST", "path": "/roles",
//!              "times": 1}], "seed": 7}        status 0 breaks off within the answer; handled: the write has its effect
//! POST faults {"barrier": {"write": 2, "when": "before"}}    or "after": holds the second write from now on
//! POST faults {"release": true}                lets it go
//! GET  faults                                  {"writes", "waiting"}: writes counted, and whether one is held
//! POST clock  {"offset_ms"} | {"advance_ms"} | {"now": "2030-01-01T00:00:00Z"}, {"log_lag_ms"}
//! POST token  {"name", "email"}                {"access_token"} of a dashboard user with every scope
//! ```

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{ApiError, Method};
use super::fault::Barrier;
use super::options::Fault;
use super::request::{Answer, Request};
use super::server::Shared;
use super::store;

/// Prefix of every control.
pub(super) const PREFIX: &str = "/_sandbox";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsBody {
    faults: Option<Vec<Fault>>,
    seed: Option<u64>,
    barrier: Option<Barrier>,
    #[serde(default)]
    release: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    offset_ms: Option<i64>,
    advance_ms: Option<i64>,
    now: Option<jiff::Timestamp>,
    log_lag_ms: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenBody {
    name: String,
    email: String,
}

/// Answers a control. The flag says whether the tenant's state changed.
pub(super) fn answer(shared: &Shared, request: &Request, segments: &[String]) -> (Answer, bool) {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let outcome = match (request.method, segments.as_slice()) {
        (Method::Post, ["reset"]) => {
            let now_ms = shared.now_ms();
            shared.tenant().reset(now_ms);
            Ok((None, true))
        }
        (Method::Get, ["state"]) => match serde_json::to_value(&shared.tenant().state) {
            Ok(state) => Ok((Some(state), false)),
            Err(error) => Err(ApiError::bare(500, error.to_string())),
        },
        (Method::Put, ["state"]) => put_state(shared, request),
        (Method::Get, ["faults"]) => Ok((Some(faults_status(shared)), false)),
        (Method::Post, ["faults"]) => body(request).map(|body| (Some(post_faults(shared, body)), false)),
        (Method::Post, ["clock"]) => body(request).map(|body| (Some(post_clock(shared, &body)), true)),
        (Method::Post, ["token"]) => body::<TokenBody>(request).and_then(|TokenBody { name, email }| {
            let now_ms = shared.now_ms();
            let token = shared.tenant().dashboard_token(&name, &email, now_ms)?;
            Ok((Some(json!({"access_token": token})), false))
        }),
        _ => Err(ApiError::bare(404, "Not Found")),
    };
    match outcome {
        Ok((Some(body), changed)) => (Answer { status: 200, body: Some(body) }, changed),
        Ok((None, changed)) => (Answer { status: 204, body: None }, changed),
        Err(error) => (error.into(), false),
    }
}

fn body<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, ApiError> {
    serde_json::from_slice(&request.body).map_err(|error| ApiError::invalid_body(error.to_string()))
}

fn put_state(shared: &Shared, request: &Request) -> Result<(Option<Value>, bool), ApiError> {
    let text = std::str::from_utf8(&request.body).map_err(|error| ApiError::invalid_body(error.to_string()))?;
    shared.tenant().state = store::parse(text).map_err(ApiError::invalid_body)?;
    Ok((None, true))
}

fn faults_status(shared: &Shared) -> Value {
    let (writes, waiting) = shared.faults().status();
    json!({"writes": writes, "waiting": waiting})
}

fn post_faults(shared: &Shared, body: FaultsBody) -> Value {
    {
        let mut faults = shared.faults();
        if let Some(list) = body.faults {
            faults.replace(list, body.seed);
        }
        if body.release {
            faults.release();
        }
        if let Some(barrier) = body.barrier {
            faults.set_barrier(barrier);
        }
    }
    faults_status(shared)
}

fn post_clock(shared: &Shared, body: &ClockBody) -> Value {
    let machine_ms = Shared::machine_ms();
    let mut tenant = shared.tenant();
    if let Some(offset_ms) = body.offset_ms {
        tenant.state.clock_offset_ms = offset_ms;
    }
    if let Some(now) = body.now {
        tenant.state.clock_offset_ms = now.as_millisecond() - machine_ms;
    }
    if let Some(advance_ms) = body.advance_ms {
        tenant.state.clock_offset_ms = tenant.state.clock_offset_ms.saturating_add(advance_ms);
    }
    if let Some(log_lag_ms) = body.log_lag_ms {
        tenant.log_lag_ms = log_lag_ms;
    }
    let offset_ms = tenant.state.clock_offset_ms;
    json!({"now": super::ids::timestamp_ms(machine_ms.saturating_add(offset_ms)), "offset_ms": offset_ms})
}
