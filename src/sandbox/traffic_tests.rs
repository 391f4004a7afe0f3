//! Recorded traffic against the sandbox. The recordings are not part of the project: `TENANTRY_SHARED`, or `../shared`
//! beside the package, names the folder that holds them; without it these tests say that they were skipped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::call::Method;
use super::contract;
use super::request::{Answer, Request};
use super::tenant::Tenant;

const NOW: i64 = 1_795_305_600_000;

#[derive(Debug, Deserialize)]
struct Exchange {
    method: String,
    path: String,
    status: u16,
    request_body: Value,
    response_body: Value,
}

fn recordings() -> Option<Vec<(String, Vec<Exchange>)>> {
    let shared = std::env::var_os("TENANTRY_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let Ok(entries) = std::fs::read_dir(shared.join("reference/traffic")) else {
        let required = std::env::var("REQUIRE").unwrap_or_default().contains("shared");
        assert!(!required, "the recorded traffic is required and absent");
        eprintln!("skipped: no recorded traffic");
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let exchanges = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), exchanges)
    };
    Some(files.iter().map(read).collect())
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => panic!("method {other}"),
    }
}

/// Splits a recorded path into decoded segments below `/api/v2` and the query.
fn split(path: &str) -> (Vec<String>, Vec<(String, String)>) {
    let url = url::Url::parse(&format!("https://tenant.example{path}")).unwrap();
    let segments = url.path().trim_start_matches("/api/v2/").split('/');
    let decode = |segment: &str| {
        let text = segment.replace('+', "%2B");
        url::form_urlencoded::parse(format!("s={text}").as_bytes()).next().unwrap().1.into_owned()
    };
    (segments.map(decode).collect(), url.query_pairs().into_owned().collect())
}

#[test]
fn the_contract_admits_every_request_a_real_tenant_admitted() {
    let Some(files) = recordings() else { return };
    let contract = contract::embedded();
    let (mut checked, mut refused) = (0, Vec::new());
    for (file, exchanges) in files {
        for exchange in exchanges.iter().filter(|exchange| exchange.status < 400) {
            let (segments, query) = split(&exchange.path);
            let Some(found) = contract.find(method(&exchange.method), &segments) else {
                continue;
            };
            checked += 1;
            let verdicts = [
                contract.check_path(found.operation, &found.params),
                contract.check_query(found.operation, &query),
                contract.check_body(found.operation, &exchange.request_body),
            ];
            for error in verdicts.into_iter().filter_map(Result::err) {
                refused.push(format!("{file}: {} {}: {}", exchange.method, exchange.path, error.message));
            }
        }
    }
    assert!(checked > 500, "only {checked} exchanges fell under the contract");
    assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
}

/// Collections of the sandbox, the list that shows them, the key of the rows, and the members that hold id and name.
const COLLECTIONS: &[(&str, &str, &str, &str, &str)] = &[
    ("clients", "/clients", "clients", "client_id", ""),
    ("client_grants", "/client-grants", "client_grants", "id", ""),
    ("connections", "/connections", "connections", "id", "name"),
    ("resource_servers", "/resource-servers", "resource_servers", "id", "name"),
    ("roles", "/roles", "roles", "id", "name"),
    ("organizations", "/organizations", "organizations", "id", "name"),
    ("actions", "/actions/actions", "actions", "id", "name"),
    ("rules", "/rules", "rules", "id", "name"),
];

/// Documents of the sandbox and the read that shows them.
const DOCUMENTS: &[(&str, &str)] =
    &[("tenant_settings", "/tenants/settings"), ("branding", "/branding"), ("email_provider", "/emails/provider")];

/// A sandbox tenant that holds what the recorded tenant held when the recording began.
struct Replay {
    tenant: Tenant,
    token: String,
    /// Recorded texts (ids, the tenant's domain) and what stands for them here.
    ids: HashMap<String, String>,
}

