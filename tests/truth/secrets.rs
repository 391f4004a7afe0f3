//! Secrets, keys and credentials in plans and ledgers.

use serde_json::{Value as Json, json};

use crate::common::Output;
use crate::world::{CLERK, Site, refused};

#[tokio::test]
async fn a_number_where_a_secret_belongs_is_not_stored_in_clear() {
    let site = Site::start("", CLERK);
    let oidc = "connections:\n  - name: partners\n    strategy: oidc\n    options: {client_id: a, client_secret: 1234567890123, \
                issuer: 'https://p.example', authorization_endpoint: 'https://p.example/a', token_endpoint: 'https://p.example/t', \
                jwks_uri: 'https://p.example/j', type: back_channel, scope: openid}\n";
    site.place.write("tenant.yaml", oidc);
    let said = site.run(&["--lenient", "apply", "--yes"]);
    let plan = site.run(&["--lenient", "plan", "--json"]);
    assert!(!said.stdout.contains("1234567890123") && !plan.stdout.contains("1234567890123"), "{said}\n{plan}");
    let folder = site.place.path().join(".tenantry/sandbox.eu.auth0.com/deployments");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("1234567890123"));
    }
}

fn keys() -> (String, String) {
    use age::secrecy::ExposeSecret;
    let identity = age::x25519::Identity::generate();
    (identity.to_public().to_string(), identity.to_string().expose_secret().to_owned())
}

