//! Connections: groups of a directory that no directory can have.

use super::Quirk;
use crate::model::{Described, Desired, Live};

/// See the module.
pub(super) struct Connections;

impl Quirk for Connections {
    /// Group ids are letters and digits (API description, PUT /connections/{id}/directory-provisioning/synchronized-groups).
    fn refused(&self, connection: &Described, _desired: &Desired, _live: &Live) -> Option<String> {
        let groups = connection.value.get("directory_provisioning_configuration")?.get("synchronized_groups")?;
        let ids = groups.as_array()?.iter().filter_map(|group| group.get("id")?.as_str());
        let wrong = ids.into_iter().find(|id| !id.chars().all(|c| c.is_ascii_alphanumeric()))?;
        Some(format!("because {wrong} is no id of a group in Google Workspace"))
    }
}