impl Replay {
    fn new(exchanges: &[Exchange]) -> Replay {
        let domain = recorded_domain(exchanges).unwrap_or_else(|| "auth0-deploy-cli-e2e.us.auth0.com".to_owned());
        let mut tenant = Tenant::fresh(&domain, 1, NOW);
        let token = tenant.token_without(&lacking(exchanges), NOW).unwrap();
        let mut replay = Replay { tenant, token, ids: HashMap::new() };
        let created: Vec<&str> = exchanges
            .iter()
            .filter(|exchange| exchange.method == "POST")
            .filter_map(|exchange| id_of(&exchange.response_body))
            .collect();
        let mut listed = Vec::new();
        for exchange in exchanges.iter().filter(|exchange| exchange.status == 200) {
            let (segments, _) = split(&exchange.path);
            let path = format!("/{}", segments.join("/"));
            for (collection, _, key, id, name) in COLLECTIONS.iter().filter(|(_, list, ..)| *list == path) {
                let rows = exchange.response_body.as_array().or_else(|| exchange.response_body[*key].as_array());
                listed.push(*collection);
                for row in rows.into_iter().flatten() {
                    let Some(row_id) = row[*id].as_str().filter(|row_id| !created.contains(row_id)) else {
                        continue;
                    };
                    replay.admit(collection, row_id, name, row);
                }
            }
            if let ["clients", id, "credentials"] = segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                for row in exchange.response_body.as_array().into_iter().flatten() {
                    let Some(row_id) = row["id"].as_str().filter(|row_id| !created.contains(row_id)) else {
                        continue;
                    };
                    replay.admit(&format!("client_credentials/{id}"), row_id, "", row);
                }
            }
            if let Some((document, _)) =
                DOCUMENTS.iter().find(|(document, read)| *read == path && !listed.contains(document))
            {
                listed.push(document);
                replay.configure(document, &exchange.response_body);
            }
            if let ["email-templates", template] = segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                let templates = replay.tenant.state.collection_mut("email_templates");
                templates.entry(template.to_owned()).or_insert_with(|| exchange.response_body.clone());
            }
        }
        for (collection, ..) in COLLECTIONS.iter().filter(|(collection, ..)| listed.contains(collection)) {
            let kept: Vec<&String> = replay.ids.values().collect();
            replay.tenant.state.collection_mut(collection).retain(|id, _| kept.contains(&id));
        }
        replay
    }

    /// Adds an object that was there before the recording; one like it in the fresh sandbox makes room.
    fn admit(&mut self, collection: &str, id: &str, name: &str, row: &Value) {
        if self.ids.contains_key(id) {
            return;
        }
        self.ids.insert(id.to_owned(), id.to_owned());
        let state = &mut self.tenant.state;
        let likeness = if row["global"] == true { "global" } else { name };
        let twin = state.find_by(collection, likeness, &row[likeness]).map(|(id, _)| id.clone());
        if let Some(twin) = twin.filter(|_| !likeness.is_empty()) {
            state.remove(collection, &twin);
        }
        state.collection_mut(collection).insert(id.to_owned(), row.clone());
    }

    /// Sets a document as the recording first shows it, less what only reads or only answers of writes show.
    fn configure(&mut self, document: &str, recorded: &Value) {
        let mut settings = recorded.clone();
        settings.as_object_mut().unwrap().shift_remove("sandbox_versions_available");
        if let Some(login) = settings.get_mut("universal_login").and_then(Value::as_object_mut) {
            login.shift_remove("identifier_first");
        }
        let fresh = self.tenant.state.documents.get(document).and_then(|fresh| fresh["flags"].as_object().cloned());
        if let (Some(fresh), Some(flags)) = (fresh, settings.get_mut("flags").and_then(Value::as_object_mut)) {
            for (name, value) in fresh {
                flags.entry(name).or_insert(value);
            }
        }
        self.tenant.state.documents.insert(document.to_owned(), settings);
    }

    /// Puts this tenant's ids in the place of recorded ones.
    fn here(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.ids.get(text).unwrap_or(text).clone()),
            Value::Array(items) => items.iter().map(|item| self.here(item)).collect(),
            Value::Object(members) => members.iter().map(|(name, item)| (name.clone(), self.here(item))).collect(),
            other => other.clone(),
        }
    }

    fn send(&mut self, exchange: &Exchange, now_ms: i64) -> Answer {
        let mut target = exchange.path.clone();
        for (recorded, id) in &self.ids {
            if recorded != id {
                target = target.replace(recorded.as_str(), id);
            }
        }
        let mut request = Request::new(method(&exchange.method), &target);
        request.authorization = Some(format!("Bearer {}", self.token));
        if !exchange.request_body.is_null() {
            request.body = self.here(&exchange.request_body).to_string().into_bytes();
        }
        let answer = self.tenant.handle(&request, now_ms);
        if exchange.method == "POST"
            && let (Some(recorded), Some(id)) = (id_of(&exchange.response_body), answer.body.as_ref().and_then(id_of))
        {
            self.ids.insert(recorded.to_owned(), id.to_owned());
        }
        answer
    }
}

fn id_of(body: &Value) -> Option<&str> {
    body.get("client_id").filter(|_| body.get("audience").is_none()).or_else(|| body.get("id"))?.as_str()
}

/// Returns the scopes that the recorded token lacked, by the refusals it got.
fn lacking(exchanges: &[Exchange]) -> Vec<String> {
    let messages = exchanges.iter().filter_map(|exchange| exchange.response_body["message"].as_str());
    let listed = messages.filter_map(|message| message.strip_prefix("Insufficient scope, expected any of: "));
    listed.flat_map(|scopes| scopes.split(',')).map(|scope| scope.trim().to_owned()).collect()
}

fn recorded_domain(exchanges: &[Exchange]) -> Option<String> {
    fn find(value: &Value) -> Option<String> {
        match value {
            Value::Object(members) => {
                let is_system = members.get("is_system") == Some(&Value::Bool(true));
                let identifier = members.get("identifier").and_then(Value::as_str).filter(|_| is_system);
                let domain = identifier.and_then(|text| text.strip_prefix("https://")?.strip_suffix("/api/v2/"));
                domain.map(str::to_owned).or_else(|| members.values().find_map(find))
            }
            Value::Array(items) => items.iter().find_map(find),
            _ => None,
        }
    }
    exchanges.iter().find_map(|exchange| find(&exchange.response_body))
}

