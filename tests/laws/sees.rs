//! The plan sees everything: an edit of any leaf, made past Tenantry, shows in the plan as exactly that path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use tenantry::apply::Outcome;
use tenantry::model::{Desired, LiveResource, Path};
use tenantry::schema::{KindSpec, Registry};

use super::edit::{At, Edited, REMOVES, at, edit, path_of, requests};
use super::shape::{Leaf, LeafKind, leaves};
use super::tenant::{Tenant, describe, describe_live, told};
use super::values::{Ids, Reach};

/// How many values are tried for a leaf.
const SALTS: usize = 5;

/// How many values that are taken and not answered are enough.
const UNANSWERED: usize = 2;

/// What became of a leaf; the best over all resources of the kind counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The edit showed as it should, and applying took it back.
    Checked,
    /// The edit showed as it should; applying would need a secret that only the description could have.
    Seen,
    /// Something is wrong.
    Wrong(String),
    /// No value was taken, or none was answered.
    Untried(String),
}

/// The tenant that every test begins with.
pub(crate) async fn fixture(kind: &str) -> Tenant {
    let tenant = Tenant::start().await;
    // Page templates and partials need a custom domain that is ready.
    let wanted = json!({"domain": "login.law.example", "type": "auth0_managed_certs"});
    let (status, domain) = tenant.raw("POST", "/custom-domains", Some(&wanted)).await;
    assert_eq!(status, 201, "{domain}");
    let path = format!("/custom-domains/{}/verify", domain["custom_domain_id"].as_str().unwrap());
    let (status, _) = tenant.raw("POST", &path, None).await;
    assert_eq!(status, 200);
    let mut json: Json = serde_yaml::from_str(include_str!("fixture.yaml")).unwrap();
    if kind != "prompts" {
        // Partials have a small rate limit of their own, which the client keeps to.
        json["prompts"].as_object_mut().unwrap().remove("partials");
    }
    tenant.deploy(&describe(&json)).await;
    tenant
}

fn ids_of(live: &tenantry::model::Live) -> Ids {
    let mut ids = Ids::new();
    for (kind, _) in &live.kinds {
        let known = live.resources(kind).iter().filter(|r| r.system.is_none());
        ids.insert(kind.clone(), known.map(|r| r.id.clone()).collect());
    }
    // What refers by a value means the identifier.
    let identifiers = live.resources("resourceServers").iter().filter(|r| r.system.is_none());
    let identifiers = identifiers.filter_map(|r| r.raw["identifier"].as_str().map(str::to_owned)).collect();
    ids.insert("resourceServers".to_owned(), identifiers);
    ids
}

struct Sight<'a> {
    tenant: &'a Tenant,
    spec: &'a KindSpec,
    ids: Ids,
    verdicts: BTreeMap<String, Verdict>,
}

