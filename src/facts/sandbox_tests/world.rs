//! A tenant, who deploys it, and who else writes to it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::api::{Client, Credentials, Settings};
use crate::change::{Action, Blame, Change, Facts, Plan, Question};
use crate::facts::{Asking, answer};
use crate::live::{Reach, read};
use crate::model::{Address, Base, BaseResource, Live, Path, Secret};
use crate::sandbox::{self, Options, Running};
use crate::schema::{Registry, Risk};

/// The tenant.
pub(super) struct World {
    pub(super) running: Running,
    pub(super) client: Client,
    http: reqwest::Client,
    deployer: String,
    pub(super) dana: String,
    /// What the journal holds.
    journal: HashSet<(String, String, String)>,
    pub(super) base: Base,
    pub(super) since: Option<Timestamp>,
}

impl World {
    pub(super) async fn new() -> World {
        let running = sandbox::start(Options { rate: None, ..Options::default() }).await.unwrap();
        let http = reqwest::Client::new();
        let secret = Credentials::Secret {
            client_id: running.client_id.clone(),
            client_secret: Secret::new(running.client_secret.clone(), "the sandbox"),
        };
        let client = connect(&running, secret).await;
        let mut world = World {
            client,
            http,
            deployer: String::new(),
            dana: String::new(),
            journal: HashSet::new(),
            base: Base::default(),
            since: None,
            running,
        };
        world.deployer = world.token(None).await;
        world.dana = world.person("Dana", "dana@travel0.com").await;
        world
    }

    /// A token of the deployer's client, with some scopes or all.
    pub(super) async fn token(&self, scopes: Option<&str>) -> String {
        let (id, secret) = (&self.running.client_id, &self.running.client_secret);
        self.token_of(id, secret, scopes).await
    }

