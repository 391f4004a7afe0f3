//! Recorded traffic against the sandbox. The recordings are not part of the project: `TENANTRY_SHARED`, or `../shared`
//! beside the package, names the folder that holds them; without it these tests say that they were skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::call::Method;
use super::contract;

#[derive(Debug, Deserialize)]
struct Exchange {
    method: String,
    path: String,
    status: u16,
    request_body: Value,
    #[allow(dead_code)]
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
