//! What stands in a journal.

use jiff::Timestamp;

use crate::change::Action;
use crate::model::{Address, Path, Value};
use crate::schema::Verb;

/// What a journal begins with.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Id of the deployment.
    pub deployment: String,
    /// Canonical domain of the tenant.
    pub domain: String,
    /// Environment's name.
    pub environment: String,
    /// Digest of the rendered description: what is resumed has to have the same.
    pub digest: String,
    /// Version of Tenantry that writes it.
    pub tool: String,
    /// When the deployment began.
    pub started: Timestamp,
    /// Id of the key that secrets are fingerprinted with; `None` where there is none.
    pub fingerprint_key: Option<String>,
}

/// A request that is about to be sent. Secrets inside are fingerprints.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// The change it belongs to.
    pub address: Address,
    /// What becomes of the resource.
    pub action: Action,
    /// Verb.
    pub method: Verb,
    /// Path below `/api/v2`, as sent.
    pub path: String,
    /// Body; `None` for none.
    pub body: Option<Value>,
    /// It creates something: it is never sent again while in doubt.
    pub creates: bool,
    /// What its answer gives a server id to.
    pub makes: Option<Address>,
    /// With the first request of a change: every leaf the change asks for, `None` for one that goes.
    pub asked: Vec<(Path, Option<Value>)>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was done.
    Done {
        /// HTTP status.
        status: u16,
        /// Server id of what it made.
        id: Option<String>,
    },
    /// Its answer was lost, and a look at the tenant showed that it was done.
    Found {
        /// Server id of what it made.
        id: Option<String>,
    },
    /// It was refused, or failed: nothing was done.
    Failed {
        /// What happened, for people.
        why: String,
    },
    /// Nobody knows whether it was done.
    InDoubt {
        /// What happened, for people.
        why: String,
    },
    /// It was not sent.
    NotSent {
        /// Why, for people.
        why: String,
    },
}

impl Answer {
    /// Says whether it is known what became of the request.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Answer::InDoubt { .. })
    }

    /// Says whether the request was done.
    pub fn is_done(&self) -> bool {
        matches!(self, Answer::Done { .. } | Answer::Found { .. })
    }

    /// Returns the server id of what it made.
    pub fn id(&self) -> Option<&str> {
        match self {
            Answer::Done { id, .. } | Answer::Found { id } => id.as_deref(),
            _ => None,
        }
    }
}
