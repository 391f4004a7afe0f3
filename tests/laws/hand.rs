//! What a schema does not tell: values that the API takes, resources that hold what others exclude, and the leaves that
//! no edit can show, each with the reason.

use serde_json::{Value as Json, json};

use super::values::Ids;

/// Resources called so are left as the fixture describes them: they hold what excludes members of the others.
const PLAIN: &str = "law plain";

/// Grants are called by the ids of their clients: this API's are left alone.
const PLAIN_API: &str = "https://law.example/plain";

/// A public key, made for this test.
pub(crate) const PEM: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAubCly7QnFF2WJaQHj+5t
IBQUbTmu0+eOJtjBg58+KsGVSV9sj9gdrJ4JP7/qUWVIlfGRH7ii0wivMCyeHtsm
NeJCH3NB12Dsvg5wKDAnE10y7JO7u8SgA+TLzvcVnnvhvRKBV9em0WhNDSRwJtUW
sugnU8kPD9uKPiiq38I7eHrvI4dAusb3nwK04W9N9wIXSdElyjrt5nbJpKCrGz27
WODZMswFNl261goi2ncp80Z3Iyas7jBXTOBviI1VNplKuNP4GbsJ/SbmHyxiqqcN
FEO94yf+3JKVDug9iiZ7HEZ+7j6jzX4CWQelUo3caiSHHZiUqi359qQV9NvV6FEK
MQIDAQAB
-----END PUBLIC KEY-----
";

/// Triggers whose actions are bound by their list, with the version.
const BOUND: [(&str, &str); 10] = [
    ("credentials-exchange", "v2"),
    ("pre-user-registration", "v2"),
    ("post-user-registration", "v2"),
    ("post-change-password", "v2"),
    ("send-phone-message", "v2"),
    ("password-reset-post-challenge", "v1"),
    ("login-post-identifier", "v1"),
    ("signup-post-identifier", "v1"),
    ("custom-phone-provider", "v1"),
    ("custom-email-provider", "v1"),
];

/// Says whether a resource is left as it is described.
pub(crate) fn is_plain(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.to_lowercase().replace('-', " ").starts_with(PLAIN) || name.ends_with(PLAIN_API))
}

/// Values for a leaf, in the API's form; none where the schema tells enough.
pub(crate) fn by_hand(kind: &str, leaf: &str, ids: &Ids) -> Vec<Json> {
    let two = |of: &str| ids.get(of).into_iter().flatten().take(2).map(|id| json!([{"id": id}])).collect();
    match (kind, leaf) {
        ("actions", "runtime") => vec![json!("node18-actions"), json!("node22")],
        ("branding", "colors.page_background.*") => {
            vec![json!(90), json!(180)]
        }
        ("attackProtection", "suspiciousIpThrottling.stage.pre-custom-token-exchange.rate") => {
            vec![json!(40_000), json!(50_000)]
        }
        ("clients", "addons.salesforce.entity_id") => {
            vec![json!("https://law.example/a"), json!("https://law.example/b")]
        }
        ("clients", "default_organization.organization_id") => {
            ids.get("organizations").into_iter().flatten().map(|id| json!(id)).collect()
        }
        ("clientGrants", "scope[+]") => vec![json!("read:x"), json!("write:x")],
        ("databases", "options.custom_password_hash.action_id") => {
            let named = ids.get("=actions").into_iter().flatten().zip(ids.get("actions").into_iter().flatten());
            named.filter(|(name, _)| name.starts_with("Law hash")).map(|(_, id)| json!(id)).collect()
        }
        ("prompts", "screenRenderers.*.*.context_configuration[+]") => {
            vec![json!("client.metadata.law"), json!("organization.metadata.law")]
        }
        ("prompts", "screenRenderers.*.*.filters.clients") => two("clients"),
        ("prompts", "screenRenderers.*.*.filters.organizations") => two("organizations"),
        ("prompts", "screenRenderers.*.*.filters.domains") => {
            vec![json!([{"id": "cd_0123456789abcdef"}]), json!([{"id": "cd_fedcba9876543210"}])]
        }
        ("prompts", "partials.*") => vec![json!({"login": {"form-content-start": "<b>law</b>"}})],
        ("tenant", "sandbox_version") => vec![json!("18"), json!("22")],
        ("triggers", leaf) => match leaf.strip_suffix("[+]") {
            Some(trigger) if BOUND.iter().any(|(name, _)| *name == trigger) => {
                ["two", "one"].map(|n| json!({"action_name": format!("Law {trigger} {n}"), "display_name": n})).to_vec()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What is described beside the fixture while a kind is looked at.
pub(crate) fn more(kind: &str) -> Json {
    match kind {
        "triggers" => {
            let action = |trigger: &str, version: &str, n: &str| {
                json!({"name": format!("Law {trigger} {n}"), "code": "exports.law = async () => {};", "deployed": true,
                    "supported_triggers": [{"id": trigger, "version": version}]})
            };
            let actions: Vec<Json> =
                BOUND.iter().flat_map(|(id, version)| ["one", "two"].map(|n| action(id, version, n))).collect();
            let bound = BOUND.iter().map(|(trigger, _)| {
                let row = json!({"action_name": format!("Law {trigger} one"), "display_name": "One"});
                ((*trigger).to_owned(), json!([row]))
            });
            json!({"actions": actions, "triggers": Json::Object(bound.collect())})
        }
        "clientGrants" => json!({
            "resourceServers": [
                {"identifier": PLAIN_API, "name": "Law plain", "scopes": [{"value": "read:x"}, {"value": "write:x"}]},
            ],
            "clientGrants": [{"client_id": "Law machine", "audience": PLAIN_API, "scope": ["read:x"]}],
        }),
        "resourceServers" => json!({"resourceServers": [
            {"identifier": "https://law.example/plain-hs", "name": "Law plain HS", "signing_alg": "HS256",
                "signing_secret": "law-law-law-law-law-law"},
            {"identifier": "https://law.example/plain-jwe", "name": "Law plain JWE", "token_encryption":
                {"format": "compact-nested-jwe", "encryption_key": {"alg": "RSA-OAEP-256", "kid": "law", "name": "law", "pem": PEM}}},
        ]}),
        "databases" => {
            let action = |name: &str| {
                json!({"name": name, "code": "exports.law = async () => {};", "deployed": true,
                    "supported_triggers": [{"id": "password-hash-migration", "version": "v1"}]})
            };
            json!({
                "actions": [action("Law hash one"), action("Law hash two")],
                "databases": [{"name": "Law-plain", "strategy": "auth0", "options": {"password_options": {"complexity": {
                    "min_length": 10, "character_types": ["lowercase", "uppercase", "number", "special"],
                    "character_type_rule": "all",
                }}}}],
            })
        }
        "branding" => json!({"branding": {"colors": {"primary": "#112233", "page_background":
            {"type": "linear-gradient", "start": "#112233", "end": "#445566", "angle_deg": 45}}}}),
        "prompts" => json!({"prompts": {"partials": {"login": {"login": {"form-content-start": "<p>law</p>"}}}}}),
        "connections" => json!({"connections": [
            {"name": "law-plain-okta", "strategy": "okta",
                "options": {"client_id": "a", "client_secret": "b", "domain": "plain.okta.com"},
                "scim_configuration": {"user_id_attribute": "id", "mapping": [{"auth0": "email", "scim": "emails"}]}},
            {"name": "law-plain-apps", "strategy": "google-apps",
                "options": {"client_id": "a", "client_secret": "b", "domain": "plain.example.com"},
                "directory_provisioning_configuration": {"mapping": [{"auth0": "email", "idp": "mail"}],
                    "synchronize_groups": "selected",
                    "synchronized_groups": [{"id": "g1", "name": "One", "email": "one@law.example"}]}},
        ]}),
        _ => json!({}),
    }
}

/// Members of a database's options that exclude those a resource of the fixture is tried with.
pub(crate) fn rivals(kind: &str, resource: Option<&str>) -> &'static [&'static str] {
    match (kind, resource) {
        ("databases", Some("Law-old")) => &["password_options", "attributes"],
        ("databases", _) => &[
            "passwordPolicy",
            "password_complexity_options",
            "password_history",
            "password_no_personal_info",
            "password_dictionary",
            "requires_username",
            "validation",
        ],
        _ => &[],
    }
}

/// Says why no edit of a leaf is expected to show. A pattern that ends with `…` stands for all that begin so.
pub(crate) fn excuse(kind: &str, leaf: &str) -> Option<&'static str> {
    let all = EXCUSES.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, all)| *all);
    let fits = |pattern: &str| match pattern.strip_suffix('…') {
        Some(begin) => leaf.starts_with(begin),
        None => leaf == pattern,
    };
    all.iter().find(|(pattern, _)| fits(pattern)).map(|(_, why)| *why)
}

