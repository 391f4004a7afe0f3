//! `reverted`: the plan would do again what a revert took back, and nobody has touched it since. Without this the next
//! merge of anything deploys the outage once more.

use std::collections::BTreeMap;

use super::{Judgement, listed};
use crate::change::{Action, Change, FieldChange, Plan, Refusal};
use crate::deployment::{Deployment, History, Purpose};
use crate::model::{Address, FingerprintKey, Path, Segment, Value};
use crate::problem::Problem;

pub(super) fn judge(plan: &Plan, by: Judgement<'_>, refusals: &mut Vec<Refusal>) {
    if by.compatible || by.approved.reverted {
        return;
    }
    let mut standing = standing(by.history);
    if let Some((commit, taken)) = by.gone_back.filter(|_| !by.reverting) {
        for taken in taken {
            let known = standing.entry(&taken.address).or_default();
            known.entry(taken.path.clone()).or_insert((taken.value.as_ref(), By::Commit(commit)));
        }
    }
    for change in &plan.changes {
        let Some(taken_back) = standing.get(&change.address) else { continue };
        let mut again = Vec::new();
        let mut revert = None;
        for (path, (value, deployment)) in taken_back {
            if path.is_root() {
                if repeats_whole(change, *value, by.fingerprint_key) {
                    revert = Some(*deployment);
                }
                continue;
            }
            let same = |f: &&FieldChange| f.path == *path && same(f.diff.after.as_ref(), *value, by.fingerprint_key);
            if change.fields.iter().any(|f| same(&f)) {
                again.push(path.to_string());
                revert = Some(*deployment);
            }
        }
        let Some(revert) = revert else { continue };
        let address = &change.address;
        let title = if again.is_empty() {
            format!("the plan would {} `{address}` again, which a revert took back", change.action.as_str())
        } else {
            format!("the plan would change `{address}` again as it was before a revert")
        };
        let note = match revert {
            By::Deployment(revert) => {
                let (id, actor) = (by.history_name(&revert.id), &revert.actor);
                let when = revert.started.strftime("%-d %b %Y %H:%M UTC");
                format!("taken back by deployment {id} ({actor}, {when}); nobody has changed it since")
            }
            By::Commit(commit) => {
                let short = commit.get(..COMMIT_DIGITS).unwrap_or(commit);
                format!("the tenant remembers that it was taken back from commit {short}, which had deployed it")
            }
        };
        refusals.push(Refusal {
            guard: "reverted",
            address: Some(address.clone()),
            problem: fields(Problem::error("reverted", title), &again)
                .at_maybe(change.locus.as_ref())
                .note(note)
                .help("change the description, or pass `--approve reverted` to deploy it all the same"),
        });
    }
}

/// Names the fields, where it is about single ones.
fn fields(problem: Problem, again: &[String]) -> Problem {
    if again.is_empty() { problem } else { problem.note(format!("again: {}", listed(again))) }
}

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 7;

/// Who took it back.
#[derive(Clone, Copy)]
enum By<'a> {
    /// A revert that the ledger holds.
    Deployment(&'a Deployment),
    /// One that only the tenant remembers: the commit it went back from.
    Commit(&'a str),
}

type TakenBack<'a> = BTreeMap<Path, (Option<&'a Value>, By<'a>)>;

/// What reverts took back and no later deployment touched.
fn standing(history: &History) -> BTreeMap<&Address, TakenBack<'_>> {
    let mut standing: BTreeMap<&Address, TakenBack<'_>> = BTreeMap::new();
    for deployment in history.iter() {
        for image in &deployment.images {
            // What it was going to touch and did not, it does not lift.
            if !deployment.base.iter().any(|entry| entry.address == image.address) {
                continue;
            }
            let Some(known) = standing.get_mut(&image.address) else { continue };
            let touched = |path: &Path| {
                image.paths.is_empty() || image.paths.iter().any(|p| path.starts_with(p) || p.starts_with(path))
            };
            known.retain(|path, _| !touched(path));
        }
        if matches!(deployment.purpose, Purpose::Revert(_)) && deployment.outcome.is_some() {
            for taken in &deployment.taken_back {
                let known = standing.entry(&taken.address).or_default();
                known.insert(taken.path.clone(), (taken.value.as_ref(), By::Deployment(deployment)));
            }
        }
    }
    standing
}

