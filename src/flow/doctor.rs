//! `doctor`: is everything there that a deployment of this description needs?

use std::collections::BTreeSet;

use super::{Failed, Request, Session};
use crate::deployment::Outcome;
use crate::description::has_errors;
use crate::guard::short_id;
use crate::ledger::Ledger;
use crate::lock::{self, Standing};
use crate::model::{Desired, Live, LiveKind, Sources, Unavailable};
use crate::problem::Problem;
use crate::project::{Secrets, Settings, load_description, load_settings};
use crate::schema::Registry;

/// Scope that reading the tenant's log takes (documentation of the log endpoints).
const LOGS: &str = "read:logs";

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Fine.
    Ready,
    /// Worth a look.
    Warning,
    /// A deployment would fail.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Check {
    /// What: `description`, `secrets`, `credentials`, `scopes`, `clock`, `subscription`, `ledger`, `lock`, `log`.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, one line each.
    pub found: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

/// Everything that was looked at.
#[derive(Debug)]
pub struct Doctor {
    /// Name of the environment.
    pub environment: String,
    /// The checks, in order.
    pub checks: Vec<Check>,
    /// Warnings of the files.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

impl Doctor {
    /// Says whether a deployment can begin.
    pub fn ready(&self) -> bool {
        self.checks.iter().all(|check| check.verdict != Verdict::Failed)
    }
}

/// Looks at everything.
///
/// # Errors
///
/// Only where the settings themselves cannot be read; all else is a check.
pub async fn doctor(request: &Request) -> Result<Doctor, Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let (settings, mut sources, mut problems) = (loaded.settings, loaded.sources, loaded.warnings);
    let mut checks = Vec::new();
    let mut desired = Desired::default();
    match load_description(&settings, &request.around, Secrets::Ask).await {
        Ok(description) => {
            let errors = description.problems.iter().filter(|p| p.is_error()).count();
            let count: usize = description.outcome.desired.kinds.values().map(|k| k.resources.len()).sum();
            let found = vec![format!("{count} resources of {} kinds", description.outcome.desired.kinds.len())];
            if has_errors(&description.problems) {
                let help = vec!["run `tenantry validate`".to_owned()];
                checks.push(check("description", Verdict::Failed, vec![format!("{errors} errors")], help));
            } else {
                checks.push(check("description", Verdict::Ready, found, Vec::new()));
            }
            let missing: Vec<String> =
                description.missing_secrets.iter().map(|(name, why)| format!("secrets.{name}: {why}")).collect();
            if missing.is_empty() {
                checks.push(check("secrets", Verdict::Ready, vec!["all there".to_owned()], Vec::new()));
            } else {
                let help = vec!["needed only when a change has to send them".to_owned()];
                checks.push(check("secrets", Verdict::Warning, missing, help));
            }
            sources.merge(description.sources);
            problems.extend(description.problems.into_iter().filter(|p| !p.is_error()));
            desired = description.outcome.desired;
        }
        Err(problem) => checks.push(failed("description", &problem)),
    }
    match Session::open(&settings, request).await {
        Ok(session) => {
            connected(&session, &desired, &mut checks).await;
            checks.push(ledger(&settings, &session).await);
            checks.push(lock_check(&session).await);
            checks.push(blame(session.client.scopes()));
            session.close().await;
        }
        Err(problem) => checks.push(failed("credentials", &problem)),
    }
    problems.retain(|p| p.id != "reference-not-described");
    Ok(Doctor { environment: settings.environment, checks, problems, sources })
}

fn check(name: &'static str, verdict: Verdict, found: Vec<String>, help: Vec<String>) -> Check {
    Check { name, verdict, found, help }
}

fn failed(name: &'static str, problem: &Problem) -> Check {
    let mut found = vec![problem.title.clone()];
    found.extend(problem.notes.clone());
    check(name, Verdict::Failed, found, problem.help.clone())
}

async fn connected(session: &Session, desired: &Desired, checks: &mut Vec<Check>) {
    let client = &session.client;
    let who = client.client_id().map_or_else(|| "a token".to_owned(), |id| format!("client {id}"));
    checks.push(check("credentials", Verdict::Ready, vec![format!("{who} at {}", client.domain())], Vec::new()));
    checks.push(scopes(client.scopes(), desired));
    let skew = client.warnings();
    if skew.is_empty() {
        checks.push(check("clock", Verdict::Ready, vec!["agrees with the tenant's".to_owned()], Vec::new()));
    } else {
        let found = skew.iter().map(|p| p.title.clone()).collect();
        let help = skew.iter().flat_map(|p| p.help.clone()).collect();
        checks.push(check("clock", Verdict::Warning, found, help));
    }
    let registry = Registry::get();
    match crate::live::read(client, registry, crate::live::Reach::Described(desired)).await {
        Ok((live, _)) => checks.push(subscription(&live, desired)),
        Err(problem) => checks.push(failed("subscription", &problem)),
    }
}

