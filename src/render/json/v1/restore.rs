//! Restores and rehearsals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Applied, Apply, Plan, Problem};
use crate::restore::{self, Mentioned};

/// A restore: `tenantry.restore/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Restore {
    /// Name and version of this format.
    pub format: &'static str,
    /// The archive.
    pub archive: ArchiveOf,
    /// Secrets that have to be sent and nobody has; with any, nothing is written.
    pub missing_secrets: Vec<MissingSecret>,
    /// Where described texts name the tenant that the archive was taken of.
    pub mentions: Vec<Mention>,
    /// References that were left out, because what they lead to is not restored.
    pub left_out: Vec<LeftOut>,
    /// Addresses of resources in which the identifier of the other tenant's Management API became that of this one's.
    pub management_api: Vec<String>,
    /// What has another id than in the archive; empty where nothing was written.
    pub ids: Vec<NewId>,
    /// The plan and what came of it: `tenantry.apply/1`.
    pub apply: Apply,
}

/// What an archive says of itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ArchiveOf {
    /// Domain of the tenant it was taken of.
    pub domain: String,
    /// The environment it was read through.
    pub environment: String,
    /// When reading began: RFC 3339, UTC.
    pub started: String,
    /// Version of Tenantry that wrote it.
    pub tool: String,
    /// Whether it was sealed when it was written.
    pub encrypted: bool,
}

/// A secret that nobody has.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MissingSecret {
    /// Its name in the description of the archive.
    pub name: String,
    /// The environment variable it is read from where nothing else gives it.
    pub variable: String,
    /// Addresses of the resources that need it.
    pub addresses: Vec<String>,
}

/// A place that names another tenant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Mention {
    /// Address of the resource.
    pub address: String,
    /// Where in it.
    pub path: String,
    /// Line inside the text, 1-based; missing where the text is one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// `domain` or `id`.
    pub names: &'static str,
    /// The domain or the id.
    pub value: String,
    /// Address of the resource whose id it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// A reference that was left out.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Address of the resource.
    pub address: String,
    /// Where in it.
    pub path: String,
    /// Address of what it leads to.
    pub to: String,
}

/// Something that has another id than in the archive.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NewId {
    /// Its address in the archive; with the archive's id where names repeat.
    pub address: String,
    /// Its kind.
    pub kind: String,
    /// Its id in the archive.
    pub old: String,
    /// Its id now.
    pub new: String,
}

/// A rehearsal: `tenantry.rehearsal/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rehearsal {
    /// Name and version of this format.
    pub format: &'static str,
    /// The archive.
    pub archive: ArchiveOf,
    /// Whether everything came back, and a plan afterwards found nothing to do.
    pub good: bool,
    /// Described resources by kind.
    pub resources: BTreeMap<String, usize>,
    /// Names of the secrets that were made up.
    pub made_up: Vec<String>,
    /// Changes that could not be done.
    pub failed: Vec<Applied>,
    /// What was left to do afterwards; missing where not all could be done, or nothing was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Plan>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
}

impl From<&restore::Mention> for Mention {
    fn from(mention: &restore::Mention) -> Self {
        let (names, value, of) = match &mention.what {
            Mentioned::Domain(domain) => ("domain", domain.clone(), None),
            Mentioned::Id(object) => ("id", object.id.clone(), Some(object.address.to_string())),
        };
        let (address, path) = (mention.address.to_string(), mention.path.to_string());
        Mention { address, path, line: mention.line, names, value, of }
    }
}

impl From<&restore::LeftOut> for LeftOut {
    fn from(left: &restore::LeftOut) -> Self {
        LeftOut { address: left.address.to_string(), path: left.path.to_string(), to: left.to.to_string() }
    }
}

impl From<&restore::NewId> for NewId {
    fn from(id: &restore::NewId) -> Self {
        NewId {
            address: id.address.to_string(),
            kind: id.address.kind.clone(),
            old: id.old.clone(),
            new: id.new.clone(),
        }
    }
}

impl MissingSecret {
    /// Names a secret, and where it would be read from.
    pub fn new(name: &str, addresses: &[String]) -> Self {
        let variable = format!("TENANTRY_SECRET_{}", name.to_uppercase());
        MissingSecret { name: name.to_owned(), variable, addresses: addresses.to_vec() }
    }
}
