//! Makes archives of sandboxes, as a backup does, and spoils them.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value as Json;
use tenantry::api::{Client, Credentials, Settings};
use tenantry::archive::{Contents, Format, Header, Seal, Writer};
use tenantry::codec::masked;
use tenantry::export::{self, ExportOptions};
use tenantry::live::{Reach, read};
use tenantry::model::{Live, Secret};
use tenantry::schema::Registry;
use tenantry::users::{self, BackupOptions};
use tokio_util::sync::CancellationToken;

use crate::common::Sandbox;

/// How an archive is made.
#[derive(Default)]
pub struct How {
    /// The deployer that reads: client id and secret; else the sandbox's own.
    pub deployer: Option<(String, String)>,
    /// The passphrase; with one, secrets that the API returns are in it.
    pub passphrase: Option<&'static str>,
    /// Users too.
    pub users: bool,
    /// Format that the header claims.
    pub format: Option<u32>,
}

/// Takes an archive of a tenant. Returns the names of the secrets that its description asks for.
pub fn take(sandbox: &Sandbox, domain: &str, to: &Path, how: &How) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client(sandbox, domain, how).await;
        let kinds: BTreeSet<String> = Registry::get().names().map(str::to_owned).collect();
        let read = read(&client, Registry::get(), Reach::Whole(&kinds)).await;
        let live = read.unwrap_or_else(|problem| panic!("{problem:?}")).0;
        let (mut entries, mut counts) = (Vec::new(), indexmap::IndexMap::new());
        if how.users {
            let mut sink = |path: &str, bytes: &[u8]| {
                entries.push((path.to_owned(), bytes.to_vec()));
                Ok(())
            };
            let options = BackupOptions { permissions: true };
            let report = users::backup(&client, &options, &mut sink).await.unwrap();
            counts.extend(report.connections.iter().map(|one| (one.name.clone(), one.users)));
        }
        write(&live, to, how, &entries, counts)
    })
}

async fn client(sandbox: &Sandbox, domain: &str, how: &How) -> Client {
    let own = (sandbox.client_id.clone(), sandbox.client_secret.clone());
    let (client_id, client_secret) = how.deployer.clone().unwrap_or(own);
    let settings = Settings {
        domain: sandbox.url.clone(),
        audience: Some(format!("https://{domain}/api/v2/")),
        credentials: Credentials::Secret { client_id, client_secret: Secret::new(client_secret, "the sandbox") },
        ca_file: None,
        proxy: None,
        budget: 1.0,
        deadline: Duration::from_secs(60),
        max_retries: 3,
        user_agent: "tests".to_owned(),
    };
    Client::connect(settings, CancellationToken::new()).await.unwrap()
}

fn write(
    live: &Live,
    to: &Path,
    how: &How,
    entries: &[(String, Vec<u8>)],
    users: indexmap::IndexMap<String, u64>,
) -> Vec<String> {
    let options = ExportOptions { secrets: how.passphrase.is_some(), ..ExportOptions::default() };
    let export = export::files(Registry::get(), live, &options);
    let started: Timestamp = "2026-11-20T10:15:00Z".parse().unwrap();
    let header = Header {
        format: how.format.map_or(Format::CURRENT, Format),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        domain: live.domain.clone(),
        environment: "prod".to_owned(),
        started,
        encrypted: how.passphrase.is_some(),
    };
    let seal = match how.passphrase {
        Some(passphrase) => Seal::passphrase(Secret::new(passphrase, "the test")).unwrap(),
        None => Seal::Open,
    };
    let mut writer = Writer::start(Vec::new(), &header, &seal).unwrap();
    for (path, text) in &export.files {
        let path = path.to_str().unwrap().replace('\\', "/");
        writer.add(&format!("description/{path}"), text.as_bytes()).unwrap();
    }
    let mut counts = indexmap::IndexMap::new();
    for kind in live.kinds.keys() {
        let spec = Registry::get().kind(kind).unwrap();
        let row = |raw: &Json| if how.passphrase.is_some() { raw.clone() } else { masked(spec, raw) };
        let rows: Vec<Json> = live.resources(kind).iter().map(|resource| row(&resource.raw)).collect();
        counts.insert(kind.clone(), rows.len() as u64);
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        writer.add(&format!("objects/{kind}.ndjson"), lines.as_bytes()).unwrap();
    }
    for (path, bytes) in entries {
        writer.add(path, bytes).unwrap();
    }
    let contents = Contents { counts, users, secrets: export.secrets.clone(), ..Contents::default() };
    let (bytes, _) = writer.finish(started, contents).unwrap();
    std::fs::write(to, bytes).unwrap();
    export.secrets
}
