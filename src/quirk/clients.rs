//! Quirks of `clients`.

use super::Quirk;

/// See the module.
pub(super) struct Clients;

impl Quirk for Clients {}
