//! One call: sent, judged, sent again where that is safe.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::answer::Signals;
use super::auth::{Bearer, Tokens};
use super::client::{Answer, Upload};
use super::clock::{Clock, random_share};
use super::error::{Cause, Failure};
use super::origin::Origin;
use super::pace::{Group, Outcome, Pace};
use super::transport::Trouble;
use crate::problem::Problem;

/// The longest one request may take; real tenants answer in a third of a second (recorded traffic).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest pause before a repetition (auth0-deploy-cli 8.43 source: the same).
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What all clones of a client share.
pub(super) struct Inner {
    pub(super) http: reqwest::Client,
    pub(super) origin: Origin,
    pub(super) tokens: Tokens,
    pub(super) pace: Pace,
    pub(super) clock: Clock,
    pub(super) deadline: Duration,
    pub(super) max_retries: u32,
    pub(super) telemetry: String,
    pub(super) domain: String,
    pub(super) client_id: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) skew: Mutex<Option<SignedDuration>>,
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) waited_ms: AtomicU64,
}

/// One request as it is sent, however often.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Body<'a>>,
    pub(super) correlation_id: Option<&'a str>,
    /// Stops before the next sending.
    pub(super) cancel: &'a CancellationToken,
}

/// What a request carries.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Json(&'a Value),
    Upload(&'a Upload),
}

/// What came back for one sending.
struct Reply {
    status: u16,
    signals: Signals,
    /// `None` when it broke off.
    body: Option<Vec<u8>>,
}

/// What to do after one sending.
enum Verdict {
    Done(Answer),
    Failed(Failure),
    /// Send again if time and count allow, else fail so.
    Again {
        failure: Failure,
        wait: Option<Duration>,
    },
    /// Send again with another token.
    Renew(Failure),
}

/// What one call has been through.
#[derive(Default)]
struct History {
    started: Option<Instant>,
    attempts: u32,
    renewed: bool,
    /// An earlier sending may have been carried out; why nobody knows.
    doubt: Option<String>,
}

impl Inner {
    /// Sends until there is an answer, or none to be had.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let group = Group::of(&call.method, call.path);
        let mut history = History::default();
        loop {
            let Some(permit) = self.pace.admit(&group, call.cancel).await else {
                return Err(history.stopped(call));
            };
            if call.cancel.is_cancelled() {
                return Err(history.stopped(call));
            }
            let bearer = match self.tokens.bearer().await {
                Ok(bearer) => bearer,
                Err(problem) => return Err(self.without_token(call, &history, problem)),
            };
            // The deadline is for the server's slowness, not for our turn in the queue.
            let started = *history.started.get_or_insert_with(|| self.clock.now());
            let left = self.deadline.saturating_sub(self.clock.now().saturating_duration_since(started));
            let reply = self.exchange(call, &bearer, left.min(REQUEST_TIMEOUT), history.attempts > 0).await;
            history.attempts += 1;
            let (outcome, signals) = judged(&reply);
            permit.settle(outcome, &signals);
            let verdict = self.verdict(call, reply, &mut history);
            let (failure, wait) = match verdict {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Failed(failure) => return Err(history.settle(call, failure)),
                Verdict::Renew(failure) => match self.tokens.replace(&bearer).await {
                    Ok(true) => continue,
                    Ok(false) => return Err(history.settle(call, failure)),
                    Err(problem) => return Err(self.without_token(call, &history, problem)),
                },
                Verdict::Again { failure, wait } => (failure, backoff(history.attempts - 1, wait)),
            };
            let spent = self.clock.now().saturating_duration_since(started);
            if history.attempts > self.max_retries || spent + wait >= self.deadline {
                return Err(history.settle(call, failure));
            }
            self.waited_ms.fetch_add(wait.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
            if !self.clock.wait(wait, call.cancel).await {
                return Err(history.stopped(call));
            }
        }
    }

    /// How the call ends when no token can be had.
    fn without_token(&self, call: &Call<'_>, history: &History, problem: Problem) -> Failure {
        if call.cancel.is_cancelled() {
            return history.stopped(call);
        }
        history.settle(call, Failure::Token(Box::new(problem)))
    }

