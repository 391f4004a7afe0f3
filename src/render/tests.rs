//! Snapshots of every renderer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::samples;
use super::{Head, Options, PlanView, json::v1, plan_html, plan_human, plan_markdown};
use crate::change::{Origin, Plan, Refusal};
use crate::deployment::Commit;

fn head() -> Head {
    Head { commit: Some(Commit { id: "4f2c9ab".to_owned(), dirty: false }), ..Head::default() }
}

fn human(plan: &Plan, refusals: &[Refusal], options: Options) -> String {
    plan_human(&PlanView { plan, refusals, head: &head() }, &options)
}

fn markdown(plan: &Plan, refusals: &[Refusal]) -> String {
    plan_markdown(&PlanView { plan, refusals, head: &head() })
}

fn html(plan: &Plan, refusals: &[Refusal]) -> String {
    plan_html(&PlanView { plan, refusals, head: &head() }).unwrap()
}

fn json(plan: &Plan, refusals: &[Refusal]) -> String {
    v1::text(&v1::Plan::from(&PlanView { plan, refusals, head: &head() }))
}

/// The same plan with other origins: half drifted.
fn mixed() -> Plan {
    let mut plan = samples::full();
    plan.has_base = true;
    for change in &mut plan.changes {
        for (n, field) in change.fields.iter_mut().enumerate() {
            field.origin = [Origin::Change, Origin::Drift, Origin::Conflict][n % 3];
        }
    }
    plan
}

#[test]
fn a_plan_with_something_of_everything() {
    insta::assert_snapshot!(human(&samples::full(), &samples::refusals(), Options::default()));
}

#[test]
fn a_narrow_terminal() {
    insta::assert_snapshot!(human(
        &samples::full(),
        &samples::refusals(),
        Options { width: 60, colour: false, detail: false }
    ));
}

#[test]
fn origins_that_differ_are_said_at_the_field() {
    insta::assert_snapshot!(human(&mixed(), &[], Options { width: 120, colour: false, detail: false }));
}

#[test]
fn colours_only_decorate() {
    let coloured = human(&samples::full(), &samples::refusals(), Options { width: 100, colour: true, detail: false });
    assert!(coloured.contains("\u{1b}["));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
    let plain = human(&samples::full(), &samples::refusals(), Options { width: 100, colour: false, detail: false });
    assert_eq!(trimmed.join("\n"), plain.trim_end());
}

#[test]
fn nothing_to_do() {
    let mut plan = Plan { domain: "travel0.eu.auth0.com".to_owned(), ..Plan::default() };
    insta::assert_snapshot!("nothing_at_all", human(&plan, &[], Options::default()));
    plan.unchanged = samples::full().unchanged;
    plan.unmanaged.kinds = vec!["hooks".to_owned()];
    insta::assert_snapshot!("nothing_to_do", human(&plan, &[], Options::default()));
    insta::assert_snapshot!("nothing_to_do_markdown", markdown(&plan, &[]));
    insta::assert_snapshot!("nothing_to_do_json", json(&plan, &[]));
}

#[test]
fn odd_names() {
    insta::assert_snapshot!("odd_names", human(&samples::odd(), &[], Options::default()));
    insta::assert_snapshot!("odd_names_markdown", markdown(&samples::odd(), &[]));
    insta::assert_snapshot!("odd_names_html", body(&html(&samples::odd(), &[])));
}

/// The page without its style sheet.
fn body(page: &str) -> &str {
    page.split_once("<body>").unwrap().1
}

#[test]
fn a_page_for_a_browser() {
    insta::assert_snapshot!(html(&samples::full(), &samples::refusals()));
}

#[test]
fn nothing_in_a_page_is_taken_for_markup() {
    let mut plan = samples::odd();
    let evil = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{title}}";
    for change in &mut plan.changes {
        change.address = crate::model::Address::new("roles", evil);
        change.reasons = vec![evil.to_owned(), format!("`{evil}`")];
        for field in &mut change.fields {
            field.path = crate::model::Path::root().key(evil);
            field.diff.after = Some(crate::model::Value::from(evil));
            field.why = Some(evil.to_owned());
        }
    }
    plan.environment = evil.to_owned();
    plan.domain = evil.to_owned();
    plan.unreadable = vec![(evil.to_owned(), crate::model::Unavailable::Feature(evil.to_owned()))];
    let problem = crate::problem::Problem::error("drift", evil).note(evil).help(evil);
    let refusal = Refusal { guard: "drift", address: Some(crate::model::Address::new("roles", evil)), problem };
    let page = html(&plan, &[refusal]);
    for tag in ["<script", "<img", "'&{"] {
        assert!(!body(&page).contains(tag), "{tag}: {page}");
    }
    assert!(page.contains("&lt;script&gt;"), "{page}");
    assert!(page.contains("{{title}}"), "what a name holds is no template");
}

#[test]
fn many_resources_to_create_take_a_line_each_unless_all_is_asked_for() {
    let mut plan = samples::full();
    let one = plan.changes.iter().find(|change| change.action == crate::change::Action::Create).unwrap().clone();
    for n in 0..13 {
        let mut change = one.clone();
        change.address = crate::model::Address::new("roles", &format!("Role {n}"));
        change.after.clear();
        plan.changes.push(change);
    }
    insta::assert_snapshot!(human(&plan, &[], Options::default()));
    let detail = human(&plan, &[], Options { detail: true, ..Options::default() });
    assert!(detail.lines().count() > human(&plan, &[], Options::default()).lines().count() + 20, "{detail}");
}

#[test]
fn markdown_for_a_comment() {
    insta::assert_snapshot!(markdown(&samples::full(), &samples::refusals()));
}

#[test]
fn json_is_frozen() {
    insta::assert_snapshot!(json(&samples::full(), &samples::refusals()));
}

#[test]
fn no_output_holds_a_control_character_or_a_secret() {
    for plan in [samples::full(), samples::odd(), mixed()] {
        for width in [0, 1, 20, 60, 100, 400] {
            let text = human(&plan, &samples::refusals(), Options { width, colour: false, detail: false });
            assert!(!text.chars().any(|c| c != '\n' && super::text::is_unsafe(c)), "{text:?}");
            assert!(!text.contains("hunter"), "{text}");
        }
        let refusals = samples::refusals();
        let texts = [markdown(&plan, &refusals), json(&plan, &refusals), html(&plan, &refusals)];
        for text in texts {
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            assert!(!text.contains("hunter"), "{text}");
        }
    }
}

#[test]
fn a_comment_never_grows_beyond_what_github_takes() {
    let mut plan = samples::odd();
    let one = plan.changes.pop().unwrap();
    plan.changes = (0..400)
        .map(|n| {
            let mut change = one.clone();
            change.address = crate::model::Address::new("roles", &format!("{n}"));
            change
        })
        .collect();
    let text = markdown(&plan, &[]);
    assert!(text.len() < 65_536, "{}", text.len());
    assert!(text.contains("did not fit here"), "{text}");
}