/// Runs the program with more in its environment.
fn with(site: &Site, env: &[(&str, &str)], words: &[&str]) -> Output {
    let output = site.place.ended(site.place.command(&[&["-e", "t"], words].concat()).envs(env.iter().copied()));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn ledger(site: &Site) -> String {
    let folder = site.place.path().join(".tenantry/sandbox.eu.auth0.com");
    let texts = ["deployments", "journals"].map(|part| {
        let files = std::fs::read_dir(folder.join(part)).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>()
    });
    texts.concat()
}

#[tokio::test]
async fn rotated_secrets_come_back_with_the_identity_and_are_named_without_it() {
    let (recipient, identity) = keys();
    let site = Site::start(&format!("ledger_recipient: {recipient}\nfingerprint_key: {{ env: FINGERPRINTS }}"), CLERK);
    let tenant = "connections:\n  - name: partners\n    strategy: oidc\n    options: {client_id: a, \
                  client_secret: '${{ secrets.partner }}', issuer: 'https://p.example', \
                  authorization_endpoint: 'https://p.example/a', token_endpoint: 'https://p.example/t', \
                  jwks_uri: 'https://p.example/j', type: back_channel, scope: openid}\n\
                  emailProvider: {name: sendgrid, enabled: true, default_from_address: a@acme.example, \
                  credentials: {api_key: '${{ secrets.mail }}'}}\n";
    site.place.write("tenant.yaml", tenant);
    let env = |partner, mail, more: &[(&'static str, String)]| -> Vec<(String, String)> {
        let own =
            [("FINGERPRINTS", "canary-key"), ("TENANTRY_SECRET_PARTNER", partner), ("TENANTRY_SECRET_MAIL", mail)];
        let own = own.map(|(name, value): (&str, &str)| (name.to_owned(), value.to_owned()));
        own.into_iter().chain(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
    };
    let run = |env: Vec<(String, String)>, words: &[&str]| {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        with(&site, &env, words)
    };
    let old = ("canary-partner-old", "canary-mail-old");
    let new = ("canary-partner-new", "canary-mail-new");
    let _ = run(env(old.0, old.1, &[]), &["apply", "--yes"]).code(0);
    let _ = run(env(new.0, new.1, &[]), &["apply", "--yes"]).code(0);
    let text = ledger(&site);
    assert!(!text.contains("canary-") && text.contains("\"sealed\": \""), "{text}");
    // Without the identity it is named.
    let said = run(env(new.0, new.1, &[]), &["revert"]);
    for path in ["options.client_secret", "credentials.api_key"] {
        assert!(said.stdout.contains(&format!("`{path}` is sealed in the ledger")), "{said}");
    }
    // With one that is none, so it is, and with somebody else's.
    let said = run(env(new.0, new.1, &[("TENANTRY_LEDGER_IDENTITY", "canary-none".to_owned())]), &["revert"]);
    assert!(said.stderr.contains("[bad-identity]") && !said.stderr.contains("canary-none"), "{said}");
    let said = run(env(new.0, new.1, &[("TENANTRY_LEDGER_IDENTITY", keys().1)]), &["revert"]);
    assert!(said.stdout.contains("is sealed in the ledger"), "{said}");
    let held = [("TENANTRY_LEDGER_IDENTITY", identity)];
    let said = run(env(new.0, new.1, &held), &["revert", "--yes"]).code(0);
    assert!(!said.stdout.contains("canary") && !said.stderr.contains("canary"), "{said}");
    let state = site.control("GET", "state", &Json::Null).await.to_string();
    assert!(state.contains(old.0) && !state.contains(new.0), "{said}");
    assert!(state.contains(old.1) && !state.contains(new.1), "{said}");
    assert!(!ledger(&site).contains("canary-"));
}

#[tokio::test]
async fn what_is_no_recipient_has_its_place_and_an_identity_is_not_repeated() {
    let site = Site::start("ledger_recipient: age1nothing", CLERK);
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("`age1nothing` is not a recipient of age"), "{said}");
    assert!(said.stderr.contains("tenantry.yaml:5:23"), "{said}");
    let identity = keys().1;
    site.project(&format!("ledger_recipient: {identity}"));
    let said = site.run(&["plan"]).code(1);
    assert!(said.stderr.contains("[secret-in-file]") && !said.stderr.contains(&identity), "{said}");
}

#[tokio::test]
async fn a_site_key_without_its_secret_is_refused_before_anything_is_written() {
    let tenant = |key: &str, secret: &str| {
        format!(
            "attackProtection:\n  captcha:\n    active_provider_id: hcaptcha\n    hcaptcha: {{site_key: {key}{secret}}}\n"
        )
    };
    let site = Site::start("", &tenant("a", ", secret: '${{ secrets.captcha }}'"));
    let env = [("TENANTRY_SECRET_CAPTCHA", "canary-captcha")];
    let _ = with(&site, &env, &["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", &tenant("b", ""));
    let said = site.run(&["apply", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["would-lose-secret"], "{said}");
    assert!(site.run(&["plan"]).code(3).stdout.contains("hcaptcha.secret"));
    site.place.write("tenant.yaml", &tenant("b", ", secret: '${{ secrets.captcha }}'"));
    let _ = with(&site, &env, &["apply", "--yes"]).code(0);
}

#[tokio::test]
async fn a_client_that_is_to_go_is_compared_with_its_credentials() {
    let tenant = include_str!("../scenarios/002-credentials-of-a-client/step-1/tenant.yaml");
    let site = Site::start("policy: { delete: [clients] }", tenant);
    site.deploy(tenant);
    site.place.write("tenant.yaml", "clients: []\n");
    let said = site.run(&["plan", "--json"]).code(0);
    assert_eq!(said.json()["changes"][0]["origin"], "change", "{said}");
    // Somebody attaches a key of theirs.
    let id = site.id("clients", "Worker").await;
    let first = site.outside("GET", &format!("/clients/{id}/credentials"), &Json::Null).await;
    let two = include_str!("../scenarios/002-credentials-of-a-client/step-2/tenant.yaml");
    let pem =
        two.rsplit_once("pem: |\n").unwrap().1.lines().map(|line| format!("{}\n", line.trim())).collect::<String>();
    let body = json!({"credential_type": "public_key", "name": "theirs", "alg": "RS256", "pem": pem});
    let second = site.outside("POST", &format!("/clients/{id}/credentials"), &body).await;
    let both = json!({"private_key_jwt": {"credentials": [{"id": first[0]["id"]}, {"id": second["id"]}]}});
    site.outside("PATCH", &format!("/clients/{id}"), &json!({"client_authentication_methods": both})).await;
    let said = site.run(&["plan", "--json"]).code(3);
    assert_eq!(refused(&said), ["conflict"], "{said}");
    let _ = site.run(&["apply", "--yes", "--overwrite", "clients/Worker"]).code(0);
    assert!(site.live("clients", "Worker").await.is_none());
}
