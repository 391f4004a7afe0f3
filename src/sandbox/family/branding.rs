//! `/branding`: colours, logo and the page template of the login pages.

use serde_json::json;

use super::custom_domains;
use super::parts::{assign, text};
use crate::sandbox::call::Method::{Delete, Get, Patch, Put};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/branding", read),
    route(Patch, "/branding", update),
    route(Get, "/branding/templates/universal-login", read_template),
    route(Put, "/branding/templates/universal-login", write_template),
    route(Delete, "/branding/templates/universal-login", delete_template),
    route(Get, "/branding/themes/default", no_theme),
    route(Get, "/branding/phone/providers", no_providers),
    route(Get, "/branding/phone/templates", no_phone_templates),
];

const BRANDING: &str = "branding";
const TEMPLATE: &str = "branding/universal_login";

/// Adds the branding of a fresh tenant: none.
pub(super) fn bootstrap(state: &mut State, _now_ms: i64) {
    state.documents.insert(BRANDING.to_owned(), json!({}));
}

fn read(state: &mut State, _call: &Call) -> Outcome {
    Ok(Reply::ok(state.documents.get(BRANDING).map_or_else(|| json!({}), page::visible)))
}

fn update(state: &mut State, call: &Call) -> Outcome {
    for name in ["logo_url", "favicon_url"] {
        if call.body.get(name).is_some_and(|url| url == "") {
            return Err(ApiError::invalid_body(format!(
                "Payload validation error: 'Object didn't pass validation for format strict-https-uri-or-null: ' on \
                 property {name}."
            )));
        }
    }
    let branding = state.documents.entry(BRANDING.to_owned()).or_insert_with(|| json!({}));
    assign(branding, &call.fields());
    Ok(Reply::ok(page::visible(branding)))
}

/// A page template needs a verified custom domain; without one the feature is not paid for
/// (API description, GET /branding/templates/universal-login, 402).
fn allowed(state: &State) -> Result<(), ApiError> {
    if custom_domains::any_ready(state) {
        return Ok(());
    }
    Err(ApiError::bare(402, "A paid subscription is required for this feature."))
}

fn read_template(state: &mut State, _call: &Call) -> Outcome {
    allowed(state)?;
    let body = state
        .documents
        .get(TEMPLATE)
        .ok_or_else(|| ApiError::new(404, "inexistent_templates_universal_login", "Template does not exist."))?;
    Ok(Reply::ok(json!({"body": body})))
}

fn write_template(state: &mut State, call: &Call) -> Outcome {
    allowed(state)?;
    let template = call.body.as_str().unwrap_or_else(|| text(&call.body, "template"));
    let tag = |name: &str| {
        template.split("{%").skip(1).any(|rest| rest.trim_start_matches('-').trim_start().starts_with(name))
    };
    if !tag("auth0:head") || !tag("auth0:widget") {
        return Err(ApiError::bare(400, "Payload content missing required Liquid tags (auth0:head and auth0:widget)."));
    }
    // 201 on the first write, 204 where it replaces (recorded traffic).
    let replaced = state.documents.insert(TEMPLATE.to_owned(), json!(template)).is_some();
    Ok(Reply { status: if replaced { 204 } else { 201 }, body: None })
}

fn delete_template(state: &mut State, _call: &Call) -> Outcome {
    allowed(state)?;
    state.documents.shift_remove(TEMPLATE);
    Ok(Reply::no_content())
}

/// Themes are not simulated; a fresh tenant has none.
fn no_theme(_state: &mut State, _call: &Call) -> Outcome {
    let message = "There was an error retrieving branding settings: invalid theme ID";
    Err(ApiError::new(404, "theme_not_found", message))
}

fn no_providers(_state: &mut State, _call: &Call) -> Outcome {
    Ok(Reply::ok(json!({"providers": []})))
}

fn no_phone_templates(_state: &mut State, _call: &Call) -> Outcome {
    Ok(Reply::ok(json!({"templates": []})))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, refusal, tenant};
    use super::*;

    const PAGE: &str = "<html><head>{%- auth0:head -%}</head><body>{%auth0:widget%}</body></html>";

    fn with_domain() -> State {
        let mut state = tenant();
        state.collection_mut("custom_domains").insert("cd_1".to_owned(), json!({"status": "ready"}));
        state
    }

    #[test]
    fn members_stay_unless_named_and_null_removes() {
        let mut state = tenant();
        assert_eq!(answer(read(&mut state, &get(&[])), 200), json!({}));
        let body = json!({"colors": {"primary": "#fff", "page_background": "#000"}, "logo_url": "https://l"});
        assert_eq!(answer(update(&mut state, &call(&[], body.clone())), 200), body);
        let body = json!({"logo_url": null});
        let answered = answer(update(&mut state, &call(&[], body)), 200);
        assert_eq!(answered, json!({"colors": {"primary": "#fff", "page_background": "#000"}}));
    }

    #[test]
    fn an_empty_logo_is_refused_on_write() {
        let error = refusal(update(&mut tenant(), &call(&[], json!({"logo_url": ""}))), 400);
        assert_eq!(error.code.as_deref(), Some("invalid_body"));
    }

    #[test]
    fn a_template_needs_a_verified_domain() {
        let mut state = tenant();
        for handler in [read_template, write_template, delete_template] {
            refusal(handler(&mut state, &get(&[])), 402);
        }
    }

    #[test]
    fn a_template_is_created_replaced_and_deleted() {
        let mut state = with_domain();
        assert_eq!(
            refusal(read_template(&mut state, &get(&[])), 404).code.as_deref(),
            Some("inexistent_templates_universal_login")
        );
        answer(write_template(&mut state, &call(&[], json!({"template": PAGE}))), 201);
        answer(write_template(&mut state, &call(&[], json!(PAGE))), 204);
        assert_eq!(answer(read_template(&mut state, &get(&[])), 200), json!({"body": PAGE}));
        answer(delete_template(&mut state, &get(&[])), 204);
        answer(delete_template(&mut state, &get(&[])), 204);
        refusal(read_template(&mut state, &get(&[])), 404);
    }

    #[test]
    fn a_template_must_hold_both_tags() {
        for page in ["", "<html>{%- auth0:head -%}</html>", "auth0:head auth0:widget"] {
            let error = refusal(write_template(&mut with_domain(), &call(&[], json!({"template": page}))), 400);
            assert!(error.message.contains("Liquid"), "{page}");
        }
    }

    #[test]
    fn there_is_no_theme() {
        assert_eq!(refusal(no_theme(&mut tenant(), &get(&[])), 404).code.as_deref(), Some("theme_not_found"));
    }
}
