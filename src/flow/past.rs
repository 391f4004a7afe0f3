//! What is known of earlier deployments: the ledger, what the tenant remembers, and the base they add up to.

use std::path::PathBuf;

use super::then::at_commit;
use super::{Request, Session};
use crate::codec::Names;
use crate::deployment::{Commit, History, TakenBack};
use crate::journal;
use crate::ledger::{Ledger, seal_for};
use crate::memory::{self, Memory};
use crate::model::{Base, BaseResource, Desired, FingerprintKey, Live, Seal};
use crate::plan;
use crate::problem::Problem;
use crate::project::{COMMAND_TIMEOUT, Resolved, SecretContext, Settings, resolve_secret};
use crate::receipt::description_digest;
use crate::repository::Repository;
use crate::schema::Registry;

/// What is known of earlier deployments of a tenant.
pub struct Past {
    /// Where deployments are kept.
    pub ledger: Ledger,
    /// Those that are known.
    pub history: History,
    /// What they left; `None` where no deployment is known.
    pub base: Option<Base>,
    /// The deployment the tenant says it runs, where nobody knows it.
    pub base_missing: Option<String>,
    /// What the tenant says it runs, where the ledger does not hold it.
    pub remembered: Option<Memory>,
    /// Commit that the last revert went back from, as the tenant remembers.
    pub(super) reverted: Option<String>,
    /// What deploying that commit again would do; only where no ledger tells what the revert took back.
    pub(super) gone_back: Vec<TakenBack>,
    /// The key secrets are fingerprinted with.
    pub key: Option<FingerprintKey>,
    /// What secrets are sealed with.
    pub(super) seal: Option<Seal>,
    /// The repository of the description.
    pub repository: Option<Repository>,
    /// Its commit.
    pub commit: Option<Commit>,
}

impl Past {
    /// Reads the ledger and asks the tenant. Warnings go to `problems`.
    ///
    /// # Errors
    ///
    /// Those of the ledger; `missing-secret` where the fingerprint key cannot be had.
    pub async fn read(
        settings: &Settings,
        request: &Request,
        session: &Session,
        problems: &mut Vec<Problem>,
    ) -> Result<Past, Problem> {
        let place = settings.ledger_place();
        let domain = session.client.domain();
        let ledger = Ledger::open(&place, &settings.root, &settings.environment, domain)?;
        let (history, told) = ledger.read().await?;
        problems.extend(told);
        let key = key(settings, request, session).await?;
        let seal = settings.ledger_recipient.as_deref().and_then(seal_for);
        let description: PathBuf = settings.description.clone().unwrap_or_else(|| settings.root.clone());
        let repository = Repository::find(&settings.root);
        let commit = repository.as_ref().and_then(|repository| repository.head(&[&settings.root, &description]));
        let base = history.base();
        Ok(Past {
            ledger,
            history,
            base,
            base_missing: None,
            remembered: None,
            reverted: None,
            gone_back: Vec::new(),
            key,
            seal,
            repository,
            commit,
        })
    }

