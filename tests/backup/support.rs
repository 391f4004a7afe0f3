//! A tenant with something in it, and what stands in an archive.

use std::io::{Cursor, Read};
use std::process::Command;

use serde_json::{Value as Json, json};
use tenantry::archive::{Manifest, Reader, Unseal};

use crate::common::{Output, Place, Sandbox};

/// A description with a secret in every place that takes one.
pub(crate) const TENANT: &str = r#"
tenant:
  friendly_name: Acme
clients:
  - {name: Shop, app_type: spa, callbacks: ["https://shop.example.com/cb"]}
  - {name: Machine, app_type: non_interactive, grant_types: [client_credentials]}
resourceServers:
  - {name: Orders, identifier: "https://orders.example.com", signing_alg: HS256, signing_secret: canary-signing-0123456789, scopes: [{value: read}]}
roles:
  - {name: Clerk, permissions: [{permission_name: read, resource_server_identifier: "https://orders.example.com"}]}
connections:
  - name: google
    strategy: google-oauth2
    enabled_clients: [Shop]
    options: {client_id: abc, client_secret: "canary-google-\"quoted\"", email: true, scope: [email]}
emailProvider:
  name: smtp
  enabled: true
  default_from_address: a@example.com
  credentials: {smtp_host: mail.example.com, smtp_port: 587, smtp_user: canary-user, smtp_pass: canary-smtp-pass}
"#;

/// A key pair made for tests: what it seals is no secret.
pub(crate) const RECIPIENT: &str = "age1j6cwgygwll8h3ens5p06l30ql3rhf28gc3kntw0rvw20gr5tfe7qauadf9";
/// The identity to it.
pub(crate) const IDENTITY: &str = "AGE-SECRET-KEY-1TX0KR7HHXMCL733LCSV46TWRYVARY7YWKZA8TD4GR3FZ0M7VL0PQW6WMDC";

/// A tenant, and a place that is pointed at it.
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) sandbox: Sandbox,
}

impl Site {
    /// A fresh tenant.
    pub(crate) fn bare(options: &[&str]) -> Site {
        let sandbox = Sandbox::start(&Place::new(), options);
        let place = sandbox.point(Place::new()).env("AUTH0_API_MAX_RETRIES", "2");
        Site { place, sandbox }
    }

    /// A tenant that holds [`TENANT`].
    pub(crate) fn start() -> Site {
        let site = Site::bare(&["--rate", "off"]);
        site.place.write("description/tenant.yaml", TENANT);
        let _ = site.place.run(&["-i", "description/tenant.yaml", "apply", "--yes", "--no-lock"]).code(0);
        std::fs::remove_dir_all(site.place.path().join("description")).unwrap();
        std::fs::remove_dir_all(site.place.path().join(".tenantry")).unwrap();
        site
    }

    pub(crate) fn env(self, name: &str, value: &str) -> Site {
        Site { place: self.place.env(name, value), sandbox: self.sandbox }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.place.run(words)
    }

    /// Backs up into a folder, and returns the name of the file.
    pub(crate) fn backup(&self, folder: &str, words: &[&str]) -> String {
        let before = self.files(folder);
        let _ = self.run(&[&["backup", "-o", folder][..], words].concat()).code(0);
        let new: Vec<String> = self.files(folder).into_iter().filter(|file| !before.contains(file)).collect();
        assert_eq!(new.len(), 1, "{new:?}");
        new[0].clone()
    }

    /// Names of the files in a folder, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.place.path().join(folder)) else { return Vec::new() };
        let mut files: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }

    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.place.path().join(file)).unwrap()
    }

    /// Uses a control of the sandbox.
    pub(crate) fn control(&self, method: &str, path: &str, body: Option<&Json>) -> Json {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url);
        let (method, body) = (method.to_owned(), body.cloned());
        // A thread of its own: some tests run inside a runtime.
        let asked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut request = client.request(method.parse().unwrap(), url);
                if let Some(body) = body {
                    request = request.json(&body);
                }
                let answer = request.send().await.unwrap();
                assert!(answer.status().is_success(), "{}", answer.status());
                answer.bytes().await.unwrap()
            })
        });
        serde_json::from_slice(&asked.join().unwrap()).unwrap_or(Json::Null)
    }

    pub(crate) fn state(&self) -> Json {
        self.control("GET", "state", None)
    }

    pub(crate) fn fault(&self, status: u16, path: &str) {
        let fault = json!({"status": status, "share": 1.0, "method": "GET", "path": path});
        self.control("POST", "faults", Some(&json!({"faults": [fault]})));
    }
}

pub(crate) fn key() -> Unseal {
    Unseal::new(Some(IDENTITY.as_bytes()), None).unwrap()
}

/// Reads an archive through.
pub(crate) fn read(bytes: &[u8], key: &Unseal) -> (Vec<(String, Vec<u8>)>, Manifest) {
    let mut reader = Reader::open(Cursor::new(bytes.to_vec()), key).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        entries.push(entry);
    }
    (entries, reader.finish().unwrap())
}

/// Returns the tar of an archive that is not sealed.
pub(crate) fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    zstd::Decoder::new(bytes).unwrap().read_to_end(&mut out).unwrap();
    out
}

pub(crate) fn signal(child: &std::process::Child, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap().success());
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < 60, "{what}");
        std::thread::yield_now();
    }
}

/// Adds users to the tenant's database: with a role each, and one that is a member of nothing.
pub(crate) fn add_users(site: &Site, many: usize) {
    let mut state = site.state();
    let users: serde_json::Map<String, Json> = (0..many)
        .map(|number| {
            let id = format!("auth0|{number:024x}");
            let user = json!({
                "user_id": id, "email": format!("user{number}@example.com"), "email_verified": true,
                "name": format!("User {number}"), "nickname": format!("user{number}"), "picture": "",
                "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
                "identities": [{"connection": "Username-Password-Authentication", "provider": "auth0",
                    "user_id": format!("{number:024x}"), "isSocial": false}],
            });
            (id, user)
        })
        .collect();
    state["collections"]["users"] = Json::Object(users);
    site.control("PUT", "state", Some(&state));
}
