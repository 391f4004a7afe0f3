//! What happens to whole resources between two deployments, in the files and outside: made, deleted, renamed, moved, replaced.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::stage::Stage;
use super::world::{Dashboard, secret};

/// Kinds that it happens to: with ids of their own, known by their name alone, keyed by another resource, with rows below.
pub(crate) const KINDS: [&str; 7] =
    ["clients", "roles", "organizations", "rules", "rulesConfigs", "clientGrants", "connections"];

/// What happens. In which description it is, and what somebody does at the dashboard, is told by [`Event`].
pub(crate) const EVENTS: [&str; 13] = [
    "changed",
    "gone",
    "again",
    "renamed",
    "made",
    "comes",
    "leaves",
    "leaves gone",
    "leaves changed",
    "moved",
    "moved renamed",
    "replaced",
    "replaced gone",
];

/// What happens to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) what: &'static str,
}

/// Every event there is, but for those that a kind cannot have: what has no id of its own is not renamed, what never changes is not
/// replaced.
pub(crate) fn events() -> impl Iterator<Item = Event> {
    let can = |event: &Event| match event.what {
        "renamed" | "moved" | "moved renamed" => ["clients", "roles", "organizations", "rules"].contains(&event.kind),
        "replaced" | "replaced gone" => ["rules", "connections"].contains(&event.kind),
        _ => true,
    };
    KINDS.iter().flat_map(|kind| EVENTS.iter().map(|what| Event { kind, what })).filter(can)
}

/// The events of a case: of every three cases in a row each event is in one, which one depends on the dice.
pub(crate) fn events_of(number: u64, mut roll: impl FnMut(u64) -> u64) -> Vec<Event> {
    events().filter(|_| (number + roll(3)).is_multiple_of(3)).collect()
}

impl Event {
    fn slug(self) -> String {
        self.what.replace(' ', "-")
    }

    /// Whether the first description has it.
    pub(crate) fn is_first(self) -> bool {
        !["made", "comes"].contains(&self.what)
    }

    /// Whether the second one has.
    pub(crate) fn is_second(self) -> bool {
        !self.what.starts_with("leaves")
    }

    fn is_moved(self) -> bool {
        self.what.starts_with("moved")
    }

    /// Its name in the first description, or in the second.
    pub(crate) fn name(self, second: bool) -> String {
        let slug = format!("{}{}", self.slug(), if second && self.is_moved() { "-to" } else { "" });
        match self.kind {
            "clients" => format!("Whole {slug}"),
            "roles" => format!("Whole role {slug}"),
            "rules" => format!("Whole rule {slug}"),
            "rulesConfigs" => format!("WHOLE_{}", slug.to_uppercase()),
            "clientGrants" => format!("Whole holder {slug}"),
            _ => format!("whole-{slug}"),
        }
    }

    /// Place of a rule, which no other has.
    fn order(self) -> usize {
        100 + EVENTS.iter().position(|what| *what == self.what).unwrap()
    }

    fn away(self) -> String {
        format!("{}-away", self.name(false))
    }

    /// Its address.
    pub(crate) fn address(self, second: bool) -> String {
        let name = self.name(second);
        match self.kind {
            "clientGrants" => format!("clientGrants/{name} → urn:law:0"),
            kind => format!("{kind}/{name}"),
        }
    }

    /// What it is described as: in the first version or in the second.
    fn described(self, second: bool) -> Json {
        let (name, version) = (self.name(second), if second { 2 } else { 1 });
        let replaced = second && self.what.starts_with("replaced");
        match self.kind {
            "clients" => json!({"name": name, "description": format!("v{version}")}),
            "roles" => json!({"name": name, "description": format!("v{version}"), "permissions": permissions()}),
            "organizations" => json!({"name": name, "display_name": format!("v{version}"),
                "connections": [{"name": "law-0", "assign_membership_on_login": second}]}),
            "rules" => {
                json!({"name": name, "script": format!("./rule-0-{version}.js"), "enabled": false, "order": self.order(),
                "stage": if replaced { "login_failure" } else { "login_success" }})
            }
            "rulesConfigs" => json!({"key": name, "value": format!("${{{{ secrets.{} }}}}", secret(0, version).0)}),
            "clientGrants" => json!({"client_id": name, "audience": "urn:law:0",
                "scope": if second { json!(["s"]) } else { json!([]) }}),
            _ => {
                json!({"name": name, "display_name": format!("v{version}"), "strategy": if replaced { "bitbucket" } else { "github" },
                "enabled_clients": if second { json!(["Target"]) } else { json!([]) },
                "options": {"client_id": format!("v{version}"), "client_secret": format!("${{{{ secrets.{} }}}}", secret(1, version).0)}})
            }
        }
    }

