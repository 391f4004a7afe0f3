//! A plan for a tenant that was deployed before, and deployments, made by hand for the tests of renderers.
#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use serde_json::json;

use super::samples::{change, field, key, locus};
use super::{Deployed, Head};
use crate::change::{
    Action, Author, Blame, Certainty, Change, Effect, Forecast, How, Kept, Left, Origin, Plan, Refusal,
};
use crate::deployment::{Commit, Deployment, History, Image, Outcome, Purpose, Rules, Tally};
use crate::model::{Address, Path, Secret, Value};
use crate::problem::Problem;
use crate::schema::Risk;

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn now() -> Timestamp {
    time("2026-11-22T10:00:00Z")
}

pub(super) fn head() -> Head {
    Head {
        commit: Some(Commit { id: "4f2c9ab7710d".to_owned(), dirty: false }),
        deployed: Some(Deployed {
            id: "01JD7QK3".to_owned(),
            at: time("2026-11-20T09:00:00Z"),
            commit: Some(Commit { id: "91be0d1e8c1d".to_owned(), dirty: false }),
            actor: "ana".to_owned(),
        }),
        now: now(),
        ..Head::default()
    }
}

pub(super) fn blame(who: &str) -> Blame {
    Blame {
        certainty: Certainty::Exact,
        who: Some(who.to_owned()),
        through: Some("dashboard".to_owned()),
        at: Some(time("2026-11-20T16:42:10Z")),
        log_id: Some("90020261120164210".to_owned()),
        note: None,
    }
}

pub(super) fn nobody() -> Blame {
    Blame {
        certainty: Certainty::Unknown,
        who: None,
        through: None,
        at: None,
        log_id: None,
        note: Some("the tenant's log reaches back to 21 Nov only".to_owned()),
    }
}

fn of(mut changes: Vec<crate::change::FieldChange>, origin: Origin) -> Vec<crate::change::FieldChange> {
    for change in &mut changes {
        change.origin = origin;
    }
    changes
}

fn update(name: &str, fields: Vec<crate::change::FieldChange>) -> Change {
    let mut change = change(Address::new("clients", name), Action::Update, fields);
    change.locus = Some(locus(&format!("clients/{}.yaml", name.to_lowercase()), 1));
    change
}

/// A field of ours, one in conflict, one of theirs.
fn storefront() -> Change {
    let file = "clients/storefront.yaml";
    let mut removed =
        field(key("callbacks").item("https://old.travel0.com/cb"), Some(json!("https://old.travel0.com/cb")), None);
    removed.how = How::Item;
    removed.risk = Risk::Caution;
    removed.why = Some("sign-ins returning there will fail".to_owned());
    removed.locus = Some(locus(file, 14));
    let mut cleared = field(
        key("mobile"),
        Some(
            json!({"android": {"app_package_name": "com.travel0.app", "sha256_cert_fingerprints": ["AA:BB", "CC:DD", "EE:FF"]}}),
        ),
        Some(json!(null)),
    );
    cleared.locus = Some(locus(file, 20));
    let mut lifetime = field(key("jwt_configuration.lifetime_in_seconds"), Some(json!(600)), Some(json!(3600)));
    lifetime.locus = Some(locus(file, 9));
    let mut fields = of(vec![removed, cleared], Origin::Change);
    fields.extend(of(vec![lifetime], Origin::Conflict));
    fields.extend(of(
        vec![field(key("name"), Some(json!("Storefront (test)")), Some(json!("Storefront")))],
        Origin::Drift,
    ));
    update("Storefront", fields)
}

fn mobile() -> Change {
    let mut theirs = field(key("callbacks").item("myapp://debug"), Some(json!("myapp://debug")), None);
    theirs.how = How::Item;
    theirs.risk = Risk::Caution;
    theirs.why = Some("sign-ins returning there will fail".to_owned());
    update(
        "Mobile",
        of(vec![theirs, field(key("oidc_conformant"), Some(json!(false)), Some(json!(true)))], Origin::Drift),
    )
}