    /// Sends once.
    async fn exchange(
        &self,
        call: &Call<'_>,
        bearer: &Bearer,
        timeout: Duration,
        is_retry: bool,
    ) -> Result<Reply, Trouble> {
        let mut request = self
            .http
            .request(call.method.clone(), self.origin.api(call.path))
            .timeout(timeout)
            .bearer_auth(bearer.token.expose())
            .header("auth0-client", &self.telemetry)
            .header("accept", "application/json");
        if !call.query.is_empty() {
            request = request.query(call.query);
        }
        if let Some(id) = call.correlation_id {
            request = request.header("x-correlation-id", id);
        }
        match call.body {
            None => {}
            Some(Body::Json(body)) => request = request.json(body),
            Some(Body::Upload(upload)) => request = request.multipart(upload.form()),
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u64::from(is_retry), Ordering::Relaxed);
        let started = self.clock.now();
        let ms = || u64::try_from(self.clock.now().saturating_duration_since(started).as_millis()).unwrap_or(u64::MAX);
        let response = request.send().await.map_err(|error| {
            let trouble = Trouble::of(&error, self.origin.host());
            tracing::debug!(method = %call.method, path = call.path, ms = ms(), reason = trouble.reason, "no answer");
            trouble
        })?;
        let status = response.status().as_u16();
        let now = Timestamp::now();
        let signals = Signals::read(response.headers(), now);
        if let Some(date) = signals.date {
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(date.duration_since(now));
        }
        let body = response.bytes().await.ok().map(|bytes| bytes.to_vec());
        tracing::debug!(method = %call.method, path = call.path, status, ms = ms(), "request");
        Ok(Reply { status, signals, body })
    }

    /// Decides what one sending means.
    fn verdict(&self, call: &Call<'_>, reply: Result<Reply, Trouble>, history: &mut History) -> Verdict {
        let reply = match reply {
            Ok(reply) => reply,
            Err(trouble) => return self.verdict_on_trouble(call, trouble, history),
        };
        let json: Option<Value> = reply.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        match reply.status {
            200..300 => Self::verdict_on_success(call, reply, json, history),
            404 if call.method == Method::DELETE && history.doubt.is_some() => {
                Verdict::Done(Answer { status: 404, body: Value::Null, date: reply.signals.date })
            }
            status => {
                let failure = Failure::of_answer(&call.method, call.path, status, json.as_ref());
                match status {
                    429 if is_about_jobs(reply.body.as_deref()) => Verdict::Failed(failure),
                    429 => Verdict::Again { failure, wait: told_wait(&reply.signals) },
                    401 if !history.renewed => {
                        history.renewed = true;
                        Verdict::Renew(failure)
                    }
                    501 => Verdict::Failed(failure),
                    408 | 500.. => {
                        history.doubt_unless_read(call, format!("the server answered {status}"));
                        self.again_unless_create(call, failure, reply.signals.retry_after)
                    }
                    _ => Verdict::Failed(failure),
                }
            }
        }
    }

    fn verdict_on_success(call: &Call<'_>, reply: Reply, json: Option<Value>, history: &mut History) -> Verdict {
        let Reply { status, signals, body } = reply;
        let bad = |reason: &str| Failure::BadAnswer {
            method: call.method.clone(),
            path: call.path.to_owned(),
            status,
            reason: reason.to_owned(),
        };
        let Some(body) = body else {
            history.doubt_unless_read(call, format!("the answer ({status}) broke off"));
            let failure = bad("the answer broke off");
            return if call.method == Method::POST {
                Verdict::Failed(failure)
            } else {
                Verdict::Again { failure, wait: None }
            };
        };
        match json {
            Some(body) => Verdict::Done(Answer { status, body, date: signals.date }),
            None if body.is_empty() && (call.method != Method::GET || status == 204) => {
                Verdict::Done(Answer { status, body: Value::Null, date: signals.date })
            }
            None => {
                history.doubt_unless_read(call, format!("the answer ({status}) is not JSON"));
                Verdict::Failed(bad("it is not JSON"))
            }
        }
    }

