//! A tenant with connections, users and organizations, read and written through jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tenantry::api::{Client, Credentials, ListStyle, Method, Settings, Write};
use tenantry::model::Secret;
use tenantry::sandbox::{Options, Running, start};
use tenantry::users::{BackupOptions, Class, ImportOptions, ImportReport, Importer, UsersReport, backup};
use tokio_util::sync::CancellationToken;

pub(crate) const DOMAIN: &str = "shop.eu.auth0.com";
/// Members of a user that an import can set.
pub(crate) const SET: [&str; 13] = [
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "blocked",
    "app_metadata",
    "user_metadata",
];

pub(crate) type Entries = Vec<(String, Vec<u8>)>;

/// A tenant with a client that may do everything.
pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) http: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn with(options: Options) -> World {
        let running = start(Options { tenant_domain: Some(DOMAIN.to_owned()), ..options }).await.unwrap();
        let credentials = Credentials::Secret {
            client_id: running.client_id.clone(),
            client_secret: Secret::new(running.client_secret.clone(), "the test"),
        };
        let client = connect(&running, credentials).await;
        World { running, client, http: reqwest::Client::new(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn new() -> World {
        World::with(Options { rate: None, ..Options::default() }).await
    }

    /// The same tenant, seen with some scopes alone.
    pub(crate) async fn seen_with(&self, scopes: &str) -> Client {
        let body = json!({
            "grant_type": "client_credentials", "client_id": self.running.client_id,
            "client_secret": self.running.client_secret, "audience": format!("https://{DOMAIN}/api/v2/"), "scope": scopes,
        });
        let answer = self.http.post(format!("{}/oauth/token", self.running.url)).json(&body).send().await.unwrap();
        let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
        connect(&self.running, Credentials::Token(Secret::new(token, "the test"))).await
    }

    pub(crate) async fn control(&self, name: &str, body: &Value) {
        let request = self.http.post(format!("{}/_sandbox/{name}", self.running.url)).json(body);
        assert!(request.send().await.unwrap().status().is_success());
    }

    pub(crate) async fn faults(&self, faults: Value) {
        self.control("faults", &json!({"faults": faults})).await;
    }

    pub(crate) async fn state(&self) -> Value {
        self.http.get(format!("{}/_sandbox/state", self.running.url)).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn change(&self, change: impl FnOnce(&mut Value)) {
        let mut state = self.state().await;
        change(&mut state);
        let request = self.http.put(format!("{}/_sandbox/state", self.running.url)).json(&state);
        assert!(request.send().await.unwrap().status().is_success());
    }

    pub(crate) async fn steer(&self, jobs: Value) {
        self.change(|state| state["documents"]["$jobs"] = jobs).await;
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let write = Write { method: Method::POST, path: path.to_owned(), body: Some(body), correlation_id: None };
        self.client.send(write).await.unwrap().body
    }

    /// Connections, roles, organizations: what a restore has brought back before the users.
    pub(crate) async fn furnished(self) -> World {
        let client = self.running.client_id.clone();
        self.change(|state| {
            for (id, name, strategy, options) in [
                ("con_00000000000000c1", "Customers", "auth0", json!({})),
                (
                    "con_00000000000000c2",
                    "Members",
                    "auth0",
                    json!({"enabledDatabaseCustomization": true, "import_mode": true}),
                ),
                ("con_00000000000000c3", "Legacy", "auth0", json!({"enabledDatabaseCustomization": true})),
                ("con_00000000000000c4", "google", "google-oauth2", json!({})),
                ("con_00000000000000c5", "corp", "samlp", json!({})),
                ("con_00000000000000c6", "codes", "email", json!({})),
            ] {
                let connection = json!({"id": id, "name": name, "strategy": strategy, "options": options});
                state["collections"]["connections"][id] = connection;
                state["collections"][format!("connection_clients/{id}")] = json!({&client: {"client_id": client}});
            }
        })
        .await;
        for name in ["Clerk", "Boss"] {
            self.post("roles", json!({"name": name})).await;
        }
        for name in ["acme", "globex"] {
            self.post("organizations", json!({"name": name})).await;
        }
        self
    }

    pub(crate) async fn id(&self, list: &str, name: &str) -> String {
        let rows = self.client.list(list, &[], &ListStyle::Page { rows: list.to_owned(), max: 100 }).await.unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {list} {name}"));
        row["id"].as_str().unwrap().to_owned()
    }

    /// Puts users into the tenant, of each connection as many as asked for.
    pub(crate) async fn populated(self, counts: &[(&str, &str, usize)]) -> World {
        self.change(|state| {
            for (connection, provider, count) in counts {
                for n in 0..*count {
                    let user = sample(connection, provider, n);
                    let id = user["user_id"].as_str().unwrap().to_owned();
                    state["collections"]["users"][id] = user;
                }
            }
        })
        .await;
        self
    }

    /// Gives some of the users roles, permissions and memberships.
    pub(crate) async fn organized(self) -> World {
        let users = self.users().await;
        let ids: Vec<&String> = users.keys().collect();
        let some =
            |of: usize| ids.iter().enumerate().filter(move |(n, _)| n.is_multiple_of(of)).map(|(_, id)| (*id).clone());
        let (clerk, boss) = (self.id("roles", "Clerk").await, self.id("roles", "Boss").await);
        let acme = self.id("organizations", "acme").await;
        for (role, of) in [(&clerk, 3), (&boss, 50)] {
            let users: Vec<String> = some(of).collect();
            for part in users.chunks(500) {
                self.post(&format!("roles/{role}/users"), json!({"users": part})).await;
            }
        }
        let members: Vec<String> = some(10).collect();
        for part in members.chunks(500) {
            self.post(&format!("organizations/{acme}/members"), json!({"members": part})).await;
        }
        for member in members.iter().step_by(7) {
            let path = format!("organizations/{acme}/members/{}/roles", member.replace('|', "%7C"));
            self.post(&path, json!({"roles": [clerk]})).await;
        }
        let permission = |name: &str| json!({"resource_server_identifier": format!("https://{DOMAIN}/api/v2/"), "permission_name": name});
        for id in some(97) {
            let body = json!({"permissions": [permission("read:users"), permission("read:roles")]});
            self.post(&format!("users/{}/permissions", id.replace('|', "%7C")), body).await;
        }
        self
    }

    pub(crate) async fn users(&self) -> BTreeMap<String, Value> {
        let state = self.state().await;
        let users = state["collections"]["users"].as_object().cloned().unwrap_or_default();
        users.into_iter().collect()
    }

    pub(crate) fn progress(&self) -> PathBuf {
        self.folder.path().join("import.json")
    }

    pub(crate) fn importer(&self, update_existing: bool) -> Importer {
        Importer::new(self.client.clone(), ImportOptions { update_existing }, &self.progress()).unwrap()
    }

    pub(crate) async fn import(&self, entries: &Entries) -> ImportReport {
        fed(self.importer(false), entries).await
    }
}

pub(crate) async fn connect(running: &Running, credentials: Credentials) -> Client {
    let settings = Settings {
        domain: running.url.clone(),
        audience: Some(format!("https://{DOMAIN}/api/v2/")),
        credentials,
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 3,
        user_agent: "tenantry/test".to_owned(),
    };
    Client::connect(settings, CancellationToken::new()).await.unwrap()
}

pub(crate) fn sample(connection: &str, provider: &str, n: usize) -> Value {
    let own = format!("{}{n:05}", connection.to_lowercase());
    let mut identities = vec![json!({
        "connection": connection, "provider": provider, "user_id": own, "isSocial": provider == "google-oauth2",
    })];
    if n % 50 == 7 && provider == "auth0" {
        identities.push(json!({"connection": "google", "provider": "google-oauth2", "user_id": format!("g{n}")}));
    }
    let mut user = json!({
        "user_id": format!("{provider}|{own}"), "email": format!("{own}@example.com"), "email_verified": n.is_multiple_of(2),
        "name": format!("Ünï {n} \"quoted\""), "nickname": own, "picture": format!("https://example.com/{own}.png"),
        "given_name": "Ana", "family_name": format!("López {n}"), "identities": identities,
        "user_metadata": {"theme": if n.is_multiple_of(2) { "dark" } else { "light" }, "nested": {"list": [n, null, "x"]}},
        "app_metadata": {"plan": n % 5}, "created_at": "2024-01-01T00:00:00.000Z", "updated_at": "2024-01-01T00:00:00.000Z",
        "logins_count": n,
    });
    if n.is_multiple_of(33) {
        user["blocked"] = json!(true);
    }
    if n.is_multiple_of(40) {
        user["multifactor"] = json!(["guardian"]);
    }
    if n.is_multiple_of(4) {
        user["username"] = json!(format!("u{own}"));
    }
    if n % 200 == 9 {
        user.as_object_mut().unwrap().remove("email");
        user["phone_number"] = json!(format!("+4912345{n:05}"));
    }
    user
}

pub(crate) async fn read(client: &Client, permissions: bool) -> (UsersReport, Entries) {
    let mut entries = Entries::new();
    let mut sink = |path: &str, bytes: &[u8]| {
        entries.push((path.to_owned(), bytes.to_vec()));
        Ok(())
    };
    let report = backup(client, &BackupOptions { permissions }, &mut sink).await.unwrap();
    (report, entries)
}

pub(crate) async fn fed(mut importer: Importer, entries: &Entries) -> ImportReport {
    for (path, bytes) in entries {
        importer.feed(path, bytes).await.unwrap();
    }
    importer.finish().await.unwrap()
}

pub(crate) fn counted(report: &ImportReport, class: Class) -> u64 {
    report.not_imported.iter().filter(|entry| entry.class == class).filter_map(|entry| entry.count).sum()
}

pub(crate) fn lines(entries: &Entries, prefix: &str) -> Vec<Value> {
    entries
        .iter()
        .filter(|(path, _)| path.starts_with(prefix))
        .flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()))
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// What an import can set of the users of a connection, by id.
pub(crate) fn settable(users: &BTreeMap<String, Value>, connection: &str) -> BTreeMap<String, Value> {
    users
        .iter()
        .filter(|(_, user)| user["identities"][0]["connection"] == connection && user.get("email").is_some())
        .map(|(id, user)| (id.clone(), SET.iter().map(|name| (*name, user[*name].clone())).collect()))
        .collect()
}
