//! [`Receipt`]: a saved plan, and what it rests on. Applying it later is refused where any of that moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};
use sha2::{Digest, Sha256};

use crate::change::{Change, Plan};
use crate::model::{Desired, Live, LiveResource, hex, sorted_json};
use crate::problem::Problem;

/// Version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// A plan as `plan -o` saves it. It holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of the format.
    pub version: u32,
    /// Version of Tenantry that made it.
    pub tool: String,
    /// When it was made.
    pub made: Timestamp,
    /// Environment's name.
    pub environment: String,
    /// Canonical domain of the tenant.
    pub domain: String,
    /// Commit of the description, where it stands in a repository.
    pub commit: Option<String>,
    /// What was asked for.
    pub asked: Asked,
    /// Digest of the rendered description: 64 hex digits.
    pub description: String,
    /// Digest of the changes: 64 hex digits.
    pub changes: String,
    /// Digest of every live resource that the changes rest on, by address; `None` where there was none.
    pub rests_on: BTreeMap<String, Option<String>>,
    /// The plan as shown, in the form of `plan --json`.
    pub plan: Json,
}

/// The options of a plan that decide what it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// `--target`.
    pub targets: Vec<String>,
    /// `--prune`.
    pub prune: Vec<String>,
    /// `--overwrite`.
    pub overwrite: Vec<String>,
    /// `--send-secrets`.
    pub send_secrets: bool,
}

impl Receipt {
    /// Reads a saved plan; `file` is its name for people.
    ///
    /// # Errors
    ///
    /// `plan-too-new`, `plan-damaged`.
    pub fn read(bytes: &[u8], file: &str) -> Result<Receipt, Problem> {
        let damaged = |why: String| {
            Problem::error("plan-damaged", format!("{file} is not a saved plan"))
                .note(why)
                .help("save it again with `tenantry plan -o FILE`")
        };
        let json: Json = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        let version = json.get("version").and_then(Json::as_u64);
        if let Some(newer) = version.filter(|version| *version > u64::from(VERSION)) {
            let problem = Problem::error("plan-too-new", format!("{file} was saved by a newer Tenantry"));
            let tool = json.get("tool").and_then(Json::as_str).unwrap_or("unknown");
            return Err(problem
                .note(format!("it has format {newer}, written by version {tool}; this one reads up to {VERSION}"))
                .help("apply it with that version, or save it again with this one"));
        }
        serde_json::from_value(json).map_err(|error| damaged(error.to_string()))
    }

    /// Returns what is another now than when the plan was saved, in words; nothing where it still holds.
    pub fn moved(&self, now: &Receipt) -> Vec<String> {
        let mut out = Vec::new();
        if self.domain != now.domain {
            out.push(format!("the plan is for the tenant {}, not {}", self.domain, now.domain));
        }
        if self.environment != now.environment {
            out.push(format!("the plan is for the environment `{}`, not `{}`", self.environment, now.environment));
        }
        if self.description != now.description {
            out.push("the description, or a value it is filled with, is another".to_owned());
        }
        for (address, before) in &self.rests_on {
            let after = now.rests_on.get(address);
            let said = match (before, after) {
                (Some(before), Some(Some(after))) if before == after => continue,
                (None, Some(None)) => continue,
                (Some(_), Some(Some(_))) => "was changed",
                (Some(_), Some(None)) => "was deleted",
                (None, Some(Some(_))) => "was created",
                (_, None) => "is not to be changed any more",
            };
            out.push(format!("`{address}` {said}"));
        }
        let new = now.rests_on.keys().filter(|address| !self.rests_on.contains_key(*address));
        out.extend(new.map(|address| format!("`{address}` would be changed as well")));
        if out.is_empty() && self.changes != now.changes {
            out.push("the changes are others".to_owned());
        }
        out
    }
}

/// Returns the digest of a rendered description. A secret counts by where it comes from, not by its value, so that two runners
/// with different keys agree.
pub fn description_digest(desired: &Desired) -> String {
    let mut all = JsonMap::new();
    for (kind, described) in &desired.kinds {
        let mut resources: Vec<Json> = described
            .resources
            .iter()
            .map(|resource| {
                Json::from(vec![Json::from(resource.address.to_string()), sorted_json(&resource.value.redacted())])
            })
            .collect();
        resources.sort_by_key(Json::to_string);
        all.insert(kind.clone(), Json::Array(resources));
    }
    digest(&sorted_json(&Json::Object(all)))
}

