//! A sandbox, a connection to it, and a way around it.
#![allow(dead_code)]

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
use tenantry::schema::Registry;
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
    pub(crate) async fn start() -> Site {
        let rate = Some(Rate { per_second: 10_000.0, burst: 10_000 });
        let running = sandbox::start(Options { rate, ..Options::default() }).await.unwrap();
        let (id, secret) = (running.client_id.clone(), running.client_secret.clone());
        let cancel = CancellationToken::new();
        let client = connect(&running, &id, &secret, &cancel).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let asked = json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret,
            "audience": format!("https://{}/api/v2/", running.tenant_domain)});
        let answer = http.post(format!("{}/oauth/token", running.url)).json(&asked).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Site { running, client, cancel, http, token }
    }

    /// Connects once more, as a client that has these scopes only.
    pub(crate) async fn with_scopes(&self, scopes: &[&str]) -> Client {
        let body = json!({"name": "lesser", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
        let (_, made) = self.raw("POST", "/clients", Some(&body)).await;
        let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
        let grant = json!({"client_id": id, "audience": self.audience(), "scope": scopes});
        assert_eq!(self.raw("POST", "/client-grants", Some(&grant)).await.0, 201);
        connect(&self.running, id, secret, &self.cancel).await
    }

    /// Connects once more, as the same client.
    pub(crate) async fn again(&self) -> Client {
        connect(&self.running, &self.running.client_id, &self.running.client_secret, &CancellationToken::new()).await
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
    pub(crate) async fn control(&self, path: &str, body: &Json) {
        let request = self.http.post(format!("{}/_sandbox/{path}", self.running.url));
        let answer = if body.is_null() { request.send().await } else { request.json(body).send().await }.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Reads a control of the sandbox.
    pub(crate) async fn look(&self, path: &str) -> Json {
        let answer = self.http.get(format!("{}/_sandbox/{path}", self.running.url)).send().await.unwrap();
        answer.json().await.unwrap()
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

    pub(crate) async fn plan(&self, described: &Json) -> Planned {
        self.plan_with(described, &plan::Options::default()).await
    }

    pub(crate) async fn plan_with(&self, described: &Json, options: &plan::Options) -> Planned {
        let registry = Registry::get();
        let mut desired = describe(described);
        let (live, names) = read(&self.client, registry, Reach::Described(&desired)).await.unwrap();
        let broken = plan::complete(registry, &mut desired, &live, &names);
        assert!(broken.is_empty(), "{broken:#?}");
        let plan = plan::make(registry, &desired, &live, None, options);
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
        let approved = guard::pass(planned.plan, Judgement::by_policy(&policy, &planned.live)).unwrap();
        let index = Index::new(planned.names);
        let site = apply::Site { client: &self.client, index: &index, live: &planned.live, journal, lock };
        apply::apply(approved, site, settings, &|_| {}).await
    }
}

async fn connect(running: &Running, id: &str, secret: &str, cancel: &CancellationToken) -> Client {
    let settings = Connection {
        domain: running.url.clone(),
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

fn everything() -> Policy {
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
        let spec = Registry::get().kind(kind).unwrap();
        let items = match found {
            Json::Array(items) => items.clone(),
            single => vec![single.clone()],
        };
        let described = |item: &Json| {
            let value = Value::from_json(item);
            let address = address_of(spec, value.as_object().unwrap()).unwrap();
            Described { address, id: None, value, loci: Loci::default() }
        };
        let resources = items.iter().map(described).collect();
        desired.kinds.insert(kind.clone(), DescribedKind { locus: None, resources });
    }
    desired
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
