//! What an import of users did.

use super::human::list;
use super::line::Lines;
use super::plural::{count, number};
use super::view::Options;
use crate::users::{Assigned, ImportReport};

/// Refused users that are named for people; the rest is counted.
const MOST: usize = 20;

/// Shows what an import of users did: per connection, what was refused, what cannot be imported, what was given to them.
pub fn restored_users(report: &ImportReport, options: &Options) -> String {
    let mut lines = Lines::default();
    let words = |parts: &[(u64, &str)]| {
        let named: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", number(small(*n)))).collect();
        if named.is_empty() { "nothing to do".to_owned() } else { named.join(", ") }
    };
    let rows: Vec<[String; 2]> = report
        .connections
        .iter()
        .map(|one| {
            let parts = [
                (one.inserted, "made"),
                (one.updated, "changed"),
                (one.unchanged, "there and equal"),
                (one.kept, "there and left as they are"),
                (one.already_there, "there"),
                (one.failed, "refused"),
            ];
            [one.name.clone(), words(&parts)]
        })
        .collect();
    list(&mut lines, "Users, by connection", &rows, usize::MAX, options);
    let given = |what: &str, one: &Assigned| {
        let parts = [
            (one.done, "given"),
            (one.without_user, "whose user is not there"),
            (one.without_target, "of what is not there"),
            (one.failed, "refused"),
        ];
        [what.to_owned(), words(&parts)]
    };
    let all = [
        ("roles of users", &report.roles),
        ("permissions", &report.permissions),
        ("memberships", &report.members),
        ("roles of members", &report.member_roles),
    ];
    let rows: Vec<[String; 2]> =
        all.iter().filter(|(_, one)| **one != Assigned::default()).map(|(what, one)| given(what, one)).collect();
    list(&mut lines, "What they have", &rows, usize::MAX, options);
    let rows: Vec<[String; 2]> = report
        .failures
        .iter()
        .map(|one| {
            let path = one.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
            [format!("{} {}", one.connection, one.user_id), format!("{}{path}", one.code)]
        })
        .collect();
    list(&mut lines, "Refused by Auth0", &rows, MOST, options);
    let rows: Vec<[String; 2]> = report
        .not_imported
        .iter()
        .filter(|one| one.count != Some(0))
        .map(|one| {
            let count = one.count.map_or_else(|| "not counted".to_owned(), |n| count(small(n), "user"));
            [count, one.why.to_owned()]
        })
        .collect();
    list(&mut lines, "Does not come back with users", &rows, usize::MAX, options);
    let text = lines.finish();
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn small(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