/// Returns the digest of a plan's changes.
pub fn changes_digest(plan: &Plan) -> String {
    let mut changes: Vec<Json> = plan.changes.iter().map(change).collect();
    changes.sort_by_key(Json::to_string);
    digest(&Json::Array(changes))
}

fn change(change: &Change) -> Json {
    let fields: Vec<Json> = change
        .fields
        .iter()
        .map(|field| {
            let side = |value: &Option<crate::model::Value>| {
                value.as_ref().map_or(Json::Null, |value| sorted_json(&value.redacted()))
            };
            Json::Array(vec![
                Json::from(field.path.to_string()),
                side(&field.diff.before),
                side(&field.diff.after),
                Json::from(field.origin.as_str()),
            ])
        })
        .collect();
    let steps: Vec<Json> =
        change.steps.iter().map(|step| Json::from(format!("{:?} {}", step.method, step.path))).collect();
    serde_json::json!([
        change.address.to_string(),
        change.action.as_str(),
        change.id,
        fields,
        steps,
        change.cascades.iter().map(ToString::to_string).collect::<Vec<_>>(),
    ])
}

/// Returns the digest of every live resource that a plan rests on.
pub fn rests_on(plan: &Plan, live: &Live) -> BTreeMap<String, Option<String>> {
    let mut out = BTreeMap::new();
    for change in &plan.changes {
        for address in change.cascades.iter().chain([&change.address]) {
            let mut found = live.resources(&address.kind).iter();
            let id = change.id.as_ref().filter(|id| *address == change.address && !id.is_empty());
            let found = found.find(|resource| id.map_or(resource.address == *address, |id| resource.id == *id));
            out.insert(address.to_string(), found.map(resource_digest));
        }
    }
    out
}

/// Returns the digest of one live resource.
pub fn resource_digest(resource: &LiveResource) -> String {
    let value = sorted_json(&resource.value.redacted());
    digest(&serde_json::json!([resource.id, value]))
}

fn digest(json: &Json) -> String {
    hex(&Sha256::digest(json.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn receipt(rests_on: &[(&str, Option<&str>)]) -> Receipt {
        Receipt {
            version: VERSION,
            tool: "0.1.0".to_owned(),
            made: Timestamp::UNIX_EPOCH,
            environment: "prod".to_owned(),
            domain: "acme.eu.auth0.com".to_owned(),
            commit: None,
            asked: Asked::default(),
            description: "d".to_owned(),
            changes: "c".to_owned(),
            rests_on: rests_on.iter().map(|(a, d)| ((*a).to_owned(), d.map(str::to_owned))).collect(),
            plan: json!({}),
        }
    }

    #[test]
    fn what_moved_is_named() {
        let saved =
            receipt(&[("roles/a", Some("1")), ("roles/b", None), ("roles/c", Some("3")), ("roles/d", Some("4"))]);
        assert_eq!(saved.moved(&saved), Vec::<String>::new());
        let mut now = receipt(&[("roles/a", Some("2")), ("roles/b", Some("9")), ("roles/c", None), ("roles/e", None)]);
        assert_eq!(
            saved.moved(&now),
            [
                "`roles/a` was changed",
                "`roles/b` was created",
                "`roles/c` was deleted",
                "`roles/d` is not to be changed any more",
                "`roles/e` would be changed as well",
            ]
        );
        now = saved.clone();
        now.changes = "x".to_owned();
        assert_eq!(saved.moved(&now), ["the changes are others"]);
        now.domain = "other".to_owned();
        now.description = "y".to_owned();
        assert_eq!(saved.moved(&now).len(), 2);
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        let saved = receipt(&[("roles/a", Some("1"))]);
        let bytes = serde_json::to_vec_pretty(&saved).unwrap();
        assert_eq!(Receipt::read(&bytes, "p.json").unwrap(), saved);
        for end in 0..bytes.len() {
            assert_eq!(Receipt::read(bytes.get(..end).unwrap(), "p.json").unwrap_err().id, "plan-damaged");
        }
        let newer = String::from_utf8(bytes).unwrap().replace("\"version\": 1", "\"version\": 2");
        let problem = Receipt::read(newer.as_bytes(), "p.json").unwrap_err();
        assert_eq!((problem.id, problem.title.as_str()), ("plan-too-new", "p.json was saved by a newer Tenantry"));
    }
}