/// Says whether a change makes or deletes a resource as it was before the revert.
fn repeats_whole(change: &Change, value: Option<&Value>, key: Option<&FingerprintKey>) -> bool {
    match (change.action, value) {
        (Action::Delete, None) => true,
        (Action::Create | Action::Replace, Some(whole)) => change.fields.iter().all(|field| match &field.diff.after {
            Some(after) => holds(whole, &field.path.0, after, key),
            None => true,
        }),
        _ => false,
    }
}

/// Says whether a value holds another at a path. Where that cannot be told it is taken to: then people decide.
fn holds(whole: &Value, path: &[Segment], wanted: &Value, key: Option<&FingerprintKey>) -> bool {
    match (path, whole) {
        ([], found) => same(Some(wanted), Some(found), key),
        ([Segment::Key(name), rest @ ..], Value::Object(members)) => match members.get(name) {
            Some(member) => holds(member, rest, wanted, key),
            // A default that nobody wrote.
            None => wanted.is_blank(),
        },
        ([Segment::Index(n), rest @ ..], Value::Array(items)) => {
            items.get(*n).is_some_and(|item| holds(item, rest, wanted, key))
        }
        ([Segment::Item(name), rest @ ..], Value::Array(items)) => {
            items.iter().any(|item| is_named(item, name) && holds(item, rest, wanted, key))
        }
        _ => false,
    }
}

/// Says whether an item of a set or keyed list may be the one of this name.
fn is_named(item: &Value, name: &str) -> bool {
    match item {
        Value::String(text) => text == name,
        Value::Object(members) if !name.starts_with('{') => members
            .values()
            .filter_map(Value::as_str)
            .any(|text| text == name || name.split(' ').any(|part| part == text)),
        _ => true,
    }
}

