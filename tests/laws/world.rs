//! A small tenant in which every sort of leaf can have one of a few values: as it is described, as it is set outside, as it is found.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::stage::Stage;
use super::whole::without;

/// The sorts of leaves: kind, path in the plan, least and greatest choice. 0 stands for "not there".
pub(crate) const SORTS: [(&str, &str, &str, u8, u8); 12] = [
    ("scalar", "clients", "description", 1, 3),
    ("map key", "clients", "client_metadata.k", 0, 3),
    ("set item", "clients", "callbacks", 0, 1),
    ("nested", "clients", "jwt_configuration", 1, 3),
    ("keyed field", "resourceServers", "scopes[s]", 1, 3),
    ("keyed item", "resourceServers", "scopes[t]", 0, 3),
    ("text", "rules", "script", 1, 3),
    ("secret", "connections", "options.client_secret", 1, 3),
    ("reference", "connections", "enabled_clients", 0, 1),
    ("permission", "roles", "permissions", 0, 1),
    ("order", "triggers", "post-login", 0, 3),
    ("setting", "tenant", "friendly_name", 1, 3),
];

/// How many resources of a kind there are: the last one is nobody's before the second description.
pub(crate) const EACH: usize = 3;

/// A leaf: its sort, by number, and which resource it belongs to.
pub(crate) type Leaf = (usize, usize);

/// A value for every leaf.
pub(crate) type Choices = BTreeMap<Leaf, u8>;

const ORDERS: [[usize; 3]; 4] = [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1]];

/// Every leaf there is.
pub(crate) fn leaves() -> impl Iterator<Item = Leaf> {
    (0..SORTS.len()).flat_map(|sort| (0..if is_single(SORTS[sort].1) { 1 } else { EACH }).map(move |n| (sort, n)))
}

/// Whether a kind has one resource, which is always there.
pub(crate) fn is_single(kind: &str) -> bool {
    ["triggers", "tenant"].contains(&kind)
}

pub(crate) fn name_of(kind: &str, n: usize) -> String {
    match kind {
        "clients" => format!("Law {n}"),
        "resourceServers" => format!("urn:law:{n}"),
        "rules" => format!("Law rule {n}"),
        "connections" => format!("law-{n}"),
        _ => format!("Law role {n}"),
    }
}

/// The address of the resource that a leaf belongs to.
pub(crate) fn address(leaf: Leaf) -> String {
    let kind = SORTS[leaf.0].1;
    if is_single(kind) { kind.to_owned() } else { format!("{kind}/{}", name_of(kind, leaf.1)) }
}

/// Name of the secret for a choice.
pub(crate) fn secret(n: usize, choice: u8) -> (String, String) {
    (format!("LAW_{n}_{choice}"), format!("law-canary-{n}-{choice}-of-the-laws"))
}

fn script(choice: u8) -> String {
    format!("function (user, context, callback) {{\n  // {choice}\n  callback(null, user, context);\n}}\n")
}

fn callbacks(n: usize, choice: u8) -> Json {
    let mut all = vec![format!("https://fixed.example/{n}")];
    all.extend((choice > 0).then(|| format!("https://moving.example/{n}")));
    json!(all)
}

fn scopes(s: u8, t: u8) -> Json {
    let mut all = vec![json!({"value": "s", "description": format!("s {s}")})];
    all.extend((t > 0).then(|| json!({"value": "t", "description": format!("t {t}")})));
    json!(all)
}

struct At<'c>(&'c Choices, usize);

impl At<'_> {
    fn get(&self, sort: &str) -> u8 {
        let sort = SORTS.iter().position(|(name, ..)| *name == sort).unwrap();
        self.0[&(sort, self.1)]
    }
}

