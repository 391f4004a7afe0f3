//! Blast radius: how many users and resources a change hits.
//!
//! Endpoints and totals: API description, checked 2026-11-22.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};
use serde_json::Value as Json;

use super::{Asker, Asking, questions};
use crate::api::Failure;
use crate::change::{Action, Change, Effect, FieldChange, How, Plan, Question};
use crate::codec::encode_segment;
use crate::model::{Address, LiveKind, Segment, Value, count, number};
use crate::problem::Problem;
use crate::schema::Risk;

type Effects = BTreeMap<Address, Vec<Effect>>;

/// Most changes that are counted; of more nobody reads the numbers.
const MOST: usize = 100;

/// Largest page of a list that tells no total.
const PAGE: &str = "100";

/// Answers how many each change hits.
pub(super) async fn answer(plan: &Plan, asking: &Asking<'_>, asker: &Asker<'_>) -> (Effects, Vec<Problem>) {
    let asked = questions(plan, |question| match question {
        Question::HowMany(address) => plan.changes.iter().find(|change| change.address == *address),
        _ => None,
    });
    let asked: Vec<Hit<'_>> = asked.into_iter().map(|change| Hit { change, asking, asker }).collect();
    let (counted, left) = asked.split_at(asked.len().min(MOST));
    let found = join_all(counted.iter().map(Hit::effects)).await;
    let mut effects = Effects::new();
    let mut notes: Vec<Problem> = Vec::new();
    if !left.is_empty() {
        let why = format!("only the first {MOST} changes were looked at, {} more were not", number(left.len()));
        notes.push(uncounted(&why));
    }
    for (hit, (answered, problems)) in counted.iter().zip(found) {
        if !answered.is_empty() {
            effects.insert(hit.change.address.clone(), answered);
        }
        for problem in problems {
            if !notes.contains(&problem) {
                notes.push(problem);
            }
        }
    }
    (effects, notes)
}

/// How many there are, or why nobody can tell.
struct Count {
    number: Result<u64, Problem>,
    at_least: bool,
    /// Why, in the words of an effect: `the token lacks read:users`.
    why: String,
}

/// What is counted, and the sentence around it.
struct Sentence {
    /// `user`
    noun: &'static str,
    /// What happens to one: `is deleted with it`.
    one: &'static str,
    /// What happens to several: `are deleted with it`.
    many: &'static str,
    /// Zero is worth saying.
    zero: bool,
}

/// A change whose blast radius is asked for.
struct Hit<'a> {
    change: &'a Change,
    asking: &'a Asking<'a>,
    asker: &'a Asker<'a>,
}

