//! temporary
use crate::change::Plan;
use crate::deployment::{BaseEntry, Image};
use crate::model::*;
use crate::schema::Registry;
/// temporary
pub fn base_after(registry: &Registry, desired: &Desired, live: &Live, before: Option<&Base>, done: &dyn Fn(&Address) -> bool, key: Option<&FingerprintKey>) -> Vec<BaseEntry> {
    let _ = registry;
    let mut out = Vec::new();
    for (kind, d) in &desired.kinds {
        for r in &d.resources {
            if !done(&r.address) { continue; }
            if let Some(l) = live.resources(kind).iter().find(|l| l.address == r.address) {
                let left = BaseResource { id: l.id.clone(), desired: r.value.fingerprinted(key), live: l.value.fingerprinted(key) };
                if before.and_then(|b| b.resources.get(&r.address)) != Some(&left) { out.push(BaseEntry { address: r.address.clone(), left: Some(left) }); }
            }
        }
    }
    for a in before.into_iter().flat_map(|b| b.resources.keys()) {
        if live.kinds.contains_key(&a.kind) && !live.resources(&a.kind).iter().any(|l| l.address == *a) { out.push(BaseEntry { address: a.clone(), left: None }); }
    }
    out
}
/// temporary
pub fn images(plan: &Plan, live: &Live, key: Option<&FingerprintKey>) -> Vec<Image> {
    plan.changes.iter().map(|c| {
        let l = live.resources(&c.address.kind).iter().find(|l| Some(&l.id) == c.id.as_ref());
        Image { address: c.address.clone(), id: c.id.clone().unwrap_or_default(), value: l.map(|l| l.value.fingerprinted(key)), paths: if c.action == crate::change::Action::Update { c.fields.iter().map(|f| f.path.clone()).collect() } else { Vec::new() } }
    }).collect()
}
