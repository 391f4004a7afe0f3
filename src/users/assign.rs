//! Gives users what they had: roles, permissions, memberships. All of it is there or not, so giving it twice does nothing.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::import::{IN_DOUBT, Importer, bad_entry};
use super::report::Assigned;
use crate::api::{Client, Failure, ListStyle, Write};
use crate::codec::encode_segment;
use crate::problem::Problem;

/// Users that get a role by one request. No limit is published.
const USERS_OF_REQUEST: usize = 50;

/// Members that one request adds. No limit is published; clients of the API keep to ten.
const MEMBERS_OF_REQUEST: usize = 10;

/// Requests under way at once; the rate limit holds them back further.
const REQUESTS_AT_ONCE: usize = 8;

/// What the tenant has that can be given, by name.
#[derive(Default)]
pub(super) struct Targets {
    roles: Names,
    organizations: Names,
    /// Parts that were refused as a whole.
    refused: HashSet<&'static str>,
    /// What was missed already.
    missed: HashSet<String>,
}

/// Ids of a list by name.
#[derive(Default)]
enum Names {
    #[default]
    Unread,
    /// The list may not be read.
    Unreadable,
    Read(HashMap<String, String>),
}

impl Names {
    /// Finds an id. Where there is none, counts how many users miss it; says whether that should be noted.
    fn find(&self, name: &str, users: usize, counted: &mut Assigned) -> Result<String, bool> {
        match self {
            Names::Read(ids) => ids.get(name).cloned().ok_or_else(|| {
                counted.without_target += users as u64;
                true
            }),
            _ => {
                counted.failed += users as u64;
                Err(false)
            }
        }
    }
}

/// Something to give: one request, or as many as it takes.
struct Gift {
    path: String,
    member: &'static str,
    items: Vec<Value>,
    /// Whether the items are users (else they are things that a user gets).
    are_users: bool,
}

impl Assigned {
    fn add(&mut self, other: Assigned) {
        self.done += other.done;
        self.without_user += other.without_user;
        self.without_target += other.without_target;
        self.failed += other.failed;
    }
}