    /// What the plan of the second description calls it; none where there is nothing to do.
    pub(crate) fn action(self) -> Option<&'static str> {
        match self.what {
            "gone" | "comes" | "replaced gone" => Some("create"),
            "leaves" | "leaves changed" => Some("delete"),
            "leaves gone" => None,
            "replaced" => Some("replace"),
            // Nobody can tell one secret from another there.
            "made" if self.kind == "rulesConfigs" => None,
            _ => Some("update"),
        }
    }

    /// Whether it has to be the same one after the second deployment.
    fn keeps_its_id(self) -> bool {
        ["changed", "again", "renamed", "made", "moved", "moved renamed"].contains(&self.what)
            && self.kind != "rulesConfigs"
    }

    /// Finds the second version in what the tenant answers.
    fn arrived(self, answers: &Json) -> Result<(), String> {
        let (place, key) = self.place(&self.name(true));
        let found = &answers[place.as_str()][key.as_str()];
        let itself = &found["itself"];
        let fits = match self.kind {
            "clients" => itself["description"] == "v2",
            "roles" => {
                itself["description"] == "v2" && found["permissions"].as_array().is_some_and(|all| all.len() == 1)
            }
            "organizations" => {
                let rows = found["enabled_connections"].as_array();
                itself["display_name"] == "v2"
                    && rows.is_some_and(|rows| rows.len() == 1 && rows[0]["assign_membership_on_login"] == true)
            }
            "rules" => itself["script"].as_str().is_some_and(|script| script.contains("// 2")),
            "rulesConfigs" => keys(answers).contains(&key),
            "clientGrants" => itself["scope"] == json!(["s"]),
            _ => itself["display_name"] == "v2" && found["clients"].as_array().is_some_and(|all| all.len() == 1),
        };
        let stays = match (self.kind, self.what.starts_with("replaced")) {
            ("rules", true) => itself["stage"] == "login_failure",
            ("connections", true) => itself["strategy"] == "bitbucket",
            _ => true,
        };
        if fits && stays { Ok(()) } else { Err(format!("{} is not as described: {found}", self.address(true))) }
    }

    /// Demands that a name is not there.
    fn is_not(self, name: &str, answers: &Json) -> Result<(), String> {
        let (place, key) = self.place(name);
        let there = if self.kind == "rulesConfigs" {
            keys(answers).contains(&key)
        } else {
            answers[place.as_str()].get(key.as_str()).is_some()
        };
        if there { Err(format!("{} has {key}", self.kind)) } else { Ok(()) }
    }

    /// Where the answers have it.
    fn place(self, name: &str) -> (String, String) {
        let place = match self.kind {
            "clientGrants" => return ("client-grants".to_owned(), format!("clients: {name} urn:law:0 client")),
            "rulesConfigs" => "rules-configs",
            kind => kind,
        };
        (place.to_owned(), name.to_owned())
    }

    /// The id it has at the tenant.
    fn id(self, dana: &Dashboard<'_>, name: &str) -> Option<String> {
        match self.kind {
            "clientGrants" => {
                let client = dana.id("clients", name)?;
                let grants = dana.send("GET", "/client-grants?per_page=100", &Json::Null);
                let grant = grants.as_array().unwrap().iter().find(|grant| grant["client_id"] == client.as_str())?;
                Some(grant["id"].as_str().unwrap().to_owned())
            }
            "rulesConfigs" => Some(name.to_owned()),
            kind => dana.id(kind, name),
        }
    }

    fn path(self) -> &'static str {
        match self.kind {
            "rulesConfigs" => "/rules-configs",
            "clientGrants" => "/client-grants",
            "clients" => "/clients",
            "roles" => "/roles",
            "organizations" => "/organizations",
            "rules" => "/rules",
            _ => "/connections",
        }
    }

    /// Makes it outside, in no version that anybody described.
    fn make(self, dana: &Dashboard<'_>) {
        let name = self.name(false);
        let body = match self.kind {
            "clients" => json!({"name": name, "description": "theirs", "callbacks": ["https://by.example/whole"]}),
            "roles" => json!({"name": name, "description": "theirs"}),
            "organizations" => json!({"name": name, "display_name": "theirs"}),
            "rules" => {
                json!({"name": name, "script": "function (user, context, callback) {}", "enabled": false, "order": self.order()})
            }
            "rulesConfigs" => {
                let _ = dana.send("PUT", &format!("/rules-configs/{name}"), &json!({"value": "theirs-and-not-ours"}));
                return;
            }
            "clientGrants" => {
                json!({"client_id": dana.id("clients", &name).unwrap(), "audience": "urn:law:0", "scope": []})
            }
            _ => {
                let options = json!({"client_id": "theirs", "client_secret": "theirs-and-not-ours"});
                json!({"name": name, "display_name": "theirs", "strategy": "github", "options": options})
            }
        };
        let _ = dana.send("POST", self.path(), &body);
    }

    /// Does at the dashboard what happens outside.
    fn happens(self, dana: &Dashboard<'_>) {
        let at = || format!("{}/{}", self.path(), self.id(dana, &self.name(false)).unwrap());
        match self.what {
            "gone" | "leaves gone" | "replaced gone" => drop(dana.send("DELETE", &at(), &Json::Null)),
            "again" => drop(dana.send("DELETE", &at(), &Json::Null)),
            "made" => self.make(dana),
            "renamed" | "moved renamed" => drop(dana.send("PATCH", &at(), &json!({"name": self.away()}))),
            "leaves changed" => {
                let (method, body) = match self.kind {
                    "clients" | "roles" => ("PATCH", json!({"description": "theirs"})),
                    "organizations" => ("PATCH", json!({"display_name": "theirs"})),
                    "rules" => ("PATCH", json!({"script": "function (user, context, callback) {}"})),
                    "rulesConfigs" => ("PUT", json!({"value": "theirs-and-not-ours"})),
                    "clientGrants" => ("PATCH", json!({"scope": ["s"]})),
                    _ => ("PATCH", json!({"display_name": "theirs"})),
                };
                let _ = dana.send(method, &at(), &body);
            }
            _ => {}
        }
    }
}