impl Sight<'_> {
    fn note(&mut self, leaf: &Leaf, verdict: Verdict) {
        let slot = self.verdicts.entry(leaf.name()).or_insert_with(|| verdict.clone());
        // A failure on one resource is not made good by another.
        let rank = |v: &Verdict| match v {
            Verdict::Wrong(_) => 0,
            Verdict::Checked => 1,
            Verdict::Seen => 2,
            Verdict::Untried(_) => 3,
        };
        if rank(&verdict) < rank(slot) {
            *slot = verdict;
        }
    }

    async fn send(&self, live: &LiveResource, edited: &Edited) -> Result<(), String> {
        let requests = requests(self.spec, live, edited);
        if requests.is_empty() {
            return Err("no request writes it".to_owned());
        }
        for request in requests {
            let (status, answer) = self.tenant.raw(request.method, &request.path, request.body.as_ref()).await;
            if status >= 300 {
                return Err(format!("{} {}: {status} {}", request.method, request.path, answer["message"]));
            }
        }
        Ok(())
    }

    /// Sets whatever the resource lacks, member by member, as far as the tenant takes it.
    async fn fill(&mut self, resource: &LiveResource, leaves: &[&Leaf]) {
        let name = resource.address.name.clone();
        let mut live = resource.clone();
        for leaf in leaves.iter().filter(|l| l.exempt.is_none()) {
            let mut why = String::new();
            for reach in [Reach::All, Reach::Least] {
                let mut done = false;
                for salt in 0..SALTS {
                    let Some(edited) = edit(self.spec, name.as_deref(), &live.raw, leaf, salt, reach, &self.ids) else {
                        continue;
                    };
                    let found = at(&live.raw, &edited.at);
                    if !found.is_null() && *found != json!([]) {
                        done = true;
                        break;
                    }
                    match self.send(&live, &edited).await {
                        Ok(()) => {
                            live.raw = edited.raw;
                            done = true;
                            break;
                        }
                        Err(message) => why = message,
                    }
                }
                if done {
                    why.clear();
                    break;
                }
            }
            if !why.is_empty() {
                self.note(leaf, Verdict::Untried(why));
            }
        }
    }

    /// Changes one leaf and looks.
    async fn look(&mut self, desired: &Desired, resource: &LiveResource, leaf: &Leaf, touched: &mut bool) -> Verdict {
        let name = resource.address.name.clone();
        let mut why = "nothing to change".to_owned();
        let mut unanswered = 0;
        let tries = (0..SALTS).map(|s| (Reach::All, s)).chain((0..SALTS).map(|s| (Reach::Least, s)));
        for (reach, salt) in tries.chain([(Reach::Least, REMOVES)]) {
            let Some(edited) = edit(self.spec, name.as_deref(), &resource.raw, leaf, salt, reach, &self.ids) else {
                continue;
            };
            if leaf.kind == LeafKind::Value && at(&resource.raw, &edited.at).is_null() {
                return Verdict::Untried("no read returns it".to_owned());
            }
            if let Err(message) = self.send(resource, &edited).await {
                why = message;
                continue;
            }
            *touched = true;
            let planned = self.tenant.plan(desired).await;
            let now = planned.live.resources(&self.spec.name).iter().find(|r| same(r, resource));
            let Some(now) = now else { return Verdict::Wrong("the resource is gone".to_owned()) };
            let (found, before) = (at(&now.raw, &edited.at), at(&resource.raw, &edited.at));
            if found == before {
                why = format!("{} was taken and not answered", edited.new);
                unanswered += 1;
                if unanswered == UNANSWERED {
                    break;
                }
                continue;
            }
            let expected = match leaf.kind {
                LeafKind::Value => path_of(self.spec, &resource.value, &edited.at),
                LeafKind::Item if salt >= REMOVES => {
                    let len = before.as_array().map_or(0, Vec::len);
                    let mut place = edited.at.clone();
                    place.push(At::Index(len.saturating_sub(1)));
                    path_of(self.spec, &resource.value, &place)
                }
                LeafKind::Item => {
                    let len = found.as_array().map_or(0, Vec::len);
                    let mut place = edited.at.clone();
                    place.push(At::Index(len.saturating_sub(1)));
                    path_of(self.spec, &now.value, &place)
                }
            };
            return self.judge(desired, planned, resource, &expected).await;
        }
        Verdict::Untried(why)
    }

    async fn judge(
        &self,
        desired: &Desired,
        planned: super::tenant::Planned,
        resource: &LiveResource,
        expected: &Path,
    ) -> Verdict {
        let described: usize = desired.kinds.values().map(|k| k.resources.len()).sum();
        let changed: BTreeSet<(String, Path)> = planned
            .plan
            .changes
            .iter()
            .flat_map(|c| c.fields.iter().map(|f| (c.address.to_string(), f.path.clone())))
            .collect();
        let wanted = BTreeSet::from([(resource.address.to_string(), expected.clone())]);
        if changed != wanted {
            return Verdict::Wrong(format!("expected {expected}, the plan says {:?}", told(&planned.plan)));
        }
        if planned.plan.unchanged.len() != described - 1 {
            let (found, wanted) = (planned.plan.unchanged.len(), described - 1);
            return Verdict::Wrong(format!("{found} of {wanted} are unchanged"));
        }
        if planned.plan.changes.iter().any(|c| !c.missing_secrets.is_empty()) {
            // Nobody but the described secret could: the plan says so, and that is all there is to check.
            return Verdict::Seen;
        }
        let report = self.tenant.apply(planned).await;
        if let Some((_, _, outcome)) = report.changes.iter().find(|(_, _, o)| *o != Outcome::Done) {
            return Verdict::Wrong(format!("taking {expected} back: {outcome:?}"));
        }
        let after = self.tenant.plan(desired).await;
        if after.plan.has_changes() {
            return Verdict::Wrong(format!("after apply: {:?}", told(&after.plan)));
        }
        Verdict::Checked
    }
}