/// Describes the tenant; the last resource of each kind only with `last`, those that are always there only with `order`.
pub(crate) fn describe(choices: &Choices, last: bool, order: bool) -> Json {
    let all = 0..if last { EACH } else { EACH - 1 };
    let of = |make: &dyn Fn(At<'_>, usize) -> Json| -> Json { all.clone().map(|n| make(At(choices, n), n)).collect() };
    let mut clients = of(&|at, n| {
        let mut metadata = json!({"fixed": "1"});
        if at.get("map key") > 0 {
            metadata["k"] = json!(format!("v{}", at.get("map key")));
        }
        json!({
            "name": name_of("clients", n),
            "description": format!("d{}", at.get("scalar")),
            "client_metadata": metadata,
            "callbacks": callbacks(n, at.get("set item")),
            "jwt_configuration": {"lifetime_in_seconds": 1000 * u32::from(at.get("nested"))},
        })
    });
    clients.as_array_mut().unwrap().push(json!({"name": "Target"}));
    let action = |n: usize| {
        json!({"name": format!("Step {n}"), "code": "./step.js", "deployed": true,
            "supported_triggers": [{"id": "post-login", "version": "v3"}]})
    };
    let mut out = json!({
        "clients": clients,
        "resourceServers": of(&|at, n| json!({"identifier": name_of("resourceServers", n), "name": format!("Law {n}"),
            "scopes": scopes(at.get("keyed field"), at.get("keyed item"))})),
        "rules": of(&|at, n| json!({"name": name_of("rules", n), "script": format!("./rule-{n}-{}.js", at.get("text")), "order": 10 + n})),
        "connections": of(&|at, n| json!({
            "name": name_of("connections", n), "strategy": "github",
            "enabled_clients": if at.get("reference") > 0 { json!(["Target"]) } else { json!([]) },
            "options": {"client_id": "law", "client_secret": format!("${{{{ secrets.{} }}}}", secret(n, at.get("secret")).0)},
        })),
        "roles": of(&|at, n| json!({
            "name": name_of("roles", n),
            "permissions": if at.get("permission") > 0 { json!([{"resource_server_identifier": "urn:law:0", "permission_name": "s"}]) } else { json!([]) },
        })),
        "actions": [action(0), action(1), action(2)],
    });
    if order {
        let steps = ORDERS[usize::from(At(choices, 0).get("order"))];
        out["tenant"] = json!({"friendly_name": format!("Law {}", At(choices, 0).get("setting"))});
        out["triggers"] = json!({"post-login": steps.map(|n| json!({"action_name": format!("Step {n}"), "display_name": n.to_string()}))});
    }
    out
}

/// Writes the files that descriptions refer to.
pub(crate) fn files(stage: &Stage) {
    stage.place.write("step.js", "exports.onExecutePostLogin = async () => {};\n");
    for n in 0..EACH {
        for choice in 1..=3 {
            stage.place.write(&format!("rule-{n}-{choice}.js"), &script(choice));
        }
    }
}

/// A person at the dashboard.
pub(crate) struct Dashboard<'s> {
    stage: &'s Stage,
    token: String,
}