/// Looks at the deployments that are known, and whether one more could be written down.
async fn ledger(settings: &Settings, session: &Session) -> Check {
    let place = settings.ledger_place();
    let opened = Ledger::open(&place, &settings.root, &settings.environment, session.client.domain());
    let ledger = match opened {
        Ok(ledger) => ledger,
        Err(problem) => return failed("ledger", &problem),
    };
    let (history, told) = match ledger.read().await {
        Ok(read) => read,
        Err(problem) => return failed("ledger", &problem),
    };
    if let Err(problem) = ledger.probe() {
        return failed("ledger", &problem);
    }
    let mut found = vec![match history.iter().count() {
        0 => format!("{}: no deployment yet", ledger.describe()),
        n => format!("{}: {}", ledger.describe(), crate::model::count(n, "deployment")),
    }];
    if let Some(last) = history.last() {
        let how = match last.outcome {
            Some(Outcome::Done) | None => "done",
            Some(Outcome::Partial) => "done in part",
            Some(Outcome::Failed) => "failed",
        };
        let began = last.started.strftime("%Y-%m-%d %H:%M UTC");
        found.push(format!("the last is {}, by {}, {began}: {how}", short_id(&history, &last.id), last.actor));
    }
    let mut help: Vec<String> = told.iter().flat_map(|problem| problem.help.clone()).collect();
    found.extend(told.iter().map(|problem| problem.title.clone()));
    let mut verdict = if told.is_empty() { Verdict::Ready } else { Verdict::Warning };
    for open in history.unfinished() {
        verdict = Verdict::Warning;
        found.push(format!("{}, by {}, began and did not end", short_id(&history, &open.id), open.actor));
        help.push("`tenantry apply --resume` goes on with it, `tenantry revert` takes it back".to_owned());
    }
    help.dedup();
    check("ledger", verdict, found, help)
}

/// Looks at the lock.
async fn lock_check(session: &Session) -> Check {
    let standing = match lock::look(&session.client).await {
        Ok(standing) => standing,
        Err(problem) => return failed("lock", &problem),
    };
    match standing {
        Standing::Free => check("lock", Verdict::Ready, vec!["free".to_owned()], Vec::new()),
        Standing::Held { actor, deployment, until, over } => {
            let by = format!("{actor} with deployment {deployment}");
            if over {
                let found = vec![format!("ran out at {until}; it was held by {by}")];
                return check("lock", Verdict::Ready, found, Vec::new());
            }
            let help = vec![
                "wait until that deployment ends".to_owned(),
                "if it is dead: `tenantry apply --resume` goes on with it, `tenantry revert` takes it back".to_owned(),
            ];
            check("lock", Verdict::Warning, vec![format!("held by {by} until {until}")], help)
        }
        Standing::Unknown => {
            let found = vec![format!("there is a role `{}` that says nothing Tenantry can read", lock::ROLE)];
            let help = vec!["if nobody applies, delete that role in the dashboard".to_owned()];
            check("lock", Verdict::Warning, found, help)
        }
        Standing::NoScopes(scopes) => {
            let found = vec![format!("deployments run unlocked: the token lacks {}", scopes.join(", "))];
            let help = vec!["grant them, or see to it elsewhere that one deployment runs at a time".to_owned()];
            check("lock", Verdict::Warning, found, help)
        }
    }
}

/// Says whether changes made outside can be given a name.
fn blame(have: Option<&[String]>) -> Check {
    match have {
        Some(have) if !have.iter().any(|scope| scope == LOGS) => {
            let found = vec![format!("`{LOGS}` is missing: nobody can be named for what is changed outside")];
            let help = vec!["grant it to the client on the Management API".to_owned()];
            check("log", Verdict::Warning, found, help)
        }
        _ => check("log", Verdict::Ready, vec!["tells who changes the tenant outside".to_owned()], Vec::new()),
    }
}

/// Compares the token's scopes with what the described kinds need.
fn scopes(have: Option<&[String]>, desired: &Desired) -> Check {
    let Some(have) = have else {
        return check("scopes", Verdict::Warning, vec!["the token does not say its scopes".to_owned()], Vec::new());
    };
    let mut needed = BTreeSet::new();
    for kind in desired.kinds.keys() {
        let Some(spec) = Registry::get().kind(kind) else { continue };
        let scopes = &spec.scopes;
        needed.extend(scopes.read.iter().chain(&scopes.create).chain(&scopes.update).cloned());
        needed.extend(spec.gated.values().cloned());
    }
    let missing: Vec<String> = needed.iter().filter(|scope| !have.contains(scope)).cloned().collect();
    if missing.is_empty() {
        return check("scopes", Verdict::Ready, vec![format!("all {} there", needed.len())], Vec::new());
    }
    let help = vec!["grant them to the client on the Management API, or exclude the kinds that need them".to_owned()];
    check("scopes", Verdict::Failed, missing.into_iter().map(|scope| format!("`{scope}` is missing")).collect(), help)
}

fn subscription(live: &Live, desired: &Desired) -> Check {
    let lacking: Vec<String> = desired
        .kinds
        .keys()
        .filter_map(|kind| match live.kinds.get(kind) {
            Some(LiveKind::Unavailable(Unavailable::Feature(words))) => Some(format!("`{kind}`: {words}")),
            _ => None,
        })
        .collect();
    if lacking.is_empty() {
        check("subscription", Verdict::Ready, vec!["has every described feature".to_owned()], Vec::new())
    } else {
        let help = vec!["they are skipped; exclude them to say so".to_owned()];
        check("subscription", Verdict::Warning, lacking, help)
    }
}