fn same(a: &LiveResource, b: &LiveResource) -> bool {
    if b.id.is_empty() { a.address == b.address } else { a.id == b.id }
}

/// Checks one kind. `least` is the share of leaves, in percent, that have to be checked; `known` are leaves that are not,
/// with the reason.
pub(crate) async fn sees(kind: &str, least: usize, known: &[(&str, &str)]) {
    let tenant = fixture(kind).await;
    let spec = Registry::get().kind(kind).unwrap();
    let others: BTreeSet<String> = Registry::get().names().filter(|k| *k != "prompts").map(str::to_owned).collect();
    let (live, _) = tenant.read_whole(&others).await;
    let leaves = leaves(spec);
    let mut sight = Sight { tenant: &tenant, spec, ids: ids_of(&live), verdicts: BTreeMap::new() };
    let only = BTreeSet::from([kind.to_owned()]);
    let (live, _) = tenant.read_whole(&only).await;
    for (n, resource) in live.resources(kind).iter().filter(|r| r.system.is_none()).enumerate() {
        // Members that exclude each other: in one resource the first ones win, in the next the last ones.
        let order: Vec<&Leaf> = if n % 2 == 0 { leaves.iter().collect() } else { leaves.iter().rev().collect() };
        sight.fill(resource, &order).await;
    }
    let (live, _) = tenant.read_whole(&only).await;
    let desired = describe_live(&live, &only);
    let planned = tenant.plan(&desired).await;
    assert!(!planned.plan.has_changes(), "what is live is planned to change: {:#?}", told(&planned.plan));
    let live = planned.live;
    let mut state = tenant.control("GET", "state", &Json::Null).await;
    // The log of what filled the tenant is most of it.
    if let Some(log) = state.get_mut("logs") {
        *log = json!([]);
    }
    let mut done: BTreeSet<String> = BTreeSet::new();
    for resource in live.resources(kind).iter().filter(|r| r.system.is_none()) {
        for leaf in leaves.iter().filter(|l| l.exempt.is_none()) {
            if done.contains(&leaf.name()) {
                continue;
            }
            let mut touched = false;
            let verdict = sight.look(&desired, resource, leaf, &mut touched).await;
            if matches!(verdict, Verdict::Checked | Verdict::Seen) {
                done.insert(leaf.name());
            }
            if touched && verdict != Verdict::Checked {
                tenant.control("PUT", "state", &state).await;
            }
            sight.note(leaf, verdict);
        }
    }
    report(kind, least, known, &leaves, &sight.verdicts);
}

fn report(kind: &str, least: usize, known: &[(&str, &str)], leaves: &[Leaf], verdicts: &BTreeMap<String, Verdict>) {
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    let (mut checked, mut exempt, mut listed) = (0, 0, 0);
    for leaf in leaves {
        let name = leaf.name();
        let why = known.iter().find(|(pattern, _)| *pattern == name);
        match (leaf.exempt, verdicts.get(&name), why) {
            (Some(_), _, _) => exempt += 1,
            (None, Some(Verdict::Checked | Verdict::Seen), None) => checked += 1,
            (None, Some(Verdict::Checked | Verdict::Seen), Some(_)) => {
                wrong.push(format!("{name} is seen: take it off the table"))
            }
            (None, _, Some(_)) => listed += 1,
            (None, Some(Verdict::Wrong(message)), None) => wrong.push(format!("{name}: {message}")),
            (None, Some(Verdict::Untried(message)), None) => lines.push(format!("{name}: {message}")),
            (None, None, None) => lines.push(format!("{name}: never tried")),
        }
    }
    let total = leaves.len();
    println!(
        "{kind}: {total} leaves, {checked} checked, {exempt} exempt by rule, {listed} in the table, {} not",
        lines.len()
    );
    for line in &lines {
        println!("    {line}");
    }
    assert!(wrong.is_empty(), "{kind}:\n{}", wrong.join("\n"));
    let share = checked * 100 / (total - exempt).max(1);
    assert!(share >= least, "{kind}: {share} % of the leaves are checked, {least} % should be");
}