fn action() -> Change {
    let mut secret = field(key("secrets").item("API_KEY"), None, Some(json!({"name": "API_KEY"})));
    secret.how = How::Secret;
    if let Some(Value::Object(members)) = &mut secret.diff.after {
        members.insert("value".to_owned(), Value::Secret(Secret::new("hunter2", "secrets.api_key")));
    }
    let bindings = |names: [&str; 3]| {
        Some(json!(names.map(|name| json!({"ref": {"type": "action_name", "value": name}, "display_name": name}))))
    };
    let order = field(key("bindings"), bindings(["Enrich", "Audit", "Block"]), bindings(["Audit", "Enrich", "Block"]));
    let fields = of(vec![secret, order], Origin::Change);
    let mut change = change(Address::new("triggers", "post-login"), Action::Update, fields);
    change.locus = Some(locus("triggers/triggers.json", 1));
    change
}

fn role(name: &str, action: Action, origin: Origin) -> Change {
    let side = Some(json!(name));
    let fields = match action {
        Action::Delete => vec![field(key("name"), side, None)],
        _ => vec![field(key("name"), None, side)],
    };
    let mut change = change(Address::new("roles", name), action, of(fields, origin));
    change.origin = origin;
    change.locus = (action != Action::Delete).then(|| locus("roles/roles.yaml", 3));
    change
}

fn database() -> Change {
    let mut change = change(
        Address::new("databases", "Legacy-Users"),
        Action::Delete,
        of(vec![field(key("strategy"), Some(json!("auth0")), None)], Origin::Change),
    );
    change.origin = Origin::Change;
    change.risk = Risk::Irreversible;
    change
}

/// Changes, drift, conflicts, and who made them.
pub(super) fn three_way() -> Plan {
    let mut recreated = update(
        "Portal",
        of(vec![field(key("app_type"), Some(json!("spa")), Some(json!("regular_web")))], Origin::Conflict),
    );
    recreated.origin = Origin::Conflict;
    recreated.reasons = vec!["recreated outside: its id was abc and is def".to_owned()];
    let unknown = update(
        "Legacy",
        vec![
            field(key("app_type"), Some(json!("spa")), Some(json!("native"))),
            field(key("sso"), Some(json!(true)), Some(json!(false))),
        ],
    );
    let mut plan = Plan {
        environment: "prod".to_owned(),
        domain: "travel0.eu.auth0.com".to_owned(),
        has_base: true,
        changes: vec![
            storefront(),
            mobile(),
            action(),
            role("Clerk", Action::Create, Origin::Drift),
            role("Guide", Action::Create, Origin::Change),
            role("Guest", Action::Delete, Origin::Conflict),
            recreated,
            unknown,
            database(),
        ],
        left: vec![
            Left {
                address: Address::single("tenant"),
                fields: of(
                    vec![field(
                        key("support_email"),
                        Some(json!("help@travel0.com")),
                        Some(json!("support@travel0.com")),
                    )],
                    Origin::Drift,
                ),
                why: Kept::Drift,
            },
            Left { address: Address::new("roles", "Gone"), fields: Vec::new(), why: Kept::Drift },
        ],
        already: vec![
            (Address::new("clients", "Storefront"), key("logo_uri")),
            (Address::new("clients", "Storefront"), key("web_origins").item("https://shop.travel0.com")),
        ],
        released: vec![(Address::single("tenant"), key("picture_url"))],
        unchanged: (0..38).map(|n| Address::new("roles", &n.to_string())).collect(),
        forecast: Forecast { requests: 9, depth: 2 },
        ..Plan::default()
    };
    let facts = &mut plan.facts;
    facts.outside = [
        (Address::new("clients", "Mobile"), vec![(Path::root(), blame("dana@travel0.com"))]),
        (
            Address::new("clients", "Storefront"),
            vec![
                (
                    key("jwt_configuration.lifetime_in_seconds"),
                    Blame { certainty: Certainty::ResourceOnly, ..blame("dana@travel0.com") },
                ),
                (key("name"), Blame { through: Some("auth0-deploy-cli".to_owned()), ..blame("CI client") }),
            ],
        ),
        (Address::new("clients", "Portal"), vec![(Path::root(), blame("dana@travel0.com"))]),
        (Address::new("roles", "Clerk"), vec![(Path::root(), nobody())]),
        (Address::new("roles", "Guest"), vec![(Path::root(), blame("eve@travel0.com"))]),
        (Address::single("tenant"), vec![(key("support_email"), blame("dana@travel0.com"))]),
    ]
    .into_iter()
    .map(|(address, blames)| (address, blames.into_iter().collect()))
    .collect();
    let wrote = |name: &str, commit: Option<&str>| Author { name: name.to_owned(), commit: commit.map(str::to_owned) };
    facts.ours = [
        (("clients/storefront.yaml".into(), 14), wrote("ana", Some("4f2c9ab"))),
        (("clients/storefront.yaml".into(), 20), wrote("ana", Some("4f2c9ab"))),
        (("clients/storefront.yaml".into(), 9), wrote("ben", None)),
        (("roles/roles.yaml".into(), 3), wrote("ben", Some("77aa001"))),
    ]
    .into();
    facts.effects = [(
        Address::new("databases", "Legacy-Users"),
        vec![Effect { count: Some(12_431), at_least: false, text: "12,431 users are deleted with it".to_owned() }],
    )]
    .into();
    facts.notes = vec![
        Problem::remark("facts-unknown", "how many use `clients/Mobile` is not known")
            .note("the token lacks read:grants"),
    ];
    plan
}

