//! What a request is made from, and what keeps it from being done.

use serde_json::Value as Json;

use super::index::Index;
use crate::api::{Failure, Method};
use crate::change::Change;
use crate::codec::{Body, decode_segment, encode_segment};
use crate::problem::Problem;
use crate::schema::Verb;

/// Why a step was not done.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It failed.
    Failed(Problem),
    /// Nobody knows whether it was done.
    InDoubt(Problem),
    /// The run was interrupted before it was sent.
    Interrupted,
    /// No request may be sent any more: the journal or the lock was lost.
    Halted(Problem),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InDoubt { .. } => Trouble::InDoubt(failure.problem()),
            Failure::Cancelled => Trouble::Interrupted,
            other => Trouble::Failed(other.problem()),
        }
    }
}

/// Keeps the API's words from repeating a secret that was sent: some of its messages quote the value they refuse.
pub(super) fn hushed(trouble: Trouble, body: Option<&Body>) -> Trouble {
    let mut forms = Vec::new();
    if let Some(body) = body {
        body.each_secret(&mut |secret| {
            let text = secret.expose();
            forms.extend([text.to_owned(), Json::from(text).to_string().trim_matches('"').to_owned()]);
        });
    }
    forms.retain(|form| !form.is_empty());
    let hush = |mut problem: Problem| {
        for note in &mut problem.notes {
            // A message that was cut may end within a secret.
            if !forms.is_empty() && (note.ends_with('…') || forms.iter().any(|form| note.contains(form.as_str()))) {
                *note = "Auth0's message is not shown: it may repeat a secret that was sent".to_owned();
            }
        }
        problem
    };
    match trouble {
        Trouble::Failed(problem) => Trouble::Failed(hush(problem)),
        Trouble::InDoubt(problem) => Trouble::InDoubt(hush(problem)),
        other => other,
    }
}

pub(super) fn method(verb: Verb) -> Method {
    match verb {
        Verb::Post => Method::POST,
        Verb::Patch => Method::PATCH,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
    }
}

/// Fills `{id}` and `{ref:KINDS:NAME}` of a path.
pub(super) fn fill(path: &str, index: &Index, change: &Change) -> Result<String, Trouble> {
    let unknown = |what: &str| {
        Trouble::Failed(
            Problem::error("unknown-id", format!("the server id of `{what}` is not known"))
                .at_maybe(change.locus.as_ref()),
        )
    };
    let mut out = path.to_owned();
    if out.contains("{id}") {
        let made = index.id(std::slice::from_ref(&change.address.kind), change.address.key().unwrap_or_default());
        let known = change.id.clone().filter(|id| !id.is_empty());
        // A replaced resource has a new id once it was made anew.
        let id = match (change.action, made, known) {
            (crate::change::Action::Replace, Some(made), _) | (_, Some(made), None) => made,
            (_, _, Some(known)) => known,
            (_, None, None) => return Err(unknown(&change.address.to_string())),
        };
        out = out.replace("{id}", &encode_segment(&id));
    }
    while let Some(start) = out.find("{ref:") {
        let Some(length) = out.get(start..).and_then(|rest| rest.find('}')) else { break };
        let inner = out.get(start + 5..start + length).unwrap_or_default().to_owned();
        let (kinds, name) = inner.split_once(':').unwrap_or((&inner, ""));
        let kinds: Vec<String> = kinds.split('|').map(str::to_owned).collect();
        let name = decode_segment(name);
        let id = index.id(&kinds, &name).ok_or_else(|| unknown(&name))?;
        out.replace_range(start..=start + length, &encode_segment(&id));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::change::Action;
    use crate::codec::Names;
    use crate::model::Address;

    fn change(action: Action, id: Option<&str>) -> Change {
        Change { id: id.map(str::to_owned), ..Change::new(Address::new("roles", "admin"), action) }
    }

    fn filled(path: &str, index: &Index, change: &Change) -> String {
        match fill(path, index, change) {
            Ok(path) => path,
            Err(Trouble::Failed(problem)) => problem.title,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn the_id_of_the_resource_is_filled_in() {
        let index = Index::new(Names::default());
        assert_eq!(filled("/roles/{id}/x/{id}", &index, &change(Action::Update, Some("a|b"))), "/roles/a%7Cb/x/a%7Cb");
        let unknown = "the server id of `roles/admin` is not known";
        assert_eq!(filled("/roles/{id}", &index, &change(Action::Create, None)), unknown);
        assert_eq!(filled("/roles/{id}", &index, &change(Action::Create, Some(""))), unknown);
        assert_eq!(filled("/roles", &index, &change(Action::Create, None)), "/roles");
    }

    #[test]
    fn what_was_made_anew_has_a_new_id() {
        let index = Index::new(Names::default());
        assert_eq!(filled("/{id}", &index, &change(Action::Replace, Some("old"))), "/old", "the delete comes first");
        index.insert("roles", "admin", "new");
        assert_eq!(filled("/{id}", &index, &change(Action::Replace, Some("old"))), "/new");
        assert_eq!(filled("/{id}", &index, &change(Action::Update, Some("old"))), "/old");
        assert_eq!(filled("/{id}", &index, &change(Action::Create, None)), "/new");
    }

    #[test]
    fn references_are_looked_up_by_name() {
        let mut names = Names::default();
        names.insert("apis", "a1", "x: y}");
        let index = Index::new(names);
        let reference = format!("/p/{{ref:users|apis:{}}}/q", encode_segment("x: y}"));
        assert_eq!(filled(&reference, &index, &change(Action::Update, None)), "/p/a1/q");
        let unknown = filled("/{ref:apis:no%2Fbody}", &index, &change(Action::Update, None));
        assert_eq!(unknown, "the server id of `no/body` is not known");
        assert_eq!(filled("/{ref:open", &index, &change(Action::Update, None)), "/{ref:open", "no reference at all");
    }

    #[test]
    fn a_failure_is_a_failure_a_doubt_or_an_interruption() {
        assert!(matches!(Trouble::from(Failure::Cancelled), Trouble::Interrupted));
        let missing =
            Failure::NotFound { method: Method::GET, path: "/x".to_owned(), code: None, message: "gone".to_owned() };
        assert!(matches!(Trouble::from(missing), Trouble::Failed(_)));
    }
}