impl Hit<'_> {
    async fn effects(&self) -> (Vec<Effect>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut effects = Vec::new();
        for (sentence, count) in self.counted().await {
            effects.extend(effect(&sentence, &count));
            problems.extend(count.number.err());
        }
        effects.extend(self.losses());
        (effects, problems)
    }

    /// Counts what hangs on the resource.
    async fn counted(&self) -> Vec<(Sentence, Count)> {
        let goes = matches!(self.change.action, Action::Delete | Action::Replace);
        let risky = self.change.risk >= Risk::Destructive;
        if self.change.action == Action::Create || !(goes || risky) {
            return Vec::new();
        }
        let Some(id) = self.id() else { return Vec::new() };
        let said = |noun, gone: (&'static str, &'static str), stays: (&'static str, &'static str)| {
            let (one, many) = if goes { gone } else { stays };
            Sentence { noun, one, many, zero: goes }
        };
        match self.change.address.kind.as_str() {
            "connections" | "databases" => {
                let sentence = said(
                    "user",
                    ("is deleted with it", "are deleted with it"),
                    ("signs in with it", "sign in with it"),
                );
                vec![(sentence, self.users().await)]
            }
            "organizations" => {
                let sentence = said(
                    "member",
                    ("loses its membership", "lose their membership"),
                    ("belongs to it", "belong to it"),
                );
                let path = format!("/organizations/{}/members", encode_segment(&id));
                vec![(sentence, self.total(&path, &[], "read:organization_members").await)]
            }
            "roles" => {
                let sentence = said("user", ("loses it", "lose it"), ("has it", "have it"));
                let path = format!("/roles/{}/users", encode_segment(&id));
                vec![(sentence, self.total(&path, &[], "read:role_members").await)]
            }
            "clients" if goes => {
                let (grants, connections) = join(self.grants("client_id", &id), self.connections(&id)).await;
                vec![
                    (plain("client grant", "goes with it", "go with it"), grants),
                    (plain("connection", "signs people in to it", "sign people in to it"), connections),
                    (plain("organization", "loses it", "lose it"), self.organizations()),
                ]
            }
            "resourceServers" if goes => {
                let audience = self.live("identifier").unwrap_or_default();
                vec![(plain("client grant", "goes with it", "go with it"), self.grants("audience", &audience).await)]
            }
            "clientGrants" if goes => {
                let path = format!("/client-grants/{}/organizations", encode_segment(&id));
                let total = self.total(&path, &[], "read:organization_client_grants").await;
                vec![(plain("organization", "loses it", "lose it"), total)]
            }
            _ => Vec::new(),
        }
    }

    /// Returns the server id: of the change, else of the live resource.
    fn id(&self) -> Option<String> {
        let live = self.resource().map(|resource| resource.id.clone());
        self.change.id.clone().or(live).filter(|id| !id.is_empty())
    }

    fn resource(&self) -> Option<&crate::model::LiveResource> {
        let resources = self.asking.live.resources(&self.change.address.kind);
        let by_id = || resources.iter().find(|r| Some(&r.id) == self.change.id.as_ref());
        resources.iter().find(|r| r.address == self.change.address).or_else(by_id)
    }

    /// Returns a text member of the live resource.
    fn live(&self, member: &str) -> Option<String> {
        self.resource()?.value.get(member)?.as_str().map(str::to_owned)
    }

    async fn users(&self) -> Count {
        let name = self.live("name").or_else(|| self.change.address.name.clone()).unwrap_or_default();
        let query = format!("identities.connection:\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        self.total("/users", &[("q", &query), ("search_engine", "v3")], "read:users").await
    }

    /// Counts grants in what was read, else asks.
    async fn grants(&self, member: &str, value: &str) -> Count {
        if let Some(LiveKind::Read(grants)) = self.asking.live.kinds.get("clientGrants") {
            let raw = |grant: &&crate::model::LiveResource| grant.raw.get(member).and_then(Json::as_str) == Some(value);
            return known(grants.iter().filter(raw).count());
        }
        self.total("/client-grants", &[(member, value)], "read:client_grants").await
    }

    /// Counts the connections that are enabled for a client. The list tells no total.
    async fn connections(&self, id: &str) -> Count {
        let path = format!("/clients/{}/connections", encode_segment(id));
        match self.asker.get(&path, &[("take", PAGE)]).await {
            Ok(answer) => {
                let rows = answer.get("connections").unwrap_or(&answer).as_array().map_or(0, Vec::len);
                let more = answer.get("next").is_some_and(|next| !next.is_null());
                Count { at_least: more, ..known(rows) }
            }
            Err(failure) => untold(&failure, "read:connections"),
        }
    }

    /// Counts the organizations that name the client, where that was read.
    fn organizations(&self) -> Count {
        let name = self.change.address.name.as_deref();
        let names =
            |value: &Value| {
                value.get("clients").and_then(Value::as_array).into_iter().flatten().any(|item| {
                    item.get("client_id").and_then(Value::as_str).is_some_and(|client| Some(client) == name)
                })
            };
        known(self.asking.live.resources("organizations").iter().filter(|o| names(&o.value)).count())
    }

    /// Asks a list for nothing but its total.
    async fn total(&self, path: &str, query: &[(&str, &str)], scope: &str) -> Count {
        let paging = [("page", "0"), ("per_page", "1"), ("include_totals", "true")];
        let query: Vec<(&str, &str)> = query.iter().chain(&paging).copied().collect();
        match self.asker.get(path, &query).await {
            Ok(answer) => match answer.get("total").and_then(Json::as_u64) {
                Some(total) => Count { number: Ok(total), at_least: false, why: String::new() },
                None => {
                    let why = "the answer has no total".to_owned();
                    Count { number: Err(uncounted(&why)), at_least: false, why }
                }
            },
            Err(failure) => untold(&failure, scope),
        }
    }

    /// Says what lists lose that people rely on: callbacks, origins, permissions.
    fn losses(&self) -> Vec<Effect> {
        let mut lists: BTreeMap<String, usize> = BTreeMap::new();
        for field in self.change.fields.iter().filter(|field| is_loss(field)) {
            if let [.., Segment::Key(list), Segment::Item(_)] = field.path.0.as_slice() {
                *lists.entry(noun_of(list)).or_default() += 1;
            }
        }
        if self.change.action != Action::Update {
            return Vec::new();
        }
        let name = self.change.address.name.as_deref().unwrap_or(&self.change.address.kind);
        let effect = |(noun, n): (String, usize)| Effect {
            count: Some(n as u64),
            at_least: false,
            text: format!("{name} loses {}", count(n, &noun)),
        };
        lists.into_iter().map(effect).collect()
    }
}

