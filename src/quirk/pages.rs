//! Quirks of `pages`.

use super::Quirk;

/// See the module.
pub(super) struct Pages;

impl Quirk for Pages {}
