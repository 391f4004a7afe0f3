//! Where deployments, bases and journals are kept: a folder, or a ref of the repository that holds the description.
//!
//! A ledger is keyed by the tenant's canonical domain. Each deployment is one file, written when it begins and again when it
//! ends; two copies of a ledger merge by union.

mod folder;
mod git;
mod objects;
mod presence;
mod program;
mod records;
mod seal;

use std::path::{Path, PathBuf};

use self::folder::FolderLedger;
use self::git::GitLedger;
pub use self::presence::Presence;
pub use self::seal::{Opener, seal_for};
use crate::deployment::{Deployment, History, canonical_domain};
use crate::problem::Problem;
use crate::project::LedgerPlace;

/// The deployments of one tenant.
#[derive(Debug)]
pub struct Ledger(Place);

#[derive(Debug)]
enum Place {
    Folder(FolderLedger),
    Git(GitLedger),
}

impl Ledger {
    /// Opens the ledger of a tenant. Nothing is written before the first deployment begins.
    ///
    /// `root` is the project's folder, `domain` the tenant's, in any form.
    ///
    /// # Errors
    ///
    /// `ledger-no-repository` where it is to be kept in git and there is no repository; `repository-unreadable`.
    pub fn open(place: &LedgerPlace, root: &Path, environment: &str, domain: &str) -> Result<Ledger, Problem> {
        let domain = canonical_domain(domain);
        Ok(Ledger(match place {
            LedgerPlace::Folder(folder) => Place::Folder(FolderLedger::new(root.join(folder), root, domain)),
            LedgerPlace::Git => Place::Git(GitLedger::open(root, environment, domain)?),
        }))
    }

    /// Returns what is known, with warnings: a server that could not be asked, deployments that are here alone.
    ///
    /// # Errors
    ///
    /// `ledger-damaged`, `ledger-too-new`, `ledger-unreadable`.
    pub async fn read(&self) -> Result<(History, Vec<Problem>), Problem> {
        match &self.0 {
            Place::Folder(folder) => folder.read(),
            Place::Git(git) => git.read().await,
        }
    }

    /// Keeps a deployment before its first write to the tenant. When this returns, the record outlives a power cut; in git it is
    /// with the remote as well.
    ///
    /// # Errors
    ///
    /// `ledger-unwritable`, `ledger-not-pushed`: nothing may be written to the tenant then.
    pub async fn begin(&self, record: &Deployment) -> Result<Vec<Problem>, Problem> {
        match &self.0 {
            Place::Folder(folder) => folder.write(record).map(|()| Vec::new()),
            Place::Git(git) => git.begin(record).await,
        }
    }

    /// Keeps a deployment that ended. A remote that does not take it is a warning: the next deployment sends it along.
    ///
    /// # Errors
    ///
    /// `ledger-unwritable`.
    pub async fn finish(&self, record: &Deployment) -> Result<Vec<Problem>, Problem> {
        match &self.0 {
            Place::Folder(folder) => folder.write(record).map(|()| Vec::new()),
            Place::Git(git) => git.finish(record).await,
        }
    }

    /// Says where it is, in words: a folder, or a ref.
    pub fn describe(&self) -> String {
        match &self.0 {
            Place::Folder(folder) => folder.describe(),
            Place::Git(git) => git.describe(),
        }
    }

    /// Tries whether a deployment could be written down on this machine; nothing is left of the attempt.
    ///
    /// # Errors
    ///
    /// `unwritable-file`.
    pub fn probe(&self) -> Result<(), Problem> {
        let journal = self.journal("probe");
        let folder = journal.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("."));
        tempfile::NamedTempFile::new_in(folder).map(|_| ()).map_err(|error| {
            Problem::error("unwritable-file", format!("nothing can be written below {}: {error}", folder.display()))
                .help("let the user that Tenantry runs as write there, or name another `ledger`")
        })
    }

    /// Returns where a deployment of this machine has its journal.
    pub fn journal(&self, deployment: &str) -> PathBuf {
        match &self.0 {
            Place::Folder(folder) => folder.journal(deployment),
            Place::Git(git) => git.journal(deployment),
        }
    }

    /// Sets a sign that a deployment runs on this machine; `None` where the file system cannot hold one.
    pub fn presence(&self, deployment: &str) -> Option<Presence> {
        Presence::set(self.journal(deployment).with_extension("lock"))
    }

    /// Says whether a deployment began on this machine and its process is gone.
    pub fn is_dead(&self, deployment: &str) -> bool {
        Presence::is_left(&self.journal(deployment).with_extension("lock"))
    }

    /// Returns the journal of any deployment as a file, taken out of git where another machine wrote it; `None` where it is not
    /// kept.
    ///
    /// # Errors
    ///
    /// `ledger-unreadable`, `unwritable-file`.
    pub fn find_journal(&self, deployment: &str) -> Result<Option<PathBuf>, Problem> {
        let path = self.journal(deployment);
        match &self.0 {
            _ if path.is_file() => Ok(Some(path)),
            Place::Folder(_) => Ok(None),
            Place::Git(git) => git.take_journal(deployment, path),
        }
    }
}

#[cfg(test)]
mod tests;
