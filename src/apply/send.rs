//! Sends the requests of a change, each with its place in the journal and the waiting around it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value as Json;

use super::doubt::{Look, look};
use super::run::{Settings, Site};
use super::step::{Trouble, fill, hushed, method};
use crate::api::{Answer as Answered, Failure, Write};
use crate::change::{Action, Change, How, Step, Wait};
use crate::journal::{Answer, Intent, remembered, remembered_leaf};
use crate::model::{Address, Path, Value};
use crate::problem::Problem;
use crate::schema::{Registry, Verb};

/// First and longest pause between two looks at something that is not ready.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How often is looked: about two minutes in all (auth0-deploy-cli 8.43 source: 60 times, 2 s apart).
const LOOKS: u32 = 40;
/// How often is looked for what a lost answer may have made.
const LOOKS_IN_DOUBT: u32 = 2;

/// Sends for all changes of a run.
pub(super) struct Sender<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) settings: &'a Settings,
    /// The last number given, where there is no journal to give them.
    number: AtomicU32,
    requests: AtomicUsize,
    failed: AtomicUsize,
    halted: AtomicBool,
}

/// One request as it is about to be sent.
struct Ready<'r> {
    change: &'r Change,
    step: &'r Step,
    method: Verb,
    path: &'r str,
    body: Option<&'r Json>,
    /// It is the change's first.
    first: bool,
}

/// What a request was answered; `None` where what was to be deleted was not there.
type Sent = (u32, Result<Option<Answered>, Trouble>);

impl<'a> Sender<'a> {
    pub(super) fn new(site: &'a Site<'a>, settings: &'a Settings) -> Self {
        let (number, requests, failed, halted) = Default::default();
        Sender { site, settings, number, requests, failed, halted }
    }

    /// Returns how many requests were sent, and how many of them failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.requests.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Says whether this is the first to be told that no request may be sent any more: one reason is enough.
    pub(super) fn halts_first(&self) -> bool {
        !self.halted.swap(true, Ordering::Relaxed)
    }

    /// Sends a step; returns what it was answered, where it was.
    pub(super) async fn step(&self, change: &Change, step: &Step, first: bool) -> Result<Option<Json>, Trouble> {
        let index = self.site.index;
        let path = fill(&step.path, index, change)?;
        if let Some(wait) = &step.before {
            self.wait(change, step, wait, &path).await?;
        }
        let body = match &step.body {
            Some(body) => Some(body.to_json(&|kinds, name| index.id(kinds, name)).map_err(|hole| {
                let title = format!("`{}` needs `{}`, which is not known", change.address, hole.source);
                Trouble::Failed(Problem::error("unresolved-value", title).at_maybe(change.locus.as_ref()))
            })?),
            None => None,
        };
        let ready = Ready { change, step, method: step.method, path: &path, body: body.as_ref(), first };
        let answer = match self.exchange(&ready).await {
            (_, Ok(answer)) => answer.map(|answer| answer.body),
            (n, Err(Trouble::InDoubt(problem))) => self.settle(&ready, n, problem).await?,
            (_, Err(trouble)) => return Err(trouble),
        };
        if let (Some((kind, name, member)), Some(body)) = (&step.makes, &answer)
            && let Some(id) = body.get(member).and_then(Json::as_str)
        {
            index.insert(kind, name, id);
        }
        if let Some(wait) = &step.after {
            self.wait(change, step, wait, &path).await?;
        }
        Ok(answer)
    }

    /// Writes down the intent, sends, and writes down the outcome.
    async fn exchange(&self, ready: &Ready<'_>) -> Sent {
        if self.settings.cancel.is_cancelled() {
            return (0, Err(Trouble::Interrupted));
        }
        if let Some(problem) = self.site.lock.and_then(|lock| lock.check().err()) {
            return (0, Err(Trouble::Halted(problem)));
        }
        let n = match self.site.journal {
            Some(journal) => match journal.intent(self.intent(ready)).await {
                Ok(n) => n,
                Err(problem) => return (0, Err(Trouble::Halted(problem))),
            },
            None => self.number.fetch_add(1, Ordering::Relaxed) + 1,
        };
        let write = Write {
            method: method(ready.method),
            path: ready.path.to_owned(),
            body: ready.body.cloned(),
            correlation_id: Some(format!("tenantry/{}/{n}", self.settings.deployment)),
        };
        let answer = self.site.client.send(write).await;
        self.count(&answer);
        let outcome = match &answer {
            Ok(answered) => Answer::Done { status: answered.status, id: id_in(ready.step, &answered.body) },
            Err(Failure::NotFound { .. }) if ready.step.absent_ok => Answer::Done { status: 404, id: None },
            Err(failure @ Failure::InDoubt { reason, .. }) => {
                Answer::InDoubt { why: format!("{}: {reason}", failure.problem().title) }
            }
            Err(failure) if is_sent(failure) => Answer::Failed { why: failure.problem().title },
            Err(failure) => Answer::NotSent { why: failure.problem().title },
        };
        let written = self.outcome(n, outcome).await;
        let answer = match answer {
            Ok(answered) => Ok(Some(answered)),
            Err(Failure::NotFound { .. }) if ready.step.absent_ok => Ok(None),
            Err(failure) => Err(hushed(failure.into(), ready.step.body.as_ref())),
        };
        // What was done is done, whether or not it could be written down: the next intent cannot be either.
        if let (Err(problem), Ok(_)) = (written, &answer) {
            tracing::debug!(n, title = problem.title, "an outcome was not written down");
        }
        (n, answer)
    }

