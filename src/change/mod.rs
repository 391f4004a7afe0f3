//! What a plan is made of: the vocabulary of planning, guarding, applying and rendering.

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::codec::Body;
use crate::model::{Address, Diff, Locus, Path, Unavailable, Value};
use crate::problem::Problem;
use crate::schema::{Risk, Verb};

pub use facts::{Author, Blame, Certainty, Effect, Facts, Question};

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and made anew, because a field cannot be changed.
    Replace,
    /// It is deleted.
    Delete,
}

impl Action {
    /// Returns the word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
        }
    }
}

/// What a difference is called, by the table of `plan::decide`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// The files changed since the last deployment.
    Change,
    /// The tenant changed outside.
    Drift,
    /// Both changed, to different values.
    Conflict,
    /// No deployment is known that could tell.
    Unknown,
}

impl Origin {
    /// Returns the word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Change => "change",
            Origin::Drift => "drift",
            Origin::Conflict => "conflict",
            Origin::Unknown => "unknown origin",
        }
    }
}

/// How a field's difference is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// One value for another.
    Value,
    /// An item of a set or of a keyed list came or went.
    Item,
    /// Text or code: shown as a diff.
    Text,
    /// A secret: values are never shown.
    Secret,
}

/// One difference inside a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where.
    pub path: Path,
    /// From what to what.
    pub diff: Diff<Value>,
    /// How to read it.
    pub how: How,
    /// Whose it is.
    pub origin: Origin,
    /// How dangerous it is.
    pub risk: Risk,
    /// What people rely on here.
    pub why: Option<String>,
    /// Where the description says so.
    pub locus: Option<Locus>,
    /// The API cannot change it in place.
    pub forces_replace: bool,
}

/// Waiting between two requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Read until a member has a value; another value means it never will.
    Until {
        /// Path read, with `{id}`.
        path: String,
        /// Member looked at.
        member: String,
        /// Value waited for.
        value: String,
        /// Value that means failure.
        failed: String,
    },
    /// Repeat the delete until the API says there is nothing left (204 instead of 202).
    Gone,
}

/// One request of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Verb.
    pub method: Verb,
    /// Path below `/api/v2`; `{id}` stands for the resource's server id until it is known, `{ref:KIND:NAME}` for another's.
    pub path: String,
    /// Body; `None` for none.
    pub body: Option<Body>,
    /// Waiting before it is sent.
    pub before: Option<Wait>,
    /// Waiting after it was answered.
    pub after: Option<Wait>,
    /// The answer's member with the server id, for steps that make something; kept under kind and name.
    pub makes: Option<(String, String, String)>,
    /// It creates something: sent once, never again while in doubt.
    pub creates: bool,
    /// A 404 means it was done already.
    pub absent_ok: bool,
}

impl Step {
    /// A request without waits.
    pub fn new(method: Verb, path: impl Into<String>, body: Option<Body>) -> Self {
        Step {
            method,
            path: path.into(),
            body,
            before: None,
            after: None,
            makes: None,
            creates: false,
            absent_ok: method == Verb::Delete,
        }
    }
}

/// What happens to one resource.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which.
    pub address: Address,
    /// Its server id, where it exists.
    pub id: Option<String>,
    /// What.
    pub action: Action,
    /// Whose a create, replace or delete is; an update is told field by field.
    pub origin: Origin,
    /// Field by field; for create and delete every leaf.
    pub fields: Vec<FieldChange>,
    /// The worst of action and fields.
    pub risk: Risk,
    /// Why it is dangerous, or is done at all; for people only.
    pub reasons: Vec<String>,
    /// What the API deletes along.
    pub cascades: Vec<Address>,
    /// Where it is described.
    pub locus: Option<Locus>,
    /// Requests, in order.
    pub steps: Vec<Step>,
    /// Changes that come first although no reference says so.
    pub waits_for: Vec<Address>,
    /// Changes that come first, as indexes into [`Plan::changes`].
    pub after: Vec<usize>,
    /// Secrets this change has to send and nobody has.
    pub missing_secrets: Vec<String>,
}

impl Change {
    /// A change that differs in nothing and sends nothing yet.
    pub fn new(address: Address, action: Action) -> Self {
        Change {
            address,
            id: None,
            action,
            origin: Origin::Unknown,
            fields: Vec::new(),
            risk: Risk::Safe,
            reasons: Vec::new(),
            cascades: Vec::new(),
            locus: None,
            steps: Vec::new(),
            waits_for: Vec::new(),
            after: Vec::new(),
            missing_secrets: Vec::new(),
        }
    }
}

