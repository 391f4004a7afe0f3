//! A sandbox, a connection to it, and a way around it: what runs in the process of a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tenantry::api::{Client, Credentials, Settings as Connection};
use tenantry::apply::{self, Index, Report, Settings};
use tenantry::change::Plan;
use tenantry::codec::{Names, address_of};
use tenantry::guard::{self, Judgement};
use tenantry::journal::{Header, Journal};
use tenantry::live::{Reach, read};
use tenantry::lock::Lock;
use tenantry::model::{Described, DescribedKind, Desired, Live, Loci, Secret, Value};
use tenantry::plan;
use tenantry::project::{DeleteRule, DriftRule, Policy, Ruled};
use tenantry::sandbox::{self, Options, Rate, Running};
use tenantry::schema::{KindSpec, Registry};
use tokio_util::sync::CancellationToken;

pub(crate) const DEPLOYMENT: &str = "01JD7Q5G9W3V5H2C8K4M6N1P0R";

pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) cancel: CancellationToken,
    http: reqwest::Client,
    token: String,
}

/// A plan with what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) live: Live,
    pub(crate) names: Names,
}

impl Site {
    /// A fresh tenant without a limit that anything would wait for.
    pub(crate) async fn start() -> Site {
        let rate = Some(Rate { per_second: 10_000.0, burst: 10_000 });
        Site::with(Options { rate, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Site {
        let running = sandbox::start(options).await.unwrap();
        let (id, secret) = (running.client_id.clone(), running.client_secret.clone());
        let cancel = CancellationToken::new();
        let client = connect(&running, &running.url, &id, &secret, &cancel).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret,
            "audience": format!("https://{}/api/v2/", running.tenant_domain)});
        let answer = http.post(format!("{}/oauth/token", running.url)).json(&asked).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Site { running, client, cancel, http, token }
    }

    /// Connects anew, through another address that leads there.
    pub(crate) async fn reconnect(&mut self, url: &str, cancel: CancellationToken) {
        let Running { client_id, client_secret, .. } = &self.running;
        self.client = connect(&self.running, url, client_id, client_secret, &cancel).await;
        self.cancel = cancel;
    }

    /// Connects once more, as a client that has these scopes only.
    pub(crate) async fn with_scopes(&self, scopes: &[&str]) -> Client {
        let body = json!({"name": "lesser", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
        let (_, made) = self.raw("POST", "/clients", Some(&body)).await;
        let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        let grant = json!({"client_id": id, "audience": self.audience(), "scope": scopes});
        assert_eq!(self.raw("POST", "/client-grants", Some(&grant)).await.0, 201);
        connect(&self.running, &self.running.url, id, secret, &self.cancel).await
    }

    /// Connects once more, as the same client.
    pub(crate) async fn again(&self) -> Client {
        let Running { url, client_id, client_secret, .. } = &self.running;
        connect(&self.running, url, client_id, client_secret, &CancellationToken::new()).await
    }

    pub(crate) fn audience(&self) -> String {
        format!("https://{}/api/v2/", self.running.tenant_domain)
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
        let request = self.http.request(method, format!("{}/_sandbox/{path}", self.running.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Json::Null)
    }

    pub(crate) async fn count(&self, path: &str) -> usize {
        self.raw("GET", &format!("{path}?per_page=100"), None).await.1.as_array().unwrap().len()
    }

    /// Returns a role's description and id.
    pub(crate) async fn role(&self, name: &str) -> (String, String) {
        let (_, found) = self.raw("GET", &format!("/roles?name_filter={name}"), None).await;
        let text = |member: &str| found[0][member].as_str().unwrap_or_default().to_owned();
        (text("description"), text("id"))
    }

    pub(crate) async fn read_whole(&self, kinds: &BTreeSet<String>) -> (Live, Names) {
        let found = read(&self.client, Registry::get(), Reach::Whole(kinds)).await;
        found.unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    pub(crate) async fn plan(&self, described: &Json) -> Planned {
        self.plan_of(&describe(described), &plan::Options::default()).await
    }

    pub(crate) async fn plan_of(&self, desired: &Desired, options: &plan::Options) -> Planned {
        let registry = Registry::get();
        let mut desired = desired.clone();
        let found = read(&self.client, registry, Reach::Described(&desired)).await;
        let (live, names) = found.unwrap_or_else(|problem| panic!("{problem:?}"));
        let broken = plan::complete(registry, &mut desired, &live, &names);
        assert!(broken.is_empty(), "{broken:#?}");
        let plan = plan::make(registry, &desired, &live, None, options);
        assert_eq!(plan.valid(), Ok(()));
        Planned { plan, live, names }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings { look_again: Duration::ZERO, ..Settings::new(DEPLOYMENT, self.cancel.clone()) }
    }

    pub(crate) async fn apply(
        &self,
        planned: Planned,
        journal: Option<&Journal>,
        lock: Option<&Lock>,
        settings: &Settings,
    ) -> Report {
        let policy = everything();
        let approved = guard::pass(planned.plan, Judgement::by_policy(&policy, &planned.live));
        let approved = approved.unwrap_or_else(|refusals| {
            panic!("refused: {:#?}", refusals.iter().map(|r| &r.problem.title).collect::<Vec<_>>())
        });
        let index = Index::new(planned.names);
        let site = apply::Site { client: &self.client, index: &index, live: &planned.live, journal, lock };
        apply::apply(approved, site, settings, &|_| {}).await
    }
}

async fn connect(running: &Running, url: &str, id: &str, secret: &str, cancel: &CancellationToken) -> Client {
    let settings = Connection {
        domain: url.to_owned(),
        audience: Some(format!("https://{}/api/v2/", running.tenant_domain)),
        credentials: Credentials::Secret {
            client_id: id.to_owned(),
            client_secret: Secret::new(secret, "the sandbox"),
        },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 0,
        user_agent: "tests".to_owned(),
    };
    Client::connect(settings, cancel.clone()).await.unwrap()
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
    Described { address, id: id.filter(|id| !id.is_empty()), value, loci: Loci::default() }
}

pub(crate) fn header() -> Header {
    Header {
        deployment: DEPLOYMENT.to_owned(),
        domain: "acme.eu.auth0.com".to_owned(),
        environment: "prod".to_owned(),
        digest: "0".repeat(64),
        tool: "0.1.0".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        fingerprint_key: None,
    }
}
