//! The plan sees everything: an edit of any leaf, made past Tenantry, shows in the plan as exactly that path.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use tenantry::apply::Outcome;
use tenantry::model::{Desired, LiveResource, Path, Value};
use tenantry::schema::{KindSpec, Registry};

use super::edit::{At, Edited, REMOVES, at, describe_secrets, edit, path_of, requests};
use super::hand::{excuse, is_plain, more, rivals};
use super::shape::{Leaf, LeafKind, Node, leaves};
use super::tenant::{Tenant, describe, describe_live, told};
use super::values::{Ids, Reach};

/// How many values are tried for a leaf.
const SALTS: usize = 5;

/// How many values that are taken and not answered are enough.
const UNANSWERED: usize = 2;

/// How many leaves are changed before looking.
const AT_ONCE: usize = 24;

/// On how many resources a leaf is tried in vain.
const ENOUGH: usize = 3;

/// The resource lacks the member.
const ABSENT: &str = "no read returns it";

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
pub(crate) async fn fixture(kind: &str) -> (Tenant, Json) {
    let tenant = Tenant::start().await;
    // Page templates and partials need a custom domain that is ready.
    let wanted = json!({"domain": "login.law.example", "type": "auth0_managed_certs"});
    let (status, domain) = tenant.raw("POST", "/custom-domains", Some(&wanted)).await;
    assert_eq!(status, 201, "{domain}");
    let path = format!("/custom-domains/{}/verify", domain["custom_domain_id"].as_str().unwrap());
    let (status, _) = tenant.raw("POST", &path, None).await;
    assert_eq!(status, 200);
    let mut json: Json = serde_yaml::from_str(include_str!("fixture.yaml")).unwrap();
    for (kind, more) in more(kind).as_object().unwrap() {
        match (&mut json[kind], more) {
            (Json::Array(resources), Json::Array(more)) => resources.extend(more.iter().cloned()),
            (Json::Object(members), Json::Object(more)) => members.extend(more.clone()),
            _ => panic!("{kind} is described in another form"),
        }
    }
    tenant.deploy(&describe(&json)).await;
    (tenant, json)
}

fn ids_of(live: &tenantry::model::Live) -> Ids {
    let mut ids = Ids::new();
    for (kind, _) in &live.kinds {
        let known = live.resources(kind).iter().filter(|r| r.system.is_none());
        ids.insert(kind.clone(), known.map(|r| r.id.clone()).collect());
    }
    for kind in live.kinds.keys() {
        let known = live.resources(kind).iter().filter(|r| r.system.is_none());
        let named = known.filter_map(|r| {
            r.address.name.as_ref().map(|name| match r.raw["identifier"].as_str() {
                Some(identifier) => identifier.to_owned(),
                None => name.clone(),
            })
        });
        ids.insert(format!("={kind}"), named.collect());
    }
    ids
}

