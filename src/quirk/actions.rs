//! Quirks of `actions`.

use super::Quirk;

/// See the module.
pub(super) struct Actions;

impl Quirk for Actions {}
