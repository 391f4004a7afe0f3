//! What a tenant answers, asked over plain HTTP: nothing of the program's own reading is in the way.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::common::Sandbox;

/// What differs between two tenants with the same content: ids, times, versions, keys and secrets the server makes.
const VOLATILE: &[&str] = &[
    "id",
    "client_id",
    "client_secret",
    "signing_keys",
    "signing_secret",
    "created_at",
    "updated_at",
    "built_at",
    "build_time",
    "verification_txt",
    "verification_host",
    "deployed_at",
    "number",
    "version_id",
    "non_oidc_conformant_updated_at",
];

/// Documents of their own.
const SINGLES: &[&str] = &[
    "tenants/settings",
    "branding",
    "branding/templates/universal-login",
    "branding/themes/default",
    "prompts",
    "emails/provider?fields=name,enabled,settings,default_from_address&include_fields=true",
    "attack-protection/bot-detection",
    "attack-protection/breached-password-detection",
    "attack-protection/brute-force-protection",
    "attack-protection/captcha",
    "attack-protection/suspicious-ip-throttling",
    "rules-configs",
    "prompts/rendering",
];

const TEMPLATES: &[&str] = &[
    "verify_email",
    "verify_email_by_code",
    "reset_email",
    "reset_email_by_code",
    "welcome_email",
    "blocked_account",
    "stolen_credentials",
    "enrollment_email",
    "mfa_oob_code",
    "user_invitation",
    "change_password",
    "password_reset",
    "async_approval",
];

const PROMPTS: &[&str] = &["login", "login-id", "login-password", "signup", "signup-id", "passkeys", "mfa", "consent"];

/// A collection: path, name of its list, and below each item (named by its id) further lists.
type Collection = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const COLLECTIONS: &[Collection] = &[
    ("clients", "clients", &[("credentials", "")]),
    ("resource-servers", "resource_servers", &[]),
    ("client-grants", "client_grants", &[]),
    ("connections", "connections", &[("clients", "clients")]),
    ("roles", "roles", &[("permissions", "permissions")]),
    ("actions/actions", "actions", &[]),
    (
        "organizations",
        "organizations",
        &[
            ("enabled_connections", "enabled_connections"),
            ("client-grants", "client_grants"),
            ("discovery-domains", "domains"),
        ],
    ),
    ("rules", "rules", &[]),
];

/// Asks the tenant once and demands success.
pub fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Value {
    block(async {
        let asker = Asker::new(sandbox).await;
        let (status, answer) = asker.send(method, path, Some(body)).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    })
}

/// Returns the answers of every collection, by path, with names for ids and without what is the server's own.
pub fn answers(sandbox: &Sandbox, domain: &str) -> Value {
    block(async {
        let asker = Asker::new(sandbox).await;
        let mut found = Map::new();
        let mut names = BTreeMap::new();
        for (path, member, below) in COLLECTIONS {
            let mut items = Map::new();
            for item in asker.all(path, member).await {
                let id = ["client_id", "id"].iter().find_map(|key| item[*key].as_str()).unwrap().to_owned();
                let id = if *path == "client-grants" { item["id"].as_str().unwrap().to_owned() } else { id };
                let mut document = json!({ "itself": item });
                for (further, member) in *below {
                    document[*further] = asker.all(&format!("{path}/{id}/{further}"), member).await.into();
                }
                let name = match document["itself"]["name"].as_str() {
                    Some(name) => name.to_owned(),
                    None => ["client_id", "audience", "subject_type"]
                        .map(|key| {
                            let text = document["itself"][key].as_str().unwrap_or_default();
                            names.get(text).map_or(text, String::as_str).to_owned()
                        })
                        .join(" "),
                };
                // The deployer is called the same everywhere.
                names.insert(id, format!("{path}: {name}"));
                assert!(items.insert(name.clone(), document).is_none(), "{path}: {name} is there twice");
            }
            found.insert((*path).to_owned(), Value::Object(items));
        }
        let mut singles: Vec<String> = SINGLES.iter().map(|path| (*path).to_owned()).collect();
        singles.extend(TEMPLATES.iter().map(|name| format!("email-templates/{name}")));
        for prompt in PROMPTS {
            singles.push(format!("prompts/{prompt}/custom-text/en"));
            singles.push(format!("prompts/{prompt}/partials"));
        }
        let triggers = asker.send("GET", "actions/triggers", None).await.1;
        for trigger in triggers["triggers"].as_array().unwrap() {
            singles.push(format!("actions/triggers/{}/bindings?per_page=100", trigger["id"].as_str().unwrap()));
        }
        for path in singles {
            let (status, answer) = asker.send("GET", &path, None).await;
            found.insert(path, if status == 200 { answer } else { json!({ "status": status }) });
        }
        let mut found = Value::Object(found);
        plain(&mut found, &names, &sandbox.url, domain);
        found
    })
}