struct Sight<'a> {
    tenant: &'a Tenant,
    spec: &'a KindSpec,
    ids: Ids,
    verdicts: BTreeMap<String, Verdict>,
    /// On how many resources a leaf could not be set, or be looked at.
    tried: BTreeMap<String, usize>,
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
        let both_untried = rank(&verdict) == 3 && rank(slot) == 3;
        if rank(&verdict) < rank(slot) || both_untried {
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
            if self.tried.get(&leaf.name()).is_some_and(|n| *n >= ENOUGH) {
                continue;
            }
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
                            live.raw = edited.raw.into();
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
                *self.tried.entry(leaf.name()).or_default() += 1;
                self.note(leaf, Verdict::Untried(why));
            }
        }
    }

    /// Changes many leaves at once and looks: those of the result showed as they should. What is left is looked at alone.
    async fn look_at_many(&self, desired: &Desired, resource: &LiveResource, leaves: &[&Leaf]) -> Vec<String> {
        let name = resource.address.name.clone();
        let mut live = resource.clone();
        let mut edits: Vec<(&Leaf, Edited)> = Vec::new();
        for leaf in leaves {
            for salt in 0..SALTS {
                let made = edit(self.spec, name.as_deref(), &live.raw, leaf, salt, Reach::All, &self.ids);
                let Some(edited) = made else { continue };
                if leaf.kind == LeafKind::Value && at(&resource.raw, &edited.at).is_null() {
                    break;
                }
                if self.send(&live, &edited).await.is_ok() {
                    live.raw = edited.raw.clone().into();
                    edits.push((leaf, edited));
                    break;
                }
            }
        }
        let planned = self.tenant.plan(desired).await;
        let Some(now) = planned.live.resources(&self.spec.name).iter().find(|r| same(r, resource)) else {
            return Vec::new();
        };
        edits.retain(|(_, edited)| at(&now.raw, &edited.at) != at(&resource.raw, &edited.at));
        let expected: Vec<Path> =
            edits.iter().map(|(leaf, edited)| self.expected(leaf, resource, now, edited)).collect();
        match self.judge(desired, planned, resource, &expected).await {
            Verdict::Checked => edits.iter().map(|(leaf, _)| leaf.name()).collect(),
            _ => Vec::new(),
        }
    }

    /// Names the place of an edit as the plan should.
    fn expected(&self, leaf: &Leaf, before: &LiveResource, now: &LiveResource, edited: &Edited) -> Path {
        match leaf.kind {
            LeafKind::Value => path_of(self.spec, &before.value, &edited.at),
            LeafKind::Item => {
                // One item more, or one less, wherever the API has put it.
                let names = |r: &LiveResource| -> Vec<Path> {
                    let items = at(&r.raw, &edited.at).as_array().map_or(0, Vec::len);
                    let place = |n| edited.at.iter().cloned().chain([At::Index(n)]).collect::<Vec<_>>();
                    (0..items).map(|n| path_of(self.spec, &r.value, &place(n))).collect()
                };
                let (had, has) = (names(before), names(now));
                let (fewer, mut more) = if has.len() < had.len() { (has, had) } else { (had, has) };
                let other = more.iter().position(|name| !fewer.contains(name)).unwrap_or(more.len().saturating_sub(1));
                more.swap_remove(other)
            }
        }
    }

    /// Says whether there is something at a leaf.
    fn holds(&self, resource: &LiveResource, leaf: &Leaf) -> bool {
        let name = resource.address.name.as_deref();
        let edited =
            (0..SALTS).find_map(|salt| edit(self.spec, name, &resource.raw, leaf, salt, Reach::Least, &self.ids));
        edited.is_some_and(|edited| !at(&resource.raw, &edited.at).is_null())
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
            if at(&resource.raw, &edited.at).is_null() {
                return Verdict::Untried(ABSENT.to_owned());
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
            let expected = self.expected(leaf, resource, now, &edited);
            return self.judge(desired, planned, resource, &[expected]).await;
        }
        Verdict::Untried(why)
    }

    async fn judge(
        &self,
        desired: &Desired,
        planned: super::tenant::Planned,
        resource: &LiveResource,
        expected: &[Path],
    ) -> Verdict {
        if expected.is_empty() {
            return Verdict::Untried("nothing was changed".to_owned());
        }
        let described: usize = desired.kinds.values().map(|k| k.resources.len()).sum();
        let changed: BTreeSet<(String, Path)> = planned
            .plan
            .changes
            .iter()
            .flat_map(|c| c.fields.iter().map(|f| (c.address.to_string(), f.path.clone())))
            .collect();
        let wanted: BTreeSet<(String, Path)> =
            expected.iter().map(|path| (resource.address.to_string(), path.clone())).collect();
        let expected = expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
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

/// Checks one kind.
pub(crate) async fn sees(kind: &str) {
    let (tenant, json) = fixture(kind).await;
    let spec = Registry::get().kind(kind).unwrap();
    let others: BTreeSet<String> = Registry::get().names().filter(|k| *k != "prompts").map(str::to_owned).collect();
    let (live, _) = tenant.read_whole(&others).await;
    let leaves = leaves(spec);
    let mut sight =
        Sight { tenant: &tenant, spec, ids: ids_of(&live), verdicts: BTreeMap::new(), tried: BTreeMap::new() };
    let only = BTreeSet::from([kind.to_owned()]);
    let described = describe(&json!({kind: json[kind]}));
    // All of the prompts would be a request for every prompt and language.
    let read =
        async || if kind == "prompts" { tenant.plan(&described).await.live } else { tenant.read_whole(&only).await.0 };
    let live = read().await;
    let filled = |r: &&LiveResource| r.system.is_none() && !is_plain(r.address.name.as_deref());
    for (n, resource) in live.resources(kind).iter().filter(filled).enumerate() {
        // Members that exclude each other: in one resource the first ones win, in the next the last ones.
        let order: Vec<&Leaf> = if n % 2 == 0 { leaves.iter().collect() } else { leaves.iter().rev().collect() };
        sight.fill(resource, &order).await;
    }
    let live = read().await;
    let mut desired = describe_live(&live, &only);
    for resource in desired.kinds.values_mut().flat_map(|k| &mut k.resources) {
        let rivals = rivals(kind, resource.address.name.as_deref());
        let members = resource.value.as_object_mut().unwrap();
        if let Some(options) = members.get_mut("options").and_then(Value::as_object_mut) {
            options.retain(|name, _| !rivals.contains(&name.as_str()));
        }
        describe_secrets(&Node::root(spec), &mut resource.value);
    }
    let planned = tenant.plan(&desired).await;
    assert!(!planned.plan.has_changes(), "what is live is planned to change: {:#?}", told(&planned.plan));
    let live = planned.live;
    sight.tried.clear();
    let mut state = tenant.control("GET", "state", &Json::Null).await;
    // The log of what filled the tenant is most of it.
    if let Some(log) = state.get_mut("logs") {
        *log = json!([]);
    }
    let mut done: BTreeSet<String> = BTreeSet::new();
    for resource in live.resources(kind).iter().filter(|r| r.system.is_none()) {
        let open: Vec<&Leaf> = leaves.iter().filter(|l| l.exempt.is_none() && !done.contains(&l.name())).collect();
        for some in open.chunks(AT_ONCE) {
            let seen = sight.look_at_many(&desired, resource, some).await;
            if seen.is_empty() {
                tenant.control("PUT", "state", &state).await;
            }
            for leaf in some.iter().filter(|l| seen.contains(&l.name())) {
                done.insert(leaf.name());
                sight.note(leaf, Verdict::Checked);
            }
        }
        for leaf in leaves.iter().filter(|l| l.exempt.is_none()) {
            let enough = sight.tried.get(&leaf.name()).is_some_and(|n| *n >= ENOUGH) && !sight.holds(resource, leaf);
            if done.contains(&leaf.name()) || enough {
                continue;
            }
            let mut touched = false;
            let verdict = sight.look(&desired, resource, leaf, &mut touched).await;
            if matches!(verdict, Verdict::Checked | Verdict::Seen) {
                done.insert(leaf.name());
            }
            if matches!(&verdict, Verdict::Untried(why) if why != ABSENT) {
                *sight.tried.entry(leaf.name()).or_default() += 1;
            }
            if touched && verdict != Verdict::Checked {
                tenant.control("PUT", "state", &state).await;
            }
            sight.note(leaf, verdict);
        }
    }
    report(kind, &leaves, &sight.verdicts);
}

/// Prints what is not checked, with the reason, and fails where there is none.
fn report(kind: &str, leaves: &[Leaf], verdicts: &BTreeMap<String, Verdict>) {
    let mut excused = Vec::new();
    let mut wrong = Vec::new();
    for leaf in leaves {
        let name = leaf.name();
        let why = leaf.exempt.or_else(|| excuse(kind, &name));
        match (verdicts.get(&name), why) {
            (Some(Verdict::Checked | Verdict::Seen), None) => {}
            (Some(Verdict::Checked | Verdict::Seen), Some(_)) => {
                wrong.push(format!("{name} is seen: excuse it no more"))
            }
            (Some(Verdict::Wrong(message)), _) => wrong.push(format!("{name}: {message}")),
            (_, Some(why)) => excused.push(format!("    {name}: {why}")),
            (Some(Verdict::Untried(message)), None) => wrong.push(format!("{name}: {message}")),
            (None, None) => wrong.push(format!("{name}: never tried")),
        }
    }
    let checked = leaves.len() - excused.len() - wrong.len();
    println!("{kind}: {} leaves, {checked} checked, {} excused", leaves.len(), excused.len());
    println!("{}", excused.join("\n"));
    assert!(wrong.is_empty(), "{kind}: neither checked nor excused\n{}", wrong.join("\n"));
}
