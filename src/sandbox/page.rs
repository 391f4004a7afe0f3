//! The list styles of the API: offset, checkpoint, selected members.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::call::{ApiError, Call, Outcome, Reply};

/// Rows on a page when the request names no number.
pub const DEFAULT_SIZE: usize = 50;

/// Rows that pages reach in connections and organizations; what lies behind needs checkpoints.
pub const OFFSET_REACH: usize = 1000;

/// Lists of which pages reach the first rows only (API description).
const NEEDS_CHECKPOINT: &[&str] = &["connections", "organizations"];

/// Member order of an offset list with totals; it differs by kind (recorded traffic).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetOrder {
    /// total, start, limit, rows: clients, client grants, connections, resource servers, rules.
    TotalsFirst,
    /// rows, start, limit, total: roles, permissions, sub-lists of organizations, users.
    RowsFirst,
    /// limit, start, total, rows: flows, forms.
    LimitFirst,
}

/// One page of an offset list, before it is wrapped.
#[derive(Clone, PartialEq)]
pub struct Window {
    /// Index of the first row, 0-based: page × per_page.
    pub start: usize,
    /// Rows a full page holds.
    pub limit: usize,
    /// Rows of all pages.
    pub total: usize,
    /// Rows of this page, private members stripped, `fields` applied.
    pub rows: Vec<Value>,
}

/// Cuts the page that `page` and `per_page` ask for.
pub fn window(call: &Call, rows: Vec<Value>) -> Window {
    let limit = number(call, "per_page").unwrap_or(DEFAULT_SIZE);
    let start = number(call, "page").unwrap_or(0).saturating_mul(limit);
    let total = rows.len();
    let rows = rows.into_iter().skip(start).take(limit).map(|row| selected(call, visible(&row))).collect();
    Window { start, limit, total, rows }
}

/// Answers an offset list: a bare array, or with `include_totals` an object whose rows stand under `key`.
///
/// # Errors
/// None of its own; the type is that of a handler.
pub fn offset(call: &Call, key: &str, rows: Vec<Value>, order: OffsetOrder) -> Outcome {
    let Window { start, limit, total, rows } = window(call, rows);
    if !call.flag("include_totals") {
        return Ok(Reply::ok(Value::Array(rows)));
    }
    let body = match order {
        OffsetOrder::TotalsFirst => {
            json!({"total": total, "start": start, "limit": limit, key: rows})
        }
        OffsetOrder::RowsFirst => {
            json!({key: rows, "start": start, "limit": limit, "total": total})
        }
        OffsetOrder::LimitFirst => {
            json!({"limit": limit, "start": start, "total": total, key: rows})
        }
    };
    Ok(Reply::ok(body))
}

/// Answers a checkpoint list: the rows under `key`, and `next` unless this is the last page.
///
/// A cursor names the last row handed out, so that rows added or removed meanwhile neither repeat nor skip others.
///
/// # Errors
/// 400 `invalid_query_string` for a cursor that this API did not hand out.
pub fn checkpoint(call: &Call, key: &str, rows: Vec<Value>) -> Outcome {
    let take = number(call, "take").unwrap_or(DEFAULT_SIZE);
    let start = match call.query("from").filter(|from| !from.is_empty()) {
        Some(from) => resume(from, &rows)?,
        None => 0,
    };
    let end = start.saturating_add(take).min(rows.len());
    let next = (end < rows.len() && end > start).then(|| rows.get(end - 1).map(|last| cursor(end, last))).flatten();
    let page = rows.iter().skip(start).take(take).map(|row| selected(call, visible(row))).collect();
    let mut body = Map::new();
    body.insert(key.to_owned(), Value::Array(page));
    if let Some(next) = next {
        body.insert("next".to_owned(), Value::String(next));
    }
    Ok(Reply::ok(Value::Object(body)))
}