fn permissions() -> Json {
    json!([{"resource_server_identifier": "urn:law:0", "permission_name": "s"}])
}

/// The keys of the rule settings.
fn keys(answers: &Json) -> Vec<String> {
    let rows = answers["rules-configs"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| row["key"].as_str().map(str::to_owned)).collect()
}

/// Adds what the events are about to a description.
pub(crate) fn with(mut description: Json, events: &[Event], second: bool) -> Json {
    for kind in KINDS {
        if description.get(kind).is_none() {
            description[kind] = json!([]);
        }
    }
    for event in events {
        if if second { event.is_second() } else { event.is_first() } {
            description[event.kind].as_array_mut().unwrap().push(event.described(second));
        }
        if event.kind == "clientGrants" {
            let holder = json!({"name": event.name(false)});
            description["clients"].as_array_mut().unwrap().push(holder);
        }
    }
    description
}

/// The entries of the project file for what is renamed in the files.
pub(crate) fn moved(events: &[Event]) -> String {
    let entries: Vec<String> = events
        .iter()
        .filter(|event| event.is_moved())
        .map(|event| format!("  - {{from: \"{}\", to: \"{}\"}}\n", event.address(false), event.address(true)))
        .collect();
    if entries.is_empty() { String::new() } else { format!("moved:\n{}", entries.concat()) }
}

/// Lets everything happen that happens outside. Returns the ids that have to stay.
pub(crate) fn happen(stage: &Stage, events: &[Event]) -> BTreeMap<Event, String> {
    let dana = Dashboard::enter(stage);
    events.iter().for_each(|event| event.happens(&dana));
    // The name of a connection is free only after a while.
    let _ = stage.control("POST", "clock", &json!({"advance_ms": 60_000}));
    events.iter().filter(|event| event.what == "again").for_each(|event| event.make(&dana));
    let name = |event: &Event| match event.what {
        "renamed" | "moved renamed" => event.away(),
        _ => event.name(false),
    };
    let kept = events.iter().filter(|event| event.keeps_its_id());
    kept.map(|event| (*event, event.id(&dana, &name(event)).unwrap_or_else(|| panic!("no {event:?}")))).collect()
}

/// Demands that a plan calls every event by its name.
pub(crate) fn called(told: &str, plan: &Json, events: &[Event]) {
    let changes = plan["changes"].as_array().unwrap();
    for event in events {
        let address = event.address(event.is_second());
        let found = changes.iter().find(|change| change["address"] == address.as_str());
        let action = found.map(|change| change["action"].as_str().unwrap());
        assert_eq!(action, event.action(), "{told}: {event:?}\n{plan:#}");
    }
}

/// Demands that everything is as the second description says, in the resources that were there.
pub(crate) fn arrived(told: &str, stage: &Stage, events: &[Event], ids: &BTreeMap<Event, String>, answers: &Json) {
    let dana = Dashboard::enter(stage);
    let mut wrong = Vec::new();
    for event in events {
        if event.is_second() {
            wrong.extend(event.arrived(answers).err());
        } else {
            wrong.extend(event.is_not(&event.name(false), answers).err());
        }
        if event.is_moved() {
            wrong.extend(event.is_not(&event.name(false), answers).err());
        }
        wrong.extend(event.is_not(&event.away(), answers).err());
        if let Some(id) = ids.get(event)
            && event.id(&dana, &event.name(true)).as_ref() != Some(id)
        {
            wrong.push(format!("{event:?} is another one now"));
        }
    }
    assert!(wrong.is_empty(), "{told}:\n{}", wrong.join("\n"));
}

/// Leaves out of a tenant's answers what events are about, and lists that are empty then.
pub(crate) fn without(answers: &mut Json) {
    let is_whole = |name: &str| name.to_lowercase().contains("whole");
    for (_, found) in answers.as_object_mut().unwrap() {
        match found {
            Json::Object(all) => all.retain(|name, _| !is_whole(name)),
            Json::Array(rows) => rows.retain(|row| !row["key"].as_str().is_some_and(is_whole)),
            _ => {}
        }
    }
    answers.as_object_mut().unwrap().retain(|_, found| *found != json!({}) && *found != json!([]));
}
