//! `missing-secret`: a request needs a secret nobody has; sending it without would lose the one that is there.

use super::Judgement;
use crate::change::{Action, Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, _by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in plan.changes.iter().filter(|c| !c.missing_secrets.is_empty()) {
        let names = change.missing_secrets.join("`, `");
        let (guard, title) = if change.action == Action::Create {
            ("missing-secret", format!("`{}` cannot be created without `{names}`", change.address))
        } else {
            ("would-lose-secret", format!("`{}` is written whole and `{names}` is not known", change.address))
        };
        let variables: Vec<String> = change
            .missing_secrets
            .iter()
            .filter_map(|name| name.strip_prefix("secrets."))
            .map(|name| format!("TENANTRY_SECRET_{}", name.to_uppercase()))
            .collect();
        let mut problem = Problem::error(guard, title).at_maybe(change.locus.as_ref());
        if !variables.is_empty() {
            problem =
                problem.help(format!("set {}, or declare it under `secrets` of the environment", variables.join(", ")));
        }
        refusals.push(Refusal { guard, address: Some(change.address.clone()), problem });
    }
}
