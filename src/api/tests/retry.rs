//! What is sent again, what never is.

use std::sync::{Arc, Mutex};

use super::*;
use crate::api::Cause;

fn ok() -> Reply {
    Reply::json(200, &json!({ "name": "Shop" }))
}

/// Answers first so, then with success.
async fn first(reply: Reply) -> Tenant {
    Tenant::start(move |_, number| if number == 0 { reply.clone() } else { ok() }).await
}

async fn always(reply: Reply) -> Tenant {
    Tenant::start(move |_, _| reply.clone()).await
}

#[tokio::test]
async fn a_read_waits_as_long_as_it_is_told_and_asks_again() {
    let tenant = first(Reply::error(429, "Too many requests").with("retry-after", "7")).await;
    assert_eq!(tenant.client.get("clients/x", &[]).await.unwrap()["name"], "Shop");
    assert_eq!(tenant.count("clients/x"), 2);
    assert!(tenant.clock.skipped() >= Duration::from_secs(7));
    let statistics = tenant.client.statistics();
    assert_eq!((statistics.requests, statistics.retries), (2, 1));
    assert!(statistics.waited >= Duration::from_secs(7));
}

#[tokio::test]
async fn a_struggling_server_is_asked_again() {
    for reply in [Reply::error(503, "-"), Reply::error(408, "-"), Reply::Cut, Reply::Half(200)] {
        for method in [Method::GET, Method::PATCH, Method::PUT, Method::DELETE] {
            let tenant = first(reply.clone()).await;
            let done = if method == Method::GET {
                tenant.client.get("clients/x", &[]).await.map(|_| ())
            } else {
                tenant.write(method.clone(), "clients/x").await.map(|_| ())
            };
            assert_eq!((done, tenant.count("clients/x")), (Ok(()), 2), "{method} after {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_create_that_may_have_arrived_is_never_sent_again() {
    let not_json = Reply::text(201, "text/html", "<p>");
    for reply in [Reply::Cut, Reply::Half(201), Reply::error(500, "-"), Reply::error(503, "-"), not_json] {
        let tenant = always(reply.clone()).await;
        let failure = tenant.write(Method::POST, "clients").await.unwrap_err();
        assert!(matches!(failure, Failure::InDoubt { .. }), "{failure:?} after {reply:?}");
        assert_eq!(tenant.count("clients"), 1, "after {reply:?}");
    }
}

#[tokio::test]
async fn a_create_that_was_not_processed_is_sent_again() {
    for reply in [Reply::error(429, "Global limit has been reached"), Reply::error(401, "Invalid token.")] {
        let tenant = first(reply).await;
        tenant.write(Method::POST, "clients").await.unwrap();
        assert_eq!(tenant.count("clients"), 2);
    }
}

#[tokio::test]
async fn a_refused_create_is_refused() {
    let tenant = always(Reply::error(409, "A role with this name exists.")).await;
    let failure = tenant.write(Method::POST, "roles").await.unwrap_err();
    assert!(matches!(&failure, Failure::Refused { status: 409, path, .. } if path == "roles"), "{failure:?}");
    assert_eq!(tenant.count("roles"), 1);
}

#[tokio::test]
async fn a_create_that_never_left_is_tried_again_and_written_nowhere() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings(&format!("http://{closed}"));
    settings.credentials = Credentials::Token(Secret::new("opaque", "AUTH0_ACCESS_TOKEN"));
    let client = Client::connect_on(settings, CancellationToken::new(), Clock::skipping()).await.unwrap();
    let write = Write { method: Method::POST, path: "clients".into(), body: None, correlation_id: None };
    let failure = client.send(write).await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable { cause: Cause::Network, .. }), "{failure:?}");
    assert_eq!(client.statistics().requests, 5);
}

#[tokio::test]
async fn a_delete_sent_again_is_done_when_there_is_nothing_left() {
    let tenant = Tenant::start(|_, n| if n == 0 { Reply::Cut } else { Reply::error(404, "gone") }).await;
    assert_eq!(tenant.write(Method::DELETE, "clients/x").await.unwrap().status, 404);

    let tenant = always(Reply::error(404, "The client does not exist")).await;
    let failure = tenant.write(Method::DELETE, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::NotFound { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_write_that_is_lost_again_and_again_is_in_doubt() {
    let tenant = always(Reply::Cut).await;
    let failure = tenant.write(Method::PATCH, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::InDoubt { .. }), "{failure:?}");
    assert_eq!(tenant.count("clients/x"), 5);
}

#[tokio::test]
async fn a_refusal_settles_what_an_earlier_loss_left_open() {
    let tenant =
        Tenant::start(|_, n| if n == 0 { Reply::Cut } else { Reply::error(400, "Payload validation error") }).await;
    let failure = tenant.write(Method::PATCH, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::Refused { status: 400, .. }), "{failure:?}");

    let tenant = Tenant::start(|_, n| if n == 0 { Reply::Cut } else { Reply::error(429, "Too many requests") }).await;
    let failure = tenant.write(Method::PATCH, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::InDoubt { .. }), "too many requests settles nothing: {failure:?}");
}

