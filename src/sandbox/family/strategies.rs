//! What the strategies of connections add to `options`, and which parts of it a PATCH keeps.

use serde_json::{Value, json};

use super::databases;
use super::parts::{fill_object, items, set, text, unset};
use crate::sandbox::state::State;

/// Strategies whose directory lives with the customer.
const ENTERPRISE: [&str; 12] = [
    "ad",
    "adfs",
    "auth0-adldap",
    "google-apps",
    "ip",
    "office365",
    "oidc",
    "okta",
    "pingfederate",
    "samlp",
    "sharepoint",
    "waad",
];

/// Strategies that show where an administrator finishes the set-up.
const TICKETED: [&str; 6] = ["ad", "adfs", "google-apps", "pingfederate", "samlp", "waad"];

/// Strategies for which recorded traffic shows the purpose blocks.
const PURPOSED: [&str; 6] = ["auth0", "google-apps", "google-oauth2", "line", "oauth2", "oidc"];

/// Adds the members outside `options` that a create adds (recorded traffic).
pub(super) fn complete(state: &mut State, connection: &mut Value) {
    let strategy = text(connection, "strategy").to_owned();
    let name = text(connection, "name").to_owned();
    fill_object(connection, json!({"is_domain_connection": false}));
    if PURPOSED.contains(&strategy.as_str()) {
        fill_object(connection, json!({"authentication": {"active": true}, "connected_accounts": {"active": false}}));
    }
    if ENTERPRISE.contains(&strategy.as_str()) {
        fill_object(connection, json!({"show_as_button": false}));
    }
    if TICKETED.contains(&strategy.as_str()) {
        let ticket = state.alphanumeric(8);
        let url = format!("https://{}/p/{strategy}/{ticket}", state.domain);
        set(connection, "provisioning_ticket_url", url);
    }
    if ["oidc", "okta", "waad"].contains(&strategy.as_str()) {
        fill_object(connection, json!({"display_name": name}));
    }
    fill_object(connection, json!({"realms": [name]}));
}

/// Adds the members of `options` that a create adds (recorded traffic).
pub(super) fn complete_options(strategy: &str, options: &mut Value) {
    match strategy {
        "auth0" => databases::complete(options),
        "ad" => fill_object(options, json!({"ips": null, "brute_force_protection": true})),
        "adfs" => {
            let endpoint = text(options, "adfs_server").to_owned();
            fill_object(
                options,
                json!({
                    "thumbprints": [], "signInEndpoint": endpoint,
                    "should_trust_email_verified_connection": "always_set_emails_as_verified",
                }),
            );
        }
        "oidc" | "okta" => complete_oidc(strategy, options),
        "waad" => {
            let domain = items(options, "domain_aliases").first().and_then(Value::as_str).map(str::to_owned);
            let domain = domain.unwrap_or_else(|| text(options, "tenant_domain").to_owned());
            fill_object(
                options,
                json!({
                    "identity_api": "microsoft-identity-platform-v2.0", "waad_protocol": "openid-connect",
                    "use_wsfed": false, "useCommonEndpoint": false, "waad_common_endpoint": false,
                    "app_domain": domain, "thumbprints": [],
                    "should_trust_email_verified_connection": "never_set_emails_as_verified",
                }),
            );
        }
        "google-apps" => fill_object(
            options,
            json!({"email": true, "profile": true, "scope": ["email", "profile"], "handle_login_from_social": true}),
        ),
        "samlp" | "pingfederate" => complete_saml(strategy, options),
        _ => complete_social(strategy, options),
    }
}

fn complete_oidc(strategy: &str, options: &mut Value) {
    let issuer = match strategy {
        "okta" => format!("https://{}", text(options, "domain")),
        _ => text(options, "discovery_url").trim_end_matches("/.well-known/openid-configuration").to_owned(),
    };
    if strategy == "okta" {
        fill_object(options, json!({"type": "back_channel"}));
    }
    let mode = if strategy == "oidc" { "bind_all" } else { "basic_profile" };
    fill_object(
        options,
        json!({
            "schema_version": "oidc-V4",
            "attribute_map": {"mapping_mode": mode},
            "connection_settings": {"pkce": "auto"},
            "oidc_metadata": {
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            },
        }),
    );
}

/// The signing certificate is taken apart, and what it came in does not come back.
fn complete_saml(strategy: &str, options: &mut Value) {
    let source = if strategy == "samlp" { "metadataXml" } else { "signingCert" };
    let sent = unset(options, source);
    let certificate = options.get("signingCert").or(options.get("cert")).or(sent.as_ref()).and_then(Value::as_str);
    if let Some(certificate) = certificate.map(str::to_owned) {
        use sha2::{Digest, Sha256};
        use std::fmt::Write as _;
        let mut thumbprint = String::with_capacity(40);
        for byte in Sha256::digest(certificate.as_bytes()).iter().take(20) {
            // Writing to a String cannot fail.
            let _ = write!(thumbprint, "{byte:02x}");
        }
        fill_object(
            options,
            json!({
                "cert": certificate, "expires": "2034-01-01T00:00:00.000Z",
                "subject": {"commonName": "sandbox"}, "thumbprints": [thumbprint],
            }),
        );
    }
}

