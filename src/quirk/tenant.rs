//! Quirks of `tenant`.

use super::Quirk;

/// See the module.
pub(super) struct Tenant;

impl Quirk for Tenant {}
