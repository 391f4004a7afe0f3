//! `/emails/provider` and `/email-templates`.

use serde_json::{Value, json};

use super::parts::{assign, fill_object, items, set, text, unset};
use crate::sandbox::call::Method::{Delete, Get, Patch, Post, Put};
use crate::sandbox::call::{ApiError, Call, Outcome, Reply};
use crate::sandbox::page;
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/emails/provider", read),
    route(Post, "/emails/provider", create),
    route(Patch, "/emails/provider", update),
    route(Delete, "/emails/provider", delete),
    route(Post, "/email-templates", create_template),
    route(Get, "/email-templates/{templateName}", read_template),
    route(Patch, "/email-templates/{templateName}", update_template),
    route(Put, "/email-templates/{templateName}", replace_template),
];

const PROVIDER: &str = "email_provider";
/// Templates by name.
const TEMPLATES: &str = "email_templates";

/// Providers with the credentials they need, and of these the ones that reads show (recorded traffic).
const PROVIDERS: [(&str, &[&str], &[&str]); 10] = [
    ("mailgun", &["api_key", "domain"], &["domain", "region"]),
    ("mandrill", &["api_key"], &[]),
    ("sendgrid", &["api_key"], &[]),
    ("resend", &["api_key"], &[]),
    ("ses", &["accessKeyId", "secretAccessKey", "region"], &["region"]),
    ("sparkpost", &["api_key"], &["region"]),
    ("smtp", &["smtp_host", "smtp_port", "smtp_user", "smtp_pass"], &["smtp_host", "smtp_port", "smtp_user"]),
    ("azure_cs", &["connectionString"], &[]),
    ("ms365", &["tenantId", "clientId", "clientSecret"], &[]),
    ("custom", &[], &[]),
];

fn absent() -> ApiError {
    ApiError::new(404, "inexistent_email_provider", "There is not a configured email provider")
}

/// Returns the provider with its credentials reduced to what reads show.
fn shown(provider: &Value) -> Value {
    let name = text(provider, "name");
    let public = PROVIDERS.iter().find(|(known, ..)| *known == name).map_or(&[][..], |(_, _, public)| *public);
    let stored = provider.get("$credentials").unwrap_or(&Value::Null);
    let mut credentials = json!({});
    for member in public {
        if let Some(value) = stored.get(member).filter(|value| !value.is_null()) {
            set(&mut credentials, member, value.clone());
        }
    }
    let mut seen = json!({"name": name, "credentials": credentials});
    fill_object(&mut seen, page::visible(provider));
    seen
}

fn read(state: &mut State, call: &Call) -> Outcome {
    let provider = state.documents.get(PROVIDER).ok_or_else(absent)?;
    Ok(Reply::ok(page::selected(call, shown(provider))))
}

/// Checks that a provider gets the credentials of its own kind, all of them.
fn check_credentials(state: &State, name: &str, credentials: &Value) -> Result<(), ApiError> {
    let required = PROVIDERS.iter().find(|(known, ..)| *known == name).map_or(&[][..], |(_, required, _)| *required);
    if let Some(member) = required.iter().find(|member| credentials.get(member).is_none_or(Value::is_null)) {
        return Err(ApiError::invalid_body(format!(
            "Payload validation error: 'Missing required property: {member}' on property credentials."
        )));
    }
    // API description, POST /emails/provider, 409.
    let deployed = |action: &Value| {
        action.get("deployed_version").is_some()
            && items(action, "supported_triggers").iter().any(|trigger| text(trigger, "id") == "custom-email-provider")
    };
    if name == "custom" && !state.collection("actions").any(|(_, action)| deployed(action)) {
        return Err(ApiError::bare(409, "No deployed action was found."));
    }
    Ok(())
}

fn create(state: &mut State, call: &Call) -> Outcome {
    if state.documents.contains_key(PROVIDER) {
        return Err(ApiError::bare(409, "Email provider is already configured."));
    }
    let name = text(&call.body, "name");
    let credentials = call.body.get("credentials").cloned().unwrap_or_else(|| json!({}));
    check_credentials(state, name, &credentials)?;
    let mut provider = json!({"name": name, "enabled": true});
    store(state, &mut provider, call);
    Ok(Reply::created(shown(&provider)))
}

