#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Each guard lets pass what it should and refuses what it should.

use super::*;
use crate::change::{Action, Change, FieldChange, How, Origin};
use crate::deployment::{Deployment, Outcome, Purpose, Rules, Tally};
use crate::model::{Address, AddressPattern, Diff, LiveKind, LiveResource, Locus, Path, Sources, Unavailable, Value};
use crate::problem::Problem;
use crate::project::{DeleteLimit, DeleteRule, Policy, Ruled};
use crate::render::{Options, problems_human};

/// A plan and everything it is judged by.
pub(super) struct Case {
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    pub(super) approved: Approved,
    pub(super) live: Live,
    pub(super) history: History,
    pub(super) own_client: Option<&'static str>,
    pub(super) base_missing: Option<&'static str>,
    pub(super) compatible: bool,
    pub(super) key: Option<FingerprintKey>,
    pub(super) now: Timestamp,
    overwrite: Vec<AddressPattern>,
}

impl Case {
    /// Judged by a policy that lets deletes and risks pass.
    pub(super) fn new(plan: Plan) -> Self {
        Case {
            plan,
            policy: lenient(),
            approved: Approved::default(),
            live: Live::default(),
            history: History::none(),
            own_client: None,
            base_missing: None,
            compatible: false,
            key: None,
            now: Timestamp::UNIX_EPOCH,
            overwrite: Vec::new(),
        }
    }

    pub(super) fn overwrite(&mut self, patterns: &[&str]) {
        self.overwrite = patterns.iter().map(|text| AddressPattern::new(text).unwrap()).collect();
    }

    fn refusals(&self) -> Vec<Refusal> {
        let by = Judgement {
            approved: &self.approved,
            overwrite: &self.overwrite,
            own_client: self.own_client,
            history: &self.history,
            now: self.now,
            base_missing: self.base_missing,
            compatible: self.compatible,
            fingerprint_key: self.key.as_ref(),
            ..Judgement::by_policy(&self.policy, &self.live)
        };
        judge(&self.plan, by)
    }

    /// Every refusal as it is shown.
    pub(super) fn told(&self) -> String {
        let problems: Vec<Problem> = self.refusals().into_iter().map(|refusal| refusal.problem).collect();
        if problems.is_empty() {
            return String::new();
        }
        let text = problems_human(&problems, &Sources::default(), &Options::default());
        assert!(!text.contains("hunter"), "{text}");
        text
    }

    /// Guard and address of every refusal.
    pub(super) fn guards(&self) -> Vec<String> {
        let line = |r: Refusal| format!("{} {}", r.guard, r.address.map(|a| a.to_string()).unwrap_or_default());
        self.refusals().into_iter().map(line).collect()
    }
}

pub(super) fn locus(line: u32) -> Locus {
    Locus { file: "tenantry.yaml".into(), line, column: 7, start: 10, end: 20 }
}

/// A field of a given origin that will be `x`.
pub(super) fn field(path: &str, origin: Origin) -> FieldChange {
    FieldChange {
        path: Path::root().key(path),
        diff: Diff { before: None, after: Some(Value::from("x")) },
        how: How::Value,
        origin,
        risk: Risk::Safe,
        why: None,
        locus: None,
        forces_replace: false,
    }
}

/// A deployment that was done.
pub(super) fn deployment(id: &str) -> Deployment {
    Deployment {
        id: id.to_owned(),
        domain: "travel0.eu.auth0.com".to_owned(),
        environment: "prod".to_owned(),
        purpose: Purpose::Apply,
        tool: "0.1.0".to_owned(),
        actor: "ana".to_owned(),
        commit: None,
        digest: String::new(),
        fingerprint_key: None,
        started: "2026-11-20T16:42:00Z".parse().unwrap(),
        ended: Some("2026-11-20T16:42:09Z".parse().unwrap()),
        outcome: Some(Outcome::Done),
        tally: Tally::default(),
        rules: Rules::default(),
        plan: serde_json::Value::Null,
        images: Vec::new(),
        base: Vec::new(),
        taken_back: Vec::new(),
    }
}

