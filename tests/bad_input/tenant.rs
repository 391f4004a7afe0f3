//! Tenants that cannot be reached, do not let one in, or lack something. Nothing is written to any of them.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::common::Place;
use crate::support::{Recorder, refused, stable};

/// A place that deploys one client and one role to a domain.
fn shop(place: Place, domain: &str) -> Place {
    place.write("tenantry.yaml", &format!("environments:\n  dev:\n    domain: {domain}\n"));
    place.write("clients/shop.yaml", "name: Shop\napp_type: spa\n");
    place.write("roles/admin.json", "{\"name\": \"admin\"}");
    place
}

fn anybody() -> Place {
    Place::new().env("AUTH0_CLIENT_ID", "somebody").env("AUTH0_CLIENT_SECRET", "hunter2-hunter2")
}

/// Demands that plan and apply are refused alike.
fn plan_and_apply(place: &Place) -> String {
    let planned = refused(place, &["plan"], 1);
    let applied = refused(place, &["apply", "--yes"], 1);
    assert_eq!(stable(&planned), stable(&applied));
    stable(&planned)
}

#[test]
fn no_network() {
    // A port that nobody listens on any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let place = shop(anybody(), &format!("http://127.0.0.1:{port}"));
    insta::assert_snapshot!(plan_and_apply(&place));
}

#[test]
fn no_such_host() {
    // `.invalid` is never a domain (RFC 2606).
    let place = shop(anybody(), "acme.eu.auth0.invalid");
    let output = refused(&place, &["plan"], 1);
    assert!(output.stderr.contains("error[no-network]"), "{output}");
    assert!(!output.stderr.contains("hunter2"), "{output}");
}

#[test]
fn a_secret_that_is_wrong() {
    let recorder = Recorder::start(&[]);
    let place = shop(
        Place::new().env("AUTH0_CLIENT_ID", &recorder.sandbox.client_id).env("AUTH0_CLIENT_SECRET", "hunter2-hunter2"),
        &recorder.sandbox.url,
    );
    let output = plan_and_apply(&place);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
    recorder.untouched();
}

#[test]
fn a_client_that_is_unknown() {
    let recorder = Recorder::start(&[]);
    let place = shop(anybody(), &recorder.sandbox.url);
    insta::assert_snapshot!(plan_and_apply(&place));
    recorder.untouched();
}

#[test]
fn a_token_that_is_not_one() {
    let recorder = Recorder::start(&[]);
    let place = shop(Place::new().env("AUTH0_ACCESS_TOKEN", "hunter2-hunter2"), &recorder.sandbox.url);
    let output = plan_and_apply(&place);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
    recorder.untouched();
}

/// Takes scopes of the Management API away from the deployer.
fn without_scopes(recorder: &Recorder, lost: &[&str]) {
    let grants = recorder.api("GET", &format!("/client-grants?client_id={}", recorder.sandbox.client_id), &Value::Null);
    let list = grants.as_array().or_else(|| grants["client_grants"].as_array()).unwrap().clone();
    let grant = &list[0];
    let kept: Vec<&Value> =
        grant["scope"].as_array().unwrap().iter().filter(|scope| !lost.contains(&scope.as_str().unwrap())).collect();
    recorder.api("PATCH", &format!("/client-grants/{}", grant["id"].as_str().unwrap()), &json!({"scope": kept}));
}

#[test]
fn a_scope_to_read_is_missing() {
    let recorder = Recorder::start(&[]);
    without_scopes(&recorder, &["read:roles"]);
    let before = recorder.writes();
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    let planned = place.run(&["plan"]).code(3);
    insta::assert_snapshot!(stable(&planned));
    let applied = place.run(&["apply", "--yes"]).code(3);
    assert!(applied.stdout.contains("read:roles"), "{applied}");
    assert_eq!(place.run(&["plan", "--json"]).code(3).json()["refusals"][0]["guard"], "unreadable");
    // Left out, the rest can be deployed.
    let mut file = place.read("tenantry.yaml");
    file.push_str("    exclude: [roles]\n");
    place.write("tenantry.yaml", &file);
    let _ = place.run(&["plan"]).code(0);
    assert_eq!(recorder.writes(), before);
}

#[test]
fn a_scope_to_write_is_missing() {
    let recorder = Recorder::start(&[]);
    without_scopes(&recorder, &["create:roles", "create:clients"]);
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    let doctor = place.run(&["doctor"]);
    insta::assert_snapshot!(stable(&doctor));
    let before = recorder.writes();
    let applied = place.run(&["apply", "--yes"]);
    insta::assert_snapshot!("a_scope_to_write_is_missing_at_apply", stable(&applied));
    assert_eq!(applied.code, Some(3), "{applied}");
    assert_eq!(recorder.writes(), before, "nothing is begun that cannot be finished");
}

