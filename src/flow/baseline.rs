//! `init --baseline`: records the tenant as it is, so that the first plan tells change from drift. Nothing is written there.

use ulid::Ulid;

use super::past::Past;
use super::plan::describe;
use super::{Failed, Request, Session};
use crate::deployment::{BaseEntry, Deployment, Outcome, Purpose, Tally};
use crate::guard;
use crate::live::{Reach, read};
use crate::model::BaseResource;
use crate::plan::{self, mask};
use crate::problem::Problem;
use crate::schema::Registry;

/// What was recorded.
pub struct Baselined {
    /// Id of the record: a ULID.
    pub deployment: String,
    /// How many resources it holds.
    pub resources: usize,
    /// How many described resources are not live.
    pub absent: usize,
    /// Where it is kept, in words.
    pub place: String,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: crate::model::Sources,
}

/// Records what is described as it is live.
///
/// # Errors
///
/// `baseline-exists` where a deployment is recorded already; those of the files, the ledger and the network.
pub async fn baseline(request: &Request, actor: &dyn Fn(&Past) -> String) -> Result<Baselined, Failed> {
    let mut described = describe(request).await?;
    let sources = described.sources.clone();
    let session =
        Session::open(&described.settings, request).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    let mut problems = std::mem::take(&mut described.problems);
    let made = recorded(request, &mut described, &session, &mut problems, actor).await;
    session.close().await;
    let (record, place, absent) = made.map_err(|problem| Failed::one(problem, sources.clone()))?;
    Ok(Baselined { deployment: record.id, resources: record.base.len(), absent, place, problems, sources })
}

async fn recorded(
    request: &Request,
    described: &mut super::plan::Described,
    session: &Session,
    problems: &mut Vec<Problem>,
    actor: &dyn Fn(&Past) -> String,
) -> Result<(Deployment, String, usize), Problem> {
    let registry = Registry::get();
    problems.extend(session.client.warnings());
    let past = Past::read(&described.settings, request, session, problems).await?;
    if let Some(last) = past.history.last() {
        return Err(Problem::error("baseline-exists", "a deployment of this tenant is recorded already")
            .note(format!("the last is {}, in {}", last.id, past.ledger.describe()))
            .help("`tenantry drift` tells what was changed since; `tenantry adopt` takes it into the files"));
    }
    let (live, names) = read(&session.client, registry, Reach::Described(&described.desired)).await?;
    // What a plan would say is said by the plan.
    let _ = plan::complete(registry, &mut described.desired, &live, &names);
    let (mut base, mut absent) = (Vec::new(), 0);
    for (kind, wanted) in &described.desired.kinds {
        let Some(spec) = registry.kind(kind) else { continue };
        for resource in &wanted.resources {
            let found = live
                .resources(kind)
                .iter()
                .find(|live| resource.id.as_ref().map_or(live.address == resource.address, |id| live.id == *id));
            let Some(found) = found else {
                absent += 1;
                continue;
            };
            let left = BaseResource {
                id: found.id.clone(),
                desired: mask(&spec.fields, &resource.value, &found.value).fingerprinted(past.key.as_ref()),
                live: found.value.fingerprinted(past.key.as_ref()),
            };
            base.push(BaseEntry { address: resource.address.clone(), left: Some(left) });
        }
    }
    let now = session.client.server_now();
    let record = Deployment {
        id: Ulid::generate().to_string(),
        domain: live.domain.clone(),
        environment: described.settings.environment.clone(),
        purpose: Purpose::Baseline,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        actor: actor(&past),
        commit: past.commit.clone(),
        digest: described.digest.clone(),
        fingerprint_key: past.key.as_ref().map(|key| key.id().to_owned()),
        started: now,
        ended: Some(now),
        outcome: Some(Outcome::Done),
        tally: Tally::default(),
        rules: guard::rules(&described.settings.policy),
        plan: serde_json::Value::Null,
        images: Vec::new(),
        base,
        taken_back: Vec::new(),
    };
    problems.extend(past.ledger.begin(&record).await?);
    problems.extend(past.ledger.finish(&record).await?);
    Ok((record, past.ledger.describe(), absent))
}
