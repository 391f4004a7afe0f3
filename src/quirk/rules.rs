//! Quirks of `rules`.

use super::Quirk;

/// See the module.
pub(super) struct Rules;

impl Quirk for Rules {}
