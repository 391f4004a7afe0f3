//! One apply at a time: the lock on a tenant.
//!
//! The lock is a role of a fixed name: names of roles are unique, so of two who create it one is refused. Who holds it, and until
//! when by the server's clock, stands in the role's description. A lock that ran out is deleted by its id and made anew; whoever is
//! told that the id names nothing came too late. A holder stops writing one request's time before its lock runs out, so that
//! nothing of it is still on its way when another one takes over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;
use ulid::Ulid;

use crate::api::{Client, Failure, ListStyle, Method, Write};
use crate::codec::encode_segment;
use crate::problem::Problem;

/// Name of the role.
pub const ROLE: &str = "tenantry-lock";

/// Scopes that locking takes.
pub const SCOPES: [&str; 4] = ["create:roles", "read:roles", "update:roles", "delete:roles"];

/// How often it is tried anew when the lock changes hands meanwhile.
const ATTEMPTS: u32 = 8;

/// Characters of a name that stand in the description.
const NAME: usize = 60;

/// Who wants the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Id of the deployment.
    pub deployment: String,
    /// Who runs it: a name for people.
    pub actor: String,
}

/// How long a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long it lasts when it is not renewed.
    pub lasts: Duration,
    /// How often it is renewed.
    pub renewed_every: Duration,
    /// How long before its end no request is sent any more: the longest one request may take.
    pub margin: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Terms { lasts: seconds(300), renewed_every: seconds(60), margin: seconds(60) }
    }
}

/// What came of asking for the lock.
#[derive(Debug)]
pub enum Taken {
    /// It is held.
    Locked(Lock),
    /// The token cannot lock: a warning that says so.
    Unlocked(Problem),
}

/// The lock on a tenant, held and renewed until it is released.
#[derive(Debug)]
pub struct Lock {
    inner: Arc<Inner>,
    renewal: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    id: String,
    owner: Owner,
    /// Tells this holder from any other, also of the same deployment.
    token: String,
    terms: Terms,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    until: Timestamp,
    lost: Option<Problem>,
}

/// What a description says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    deployment: String,
    actor: String,
    until: Timestamp,
    token: String,
}

impl Held {
    fn text(&self) -> String {
        let actor: String = self.actor.chars().filter(|c| !c.is_control()).take(NAME).collect();
        let until = self.until.to_string();
        json!({ "deployment": self.deployment, "actor": actor, "until": until, "token": self.token }).to_string()
    }

    fn read(text: &str) -> Option<Held> {
        let json: Json = serde_json::from_str(text).ok()?;
        let member = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
        Some(Held {
            deployment: member("deployment")?,
            actor: member("actor")?,
            until: member("until")?.parse().ok()?,
            token: member("token")?,
        })
    }
}

/// How the lock stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody holds it.
    Free,
    /// A deployment holds it, or held it when it ended without releasing it.
    Held {
        /// Who runs the deployment.
        actor: String,
        /// The deployment's id.
        deployment: String,
        /// When it runs out, to the second.
        until: String,
        /// That time has passed: the next deployment takes it.
        over: bool,
    },
    /// There is a role of that name that says nothing Tenantry can read.
    Unknown,
    /// The token cannot lock: the scopes it lacks.
    NoScopes(Vec<&'static str>),
}

/// Looks at the lock without taking it.
///
/// # Errors
///
/// Those of [`Failure::problem`].
pub async fn look(client: &Client) -> Result<Standing, Problem> {
    let lacking = lacking(client);
    if !lacking.is_empty() {
        return Ok(Standing::NoScopes(lacking));
    }
    Ok(match find(client).await.map_err(|failure| failure.problem())? {
        None => Standing::Free,
        Some((_, None)) => Standing::Unknown,
        Some((_, Some(held))) => Standing::Held {
            over: held.until <= client.server_now(),
            until: shown(held.until),
            actor: held.actor,
            deployment: held.deployment,
        },
    })
}

/// The scopes that locking takes and the token lacks; none where it does not say its scopes.
fn lacking(client: &Client) -> Vec<&'static str> {
    match client.scopes() {
        Some(scopes) => SCOPES.into_iter().filter(|scope| !scopes.iter().any(|have| have == scope)).collect(),
        None => Vec::new(),
    }
}

/// Takes the lock. `over` names a dead deployment whose lock is taken over though it has not run out.
///
/// # Errors
///
/// `locked` where another deployment holds it; those of [`Failure::problem`].
pub async fn take(client: &Client, owner: &Owner, over: Option<&str>, terms: Terms) -> Result<Taken, Problem> {
    take_from(client, owner, &|deployment| over == Some(deployment), terms).await
}

