//! What a backup or an import of users did, as data.

use serde::Serialize;

use super::class::Class;
use crate::problem::Problem;

/// What a backup read of users.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UsersReport {
    /// Each connection and its users, sorted by name.
    pub connections: Vec<ConnectionUsers>,
    /// Roles that somebody has.
    pub roles: u64,
    /// Assignments of a role to a user.
    pub role_users: u64,
    /// Users with permissions of their own.
    pub users_with_permissions: u64,
    /// Organizations that have members.
    pub organizations: u64,
    /// Memberships in organizations.
    pub members: u64,
    /// What could not be read, or was left out.
    pub unread: Vec<Unread>,
    /// What of all this a restore cannot bring back.
    pub not_restorable: Vec<NotRestorable>,
}

impl UsersReport {
    /// Counts the users read.
    pub fn users(&self) -> u64 {
        self.connections.iter().map(|connection| connection.users).sum()
    }
}

/// The users of one connection in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionUsers {
    /// Name of the connection.
    pub name: String,
    /// Its strategy: `auth0` for databases.
    pub strategy: String,
    /// Users read.
    pub users: u64,
    /// Those of them that an import takes.
    pub importable: u64,
}

/// Something that a backup lacks.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// What is lacking: `the users of the connection Customers`.
    pub what: String,
    /// Why; a note, where it was left out on purpose.
    pub why: Problem,
}

/// Something of users that no restore brings back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRestorable {
    /// Which.
    pub class: Class,
    /// How many users; `None` where nobody can count.
    pub count: Option<u64>,
    /// Why, in a sentence without full stop.
    pub why: &'static str,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportReport {
    /// Each connection whose users were fed, in their order.
    pub connections: Vec<ConnectionImport>,
    /// Users that the API refused, the first thousand; [`ConnectionImport::failed`] counts all.
    pub failures: Vec<UserFailure>,
    /// Users, and parts of users, that were not imported, by class.
    pub not_imported: Vec<NotRestorable>,
    /// Roles given to users.
    pub roles: Assigned,
    /// Permissions given to users.
    pub permissions: Assigned,
    /// Memberships in organizations.
    pub members: Assigned,
    /// Roles given to members.
    pub member_roles: Assigned,
    /// What went wrong beyond single users.
    pub problems: Vec<Problem>,
}

impl ImportReport {
    /// Says whether everything that can be restored is there now.
    pub fn is_whole(&self) -> bool {
        let failed = self.connections.iter().map(|connection| connection.failed).sum::<u64>();
        let parts = [self.roles, self.permissions, self.members, self.member_roles];
        failed == 0 && self.problems.is_empty() && parts.iter().all(|part| part.failed == 0 && part.without_target == 0)
    }
}

/// What an import did to the users of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionImport {
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

/// A user that the API refused. Nothing of the user but the id is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserFailure {
    /// Name of the connection.
    pub connection: String,
    /// Id of the user, as in the backup.
    pub user_id: String,
    /// The API's code: `FORMAT`, `CONFLICT_USERNAME`, …
    pub code: String,
    /// The field that is meant, where the API says one.
    pub path: Option<String>,
}

/// How often something was given to users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Assigned {
    /// Given, or there before.
    pub done: u64,
    /// Not given: the user is not on the tenant.
    pub without_user: u64,
    /// Not given: the role, permission or organization is not on the tenant.
    pub without_target: u64,
    /// Refused for another reason.
    pub failed: u64,
}
