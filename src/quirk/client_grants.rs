//! Client grants: with all scopes allowed there is no list of scopes.

use super::Quirk;
use crate::model::{Described, Desired, Live, Map, Value};

/// See the module.
pub(super) struct ClientGrants;

impl Quirk for ClientGrants {
    /// The API returns an empty list then and refuses one that is not.
    fn canonical(&self, members: &mut Map) {
        if members.get("allow_all_scopes").and_then(Value::as_bool) == Some(true) {
            members.shift_remove("scope");
        }
    }

    /// A grant holds only scopes that its API has (API description, POST /client-grants).
    fn refused(&self, grant: &Described, desired: &Desired, live: &Live) -> Option<String> {
        let audience = grant.value.get("audience")?.as_str()?;
        let is_it = |api: &Value| api.get("identifier").and_then(Value::as_str) == Some(audience);
        let described = desired.kinds.get("resourceServers").into_iter().flat_map(|kind| &kind.resources);
        let here = described.map(|api| &api.value).find(|api| is_it(api)).and_then(|api| api.get("scopes"));
        let there = live.resources("resourceServers").iter().find(|api| is_it(&api.value));
        let scopes = here.or_else(|| there?.value.get("scopes"))?.as_array()?;
        let has = |scope: &str| scopes.iter().any(|s| s.get("value").and_then(Value::as_str) == Some(scope));
        let lacks = grant.value.get("scope")?.as_array()?.iter().filter_map(Value::as_str).find(|scope| !has(scope))?;
        Some(format!("because {audience} does not define the scope {lacks}"))
    }
}
