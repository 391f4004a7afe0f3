//! Plans made by hand, for the tests of renderers.

use serde_json::{Value as Json, json};

use crate::change::{Action, Change, FieldChange, Forecast, How, Kept, Left, Origin, Plan, Refusal, Step, Unmanaged};
use crate::model::{Address, Diff, Locus, Path, Secret, Unavailable, Unresolved, Value};
use crate::problem::Problem;
use crate::schema::{Risk, Verb};

pub(super) fn locus(file: &str, line: u32) -> Locus {
    Locus { file: file.into(), line, column: 3, start: 10, end: 20 }
}

pub(super) fn field(path: Path, before: Option<Json>, after: Option<Json>) -> FieldChange {
    FieldChange {
        path,
        diff: Diff { before: before.as_ref().map(Value::from_json), after: after.as_ref().map(Value::from_json) },
        how: How::Value,
        origin: Origin::Unknown,
        risk: Risk::Safe,
        why: None,
        locus: None,
        forces_replace: false,
    }
}

pub(super) fn key(path: &str) -> Path {
    path.split('.').fold(Path::root(), |path, part| path.key(part))
}

pub(super) fn change(address: Address, action: Action, fields: Vec<FieldChange>) -> Change {
    Change {
        address,
        id: None,
        action,
        origin: crate::change::Origin::Unknown,
        risk: fields.iter().map(|f| f.risk).max().unwrap_or_default(),
        fields,
        reasons: Vec::new(),
        cascades: Vec::new(),
        locus: None,
        steps: vec![Step::new(Verb::Patch, "/things/{id}", Some(crate::codec::Body::Value(Value::object())))],
        after: Vec::new(),
        waits_for: Vec::new(),
        missing_secrets: Vec::new(),
    }
}

pub(super) const CODE: &str = "exports.onExecutePostLogin = async (event, api) => {\n  const ns = \"https://travel0.com\";\n  const role = event.user.app_metadata.role;\n  api.idToken.setCustomClaim(\"role\", role);\n};\n";

fn storefront() -> Change {
    let file = "clients/storefront.yaml";
    let mut added =
        field(key("callbacks").item("https://shop.travel0.com/cb"), None, Some(json!("https://shop.travel0.com/cb")));
    added.how = How::Item;
    added.locus = Some(locus(file, 14));
    let mut removed =
        field(key("callbacks").item("https://old.travel0.com/cb"), Some(json!("https://old.travel0.com/cb")), None);
    removed.how = How::Item;
    removed.risk = Risk::Caution;
    removed.why = Some("sign-ins returning there will fail".to_owned());
    removed.locus = Some(locus(file, 14));
    let mut lifetime = field(key("jwt_configuration.lifetime_in_seconds"), Some(json!(36000)), Some(json!("3600")));
    lifetime.locus = Some(locus(file, 9));
    let mut secret = field(key("client_secret"), None, None);
    secret.how = How::Secret;
    secret.diff = Diff {
        before: Some(Value::Secret(Secret::new("hunter1", "live"))),
        after: Some(Value::Secret(Secret::new("hunter2", "secrets.storefront"))),
    };
    let mut long = field(
        key("mobile"),
        Some(json!({"android": {"app_package_name": "com.travel0.app", "sha256_cert_fingerprints": ["AA:BB"]}})),
        Some(
            json!({"android": {"app_package_name": "com.travel0.app", "sha256_cert_fingerprints": ["AA:BB", "CC:DD"]}, "ios": null}),
        ),
    );
    long.locus = Some(locus(file, 20));
    let mut change =
        change(Address::new("clients", "Storefront"), Action::Update, vec![added, removed, lifetime, secret, long]);
    change.id = Some("abc123".to_owned());
    change.locus = Some(locus(file, 1));
    change
}

fn action() -> Change {
    let mut code = field(
        key("code"),
        Some(json!(CODE)),
        Some(json!(CODE.replace("setCustomClaim(\"role\", role)", "setCustomClaim(`${ns}/role`, role)"))),
    );
    code.how = How::Text;
    code.locus = Some(locus("actions/enrich-token/code.js", 1));
    let mut change = change(Address::new("actions", "Enrich token"), Action::Update, vec![code]);
    change.locus = Some(locus("actions/enrich-token.yaml", 1));
    change.steps.push(Step::new(Verb::Post, "/actions/actions/{id}/deploy", None));
    change
}

fn database() -> Change {
    let mut change = change(
        Address::new("databases", "Legacy-Users"),
        Action::Delete,
        vec![
            field(key("strategy"), Some(json!("auth0")), None),
            field(key("options"), Some(json!({"disable_signup": true, "passwordPolicy": "good"})), None),
        ],
    );
    change.risk = Risk::Irreversible;
    change.reasons = vec!["12,431 users are deleted with it".to_owned()];
    change.cascades = vec![Address::new("organizations", "acme")];
    change
}