/// Social strategies: `scope` follows from the permission flags.
fn complete_social(strategy: &str, options: &mut Value) {
    match strategy {
        "google-oauth2" => fill_object(options, json!({"email": true})),
        "line" | "linkedin" | "wordpress" => fill_object(options, json!({"profile": true})),
        "windowslive" => fill_object(options, json!({"signin": true})),
        _ => {}
    }
    let social = ["facebook", "google-oauth2", "line", "linkedin", "wordpress", "windowslive", "github", "salesforce"];
    if !social.contains(&strategy) || options.get("scope").is_some() {
        return;
    }
    let flags: Vec<String> = options
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| **value == Value::Bool(true) && *name != "set_user_root_attributes")
        .map(|(name, _)| name.clone())
        .collect();
    let scope = if strategy == "facebook" { json!(flags.join(",")) } else { json!(flags) };
    set(options, "scope", scope);
}

/// Returns the `options` after a PATCH: what was sent, and of the old only what the service manages itself.
pub(super) fn replace_options(strategy: &str, old: &Value, mut sent: Value) -> Value {
    if !sent.is_object() {
        sent = json!({});
    }
    let kept: &[&str] = match strategy {
        "auth0" => &databases::KEPT,
        "oidc" | "okta" => &["attribute_map", "oidc_metadata", "schema_version", "connection_settings"],
        _ => &[],
    };
    for name in kept {
        if let Some(value) = old.get(name) {
            fill_object(&mut sent, json!({*name: value}));
        }
    }
    if strategy == "auth0" {
        databases::complete_methods(&mut sent);
    }
    sent
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::tenant;
    use super::*;

    fn completed(strategy: &str, mut options: Value) -> Value {
        complete_options(strategy, &mut options);
        options
    }

    #[test]
    fn oidc_and_okta_get_what_discovery_gives() {
        let oidc = completed("oidc", json!({"discovery_url": "https://idp.example/.well-known/openid-configuration"}));
        assert_eq!(oidc["attribute_map"]["mapping_mode"], "bind_all");
        assert_eq!(oidc["oidc_metadata"]["issuer"], "https://idp.example");
        let okta = completed("okta", json!({"domain": "x.okta.com"}));
        assert_eq!((&okta["type"], &okta["schema_version"]), (&json!("back_channel"), &json!("oidc-V4")));
        assert_eq!(okta["attribute_map"]["mapping_mode"], "basic_profile");
    }

    #[test]
    fn saml_swaps_its_sources_for_the_certificate() {
        let saml = completed("samlp", json!({"signingCert": "PEM", "metadataXml": "<x/>"}));
        assert!(saml.get("metadataXml").is_none());
        assert_eq!((&saml["cert"], saml["thumbprints"][0].as_str().unwrap().len()), (&json!("PEM"), 40));
        let ping = completed("pingfederate", json!({"signingCert": "PEM"}));
        assert!(ping.get("signingCert").is_none());
        assert_eq!(ping["cert"], "PEM");
    }

    #[test]
    fn social_scope_is_text_for_facebook_and_a_list_for_others() {
        assert_eq!(
            completed("facebook", json!({"email": true, "public_profile": true}))["scope"],
            "email,public_profile"
        );
        assert_eq!(completed("google-oauth2", json!({"profile": true}))["scope"], json!(["profile", "email"]));
        assert_eq!(completed("github", json!({"scope": ["x"]}))["scope"], json!(["x"]));
        assert_eq!(completed("sms", json!({"x": true})), json!({"x": true}));
    }

    #[test]
    fn members_outside_options_follow_the_strategy() {
        let mut saml = json!({"name": "corp", "strategy": "samlp"});
        complete(&mut tenant(), &mut saml);
        assert!(saml["provisioning_ticket_url"].as_str().unwrap().starts_with("https://travel0.eu.auth0.com/p/samlp/"));
        assert_eq!((&saml["show_as_button"], saml.get("authentication")), (&json!(false), None));
        let mut okta = json!({"name": "corp", "strategy": "okta"});
        complete(&mut tenant(), &mut okta);
        assert_eq!((&okta["display_name"], &okta["realms"]), (&json!("corp"), &json!(["corp"])));
    }

    #[test]
    fn a_patch_keeps_only_what_the_service_manages() {
        let mut old = json!({"validation": {}});
        complete_options("auth0", &mut old);
        let new = replace_options("auth0", &old, json!({"passwordPolicy": "fair"}));
        assert_eq!(
            new.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["passwordPolicy", "authentication_methods", "passkey_options"]
        );
        let old = json!({"client_secret": "s", "oidc_metadata": {"issuer": "i"}, "attribute_map": {"mapping_mode": "bind_all"}});
        let new = replace_options("oidc", &old, json!({"attribute_map": {"mapping_mode": "use_map"}}));
        assert_eq!(new, json!({"attribute_map": {"mapping_mode": "use_map"}, "oidc_metadata": {"issuer": "i"}}));
        assert_eq!(replace_options("samlp", &json!({"cert": "c"}), Value::Null), json!({}));
    }
}
