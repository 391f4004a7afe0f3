//! Organizations: a client grant is linked by its id and described by its client (and API).

use indexmap::IndexMap;

use super::{Quirk, Write};
use crate::change::Step;
use crate::codec::Body;
use crate::model::{Desired, Live, Map, Value};
use crate::schema::Verb;

/// See the module.
pub(super) struct Organizations;

const GRANTS: &str = "client_grants";

impl Quirk for Organizations {
    fn needs(&self) -> &'static [&'static str] {
        &["clientGrants", "clients"]
    }

    /// A described client stands for the grants of it that are linked already, else for its first grant.
    fn complete(&self, desired: &mut Desired, live: &Live) {
        let audiences = |client: &str| -> Vec<Value> {
            let described = desired.kinds.get("clientGrants").into_iter().flat_map(|k| &k.resources).map(|r| &r.value);
            let lived = live.resources("clientGrants").iter().map(|r| &r.value);
            let of_client = |value: &&Value| value.get("client_id").and_then(Value::as_str) == Some(client);
            described.chain(lived).filter(of_client).filter_map(|value| value.get("audience").cloned()).collect()
        };
        let mut filled: Vec<(usize, Vec<Value>)> = Vec::new();
        for (n, resource) in desired.kinds.get("organizations").into_iter().flat_map(|k| &k.resources).enumerate() {
            let Some(Value::Array(grants)) = resource.value.get(GRANTS) else { continue };
            let linked = live.resources("organizations").iter().find(|o| o.address.name == resource.address.name);
            let linked = linked.and_then(|o| o.value.get(GRANTS)).and_then(Value::as_array).unwrap_or_default();
            let mut items = Vec::new();
            for grant in grants {
                let client = grant.get("client_id").and_then(Value::as_str).unwrap_or_default();
                if grant.get("audience").is_some() {
                    items.push(grant.clone());
                    continue;
                }
                let there: Vec<Value> = linked
                    .iter()
                    .filter(|l| l.get("client_id").and_then(Value::as_str) == Some(client))
                    .cloned()
                    .collect();
                if there.is_empty() {
                    let mut members = grant.as_object().cloned().unwrap_or_default();
                    if let Some(audience) = audiences(client).into_iter().next() {
                        members.insert("audience".to_owned(), audience);
                    }
                    items.push(Value::Object(members));
                } else {
                    items.extend(there);
                }
            }
            filled.push((n, items));
        }
        let Some(described) = desired.kinds.get_mut("organizations") else { return };
        for (n, items) in filled {
            if let Some(Value::Object(members)) = described.resources.get_mut(n).map(|r| &mut r.value) {
                members.insert(GRANTS.to_owned(), Value::Array(items));
            }
        }
    }

    /// The audience is written only where the client has several grants in the list.
    fn written(&self, members: &mut Map) {
        let Some(Value::Array(grants)) = members.get_mut(GRANTS) else { return };
        let clients: Vec<Option<Value>> = grants.iter().map(|g| g.get("client_id").cloned()).collect();
        for grant in grants.iter_mut().filter_map(Value::as_object_mut) {
            if clients.iter().filter(|c| c.as_ref() == grant.get("client_id")).count() == 1 {
                grant.shift_remove("audience");
            }
        }
    }

    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let path = "/organizations/{id}/client-grants";
        let Some(at) = steps.iter().position(|s| s.path == path && s.method == Verb::Post) else { return };
        steps.retain(|s| s.path != path || s.method != Verb::Post);
        let list = |members: &Map| members.get(GRANTS).and_then(Value::as_array).unwrap_or_default().to_vec();
        let (wanted, found) = (list(write.desired), list(write.live));
        let same =
            |a: &Value, b: &Value| a.get("client_id") == b.get("client_id") && a.get("audience") == b.get("audience");
        for (n, grant) in wanted.iter().filter(|w| !found.iter().any(|f| same(w, f))).enumerate() {
            let text = |member: &str| grant.get(member).and_then(Value::as_str).unwrap_or_default();
            let name = format!("{} → {}", text("client_id"), text("audience"));
            let id = Body::Ref { kinds: vec!["clientGrants".to_owned()], name };
            let body = Body::Object(IndexMap::from_iter([("grant_id".to_owned(), id)]));
            steps.insert(at + n, Step::new(Verb::Post, path, Some(body)));
        }
    }
}
