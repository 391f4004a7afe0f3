//! Laws of planning and applying, on random parts of a tenant in random order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use tenantry::apply::Outcome;
use tenantry::change::{Action, Plan};
use tenantry::model::{Desired, Secret, Value};
use tenantry::render::json::v1;
use tenantry::render::{self, Head, PlanView, plan_human, plan_markdown};
use tenantry::schema::Registry;

use super::tenant::{Tenant, describe, describe_live, described, told};

/// Runs with real HTTP: few, each on a tenant of its own.
const CASES: u32 = 4;

/// Kinds that can be left out of the description without taking what others refer to.
const LEAVES: &[&str] = &[
    "attackProtection",
    "branding",
    "emailTemplates",
    "organizations",
    "pages",
    "prompts",
    "roles",
    "rules",
    "rulesConfigs",
    "tenant",
    "triggers",
];

fn fixture() -> Json {
    let mut json: Json = serde_yaml::from_str(include_str!("fixture.yaml")).unwrap();
    // Page templates need a custom domain.
    json["branding"].as_object_mut().unwrap().remove("templates");
    json
}

/// A part of the fixture, its kinds, resources and members in the order that `seed` gives.
pub(crate) fn part(without: &BTreeSet<usize>, seed: u64) -> Json {
    let mut json = fixture();
    for n in without {
        json.as_object_mut().unwrap().remove(LEAVES[n % LEAVES.len()]);
    }
    let mut state = seed;
    let kinds = shuffled_members(&json, &mut state);
    Json::Object(
        kinds
            .as_object()
            .unwrap()
            .iter()
            .map(|(kind, value)| match value {
                Json::Array(resources) => (kind.clone(), Json::Array(shuffled(resources.clone(), &mut state))),
                single => (kind.clone(), single.clone()),
            })
            .collect(),
    )
}

fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

fn shuffled<T>(mut items: Vec<T>, state: &mut u64) -> Vec<T> {
    for n in (1..items.len()).rev() {
        items.swap(n, next(state) % (n + 1));
    }
    items
}

fn shuffled_members(json: &Json, state: &mut u64) -> Json {
    match json {
        Json::Object(members) => shuffled(members.iter().collect(), state)
            .into_iter()
            .map(|(name, value)| (name.clone(), shuffled_members(value, state)))
            .collect(),
        Json::Array(items) => items.iter().map(|item| shuffled_members(item, state)).collect(),
        other => other.clone(),
    }
}