fn store(state: &mut State, provider: &mut Value, call: &Call) {
    let mut changes = call.fields();
    if let Some(credentials) = changes.shift_remove("credentials") {
        set(provider, "$credentials", credentials);
    }
    assign(provider, &changes);
    state.documents.insert(PROVIDER.to_owned(), provider.clone());
}

fn update(state: &mut State, call: &Call) -> Outcome {
    let mut provider = state.documents.get(PROVIDER).ok_or_else(absent)?.clone();
    let name = text(&call.body, "name");
    let changes_name = !name.is_empty() && name != text(&provider, "name");
    match call.body.get("credentials") {
        Some(credentials) if changes_name => check_credentials(state, name, credentials)?,
        None if changes_name => {
            return Err(ApiError::invalid_body("The credentials are required when the provider's name changes."));
        }
        _ => {}
    }
    store(state, &mut provider, call);
    Ok(Reply::ok(shown(&provider)))
}

fn delete(state: &mut State, _call: &Call) -> Outcome {
    state.documents.shift_remove(PROVIDER);
    Ok(Reply::no_content())
}

// --- templates

/// Members that every template has; a null is their value.
const LASTING: [&str; 6] = ["template", "body", "from", "subject", "syntax", "enabled"];

fn no_template() -> ApiError {
    ApiError::new(404, "inexistent_email_template", "The template does not exist.")
}

fn read_template(state: &mut State, call: &Call) -> Outcome {
    Ok(Reply::ok(state.object(TEMPLATES, call.param(0)).ok_or_else(no_template)?.clone()))
}

fn create_template(state: &mut State, call: &Call) -> Outcome {
    let name = text(&call.body, "template").to_owned();
    if state.object(TEMPLATES, &name).is_some() {
        return Err(ApiError::bare(409, format!("Template {name} already exists.")));
    }
    let template = written(json!({}), call);
    state.collection_mut(TEMPLATES).insert(name, template.clone());
    Ok(Reply::ok(template))
}

fn written(mut template: Value, call: &Call) -> Value {
    for (name, value) in call.fields() {
        if value.is_null() && !LASTING.contains(&name.as_str()) {
            unset(&mut template, &name);
        } else {
            set(&mut template, &name, value);
        }
    }
    template
}

/// The name in a body must be the one in the path.
fn check_name(call: &Call) -> Result<(), ApiError> {
    match call.body.get("template").and_then(Value::as_str) {
        Some(name) if name != call.param(0) => Err(ApiError::invalid_body(format!(
            "Payload validation error: the template is {}, not {name}.",
            call.param(0)
        ))),
        _ => Ok(()),
    }
}

fn update_template(state: &mut State, call: &Call) -> Outcome {
    let template = state.object(TEMPLATES, call.param(0)).ok_or_else(no_template)?.clone();
    check_name(call)?;
    save_template(state, call, template)
}

fn replace_template(state: &mut State, call: &Call) -> Outcome {
    state.object(TEMPLATES, call.param(0)).ok_or_else(no_template)?;
    check_name(call)?;
    save_template(state, call, json!({"template": call.param(0)}))
}

