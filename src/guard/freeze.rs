//! `freeze`: a time of the week when nothing is applied.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::Judgement;
use crate::change::{Plan, Refusal};
use crate::problem::Problem;
use crate::project::{Freeze, Policy};

/// Freezes that are followed one into the next.
const MOST_IN_A_ROW: usize = 8;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    if !plan.has_changes() {
        return;
    }
    for rule in &by.policy.freeze {
        let freeze = &rule.value;
        let Ok(zone) = TimeZone::get(&freeze.zone) else {
            // Not to know the time is no reason to write.
            let title =
                format!("whether it is time to deploy cannot be told: this machine does not know `{}`", freeze.zone);
            let problem = Problem::error("freeze", title).at_maybe(rule.locus.as_ref());
            let problem =
                problem.help("install the time zone database (tzdata), or name another zone in `policy.freeze`");
            refusals.push(Refusal { guard: "freeze", address: None, problem });
            continue;
        };
        let now = by.now.to_zoned(zone.clone());
        if !covers(freeze, &now) {
            continue;
        }
        let place = if plan.environment.is_empty() { &plan.domain } else { &plan.environment };
        let until = until(by.policy, freeze, by.now)
            .map(|end| format!(" until {} ({})", end.to_zoned(zone).strftime("%a %-d %b %H:%M"), freeze.zone))
            .unwrap_or_default();
        refusals.push(Refusal {
            guard: "freeze",
            address: None,
            problem: Problem::error("freeze", format!("nothing is deployed to `{place}`{until}"))
                .at_maybe(rule.locus.as_ref())
                .note(format!("`freeze` has `{}`, and there it is {}", freeze.text, now.strftime("%a %-d %b %H:%M")))
                .help("run it again then, or take the rule out of `policy.freeze`"),
        });
    }
}

fn covers(freeze: &Freeze, now: &Zoned) -> bool {
    freeze.covers(minute_of_week(now.datetime()))
}

fn minute_of_week(at: DateTime) -> u32 {
    let days = u32::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0);
    let part = |n: i8| u32::try_from(n).unwrap_or(0);
    (days * 24 + part(at.hour())) * 60 + part(at.minute())
}

/// When a freeze ends, and every other that holds by then.
fn until(policy: &Policy, freeze: &Freeze, now: Timestamp) -> Option<Timestamp> {
    let mut end = end(freeze, now)?;
    for _ in 0..MOST_IN_A_ROW {
        let holds = policy
            .freeze
            .iter()
            .map(|rule| &rule.value)
            .find(|other| TimeZone::get(&other.zone).is_ok_and(|zone| covers(other, &end.to_zoned(zone))));
        let Some(next) = holds else { return Some(end) };
        end = self::end(next, end)?;
    }
    // They never end.
    None
}

/// The first end of a freeze after a moment that it covers.
fn end(freeze: &Freeze, now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&freeze.zone).ok()?;
    let here = now.to_zoned(zone.clone()).datetime();
    let monday = here.date().checked_sub(i64::from(here.weekday().to_monday_zero_offset()).days()).ok()?;
    let weeks: i64 = if freeze.to_minute > minute_of_week(here) { 0 } else { 1 };
    let midnight = monday.checked_add(weeks.weeks()).ok()?.to_datetime(jiff::civil::Time::midnight());
    let end = midnight.checked_add(i64::from(freeze.to_minute).minutes()).ok()?;
    Some(end.to_zoned(zone).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{Case, change, locus};
    use super::*;
    use crate::change::Action;
    use crate::project::Ruled;

    fn case(now: &str, freezes: &[&str]) -> Case {
        let plan = Plan {
            environment: "prod".to_owned(),
            changes: vec![change(Action::Update, "roles", "a")],
            ..Plan::default()
        };
        let mut case = Case::new(plan);
        case.now = now.parse().unwrap();
        let rule = |(n, text): (usize, &&str)| {
            Ruled::written(Freeze::parse(text).unwrap(), &locus(24 + u32::try_from(n).unwrap()))
        };
        case.policy.freeze = freezes.iter().enumerate().map(rule).collect();
        case
    }

    const WEEKEND: &str = "Fri 16:00 - Mon 08:00 Europe/Madrid";

    #[test]
    fn nothing_is_deployed_within_it() {
        insta::assert_snapshot!(case("2026-11-20T15:30:00Z", &[WEEKEND]).told());
    }

    #[test]
    fn a_minute_before_and_at_its_end_it_is_over() {
        for (now, frozen) in [
            ("2026-11-20T14:59:59Z", false),
            ("2026-11-20T15:00:00Z", true),
            ("2026-11-23T06:59:59Z", true),
            ("2026-11-23T07:00:00Z", false),
            // In summer the zone is two hours ahead.
            ("2026-07-17T13:59:00Z", false),
            ("2026-07-17T14:00:00Z", true),
        ] {
            assert_eq!(case(now, &[WEEKEND]).told() != "", frozen, "{now}");
        }
    }

    #[test]
    fn what_follows_it_is_counted_in() {
        let told = case("2026-11-22T20:00:00Z", &[WEEKEND, "Mon 06:00 - Mon 12:00 UTC"]).told();
        assert!(told.contains("until Mon 23 Nov 13:00 (Europe/Madrid)"), "{told}");
        let told = case("2026-11-22T20:00:00Z", &["Mon 00:00 - Sun 23:59", "Sun 12:00 - Mon 12:00"]).told();
        assert!(told.contains("nothing is deployed to `prod`\n"), "{told}");
    }

    #[test]
    fn clocks_that_change_within_it_do_no_harm() {
        // On 29 March 2026 the clocks of Madrid go from 02:00 to 03:00.
        let told = case("2026-03-28T12:00:00Z", &["Fri 16:00 - Sun 02:30 Europe/Madrid"]).told();
        assert!(told.contains("until Sun 29 Mar 03:30 (Europe/Madrid)"), "{told}");
    }

    #[test]
    fn a_plan_that_writes_nothing_is_not_held_back() {
        let mut case = case("2026-11-20T15:30:00Z", &[WEEKEND]);
        case.plan.changes.clear();
        assert_eq!(case.told(), "");
    }
}
