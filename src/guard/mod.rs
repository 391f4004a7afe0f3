//! Rules that can refuse a plan. One file per guard; all refusals at once.
//!
//! Only [`pass`] makes an [`ApprovedPlan`], and only `apply` takes one.

mod approval;
mod base_missing;
mod conflict;
mod delete_not_allowed;
mod drift;
mod freeze;
mod max_deletes;
mod missing_scope;
mod missing_secret;
mod policy_loosened;
mod protected;
mod reverted;
mod self_lockout;
mod system_object;
mod unreadable;
mod unresolved_marker;

use jiff::Timestamp;

use crate::change::{Action, Change, Plan, Refusal};
use crate::deployment::{History, TakenBack};
use crate::model::{Address, AddressPattern, FingerprintKey, Live, LiveKind, LiveResource};
use crate::project::Policy;
use crate::schema::Risk;

pub use base_missing::base_missing;
pub use policy_loosened::rules;

/// What the user approves for one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approved {
    /// Risks.
    pub risks: Vec<Risk>,
    /// A policy looser than the last deployment's.
    pub policy: bool,
    /// Changes that a revert took back.
    pub reverted: bool,
}

/// What guards judge by.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// The environment's policy.
    pub policy: &'a Policy,
    /// What the user approves for this run.
    pub approved: &'a Approved,
    /// Resources for which the files win over what was changed outside.
    pub overwrite: &'a [AddressPattern],
    /// What is live, for shares.
    pub live: &'a Live,
    /// Scopes of the token; `None` where nobody said.
    pub scopes: Option<&'a [String]>,
    /// Id of the client the token belongs to; `None` where nobody said.
    pub own_client: Option<&'a str>,
    /// Deployments of this tenant that are known.
    pub history: &'a History,
    /// What time it is.
    pub now: Timestamp,
    /// Id of the deployment that the tenant says it runs, where nobody here knows it.
    pub base_missing: Option<&'a str>,
    /// As auth0-deploy-cli would: nothing needs approval, and the files win every conflict.
    pub compatible: bool,
    /// The key that secrets are fingerprinted with.
    pub fingerprint_key: Option<&'a FingerprintKey>,
    /// What the deployments that a revert takes back made: address and server id, empty where the kind has none.
    pub made: &'a [(Address, String)],
    /// The plan is a revert.
    pub reverting: bool,
    /// The commit that the last revert went back from and what deploying it again would do; where no ledger tells.
    pub gone_back: Option<(&'a str, &'a [TakenBack])>,
}

impl<'a> Judgement<'a> {
    /// A judgement by policy alone: nothing approved, no deployment known, midnight of 1 January 1970.
    pub fn by_policy(policy: &'a Policy, live: &'a Live) -> Self {
        static NOTHING: Approved = Approved { risks: Vec::new(), policy: false, reverted: false };
        static NONE: History = History::none();
        Judgement {
            policy,
            approved: &NOTHING,
            overwrite: &[],
            live,
            scopes: None,
            own_client: None,
            history: &NONE,
            now: Timestamp::UNIX_EPOCH,
            base_missing: None,
            compatible: false,
            fingerprint_key: None,
            made: &[],
            reverting: false,
            gone_back: None,
        }
    }

    /// Says whether a change deletes what the reverted deployment itself made: the policy let it be made, so it lets it go again.
    fn takes_back(&self, change: &Change) -> bool {
        let is_it = |(address, id): &(Address, String)| match (&change.id, id.is_empty()) {
            (Some(live), false) => address.kind == change.address.kind && live == id,
            (_, true) => *address == change.address,
            (None, false) => false,
        };
        matches!(change.action, Action::Delete | Action::Replace) && self.made.iter().any(is_it)
    }

    /// Says whether the files win over what was changed outside.
    fn overwrites(&self, address: &Address) -> bool {
        self.overwrite.iter().any(|pattern| pattern.matches(address))
    }

    /// How many resources are live.
    fn live_count(&self) -> usize {
        let found = |kind: &LiveKind| if let LiveKind::Read(found) = kind { found.len() } else { 0 };
        self.live.kinds.values().map(found).sum()
    }

    /// Names a deployment as people type it.
    fn history_name<'id>(&self, id: &'id str) -> &'id str {
        short_id(self.history, id)
    }
}

/// Fewest characters of a deployment's id that are shown: they tell one millisecond from the next.
const SHORTEST_ID: usize = 10;

/// Returns the shortest beginning of a deployment's id that no other deployment has.
pub fn short_id<'id>(history: &History, id: &'id str) -> &'id str {
    let alone = |n: &usize| {
        let prefix = id.get(..*n);
        prefix.is_some_and(|prefix| history.iter().filter(|other| other.id != id).all(|o| !o.id.starts_with(prefix)))
    };
    let n = (SHORTEST_ID..=id.len()).find(alone).unwrap_or(id.len());
    id.get(..n).unwrap_or(id)
}

/// Finds the live resource that a change is about.
fn live_of<'a>(live: &'a Live, change: &Change) -> Option<&'a LiveResource> {
    let found = live.resources(&change.address.kind);
    match &change.id {
        Some(id) if !id.is_empty() => found.iter().find(|live| live.id == *id),
        _ => found.iter().find(|live| live.address == change.address),
    }
}

/// Most names that one sentence lists.
const MOST_NAMED: usize = 5;

/// Lists names in one sentence: the first few, and how many more.
fn listed(names: &[String]) -> String {
    let mut words: Vec<String> = names.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST_NAMED {
        words.push(format!("{} more", names.len() - MOST_NAMED));
    }
    words.join(", ")
}

/// Writes a text as one argument of a command line.
pub(crate) fn argument(text: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || "/-_.:@%+=,".contains(c);
    if text.chars().all(bare) {
        text.to_owned()
    } else if text.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}

/// A plan that no guard refuses.
#[derive(Debug, Clone)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// Asks every guard.
pub fn judge(plan: &Plan, by: Judgement<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    delete_not_allowed::judge(plan, by, &mut refusals);
    max_deletes::judge(plan, by, &mut refusals);
    protected::judge(plan, by, &mut refusals);
    approval::judge(plan, by, &mut refusals);
    conflict::judge(plan, by, &mut refusals);
    drift::judge(plan, by, &mut refusals);
    reverted::judge(plan, by, &mut refusals);
    self_lockout::judge(plan, by, &mut refusals);
    system_object::judge(plan, by, &mut refusals);
    missing_secret::judge(plan, by, &mut refusals);
    unresolved_marker::judge(plan, by, &mut refusals);
    missing_scope::judge(plan, by, &mut refusals);
    unreadable::judge(plan, by, &mut refusals);
    base_missing::judge(plan, by, &mut refusals);
    policy_loosened::judge(plan, by, &mut refusals);
    freeze::judge(plan, by, &mut refusals);
    refusals
}

/// Lets a plan pass, or returns all refusals.
///
/// # Errors
///
/// Every guard that refuses.
pub fn pass(plan: Plan, by: Judgement<'_>) -> Result<ApprovedPlan, Vec<Refusal>> {
    let refusals = judge(&plan, by);
    if refusals.is_empty() { Ok(ApprovedPlan(plan)) } else { Err(refusals) }
}

#[cfg(test)]
mod tests;