    async fn outcome(&self, n: u32, outcome: Answer) -> Result<(), Problem> {
        match self.site.journal {
            Some(journal) => journal.outcome(n, outcome).await,
            None => Ok(()),
        }
    }

    fn count(&self, answer: &Result<Answered, Failure>) {
        let (sent, failed) = match answer {
            Ok(_) => (true, false),
            Err(Failure::InDoubt { .. }) => (true, false),
            Err(failure) => (is_sent(failure), is_sent(failure)),
        };
        self.requests.fetch_add(usize::from(sent), Ordering::Relaxed);
        self.failed.fetch_add(usize::from(failed), Ordering::Relaxed);
    }

    fn intent(&self, ready: &Ready<'_>) -> Intent {
        let change = ready.change;
        let spec = Registry::get().kind(&change.address.kind);
        let key = self.settings.key.as_ref();
        let id_of = |kinds: &[String], name: &str| self.site.index.id(kinds, name);
        let leaf = |field: &crate::change::FieldChange| {
            let value = field.diff.after.as_ref();
            let secret = field.how == How::Secret;
            (field.path.clone(), value.map(|value| remembered_leaf(spec, value, secret, key)))
        };
        let asked: Vec<(Path, Option<Value>)> = match (ready.first, change.action) {
            (false, _) | (_, Action::Delete) => Vec::new(),
            _ => change.fields.iter().map(leaf).collect(),
        };
        let step = ready.step;
        let body = step.body.as_ref().filter(|_| ready.body.is_some());
        Intent {
            address: change.address.clone(),
            action: change.action,
            method: ready.method,
            path: ready.path.to_owned(),
            body: body.map(|body| remembered(spec, body, &id_of, key)),
            creates: step.creates,
            makes: step.makes.as_ref().map(|(kind, name, _)| Address::new(kind, name)),
            asked,
        }
    }

    /// Finds out what became of a request whose answer was lost: what may be repeated is, what makes something is looked for.
    async fn settle(&self, ready: &Ready<'_>, n: u32, problem: Problem) -> Result<Option<Json>, Trouble> {
        let Ready { change, step, .. } = *ready;
        if !step.creates {
            self.pause(self.settings.look_again).await?;
            let again = Ready { first: false, ..*ready };
            return self.exchange(&again).await.1.map(|answer| answer.map(|answer| answer.body));
        }
        let mut said = problem;
        said.help.clear();
        for round in 0..LOOKS_IN_DOUBT {
            if round > 0 && self.pause(self.settings.look_again).await.is_err() {
                break;
            }
            match look(self.site, change, step, ready.body).await {
                Ok(Look::There(found)) => {
                    let id = id_in(step, &found);
                    if let Err(problem) = self.outcome(n, Answer::Found { id }).await {
                        return Err(Trouble::Halted(problem));
                    }
                    return Ok(Some(found));
                }
                Ok(Look::Missing) => {}
                Ok(Look::Several(ids)) => {
                    said = said.note(format!("several could be it: {}", ids.join(", ")));
                    break;
                }
                Ok(Look::Blind) => {
                    said = said.note("nothing in the API lists what it makes");
                    break;
                }
                Err(failure) => {
                    said = said.note(format!("it could not be looked for: {}", failure.problem().title));
                    break;
                }
            }
        }
        if said.notes.len() < 2 {
            said = said.note(format!("{LOOKS_IN_DOUBT} looks did not find it; it may still come"));
        }
        let help = "look for it in the dashboard, then run `tenantry apply --resume` or `tenantry revert`";
        Err(Trouble::InDoubt(said.help(help)))
    }

    async fn wait(&self, change: &Change, step: &Step, wait: &Wait, sent: &str) -> Result<(), Trouble> {
        let mut pause = FIRST_PAUSE;
        for look in 0..LOOKS {
            if look > 0 {
                self.pause(pause).await?;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            match wait {
                Wait::Until { path, member, value, failed } => {
                    let found = self.site.client.get(&fill(path, self.site.index, change)?, &[]).await?;
                    match found.get(member).and_then(Json::as_str) {
                        Some(now) if now == value => return Ok(()),
                        Some(now) if now == failed => {
                            let title = format!("`{}` is `{now}` and will not become `{value}`", change.address);
                            return Err(Trouble::Failed(
                                Problem::error("never-ready", title)
                                    .at_maybe(change.locus.as_ref())
                                    .help("look at the build errors in the dashboard, then correct the code"),
                            ));
                        }
                        _ => {}
                    }
                }
                Wait::Gone => {
                    let again = Ready { change, step, method: Verb::Delete, path: sent, body: None, first: false };
                    match self.exchange(&again).await.1? {
                        Some(answer) if answer.status == 202 => {}
                        _ => return Ok(()),
                    }
                }
            }
        }
        Err(Trouble::Failed(
            Problem::error("not-ready", format!("`{}` was not ready in time", change.address))
                .help("run the same command again: it goes on where this one stopped"),
        ))
    }

    async fn pause(&self, time: Duration) -> Result<(), Trouble> {
        tokio::select! {
            () = self.settings.cancel.cancelled() => Err(Trouble::Interrupted),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}

/// Says whether a request that failed had left.
fn is_sent(failure: &Failure) -> bool {
    !matches!(failure, Failure::Cancelled | Failure::Token(_) | Failure::Unreachable { .. })
}

fn id_in(step: &Step, answer: &Json) -> Option<String> {
    let (_, _, member) = step.makes.as_ref()?;
    Some(answer.get(member)?.as_str()?.to_owned())
}
