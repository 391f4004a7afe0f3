//! Snapshots of what is shown of a tenant that was deployed before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::deployed_samples::{blame, deployment, head, history, nobody, now, refused, three_way};
use super::json::v1;
use super::samples::key;
use super::{
    AdoptView, AdoptedFile, DriftView, Drifted, Happened, Head, HistoryView, Options, PlanView, Reverting, adopt_human,
    deployment_human, drift_human, drifted, history_human, plan_human, plan_markdown,
};
use crate::change::{Plan, Refusal};
use crate::model::{Address, Path, Unavailable};

fn human(plan: &Plan, refusals: &[Refusal], head: &Head, width: usize) -> String {
    plan_human(&PlanView { plan, refusals, head }, &Options { width, colour: false, detail: false })
}

fn sound(text: &str) {
    assert!(!text.chars().any(|c| c != '\n' && super::text::is_unsafe(c)), "{text:?}");
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn change_drift_and_conflict_are_told_apart() {
    let text = human(&three_way(), &refused(), &head(), 120);
    sound(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_overwritten_says_so() {
    let text = human(&three_way(), &[], &head(), 80);
    sound(&text);
    insta::assert_snapshot!(text);
}

#[test]
fn the_same_as_markdown() {
    let plan = three_way();
    let text = plan_markdown(&PlanView { plan: &plan, refusals: &refused(), head: &head() });
    assert!(!text.contains("hunter"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn the_same_as_json() {
    let plan = three_way();
    let text = v1::text(&v1::Plan::from(&PlanView { plan: &plan, refusals: &refused(), head: &head() }));
    assert!(!text.contains("hunter"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_revert_says_first_what_cannot_come_back() {
    let mut plan = three_way();
    plan.changes.truncate(1);
    plan.left.clear();
    plan.facts = crate::change::Facts::default();
    let reverting = Reverting {
        what: "takes back deployment 01JD7QK3".to_owned(),
        lost: vec![
            "`clients/Shop` is made anew: its id was abc and will be another".to_owned(),
            "`databases/Users`: its users are gone".to_owned(),
        ],
    };
    let head = Head { reverting: Some(reverting), deletes_undescribed: true, ..head() };
    insta::assert_snapshot!(human(&plan, &[], &head, 100));
    insta::assert_snapshot!(
        "a_revert_as_markdown",
        plan_markdown(&PlanView { plan: &plan, refusals: &[], head: &head })
    );
}

#[test]
fn drift_names_who_and_when() {
    let plan = three_way();
    let mut resources: Vec<Drifted> = drifted(&plan, &[]);
    for one in &mut resources {
        one.fate = None;
    }
    let made = Address::new("clients", "Experiment");
    let by = [(Path::root(), blame("dana@travel0.com"))].into();
    resources.push(Drifted { address: made, happened: Happened::Made, fields: Vec::new(), blame: by, fate: None });
    let head = head();
    let view = DriftView {
        environment: "prod",
        domain: "travel0.eu.auth0.com",
        head: &head,
        resources: &resources,
        strangers: &[],
        unchanged: 38,
        secrets: &[(Address::single("emailProvider"), key("credentials.smtp_pass"), "secrets.smtp".to_owned())],
        unreadable: &[("logStreams".to_owned(), Unavailable::Scope(vec!["read:log_streams".to_owned()]))],
        notes: &plan.facts.notes,
    };
    let text = drift_human(&view, &Options { width: 120, colour: false, detail: false });
    sound(&text);
    insta::assert_snapshot!(text);
    insta::assert_snapshot!("drift_as_json", v1::text(&v1::Drift::from(&view)));
}

#[test]
fn no_drift_and_nothing_to_compare_with() {
    let (known, unknown) = (head(), Head { now: now(), ..Head::default() });
    let view = |head| DriftView {
        environment: "prod",
        domain: "travel0.eu.auth0.com",
        head,
        resources: &[],
        strangers: &[],
        unchanged: 38,
        secrets: &[],
        unreadable: &[],
        notes: &[],
    };
    insta::assert_snapshot!("no_drift", drift_human(&view(&known), &Options::default()));
    insta::assert_snapshot!("drift_without_a_deployment", drift_human(&view(&unknown), &Options::default()));
}

#[test]
fn several_people_are_named_at_the_field() {
    let plan = three_way();
    let mut resources: Vec<Drifted> = drifted(&plan, &[]).into_iter().take(2).collect();
    resources[1].blame.insert(key("oidc_conformant"), nobody());
    let head = head();
    let view = DriftView {
        environment: "",
        domain: "travel0.eu.auth0.com",
        head: &head,
        resources: &resources,
        strangers: &[],
        unchanged: 0,
        secrets: &[],
        unreadable: &[],
        notes: &[],
    };
    insta::assert_snapshot!(drift_human(&view, &Options::default()));
}

#[test]
fn deployments_in_a_list() {
    let history = history();
    let view = HistoryView { domain: "travel0.eu.auth0.com", history: &history, now: now() };
    let text = history_human(&view, &Options::default());
    sound(&text);
    insta::assert_snapshot!(text);
    insta::assert_snapshot!("deployments_as_json", v1::text(&v1::History::from(&view)));
    let none = crate::deployment::History::none();
    let view = HistoryView { history: &none, ..view };
    insta::assert_snapshot!("no_deployments", history_human(&view, &Options::default()));
}

#[test]
fn one_deployment_in_full() {
    let history = history();
    let view = HistoryView { domain: "travel0.eu.auth0.com", history: &history, now: now() };
    let plan = three_way();
    let stored = serde_json::to_value(v1::Plan::from(&PlanView { plan: &plan, refusals: &[], head: &head() })).unwrap();
    let mut one = deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3", "2026-11-20T09:00:00Z");
    one.plan = stored;
    let text = deployment_human(&view, &one, &Options::default());
    sound(&text);
    insta::assert_snapshot!(text);
    let crashed = history.unfinished().next().unwrap();
    insta::assert_snapshot!("a_deployment_that_never_ended", deployment_human(&view, crashed, &Options::default()));
    one.plan = serde_json::json!({"format": "tenantry.plan/1", "changes": []});
    insta::assert_snapshot!("deployment_as_json", v1::text(&v1::Deployment::from(&one)));
}

#[test]
fn adopt_says_what_went_where_and_what_did_not() {
    let (shop, clerk) = (Address::new("clients", "Storefront"), Address::new("roles", "Clerk"));
    let files = [
        AdoptedFile::new("clients/storefront.yaml", "a: 1\nb: 2\n", Some("a: 1\nb: 3\nc: 4\n")),
        AdoptedFile::new("roles/clerk.yaml", "name: Clerk\n", None),
    ];
    let adopted =
        [(shop.clone(), key("callbacks").item("myapp://debug")), (shop.clone(), key("name")), (clerk, Path::root())];
    let left = [
        (shop.clone(), key("logo_uri"), "stands behind `##LOGO##`".to_owned()),
        (Address::single("emailProvider"), key("credentials.smtp_pass"), "is a secret".to_owned()),
    ];
    let moved = [("dev".to_owned(), vec![shop.clone()]), ("staging".to_owned(), vec![shop, Address::single("tenant")])];
    let view = AdoptView { files: &files, adopted: &adopted, left: &left, moved: &moved };
    insta::assert_snapshot!(adopt_human(&view, &Options::default()));
    insta::assert_snapshot!("adopt_as_json", v1::text(&v1::Adopt::from(&view)));
    let nothing = AdoptView { files: &[], adopted: &[], left: &[], moved: &[] };
    insta::assert_snapshot!("nothing_to_adopt", adopt_human(&nothing, &Options::default()));
    let all_left = AdoptView { left: &left, ..nothing };
    insta::assert_snapshot!("nothing_could_be_adopted", adopt_human(&all_left, &Options::default()));
}

#[test]
fn every_document_holds_to_the_schema() {
    let schema = jsonschema::validator_for(&v1::schema()).unwrap();
    let plan = three_way();
    let (head, history) = (head(), history());
    let resources = drifted(&plan, &[]);
    let drift = DriftView {
        environment: "prod",
        domain: "d",
        head: &head,
        resources: &resources,
        strangers: &[],
        unchanged: 1,
        secrets: &[],
        unreadable: &[],
        notes: &[],
    };
    let listed = HistoryView { domain: "d", history: &history, now: now() };
    let one = deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3", "2026-11-20T09:00:00Z");
    let adopt = AdoptView { files: &[], adopted: &[], left: &[], moved: &[] };
    let documents = [
        serde_json::to_value(v1::Plan::from(&PlanView { plan: &plan, refusals: &refused(), head: &head })),
        serde_json::to_value(v1::Drift::from(&drift)),
        serde_json::to_value(v1::History::from(&listed)),
        serde_json::to_value(v1::Deployment::from(&one)),
        serde_json::to_value(v1::Adopt::from(&adopt)),
    ];
    for document in documents {
        let document = document.unwrap();
        let wrong: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", document["format"]);
    }
}

#[test]
fn nothing_odd_gets_out_at_any_width() {
    let odd = "x\u{1b}[31m\u{202e}\n\u{7}";
    let mut plan = three_way();
    for blames in plan.facts.outside.values_mut() {
        for blame in blames.values_mut() {
            blame.who = Some(format!("{odd}{}", "w".repeat(200)));
            blame.note = Some(odd.to_owned());
        }
    }
    for author in plan.facts.ours.values_mut() {
        author.name = odd.to_owned();
    }
    for effect in plan.facts.effects.values_mut().flatten() {
        effect.text = odd.to_owned();
    }
    let mut odd_head = head();
    odd_head.deployed.as_mut().unwrap().actor = odd.to_owned();
    odd_head.reverting = Some(Reverting { what: odd.to_owned(), lost: vec![odd.to_owned()] });
    let resources = drifted(&plan, &refused());
    let drift = DriftView {
        environment: odd,
        domain: odd,
        head: &odd_head,
        resources: &resources,
        strangers: &[],
        unchanged: 0,
        secrets: &[],
        unreadable: &[(odd.to_owned(), Unavailable::Feature(odd.to_owned()))],
        notes: &[],
    };
    let files = [AdoptedFile { path: odd.to_owned(), added: 1, removed: 0, gone: false }];
    let left = [(Address::new("roles", odd), key(odd), odd.to_owned())];
    let adopt = AdoptView { files: &files, adopted: &[], left: &left, moved: &[(odd.to_owned(), Vec::new())] };
    let mut one = deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3", "2026-11-20T09:00:00Z");
    (one.actor, one.tool, one.environment) = (odd.to_owned(), odd.to_owned(), odd.to_owned());
    one.plan = serde_json::to_value(v1::Plan::from(&PlanView { plan: &plan, refusals: &[], head: &odd_head })).unwrap();
    let history = history();
    let listed = HistoryView { domain: odd, history: &history, now: now() };
    for width in [0, 1, 20, 60, 100, 400] {
        let options = Options { width, colour: false, detail: false };
        sound(&human(&plan, &refused(), &odd_head, width));
        sound(&drift_human(&drift, &options));
        sound(&adopt_human(&adopt, &options));
        sound(&history_human(&listed, &options));
        sound(&deployment_human(&listed, &one, &options));
    }
    // Behind an at sign stands a mark without width, so that no account is called.
    let text = plan_markdown(&PlanView { plan: &plan, refusals: &refused(), head: &odd_head }).replace('\u{200b}', "");
    sound(&text);
}