    fn verdict_on_trouble(&self, call: &Call<'_>, trouble: Trouble, history: &mut History) -> Verdict {
        let Trouble { cause, reason, sent, timed_out } = trouble;
        let (method, path) = (call.method.clone(), call.path.to_owned());
        if sent {
            history.doubt_unless_read(call, reason.clone());
        }
        let failure = if timed_out && sent {
            let spent = history.started.map(|at| self.clock.now().saturating_duration_since(at));
            Failure::Deadline { method, path, waited: spent.unwrap_or_default() }
        } else {
            Failure::Unreachable { method, path, cause, reason }
        };
        match (cause, sent) {
            // A certificate does not get better by asking again.
            (Cause::Tls, false) => Verdict::Failed(failure),
            (_, false) => Verdict::Again { failure, wait: None },
            (_, true) => self.again_unless_create(call, failure, None),
        }
    }

    fn again_unless_create(&self, call: &Call<'_>, failure: Failure, wait: Option<Duration>) -> Verdict {
        if call.method == Method::POST { Verdict::Failed(failure) } else { Verdict::Again { failure, wait } }
    }
}

impl History {
    fn doubt_unless_read(&mut self, call: &Call<'_>, reason: String) {
        if call.method != Method::GET {
            self.doubt = Some(reason);
        }
    }

    /// How the call ends. A refusal of what was asked holds for an earlier sending of the same request too; anything else says
    /// nothing about one whose answer was lost.
    fn settle(&self, call: &Call<'_>, failure: Failure) -> Failure {
        let is_definite = match &failure {
            Failure::Refused { status, .. } => !matches!(status, 401 | 408 | 429 | 500..),
            Failure::Scope { .. } | Failure::Feature { .. } | Failure::NotFound { .. } => true,
            _ => false,
        };
        match &self.doubt {
            None => failure,
            Some(_) if is_definite => failure,
            Some(reason) => {
                let reason = match &failure {
                    Failure::Refused { message, status, .. } if *status >= 500 => format!("{reason}: {message}"),
                    _ => reason.clone(),
                };
                Failure::InDoubt { method: call.method.clone(), path: call.path.to_owned(), reason }
            }
        }
    }

    /// How the call ends when it is interrupted.
    fn stopped(&self, call: &Call<'_>) -> Failure {
        self.settle(call, Failure::Cancelled)
    }
}

/// What one sending tells about the server's load.
fn judged(reply: &Result<Reply, Trouble>) -> (Outcome, Signals) {
    match reply {
        Err(_) => (Outcome::Strained, Signals::default()),
        Ok(reply) => {
            let outcome = match reply.status {
                429 if is_about_jobs(reply.body.as_deref()) => Outcome::Fine,
                429 => {
                    // The one text that names its bucket (auth0-deploy-cli 8.43 source).
                    let global = reply.body.as_deref().is_some_and(|b| contains(b, b"Global limit"));
                    let wait = told_wait(&reply.signals).unwrap_or(Duration::from_secs(1)).min(LONGEST_WAIT);
                    Outcome::Limited { wait, global }
                }
                408 | 500.. if reply.status != 501 => Outcome::Strained,
                _ => Outcome::Fine,
            };
            (outcome, reply.signals)
        }
    }
}

/// Tells the limit of imports at once, which holds for minutes and for nothing else, from the limits of rates: the message is
/// all that differs (Auth0 documentation, rate limits: concurrent import users jobs).
fn is_about_jobs(body: Option<&[u8]>) -> bool {
    body.is_some_and(|body| contains(body, b"active import users jobs"))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn told_wait(signals: &Signals) -> Option<Duration> {
    signals.retry_after.or(signals.reset)
}

/// How long to pause before a repetition: what the server said plus up to a fifth, else a second doubled each time and
/// shortened by up to a half.
pub(super) fn backoff(attempt: u32, told: Option<Duration>) -> Duration {
    match told {
        Some(told) => told.min(LONGEST_WAIT).mul_f64(1.0 + random_share() / 5.0),
        None => {
            let full = Duration::from_secs(1 << attempt.min(6)).min(LONGEST_WAIT);
            full.mul_f64(1.0 - random_share() / 2.0)
        }
    }
}
