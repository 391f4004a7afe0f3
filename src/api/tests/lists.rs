//! The five styles of paging.

use super::*;
use crate::api::ListStyle;

fn items(range: std::ops::Range<u64>) -> Vec<Value> {
    range.map(|n| json!({ "id": n })).collect()
}

fn page_style(max: u32) -> ListStyle {
    ListStyle::Page { rows: "roles".into(), max }
}

fn number(arrived: &Arrived, key: &str) -> u64 {
    arrived.query.get(key).map_or(0, |text| text.parse().unwrap())
}

/// A page of `total` roles, of at most `largest` rows.
fn page(arrived: &Arrived, total: u64, largest: u64) -> Reply {
    let size = number(arrived, "per_page").min(largest);
    let start = number(arrived, "page") * size;
    let rows = items(start.min(total)..(start + size).min(total));
    if arrived.query.get("include_totals").is_some_and(|v| v == "true") {
        Reply::json(200, &json!({ "roles": rows, "start": start, "limit": size, "total": total }))
    } else {
        Reply::json(200, &json!(rows))
    }
}

/// A page behind a cursor that is the number of the next row.
fn checkpoint(arrived: &Arrived, total: u64) -> Reply {
    let (from, take) = (number(arrived, "from"), number(arrived, "take"));
    let end = (from + take).min(total);
    let mut body = json!({ "roles": items(from..end) });
    if end < total {
        body["next"] = json!(end.to_string());
    }
    Reply::json(200, &body)
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_in_order() {
    for total in [0, 1, 99, 100, 101, 950] {
        let tenant = Tenant::start(move |arrived, _| page(arrived, total, 100)).await;
        let rows = tenant.client.list("roles", &[("type", "tenant")], &page_style(100)).await.unwrap();
        assert_eq!(rows, items(0..total));
        assert_eq!(tenant.count("roles") as u64, total.div_ceil(100).max(1));
        assert!(tenant.server.arrived().iter().skip(1).all(|a| a.query["type"] == "tenant"));
    }
}

#[tokio::test]
async fn a_server_with_smaller_pages_is_believed() {
    let tenant = Tenant::start(|arrived, _| page(arrived, 120, 50)).await;
    assert_eq!(tenant.client.list("roles", &[], &page_style(100)).await.unwrap(), items(0..120));
}

#[tokio::test]
async fn an_array_without_totals_is_read_until_a_page_is_short() {
    let tenant = Tenant::start(|arrived, _| {
        let start = number(arrived, "page") * 10;
        Reply::json(200, &json!(items(start.min(25)..(start + 10).min(25))))
    })
    .await;
    assert_eq!(tenant.client.list("roles", &[], &page_style(10)).await.unwrap(), items(0..25));

    let tenant = Tenant::start(|_, _| Reply::json(200, &json!(items(0..10)))).await;
    let rows = tenant.client.list("roles", &[], &page_style(10)).await.unwrap();
    assert_eq!(rows, items(0..10), "an endpoint that does not page is read once");
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_read_again() {
    let tenant = Tenant::start(|arrived, n| page(arrived, if n < 2 { 15 + n as u64 } else { 16 }, 10)).await;
    assert_eq!(tenant.client.list("roles", &[], &page_style(10)).await.unwrap(), items(0..16));

    let tenant = Tenant::start(|arrived, n| page(arrived, 15 + (n % 2) as u64, 10)).await;
    let failure = tenant.client.list("roles", &[], &page_style(10)).await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer { .. }), "never taken for whole: {failure:?}");
}

#[tokio::test]
async fn the_actions_family_has_an_envelope_of_its_own() {
    let style = ListStyle::Envelope { rows: "actions".into(), max: 10 };
    let tenant = Tenant::start(|arrived, _| {
        assert!(!arrived.query.contains_key("include_totals"), "the actions endpoints refuse it");
        let start = number(arrived, "page") * 10;
        let rows = items(start..(start + 10).min(23));
        Reply::json(200, &json!({ "actions": rows, "total": 23, "page": number(arrived, "page"), "per_page": 10 }))
    })
    .await;
    assert_eq!(tenant.client.list("actions/actions", &[], &style).await.unwrap(), items(0..23));

    let tenant = Tenant::start(|_, _| Reply::json(200, &json!({ "actions": [], "per_page": 10 }))).await;
    assert!(tenant.client.list("actions/actions", &[], &style).await.unwrap().is_empty());
}

