//! `missing-scope`: a request would be refused, after others have been done.

use std::collections::BTreeMap;

use super::{Judgement, listed};
use crate::change::{Action, Change, Plan, Refusal};
use crate::model::Path;
use crate::problem::Problem;
use crate::schema::{KindSpec, Registry, Scopes};

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    let Some(have) = by.scopes else { return };
    let mut missing: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        let Some(spec) = Registry::get().kind(&change.address.kind) else { continue };
        for any_of in needed(spec, change) {
            if any_of.is_empty() || any_of.iter().any(|scope| have.contains(scope)) {
                continue;
            }
            let changes = missing.entry(any_of.join("` or `")).or_default();
            if !changes.iter().any(|known| known.address == change.address) {
                changes.push(change);
            }
        }
    }
    for (scopes, changes) in missing {
        let named: Vec<String> = changes.iter().map(|change| change.address.to_string()).collect();
        refusals.push(Refusal {
            guard: "missing-scope",
            address: None,
            problem: Problem::error("missing-scope", format!("the token lacks the scope `{scopes}`"))
                .note(format!("needed for {}", listed(&named)))
                .help(format!("grant `{scopes}` of the Auth0 Management API to the deployer's client")),
        });
    }
}

/// Returns the scopes of a change's requests: of each list any would do.
fn needed<'a>(spec: &'a KindSpec, change: &Change) -> Vec<&'a [String]> {
    let subs = spec.subs();
    let sub_of =
        |path: &Path| subs.iter().find(|(sub, _)| path.starts_with(sub)).and_then(|(_, field)| field.sub.as_ref());
    let mut out: Vec<&[String]> = Vec::new();
    let own = change.fields.iter().any(|field| sub_of(&field.path).is_none());
    match change.action {
        Action::Create => out.push(&spec.scopes.create),
        Action::Delete => out.push(&spec.scopes.delete),
        Action::Replace => out.extend([spec.scopes.create.as_slice(), &spec.scopes.delete]),
        Action::Update if own => out.push(&spec.scopes.update),
        Action::Update => {}
    }
    if change.action != Action::Delete {
        for field in &change.fields {
            let Some(sub) = sub_of(&field.path) else { continue };
            let Scopes { create, update, delete, .. } = &sub.scopes;
            out.push(match (&field.diff.before, &field.diff.after) {
                (None, _) => create,
                (_, None) => delete,
                _ => update,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::change::{FieldChange, How, Origin};
    use crate::model::{Address, Diff, Live, Value};
    use crate::project::Policy;
    use crate::schema::Risk;

    fn change(action: Action, paths: &[&str]) -> Change {
        let field = |name: &&str| FieldChange {
            path: Path::root().key(name),
            diff: Diff { before: None, after: Some(Value::from("x")) },
            how: How::Value,
            origin: Origin::Unknown,
            risk: Risk::Safe,
            why: None,
            locus: None,
            forces_replace: false,
        };
        Change { fields: paths.iter().map(field).collect(), ..Change::new(Address::new("roles", "clerk"), action) }
    }

    fn refused(changes: Vec<Change>, scopes: Option<&[&str]>) -> Vec<String> {
        let plan = Plan { changes, ..Plan::default() };
        let scopes: Option<Vec<String>> = scopes.map(|list| list.iter().map(|s| (*s).to_owned()).collect());
        let (policy, live) = (Policy::default(), Live::default());
        let mut refusals = Vec::new();
        let by = Judgement { scopes: scopes.as_deref(), ..Judgement::by_policy(&policy, &live) };
        judge(&plan, by, &mut refusals);
        refusals.into_iter().map(|refusal| refusal.problem.title).collect()
    }

    #[test]
    fn a_scope_that_is_not_there_is_named_once() {
        let both = || vec![change(Action::Create, &["name"]), change(Action::Create, &["name"])];
        assert_eq!(refused(both(), Some(&["update:roles"])), ["the token lacks the scope `create:roles`"]);
        assert!(refused(both(), Some(&["create:roles"])).is_empty());
    }

    #[test]
    fn a_token_that_does_not_tell_is_trusted() {
        assert!(refused(vec![change(Action::Delete, &[])], None).is_empty());
    }

    #[test]
    fn parts_have_scopes_of_their_own() {
        let permissions = || vec![change(Action::Update, &["permissions"])];
        assert_eq!(refused(permissions(), Some(&[])), ["the token lacks the scope `update:roles`"]);
        assert!(refused(permissions(), Some(&["update:roles"])).is_empty());
        assert_eq!(
            refused(vec![change(Action::Delete, &["permissions"])], Some(&["update:roles"])),
            ["the token lacks the scope `delete:roles`"]
        );
    }
}
