//! `missing-secret`, `would-lose-secret`: a request needs a secret nobody has; sending it without would lose the one that is there.

use super::Judgement;
use crate::change::{Action, Change, Plan, Refusal};
use crate::problem::Problem;

/// What an unresolved value is, by the name of what would give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole<'a> {
    /// A secret of this name.
    Secret(&'a str),
    /// A marker or variable: it should have been filled in long before.
    Marker,
    /// A live value that no read returns and nobody describes, by its place.
    Live(&'a str),
}

impl Hole<'_> {
    /// Tells one part of a source apart.
    pub(super) fn of(part: &str) -> Hole<'_> {
        match part.strip_prefix("secrets.") {
            Some(name) => Hole::Secret(name),
            None if ["##", "@@", "${{", "vars.", "env."].iter().any(|sign| part.starts_with(sign)) => Hole::Marker,
            None => Hole::Live(part),
        }
    }
}

pub(super) fn judge(plan: &Plan, _by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    for change in &plan.changes {
        // A marker has a guard of its own.
        let mut names: Vec<&str> = Vec::new();
        for part in change.missing_secrets.iter().flat_map(|source| source.split(", ")) {
            if Hole::of(part) != Hole::Marker && !names.contains(&part) {
                names.push(part);
            }
        }
        if !names.is_empty() {
            refusals.push(refusal(change, &names));
        }
    }
}

fn refusal(change: &Change, names: &[&str]) -> Refusal {
    let listed = names.join("`, `");
    let them = if names.len() == 1 { "it is" } else { "they are" };
    let (guard, title) = if change.action == Action::Create {
        ("missing-secret", format!("`{}` cannot be created without `{listed}`", change.address))
    } else {
        (
            "would-lose-secret",
            format!("`{}` has to be written with `{listed}`, and nobody knows what {them}", change.address),
        )
    };
    let mut problem = Problem::error(guard, title).at_maybe(change.locus.as_ref());
    if guard == "would-lose-secret" {
        problem = problem.note("Auth0 replaces the object around it whole: left out of the request, it would be gone");
    }
    let (mut variables, mut places) = (Vec::new(), Vec::new());
    for name in names {
        match Hole::of(name) {
            Hole::Secret(name) => variables.push(format!("TENANTRY_SECRET_{}", name.to_uppercase())),
            Hole::Live(place) => places.push(place),
            Hole::Marker => {}
        }
    }
    if !variables.is_empty() {
        let help = format!("set {}, or declare it under `secrets` of the environment", variables.join(", "));
        problem = problem.help(help);
    }
    if !places.is_empty() {
        let (places, null) =
            (places.join("`, `"), if places.len() == 1 { "write null there" } else { "write null for those" });
        problem = problem
            .help(format!("describe `{places}`, for example as `${{{{ secrets.NAME }}}}`, or {null} to let it go"));
    }
    Refusal { guard, address: Some(change.address.clone()), problem }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, change};
    use super::*;

    fn case(action: Action, missing: &[&str]) -> Case {
        let mut of = change(action, "databases", "Users");
        of.missing_secrets = missing.iter().map(|name| (*name).to_owned()).collect();
        of.locus = Some(super::super::tests::locus(4));
        Case::new(Plan { changes: vec![of], ..Plan::default() })
    }

    #[test]
    fn nothing_is_made_without_its_secrets() {
        insta::assert_snapshot!(case(Action::Create, &["secrets.google", "secrets.google, secrets.smtp"]).told());
    }

    #[test]
    fn nothing_is_written_over_a_secret_that_would_be_lost() {
        insta::assert_snapshot!(case(Action::Update, &["options.configuration.API_KEY"]).told());
        let two = case(Action::Update, &["options.configuration.A", "options.configuration.B", "secrets.x"]).told();
        insta::assert_snapshot!("several_secrets_would_be_lost", two);
    }

    #[test]
    fn markers_are_not_secrets() {
        assert_eq!(case(Action::Update, &["##SMTP_USER##"]).told(), "");
        assert_eq!(Hole::of("vars.brand"), Hole::Marker);
        assert_eq!(Hole::of("emailProvider credentials.smtp_pass"), Hole::Live("emailProvider credentials.smtp_pass"));
    }
}