/// Members whose values are made up by the server, blanked in the recordings, or left over from before them.
const NOT_COMPARED: &[&str] = &[
    "id",
    "created_at",
    "updated_at",
    "built_at",
    "build_time",
    "deleted_at",
    "client_secret",
    "cert",
    "pkcs7",
    "key",
    "tenant",
    // Versions of an action and clients of a connection that were there before no list shows.
    "number",
    "enabled_clients",
    "clients",
];

/// Lists of which only the shape is compared: of kinds that the sandbox does not simulate, and of links that were there
/// before the recording.
const EMPTY: &[&str] = &[
    "/connections/{id}/clients",
    "/event-streams",
    "/forms",
    "/log-streams",
    "/network-acls",
    "/self-service-profiles",
    "/user-attribute-profiles",
    "/branding/phone/providers",
    "/branding/phone/templates",
];

/// Lists where two answers differ: `+` is only here, `-` only recorded, `~` has another value.
fn differences(recorded: &Value, here: &Value, at: &str, out: &mut Vec<String>) {
    match (recorded, here) {
        (Value::Object(recorded), Value::Object(here)) => {
            for name in recorded.keys().filter(|name| !here.contains_key(*name)) {
                out.push(format!("-{at}{name}"));
            }
            for name in here.keys().filter(|name| !recorded.contains_key(*name)) {
                out.push(format!("+{at}{name}"));
            }
            for (name, value) in recorded {
                let is_rows = value.as_array().is_some_and(|rows| rows.iter().all(Value::is_object));
                if NOT_COMPARED.contains(&name.as_str()) && !(at.is_empty() && is_rows) {
                    continue;
                }
                if let Some(other) = here.get(name) {
                    differences(value, other, &format!("{at}{name}."), out);
                }
            }
        }
        (Value::Array(recorded), Value::Array(here)) if recorded.iter().any(Value::is_object) => {
            if recorded.len() != here.len() {
                out.push(format!("#{at} {} not {}", here.len(), recorded.len()));
            }
            for (n, row) in recorded.iter().enumerate() {
                let other = match named(row) {
                    keys if keys.is_empty() => here.get(n),
                    keys => here.iter().find(|other| named(other) == keys),
                };
                match other {
                    Some(other) => differences(row, other, &format!("{at}[]."), out),
                    None => out.push(format!("-{at}[]: {}", row["name"])),
                }
            }
        }
        (recorded, here) if recorded != here => out.push(format!("~{at} {here} not {recorded}")),
        _ => {}
    }
}

/// Returns what tells the rows of a list apart.
fn named(row: &Value) -> Vec<&Value> {
    let all = |members: &[&str]| members.iter().filter_map(|member| row.get(member)).collect::<Vec<_>>();
    let unique = ["client_id", "name", "value", "permission_name", "display_name", "template"];
    let found = all(&unique);
    match found.first() {
        Some(first) => vec![first],
        // Each version of a trigger has a row.
        None => all(&["id", "version", "type"]),
    }
}

#[test]
fn the_sandbox_answers_recorded_requests_as_the_real_tenant_did() {
    let Some(files) = recordings() else { return };
    let (mut replayed, mut report) = (0, BTreeMap::<String, usize>::new());
    for (_, exchanges) in files {
        let mut replay = Replay::new(&exchanges);
        // Recorded requests lie some 330 ms apart (median).
        for (exchange, now_ms) in exchanges.iter().zip((NOW..).step_by(330)) {
            let (segments, _) = split(&exchange.path);
            let Some(found) = contract::embedded().find(method(&exchange.method), &segments) else {
                continue;
            };
            let operation = format!("{} {}", exchange.method, found.operation.template);
            if !replay.tenant.answers(found.operation) {
                continue;
            }
            replayed += 1;
            let answer = replay.send(exchange, now_ms);
            if answer.status != exchange.status {
                let message = answer.body.as_ref().map_or(&Value::Null, |body| &body["message"]);
                *report
                    .entry(format!("{operation}: {} not {}: {message}", answer.status, exchange.status))
                    .or_default() += 1;
                continue;
            }
            let is_empty = EMPTY.contains(&found.operation.template.as_str());
            let mut found = Vec::new();
            differences(
                &replay.here(&exchange.response_body),
                answer.body.as_ref().unwrap_or(&Value::Null),
                "",
                &mut found,
            );
            for difference in found.into_iter().filter(|one| !is_empty || !one.contains(['#', '~', ':'])) {
                *report.entry(format!("{operation}: {difference}")).or_default() += 1;
            }
        }
    }
    let report: Vec<String> = report.iter().map(|(difference, count)| format!("{count:4} {difference}")).collect();
    assert!(replayed > 900, "only {replayed} exchanges were replayed");
    assert!(report.is_empty(), "of {replayed} exchanges these differ:\n{}", report.join("\n"));
}
