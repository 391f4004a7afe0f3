//! Client grants: with all scopes allowed there is no list of scopes.

use super::Quirk;
use crate::model::{Map, Value};

/// See the module.
pub(super) struct ClientGrants;

impl Quirk for ClientGrants {
    /// The API returns an empty list then and refuses one that is not.
    fn canonical(&self, members: &mut Map) {
        if members.get("allow_all_scopes").and_then(Value::as_bool) == Some(true) {
            members.shift_remove("scope");
        }
    }
}
