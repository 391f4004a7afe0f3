//! `/rules` and `/hooks`: extensibility that actions replaced.

use serde_json::{Value, json};

use super::parts::{assign, is_true, set, text};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page::{self, OffsetOrder};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/rules", list),
    route(Post, "/rules", create),
    route(Get, "/rules/{id}", read),
    route(Patch, "/rules/{id}", update),
    route(Delete, "/rules/{id}", delete),
    route(Get, "/hooks", list_hooks),
];

const RULES: &str = "rules";

fn missing() -> ApiError {
    ApiError::new(404, "inexistent_rule", "The rule does not exist")
}

/// Newer subscriptions have neither rules nor hooks.
fn allowed(state: &State) -> Result<(), ApiError> {
    if state.has_feature("rules") {
        return Ok(());
    }
    Err(ApiError::bare(403, "This is a deprecated feature that is not available for this tenant."))
}

fn list(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let fits = |rule: &Value| call.query("enabled").is_none_or(|wanted| is_true(rule, "enabled") == (wanted == "true"));
    let rows = state.collection(RULES).map(|(_, rule)| rule.clone()).filter(fits).collect();
    page::offset(call, RULES, rows, OffsetOrder::TotalsFirst)
}

fn read(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let rule = state.object(RULES, call.param(0)).ok_or_else(missing)?;
    Ok(Reply::ok(page::selected(call, rule.clone())))
}

/// Refuses a name or an order that another rule has (API description, POST /rules, 409).
fn check_unique(state: &State, sent: &Value, own: &str) -> Result<(), ApiError> {
    for member in ["name", "order"] {
        let taken = |other: &Value| match (sent.get(member), other.get(member)) {
            (Some(Value::Number(new)), Some(Value::Number(old))) => new.as_f64() == old.as_f64(),
            (Some(Value::String(new)), Some(Value::String(old))) => new == old,
            _ => false,
        };
        if state.collection(RULES).any(|(id, other)| id != own && taken(other)) {
            return Err(ApiError::bare(409, format!("A rule with the same {member} already exists.")));
        }
    }
    Ok(())
}

fn create(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    check_unique(state, &call.body, "")?;
    let highest = state.collection(RULES).filter_map(|(_, rule)| rule.get("order")?.as_f64()).fold(0.0, f64::max);
    let id = state.id16("rul");
    let mut rule = json!({"id": id, "enabled": true, "name": text(&call.body, "name"), "stage": "login_success"});
    // The next free number.
    set(&mut rule, "order", whole(highest + 1.0));
    assign(&mut rule, &call.fields());
    state.collection_mut(RULES).insert(id, rule.clone());
    Ok(Reply::created(rule))
}

/// Writes a number without a fraction where it has none.
fn whole(number: f64) -> Value {
    let text = number.to_string();
    text.parse::<i64>().map_or_else(|_| json!(number), |number| json!(number))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let mut rule = state.object(RULES, call.param(0)).ok_or_else(missing)?.clone();
    if call.body.get("stage").is_some() {
        return Err(ApiError::invalid_body("Payload validation error: 'stage' cannot be changed."));
    }
    check_unique(state, &call.body, call.param(0))?;
    assign(&mut rule, &call.fields());
    state.collection_mut(RULES).insert(call.param(0).to_owned(), rule.clone());
    Ok(Reply::ok(rule))
}

fn delete(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    state.remove(RULES, call.param(0));
    Ok(Reply::no_content())
}

/// Hooks are not simulated; no tenant has any.
fn list_hooks(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    page::offset(call, "hooks", Vec::new(), OffsetOrder::TotalsFirst)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    fn made(state: &mut State, body: Value) -> Value {
        answer(create(state, &call(&[], body)), 201)
    }

    #[test]
    fn a_rule_gets_the_next_order() {
        let mut state = tenant();
        let first = made(&mut state, json!({"name": "a", "script": "x", "order": 7}));
        assert_eq!((&first["enabled"], &first["stage"]), (&json!(true), &json!("login_success")));
        assert_eq!(made(&mut state, json!({"name": "b", "script": "x"}))["order"], json!(8));
        assert!(first["id"].as_str().unwrap().starts_with("rul_"));
    }

    #[test]
    fn names_and_orders_are_unique_and_the_stage_is_fixed() {
        let mut state = tenant();
        let a = made(&mut state, json!({"name": "a", "script": "x", "order": 1}));
        let b = made(&mut state, json!({"name": "b", "script": "x", "order": 2}));
        let at = [a["id"].as_str().unwrap()];
        for body in [json!({"name": "b", "script": "x"}), json!({"name": "c", "script": "x", "order": 2.0})] {
            refusal(create(&mut state, &call(&[], body)), 409);
        }
        refusal(update(&mut state, &call(&at, json!({"order": 2}))), 409);
        refusal(update(&mut state, &call(&at, json!({"name": "b"}))), 409);
        refusal(update(&mut state, &call(&at, json!({"stage": "pre_authorize"}))), 400);
        let same = answer(update(&mut state, &call(&at, json!({"name": "a", "order": 1, "enabled": false}))), 200);
        assert_eq!((&same["enabled"], &same["script"]), (&json!(false), &json!("x")));
        answer(delete(&mut state, &get(&[b["id"].as_str().unwrap()])), 204);
        answer(delete(&mut state, &get(&[b["id"].as_str().unwrap()])), 204);
        assert_eq!(answer(update(&mut state, &call(&at, json!({"order": 2}))), 200)["order"], 2);
    }

    #[test]
    fn lists_filter_and_what_is_absent_is_not_found() {
        let mut state = tenant();
        made(&mut state, json!({"name": "a", "script": "x", "enabled": false}));
        made(&mut state, json!({"name": "b", "script": "x"}));
        let on = answer(list(&mut state, &query(&[], &[("enabled", "true"), ("include_totals", "true")])), 200);
        assert_eq!((&on["total"], &on["rules"][0]["name"]), (&json!(1), &json!("b")));
        for handler in [read, update] {
            assert_eq!(refusal(handler(&mut state, &get(&["x"])), 404).code.as_deref(), Some("inexistent_rule"));
        }
        state.documents.insert("$features".to_owned(), json!({"rules": false}));
        for handler in [list, create, read, update, delete, list_hooks] {
            refusal(handler(&mut state, &get(&["x"])), 403);
        }
    }

    #[test]
    fn there_are_no_hooks() {
        let body =
            answer(list_hooks(&mut tenant(), &query(&[], &[("include_totals", "true"), ("per_page", "100")])), 200);
        assert_eq!(body, json!({"total": 0, "start": 0, "limit": 100, "hooks": []}));
    }
}
