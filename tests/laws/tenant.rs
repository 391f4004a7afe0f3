//! A sandbox with a client of Tenantry's and one that goes around it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tenantry::api::{Client, Credentials, Settings};
use tenantry::apply::{self, ApplyEvent, Index, Report, Site};
use tenantry::change::Plan;
use tenantry::codec::{Names, address_of};
use tenantry::guard::{self, Judgement};
use tenantry::live::{Reach, read};
use tenantry::model::{Described, DescribedKind, Desired, Live, Secret, Value};
use tenantry::plan;
use tenantry::project::{DeleteRule, DriftRule, Policy, Ruled};
use tenantry::sandbox::{self, Options, Running};
use tenantry::schema::{KindSpec, Registry};
use tokio_util::sync::CancellationToken;

use super::front::Front;

/// Correlation ids carry it.
const DEPLOYMENT: &str = "01JDLAWS";

pub(crate) struct Tenant {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) cancel: CancellationToken,
    pub(crate) front: Front,
    http: reqwest::Client,
    token: String,
}

/// What was read, with what it was compared to.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) live: Live,
    pub(crate) names: Names,
}

impl Tenant {
    pub(crate) async fn start() -> Tenant {
        Tenant::with(Options { rate: None, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Tenant {
        let running = sandbox::start(options).await.unwrap();
        let (client, cancel, front) = connect(&running).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = json!({"grant_type": "client_credentials", "client_id": running.client_id,
            "client_secret": running.client_secret, "audience": format!("https://{}/api/v2/", running.tenant_domain)});
        let answer = http.post(format!("{}/oauth/token", running.url)).json(&asked).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Tenant { running, client, cancel, front, http, token }
    }

    /// Begins anew after a run that was cancelled.
    pub(crate) async fn reconnect(&mut self) {
        (self.client, self.cancel, self.front) = connect(&self.running).await;
    }

    /// Sends a request past Tenantry: status and body.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/api/v2{path}", self.running.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    /// Uses a control of the sandbox.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Json) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/_sandbox/{path}", self.running.url);
        let request = self.http.request(method, url);
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let bytes = answer.bytes().await.unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Json::Null)
    }

    pub(crate) async fn read_whole(&self, kinds: &BTreeSet<String>) -> (Live, Names) {
        let found = read(&self.client, Registry::get(), Reach::Whole(kinds)).await;
        found.unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    pub(crate) async fn plan(&self, desired: &Desired) -> Planned {
        self.plan_with(desired, &plan::Options::default()).await
    }

    pub(crate) async fn plan_with(&self, desired: &Desired, options: &plan::Options) -> Planned {
        let registry = Registry::get();
        let mut desired = desired.clone();
        let (live, names) = read(&self.client, registry, Reach::Described(&desired))
            .await
            .unwrap_or_else(|problem| panic!("{problem:?}"));
        let broken = plan::complete(registry, &mut desired, &live, &names);
        assert!(broken.is_empty(), "{broken:#?}");
        let plan = plan::make(registry, &desired, &live, None, options);
        assert_eq!(plan.valid(), Ok(()));
        Planned { plan, live, names }
    }

    /// Applies a plan that nothing speaks against.
    pub(crate) async fn apply(&self, planned: Planned) -> Report {
        let policy = everything();
        let by = Judgement::by_policy(&policy, &planned.live);
        let approved = guard::pass(planned.plan, by).unwrap_or_else(|refusals| {
            panic!("refused: {:#?}", refusals.iter().map(|r| &r.problem.title).collect::<Vec<_>>())
        });
        let run = apply::Settings::new(DEPLOYMENT, self.cancel.clone());
        let (index, live) = (Index::new(planned.names), &planned.live);
        let site = Site { client: &self.client, index: &index, live, journal: None, lock: None };
        apply::apply(approved, site, &run, &|_: ApplyEvent| {}).await
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

async fn connect(running: &Running) -> (Client, CancellationToken, Front) {
    let cancel = CancellationToken::new();
    let front = Front::start(running.url.clone(), cancel.clone()).await;
    let settings = Settings {
        domain: front.url.clone(),
        audience: Some(format!("https://{}/api/v2/", running.tenant_domain)),
        credentials: Credentials::Secret {
            client_id: running.client_id.clone(),
            client_secret: Secret::new(running.client_secret.clone(), "the sandbox"),
        },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 0,
        user_agent: "laws".to_owned(),
    };
    let client = Client::connect(settings, cancel.clone()).await.unwrap();
    (client, cancel, front)
}

/// A policy that allows everything.
pub(crate) fn everything() -> Policy {
    Policy {
        delete: Ruled::default_of(DeleteRule::All),
        drift: Ruled::default_of(DriftRule::Overwrite),
        max_deletes: None,
        protect: Vec::new(),
        approve: Ruled::default_of(Vec::new()),
        freeze: Vec::new(),
    }
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

/// Describes JSON in the form of the single file: kind → list, or object.
pub(crate) fn describe(json: &Json) -> Desired {
    let mut desired = Desired::default();
    for (kind, found) in json.as_object().unwrap() {
        let spec = Registry::get().kind(kind).unwrap_or_else(|| panic!("{kind} is not a kind"));
        let items = match found {
            Json::Array(items) => items.clone(),
            single => vec![single.clone()],
        };
        let resources = items.iter().map(|item| described(spec, Value::from_json(item), None)).collect();
        desired.kinds.insert(kind.clone(), DescribedKind { locus: None, resources });
    }
    desired
}

pub(crate) fn described(spec: &KindSpec, value: Value, id: Option<String>) -> Described {
    let address =
        address_of(spec, value.as_object().unwrap()).unwrap_or_else(|| panic!("{} without a name", spec.name));
    Described { address, id: id.filter(|id| !id.is_empty()), value, loci: tenantry::model::Loci::default() }
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