/// Answers a checkpoint list where the request asks for one (`take` or `from`), else an offset list.
///
/// # Errors
/// As [`checkpoint`]; 400 `invalid_paging` for an offset that does not reach so far.
pub fn either(call: &Call, key: &str, rows: Vec<Value>, order: OffsetOrder) -> Outcome {
    if call.query("take").is_some() || call.query("from").is_some() {
        return checkpoint(call, key, rows);
    }
    let limit = number(call, "per_page").unwrap_or(DEFAULT_SIZE);
    let end = number(call, "page").unwrap_or(0).saturating_add(1).saturating_mul(limit);
    if NEEDS_CHECKPOINT.contains(&key) && end > OFFSET_REACH {
        let message = format!("You can only page through the first {OFFSET_REACH} records.");
        return Err(ApiError::new(400, "invalid_paging", message));
    }
    offset(call, key, rows, order)
}

/// Keeps the members named by `fields`, or drops them with `include_fields=false`.
pub fn selected(call: &Call, value: Value) -> Value {
    let Some(fields) = call.query("fields").filter(|fields| !fields.is_empty()) else {
        return value;
    };
    let include = call.query("include_fields") != Some("false");
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| fields.split(',').any(|field| field.trim() == name.as_str()) == include)
                .collect(),
        ),
        other => other,
    }
}

/// Returns a stored value as readers see it: without members whose names begin with `$`, at any depth.
pub fn visible(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| !name.starts_with('$'))
                .map(|(name, member)| (name.clone(), visible(member)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(visible).collect()),
        other => other.clone(),
    }
}

fn number(call: &Call, name: &str) -> Option<usize> {
    call.query(name)?.parse().ok()
}

/// Names a row by its own id; rows of sub-lists carry the id of what they link.
fn row_id(row: &Value) -> &str {
    ["id", "client_id", "user_id", "connection_id", "custom_domain_id", "log_id", "permission_name"]
        .iter()
        .find_map(|member| row.get(member)?.as_str())
        .unwrap_or_default()
}

fn cursor(end: usize, last: &Value) -> String {
    URL_SAFE_NO_PAD.encode(format!("{end}:{}", row_id(last)))
}

