//! What was changed outside, and what was taken over of it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::convert::{how, leaves, side};
use super::{Deployed, Leaf, Problem, Secret, Unreadable};
use crate::change;
use crate::model::{Address, Path};
use crate::render::drift::DriftView;
use crate::render::human::unavailable;
use crate::render::outside::{self, Fate};
use crate::render::{AdoptView, ExportView, written};

/// Who changed something outside.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Blame {
    /// `exact`, `resource only` or `unknown`.
    pub certainty: &'static str,
    /// E-mail or name of a person, else the name or id of a client.
    pub who: Option<String>,
    /// From where: `dashboard`, `API`, a tool's name.
    pub through: Option<String>,
    /// When: RFC 3339, UTC.
    pub at: Option<String>,
    /// Id of the entry in the tenant's log.
    pub log_id: Option<String>,
    /// Why nobody is named, or what else is worth knowing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl From<&change::Blame> for Blame {
    fn from(blame: &change::Blame) -> Self {
        Blame {
            certainty: blame.certainty.as_str(),
            who: blame.who.clone(),
            through: blame.through.clone(),
            at: blame.at.map(|at| at.to_string()),
            log_id: blame.log_id.clone(),
            note: blame.note.clone(),
        }
    }
}

/// What was changed outside of one resource.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Drifted {
    /// Which.
    pub address: String,
    /// `changed`, `deleted`, `recreated` or `made`.
    pub happened: &'static str,
    /// What the plan does about it: `refused`, `overwritten` or `kept`; missing where there is no plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fate: Option<&'static str>,
    /// Who did it, where it is about the whole resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Blame>,
    /// Field by field; empty where it is about the whole resource.
    pub fields: Vec<DriftedField>,
}

/// One field that was changed outside.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DriftedField {
    /// Where.
    pub path: String,
    /// `value`, `item`, `text` or `secret`.
    pub how: &'static str,
    /// What the last deployment left. Missing where there was nothing; where it came from for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// What is live now. Missing where there is nothing; where it came from for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Blame>,
}

impl From<&outside::Drifted> for Drifted {
    fn from(drifted: &outside::Drifted) -> Self {
        let whole = drifted.blame_of(&crate::model::Path::root()).filter(|_| drifted.fields.is_empty());
        Drifted {
            address: drifted.address.to_string(),
            happened: drifted.happened.as_str(),
            fate: drifted.fate.map(Fate::as_str),
            outside: whole.map(Blame::from),
            fields: drifted
                .fields
                .iter()
                .map(|field| DriftedField {
                    path: field.path.to_string(),
                    how: how(field.how),
                    before: side(field, field.diff.before.as_ref()),
                    after: side(field, field.diff.after.as_ref()),
                    outside: drifted.blame_of(&field.path).map(Blame::from),
                })
                .collect(),
        }
    }
}

/// What was changed outside since the last deployment: `tenantry.drift/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Drift {
    /// Name and version of this format.
    pub format: &'static str,
    /// Environment; empty without a project file.
    pub environment: String,
    /// Domain of the tenant.
    pub domain: String,
    /// The last deployment; missing where none is known, and nothing can be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// Resource by resource.
    pub resources: Vec<Drifted>,
    /// Live resources that no deployment made; only where everything was asked for.
    pub strangers: Vec<String>,
    /// Secrets that cannot be compared.
    pub secrets: Vec<Secret>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// What could not be found out.
    pub problems: Vec<Problem>,
    /// Numbers.
    pub counts: DriftCounts,
}

/// Numbers of what was changed outside.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DriftCounts {
    /// Resources that drifted.
    pub resources: usize,
    /// Fields of them.
    pub fields: usize,
    /// Resources that are as the last deployment left them.
    pub unchanged: usize,
}

impl From<&DriftView<'_>> for Drift {
    fn from(view: &DriftView<'_>) -> Self {
        Drift {
            format: "tenantry.drift/1",
            environment: view.environment.to_owned(),
            domain: view.domain.to_owned(),
            deployed: view.head.deployed.as_ref().map(Deployed::from),
            resources: view.resources.iter().map(Drifted::from).collect(),
            strangers: view.strangers.iter().map(ToString::to_string).collect(),
            secrets: view
                .secrets
                .iter()
                .map(|(address, path, source)| Secret {
                    address: address.to_string(),
                    path: path.to_string(),
                    source: source.clone(),
                })
                .collect(),
            unreadable: view
                .unreadable
                .iter()
                .map(|(what, why)| Unreadable {
                    what: what.clone(),
                    scopes: match why {
                        crate::model::Unavailable::Scope(scopes) => scopes.clone(),
                        crate::model::Unavailable::Feature(_) => Vec::new(),
                    },
                    words: unavailable(why),
                })
                .collect(),
            problems: view.notes.iter().map(Problem::from).collect(),
            counts: DriftCounts { resources: view.resources.len(), fields: view.fields(), unchanged: view.unchanged },
        }
    }
}

