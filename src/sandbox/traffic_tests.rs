//! Recorded traffic against the sandbox. The recordings are not part of the project: `TENANTRY_SHARED`, or `../shared`
//! beside the package, names the folder that holds them; without it these tests say that they were skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

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
        let required = std::env::var("REQUIRE")
            .unwrap_or_default()
            .contains("shared");
        assert!(!required, "the recorded traffic is required and absent");
        eprintln!("skipped: no recorded traffic");
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "ndjson")
    });
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let exchanges = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (
            path.file_stem().unwrap().to_string_lossy().into_owned(),
            exchanges,
        )
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
        url::form_urlencoded::parse(format!("s={text}").as_bytes())
            .next()
            .unwrap()
            .1
            .into_owned()
    };
    (
        segments.map(decode).collect(),
        url.query_pairs().into_owned().collect(),
    )
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
                refused.push(format!(
                    "{file}: {} {}: {}",
                    exchange.method, exchange.path, error.message
                ));
            }
        }
    }
    assert!(
        checked > 500,
        "only {checked} exchanges fell under the contract"
    );
    assert!(
        refused.is_empty(),
        "{} refused:\n{}",
        refused.len(),
        refused.join("\n")
    );
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

/// A sandbox tenant that holds what the recorded tenant held when the recording began.
struct Replay {
    tenant: Tenant,
    token: String,
    /// Recorded texts (ids, the tenant's domain) and what stands for them here.
    ids: HashMap<String, String>,
}

impl Replay {
    fn new(exchanges: &[Exchange]) -> Replay {
        let domain = recorded_domain(exchanges).unwrap_or_else(|| "tenant.eu.auth0.com".to_owned());
        let mut tenant = Tenant::fresh(&domain, 1, NOW);
        let token = tenant.dashboard_token("Replay", "replay@example.com", NOW).unwrap();
        let mut replay = Replay { tenant, token, ids: HashMap::new() };
        let created: Vec<&str> = exchanges
            .iter()
            .filter(|exchange| exchange.method == "POST")
            .filter_map(|exchange| id_of(&exchange.response_body))
            .collect();
        for exchange in exchanges.iter().filter(|exchange| exchange.method == "GET" && exchange.status == 200) {
            let (segments, _) = split(&exchange.path);
            let path = format!("/{}", segments.join("/"));
            for (collection, list, key, id, name) in COLLECTIONS.iter().filter(|(_, list, ..)| *list == path) {
                let rows = exchange.response_body.as_array().or_else(|| exchange.response_body[*key].as_array());
                for row in rows.into_iter().flatten() {
                    let Some(row_id) = row[*id].as_str().filter(|row_id| !created.contains(row_id)) else { continue };
                    replay.admit(collection, row_id, name, row, list);
                }
            }
        }
        replay
    }

    /// Adds an object that was there before the recording, unless the fresh sandbox has its like.
    fn admit(&mut self, collection: &str, id: &str, name: &str, row: &Value, _list: &str) {
        if self.ids.contains_key(id) {
            return;
        }
        let likeness = if row["global"] == true { "global" } else { name };
        let twin = match likeness {
            "" => None,
            member => self.tenant.state.find_by(collection, member, &row[member]).map(|(id, _)| id.clone()),
        };
        let id_here = twin.unwrap_or_else(|| {
            self.tenant.state.collection_mut(collection).insert(id.to_owned(), row.clone());
            id.to_owned()
        });
        self.ids.insert(id.to_owned(), id_here);
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

    fn send(&mut self, exchange: &Exchange) -> Answer {
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
        let answer = self.tenant.handle(&request, NOW);
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

/// Lists members that one of two answers has and the other lacks: `+` is only here, `-` only recorded.
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
                if let Some(other) = here.get(name) {
                    differences(value, other, &format!("{at}{name}."), out);
                }
            }
        }
        (Value::Array(recorded), Value::Array(here)) => {
            if let (Some(recorded), Some(here)) = (recorded.first(), here.first()) {
                differences(recorded, here, &format!("{at}[]."), out);
            }
        }
        _ => {}
    }
}

#[test]
fn the_sandbox_answers_recorded_requests_as_the_real_tenant_did() {
    let Some(files) = recordings() else { return };
    let (mut replayed, mut report) = (0, BTreeMap::<String, usize>::new());
    for (_, exchanges) in files {
        let mut replay = Replay::new(&exchanges);
        for exchange in &exchanges {
            let (segments, _) = split(&exchange.path);
            let Some(found) = contract::embedded().find(method(&exchange.method), &segments) else { continue };
            let operation = format!("{} {}", exchange.method, found.operation.template);
            replayed += 1;
            let answer = replay.send(exchange);
            if answer.status != exchange.status {
                let message = answer.body.as_ref().map_or(&Value::Null, |body| &body["message"]);
                *report.entry(format!("{operation}: {} not {}: {message}", answer.status, exchange.status)).or_default() += 1;
                continue;
            }
            let mut found = Vec::new();
            differences(&exchange.response_body, answer.body.as_ref().unwrap_or(&Value::Null), "", &mut found);
            for difference in found {
                *report.entry(format!("{operation}: {difference}")).or_default() += 1;
            }
        }
    }
    for (difference, count) in &report {
        eprintln!("{count:4} {difference}");
    }
    eprintln!("{replayed} exchanges");
}