#[tokio::test]
async fn repetition_ends_with_the_deadline() {
    let limited = Reply::error(429, "Too many requests").with("retry-after", "50");
    let tenant = Tenant::start_with(|s| s.deadline = Duration::from_secs(90), move |_, _| limited.clone()).await;
    let failure = tenant.client.get("clients", &[]).await.unwrap_err();
    assert_eq!(failure.problem().id, "rate-limited");
    assert_eq!(tenant.count("clients"), 2);
}

#[tokio::test]
async fn an_interrupted_run_sends_nothing_more() {
    let tenant = always(ok()).await;
    tenant.cancel.cancel();
    assert_eq!(tenant.client.get("clients", &[]).await, Err(Failure::Cancelled));
    assert_eq!(tenant.write(Method::POST, "clients").await, Err(Failure::Cancelled));
    assert_eq!(tenant.count("clients"), 0);
}

/// Interrupts the run while a request is being answered.
async fn interrupted(reply: Reply) -> Tenant {
    let cancel = Arc::new(Mutex::new(None::<CancellationToken>));
    let shared = Arc::clone(&cancel);
    let tenant = Tenant::start(move |_, _| {
        shared.lock().unwrap().as_ref().unwrap().cancel();
        reply.clone()
    })
    .await;
    *cancel.lock().unwrap() = Some(tenant.cancel.clone());
    tenant
}

#[tokio::test]
async fn an_interruption_lets_what_is_in_flight_finish() {
    let tenant = interrupted(ok()).await;
    assert_eq!(tenant.write(Method::POST, "clients").await.unwrap().status, 200);
    assert_eq!(tenant.write(Method::POST, "clients").await, Err(Failure::Cancelled));

    let tenant = interrupted(Reply::error(503, "-")).await;
    assert_eq!(tenant.client.get("clients", &[]).await, Err(Failure::Cancelled));

    let tenant = interrupted(Reply::error(503, "-")).await;
    let failure = tenant.write(Method::PATCH, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::InDoubt { .. }), "it may have been done: {failure:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(|_, _| ok()).await;
    let tenant = always(Reply::json(307, &json!({})).with("location", &elsewhere.url())).await;
    let failure = tenant.write(Method::PATCH, "clients/x").await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer { status: 307, .. }), "{failure:?}");
    assert!(elsewhere.arrived().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_not_taken_for_one() {
    let tenant = always(Reply::text(200, "text/html", "<html>Sign in to the guest network</html>")).await;
    let failure = tenant.client.get("clients", &[]).await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer { status: 200, .. }), "{failure:?}");
    assert!(!shown(&failure.problem()).contains("guest network"));
}

#[tokio::test]
async fn a_write_carries_what_it_should() {
    let tenant = always(Reply::text(204, "application/json", "")).await;
    let write = Write {
        method: Method::DELETE,
        path: format!("users/{}", crate::codec::encode_segment("auth0|1")),
        body: Some(json!({ "a": 1 })),
        correlation_id: Some("tenantry/01JD7/3".into()),
    };
    assert_eq!(tenant.client.send(write).await.unwrap().body, Value::Null);
    let arrived = tenant.server.arrived().pop().unwrap();
    assert_eq!((arrived.method.as_str(), arrived.path.as_str()), ("DELETE", "/api/v2/users/auth0%7C1"));
    assert_eq!(arrived.headers["x-correlation-id"], "tenantry/01JD7/3");
    assert_eq!(arrived.headers["user-agent"], "tenantry/test");
    assert_eq!(arrived.body, json!({ "a": 1 }));
    assert!(arrived.headers["authorization"].starts_with("Bearer ey"));
    assert!(arrived.headers["accept-encoding"].contains("gzip"));
}

#[tokio::test]
async fn many_requests_at_once_keep_to_the_limit() {
    let clock = Arc::new(std::sync::OnceLock::<Clock>::new());
    let (shared, bucket) = (Arc::clone(&clock), Mutex::new((50.0, Duration::ZERO)));
    let tenant = Tenant::start_with(
        |s| s.max_retries = 10,
        move |_, _| {
            let now = shared.get().unwrap().skipped();
            let (tokens, at) = &mut *bucket.lock().unwrap();
            *tokens = f64::min(*tokens + (now - *at).as_secs_f64() * 16.0, 50.0);
            *at = now;
            let is_free = *tokens >= 1.0;
            *tokens -= f64::from(u8::from(is_free));
            let reply = if is_free { ok() } else { Reply::error(429, "Global limit has been reached") };
            let reset = jiff::Timestamp::now().as_second() + 1;
            reply
                .with("x-ratelimit-limit", "50")
                .with("x-ratelimit-remaining", &format!("{}", tokens.floor()))
                .with("x-ratelimit-reset", &reset.to_string())
        },
    )
    .await;
    clock.set(tenant.clock.clone()).ok().unwrap();
    let paths: Vec<String> = (0..400).map(|n| format!("{}/x{n}", ["clients", "roles", "connections"][n % 3])).collect();
    let all = futures_util::future::join_all(paths.iter().map(|path| tenant.client.get(path, &[]))).await;
    assert!(all.iter().all(Result::is_ok));
    let statistics = tenant.client.statistics();
    assert!(statistics.retries < 20, "{statistics:?}");
    let rate = statistics.rate.unwrap();
    assert!((8.0..24.0).contains(&rate), "{rate}");
}