/// Runs a law on random parts.
pub(crate) fn law<F: Future<Output = ()>>(check: impl Fn(BTreeSet<usize>, u64) -> F) {
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let strategy = (prop::collection::btree_set(0_usize..LEAVES.len(), 0..5), any::<u64>());
    let outcome = TestRunner::new(config).run(&strategy, |(without, seed)| {
        runtime.block_on(check(without, seed));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// References before dependents: a reference in a request is to something live or to an earlier change it waits for.
fn in_order(plan: &Plan) {
    for (n, change) in plan.changes.iter().enumerate() {
        for body in change.steps.iter().filter_map(|s| s.body.as_ref()) {
            body.each_ref(&mut |kinds, name| {
                let made = plan.changes.iter().position(|other| {
                    kinds.contains(&other.address.kind)
                        && other.address.name.as_deref() == Some(name)
                        && other.action == Action::Create
                });
                if let Some(made) = made.filter(|m| *m != n) {
                    assert!(
                        made < n,
                        "{} is made after {}, which refers to it",
                        plan.changes[made].address,
                        change.address
                    );
                    assert!(waits(plan, n, made), "{} does not wait for {name}", change.address);
                }
            });
        }
    }
}

fn waits(plan: &Plan, n: usize, made: usize) -> bool {
    plan.changes[n].after.iter().any(|before| *before == made || waits(plan, *before, made))
}

#[test]
fn apply_then_plan_is_empty_and_a_second_apply_writes_nothing() {
    law(|without, seed| async move {
        let tenant = Tenant::start().await;
        let desired = describe(&part(&without, seed));
        let planned = tenant.plan(&desired).await;
        in_order(&planned.plan);
        tenant.apply(planned).await;
        assert!(!tenant.front.writes().is_empty());
        let again = tenant.plan(&desired).await;
        assert!(!again.plan.has_changes(), "{:#?}", told(&again.plan));
        let described: usize = desired.kinds.values().map(|k| k.resources.len()).sum();
        assert_eq!(again.plan.unchanged.len(), described);
        tenant.apply(again).await;
        assert_eq!(tenant.front.writes(), Vec::<String>::new());
    });
}

#[test]
fn the_plan_of_what_is_live_is_empty() {
    law(|without, seed| async move {
        let tenant = Tenant::start().await;
        tenant.deploy(&describe(&part(&without, seed))).await;
        // Partials have a small rate limit of their own.
        let kinds: BTreeSet<String> = Registry::get().names().filter(|k| *k != "prompts").map(str::to_owned).collect();
        let (live, _) = tenant.read_whole(&kinds).await;
        let desired = describe_live(&live, &kinds);
        let planned = tenant.plan(&desired).await;
        assert!(!planned.plan.has_changes(), "{:#?}", told(&planned.plan));
    });
}

#[test]
fn plans_do_not_depend_on_order() {
    law(|without, seed| async move {
        let tenant = Tenant::start().await;
        let one = tenant.plan(&describe(&part(&without, seed))).await.plan;
        let other = tenant.plan(&describe(&part(&without, seed.rotate_left(17) ^ 0x5555))).await.plan;
        let shown = |plan: &Plan| plan.changes.iter().map(|c| (c.action, c.address.to_string())).collect::<Vec<_>>();
        assert_eq!(shown(&one), shown(&other));
        for (a, b) in one.changes.iter().zip(&other.changes) {
            let fields = |c: &tenantry::change::Change| -> BTreeMap<String, Json> {
                c.fields
                    .iter()
                    .map(|f| (f.path.to_string(), f.diff.after.as_ref().map(Value::redacted).unwrap_or_default()))
                    .collect()
            };
            assert_eq!(fields(a), fields(b), "{}", a.address);
            assert_eq!(a.after, b.after, "{}", a.address);
            let paths = |c: &tenantry::change::Change| c.steps.iter().map(|s| s.path.clone()).collect::<Vec<_>>();
            assert_eq!(paths(a), paths(b), "{}", a.address);
        }
    });
}

#[test]
fn a_run_that_stops_anywhere_can_be_finished() {
    law(|without, seed| async move {
        let desired = describe(&part(&without, seed));
        let whole = Tenant::start().await;
        whole.deploy(&desired).await;
        let all = whole.front.writes().len();
        let mut state = seed;
        let stop = 1 + next(&mut state) % all.max(2).saturating_sub(1);
        let mut tenant = Tenant::start().await;
        tenant.front.stop_after(stop);
        let planned = tenant.plan(&desired).await;
        let report = tenant.apply(planned).await;
        let stopped = report.interrupted || report.changes.iter().any(|(_, _, o)| *o != Outcome::Done);
        assert!(stopped, "{stop} of {all} writes did not stop it");
        tenant.reconnect().await;
        tenant.deploy(&desired).await;
        let end = tenant.plan(&desired).await;
        assert!(!end.plan.has_changes(), "stopped after {stop}: {:#?}", told(&end.plan));
        let (one, other) = (values(&whole, &desired).await, values(&tenant, &desired).await);
        assert_eq!(one, other, "stopped after {stop}");
    });
}

pub(crate) async fn values(tenant: &Tenant, desired: &Desired) -> BTreeMap<String, Json> {
    let live = tenant.plan(desired).await.live;
    let described: BTreeSet<String> =
        desired.kinds.values().flat_map(|k| &k.resources).map(|r| r.address.to_string()).collect();
    let mut out = BTreeMap::new();
    for kind in desired.kinds.keys() {
        for resource in live.resources(kind).iter().filter(|r| described.contains(&r.address.to_string())) {
            let mut value = resource.value.clone();
            // Made at random by the tenant.
            if let Some(members) = value.as_object_mut() {
                members.shift_remove("client_secret");
            }
            out.insert(resource.address.to_string(), value.redacted());
        }
    }
    out
}

#[tokio::test]
async fn what_is_not_described_is_never_written() {
    let tenant = Tenant::start().await;
    let mut paths = Vec::new();
    for (path, body) in [
        ("/clients", json!({"name": "Bystander", "callbacks": ["https://by.example/cb"]})),
        ("/roles", json!({"name": "Bystander", "description": "x"})),
        ("/organizations", json!({"name": "bystander"})),
        ("/connections", json!({"name": "bystander", "strategy": "auth0"})),
        ("/resource-servers", json!({"name": "Bystander", "identifier": "https://by.example"})),
    ] {
        let (status, made) = tenant.raw("POST", path, Some(&body)).await;
        assert!(status == 200 || status == 201, "{made}");
        let id = made["client_id"].as_str().or(made["id"].as_str()).unwrap();
        paths.push((format!("{path}/{id}"), made.clone()));
    }
    let mut before = Vec::new();
    for (path, _) in &paths {
        before.push(tenant.raw("GET", path, None).await.1);
    }
    tenant.deploy(&describe(&part(&BTreeSet::new(), 1))).await;
    let small = json!({"roles": [{"name": "Law role", "description": "New"}], "clients": [{"name": "Law web", "description": "New"}]});
    tenant.deploy(&describe(&small)).await;
    for ((path, _), before) in paths.iter().zip(before) {
        assert_eq!(tenant.raw("GET", path, None).await.1, before, "{path}");
    }
}

/// A plan as text, as Markdown and as JSON.
fn renderings(plan: &Plan) -> String {
    let view = PlanView { plan, refusals: &[], head: &Head::default() };
    let json = v1::text(&v1::Plan::from(&view));
    format!("{}\n{}\n{json}", plan_human(&view, &render::Options::default()), plan_markdown(&view))
}

#[tokio::test]
async fn no_output_of_a_plan_holds_a_secret() {
    const SECRET: &str = "hunter2-made-up-0815";
    let tenant = Tenant::start().await;
    let mut desired = describe(&fixture());
    let secret = || Value::Secret(Secret::new(SECRET, "secrets.made_up"));
    let mut put = 0;
    for resource in desired.kinds.values_mut().flat_map(|k| &mut k.resources) {
        for (holder, member) in [("options", "client_secret"), ("credentials", "smtp_pass")] {
            let holder = resource.value.as_object_mut().unwrap().get_mut(holder).and_then(Value::as_object_mut);
            if let Some(slot) = holder.and_then(|h| h.get_mut(member)) {
                *slot = secret();
                put += 1;
            }
        }
    }
    let spec = Registry::get().kind("rulesConfigs").unwrap();
    let mut config = described(spec, Value::from_json(&json!({"key": "SECRET", "value": ""})), None);
    config.value.as_object_mut().unwrap().insert("value".to_owned(), secret());
    desired.kinds.get_mut("rulesConfigs").unwrap().resources.push(config);
    assert!(put > 3);
    let planned = tenant.plan(&desired).await;
    assert!(!format!("{:?}", planned.plan).contains(SECRET));
    for field in planned.plan.changes.iter().flat_map(|c| &c.fields) {
        let shown = field.diff.after.as_ref().map(|v| v.redacted().to_string()).unwrap_or_default();
        assert!(!shown.contains(SECRET), "{}", field.path);
    }
    let shown = renderings(&planned.plan);
    assert!(!shown.contains(SECRET), "{shown}");
    tenant.apply(planned).await;
    let again = tenant.plan(&desired).await;
    assert!(!format!("{:?}", again.plan).contains(SECRET));
    assert!(!renderings(&again.plan).contains(SECRET));
    assert!(!again.plan.has_changes(), "{:#?}", told(&again.plan));
}