    pub(super) async fn token_of(&self, id: &str, secret: &str, scopes: Option<&str>) -> String {
        let mut body = json!({
            "grant_type": "client_credentials", "client_id": id, "client_secret": secret,
            "audience": format!("https://{}/api/v2/", self.running.tenant_domain),
        });
        if let Some(scopes) = scopes {
            body["scope"] = json!(scopes);
        }
        let url = format!("{}/oauth/token", self.running.url);
        let answer: Json = self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(super) async fn person(&self, name: &str, email: &str) -> String {
        let answer = self.control("POST", "token", &json!({"name": name, "email": email})).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn control(&self, method: &str, what: &str, body: &Json) -> Json {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}/_sandbox/{what}", self.running.url);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        assert!(answer.status().is_success());
        answer.json().await.unwrap_or_default()
    }

    /// Sends a write as somebody, with headers.
    pub(super) async fn send(&self, token: &str, line: &str, body: Json, headers: &[(&str, &str)]) -> Json {
        let (method, path) = line.split_once(' ').unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}/api/v2{path}", self.running.url)).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Json = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{line}: {status} {body}");
        body
    }

    /// Sends a write as Dana in the dashboard.
    pub(super) async fn dana(&self, line: &str, body: Json) -> Json {
        self.send(&self.dana, line, body, &[]).await
    }

    /// Sends a write as a deployment does, and keeps it in the journal.
    pub(super) async fn ours(&mut self, line: &str, body: Json) -> Json {
        let id = format!("tenantry/01JD7/{}", self.journal.len() + 1);
        let (method, path) = line.split_once(' ').unwrap();
        self.journal.insert((id.clone(), method.to_owned(), path.to_owned()));
        self.send(&self.deployer.clone(), line, body, &[("x-correlation-id", &id)]).await
    }

    /// Reads the kinds that refer to each other; singletons can be blamed unread.
    pub(super) async fn live(&self) -> (Live, crate::codec::Names) {
        let kinds =
            ["actions", "clientGrants", "clients", "connections", "databases", "organizations", "resourceServers"];
        let kinds: BTreeSet<String> = kinds.into_iter().chain(["roles", "rulesConfigs"]).map(str::to_owned).collect();
        read(&self.client, Registry::get(), Reach::Whole(&kinds)).await.unwrap()
    }

    /// Ends a deployment: what is live now is what it left.
    pub(super) async fn deployed(&mut self) {
        let (live, _) = self.live().await;
        let mut base = Base::default();
        for kind in live.kinds.keys() {
            for resource in live.resources(kind) {
                let left = BaseResource {
                    id: resource.id.clone(),
                    desired: resource.value.clone(),
                    live: resource.value.clone(),
                };
                base.resources.insert(resource.address.clone(), left);
            }
        }
        self.base = base;
        let clock = self.control("POST", "clock", &json!({})).await;
        self.since = clock["now"].as_str().unwrap().parse().ok();
        // The overlap would take in what was before.
        self.control("POST", "clock", &json!({"advance_ms": 3_600_000})).await;
        self.dana = self.person("Dana", "dana@travel0.com").await;
        self.deployer = self.token(None).await;
    }

    /// Answers a plan over a connection that replaces the world's own.
    pub(super) async fn answer_as(&mut self, client: Client, plan: &Plan) -> Facts {
        self.client = client;
        self.answer(&self.client, plan).await
    }

    /// Answers a plan.
    pub(super) async fn answer(&self, client: &Client, plan: &Plan) -> Facts {
        let (live, names) = self.live().await;
        let is_ours = |id: &str, method: &str, path: &str| {
            self.journal.contains(&(id.to_owned(), method.to_owned(), path.to_owned()))
        };
        let asking = Asking {
            client,
            registry: Registry::get(),
            live: &live,
            names: &names,
            base: Some(&self.base),
            since: self.since,
            is_ours: &is_ours,
        };
        answer(plan, asking).await
    }

    /// Asks who changed fields, or a resource.
    pub(super) async fn who(&self, address: &str, paths: &[&str]) -> BTreeMap<String, Blame> {
        let facts = self.answer(&self.client, &asks(address, paths)).await;
        let blames = facts.outside.into_values().next().unwrap();
        blames.into_iter().map(|(path, blame)| (path.to_string(), blame)).collect()
    }

    /// Asks who changed one field, told in one line.
    pub(super) async fn told(&self, address: &str, path: &str) -> String {
        let paths: &[&str] = if path.is_empty() { &[] } else { &[path] };
        tell(&self.who(address, paths).await[path])
    }

    /// Counts what a change hits.
    pub(super) async fn hits(&self, client: &Client, change: Change) -> Facts {
        let plan = Plan {
            questions: vec![Question::HowMany(change.address.clone())],
            changes: vec![change],
            ..Plan::default()
        };
        self.answer(client, &plan).await
    }

    /// Changes the state from behind.
    pub(super) async fn meddle(&self, change: impl FnOnce(&mut Json)) {
        let mut state = self.control("GET", "state", &Json::Null).await;
        change(&mut state);
        self.control("PUT", "state", &state).await;
    }
}

pub(super) async fn connect(running: &Running, credentials: Credentials) -> Client {
    let settings = Settings {
        domain: running.url.clone(),
        audience: Some(format!("https://{}/api/v2/", running.tenant_domain)),
        credentials,
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 3,
        user_agent: "tenantry".to_owned(),
    };
    Client::connect(settings, tokio_util::sync::CancellationToken::new()).await.unwrap()
}

/// A plan that asks who changed fields, written `a.b[item].c`.
pub(super) fn asks(address: &str, paths: &[&str]) -> Plan {
    let paths = paths.iter().map(|path| parse(path)).collect();
    Plan { questions: vec![Question::WhoOutside(Address::parse(address).unwrap(), paths)], ..Plan::default() }
}

fn parse(text: &str) -> Path {
    let mut path = Path::root();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (item, after) = inner.split_once(']').unwrap();
            path = path.item(item);
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            path = path.key(&rest[..end]);
            rest = &rest[end..];
        }
    }
    path
}

/// `exact dana@travel0.com dashboard`
pub(super) fn tell(blame: &Blame) -> String {
    let mut words = vec![blame.certainty.as_str()];
    words.extend(blame.who.as_deref());
    words.extend(blame.through.as_deref());
    words.join(" ")
}

/// A change of a resource.
pub(super) fn change(address: &str, id: &str, action: Action, risk: Risk) -> Change {
    Change { id: Some(id.to_owned()), risk, ..Change::new(Address::parse(address).unwrap(), action) }
}
