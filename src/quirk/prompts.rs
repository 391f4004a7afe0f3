//! Quirks of `prompts`.

use super::Quirk;

/// See the module.
pub(super) struct Prompts;

impl Quirk for Prompts {}
