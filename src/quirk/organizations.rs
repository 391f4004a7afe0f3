//! Quirks of `organizations`.

use super::Quirk;

/// See the module.
pub(super) struct Organizations;

impl Quirk for Organizations {}
