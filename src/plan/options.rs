//! [`Options`]: what the user allows and asks for.

use crate::description::Filters;
use crate::model::{Address, AddressPattern, FingerprintKey};

/// What the user allows and asks for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Environment's name, for the plan's head.
    pub environment: String,
    /// Live resources of described kinds that are not described are deleted, where deletes are allowed.
    pub delete_undescribed: bool,
    /// Kinds whose undescribed live resources are to be deleted.
    pub prune: Vec<String>,
    /// Deletes and removals that are not asked for are left and listed instead of refused.
    pub leave_removals: bool,
    /// What the API is sure to refuse is left and listed instead of tried.
    pub leave_refused: bool,
    /// Secrets that cannot be compared are sent.
    pub send_secrets: bool,
    /// What secrets are fingerprinted with; without it they cannot be compared with what was deployed.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Only these, where any.
    pub targets: Vec<AddressPattern>,
    /// What is managed.
    pub filters: Filters,
    /// Renames: from what, to what.
    pub moved: Vec<(Address, Address)>,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: Vec<AddressPattern>,
    /// What was changed outside stays, where it is not in [`Options::overwrite`].
    pub keep_drift: bool,
}

impl Options {
    pub(super) fn covers(&self, address: &Address) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|p| p.matches(address))
    }

    /// Says whether what was changed outside stays.
    pub(super) fn keeps_drift(&self, address: &Address) -> bool {
        self.keep_drift && !self.overwrite.iter().any(|pattern| pattern.matches(address))
    }
}
