//! Settings, pages, branding, prompts, e-mails and attack protection.

use super::*;

fn settings() -> Vec<Refused> {
    let patch = (Patch, "/tenants/settings");
    let both = json!({"session_lifetime": 3, "session_lifetime_in_minutes": 180});
    vec![
        refused("tenant", "dangling", patch, json!({"default_directory": "Nobody"}), INVALID, "Nobody"),
        refused("tenant", "rule", patch, both, INVALID, "session_lifetime_in_minutes"),
        refused("tenant", "rule", patch, json!({"sandbox_version": "1"}), INVALID, "sandbox version"),
        refused(
            "tenant",
            "immutable",
            patch,
            json!({"sandbox_versions_available": []}),
            INVALID,
            "sandbox_versions_available",
        ),
        refused(
            "pages",
            "unknown",
            (Patch, "/tenants/settings"),
            json!({"change_password": {"enabled": true, "name": "x"}}),
            INVALID,
            "change_password",
        ),
        refused(
            "pages",
            "unknown",
            (Patch, "/clients/{global}"),
            json!({"custom_login_page_url": "x"}),
            INVALID,
            "custom_login_page_url",
        ),
        refused(
            "pages",
            "protected",
            (Delete, "/clients/{global}"),
            Value::Null,
            (400, Some("operation_not_supported")),
            "Global client",
        ),
    ]
}

fn branding() -> Vec<Refused> {
    let put = (Put, "/branding/templates/universal-login");
    let tags = "missing required Liquid tags (auth0:head and auth0:widget)";
    vec![
        refused("branding", "format", (Patch, "/branding"), json!({"logo_url": ""}), INVALID, "logo_url"),
        refused("branding", "format", (Patch, "/branding"), json!({"favicon_url": ""}), INVALID, "favicon_url"),
        refused("branding", "rule", put, json!({"template": "<html></html>"}), (400, None), tags),
        refused("branding", "rule", put, json!({"template": "{%- auth0:head -%}"}), (400, None), tags),
        refused("branding", "limit", put, json!({"template": "x".repeat(102_401)}), INVALID, ""),
    ]
}

fn prompts() -> Vec<Refused> {
    let partials = (Put, "/prompts/login/partials");
    let uri = (400, Some("invalid_uri"));
    let unavailable = "This screen is not available in Advanced Customizations";
    let configs = json!({"configs": [{"prompt": "login-id", "screen": "login-id"}, {"prompt": "login-id", "screen": "signup-id"}]});
    vec![
        refused("prompts", "enum", (Put, "/prompts/nowhere/custom-text/en"), json!({}), uri, "prompt"),
        refused("prompts", "enum", (Put, "/prompts/login/custom-text/xx"), json!({}), uri, "language"),
        refused("prompts", "enum", (Put, "/prompts/mfa/partials"), json!({}), uri, "prompt"),
        refused(
            "prompts",
            "type",
            (Put, "/prompts/login/custom-text/en"),
            json!({"login": {"title": 5}}),
            INVALID,
            "login",
        ),
        refused("prompts", "type", (Put, "/prompts/login/custom-text/en"), json!({"login": "a"}), INVALID, "login"),
        refused("prompts", "unknown", partials, json!({"signup": {"form-content-start": "a"}}), INVALID, "signup"),
        refused("prompts", "unknown", partials, json!({"login": {"nowhere": "a"}}), INVALID, "nowhere"),
        refused(
            "prompts",
            "type",
            partials,
            json!({"login": {"form-content-start": 5}}),
            INVALID,
            "form-content-start",
        ),
        refused("prompts", "type", partials, json!({"login": "a"}), INVALID, "login"),
        refused("prompts", "type", partials, json!({"login": null}), INVALID, "login"),
        refused(
            "prompts",
            "rule",
            (Patch, "/prompts/login-id/screen/signup-id/rendering"),
            json!({"rendering_mode": "advanced"}),
            (403, None),
            unavailable,
        ),
        refused("prompts", "rule", (Patch, "/prompts/rendering"), configs, (403, None), unavailable),
    ]
}

