//! [`Base`]: what the last deployments left of a tenant.

use std::collections::BTreeMap;

use super::address::Address;
use super::value::Value;

/// What the last deployments left of one tenant, per address. Secrets inside are fingerprints.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Base {
    /// Resources that a deployment made, changed or found as described.
    pub resources: BTreeMap<Address, BaseResource>,
}

/// What the last deployment left of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseResource {
    /// Server id; empty for singletons, and where only the files of then are known.
    pub id: String,
    /// The resource as described then.
    pub desired: Value,
    /// The resource as read back after it.
    pub live: Value,
}