/// What guards say of it.
pub(super) fn refused() -> Vec<Refusal> {
    let refusal = |guard, address: Address, title: &str| Refusal {
        guard,
        problem: Problem::error(guard, title)
            .at(&locus("tenantry.yaml", 22))
            .help(format!("add `--overwrite {address}`")),
        address: Some(address),
    };
    vec![
        refusal(
            "drift",
            Address::new("clients", "Mobile"),
            "`clients/Mobile` was changed outside since the last deployment",
        ),
        refusal("drift", Address::new("roles", "Clerk"), "`roles/Clerk` was deleted outside since the last deployment"),
        refusal(
            "conflict",
            Address::new("clients", "Storefront"),
            "`clients/Storefront` was changed both in the files and outside, to different values",
        ),
    ]
}

pub(super) fn deployment(id: &str, started: &str) -> Deployment {
    Deployment {
        id: id.to_owned(),
        domain: "travel0.eu.auth0.com".to_owned(),
        environment: "prod".to_owned(),
        purpose: Purpose::Apply,
        tool: "0.1.0".to_owned(),
        actor: "ana".to_owned(),
        commit: Some(Commit { id: "91be0d1e8c1d5b0f6c2a".to_owned(), dirty: false }),
        digest: "ab".repeat(32),
        fingerprint_key: None,
        started: time(started),
        ended: Some(time(started) + jiff::SignedDuration::from_secs(12)),
        outcome: Some(Outcome::Done),
        tally: Tally { created: 1, updated: 2, requests: 9, ..Tally::default() },
        rules: Rules::default(),
        plan: serde_json::Value::Null,
        images: vec![Image {
            address: Address::new("clients", "Storefront"),
            id: String::new(),
            value: None,
            paths: Vec::new(),
        }],
        base: Vec::new(),
        taken_back: Vec::new(),
    }
}

/// Four deployments: two a second apart, one in part, one that never ended.
pub(super) fn history() -> History {
    let mut dirty = deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3", "2026-11-20T09:00:00Z");
    dirty.commit = Some(Commit { id: "4f2c9ab7710d".to_owned(), dirty: true });
    let mut revert = deployment("01JD7QK3Y5Z8B2N4M6P7R9S1T3", "2026-11-20T09:00:01Z");
    revert.purpose = Purpose::Revert(vec![dirty.id.clone()]);
    revert.actor = "release pipeline \u{1b}[31m".to_owned();
    revert.outcome = Some(Outcome::Partial);
    revert.tally = Tally { updated: 1, failed: 1, in_doubt: 1, not_started: 2, requests: 3, ..Tally::default() };
    let mut baseline = deployment("01JC0000X5Z8B2N4M6P7R9S1T3", "2025-11-20T09:00:00Z");
    baseline.purpose = Purpose::Baseline;
    baseline.commit = None;
    baseline.tally = Tally::default();
    let mut crashed = deployment("01JDAAAAX5Z8B2N4M6P7R9S1T3", "2026-11-22T09:58:00Z");
    (crashed.ended, crashed.outcome, crashed.tally) = (None, None, Tally::default());
    History::new([dirty, revert, baseline, crashed])
}
