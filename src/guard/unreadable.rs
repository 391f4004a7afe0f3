//! `unreadable`: what cannot be seen cannot be compared, so nothing is decided about it.

use super::Judgement;
use crate::change::{Plan, Refusal};
use crate::model::Unavailable;
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, _by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for (what, why) in &plan.unreadable {
        let Unavailable::Scope(scopes) = why else { continue };
        let scopes = scopes.join("` or `");
        refusals.push(Refusal {
            guard: "unreadable",
            address: None,
            problem: Problem::error("missing-scope", format!("`{what}` cannot be read"))
                .note(format!("the token lacks `{scopes}`"))
                .help(format!("grant `{scopes}` to the deployer's client, or exclude `{what}`")),
        });
    }
}
