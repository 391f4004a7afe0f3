//! `policy-loosened`: the policy allows more than the one of the last deployment did. Whoever may change the files may
//! change the policy with them, so a looser one is approved by name.

use super::Judgement;
use crate::change::{Plan, Refusal};
use crate::deployment::Rules;
use crate::model::Locus;
use crate::problem::Problem;
use crate::project::{DeleteLimit, DeleteRule, DriftRule, Policy};

/// Returns a policy in the words of the project file, as a deployment remembers it.
pub fn rules(policy: &Policy) -> Rules {
    Rules {
        delete: match &policy.delete.value {
            DeleteRule::All => vec![ALL.to_owned()],
            DeleteRule::Kinds(kinds) => kinds.clone(),
        },
        drift: drift_word(policy.drift.value).to_owned(),
        max_deletes: policy.max_deletes.as_ref().map(|rule| match rule.value {
            DeleteLimit::Count(count) => count.to_string(),
            DeleteLimit::Percent(percent) => format!("{percent}%"),
        }),
        protect: policy.protect.iter().map(|rule| rule.value.as_str().to_owned()).collect(),
        approve: policy.approve.value.iter().map(|risk| risk.as_str().to_owned()).collect(),
        freeze: policy.freeze.iter().map(|rule| rule.value.text.clone()).collect(),
    }
}

/// Every kind, in `policy.delete`.
const ALL: &str = "all";

fn drift_word(rule: DriftRule) -> &'static str {
    match rule {
        DriftRule::Fail => "fail",
        DriftRule::Keep => "keep",
        DriftRule::Overwrite => "overwrite",
    }
}

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    // A deployment whose policy is not known has no words for drift.
    let Some(last) = by.history.last().filter(|last| !last.rules.drift.is_empty()) else { return };
    if by.compatible || by.approved.policy || !plan.has_changes() {
        return;
    }
    let live = by.live_count();
    for (what, locus) in looser(&last.rules, by.policy, live) {
        refusals.push(Refusal {
            guard: "policy-loosened",
            address: None,
            problem: Problem::error("policy-loosened", what)
                .at_maybe(locus.as_ref())
                .note(format!("deployment {} was judged by a stricter policy", by.history_name(&last.id)))
                .help("look at who changed the policy, then pass `--approve policy`"),
        });
    }
}

/// Finds what a policy allows and the rules of then did not.
fn looser(then: &Rules, now: &Policy, live: usize) -> Vec<(String, Option<Locus>)> {
    let words = rules(now);
    let mut out = Vec::new();
    if !then.delete.iter().any(|kind| kind == ALL) {
        let more = missing(&words.delete, &then.delete);
        if !more.is_empty() {
            out.push((format!("`policy.delete` now allows {}", quoted(&more)), now.delete.locus.clone()));
        }
    }
    let rank = |word: &str| ["fail", "keep", "overwrite"].iter().position(|known| *known == word);
    if rank(&words.drift) > rank(&then.drift) {
        let what = format!("`policy.drift` is now `{}`, it was `{}`", words.drift, then.drift);
        out.push((what, now.drift.locus.clone()));
    }
    let most = |limit: DeleteLimit| limit.of(live);
    match (then.max_deletes.as_deref(), &now.max_deletes, &words.max_deletes) {
        (Some(old), None, _) => out.push((format!("`policy.max_deletes` is gone, it was `{old}`"), None)),
        (Some(old), Some(rule), Some(new)) if limit(old).is_some_and(|old| raised(old, rule.value, most)) => {
            out.push((format!("`policy.max_deletes` is now `{new}`, it was `{old}`"), rule.locus.clone()));
        }
        _ => {}
    }
    for (name, then, words, locus) in [
        ("protect", &then.protect, &words.protect, None),
        ("approve", &then.approve, &words.approve, now.approve.locus.clone()),
        ("freeze", &then.freeze, &words.freeze, None),
    ] {
        let gone = missing(then, words);
        if !gone.is_empty() {
            out.push((format!("`policy.{name}` no longer has {}", quoted(&gone)), locus));
        }
    }
    out
}

/// Compares two limits of one sort as written, others by what they mean for the live resources.
fn raised(old: DeleteLimit, new: DeleteLimit, most: impl Fn(DeleteLimit) -> usize) -> bool {
    match (old, new) {
        (DeleteLimit::Count(old), DeleteLimit::Count(new)) | (DeleteLimit::Percent(old), DeleteLimit::Percent(new)) => {
            new > old
        }
        (old, new) => most(new) > most(old),
    }
}