fn save_template(state: &mut State, call: &Call, start: Value) -> Outcome {
    let template = written(start, call);
    state.collection_mut(TEMPLATES).insert(call.param(0).to_owned(), template.clone());
    Ok(Reply::ok(template))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, call, get, query, refusal, tenant};
    use super::*;

    fn smtp() -> Value {
        let credentials = json!({"smtp_host": "h", "smtp_port": 25, "smtp_user": "u", "smtp_pass": "hunter2"});
        json!({"name": "smtp", "credentials": credentials, "default_from_address": "a@b.c"})
    }

    fn verify_email() -> Value {
        json!({"template": "verify_email", "body": "<p/>", "from": "", "subject": "S", "syntax": "liquid",
            "enabled": true, "resultUrl": "https://r"})
    }

    #[test]
    fn a_provider_is_configured_once_and_shows_no_secret() {
        let mut state = tenant();
        assert_eq!(refusal(read(&mut state, &get(&[])), 404).code.as_deref(), Some("inexistent_email_provider"));
        let made = answer(create(&mut state, &call(&[], smtp())), 201);
        assert_eq!(made["credentials"], json!({"smtp_host": "h", "smtp_port": 25, "smtp_user": "u"}));
        assert_eq!(made["enabled"], true);
        refusal(create(&mut state, &call(&[], smtp())), 409);
        assert_eq!(answer(read(&mut state, &get(&[])), 200), made);
        assert_eq!(answer(read(&mut state, &query(&[], &[("fields", "name")])), 200), json!({"name": "smtp"}));
        answer(delete(&mut state, &get(&[])), 204);
        answer(delete(&mut state, &get(&[])), 204);
        refusal(update(&mut state, &call(&[], json!({"enabled": false}))), 404);
    }

    #[test]
    fn credentials_must_fit_the_provider() {
        let body = json!({"name": "mailgun", "credentials": {"api_key": "k"}});
        assert!(refusal(create(&mut tenant(), &call(&[], body)), 400).message.contains("domain"));
        let custom = json!({"name": "custom", "credentials": {}});
        assert_eq!(
            refusal(create(&mut tenant(), &call(&[], custom.clone())), 409).message,
            "No deployed action was found."
        );
        let mut state = tenant();
        let action = json!({"deployed_version": {}, "supported_triggers": [{"id": "custom-email-provider"}]});
        state.collection_mut("actions").insert("a".to_owned(), action);
        assert_eq!(answer(create(&mut state, &call(&[], custom)), 201)["credentials"], json!({}));
    }

    #[test]
    fn another_provider_needs_its_credentials() {
        let mut state = tenant();
        answer(create(&mut state, &call(&[], smtp())), 201);
        refusal(update(&mut state, &call(&[], json!({"name": "mandrill"}))), 400);
        refusal(update(&mut state, &call(&[], json!({"name": "mandrill", "credentials": {"region": "eu"}}))), 400);
        let same = json!({"name": "smtp", "enabled": false, "settings": null});
        assert_eq!(answer(update(&mut state, &call(&[], same)), 200)["credentials"]["smtp_host"], "h");
        let body = json!({"name": "mandrill", "credentials": {"api_key": "k"}});
        let changed = answer(update(&mut state, &call(&[], body)), 200);
        assert_eq!((&changed["name"], &changed["credentials"]), (&json!("mandrill"), &json!({})));
    }

    #[test]
    fn a_template_is_absent_until_it_is_created() {
        let mut state = tenant();
        let at = ["verify_email"];
        assert_eq!(
            refusal(read_template(&mut state, &get(&at)), 404).code.as_deref(),
            Some("inexistent_email_template")
        );
        refusal(update_template(&mut state, &call(&at, json!({"subject": "T"}))), 404);
        refusal(replace_template(&mut state, &call(&at, verify_email())), 404);
        answer(create_template(&mut state, &call(&[], verify_email())), 200);
        assert!(refusal(create_template(&mut state, &call(&[], verify_email())), 409).message.contains("verify_email"));
    }

    #[test]
    fn patch_keeps_and_put_replaces_the_unnamed_members() {
        let mut state = tenant();
        answer(create_template(&mut state, &call(&[], verify_email())), 200);
        let at = ["verify_email"];
        let patched =
            answer(update_template(&mut state, &call(&at, json!({"subject": null, "template": "verify_email"}))), 200);
        assert_eq!((&patched["subject"], &patched["resultUrl"]), (&Value::Null, &json!("https://r")));
        let without = answer(update_template(&mut state, &call(&at, json!({"resultUrl": null}))), 200);
        assert!(without.get("resultUrl").is_none());
        let mut body = verify_email();
        set(&mut body, "urlLifetimeInSeconds", 60);
        answer(update_template(&mut state, &call(&at, body)), 200);
        assert!(
            answer(replace_template(&mut state, &call(&at, verify_email())), 200).get("urlLifetimeInSeconds").is_none()
        );
        refusal(update_template(&mut state, &call(&at, json!({"template": "welcome_email"}))), 400);
    }
}