impl Importer {
    /// Takes an entry of roles, permissions or organizations.
    pub(super) async fn assign(&mut self, part: &str, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        let mut lines: Vec<Value> = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            lines.push(serde_json::from_slice(line).map_err(|_| bad_entry(path, "a line is no JSON"))?);
        }
        match part {
            "roles" => self.roles(&lines).await,
            "permissions" => self.permissions(&lines).await,
            _ => self.organizations(&lines).await,
        }
    }

    async fn roles(&mut self, lines: &[Value]) -> Result<(), Problem> {
        self.read_roles().await?;
        let (mut gifts, mut counted) = (Vec::new(), Assigned::default());
        for line in lines {
            let ids = texts(line, "users");
            let name = text(line, "role");
            let role = match self.targets.roles.find(name, ids.len(), &mut counted) {
                Ok(role) => role,
                Err(is_worth_a_note) => {
                    self.missed("role", name, is_worth_a_note);
                    continue;
                }
            };
            let there = self.there(&ids, &mut counted);
            let path = format!("roles/{}/users", encode_segment(&role));
            for items in there.chunks(USERS_OF_REQUEST) {
                gifts.push(Gift { path: path.clone(), member: "users", items: items.to_vec(), are_users: true });
            }
        }
        counted.add(self.give("the roles of users", gifts).await?);
        self.report.roles.add(counted);
        Ok(())
    }

    async fn permissions(&mut self, lines: &[Value]) -> Result<(), Problem> {
        let (mut gifts, mut counted) = (Vec::new(), Assigned::default());
        for line in lines {
            let items = line.get("permissions").and_then(Value::as_array).cloned().unwrap_or_default();
            match self.present.id(text(line, "user_id")) {
                Some(id) => {
                    let path = format!("users/{}/permissions", encode_segment(id));
                    gifts.push(Gift { path, member: "permissions", items, are_users: false });
                }
                None => counted.without_user += items.len() as u64,
            }
        }
        counted.add(self.give("the permissions of users", gifts).await?);
        self.report.permissions.add(counted);
        Ok(())
    }

    async fn organizations(&mut self, lines: &[Value]) -> Result<(), Problem> {
        self.read_roles().await?;
        if matches!(self.targets.organizations, Names::Unread) {
            let style = ListStyle::Checkpoint { rows: "organizations".to_owned(), max: 100 };
            self.targets.organizations = self.by_name("organizations", &style).await?;
        }
        let (mut members, mut roles) = (Vec::new(), Vec::new());
        let (mut counted, mut counted_roles) = (Assigned::default(), Assigned::default());
        for line in lines {
            let listed = line.get("members").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let name = text(line, "organization");
            let id = match self.targets.organizations.find(name, listed.len(), &mut counted) {
                Ok(id) => id,
                Err(is_worth_a_note) => {
                    self.missed("organization", name, is_worth_a_note);
                    continue;
                }
            };
            let path = format!("organizations/{}/members", encode_segment(&id));
            let ids: Vec<&str> = listed.iter().map(|member| text(member, "user_id")).collect();
            let there = self.there(&ids, &mut counted);
            for items in there.chunks(MEMBERS_OF_REQUEST) {
                members.push(Gift { path: path.clone(), member: "members", items: items.to_vec(), are_users: true });
            }
            for member in listed {
                let names = texts(member, "roles");
                if names.is_empty() {
                    continue;
                }
                let Some(user) = self.present.id(text(member, "user_id")).map(encode_segment) else {
                    counted_roles.without_user += names.len() as u64;
                    continue;
                };
                let mut items = Vec::new();
                for name in names {
                    match self.targets.roles.find(name, 1, &mut counted_roles) {
                        Ok(role) => items.push(Value::from(role)),
                        Err(is_worth_a_note) => self.missed("role", name, is_worth_a_note),
                    }
                }
                roles.push(Gift { path: format!("{path}/{user}/roles"), member: "roles", items, are_users: false });
            }
        }
        counted.add(self.give("the members of organizations", members).await?);
        // Only members get roles.
        counted_roles.add(self.give("the roles of members", roles).await?);
        self.report.members.add(counted);
        self.report.member_roles.add(counted_roles);
        Ok(())
    }

    async fn read_roles(&mut self) -> Result<(), Problem> {
        if matches!(self.targets.roles, Names::Unread) {
            let style = ListStyle::Page { rows: "roles".to_owned(), max: 100 };
            self.targets.roles = self.by_name("roles", &style).await?;
        }
        Ok(())
    }

    async fn by_name(&mut self, path: &str, style: &ListStyle) -> Result<Names, Problem> {
        match self.client.list(path, &[], style).await {
            Ok(rows) => {
                let ids = rows.iter().map(|row| (text(row, "name").to_owned(), text(row, "id").to_owned()));
                Ok(Names::Read(ids.collect()))
            }
            Err(failure @ (Failure::Scope { .. } | Failure::Feature { .. })) => {
                self.report.problems.push(failure.problem());
                Ok(Names::Unreadable)
            }
            Err(failure) => Err(failure.problem()),
        }
    }

    /// Returns the ids on the tenant of those who are there, and counts the others.
    fn there(&self, ids: &[&str], counted: &mut Assigned) -> Vec<Value> {
        let there: Vec<Value> = ids.iter().filter_map(|id| self.present.id(id)).map(Value::from).collect();
        counted.without_user += (ids.len() - there.len()) as u64;
        there
    }

    /// Notes once that something is not on the tenant.
    fn missed(&mut self, what: &str, name: &str, is_worth_a_note: bool) {
        if is_worth_a_note && self.targets.missed.insert(format!("{what} {name}")) {
            let title = format!("the tenant has no {what} `{name}`, which users of the backup have");
            let help = format!("restore the {what} first, then import again");
            self.report.problems.push(Problem::warning("users-target-missing", title).help(help));
        }
    }

    /// Gives everything; what the token may not give is noted once.
    async fn give(&mut self, what: &'static str, gifts: Vec<Gift>) -> Result<Assigned, Problem> {
        let mut counted = Assigned::default();
        let mut gifts = gifts.into_iter().filter(|gift| !gift.items.is_empty());
        if self.targets.refused.contains(what) {
            counted.failed = gifts.map(|gift| gift.items.len() as u64).sum();
            return Ok(counted);
        }
        let mut answers = stream::iter(gifts.by_ref())
            .map(|gift| {
                let client = self.client.clone();
                async move {
                    let size = gift.items.len() as u64;
                    (size, given(&client, gift).await)
                }
            })
            .buffer_unordered(REQUESTS_AT_ONCE);
        let mut refusal = None;
        while let Some((size, answer)) = answers.next().await {
            match answer {
                Ok(one) => counted.add(one),
                Err(
                    failure @ (Failure::Scope { .. }
                    | Failure::Feature { .. }
                    | Failure::Refused { status: 400..500, .. }),
                ) => {
                    counted.failed += size;
                    refusal.get_or_insert(failure);
                }
                Err(failure) => return Err(failure.problem()),
            }
        }
        drop(answers);
        if let Some(failure) = refusal {
            let problem = failure.problem().note(format!("so {what} were not, or not all, restored"));
            if matches!(failure, Failure::Scope { .. } | Failure::Feature { .. }) {
                self.targets.refused.insert(what);
            }
            if !self.report.problems.contains(&problem) {
                self.report.problems.push(problem);
            }
        }
        Ok(counted)
    }
}

/// Gives one thing. Where the API refuses because of one item, the others get through: the list is halved until it is found.
async fn given(client: &Client, gift: Gift) -> Result<Assigned, Failure> {
    let mut counted = Assigned::default();
    let mut left = vec![gift.items];
    let mut doubts = 0;
    while let Some(items) = left.pop() {
        let body = json!({gift.member: items});
        let write = Write { method: Method::POST, path: gift.path.clone(), body: Some(body), correlation_id: None };
        let size = items.len() as u64;
        match client.send(write).await {
            Ok(_) => counted.done += size,
            Err(Failure::InDoubt { .. }) if doubts < IN_DOUBT => {
                doubts += 1;
                left.push(items);
            }
            Err(Failure::NotFound { code: Some(code), .. }) if code == "inexistent_user" && !gift.are_users => {
                counted.without_user += size;
            }
            Err(Failure::NotFound { .. } | Failure::Refused { status: 400, .. }) => match items.as_slice() {
                [] | [_] if gift.are_users => counted.without_user += size,
                [] | [_] => counted.without_target += size,
                _ => {
                    let (first, second) = items.split_at(items.len() / 2);
                    left.extend([second.to_vec(), first.to_vec()]);
                }
            },
            Err(failure) => return Err(failure),
        }
    }
    Ok(counted)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let list = value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).collect()
}
