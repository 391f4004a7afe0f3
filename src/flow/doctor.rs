//! `doctor`: is everything there that a deployment of this description needs?

use std::collections::BTreeSet;

use super::{Failed, Request, Session};
use crate::description::has_errors;
use crate::model::{Desired, Live, LiveKind, Sources, Unavailable};
use crate::problem::Problem;
use crate::project::{Secrets, load_description, load_settings};
use crate::schema::Registry;

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
    /// What: `credentials`, `scopes`, `clock`, `subscription`, `secrets`, `description`.
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
