//! Restores and rehearsals.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Applied, Apply, Plan, Problem, problems_of};
use crate::restore::{self, Mentioned};
use crate::users::{self, ImportReport};

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
    /// What came of the users; missing where they were not asked for, or not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
}

/// What an import of users did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Users {
    /// Whether everything that can be imported is there now.
    pub complete: bool,
    /// Each connection whose users were in the archive.
    pub connections: Vec<ConnectionUsers>,
    /// What was given to users.
    pub given: Assignments,
    /// Users that the API refused: the first thousand.
    pub refused: Vec<RefusedUser>,
    /// What cannot be imported.
    pub not_imported: Vec<NotImported>,
    /// What went wrong beyond single users.
    pub problems: Vec<Problem>,
}

/// What an import did to the users of one connection.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConnectionUsers {
    /// Name of the connection.
    pub name: String,
    /// Users made.
    pub inserted: u64,
    /// Users that were there and were changed.
    pub updated: u64,
    /// Users that were there and equal.
    pub unchanged: u64,
    /// Users that were there, differ, and were left as they are.
    pub kept: u64,
    /// Users that the API says are there; not compared.
    pub already_there: u64,
    /// Users refused.
    pub failed: u64,
}

/// What was given to users.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Assignments {
    /// Roles.
    pub roles: Given,
    /// Permissions.
    pub permissions: Given,
    /// Memberships in organizations.
    pub members: Given,
    /// Roles of members.
    pub member_roles: Given,
}

/// How often something was given to users.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Given {
    /// Given, or there before.
    pub done: u64,
    /// Not given: the user is not there.
    pub without_user: u64,
    /// Not given: the role, permission or organization is not there.
    pub without_target: u64,
    /// Refused for another reason.
    pub failed: u64,
}

/// A user that the API refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefusedUser {
    /// Name of the connection.
    pub connection: String,
    /// Id of the user in the archive.
    pub user_id: String,
    /// The API's code.
    pub code: String,
    /// The field that is meant, where the API says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What of users cannot be imported.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotImported {
    /// How many users, where that is known.
    pub count: Option<u64>,
    /// Why, in a sentence.
    pub why: &'static str,
}

impl From<&ImportReport> for Users {
    fn from(report: &ImportReport) -> Self {
        let connection = |one: &users::ConnectionImport| ConnectionUsers {
            name: one.name.clone(),
            inserted: one.inserted,
            updated: one.updated,
            unchanged: one.unchanged,
            kept: one.kept,
            already_there: one.already_there,
            failed: one.failed,
        };
        let given = |one: &users::Assigned| Given {
            done: one.done,
            without_user: one.without_user,
            without_target: one.without_target,
            failed: one.failed,
        };
        let refused = |one: &users::UserFailure| RefusedUser {
            connection: one.connection.clone(),
            user_id: one.user_id.clone(),
            code: one.code.clone(),
            path: one.path.clone(),
        };
        Users {
            complete: report.is_whole(),
            connections: report.connections.iter().map(connection).collect(),
            given: Assignments {
                roles: given(&report.roles),
                permissions: given(&report.permissions),
                members: given(&report.members),
                member_roles: given(&report.member_roles),
            },
            refused: report.failures.iter().map(refused).collect(),
            not_imported: report
                .not_imported
                .iter()
                .map(|one| NotImported { count: one.count, why: one.why })
                .collect(),
            problems: problems_of(&report.problems),
        }
    }
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
    /// Files of the description that an export afterwards does not write as they are in the archive.
    pub differs: Vec<String>,
    /// What became of the users, where they were rehearsed too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Users>,
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