fn role() -> Change {
    let mut permission = field(
        key("permissions").item("read:orders https://api"),
        None,
        Some(json!({"permission_name": "read:orders", "resource_server_identifier": "https://api"})),
    );
    permission.how = How::Item;
    let mut code = field(key("script"), None, Some(json!(CODE)));
    code.how = How::Text;
    let mut change = change(
        Address::new("roles", "Admin"),
        Action::Create,
        vec![field(key("description"), None, Some(json!("Everything"))), permission, code],
    );
    change.locus = Some(locus("roles/admin.yaml", 1));
    change.missing_secrets = vec!["secrets.smtp".to_owned()];
    change
}

fn api() -> Change {
    let mut identifier = field(key("identifier"), Some(json!("https://old")), Some(json!("https://new")));
    identifier.forces_replace = true;
    identifier.risk = Risk::Destructive;
    let mut change = change(Address::new("resourceServers", "Orders"), Action::Replace, vec![identifier]);
    change.reasons = vec!["`identifier` cannot be changed in place".to_owned()];
    change
}

/// Something of everything.
pub(super) fn full() -> Plan {
    let mut secret = field(key("options.client_secret"), None, None);
    secret.how = How::Secret;
    secret.diff.after = Some(Value::Unresolved(Unresolved { source: "secrets.google".to_owned() }));
    Plan {
        environment: "prod".to_owned(),
        domain: "travel0.eu.auth0.com".to_owned(),
        changes: vec![storefront(), action(), role(), api(), database()],
        left: vec![
            Left { address: Address::new("rules", "Old rule"), fields: Vec::new(), why: Kept::DeleteNotAllowed },
            Left {
                address: Address::new("connections", "google"),
                fields: vec![secret, field(key("strategy"), Some(json!("google-oauth2")), Some(json!("google-apps")))],
                why: Kept::CreateOnly,
            },
            Left {
                address: Address::new("clients", "Twin"),
                fields: Vec::new(),
                why: Kept::Ambiguous(vec!["id1".to_owned(), "id2".to_owned()]),
            },
        ],
        unmanaged: Unmanaged {
            kinds: vec!["hooks".to_owned(), "prompts".to_owned(), "themes".to_owned()],
            resources: (0..12).map(|n| Address::new("clients", &format!("Unknown {n}"))).collect(),
        },
        secrets: vec![(Address::single("emailProvider"), key("credentials.smtp_pass"), "secrets.smtp".to_owned())],
        unreadable: vec![("logStreams".to_owned(), Unavailable::Scope(vec!["read:log_streams".to_owned()]))],
        skipped: [("organizations".to_owned(), ("Organizations are not enabled for this tenant".to_owned(), 2))].into(),
        unchanged: (0..38).map(|n| Address::new("roles", &n.to_string())).collect(),
        notes: vec![Problem::warning("server-set", "`client_id` is set by Auth0").at(&locus("clients/a.json", 2))],
        forecast: Forecast { requests: 9, depth: 3 },
        ..Plan::default()
    }
}

/// Refusals of [`full`].
pub(super) fn refusals() -> Vec<Refusal> {
    vec![
        Refusal {
            guard: "delete-not-allowed",
            address: Some(Address::new("databases", "Legacy-Users")),
            problem: Problem::error("delete-not-allowed", "prod does not let databases be deleted")
                .at(&locus("tenantry.yaml", 21))
                .help("add `databases` to prod's `delete`"),
        },
        Refusal {
            guard: "unreadable",
            address: None,
            problem: Problem::error("missing-scope", "`logStreams` cannot be read")
                .note("the token lacks `read:log_streams`")
                .help("grant it, or exclude `logStreams`"),
        },
    ]
}

/// Names nobody should choose.
pub(super) fn odd() -> Plan {
    let long = "x".repeat(200);
    let mut big = field(key("code"), Some(json!(lines(0))), Some(json!(lines(1))));
    big.how = How::Text;
    Plan {
        domain: "odd\u{1b}]0;title\u{7}.auth0.com".to_owned(),
        changes: vec![
            change(
                Address::new("clients", "a\u{1b}[31m\u{202e}b/c\n"),
                Action::Update,
                vec![
                    field(key("description"), Some(json!("tab\there\r\n")), Some(json!("```\n<!-- @channel -->"))),
                    field(key(&long), Some(json!(long.clone())), Some(json!(format!("{long}y")))),
                    field(key("empty"), Some(json!("")), Some(json!(null))),
                ],
            ),
            change(
                Address::new("roles", &long),
                Action::Create,
                (0..40).map(|n| field(key(&format!("field_{n}")), None, Some(json!("v".repeat(n * 50))))).collect(),
            ),
            change(Address::new("roles", "👩‍👧 家族 `tick`"), Action::Update, vec![big]),
        ],
        forecast: Forecast { requests: 5000, depth: 2 },
        ..Plan::default()
    }
}

fn lines(parity: usize) -> String {
    (0..300).map(|n| if n % 3 == 0 { format!("line {n} is {parity}\n") } else { format!("\tline {n}\n") }).collect()
}