#[tokio::test]
async fn checkpoints_are_followed_to_the_end() {
    let style = ListStyle::Checkpoint { rows: "roles".into(), max: 10 };
    let tenant = Tenant::start(|arrived, _| checkpoint(arrived, 35)).await;
    assert_eq!(tenant.client.list("roles", &[], &style).await.unwrap(), items(0..35));
    assert_eq!(tenant.count("roles"), 4);

    // Members of an organization: a cursor behind the last row, too.
    let tenant = Tenant::start(|arrived, _| {
        let rows = if arrived.query.contains_key("from") { vec![] } else { items(0..2) };
        let next = if rows.is_empty() { json!({ "roles": rows }) } else { json!({ "roles": rows, "next": "x" }) };
        Reply::json(200, &next)
    })
    .await;
    assert_eq!(tenant.client.list("roles", &[], &style).await.unwrap(), items(0..2));

    let tenant = Tenant::start(|_, _| Reply::json(200, &json!({ "roles": items(0..2), "next": "same" }))).await;
    let failure = tenant.client.list("roles", &[], &style).await.unwrap_err();
    assert!(matches!(failure, Failure::BadAnswer { .. }), "{failure:?}");
}

#[tokio::test]
async fn pages_give_way_to_checkpoints_beyond_their_reach() {
    let style = ListStyle::PageThenCheckpoint { rows: "roles".into(), max: 100 };
    for total in [1_000, 1_001] {
        let tenant = Tenant::start(move |arrived, _| {
            if arrived.query.contains_key("take") { checkpoint(arrived, total) } else { page(arrived, total, 100) }
        })
        .await;
        assert_eq!(tenant.client.list("roles", &[], &style).await.unwrap(), items(0..total));
        let cursors = tenant.server.arrived().iter().filter(|a| a.query.contains_key("take")).count();
        assert_eq!(cursors, if total > 1_000 { 11 } else { 0 });
    }
}

#[tokio::test]
async fn what_does_not_page_is_read_at_once() {
    let tenant = Tenant::start(|arrived, _| match arrived.path.as_str() {
        "/api/v2/log-streams" => Reply::json(200, &json!(items(0..3))),
        _ => Reply::json(200, &json!({ "providers": items(0..2) })),
    })
    .await;
    assert_eq!(tenant.client.list("log-streams", &[], &ListStyle::Array).await.unwrap(), items(0..3));
    let wrapped = ListStyle::Wrapped { rows: "providers".into() };
    assert_eq!(tenant.client.list("branding/phone/providers", &[], &wrapped).await.unwrap(), items(0..2));
    assert!(tenant.server.arrived().iter().skip(1).all(|a| a.query.is_empty()));
}

#[tokio::test]
async fn an_answer_without_the_rows_is_not_an_empty_list() {
    let tenant = Tenant::start(|_, _| Reply::json(200, &json!({ "templates": null }))).await;
    for style in [page_style(10), ListStyle::Wrapped { rows: "templates".into() }, ListStyle::Array] {
        let failure = tenant.client.list("x", &[], &style).await.unwrap_err();
        assert!(matches!(failure, Failure::BadAnswer { .. }), "{style:?}: {failure:?}");
    }
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let tenant = Tenant::start(|arrived, _| {
        if number(arrived, "page") == 1 { Reply::error(403, "Insufficient scope") } else { page(arrived, 30, 10) }
    })
    .await;
    let failure = tenant.client.list("roles", &[], &page_style(10)).await.unwrap_err();
    assert!(matches!(failure, Failure::Scope { .. }), "{failure:?}");
}
