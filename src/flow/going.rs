//! What goes is read whole before it goes: taking it back needs what nobody described.

use crate::api::Client;
use crate::change::{Action, Plan};
use crate::live::{Reach, read};
use crate::model::{Address, Described, Desired, Live, LiveKind, LiveResource, Loci, Path, Segment, Value};
use crate::problem::Problem;
use crate::schema::{KindSpec, PartStep, Registry};

/// Returns the tenant with everything in full that a plan deletes, replaces or takes along. What hangs behind endpoints of its own
/// (permissions of a role, links of an organization) is else read only where it is described. `None` where nothing of that sort goes.
///
/// # Errors
///
/// As [`read`].
pub(super) async fn whole(client: &Client, plan: &Plan, live: &Live) -> Result<Option<Live>, Problem> {
    let registry = Registry::get();
    let going = going(registry, plan, live);
    if going.kinds.is_empty() {
        return Ok(None);
    }
    let (found, _) = read(client, registry, Reach::Described(&going)).await?;
    let mut out = live.clone();
    for (kind, described) in &going.kinds {
        let (Some(LiveKind::Read(known)), full) = (out.kinds.get_mut(kind), found.resources(kind)) else { continue };
        let is_going =
            |resource: &LiveResource| described.resources.iter().any(|d| d.id.as_ref() == Some(&resource.id));
        for resource in known.iter_mut().filter(|resource| is_going(resource)) {
            if let Some(full) = full.iter().find(|full| full.id == resource.id) {
                *resource = full.clone();
            }
        }
    }
    Ok(Some(out))
}

/// Describes everything of what goes, as far as it hangs behind endpoints of its own.
fn going(registry: &Registry, plan: &Plan, live: &Live) -> Desired {
    let goes = |action: Action| matches!(action, Action::Delete | Action::Replace);
    let direct = plan.changes.iter().filter(|change| goes(change.action)).map(|change| &change.address);
    let along = plan.changes.iter().flat_map(|change| &change.cascades);
    let mut out = Desired::default();
    for address in direct.chain(along) {
        let Some(spec) = registry.kind(&address.kind) else { continue };
        let found = live.resources(&spec.name).iter().find(|resource| resource.address == *address);
        let Some(found) = found.filter(|found| !found.id.is_empty()) else { continue };
        if let Some(described) = everything(spec, address, found) {
            out.kinds.entry(spec.name.clone()).or_default().resources.push(described);
        }
    }
    out
}

/// Describes as empty what hangs behind endpoints of its own; `None` where nothing does.
fn everything(spec: &KindSpec, address: &Address, live: &LiveResource) -> Option<Described> {
    let mut value = Value::object();
    for (path, _) in spec.subs() {
        put(&mut value, &path, &live.value);
    }
    let members = value.as_object_mut()?;
    for part in &spec.parts {
        if let [PartStep::Key(member)] = part.at.as_slice() {
            members.entry(member.clone()).or_insert_with(Value::object);
        }
    }
    let something = !members.is_empty() || spec.detail;
    let described = Described { address: address.clone(), id: Some(live.id.clone()), value, loci: Loci::default() };
    something.then_some(described)
}

/// Puts an empty list at a path, where live holds what is above it.
fn put(value: &mut Value, path: &Path, live: &Value) {
    let mut here = value;
    let mut there = Some(live);
    for (n, segment) in path.0.iter().enumerate() {
        let (Segment::Key(key), Some(members), Some(above)) = (segment, here.as_object_mut(), there) else { return };
        if n + 1 == path.0.len() {
            members.insert(key.clone(), Value::Array(Vec::new()));
            return;
        }
        if above.get(key).is_none() {
            return;
        }
        there = above.get(key);
        here = members.entry(key.clone()).or_insert_with(Value::object);
    }
}
