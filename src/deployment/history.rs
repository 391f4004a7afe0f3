//! [`History`]: all records of one tenant.

use std::collections::BTreeMap;

use super::record::{Deployment, Outcome, Purpose};
use super::stored::preference;
use crate::model::{Address, Base, Path};

/// All deployments of one tenant that are known, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    deployments: BTreeMap<String, Deployment>,
}

impl History {
    /// No deployment at all.
    pub const fn none() -> Self {
        History { deployments: BTreeMap::new() }
    }

    /// Puts records in order; of two with the same id the one that ended counts.
    pub fn new(records: impl IntoIterator<Item = Deployment>) -> Self {
        let mut history = History::none();
        for record in records {
            let known = history.deployments.get(&record.id);
            if known.is_none_or(|known| preference(known, &record).is_lt()) {
                history.deployments.insert(record.id.clone(), record);
            }
        }
        history
    }

    /// Returns what two copies know together. The order does not matter, and nor does saying it twice.
    #[must_use]
    pub fn union(self, other: History) -> History {
        History::new(self.deployments.into_values().chain(other.deployments.into_values()))
    }

    /// Returns all deployments, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Deployment> {
        self.deployments.values()
    }

    /// Returns the newest deployment that ended.
    pub fn last(&self) -> Option<&Deployment> {
        self.iter().rev().find(|deployment| deployment.outcome.is_some())
    }

    /// Returns the deployments that began and never ended: they run now, or crashed.
    pub fn unfinished(&self) -> impl Iterator<Item = &Deployment> {
        self.iter().filter(|deployment| deployment.outcome.is_none())
    }

    /// Returns the deployment with this id, or with a prefix of it that no other has.
    ///
    /// # Errors
    ///
    /// The ids that match where it is not exactly one.
    pub fn find(&self, prefix: &str) -> Result<&Deployment, Vec<String>> {
        let wanted = prefix.to_ascii_uppercase();
        let found: Vec<&Deployment> = self.iter().filter(|deployment| deployment.id.starts_with(&wanted)).collect();
        match found[..] {
            [one] => Ok(one),
            _ => Err(found.iter().map(|deployment| deployment.id.clone()).collect()),
        }
    }

    /// Returns the newest deployment after one that wrote a leaf of a resource; the root is the resource as a whole.
    pub fn touched_since(&self, id: &str, address: &Address, path: &Path) -> Option<&Deployment> {
        let overlaps = |known: &Path| known.starts_with(path) || path.starts_with(known);
        let wrote = |deployment: &&Deployment| {
            let image = deployment.images.iter().find(|image| image.address == *address);
            deployment.id.as_str() > id
                && deployment.base.iter().any(|entry| entry.address == *address)
                && image.is_some_and(|image| image.paths.is_empty() || image.paths.iter().any(overlaps))
        };
        self.iter().rev().find(wrote)
    }

    /// Returns the newest deployment of a commit.
    pub fn of_commit(&self, commit: &str) -> Option<&Deployment> {
        let is_it = |deployment: &&Deployment| {
            deployment.purpose != Purpose::Baseline
                && matches!(deployment.outcome, Some(Outcome::Done))
                && deployment.commit.as_ref().is_some_and(|of| of.id == commit)
        };
        self.iter().rev().find(is_it)
    }

    /// Returns what all deployments together left; `None` where there was none.
    pub fn base(&self) -> Option<Base> {
        let mut base = Base::default();
        let mut any = false;
        for deployment in self.iter().filter(|d| matches!(d.outcome, Some(Outcome::Done | Outcome::Partial))) {
            any = true;
            for entry in &deployment.base {
                match &entry.left {
                    Some(left) => base.resources.insert(entry.address.clone(), left.clone()),
                    None => base.resources.remove(&entry.address),
                };
            }
        }
        any.then_some(base)
    }
}
