//! `unresolved-marker`: a request would carry a marker that nothing was put in for.

use super::Judgement;
use super::missing_secret::Hole;
use crate::change::{Change, Plan, Refusal};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, _by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        let markers = markers(change);
        if markers.is_empty() {
            continue;
        }
        let address = &change.address;
        let names = markers.join("`, `");
        refusals.push(Refusal {
            guard: "unresolved-marker",
            address: Some(address.clone()),
            problem: Problem::error("unresolved-marker", format!("`{address}` would be sent with `{names}` in it"))
                .at_maybe(change.locus.as_ref())
                .note("a marker without a value never reaches the tenant")
                .help(format!("give `{names}` a value under `variables` of the environment, or with `--var`")),
        });
    }
}

/// Markers in the bodies of a change, each once.
fn markers(change: &Change) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for body in change.steps.iter().filter_map(|step| step.body.as_ref()) {
        body.each_unresolved(&mut |hole| {
            for part in hole.source.split(", ") {
                if matches!(Hole::of(part), Hole::Marker) && !out.iter().any(|known| known == part) {
                    out.push(part.to_owned());
                }
            }
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change};
    use super::*;
    use crate::change::{Action, Step};
    use crate::codec::Body;
    use crate::model::{Unresolved, Value};
    use crate::schema::Verb;

    fn case(sources: &[&str]) -> Case {
        let mut of = change(Action::Update, "emailProvider", "It");
        let holes =
            sources.iter().map(|source| Value::Unresolved(Unresolved { source: (*source).to_owned() })).collect();
        of.steps = vec![Step::new(Verb::Patch, "/emails/provider", Some(Body::Value(Value::Array(holes))))];
        of.missing_secrets = sources.iter().map(|source| (*source).to_owned()).collect();
        Case::new(Plan { changes: vec![of], ..Plan::default() })
    }

    #[test]
    fn a_marker_never_reaches_the_tenant() {
        insta::assert_snapshot!(case(&["##SMTP_USER##", "@@HOSTS@@", "##SMTP_USER##, vars.smtp"]).told());
    }

    #[test]
    fn a_secret_nobody_has_is_told_apart() {
        let case = case(&["secrets.smtp_password", "##SMTP_USER##, secrets.smtp_password"]);
        assert_eq!(case.guards(), ["would-lose-secret emailProvider/It", "unresolved-marker emailProvider/It"]);
    }
}
