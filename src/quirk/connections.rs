//! Quirks of `connections`.

use super::Quirk;

/// See the module.
pub(super) struct Connections;

impl Quirk for Connections {}
