//! A site whose every write is noted on its way, and what is said about plans.

use std::collections::BTreeSet;
use std::ops::Deref;

use tenantry::apply::{self, Report};
use tenantry::change::Plan;
use tenantry::model::{DescribedKind, Desired, Live, Value};
use tenantry::plan;
use tenantry::sandbox::Options;
use tenantry::schema::Registry;
use tokio_util::sync::CancellationToken;

use super::front::Front;
use super::site::Site;
pub(crate) use super::site::{Planned, describe, described};

pub(crate) struct Tenant {
    site: Site,
    pub(crate) front: Front,
}

impl Deref for Tenant {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Tenant {
    pub(crate) async fn start() -> Tenant {
        let mut site = Site::with(Options { rate: None, ..Options::default() }).await;
        let front = enter(&mut site).await;
        Tenant { site, front }
    }

    /// Begins anew after a run that was cancelled.
    pub(crate) async fn reconnect(&mut self) {
        self.front = enter(&mut self.site).await;
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> Planned {
        self.site.plan_of(desired, &plan::Options::default()).await
    }

    /// Applies a plan that nothing speaks against.
    pub(crate) async fn apply(&self, planned: Planned) -> Report {
        self.site.apply(planned, None, None, &self.site.settings()).await
    }

    /// Brings the tenant to what is described.
    pub(crate) async fn deploy(&self, desired: &Desired) {
        let planned = self.plan(desired).await;
        let report = self.apply(planned).await;
        let failed: Vec<_> = report
            .changes
            .iter()
            .filter(|(_, _, outcome)| *outcome != apply::Outcome::Done)
            .map(|(address, action, outcome)| format!("{} {address}: {outcome:#?}", action.as_str()))
            .collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}

/// Connects through a front of its own.
async fn enter(site: &mut Site) -> Front {
    let cancel = CancellationToken::new();
    let front = Front::start(site.running.url.clone(), cancel.clone()).await;
    site.reconnect(&front.url, cancel).await;
    front
}

/// Says what a plan would do, for messages.
pub(crate) fn told(plan: &Plan) -> Vec<String> {
    let mut out = Vec::new();
    for change in &plan.changes {
        out.push(format!("{} {}", change.action.as_str(), change.address));
        for field in &change.fields {
            let shown = |v: &Option<Value>| v.as_ref().map_or_else(|| "-".to_owned(), |v| v.redacted().to_string());
            out.push(format!("    {}: {} → {}", field.path, shown(&field.diff.before), shown(&field.diff.after)));
        }
    }
    out
}

/// Describes what is live of some kinds, by id, except what is never touched.
pub(crate) fn describe_live(live: &Live, kinds: &BTreeSet<String>) -> Desired {
    let mut desired = Desired::default();
    for kind in kinds {
        let spec = Registry::get().kind(kind).unwrap();
        let resources = live
            .resources(kind)
            .iter()
            .filter(|resource| resource.system.is_none())
            .map(|resource| described(spec, resource.value.clone(), Some(resource.id.clone())))
            .collect();
        desired.kinds.insert(kind.clone(), DescribedKind { locus: None, resources });
    }
    desired
}
