//! The states a plan compares: [`Desired`] from the files, [`Live`] from the tenant.
//!
//! Both hold values in the form people write them (references as names), so that they can be compared.

use std::fmt;

use indexmap::IndexMap;

use super::address::Address;
use super::hidden::Hidden;
use super::locus::{Loci, Locus};
use super::value::Value;

/// The description after substitution and validation, for one environment.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// Described kinds by name. A kind that is absent is not managed; an empty one asks for nothing of it to be there.
    pub kinds: IndexMap<String, DescribedKind>,
}

/// One described kind.
#[derive(Debug, Clone, Default)]
pub struct DescribedKind {
    /// Where the kind is described: its key in the single file, or its folder.
    pub locus: Option<Locus>,
    /// Its resources.
    pub resources: Vec<Described>,
}

/// One described resource.
#[derive(Clone)]
pub struct Described {
    /// How people name it.
    pub address: Address,
    /// Server id, where the description gives one.
    pub id: Option<String>,
    /// Its members: an object; a list or scalar is never at the root.
    pub value: Value,
    /// Where its values stand.
    pub loci: Loci,
}

impl fmt::Debug for Described {
    /// Without the value: a secret that somebody wrote into a file is text in it until a plan is made.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Described { address, id, value: _, loci } = self;
        f.debug_struct("Described")
            .field("address", address)
            .field("id", id)
            .field("loci", loci)
            .finish_non_exhaustive()
    }
}

/// What the Management API says now.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Kinds that were read, by name.
    pub kinds: IndexMap<String, LiveKind>,
    /// Canonical domain of the tenant.
    pub domain: String,
}

/// What was found of one kind.
#[derive(Debug, Clone)]
pub enum LiveKind {
    /// It could be read; resources in the API's order.
    Read(Vec<LiveResource>),
    /// It could not: neither present nor absent.
    Unavailable(Unavailable),
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// The token lacks a scope (any of these would do).
    Scope(Vec<String>),
    /// The subscription or tenant lacks the feature; the API's words.
    Feature(String),
}

/// One live resource.
#[derive(Debug, Clone)]
pub struct LiveResource {
    /// How people name it.
    pub address: Address,
    /// Server id; empty for singletons.
    pub id: String,
    /// Its members in the form people write them.
    pub value: Value,
    /// The API's own object, for overlaying what a write replaces whole.
    pub raw: Hidden<serde_json::Value>,
    /// It belongs to Auth0 or to the deployer and is never changed or deleted; why.
    pub system: Option<String>,
    /// Members that could not be read, and why.
    pub unreadable: Vec<(String, Unavailable)>,
}

impl Live {
    /// Returns the live resources of a kind; none where it could not be read.
    pub fn resources(&self, kind: &str) -> &[LiveResource] {
        match self.kinds.get(kind) {
            Some(LiveKind::Read(resources)) => resources,
            _ => &[],
        }
    }
}
