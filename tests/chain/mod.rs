//! The chain every description has to pass: deployed, nothing left to do, exported, and the export deployed elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, unreachable_pub)]

pub mod raw;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Output, Place, Sandbox};

/// The kinds of this release, and the credentials of clients, which auth0-deploy-cli counts apart.
pub const KINDS: &[&str] = &[
    "tenant",
    "clients",
    "clientAuthCredentials",
    "resourceServers",
    "clientGrants",
    "connections",
    "databases",
    "roles",
    "actions",
    "triggers",
    "pages",
    "emailProvider",
    "emailTemplates",
    "branding",
    "prompts",
    "organizations",
    "attackProtection",
    "rules",
    "rulesConfigs",
];

/// Every layout that an export can have.
pub const LAYOUTS: &[(&str, &str)] = &[("single", "yaml"), ("directory", "yaml"), ("directory", "json")];

/// A tenant of its own, which records what is asked of it.
pub struct Tenant {
    /// Where it is, and how to get in.
    pub sandbox: Sandbox,
    record: PathBuf,
    domain: String,
}

impl Tenant {
    /// A fresh one.
    pub fn start(place: &Place, name: &str, domain: &str) -> Self {
        let record = place.path().join(format!("{name}.ndjson"));
        let options = ["--rate", "off", "--tenant-domain", domain, "--record", record.to_str().unwrap()];
        Tenant { sandbox: Sandbox::start(place, &options), record, domain: domain.to_owned() }
    }

    /// Writes a `config.json` for this tenant; returns its path.
    pub fn config(&self, place: &Place, name: &str, mappings: &Value) -> String {
        let config = json!({
            "AUTH0_DOMAIN": self.sandbox.url,
            "AUTH0_CLIENT_ID": self.sandbox.client_id,
            "AUTH0_CLIENT_SECRET": self.sandbox.client_secret,
            "AUTH0_INCLUDED_ONLY": KINDS,
            "AUTH0_KEYWORD_REPLACE_MAPPINGS": mappings,
        });
        let file = format!("{name}/config.json");
        place.write(&file, &config.to_string());
        file
    }

    /// How many writes the tenant has been asked for, refused ones too.
    pub fn writes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.record).unwrap_or_default();
        let exchanges = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |exchange: &Value, member: &str| exchange[member].as_str().unwrap().to_owned();
        exchanges
            .filter(|exchange| word(exchange, "path").starts_with("/api/v2/") && exchange["method"] != "GET")
            .map(|exchange| format!("{} {}", word(&exchange, "method"), word(&exchange, "path")))
            .collect()
    }

    /// What the tenant answers for every collection.
    pub fn answers(&self) -> Value {
        raw::answers(&self.sandbox, &self.domain)
    }

    /// Asks the tenant for something that no tool does.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        raw::ask(&self.sandbox, method, path, body)
    }
}

/// Applies a description and demands that nothing is left to do; returns what the first apply said. `words` say which.
pub fn deploy(place: &Place, tenant: &Tenant, words: &[&str]) -> Output {
    let first = place.run(&[words, &["apply", "--yes"]].concat()).code(0);
    no_difference(place, tenant, words);
    let before = tenant.writes().len();
    let _ = place.run(&[words, &["apply", "--yes"]].concat()).code(0);
    assert_eq!(tenant.writes().split_off(before), Vec::<String>::new(), "the second apply wrote: {words:?}");
    first
}

/// Demands that a plan finds nothing to do and does nothing.
pub fn no_difference(place: &Place, tenant: &Tenant, words: &[&str]) {
    let before = tenant.writes().len();
    let _ = place.run(&[words, &["plan", "--detailed-exitcode"]].concat()).code(0);
    assert_eq!(tenant.writes().split_off(before), Vec::<String>::new(), "the plan wrote: {words:?}");
}