/// A tenant of resources: kind, name, id, the API's object, why it is a system resource.
pub(super) fn live(resources: Vec<(&str, &str, &str, serde_json::Value, Option<&str>)>) -> Live {
    let mut live = Live::default();
    for (kind, name, id, raw, system) in resources {
        let resource = LiveResource {
            address: Address::new(kind, name),
            id: id.to_owned(),
            value: Value::from_json(&raw),
            raw: raw.into(),
            system: system.map(str::to_owned),
            unreadable: Vec::new(),
        };
        let found = live.kinds.entry(kind.to_owned()).or_insert_with(|| LiveKind::Read(Vec::new()));
        if let LiveKind::Read(found) = found {
            found.push(resource);
        }
    }
    live
}

pub(super) fn change(action: Action, kind: &str, name: &str) -> Change {
    Change::new(Address::new(kind, name), action)
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan { changes, ..Plan::default() }
}

fn lenient() -> Policy {
    Policy { delete: Ruled::default_of(DeleteRule::All), approve: Ruled::default_of(Vec::new()), ..Policy::default() }
}

fn told(plan: &Plan, policy: &Policy, approved: &[Risk], live: &Live) -> Vec<String> {
    let approved = Approved { risks: approved.to_vec(), ..Approved::default() };
    let by = Judgement { approved: &approved, ..Judgement::by_policy(policy, live) };
    let line = |r: Refusal| match r.address {
        Some(address) => format!("{} {address}: {}", r.guard, r.problem.title),
        None => format!("{}: {}", r.guard, r.problem.title),
    };
    judge(plan, by).into_iter().map(line).collect()
}

fn refusals(plan: &Plan, policy: &Policy) -> Vec<String> {
    told(plan, policy, &[], &Live::default())
}

const NONE: &[&str] = &[];

#[test]
fn deletes_and_replaces_need_the_kind_in_the_policy() {
    let plan = plan(vec![
        change(Action::Delete, "roles", "a"),
        change(Action::Replace, "clients", "b"),
        change(Action::Update, "rules", "c"),
    ]);
    let policy = |rule| Policy { delete: Ruled::default_of(rule), ..lenient() };
    assert_eq!(
        refusals(&plan, &policy(DeleteRule::Kinds(Default::default()))),
        [
            "delete-not-allowed roles/a: the plan deletes `roles/a`",
            "delete-not-allowed clients/b: the plan replaces (deletes and makes anew) `clients/b`",
        ]
    );
    assert_eq!(refusals(&plan, &policy(DeleteRule::All)), NONE);
    assert_eq!(refusals(&plan, &policy(DeleteRule::Kinds(["roles".to_owned()].into_iter().collect()))).len(), 1);
}

#[test]
fn a_plan_may_delete_so_many_and_no_more() {
    let deletes = |n: usize| plan((0..n).map(|n| change(Action::Delete, "roles", &n.to_string())).collect());
    let limit = |limit| Policy { max_deletes: Some(Ruled::default_of(limit)), ..lenient() };
    assert_eq!(refusals(&deletes(2), &limit(DeleteLimit::Count(2))), NONE);
    assert_eq!(refusals(&deletes(3), &limit(DeleteLimit::Count(2))), ["max-deletes: the plan deletes 3 resources"]);
    assert_eq!(refusals(&deletes(3), &lenient()), NONE, "without a limit there is none");
    let role = |n: usize| LiveResource {
        address: Address::new("roles", &n.to_string()),
        id: n.to_string(),
        value: Value::object(),
        raw: serde_json::Value::Null.into(),
        system: None,
        unreadable: Vec::new(),
    };
    let mut live = Live::default();
    live.kinds.insert("roles".to_owned(), LiveKind::Read((0..19).map(role).collect()));
    live.kinds.insert("rules".to_owned(), LiveKind::Unavailable(Unavailable::Scope(Vec::new())));
    let share = limit(DeleteLimit::Percent(10));
    assert_eq!(told(&deletes(1), &share, &[], &live), NONE);
    assert_eq!(told(&deletes(2), &share, &[], &live).len(), 1, "a tenth of 19 is 1");
}

#[test]
fn a_protected_resource_is_not_touched_and_not_taken_along() {
    let protect = vec![Ruled::default_of(AddressPattern::new("grants/*").unwrap())];
    let policy = Policy { protect, ..lenient() };
    let mut with_cascade = change(Action::Delete, "clients", "a");
    with_cascade.cascades = vec![Address::new("grants", "g"), Address::new("roles", "r")];
    let plan = plan(vec![with_cascade, change(Action::Update, "grants", "h"), change(Action::Update, "roles", "i")]);
    assert_eq!(
        refusals(&plan, &policy),
        [
            "protected grants/g: the plan would delete `grants/g`, which is protected",
            "protected grants/h: the plan would update `grants/h`, which is protected",
        ]
    );
}