fn resume(from: &str, rows: &[Value]) -> Result<usize, ApiError> {
    let refused =
        || ApiError::new(400, "invalid_query_string", "Query validation error: 'from' is not a valid cursor.");
    let text = URL_SAFE_NO_PAD.decode(from).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(refused)?;
    let (end, id) = text.split_once(':').ok_or_else(refused)?;
    let end: usize = end.parse().map_err(|_| refused())?;
    let found = rows.iter().position(|row| !id.is_empty() && row_id(row) == id);
    Ok(found.map_or(end.min(rows.len()), |at| at + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::sandbox::call::{Caller, Method};

    fn call(query: &[(&str, &str)]) -> Call {
        Call {
            method: Method::Get,
            segments: vec!["things".to_owned()],
            params: Vec::new(),
            query: query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: Value::Null,
            caller: Caller::default(),
            now_ms: 0,
        }
    }

    fn rows(n: usize) -> Vec<Value> {
        (0..n).map(|i| json!({"id": format!("t{i}"), "n": i, "$secret": "s"})).collect()
    }

    fn body(outcome: Outcome) -> Value {
        outcome.unwrap().body.unwrap()
    }

    #[test]
    fn offset_without_totals_is_a_bare_array_of_fifty() {
        let got = body(offset(&call(&[]), "things", rows(60), OffsetOrder::RowsFirst));
        assert_eq!(got.as_array().unwrap().len(), 50);
        assert_eq!(got[0], json!({"id": "t0", "n": 0}));
    }

    #[test]
    fn offset_with_totals_keeps_the_order_of_its_kind() {
        let query = call(&[("include_totals", "true"), ("page", "2"), ("per_page", "2")]);
        let names = |order| {
            let got = body(offset(&query, "things", rows(5), order));
            assert_eq!(
                (got["start"].as_u64(), got["limit"].as_u64(), got["total"].as_u64()),
                (Some(4), Some(2), Some(5))
            );
            assert_eq!(got["things"], json!([{"id": "t4", "n": 4}]));
            got.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",")
        };
        assert_eq!(names(OffsetOrder::TotalsFirst), "total,start,limit,things");
        assert_eq!(names(OffsetOrder::RowsFirst), "things,start,limit,total");
        assert_eq!(names(OffsetOrder::LimitFirst), "limit,start,total,things");
    }

    #[test]
    fn a_page_behind_the_last_is_empty() {
        let got = body(offset(&call(&[("page", "9")]), "things", rows(5), OffsetOrder::RowsFirst));
        assert_eq!(got, json!([]));
    }

    #[test]
    fn checkpoints_walk_every_row_once_and_stop() {
        let mut seen = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let mut query = vec![("take", "2")];
            if let Some(from) = &from {
                query.push(("from", from));
            }
            let got = body(checkpoint(&call(&query), "things", rows(5)));
            seen.extend(got["things"].as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()));
            match got.get("next") {
                Some(next) => from = Some(next.as_str().unwrap().to_owned()),
                None => break,
            }
        }
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_page_that_ends_with_the_last_row_has_no_next() {
        let got = body(checkpoint(&call(&[("take", "5")]), "things", rows(5)));
        assert!(got.get("next").is_none());
    }

    #[test]
    fn a_row_deleted_between_pages_skips_no_other() {
        let first = body(checkpoint(&call(&[("take", "2")]), "things", rows(5)));
        let next = first["next"].as_str().unwrap();
        let mut left = rows(5);
        left.remove(0);
        let second = body(checkpoint(&call(&[("take", "2"), ("from", next)]), "things", left));
        assert_eq!(second["things"][0]["id"], "t2");
    }

    #[test]
    fn a_made_up_cursor_is_refused() {
        for from in ["!!", "bm9jb2xvbg", "eDp5"] {
            let refused = checkpoint(&call(&[("from", from)]), "things", rows(5)).unwrap_err();
            assert_eq!((refused.status, refused.code.as_deref()), (400, Some("invalid_query_string")), "{from}");
        }
    }

    #[test]
    fn either_lets_take_win_over_totals() {
        let got = body(either(
            &call(&[("take", "1"), ("include_totals", "true")]),
            "things",
            rows(2),
            OffsetOrder::TotalsFirst,
        ));
        assert_eq!(got.as_object().unwrap().keys().collect::<Vec<_>>(), ["things", "next"]);
        let got = body(either(&call(&[("include_totals", "true")]), "things", rows(2), OffsetOrder::TotalsFirst));
        assert_eq!(got["total"], 2);
    }

    #[test]
    fn pages_of_some_lists_end_at_a_thousand_rows() {
        let page = |page| {
            either(&call(&[("page", page), ("per_page", "100")]), "connections", rows(1001), OffsetOrder::TotalsFirst)
        };
        assert!(page("9").is_ok());
        assert_eq!(page("10").unwrap_err().code.as_deref(), Some("invalid_paging"));
        let rest = either(&call(&[("page", "20")]), "clients", rows(1001), OffsetOrder::TotalsFirst);
        assert_eq!(body(rest).as_array().unwrap().len(), 1);
    }

    #[test]
    fn fields_include_and_exclude() {
        let value = json!({"id": 1, "name": "a", "x": true});
        assert_eq!(selected(&call(&[("fields", "id,name")]), value.clone()), json!({"id": 1, "name": "a"}));
        assert_eq!(
            selected(&call(&[("fields", "id,name"), ("include_fields", "false")]), value.clone()),
            json!({"x": true})
        );
        assert_eq!(selected(&call(&[]), value.clone()), value);
    }

    #[test]
    fn private_members_vanish_at_any_depth() {
        let stored = json!({"a": {"$pem": 1, "b": [{"$x": 1, "c": 2}]}, "$secret": "s"});
        assert_eq!(visible(&stored), json!({"a": {"b": [{"c": 2}]}}));
    }
}