#[test]
fn a_subscription_without_the_feature() {
    let recorder = Recorder::start(&["--subscription", "free"]);
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    place.write("organizations/acme.json", "{\"name\": \"acme\", \"display_name\": \"Acme\"}");
    let planned = place.run(&["plan"]).code(0);
    insta::assert_snapshot!(stable(&planned));
    // The rest is deployed, nothing of the feature is tried, and then there is nothing left to do.
    let _ = place.run(&["apply", "--yes"]).code(0);
    let tried: Vec<String> = recorder.writes().into_iter().filter(|write| write.contains("organizations")).collect();
    assert_eq!(tried, Vec::<String>::new());
    let _ = place.run(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn clocks_that_differ() {
    let recorder = Recorder::start(&[]);
    recorder.control("POST", "clock", &json!({"offset_ms": 7 * 60 * 1000 + 12_000}));
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    let planned = place.run(&["plan"]).code(0);
    assert!(planned.stderr.contains("warning[clock-skew]"), "{planned}");
    insta::assert_snapshot!(stable(&planned));
    let doctor = place.run(&["doctor"]);
    assert!(doctor.stdout.contains("clock"), "{doctor}");
    insta::assert_snapshot!("clocks_that_differ_at_doctor", stable(&doctor));
}

/// A private key and its client: the assertion carries times, so a wrong clock makes it useless.
#[test]
fn plain_http_to_another_machine() {
    let place = shop(anybody(), "http://acme.eu.auth0.com");
    insta::assert_snapshot!(plan_and_apply(&place));
}

#[test]
fn domains_that_are_none() {
    let mut all = String::new();
    for domain in [
        "'https://acme.eu.auth0.com/api/v2/'",
        "'acme eu'",
        "'acme.eu.auth0.com:x'",
        "'user:pass@acme.eu.auth0.com'",
        "'##DOMAIN##'",
    ] {
        let place = shop(anybody(), domain);
        let output = place.run(&["plan"]);
        assert_ne!(output.code, Some(0), "{domain}\n{output}");
        all.push_str(&format!("{domain}\n{}\n\n", stable(&output)));
    }
    insta::assert_snapshot!(all);
}

/// A server that answers everything with one page.
fn page(status: &str, content_type: &str, body: &str) -> (u16, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let server = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, server)
}

#[test]
fn a_domain_that_is_not_auth0s() {
    let html = "<!doctype html><title>Welcome</title><p>the page of somebody else";
    let (port, _server) = page("200 OK", "text/html", html);
    let output = plan_and_apply(&shop(anybody(), &format!("http://127.0.0.1:{port}")));
    assert!(!output.contains("somebody else"), "{output}");
    insta::assert_snapshot!(output);
    let (port, _server) = page("404 Not Found", "text/html", html);
    insta::assert_snapshot!(
        "a_domain_that_is_not_auth0s_404",
        plan_and_apply(&shop(anybody(), &format!("http://127.0.0.1:{port}")))
    );
    let (port, _server) = page("302 Found\r\nLocation: https://example.com/", "text/html", "");
    insta::assert_snapshot!(
        "a_domain_that_is_not_auth0s_302",
        plan_and_apply(&shop(anybody(), &format!("http://127.0.0.1:{port}")))
    );
}

/// A sandbox behind TLS whose authority nobody knows.
struct Secured {
    child: Child,
    ready: Value,
}

impl Secured {
    fn start(place: &Place) -> Self {
        let arguments = ["sandbox", "--port", "0", "--json", "--tls", "--tenant-domain", "acme.eu.auth0.com"];
        let mut child = place.program(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Secured { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn text(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_certificate_nobody_vouches_for() {
    let home = Place::new();
    let server = Secured::start(&home);
    let credentials = |place: Place| {
        place.env("AUTH0_CLIENT_ID", server.text("client_id")).env("AUTH0_CLIENT_SECRET", server.text("client_secret"))
    };
    let place = shop(credentials(Place::new()), server.text("domain"));
    insta::assert_snapshot!(plan_and_apply(&place));
    // The way out that the message names is one.
    let place = shop(credentials(Place::new()).env("SSL_CERT_FILE", server.text("ca_file")), server.text("domain"));
    let _ = place.run(&["plan"]).code(0);
    let place = shop(credentials(Place::new()).env("SSL_CERT_FILE", "nowhere.pem"), server.text("domain"));
    insta::assert_snapshot!("a_certificate_file_that_is_missing", stable(&refused(&place, &["plan"], 1)));
}

#[test]
fn a_server_that_fails() {
    let recorder = Recorder::start(&["--fault", "500=100%"]);
    let place = recorder.compatibility();
    place.write("clients/shop.json", "{\"name\": \"Shop\"}");
    let place = place.env("AUTH0_INPUT_FILE", ".");
    // Without repetitions: those wait, and are tested where no time passes.
    let place = place.env("AUTH0_API_MAX_RETRIES", "0");
    let output = stable(&refused(&place, &["plan"], 1));
    // Whichever request fails first is named.
    insta::assert_snapshot!(regex::Regex::new("GET /[a-z-]+").unwrap().replace(&output, "GET /KIND"));
}

// References that lead nowhere are known once the tenant was read; all of them at once, and nothing is written.

fn references(files: &[(&str, &str)]) -> String {
    let recorder = Recorder::start(&[]);
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    for (name, text) in files {
        place.write(name, text);
    }
    let _ = place.run(&["validate"]).code(0);
    let output = plan_and_apply(&place);
    recorder.untouched();
    output
}

#[test]
fn references_to_what_is_not_there() {
    insta::assert_snapshot!(references(&[
        (
            "grants/shop.json",
            "{\n  \"client_id\": \"Shopp\",\n  \"audience\": \"https://orders.example.com\",\n  \"scope\": []\n}\n"
        ),
        (
            "organizations/acme.yaml",
            "name: acme\ndisplay_name: Acme\nconnections:\n  - name: Usrs\n    assign_membership_on_login: true\n"
        ),
        (
            "triggers/triggers.json",
            "{\n  \"post-login\": [\n    {\"action_name\": \"Enrich\", \"display_name\": \"Enrich\"}\n  ]\n}\n"
        ),
        (
            "database-connections/Users/database.json",
            "{\n  \"name\": \"Users\",\n  \"strategy\": \"auth0\",\n  \"enabled_clients\": [\"Shop\", \"Shopping\"]\n}\n"
        ),
    ]));
}

#[test]
fn scopes_that_the_api_does_not_define() {
    insta::assert_snapshot!(references(&[
        (
            "resource-servers/orders.yaml",
            "name: Orders\nidentifier: https://orders.example.com\nscopes:\n  - value: read:orders\n  - value: write:orders\n"
        ),
        (
            "roles/admin.json",
            "{\n  \"name\": \"admin\",\n  \"permissions\": [\n    {\"permission_name\": \"read:order\", \"resource_server_identifier\": \"https://orders.example.com\"},\n    {\"permission_name\": \"write:orders\", \"resource_server_identifier\": \"https://orders.example.com\"}\n  ]\n}\n"
        ),
        (
            "grants/shop.yaml",
            "client_id: Shop\naudience: https://orders.example.com\nscope:\n  - read:orders\n  - delete:orders\n"
        ),
    ]));
}

#[test]
fn scopes_that_the_live_api_does_not_define() {
    let recorder = Recorder::start(&[]);
    recorder.api(
        "POST",
        "/resource-servers",
        &json!({"name": "Orders", "identifier": "https://orders.example.com", "scopes": [{"value": "read:orders"}]}),
    );
    let before = recorder.writes();
    let place = shop(recorder.credentials(Place::new()), &recorder.sandbox.url);
    let grant = |scope: &str| format!("client_id: Shop\naudience: https://orders.example.com\nscope: [{scope}]\n");
    place.write("grants/shop.yaml", &grant("read:ordres"));
    insta::assert_snapshot!(plan_and_apply(&place));
    assert_eq!(recorder.writes(), before);
    place.write("grants/shop.yaml", &grant("read:orders"));
    let _ = place.run(&["plan"]).code(0);
    // A scope that the same plan takes away is not there either.
    place.write(
        "resource-servers/orders.yaml",
        "name: Orders\nidentifier: https://orders.example.com\nscopes:\n  - value: write:orders\n",
    );
    let output = refused(&place, &["plan"], 1);
    assert!(output.stderr.contains("error[unknown-scope]"), "{output}");
    // Scopes of Auth0's own APIs are Auth0's to say.
    std::fs::remove_file(place.path().join("resource-servers/orders.yaml")).unwrap();
    let domain = recorder.api("GET", "/resource-servers", &Value::Null);
    let list = domain.as_array().or_else(|| domain["resource_servers"].as_array()).unwrap().clone();
    let own = list.iter().find(|api| api["is_system"] == true).unwrap()["identifier"].as_str().unwrap().to_owned();
    place.write("grants/shop.yaml", &format!("client_id: Shop\naudience: {own}\nscope: ['read:users']\n"));
    let _ = place.run(&["plan"]).code(0);
}