impl<'s> Dashboard<'s> {
    pub(crate) fn enter(stage: &'s Stage) -> Dashboard<'s> {
        let who = json!({"name": "Dana", "email": "dana@acme.example"});
        let token = stage.control("POST", "token", &who)["access_token"].as_str().unwrap().to_owned();
        Dashboard { stage, token }
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Json) -> Json {
        self.stage.api(&self.token, method, path, body)
    }

    fn get(&self, path: &str) -> Json {
        self.send("GET", path, &Json::Null)
    }

    /// The id of what is called so; none where nothing is.
    pub(crate) fn id(&self, kind: &str, name: &str) -> Option<String> {
        let (path, named, id) = match kind {
            "clients" => ("/clients?per_page=100", "name", "client_id"),
            "resourceServers" => ("/resource-servers?per_page=100", "identifier", "id"),
            "rules" => ("/rules?per_page=100", "name", "id"),
            "connections" => ("/connections?per_page=100", "name", "id"),
            "organizations" => ("/organizations?per_page=100", "name", "id"),
            _ => ("/roles?per_page=100", "name", "id"),
        };
        let all = self.get(path);
        let found = all.as_array().unwrap().iter().find(|row| row[named] == name)?;
        Some(found[id].as_str().unwrap().to_owned())
    }

    /// Makes the resource that nobody described yet.
    pub(crate) fn make(&self, kind: &str, n: usize, choices: &Choices) {
        let name = name_of(kind, n);
        let (path, body) = match kind {
            "clients" => ("/clients", json!({"name": name})),
            "resourceServers" => ("/resource-servers", json!({"identifier": name, "name": format!("Law {n}")})),
            "rules" => ("/rules", json!({"name": name, "script": script(1), "order": 10 + n})),
            "connections" => {
                let options = json!({"client_id": "law", "client_secret": secret(n, 1).1});
                ("/connections", json!({"name": name, "strategy": "github", "options": options}))
            }
            _ => ("/roles", json!({"name": name})),
        };
        let _ = self.send("POST", path, &body);
        self.set(kind, n, choices);
    }

    /// Sets every leaf of a resource, past the program.
    pub(crate) fn set(&self, kind: &str, n: usize, choices: &Choices) {
        let at = At(choices, n);
        if kind == "triggers" {
            let binding = |n: usize| json!({"ref": {"type": "action_name", "value": format!("Step {n}")}, "display_name": n.to_string()});
            let bindings = ORDERS[usize::from(at.get("order"))].map(binding);
            let _ = self.send("PATCH", "/actions/triggers/post-login/bindings", &json!({"bindings": bindings}));
            return;
        }
        if kind == "tenant" {
            let body = json!({"friendly_name": format!("Law {}", at.get("setting"))});
            let _ = self.send("PATCH", "/tenants/settings", &body);
            return;
        }
        let id = self.id(kind, &name_of(kind, n)).unwrap();
        match kind {
            "clients" => {
                let k = at.get("map key");
                let body = json!({
                    "description": format!("d{}", at.get("scalar")),
                    "client_metadata": {"fixed": "1", "k": if k > 0 { json!(format!("v{k}")) } else { Json::Null }},
                    "callbacks": callbacks(n, at.get("set item")),
                    "jwt_configuration": {"lifetime_in_seconds": 1000 * u32::from(at.get("nested"))},
                });
                let _ = self.send("PATCH", &format!("/clients/{id}"), &body);
            }
            "resourceServers" => {
                let body = json!({"scopes": scopes(at.get("keyed field"), at.get("keyed item"))});
                let _ = self.send("PATCH", &format!("/resource-servers/{id}"), &body);
            }
            "rules" => {
                let _ = self.send("PATCH", &format!("/rules/{id}"), &json!({"script": script(at.get("text"))}));
            }
            "connections" => {
                let options = json!({"client_id": "law", "client_secret": secret(n, at.get("secret")).1});
                let _ = self.send("PATCH", &format!("/connections/{id}"), &json!({ "options": options }));
                let row =
                    json!([{"client_id": self.id("clients", "Target").unwrap(), "status": at.get("reference") > 0}]);
                let _ = self.send("PATCH", &format!("/connections/{id}/clients"), &row);
            }
            _ => {
                let row = json!({"permissions": [{"resource_server_identifier": "urn:law:0", "permission_name": "s"}]});
                let method = if at.get("permission") > 0 { "POST" } else { "DELETE" };
                let _ = self.send(method, &format!("/roles/{id}/permissions"), &row);
            }
        }
    }

    /// Reads what every leaf is.
    pub(crate) fn look(&self) -> Choices {
        let mut out = Choices::new();
        let mut found = |sort: &str, n: usize, choice: u8| {
            let sort = SORTS.iter().position(|(name, ..)| *name == sort).unwrap();
            out.insert((sort, n), choice);
        };
        let number =
            |text: &Json| text.as_str().and_then(|t| t.chars().last()).and_then(|c| c.to_digit(10)).unwrap_or(0);
        let number = |text: &Json| u8::try_from(number(text)).unwrap();
        for n in 0..EACH {
            let one = |kind: &str, path: &str| {
                let id = self.id(kind, &name_of(kind, n));
                id.map_or(Json::Null, |id| self.get(&format!("{path}/{id}")))
            };
            let client = one("clients", "/clients");
            found("scalar", n, number(&client["description"]));
            found("map key", n, number(&client["client_metadata"]["k"]));
            let moving = client["callbacks"].as_array().is_some_and(|all| all.len() > 1);
            found("set item", n, u8::from(moving));
            let lifetime = client["jwt_configuration"]["lifetime_in_seconds"].as_u64().unwrap_or(0);
            found("nested", n, u8::try_from((lifetime / 1000).min(200)).unwrap());
            let api = one("resourceServers", "/resource-servers");
            let scope = |value: &str| {
                let row = api["scopes"].as_array().and_then(|all| all.iter().find(|scope| scope["value"] == value));
                row.map_or(0, |row| number(&row["description"]))
            };
            found("keyed field", n, scope("s"));
            found("keyed item", n, scope("t"));
            let rule = one("rules", "/rules");
            let text = (1..=3).find(|choice| rule["script"] == script(*choice)).unwrap_or(0);
            found("text", n, text);
            let connection = one("connections", "/connections");
            let held = (1..=3).find(|choice| connection["options"]["client_secret"] == secret(n, *choice).1);
            found("secret", n, held.unwrap_or(0));
            let rows = |kind: &str, path: &str, below: &str| {
                let id = self.id(kind, &name_of(kind, n));
                id.map_or(Json::Null, |id| self.get(&format!("{path}/{id}/{below}")))
            };
            let enabled = rows("connections", "/connections", "clients");
            found("reference", n, u8::from(enabled["clients"].as_array().is_some_and(|all| !all.is_empty())));
            let granted = rows("roles", "/roles", "permissions");
            found("permission", n, u8::from(granted.as_array().is_some_and(|all| !all.is_empty())));
        }
        let bindings = self.get("/actions/triggers/post-login/bindings");
        let names: Vec<String> = bindings["bindings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["action"]["name"].as_str().unwrap().to_owned())
            .collect();
        let order = ORDERS.iter().position(|order| order.map(|n| format!("Step {n}")).as_slice() == names);
        found("order", 0, order.map_or(u8::MAX, |at| u8::try_from(at).unwrap()));
        found("setting", 0, number(&self.get("/tenants/settings")["friendly_name"]));
        out
    }
}

/// Takes out of a tenant's answers what is described, so that what is left must never change.
pub(crate) fn undescribed(answers: &Json) -> Json {
    let mut out = answers.clone();
    without(&mut out);
    let members = out.as_object_mut().unwrap();
    let mut each = |path: &str, strip: &dyn Fn(&mut Json)| {
        for (name, found) in members[path].as_object_mut().unwrap() {
            if name.to_lowercase().starts_with("law") || name.starts_with("urn:law") {
                strip(found);
            }
        }
    };
    each("clients", &|found| {
        let client = found["itself"].as_object_mut().unwrap();
        let _ = ["description", "callbacks"].map(|member| client.remove(member));
        client.get_mut("client_metadata").and_then(Json::as_object_mut).map(|metadata| metadata.remove("k"));
        client.get_mut("jwt_configuration").and_then(Json::as_object_mut).map(|jwt| jwt.remove("lifetime_in_seconds"));
    });
    each("resource-servers", &|found| drop(found["itself"].as_object_mut().unwrap().remove("scopes")));
    each("rules", &|found| drop(found["itself"].as_object_mut().unwrap().remove("script")));
    each("connections", &|found| {
        found.as_object_mut().unwrap().remove("clients");
        found["itself"].as_object_mut().unwrap().remove("enabled_clients");
    });
    each("roles", &|found| drop(found.as_object_mut().unwrap().remove("permissions")));
    members.retain(|path, _| !path.starts_with("actions/triggers/post-login/bindings"));
    members["tenants/settings"].as_object_mut().unwrap().remove("friendly_name");
    // Whether an action counts as bound is the trigger's doing.
    members.retain(|path, _| path != "actions/actions");
    out
}
