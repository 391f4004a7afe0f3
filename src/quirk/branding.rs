//! Quirks of `branding`.

use super::Quirk;

/// See the module.
pub(super) struct Branding;

impl Quirk for Branding {}
