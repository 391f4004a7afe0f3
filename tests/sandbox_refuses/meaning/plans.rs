//! What smaller subscriptions lack, for reads as well as writes.

use tenantry::sandbox::Subscription;

use super::*;

#[tokio::test]
async fn a_free_tenant_lacks_features() {
    let sandbox = Sandbox::with(Subscription::Free).await;
    let before = sandbox.state().await;
    let mut report = Report::default();
    let bots = (403, Some("insufficient_entitlement"), "Please upgrade your subscription to use bot detection");
    let organizations = (403, Some("feature_not_enabled"), "Please upgrade your subscription");
    let partials = (403, None, "This feature is not available on this plan.");
    let pages = (402, None, "A paid subscription is required");
    for (kind, method, path, body, (status, code, says)) in [
        ("attackProtection", Get, "/attack-protection/bot-detection", Value::Null, bots),
        ("attackProtection", Patch, "/attack-protection/bot-detection", json!({"bot_detection_level": "low"}), bots),
        ("attackProtection", Get, "/attack-protection/captcha", Value::Null, bots),
        (
            "attackProtection",
            Patch,
            "/attack-protection/captcha",
            json!({"active_provider_id": "auth_challenge"}),
            bots,
        ),
        ("organizations", Get, "/organizations", Value::Null, organizations),
        ("organizations", Get, "/organizations/org_x", Value::Null, organizations),
        ("organizations", Get, "/organizations/name/acme", Value::Null, organizations),
        ("organizations", Post, "/organizations", json!({"name": "acme"}), organizations),
        ("organizations", Patch, "/organizations/org_x", json!({"name": "acme"}), organizations),
        ("organizations", Delete, "/organizations/org_x", Value::Null, organizations),
        ("prompts", Get, "/prompts/login/partials", Value::Null, partials),
        ("prompts", Put, "/prompts/login/partials", json!({}), partials),
        ("prompts", Get, "/prompts/rendering", Value::Null, pages),
        ("prompts", Patch, "/prompts/login-id/screen/login-id/rendering", json!({"rendering_mode": "standard"}), pages),
        ("branding", Get, "/branding/templates/universal-login", Value::Null, pages),
        ("branding", Put, "/branding/templates/universal-login", json!({"template": "x"}), pages),
        ("branding", Delete, "/branding/templates/universal-login", Value::Null, pages),
    ] {
        let answer = sandbox.send(method, path, &body).await;
        report.count(kind, "plan");
        let said = answer.body["message"].as_str().unwrap_or_default();
        let fault = shape_fault(&answer, status, code)
            .or_else(|| (!said.contains(says)).then(|| format!("`{said}` lacks `{says}`")));
        if let Some(fault) = fault {
            report.fault(format!("{method:?} {path}: {fault}"));
        }
    }
    assert_eq!(difference(&before, &sandbox.state().await), None);
    report.finish("plans");
    sandbox.stop().await;
}

/// The association of clients is a feature of its own.
#[tokio::test]
async fn an_essentials_tenant_has_organizations_without_clients() {
    let sandbox = Sandbox::with(Subscription::Essentials).await;
    let made = sandbox.done(Post, "/organizations", &json!({"name": "acme"})).await;
    let path = format!("/organizations/{}/clients", made["id"].as_str().unwrap());
    for (method, body) in [
        (Get, Value::Null),
        (Post, json!({"clients": [{"client_id": "x", "use_for_member_access": true}]})),
        (Delete, json!({"clients": ["x"]})),
    ] {
        let answer = sandbox.send(method, &path, &body).await;
        assert_eq!(shape_fault(&answer, 403, Some("insufficient_scope")), None, "{method:?}");
    }
    sandbox.stop().await;
}
