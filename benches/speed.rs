//! How long it takes to check a description of a thousand resources, and to start at all.
//!
//! `cargo bench --bench speed`; what is aimed at stands in docs/speed.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tenantry::flow::{Request, validate};
use tenantry::model::{
    Address, Base, BaseResource, Described, DescribedKind, Desired, Live, LiveKind, LiveResource, Loci, Value,
};
use tenantry::plan::{self, Options};
use tenantry::project::{Flags, Surroundings};
use tenantry::schema::Registry;
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

/// Writes a project with a description of this many resources.
fn project(folder: &Path, resources: usize) {
    let mut text = String::from("resourceServers:\n  - {name: Orders, identifier: https://orders.example, ");
    text.push_str("scopes: [{value: read:orders}]}\nclients:\n");
    let (clients, roles) = (resources / 2, resources / 4);
    for n in 0..clients {
        writeln!(
            text,
            "  - name: Client {n:05}\n    app_type: non_interactive\n    callbacks: [https://{n}.example/cb]"
        )
        .unwrap();
        text.push_str("    jwt_configuration: {alg: RS256, lifetime_in_seconds: 3600}\n");
    }
    text.push_str("roles:\n");
    for n in 0..roles {
        writeln!(text, "  - name: Role {n:05}\n    description: ${{{{ vars.team }}}}").unwrap();
        text.push_str(
            "    permissions: [{permission_name: read:orders, resource_server_identifier: https://orders.example}]\n",
        );
    }
    text.push_str("clientGrants:\n");
    for n in 0..resources - clients - roles - 1 {
        writeln!(text, "  - {{client_id: Client {n:05}, audience: https://orders.example, scope: [read:orders]}}")
            .unwrap();
    }
    std::fs::write(folder.join("tenant.yaml"), text).unwrap();
    let file = "description: tenant.yaml\nvariables: {team: Travel0}\nenvironments:\n  sandbox: {sandbox: {}}\n";
    std::fs::write(folder.join("tenantry.yaml"), file).unwrap();
}

/// Runs the program; it has to succeed.
fn run(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    let status = command.args(arguments).current_dir(folder).env_clear().stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{arguments:?}: {status}");
}

#[divan::bench(args = [10, 1_000])]
fn validate_through_the_binary(bencher: divan::Bencher<'_, '_>, resources: usize) {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), resources);
    bencher.bench_local(|| run(folder.path(), &["-e", "sandbox", "validate"]));
}

#[divan::bench(args = [10, 1_000])]
fn validate_through_the_library(bencher: divan::Bencher<'_, '_>, resources: usize) {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path(), resources);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = Request {
        flags: Flags { environment: Some("sandbox".to_owned()), ..Flags::default() },
        around: Surroundings { directory: folder.path().to_owned(), env: Default::default() },
        budget: 1.0,
        cancel: CancellationToken::new(),
    };
    bencher.bench_local(|| runtime.block_on(validate(&request)).unwrap().environments);
}

#[divan::bench]
fn version() {
    run(Path::new("."), &["--version"]);
}

/// Ten thousand clients that were deployed; of every hundred one was changed in the files and one outside.
#[divan::bench]
fn three_way_plan_10_000(bencher: divan::Bencher<'_, '_>) {
    let client = |n: usize, lifetime: u32| {
        Value::from_json(&json!({
            "name": format!("Client {n:05}"),
            "app_type": "non_interactive",
            "callbacks": [format!("https://{n}.example/cb"), format!("https://{n}.example/other")],
            "grant_types": ["client_credentials", "authorization_code"],
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": lifetime},
            "client_metadata": {"team": "Travel0", "number": n.to_string()},
        }))
    };
    let (mut described, mut found, mut base) = (Vec::new(), Vec::new(), Base::default());
    for n in 0..10_000 {
        let address = Address::new("clients", &format!("Client {n:05}"));
        let id = format!("id{n:05}");
        let value = client(n, if n % 100 == 1 { 7200 } else { 3600 });
        described.push(Described { address: address.clone(), id: None, value, loci: Loci::default() });
        let value = client(n, if n % 100 == 2 { 60 } else { 3600 });
        let raw = value.to_json().unwrap();
        found.push(LiveResource {
            address: address.clone(),
            id: id.clone(),
            value,
            raw: raw.into(),
            system: None,
            unreadable: Vec::new(),
        });
        base.resources.insert(address, BaseResource { id, desired: client(n, 3600), live: client(n, 3600) });
    }
    let kind = DescribedKind { locus: None, resources: described };
    let desired = Desired { kinds: [("clients".to_owned(), kind)].into_iter().collect() };
    let live = Live { kinds: [("clients".to_owned(), LiveKind::Read(found))].into_iter().collect(), ..Live::default() };
    let options = Options::default();
    bencher.bench_local(|| {
        let made = plan::make(Registry::get(), &desired, &live, Some(&base), &options);
        assert_eq!(made.changes.len(), 200);
    });
}