/// Exports in every layout; each plans to nothing, and leaves a fresh tenant the same.
pub fn round_trip(mut place: Place, tenant: &Tenant, config: &str, base: &str) -> Place {
    let key = public_key(&place.path()).unwrap_or_default();
    let named = |(layout, files): &(&str, &str)| format!("{base}-{layout}-{files}");
    for form in LAYOUTS {
        let (layout, files) = form;
        let name = named(form);
        let _ = place.run(&["-c", config, "export", "--format", layout, "--files", files, "-o", &name]).code(0);
        no_difference(&place, tenant, &["-c", config, "-i", &name]);
    }
    for name in LAYOUTS.iter().map(named) {
        // Deploying needs what planning does without.
        for secret in secrets(&place.path().join(&name)) {
            let value = if secret.ends_with("_PEM") { key.clone() } else { format!("value of {secret}") };
            place = place.env(&format!("TENANTRY_SECRET_{}", secret.to_uppercase()), &value);
        }

        let other = Tenant::start(&place, &name, &tenant.domain);
        let config = other.config(&place, &format!("{name}-fresh"), &json!({}));
        // The environment goes before a file.
        place = other.sandbox.point(place);
        let _ = deploy(&place, &other, &["-c", &config, "-i", &name]);
        place = tenant.sandbox.point(place);
        same(&name, &tenant.answers(), &other.answers());
    }
    place
}

/// Demands that two tenants answer the same.
fn same(what: &str, left: &Value, right: &Value) {
    let mut lines = Vec::new();
    raw::differences("", left, right, &mut lines);
    // Which deployment it runs is what a tenant remembers for itself.
    lines.retain(|line| !line.contains("/client_metadata/tenantry: "));
    assert!(lines.is_empty(), "{what}: the fresh tenant answers otherwise:\n{}", lines.join("\n"));
}

/// The first public key below a folder: no read returns it, so no export holds it.
pub fn public_key(folder: &Path) -> Option<String> {
    let (begin, end) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
    files(folder).into_iter().find_map(|(_, text)| {
        let inner = text.split_once(begin)?.1.split_once(end)?.0;
        let lines: Vec<&str> = inner.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // A recording holds it escaped, on one line.
        (lines.len() > 1).then(|| format!("{begin}\n{}\n{end}\n", lines.join("\n")))
    })
}

/// Names of the secrets that an export asks for.
fn secrets(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in files(folder) {
        for rest in text.split("secrets.").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            found.insert(rest[..end].to_owned());
        }
    }
    found
}

/// Every file below a folder, with its text.
pub fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found
}

/// Names of all `##markers##` and `@@markers@@` below a folder, but not Auth0's own.
pub fn markers(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, text) in files(folder) {
        for mark in ["##", "@@"] {
            let parts: Vec<&str> = text.split(mark).collect();
            let named = |part: &&&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let inner = parts.get(1..parts.len().saturating_sub(1)).unwrap_or_default();
            found.extend(inner.iter().filter(named).map(|part| (*part).to_owned()));
        }
    }
    found.retain(|name| name != "password" && name != "config");
    found
}

/// Makes what the documented directory of auth0-deploy-cli refers to and does not describe.
pub fn referred_to(tenant: &Tenant) {
    for name in ["My M2M", "My Okta OIN Client"] {
        tenant.ask("POST", "clients", &json!({ "name": name, "app_type": "non_interactive" }));
    }
    let action = json!({
        "name": "ldoorz",
        "code": "exports.onExecuteSendPhoneMessage = async (event) => {};",
        "supported_triggers": [{ "id": "send-phone-message", "version": "v1" }],
    });
    let id = tenant.ask("POST", "actions/actions", &action)["id"].as_str().unwrap().to_owned();
    while tenant.ask("GET", &format!("actions/actions/{id}"), &Value::Null)["status"] != "built" {}
    tenant.ask("POST", &format!("actions/actions/{id}/deploy"), &Value::Null);
    let binding = json!({ "bindings": [{ "ref": { "type": "action_id", "value": id }, "display_name": "ldoorz" }] });
    tenant.ask("PATCH", "actions/triggers/send-phone-message/bindings", &binding);
}