#[test]
fn a_risk_that_the_policy_names_is_approved_by_name() {
    let mut risky = change(Action::Update, "databases", "a");
    risky.risk = Risk::Irreversible;
    let plan = plan(vec![risky, change(Action::Update, "roles", "b")]);
    let policy = |risks: &[Risk]| Policy { approve: Ruled::default_of(risks.to_vec()), ..lenient() };
    let strict = policy(&[Risk::Irreversible]);
    assert_eq!(
        refusals(&plan, &strict),
        ["approval databases/a: the update of `databases/a` needs approval: its risk is irreversible"]
    );
    assert_eq!(told(&plan, &strict, &[Risk::Irreversible], &Live::default()), NONE);
    assert_eq!(told(&plan, &strict, &[Risk::Destructive], &Live::default()).len(), 1);
    assert_eq!(refusals(&plan, &policy(&[Risk::Destructive])), NONE);
}

#[test]
fn a_secret_nobody_has_stops_what_would_lose_it() {
    let lacking = |action| {
        let mut change = change(action, "connections", "a");
        change.missing_secrets = vec!["secrets.google".to_owned(), "the description".to_owned()];
        plan(vec![change])
    };
    let created = refusals(&lacking(Action::Create), &lenient());
    let without = "cannot be created without `secrets.google`, `the description`";
    assert_eq!(created, [format!("missing-secret connections/a: `connections/a` {without}")]);
    let updated = refusals(&lacking(Action::Update), &lenient());
    assert!(updated.iter().all(|r| r.starts_with("would-lose-secret connections/a")) && updated.len() == 1);
    let by = |plan: &Plan| {
        judge(plan, Judgement::by_policy(&lenient(), &Live::default()))
            .into_iter()
            .flat_map(|r| r.problem.help)
            .collect::<Vec<_>>()
    };
    let help = by(&lacking(Action::Create));
    assert_eq!(help[0], "set TENANTRY_SECRET_GOOGLE, or declare it under `secrets` of the environment");
}

#[test]
fn what_a_missing_scope_hides_stops_and_a_missing_feature_does_not() {
    let hidden = |why| Plan { unreadable: vec![("roles".to_owned(), why)], ..Plan::default() };
    let scope = hidden(Unavailable::Scope(vec!["read:roles".to_owned(), "read:all".to_owned()]));
    assert_eq!(refusals(&scope, &lenient()), ["unreadable: `roles` cannot be read"]);
    assert_eq!(refusals(&hidden(Unavailable::Feature("upgrade".to_owned())), &lenient()), NONE);
}

#[test]
fn all_refusals_come_at_once_and_only_a_plan_without_any_passes() {
    let (policy, live) = (Policy::default(), Live::default());
    let by = Judgement::by_policy(&policy, &live);
    let mut both = change(Action::Delete, "roles", "a");
    both.risk = Risk::Irreversible;
    let refused: Vec<&str> = pass(plan(vec![both]), by).unwrap_err().iter().map(|r| r.guard).collect();
    assert_eq!(refused, ["delete-not-allowed", "approval"]);
    let passed = pass(plan(vec![change(Action::Create, "roles", "a")]), by).unwrap();
    assert_eq!(passed.plan().changes.len(), 1);
}

#[test]
fn an_argument_is_one_to_every_shell() {
    assert_eq!(argument("clients/Shop"), "clients/Shop");
    assert_eq!(argument("clients/My App"), "\"clients/My App\"");
    assert_eq!(argument("clients/a$b'c"), r"'clients/a$b'\''c'");
}

#[test]
fn an_id_is_shown_as_short_as_it_is_unique() {
    let history = History::new(["01JD7QK3X5Z8", "01JD7QK3X5Y8", "01JD8QK3X5Z8"].map(deployment));
    assert_eq!(short_id(&history, "01JD7QK3X5Z8"), "01JD7QK3X5Z");
    assert_eq!(short_id(&history, "01JD8QK3X5Z8"), "01JD8QK3X5");
    assert_eq!(short_id(&history, "01"), "01");
}