/// Compares what will be with what was taken back; a secret by fingerprint, and only where that can be told.
fn same(after: Option<&Value>, taken: Option<&Value>, key: Option<&FingerprintKey>) -> bool {
    let (Some(after), Some(taken)) = (after, taken) else {
        let blank = |value: Option<&Value>| value.is_none_or(Value::is_blank);
        return blank(after) && blank(taken);
    };
    match (after.fingerprinted(key), taken.fingerprinted(key)) {
        (Value::Fingerprint(after), Value::Fingerprint(taken)) => after.same_as(&taken) == Some(true),
        (Value::Object(after), Value::Object(taken)) => {
            after.len() == taken.len()
                && after.iter().all(|(name, value)| taken.get(name).is_some_and(|t| same(Some(value), Some(t), key)))
        }
        (Value::Array(after), Value::Array(taken)) => {
            after.len() == taken.len() && after.iter().zip(&taken).all(|(a, t)| same(Some(a), Some(t), key))
        }
        (after, taken) => after == taken,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::tests::{Case, change, deployment, field, locus};
    use super::*;
    use crate::change::Origin;
    use crate::deployment::{BaseEntry, Image, TakenBack};
    use crate::model::{Diff, Secret};

    const FIRST: &str = "01JD7QK3X5Z8B2N4M6P7R9S1T3";
    const SECOND: &str = "01JD9QK3X5Z8B2N4M6P7R9S1T3";

    fn callbacks() -> Path {
        Path::root().key("callbacks").item("https://new")
    }

    fn shop() -> Address {
        Address::new("clients", "Shop")
    }

    fn revert(taken_back: Vec<TakenBack>) -> Deployment {
        Deployment { purpose: Purpose::Revert(vec!["01JD5".to_owned()]), taken_back, ..deployment(FIRST) }
    }

    fn of_callbacks() -> Deployment {
        revert(vec![TakenBack { address: shop(), path: callbacks(), value: Some(Value::from("https://new")) }])
    }

    fn adds(value: &str) -> Plan {
        let mut change = change(Action::Update, "clients", "Shop");
        let mut again = field("x", Origin::Change);
        again.path = callbacks();
        again.diff = Diff { before: None, after: Some(Value::from(value)) };
        change.fields = vec![again];
        change.locus = Some(locus(3));
        Plan { changes: vec![change], ..Plan::default() }
    }

    fn case(plan: Plan, history: Vec<Deployment>) -> Case {
        let mut case = Case::new(plan);
        case.history = History::new(history);
        case
    }

    fn later(paths: Vec<Path>, done: bool) -> Deployment {
        let mut later = deployment(SECOND);
        later.images = vec![Image { address: shop(), id: "a".to_owned(), value: Some(Value::object()), paths }];
        if done {
            later.base = vec![BaseEntry { address: shop(), left: None }];
        }
        later
    }

    #[test]
    fn what_a_revert_took_back_is_not_deployed_again() {
        insta::assert_snapshot!(case(adds("https://new"), vec![of_callbacks()]).told());
    }

    #[test]
    fn another_value_or_an_approval_passes() {
        assert_eq!(case(adds("https://newer"), vec![of_callbacks()]).told(), "");
        let mut approved = case(adds("https://new"), vec![of_callbacks()]);
        approved.approved.reverted = true;
        assert_eq!(approved.told(), "");
        let mut compatible = case(adds("https://new"), vec![of_callbacks()]);
        compatible.compatible = true;
        assert_eq!(compatible.told(), "");
    }

    #[test]
    fn a_later_deployment_lifts_what_it_touched_and_only_that() {
        let guards = |later| case(adds("https://new"), vec![of_callbacks(), later]).guards().len();
        assert_eq!(guards(later(vec![callbacks()], true)), 0);
        assert_eq!(guards(later(vec![Path::root().key("callbacks")], true)), 0);
        assert_eq!(guards(later(Vec::new(), true)), 0, "it was made anew");
        assert_eq!(guards(later(vec![Path::root().key("name")], true)), 1);
        assert_eq!(guards(later(vec![callbacks()], false)), 1, "it failed before");
    }

    #[test]
    fn a_resource_that_was_made_or_deleted_counts_as_a_whole() {
        let taken = |value| revert(vec![TakenBack { address: shop(), path: Path::root(), value }]);
        let make = |name: &str| {
            let mut change = change(Action::Create, "clients", "Shop");
            let mut name_field = field("name", Origin::Change);
            name_field.diff.after = Some(Value::from(name));
            let mut grant = field("x", Origin::Change);
            grant.path = Path::root().key("grant_types").item("implicit");
            grant.diff.after = Some(Value::from("implicit"));
            change.fields = vec![name_field, grant];
            Plan { changes: vec![change], ..Plan::default() }
        };
        let deployed = || Some(Value::from_json(&json!({"name": "Shop", "grant_types": ["password", "implicit"]})));
        insta::assert_snapshot!(case(make("Shop"), vec![taken(deployed())]).told());
        assert_eq!(case(make("Store"), vec![taken(deployed())]).told(), "");
        let delete = || Plan { changes: vec![change(Action::Delete, "clients", "Shop")], ..Plan::default() };
        assert_eq!(case(delete(), vec![taken(None)]).guards(), ["reverted clients/Shop"]);
        assert_eq!(case(delete(), vec![taken(deployed())]).told(), "");
    }

    #[test]
    fn a_secret_is_known_again_by_its_fingerprint_alone() {
        let key = FingerprintKey::new("key");
        let path = Path::root().key("client_secret");
        let secret = |text: &str| Value::Secret(Secret::new(text, "secrets.shop"));
        let taken = secret("hunter2").fingerprinted(Some(&key));
        let revert = || revert(vec![TakenBack { address: shop(), path: path.clone(), value: Some(taken.clone()) }]);
        let sets = |text: &str| {
            let mut plan = adds("x");
            plan.changes[0].fields[0].path = path.clone();
            plan.changes[0].fields[0].diff.after = Some(secret(text));
            plan
        };
        let guards = |text: &str, key: Option<FingerprintKey>| {
            let mut case = case(sets(text), vec![revert()]);
            case.key = key;
            case.guards().len()
        };
        assert_eq!(guards("hunter2", Some(key.clone())), 1);
        assert_eq!(guards("hunter3", Some(key)), 0);
        assert_eq!(guards("hunter2", None), 0);
        assert_eq!(guards("hunter2", Some(FingerprintKey::new("other"))), 0);
    }
}
