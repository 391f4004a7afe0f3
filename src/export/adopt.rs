//! What a plan says was changed outside, as edits of the description.

use super::edit::Edit;
use crate::change::{Action, Change, FieldChange, How, Kept, Origin, Plan};
use crate::model::{Address, AddressPattern, Path, Unresolved, Value};

/// Returns the edits that write drift and conflicts of a plan into the description: there the tenant's side counts.
///
/// A resource that was deleted outside goes; one that was made outside is left to export. Of a secret only its place is told.
/// `only` names the resources that are meant; none for all.
pub fn edits(plan: &Plan, only: &[AddressPattern]) -> Vec<Edit> {
    let is_meant = |address: &Address| only.is_empty() || only.iter().any(|pattern| pattern.matches(address));
    let mut out: Vec<Edit> = Vec::new();
    for change in plan.changes.iter().filter(|change| is_meant(&change.address)) {
        match change.action {
            Action::Create if is_outside(change.origin) => out.push(gone(&change.address)),
            Action::Create | Action::Delete => {}
            Action::Update | Action::Replace => {
                let fields = change.fields.iter().filter(|field| is_drift(change, field));
                out.extend(fields.map(|field| leaf(&change.address, field)));
            }
        }
    }
    for left in plan.left.iter().filter(|left| left.why == Kept::Drift && is_meant(&left.address)) {
        if left.fields.is_empty() {
            out.push(gone(&left.address));
        }
        out.extend(left.fields.iter().map(|field| leaf(&left.address, field)));
    }
    out.sort_by(|a, b| (&a.address, &a.path).cmp(&(&b.address, &b.path)));
    out.dedup_by(|a, b| (&a.address, &a.path) == (&b.address, &b.path));
    out
}

fn is_outside(origin: Origin) -> bool {
    matches!(origin, Origin::Drift | Origin::Conflict)
}

pub(super) fn is_drift(change: &Change, field: &FieldChange) -> bool {
    is_outside(field.origin) || (change.action == Action::Replace && is_outside(change.origin))
}

pub(super) fn gone(address: &Address) -> Edit {
    Edit { address: address.clone(), path: Path::root(), value: None }
}

pub(super) fn leaf(address: &Address, field: &FieldChange) -> Edit {
    let value = match field.how {
        How::Secret => Some(Value::Unresolved(Unresolved { source: field.path.to_string() })),
        How::Value | How::Item | How::Text => field.diff.before.clone(),
    };
    Edit { address: address.clone(), path: field.path.clone(), value }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::change::Left;
    use crate::model::Diff;
    use crate::schema::Risk;

    fn field(path: Path, before: Option<&str>, origin: Origin) -> FieldChange {
        FieldChange {
            path,
            diff: Diff { before: before.map(Value::from), after: Some(Value::from("ours")) },
            how: How::Value,
            origin,
            risk: Risk::Safe,
            why: None,
            locus: None,
            forces_replace: false,
        }
    }

    fn update(name: &str, fields: Vec<FieldChange>) -> Change {
        Change { fields, ..Change::new(Address::new("clients", name), Action::Update) }
    }

    fn plan() -> Plan {
        let path = |key: &str| Path::root().key(key);
        let mut secret = field(path("client_secret"), Some("hidden"), Origin::Drift);
        secret.how = How::Secret;
        let fields = vec![
            field(path("description"), Some("theirs"), Origin::Drift),
            field(path("logo_uri"), None, Origin::Conflict),
            field(path("app_type"), Some("spa"), Origin::Change),
            secret,
        ];
        let created =
            |name: &str, origin| Change { origin, ..Change::new(Address::new("roles", name), Action::Create) };
        let deleted =
            Change { origin: Origin::Conflict, ..Change::new(Address::new("roles", "theirs"), Action::Delete) };
        Plan {
            changes: vec![
                update("Shop", fields),
                created("gone", Origin::Drift),
                created("new", Origin::Change),
                deleted,
            ],
            left: vec![
                Left {
                    address: Address::new("clients", "Kept"),
                    fields: vec![field(path("callbacks").item("x"), Some("x"), Origin::Drift)],
                    why: Kept::Drift,
                },
                Left {
                    address: Address::new("clients", "Own"),
                    fields: vec![field(path("description"), Some("x"), Origin::Drift)],
                    why: Kept::Own,
                },
            ],
            ..Plan::default()
        }
    }

    fn shown(only: &[&str]) -> Vec<String> {
        let only: Vec<AddressPattern> = only.iter().map(|text| AddressPattern::new(text).unwrap()).collect();
        let line = |edit: Edit| {
            let value = edit.value.map_or_else(|| "-".to_owned(), |value| value.redacted().to_string());
            format!("{} {} {value}", edit.address, edit.path)
        };
        edits(&plan(), &only).into_iter().map(line).collect()
    }

    #[test]
    fn what_was_changed_outside_is_taken_over() {
        assert_eq!(
            shown(&[]),
            [
                "clients/Kept callbacks[x] \"x\"",
                "clients/Shop client_secret \"(client_secret)\"",
                "clients/Shop description \"theirs\"",
                "clients/Shop logo_uri -",
                "roles/gone  -",
            ]
        );
    }

    #[test]
    fn only_what_is_named_is_meant() {
        assert_eq!(shown(&["roles"]), ["roles/gone  -"]);
        assert_eq!(shown(&["clients/K*"]), ["clients/Kept callbacks[x] \"x\""]);
    }
}