/// What was written into the description: `tenantry.adopt/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Adopt {
    /// Name and version of this format.
    pub format: &'static str,
    /// Files that were changed.
    pub files: Vec<AdoptedFile>,
    /// Fields that were taken over.
    pub adopted: Vec<Leaf>,
    /// Fields that were left.
    pub left: Vec<AdoptedLeft>,
    /// Other environments that render the same files.
    pub environments: Vec<MovedEnvironment>,
}

/// One file that was changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AdoptedFile {
    /// Its path.
    pub path: String,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Whether the whole file was removed.
    pub gone: bool,
}

/// A field that was left in the files as it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AdoptedLeft {
    /// Which resource.
    pub address: String,
    /// Which field; empty for the whole.
    pub path: String,
    /// Why, for people.
    pub why: String,
}

/// What became of a description that was there.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Updated {
    /// Files that were changed or removed.
    pub files: Vec<AdoptedFile>,
    /// Fields that were taken over.
    pub adopted: Vec<Leaf>,
    /// Resources that nobody had described.
    pub added: Vec<AddedResource>,
    /// Described resources that the tenant does not have.
    pub gone: Vec<AddedResource>,
    /// Whether these went from the files.
    pub removed: bool,
    /// Fields that both sides changed: the tenant's value was taken over.
    pub conflicts: Vec<Leaf>,
    /// What was changed in the files and never deployed: it stays.
    pub pending: Vec<Leaf>,
    /// Fields that were left.
    pub left: Vec<AdoptedLeft>,
    /// Other environments that render the same files.
    pub environments: Vec<MovedEnvironment>,
}

/// A resource with its file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AddedResource {
    /// Which resource.
    pub address: String,
    /// Path of its file.
    pub file: String,
}

/// An environment that renders the same files.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MovedEnvironment {
    /// Its name.
    pub name: String,
    /// Addresses of the resources whose desired state moves along.
    pub resources: Vec<String>,
}

impl From<&AdoptView<'_>> for Adopt {
    fn from(view: &AdoptView<'_>) -> Self {
        Adopt {
            format: "tenantry.adopt/1",
            files: files(view.files),
            adopted: leaves(view.adopted),
            left: left(view.left),
            environments: environments(view.moved),
        }
    }
}

fn files(files: &[written::AdoptedFile]) -> Vec<AdoptedFile> {
    let file = |file: &written::AdoptedFile| AdoptedFile {
        path: file.path.clone(),
        added: file.added,
        removed: file.removed,
        gone: file.gone,
    };
    files.iter().map(file).collect()
}

fn left(left: &[(Address, Path, String)]) -> Vec<AdoptedLeft> {
    let left = left.iter().map(|(address, path, why)| AdoptedLeft {
        address: address.to_string(),
        path: path.to_string(),
        why: why.clone(),
    });
    left.collect()
}

fn environments(moved: &[(String, Vec<Address>)]) -> Vec<MovedEnvironment> {
    let moved = moved.iter().map(|(name, addresses)| MovedEnvironment {
        name: name.clone(),
        resources: addresses.iter().map(ToString::to_string).collect(),
    });
    moved.collect()
}

impl From<&ExportView<'_>> for Updated {
    fn from(view: &ExportView<'_>) -> Self {
        let resources = |resources: &[(Address, String)]| -> Vec<AddedResource> {
            let resource = |(address, file): &(Address, String)| AddedResource {
                address: address.to_string(),
                file: file.clone(),
            };
            resources.iter().map(resource).collect()
        };
        Updated {
            files: files(view.files),
            adopted: leaves(view.done),
            added: resources(view.added),
            gone: resources(view.gone),
            removed: view.removed,
            conflicts: leaves(view.conflicts),
            pending: leaves(view.pending),
            left: left(view.left),
            environments: environments(view.moved),
        }
    }
}