fn emails() -> Vec<Refused> {
    let template = |name: &str| json!({"template": name, "body": "", "from": "", "subject": "", "syntax": "liquid", "enabled": true});
    let provider = json!({"name": "sendgrid", "credentials": {"api_key": "k"}});
    let patch = (Patch, "/emails/provider");
    let custom = json!({"name": "custom", "credentials": {"anything": "x"}});
    vec![
        refused(
            "emailTemplates",
            "repeated",
            (Post, "/email-templates"),
            template("verify_email"),
            (409, None),
            "Template verify_email already exists.",
        ),
        refused(
            "emailTemplates",
            "immutable",
            (Patch, "/email-templates/verify_email"),
            json!({"template": "welcome_email"}),
            INVALID,
            "template",
        ),
        refused(
            "emailTemplates",
            "immutable",
            (Put, "/email-templates/verify_email"),
            template("welcome_email"),
            INVALID,
            "template",
        ),
        refused(
            "emailProvider",
            "repeated",
            (Post, "/emails/provider"),
            provider,
            (409, None),
            "Email provider is already configured.",
        ),
        refused("emailProvider", "rule", patch, json!({"name": "mandrill"}), INVALID, "credentials"),
        refused(
            "emailProvider",
            "required",
            patch,
            json!({"name": "mailgun", "credentials": {"api_key": "k"}}),
            INVALID,
            "domain",
        ),
        refused(
            "emailProvider",
            "required",
            patch,
            json!({"name": "ses", "credentials": {"accessKeyId": "k", "region": "r"}}),
            INVALID,
            "secretAccessKey",
        ),
        refused(
            "emailProvider",
            "required",
            patch,
            json!({"name": "smtp", "credentials": {"smtp_host": "h"}}),
            INVALID,
            "smtp_port",
        ),
        refused(
            "emailProvider",
            "required",
            patch,
            json!({"name": "ms365", "credentials": {"tenantId": "h"}}),
            INVALID,
            "clientId",
        ),
        refused(
            "emailProvider",
            "required",
            patch,
            json!({"name": "azure_cs", "credentials": {}}),
            INVALID,
            "connectionString",
        ),
        refused("emailProvider", "unknown", patch, custom, INVALID, "credentials"),
    ]
}

#[tokio::test]
async fn settings_and_branding() {
    all("meaning", &[], settings().into_iter().chain(branding()).collect()).await;
}

#[tokio::test]
async fn prompts_and_emails() {
    all("meaning", &[], prompts().into_iter().chain(emails()).collect()).await;
}

/// Without the deployed action that sends, there is no custom provider.
#[tokio::test]
async fn a_custom_provider_needs_its_action() {
    let custom = json!({"name": "custom", "credentials": {}});
    all(
        "meaning",
        &[(Delete, "/actions/actions/{mailer}", Value::Null)],
        vec![refused(
            "emailProvider",
            "dangling",
            (Patch, "/emails/provider"),
            custom,
            (409, None),
            "No deployed action was found.",
        )],
    )
    .await;
}

/// Pages of the login and partials need a custom domain that is verified.
#[tokio::test]
async fn page_templates_need_a_custom_domain() {
    let page = json!({"template": "{%- auth0:head -%}{%- auth0:widget -%}"});
    let paid = "A paid subscription is required for this feature.";
    let domain = "requires at least one custom domain";
    all(
        "meaning",
        &[(Delete, "/custom-domains/{domain}", Value::Null)],
        vec![
            refused("branding", "rule", (Put, "/branding/templates/universal-login"), page, (402, None), paid),
            refused("branding", "rule", (Get, "/branding/templates/universal-login"), Value::Null, (402, None), paid),
            refused("prompts", "rule", (Put, "/prompts/login/partials"), json!({}), (400, None), domain),
        ],
    )
    .await;
}