/// As [`take`]; `is_dead` says of a deployment whether its lock is taken over.
///
/// # Errors
///
/// Those of [`take`].
pub async fn take_from(
    client: &Client,
    owner: &Owner,
    is_dead: &(dyn Fn(&str) -> bool + Sync),
    terms: Terms,
) -> Result<Taken, Problem> {
    let client = client.finishing();
    let lacking = lacking(&client);
    if !lacking.is_empty() {
        return Ok(Taken::Unlocked(unlocked(&format!("the token lacks {}", lacking.join(", ")))));
    }
    let token = Ulid::generate().to_string();
    for attempt in 0..ATTEMPTS {
        if attempt > 1 {
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        // Looking first also tells the server's time, by which the new lock is dated.
        match find(&client).await {
            Ok(None) => {}
            // The answer that said so was lost.
            Ok(Some((id, Some(found)))) if found.token == token => {
                return Ok(Taken::Locked(Lock::begin(client, id, &found, terms)));
            }
            Ok(Some((id, Some(found)))) => {
                if found.until > client.server_now() && !is_dead(&found.deployment) {
                    return Err(locked(&client, Some(&found)));
                }
                match delete(&client, &id, &owner.deployment).await {
                    // Gone already: somebody was faster.
                    Ok(()) | Err(Failure::NotFound { .. } | Failure::InDoubt { .. }) => {}
                    Err(failure) => return Err(failure.problem()),
                }
            }
            Ok(Some((_, None))) => return Err(locked(&client, None)),
            Err(failure) => return refused(&failure),
        }
        let until = later(client.server_now(), terms.lasts);
        let held =
            Held { deployment: owner.deployment.clone(), actor: owner.actor.clone(), until, token: token.clone() };
        match create(&client, &held).await {
            Ok(Some(id)) => return Ok(Taken::Locked(Lock::begin(client, id, &held, terms))),
            Ok(None) | Err(Failure::Refused { status: 409, .. } | Failure::InDoubt { .. }) => {}
            Err(failure) => return refused(&failure),
        }
    }
    Err(locked(&client, None))
}

impl Lock {
    fn begin(client: Client, id: String, held: &Held, terms: Terms) -> Lock {
        let owner = Owner { deployment: held.deployment.clone(), actor: held.actor.clone() };
        let state = Mutex::new(State { until: held.until, lost: None });
        let inner = Arc::new(Inner { client, id, owner, token: held.token.clone(), terms, state });
        let renewed = Arc::clone(&inner);
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(renewed.terms.renewed_every).await;
                if renewed.renew().await.is_err() {
                    break;
                }
            }
        });
        Lock { inner, renewal }
    }

    /// Says whether a request may be sent.
    ///
    /// # Errors
    ///
    /// `lock-lost` where somebody else has taken it, or it is about to run out.
    pub fn check(&self) -> Result<(), Problem> {
        self.inner.check()
    }

    /// Renews it now.
    ///
    /// # Errors
    ///
    /// `lock-lost`. That the tenant cannot be reached is none: [`Lock::check`] tells when it gets too late.
    pub async fn renew(&self) -> Result<(), Problem> {
        self.inner.renew().await
    }

    /// Releases it; returns what people should know.
    pub async fn release(self) -> Vec<Problem> {
        self.renewal.abort();
        let inner = &self.inner;
        if let Some(problem) = inner.state().lost.clone() {
            return vec![problem];
        }
        match delete(&inner.client, &inner.id, &inner.owner.deployment).await {
            Ok(()) | Err(Failure::NotFound { .. }) => Vec::new(),
            Err(failure) => {
                let until = inner.state().until;
                let problem = Problem::warning(
                    "lock-left",
                    format!("the lock could not be released: {}", failure.problem().title),
                );
                vec![
                    problem
                        .note(format!("it runs out at {}", shown(until)))
                        .help(format!("wait until then, or delete the role `{ROLE}` in the dashboard")),
                ]
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Inner {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), Problem> {
        let now = self.client.server_now();
        let mut state = self.state();
        if state.lost.is_none() && later(now, self.terms.margin) >= state.until {
            let title = format!("the lock runs out at {} and could not be renewed in time", shown(state.until));
            state.lost = Some(lost(&title));
        }
        state.lost.clone().map_or(Ok(()), Err)
    }

    async fn renew(&self) -> Result<(), Problem> {
        self.check()?;
        let until = later(self.client.server_now(), self.terms.lasts);
        let Owner { deployment, actor } = self.owner.clone();
        let held = Held { deployment, actor, until, token: self.token.clone() };
        let write = Write {
            method: Method::PATCH,
            path: format!("/roles/{}", encode_segment(&self.id)),
            body: Some(json!({ "description": held.text() })),
            correlation_id: Some(correlation(&self.owner.deployment)),
        };
        let answer = tokio::time::timeout(self.terms.margin, self.client.send(write)).await;
        match answer {
            Ok(Ok(_)) => {
                self.state().until = until;
                Ok(())
            }
            Ok(Err(Failure::NotFound { .. })) => {
                let problem = lost("somebody else took the lock, or deleted it");
                self.state().lost = Some(problem.clone());
                Err(problem)
            }
            // It is tried again until it is too late.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

/// Creates the role; `None` where the answer names no id.
async fn create(client: &Client, held: &Held) -> Result<Option<String>, Failure> {
    let write = Write {
        method: Method::POST,
        path: "/roles".to_owned(),
        body: Some(json!({ "name": ROLE, "description": held.text() })),
        correlation_id: Some(correlation(&held.deployment)),
    };
    let answer = client.send(write).await?;
    Ok(answer.body.get("id").and_then(Json::as_str).map(str::to_owned))
}

/// Finds the role: its id, and what its description says where that can be read.
async fn find(client: &Client) -> Result<Option<(String, Option<Held>)>, Failure> {
    let style = ListStyle::Page { rows: "roles".to_owned(), max: 100 };
    let rows = client.list("/roles", &[("name_filter", ROLE)], &style).await?;
    let text = |row: &Json, member: &str| row.get(member).and_then(Json::as_str).map(str::to_owned);
    let Some(row) = rows.iter().find(|row| text(row, "name").as_deref() == Some(ROLE)) else { return Ok(None) };
    let held = text(row, "description").and_then(|text| Held::read(&text));
    Ok(text(row, "id").map(|id| (id, held)))
}

async fn delete(client: &Client, id: &str, deployment: &str) -> Result<(), Failure> {
    let write = Write {
        method: Method::DELETE,
        path: format!("/roles/{}", encode_segment(id)),
        body: None,
        correlation_id: Some(correlation(deployment)),
    };
    client.send(write).await.map(|_| ())
}

fn correlation(deployment: &str) -> String {
    format!("tenantry/{deployment}/lock")
}

fn later(than: Timestamp, by: Duration) -> Timestamp {
    than.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Shows a time to the second.
fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn locked(client: &Client, by: Option<&Held>) -> Problem {
    let domain = client.domain();
    match by {
        Some(held) => {
            let title = format!("{domain} is locked by {} with deployment {}", held.actor, held.deployment);
            Problem::error("locked", title)
                .note(format!("until {} by Auth0's clock, unless it is renewed", shown(held.until)))
                .help("wait until that deployment ends, then run again")
                .help("if it is dead: `tenantry apply --resume` goes on with it, `tenantry revert` takes it back")
                .help(format!(
                    "if it died before it began and neither knows it: wait until then, or delete the role `{ROLE}`"
                ))
        }
        None => Problem::error("locked", format!("{domain} is locked by somebody who left no name"))
            .note(format!("there is a role `{ROLE}` that Tenantry cannot read, or that comes and goes"))
            .help(format!("if nobody applies, delete the role `{ROLE}` in the dashboard")),
    }
}

/// What it means that the role cannot be read or made.
fn refused(failure: &Failure) -> Result<Taken, Problem> {
    match failure {
        Failure::Scope { .. } | Failure::Feature { .. } => Ok(Taken::Unlocked(unlocked(&failure.problem().title))),
        _ => Err(failure.problem()),
    }
}

fn lost(title: &str) -> Problem {
    Problem::error("lock-lost", title)
        .note("no request is sent without the lock")
        .help("run `tenantry apply --resume` to go on")
}

fn unlocked(why: &str) -> Problem {
    Problem::warning("unlocked", "this deployment runs without a lock: another one could write at the same time")
        .note(why)
        .help(format!("grant {} to the client that Tenantry uses", SCOPES.join(", ")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_description_says_who_holds_it_and_is_short() {
        let held = Held {
            deployment: "01JD7Q5G9W3V5H2C8K4M6N1P0R".to_owned(),
            actor: "a\u{1b}\n\"".repeat(100),
            until: "2026-11-22T05:00:00.123456789Z".parse().unwrap(),
            token: "01JD7Q5G9W3V5H2C8K4M6N1P0R".to_owned(),
        };
        let text = held.text();
        assert!(text.len() <= 255, "{}", text.len());
        let read = Held::read(&text).unwrap();
        assert_eq!((read.deployment, read.until), (held.deployment, held.until));
        assert!(!read.actor.contains(char::is_control));
        assert_eq!(Held::read("what people write"), None);
    }
}
