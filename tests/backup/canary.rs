//! No secret is in an archive that everyone can open, in whatever form.

use base64::Engine;
use serde_json::Value as Json;
use tenantry::archive::Unseal;

use crate::support::{RECIPIENT, Site, key, read, tar};

/// Secrets that were set, and those the tenant made itself.
fn secrets(state: &Json) -> Vec<String> {
    let mut out: Vec<String> =
        ["canary-signing-0123456789", "canary-google-\"quoted\"", "canary-smtp-pass"].map(str::to_owned).to_vec();
    collect(&state["collections"], &mut out);
    out
}

fn collect(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(text) if name.ends_with("secret") && text.len() >= 8 => out.push(text.clone()),
                    other => collect(other, out),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

/// A secret as it may be written: plain, escaped for JSON, in base64 at any of its three offsets.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(secret).unwrap();
    let mut out = vec![secret.as_bytes().to_vec(), json.as_bytes()[1..json.len() - 1].to_vec()];
    for engine in [&base64::engine::general_purpose::STANDARD_NO_PAD, &base64::engine::general_purpose::URL_SAFE_NO_PAD]
    {
        for offset in 0..3 {
            let padded = [vec![b' '; offset], secret.as_bytes().to_vec()].concat();
            let text = engine.encode(padded);
            // The first and last signs depend on what stands around.
            let text = text.as_bytes();
            out.push(text[4..text.len() - 2].to_vec());
        }
    }
    out
}

fn holds(haystack: &[u8], secret: &str) -> bool {
    forms(secret).iter().any(|form| haystack.windows(form.len()).any(|part| part == form.as_slice()))
}

#[test]
fn no_secret_is_in_an_archive_that_is_open() {
    let site = Site::start();
    let secrets = secrets(&site.state());
    assert!(secrets.len() > 5, "{}", secrets.len());
    let file = site.backup("backups", &[]);
    let bytes = site.bytes(&format!("backups/{file}"));
    let tar = tar(&bytes);
    assert!(holds(&tar, "https://shop.example.com/cb"), "the search finds what is there");
    for secret in &secrets {
        assert!(
            !holds(&tar, secret) && !holds(&bytes, secret),
            "a secret of {} letters is in the archive",
            secret.len()
        );
    }
    let (_, manifest) = read(&bytes, &Unseal::none());
    assert!(manifest.contents.secrets.iter().any(|name| name.contains("CLIENT_SECRET")), "{manifest:?}");
}

#[test]
fn a_sealed_archive_holds_the_secrets_that_the_api_returns_and_shows_none() {
    let site = Site::start();
    let secrets = secrets(&site.state());
    let said = site.run(&["-vv", "backup", "-o", "backups", "--recipient", RECIPIENT]).code(0);
    let file = site.files("backups")[0].clone();
    let bytes = site.bytes(&format!("backups/{file}"));
    for secret in &secrets {
        assert!(!holds(&bytes, secret), "a secret shows through the seal");
        assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "a secret is printed");
    }
    let (entries, _) = read(&bytes, &key());
    let inside: Vec<u8> = entries.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    for returned in ["canary-google-\"quoted\"", "canary-signing-0123456789"] {
        assert!(holds(&inside, returned), "{returned}");
    }
    assert!(!holds(&inside, "canary-smtp-pass"), "no read returns it");
}