/// An item that people rely on goes.
fn is_loss(field: &FieldChange) -> bool {
    field.how == How::Item && field.diff.after.is_none() && field.diff.before.is_some() && field.risk >= Risk::Caution
}

/// Names one item of a list: `allowed_logout_urls` has `allowed logout URL`.
fn noun_of(list: &str) -> String {
    let one = list.strip_suffix('s').unwrap_or(list);
    let words = one.split(['_', '-']).map(|word| if word == "url" { "URL" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn plain(noun: &'static str, one: &'static str, many: &'static str) -> Sentence {
    Sentence { noun, one, many, zero: false }
}

fn known(number: usize) -> Count {
    Count { number: Ok(number as u64), at_least: false, why: String::new() }
}

fn untold(failure: &Failure, scope: &str) -> Count {
    match failure {
        Failure::Scope { .. } => {
            let problem = Problem::warning("uncounted", "how many a change hits is not known in full")
                .note(format!("the token lacks the scope `{scope}`"))
                .help(format!("grant `{scope}` to the deployer's client"));
            Count { number: Err(problem), at_least: false, why: format!("the token lacks {scope}") }
        }
        other => {
            let why = other.problem().title;
            Count { number: Err(uncounted(&why)), at_least: false, why }
        }
    }
}

fn uncounted(why: &str) -> Problem {
    Problem::warning("uncounted", "how many a change hits is not known in full").note(why.to_owned())
}

/// Writes the sentence; `None` for a zero that nobody misses.
fn effect(sentence: &Sentence, counted: &Count) -> Option<Effect> {
    let Sentence { noun, one, many, zero } = sentence;
    match &counted.number {
        Ok(0) if !zero => None,
        Ok(number) => {
            let n = usize::try_from(*number).unwrap_or(usize::MAX);
            let many_of_them = if n == 1 && !counted.at_least { one } else { many };
            let least = if counted.at_least { "at least " } else { "" };
            let text = format!("{least}{} {many_of_them}", count(n, noun));
            Some(Effect { count: Some(*number), at_least: counted.at_least, text })
        }
        Err(_) => {
            let text = format!("how many {noun}s {many} is not known: {}", counted.why);
            Some(Effect { count: None, at_least: false, text })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sentence: &Sentence, counted: &Count) -> Option<String> {
        effect(sentence, counted).map(|effect| effect.text)
    }

    #[test]
    fn effects_are_sentences() {
        let users = Sentence { noun: "user", one: "is deleted with it", many: "are deleted with it", zero: true };
        assert_eq!(said(&users, &known(12_431)).as_deref(), Some("12,431 users are deleted with it"));
        assert_eq!(said(&users, &known(1)).as_deref(), Some("1 user is deleted with it"));
        assert_eq!(said(&users, &known(0)).as_deref(), Some("0 users are deleted with it"));
        let more = Count { at_least: true, ..known(100) };
        assert_eq!(said(&users, &more).as_deref(), Some("at least 100 users are deleted with it"));
        assert_eq!(said(&plain("connection", "x", "y"), &known(0)), None);
        let failure = Failure::Scope {
            method: reqwest::Method::GET,
            path: "users".to_owned(),
            needed: Vec::new(),
            message: String::new(),
        };
        assert_eq!(
            said(&users, &untold(&failure, "read:users")).as_deref(),
            Some("how many users are deleted with it is not known: the token lacks read:users")
        );
    }

    #[test]
    fn items_have_the_name_of_their_list() {
        assert_eq!(noun_of("callbacks"), "callback");
        assert_eq!(noun_of("allowed_logout_urls"), "allowed logout URL");
        assert_eq!(noun_of("scope"), "scope");
    }
}
