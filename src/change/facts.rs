//! What a plan asks and the tenant, its log and the repository answer: who changed it, how many users it hits.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Address, Path};
use crate::problem::Problem;

/// Something a plan wants to know and cannot tell by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Who changed these fields of a live resource since the last deployment; none for the resource as a whole (it was
    /// deleted, or made anew).
    WhoOutside(Address, Vec<Path>),
    /// Who wrote these lines of the description: file and line, 1-based.
    WhoWrote(Arc<str>, u32),
    /// How many users and resources a change hits.
    HowMany(Address),
}

/// How sure a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// An entry of the tenant's log holds the field.
    Exact,
    /// An entry wrote the resource; whether the field was among it is not known.
    ResourceOnly,
    /// No entry: retention, scope, lag.
    Unknown,
}

impl Certainty {
    /// Returns the word for people and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Exact => "exact",
            Certainty::ResourceOnly => "resource only",
            Certainty::Unknown => "unknown",
        }
    }
}

/// Who changed something outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    /// How sure it is.
    pub certainty: Certainty,
    /// E-mail or name of a person, else the name or id of a client.
    pub who: Option<String>,
    /// From where: `dashboard`, `API`, a tool's name.
    pub through: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Id of the log entry.
    pub log_id: Option<String>,
    /// Why nobody is named, or what else is worth knowing.
    pub note: Option<String>,
}

/// Who wrote a line of the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Commit, 7 digits; `None` where the line is not committed yet.
    pub commit: Option<String>,
}

/// How many a change hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// How many; `None` where the API cannot tell.
    pub count: Option<u64>,
    /// There are at least so many.
    pub at_least: bool,
    /// The whole sentence: `12,431 users are deleted with it`.
    pub text: String,
}

/// The answers to a plan's questions.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Their side: per resource and field; the root path for the resource as a whole.
    pub outside: BTreeMap<Address, BTreeMap<Path, Blame>>,
    /// For a revert: leaves that no stranger but a later deployment of ours moved, with its id; the root path for the resource as a
    /// whole.
    pub later: BTreeMap<(Address, Path), String>,
    /// Our side: per file and line.
    pub ours: BTreeMap<(Arc<str>, u32), Author>,
    /// Blast radius.
    pub effects: BTreeMap<Address, Vec<Effect>>,
    /// What could not be answered, and why.
    pub notes: Vec<Problem>,
    /// Requests spent on it.
    pub requests: usize,
}