    /// Finds the base where the ledger does not hold the deployment the tenant says it runs: the description of then is rendered
    /// anew from the repository.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn recover(
        &mut self,
        settings: &Settings,
        request: &Request,
        session: &Session,
        (live, names): (&Live, &Names),
        problems: &mut Vec<Problem>,
    ) -> Result<(), Problem> {
        let (remembered, told) = memory::read(&session.client).await?;
        problems.extend(told);
        let Some(remembered) = remembered else { return Ok(()) };
        self.reverted.clone_from(&remembered.reverted);
        // A newer record than that is a baseline, or a deployment that the tenant could not be told of.
        if self.history.iter().next_back().is_some_and(|last| last.id >= remembered.deployment) {
            return Ok(());
        }
        self.remembered = Some(remembered.clone());
        match self.render(&remembered, settings, request, live, names).await {
            Ok(base) => {
                let known = if self.history.last().is_some() { "an older ledger" } else { "no ledger" };
                problems.push(
                    Problem::warning("ledger-behind", format!("there is {known} of deployment {}", remembered.deployment))
                        .note("the tenant says that it runs it, and the commit it names was rendered to tell change from drift")
                        .help("fetch the ledger that holds it to be able to `tenantry revert` it"),
                );
                self.base = Some(base);
            }
            Err(why) => {
                let title = format!("the tenant runs deployment {}, and nobody here knows it", remembered.deployment);
                let problem = Problem::warning("base-missing", title).note(why.title);
                let help =
                    "fetch the ledger that holds it; without it nobody can tell your changes from somebody else's";
                problems.push(problem.help(help));
                self.base_missing = Some(remembered.deployment);
            }
        }
        Ok(())
    }

    /// Finds what deploying the commit again would do that the last revert went back from, where no ledger here holds that revert.
    pub(super) async fn look_back(
        &mut self,
        settings: &Settings,
        request: &Request,
        (live, names): (&Live, &Names),
        options: &plan::Options,
        problems: &mut Vec<Problem>,
    ) {
        let (Some(commit), Some(_)) = (&self.reverted, &self.remembered) else { return };
        let rendered = match &self.repository {
            Some(repository) => at_commit(repository, commit, settings, request).await,
            None => Err(Problem::error("base-missing", "the description stands in no repository")),
        };
        match rendered {
            Ok(then) => {
                let mut desired = then.outcome.desired;
                // What was wrong with it then is of no interest now.
                let _ = plan::complete(Registry::get(), &mut desired, live, names);
                let again = plan::make(Registry::get(), &desired, live, self.base.as_ref(), options);
                self.gone_back = plan::would_deploy(&again, &desired, self.key.as_ref());
            }
            Err(why) => problems.push(
                Problem::warning("revert-unknown", format!("the tenant was taken back from commit {commit}"))
                    .note(format!("what that commit deployed cannot be told: {}", why.title))
                    .help("make sure that the files do not bring back what was taken back"),
            ),
        }
    }

    /// Says whether a write stands in the journal of the deployment that its correlation id names.
    pub(super) fn is_ours(&self, correlation_id: &str, method: &str, path: &str) -> bool {
        let mut parts = correlation_id.split('/');
        let (Some("tenantry"), Some(deployment)) = (parts.next(), parts.next()) else { return false };
        // A name from outside must not become a path.
        let known = self.history.iter().any(|known| known.id == deployment);
        known
            && self.ledger.find_journal(deployment).is_ok_and(|found| {
                let entries = found.and_then(|found| journal::read(&found).ok());
                entries.is_some_and(|entries| entries.is_ours(correlation_id, method, path))
            })
    }

    /// Renders the description that the tenant says it runs.
    async fn render(
        &self,
        remembered: &Memory,
        settings: &Settings,
        request: &Request,
        live: &Live,
        names: &Names,
    ) -> Result<Base, Problem> {
        let missing = |why: &str| Problem::error("base-missing", why.to_owned());
        let repository = self.repository.as_ref().ok_or_else(|| missing("the description stands in no repository"))?;
        let commit = remembered.commit.as_ref().ok_or_else(|| missing("it was deployed without a commit"))?;
        let mut desired = at_commit(repository, commit, settings, request).await?.outcome.desired;
        if !remembered.has_digest(&description_digest(&desired)) {
            return Err(missing("its commit renders to another description, with today's variables"));
        }
        // What was wrong with it then is of no interest now.
        let _ = plan::complete(Registry::get(), &mut desired, live, names);
        Ok(base_of(&desired, self.key.as_ref()))
    }
}

/// The base where only the files of then are known: the tenant is taken to be as they say.
fn base_of(desired: &Desired, key: Option<&FingerprintKey>) -> Base {
    let all = desired.kinds.values().flat_map(|kind| &kind.resources);
    let resources = all.map(|resource| {
        let value = resource.value.fingerprinted(key);
        let left = BaseResource { id: String::new(), desired: value.clone(), live: value };
        (resource.address.clone(), left)
    });
    Base { resources: resources.collect() }
}

/// The key the project file names, else one made of the deployer's credential.
async fn key(settings: &Settings, request: &Request, session: &Session) -> Result<Option<FingerprintKey>, Problem> {
    let Some(source) = &settings.fingerprint_key else { return Ok(session.key.clone()) };
    let context = SecretContext {
        env: request.around.env.clone(),
        folder: settings.root.clone(),
        command_timeout: COMMAND_TIMEOUT,
    };
    match resolve_secret(source, "fingerprint_key", &context).await {
        Resolved::Known(secret) => Ok(Some(FingerprintKey::new(secret.expose()))),
        Resolved::Missing(why) => Err(Problem::error("missing-secret", "the fingerprint key cannot be had")
            .note(why)
            .help("without it nobody can tell whether a secret changed: provide it, or remove `fingerprint_key`")),
    }
}