const ONE_VALUE: &str = "has one value";

type Excuses = &'static [(&'static str, &'static str)];

const EXCUSES: &[(&str, Excuses)] = &[
    ("actions", &[("modules…", "refers to action modules, a kind without a schema")]),
    (
        "branding",
        &[(
            "templates[+]",
            "there is one template at most; its body is looked at, and it is neither added nor removed by a PATCH",
        )],
    ),
    ("attackProtection", &[("captcha.simple_captcha", "has no settings")]),
    (
        "clients",
        &[
            ("addons.oag", "has no settings"),
            ("client_authentication_methods.…", "written at endpoints of their own: scenario 002 goes through them"),
            ("token_vault_privileged_access.…", "needs credentials, which are not managed"),
            ("express_configuration.…", "needs profiles, of kinds without a schema"),
        ],
    ),
    (
        "emailProvider",
        &[
            ("name", "another provider takes other credentials: scenario 017 goes through them"),
            ("credentials.region", "belongs to providers other than the fixture's, and there is one provider"),
            ("credentials.domain", "belongs to providers other than the fixture's, and there is one provider"),
        ],
    ),
    ("connections", &[("options.assertion_decryption_settings.algorithm_profile", ONE_VALUE)]),
    ("databases", &[("options.assertion_decryption_settings.algorithm_profile", ONE_VALUE)]),
    ("resourceServers", &[("token_encryption.format", ONE_VALUE)]),
    (
        "tenant",
        &[
            (
                "flags.enforce_client_authentication_on_passwordless_start",
                "only the answer of a write shows it (recorded traffic)",
            ),
            ("security_headers.x_xss_protection.mode", ONE_VALUE),
        ],
    ),
    (
        "triggers",
        &[
            (
                "login-post-identifier[…",
                "the tenant does not list the trigger, so it is read where it is described only",
            ),
            (
                "signup-post-identifier[…",
                "the tenant does not list the trigger, so it is read where it is described only",
            ),
            ("custom-token-exchange[…", "bound by what uses it, not by this list"),
            ("event-stream[…", "bound by what uses it, not by this list"),
            ("password-hash-migration[…", "bound by what uses it, not by this list"),
            ("mcp-tool[…", "bound by what uses it, not by this list"),
        ],
    ),
];