/// Replaces ids by names and drops what is the server's own.
fn plain(value: &mut Value, names: &BTreeMap<String, String>, url: &str, domain: &str) {
    match value {
        Value::Object(members) => {
            for (_, member) in members.iter_mut() {
                plain(member, names, url, domain);
            }
            let old = std::mem::take(members);
            for (key, member) in old {
                let named = member.as_str().is_some_and(|text| names.values().any(|name| name == text));
                // What is null, empty or missing is the same everywhere in Tenantry, and a false that nobody sends means no more
                // than a missing one. (Beside a true, either still differs.)
                let empty = member.is_null() || member == json!(false) || member == json!([]) || member == json!({});
                // Reads show what is stored encrypted, which differs for every write.
                let member = match (key.as_str(), member) {
                    ("configuration", Value::Object(pairs)) => pairs.keys().cloned().collect::<Vec<_>>().into(),
                    (_, member) => member,
                };
                if named || !(empty || VOLATILE.contains(&key.as_str())) {
                    members.insert(names.get(&key).cloned().unwrap_or(key), member);
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| plain(item, names, url, domain));
            // Lists of texts are sets almost everywhere.
            if items.iter().all(Value::is_string) {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                *text = name.clone();
            }
            *text = text.replace(url, "URL").replace(domain, "DOMAIN");
        }
        _ => {}
    }
}

/// Lists where two answers differ. The order of a list of objects means nothing where each of them is in both.
pub fn differences(at: &str, left: &Value, right: &Value, lines: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(one), Value::Object(two)) => {
            for key in one.keys().chain(two.keys().filter(|key| !one.contains_key(*key))) {
                let at = format!("{at}/{key}");
                match (one.get(key), two.get(key)) {
                    (Some(l), Some(r)) => differences(&at, l, r, lines),
                    (l, r) => lines.push(format!("{at}: {} / {}", shown(l), shown(r))),
                }
            }
        }
        (Value::Array(one), Value::Array(two)) => {
            let same = |a: &[Value], b: &[Value]| a.iter().all(|item| b.contains(item));
            if one.len() != two.len() || !same(one, two) || !same(two, one) {
                lines.push(format!("{at}: {} / {}", shown(Some(left)), shown(Some(right))));
            }
        }
        _ if left == right => {}
        _ => lines.push(format!("{at}: {} / {}", shown(Some(left)), shown(Some(right)))),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string().chars().take(300).collect())
}

/// A client without any knowledge.
struct Asker {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Asker {
    async fn new(sandbox: &Sandbox) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "audience": format!("{}/api/v2/", sandbox.url),
        });
        let answer = http.post(format!("{}/oauth/token", sandbox.url)).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Asker { http, url: sandbox.url.clone(), token }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}/api/v2/{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// Every item of a list: pages where the list has pages.
    async fn all(&self, path: &str, member: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for page in 0.. {
            let (status, answer) = self.send("GET", &format!("{path}?per_page=50&page={page}"), None).await;
            // Lists that know no pages of this style say so.
            let (status, answer) = if status == 400 { self.send("GET", path, None).await } else { (status, answer) };
            assert!(status == 200, "GET {path}: {status} {answer}");
            let rows = answer.get(member).unwrap_or(&answer).as_array().cloned().unwrap_or_else(|| panic!("{answer}"));
            let last = rows.len() < 50;
            found.extend(rows);
            if last {
                break;
            }
        }
        found
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