fn limit(text: &str) -> Option<DeleteLimit> {
    match text.strip_suffix('%') {
        Some(percent) => percent.parse().ok().map(DeleteLimit::Percent),
        None => text.parse().ok().map(DeleteLimit::Count),
    }
}

/// What of `these` is not in `those`.
fn missing<'a>(these: &'a [String], those: &[String]) -> Vec<&'a str> {
    these.iter().filter(|one| !those.contains(one)).map(String::as_str).collect()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{Case, change, deployment, locus};
    use super::*;
    use crate::change::Action;
    use crate::deployment::History;
    use crate::model::AddressPattern;
    use crate::project::{Freeze, Ruled};
    use crate::schema::Risk;

    fn strict() -> Policy {
        Policy {
            delete: Ruled::written(DeleteRule::Kinds(vec!["rules".to_owned()]), &locus(20)),
            max_deletes: Some(Ruled::written(DeleteLimit::Count(5), &locus(21))),
            protect: vec![Ruled::written(AddressPattern::new("clients/Deployer").unwrap(), &locus(22))],
            approve: Ruled::written(vec![Risk::Destructive, Risk::Irreversible], &locus(23)),
            freeze: vec![Ruled::written(Freeze::parse("Fri 16:00 - Mon 08:00").unwrap(), &locus(24))],
            ..Policy::default()
        }
    }

    /// A plan judged by one policy after a deployment judged by another.
    fn case(then: &Policy, now: Policy) -> Case {
        let mut case = Case::new(Plan { changes: vec![change(Action::Update, "roles", "a")], ..Plan::default() });
        let mut last = deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3");
        last.rules = rules(then);
        case.history = History::new([last]);
        case.policy = now;
        case
    }

    #[test]
    fn every_loosened_rule_is_named() {
        let loose = Policy {
            delete: Ruled::written(DeleteRule::Kinds(["rules", "databases"].map(str::to_owned).into()), &locus(20)),
            drift: Ruled::written(DriftRule::Overwrite, &locus(19)),
            max_deletes: Some(Ruled::written(DeleteLimit::Count(50), &locus(21))),
            approve: Ruled::written(vec![Risk::Irreversible], &locus(23)),
            ..Policy::default()
        };
        insta::assert_snapshot!(case(&strict(), loose).told());
    }

    #[test]
    fn the_same_and_a_stricter_one_pass() {
        assert_eq!(case(&strict(), strict()).told(), "");
        assert_eq!(case(&Policy::open(), strict()).told(), "");
    }

    #[test]
    fn limits_of_two_sorts_are_compared_by_what_they_mean() {
        let with = |limit| Policy { max_deletes: limit, ..Policy::default() };
        let of = |limit| Some(Ruled::default_of(limit));
        let told = |old, new| case(&with(old), with(new)).guards().len();
        // Nothing is live here: a share of nothing is nothing.
        assert_eq!(told(of(DeleteLimit::Count(5)), of(DeleteLimit::Percent(90))), 0);
        assert_eq!(told(of(DeleteLimit::Percent(90)), of(DeleteLimit::Count(5))), 1);
        assert_eq!(told(of(DeleteLimit::Percent(10)), of(DeleteLimit::Percent(11))), 1);
        assert_eq!(told(of(DeleteLimit::Percent(10)), None), 1);
        assert_eq!(told(None, of(DeleteLimit::Count(5))), 0);
    }

    #[test]
    fn it_passes_where_it_is_approved_or_nothing_is_known_or_nothing_is_written() {
        let mut approved = case(&strict(), Policy::open());
        approved.approved.policy = true;
        assert_eq!(approved.told(), "");
        let mut unknown = case(&strict(), Policy::open());
        unknown.history = History::new([deployment("01JD7QK3X5Z8B2N4M6P7R9S1T3")]);
        assert_eq!(unknown.told(), "");
        let mut empty = case(&strict(), Policy::open());
        empty.plan.changes.clear();
        assert_eq!(empty.told(), "");
        let mut compatible = case(&strict(), Policy::open());
        compatible.compatible = true;
        assert_eq!(compatible.told(), "");
    }

    #[test]
    fn all_is_more_than_any_list() {
        let all = Policy { delete: Ruled::default_of(DeleteRule::All), ..strict() };
        assert_eq!(case(&strict(), all.clone()).guards().len(), 1);
        assert_eq!(case(&all, strict()).told(), "");
    }
}