/// Something that differs and is left as it is.
#[derive(Debug, Clone)]
pub struct Left {
    /// Which resource.
    pub address: Address,
    /// Field by field; empty for a delete left undone.
    pub fields: Vec<FieldChange>,
    /// Why it is left.
    pub why: Kept,
}

/// Why a difference is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Deletes of the kind, or removals, are not allowed.
    DeleteNotAllowed,
    /// It belongs to Auth0.
    System(String),
    /// The deployer stands on it.
    Own,
    /// Live resources share the identity.
    Ambiguous(Vec<String>),
    /// It can be set on create only.
    CreateOnly,
    /// It can never change, and a replace would lose data.
    Fixed,
    /// It refers to a resource of a kind that Tenantry does not know yet: kind and name.
    Foreign(String, String),
    /// The API is sure to refuse it: why.
    Refused(String),
    /// Somebody changed it outside, and policy says that this stays.
    Drift,
}

/// Live resources that are not described.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unmanaged {
    /// Kinds the description does not speak of.
    pub kinds: Vec<String>,
    /// Resources of described kinds that were never ours.
    pub resources: Vec<Address>,
}

/// Why a plan may not be applied.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Stable id of the guard.
    pub guard: &'static str,
    /// What it is about.
    pub address: Option<Address>,
    /// What is wrong, and the way through.
    pub problem: Problem,
}

/// What applying costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// Requests that write.
    pub requests: usize,
    /// Longest chain of requests that wait for each other.
    pub depth: usize,
}

/// Numbers at the end of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Changes by action.
    pub actions: BTreeMap<Action, usize>,
    /// Described resources that are as they should be.
    pub unchanged: usize,
    /// Secrets that cannot be compared.
    pub secrets: usize,
    /// Resources with drift.
    pub drifted: usize,
}

/// What would be done, and everything worth knowing before.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Environment; empty in compatibility mode.
    pub environment: String,
    /// Canonical tenant domain.
    pub domain: String,
    /// Changes in an order that respects [`Change::after`].
    pub changes: Vec<Change>,
    /// Differences left as they are.
    pub left: Vec<Left>,
    /// What is live but not described.
    pub unmanaged: Unmanaged,
    /// Secrets that cannot be compared: address and path.
    pub secrets: Vec<(Address, Path, String)>,
    /// Kinds, or members of a resource, that could not be read.
    pub unreadable: Vec<(String, Unavailable)>,
    /// Kinds left out because the tenant lacks the feature, with the number of described resources.
    pub skipped: IndexMap<String, (String, usize)>,
    /// Described resources that are as they should be.
    pub unchanged: Vec<Address>,
    /// Warnings and notes.
    pub notes: Vec<Problem>,
    /// What applying costs.
    pub forecast: Forecast,
    /// Whether a deployment of this tenant is known, so that change can be told from drift.
    pub has_base: bool,
    /// Somebody already did what the description asks: no write, the base moves at the next apply.
    pub already: Vec<(Address, Path)>,
    /// Described at the last deployment and no longer: live stays as it is.
    pub released: Vec<(Address, Path)>,
    /// What the plan wants to know before guards judge it.
    pub questions: Vec<Question>,
    /// The answers.
    pub facts: Facts,
}

impl Plan {
    /// Returns the numbers at the end.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unchanged: self.unchanged.len(), secrets: self.secrets.len(), ..Counts::default() };
        for change in &self.changes {
            *counts.actions.entry(change.action).or_default() += 1;
        }
        let outside = |origin: Origin| matches!(origin, Origin::Drift | Origin::Conflict);
        let drifted = self
            .changes
            .iter()
            .filter(|change| outside(change.origin) || change.fields.iter().any(|field| outside(field.origin)));
        let kept = self.left.iter().filter(|left| left.why == Kept::Drift).map(|left| &left.address);
        counts.drifted = drifted.map(|change| &change.address).chain(kept).collect::<BTreeSet<_>>().len();
        counts
    }

    /// Says whether a write is due.
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Checks the planner's own output: references before dependents, no address twice, every change writes.
    ///
    /// # Errors
    ///
    /// Returns what is wrong; a bug.
    pub fn valid(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for (n, change) in self.changes.iter().enumerate() {
            if !seen.insert(&change.address) {
                return Err(format!("{} stands twice", change.address));
            }
            if let Some(late) = change.after.iter().find(|before| **before >= n) {
                return Err(format!("{} waits for {late}, which comes later", change.address));
            }
            if change.steps.is_empty() && change.missing_secrets.is_empty() {
                return Err(format!("{} writes nothing", change.address));
            }
        }
        Ok(())
    }
}
