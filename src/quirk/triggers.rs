//! Quirks of `triggers`.

use super::Quirk;

/// See the module.
pub(super) struct Triggers;

impl Quirk for Triggers {}
