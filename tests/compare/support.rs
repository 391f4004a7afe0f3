//! A project with two environments, and the two tenants they name.

use std::ops::Deref;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::common::{Output, Place, Sandbox};

pub(crate) const TENANT: &str = r###"tenant:
  friendly_name: ${{ vars.brand }}
  picture_url: "##LOGO##"
clients:
  - name: Shop
    app_type: spa
    callbacks: ["##SHOP_URL##/cb", "https://fixed.example/cb"]
    initiate_login_uri: "##SHOP_URL##/login"
  - name: Backoffice
    app_type: regular_web
roles:
  - name: Tester
    description: tests
  - name: Boss
    description: bosses
connections:
  - name: google
    strategy: google-oauth2
    options:
      client_id: abc
      client_secret: ${{ secrets.google }}
actions:
  - name: Greet
    code: ./greet.js
    supported_triggers: [{ id: post-login, version: v3 }]
    deployed: true
"###;

const GREET: &str = "exports.onExecutePostLogin = async (event, api) => {\n  console.log(\"##SHOP_URL##\");\n};\n";

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn tenantry(dev: &str, prod: &str) -> String {
    format!(
        r#"description: tenant.yaml
variables:
  brand: Travel0
environments:
  dev:
    domain: {dev}
    variables:
      SHOP_URL: https://dev.example
      LOGO: https://dev.example/logo
      DEBUG: "yes"
    secrets:
      google: {{ env: GOOGLE_DEV }}
    exclude: ["clients/Default App", "connections/google-oauth2"]
  prod:
    domain: {prod}
    variables:
      SHOP_URL: https://shop.example
      LOGO: https://prod.example/logo
    secrets:
      google: {{ env: GOOGLE_PROD }}
    exclude: ["clients/Default App", "connections/google-oauth2", "roles/Tester"]
"#
    )
}

/// A tenant that can be looked at past the program.
pub(crate) struct Tenant {
    sandbox: Sandbox,
}

impl Tenant {
    /// Takes scopes from the deployer's own grant, as an administrator would.
    pub(crate) fn lose(&self, scopes: &[&str]) {
        let token =
            self.send("POST", "/_sandbox/token", None, Some(&json!({"name": "Dana", "email": "dana@travel0.example"})));
        let token = token["access_token"].as_str().unwrap();
        let grants = self.send("GET", "/api/v2/client-grants?per_page=100", Some(token), None);
        let own = grants.as_array().unwrap().iter().find(|grant| grant["client_id"] == self.sandbox.client_id.as_str());
        let own = own.unwrap();
        let kept: Vec<&Json> =
            own["scope"].as_array().unwrap().iter().filter(|s| !scopes.iter().any(|lost| *s == lost)).collect();
        let path = format!("/api/v2/client-grants/{}", own["id"].as_str().unwrap());
        self.send("PATCH", &path, Some(token), Some(&json!({"scope": kept})));
    }

    fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Json>) -> Json {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = http.request(method.parse().unwrap(), format!("{}{path}", self.sandbox.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        runtime.block_on(async {
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
            answer.json().await.unwrap()
        })
    }
}

/// A project, and the tenants of its environments.
pub(crate) struct Project<T = ()> {
    place: Place,
    pub(crate) prod: T,
    _dev: T,
}

impl<T> Deref for Project<T> {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Project {
    /// One whose tenants nobody asks.
    pub(crate) fn new() -> Self {
        Project { place: secrets(place(NOWHERE, NOWHERE)), prod: (), _dev: () }
    }

    /// The same, its secrets nowhere to be had.
    pub(crate) fn without_secrets() -> Self {
        Project { place: place(NOWHERE, NOWHERE), prod: (), _dev: () }
    }

    /// A repository as auth0-deploy-cli has it, and its tenant.
    pub(crate) fn for_the_other_tool() -> Project<Tenant> {
        let at = Place::new();
        at.write("tenant.yaml", "roles:\n  - name: Boss\n    description: \"##WORDS##\"\n");
        let dev = start(&at, "dev.example.auth0.com");
        let prod = start(&at, "prod.example.auth0.com");
        let (url, id, secret) = (&dev.sandbox.url, &dev.sandbox.client_id, &dev.sandbox.client_secret);
        let config = json!({"AUTH0_INPUT_FILE": "tenant.yaml", "AUTH0_DOMAIN": url, "AUTH0_CLIENT_ID": id, "AUTH0_CLIENT_SECRET": secret,
            "AUTH0_KEYWORD_REPLACE_MAPPINGS": {"WORDS": "bosses"}});
        at.write("config.json", &config.to_string());
        Project { place: at, prod, _dev: dev }
    }

    /// One that is deployed to both its tenants.
    pub(crate) fn deployed() -> Project<Tenant> {
        let at = Place::new();
        let (dev, prod) = (start(&at, "dev.example.auth0.com"), start(&at, "prod.example.auth0.com"));
        let place = secrets(place(&dev.sandbox.url, &prod.sandbox.url));
        // Both have the same credentials, as both began from the same seed.
        let place = dev.sandbox.point(place);
        for environment in ["dev", "prod"] {
            let _ = place.run(&["-e", environment, "apply", "--yes"]).code(0);
        }
        Project { place, prod, _dev: dev }
    }
}

impl<T> Project<T> {
    /// Commits everything, under a tag.
    pub(crate) fn commit(&self, tag: &str) {
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(self.place.path()).args(["-c", "user.name=ana", "-c", "user.email=ana@example.com"]);
            git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
            let output = git.args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-q", "--allow-empty", "-m", tag]);
        git(&["tag", tag]);
    }

    /// Replaces a text that stands in a file.
    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        let text = self.place.read(file);
        assert!(text.contains(old), "{file}: {old}");
        self.place.write(file, &text.replace(old, new));
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.place.run(arguments)
    }
}

fn start(place: &Place, domain: &str) -> Tenant {
    Tenant { sandbox: Sandbox::start(place, &["--rate", "off", "--tenant-domain", domain]) }
}

fn place(dev: &str, prod: &str) -> Place {
    let place = Place::new();
    place.write("tenantry.yaml", &tenantry(dev, prod));
    place.write("tenant.yaml", TENANT);
    place.write("greet.js", GREET);
    place
}

fn secrets(place: Place) -> Place {
    place.env("GOOGLE_DEV", "hunter2").env("GOOGLE_PROD", "hunter3")
}
