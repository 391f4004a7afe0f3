//! Tenants with something in them, and projects that restore onto others.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::archive::{How, take};
use crate::chain::{Tenant, files, public_key};
use crate::common::{Output, Place};

/// Domain of the tenant that archives are taken of.
pub const DOMAIN: &str = "travel0.eu.auth0.com";

/// One resource of every sort that behaves in its own way.
const EVERYTHING: &str = include_str!("../laws/fixture.yaml");

/// What a project allows that allows all.
pub const EVERYTHING_ALLOWED: &str = "{ delete: all, drift: overwrite, approve: [] }";

/// A tenant of a domain; with page templates in mind it has a domain of its own.
pub fn tenant(place: &Place, name: &str, domain: &str) -> Tenant {
    let tenant = Tenant::start(place, name, domain);
    let made =
        tenant.ask("POST", "custom-domains", &json!({"domain": "login.law.example", "type": "auth0_managed_certs"}));
    let id = made["custom_domain_id"].as_str().unwrap().to_owned();
    let _ = tenant.ask("POST", &format!("custom-domains/{id}/verify"), &Json::Null);
    tenant
}

/// A tenant with one resource of every sort, and two clients of one name.
pub fn full(place: Place, name: &str, domain: &str) -> (Place, Tenant) {
    let tenant = tenant(&place, name, domain);
    let mut json: Json = serde_yaml::from_str(EVERYTHING).unwrap();
    side_files(&place, name, &mut json, "");
    place.write(&format!("{name}/everything.yaml"), &json.to_string());
    let config = tenant.config(&place, name, &json!({}));
    let place = tenant.sandbox.point(place);
    let _ = place.run(&["-c", &config, "-i", &format!("{name}/everything.yaml"), "apply", "--yes"]).code(0);
    (place, tenant)
}

/// The single file names code and pages by their files.
fn side_files(place: &Place, folder: &str, json: &mut Json, at: &str) {
    match json {
        Json::Object(members) => {
            for (name, member) in members.iter_mut() {
                let at = format!("{at}-{name}");
                match member {
                    Json::String(text) if ["code", "script", "html", "body"].contains(&name.as_str()) => {
                        let file = format!("texts/{}.txt", at.trim_start_matches('-'));
                        place.write(&format!("{folder}/{file}"), text);
                        *member = Json::String(file);
                    }
                    _ => side_files(place, folder, member, &at),
                }
            }
        }
        Json::Array(items) => {
            items.iter_mut().enumerate().for_each(|(n, item)| side_files(place, folder, item, &format!("{at}-{n}")));
        }
        _ => {}
    }
}

/// A tenant that runs the worked example.
pub fn travel0(place: Place, domain: &str) -> (Place, Tenant) {
    let tenant = tenant(&place, "travel0", domain);
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tenants/travel0");
    for (path, text) in files(&source) {
        let name = path.strip_prefix(&source).unwrap();
        if !name.starts_with(".tenantry") {
            place.write(&format!("example/{}", name.display()), &text);
        }
    }
    let text = place.read("example/tenantry.yaml");
    let there = format!("  there:\n    domain: {}\n    policy: {{ delete: all }}\n", tenant.sandbox.url);
    place.write("example/tenantry.yaml", &text.replacen("  sandbox:\n    sandbox: {}\n", &there, 1));
    let place = tenant.sandbox.point(place);
    let _ = place.run(&["-C", "example", "-e", "there", "apply", "--yes"]).code(0);
    (place, tenant)
}

/// Writes a project with one environment, `t`, for a tenant, and points at it. It has a ledger of its own.
pub fn project(place: Place, folder: &str, tenant: &Tenant, policy: &str) -> Place {
    let text =
        format!("description: .\nenvironments:\n  t:\n    domain: {}\n    policy: {policy}\n", tenant.sandbox.url);
    place.write(&format!("{folder}/tenantry.yaml"), &text);
    tenant.sandbox.point(place)
}

/// Takes an archive; returns its path, and a file with a value for every secret that it does not hold.
pub fn archive(place: &Place, tenant: &Tenant, domain: &str, name: &str, how: &How) -> (PathBuf, String) {
    let path = place.path().join(name);
    let secrets = take(&tenant.sandbox, domain, &path, how);
    let value = |name: &String| match name.ends_with("_PEM") {
        true => public_key(&place.path()).unwrap(),
        false => format!("value of {name}"),
    };
    let map: serde_json::Map<String, Json> =
        secrets.iter().map(|name| (name.clone(), Json::String(value(name)))).collect();
    let file = format!("{name}.secrets.json");
    place.write(&file, &Json::Object(map).to_string());
    (path, file)
}

/// Runs `restore` of an archive in a folder's project.
pub fn restore(place: &Place, folder: &str, archive: &str, more: &[&str]) -> Output {
    let archive = place.path().join(archive);
    let words = ["-C", folder, "-e", "t", "restore", archive.to_str().unwrap()];
    place.run(&[&words, more].concat())
}

/// Exports a tenant's whole description; returns its files by path.
pub fn exported(place: &Place, folder: &str, to: &str) -> Vec<(String, String)> {
    let _ = place.run(&["-C", folder, "-e", "t", "export", "-o", to]).code(0);
    let root = place.path().join(folder).join(to);
    let mut found: Vec<(String, String)> = files(&root)
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"), text))
        .collect();
    found.sort();
    found
}
